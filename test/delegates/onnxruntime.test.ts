/** ONNX Runtime by its C API: right on ONNX's own node tests, the same to the bit as onnxruntime-node, and never in the event loop's way. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type * as bareRuntime from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CannotError, FileError } from "../../src/base/errors.ts";
import delegate from "../../src/delegates/onnxruntime.ts";
import { numbersOf, type Value } from "../../src/delegates/value.ts";
import { makeInputs } from "../../src/session/inputs.ts";
import { readTensorProto } from "../../src/session/tensor-proto.ts";
import { FLOAT, INT64, matMulOnnx, modelOf, node, smallOnnx, STRING, valueInfo } from "../support/onnx.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

type Bare = typeof bareRuntime;
type BareTensor = InstanceType<Bare["Tensor"]>;

const found = delegate.find({});
let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-ort-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const float = (values: readonly number[], shape: readonly number[]): Value => ({
  type: "float32",
  shape,
  data: Float32Array.from(values),
});

describe.skipIf(found.state !== "read")(
  "ONNX Runtime (skipped: onnxruntime-node has no library for this machine)",
  () => {
    it("multiplies", async () => {
      const session = await delegate.open(write("small.onnx", smallOnnx()), { device: "cpu" });
      expect(session.inputs).toEqual([{ name: "x", type: "float32", shape: [1, 3] }]);
      const { outputs } = await session.run(new Map([["x", float([1, 10, 100], [1, 3])]]));
      expect(outputs.get("y")).toEqual(float([531, 642], [1, 2]));
      expect(session.version).toMatch(/^1\.\d+\.\d+/);
      await session.close();
    });

    it("takes and gives texts, and keeps the names of open dimensions", async () => {
      const text = modelOf(
        node("Identity", ["words"], ["same"]),
        valueInfo(11, "words", STRING, ["count"]),
        valueInfo(12, "same", STRING, ["count"]),
      );
      const session = await delegate.open(write("text.onnx", text), { device: "cpu" });
      expect(session.inputs).toEqual([{ name: "words", type: "string", shape: ["count"] }]);
      const words = ["", "Grüße", "a\u0301", "x".repeat(1000)];
      const { outputs } = await session.run(new Map([["words", { type: "string", shape: [4], data: words } as const]]));
      expect(outputs.get("same")).toEqual({ type: "string", shape: [4], data: words });
      await session.close();
    });

    it("gives back what has no elements", async () => {
      const empty = modelOf(
        node("Identity", ["x"], ["y"]),
        valueInfo(11, "x", INT64, ["n"]),
        valueInfo(12, "y", INT64, ["n"]),
      );
      const session = await delegate.open(write("empty.onnx", empty), { device: "cpu" });
      const nothing: Value = { type: "int64", shape: [0], data: new BigInt64Array(0) };
      expect((await session.run(new Map([["x", nothing]]))).outputs.get("y")).toEqual(nothing);
      await session.close();
    });

    it("says what is wrong with inputs, each in one sentence, and goes on", async () => {
      const session = await delegate.open(write("again.onnx", smallOnnx()), { device: "cpu" });
      const wrong: [RegExp, Map<string, Value>][] = [
        [/no input "z"/, new Map([["z", float([1], [1])]])],
        [/needs 3 elements, 2 are given/, new Map([["x", float([1, 2], [1, 3])]])],
        [/Missing Input: x/i, new Map<string, Value>()],
        [/Got: 4 Expected: 3/, new Map([["x", float([1, 2, 3, 4], [1, 4])]])],
        [
          /Unexpected input data type/,
          new Map([["x", { type: "int64", shape: [1, 3], data: new BigInt64Array(3) } as const]]),
        ],
      ];
      for (const [says, inputs] of wrong) {
        const error: unknown = await session.run(inputs).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(CannotError);
        expect((error as Error).message).toMatch(says);
        expect((error as Error).message).not.toContain("\n");
      }
      expect((await session.run(new Map([["x", float([1, 0, 0], [1, 3])]]))).outputs.get("y")).toEqual(
        float([1, 2], [1, 2]),
      );
      await session.close();
    });

    it("gives outputs whose shape follows from values, run after run", async () => {
      const found = modelOf(
        node("NonZero", ["x"], ["y"]),
        valueInfo(11, "x", FLOAT, [4]),
        valueInfo(12, "y", INT64, [1, "found"]),
      );
      const session = await delegate.open(write("nonzero.onnx", found), { device: "cpu" });
      for (const values of [
        [1, 0, 0, 0],
        [1, 0, 1, 1],
        [0, 0, 0, 0],
        [0, 0, 0, 1],
        [1, 1, 1, 1],
      ]) {
        const { shape, data } = (await session.run(new Map([["x", float(values, [4])]]))).outputs.get("y") ?? {};
        const expected = values.flatMap((value, at) => (value === 0 ? [] : [BigInt(at)]));
        expect([shape, Array.from(data as BigInt64Array)]).toEqual([[1, expected.length], expected]);
      }
      await session.close();
    });

    it("stands when memory is collected between and during runs", async () => {
      setFlagsFromString("--expose-gc");
      const collect = runInNewContext("gc") as () => void; // what the flag defines
      const path = write("collected.onnx", smallOnnx());
      for (let i = 0; i < 20; i++) {
        const session = await delegate.open(path, { device: "cpu", threads: 1 });
        collect();
        for (let k = 0; k < 4; k++) {
          const running = [1, 2, 3].map((x) => session.run(new Map([["x", float([x, 0, 0], [1, 3])]])));
          collect();
          const outputs = await Promise.all(running);
          expect(outputs.map((one) => Array.from(one.outputs.get("y")?.data as Float32Array))).toEqual([
            [1, 2],
            [2, 4],
            [3, 6],
          ]);
        }
        await session.close();
      }
    });

    it("reads inputs before run() returns and gives outputs that are the caller's, the first time and ever after", async () => {
      const session = await delegate.open(write("own.onnx", smallOnnx()), { device: "cpu", threads: 1 });
      const x = float([0, 0, 0], [1, 3]);
      const kept: Value[] = [];
      for (let i = 0; i < 20; i++) {
        (x.data as Float32Array)[0] = i;
        const running = session.run(new Map([["x", x]]));
        (x.data as Float32Array)[0] = -1;
        const y = (await running).outputs.get("y");
        if (y !== undefined) kept.push(y);
      }
      expect(kept).toEqual(kept.map((_, i) => float([i, 2 * i], [1, 2])));
      await session.close();
    });

    it("runs many at once as one by one, also after short ones", async () => {
      const session = await delegate.open(write("many.onnx", smallOnnx()), { device: "cpu", threads: 1 });
      const one = (x: number): Map<string, Value> => new Map([["x", float([x, 0, 0], [1, 3])]]);
      for (let i = 0; i < 8; i++) await session.run(one(i));
      const all = await Promise.all(Array.from({ length: 5000 }, (_, i) => session.run(one(i))));
      expect(all.map(({ outputs }) => (outputs.get("y")?.data as Float32Array)[1])).toEqual(all.map((_, i) => 2 * i));
      await session.close();
    });

    it("follows an input that stays in place and an input that is elsewhere each time", async () => {
      const session = await delegate.open(write("large.onnx", matMulOnnx(16, 768)), { device: "cpu", threads: 1 });
      const ones = (value: number): Value => ({
        type: "float32",
        shape: [16, 768],
        data: new Float32Array(16 * 768).fill(value),
      });
      const first = async (x: Value): Promise<number | undefined> =>
        ((await session.run(new Map([["x", x]]))).outputs.get("y")?.data as Float32Array)[0];
      const unit = (await first(ones(1))) ?? NaN;
      const same = ones(0);
      for (let i = 1; i <= 8; i++) {
        (same.data as Float32Array).fill(i);
        expect(await first(same)).toBeCloseTo(unit * i, 1);
        expect(await first(ones(2 * i))).toBeCloseTo(unit * 2 * i, 1);
      }
      // Its memory goes to another; what is left has no elements.
      structuredClone(same.data, { transfer: [(same.data as Float32Array).buffer as ArrayBuffer] });
      await expect(session.run(new Map([["x", same]]))).rejects.toThrow(/needs 12288 elements, 0 are given/);
      expect(await first(ones(3))).toBeCloseTo(unit * 3, 1);
      await session.close();
    });

    it("gives outputs in memory that a lending caller lends, and reads inputs where they lie", async () => {
      const lent: ArrayBuffer[] = [];
      const allocate = (bytes: number): ArrayBuffer => {
        const buffer = new ArrayBuffer(bytes + 64);
        lent.push(buffer);
        return buffer;
      };
      const path = write("lent.onnx", matMulOnnx(16, 768));
      const session = await delegate.open(path, { device: "cpu", threads: 1, lending: { allocate } });
      const memory = new ArrayBuffer(1024 * 1024);
      for (let i = 1; i <= 12; i++) {
        const offset = (i % 3) * 64 * 1024;
        const data = new Float32Array(memory, offset, 16 * 768).fill(i);
        const y = (
          await session.run(new Map([["x", { type: "float32", shape: [16, 768], data } as const]]))
        ).outputs.get("y");
        expect(y?.data.length).toBe(16 * 768);
        expect((y?.data as Float32Array)[5]).toBeCloseTo(i * weightsOfColumn(768, 5), 1);
        if (i > 1) expect((y?.data as Float32Array).buffer).toBe(lent[0]);
      }
      expect(lent.length).toBe(1);
      await session.close();
    });

    it("lets the event loop turn between short runs that follow each other at once", async () => {
      const session = await delegate.open(write("short.onnx", matMulOnnx(16, 768)), { device: "cpu", threads: 1 });
      const { values } = await makeInputs(session.inputs, { files: new Map(), shapes: new Map(), seed: 7 });
      for (let i = 0; i < 4; i++) await session.run(values);
      let [between, most, shortest, ran, on] = [0, 0, Infinity, 0, true];
      const turn = (): void => {
        most = Math.max(most, between);
        between = 0;
        if (on) setImmediate(turn);
      };
      setImmediate(turn);
      const start = performance.now();
      while (performance.now() - start < 200) {
        const begun = performance.now();
        await session.run(values);
        shortest = Math.min(shortest, performance.now() - begun);
        between++;
        ran++;
      }
      on = false;
      turn();
      await session.close();
      // Not by the clock: a busy machine takes the processor away for longer.
      expect(most * shortest).toBeLessThan(5);
      expect(most).toBeLessThan(ran);
    });

    it("calls a broken model broken, by its path", async () => {
      const bytes = smallOnnx();
      for (const broken of [bytes.subarray(0, bytes.length - 20), Buffer.from("no model at all")]) {
        const path = write("broken.onnx", broken);
        const error: unknown = await delegate.open(path, { device: "cpu" }).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(FileError);
        expect((error as Error).message).toContain(path);
      }
    });

    describe.skipIf(!hasShared)(`published models${unlessShared}`, () => {
      const tests = hasShared ? readdirSync(sharedPath("models/onnx/nodetest")) : [];
      const names = tests.filter((name) => name.endsWith(".onnx")).map((name) => name.slice(0, -5));

      /** What ONNX Runtime 1.30 itself refuses or rounds otherwise: held against its own Node binding instead. */
      const itsOwn: Readonly<Record<string, string>> = {
        convinteger_with_padding: "Non per-tensor quantization is not supported now",
        quantizelinear_float4e2m1: "Could not find an implementation for QuantizeLinear",
        qlinearmatmul_2D_int8_float32: "saturates where the test wraps",
      };

      it.each(Object.entries(itsOwn))("%s ends as in onnxruntime-node's own session: %s", async (name) => {
        const at = (file: string): string => sharedPath(`models/onnx/nodetest/${file}`);
        const bare = createRequire(import.meta.url)("onnxruntime-node") as Bare;
        const ends = async (act: () => Promise<unknown>): Promise<unknown> =>
          act().catch((error: unknown) => /(?:not supported|Could not find)[^.:]*/.exec(String(error))?.[0] ?? "?");
        const inputs = (ports: readonly string[]): [string, Value][] =>
          ports.map((port, i) => {
            const file = `${name}__input_${i}.pb`;
            return [port, readTensorProto(readFileSync(at(file)), file)];
          });
        const ours = await ends(async () => {
          const session = await delegate.open(at(`${name}.onnx`), { device: "cpu", threads: 1 });
          const { outputs } = await session.run(new Map(inputs(session.inputs.map((port) => port.name))));
          return [...outputs.values()].map(({ data }) => Array.from(data as Int8Array));
        });
        const theirs = await ends(async () => {
          const session = await bare.InferenceSession.create(at(`${name}.onnx`), { intraOpNumThreads: 1 });
          const feeds = inputs(session.inputNames).map(([port, { type, data, shape }]) => [
            port,
            new bare.Tensor(type as "int8", data as Int8Array, shape),
          ]);
          const outputs = await session.run(Object.fromEntries(feeds) as Record<string, BareTensor>);
          return Object.values(outputs).map(({ data }) => Array.from(data as Int8Array));
        });
        expect(ours).toEqual(theirs);
        expect(ours).not.toBe("?");
      });

      it.each(names.filter((name) => !Object.hasOwn(itsOwn, name)))(
        "%s gives the tensors its makers expect",
        async (name) => {
          const at = (file: string): string => sharedPath(`models/onnx/nodetest/${file}`);
          const proto = (file: string): Value => readTensorProto(readFileSync(at(file)), file);
          const session = await delegate.open(at(`${name}.onnx`), { device: "cpu", threads: 1 });
          const inputs = new Map(session.inputs.map((port, i) => [port.name, proto(`${name}__input_${i}.pb`)]));
          const outputs = [...(await session.run(inputs)).outputs.values()];
          const expected = tests.filter((file) => file.startsWith(`${name}__output_`)).length;
          expect(outputs.length).toBe(expected);
          outputs.forEach((output, i) => expectClose(output, proto(`${name}__output_${i}.pb`)));
          await session.close();
        },
      );

      it.each([
        "mnist-8.onnx",
        "oww_hey_rhasspy_v0.1.onnx",
        "ch_PP-OCRv4_det_infer.onnx",
        "ch_ppocr_mobile_v2.0_cls_infer.onnx",
      ])("%s gives the same bits as onnxruntime-node's own session", async (name) => {
        const path = sharedPath(`models/onnx/${name}`);
        const session = await delegate.open(path, { device: "cpu", threads: 1 });
        const shapes = new Map(
          session.inputs
            .filter(({ shape }) => shape.some((size) => typeof size !== "number"))
            .map((port) => [port.name, port.shape.length === 4 ? [1, 3, 64, 192] : port.shape.map(() => 1)]),
        );
        const { values } = await makeInputs(session.inputs, { files: new Map(), shapes, seed: 7 });
        const { outputs: ours } = await session.run(values);
        await session.close();
        const bare = createRequire(import.meta.url)("onnxruntime-node") as Bare;
        const other = await bare.InferenceSession.create(path, { intraOpNumThreads: 1 });
        const feeds = Object.fromEntries(
          [...values].map(([port, { data, shape }]) => [port, new bare.Tensor("float32", data as Float32Array, shape)]),
        );
        const theirs = await other.run(feeds);
        for (const [port, { data }] of ours) {
          expect(Buffer.from((data as Float32Array).buffer)).toEqual(
            Buffer.from(Uint8Array.from(new Uint8Array((theirs[port]?.data as Float32Array).slice().buffer)).buffer),
          );
        }
        await other.release();
      });

      it("leaves the event loop free while it runs", async () => {
        const session = await delegate.open(sharedPath("models/onnx/ch_PP-OCRv4_det_infer.onnx"), {
          device: "cpu",
          threads: 1,
        });
        const shapes = new Map([["x", [1, 3, 320, 320]]]);
        const { values } = await makeInputs(session.inputs, { files: new Map(), shapes, seed: 7 });
        await session.run(values);
        let [ticks, ran] = [0, 0];
        const timer = setInterval(() => ticks++, 1);
        const start = performance.now();
        while (performance.now() - start < 200) {
          await session.run(values);
          ran++;
        }
        clearInterval(timer);
        await session.close();
        // Held for the length of a run, it would tick once for each.
        expect(ticks).toBeGreaterThan(ran * 2);
      });
    });
  },
);

/** Sum of one column of what matMulOnnx multiplies with. */
function weightsOfColumn(size: number, column: number): number {
  let sum = 0;
  for (let row = 0; row < size; row++) sum += ((row * size + column) % 7) / 64;
  return sum;
}

/** As onnx's own runner compares: relative 1e-3, absolute 1e-7. */
function expectClose(output: Value, expected: Value): void {
  expect([output.type, output.shape]).toEqual([expected.type, expected.shape]);
  const [a, b] = [numbersOf(output), numbersOf(expected)];
  if (a === undefined || b === undefined || !output.type.startsWith("float")) {
    expect(output.data).toEqual(expected.data);
    return;
  }
  for (let i = 0; i < b.length; i++) {
    const [got, want] = [Number(a[i]), Number(b[i])];
    expect(
      Math.abs(got - want) <= 1e-7 + 1e-3 * Math.abs(want) || Object.is(got, want),
      `${i}: ${got} is not ${want}`,
    ).toBe(true);
  }
}
