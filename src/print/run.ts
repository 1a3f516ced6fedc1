/** A run for people: what came out, on which device and how that is known, how long it took. */

import type { OutputReport, RunResult } from "../session/result.ts";
import { readLines } from "./read.ts";
import { proofLines } from "./proof.ts";
import { harmless, marksOf, paint, wrapText, type Terminal } from "./terminal.ts";

const VALUES = 8;
const SPANS = 12;

export function runText(result: RunResult, terminal: Terminal): string {
  const { dot, then } = marksOf(terminal);
  const lines = wrapText(
    `${harmless(result.model)} ${dot} ${result.delegate.id} ${result.delegate.version} ${dot} ${result.device}`,
    terminal.columns,
  ).map((line) => paint(terminal, "bold", line));
  const add = (text: string, head = "  "): void => void lines.push(...wrapText(text, terminal.columns, head));
  if (result.instead !== undefined) add(`on the CPU instead: ${result.instead}`, `  ${then} `);
  for (const output of result.outputs) add(outputWords(output));
  for (const output of result.outputs) {
    if (output.top === undefined) continue;
    for (const { index, value, share, label } of output.top) {
      const name = label === undefined || label === "" ? `#${index}` : `${harmless(label)} (#${index})`;
      add(`${share === undefined ? number(value) : `${number(value)}  ${percent(share)}`}  ${name}`, "    ");
    }
    add(
      `${scoreWords[output.scores ?? "independent"]}${output.labels === undefined ? "" : `; ${output.labels}`}`,
      "    ",
    );
  }
  lines.push(...readLines(result, terminal));
  add(timesWords(result));
  for (const words of proofLines(result.proof).slice(0, 1)) add(harmless(words));
  add(harmless(`${result.device}: ${placementWords(result.placement)}`));
  // In their order where all are shown, else the longest.
  const spans =
    result.spans.length > SPANS ? [...result.spans].sort((a, b) => b.ms - a.ms).slice(0, SPANS) : result.spans;
  for (const { name, by, ms: took } of spans) add(`${ms(took)}  ${harmless(name)} (${harmless(by)})`, "    ");
  if (result.spans.length > SPANS) add(`and ${result.spans.length - SPANS} shorter parts (--json)`, "    ");
  for (const [name, value] of Object.entries(result.figures))
    add(`${harmless(name.replaceAll("_", " "))} ${number(value)}`);
  for (const what of result.assumed) add(`assumed ${harmless(what)}`);
  return `${lines.join("\n")}\n`;
}

const scoreWords = {
  probabilities: "these scores add up to 1",
  independent: "each score lies between 0 and 1; they do not add up to 1",
  logits: "the highest values, and their share by softmax if they are scores of classes",
} as const;

function placementWords({ says, nodes }: RunResult["placement"]): string {
  return nodes === undefined ? says : `${nodes.taken} of ${nodes.all} nodes; ${says}`;
}

function outputWords({ name, type, shape, quantization, min, max, mean, nan, values }: OutputReport): string {
  const range =
    min === undefined || max === undefined || mean === undefined || values?.length === 1
      ? ""
      : `${quantization === undefined ? "" : " stored"} from ${number(min)} to ${number(max)}, mean ${number(mean)}`;
  const lost = nan === undefined ? "" : `, ${nan} are no number`;
  const shown = values === undefined || values.length > VALUES ? "" : `: ${values.join(" ")}`;
  return `${harmless(name)} ${type} [${shape.join(", ")}]${range}${lost}${harmless(shown)}`;
}

function timesWords({ opened_ms: opened, runs_ms: runs }: RunResult): string {
  const sorted = [...runs].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? NaN;
  const all =
    runs.length === 1 ? "" : ` (median of ${runs.length}; ${ms(sorted[0] ?? NaN)} to ${ms(sorted.at(-1) ?? NaN)})`;
  return `${ms(median)}${all}, after ${ms(opened)} to open`;
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const number = (value: number): string => String(Number(value.toPrecision(6)));
