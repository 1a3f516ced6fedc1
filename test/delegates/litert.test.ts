/** LiteRT by its C API: what TFLite computes, newer operators, and its own refusals, each in a sentence. */

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CannotError, FileError } from "../../src/base/errors.ts";
import type { OpenOptions, Session } from "../../src/delegates/delegate.ts";
import delegate from "../../src/delegates/tflite.ts";
import { findLitert } from "../../src/delegates/tflite/find.ts";
import { findWasm, openWasm } from "../../src/delegates/tflite/wasm.ts";
import type { Elements, Value } from "../../src/delegates/value.ts";
import { makeInputs } from "../../src/session/inputs.ts";
import { openSession } from "../../src/session/open.ts";
import { compileLibrary, hasCompiler, unlessCompiler } from "../support/compile.ts";
import { runtime, unlessRuntime } from "../support/runtimes.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";
import { nativeTflite, openNative, unlessNative } from "../support/tflite-native.ts";
import { chainTflite, smallTflite, tfliteOf } from "../support/tflite.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-litert-test-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const library = join(runtime("litert") ?? "", "ai_edge_litert/libLiteRt.so");
const cpu: OpenOptions = { device: "cpu", threads: 1, library };
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
const valuesFor = async (session: Session, seed: number): Promise<ReadonlyMap<string, Value>> =>
  (await makeInputs(session.inputs, { files: new Map(), shapes: new Map(), seed })).values;
const oneOp = (op: string): Uint8Array =>
  tfliteOf({
    tensors: ["x", "y"].map((name) => ({ name, shape: [1, 3] })),
    nodes: [{ op, inputs: ["x"], outputs: ["y"] }],
    inputs: ["x"],
    outputs: ["y"],
  });

describe("where LiteRT is", () => {
  it("is found in a Python environment, with the version of its package", () => {
    const packages = join(folder, "venv/lib/python3.11/site-packages");
    mkdirSync(join(packages, "ai_edge_litert"), { recursive: true });
    mkdirSync(join(packages, "ai_edge_litert-9.8.7.dist-info"));
    const there = join(packages, "ai_edge_litert/libLiteRt.so");
    writeFileSync(there, "");
    const before = process.env["VIRTUAL_ENV"];
    process.env["VIRTUAL_ENV"] = join(folder, "venv");
    try {
      expect(findLitert()).toBe(there);
    } finally {
      if (before === undefined) delete process.env["VIRTUAL_ENV"];
      else process.env["VIRTUAL_ENV"] = before;
    }
    expect(findLitert([join(folder, "venv")])).toBe(there);
    const found = delegate.find({ library: there });
    expect(found.state === "read" ? found.value : found).toEqual({ library: there, version: "LiteRT 9.8.7" });
  });

  it.skipIf(!hasCompiler)(
    `is told from TFLite by its functions, and from a LiteRT too old${unlessCompiler}`,
    async () => {
      const path = write("old.tflite", smallTflite());
      const source = write(
        "old-litert.c",
        "int LiteRtDestroyEnvironment(void);\nint LiteRtDestroyEnvironment(void) { return 0; }\n",
      );
      const old = compileLibrary(pathToFileURL(source).href, folder);
      await typed(delegate.open(path, { ...cpu, library: old }), CannotError, /lacks LiteRt\w+: .*as of 2\.1\.6/);
    },
  );
});

describe.skipIf(runtime("litert") === undefined)(`LiteRT${unlessRuntime("litert")}`, () => {
  it("adds, by name, type, shape, and says who computed it by which version", async () => {
    const session = await delegate.open(write("small.tflite", smallTflite()), cpu);
    expect(session.inputs).toEqual([{ name: "x", type: "float32", shape: [1, 3] }]);
    expect(session.outputs).toEqual([{ name: "y", type: "float32", shape: [1, 3] }]);
    expect(session.version).toBe("LiteRT 2.3.0");
    expect(session.placement).toEqual({
      device: "cpu",
      says: "LiteRT 2.3.0 (libLiteRt.so) runs its 1 node on the CPU; XNNPACK took all of them",
      nodes: { all: 1, taken: 1 },
    });
    const { outputs } = await session.run(new Map([["x", float(1, 2, 3)]]));
    expect(outputs.get("y")).toEqual(float(2, 4, 6));
    await session.close();
    await session.close();
    await typed(session.run(new Map([["x", float(1, 2, 3)]])), CannotError, /the session is closed/);
  });

  it("says what it sees: the CPU, and what it says where no NPU is", async () => {
    const seen = await delegate.probe?.({ library });
    expect(seen).toContainEqual(expect.objectContaining({ id: "CpuAccelerator", name: "LiteRT 2.3.0", device: "cpu" }));
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

  it("computes into memory that it was lent, whatever way that lies", async () => {
    const lent: ArrayBuffer[] = [];
    const allocate = (bytes: number): ArrayBuffer => {
      const buffer = new ArrayBuffer(bytes);
      lent.push(buffer);
      return buffer;
    };
    const session = await delegate.open(write("lent.tflite", smallTflite()), { ...cpu, lending: { allocate } });
    // Where a page begins, and 4 bytes after: LiteRT takes the one as it is.
    const memory = new ArrayBuffer(1 << 20);
    for (let at = 0; at < 200; at++) {
      const data = new Float32Array(memory, 4 * at, 3);
      data.set([at, 1, 2]);
      const x: Value = { type: "float32", shape: [1, 3], data };
      const { outputs } = await session.run(new Map([["x", x]]));
      expect(numbers(outputs.get("y"))).toEqual([2 * at, 2, 4]);
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
    const none = { type: "float32", shape: [0, 3], data: new Float32Array(0) } as const;
    await typed(session.run(new Map([["x", none]])), CannotError, /cannot have the shape \[0, 3\]/);
    const { outputs } = await session.run(new Map([["x", float(1, 2, 3)]]));
    expect(outputs.get("y")).toEqual(float(2, 4, 6));
    await session.close();
  });

  it("says that it cannot hand out outputs whose size follows from values", async () => {
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
    const x: Value = { type: "bool", shape: [4], data: Uint8Array.of(1, 0, 0, 1) };
    for (let i = 0; i < 2; i++) {
      await typed(session.run(new Map([["x", x]])), CannotError, /an output's size follows from the values that go in/);
    }
    await session.close();
  });

  it("runs operators newer than TFLite 2.9, and names those it does not know either", async () => {
    const session = await delegate.open(write("newer.tflite", oneOp("RELU_0_TO_1")), cpu);
    const { outputs } = await session.run(new Map([["x", float(-1, 0.5, 2)]]));
    expect(numbers(outputs.get("y"))).toEqual([0, 0.5, 1]);
    await session.close();
    const own = write("own.tflite", oneOp("its-own"));
    await typed(delegate.open(own, cpu), FileError, /LiteRT: it cannot be prepared: .*unresolved custom op: its-own/);
  });

  it("calls a broken model broken, by its path, before the library sees it", async () => {
    const bytes = smallTflite();
    for (const broken of [bytes.subarray(0, bytes.length - 60), Buffer.from("no model at all, but long enough")]) {
      const path = write("broken.tflite", broken);
      await typed(delegate.open(path, cpu), FileError, new RegExp(path));
    }
  });

  it("says what is wrong with inputs, each in one sentence, and goes on", async () => {
    const session = await delegate.open(write("again.tflite", smallTflite()), cpu);
    const int8 = { type: "int8", shape: [1, 3], data: new Int8Array(3) } as const;
    const more = new Map([
      ["x", float(1, 2, 3)],
      ["z", float(1)],
    ]);
    await typed(session.run(new Map()), CannotError, /input "x" is missing/);
    await typed(session.run(more), CannotError, /no input "z"/);
    await typed(
      session.run(new Map([["x", float(1, 2)]])),
      CannotError,
      /has the shape \[1, 3\], and \[1, 2\] is given/,
    );
    await typed(session.run(new Map([["x", int8]])), CannotError, /is of float32, and int8 is given/);
    expect(numbers((await session.run(new Map([["x", float(1, 0, 0)]]))).outputs.get("y"))).toEqual([2, 0, 0]);
    await session.close();
  });

  it("refuses what it has not: an NPU without its library, TFLite's external delegates, options nobody reads", async () => {
    const path = write("refused.tflite", smallTflite());
    const npu = { ...cpu, device: "mediatek" };
    await typed(
      delegate.open(path, npu),
      CannotError,
      /for the NPU: kLiteRtStatusErrorCompilation; NPU accelerator could not/,
    );
    const nowhere = { ...npu, options: { DispatchLibraryDir: folder } };
    await typed(delegate.open(path, nowhere), CannotError, /for the NPU: kLiteRtStatusErrorCompilation/);
    await typed(
      delegate.open(path, { ...npu, options: { Accelerator: "tpu" } }),
      CannotError,
      /"tpu" is neither gpu nor npu/,
    );
    await typed(
      delegate.open(path, { ...npu, options: { Cache: "on" } }),
      CannotError,
      /option "Cache": LiteRT is given/,
    );
    await typed(delegate.open(path, { ...cpu, options: { Cache: "on" } }), CannotError, /option "Cache"/);
    await typed(
      delegate.open(path, { ...cpu, options: { kernel_mode: "fast" } }),
      CannotError,
      /"fast" is none of delegate/,
    );
    const plugin = join(folder, "libteflon.so");
    await typed(delegate.open(path, { ...npu, plugin }), CannotError, /no external delegates of TFLite/);
  });

  it("measures each node of a run when asked", async () => {
    const path = write("spans.tflite", chainTflite(["ADD", "MUL", "EXP", "SUB"]));
    const session = await delegate.open(path, { ...cpu, profile: true });
    for (let i = 0; i < 3; i++) {
      const { spans } = await session.run(new Map([["x", float(1, 2, 3)]]));
      expect(spans.length).toBe(4);
      expect(new Set(spans.map(({ by }) => by))).toEqual(new Set(["XNNPACK"]));
      expect(spans.every(({ ms }) => ms >= 0 && ms < 1000)).toBe(true);
    }
    await session.close();
  });

  it("ends runs that have begun when it is closed", async () => {
    const session = await delegate.open(write("closing.tflite", smallTflite()), cpu);
    const running = [1, 2, 3].map((value) => session.run(new Map([["x", float(value, 0, 0)]])));
    await session.close();
    expect((await Promise.all(running)).map(({ outputs }) => numbers(outputs.get("y"))[0])).toEqual([2, 4, 6]);
  });

  it("works in a process of its own when it is named, and its library never comes into this one", async () => {
    const elsewhere = join(folder, "elsewhere/ai_edge_litert");
    mkdirSync(elsewhere, { recursive: true });
    const own = join(elsewhere, "libLiteRt.so");
    copyFileSync(library, own);
    const path = write("isolated.tflite", smallTflite());
    const { session } = await openSession(path, { delegate: "tflite", library: own, device: "cpu" });
    expect(session.version).toBe("LiteRT 2.1.6 or newer");
    const { outputs } = await session.run(new Map([["x", float(1, 2, 3)]]));
    expect(numbers(outputs.get("y"))).toEqual([2, 4, 6]);
    expect(readFileSync("/proc/self/maps", "utf8")).not.toContain(own);
    await session.close();
  });

  describe.skipIf(!hasShared)(`published models${unlessShared}`, () => {
    it
      .skipIf(nativeTflite === undefined)
      .each([
        "tflite/mp_face_detection_short_range.tflite",
        "tflite/mp_hand_landmark_lite.tflite",
        "tflite/oww_okay_nabu.tflite",
        "tflite/hello_world_float.tflite",
      ])(`%s: what TFLite 2.9 computes, within rounding${unlessNative}`, async (name) => {
      for (const { ours, theirs } of await both(sharedPath(`models/${name}`))) {
        const [a, b] = [ours, theirs].map((bytes) => new Float32Array(Uint8Array.from(bytes).buffer));
        const scale = Math.max(1, ...(b ?? []).map(Math.abs));
        expect(a?.length).toBe(b?.length);
        a?.forEach((value, at) => expect(Math.abs(value - (b?.[at] ?? NaN)) / scale).toBeLessThan(1e-5));
      }
    });

    it
      .skipIf(nativeTflite === undefined)
      .each([
        "tflite/micro_speech_quantized.tflite",
        "tflite/hello_world_int8.tflite",
        "tflite-edgetpu/split_concat.tflite",
      ])(`%s: what TFLite 2.9 computes, one step of the scale off at most${unlessNative}`, async (name) => {
      for (const { ours, theirs } of await both(sharedPath(`models/${name}`))) {
        expect(ours.length).toBe(theirs.length);
        // Steps of bytes, whichever sign: the way around counts as one.
        ours.forEach((value, at) => expect((value - (theirs[at] ?? 128) + 1 + 256) % 256).toBeLessThanOrEqual(2));
      }
    });

    // XNNPACK rounds otherwise than TFLite's own kernels, which adds up over 30 layers: up to 11 of 256 on noise, in LiteRT's wasm too.
    describe.each([
      "tflite-edgetpu/mobilenet_v1_0.25_128_quant.tflite",
      "tflite-edgetpu/mobilenet_v1_0.5_160_quant.tflite",
    ])("%s", (name) => {
      it.skipIf(nativeTflite === undefined)(
        `by its builtin kernels to the bit what 2.9 computes${unlessNative}`,
        async () => {
          const pairs = await both(sharedPath(`models/${name}`), { ...cpu, options: { kernel_mode: "builtin" } });
          for (const { ours, theirs } of pairs) expect(Buffer.compare(ours, theirs)).toBe(0);
        },
      );

      it.skipIf(findWasm().state !== "read")(
        "by XNNPACK to the bit what LiteRT's wasm build computes (skipped: @litertjs/core is not installed)",
        async () => {
          const path = sharedPath(`models/${name}`);
          const [session, wasm] = [await delegate.open(path, cpu), await openWasm(path, cpu)];
          for (const seed of [1, 2]) {
            const values = await valuesFor(session, seed);
            const [ours] = (await session.run(values)).outputs.values();
            const [theirs] = (await wasm.run(values)).outputs.values();
            expect(Buffer.compare(bytesOf(ours), bytesOf(theirs))).toBe(0);
          }
          await session.close();
          await wasm.close();
        },
      );
    });

    it.skipIf(findWasm().state !== "read")(
      "computes what 2.9 computes wrong as the wasm build does (skipped: @litertjs/core is not installed)",
      async () => {
        const path = sharedPath("models/tflite/rocket_fc_model_int8.tflite");
        const [session, wasm] = [await delegate.open(path, cpu), await openWasm(path, cpu)];
        for (const seed of [1, 2, 3]) {
          const values = await valuesFor(wasm, seed);
          const [ours] = (await session.run(values)).outputs.values();
          const [theirs] = (await wasm.run(values)).outputs.values();
          const [a, b] = [ours?.data as Int8Array, theirs?.data as Int8Array];
          expect(new Set(a).size).toBeGreaterThan(3);
          a.forEach((value, at) => expect(Math.abs(value - (b[at] ?? NaN))).toBeLessThanOrEqual(1));
        }
        await session.close();
        await wasm.close();
      },
    );

    it("tells quantisation as TFLite does", async () => {
      const path = sharedPath("models/tflite-edgetpu/mobilenet_v1_0.5_160_quant.tflite");
      const session = await delegate.open(path, cpu);
      expect(session.inputs).toEqual([
        { name: "input", type: "uint8", shape: [1, 160, 160, 3], quantization: { scale: 0.0078125, zero: 128 } },
      ]);
      expect(session.outputs[0]?.quantization).toEqual({ scale: 0.00390625, zero: 0 });
      await session.close();
    });

    it("says in LiteRT's own words why it does not take a model", async () => {
      const path = sharedPath("models/tflite/trained_lstm.tflite");
      await typed(delegate.open(path, cpu), FileError, /LiteRT does not take it: Variable tensors not yet supported/);
    });

    it("takes a length the file leaves open where 1 makes no sense", async () => {
      const session = await delegate.open(sharedPath("models/tflite/oww_melspectrogram.tflite"), cpu);
      const name = session.inputs[0]?.name ?? "";
      const given = (length: number): ReadonlyMap<string, Value> =>
        new Map([[name, { type: "float32", shape: [1, length], data: new Float32Array(length).fill(0.25) }]]);
      await typed(session.run(given(1)), CannotError, /the model does not take inputs of \[1, 1\]: XNNPack/);
      const [output] = (await session.run(given(16_000))).outputs.values();
      expect(output?.shape).toEqual([1, 1, 97, 32]);
      expect(output?.data.length).toBe(97 * 32);
      await session.close();
    });

    it("leaves the event loop free while it runs", async () => {
      const session = await delegate.open(sharedPath("models/tflite/mp_hand_landmark_lite.tflite"), cpu);
      const values = await valuesFor(session, 7);
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
  });
});

/** Outputs of LiteRT and of the bare TFLite 2.9 on the same inputs, as bytes. */
async function both(path: string, options = cpu): Promise<{ ours: Uint8Array; theirs: Uint8Array }[]> {
  const session = await delegate.open(path, options);
  const bare = openNative(path, 1, true);
  const pairs: { ours: Uint8Array; theirs: Uint8Array }[] = [];
  for (const seed of [1, 2]) {
    const values = await valuesFor(session, seed);
    const { outputs } = await session.run(values);
    const theirs = bare?.run(session.inputs.map((port) => bytesOf(values.get(port.name)))) ?? [];
    expect(outputs.size).toBe(theirs.length);
    [...outputs.values()].forEach((value, at) =>
      pairs.push({ ours: bytesOf(value), theirs: theirs[at] ?? Buffer.alloc(0) }),
    );
  }
  bare?.close();
  await session.close();
  return pairs;
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
