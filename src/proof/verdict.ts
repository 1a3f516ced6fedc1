/**
 * What readings before and after a run say: did the device work, did it stand still, or can nobody tell? Pure; no reading here. A
 * counter of the processes that ran decides first; one of the whole device counts only where nobody else can have moved it.
 */

import type { Reading } from "../base/reading.ts";
import type { Counter, Judged, Sample } from "./counter.ts";

export interface Observation {
  readonly counter: Counter;
  readonly before: Reading<Sample>;
  readonly after: Reading<Sample>;
  /** Growth per millisecond at rest, where it was measured. */
  readonly idle_per_ms?: number;
}

/** Who else has the device open. */
export interface Others {
  readonly held_by: readonly { readonly pid: number; readonly command: string }[];
  /** Processes that could not be looked into; absent: /proc could not be read at all. */
  readonly blind?: number;
}

export interface Proof {
  readonly verdict: "worked" | "did-not-move" | "cannot-tell";
  /** The verdict as a sentence without its numbers. */
  readonly says: string;
  /** The number it rests on, or why there is none. */
  readonly because: string;
  readonly elapsed_ms: number;
  readonly evidence: readonly ProofEvidence[];
  /** What could not be read, and what it needs. */
  readonly blind: readonly { readonly path: string; readonly because: string }[];
  /** Only where it matters: a counter of the whole device moved. */
  readonly held_by?: readonly { readonly pid: number; readonly command: string }[];
}

export interface ProofEvidence {
  readonly counter: string;
  readonly counts: string;
  readonly path: string;
  readonly before: number;
  readonly after: number;
  readonly unit: string;
  /** Whose work it counts: that of the run, that of the device, or the processor's beside it. */
  readonly of: "run" | "device" | "processor";
  readonly strength: "strong" | "middling" | "weak";
  readonly moved: "yes" | "no" | "unknown";
  readonly because?: string;
}

/** A process that ran, or was ready to run, on a processor for this share of the run did its work there. */
const BUSY = 0.5;

interface Seen extends ProofEvidence {
  readonly still: "proof" | "hint" | "nothing";
  /** It stood still at rest, or rest was measured: what moved it was no housekeeping. */
  readonly atRest: "measured" | "still" | "unknown";
  readonly shared?: string;
  /** Nanoseconds for which it was ready to run and no processor was free: on a loaded machine it had wanted as much more. */
  readonly waited: number;
}

export interface Judgement {
  readonly bus: string;
  /** Of the run. */
  readonly elapsed_ms: number;
  /** Between the readings: a little more where they were taken again. */
  readonly window_ms: number;
  /** Asked only where it decides: it looks into every process. */
  readonly others: () => Others;
}

export function judge(observations: readonly Observation[], { bus, elapsed_ms, window_ms, others }: Judgement): Proof {
  const blind: { path: string; because: string }[] = [];
  const seen = observations.flatMap((one) => see(one, window_ms, blind));
  const cpu = seen.filter((one) => one.of === "processor");
  const device = bus === "cpu" ? [] : seen.filter((one) => one.of !== "processor");
  const base = { elapsed_ms, evidence: seen.map(plain), blind };
  if (bus === "cpu") return { ...ofProcessor(cpu, elapsed_ms), ...base };
  // A process of the run that cannot be looked into may be the one that used the device.
  const hidden = observations.some(({ counter, after }) => counter.kind.of === "run" && after.state === "denied");
  const verdict = ofDevice({ seen: device, cpu, elapsed: elapsed_ms, ask: others, hidden });
  return { ...verdict, ...base };
}

type Verdict = Pick<Proof, "verdict" | "says" | "because" | "held_by">;

const WORKED = "the device worked";
const OPEN_FILES = "open-files";
const NO_COUNTER = "no counter on this route: cannot tell";

interface Case {
  readonly seen: readonly Seen[];
  readonly cpu: readonly Seen[];
  readonly elapsed: number;
  readonly ask: () => Others;
  readonly hidden: boolean;
}

function ofDevice({ seen, cpu, elapsed, ask, hidden }: Case): Verdict {
  const own = seen.find((one) => one.of === "run" && one.moved === "yes" && one.strength === "strong");
  if (own) return { verdict: "worked", says: WORKED, because: grew(own) };
  const still = seen.filter((one) => one.moved === "no");
  const ownStill = still.find((one) => one.of === "run" && one.still === "proof");
  if (ownStill && !hidden) return stood(ownStill, cpu, elapsed);
  const strong = seen.find((one) => one.of === "device" && one.moved === "yes" && one.strength === "strong");
  const asleep = still.find((one) => one.of === "device" && one.still === "proof");
  if (!strong && asleep && !contradicted(asleep, seen)) return stood(asleep, cpu, elapsed);
  const sign = strong ?? seen.find((one) => one.of === "device" && one.moved === "yes" && one.strength === "middling");
  if (sign) return ofWholeDevice(sign, seen, ask());
  const hint = still.find((one) => one.still === "hint" && (one.counter !== OPEN_FILES || (!hidden && unopened(seen))));
  if (hint && share(cpu, elapsed) >= BUSY) return stood(hint, cpu, elapsed);
  const weak = seen.find((one) => one.moved === "yes");
  if (weak)
    return {
      verdict: "cannot-tell",
      says: "cannot tell: the device was awake, which is not yet work",
      because: grew(weak),
    };
  // Open files alone are no counter.
  if (!seen.some((one) => one.counter !== OPEN_FILES)) {
    return {
      verdict: "cannot-tell",
      says: NO_COUNTER,
      because: "the kernel shows nothing of this device that moves with work",
    };
  }
  return {
    verdict: "cannot-tell",
    says: "cannot tell: no counter that could be read decides it",
    because: (hint ? [grew(hint)] : seen.map(grew)).join("; "),
  };
}

/** None of the run's processes has opened the device. */
function unopened(seen: readonly Seen[]): boolean {
  const files = seen.filter(({ counter }) => counter === OPEN_FILES);
  return files.length > 0 && files.every(({ moved }) => moved === "no");
}

/** One part that slept proves nothing of the others: another core may have worked. The same kind must not have moved elsewhere. */
function contradicted(asleep: Seen, seen: readonly Seen[]): boolean {
  return seen.some((one) => one.counter === asleep.counter && one.moved !== "no");
}

function ofWholeDevice(sign: Seen, seen: readonly Seen[], others: Others): Verdict {
  const cannot = (says: string, because = grew(sign)): Verdict => ({
    verdict: "cannot-tell",
    says: `cannot tell: ${says}`,
    because,
    ...(others.held_by.length === 0 ? {} : { held_by: others.held_by }),
  });
  if (sign.shared !== undefined) return cannot(`the device shares its interrupt line with ${sign.shared}`);
  if (unopened(seen)) {
    return cannot("the device moved, and this run has not opened it: another's work, or a service's");
  }
  if (others.held_by.length > 0) {
    const who = others.held_by
      .slice(0, 3)
      .map(({ pid, command }) => `${command || "a process"} (${pid})`)
      .join(", ");
    return cannot(`the device moved, and ${who} has it open too`);
  }
  // Asleep before: nothing of it moved by itself.
  const woke = seen.some((one) => one.counter === "awake" && one.moved === "yes");
  const atRest = woke && sign.atRest === "unknown" ? "still" : sign.atRest;
  if (others.blind !== 0 && atRest !== "still") {
    return cannot(
      others.blind === undefined
        ? "the device moved, and who else has it open cannot be told"
        : "the device moved, and processes of other users, which cannot be looked into, may have it open",
    );
  }
  if (sign.strength === "middling" && atRest === "unknown") {
    return cannot("the device moved, and how much it moves at rest was not measured");
  }
  return { verdict: "worked", says: WORKED, because: grew(sign) };
}

function stood(counter: Seen, cpu: readonly Seen[], elapsed: number): Verdict {
  const busy = share(cpu, elapsed) >= BUSY;
  const waited = waitedMs(cpu);
  const kept = waited > cpuMs(cpu) / 10 ? `, and kept it waiting for ${milliseconds(waited)}` : "";
  const beside =
    cpu.length === 0
      ? ""
      : `; the processor was busy with the run for ${milliseconds(cpuMs(cpu))} of ${milliseconds(elapsed)}${kept}`;
  return {
    verdict: "did-not-move",
    says: busy ? "the device did not move: this ran on the CPU" : "the device did not move: this ran elsewhere",
    because: grew(counter) + beside,
  };
}

function ofProcessor(cpu: readonly Seen[], elapsed: number): Verdict {
  const moved = cpu.filter((one) => one.moved === "yes");
  if (moved.length > 0) {
    return {
      verdict: "worked",
      says: "the CPU worked",
      because: `${milliseconds(cpuMs(moved))} of processor time in ${milliseconds(elapsed)}`,
    };
  }
  return { verdict: "cannot-tell", says: NO_COUNTER, because: "the processor time of the run could not be read" };
}

const cpuMs = (cpu: readonly Seen[]): number =>
  cpu.reduce((sum, { before, after, moved }) => sum + (moved === "yes" ? after - before : 0), 0) / 1e6;
const waitedMs = (cpu: readonly Seen[]): number =>
  cpu.reduce((sum, { waited, moved }) => sum + (moved === "yes" ? waited : 0), 0) / 1e6;
const share = (cpu: readonly Seen[], elapsed: number): number =>
  elapsed > 0 ? (cpuMs(cpu) + waitedMs(cpu)) / elapsed : 0;
const milliseconds = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;

/** Both readings as one piece of evidence; what could not be read goes to `blind`. */
function see(one: Observation, elapsed: number, blind: { path: string; because: string }[]): Seen[] {
  const { counter, idle_per_ms: idle } = one;
  const { kind, path, unit } = counter;
  // A client that was not there before has counted since it came.
  const began = kind.of === "run" && one.before.state === "absent" && one.after.state === "read";
  const before = began ? ({ state: "read", value: { value: 0 }, from: path } as const) : one.before;
  const { after } = one;
  for (const reading of [before, after]) {
    if (reading.state === "read" || reading.state === "absent") continue;
    if (blind.some((each) => each.path === path)) break;
    const need = reading.state === "denied" && kind.needs !== undefined ? `; it needs ${kind.needs}` : "";
    blind.push({ path, because: `${reading.why ?? reading.state}${need}` });
  }
  if (before.state !== "read" || after.state !== "read") return [];
  const judged = (kind.judge ?? growing)(before.value, after.value, {
    elapsed_ms: elapsed,
    ...(idle === undefined ? {} : { idle_per_ms: idle }),
  });
  const because = began ? "opened during the run" : judged.because;
  return [
    {
      counter: kind.id,
      counts: kind.counts,
      path,
      before: before.value.value,
      after: after.value.value,
      unit,
      of: kind.of,
      strength: kind.strength,
      moved: judged.moved,
      ...(because === undefined ? {} : { because }),
      still: counter.still ?? kind.still,
      atRest: idle === undefined ? "unknown" : idle === 0 ? "still" : "measured",
      ...(counter.shared === undefined ? {} : { shared: counter.shared }),
      waited: Math.max(0, (after.value.waited ?? 0) - (before.value.waited ?? 0)),
    },
  ];
}

function growing(before: Sample, after: Sample): Judged {
  if (after.value < before.value) return { moved: "unknown", because: "it went back" };
  return { moved: after.value > before.value ? "yes" : "no" };
}

function plain(seen: Seen): ProofEvidence {
  const { counter, counts, path, before, after, unit, of, strength, moved } = seen;
  const because = seen.shared === undefined ? seen.because : `the line is shared with ${seen.shared}`;
  const evidence = { counter, counts, path, before, after, unit, of, strength, moved };
  return because === undefined ? evidence : { ...evidence, because };
}

/** "npu-busy-time rose by 5,123 us" */
export function grew({ counter, before, after, unit, because, moved }: ProofEvidence): string {
  const more = after - before;
  const amount = Number.isInteger(more) ? Math.abs(more).toLocaleString("en-US") : String(Math.abs(more));
  const change =
    more === 0
      ? `stayed at ${after.toLocaleString("en-US")} ${unit}`
      : `${more > 0 ? "rose" : "fell"} by ${amount} ${unit}`;
  return `${counter} ${change}${because === undefined || moved === "yes" ? "" : ` (${because})`}`;
}
