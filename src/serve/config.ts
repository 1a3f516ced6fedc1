/**
 * Settings of a server: a config file in JSON (docs/serve.schema.json is made from the schema here), over which options of the command
 * line go. Paths in the file begin at the file's folder.
 */

import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CannotError, UsageError } from "../base/errors.ts";
import { nearest } from "../base/words.ts";
import { compileSchema, modelConfigSchema, sentenceOf, type ModelConfig } from "./engine/config.ts";
import { limitSpecs, type Limits } from "./http/limits.ts";
import { levels, type Level } from "./http/log.ts";

export interface ServeConfig {
  readonly models?: string;
  readonly load?: "all" | "none" | readonly string[];
  readonly poll_seconds?: number;
  readonly defaults?: ModelConfig;
  readonly parallel?: Readonly<Record<string, number>>;
  readonly listen?: string;
  readonly grpc?: string | false;
  readonly token_file?: string;
  readonly token_environment?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly allow_origins?: readonly string[];
  readonly allow_hosts?: readonly string[];
  readonly drain_seconds?: number;
  readonly log?: { readonly format?: "text" | "json"; readonly level?: Level };
  readonly dashboard?: { readonly show?: boolean; readonly run?: boolean };
  readonly metrics?: boolean;
  readonly vendor?: boolean;
  readonly limits?: Partial<Limits>;
}

/** Where Triton and KServe listen, so that their clients find it. */
export const usual = { listen: "127.0.0.1:8000", grpc: "127.0.0.1:8001", drain_seconds: 30 } as const;
/** A config is some lines. */
const CONFIG_LIMIT = 1 << 20;
/** Longer ones are no tokens. */
const TOKEN_LIMIT = 4096;

const text = (description: string) => ({ type: "string", minLength: 1, maxLength: 4096, description }) as const;
const yes = (description: string) => ({ type: "boolean", description }) as const;
const list = (description: string) => ({ type: "array", items: text(""), maxItems: 1000, description }) as const;
/** Which file and which versions it is is each model's own. */
const perModel = Object.fromEntries(
  Object.entries(modelConfigSchema.properties).filter(([name]) => !["$schema", "file", "versions"].includes(name)),
);

/** JSON Schema (draft 07) of the config file. */
export const serveSchema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "Config of accelctl serve",
  type: "object",
  additionalProperties: false,
  properties: {
    $schema: text("Where this schema lies; for editors."),
    models: text("Directory of models: NAME/VERSION/model.EXT or NAME.EXT."),
    load: {
      description: "Which models are loaded at the start: all (the default), none, or these.",
      anyOf: [{ enum: ["all", "none"] }, { type: "array", items: text("Name of a model."), maxItems: 10_000 }],
    },
    poll_seconds: {
      type: "number",
      minimum: 0.1,
      maximum: 86_400,
      description: "Look for changes of the directory so often; never when not said.",
    },
    defaults: {
      type: "object",
      additionalProperties: false,
      properties: perModel,
      description: "What a model's own config (accelctl.json) does not say.",
    },
    parallel: {
      type: "object",
      additionalProperties: { type: "integer", minimum: 1, maximum: 1024 },
      description: "Runs at once by device: cpu, or a family of the catalogue.",
    },
    listen: text(`HOST:PORT, [ADDRESS]:PORT, unix:PATH or systemd; ${usual.listen}.`),
    grpc: {
      description: `HOST:PORT for gRPC, or false; ${usual.grpc}, and false where only listen is set.`,
      anyOf: [text("HOST:PORT."), { const: false }],
    },
    token_file: text("File that holds the token which callers must bring; of mode 600 or 400."),
    token_environment: text("Name of the environment variable that holds it instead; ACCELCTL_TOKEN."),
    tls: {
      type: "object",
      additionalProperties: false,
      required: ["cert", "key"],
      properties: { cert: text("PEM file of the certificate chain."), key: text("PEM file of its key.") },
      description: "Speak TLS. SIGHUP reads the files again.",
    },
    allow_origins: list('Origins of pages on other servers that may ask ("https://ui.example"); "*": any. None.'),
    allow_hosts: list("Names besides localhost by which a server on loopback may be called: a proxy's."),
    drain_seconds: {
      type: "number",
      minimum: 0,
      maximum: 86_400,
      description: `For what is under way when it is told to stop; ${usual.drain_seconds}.`,
    },
    log: {
      type: "object",
      additionalProperties: false,
      properties: {
        format: {
          enum: ["text", "json"],
          description: "text (the default) or json, a line an event, to standard error.",
        },
        level: { enum: [...levels], description: "error, warn, info (the default), or debug: every request." },
      },
    },
    dashboard: {
      type: "object",
      additionalProperties: false,
      properties: {
        show: yes("Serve the page; true."),
        run: yes("Let the page take models and run them here; false."),
      },
    },
    metrics: yes("Serve /metrics for Prometheus; true."),
    vendor: yes("Ask NVIDIA's library for the metrics of its GPUs, in a process of its own; that wakes them; false."),
    limits: {
      type: "object",
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(limitSpecs).map(([name, { default: usually, most, says }]) => [
          name,
          { type: "integer", minimum: 1, maximum: most, description: `${capital(says)}; ${usually}.` },
        ]),
      ),
      description: "What one caller, or all together, may take.",
    },
  },
} as const;

function capital(says: string): string {
  return says.charAt(0).toUpperCase() + says.slice(1);
}

/** Reads a config file. Throws CannotError (it cannot be read), UsageError (it is none; the nearest setting is named). */
export function readServeConfig(path: string): ServeConfig {
  const bytes = readSmall(path, CONFIG_LIMIT);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new UsageError(`${path}: no JSON: ${(error as Error).message}`);
  }
  return withPaths(checkServeConfig(value, path), dirname(path));
}

/** Throws UsageError: one sentence with the path within the JSON. */
export function checkServeConfig(value: unknown, what: string): ServeConfig {
  const validate = compileSchema(serveSchema);
  if (validate(value)) return value as ServeConfig; // which is what the schema says
  const errors = validate.errors ?? [];
  const [first] = errors;
  const extra: unknown = first?.keyword === "additionalProperties" ? first.params["additionalProperty"] : undefined;
  const properties = (first?.parentSchema as { properties?: object } | undefined)?.properties ?? {};
  const near = typeof extra === "string" ? nearest(extra, Object.keys(properties)) : undefined;
  throw new UsageError(`${what}: ${sentenceOf(errors)}${near === undefined ? "" : `; did you mean "${near}"?`}`);
}

function withPaths(config: ServeConfig, folder: string): ServeConfig {
  const { models, token_file, tls, listen } = config;
  return {
    ...config,
    ...(models === undefined ? {} : { models: resolve(folder, models) }),
    ...(token_file === undefined ? {} : { token_file: resolve(folder, token_file) }),
    ...(tls === undefined ? {} : { tls: { cert: resolve(folder, tls.cert), key: resolve(folder, tls.key) } }),
    ...(listen?.startsWith("unix:") === true ? { listen: `unix:${resolve(folder, listen.slice(5))}` } : {}),
  };
}

function readSmall(path: string, limit: number): Buffer {
  try {
    const { size } = statSync(path);
    if (size > limit) throw new CannotError(`${path}: ${size} bytes, over ${limit}`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof CannotError) throw error;
    throw new CannotError(`${path}: ${(error as Error).message.replace(/, \w+ '.*$/, "")}`, { cause: error });
  }
}

/** The token, of the file or the environment; undefined where none is set. Throws CannotError, UsageError. */
export function tokenOf(config: ServeConfig, environment: NodeJS.ProcessEnv): string | undefined {
  const { token_file, token_environment } = config;
  if (token_file !== undefined) {
    const { mode } = statOf(token_file);
    // Anybody on the machine could read it, or put their own there.
    if ((mode & 0o027) !== 0) {
      throw new UsageError(`${token_file}: mode ${(mode & 0o777).toString(8)} lets others at the token; chmod 600 it`);
    }
    return tokenIn(readSmall(token_file, TOKEN_LIMIT).toString("utf8"), token_file);
  }
  const name = token_environment ?? "ACCELCTL_TOKEN";
  const value = environment[name];
  if (value !== undefined) return tokenIn(value, `the environment's ${name}`);
  if (token_environment !== undefined)
    throw new UsageError(`the environment has no ${name}, which token_environment names`);
  return undefined;
}

function statOf(path: string): { mode: number } {
  try {
    return statSync(path);
  } catch (error) {
    throw new CannotError(`${path}: ${(error as Error).message.replace(/, \w+ '.*$/, "")}`, { cause: error });
  }
}

function tokenIn(given: string, where: string): string {
  const token = given.trim();
  // As RFC 6750 has them: what else would not come through a header whole.
  if (!/^[\w.~+/-]+=*$/.test(token)) {
    throw new UsageError(`${where}: holds no token: letters, digits and -._~+/ on one line`);
  }
  return token;
}
