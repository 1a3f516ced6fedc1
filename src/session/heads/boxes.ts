/** Boxes of one picture: which are kept, and the words for how. */

import type { Box } from "./head.ts";

/** Candidates that go into the suppression, which is quadratic; Ultralytics' own limit is 30,000. */
const CANDIDATE_LIMIT = 5_000;

export interface Keep {
  readonly score: number;
  /** Share of overlap (intersection over union) from which two boxes are one. */
  readonly overlap: number;
  readonly boxes: number;
}

/** Highest first, each class for itself; of two that overlap the lower is dropped (non-maximum suppression). */
export function suppress(candidates: readonly Box[], { overlap, boxes }: Keep): Box[] {
  const sorted = [...candidates].sort((a, b) => b.score - a.score).slice(0, CANDIDATE_LIMIT);
  const kept: Box[] = [];
  for (const box of sorted) {
    if (kept.length >= boxes) break;
    if (kept.every((other) => other.class !== box.class || overlapOf(other, box) <= overlap)) kept.push(box);
  }
  return kept;
}

/** Intersection over union of two boxes, 0 to 1. */
export function overlapOf(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / ((a.right - a.left) * (a.bottom - a.top) + (b.right - b.left) * (b.bottom - b.top) - both);
}

/** Of centre and size. */
export const around = (
  x: number,
  y: number,
  width: number,
  height: number,
): Pick<Box, "left" | "top" | "right" | "bottom"> => ({
  left: x - width / 2,
  top: y - height / 2,
  right: x + width / 2,
  bottom: y + height / 2,
});

/** Highest of `count` scores from `start` on, `step` apart. */
export function highest(
  numbers: ArrayLike<number>,
  start: number,
  count: number,
  step: number,
): { readonly index: number; readonly score: number } {
  let [index, score] = [0, -Infinity];
  for (let at = 0; at < count; at++) {
    const value = numbers[start + at * step] ?? 0;
    if (value > score) [index, score] = [at, value];
  }
  return { index, score };
}

export const keptWords = ({ score, overlap }: Pick<Keep, "score" | "overlap">): string =>
  `boxes from a score of ${score} on (--min-score), and of those that overlap by ${overlap} or more the highest`;
