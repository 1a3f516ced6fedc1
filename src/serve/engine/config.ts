/**
 * Config of one served model: accelctl.json in its folder, or NAME.accelctl.json beside a single file. The schema is what the
 * documentation shows and what files are held against; whatever is not said has the default that is written here.
 */

import { UsageError } from "../../base/errors.ts";
import { requireLate } from "../../base/package.ts";
import type { Ajv as AjvClass, ErrorObject } from "ajv";

export interface ModelConfig {
  readonly file?: string;
  readonly device?: string;
  readonly delegate?: string;
  readonly route?: string;
  readonly fallback?: "cpu";
  readonly library?: string;
  readonly plugin?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly threads?: number;
  readonly instances?: number;
  readonly isolate?: boolean;
  readonly exclusive?: boolean;
  readonly max_batch?: number;
  readonly max_delay_ms?: number;
  readonly preferred_batch?: readonly number[];
  readonly priority?: number;
  readonly weight?: number;
  readonly queue_requests?: number;
  readonly queue_bytes?: number;
  readonly timeout_ms?: number;
  readonly open_ms?: number;
  readonly run_ms?: number;
  readonly memory_bytes?: number;
  readonly interrupt?: boolean;
  readonly warmup?: { readonly runs?: number; readonly shapes?: Readonly<Record<string, readonly number[]>> };
  readonly versions?: VersionPolicy;
}

/** "latest", "all", so many of the latest, or these. */
export type VersionPolicy = "latest" | "all" | { readonly latest: number } | readonly string[];

/** Lowest and highest priority: 0 is served first. */
export const PRIORITIES = 10;
export const DEFAULT_PRIORITY = 5;
/** Of a model that can be batched and whose config does not say. */
export const DEFAULT_BATCH = 8;
/** Rows of one run at most: beyond it memory grows and time is no longer saved. */
export const BATCH_LIMIT = 1024;
export const DEFAULT_QUEUE = { requests: 256, bytes: 256 * 2 ** 20 } as const;
const INSTANCE_LIMIT = 64;
const DAY_MS = 86_400_000;

const text = (description: string) => ({ type: "string", minLength: 1, maxLength: 4096, description }) as const;
const whole = (minimum: number, maximum: number, description: string) =>
  ({ type: "integer", minimum, maximum, description }) as const;
const yes = (description: string) => ({ type: "boolean", description }) as const;

/** JSON Schema (draft 07, as ajv has it) of a model's config. */
export const modelConfigSchema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "Config of one model served by accelctl (accelctl.json)",
  type: "object",
  additionalProperties: false,
  properties: {
    $schema: text("Where this schema lies; for editors."),
    file: text("Name of the model's file in each version's folder; the one that is a model when not said."),
    device: text("auto (the default), cpu, or a family of the catalogue; with :1 the second of its kind."),
    delegate: text("Id of a delegate: no other is tried."),
    route: text("Name of a route of the catalogue: no other is tried."),
    fallback: { const: "cpu", description: "Let the CPU run what the device cannot." },
    library: text("Path of the runtime's library; from the config's folder when it does not begin with a slash."),
    plugin: text("Path of what the device's maker ships to be loaded into the runtime; likewise."),
    options: {
      type: "object",
      additionalProperties: { type: "string" },
      description: "For the plugin or the device, as its documentation spells them.",
    },
    threads: whole(1, 1024, "Threads of one run; the runtime's own choice when not said."),
    instances: whole(1, INSTANCE_LIMIT, "Sessions of the model that may run at once; 1."),
    isolate: yes(
      "true: in a process of its own, always. false: in the server's own process where the runtime may. Not said: in the server's own once a process of its own has shown that the model runs and its shapes are fixed but for the first size.",
    ),
    exclusive: yes("true: hold a lock on the device so that no other server of accelctl opens it too."),
    max_batch: whole(
      0,
      BATCH_LIMIT,
      `Rows that are computed together at most; 0 or 1: none are. ${DEFAULT_BATCH} where the model allows it.`,
    ),
    max_delay_ms: {
      type: "number",
      minimum: 0,
      maximum: 10_000,
      description: "How long a request may wait for others to be computed with; 0.",
    },
    preferred_batch: {
      type: "array",
      items: whole(1, BATCH_LIMIT, "Rows."),
      minItems: 1,
      maxItems: 32,
      description: "Numbers of rows that are computed together; powers of two when not said.",
    },
    priority: whole(0, PRIORITIES - 1, `Of requests that name none; 0 is served first. ${DEFAULT_PRIORITY}.`),
    weight: {
      type: "number",
      exclusiveMinimum: 0,
      maximum: 1000,
      description: "Share of the device's time beside other models; 1.",
    },
    queue_requests: whole(1, 1_000_000, `Requests that may wait; ${DEFAULT_QUEUE.requests}.`),
    queue_bytes: whole(1, Number.MAX_SAFE_INTEGER, `Bytes of inputs that may wait; ${DEFAULT_QUEUE.bytes}.`),
    timeout_ms: whole(
      1,
      DAY_MS,
      "A request that has waited so long is refused; requests may name less. No limit when not said.",
    ),
    open_ms: whole(1, DAY_MS, "Opening may take so long; 600000."),
    run_ms: whole(1, DAY_MS, "A run may take so long; 300000."),
    memory_bytes: whole(
      2 ** 20,
      Number.MAX_SAFE_INTEGER,
      "Of a process of its own; four fifths of the machine's when not said.",
    ),
    interrupt: yes(
      "End the process of a run for which nobody waits any more. It takes a restart; only where it has one of its own.",
    ),
    warmup: {
      type: "object",
      additionalProperties: false,
      properties: {
        runs: whole(0, 1000, "Runs before it serves; 2."),
        shapes: {
          type: "object",
          additionalProperties: { type: "array", items: whole(0, 2 ** 31 - 1, "Size."), maxItems: 32 },
          description: "Shapes of inputs by name, where the model leaves sizes open.",
        },
      },
    },
    versions: {
      description: "Which versions serve: latest (the default), all, so many of the latest, or a list.",
      anyOf: [
        { enum: ["latest", "all"] },
        {
          type: "object",
          additionalProperties: false,
          required: ["latest"],
          properties: { latest: whole(1, 1000, "So many.") },
        },
        { type: "array", items: { type: "string", pattern: "^[0-9]{1,18}$" }, minItems: 1, maxItems: 1000 },
      ],
    },
  },
} as const;

type Validate = ((value: unknown) => boolean) & { errors?: ErrorObject[] | null };
const compiled = new WeakMap<object, Validate>();

/** A config that was read from JSON. `what` names it in errors. Throws UsageError: one sentence with the path within the JSON. */
export function checkModelConfig(value: unknown, what: string): ModelConfig {
  const validate = compileSchema(modelConfigSchema);
  if (validate(value)) return value as ModelConfig; // which is what the schema says
  throw new UsageError(`${what}: ${sentenceOf(validate.errors ?? [])}`);
}

/** For other schemas of the server too. Each is compiled once, which takes longer than all that is held against it. */
export function compileSchema(schema: object): Validate {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const { Ajv } = requireLate("ajv") as { Ajv: typeof AjvClass };
  const made = new Ajv({ allErrors: false, verbose: true, allowUnionTypes: true }).compile(schema);
  compiled.set(schema, made);
  return made;
}

/** "/max_batch: must be integer; it is "many"" */
export function sentenceOf(errors: readonly ErrorObject[]): string {
  // Of a choice each part says what it lacks: the part that goes deepest is the one that was meant.
  const [first] = [...errors].sort((a, b) => b.instancePath.length - a.instancePath.length || rank(a) - rank(b));
  if (first === undefined) return "it does not fit the schema";
  const { instancePath, keyword, message = "does not fit", data } = first;
  const params = first.params as Readonly<Record<string, unknown>>;
  const at = instancePath === "" ? "the file" : instancePath;
  const extra = params["additionalProperty"];
  if (keyword === "additionalProperties") return `${at}: there is no setting ${JSON.stringify(extra)}`;
  if (keyword === "required") return `${at}: ${message}`;
  const described = (first.parentSchema as { description?: string } | undefined)?.description;
  if (keyword === "anyOf" && described !== undefined)
    return `${at}: ${described.replace(/\.$/, "")}; it is ${show(data)}`;
  const allowed = params["allowedValues"] ?? params["allowedValue"];
  const words = allowed === undefined ? message : `must be ${JSON.stringify(allowed)}`;
  return `${at}: ${words}; it is ${show(data)}`;
}

const rank = ({ keyword }: ErrorObject): number => (keyword === "anyOf" ? 0 : 1);

function show(data: unknown): string {
  const shown = JSON.stringify(data) as string | undefined;
  return shown === undefined || shown.length > 60 ? typeof data : shown;
}
