/** LiteRT's wasm build: the same numbers as native TensorFlow Lite, newer operators than it, and nothing in the event loop's way. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AccelctlError, CannotError, FileError } from "../../src/base/errors.ts";
import type { Session } from "../../src/delegates/delegate.ts";
import { findWasm, openWasm } from "../../src/delegates/tflite/wasm.ts";
import { elementsOver, type Elements, type Value } from "../../src/delegates/value.ts";
import { readModel } from "../../src/inspect/describe.ts";
import { makeInputs } from "../../src/session/inputs.ts";
import { hasShared, sharedPath, top, unlessShared } from "../support/shared.ts";
import { nativeTflite, openNative, unlessNative } from "../support/tflite-native.ts";
import { chainTflite, smallTflite, tfliteOf } from "../support/tflite.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-wasm-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cpu = { device: "cpu" } as const;
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
const small = (): string => write("small.tflite", smallTflite());
const inputsOf = async (session: Session, seed = 1): Promise<ReadonlyMap<string, Value>> =>
  (await makeInputs(session.inputs, { files: new Map(), shapes: new Map(), seed })).values;

describe.skipIf(findWasm().state !== "read")("LiteRT's wasm build (skipped: @litertjs/core is not installed)", () => {
  it("adds, and says what goes in and out", async () => {
    const session = await openWasm(small(), cpu);
    expect(session.inputs).toEqual([{ name: "x", type: "float32", shape: [1, 3] }]);
    expect(session.outputs).toEqual([{ name: "y", type: "float32", shape: [1, 3] }]);
    expect(session.version).toMatch(/^\d+\.\d+\.\d+ \(wasm\)$/);
    expect(session.placement).toMatchObject({ device: "cpu" });
    const { outputs } = await session.run(new Map([["x", float(1, 2, 3)]]));
    expect(outputs.get("y")).toEqual(float(2, 4, 6));
    await session.close();
  });

  it("answers runs at once each with its own, and leaves the inputs to the caller", async () => {
    const session = await openWasm(small(), cpu);
    const given = [1, 2, 3, 4, 5, 6].map((value) => float(value, 0, -value));
    const all = await Promise.all(given.map((x) => session.run(new Map([["x", x]]))));
    expect(all.map(({ outputs }) => outputs.get("y"))).toEqual(
      [1, 2, 3, 4, 5, 6].map((value) => float(2 * value, 0, -2 * value)),
    );
    expect(given[0]).toEqual(float(1, 0, -1));
    await session.close();
  });

  it("computes the same with threads of its own", async () => {
    const path = write("chain.tflite", chainTflite(["ADD", "EXP", "MUL", "SUB"], 1000));
    const [one, two] = [await openWasm(path, cpu), await openWasm(path, { ...cpu, threads: 2 })];
    expect(two.placement.says).toContain("2 threads");
    const values = await inputsOf(one);
    const y = async (session: Session): Promise<number[]> =>
      Array.from((await session.run(values)).outputs.get("y")?.data as Float32Array);
    const [a, b] = [await y(one), await y(two)];
    // Relaxed SIMD multiplies and adds in one rounding.
    b.forEach((value, at) => expect(Math.abs(value - (a[at] ?? NaN))).toBeLessThan(1e-5));
    await Promise.all([one.close(), two.close()]);
  });

  it("says what is wrong with inputs, each in one sentence, and goes on", async () => {
    const session = await openWasm(small(), cpu);
    const wrong: [RegExp, [string, Value][]][] = [
      [/no input "z"/, [["z", float(1)]]],
      [/"x" is missing/, []],
      [/\[1, 3\] here, not \[1, 2\]/, [["x", float(1, 2)]]],
      [/is of float32, not int8/, [["x", { type: "int8", shape: [1, 3], data: new Int8Array(3) }]]],
      [/needs 12 bytes/, [["x", { type: "float32", shape: [1, 3], data: new Float32Array(2) }]]],
    ];
    for (const [says, inputs] of wrong) await typed(session.run(new Map(inputs)), CannotError, says);
    expect((await session.run(new Map([["x", float(1, 1, 1)]]))).outputs.get("y")).toEqual(float(2, 2, 2));
    await session.close();
  });

  it("calls broken files broken, and says what it does not take", async () => {
    await typed(openWasm(join(folder, "none.tflite"), cpu), CannotError, /none\.tflite: no such file/);
    const bytes = smallTflite();
    await typed(openWasm(write("cut.tflite", bytes.subarray(0, bytes.length - 60)), cpu), FileError, /cut\.tflite/);
    await typed(openWasm(write("text.tflite", "no model at all, but long enough"), cpu), FileError, /text\.tflite/);
    const custom = tfliteOf({
      tensors: [
        { name: "x", shape: [1] },
        { name: "y", shape: [1] },
      ],
      nodes: [{ op: "SomebodysOwn", inputs: ["x"], outputs: ["y"] }],
      inputs: ["x"],
      outputs: ["y"],
    });
    await typed(
      openWasm(write("custom.tflite", custom), cpu),
      CannotError,
      /custom\.tflite: .*does not take it: .*SomebodysOwn/,
    );
    await typed(openWasm(small(), { ...cpu, threads: 1000 }), CannotError, /64 at most/);
  });

  it("ends its thread when it is closed, and ends a run when it is closed a second time", async () => {
    const threads = (): number => readdirSync("/proc/self/task").length;
    // Those of tests before are still ending.
    await new Promise((done) => setTimeout(done, 500));
    const before = threads();
    const path = write(
      "long.tflite",
      chainTflite(
        Array.from({ length: 300 }, () => "EXP"),
        400_000,
      ),
    );
    const session = await openWasm(path, cpu);
    const [entry] = await inputsOf(session);
    const run = (): Promise<unknown> => session.run(new Map(entry === undefined ? [] : [entry]));
    expect(threads()).toBeGreaterThan(before);
    const running = Promise.allSettled(Array.from({ length: 50 }, run));
    const closing = session.close();
    await typed(run(), CannotError, /closed/);
    const start = performance.now();
    await session.close();
    await closing;
    expect(performance.now() - start).toBeLessThan(5000);
    expect((await running).at(-1)).toMatchObject({
      status: "rejected",
      reason: { message: "the session was closed while it ran" },
    });
    await expect.poll(threads).toBeLessThanOrEqual(before);
  });

  it("works out of a minified bundle, and keeps no process alive", { timeout: 60_000 }, async () => {
    const outfile = join(folder, "bundle.cjs");
    const { errors } = await build({
      stdin: {
        contents: `import { openWasm } from "./src/delegates/tflite/wasm.ts";
          openWasm(process.argv[2], { device: "cpu", threads: Number(process.argv[3]) }).then(async (session) => {
            const data = Float32Array.of(1, 2, 3);
            const { outputs } = await session.run(new Map([["x", { type: "float32", shape: [1, 3], data }]]));
            console.log(String(outputs.get("y").data));
          });`,
        resolveDir: top,
      },
      ...{ bundle: true, minify: true, platform: "node", format: "cjs", target: "node20.19", outfile },
      banner: { js: "const here = require('node:url').pathToFileURL(__filename).href;" },
      define: { "import.meta.url": "here" },
    });
    expect(errors).toEqual([]);
    symlinkSync(join(top, "node_modules"), join(folder, "node_modules"));
    for (const threads of ["1", "2"]) {
      const { stdout, stderr, status } = spawnSync(process.execPath, [outfile, small(), threads], {
        encoding: "utf8",
        timeout: 30_000,
      });
      expect([stdout, stderr, status]).toEqual(["2,4,6\n", "", 0]);
    }
  });

  describe.skipIf(nativeTflite === undefined)(`beside native TensorFlow Lite 2.9${unlessNative}`, () => {
    it("runs an operator that is newer than the native library", async () => {
      const model = tfliteOf({
        tensors: [
          { name: "x", shape: [1, 3] },
          { name: "y", shape: [1, 3] },
        ],
        nodes: [{ op: "RELU_0_TO_1", inputs: ["x"], outputs: ["y"] }],
        inputs: ["x"],
        outputs: ["y"],
      });
      const path = write("newer.tflite", model);
      expect(openNative(path)).toBeUndefined();
      const session = await openWasm(path, cpu);
      const { outputs } = await session.run(new Map([["x", float(-1, 0.5, 2)]]));
      expect(outputs.get("y")).toEqual(float(0, 0.5, 1));
      await session.close();
    });

    /** What LiteRT's wasm build refuses, in its own words. */
    const refused: Readonly<Record<string, RegExp>> = {
      "tflite/dtln_noise_suppression.tflite": /Variable tensors not yet supported/,
      "tflite/trained_lstm.tflite": /Variable tensors not yet supported/,
    };
    /** Quantised layers upon layers, where roundings add up: held against it on pictures. */
    const deep: readonly string[] = ["mobilenet_v1_0.25_128_quant", "mobilenet_v1_0.5_160_quant"];
    const movenet = "movenet_single_pose_lightning_ptq";
    /** 2.9 takes weights quantised per channel for unquantised ones, without a word: held against the sum itself. */
    const perChannel = "tflite/rocket_fc_model_int8.tflite";
    /** Sizes left open in every dimension: no shape of their own to run with, there or here. */
    const open: readonly string[] = ["tflite/oww_melspectrogram.tflite"];
    const models = ["tflite", "tflite-edgetpu"]
      .flatMap((kind) => (hasShared ? readdirSync(sharedPath(`models/${kind}`)).map((name) => `${kind}/${name}`) : []))
      .filter((name) => name.endsWith(".tflite") && !/edgetpu\.tflite$|model_invoking_error/.test(name));

    it.skipIf(!hasShared).each(Object.entries(refused))("says why it does not take %s", async (name, says) => {
      await typed(openWasm(sharedPath(`models/${name}`), cpu), CannotError, says);
    });

    it.skipIf(!hasShared)(`fails a run that LiteRT only prints the failure of${unlessShared}`, async () => {
      const session = await openWasm(sharedPath(`models/${open[0] ?? ""}`), cpu);
      await typed(session.run(await inputsOf(session)), CannotError, /LiteRT \(wasm\): .*Failed to allocate tensors/);
      await session.close();
    });

    const apart = [
      ...Object.keys(refused),
      ...open,
      perChannel,
      ...[...deep, movenet].map((name) => `tflite-edgetpu/${name}.tflite`),
    ];
    it.skipIf(!hasShared).each(models.filter((name) => !apart.includes(name)))(
      "%s gives what the native library gives, run after run",
      async (name) => {
        const path = sharedPath(`models/${name}`);
        const native = openNative(path);
        if (native === undefined) throw new Error("the native library refuses it");
        const session = await openWasm(path, cpu);
        for (const seed of [1, 2, 3]) {
          const values = await inputsOf(session, seed);
          const theirs = native.run(session.inputs.map((port) => bytesOf(values.get(port.name))));
          const { outputs } = await session.run(values);
          expect([...outputs.keys()]).toEqual(session.outputs.map((port) => port.name));
          [...outputs.values()].forEach((ours, at) => expectClose(ours, theirs[at]));
        }
        await session.close();
        native.close();
      },
    );

    const onPicture = async (name: string, picture: string): Promise<[ours: Elements, theirs: Uint8Array]> => {
      const path = sharedPath(`models/tflite-edgetpu/${name}.tflite`);
      const session = await openWasm(path, cpu);
      const [port] = session.inputs;
      const shape = port?.shape as readonly number[];
      const data = pixels(readFileSync(sharedPath(`models/tflite-edgetpu/${picture}`)), shape[2] ?? 0, shape[1] ?? 0);
      const { outputs } = await session.run(new Map([[port?.name ?? "", { type: "uint8", shape, data }]]));
      await session.close();
      const native = openNative(path);
      const [theirs = new Uint8Array(0)] = native?.run([data]) ?? [];
      native?.close();
      return [[...outputs.values()][0]?.data as Elements, theirs];
    };

    it
      .skipIf(!hasShared)
      .each(
        deep.flatMap((name) => ["cat", "bird", "grace_hopper"].map((picture): [string, string] => [name, picture])),
      )("%s sees in %s.bmp what the native library sees, each score within 8 of 255", async (name, picture) => {
      const [ours, theirs] = (await onPicture(name, `${picture}.bmp`)).map((scores) => Array.from(scores, Number)) as [
        number[],
        number[],
      ];
      expect(ours.indexOf(Math.max(...ours))).toBe(theirs.indexOf(Math.max(...theirs)));
      ours.forEach((score, at) => expect(Math.abs(score - (theirs[at] ?? NaN))).toBeLessThanOrEqual(8));
    });

    it.skipIf(!hasShared)(
      `finds a squatting person's joints within a twentieth of the picture of where it does${unlessShared}`,
      async () => {
        const [ours, bytes] = await onPicture(movenet, "squat.bmp");
        const theirs = new Float32Array(Uint8Array.from(bytes).buffer);
        expect(ours.length).toBe(17 * 3);
        theirs.forEach((value, at) => {
          const score = theirs[at - (at % 3) + 2] ?? 0;
          if (score > 0.4 && at % 3 < 2) expect(Math.abs(value - Number(ours[at]))).toBeLessThan(0.05);
        });
      },
    );

    it.skipIf(!hasShared)(
      `multiplies by weights quantised per channel, which 2.9 does not${unlessShared}`,
      async () => {
        const path = sharedPath(`models/${perChannel}`);
        const session = await openWasm(path, cpu);
        const values = await inputsOf(session);
        const x = bytesOf([...values.values()][0]);
        const y = [...(await session.run(values)).outputs.values()][0]?.data as Int8Array;
        await session.close();
        expect(new Set(openNative(path)?.run([x])[0])).toEqual(new Set([0x100 - 10])); // its zero point, whatever goes in
        const { tensors, nodes } = readModel(path).graphs[0] ?? { tensors: [], nodes: [] };
        const [input, weights, bias] =
          nodes.find(({ spelled }) => spelled === "FULLY_CONNECTED")?.inputs.map((at) => tensors[at]) ?? [];
        const output = session.outputs[0]?.quantization;
        const file = readFileSync(path);
        const [width, w, b] = [Number(weights?.shape?.[1]), weights?.data?.offset ?? 0, bias?.data?.offset ?? 0];
        const expected = weights?.quantization?.scale.map((scale, row) => {
          let sum = file.readInt32LE(b + row * 4);
          for (let i = 0; i < width; i++) {
            sum +=
              ((((x[i] ?? 0) << 24) >> 24) - (input?.quantization?.zeroPoint[0] ?? 0)) *
              file.readInt8(w + row * width + i);
          }
          const real = sum * scale * (input?.quantization?.scale[0] ?? NaN);
          return Math.min(127, Math.max(-128, Math.round(real / (output?.scale ?? NaN)) + (output?.zero ?? NaN)));
        });
        expect(y.length).toBe(10);
        y.forEach((value, at) => expect(Math.abs(value - (expected?.[at] ?? NaN))).toBeLessThanOrEqual(1));
      },
    );
  });

  it.skipIf(!hasShared)(`leaves the event loop free while it runs${unlessShared}`, async () => {
    const session = await openWasm(sharedPath("models/tflite/mp_hand_landmark_lite.tflite"), cpu);
    const values = await inputsOf(session);
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
    expect(ticks).toBeGreaterThan(ran * 2);
  });
});

it("finds the package without loading it", () => {
  const found = findWasm();
  if (found.state === "read") {
    expect(existsSync(found.value.library)).toBe(true);
    expect(found.value).toMatchObject({ embedded: true, version: expect.stringMatching(/^\d+\./) as string });
  } else expect(found.from).toContain("@litertjs/core");
});

const bytesOf = (value: Value | undefined): Uint8Array => {
  const { buffer, byteOffset, byteLength } = value?.data as Elements;
  return new Uint8Array(buffer, byteOffset, byteLength);
};

/** RGB of an uncompressed 24-bit BMP, the nearest pixel of each. */
function pixels(bmp: Buffer, width: number, height: number): Uint8Array<ArrayBuffer> {
  const [start, wide, high] = [bmp.readUInt32LE(10), bmp.readInt32LE(18), bmp.readInt32LE(22)];
  const row = Math.ceil((wide * 3) / 4) * 4;
  const rgb = new Uint8Array(width * height * 3);
  for (let at = 0; at < rgb.length; at++) {
    const [x, y] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width)];
    const pixel = start + (high - 1 - Math.floor((y * high) / height)) * row + Math.floor((x * wide) / width) * 3;
    rgb[at] = bmp[pixel + 2 - (at % 3)] ?? 0;
  }
  return rgb;
}

/** Floats within 1e-5 of the largest of the output, integers within 1: kernels of 2.9 round otherwise than those of today. */
function expectClose({ type, data }: Value, other: Uint8Array | undefined): void {
  const ours = Array.from(data as Elements, Number);
  const theirs = Array.from(elementsOver(type, Uint8Array.from(other ?? []).buffer) ?? [], Number);
  expect(theirs.length).toBe(ours.length);
  const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const worst = ours.reduce((most, value, at) => Math.max(most, Math.abs(value - (theirs[at] ?? NaN))), 0);
  expect(worst).toBeLessThanOrEqual(type === "float32" ? 1e-5 * largest : 1);
}

async function typed(act: Promise<unknown>, kind: typeof CannotError | typeof FileError, says: RegExp): Promise<void> {
  const error: unknown = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AccelctlError);
  expect(error).toBeInstanceOf(kind);
  expect((error as Error).message).toMatch(says);
  expect((error as Error).message).not.toContain("\n");
}
