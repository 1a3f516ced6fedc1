/**
 * Class evaluate: every chip line told as if nobody had measured it, every chip as if only its sisters had been, every model as if the
 * chip's other models alone had been; in each case without any row of the model itself.
 */

import type { Class } from "./estimate.ts";
import type { ClassErrors } from "./class-estimate.ts";
import { levelOf, spreadOf, type Excess, type Level, type Spread } from "./class-spread.ts";
import { quantile } from "./leave-one-out.ts";

export interface ClassJudged {
  readonly row: Excess;
  readonly rests: Level["rests"];
  /** Estimate by measured time. */
  readonly ratio: number;
  readonly held: boolean;
  /** Upper end by lower end. */
  readonly width: number;
}

/** Fewer rows of a device say little of how often its intervals hold. */
const ROWS = 3;

export function judgeClasses(rows: readonly Excess[]): readonly ClassJudged[] {
  const judged: ClassJudged[] = [];
  const tell = (asked: readonly Excess[], rest: readonly Excess[], rests: Level["rests"]): void => {
    const spreads = new Map<string, Spread>();
    for (const row of asked) {
      let spread = spreads.get(row.group);
      if (spread === undefined) {
        const others = rest.filter(({ group }) => group !== row.group);
        spreads.set(row.group, (spread = spreadOf(others)));
      }
      const level = levelOf(spread, row);
      if (level === undefined || level.rests !== rests) continue;
      judged.push({
        row,
        rests,
        ratio: Math.exp(level.middle - row.value),
        held: row.value >= level.low && row.value <= level.high,
        width: Math.exp(level.high - level.low),
      });
    }
  };
  const lines = new Map<string, Excess[]>();
  const devices = new Map<string, Excess[]>();
  for (const row of rows) {
    const line = `${row.class}|${row.line}`;
    lines.set(line, [...(lines.get(line) ?? []), row]);
    devices.set(row.device, [...(devices.get(row.device) ?? []), row]);
  }
  for (const own of lines.values()) {
    const out = new Set(own);
    tell(
      own,
      rows.filter((row) => !out.has(row)),
      "class",
    );
  }
  for (const own of devices.values()) {
    if (own.length < ROWS) continue;
    const out = new Set(own);
    tell(
      own,
      rows.filter((row) => !out.has(row)),
      "line",
    );
    tell(own, rows, "device");
  }
  return judged;
}

export interface ClassLine extends ClassErrors {
  readonly class: Class;
  readonly rests: Level["rests"];
  readonly lines: readonly string[];
  readonly devices: number;
  /** Upper end by lower end, the middle one. */
  readonly width: number;
}

/** By class and what the answer rests on. Every line counts the same: a maker who publishes much is one maker. */
export function classLines(judged: readonly ClassJudged[]): readonly ClassLine[] {
  const groups = new Map<string, ClassJudged[]>();
  for (const one of judged) {
    const key = `${one.row.class}|${one.rests}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((own): readonly ClassLine[] => {
    const [first] = own;
    return first === undefined ? [] : [{ class: first.row.class, rests: first.rests, ...errorsOf(own) }];
  });
}

export function errorsOf(own: readonly ClassJudged[]): Omit<ClassLine, "class" | "rests"> {
  const lines = [...new Set(own.map(({ row }) => row.line))];
  const byLine = (of: (members: readonly ClassJudged[]) => number): number =>
    lines.reduce((sum, line) => sum + of(own.filter(({ row }) => row.line === line)), 0) / Math.max(1, lines.length);
  const off = (members: readonly ClassJudged[]): readonly number[] => members.map(({ ratio }) => Math.abs(ratio - 1));
  return {
    lines,
    devices: new Set(own.map(({ row }) => row.device)).size,
    rows: own.length,
    median: byLine((members) => quantile(off(members), 0.5)),
    p90: byLine((members) => quantile(off(members), 0.9)),
    held: byLine((members) => members.filter(({ held }) => held).length / members.length),
    width: quantile(
      own.map(({ width }) => width),
      0.5,
    ),
  };
}
