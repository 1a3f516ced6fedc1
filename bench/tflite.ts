/**
 * TFLite on the CPU: the native library (2.9 with XNNPACK, bare) beside LiteRT's wasm build through openWasm(), round by round.
 * Promise: native is at least three times as fast on floats; quantised it has no XNNPACK, and is not.
 */

import { existsSync } from "node:fs";
import type { Session } from "../src/delegates/delegate.ts";
import { findWasm, openWasm } from "../src/delegates/tflite/wasm.ts";
import type { Elements } from "../src/delegates/value.ts";
import { makeInputs } from "../src/session/inputs.ts";
import { nativeTflite, openNative } from "../test/support/tflite-native.ts";
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

if (nativeTflite === undefined || findWasm().state !== "read") {
  process.stdout.write(
    "tfjs-tflite-node has no library for this machine, or @litertjs/core is not here: nothing was measured\n",
  );
} else {
  const rows: string[][] = [];
  for (const [name, path] of models) {
    if (!existsSync(path)) continue;
    rows.push(await measure(name, path, 1));
  }
  table(
    `TFLite on the CPU, one thread, median of ${ROUNDS} interleaved rounds`,
    ["model", "native ms", "wasm ms", "wasm / native"],
    rows,
  );
}

async function measure(name: string, path: string, threads: number): Promise<string[]> {
  const native = openNative(path, threads, true);
  if (native === undefined) throw new Error(`${path}: the native library refuses it`);
  const session: Session = await openWasm(path, { device: "cpu", threads });
  const { values } = await makeInputs(session.inputs, { files: new Map(), shapes: new Map(), seed: 1 });
  const bytes = session.inputs.map((port) => {
    const { buffer, byteOffset, byteLength } = values.get(port.name)?.data as Elements;
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  const rounds: [number[], number[]] = [[], []];
  /** Milliseconds of one run. */
  const during = async (ms: number, run: () => unknown): Promise<number> => {
    const start = performance.now();
    let runs = 0;
    for (; runs === 0 || performance.now() - start < ms; runs++) await run();
    return (performance.now() - start) / runs;
  };
  const runs = [() => native.run(bytes), () => session.run(values)] as const;
  await during(WARMUP_MS, runs[1]);
  for (let round = 0; round < ROUNDS; round++) {
    rounds[0].push(await during(ROUND_MS, runs[0]));
    rounds[1].push(await during(ROUND_MS, runs[1]));
  }
  await session.close();
  native.close();
  const [a, b] = [median(rounds[0]), median(rounds[1])];
  return [name, a.toFixed(2), b.toFixed(2), (b / a).toFixed(1)];
}
