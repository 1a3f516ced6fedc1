/** One device and delegate in a bench: what was measured, and what it comes to beside the others. */

import { valueOf } from "../base/reading.ts";
import type { Value } from "../delegates/value.ts";
import type { Proof } from "../proof/verdict.ts";
import type { Root } from "../root/root.ts";
import type { Given } from "./inputs.ts";
import { readMemory } from "./meters.ts";
import type { Opened, SessionOptions } from "./open.ts";
import { parityOf, type Parity } from "./parity.ts";
import { median, ratioOf, summarize, type Ratio, type Summary } from "./statistics.ts";

export interface Contestant {
  /** As it was asked for: "auto", "openvino on cpu". */
  readonly asked: string;
  /** Why it did not run; nothing below then. */
  readonly error?: string;
  readonly delegate?: { readonly id: string; readonly version: string };
  readonly device?: string;
  readonly placement?: string;
  /** What the kernel's counters say of the first runs. */
  readonly proof?: Proof;
  /** A process of its own, where its library may not work in this one. */
  readonly own_process?: boolean;
  readonly cold?: { readonly open_ms: number; readonly first_run_ms: number; readonly loaded_before: boolean };
  readonly warm_ms?: Summary;
  /** To the first of the list, round by round. */
  readonly ratio?: Ratio;
  readonly throughput?: {
    readonly concurrency: number;
    readonly runs_per_second: number;
    readonly latency_ms?: Summary;
  };
  readonly memory?: { readonly resident_bytes: number; readonly grown_bytes?: number; readonly peak_bytes?: number };
  readonly energy?: { readonly joules_per_run: number; readonly over_rest?: number; readonly estimated: boolean };
  /** Medians of what the runtime measures itself. */
  readonly figures?: Readonly<Record<string, number>>;
  /** Against the reference, or the first of the list. */
  readonly parity?: { readonly to: string; readonly outputs: readonly Parity[]; readonly not: readonly string[] };
}

/** One contestant while it runs. */
export interface Entrant {
  readonly wish: SessionOptions;
  error?: Error;
  opened?: Opened;
  given?: Given;
  outputs?: ReadonlyMap<string, Value>;
  cold?: Contestant["cold"];
  proof?: Proof;
  /** Of this process before it was opened. */
  base?: number;
  resident: number;
  readonly times: number[];
  /** Median of each round; a hole where it did not run. */
  readonly medians: (number | undefined)[];
  joules: number;
  energyRuns: number;
  energySeconds: number;
  estimated: boolean;
  readonly loaded: { runs: number; seconds: number; readonly times: number[] };
  readonly figures: Map<string, number[]>;
}

/** Outputs that others are held against. */
export interface Reference {
  readonly name: string;
  readonly opened: Pick<Opened["session"], "outputs">;
  readonly outputs: ReadonlyMap<string, Value>;
}

export interface Beside {
  readonly reference?: Reference;
  /** What the machine draws at rest, watts. */
  readonly rest?: number;
  readonly machine: Root;
  readonly concurrency: number;
}

/** `all`: in the order in which they were asked for. */
export function report(
  entrant: Entrant,
  all: readonly Entrant[],
  { reference, rest, machine, concurrency }: Beside,
): Contestant {
  const asked = askedWords(entrant.wish);
  const { opened, cold, error } = entrant;
  if (error !== undefined || opened === undefined || cold === undefined) {
    return { asked, ...(error === undefined ? {} : { error: error.message }) };
  }
  const first = all.find((one) => one.error === undefined);
  const ratio = first === undefined || first === entrant ? undefined : ratioOf(entrant.medians, first.medians);
  const warm = summarize(entrant.times);
  const { runs, seconds, times } = entrant.loaded;
  const latency = summarize(times);
  const to = reference ?? (first === undefined || first === entrant ? undefined : asReference(first));
  const memory = memoryOf(entrant, opened, machine);
  const energy = energyOf(entrant, rest);
  return {
    asked,
    delegate: { id: opened.delegate.id, version: opened.session.version },
    device: opened.session.placement.device,
    placement: opened.session.placement.says,
    ...(entrant.proof === undefined ? {} : { proof: entrant.proof }),
    own_process: ownProcess(opened),
    cold,
    ...(warm === undefined ? {} : { warm_ms: warm }),
    ...(ratio === undefined ? {} : { ratio }),
    ...(runs === 0
      ? {}
      : {
          throughput: {
            concurrency,
            runs_per_second: runs / seconds,
            ...(latency === undefined ? {} : { latency_ms: latency }),
          },
        }),
    ...(memory === undefined ? {} : { memory }),
    ...(energy === undefined ? {} : { energy }),
    ...(entrant.figures.size === 0
      ? {}
      : { figures: Object.fromEntries([...entrant.figures].map(([name, values]) => [name, median(values)])) }),
    ...(to === undefined ? {} : { parity: { to: to.name, ...compared(entrant, opened, to) } }),
  };
}

function asReference({ opened, outputs }: Entrant): Reference | undefined {
  if (opened === undefined || outputs === undefined) return undefined;
  return { name: `${opened.delegate.id} on ${opened.session.placement.device}`, opened: opened.session, outputs };
}

/** By name, and by place where a runtime has its own names. */
function compared({ outputs }: Entrant, { session }: Opened, to: Reference): { outputs: Parity[]; not: string[] } {
  const theirs = [...to.outputs];
  const results = [...(outputs ?? [])].map(([name, value], at) => {
    const [otherName, other] = to.outputs.has(name) ? [name, to.outputs.get(name)] : (theirs[at] ?? [name, undefined]);
    if (other === undefined) return `${name}: there is no such output there`;
    const own = session.outputs.find((port) => port.name === name);
    const its = to.opened.outputs.find((port) => port.name === otherName);
    return parityOf(name, value, other, {
      ...(own === undefined ? {} : { value: own }),
      ...(its === undefined ? {} : { reference: its }),
    });
  });
  return {
    outputs: results.filter((one) => typeof one !== "string"),
    not: results.filter((one) => typeof one === "string"),
  };
}

function memoryOf({ base, resident }: Entrant, opened: Opened, machine: Root): Contestant["memory"] {
  if (resident === 0) return undefined;
  const own = ownProcess(opened);
  const peak = own ? valueOf(readMemory(machine, pidOf(opened)))?.peak_bytes : undefined;
  return {
    resident_bytes: resident,
    ...(own || base === undefined ? {} : { grown_bytes: Math.max(0, resident - base) }),
    ...(peak === undefined ? {} : { peak_bytes: peak }),
  };
}

function energyOf(
  { joules, energyRuns, energySeconds, estimated }: Entrant,
  rest: number | undefined,
): Contestant["energy"] {
  if (energyRuns === 0) return undefined;
  return {
    joules_per_run: joules / energyRuns,
    ...(rest === undefined ? {} : { over_rest: Math.max(0, joules - rest * energySeconds) / energyRuns }),
    estimated,
  };
}

/** Its library works in a child's process, whose memory is its own. */
export const ownProcess = (opened: Opened): boolean => pidOf(opened) !== process.pid;

/** Of the process that works. */
export const pidOf = ({ session }: Opened): number =>
  "pid" in session && typeof session.pid === "number" ? session.pid : process.pid;

/** "auto", "openvino on cpu", "rockchip by route open", "onnxruntime on cpu with /opt/libonnxruntime.so" */
export function askedWords({ device = "auto", delegate, route, library }: SessionOptions): string {
  const where = delegate === undefined ? device : `${delegate} on ${device}`;
  const by = route === undefined ? where : `${where} by route ${route}`;
  return library === undefined ? by : `${by} with ${library}`;
}
