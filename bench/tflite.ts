/**
 * TFLite on the CPU, round by round: the native library (2.9 with XNNPACK, bare) beside LiteRT's wasm build through openWasm(), beside
 * LiteRT's native library through the delegate (`npm run runtimes litert`), and beside a session of the delegate. Promises: native is at
 * least three times as fast as wasm (quantised only LiteRT, whose XNNPACK takes that); a session's run() takes at most 20 µs more than the bare library's own loop on a tiny model, at most 1.03 times on one of a millisecond.
 */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Session } from "../src/delegates/delegate.ts";
import delegate from "../src/delegates/tflite.ts";
import { findWasm, openWasm } from "../src/delegates/tflite/wasm.ts";
import type { Elements } from "../src/delegates/value.ts";
import { makeInputs } from "../src/session/inputs.ts";
import { runtime } from "../test/support/runtimes.ts";
import { nativeTflite, openNative } from "../test/support/tflite-native.ts";
import { smallTflite } from "../test/support/tflite.ts";
import { median, table } from "./_table.ts";

const ROUNDS = 21;
/** V8 compiles hot functions anew in the first hundred runs or so. */
const WARMUP_MS = 2000;
/** Of each engine in a round. */
const ROUND_MS = 40;

const models: [name: string, path: string][] = [
  ["face detection, float", "../shared/models/tflite/mp_face_detection_short_range.tflite"],
  ["hand landmarks, float", "../shared/models/tflite/mp_hand_landmark_lite.tflite"],
  ["wake word, float", "../shared/models/tflite/oww_okay_nabu.tflite"],
  ["MobileNet 0.5 160, uint8", "../shared/models/tflite-edgetpu/mobilenet_v1_0.5_160_quant.tflite"],
];

const fetched = runtime("litert");
const litert = fetched === undefined ? undefined : join(fetched, "ai_edge_litert/libLiteRt.so");

if (nativeTflite === undefined) {
  process.stdout.write("tfjs-tflite-node has no library for this machine: nothing was measured\n");
} else {
  const scratch = mkdtempSync(join(tmpdir(), "accelctl-bench-"));
  try {
    const small = join(scratch, "small.tflite");
    writeFileSync(small, smallTflite());
    const rows: string[][] = [];
    for (const [name, path] of [["ADD of 3 floats", small] as const, ...models]) {
      if (existsSync(path)) rows.push(await measureSession(name, path));
    }
    table(
      `session.run() beside the bare library's loop, one thread, median of ${ROUNDS} interleaved rounds`,
      ["model", "ours µs", "bare µs", "over µs", "x"],
      rows,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  if (litert === undefined) process.stdout.write("npm run runtimes litert: LiteRT's native library was not measured\n");
  if (findWasm().state !== "read") process.stdout.write("@litertjs/core is not here: wasm was not measured\n");
  else {
    const rows: string[][] = [];
    for (const [name, path] of models) {
      if (!existsSync(path)) continue;
      rows.push(await measure(name, path, 1));
    }
    table(
      `TFLite on the CPU, one thread, median of ${ROUNDS} interleaved rounds`,
      ["model", "2.9 ms", "LiteRT ms", "wasm ms", "wasm / 2.9", "wasm / LiteRT"],
      rows,
    );
  }
}

async function measureSession(name: string, path: string): Promise<string[]> {
  const native = openNative(path, 1, true);
  if (native === undefined) throw new Error(`${path}: the native library refuses it`);
  const session = await delegate.open(path, { device: "cpu", threads: 1 });
  const { values } = await makeInputs(session.inputs, { files: new Map(), shapes: new Map(), seed: 1 });
  const bytes = session.inputs.map((port) => bytesOf(values.get(port.name)?.data as Elements));
  const rounds: [number[], number[]] = [[], []];
  await during(WARMUP_MS / 4, () => session.run(values));
  for (let round = 0; round < ROUNDS; round++) {
    rounds[0].push(await during(ROUND_MS, () => session.run(values)));
    rounds[1].push(await during(ROUND_MS, () => native.run(bytes)));
  }
  await session.close();
  native.close();
  const [ours, bare] = [median(rounds[0]) * 1000, median(rounds[1]) * 1000];
  return [name, ours.toFixed(1), bare.toFixed(1), (ours - bare).toFixed(1), (ours / bare).toFixed(3)];
}

function bytesOf({ buffer, byteOffset, byteLength }: Elements): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Milliseconds of one run. */
async function during(ms: number, run: () => unknown): Promise<number> {
  const start = performance.now();
  let runs = 0;
  for (; runs === 0 || performance.now() - start < ms; runs++) await run();
  return (performance.now() - start) / runs;
}

async function measure(name: string, path: string, threads: number): Promise<string[]> {
  const native = openNative(path, threads, true);
  if (native === undefined) throw new Error(`${path}: the native library refuses it`);
  const wasm: Session = await openWasm(path, { device: "cpu", threads });
  const newer =
    litert === undefined ? undefined : await delegate.open(path, { device: "cpu", threads, library: litert });
  const { values } = await makeInputs(wasm.inputs, { files: new Map(), shapes: new Map(), seed: 1 });
  const bytes = wasm.inputs.map((port) => bytesOf(values.get(port.name)?.data as Elements));
  const runs = [
    () => native.run(bytes),
    () => wasm.run(values),
    ...(newer === undefined ? [] : [() => newer.run(values)]),
  ];
  const rounds = runs.map((): number[] => []);
  for (const run of runs.slice(1)) await during(WARMUP_MS, run);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, run] of runs.entries()) rounds[at]?.push(await during(ROUND_MS, run));
  }
  await wasm.close();
  await newer?.close();
  native.close();
  const [a = NaN, b = NaN, c] = rounds.map(median);
  const ratio = c === undefined ? "" : (b / c).toFixed(1);
  return [name, a.toFixed(2), c?.toFixed(2) ?? "", b.toFixed(2), (b / a).toFixed(1), ratio];
}
