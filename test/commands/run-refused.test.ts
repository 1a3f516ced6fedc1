/** What accelctl run refuses, each in one sentence and at once. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import onnxruntime from "../../src/delegates/onnxruntime.ts";
import { FLOAT, modelOf, node, smallOnnx, valueInfo } from "../support/onnx.ts";
import { run } from "../support/run.ts";

let folder = "";
let model = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-refused-"));
  model = join(folder, "small.onnx");
  writeFileSync(model, smallOnnx());
  mkdirSync(join(folder, "folder"));
  execFileSync("mkfifo", [join(folder, "fifo")]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(onnxruntime.find({}).state !== "read")("accelctl run refuses (skipped: no ONNX Runtime)", () => {
  it.each<[string, string[], number, string]>([
    ["a pipe nobody writes to", ["--input", "FOLDER/fifo"], 3, "fifo: no regular file"],
    ["a device without an end", ["--input", "/dev/zero"], 3, "/dev/zero: no regular file"],
    ["a folder for a file", ["--input", "FOLDER/folder"], 3, "folder: a directory"],
    ["labels from a pipe", ["--labels", "FOLDER/fifo"], 3, "fifo: no regular file"],
    ["a place where nothing can be made", ["--out", "/proc/none/here"], 3, "/proc/none/here/y.npy: ENOENT"],
    ["a second CPU", ["--device", "cpu:1"], 2, 'no device "cpu:1": cpu, auto, or FAMILY or FAMILY:1'],
    ["a number behind auto", ["--device", "auto:0"], 2, 'no device "auto:0"'],
    ["a number that is none", ["--device", "rockchip:x"], 2, 'no device "rockchip:x"'],
    ["a route that no device has", ["--route", "x"], 3, "route x: no device here has a route of this name"],
    ["a delegate of other formats", ["--delegate", "ggml"], 3, "the delegate ggml does not run onnx; it runs gguf"],
    ["a library that the loader would find elsewhere", ["--library", "libc.so.6"], 3, "libc.so.6: no such file"],
    ["a plugin that is not there", ["--device", "hailo", "--plugin", "none.so"], 3, "none.so: no such file"],
    ["a number for an input of three", ["5"], 3, 'its shape is [], and input "x" wants [1, 3]'],
  ])("%s", async (_what, options, code, says) => {
    const answer = await run("run", model, ...options.map((one) => one.replace("FOLDER", folder)));
    expect(answer.err).toContain(says);
    expect(answer.err.trimEnd()).not.toContain("\n");
    expect([answer.code, answer.out]).toEqual([code, ""]);
  });

  it("takes JSON typed in place of the only input, and says why the CPU stands in for a route", async () => {
    const { out, err } = await run("run", model, "[[1, 10, 100]]", "--route", "x", "--fallback", "cpu");
    expect(err).toBe("");
    expect(out).toContain("531 642");
    expect(out.replace(/\s+/g, " ")).toContain("on the CPU instead: nothing here runs it: route x: no device here has");
  });

  it("says with a runtime's refusal which sizes were taken as 1", async () => {
    const path = join(folder, "open.onnx");
    const reshape = node("Reshape", ["x", "s"], ["y"]);
    const [x, s] = [valueInfo(11, "x", FLOAT, ["n", "m"]), valueInfo(11, "s", 7, [1])];
    writeFileSync(path, modelOf(reshape, x, s, valueInfo(12, "y", FLOAT, ["k"])));
    const { code, err } = await run("run", path, "--input", "s=[7]");
    expect(code).toBe(3);
    expect(err).toMatch(
      /^accelctl: ONNX Runtime: [^\n]*; x: 1 for what its shape leaves open \(n, m\): --shape x=\.\.\. says others\n$/,
    );
  });
});
