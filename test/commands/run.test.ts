/** accelctl run, as typed. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import onnxruntime from "../../src/delegates/onnxruntime.ts";
import { readNpy, writeNpy } from "../../src/session/npy.ts";
import type { RunResult } from "../../src/session/result.ts";
import { FLOAT, INT8, modelOf, node, smallOnnx, valueInfo } from "../support/onnx.ts";
import { bmp } from "../support/pictures.ts";
import { run } from "../support/run.ts";

let folder = "";
let model = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-run-"));
  model = join(folder, "small.onnx");
  writeFileSync(model, smallOnnx());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe.skipIf(onnxruntime.find({}).state !== "read")(
  "accelctl run (skipped: no ONNX Runtime for this machine)",
  () => {
    it("says what came out, on which device, and how that is known", async () => {
      const x = file("x.json", "[[1, 10, 100]]");
      const { code, out } = await run("run", model, "--input", x);
      expect(code).toBe(0);
      expect(out).toContain("y float32 [1, 2] from 531 to 642, mean 586.5: 531 642");
      expect(out.replace(/\s+/g, " ")).toContain(
        "cpu: the session was made with ONNX Runtime's CPU provider and no other",
      );
      expect(out).not.toContain("assumed");
    });

    it("takes .npy, raw and TensorProto alike, and writes .npy", async () => {
      const data = Float32Array.from([1, 10, 100]);
      const npy = writeNpy({ type: "float32", shape: [1, 3], data }) ?? new Uint8Array();
      const raw = new Uint8Array(data.buffer);
      const proto = Buffer.concat([Buffer.from([0x08, 1, 0x08, 3, 0x10, 1, 0x4a, raw.length]), raw]);
      for (const [name, bytes] of Object.entries({ "x.npy": npy, "x.bin": raw, "x.pb": proto })) {
        const out = join(folder, `out-${name}`);
        const { code, err } = await run("run", model, "--input", `x=${file(name, bytes)}`, "--out", out);
        expect([code, err]).toEqual([0, ""]);
        expect(readNpy(readFileSync(join(out, "y.npy")), "y.npy").data).toEqual(Float32Array.from([531, 642]));
      }
    });

    it("makes the same values from the same seed and says that it made them", async () => {
      const [first, again, other] = await Promise.all(
        ["1", "1", "2"].map(
          async (seed) => JSON.parse((await run("run", model, "--seed", seed, "--json")).out) as RunResult,
        ),
      );
      expect(first?.outputs).toEqual(again?.outputs);
      expect(first?.outputs).not.toEqual(other?.outputs);
      expect(first?.assumed).toEqual(["x: values made from seed 1"]);
      expect(first?.runs_ms).toHaveLength(1);
    });

    it("tells what a run is made of with --profile", async () => {
      const { spans } = JSON.parse((await run("run", model, "--profile", "--json")).out) as RunResult;
      expect(spans.map(({ name }) => name).join()).toContain("MatMul");
      expect(spans.every(({ ms }) => ms >= 0)).toBe(true);
      expect((await run("run", model, "--profile")).out).toMatch(/\d ms +\S*MatMul/);
    });

    it("never runs on the CPU what was asked of another device, unless told to, and then says so", async () => {
      const refused = await run("run", model, "--device", "hailo");
      expect(refused.code).toBe(3);
      expect(refused.out).toBe("");
      expect(refused.err).toContain(
        "hailo does not run onnx: no such device is here (accelctl review); --device cpu, or --fallback cpu of run, would let the CPU run it",
      );
      const allowed = await run("run", model, "--device", "hailo", "--fallback", "cpu");
      expect(allowed.code).toBe(0);
      expect(allowed.out.replace(/\s+/g, " ")).toContain(
        "on the CPU instead: hailo does not run it: no such device is here",
      );
    });

    it.each([
      [["--input", "z=/dev/null"], 2, 'the model has no input "z"; it has x'],
      [["--input", "none.npy"], 3, "none.npy: no such file"],
      [["--shape", "x=2x3"], 2, 'input "x" has the shape [1, 3], not [2, 3]'],
      [["--shape", "big"], 2, "--shape takes NAME=1x3x224x224"],
      [["--threads=-1"], 2, "--threads takes a whole number"],
      [["--delegate", "magic"], 2, 'no delegate "magic"'],
      [["--delegate", "null"], 3, "the delegate null does not run onnx"],
    ] as const)("%j is told in one sentence", async (words, code, says) => {
      const result = await run("run", model, ...words);
      expect([result.code, result.out]).toEqual([code, ""]);
      expect(result.err).toContain(says);
      expect(result.err.trim()).not.toContain("\n");
    });

    it("takes no number for another that fits, and keeps outputs apart whose names differ in little", async () => {
      const bytes = modelOf(
        node("Identity", ["x"], ["a/b"]),
        node("Neg", ["x"], ["a:b"]),
        valueInfo(11, "x", INT8, [2]),
        valueInfo(12, "a/b", INT8, [2]),
        valueInfo(12, "a:b", INT8, [2]),
      );
      const two = file("two.onnx", bytes);
      const out = join(folder, "two");
      expect((await run("run", two, "--input", file("fits.json", "[1, -2]"), "--out", out)).code).toBe(0);
      expect(readdirSync(out).sort()).toEqual(["a_b.npy", "a_b_2.npy"]);
      expect(readNpy(readFileSync(join(out, "a_b_2.npy")), "n").data).toEqual(Int8Array.from([-1, 2]));
      for (const [content, says] of [
        ["[300, 1]", "300 is no int8"],
        ["[0.5, 1]", "it holds what is no int8"],
      ] as const) {
        const { code, err } = await run("run", two, "--input", file("wide.json", content));
        expect([code, err]).toEqual([3, expect.stringContaining(says)]);
      }
    });

    it("takes a picture as its second argument, or alone behind --input, as the flags say", async () => {
      const shape = [1, 3, 1, 2];
      const path = file(
        "same.onnx",
        modelOf(node("Identity", ["x"], ["y"]), valueInfo(11, "x", FLOAT, shape), valueInfo(12, "y", FLOAT, shape)),
      );
      const picture = file(
        "two.bmp",
        bmp({ width: 2, height: 1, bits: 24, data: Uint8Array.of(255, 0, 10, 0, 128, 20) }),
      );
      for (const given of [[picture], ["--input", picture], ["--input", `x=${picture}`]]) {
        const { code, out } = await run("run", path, ...given, "--std", "1", "--color", "bgr", "--json");
        expect(code).toBe(0);
        const { outputs, assumed } = JSON.parse(out) as RunResult;
        expect(outputs[0]?.values).toEqual([10, 20, 0, 128, 255, 0]);
        expect(assumed).toEqual([]);
      }
      expect((await run("run", path, picture, "--std", "0")).err).toContain(
        "--std takes numbers with commas, none of them 0",
      );
      expect((await run("run", path, picture, picture)).err).toContain("run takes a model and an input");
      expect((await run("run", path, "--input", picture, "--input", picture)).err).toContain(
        "every input of the model is given already",
      );
    });

    it("says what a file holds that does not fit", async () => {
      const cases: [string, string | Uint8Array, RegExp][] = [
        ["a.json", "[1, 2]", /its shape is \[2\], and input "x" wants \[1, 3\]/],
        ["b.json", "[[1, 2], [3]]", /rows differ/],
        ["c.json", "{", /no JSON/],
        ["d.bin", "12", /2 raw bytes; float32 \[1, 3\] of input "x" has 12/],
        [
          "e.npy",
          writeNpy({ type: "int8", shape: [1, 3], data: new Int8Array(3) }) ?? "",
          /holds int8, and input "x" wants float32/,
        ],
      ];
      for (const [name, content, says] of cases) {
        const { code, err } = await run("run", model, "--input", file(name, content));
        expect(code).toBe(3);
        expect(err).toMatch(says);
      }
    });
  },
);

it("says of a file that is no model what it is, and of a format that nothing runs which are run", async () => {
  expect((await run("run", file("page.onnx", "<!doctype html>"))).err).toContain("an HTML page");
  const header = Buffer.from('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const weights = file("w.safetensors", Buffer.concat([length, header, Buffer.alloc(4)]));
  expect((await run("run", weights)).err).toMatch(/no delegate here runs safetensors; formats that are run: .*onnx/);
});
