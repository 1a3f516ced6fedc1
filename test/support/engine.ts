/** An engine that computes nothing: models whose answers, times and refusals are known, for tests of the doors. */

import type { Port } from "../../src/delegates/delegate.ts";
import type { Value } from "../../src/delegates/value.ts";
import {
  Refusal,
  type Engine,
  type InferAnswer,
  type InferRequest,
  type ModelFigures,
  type ModelState,
  type Spread,
} from "../../src/serve/engine.ts";

export interface FakeModel {
  readonly inputs?: readonly Port[];
  readonly outputs?: readonly Port[];
  readonly status?: ModelState["status"];
  readonly max_batch?: number;
  readonly version?: string;
  readonly infer?: (request: InferRequest) => Promise<ReadonlyMap<string, Value>> | ReadonlyMap<string, Value>;
  /** It writes: pieces of the text, and what comes with its end. */
  readonly write?: (request: InferRequest) => AsyncGenerator<string, Partial<InferAnswer>, undefined>;
}

export interface FakeEngine extends Engine {
  /** Every request, in order. */
  readonly seen: InferRequest[];
  /** Ids of those whose signal was aborted. */
  readonly gone: string[];
  states: Map<string, ModelState["status"]>;
  isReady: boolean;
}

export const port = (name: string, type: Port["type"], shape: Port["shape"]): Port => ({ name, type, shape });

/** What goes in comes out. */
export const identity: FakeModel = { infer: ({ inputs }) => inputs };

export function fakeEngine(models: Readonly<Record<string, FakeModel>>): FakeEngine {
  const seen: InferRequest[] = [];
  const gone: string[] = [];
  const states = new Map(Object.entries(models).map(([name, { status = "ready" }]) => [name, status]));
  let ok = 0;
  const state = (name: string): ModelState | undefined => {
    const model = Object.hasOwn(models, name) ? models[name] : undefined;
    const status = states.get(name);
    if (model === undefined || status === undefined) return undefined;
    return {
      name,
      version: model.version ?? "1",
      status,
      ...(status === "failed" ? { reason: "it does not open" } : {}),
      format: model.write === undefined ? "onnx" : "gguf",
      delegate: model.write === undefined ? "onnxruntime" : "ggml",
      device: "cpu",
      inputs: model.inputs ?? [port("x", "float32", ["n"])],
      outputs: model.outputs ?? [port("x", "float32", ["n"])],
      max_batch: model.max_batch ?? 0,
      streams: model.write !== undefined,
    };
  };
  const find = (request: InferRequest): FakeModel => {
    seen.push(request);
    request.signal?.addEventListener("abort", () => gone.push(request.id));
    const found = state(request.model);
    if (found === undefined || (request.version !== undefined && request.version !== found.version)) {
      throw new Refusal("not-found", `there is no model "${request.model}"`);
    }
    if (found.status !== "ready") throw new Refusal("not-ready", `the model "${request.model}" is ${found.status}`);
    return models[request.model] ?? {};
  };
  const answer = (request: InferRequest, outputs: ReadonlyMap<string, Value>): InferAnswer => {
    const missing = request.outputs?.find((name) => !outputs.has(name));
    if (missing !== undefined) throw new Refusal("invalid", `there is no output "${missing}"`);
    ok++;
    return {
      model: request.model,
      version: state(request.model)?.version ?? "1",
      outputs: new Map([...outputs].filter(([name]) => request.outputs?.includes(name) ?? true)),
      device: "cpu",
      delegate: "onnxruntime",
      queue_ms: 0,
      run_ms: 1,
      batch: 1,
    };
  };
  const stream = async function* (request: InferRequest): AsyncGenerator<string, InferAnswer, undefined> {
    const { write } = find(request);
    if (write === undefined) throw new Refusal("invalid", `the model "${request.model}" writes no text`);
    const { outputs = new Map(), ...rest } = yield* write(request);
    return { ...answer({ ...request, outputs: [...outputs.keys()] }, outputs), ...rest };
  };
  const known = (): ModelState[] => [...states.keys()].flatMap((name) => state(name) ?? []);
  const engine: FakeEngine = {
    seen,
    gone,
    states,
    isReady: true,
    models: known,
    model: (name, version) => {
      const found = state(name);
      return version === undefined || found?.version === version ? found : undefined;
    },
    async infer(request) {
      const { infer, write } = find(request);
      if (infer !== undefined) return answer(request, await infer(request));
      if (write === undefined) return answer(request, request.inputs);
      const pieces = stream(request);
      for (;;) {
        const step = await pieces.next();
        if (step.done === true) return step.value;
      }
    },
    stream,
    load(name) {
      if (!Object.hasOwn(models, name)) return Promise.reject(new Refusal("not-found", `there is no model "${name}"`));
      states.set(name, "ready");
      return Promise.resolve();
    },
    unload(name) {
      if (!Object.hasOwn(models, name)) return Promise.reject(new Refusal("not-found", `there is no model "${name}"`));
      states.set(name, "unloaded");
      return Promise.resolve();
    },
    repository: known,
    ready: () => engine.isReady,
    figures: () => known().map((model) => figuresOf(model, ok)),
    drain: () => Promise.resolve(),
  };
  return engine;
}

const spread = (count: number, sum: number): Spread => ({ bounds: [1], counts: [count], count, sum });

function figuresOf({ name, version }: ModelState, ok: number): ModelFigures {
  return {
    name,
    version,
    device: "cpu",
    requests: { ok, invalid: 1, "not-found": 0, "not-ready": 0, busy: 2, deadline: 0, cancelled: 0, failed: 0 },
    waiting: 0,
    running: 0,
    restarts: 0,
    batches: ok,
    batched: ok,
    queue_seconds: spread(ok, 0.5),
    run_seconds: spread(ok, 1.5),
  };
}
