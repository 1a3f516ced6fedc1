/** What all commands print JSON with. */

import { expect, it } from "vitest";
import { toJson } from "../../src/commands/common.ts";

it("escapes in JSON what a terminal would act on, and what turns directions", () => {
  const value = { "k\u202e": "\u009b31m\u007f\u001b[2J\u2066é×…" };
  const json = toJson(value);
  expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
  expect(json).toContain("\\u009b31m\\u007f\\u001b[2J\\u2066é×…");
  expect(JSON.parse(json)).toEqual(value);
});
