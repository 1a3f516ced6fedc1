/**
 * Runs cases one after another, and says over shared memory which one runs, so that the main thread sees one that does not end.
 * Started by tools/fuzz.mjs.
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";

import { AccelctlError } from "../../src/base/errors.ts";
import { mixed, seeded } from "./mutate.ts";
import { Peak } from "./peak.ts";
import { modelSeedBytes } from "./seeds/models.ts";
import { seedBytes } from "./seeds/real.ts";
import { targets } from "./targets/index.ts";
import { notFuzzed } from "./targets/models.ts";
import type { Case, Target } from "./target.ts";

interface Order {
  readonly seed: number;
  /** Cases of all targets of machines together, and of all of models. */
  readonly count: number;
  readonly models: number;
  /** Only targets whose name holds this. */
  readonly only: string | undefined;
  /** Only this case. */
  readonly one: number | undefined;
  /** Where to go on after a case that did not end. */
  readonly from: { readonly target: number; readonly index: number };
  /** Make the case `one` and hand back what goes in, without running it. */
  readonly show: boolean;
  /** [target, case, runs now] */
  readonly shared: SharedArrayBuffer;
}

/** Caches may fill in the first cases of a target; what is kept after those is a leak. */
const SETTLED = 60;
const FAILURES = 5;
const BREATH = 25;

const order = workerData as Order; // tools/fuzz.mjs makes it
const state = new Int32Array(order.shared);
const say = (message: object): void => parentPort?.postMessage(message);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // what the flag above defines

const exact = targets.filter(({ name }) => name === order.only);
const like = targets.filter(({ name }) => order.only === undefined || name.includes(order.only));
const chosen = exact.length > 0 ? exact : like;
/** Cases of one target. */
function casesOf({ share, group }: Target): number {
  const shares = chosen.reduce((sum, other) => sum + (other.group === group ? other.share : 0), 0);
  const count = group === "models" ? order.models : order.count;
  return count === 0 ? 0 : Math.max(1, Math.round((count * share) / shares));
}

if (!order.show) say({ kind: "ready" });
for (const [position, target] of chosen.entries()) {
  if (position < order.from.target) continue;
  if (order.show) show(target);
  else await runTarget(target, position);
}
say({ kind: "done", notFuzzed });

function makeCase(target: Target, index: number): Case {
  return target.make(seeded(mixed(order.seed, target.name, index)));
}

function show(target: Target): void {
  say({ kind: "input", target: target.name, input: makeCase(target, order.one ?? 0).input });
}

async function runTarget(target: Target, position: number): Promise<void> {
  const cases = casesOf(target);
  if (cases === 0) return;
  const first = order.one ?? (position === order.from.target ? order.from.index : 0);
  const end = order.one === undefined ? cases : first + 1;
  const row = {
    kind: "row",
    target: target.name,
    cases: 0,
    typed: 0,
    slowest: 0,
    slowestCase: 0,
    seconds: 0,
    keptBytes: 0,
    peakBytes: 0,
  };
  let failures = 0;
  let settled = 0;
  for (let index = first; index < end && failures < FAILURES; index++) {
    Atomics.store(state, 0, position);
    Atomics.store(state, 1, index);
    if (index === first + SETTLED) settled = await held();
    if (index % BREATH === 0) await new Promise((done) => setImmediate(done));
    const made = makeCase(target, index);
    Atomics.store(state, 2, 1);
    const memory = new Peak();
    const before = cpuMilliseconds();
    try {
      await made.run();
    } catch (error) {
      if (error instanceof AccelctlError) row.typed++;
      else {
        failures++;
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        say({ kind: "failure", target: target.name, index, why, input: made.input });
      }
    }
    const spent = cpuMilliseconds() - before;
    const grown = memory.grown();
    row.peakBytes = Math.max(row.peakBytes, grown);
    if (grown > (target.memory ?? Infinity)) {
      failures++;
      const why = `takes ${Math.round(grown / 1e6)} MB, over ${(target.memory ?? 0) / 1e6}`;
      say({ kind: "failure", target: target.name, index, why, input: made.input });
    }
    Atomics.store(state, 2, 0);
    row.cases++;
    row.seconds += spent / 1000;
    if (spent > row.slowest && index > first) [row.slowest, row.slowestCase] = [spent, index];
  }
  if (settled > 0) row.keptBytes = (await held()) - settled;
  say(row);
}

/** Of the whole process, collector's threads included; time in which the machine did something else is not counted. */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Native parts (of zlib) let go of their memory only when the event loop comes round. */
async function held(): Promise<number> {
  await new Promise((done) => setTimeout(done, 5));
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers - seedBytes() - modelSeedBytes();
}
