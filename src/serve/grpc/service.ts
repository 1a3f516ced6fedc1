/** The methods of inference.GRPCInferenceService over an engine. inference.proto says what each is; infer.ts reads and writes tensors. */

import type { Port } from "../../delegates/delegate.ts";
import type { Value } from "../../delegates/value.ts";
import { version } from "../../version.ts";
import { Refusal, type Engine, type InferRequest, type ModelFigures, type ModelState } from "../engine.ts";
import { datatypeOf, openShape, quoted } from "../tensors.ts";
import { answered, readAsked, writeAnswer, type Asked, type AskedLimits, type Parameter } from "./infer.ts";

/** What is known of a call besides its message. */
export interface Context {
  readonly id: string;
  readonly signal: AbortSignal;
  /** performance.now() at which the client waits no more; undefined: it waits. */
  readonly deadline: number | undefined;
  note(fields: Readonly<Record<string, string | number>>): void;
}

/** Parameters of a request that are the protocol's, or Triton's and of no consequence; others are options of a language model. */
const known = new Set([
  "priority",
  "timeout",
  "sequence_id",
  "sequence_start",
  "sequence_end",
  "binary_data_output",
  "triton_enable_empty_final_response",
]);

/** Methods with a message each way, which the proto's loader reads and writes. */
export function methods(engine: Engine): Readonly<Record<string, (request: never) => unknown>> {
  return {
    ServerLive: () => ({ live: true }),
    ServerReady: () => ({ ready: engine.ready() }),
    ModelReady: ({ name, version }: Named) => ({ ready: engine.model(name, own(version))?.status === "ready" }),
    ServerMetadata: () => ({
      name: "accelctl",
      version,
      extensions: ["model_repository", "model_configuration", "schedule_policy", "parameters", "statistics"],
    }),
    ModelMetadata: (request: Named) => metadata(engine, opened(engine, request)),
    ModelConfig: (request: Named) => ({ config: configuration(opened(engine, request)) }),
    ModelStatistics: ({ name, version }: Named) => {
      if (name !== "") existing(engine, { name, version });
      return {
        model_stats: statistics(engine.figures()).filter(
          (row) => (name === "" || row.name === name) && (version === "" || row.version === version),
        ),
      };
    },
    RepositoryIndex: ({ ready }: { ready: boolean }) => ({
      models: engine
        .repository()
        .filter(({ status }) => !ready || status === "ready")
        .map(({ name, version, status, reason = "" }) => ({ name, version, state: states[status], reason })),
    }),
    RepositoryModelLoad: async ({ model_name, parameters }: Loading) => {
      const [parameter] = Object.keys(parameters);
      if (parameter !== undefined) {
        throw new Refusal(
          "invalid",
          `the parameter ${quoted(parameter)} is not taken: models are configured by their files`,
        );
      }
      await engine.load(model_name);
      return {};
    },
    RepositoryModelUnload: async ({ model_name }: Loading) => {
      await engine.unload(model_name);
      return {};
    },
  };
}

interface Named {
  readonly name: string;
  readonly version: string;
}

interface Loading {
  readonly model_name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Triton's words. */
const states: Readonly<Record<ModelState["status"], string>> = {
  ready: "READY",
  loading: "LOADING",
  unloading: "UNLOADING",
  failed: "UNAVAILABLE",
  unloaded: "UNAVAILABLE",
};

/** Proto3 has no absent texts. */
const own = (version: string): string | undefined => (version === "" ? undefined : version);

function existing(engine: Engine, { name, version }: Named): ModelState {
  const model = engine.model(name, own(version));
  if (model !== undefined) return model;
  throw new Refusal(
    "not-found",
    `there is no model ${quoted(name)}${version === "" ? "" : ` of version ${quoted(version)}`}`,
  );
}

/** A model of which is known what goes in and out. */
function opened(engine: Engine, named: Named): ModelState {
  const model = existing(engine, named);
  if (model.inputs.length > 0 || model.outputs.length > 0) return model;
  throw new Refusal("not-ready", `the model ${quoted(model.name)} is ${model.status}`);
}

/** <project>_<format>, as the protocol names platforms. */
const platform = ({ delegate, format }: ModelState): string => [delegate, format].filter(Boolean).join("_");

function metadata(engine: Engine, model: ModelState): unknown {
  const tensor = ({ name, type, shape }: Port): unknown => ({
    name,
    datatype: datatypeOf(type)?.name ?? type.toUpperCase(),
    shape: openShape(shape),
  });
  return {
    name: model.name,
    versions: engine
      .models()
      .filter(({ name }) => name === model.name)
      .map(({ version }) => version),
    platform: platform(model),
    inputs: model.inputs.map(tensor),
    outputs: model.outputs.map(tensor),
    properties: model.device === undefined ? {} : { device: model.device },
  };
}

function configuration(model: ModelState): unknown {
  // Where requests are put together, Triton leaves the first dimension out.
  const tensor = ({ name, type, shape }: Port): unknown => ({
    name,
    data_type: type === "string" ? "TYPE_STRING" : `TYPE_${datatypeOf(type)?.name ?? "INVALID"}`,
    dims: openShape(model.max_batch > 0 ? shape.slice(1) : shape),
  });
  return {
    name: model.name,
    platform: platform(model),
    backend: model.delegate ?? "",
    max_batch_size: model.max_batch,
    input: model.inputs.map(tensor),
    output: model.outputs.map(tensor),
    model_transaction_policy: { decoupled: model.streams },
  };
}

interface Statistics extends Named {
  inference_count: number;
  execution_count: number;
  inference_stats: Readonly<Record<"success" | "fail" | "queue" | "compute_infer", { count: number; ns: number }>>;
}

/** A row for each version, over all devices. */
function statistics(figures: readonly ModelFigures[]): Statistics[] {
  const rows = new Map<string, Statistics>();
  const duration = (): { count: number; ns: number } => ({ count: 0, ns: 0 });
  for (const { name, version, requests, batches, queue_seconds, run_seconds } of figures) {
    const key = JSON.stringify([name, version]);
    const row = rows.get(key) ?? {
      name,
      version,
      inference_count: 0,
      execution_count: 0,
      inference_stats: { success: duration(), fail: duration(), queue: duration(), compute_infer: duration() },
    };
    rows.set(key, row);
    row.inference_count += requests.ok;
    row.execution_count += batches;
    const { success, fail, queue, compute_infer } = row.inference_stats;
    success.count += requests.ok;
    success.ns += nanoseconds(queue_seconds.sum + run_seconds.sum);
    for (const [kind, count] of Object.entries(requests)) if (kind !== "ok") fail.count += count;
    queue.count += queue_seconds.count;
    queue.ns += nanoseconds(queue_seconds.sum);
    compute_infer.count += run_seconds.count;
    compute_infer.ns += nanoseconds(run_seconds.sum);
  }
  return [...rows.values()];
}

const nanoseconds = (seconds: number): number => Math.round(seconds * 1e9);

/** ModelInfer. */
export async function infer(engine: Engine, bytes: Buffer, limits: AskedLimits, context: Context): Promise<Buffer> {
  const asked = readAsked(bytes, limits);
  context.note({ model: asked.model });
  const answer = await engine.infer(requestOf(engine, asked, context));
  return writeAnswer(answered(answer, asked.id), asked.raw);
}

/** One request of ModelStreamInfer: its answers as ModelInferResponse. */
export async function* inferStream(engine: Engine, asked: Asked, context: Context): AsyncGenerator<Buffer, void> {
  const { model, version, id, raw } = asked;
  const state = engine.model(model, own(version));
  const final = { triton_final_response: true };
  const written = state?.streams === true ? state.outputs.find(({ type }) => type === "string") : undefined;
  if (state === undefined || written === undefined) {
    const answer = await engine.infer(requestOf(engine, asked, context));
    yield writeAnswer({ ...answered(answer, id), parameters: final }, raw);
    return;
  }
  const wanted = asked.outputs.length === 0 || asked.outputs.includes(written.name);
  const pieces = engine.stream(requestOf(engine, asked, context));
  try {
    for (;;) {
      const step = await pieces.next();
      if (step.done === true) {
        // The pieces were the text: told once more it would stand there twice.
        const rest = new Map([...step.value.outputs].filter(([name]) => name !== written.name));
        yield writeAnswer({ ...answered(step.value, id), outputs: rest, parameters: final }, raw);
        return;
      }
      if (!wanted) continue;
      const piece: Value = { type: "string", shape: [1], data: [step.value] };
      const part = { model: state.name, version: state.version, id, outputs: new Map([[written.name, piece]]) };
      yield writeAnswer({ ...part, parameters: { triton_final_response: false } }, raw);
    }
  } finally {
    // Ends what runs, where the caller asks no more.
    await pieces.return(undefined as never);
  }
}

function requestOf(engine: Engine, asked: Asked, context: Context): InferRequest {
  const { model, version, inputs, outputs, parameters } = asked;
  if (isSet(parameters.get("sequence_id"))) throw new Refusal("invalid", "sequences are not served");
  const priority = whole(parameters, "priority");
  const timeout = whole(parameters, "timeout");
  const until = timeout === undefined || timeout === 0 ? Infinity : performance.now() + timeout / 1000;
  const deadline = Math.min(context.deadline ?? Infinity, until);
  const options = engine.model(model, own(version))?.streams === true ? optionsOf(parameters) : undefined;
  return {
    model,
    ...(version === "" ? {} : { version }),
    inputs,
    ...(outputs.length === 0 ? {} : { outputs }),
    // 1 is Triton's first, and 0 the model's own.
    ...(priority === undefined || priority === 0 ? {} : { priority: priority - 1 }),
    ...(deadline === Infinity ? {} : { deadline }),
    signal: context.signal,
    id: context.id,
    ...(options === undefined ? {} : { options }),
  };
}

const isSet = (value: Parameter | undefined): boolean => value !== undefined && value !== 0 && value !== "";

function whole(parameters: ReadonlyMap<string, Parameter>, name: string): number | undefined {
  const value = parameters.get(name);
  if (value === undefined || (typeof value === "number" && Number.isSafeInteger(value) && value >= 0)) return value;
  throw new Refusal("invalid", `the parameter ${name} is a whole number from 0`);
}

function optionsOf(parameters: ReadonlyMap<string, Parameter>): Readonly<Record<string, string>> | undefined {
  const options = [...parameters]
    .filter(([name]) => !known.has(name))
    .map(([name, value]): [string, string] => [
      name,
      typeof value === "boolean" ? (value ? "yes" : "no") : String(value),
    ]);
  return options.length === 0 ? undefined : Object.fromEntries(options);
}
