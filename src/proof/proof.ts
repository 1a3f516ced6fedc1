/**
 * Proof of run: the kernel's counters of a device, read before and after, and what they say. Around one run:
 *
 *     const run = startProof(root, device, { pids: [child] });
 *     await session.run(inputs);
 *     const proof = await run.finish();
 *
 * or, where rest can be measured and many runs follow, openProof(root, device), `await prover.rest(20)` before the session is opened,
 * then prover.start([child]) around each run.
 */

import { valueOf, type Reading } from "../base/reading.ts";
import { readHolders } from "../facts/processes.ts";
import type { Root } from "../root/root.ts";
import { applies, driverOf, type Counter, type CounterKind, type Sample, type Target } from "./counter.ts";
import { counterKinds } from "./counters/index.ts";
import { judge, type Observation, type Others, type Proof } from "./verdict.ts";

/** A still counter is looked at again this much later: some drivers add a client's time when its context is switched out. */
const SETTLE_MS = 5;

export interface ProofOptions {
  /** Processes that run the model: a child of ours, ourselves. */
  readonly pids: readonly number[];
  /** Milliseconds; 5 when absent. Waited only where nothing moved yet. */
  readonly settle_ms?: number;
}

export interface ProofRun {
  /** Reads again and judges. Looks into other processes only where a counter of the whole device moved. */
  finish(): Promise<Proof>;
}

export interface Prover {
  /** Counters of the whole device that are there. */
  readonly counters: readonly Counter[];
  /** Measures how the counters go while the device has nothing of ours to do. Before a session opens it, or between runs. */
  rest(milliseconds: number): Promise<void>;
  /** Reads all counters. */
  start(pids: readonly number[], options?: Pick<ProofOptions, "settle_ms">): ProofRun;
}

/** Counters there are for a device, on this machine: of the device, of the processes that run, and their processor time. */
export function counters(root: Root, target: Target, pids: readonly number[] = []): readonly Counter[] {
  return kindsFor(target).flatMap((kind) => kind.find(root, target, pids));
}

/** Without a measure of rest; one reading now. */
export function startProof(root: Root, target: Target, { pids, settle_ms }: ProofOptions): ProofRun {
  return openProof(root, target).start(pids, settle_ms === undefined ? {} : { settle_ms });
}

/** Finds the device's counters, once for many runs. */
export function openProof(root: Root, target: Target): Prover {
  const kinds = kindsFor(target);
  const ofDevice = kinds.filter((kind) => kind.of === "device").flatMap((kind) => kind.find(root, target, []));
  const ofRun = kinds.filter((kind) => kind.of !== "device");
  const idle = new Map<Counter, number>();
  return {
    counters: ofDevice,
    async rest(milliseconds) {
      const start = performance.now();
      const before = readAll(ofDevice);
      await sleep(milliseconds);
      const elapsed = performance.now() - start;
      const after = readAll(ofDevice);
      for (const [at, counter] of ofDevice.entries()) {
        const [from, to] = [valueOfSample(before[at]), valueOfSample(after[at])];
        if (from !== undefined && to !== undefined && to >= from) idle.set(counter, (to - from) / elapsed);
      }
    },
    start(pids, { settle_ms: settle = SETTLE_MS } = {}) {
      const all = [...ofDevice, ...ofRun.flatMap((kind) => kind.find(root, target, pids))];
      const before = readAll(all);
      const start = performance.now();
      return { finish: () => finish(root, target, { all, before, start, pids, settle, idle }) };
    },
  };
}

interface Begun {
  readonly all: readonly Counter[];
  readonly before: readonly Reading<Sample>[];
  readonly start: number;
  readonly pids: readonly number[];
  readonly settle: number;
  readonly idle: ReadonlyMap<Counter, number>;
}

async function finish(root: Root, target: Target, begun: Begun): Promise<Proof> {
  const { all, before, start, pids, settle, idle } = begun;
  const elapsed = performance.now() - start;
  let after = readAll(all);
  let known: Others | undefined;
  const others = (): Others => (known ??= findOthers(root, target, pids));
  const verdict = (window_ms: number): Proof => {
    const observations = all.map((counter, at): Observation => {
      const rate = idle.get(counter);
      const unread = { state: "absent", from: counter.path } as const;
      const [from, to] = [before[at] ?? unread, after[at] ?? unread];
      return { counter, before: from, after: to, ...(rate === undefined ? {} : { idle_per_ms: rate }) };
    });
    return judge(observations, { bus: target.bus, elapsed_ms: elapsed, window_ms, others });
  };
  const first = verdict(elapsed);
  if (first.verdict === "worked" || settle <= 0) return first;
  await sleep(settle);
  // What the processor did meanwhile is not the run's.
  const later = readAll(all);
  after = all.map(({ kind }, at) => (kind.of === "processor" ? after[at] : later[at]) ?? later[at] ?? absentOf(kind));
  return verdict(performance.now() - start);
}

const absentOf = (kind: CounterKind): Reading<Sample> => ({ state: "absent", from: kind.id });

const kindsFor = (target: Target): readonly CounterKind[] =>
  counterKinds.filter((kind) => applies(kind, target.bus, [driverOf(target)]));

const readAll = (all: readonly Counter[]): readonly Reading<Sample>[] => all.map((counter) => counter.read());

const valueOfSample = (reading: Reading<Sample> | undefined): number | undefined =>
  reading === undefined ? undefined : valueOf(reading)?.value;

const sleep = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

/** Holders of the device's nodes that are not of the run. */
function findOthers(root: Root, target: Target, pids: readonly number[]): Others {
  const nodes = target.nodes.map(({ path }) => path);
  // Without a node to look for, nobody can be found, nor ruled out.
  const holders = nodes.length === 0 ? undefined : valueOf(readHolders(root, nodes));
  if (holders === undefined) return { held_by: [] };
  const held = new Map(holders.holders.filter(({ pid }) => !pids.includes(pid)).map((one) => [one.pid, one.command]));
  return { held_by: [...held].map(([pid, command]) => ({ pid, command })), blind: holders.blind };
}
