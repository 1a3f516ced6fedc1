/**
 * Does a placement name the reason a compiler gave? The compiler's words are told unchanged by rules that have them, so equal beginnings
 * are the same constraint; logs that say it otherwise are compared by what they speak of.
 */

import type { Placement } from "./place.ts";

export function namesReason(op: string, reason: string, placements: readonly Placement[]): boolean {
  const theirs = subjectsOf(reason);
  for (const ours of reasonsFor(op, placements)) {
    if (sameWords(ours, reason)) return true;
    if (subjectsOf(ours).some((subject) => theirs.includes(subject))) return true;
  }
  return false;
}

/** Sentences that placements give for nodes of an operator that stay on the CPU; of any operator where the log names none. */
function reasonsFor(op: string, placements: readonly Placement[]): ReadonlySet<string> {
  const any = /^[*(]/.test(op);
  const out = new Set<string>();
  for (const { nodes, refusals } of placements) {
    for (const { view, answer, left, where } of nodes) {
      if (where !== "cpu") continue;
      if (!any && view.spelled !== op && !(op === "CUSTOM" && view.node.op === undefined)) continue;
      if (answer.takes !== "yes") out.add(`${answer.because} [${answer.rule}]`);
      else if (left !== undefined) out.add(left);
    }
    for (const refusal of refusals) if (refusal.op === "*") out.add(`${refusal.because} [${refusal.rule}]`);
  }
  return out;
}

/** Letters by which two sentences have to begin alike: longer than what all constraints of a compiler begin with. */
const ALIKE = 28;

function sameWords(ours: string, theirs: string): boolean {
  const [a, b] = [ours, theirs].map((text) => text.toLowerCase().replace(/[^a-z0-9]+/g, ""));
  if (a === undefined || b === undefined || a === "" || b === "") return false;
  const length = Math.min(a.length, b.length, ALIKE);
  return length >= ALIKE && a.slice(0, length) === b.slice(0, length);
}

/** What a sentence is about. */
const subjects: readonly (readonly [string, RegExp])[] = [
  ["subgraph", /only one .*subgraph|more than one subgraph|after the first refused|behind an operator|first refused/i],
  ["rank", /\brank\b|\b\dD\b|dimensions? must|number of dimensions/i],
  ["dynamic", /dynamic|cannot get shape|shape must be static/i],
  ["per-channel", /per[- ]channel|per[- ]axis/i],
  ["dilation", /dilat/i],
  ["stride", /\bstrid(?:e|es|ed by)\b|non-unit stride/i],
  ["kernel", /kernel|filter (?:height|width|size)/i],
  ["padding", /\bpad(?:ding|s)?\b/i],
  ["permutation", /permut/i],
  ["quantization", /quanti[sz](?:ation parameters|ed input|ed)|scale|zero[- ]point/i],
  ["type", /data ?type|unsupported type|\btype\b|int64|float32/i],
  ["attributes", /attributes? must be specified|missing attributes/i],
  ["scalar", /scalar/i],
  ["size", /too (?:large|big)|width and height of the ifm|size|must match one of/i],
  ["batch", /\bbatch\b/i],
  ["broadcast", /broadcast/i],
  ["activation", /activation function|fused activation/i],
  ["axis", /\baxis\b/i],
  ["version", /\bversion\b/i],
  ["constant weights", /constant/i],
  ["groups", /\bgroups?\b/i],
  ["operator", /not supported|unsupported op|CPU only|to CPU|\[operator\]|falls back|not working/i],
  ["outputs", /only supports? (?:1|one) output/i],
  ["layout", /\blayout mode/i],
  ["limitation", /otherwise supported/i],
];

/** "Operators of type X are not supported" is about no tensor's type. */
const KIND = /\boperators? of (?:this )?type\b/i;

function subjectsOf(text: string): readonly string[] {
  if (KIND.test(text)) return ["operator"];
  const found = subjects.filter(([, test]) => test.test(text)).map(([subject]) => subject);
  // "operator version not supported" is about the version.
  return found.length > 1 ? found.filter((one) => one !== "operator") : found;
}
