/**
 * A session's run() beside the bare runtime's own loop on the same model in one process, round by round: ONNX Runtime through
 * onnxruntime-node. Promise: at most 20 µs over it on a tiny model, at most 1.03 times on one of a millisecond. "Loop waits": the longest time in a
 * round that a timer of a millisecond did not tick, median of the rounds; promise: below 5 ms.
 */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type * as bareRuntime from "onnxruntime-node";
import delegate from "../src/delegates/onnxruntime.ts";
import { open } from "../src/session/api.ts";
import { makeInputs } from "../src/session/inputs.ts";
import { matMulOnnx, smallOnnx } from "../test/support/onnx.ts";
import { median, table } from "./_table.ts";

const ROUNDS = 15;
const require = createRequire(resolve("package.json"));

if (delegate.find({ library: libraryOf() }).state !== "read") {
  process.stdout.write("onnxruntime-node has no library for this machine, so nothing was measured\n");
} else {
  const scratch = mkdtempSync(join(tmpdir(), "accelctl-bench-"));
  try {
    const small = join(scratch, "small.onnx");
    writeFileSync(small, smallOnnx());
    const medium = join(scratch, "medium.onnx");
    writeFileSync(medium, matMulOnnx(64, 768));
    const models: [string, string, Record<string, number[]>, number][] = [
      ["MatMul of 3 by 2", small, {}, 400],
      ["MatMul of 64x768", medium, {}, 30],
      ["MNIST", "../shared/models/onnx/mnist-8.onnx", {}, 200],
      ["text direction", "../shared/models/onnx/ch_ppocr_mobile_v2.0_cls_infer.onnx", { x: [1, 3, 48, 192] }, 30],
      ["text detection", "../shared/models/onnx/ch_PP-OCRv4_det_infer.onnx", { x: [1, 3, 320, 320] }, 3],
    ];
    const rows: string[][] = [];
    for (const [name, path, shapes, each] of models)
      if (existsSync(path)) rows.push(await measure(name, path, shapes, each));
    table(
      `session.run() beside onnxruntime-node, one thread, median of ${ROUNDS} interleaved rounds`,
      [
        "model",
        "onnxruntime-node µs",
        "ours µs",
        "over µs",
        "x",
        "open().run µs",
        "over µs",
        "loop waits ms",
        "of bare",
      ],
      rows,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function measure(name: string, path: string, shapes: Record<string, number[]>, each: number): Promise<string[]> {
  const session = await delegate.open(path, { device: "cpu", threads: 1, library: libraryOf() });
  const { values } = await makeInputs(session.inputs, {
    files: new Map(),
    shapes: new Map(Object.entries(shapes)),
    seed: 1,
  });
  // The library's own face: names checked, the kernel asked which device worked.
  const whole = await open(path, { device: "cpu", delegate: "onnxruntime", threads: 1 });
  const named = Object.fromEntries(values);
  const bare = require("onnxruntime-node") as typeof bareRuntime;
  const other = await bare.InferenceSession.create(path, { intraOpNumThreads: 1 });
  const feeds = Object.fromEntries(
    [...values].map(([port, { data, shape }]) => [port, new bare.Tensor("float32", data as Float32Array, shape)]),
  );
  const [ours, public_, theirs]: [number[], number[], number[]] = [[], [], []];
  const waits = new Map<number[], number[]>([ours, public_, theirs].map((side) => [side, []]));
  const time = async (into: number[], run: () => Promise<unknown>): Promise<void> => {
    let [turned, longest] = [performance.now(), 0];
    const turn = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - turned);
      turned = now;
    };
    const timer = setInterval(turn, 1);
    const start = performance.now();
    for (let i = 0; i < each; i++) await run();
    into.push(((performance.now() - start) * 1000) / each);
    turn();
    clearInterval(timer);
    waits.get(into)?.push(longest);
  };
  for (let round = 0; round < ROUNDS + 2; round++) {
    await time(ours, () => session.run(values));
    await time(public_, () => whole.run(named));
    await time(theirs, () => other.run(feeds));
  }
  await session.close();
  await whole.close();
  await other.release();
  const [a, b, c] = [median(ours.slice(2)), median(theirs.slice(2)), median(public_.slice(2))];
  const [held, heldBare] = [ours, theirs].map((side) => median((waits.get(side) ?? []).slice(2)).toFixed(1));
  const [over, times] = [(a - b).toFixed(1), (a / b).toFixed(3)];
  return [name, b.toFixed(1), a.toFixed(1), over, times, c.toFixed(1), (c - b).toFixed(1), held ?? "", heldBare ?? ""];
}

function libraryOf(): string {
  const folder = join(
    require.resolve("onnxruntime-node/package.json"),
    "../bin/napi-v6",
    process.platform,
    process.arch,
  );
  return join(folder, "libonnxruntime.so.1");
}
