/** How near two outputs of the same model on the same input are: what a driver, a precision or a compiler changes. */

import type { Port } from "../delegates/delegate.ts";
import type { Value } from "../delegates/value.ts";
import { realOf } from "./interpret.ts";

export interface Parity {
  readonly output: string;
  readonly elements: number;
  /** Largest difference of two values, quantisation undone. */
  readonly max_abs: number;
  /** The same as a share of the reference's largest value. */
  readonly max_rel: number;
  /** Signal to noise, 10 log10 of squares; absent where nothing differs, or where the reference is all zero. */
  readonly snr_db?: number;
  /** 1 where they point the same way; absent where one is all zero. */
  readonly cosine?: number;
  readonly identical: boolean;
  /** Elements that are no finite number on one side alone. */
  readonly not_finite: number;
  /** Of one row of scores: is the first the same, and how many of the first five are. */
  readonly top?: { readonly first: boolean; readonly shared: number; readonly of: number };
}

const TOP = 5;
/** Rows this short are no scores. */
const ROW_LEAST = 8;

/** A sentence instead, where the two cannot be held against each other. */
export function parityOf(
  output: string,
  value: Value,
  reference: Value,
  ports: { readonly value?: Port; readonly reference?: Port } = {},
): Parity | string {
  if (value.shape.filter((size) => size !== 1).join() !== reference.shape.filter((size) => size !== 1).join()) {
    return `${output}: [${value.shape.join(", ")}] here and [${reference.shape.join(", ")}] there`;
  }
  if (!ArrayBuffer.isView(value.data) || !ArrayBuffer.isView(reference.data))
    return `${output}: texts are not compared`;
  const [mine, theirs] = [realOf(value, ports.value), realOf(reference, ports.reference)];
  if (mine.length !== theirs.length) return `${output}: ${value.type} here and ${reference.type} there`;
  let [abs, largest, noise, signal, own, dot, odd] = [0, 0, 0, 0, 0, 0, 0];
  for (let at = 0; at < mine.length; at++) {
    const [a, b] = [mine[at] ?? 0, theirs[at] ?? 0];
    if (!Number.isFinite(a) || !Number.isFinite(b)) {
      if (!Object.is(a, b)) odd++;
      continue;
    }
    const off = Math.abs(a - b);
    if (off > abs) abs = off;
    if (Math.abs(b) > largest) largest = Math.abs(b);
    noise += off * off;
    signal += b * b;
    own += a * a;
    dot += a * b;
  }
  const row = value.shape.filter((size) => size !== 1);
  return {
    output,
    elements: mine.length,
    max_abs: abs,
    max_rel: abs === 0 ? 0 : abs / largest,
    ...(noise > 0 && signal > 0 ? { snr_db: 10 * Math.log10(signal / noise) } : {}),
    ...(own > 0 && signal > 0 ? { cosine: Math.min(1, dot / Math.sqrt(own * signal)) } : {}),
    identical: noise === 0 && odd === 0,
    not_finite: odd,
    ...(row.length === 1 && mine.length >= ROW_LEAST ? { top: agreement(mine, theirs) } : {}),
  };
}

function agreement(mine: ArrayLike<number>, theirs: ArrayLike<number>): NonNullable<Parity["top"]> {
  const [a, b] = [firsts(mine), firsts(theirs)];
  return { first: a[0] === b[0], shared: a.filter((index) => b.includes(index)).length, of: b.length };
}

const firsts = (values: ArrayLike<number>): number[] =>
  Array.from(values, (value, index) => ({ value, index }))
    .sort((a, b) => b.value - a.value || a.index - b.index)
    .slice(0, TOP)
    .map(({ index }) => index);
