/** What the protocol tells of a model: metadata, configuration, statistics. The documents: rest.ts. */

import type { Port } from "../../delegates/delegate.ts";
import { Refusal, type Engine, type ModelFigures, type ModelState } from "../engine.ts";
import { datatypeOf, openShape, quoted } from "../tensors.ts";

/** Throws Refusal "not-found". */
export function existing(engine: Engine, name: string, version?: string): ModelState {
  const model = engine.model(name, version);
  if (model !== undefined) return model;
  throw new Refusal(
    "not-found",
    `there is no model ${quoted(name)}${version === undefined ? "" : ` of version ${quoted(version)}`}`,
  );
}

/** A model of which is known what goes in and out. Throws Refusal. */
export function opened(engine: Engine, name: string, version?: string): ModelState {
  const model = existing(engine, name, version);
  if (model.inputs.length > 0 || model.outputs.length > 0) return model;
  throw new Refusal("not-ready", `the model ${quoted(model.name)} is ${model.status}`);
}

/** <project>_<format>, as the protocol names platforms. */
const platform = ({ delegate, format }: ModelState): string => [delegate, format].filter(Boolean).join("_");

export function metadata(engine: Engine, model: ModelState): Readonly<Record<string, unknown>> {
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
  };
}

export function configuration(model: ModelState): unknown {
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

/** Triton's words. */
const states: Readonly<Record<ModelState["status"], string>> = {
  ready: "READY",
  loading: "LOADING",
  unloading: "UNLOADING",
  failed: "UNAVAILABLE",
  unloaded: "UNAVAILABLE",
};

export const indexed = ({ name, version, status, reason = "" }: ModelState): unknown => ({
  name,
  version,
  state: states[status],
  reason,
});

interface Duration {
  count: number;
  ns: number;
}

interface Statistics {
  readonly name: string;
  readonly version: string;
  inference_count: number;
  execution_count: number;
  readonly inference_stats: Readonly<Record<"success" | "fail" | "queue" | "compute_infer", Duration>>;
  readonly batch_stats: readonly unknown[];
}

/** A row for each version, over all devices. */
export function statistics(figures: readonly ModelFigures[]): readonly Statistics[] {
  const rows = new Map<string, Statistics>();
  const duration = (): Duration => ({ count: 0, ns: 0 });
  for (const { name, version, requests, batches, queue_seconds, run_seconds } of figures) {
    const key = JSON.stringify([name, version]);
    const row = rows.get(key) ?? {
      name,
      version,
      inference_count: 0,
      execution_count: 0,
      inference_stats: { success: duration(), fail: duration(), queue: duration(), compute_infer: duration() },
      batch_stats: [],
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
