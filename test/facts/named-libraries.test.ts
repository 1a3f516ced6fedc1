/** Libraries below directories that the user named: never what the loader knows beside them. */

import { expect, it } from "vitest";
import { namedLibrary } from "../../src/facts/named-libraries.ts";
import { base } from "../support/machines.ts";

it("finds a library in an environment, an SDK or an unpacked package, and not the system's own of that name", () => {
  const b = base();
  b.file("/usr/lib/x86_64-linux-gnu/libopenvino_c.so.2410", "");
  b.file("/opt/venv/lib/python3.11/site-packages/openvino/libs/libopenvino_c.so.2641", "");
  b.file("/opt/sdk/lib/libopenvino_c.so.2500", "");
  const root = b.build("directory", "named-libraries");
  const find = (...places: string[]): string | undefined => namedLibrary(root, places, "libopenvino_c.so.*");
  expect(find("/opt/venv")).toBe("/opt/venv/lib/python3.11/site-packages/openvino/libs/libopenvino_c.so.2641");
  expect(find("/opt/sdk")).toBe("/opt/sdk/lib/libopenvino_c.so.2500");
  expect(find("/opt/nothing")).toBeUndefined();
  expect(find()).toBeUndefined();
});
