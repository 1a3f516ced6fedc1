/**
 * Evaluate classes: how far off answers by class are when a chip line, a chip or a model is taken for one that nobody measured, and how
 * often their intervals hold. On the rows that tools/fit.mjs kept (data/fit/class-rows.json).
 */

import type { Table } from "./evaluate-latency.ts";
import { classLines, errorsOf, judgeClasses, type ClassJudged } from "./time/class-evaluate.ts";
import type { Excess, Level } from "./time/class-spread.ts";
import { dataOf } from "./time/data.ts";

/** Intervals hold on three quarters to seven eighths, over all lines of a class told as if nobody had measured them. */
export const classBars = { held: [0.75, 0.87] } as const;

export const judgedClasses = (): readonly ClassJudged[] => judgeClasses(dataOf<readonly Excess[]>("class-rows.json"));

const taken: Readonly<Record<Level["rests"], string>> = {
  class: "a new chip line",
  line: "a new chip of a known line",
  device: "a new model on a known chip",
};

const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;

/** For `npm run bench -- fit`. */
export function classTables(judged: readonly ClassJudged[] = judgedClasses()): readonly Table[] {
  const head = ["told of", "class", "lines", "devices", "rows", "median", "p90", "80 % held", "high by low"];
  const line = (of: string, own: ReturnType<typeof errorsOf>, rests: Level["rests"]): readonly string[] => [
    taken[rests],
    of,
    String(own.lines.length),
    String(own.devices),
    String(own.rows),
    percent(own.median),
    percent(own.p90),
    percent(own.held),
    own.width.toFixed(1),
  ];
  const rows = (["class", "line", "device"] as const).flatMap((rests) => [
    ...classLines(judged)
      .filter((own) => own.rests === rests)
      .map((own) => line(own.class, own, rests)),
    line("all", errorsOf(judged.filter((one) => one.rests === rests)), rests),
  ]);
  return [
    {
      title:
        "By class, where no or hardly a measurement of the device itself counts; lines count the same, whatever their rows. " +
        "Bar: intervals of a new chip line hold on 75 to 87 %",
      head,
      rows,
    },
  ];
}
