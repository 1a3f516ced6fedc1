/** A short run of `npm run fuzz` with a fixed seed; the long one is for whoever changes a reader. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { top } from "../support/shared.ts";
import { mixed, mutateBytes, mutateJson, mutateText, seeded } from "./mutate.ts";

describe("hostile input", () => {
  it("ends well or with an error thrown on purpose, in time and memory, for every reader", () => {
    const done = spawnSync(process.execPath, ["tools/fuzz.mjs", "--count", "1000", "--models", "2500", "--seed", "1"], {
      cwd: top,
      encoding: "utf8",
      timeout: 170_000,
    });
    expect(`${done.stdout}${done.stderr}`).toContain("no failures");
    // A format of which there is neither a sample nor a real file says so there.
    expect(done.stdout).not.toContain("not fuzzed");
    expect(done.status).toBe(0);
  }, 180_000);

  it("is made of its seed alone", () => {
    const make = (seed: number): string[] => {
      const random = seeded(mixed(seed, "x", 7));
      const bytes = readFileSync(`${top}LICENSE`);
      return [
        mutateText("a: b\nc: 1\n", random),
        mutateJson({ a: [1, { b: "c" }] }, random),
        Buffer.from(mutateBytes(bytes, random)).toString("hex"),
      ];
    };
    expect(make(1)).toEqual(make(1));
    expect(make(1)).not.toEqual(make(2));
  });
});
