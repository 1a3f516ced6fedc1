/** Many devices, a line each; below it once for each compiler or delegate why what it refuses is refused. */

import type { FitReport, FitRow } from "../fit/fit.ts";
import { fitMark } from "./fit.ts";
import { joinReasons } from "./fit-reasons.ts";
import { bestOf, intervalWords, milliseconds, shareOfMacs } from "./fit-words.ts";
import { harmless, marksOf, padEnd, paint, widthOf, wrapText, type Terminal } from "./terminal.ts";

/** Reasons told of each target. */
const REASONS = 2;

export function fitTable(report: FitReport, terminal: Terminal): string[] {
  const rows = [...report.rows].sort((a, b) => compare(a, b));
  const lines = table(
    ["", "DEVICE", "BY", "TAKES", "IN", "MACS", "MS (LOW TO HIGH)"],
    rows.map((row) => cells(row, terminal)),
    terminal,
  );
  return [...lines, "", ...reasons(report, terminal), ...legend(terminal)];
}

const compare = (a: FitRow, b: FitRow): number =>
  a.family < b.family ? -1 : a.family > b.family ? 1 : a.device < b.device ? -1 : a.device > b.device ? 1 : 0;

function cells(row: FitRow, terminal: Terminal): string[] {
  const best = bestOf(row);
  const { median_ms, low_ms, high_ms } = row.estimate;
  const interval =
    intervalWords(row.estimate) === undefined
      ? "–"
      : `${row.estimate.from === "class" ? "~" : ""}${milliseconds(median_ms ?? 0)} (${milliseconds(low_ms ?? 0)} to ${milliseconds(high_ms ?? 0)})`;
  return [
    fitMark(best, terminal),
    `${row.here ? "* " : ""}${harmless(row.device)}`,
    best === undefined ? "–" : `${best.target}${best.once === undefined ? "" : "'"}`,
    best === undefined ? "–" : `${best.taken}/${best.total}`,
    best === undefined || best.taken === 0 ? "–" : String(best.partitions.length),
    best?.share === undefined ? "–" : shareOfMacs(best.share).replace(" ", ""),
    terminal.unicode ? interval : interval.replace("–", "-"),
  ];
}

/** Numbers to the right; device and target give way where the terminal is narrow. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
  left: ReadonlySet<number> = new Set([0, 1, 2, 6]),
): string[] {
  const widths = heads.map((head, at) => Math.max(widthOf(head), ...rows.map((row) => widthOf(row[at] ?? ""))));
  const over = widths.reduce((sum, width) => sum + width, 0) + 2 * (heads.length - 1) - 1 - terminal.columns;
  if (over > 0) {
    const [device = 0, by = 0] = [widths[1], widths[2]];
    const less = Math.min(over, Math.max(0, device - 21));
    widths[1] = device - less;
    widths[2] = Math.max(8, by - (over - less));
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        const text = widthOf(cell) > width ? shorten(cell, width) : cell;
        const padded = left.has(at) ? padEnd(text, width) : " ".repeat(Math.max(0, width - widthOf(text))) + text;
        return at === 0 ? padded : `${at === 1 ? " " : "  "}${padded}`;
      })
      .join("")
      .trimEnd();
  return [paint(terminal, "dim", line(heads)), ...rows.map(line)];
}

/** Names differ at both ends. */
const shorten = (text: string, width: number): string => {
  const end = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - end)}…${text.slice(text.length - end)}`;
};

function reasons(report: FitReport, terminal: Terminal): string[] {
  const told = new Map<string, string>();
  for (const { placements } of report.rows) {
    const [best] = placements;
    if (best === undefined || best.fits === "whole" || told.has(best.target)) continue;
    const refusals = joinReasons(best.refusals);
    const why = refusals
      .slice(0, REASONS)
      .map(({ op, because, nodes }) => (op === "*" ? because : `${nodes.length} ${op}: ${because}`));
    const more = refusals.length - REASONS;
    if (why.length > 0) told.set(best.target, `${why.join("; ")}${more > 0 ? `; and ${more} more` : ""}`);
  }
  if (told.size === 0) return [];
  // Versions of one compiler for several chips often say the same.
  const sayers = new Map<string, string[]>();
  for (const [id, text] of [...told].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const ids = sayers.get(text);
    if (ids === undefined) sayers.set(text, [id]);
    else ids.push(id);
  }
  const lines = [paint(terminal, "bold", "Why not whole")];
  for (const [text, [id = "", ...others]] of sayers) {
    if (others.length === 0)
      lines.push(...wrapText(text, terminal.columns, `  ${paint(terminal, "cyan", id)}  `, "    "));
    else {
      const names = wrapText([id, ...others].join(", "), terminal.columns - 2);
      lines.push(...names.map((line) => `  ${paint(terminal, "cyan", line)}`));
      lines.push(...wrapText(text, terminal.columns, "    "));
    }
  }
  return [...lines, ""];
}

function legend(terminal: Terminal): string[] {
  const { ok, mixed, bad, unknown, unneeded } = marksOf(terminal);
  const text =
    `${ok} whole; ${mixed} in part; ${bad} not; ${unknown} what is not documented decides; ${unneeded} no rules of its compiler; ` +
    `' once quantised to int8; ~ by its class and peak or its compiler's estimate, not by measurements; IN so many partitions; of 100 models 80 lie between low and high. One device whole: --for DEVICE; one operator: --why OPERATOR`;
  return wrapText(text, terminal.columns).map((line) => paint(terminal, "dim", line));
}
