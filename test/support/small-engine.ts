/** An engine without devices for tests of the doors: every model gives back what it is given, under the names of its outputs. */

import type { Port } from "../../src/delegates/delegate.ts";
import type { Value } from "../../src/delegates/value.ts";
import { Refusal, type Engine, type InferAnswer, type InferRequest, type ModelState } from "../../src/serve/engine.ts";

export interface SmallEngine extends Engine {
  /** What came, oldest first. */
  readonly asked: InferRequest[];
  /** Thrown by the next inferences. */
  refuse: Refusal | Error | undefined;
  /** Before each answer. */
  wait: Promise<unknown> | undefined;
  isReady: boolean;
  readonly loaded: string[];
}

const state = (name: string, inputs: readonly Port[], more: Partial<ModelState> = {}): ModelState => ({
  name,
  version: "1",
  status: "ready",
  format: "onnx",
  delegate: "onnxruntime",
  device: "cpu",
  inputs,
  outputs: inputs.map((port) => ({ ...port, name: `${port.name}_out` })),
  max_batch: 8,
  streams: false,
  ...more,
});

/** `models`: ports of the inputs by model's name; "pair", "echo" and one that is loading are there besides. */
export function smallEngine(models: Readonly<Record<string, readonly Port[]>> = {}): SmallEngine {
  const states = [
    state("echo", [{ name: "x", type: "float32", shape: ["batch", 4] }]),
    state("pair", [
      { name: "input0", type: "uint32", shape: [2, 2] },
      { name: "input1", type: "bool", shape: [3] },
    ]),
    state("slow one", [], { status: "loading" }),
    ...Object.entries(models).map(([name, inputs]) => state(name, inputs)),
  ];
  const find = (name: string, version = "1"): ModelState | undefined =>
    states.find((one) => one.name === name && one.version === version);
  const engine: SmallEngine = {
    asked: [],
    refuse: undefined,
    wait: undefined,
    isReady: true,
    loaded: [],
    models: () => states,
    model: find,
    async infer(request): Promise<InferAnswer> {
      engine.asked.push(request);
      const aborted = new Promise<void>((resolve) => request.signal?.addEventListener("abort", () => resolve()));
      await Promise.race([aborted, engine.wait]);
      if (engine.refuse !== undefined) throw engine.refuse;
      const { model, version } = request;
      if (find(model, version) === undefined) throw new Refusal("not-found", `there is no model "${model}"`);
      const outputs = new Map<string, Value>([...request.inputs].map(([name, value]) => [`${name}_out`, value]));
      return {
        model: request.model,
        version: "1",
        outputs,
        device: "cpu",
        delegate: "null",
        queue_ms: 0,
        run_ms: 0,
        batch: 1,
      };
    },

    async *stream() {
      await Promise.resolve();
      throw new Refusal("invalid", "it writes no text");
    },
    load: (name) => {
      if (find(name) === undefined) return Promise.reject(new Refusal("not-found", `there is no model "${name}"`));
      engine.loaded.push(name);
      return Promise.resolve();
    },
    unload: (name) => {
      engine.loaded.push(`-${name}`);
      return Promise.resolve();
    },
    repository: () => states,
    ready: () => engine.isReady,
    figures: () => [
      {
        name: "echo",
        version: "1",
        device: "cpu",
        requests: { ok: 3, invalid: 1, "not-found": 0, "not-ready": 0, busy: 0, deadline: 0, cancelled: 0, failed: 0 },
        waiting: 0,
        running: 0,
        restarts: 0,
        batches: 2,
        batched: 3,
        queue_seconds: { bounds: [], counts: [], count: 3, sum: 0.5 },
        run_seconds: { bounds: [], counts: [], count: 2, sum: 0.25 },
      },
    ],
    drain: () => Promise.resolve(),
  };
  return engine;
}
