/**
 * Measures a model on several devices and delegates at once: opened one after the other, then run in turns, round by round, so that
 * what slows the machine for a while slows all of them; ratios are of rounds. Outputs are held against the first or against a reference.
 */

import { AccelctlError, UsageError } from "../base/errors.ts";
import { valueOf } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import {
  energySources,
  energyUnread,
  fastestClock,
  joulesBetween,
  readEnergy,
  readLoad,
  readMemory,
  readThrottling,
  throttled,
} from "./meters.ts";
import type { EnergySource } from "./meters.ts";
import type { Given } from "./inputs.ts";
import { openSession, type Opened, type SessionOptions } from "./open.ts";
import { askedWords, ownProcess, pidOf, report, type Contestant, type Entrant, type Reference } from "./contestant.ts";
import { median } from "./statistics.ts";

export interface BenchOptions {
  /** Where the model runs; the first is what others are held against. */
  readonly contestants: readonly SessionOptions[];
  readonly inputs: (opened: Opened) => Promise<Given>;
  /** For all timed rounds together. */
  readonly seconds: number;
  /** Of each contestant, instead of the time. */
  readonly runs?: number;
  /** Runs of each before any is counted; by time when absent. */
  readonly warmup?: number;
  /** Runs under way at once, for the throughput; 1: not measured apart. */
  readonly concurrency: number;
  /** What all outputs are held against. */
  readonly reference?: SessionOptions;
  readonly machine: Root;
  /** Told what is going on. */
  readonly progress?: (what: string) => void;
}

export interface Bench {
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  readonly assumed: readonly string[];
  readonly energy: EnergyFacts;
  /** A sentence for each sign; undefined where the machine shows none of the files that would tell. */
  readonly throttling?: readonly string[];
  /** Processes that wanted a processor before anything ran, mean of a minute. */
  readonly load?: number;
}

export interface EnergyFacts {
  readonly sources: readonly { readonly name: string; readonly path: string; readonly unit: EnergySource["unit"] }[];
  /** What the machine drew before anything was opened. */
  readonly rest_watts?: number;
  /** Why there is none, or less than there could be. */
  readonly says?: string;
}

const ROUNDS = 10;
/** Before it is counted: caches, clocks and compilers settle. */
const WARMUP_MS = 300;
const REST_MS = 250;
/** Times of one contestant that are kept: beyond, a model of microseconds would fill the memory. */
const TIMES_LIMIT = 1_000_000;

/** Throws what the first contestant throws where none can be opened. */
export async function runBench(model: string, options: BenchOptions): Promise<Bench> {
  const { machine, progress = () => undefined } = options;
  const sources = energySources(machine);
  const load = valueOf(readLoad(machine));
  progress("measuring the machine at rest");
  const rest = await restWatts(sources);
  const before = readThrottling(machine);
  const entrants: Entrant[] = [];
  const assumed = new Set<string>();
  try {
    for (const wish of options.contestants) {
      progress(`opening ${askedWords(wish)}`);
      entrants.push(await enter(model, wish, options, entrants, assumed));
    }
    const [first] = entrants;
    if (!entrants.some(({ error }) => error === undefined) && first?.error !== undefined) throw first.error;
    const rounds = await compete(entrants, sources, options, progress);
    const reference =
      options.reference === undefined ? undefined : await outputsOf(model, options.reference, options, progress);
    const after = readThrottling(machine);
    const readings = readEnergy(sources);
    const says = energyUnread(sources, readings);
    return {
      contestants: entrants.map((one) =>
        report(one, entrants, {
          ...(reference === undefined ? {} : { reference }),
          ...(rest === undefined ? {} : { rest }),
          machine,
          concurrency: options.concurrency,
        }),
      ),
      rounds: rounds.count,
      assumed: [...assumed],
      energy: {
        sources: sources
          .filter((_, at) => readings[at]?.state === "read")
          .map(({ name, path, unit }) => ({ name, path, unit })),
        ...(rest === undefined ? {} : { rest_watts: rest }),
        ...(says === undefined ? {} : { says }),
      },
      ...(after.size === 0 && rounds.clocks.length === 0
        ? {}
        : { throttling: [...throttled(before, after), ...slowed(rounds.clocks)] }),
      ...(load === undefined ? {} : { load }),
    };
  } finally {
    for (const { opened } of entrants) await opened?.session.close();
  }
}

async function enter(
  model: string,
  wish: SessionOptions,
  { inputs, machine, warmup }: BenchOptions,
  others: readonly Entrant[],
  assumed: Set<string>,
): Promise<Entrant> {
  const entrant: Entrant = {
    wish,
    resident: 0,
    times: [],
    medians: [],
    joules: 0,
    energyRuns: 0,
    energySeconds: 0,
    estimated: false,
    loaded: { runs: 0, seconds: 0, times: [] },
    figures: new Map(),
  };
  const base = valueOf(readMemory(machine, process.pid))?.resident_bytes;
  if (base !== undefined) entrant.base = base;
  try {
    let start = performance.now();
    let opened = await openSession(model, { ...wish, isolate: true });
    entrant.opened = opened;
    let given = await inputs(opened);
    if (opened.embedded && wish.isolate !== true) {
      // What crashes its process in a first run is not let into this one.
      await opened.session.run(given.values);
      await opened.session.close();
      start = performance.now();
      entrant.opened = opened = await openSession(model, wish);
      given = await inputs(opened);
    }
    const openMs = performance.now() - start;
    entrant.given = given;
    for (const what of given.assumed) assumed.add(what);
    const proof = opened.prove();
    const begun = performance.now();
    entrant.outputs = (await opened.session.run(given.values)).outputs;
    const same = (other: Entrant): boolean => other.opened?.delegate.id === opened.delegate.id && !ownProcess(opened);
    entrant.cold = { open_ms: openMs, first_run_ms: performance.now() - begun, loaded_before: others.some(same) };
    const until = performance.now() + WARMUP_MS;
    for (let run = 0; warmup === undefined ? performance.now() < until : run < warmup; run++) {
      await opened.session.run(given.values);
    }
    entrant.proof = await proof.finish();
  } catch (error) {
    await fail(entrant, error);
  }
  return entrant;
}

/** Its sentence is kept and the others go on. A wrong word is the caller's to mend first, and what is no error of ours is a bug. */
async function fail(entrant: Entrant, error: unknown): Promise<void> {
  if (!(error instanceof AccelctlError) || error instanceof UsageError) throw error;
  entrant.error = error;
  await entrant.opened?.session.close();
  delete entrant.opened;
}

interface Rounds {
  readonly count: number;
  /** Of the fastest core at the end of each round; empty where cpufreq does not tell. */
  readonly clocks: readonly number[];
}

async function compete(
  entrants: readonly Entrant[],
  sources: readonly EnergySource[],
  { seconds, runs, concurrency, machine }: BenchOptions,
  progress: (what: string) => void,
): Promise<Rounds> {
  const count = runs === undefined ? ROUNDS : Math.max(1, Math.min(ROUNDS, runs));
  const running = (): readonly Entrant[] => entrants.filter(({ error }) => error === undefined);
  const share = concurrency > 1 ? 2 : 1;
  const clocks: number[] = [];
  for (let round = 0; round < count; round++) {
    const slice = (seconds * 1000) / (count * share * Math.max(1, running().length));
    // Each is the first in some rounds.
    const order = entrants.map((_, at) => entrants[(at + round) % entrants.length]).filter((one) => one !== undefined);
    for (const entrant of order) {
      if (entrant.error !== undefined) continue;
      progress(`round ${round + 1} of ${count}: ${askedWords(entrant.wish)}`);
      const wanted =
        runs === undefined ? undefined : Math.ceil((runs * (round + 1)) / count) - Math.ceil((runs * round) / count);
      await measured(entrant, round, sources, machine, { slice, ...(wanted === undefined ? {} : { runs: wanted }) });
      if (concurrency > 1) await crowded(entrant, concurrency, slice);
    }
    const clock = fastestClock(machine);
    if (clock !== undefined) clocks.push(clock);
  }
  return { count, clocks };
}

async function measured(
  entrant: Entrant,
  round: number,
  sources: readonly EnergySource[],
  machine: Root,
  { slice, runs }: { readonly slice: number; readonly runs?: number },
): Promise<void> {
  const { opened, given } = entrant;
  if (opened === undefined || given === undefined) return;
  const times: number[] = [];
  const energy = readEnergy(sources);
  const start = performance.now();
  try {
    do {
      const begun = performance.now();
      const ran = await opened.session.run(given.values);
      times.push(performance.now() - begun);
      for (const [name, value] of Object.entries(ran.figures ?? {})) {
        const known = entrant.figures.get(name) ?? [];
        if (known.length < TIMES_LIMIT) known.push(value);
        entrant.figures.set(name, known);
      }
    } while (runs === undefined ? performance.now() - start < slice : times.length < runs);
  } catch (error) {
    await fail(entrant, error);
    return;
  }
  const seconds = (performance.now() - start) / 1000;
  const after = readEnergy(sources);
  const joules = sources.map((source, at) => joulesBetween(source, energy[at], after[at], seconds));
  if (joules.some((value) => value !== undefined)) {
    entrant.joules += joules.reduce<number>((sum, value) => sum + (value ?? 0), 0);
    entrant.energyRuns += times.length;
    entrant.energySeconds += seconds;
    entrant.estimated ||= sources.some(({ unit }, at) => unit === "watts" && joules[at] !== undefined);
  }
  // One by one: a hundred thousand arguments are more than a call takes.
  if (entrant.times.length + times.length <= TIMES_LIMIT) for (const time of times) entrant.times.push(time);
  entrant.medians[round] = median(times);
  const memory = valueOf(readMemory(machine, pidOf(opened)));
  if (memory !== undefined) entrant.resident = Math.max(entrant.resident, memory.resident_bytes);
}

/** As many runs under way as wanted, until the time is over. */
async function crowded(entrant: Entrant, concurrency: number, slice: number): Promise<void> {
  const { opened, given, loaded } = entrant;
  if (opened === undefined || given === undefined) return;
  const start = performance.now();
  const one = async (): Promise<void> => {
    do {
      const begun = performance.now();
      await opened.session.run(given.values);
      loaded.runs++;
      if (loaded.times.length < TIMES_LIMIT) loaded.times.push(performance.now() - begun);
    } while (performance.now() - start < slice);
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, one));
  } catch (error) {
    await fail(entrant, error);
  }
  loaded.seconds += (performance.now() - start) / 1000;
}

async function outputsOf(
  model: string,
  wish: SessionOptions,
  { inputs }: BenchOptions,
  progress: (what: string) => void,
): Promise<Reference> {
  progress(`running the reference, ${askedWords(wish)}`);
  const opened = await openSession(model, wish);
  try {
    const { outputs } = await opened.session.run((await inputs(opened)).values);
    return {
      name: `${opened.delegate.id} on ${opened.session.placement.device}`,
      opened: { outputs: opened.session.outputs },
      outputs,
    };
  } finally {
    await opened.session.close();
  }
}

async function restWatts(sources: readonly EnergySource[]): Promise<number | undefined> {
  if (sources.length === 0) return undefined;
  const before = readEnergy(sources);
  const start = performance.now();
  await new Promise((done) => setTimeout(done, REST_MS));
  const seconds = (performance.now() - start) / 1000;
  const after = readEnergy(sources);
  const joules = sources.map((source, at) => joulesBetween(source, before[at], after[at], seconds));
  if (joules.every((value) => value === undefined)) return undefined;
  return joules.reduce<number>((sum, value) => sum + (value ?? 0), 0) / seconds;
}

/** The fastest core's clock of the last rounds against that of the first. */
function slowed(clocks: readonly number[]): string[] {
  const third = Math.floor(clocks.length / 3);
  if (third === 0) return [];
  const [early, late] = [median(clocks.slice(0, third)), median(clocks.slice(-third))];
  const gigahertz = (hertz: number): string => `${(hertz / 1e9).toFixed(2)} GHz`;
  return late < 0.9 * early ? [`the fastest core's clock fell from ${gigahertz(early)} to ${gigahertz(late)}`] : [];
}
