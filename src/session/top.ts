/** The highest of a row of scores, with names: what a classifier says. Whether they are probabilities is read from the numbers. */

import type { Port } from "../delegates/delegate.ts";
import type { Value } from "../delegates/value.ts";
import { plainOf } from "./interpret.ts";
import { fitLabels, type Labels } from "./labels.ts";

/** Highest of a row of scores. */
export interface Top {
  readonly scores: "probabilities" | "independent" | "logits";
  readonly top: readonly TopEntry[];
  /** What was done to the labels, where they did not fit as they are. */
  readonly says?: string;
}

export interface TopEntry {
  readonly index: number;
  /** As the model gives it, with quantisation undone. */
  readonly value: number;
  /** Of logits: their softmax, 0 to 1. */
  readonly share?: number;
  readonly label?: string;
}

/** Rows this short without labels are not taken for scores of classes. */
const ROW_LEAST = 8;
/** ImageNet-21k has 21,841 classes; longer rows are sound, or features. */
const ROW_MOST = 100_000;
/** A softmax in 8 bits adds up to 1 within what rounding of each value leaves. */
const SUM_SLACK = 0.05;

/** Of [1, n] or [n]: scores of classes, most likely. Undefined for other outputs. */
export function topOf(value: Value, port: Port | undefined, labels: Labels | undefined, most: number): Top | undefined {
  const row = value.shape.filter((size) => size !== 1);
  const [count] = row;
  if (row.length !== 1 || count === undefined || count < 2 || count > ROW_MOST) return undefined;
  const plain = plainOf("", value, port);
  const fitted = fitLabels(labels, count);
  if (plain === undefined || (fitted.labels === undefined && count < ROW_LEAST)) return undefined;
  if (!value.type.includes("float") && port?.quantization === undefined && fitted.labels === undefined)
    return undefined;
  const numbers = Array.from(plain.numbers());
  if (numbers.some((number) => !Number.isFinite(number))) return undefined;
  const scores = kindOf(numbers, port?.quantization?.scale ?? 0);
  const highest = numbers.reduce((max, number) => Math.max(max, number), -Infinity);
  const sum = numbers.reduce((all, number) => all + Math.exp(number - highest), 0);
  const top = numbers
    .map((number, index) => ({ index, value: number }))
    .sort((a, b) => b.value - a.value || a.index - b.index)
    .slice(0, most)
    .map(({ index, value: number }) => {
      const label = fitted.labels?.[index];
      return {
        index,
        value: number,
        ...(scores === "logits" ? { share: Math.exp(number - highest) / sum } : {}),
        ...(label === undefined ? {} : { label }),
      };
    });
  return { scores, top, ...(fitted.says === undefined ? {} : { says: fitted.says }) };
}

function kindOf(numbers: readonly number[], step: number): Top["scores"] {
  if (numbers.some((number) => number < -1e-3 || number > 1.002)) return "logits";
  const sum = numbers.reduce((all, number) => all + number, 0);
  return Math.abs(sum - 1) <= SUM_SLACK + Math.min(0.25, (step * numbers.length) / 8) ? "probabilities" : "independent";
}
