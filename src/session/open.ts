/**
 * Opens a model where choose.ts says, the first candidate that can. A device that was asked for and cannot be used is an error; the
 * CPU runs in its place only where the caller allows it, and then the result says so. What comes from no package that this project
 * pins works in a process of its own.
 */

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { CannotError, FileError } from "../base/errors.ts";
import { installing } from "../base/package.ts";
import type { Delegate, OpenOptions, Session } from "../delegates/delegate.ts";
import { delegates } from "../delegates/index.ts";
import { isolate, type Limits, type RunOptions } from "../host/isolate.ts";
import { describeFile, isModel, noModelSentence, type Described } from "../inspect/describe.ts";
import { openRoot } from "../root/open.ts";
import type { Root } from "../root/root.ts";
import type { ProofRun } from "../proof/proof.ts";
import { checkBeside } from "./beside.ts";
import { deviceProver, processorProver } from "./prove.ts";
import { choose, type Candidate, type PassedOver, type Wish } from "./choose.ts";

export interface SessionOptions {
  /** "auto" (the default), "cpu", or a family of the catalogue, with ":1" the second of its kind. */
  readonly device?: string;
  /** Id of a delegate (docs/delegates.md): no other is tried. */
  readonly delegate?: string;
  /** A route of the catalogue, by its name. */
  readonly route?: string;
  /** Let the CPU run what the device cannot. */
  readonly fallback?: "cpu";
  /** The runtime's library, and what the device's maker ships to be loaded into it; paths. */
  readonly library?: string;
  readonly plugin?: string;
  /** For the plugin or the device, as its documentation spells them. */
  readonly options?: Readonly<Record<string, string>>;
  /** Threads of one run; the runtime's own choice when absent. */
  readonly threads?: number;
  /** Measure what a run is made of, where the runtime can. */
  readonly profile?: boolean;
  /** Of a process of its own; see Limits for what holds when nothing is said. */
  readonly limits?: Partial<Limits>;
  /** Even the embedded default works in a process of its own: for files of strangers, which can crash any runtime. */
  readonly isolate?: boolean;
  /** Directories to look for libraries in besides the usual: Python environments, SDKs. */
  readonly environments?: readonly string[];
  /** The machine that is reviewed; the live one. */
  readonly machine?: Root;
  /** Ends opening. */
  readonly signal?: AbortSignal;
  /** Asked before a candidate is opened; a CannotError it throws is why the candidate is passed over. */
  readonly admit?: (candidate: Candidate) => void;
}

export interface Opened {
  readonly session: Session & {
    run(inputs: Parameters<Session["run"]>[0], options?: RunOptions): ReturnType<Session["run"]>;
  };
  readonly delegate: Delegate;
  readonly described: Described;
  readonly candidate: Candidate;
  /** It may work in the caller's process, whether it does or not. */
  readonly embedded: boolean;
  /** Reads the kernel's counters of the device; finish() reads them again and says which device worked. */
  readonly prove: () => ProofRun;
  readonly passed: readonly PassedOver[];
  /** Why not the device that was asked for; only with `fallback`. */
  readonly instead?: string;
}

/** Throws UsageError (no such delegate or device), CannotError (nothing runs it there), FileError (the model). */
export async function openSession(model: string, options: SessionOptions = {}): Promise<Opened> {
  const described = describeFile(model);
  if (!isModel(described)) throw new FileError(model, noModelSentence(described));
  const wish: Wish = {
    ...options,
    ...pathOf("library", options.library),
    ...pathOf("plugin", options.plugin),
    device: options.device ?? "auto",
    fallback: options.fallback === "cpu",
  };
  const machine = (): Root => options.machine ?? openRoot();
  const { candidates, passed: early } = choose(described, machine, wish);
  if (candidates.length > 0) checkBeside(model, described.model);
  const tried: PassedOver[] = [];
  for (const candidate of candidates) {
    try {
      const { at } = candidate;
      options.admit?.(candidate);
      const prover = at === undefined ? processorProver(machine) : await deviceProver(machine(), at);
      const session = await openBy(candidate, model, forCandidate(options, candidate, candidates));
      const asked = (wish.device !== "auto" && wish.device !== "cpu") || wish.route !== undefined;
      const instead = asked && candidate.device === "cpu" && candidate.route === undefined;
      return {
        session,
        delegate: candidate.delegate,
        described,
        candidate,
        embedded: isEmbedded(candidate),
        prove: () => prover.start("pid" in session && typeof session.pid === "number" ? session.pid : process.pid),
        passed: [...early, ...tried],
        // What another delegate lacks for the CPU is no reason.
        ...(instead
          ? {
              instead: sentence(
                wish,
                [...tried, ...early].filter((one) => !onCpu(one)),
              ),
            }
          : {}),
      };
    } catch (error) {
      if (!(error instanceof CannotError || error instanceof FileError)) throw error;
      // The only one there is has all to say.
      if (candidates.length === 1 && (wish.device === "cpu" || early.every(onCpu))) throw error;
      tried.push({ what: nameOf(candidate), because: error.message });
    }
  }
  const { id } = described.format;
  // What was tried has more to say than what was not.
  const passed = [...tried, ...early];
  if (passed.length === 0) throw new CannotError(nobodySentence(id, wish.delegate));
  throw new CannotError(`${sentence(wish, passed, id)}${hint(wish, passed)}`);
}

/** No delegate takes the format, or none that was named, or none whose device is here. */
function nobodySentence(format: string, named: string | undefined): string {
  const takers = delegates.filter(({ id, formats }) => formats.includes(format) && (named ?? id) === id);
  const [first] = takers;
  if (first !== undefined) {
    const devices = [...new Set(takers.flatMap((one) => one.devices))].join(", ");
    return `${format} runs on ${devices} by ${takers.map(({ id }) => id).join(" or ")}, and no such device is here`;
  }
  const formats = (all: readonly Delegate[]): string =>
    [...new Set(all.flatMap((one) => one.formats))].sort().join(", ");
  const own = delegates.find(({ id }) => id === named);
  if (own === undefined) return `no delegate here runs ${format}; formats that are run: ${formats(delegates)}`;
  const what = own.formats.length === 0 ? "no format" : formats([own]);
  return `the delegate ${own.id} does not run ${format}; it runs ${what}`;
}

/**
 * A library as it was named: never one of the same name that the loader would find elsewhere, which is what a name without a slash
 * means to dlopen(3).
 */
function pathOf(option: "library" | "plugin", path: string | undefined): Partial<Record<typeof option, string>> {
  if (path === undefined) return {};
  let file: boolean;
  try {
    file = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch (cause) {
    // EACCES, ELOOP, ENAMETOOLONG
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new CannotError(`${path}: ${code}`, { cause });
  }
  if (!file) throw new CannotError(`${path}: no such file`);
  return { [option]: resolve(path) };
}

const onCpu = ({ what }: PassedOver): boolean => what.endsWith(" on cpu");

/** "by route open of rockchip", "onnxruntime on cpu" */
const nameOf = ({ delegate, device, route }: Candidate): string =>
  route === undefined ? `${delegate.id} on ${device}` : `${device} by route ${route}`;

function sentence({ device }: Wish, passed: readonly PassedOver[], format?: string): string {
  const all = passed.map(({ what, because }) => (what === device ? because : `${what}: ${because}`)).join("; ");
  const what = format === undefined ? "it" : format;
  return device === "auto" ? `nothing here runs ${what}: ${all}` : `${device} does not run ${what}: ${all}`;
}

function isEmbedded({ delegate, device, paths }: Candidate): boolean {
  const found = delegate.find(paths);
  return found.state === "read" && found.value.embedded === true && paths.plugin === undefined && device === "cpu";
}

/** What would help. */
function hint(wish: Wish, passed: readonly PassedOver[]): string {
  const [install] = passed.flatMap((one) => one.install ?? []);
  if (install !== undefined) return `; to have the CPU run it: ${installing(install)}`;
  const settled = wish.fallback || wish.device === "auto" || wish.device === "cpu";
  return settled ? "" : "; --device cpu, or --fallback cpu of run, would let the CPU run it";
}

/** What was meant for the plugin of a device that failed is nothing to the CPU in its place. */
function forCandidate(options: SessionOptions, { paths }: Candidate, [first]: readonly Candidate[]): SessionOptions {
  if (paths.plugin !== undefined || first?.paths.plugin === undefined) return options;
  return { ...options, options: {} };
}

async function openBy(candidate: Candidate, model: string, options: SessionOptions): Promise<Opened["session"]> {
  const { delegate, device, paths } = candidate;
  const { threads, profile, signal } = options;
  const given: Omit<OpenOptions, "lending"> = {
    ...paths,
    device,
    ...(threads === undefined ? {} : { threads }),
    ...(profile === undefined ? {} : { profile }),
    ...(options.options === undefined ? {} : { options: options.options }),
  };
  if (!isEmbedded(candidate) || options.isolate === true) {
    return isolate(delegate, model, given, options.limits, signal);
  }
  signal?.throwIfAborted();
  const session = await delegate.open(model, given);
  if (signal?.aborted === true) await session.close();
  signal?.throwIfAborted();
  return inTime(session, delegate.name);
}

/**
 * The embedded default cannot be ended, only left: it computes on while the caller has an answer. The outputs are lost then.
 */
function inTime(session: Session, name: string): Opened["session"] {
  const run = session.run.bind(session);
  return Object.assign(session, {
    run(
      inputs: Parameters<Session["run"]>[0],
      { timeout_ms: within, signal }: RunOptions = {},
    ): ReturnType<Session["run"]> {
      if (within === undefined && signal === undefined) return run(inputs);
      return new Promise((done, failed) => {
        signal?.throwIfAborted();
        const late = (): void => failed(new CannotError(`${name} gave no answer within ${String(within)} ms`));
        const timer = within === undefined ? undefined : setTimeout(late, within);
        const abort = (): void => failed(signal?.reason as Error);
        signal?.addEventListener("abort", abort);
        void run(inputs)
          .then(done, failed)
          .finally(() => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", abort);
          });
      });
    },
  });
}
