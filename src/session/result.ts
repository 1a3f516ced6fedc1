/** What a run gives: outputs, how long it took, and which device worked. The same object is printed by --json. */

import type { PassedOver } from "./choose.ts";
import type { Opened } from "./open.ts";
import { numbersOf, type Value } from "../delegates/value.ts";

export const RUN_SCHEMA = 1;
/** Values of an output that are printed; all are in the files that --out writes. */
const VALUES_SHOWN = 4096;
const TOP = 5;

export interface RunResult {
  readonly schema: typeof RUN_SCHEMA;
  readonly model: string;
  readonly format: string;
  readonly delegate: { readonly id: string; readonly version: string };
  readonly device: string;
  /** How it is known that this device worked. */
  readonly proof: string;
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
  readonly outputs: readonly OutputReport[];
}

export interface OutputReport {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  /** How many values are no number. */
  readonly nan?: number;
  /** Highest first, of an output that is one row of scores. */
  readonly top?: readonly { readonly index: number; readonly value: number; readonly label?: string }[];
  /** Absent beyond 4,096 values. Integers of 64 bits as text. */
  readonly values?: readonly (number | string)[];
}

export interface Timed {
  readonly outputs: ReadonlyMap<string, Value>;
  readonly runs: readonly number[];
}

/** Runs `warmup` times without counting and `repeat` times with; the outputs are of the last. Milliseconds. */
export async function timedRuns(
  { session }: Pick<Opened, "session">,
  inputs: ReadonlyMap<string, Value>,
  { warmup, repeat }: { readonly warmup: number; readonly repeat: number },
): Promise<Timed> {
  for (let i = 0; i < warmup; i++) await session.run(inputs);
  const runs: number[] = [];
  let outputs: ReadonlyMap<string, Value> = new Map();
  for (let i = 0; i < repeat; i++) {
    const start = performance.now();
    ({ outputs } = await session.run(inputs));
    runs.push(performance.now() - start);
  }
  return { outputs, runs };
}

export function outputReport(name: string, value: Value, labels: readonly string[] | undefined): OutputReport {
  const { type, shape, data } = value;
  const base = { name, type, shape };
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
  return {
    ...base,
    ...(counted > 0 ? { min, max, mean: sum / counted } : {}),
    ...(nan > 0 ? { nan } : {}),
    ...topOf(numbers, shape, labels),
    ...(numbers.length <= VALUES_SHOWN ? { values: Array.from(numbers, printable) } : {}),
  };
}

const printable = (value: number | bigint): number | string =>
  typeof value === "bigint" || !Number.isFinite(value) ? String(value) : value;

/** [1, n] or [n], and more than a handful: scores of classes, most likely. */
function topOf(
  numbers: ArrayLike<number | bigint>,
  shape: readonly number[],
  labels: readonly string[] | undefined,
): Pick<OutputReport, "top"> {
  const row = shape.filter((size) => size !== 1);
  if (row.length !== 1 || numbers.length < 2 || (labels === undefined && numbers.length < 8)) return {};
  const order = Array.from(numbers, (value, index) => ({ index, value: Number(value) }))
    .sort((a, b) => b.value - a.value || a.index - b.index)
    .slice(0, TOP);
  return {
    top: order.map(({ index, value }) => {
      const label = labels?.length === numbers.length ? labels[index] : undefined;
      return { index, value, ...(label === undefined ? {} : { label }) };
    }),
  };
}
