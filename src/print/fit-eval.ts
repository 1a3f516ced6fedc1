/** How far the answers were off, for people. */

import type { Evaluation } from "../fit/evaluate.ts";
import { table } from "./fit-table.ts";
import { milliseconds } from "./fit-words.ts";
import { paint, wrapText, type Terminal } from "./terminal.ts";

/** Rows told one by one of those that were off. */
const TOLD = 24;

export function evaluationText(evaluation: Evaluation, terminal: Terminal): string {
  const lines = evaluation.kind === "placement" ? placement(evaluation, terminal) : latency(evaluation, terminal);
  return `${lines.join("\n")}\n`;
}

type Of<K extends Evaluation["kind"]> = Extract<Evaluation, { readonly kind: K }>;

const share = (part: number, whole: number): string => (whole === 0 ? "–" : `${((part / whole) * 100).toFixed(0)} %`);
const percent = (value: number): string => (Number.isFinite(value) ? `${(value * 100).toFixed(0)} %` : "–");

function placement({ scores, checks }: Of<"placement">, terminal: Terminal): string[] {
  const heads = ["", "TOOL", "BY", "ROWS", "JUDGED", "EXACT", "UNSURE", "REASONS"];
  const rows = scores.map(({ tool, rows: all, judged, exact, unsure, stated, named, by }) => [
    "",
    tool,
    [
      by.graph > 0 ? `${by.graph} graphs` : "",
      by.known > 0 ? `${by.known} known` : "",
      by.histogram > 0 ? `${by.histogram} names` : "",
    ]
      .filter((word) => word !== "")
      .join(", "),
    String(all),
    String(judged),
    share(exact, judged - unsure),
    share(unsure, judged),
    stated === 0 ? "–" : `${named}/${stated}`,
  ]);
  const lines = [paint(terminal, "bold", "Placement: operators taken and left, as the compilers decided"), ""];
  lines.push(...table(heads, rows, terminal, new Set([0, 1, 2])));
  const off = checks.filter(({ verdict }) => verdict === "near" || verdict === "wrong");
  if (off.length > 0) lines.push("", paint(terminal, "bold", "Off"));
  for (const { decision, taken, cpu, target, why } of off.slice(0, TOLD)) {
    const said = `${decision.accel_ops ?? "?"} taken, ${decision.cpu_ops ?? "?"} left`;
    const text = `${decision.model} by ${decision.tool} (${target ?? "?"}): ${taken ?? "?"} taken, ${cpu ?? "?"} left; it decided ${said}`;
    lines.push(...wrapText(why === undefined ? text : `${text}; ${why}`, terminal.columns, "  ", "    "));
  }
  if (off.length > TOLD) lines.push(`  and ${off.length - TOLD} more (--json)`);
  const skipped = checks.filter(({ verdict }) => verdict === "skipped").map(({ why }) => why ?? "");
  return [...lines, ...reasons(skipped, terminal)];
}

function latency({ devices, rows: all }: Of<"latency">, terminal: Terminal): string[] {
  const heads = ["", "DEVICE", "KIND", "ROWS", "TOLD", "MEDIAN", "P90", "HELD"];
  const rows = [...devices]
    .sort((a, b) => b.rows - a.rows || (a.device < b.device ? -1 : 1))
    .map(({ device, kind, rows: many, told, median, p90, held }) => [
      "",
      device,
      kind,
      String(many),
      String(told),
      percent(median),
      percent(p90),
      told === 0 ? "–" : percent(held),
    ]);
  const lines = [paint(terminal, "bold", "Times: relative error of the median, and how often the interval held"), ""];
  lines.push(...table(heads, rows, terminal, new Set([0, 1, 2])));
  const worst = all
    .filter(({ error }) => error !== undefined)
    .sort((a, b) => (b.error ?? 0) - (a.error ?? 0))
    .slice(0, 8);
  if (worst.length > 0) lines.push("", paint(terminal, "bold", "Furthest off"));
  for (const { device, model, measured_ms = 0, median_ms = 0, low_ms = 0, high_ms = 0 } of worst) {
    const text = `${model} on ${device}: ${milliseconds(median_ms)} (${milliseconds(low_ms)} to ${milliseconds(high_ms)}) ms; measured ${milliseconds(measured_ms)}`;
    lines.push(...wrapText(text, terminal.columns, "  ", "    "));
  }
  const untold = all.filter(({ median_ms }) => median_ms === undefined).map(({ says }) => says ?? "");
  return [...lines, ...reasons(untold, terminal)];
}

function reasons(all: readonly string[], terminal: Terminal): string[] {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1);
  if (counts.size === 0) return [];
  const lines = ["", paint(terminal, "bold", "Not judged")];
  for (const [why, many] of [...counts].sort((a, b) => b[1] - a[1])) {
    lines.push(...wrapText(`${many}: ${why}`, terminal.columns, "  ", "    "));
  }
  return lines;
}
