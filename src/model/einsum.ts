/**
 * Einsum: a sum of products by an equation of letters, "bqhd,bkhd->bhqk". What comes out, and how many multiply-accumulates it takes.
 * https://onnx.ai/onnx/operators/onnx__Einsum.html ; NumPy's einsum is the same.
 */

import type { Dimension } from "./graph.ts";

/** Letters of one term; NumPy takes arrays of 64 dimensions at most. */
const LETTERS_LIMIT = 64;

export interface Einsum {
  readonly shape: readonly Dimension[];
  /** 0 where nothing is summed; undefined where a size is open, or more than two are multiplied: their order is the program's choice. */
  readonly macs?: number;
}

/** Undefined where equation and shapes do not fit, or a shape is not known. */
export function einsum(equation: string, shapes: readonly (readonly Dimension[] | undefined)[]): Einsum | undefined {
  const [left = "", right, ...more] = equation.replace(/\s/g, "").split("->");
  const terms = left.split(",");
  if (more.length > 0 || terms.length !== shapes.length) return undefined;
  const sizes = new Map<string, Dimension>();
  const counts = new Map<string, number>();
  let rest = 0;
  for (const [at, term] of terms.entries()) {
    const shape = shapes[at];
    const letters = shape && lettersOf(term, shape.length);
    if (letters?.length !== shape?.length || letters === undefined || shape === undefined) return undefined;
    rest = Math.max(rest, letters.filter((letter) => letter.startsWith(".")).length);
    for (const [position, letter] of letters.entries()) {
      const joined = join(sizes.get(letter), shape[position] ?? null);
      if (joined === undefined) return undefined;
      sizes.set(letter, joined);
    }
    for (const letter of new Set(letters)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  const once = [...counts]
    .filter(([letter, count]) => count === 1 && !letter.startsWith("."))
    .map(([letter]) => letter);
  const dots = Array.from({ length: rest }, (_, index) => `.${rest - index}`);
  // Without a right side: what is not repeated, in the order of the alphabet
  const out =
    right === undefined ? [...dots, ...once.sort()] : lettersOf(right, right.replace("...", "").length + rest);
  if (out?.every((letter) => sizes.has(letter)) !== true) return undefined;
  const macs = macsOf(terms.length, sizes, out);
  return { shape: out.map((letter) => sizes.get(letter) ?? null), ...(macs === undefined ? {} : { macs }) };
}

/** One for each dimension; those of "..." are numbered from the last, as they are matched. */
function lettersOf(term: string, rank: number): string[] | undefined {
  const found = /^([A-Za-z]*)(\.\.\.)?([A-Za-z]*)$/.exec(term);
  if (!found || term.length > LETTERS_LIMIT) return undefined;
  const [, before = "", dots, after = ""] = found;
  const between = dots === undefined ? 0 : Math.max(0, rank - before.length - after.length);
  const dotted = Array.from({ length: between }, (_, index) => `.${between - index}`);
  return [...Array.from(before), ...dotted, ...Array.from(after)];
}

/** A size beside a letter that has one: 1 is stretched, an open one takes the other. */
function join(held: Dimension | undefined, size: Dimension): Dimension | undefined {
  if (held === undefined || held === 1 || held === null) return size ?? held ?? null;
  if (size === 1 || size === null || size === held) return held;
  return typeof held === "number" && typeof size === "number" ? undefined : typeof size === "number" ? size : held;
}

function macsOf(terms: number, sizes: ReadonlyMap<string, Dimension>, out: readonly string[]): number | undefined {
  const summed = [...sizes.keys()].some((letter) => !out.includes(letter));
  if (terms < 2 || !summed) return 0;
  if (terms > 2) return undefined;
  let product = 1;
  for (const size of sizes.values()) {
    if (typeof size !== "number") return undefined;
    product *= size;
  }
  return product;
}
