/**
 * A model whose processes are killed once a second for a minute while eight callers ask. Promise: no wrong answer, and every request
 * answered or refused. The same for some seconds is a test (test/serve/engine/crashes.test.ts).
 */

import { readdirSync, readFileSync } from "node:fs";
import delegate from "../src/delegates/onnxruntime.ts";
import { Refusal, type InferRequest } from "../src/serve/engine.ts";
import { engineOver, identityOnnx } from "../test/support/served-models.ts";
import { median, table } from "./_table.ts";

const [SECONDS, EVERY_MS, CALLERS] = [60, 1000, 8];

if (delegate.find({}).state !== "read") {
  process.stdout.write("onnxruntime-node has no library for this machine, so nothing was measured\n");
} else {
  const rows: string[][] = [];
  for (const instances of [1, 2]) rows.push(await kill(instances));
  table(
    `${CALLERS} callers for ${SECONDS} s, every process of the model killed each ${EVERY_MS} ms`,
    ["processes", "kills", "restarts", "asked", "answered", "refused", "wrong", "lost", "median ms", "longest ms"],
    rows,
  );
}

async function kill(instances: number): Promise<string[]> {
  const { engine, close } = await engineOver({
    "m.onnx": identityOnnx(),
    "m.accelctl.json": { isolate: true, instances, max_batch: 4 },
  });
  let [asked, ok, refused, wrong, kills] = [0, 0, 0, 0, 0];
  const times: number[] = [];
  const killer = setInterval(() => {
    for (const pid of children()) {
      kills++;
      process.kill(pid, "SIGKILL");
    }
  }, EVERY_MS);
  const end = performance.now() + SECONDS * 1000;
  const caller = async (id: number): Promise<void> => {
    for (let at = 0; performance.now() < end; at++) {
      const data = Float32Array.from([id, at % 65536, -id, Math.floor(at / 65536)]);
      const start = performance.now();
      asked++;
      try {
        const request: InferRequest = {
          model: "m",
          id: "",
          inputs: new Map([["x", { type: "float32", shape: [1, 4], data }]]),
        };
        const y = (await engine.infer(request)).outputs.get("y")?.data;
        if (y instanceof Float32Array && Buffer.from(y.buffer, y.byteOffset, 16).equals(Buffer.from(data.buffer))) ok++;
        else wrong++;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refused++;
      }
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, id) => caller(id)));
  clearInterval(killer);
  const restarts = engine.figures()[0]?.restarts ?? 0;
  await close();
  if (wrong > 0 || asked !== ok + refused) process.exitCode = 1;
  const longest = times.reduce((most, one) => Math.max(most, one), 0);
  const counts = [instances, kills, restarts, asked, ok, refused, wrong, asked - ok - refused - wrong];
  return [...counts.map(String), median(times).toFixed(2), longest.toFixed(0)];
}

/** Processes that this one has started and that are alive. */
function children(): number[] {
  return readdirSync(`/proc/${process.pid}/task`).flatMap((task) => {
    try {
      const all = readFileSync(`/proc/${process.pid}/task/${task}/children`, "latin1");
      return all.trim().split(" ").filter(Boolean).map(Number);
    } catch {
      return []; // the thread has just ended
    }
  });
}
