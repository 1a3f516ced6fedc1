/** A file that takes ONNX Runtime's process down takes nothing else down. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import onnxruntime from "../../src/delegates/onnxruntime.ts";
import { FLOAT, modelOf, valueInfo } from "../support/onnx.ts";
import { bytes, int, message } from "../support/protobuf.ts";
import { run } from "../support/run.ts";

let folder = "";
let model = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-crash-"));
  model = join(folder, "resize.onnx");
  const mode = message(5, bytes(1, "mode"), bytes(4, "linear"), int(20, 3));
  const resize = message(
    1,
    ...["x", "", "scales"].map((name) => bytes(1, name)),
    bytes(2, "y"),
    bytes(4, "Resize"),
    mode,
  );
  // Four would be right: 1.30 writes the others past the end of an array on its stack.
  const [x, scales] = [valueInfo(11, "x", FLOAT, [1, 1, 2, 2]), valueInfo(11, "scales", FLOAT, [63])];
  writeFileSync(model, modelOf(resize, x, scales, valueInfo(12, "y", FLOAT, [1, 1, 4, 4])));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(onnxruntime.find({}).state !== "read")(
  "a file that crashes its runtime (skipped: no ONNX Runtime for this machine)",
  () => {
    it.each([["run"], ["bench", "--runs", "1", "--no-history"]])("%s says so in a sentence", async (verb, ...more) => {
      const { code, out, err } = await run(verb, model, ...more);
      expect(code).toBe(3);
      expect(out).toBe("");
      expect(err).toMatch(/^accelctl: ONNX Runtime: (?:its process crashed \(SIG\w+\)|[^\n]*scales)[^\n]*\n$/);
    });
  },
);
