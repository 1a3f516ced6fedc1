/**
 * A run in a child process beside the same run in this one, round by round: what isolation costs. The model hands back what it is
 * given, so that all that is measured is the way there and back. "In shared memory": the caller writes its input there and reads the output there, as a
 * server would. Promise: at most 120 µs over in-process for tensors of 1 MB.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import delegate from "../src/delegates/onnxruntime.ts";
import type { Value } from "../src/delegates/value.ts";
import { isolate } from "../src/host/isolate.ts";
import { FLOAT, modelOf, node, valueInfo } from "../test/support/onnx.ts";
import { median, table } from "./_table.ts";

const ROUNDS = 25;
const RUNS = 40;

if (delegate.find({}).state !== "read") {
  process.stdout.write("onnxruntime-node has no library for this machine, so nothing was measured\n");
} else {
  const scratch = mkdtempSync(join(tmpdir(), "accelctl-bench-"));
  try {
    const rows: string[][] = [];
    for (const [name, elements] of [
      ["16 B", 4],
      ["1 MB", 250_000],
      ["16 MB", 4_000_000],
    ] as const) {
      const path = join(scratch, `identity-${elements}.onnx`);
      const shape = [1, elements];
      const io = [valueInfo(11, "x", FLOAT, shape), valueInfo(12, "y", FLOAT, shape)];
      writeFileSync(path, modelOf(node("Identity", ["x"], ["y"]), ...io));
      rows.push(await measure(name, path, { type: "float32", shape, data: new Float32Array(elements).fill(1) }));
    }
    table(
      `a run out of process beside one in process, median of ${ROUNDS} interleaved rounds of ${RUNS} runs`,
      ["in and out, each", "in process µs", "out of process µs", "over µs", "out, in shared memory µs", "over µs"],
      rows,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function measure(name: string, path: string, x: Value): Promise<string[]> {
  const inside = await delegate.open(path, { device: "cpu", threads: 1 });
  const outside = await isolate(delegate, path, { device: "cpu", threads: 1 });
  const shared = outside.allocate("x", x.shape);
  (shared.data as Float32Array).fill(1);
  const sides = [
    () => inside.run(new Map([["x", x]])),
    () => outside.run(new Map([["x", x]])),
    () => outside.run(new Map([["x", shared]]), { lent: true }),
  ];
  const times: number[][] = sides.map(() => []);
  for (let round = 0; round < ROUNDS + 2; round++) {
    for (const [at, run] of sides.entries()) {
      const start = performance.now();
      for (let i = 0; i < RUNS; i++) await run();
      times[at]?.push(((performance.now() - start) * 1000) / RUNS);
    }
  }
  await inside.close();
  await outside.close();
  const [a = NaN, b = NaN, c = NaN] = times.map((side) => median(side.slice(2)));
  return [name, a.toFixed(0), b.toFixed(0), (b - a).toFixed(0), c.toFixed(0), (c - a).toFixed(0)];
}
