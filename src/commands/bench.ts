/** accelctl bench: how fast a model runs, on several devices and by several delegates, side by side. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { cpus, hostname } from "node:os";
import { basename } from "node:path";
import { CannotError, UsageError } from "../base/errors.ts";
import { delegates } from "../delegates/index.ts";
import { benchText } from "../print/bench.ts";
import { openRoot } from "../root/open.ts";
import { runBench } from "../session/bench.ts";
import { BENCH_SCHEMA, type BenchResult } from "../session/bench-result.ts";
import { makeInputs } from "../session/inputs.ts";
import { historyPath, readHistory, writeHistory } from "../session/history.ts";
import type { SessionOptions } from "../session/open.ts";
import { flag, option, options, type Command, type Invocation, type OptionSpec } from "./command.ts";
import { toJson } from "./common.ts";
import { inputOptions, inputsOf, inputWishes } from "./input-options.ts";
import { progressOf } from "./progress.ts";
import { numberOption, sessionOptionSpecs, sessionOptionsOf } from "./session-options.ts";

const SECONDS = 5;
const SECONDS_LIMIT = 86_400;
const RUNS_LIMIT = 1_000_000;
const CONCURRENCY_LIMIT = 256;
const CONTESTANTS_LIMIT = 32;

/** Options that name one thing for run, and may name several here. */
const several: Readonly<Record<string, Partial<OptionSpec>>> = {
  device: { many: true },
  delegate: {
    many: true,
    value: "ID[=LIBRARY]",
    says: "only by this delegate, with the runtime's library at this path: two versions of one runtime can be held against each other",
  },
};

const command: Command = {
  name: "bench",
  summary: "measure a model on several devices and delegates, side by side",
  usage: "MODEL [INPUT]",
  says:
    "Opens a model on each --device and by each --delegate that is named (else where run would run it), and runs it in turns, so that " +
    "what slows the machine slows all alike. Prints the first run and the later ones, their quantiles, the ratio to the first of the " +
    "list, memory, energy where the kernel counts it, throttling where it was seen, how near the outputs are, and what changed since " +
    "the last bench of the same model here. Times go to the file $XDG_STATE_HOME/accelctl/bench.json (~/.local/state) and nowhere else.",
  options: [
    ...sessionOptionSpecs.filter(({ name }) => name !== "fallback").map((spec) => ({ ...spec, ...several[spec.name] })),
    ...inputOptions,
    { name: "seconds", value: "N", says: `time for all counted runs together (${SECONDS})` },
    { name: "runs", value: "N", says: "counted runs of each, instead of the time" },
    {
      name: "warmup",
      value: "N",
      says: "runs of each that are not counted, behind the first (as many as fit into 0.3 s)",
    },
    {
      name: "concurrency",
      value: "N",
      says: "also measure how many runs a second there are with so many under way (1: no)",
    },
    {
      name: "compare",
      value: "WHAT",
      says: "hold outputs against the CPU's (cpu), or a delegate's on the CPU (its id)",
    },
    { name: "no-history", says: "neither look at the last bench nor keep this one" },
    { name: "json", says: "print everything as JSON" },
  ],
  examples: [
    { command: "accelctl bench model.onnx", says: "how fast is it here, and has that changed?" },
    {
      command: "accelctl bench model.onnx --device cpu --device rockchip --compare cpu",
      says: "is the NPU faster, and are its outputs right?",
    },
    {
      command: "accelctl bench model.onnx --device cpu --delegate onnxruntime --delegate openvino",
      says: "which runtime is faster on this CPU?",
    },
  ],
  async run(invocation) {
    const [path, input, ...more] = invocation.args;
    if (path === undefined) throw new UsageError("bench needs a model file: accelctl bench MODEL");
    if (more.length > 0) throw new UsageError(`bench takes a model and an input; "${more[0] ?? ""}" is one too many`);
    const asked = inputWishes(invocation);
    const contestants = contestantsOf(invocation);
    const compare = option(invocation, "compare");
    const reference = compare === undefined ? undefined : referenceOf(compare, invocation);
    const concurrency = numberOption(invocation, "concurrency", CONCURRENCY_LIMIT) ?? 1;
    const runs = numberOption(invocation, "runs", RUNS_LIMIT);
    const warmup = option(invocation, "warmup") === "0" ? 0 : numberOption(invocation, "warmup", RUNS_LIMIT);
    const seconds = numberOption(invocation, "seconds", SECONDS_LIMIT) ?? SECONDS;
    const progress = progressOf(invocation);
    try {
      const bench = await runBench(path, {
        contestants,
        inputs: ({ session, described }) =>
          makeInputs(session.inputs, {
            ...inputsOf(invocation, session.inputs, input),
            ...asked,
            model: described.model,
          }),
        seconds,
        concurrency,
        machine: openRoot(),
        progress: progress.say,
        ...(runs === undefined ? {} : { runs }),
        ...(warmup === undefined ? {} : { warmup }),
        ...(reference === undefined ? {} : { reference }),
      });
      progress.end();
      const result: BenchResult = {
        schema: BENCH_SCHEMA,
        model: { name: basename(path), sha256: await sha256Of(path) },
        machine: { host: hostname(), cpu: cpus()[0]?.model.trim() ?? "", cores: cpus().length },
        settings: { ...(runs === undefined ? { seconds } : { runs }), concurrency },
        ...bench,
      };
      const told = flag(invocation, "no-history") ? result : withHistory(result, contestants, invocation);
      invocation.out(flag(invocation, "json") ? toJson(told) : benchText(told, invocation.terminal));
      // What was asked for by name and could not be used is an error, as everywhere.
      return told.contestants.some(({ error }) => error !== undefined) ? 3 : 0;
    } finally {
      progress.end();
    }
  },
};
export default command;

/** Every device by every delegate that is named. */
function contestantsOf(invocation: Invocation): SessionOptions[] {
  // Runs of the embedded default are measured as a program has them, in its own process.
  const base = { ...sessionOptionsOf(invocation), isolate: false };
  const [devices, ways] = [options(invocation, "device"), options(invocation, "delegate")];
  const list = (devices.length === 0 ? [undefined] : devices).flatMap((device) =>
    (ways.length === 0 ? [undefined] : ways).map((way) => {
      const [delegate, ...library] = way?.split("=") ?? [];
      return {
        ...base,
        ...(device === undefined ? {} : { device }),
        ...(delegate === undefined ? {} : { delegate }),
        ...(library.length === 0 ? {} : { library: library.join("=") }),
      };
    }),
  );
  if (list.length > CONTESTANTS_LIMIT)
    throw new UsageError(`${list.length} of --device and --delegate; ${CONTESTANTS_LIMIT} are the most`);
  return list;
}

function referenceOf(what: string, invocation: Invocation): SessionOptions {
  const { threads } = sessionOptionsOf(invocation);
  const base = { device: "cpu", isolate: true, ...(threads === undefined ? {} : { threads }) };
  if (what === "cpu") return base;
  if (delegates.some(({ id }) => id === what)) return { ...base, delegate: what };
  throw new UsageError(
    `--compare takes cpu or the id of a delegate (${delegates.map(({ id }) => id).join(", ")}); not "${what}"`,
  );
}

function sha256Of(path: string): Promise<string> {
  return new Promise((done, failed) => {
    const hash = createHash("sha256");
    createReadStream(path)
      .on("data", (chunk) => void hash.update(chunk))
      .on("end", () => done(hash.digest("hex")))
      .on("error", (cause) => failed(new CannotError(`${path}: cannot be read`, { cause })));
  });
}

function withHistory(result: BenchResult, wishes: readonly SessionOptions[], invocation: Invocation): BenchResult {
  const path = historyPath(process.env);
  const before = readHistory(path);
  const history = new Map(before);
  const when = new Date().toISOString();
  // What else may change the time, as a digest: paths of the user's are nobody's business.
  const settings = ["threads", "shape", "input", "option", "plugin"].map((name) =>
    options(invocation, name).join("\0"),
  );
  const rest = createHash("sha256");
  for (const text of [...settings, ...invocation.args.slice(1)]) rest.update(`${text}\n`);
  const digest = rest.digest("hex").slice(0, 16);
  const contestants = result.contestants.map((one, at) => {
    if (one.warm_ms === undefined || one.delegate === undefined) return one;
    const parts = [
      result.model.sha256,
      result.machine.host,
      one.device,
      one.delegate.id,
      one.delegate.version,
      digest,
      wishes[at]?.library ?? "",
    ];
    const key = parts.join(" ").trim();
    const last = before.get(key);
    history.set(key, { when, p50_ms: one.warm_ms.p50, min_ms: one.warm_ms.min, runs: one.warm_ms.count });
    return last === undefined ? one : { ...one, last: { ...last, ratio: one.warm_ms.p50 / last.p50_ms } };
  });
  const unkept = writeHistory(path, history);
  return { ...result, contestants, ...(unkept === undefined ? {} : { history: unkept }) };
}
