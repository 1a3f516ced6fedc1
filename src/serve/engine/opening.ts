/**
 * Opens one version of a model as its config says, tries it, and finds out whether its requests can be computed together.
 * Where the runtime may work in this process, a process of its own has shown first that the model runs
 * (docs/decisions/061-models-in-the-server.md).
 */

import { isAbsolute, join } from "node:path";
import { CannotError, MishapError } from "../../base/errors.ts";
import type { Port } from "../../delegates/delegate.ts";
import type { Root } from "../../root/root.ts";
import { openSession, type Opened, type SessionOptions } from "../../session/open.ts";
import { makeValues, probeBatch, unbatchable, type Values } from "./batching.ts";
import { BATCH_LIMIT, DEFAULT_BATCH, type ModelConfig } from "./config.ts";
import type { Locks } from "./lock.ts";
import { publicWords } from "./words.ts";

export type ModelSession = Opened["session"];

export interface OpenedModel {
  /** One for each instance. */
  readonly sessions: readonly ModelSession[];
  /** Each works in a process of its own. */
  readonly isolated: boolean;
  readonly format: string;
  readonly delegate: string;
  /** As callers are told; and which of the machine's it is, for those who share it. */
  readonly device: string;
  readonly at: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Numbers of rows that are computed together, ascending; empty: none are. */
  readonly batches: readonly number[];
  /** Why none are; absent where they are. */
  readonly unbatched?: string;
  readonly streams: boolean;
  /** What it was tried with; undefined where nothing could be made that it takes. */
  readonly warm: Values | undefined;
  /** What an operator may want to know: sentences. */
  readonly notes: readonly string[];
  /** Lets go of the device's lock; after the sessions were closed. */
  readonly release: () => void;
}

export interface OpeningOptions {
  readonly config: ModelConfig;
  /** Where paths of the config begin. */
  readonly folder: string;
  readonly locks: Locks;
  readonly machine?: Root;
  readonly environments?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Runs before a model serves: the first ones of a runtime allocate and plan. */
const WARM_RUNS = 2;

/** Throws what openSession() throws; CannotError for a config that the model does not fit. */
export async function openModel(path: string, opening: OpeningOptions): Promise<OpenedModel> {
  const { config } = opening;
  let release = (): void => undefined;
  const options: SessionOptions = {
    ...sessionOptions(opening),
    admit(candidate) {
      // The one before it could not be opened, or it is another instance of the same.
      const before = release;
      release = opening.locks.take(candidate, config.exclusive);
      before();
    },
  };
  const opened: Opened[] = [];
  try {
    const first = await openSession(path, { ...options, isolate: config.isolate !== false });
    opened.push(first);
    const tried = await tryOut(first.session, config);
    const isolated = !first.embedded || config.isolate !== false;
    const here = isolated && config.isolate === undefined && first.embedded && isPredictable(first, tried);
    if (here) {
      const own = await openSession(path, { ...options, isolate: false });
      opened.push(own);
      await warmUp(own.session, config, tried);
      opened.shift();
      await first.session.close();
    }
    const more = Array.from({ length: (config.instances ?? 1) - 1 }, async () => {
      const another = await openSession(path, { ...options, isolate: isolated && !here });
      opened.push(another);
      await warmUp(another.session, config, tried);
    });
    // All of them, so that each is closed when one fails.
    for (const result of await Promise.allSettled(more)) if (result.status === "rejected") throw result.reason;
    const { session, described, delegate, candidate } = opened[0] ?? first;
    return {
      sessions: opened.map((one) => one.session),
      isolated: isolated && !here,
      format: described.format.id,
      delegate: delegate.id,
      device: session.placement.device,
      at: candidate.at?.id ?? session.placement.device,
      inputs: session.inputs,
      outputs: session.outputs,
      batches: tried.batches,
      ...(tried.unbatched === undefined ? {} : { unbatched: tried.unbatched }),
      streams: session.stream !== undefined,
      warm: tried.warm,
      release,
      notes: [...(first.instead === undefined ? [] : [first.instead]), ...tried.notes],
    };
  } catch (error) {
    await Promise.all(opened.map(({ session }) => session.close()));
    release();
    throw error;
  }
}

function sessionOptions({ config, folder, machine, environments, signal }: OpeningOptions): SessionOptions {
  const { device, delegate, route, fallback, options, threads, open_ms, run_ms, memory_bytes: memory } = config;
  const at = (path: string): string => (isAbsolute(path) ? path : join(folder, path));
  return {
    ...(device === undefined ? {} : { device }),
    ...(delegate === undefined ? {} : { delegate }),
    ...(route === undefined ? {} : { route }),
    ...(fallback === undefined ? {} : { fallback }),
    ...(config.library === undefined ? {} : { library: at(config.library) }),
    ...(config.plugin === undefined ? {} : { plugin: at(config.plugin) }),
    ...(options === undefined ? {} : { options }),
    ...(threads === undefined ? {} : { threads }),
    limits: {
      ...(open_ms === undefined ? {} : { open_ms }),
      ...(run_ms === undefined ? {} : { run_ms }),
      ...(memory === undefined ? {} : { memory }),
    },
    ...(machine === undefined ? {} : { machine }),
    ...(environments === undefined ? {} : { environments }),
    ...(signal === undefined ? {} : { signal }),
  };
}

interface Tried {
  readonly warm: Values | undefined;
  readonly batches: readonly number[];
  readonly unbatched?: string;
  readonly notes: readonly string[];
}

async function tryOut(session: ModelSession, config: ModelConfig): Promise<Tried> {
  const asked = config.max_batch;
  const forced = asked !== undefined && asked > 1;
  const impossible = (why: string): CannotError =>
    new CannotError(`/max_batch of its config is ${String(asked)}, but ${why}`);
  // A text takes as long as it takes.
  if (session.stream !== undefined) {
    if (forced) throw impossible("it writes texts");
    return { warm: undefined, batches: [], unbatched: "it writes texts", notes: [] };
  }
  const { inputs, outputs } = session;
  let warm: Values | undefined;
  let failure = "";
  try {
    warm = makeValues(inputs, config.warmup?.shapes ?? {}, undefined);
    await session.run(warm);
  } catch (error) {
    if (error instanceof MishapError || !(error instanceof CannotError)) throw error;
    warm = undefined;
    failure = `no inputs could be made that it takes (${publicWords(error)}); /warmup/shapes of its config can name sizes`;
  }
  const notes = warm === undefined ? [failure] : [];
  const refused = asked !== undefined && asked < 2 ? "its config says so" : unbatchable(inputs, outputs);
  let unbatched = refused ?? (warm === undefined ? failure : undefined);
  unbatched ??= await probeBatch((values) => session.run(values), inputs, config.warmup?.shapes ?? {});
  if (unbatched === undefined) {
    const batches = sizes(asked ?? DEFAULT_BATCH, config.preferred_batch);
    const tried: Tried = { warm, batches, notes };
    await warmUp(session, config, tried);
    return tried;
  }
  if (forced) throw impossible(unbatched);
  const rows = inputs.some(({ shape }) => typeof shape[0] !== "number");
  if (warm !== undefined && rows) await tryRows(session, config);
  return { warm, batches: [], unbatched, notes };
}

/** Callers choose how many rows they give: it computes some, or refuses them, without going down. */
async function tryRows(session: ModelSession, { warmup }: ModelConfig): Promise<void> {
  for (const rows of [2, DEFAULT_BATCH]) {
    try {
      await session.run(makeValues(session.inputs, warmup?.shapes ?? {}, rows));
    } catch (error) {
      if (error instanceof MishapError || !(error instanceof CannotError)) throw error;
    }
  }
}

/** Each number of rows that will be seen, so that the first request pays for none. */
async function warmUp(session: ModelSession, { warmup }: ModelConfig, { warm, batches }: Tried): Promise<void> {
  if (warm === undefined) return;
  const runs = warmup?.runs ?? WARM_RUNS;
  for (let run = 0; run < runs; run++) await session.run(warm);
  for (const rows of batches) {
    const values = makeValues(session.inputs, warmup?.shapes ?? {}, rows);
    for (let run = 0; run < runs; run++) await session.run(values);
  }
}

function sizes(most: number, preferred: readonly number[] | undefined): number[] {
  const powers = Array.from({ length: Math.log2(BATCH_LIMIT) + 1 }, (_, power) => 2 ** power);
  const all = [...(preferred ?? powers), most].filter((size) => size > 1 && size <= most);
  return [...new Set(all)].sort((a, b) => a - b);
}

/**
 * It ran, and callers choose nothing about it but numbers and how many rows: what was seen of it in a process of its own is what
 * will be.
 */
function isPredictable({ session }: Opened, { warm }: Tried): boolean {
  const fixed = ({ type, shape }: Port): boolean =>
    type !== "string" && shape.every((size, at) => typeof size === "number" || at === 0);
  return warm !== undefined && session.inputs.every(fixed) && session.outputs.every(fixed);
}
