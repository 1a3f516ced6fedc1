/** A fit for people: the model, then each device whole where few were asked about, or one line each where many were. */

import { count } from "../base/units.ts";
import type { FitPlacement, FitReport, FitRow } from "../fit/fit.ts";
import { joinReasons } from "./fit-reasons.ts";
import { fitTable } from "./fit-table.ts";
import {
  basisWords,
  bestOf,
  boundWords,
  fitsWords,
  inputWords,
  intervalWords,
  kindWords,
  milliseconds,
  nodesWords,
  placementWords,
  targetName,
} from "./fit-words.ts";
import { conversionLines } from "./model.ts";
import { harmless, marksOf, padEnd, paint, widthOf, wrapText, type Paint, type Terminal } from "./terminal.ts";

/** Devices that are told whole. */
const WHOLE = 8;
const LABEL = 11;
/** Refusals and nearest measurements that are told; the rest is in --json. */
const SHOWN = 5;

export function fitText(report: FitReport, terminal: Terminal): string {
  const lines = modelLines(report, terminal);
  const told = new Map<FitPlacement, string>();
  if (report.rows.length > WHOLE) lines.push("", ...fitTable(report, terminal));
  else for (const row of report.rows) lines.push("", ...deviceLines(report, row, told, terminal));
  for (const conversion of report.conversions ?? []) lines.push("", ...conversionLines(conversion, terminal));
  return `${lines.join("\n")}\n`;
}

export function modelLines(report: FitReport, terminal: Terminal): string[] {
  const { model, findings } = report;
  const { dot } = marksOf(terminal);
  const from =
    model.from === "known" ? ` ${dot} no file: its layers as published (${model.source ?? "no source"})` : "";
  const lines = wrapText(`${model.name}${from}`, terminal.columns).map((line) => paint(terminal, "bold", line));
  const add = (name: string, text: string): void => {
    if (text !== "") lines.push(...labelled(name, text, terminal));
  };
  add("in", inputWords(report));
  const costs = [
    model.operators === 1 ? "1 operator" : `${model.operators} operators`,
    model.macs === undefined ? "" : `${count(model.macs)} MACs`,
    model.parameters === undefined ? "" : `${count(model.parameters)} parameters`,
    model.precision ?? "",
  ];
  add("holds", costs.filter((text) => text !== "").join(", "));
  model.assumed.forEach((text, at) => add(at === 0 ? "assumed" : "", text));
  findings.forEach((text, at) => add(at === 0 ? "careful" : "", text));
  return lines;
}

function labelled(name: string, text: string, terminal: Terminal, paintName: Paint = "dim"): string[] {
  return wrapText(text, terminal.columns, `  ${paint(terminal, paintName, padEnd(name, LABEL))}`);
}

const looks = {
  whole: ["ok", "green"],
  part: ["mixed", "yellow"],
  none: ["bad", "red"],
  unsure: ["unknown", "yellow"],
} as const;

export function fitMark(placement: FitPlacement | undefined, terminal: Terminal): string {
  // No compiler or delegate of the device is described.
  if (placement === undefined) return paint(terminal, "dim", marksOf(terminal).unneeded);
  const [mark, tone] = looks[placement.fits];
  return paint(terminal, tone, marksOf(terminal)[mark]);
}

/** `told`: placements by the device they were told of; another device by the same compiler refers to it. */
function deviceLines(report: FitReport, row: FitRow, told: Map<FitPlacement, string>, terminal: Terminal): string[] {
  const { estimate } = row;
  const lines = [headLine(row, terminal)];
  const add = (name: string, text: string): void => {
    if (text !== "") lines.push(...labelled(name, text, terminal));
  };
  const interval = intervalWords(estimate);
  if (interval === undefined) add("takes", `no estimate: ${estimate.says[0] ?? "nothing carries one"}`);
  else {
    const bound = boundWords(estimate);
    add("takes", `${interval}, ${kindWords(estimate)}${bound === undefined ? "" : `; bound by ${bound}`}`);
    const costly = estimate.costly
      .filter(({ share }) => share >= 0.005)
      .map(({ node, op, share }) => `${op} #${node} ${(share * 100).toFixed(0)} %`);
    add("most of it", costly.join(", "));
    add("rests on", basisWords(estimate));
    if (estimate.millijoules !== undefined) {
      const { low, high, source } = estimate.millijoules;
      add("energy", `${milliseconds(low)} to ${milliseconds(high)} mJ (${source})`);
    }
  }
  estimate.says.slice(interval === undefined ? 1 : 0).forEach((text, at) => add(at === 0 ? "note" : "", text));
  estimate.nearest.slice(0, SHOWN).forEach(({ model, device, ms, says, source }, at) => {
    const what = `${model} on ${device}: ${milliseconds(ms)} ms${says === "" ? "" : `, ${says}`} (${source})`;
    add(at === 0 ? "measured" : "", what);
  });
  if (row.placements.length === 0) add("by", "no compiler or delegate of it is described");
  for (const placement of row.placements) {
    const same = [...told].find(([one]) => one.target === placement.target && one.taken === placement.taken);
    if (same === undefined) lines.push(...placementLines(report, placement, terminal));
    else add("by", `${targetName(report, placement.target)}: as on ${same[1]}`);
    if (same === undefined) told.set(placement, row.name);
  }
  return lines;
}

function headLine(row: FitRow, terminal: Terminal): string {
  const mark = fitMark(bestOf(row), terminal);
  const ids = [row.device, row.here ? "in this machine" : ""].filter((text) => text !== "").join(", ");
  const name = `${mark} ${paint(terminal, "bold", harmless(row.name))}`;
  const room = terminal.columns - widthOf(name) - ids.length;
  return room >= 2
    ? `${name}${" ".repeat(room)}${paint(terminal, "dim", ids)}`
    : `${name}  ${paint(terminal, "dim", ids)}`;
}

function placementLines(report: FitReport, placement: FitPlacement, terminal: Terminal): string[] {
  const marks = marksOf(terminal);
  const target = report.targets.find(({ id }) => id === placement.target);
  const once = placement.once === undefined ? "" : `, once ${placement.once}`;
  const how = target === undefined ? "" : ` (rules: ${confidences[target.confidence]})`;
  const head = `${targetName(report, placement.target)}: ${fitsWords[placement.fits]}${once}; ${placementWords(placement)}${how}`;
  const lines = labelled("by", head, terminal, "bold");
  for (const { says, met, else: otherwise, cure } of placement.prerequisites) {
    if (met === "yes" && report.rows.length > 2) continue;
    const mark = { yes: marks.ok, no: marks.bad, unknown: marks.unknown }[met];
    const tone = met === "yes" ? "green" : met === "no" && otherwise === "refuses" ? "red" : "yellow";
    const cured = met === "no" && cure !== undefined ? ` ${marks.then} ${cure}` : "";
    lines.push(...wrapText(`${says}${cured}`, terminal.columns, `    ${paint(terminal, tone, mark)} `));
  }
  const refusals = joinReasons(placement.refusals);
  for (const { op, because, nodes } of refusals.slice(0, SHOWN)) {
    const many = op === "*" ? "all" : `${nodes.length} ${op}`;
    const text = `${many} (${nodesWords(nodes)}): ${because}`;
    lines.push(...wrapText(text, terminal.columns, `    ${paint(terminal, "dim", marks.dot)} `));
  }
  const more = refusals.length - SHOWN;
  if (more > 0) lines.push(`      and ${more} more ${more === 1 ? "reason" : "reasons"} (--json)`);
  return lines;
}

const confidences = {
  run: "seen in its own answers",
  source: "read in its sources",
  documents: "from its documents",
  inferred: "inferred",
} as const;
