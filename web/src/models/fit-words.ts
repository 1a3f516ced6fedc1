/** Words and marks of fits; numbers as the command line prints them. */

import type { Mark } from "../parts/index.ts";
import type { FitRowAnswer } from "./api.ts";

export const fitMarks: Readonly<Record<"whole" | "part" | "none" | "unsure" | "unknown", Mark>> = {
  whole: { symbol: "✓", word: "takes all of it", tone: "ok" },
  part: { symbol: "◐", word: "takes a part of it", tone: "maybe" },
  none: { symbol: "✗", word: "takes none of it", tone: "bad" },
  unsure: { symbol: "?", word: "what is not documented decides", tone: "unknown" },
  unknown: { symbol: "·", word: "no rules of its compiler are known", tone: "plain" },
};

/** Three digits: as far as an estimate carries. */
export function milliseconds(ms: number): string {
  if (ms >= 1000) return Number(ms.toPrecision(3)).toLocaleString("en");
  if (ms >= 100) return ms.toFixed(0);
  return Number(ms.toPrecision(3)).toString();
}

export const boundWords: Readonly<Record<NonNullable<FitRowAnswer["estimate"]["bound"]>, string>> = {
  compute: "computing",
  memory: "memory traffic",
  link: "the link to it",
  cpu: "what stays on the CPU",
  overhead: "the fixed cost of a run",
};

export const shareWords = (ratio: number): string =>
  ratio < 1 && ratio > 0.995 ? "99.9 %" : ratio > 0 && ratio < 0.005 ? "0.1 %" : `${(ratio * 100).toFixed(0)} %`;

export const stateWords = {
  p: "in a partition, each with its colour",
  cpu: "on the CPU",
  no: "refused",
  unsure: "not documented",
  melted: "melts into its neighbour",
  mixed: "a block that falls apart",
} as const;
