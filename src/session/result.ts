/** What a run gives: outputs, how long it took, and which device worked. The same object is printed by --json. */

import type { PassedOver } from "./choose.ts";
import type { Placement, Port, Ran, Span } from "../delegates/delegate.ts";
import { numbersOf, type Value } from "../delegates/value.ts";
import type { Proof } from "../proof/verdict.ts";
import type { Interpretation } from "./interpret.ts";
import type { Labels } from "./labels.ts";
import type { Opened } from "./open.ts";
import { topOf, type Top } from "./top.ts";

export const RUN_SCHEMA = 1;
/** Values of an output that are printed; all are in the files that --out writes. */
const VALUES_SHOWN = 4096;
/** Scores, boxes and classes of pixels that are told when nothing else is said. */
export const TOP = 5;
export const BOXES = 100;

export interface RunResult {
  readonly schema: typeof RUN_SCHEMA;
  readonly model: string;
  readonly format: string;
  readonly delegate: { readonly id: string; readonly version: string };
  readonly device: string;
  /** Where the runtime says that it put the model. */
  readonly placement: Omit<Placement, "device">;
  /** What the kernel's counters say of the counted runs. */
  readonly proof: Proof;
  /** Why this delegate and device, by which route of the catalogue, and what was passed over before. */
  readonly chosen: string;
  readonly route?: string;
  readonly passed_over: readonly PassedOver[];
  /** Why not the device that was asked for. */
  readonly instead?: string;
  readonly assumed: readonly string[];
  /** Milliseconds: of opening, and of each counted run. */
  readonly opened_ms: number;
  readonly runs_ms: readonly number[];
  /** Parts of the last run, where the runtime tells. */
  readonly spans: readonly Span[];
  /** What the runtime measured of the last run, unit in the name. */
  readonly figures: Readonly<Record<string, number>>;
  readonly outputs: readonly OutputReport[];
  /** Boxes, points or classes of pixels, where the outputs are of a head that is known. */
  readonly read?: Interpretation;
  /** Heads that would fit as well, where none is read for want of evidence. */
  readonly maybe?: readonly string[];
  /** The picture that was drawn. */
  readonly annotated?: string;
}

export interface OutputReport {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  /** real = scale * (stored - zero); what follows is of stored values, but for `top`. */
  readonly quantization?: { readonly scale: number; readonly zero: number };
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  /** How many values are no number. */
  readonly nan?: number;
  /** How the numbers of `top` are to be read: they add up to 1, each lies between 0 and 1, or neither. */
  readonly scores?: Top["scores"];
  /** Highest first, of an output that is one row of scores. */
  readonly top?: Top["top"];
  /** What was done to the labels, where they did not fit as they are. */
  readonly labels?: string;
  /** Absent beyond 4,096 values. Integers of 64 bits as text. */
  readonly values?: readonly (number | string)[];
}

export interface Timed {
  /** Of the last run. */
  readonly last: Ran;
  readonly runs: readonly number[];
  readonly proof: Proof;
}

export interface TimedOptions {
  readonly warmup: number;
  readonly repeat: number;
  /** Is given a text as it comes, where the model writes one. */
  readonly piece?: (text: string) => void;
}

/** Runs `warmup` times without counting and `repeat` times, at least once, with. Milliseconds. */
export async function timedRuns(
  { session, prove }: Pick<Opened, "session" | "prove">,
  inputs: ReadonlyMap<string, Value>,
  { warmup, repeat, piece }: TimedOptions,
): Promise<Timed> {
  for (let i = 0; i < warmup; i++) await session.run(inputs);
  const runs: number[] = [];
  let last: Ran;
  const proof = prove();
  do {
    const start = performance.now();
    last =
      piece === undefined || session.stream === undefined
        ? await session.run(inputs)
        : await told(session.stream(inputs), piece);
    runs.push(performance.now() - start);
  } while (runs.length < repeat);
  return { last, runs, proof: await proof.finish() };
}

async function told(pieces: AsyncGenerator<string, Ran, undefined>, piece: (text: string) => void): Promise<Ran> {
  for (;;) {
    const step = await pieces.next();
    if (step.done === true) return step.value;
    piece(step.value);
  }
}

export interface Told {
  /** Name of the model's file, without its folder. */
  readonly file: string;
  readonly openedMs: number;
  readonly timed: Timed;
  readonly assumed: readonly string[];
  readonly outputs: Pick<RunResult, "outputs" | "read" | "maybe" | "annotated">;
}

/** All that is told of a run. */
export function runResult(opened: Opened, { file, openedMs, timed, assumed, outputs }: Told): RunResult {
  const { session, instead, described, passed, candidate } = opened;
  const { spans, figures = {} } = timed.last;
  const { device, ...placement } = session.placement;
  return {
    schema: RUN_SCHEMA,
    model: file,
    format: described.format.id,
    delegate: { id: opened.delegate.id, version: session.version },
    device,
    placement,
    proof: timed.proof,
    spans,
    figures,
    chosen: candidate.why,
    passed_over: passed,
    ...(candidate.route === undefined ? {} : { route: candidate.route }),
    ...(instead === undefined ? {} : { instead }),
    assumed,
    opened_ms: openedMs,
    runs_ms: timed.runs,
    ...outputs,
  };
}

export interface ReportOptions {
  readonly port?: Port;
  readonly labels?: Labels;
  /** Scores of a row that are told; 0 for none. */
  readonly top: number;
}

export function outputReport(name: string, value: Value, { port, labels, top }: ReportOptions): OutputReport {
  const { type, shape, data } = value;
  const quantization = port?.quantization;
  const base = { name, type, shape, ...(quantization === undefined ? {} : { quantization }) };
  if (!ArrayBuffer.isView(data)) return { ...base, ...(data.length <= VALUES_SHOWN ? { values: data } : {}) };
  const numbers = numbersOf(value);
  if (numbers === undefined) return base;
  let [min, max, sum, nan] = [Infinity, -Infinity, 0, 0];
  for (let at = 0; at < numbers.length; at++) {
    const number = Number(numbers[at]);
    if (Number.isNaN(number)) nan++;
    else {
      if (number < min) min = number;
      if (number > max) max = number;
      sum += number;
    }
  }
  const counted = numbers.length - nan;
  const best = top === 0 ? undefined : topOf(value, port, labels, top);
  return {
    ...base,
    ...(counted > 0 ? { min, max, mean: sum / counted } : {}),
    ...(nan > 0 ? { nan } : {}),
    ...(best === undefined ? {} : { scores: best.scores, top: best.top }),
    ...(best?.says === undefined ? {} : { labels: best.says }),
    ...(numbers.length <= VALUES_SHOWN ? { values: Array.from(numbers, printable) } : {}),
  };
}

const printable = (value: number | bigint): number | string =>
  typeof value === "bigint" || !Number.isFinite(value) ? String(value) : value;
