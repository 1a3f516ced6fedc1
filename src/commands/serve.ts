/** accelctl serve: models of a directory over the Open Inference Protocol, with metrics and the page at the same port. */

import { CannotError, UsageError } from "../base/errors.ts";
import { nearest } from "../base/words.ts";
import { checkServeConfig, readServeConfig, tokenOf, usual, type ServeConfig } from "../serve/config.ts";
import type { Engine } from "../serve/engine.ts";
import { openEngine } from "../serve/engine/open.ts";
import { scanModels } from "../serve/engine/repository.ts";
import type { EngineEvent } from "../serve/engine/versions.ts";
import type { GrpcRunning } from "../serve/grpc/server.ts";
import { noFigures } from "../serve/http/figures.ts";
import { limitSpecs, limitsWith } from "../serve/http/limits.ts";
import { notifySystemd, parseListen } from "../serve/http/listen.ts";
import { levels, openLog, type Log } from "../serve/http/log.ts";
import { serveParts } from "../serve/parts.ts";
import { startServer, type Running } from "../serve/server.ts";
import { flag, grouped, option, options, type Command, type Invocation, type OptionSpec } from "./command.ts";
import { environmentsOf, vendorOption } from "./common.ts";

const what: readonly OptionSpec[] = [
  { name: "models", value: "DIR", says: "serve the models of this directory (NAME/VERSION/model.EXT or NAME.EXT)" },
  { name: "load", value: "NAME", many: true, says: "load only these at the start; none: none, all: all (the default)" },
  { name: "poll", value: "SECONDS", says: "look for changes of the directory so often, and load what changed (never)" },
  { name: "no-page", says: "serve no page" },
  { name: "no-metrics", says: "serve no /metrics" },
  { name: "env", value: "DIR", many: true, says: "also look for libraries in this Python environment or SDK" },
];
const where: readonly OptionSpec[] = [
  {
    name: "listen",
    value: "WHERE",
    says: `HOST:PORT, unix:PATH or systemd (${usual.listen}); port 0: any that is free`,
  },
  {
    name: "grpc",
    value: "HOST:PORT",
    says: `where gRPC listens, or off (${usual.grpc}; off where only --listen is given)`,
  },
  { name: "token-file", value: "FILE", says: "callers must bring the token in this file; needed beyond loopback" },
  { name: "tls-cert", value: "FILE", says: "certificate chain (PEM); read again at SIGHUP" },
  { name: "tls-key", value: "FILE", says: "its key (PEM)" },
  { name: "allow-origin", value: "ORIGIN", many: true, says: "let pages of this origin ask (none but its own)" },
  { name: "allow-host", value: "NAME", many: true, says: "on loopback, also answer to this name: a proxy's" },
];
const how: readonly OptionSpec[] = [
  { name: "config", value: "FILE", says: "settings in JSON (docs/serve.schema.json); options go before them" },
  vendorOption,
  { name: "check", says: "say whether config, token and models are right and what would be served; serve nothing" },
  { name: "limit", value: "NAME=N", many: true, says: `change a limit: ${Object.keys(limitSpecs).join(", ")}` },
  { name: "drain", value: "SECONDS", says: `for what is under way at SIGTERM or Ctrl-C (${usual.drain_seconds})` },
  {
    name: "log-format",
    value: "FORMAT",
    choices: ["text", "json"],
    says: "lines of the log, to standard error (text)",
  },
  {
    name: "log-level",
    value: "LEVEL",
    choices: levels,
    says: "error, warn, info (the default), or debug: each request",
  },
];

const command: Command = {
  name: "serve",
  summary: "serve models, metrics and the page over HTTP and gRPC",
  usage: "",
  says:
    "Serves the models of a directory on the devices of this machine over the Open Inference Protocol v2 (KServe, Triton), metrics for " +
    "Prometheus at /metrics, and the page. Without --models, metrics and page only. It listens on loopback; to listen elsewhere a token " +
    "is needed, from --token-file or the environment's ACCELCTL_TOKEN. SIGTERM and Ctrl-C let it finish what is under way; a second " +
    "one ends it at once. docs/serving.md has examples.",
  options: [...grouped("What is served", what), ...grouped("Where, and to whom", where), ...how],
  examples: [
    { command: "accelctl serve --models models/", says: "on http://127.0.0.1:8000" },
    { command: "accelctl serve --models models/ --check", says: "what would be served?" },
    {
      command:
        "accelctl serve --models models/ --listen 0.0.0.0:8000 --token-file token --tls-cert c.pem --tls-key k.pem",
      says: "for others too",
    },
  ],
  async run(invocation) {
    const config = settingsOf(invocation);
    const token = tokenOf(config, process.env);
    if (flag(invocation, "check")) return check(invocation, config, token);
    const log = openLog(config.log);
    const engine = await engineOf(config, log, environmentsOf(invocation));
    try {
      return await serve(invocation, config, token, engine, log);
    } finally {
      log.flush();
    }
  },
};
export default command;

/** The file's settings, with the options over them. Throws UsageError. */
function settingsOf(invocation: Invocation): ServeConfig {
  const file = option(invocation, "config");
  const said = optionsAsConfig(invocation);
  const config = file === undefined ? {} : readServeConfig(file);
  const { cert = config.tls?.cert, key = config.tls?.key } = {
    cert: option(invocation, "tls-cert"),
    key: option(invocation, "tls-key"),
  };
  if ((cert === undefined) !== (key === undefined)) throw new UsageError("--tls-cert and --tls-key go together");
  const merged = {
    ...config,
    ...said,
    ...(cert === undefined || key === undefined ? {} : { tls: { cert, key } }),
    log: { ...config.log, ...said.log },
    limits: { ...config.limits, ...said.limits },
    dashboard: { ...config.dashboard, ...said.dashboard },
  };
  return checkServeConfig(merged, "serve");
}

function optionsAsConfig(invocation: Invocation): ServeConfig {
  const text = (name: string, as = name): Record<string, string> => {
    const value = option(invocation, name);
    return value === undefined ? {} : { [as]: value };
  };
  const many = (name: string, as: string): Record<string, readonly string[]> => {
    const values = options(invocation, name);
    return values.length === 0 ? {} : { [as]: values };
  };
  const seconds = (name: string, as: string): Record<string, number> => {
    const value = option(invocation, name);
    if (value === undefined) return {};
    if (!/^\d+(?:\.\d+)?$/.test(value)) throw new UsageError(`--${name} takes seconds; not "${value}"`);
    return { [as]: Number(value) };
  };
  const load = options(invocation, "load");
  const [word] = load;
  const grpc = option(invocation, "grpc");
  return {
    ...text("models"),
    ...(word === undefined ? {} : { load: load.length === 1 && (word === "all" || word === "none") ? word : load }),
    ...seconds("poll", "poll_seconds"),
    ...text("listen"),
    ...(grpc === undefined ? {} : { grpc: grpc === "off" ? false : grpc }),
    ...text("token-file", "token_file"),
    ...many("allow-origin", "allow_origins"),
    ...many("allow-host", "allow_hosts"),
    ...seconds("drain", "drain_seconds"),
    log: { ...text("log-format", "format"), ...text("log-level", "level") },
    ...(flag(invocation, "no-page") ? { dashboard: { show: false } } : {}),
    ...(flag(invocation, "no-metrics") ? { metrics: false } : {}),
    ...(flag(invocation, "vendor") ? { vendor: true } : {}),
    limits: limitsOf(options(invocation, "limit")),
  };
}

function limitsOf(words: readonly string[]): Record<string, number> {
  const names = Object.keys(limitSpecs);
  return Object.fromEntries(
    words.map((word) => {
      const [name = "", value = ""] = word.split("=", 2);
      if (!names.includes(name)) {
        throw new UsageError(
          `--limit: there is no limit "${name}"; did you mean "${nearest(name, names) ?? names[0] ?? ""}"?`,
        );
      }
      if (!/^\d{1,15}$/.test(value)) throw new UsageError(`--limit ${name} takes a whole number; not "${value}"`);
      return [name, Number(value)];
    }),
  );
}

async function engineOf(config: ServeConfig, log: Log, environments: readonly string[]): Promise<Engine | undefined> {
  const { models, load, poll_seconds, defaults, parallel } = config;
  if (models === undefined) return undefined;
  return openEngine({
    models,
    early: true,
    environments,
    ...(load === undefined ? {} : { load }),
    ...(poll_seconds === undefined ? {} : { poll_ms: poll_seconds * 1000 }),
    ...(defaults === undefined ? {} : { defaults }),
    ...(parallel === undefined ? {} : { parallel }),
    onEvent: (event) => tellEvent(log, event),
  });
}

function tellEvent(log: Log, { kind, model, version, says, error }: EngineEvent): void {
  const level = kind === "failed" || kind === "down" ? "warn" : kind === "note" ? "debug" : "info";
  const cause = error === undefined ? undefined : error instanceof Error ? error.message : JSON.stringify(error);
  log.line(level, says, { event: kind, model, version, error: cause });
}

async function serve(
  invocation: Invocation,
  config: ServeConfig,
  token: string | undefined,
  engine: Engine | undefined,
  log: Log,
): Promise<number> {
  const limits = limitsWith(config.limits);
  const within = (config.drain_seconds ?? usual.drain_seconds) * 1000;
  const figures = noFigures();
  let server: Running | undefined;
  let grpc: GrpcRunning | undefined;
  try {
    const parts = await serveParts({
      ...(engine === undefined ? {} : { engine }),
      limits,
      page: config.dashboard?.show ?? true,
      run: config.dashboard?.run ?? false,
      metrics: config.metrics ?? true,
      vendor: config.vendor ?? false,
      http: figures,
      grpc: () => grpc?.figures() ?? [],
      environments: environmentsOf(invocation),
    });
    server = await startServer(parts, {
      listen: config.listen ?? usual.listen,
      ...(token === undefined ? {} : { token }),
      ...(config.tls === undefined ? {} : { tls: config.tls }),
      hosts: config.allow_hosts ?? [],
      origins: config.allow_origins ?? [],
      limits,
      log,
      figures,
    });
    grpc = await grpcOf(config, token, engine, log);
  } catch (error) {
    await server?.close();
    await engine?.drain(0);
    throw error;
  }
  // Before anybody knows that it is there: who reads the address may stop it at once.
  const stopped = stopSignal();
  invocation.out(`${server.url}\n`);
  if (grpc !== undefined) invocation.out(`grpc port ${grpc.port}\n`);
  log.line("info", `serving on ${server.url}`, { models: config.models !== undefined, token: token !== undefined });
  void notifySystemd("READY=1");
  const hup = (): void => reload([server, grpc], log);
  process.on("SIGHUP", hup);
  const signal = await stopped;
  log.line("info", `${signal}: finishing what is under way`, { seconds: within / 1000 });
  log.flush();
  void notifySystemd("STOPPING=1");
  // From now on it says that it is not ready, and whoever is impatient sends another signal.
  const finished = Promise.all([engine?.drain(within), server.drain(within), grpc?.close(within)]);
  const again = stopSignal().then(() => process.exit(1));
  await Promise.race([finished, again]);
  process.off("SIGHUP", hup);
  log.line("info", "stopped");
  return 0;
}

/** Who wants HTTP elsewhere, and says nothing of gRPC, shall find its usual port neither taken nor open. */
const grpcWhere = ({ grpc, listen }: ServeConfig): string | false =>
  grpc ?? (listen === undefined ? usual.grpc : false);

async function grpcOf(
  config: ServeConfig,
  token: string | undefined,
  engine: Engine | undefined,
  log: Log,
): Promise<GrpcRunning | undefined> {
  const where = grpcWhere(config);
  if (engine === undefined || where === false) return undefined;
  const listen = parseListen(where, "--grpc");
  if (!("host" in listen)) throw new UsageError(`--grpc takes HOST:PORT or off; not "${where}"`);
  const { startGrpc } = await import("../serve/grpc/server.ts");
  return startGrpc(engine, {
    host: listen.host,
    port: listen.port,
    ...(token === undefined ? {} : { token }),
    ...(config.tls === undefined ? {} : { tls: config.tls }),
    limits: limitsWith(config.limits),
    log,
  });
}

function reload(servers: readonly ({ reload(): void } | undefined)[], log: Log): void {
  try {
    for (const server of servers) server?.reload();
    log.line("info", "SIGHUP: certificate and key were read again");
  } catch (error) {
    log.line("error", "SIGHUP: the old certificate stays", { error: (error as Error).message });
  }
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      process.off("SIGINT", stop).off("SIGTERM", stop);
      resolve(signal);
    };
    process.on("SIGINT", stop).on("SIGTERM", stop);
  });
}

/** Exit 0: it would serve; 2: a setting is wrong, or a model cannot be served. */
function check(invocation: Invocation, config: ServeConfig, token: string | undefined): number {
  const { out } = invocation;
  const listen = parseListen(config.listen ?? usual.listen);
  if (token === undefined && "host" in listen && !listen.loopback) {
    throw new UsageError(`to listen on ${listen.host}, which others can reach, a token is needed (--token-file FILE)`);
  }
  out(`listen   ${config.listen ?? usual.listen}${config.tls === undefined ? "" : ", TLS"}\n`);
  if (config.models !== undefined) out(`gRPC     ${grpcWhere(config) === false ? "off" : grpcWhere(config)}\n`);
  out(`token    ${token === undefined ? "none: whoever reaches it may ask" : "needed"}\n`);
  out(`page     ${(config.dashboard?.show ?? true) ? "yes" : "no"}\n`);
  out(
    `metrics  ${(config.metrics ?? true) ? "yes" : "no"}${config.vendor === true ? ", of NVIDIA's library too" : ""}\n`,
  );
  for (const [name, value] of Object.entries(config.limits ?? {})) out(`limit    ${name} ${value}\n`);
  if (config.models === undefined) {
    out("models   none: no --models\n");
    return 0;
  }
  return checkModels(config.models, out);
}

function checkModels(directory: string, out: (text: string) => void): number {
  let wrong = 0;
  const found = scan(directory);
  for (const { name, versions, problem } of found) {
    if (problem !== undefined || versions.length === 0) {
      wrong++;
      out(`model    ${name}: ${problem ?? "no version of it is there"}\n`);
    }
    for (const { version, problem: own } of versions) {
      if (own !== undefined) wrong++;
      out(`model    ${name} ${version}${own === undefined ? "" : `: ${own}`}\n`);
    }
  }
  if (found.length === 0) out("models   none in the directory\n");
  return wrong > 0 ? 2 : 0;
}

function scan(directory: string): ReturnType<typeof scanModels> {
  try {
    return scanModels(directory);
  } catch (error) {
    if (error instanceof CannotError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
