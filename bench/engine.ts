/**
 * What the engine adds to a run, what a process of its own adds, and what batching gains, all without a protocol. Promises: at most
 * 20 µs over session.run() for a request that waits for none; a model of about a millisecond answers 1.5 times as many requests of
 * eight callers with batching as without.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import delegate from "../src/delegates/onnxruntime.ts";
import type { Value } from "../src/delegates/value.ts";
import type { Engine } from "../src/serve/engine.ts";
import { openSession } from "../src/session/open.ts";
import { bytes, int, message, packed } from "../test/support/protobuf.ts";
import { FLOAT, modelOf, node, valueInfo } from "../test/support/onnx.ts";
import { engineOver, identityOnnx } from "../test/support/served-models.ts";
import { median, table } from "./_table.ts";

const ROUNDS = 15;
const CALLERS = 8;
/** Of the model that takes about a millisecond: a row times so many matrices of so many numbers squared. */
const [SIZE, LAYERS] = [768, 10];

if (delegate.find({}).state !== "read") {
  process.stdout.write("onnxruntime-node has no library for this machine, so nothing was measured\n");
} else {
  const heavy = layersOnnx();
  const one = { max_batch: 0, threads: 1 };
  const { engine, folder, close } = await engineOver({
    "identity.onnx": identityOnnx(),
    "identity.accelctl.json": { threads: 1 },
    "alone.onnx": identityOnnx(),
    "alone.accelctl.json": one,
    "isolated.onnx": identityOnnx(),
    "isolated.accelctl.json": { ...one, isolate: true },
    "heavy.onnx": heavy,
    "heavy.accelctl.json": { threads: 1 },
    "heavy-alone.onnx": heavy,
    "heavy-alone.accelctl.json": one,
    "heavy-isolated.onnx": heavy,
    "heavy-isolated.accelctl.json": { threads: 1, isolate: true },
  });
  try {
    const path = join(folder.path, "direct.onnx");
    writeFileSync(path, identityOnnx());
    const { session } = await openSession(path, { threads: 1 });
    const small = values(4);
    await compare("one caller, a model that hands back what it is given", "µs a request", 2000, 1000, [
      ["session.run()", () => session.run(small)],
      ["engine", () => ask(engine, "alone", small)],
      ["engine, batching", () => ask(engine, "identity", small)],
      ["engine, process of its own", () => ask(engine, "isolated", small)],
    ]);
    await session.close();
    const row = values(SIZE);
    await compare(`${CALLERS} callers, a model of about a millisecond`, "requests a second", 100, 0, [
      ["engine", () => ask(engine, "heavy-alone", row)],
      ["engine, batching", () => ask(engine, "heavy", row)],
      ["engine, batching, process of its own", () => ask(engine, "heavy-isolated", row)],
    ]);
  } finally {
    await close();
  }
}

type Side = readonly [name: string, run: () => Promise<unknown>];

/** `unit`: 1000 for microseconds a request of one caller; 0 for requests a second of all. */
async function compare(title: string, head: string, runs: number, unit: number, sides: readonly Side[]): Promise<void> {
  const times: number[][] = sides.map(() => []);
  const callers = unit === 0 ? CALLERS : 1;
  for (let round = 0; round < ROUNDS + 1; round++) {
    for (const [at, [, run]] of sides.entries()) {
      const start = performance.now();
      const caller = async (): Promise<void> => {
        for (let i = 0; i < runs; i++) await run();
      };
      await Promise.all(Array.from({ length: callers }, caller));
      const ms = performance.now() - start;
      if (round > 0) times[at]?.push(unit === 0 ? (runs * callers * 1000) / ms : (ms * unit) / runs);
    }
  }
  const medians = times.map(median);
  const rows = sides.map(([name], at) => [
    name,
    (medians[at] ?? NaN).toFixed(1),
    `${((medians[at] ?? NaN) / (medians[0] ?? NaN)).toFixed(2)} x`,
  ]);
  table(`${title}, median of ${ROUNDS} rounds in turn`, ["", head, "of the first"], rows);
}

function values(size: number): ReadonlyMap<string, Value> {
  return new Map([["x", { type: "float32", shape: [1, size], data: new Float32Array(size).fill(1) }]]);
}
function ask(engine: Engine, model: string, inputs: ReadonlyMap<string, Value>): Promise<unknown> {
  return engine.infer({ model, inputs, id: "" });
}

/** y [batch, SIZE] = x times LAYERS matrices. */
function layersOnnx(): Uint8Array {
  const raw = new Uint8Array(Float32Array.from({ length: SIZE * SIZE }, (_, at) => (at % 7) / 4096).buffer);
  const names = Array.from({ length: LAYERS + 1 }, (_, at) => (at === 0 ? "x" : at === LAYERS ? "y" : `t${at}`));
  return modelOf(
    ...names.slice(1).map((name, at) => node("MatMul", [names[at] ?? "", `w${at}`], [name])),
    ...names
      .slice(1)
      .map((_, at) => message(5, packed(1, [SIZE, SIZE]), int(2, FLOAT), bytes(8, `w${at}`), bytes(9, raw))),
    valueInfo(11, "x", FLOAT, ["batch", SIZE]),
    valueInfo(12, "y", FLOAT, ["batch", SIZE]),
  );
}
