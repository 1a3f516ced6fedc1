/** The methods of inference.GRPCInferenceService over an engine. inference.proto says what each is; infer.ts reads and writes tensors. */

import type { Value } from "../../delegates/value.ts";
import { version } from "../../version.ts";
import { Refusal, type Engine, type InferAnswer, type InferRequest } from "../engine.ts";
import { configuration, existing, indexed, metadata, opened, statistics } from "../oip/describe.ts";
import { topClasses } from "../oip/infer-answer.ts";
import { quoted } from "../tensors.ts";
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
      extensions: [
        "classification",
        "model_configuration",
        "model_repository",
        "parameters",
        "schedule_policy",
        "statistics",
      ],
    }),
    ModelMetadata: ({ name, version }: Named) => {
      const model = opened(engine, name, own(version));
      return {
        ...metadata(engine, model),
        properties: model.device === undefined ? {} : { device: model.device },
      };
    },
    ModelConfig: ({ name, version }: Named) => ({ config: configuration(opened(engine, name, own(version))) }),
    ModelStatistics: ({ name, version }: Named) => {
      if (name !== "") existing(engine, name, own(version));
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
        .map(indexed),
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

/** Proto3 has no absent texts. */
const own = (version: string): string | undefined => (version === "" ? undefined : version);

/** ModelInfer. */
export async function infer(engine: Engine, bytes: Buffer, limits: AskedLimits, context: Context): Promise<Buffer> {
  const asked = readAsked(bytes, limits);
  context.note({ model: asked.model });
  const answer = await engine.infer(requestOf(engine, asked, context));
  return writeAnswer(answered(answer, asked.id, outputsOf(answer, asked)), asked.raw);
}

/** As they were asked for: the classification extension wants the places of the highest values. */
function outputsOf({ outputs }: InferAnswer, asked: Asked): ReadonlyMap<string, Value> {
  if (!asked.outputs.some(({ classes }) => classes > 0)) return outputs;
  return new Map(
    asked.outputs.flatMap(({ name, classes }): [string, Value][] => {
      const value = outputs.get(name);
      if (value === undefined) return []; // the engine refuses what is no output
      return [[name, classes === 0 ? value : topClasses(value, { name, classes, binary: true })]];
    }),
  );
}

/** One request of ModelStreamInfer: its answers as ModelInferResponse. */
export async function* inferStream(engine: Engine, asked: Asked, context: Context): AsyncGenerator<Buffer, void> {
  const { model, version, id, raw } = asked;
  const state = engine.model(model, own(version));
  const final = { triton_final_response: true };
  const written = state?.streams === true ? state.outputs.find(({ type }) => type === "string") : undefined;
  if (state === undefined || written === undefined) {
    const answer = await engine.infer(requestOf(engine, asked, context));
    yield writeAnswer({ ...answered(answer, id, outputsOf(answer, asked)), parameters: final }, raw);
    return;
  }
  const wanted = asked.outputs.length === 0 || asked.outputs.some(({ name }) => name === written.name);
  const pieces = engine.stream(requestOf(engine, asked, context));
  try {
    for (;;) {
      const step = await pieces.next();
      if (step.done === true) {
        // The pieces were the text: told once more it would stand there twice.
        const rest = new Map([...step.value.outputs].filter(([name]) => name !== written.name));
        yield writeAnswer({ ...answered(step.value, id, rest), parameters: final }, raw);
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
    ...(outputs.length === 0 ? {} : { outputs: outputs.map(({ name }) => name) }),
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
