/** TFLite by its C API: the same to the bit as the bare library, whatever its device's delegate takes, and never in the event loop's way. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CannotError, FileError } from "../../src/base/errors.ts";
import type { Session } from "../../src/delegates/delegate.ts";
import delegate from "../../src/delegates/tflite.ts";
import { delegatedFamilies } from "../../src/delegates/tflite/devices.ts";
import { findWasm } from "../../src/delegates/tflite/wasm.ts";
import type { Elements, Value } from "../../src/delegates/value.ts";
import { families } from "../../src/families/index.ts";
import { readModel } from "../../src/inspect/describe.ts";
import { makeInputs } from "../../src/session/inputs.ts";
import { hasCompiler, unlessCompiler } from "../support/compile.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";
import { compileTestDelegate, type TestDelegateOptions } from "../support/tflite-delegate.ts";
import { openNative } from "../support/tflite-native.ts";
import { chainTflite, smallTflite, tfliteOf } from "../support/tflite.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-tflite-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cpu = { device: "cpu", threads: 1 } as const;
const write = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const float = (...values: number[]): Value => ({
  type: "float32",
  shape: [1, values.length],
  data: Float32Array.from(values),
});
const numbers = (value: Value | undefined): number[] => Array.from(value?.data as Float32Array);
const bytesOf = (value: Value | undefined): Uint8Array => {
  const { buffer, byteOffset, byteLength } = value?.data as Elements;
  return new Uint8Array(buffer, byteOffset, byteLength);
};

describe("what stands in the catalogue", () => {
  it("lists the families whose routes lead through a TFLite delegate, and the names of its library", () => {
    const routes = families.flatMap(({ id, routes }) => routes.map((route) => ({ id, route })));
    const tflite = routes.filter(({ id, route }) => route.delegate.id === "tflite" && id !== "cpu");
    expect(new Set(delegate.devices)).toEqual(new Set(["cpu", ...tflite.map(({ id }) => id)]));
    for (const [id, { libraries, paths = [] }] of Object.entries(delegatedFamilies)) {
      const own = tflite.filter((one) => one.id === id).map(({ route }) => route.delegate);
      const names = own.flatMap((one) => one.libraries ?? []);
      const places = routes.filter((one) => one.id === id).flatMap(({ route }) => route.runtime.paths ?? []);
      expect(names).toEqual(expect.arrayContaining([...libraries]));
      if (id !== "verisilicon") expect(places).toEqual(expect.arrayContaining([...paths]));
    }
  });

  it.skipIf(!hasShared)(`says what a device does not take, as far as the file tells${unlessShared}`, () => {
    const of = (path: string, device: string): string | undefined =>
      delegate.supports(readModel(sharedPath(`models/${path}`)), device);
    expect(of("tflite/hello_world_int8.tflite", "cpu")).toBeUndefined();
    expect(of("tflite/hello_world_int8.tflite", "rockchip")).toBeUndefined();
    expect(of("tflite/hello_world_int8.tflite", "coral")).toMatch(/edgetpu_compiler/);
    expect(of("tflite-edgetpu/split_concat_edgetpu.tflite", "cpu")).toMatch(/Edge TPU/);
    expect(of("tflite-edgetpu/split_concat_edgetpu.tflite", "coral:1")).toBeUndefined();
    expect(of("tflite-vela/qat_pruning_model_vela.tflite", "rockchip")).toMatch(/Ethos-U/);
  });
});

const found = delegate.find({});
describe.skipIf(found.state !== "read" || found.value.embedded !== true)(
  "TFLite (skipped: tfjs-tflite-node has no library for this machine)",
  () => {
    it("adds, by name, type, shape and the library's version", async () => {
      const session = await delegate.open(write("small.tflite", smallTflite()), cpu);
      expect(session.inputs).toEqual([{ name: "x", type: "float32", shape: [1, 3] }]);
      expect(session.outputs).toEqual([{ name: "y", type: "float32", shape: [1, 3] }]);
      expect(session.version).toBe("2.9.0");
      expect(session.placement).toMatchObject({ device: "cpu", nodes: { all: 1, taken: 1 } });
      expect(session.placement.says).toMatch(/XNNPACK took 1 of 1 nodes/);
      const { outputs } = await session.run(new Map([["x", float(1, 2, 3)]]));
      expect(outputs.get("y")).toEqual(float(2, 4, 6));
      await session.close();
    });

    it("answers runs at once each with its own, quick ones and others, and leaves inputs to the caller", async () => {
      const session = await delegate.open(write("at-once.tflite", smallTflite()), cpu);
      for (let round = 0; round < 50; round++) {
        const given = [1, 2, 3, 4, 5, 6].map((value) => float(value, round, -value));
        const all = await Promise.all(given.map((x) => session.run(new Map([["x", x]]))));
        expect(all.map(({ outputs }) => numbers(outputs.get("y")))).toEqual(
          [1, 2, 3, 4, 5, 6].map((value) => [2 * value, 2 * round, -2 * value]),
        );
        expect(given[0]).toEqual(float(1, round, -1));
      }
      await session.close();
    });

    it("hands out memory that it was lent", async () => {
      const lent: ArrayBuffer[] = [];
      const allocate = (bytes: number): ArrayBuffer => {
        const buffer = new ArrayBuffer(bytes);
        lent.push(buffer);
        return buffer;
      };
      const session = await delegate.open(write("lent.tflite", smallTflite()), { ...cpu, lending: { allocate } });
      for (const x of [1, 2, 3]) {
        const { outputs } = await session.run(new Map([["x", float(x, 0, 0)]]));
        expect(numbers(outputs.get("y"))).toEqual([2 * x, 0, 0]);
        expect(bytesOf(outputs.get("y")).buffer).toBe(lent[0]);
      }
      expect(lent.length).toBe(1);
      await session.close();
    });

    it("takes any size where the file leaves one open, back and forth, and no other where not", async () => {
      const open = tfliteOf({
        tensors: ["x", "y"].map((name) => ({ name, shape: [1, 3], signature: [-1, 3] })),
        nodes: [{ op: "ADD", inputs: ["x", "x"], outputs: ["y"] }],
        inputs: ["x"],
        outputs: ["y"],
      });
      const session = await delegate.open(write("open.tflite", open), cpu);
      expect([session.inputs[0]?.shape, session.outputs[0]?.shape]).toEqual([
        [null, 3],
        [null, 3],
      ]);
      for (const rows of [1, 4, 2, 1, 100]) {
        const data = Float32Array.from({ length: rows * 3 }, (_, at) => at);
        const { outputs } = await session.run(new Map([["x", { type: "float32", shape: [rows, 3], data } as const]]));
        expect(outputs.get("y")).toEqual({ type: "float32", shape: [rows, 3], data: data.map((value) => 2 * value) });
      }
      const wide = { type: "float32", shape: [1, 4], data: new Float32Array(4) } as const;
      await typed(session.run(new Map([["x", wide]])), CannotError, /has the shape \[\?, 3\], and \[1, 4\] is given/);
      await session.close();
    });

    it("gives outputs whose size follows from values, run after run", async () => {
      const where = tfliteOf({
        tensors: [
          { name: "x", type: "bool", shape: [4] },
          { name: "y", type: "int64", shape: [4, 1], signature: [-1, 1] },
        ],
        nodes: [{ op: "WHERE", inputs: ["x"], outputs: ["y"] }],
        inputs: ["x"],
        outputs: ["y"],
      });
      const session = await delegate.open(write("where.tflite", where), cpu);
      for (const bits of [
        [1, 0, 0, 1],
        [0, 0, 0, 0],
        [1, 1, 1, 1],
        [0, 0, 1, 0],
      ]) {
        const x: Value = { type: "bool", shape: [4], data: Uint8Array.from(bits) };
        const { outputs } = await session.run(new Map([["x", x]]));
        const expected = bits.flatMap((bit, at) => (bit === 1 ? [BigInt(at)] : []));
        expect(outputs.get("y")).toEqual({
          type: "int64",
          shape: [expected.length, 1],
          data: BigInt64Array.from(expected),
        });
      }
      await session.close();
    });

    it("says what is wrong with inputs, each in one sentence, and goes on", async () => {
      const session = await delegate.open(write("again.tflite", smallTflite()), cpu);
      const wrong: [RegExp, Map<string, Value>][] = [
        [/input "x" is missing/, new Map<string, Value>()],
        [
          /no input "z"/,
          new Map([
            ["x", float(1, 2, 3)],
            ["z", float(1)],
          ]),
        ],
        [/has the shape \[1, 3\], and \[1, 2\] is given/, new Map([["x", float(1, 2)]])],
        [/needs 12 bytes, 8 are given/, new Map([["x", { ...float(1, 2), shape: [1, 3] }]])],
        [
          /is of float32, and int8 is given/,
          new Map([["x", { type: "int8", shape: [1, 3], data: new Int8Array(3) } as const]]),
        ],
      ];
      for (let round = 0; round < 2; round++) {
        for (const [says, inputs] of wrong) await typed(session.run(inputs), CannotError, says);
        for (let i = 0; i < 5; i++) {
          const { outputs } = await session.run(new Map([["x", float(1, 0, 0)]]));
          expect(numbers(outputs.get("y"))).toEqual([2, 0, 0]);
        }
      }
      await session.close();
    });

    it("calls a broken model broken, by its path and offset, before the library sees it", async () => {
      const bytes = smallTflite();
      for (const broken of [bytes.subarray(0, bytes.length - 60), Buffer.from("no model at all, but long enough")]) {
        const path = write("broken.tflite", broken);
        await typed(delegate.open(path, cpu), FileError, new RegExp(path));
      }
    });

    it("names the operator that it does not know, and the delegate that would", async () => {
      const { library } = found.state === "read" ? found.value : { library: "" };
      const custom = (op: string): string => {
        const tensors = ["x", "y"].map((name) => ({ name, shape: [1, 3] }));
        const nodes = [{ op, inputs: ["x"], outputs: ["y"] }];
        return write(`${op}.tflite`, tfliteOf({ tensors, nodes, inputs: ["x"], outputs: ["y"] }));
      };
      await typed(delegate.open(custom("its-own"), { ...cpu, library }), FileError, /unresolved custom op: its-own/);
      await typed(
        delegate.open(custom("edgetpu-custom-op"), cpu),
        CannotError,
        /only computed by the delegate of coral/,
      );
      await typed(
        delegate.open(custom("RELU_0_TO_1"), { ...cpu, library }),
        FileError,
        /TFLite: version 2\.9\.0 does not take it: .*152/,
      );
    });

    it.skipIf(findWasm().state !== "read")(
      "runs operators newer than itself by the wasm build, and says so (skipped: @litertjs/core is not installed)",
      async () => {
        const newer = tfliteOf({
          tensors: ["x", "y"].map((name) => ({ name, shape: [1, 3] })),
          nodes: [{ op: "RELU_0_TO_1", inputs: ["x"], outputs: ["y"] }],
          inputs: ["x"],
          outputs: ["y"],
        });
        const session = await delegate.open(write("newer.tflite", newer), cpu);
        expect(session.version).toContain("wasm");
        expect(session.placement.says).toMatch(/; the native library: TFLite: version 2\.9\.0 does not take it/);
        const { outputs } = await session.run(new Map([["x", float(-1, 0.5, 2)]]));
        expect(numbers(outputs.get("y"))).toEqual([0, 0.5, 1]);
        await session.close();
      },
    );

    it("refuses options that nobody would read, and devices without a delegate here", async () => {
      const path = write("options.tflite", smallTflite());
      await typed(delegate.open(path, { ...cpu, options: { cache: "on" } }), CannotError, /option "cache".*take none/);
      await typed(delegate.open(path, { device: "intel-npu" }), CannotError, /no delegate for intel-npu/);
      if (!existsSync("/usr/lib/teflon/libteflon.so"))
        await typed(delegate.open(path, { device: "rockchip" }), CannotError, /libteflon\.so, is not on this machine/);
    });

    it("measures each node of a run when asked", async () => {
      const path = write("spans.tflite", chainTflite(["ADD", "MUL", "EXP", "SUB"]));
      const session = await delegate.open(path, { ...cpu, profile: true });
      const { spans } = await session.run(new Map([["x", float(1, 2, 3)]]));
      expect(spans.map(({ name, by }) => [name, by])).toEqual([
        ["2 nodes", "TfLiteXNNPackDelegate"],
        ["EXP", "CPU"],
        ["1 node", "TfLiteXNNPackDelegate"],
      ]);
      expect(spans.every(({ ms }) => ms > 0 && ms < 1000)).toBe(true);
      expect((await session.run(new Map([["x", float(1, 2, 3)]]))).spans.length).toBe(3);
      await session.close();
    });

    describe.skipIf(!hasCompiler)(`an external delegate compiled here${unlessCompiler}`, () => {
      let plugin = "";
      beforeAll(() => (plugin = compileTestDelegate(folder)));
      const ops = ["ADD", "MUL", "EXP", "SUB", "ADD"] as const;
      const x = [0.5, 1, 1.5];
      const expected = x.map((one) => Math.exp(2 * one * one));
      const open = (options: TestDelegateOptions, more: { profile?: true } = {}): Promise<Session> =>
        delegate.open(write("chain.tflite", chainTflite(ops)), {
          ...cpu,
          plugin,
          options: { ...options },
          ...more,
        });

      it("takes part of a graph: nodes, parts, spans and results are told right", async () => {
        const session = await open({ take: "ADD,SUB" }, { profile: true });
        expect(session.placement).toMatchObject({
          device: "cpu",
          nodes: { all: 5, taken: 3 },
          partitions: [
            { by: "AccelctlTestDelegate", nodes: 1, operators: { ADD: 1 } },
            { by: "CPU", nodes: 2, operators: { MUL: 1, EXP: 1 } },
            { by: "AccelctlTestDelegate", nodes: 2, operators: { SUB: 1, ADD: 1 } },
          ],
        });
        expect(session.placement.says).toMatch(/applied libtflite-delegate\.so, which took 3 of 5 nodes in 2 parts/);
        const { outputs, spans } = await session.run(new Map([["x", float(...x)]]));
        numbers(outputs.get("y")).forEach((y, at) => expect(y).toBeCloseTo(expected[at] ?? NaN, 3));
        expect(spans.map(({ by }) => by)).toEqual(["AccelctlTestDelegate", "CPU", "CPU", "AccelctlTestDelegate"]);
        await session.close();
      });

      it("is what computes: its time is in the run", async () => {
        const session = await open({ take: "ADD", sleep_us: "20000", limit: "1" }, { profile: true });
        const { spans } = await session.run(new Map([["x", float(...x)]]));
        const own = spans.find(({ by }) => by === "AccelctlTestDelegate");
        expect(own?.ms).toBeGreaterThan(19);
        await session.close();
      });

      it.each<[string, TestDelegateOptions, RegExp]>([
        ["refuses to be made", { refuse: "no accelerator here" }, /makes no delegate: no accelerator here$/],
        ["cannot prepare", { prepare: "fails" }, /was not applied: accelctl test delegate: no such device$/],
        ["has a kernel that cannot prepare", { prepare: "kernel-fails" }, /was not applied: .*the kernel refuses/],
        ["takes nothing", { take: "NONE" }, /took none of the model's 5 nodes/],
      ])("that %s is an error in its words, and the next one works", async (_, options, says) => {
        await typed(open(options), CannotError, says);
        await (await open({})).close();
      });

      it("whose run fails is an error in its words, run after run", async () => {
        const session = await open({ misbehave: "fail" });
        for (let i = 0; i < 3; i++) {
          await typed(session.run(new Map([["x", float(...x)]])), CannotError, /the device went away \(7\)/);
        }
        await session.close();
      });

      it("whose output claims another size than it has is an error", async () => {
        const path = write("one.tflite", smallTflite());
        const session = await delegate.open(path, { ...cpu, plugin, options: { misbehave: "wrong-size" } });
        const says = /output "y" came with 1073741824 bytes; float32 \[1, 3\] has 12/;
        await typed(session.run(new Map([["x", float(1, 2, 3)]])), CannotError, says);
        // The runtime took the tensor's memory away.
        await typed(session.run(new Map([["x", float(1, 2, 3)]])), CannotError, /a tensor has no memory/);
        await session.close();
      });

      it("that is none, or has none of the functions, is an error by its name", async () => {
        const path = write("none.tflite", smallTflite());
        const other = compileTestDelegate(folder, ["-DWITHOUT_CREATE"]);
        const gone = join(folder, "libgone.so");
        await typed(delegate.open(path, { ...cpu, plugin: other }), CannotError, /lacks tflite_plugin_create_delegate/);
        await typed(delegate.open(path, { ...cpu, plugin: gone }), CannotError, /libgone\.so/);
      });
    });

    describe.skipIf(!hasShared)(`published models${unlessShared}`, () => {
      it.each([
        "tflite/mp_face_detection_short_range.tflite",
        "tflite/mp_hand_landmark_lite.tflite",
        "tflite/micro_speech_quantized.tflite",
        "tflite/dtln_noise_suppression.tflite",
        "tflite/oww_okay_nabu.tflite",
        "tflite-edgetpu/mobilenet_v1_0.25_128_quant.tflite",
        "tflite-edgetpu/mobilenet_v1_0.5_160_quant.tflite",
        "tflite-edgetpu/movenet_single_pose_lightning_ptq.tflite",
        "tflite-edgetpu/split_concat.tflite",
      ])("%s gives the same bits as the bare library", async (name) => {
        const path = sharedPath(`models/${name}`);
        const session = await delegate.open(path, cpu);
        const bare = openNative(path, 1, true);
        for (const seed of [1, 2]) {
          const { values } = await makeInputs(session.inputs, { files: new Map(), shapes: new Map(), seed });
          const { outputs } = await session.run(values);
          const theirs = bare?.run(session.inputs.map((port) => bytesOf(values.get(port.name))));
          expect(outputs.size).toBe(theirs?.length);
          [...outputs.values()].forEach((value, at) => {
            expect(Buffer.compare(bytesOf(value), theirs?.[at] ?? Buffer.alloc(0))).toBe(0);
          });
        }
        bare?.close();
        await session.close();
      });

      it("leaves what 2.9 is known to compute wrong to the wasm build, or refuses it", async () => {
        const path = sharedPath("models/tflite/rocket_fc_model_int8.tflite");
        const library = found.state === "read" ? found.value.library : "";
        await typed(delegate.open(path, { ...cpu, library }), FileError, /computes FULLY_CONNECTED.* wrong/);
        const session = await delegate.open(path, cpu);
        expect(session.version).toContain("wasm");
        const { values } = await makeInputs(session.inputs, { files: new Map(), shapes: new Map(), seed: 1 });
        const [output] = (await session.run(values)).outputs.values();
        expect(new Set(output?.data as Int8Array).size).toBeGreaterThan(3);
        await session.close();
      });

      it("takes a length the file leaves open where 1 makes no sense", async () => {
        const session = await delegate.open(sharedPath("models/tflite/oww_melspectrogram.tflite"), cpu);
        const shape = session.inputs[0]?.shape ?? [];
        expect(shape).toContain(null);
        const sizes = shape.map((size, axis): number => (typeof size === "number" || axis === 0 ? 1 : 16_000));
        const data = new Float32Array(sizes.reduce((all, size) => all * size, 1)).fill(0.25);
        const inputs = new Map([[session.inputs[0]?.name ?? "", { type: "float32", shape: sizes, data } as const]]);
        const [output] = (await session.run(inputs)).outputs.values();
        expect(output?.shape.reduce((all, size) => all * size, 1)).toBe(output?.data.length);
        expect(output?.data.length).toBeGreaterThan(1000);
        await session.close();
      });

      it.each([
        ["cat.bmp", "Egyptian cat"],
        ["bird.bmp", "chickadee"],
      ])("MobileNet sees what is on %s: %s", async (picture, label) => {
        const session = await delegate.open(sharedPath("models/tflite-edgetpu/mobilenet_v1_0.5_160_quant.tflite"), cpu);
        expect(session.outputs[0]?.quantization).toEqual({ scale: 0.00390625, zero: 0 });
        const labels = readFileSync(sharedPath("models/tflite-edgetpu/imagenet_labels.txt"), "utf8").split("\n");
        const data = pixels(readFileSync(sharedPath(`models/tflite-edgetpu/${picture}`)), 160, 160);
        const x = { type: "uint8", shape: [1, 160, 160, 3], data } as const;
        const [scores] = (await session.run(new Map([["input", x]]))).outputs.values();
        const all = Array.from(scores?.data as Uint8Array);
        expect(labels[all.indexOf(Math.max(...all))]).toBe(label);
        await session.close();
      });

      it("MoveNet finds the joints that its reference has", async () => {
        const at = (name: string): string => sharedPath(`models/tflite-edgetpu/${name}`);
        const session = await delegate.open(at("movenet_single_pose_lightning_ptq.tflite"), cpu);
        const data = pixels(readFileSync(at("squat.bmp")), 192, 192);
        const [port] = session.inputs;
        const x = { type: "uint8", shape: [1, 192, 192, 3], data } as const;
        const [joints] = (await session.run(new Map([[port?.name ?? "", x]]))).outputs.values();
        const found = Array.from(joints?.data as Float32Array); // y, x and score of each
        const lines = readFileSync(at("movenet_single_pose_lightning_ptq_reference.csv"), "utf8").trim().split("\n");
        expect(lines.length).toBe(18);
        for (const line of lines.slice(1)) {
          const [, , id = 0, score = 0, left = 0, top = 0] = line.split(",").map(Number);
          if (score < 0.3) continue;
          expect(Math.abs((found[3 * id] ?? NaN) - top)).toBeLessThan(0.03);
          expect(Math.abs((found[3 * id + 1] ?? NaN) - left)).toBeLessThan(0.03);
        }
        await session.close();
      });

      it("leaves the event loop free while it runs", async () => {
        const session = await delegate.open(sharedPath("models/tflite/mp_hand_landmark_lite.tflite"), cpu);
        const { values } = await makeInputs(session.inputs, { files: new Map(), shapes: new Map(), seed: 7 });
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
        expect(ticks).toBeGreaterThan(ran * 1.5);
      });

      it("lets timers fire between quick runs", async () => {
        const session = await delegate.open(sharedPath("models/tflite/hello_world_float.tflite"), cpu);
        const { values } = await makeInputs(session.inputs, { files: new Map(), shapes: new Map(), seed: 7 });
        let ticks = 0;
        const timer = setInterval(() => ticks++, 1);
        const start = performance.now();
        let ran = 0;
        // Until it ticked, however busy the machine is; a loop that is never let turn ends at the limit.
        while (ticks < 5 && performance.now() - start < 5000) {
          await session.run(values);
          ran++;
        }
        clearInterval(timer);
        await session.close();
        expect(ticks).toBe(5);
        expect(ran).toBeGreaterThan(5);
      });
    });
  },
);

/** RGB of an uncompressed 24-bit BMP, the nearest pixel of each. */
function pixels(bmp: Buffer, width: number, height: number): Uint8Array<ArrayBuffer> {
  const [start, wide, high] = [bmp.readUInt32LE(10), bmp.readInt32LE(18), bmp.readInt32LE(22)];
  const row = Math.ceil((wide * 3) / 4) * 4;
  return Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width)];
    const [left, top] = [Math.floor(((x + 0.5) * wide) / width), Math.floor(((y + 0.5) * high) / height)];
    return bmp[start + (high - 1 - top) * row + left * 3 + 2 - (at % 3)] ?? 0;
  });
}

async function typed(act: Promise<unknown>, kind: typeof CannotError | typeof FileError, says: RegExp): Promise<void> {
  const error: unknown = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(kind);
  expect((error as Error).message).toMatch(says);
  expect((error as Error).message).not.toContain("\n");
}
