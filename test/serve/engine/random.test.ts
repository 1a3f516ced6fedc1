/**
 * Requests at random: models that are batched and that are not, in this process and in others, with priorities, deadlines and callers
 * that go. Each request has one answer, its own, or one refusal, and the engine counts as many.
 */

import { expect, it, describe } from "vitest";
import onnxruntime from "../../../src/delegates/onnxruntime.ts";
import { Refusal } from "../../../src/serve/engine.ts";
import { mulberry32 } from "../../../src/session/inputs-made.ts";
import { engineOver, identityOnnx } from "../../support/served-models.ts";

const MODELS = ["alone", "batched", "delayed", "isolated"];

describe.skipIf(onnxruntime.find({}).state !== "read")("random requests (skipped: no ONNX Runtime here)", () => {
  it.each([1, 2, 3])("of seed %i are each answered once and rightly, or refused once", async (seed) => {
    const random = mulberry32(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const { engine, close } = await engineOver(
      {
        "alone.onnx": identityOnnx(3),
        "alone.accelctl.json": { max_batch: 0, queue_requests: 40 },
        "batched.onnx": identityOnnx(3),
        "batched.accelctl.json": { max_batch: 8, queue_requests: 30, weight: 2 },
        "delayed.onnx": identityOnnx(3),
        "delayed.accelctl.json": { max_batch: 16, max_delay_ms: 3, preferred_batch: [3, 16], timeout_ms: 40 },
        "isolated.onnx": identityOnnx(3),
        "isolated.accelctl.json": { isolate: true, instances: 2, max_batch: 4, queue_bytes: 2000 },
      },
      { parallel: { cpu: 2 } },
    );
    const outcomes = new Map<string, number>();
    const batches = new Set<number>();
    const one = async (id: number): Promise<void> => {
      const model = MODELS[pick(MODELS.length)] ?? "";
      const rows = 1 + pick(4);
      const data = Float32Array.from({ length: rows * 3 }, (_, at) => id + at / 100);
      const gone = new AbortController();
      const cancels = pick(5) === 0;
      if (cancels) setTimeout(() => gone.abort(), pick(6));
      let settled = 0;
      const asked = engine.infer({
        model,
        id: String(id),
        inputs: new Map([["x", { type: "float32", shape: [rows, 3], data }]]),
        ...(pick(2) === 0 ? { priority: pick(10) } : {}),
        ...(pick(4) === 0 ? { deadline: performance.now() + pick(8) } : {}),
        ...(cancels ? { signal: gone.signal } : {}),
      });
      const outcome = await asked.then(
        ({ outputs, batch }) => {
          settled++;
          expect(outputs.get("y")).toEqual({ type: "float32", shape: [rows, 3], data });
          batches.add(batch);
          return "ok";
        },
        (error: unknown) => {
          settled++;
          if (error instanceof Refusal) return error.kind;
          throw error;
        },
      );
      expect(settled).toBe(1);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    };
    const all: Promise<void>[] = [];
    for (let id = 0; id < 3000;) {
      for (let burst = pick(60); burst >= 0 && id < 3000; burst--) all.push(one(id++));
      await (pick(3) === 0 ? new Promise((done) => setTimeout(done, pick(4))) : new Promise(setImmediate));
    }
    await Promise.all(all);
    expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(3000);
    const counted = new Map<string, number>();
    for (const { requests, waiting, running } of engine.figures()) {
      expect([waiting, running]).toEqual([0, 0]);
      for (const [outcome, count] of Object.entries(requests)) {
        if (count > 0) counted.set(outcome, (counted.get(outcome) ?? 0) + count);
      }
    }
    expect(counted).toEqual(outcomes);
    // Something of each kind has happened, or this shows little.
    expect([...outcomes.keys()].sort()).toEqual(["busy", "cancelled", "deadline", "ok"]);
    expect(outcomes.get("ok")).toBeGreaterThan(300);
    expect(batches.size).toBeGreaterThan(3);
    await close();
  });
});
