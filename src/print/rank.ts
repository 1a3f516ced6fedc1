/** A ranking for people, and the list of known models. */

import type { RankReport, RankRow } from "../fit/rank.ts";
import { fitMark, modelLines } from "./fit.ts";
import { table } from "./fit-table.ts";
import { bestOf, milliseconds, shareOfMacs } from "./fit-words.ts";
import { harmless, marksOf, padEnd, paint, widthOf, wrapText, type Terminal } from "./terminal.ts";

/** Devices told of those that are not in the order, for each reason. */
const NAMED = 6;

export function rankText(report: RankReport, terminal: Terminal): string {
  const lines = modelLines(report, terminal);
  lines.push("");
  if (report.rows.length === 0) lines.push("no device is left to be put in order");
  else {
    const widest = Math.max(...report.rows.map(({ estimate }) => estimate.high_ms ?? 0));
    const least = Math.min(...report.rows.map(({ estimate }) => estimate.low_ms ?? Infinity));
    const tableWith = (bar: number): string[] => {
      const rows = report.rows.map((row) => cells(row, [least, widest], bar, terminal));
      const heads = ["", "DEVICE", "BY", "MACS", "MS (LOW TO HIGH)", "W", scaleWords(least, widest, bar)];
      return table(heads, rows, terminal, new Set([0, 1, 2, 6]));
    };
    const tables = BARS.map(tableWith);
    const fits = tables.find((one) => one.every((line) => widthOf(line) <= terminal.columns));
    lines.push(...(fits ?? tables.at(-1) ?? []), "", ...legend(terminal));
  }
  const reasons = new Map<string, string[]>();
  for (const { device, because } of report.left) reasons.set(because, [...(reasons.get(because) ?? []), device]);
  if (reasons.size > 0) lines.push("", paint(terminal, "bold", "Not in the order"));
  for (const [because, devices] of [...reasons].sort((a, b) => b[1].length - a[1].length)) {
    const more = devices.length > NAMED ? ` and ${devices.length - NAMED} more` : "";
    lines.push(
      ...wrapText(
        `${devices.length}: ${because} (${devices.slice(0, NAMED).join(", ")}${more})`,
        terminal.columns,
        "  ",
        "    ",
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Columns of the bar, the most that there is room for; one step is a factor. */
const BARS = [14, 12, 10, 8];

function cells(
  row: RankRow,
  [least, widest]: readonly [number, number],
  columns: number,
  terminal: Terminal,
): string[] {
  const { median_ms: median = 0, low_ms: low = 0, high_ms: high = 0, from, kind } = row.estimate;
  const best = bestOf(row);
  const doubt = `${from === "class" ? "~" : ""}${kind === "independent" ? "°" : ""}`;
  const at = (ms: number): number =>
    widest <= least
      ? 0
      : Math.round(((Math.log(ms) - Math.log(least)) / (Math.log(widest) - Math.log(least))) * (columns - 1));
  const [rule, dot] = terminal.unicode ? ["─", "●"] : ["-", "o"];
  const bar = Array.from({ length: columns }, (_, i) =>
    i === at(median) ? dot : i >= at(low) && i <= at(high) ? rule : " ",
  ).join("");
  return [
    fitMark(best, terminal),
    harmless(row.device),
    best === undefined ? "" : `${best.target}${best.once === undefined ? "" : "'"}`,
    best?.share === undefined ? "" : shareOfMacs(best.share).replace(" ", ""),
    `${terminal.unicode ? doubt : doubt.replace("°", "i")}${milliseconds(median)} (${milliseconds(low)} to ${milliseconds(high)})`,
    row.watts === undefined ? "" : String(row.watts.value),
    bar,
  ];
}

const scaleWords = (least: number, widest: number, columns: number): string => {
  const [from, to] = [milliseconds(least), milliseconds(widest)];
  return from.length + to.length < columns ? `${padEnd(from, columns - to.length)}${to}` : `${from} ${to}`;
};

function legend(terminal: Terminal): string[] {
  const { ok, mixed, bad, unknown, unneeded } = marksOf(terminal);
  const independent = terminal.unicode ? "°" : "i";
  const text =
    `${ok} whole; ${mixed} in part; ${bad} not; ${unknown} what is not documented decides; ${unneeded} no rules of its compiler; ` +
    `' once quantised to int8; ~ by its class and peak or its compiler's estimate, not fitted to measurements; ${independent} as others would measure it, the rest as its maker would ` +
    `publish it. Of 100 models 80 lie between low and high: where two overlap they cannot be told apart`;
  return wrapText(text, terminal.columns).map((line) => paint(terminal, "dim", line));
}

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly task: string;
  readonly input: readonly number[];
}

export function knownText(models: readonly Listed[], terminal: Terminal): string {
  const rows = [...models].sort((a, b) => (a.task < b.task ? -1 : a.task > b.task ? 1 : a.id < b.id ? -1 : 1));
  const width = Math.max(...rows.map(({ id }) => id.length), 5);
  const lines: string[] = [];
  let task = "";
  for (const row of rows) {
    if (row.task !== task) lines.push(...(task === "" ? [] : [""]), paint(terminal, "bold", (task = row.task)));
    lines.push(
      `  ${padEnd(row.id, width)}  ${padEnd(row.input.join("x"), 12)}  ${row.name}`.slice(0, terminal.columns),
    );
  }
  return `${lines.join("\n")}\n`;
}
