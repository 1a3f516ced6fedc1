/** Reasons of a fit as people read them: those that differ only in a value once, and of another format nothing that only TFLite counts. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { becauseOf, joinReasons } from "../../src/print/fit-reasons.ts";
import { milliseconds } from "../../src/print/fit-words.ts";
import { smallOnnx } from "../support/onnx.ts";
import { run } from "../support/run.ts";

const folder = mkdtempSync(join(tmpdir(), "accelctl-reasons-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("reasons of one operator that differ in the value found are one, with the nodes of all", () => {
  const reason = (op: string, because: string, ...nodes: number[]) => ({ op, rule: "kernel", because, nodes });
  const joined = joinReasons([
    reason("Conv", "kernel too large: 9x9", 1),
    reason("Conv", "kernel too large: 7x7", 2, 3),
    reason("Conv", "stride too large: 4x4", 4),
    reason("MaxPool", "kernel too large: 9x9", 5),
    reason("*", "shapes must be static", 6),
  ]);
  expect(joined.map(({ op, because, nodes }) => [op, because, nodes])).toEqual([
    ["*", "shapes must be static", [6]],
    ["Conv", "kernel too large: 9x9 (and another value)", [1, 2, 3]],
    ["Conv", "stride too large: 4x4", [4]],
    ["MaxPool", "kernel too large: 9x9", [5]],
  ]);
});

test("a reason without a value is told as it is, and a value that comes again counts once", () => {
  expect(becauseOf(["unsupported", "unsupported"])).toBe("unsupported");
  expect(becauseOf(["type: int8", "type: int8"])).toBe("type: int8");
  expect(becauseOf(["type: int8", "type: int16", "type: bool"])).toBe("type: int8 (and 2 other values)");
});

test("an ONNX file's opset is not taken for a version of TFLite's operators", async () => {
  const file = join(folder, "small.onnx");
  writeFileSync(file, smallOnnx());
  const { out } = await run("fit", file, "--for", "tflite-gpu");
  expect(out).toMatch(/whole; 1 of 1 operator\s/);
  expect(out).not.toMatch(/[Vv]ersion.*at most/);
});

test("what takes microseconds is not told as 0", () => {
  expect([0.0012, 0.0001, 0.0456, 0.5, 12.34, 1234].map(milliseconds)).toEqual([
    ...["0.001", "<0.001", "0.046", "0.50", "12.3", "1230"],
  ]);
});
