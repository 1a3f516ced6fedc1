/**
 * Head: how the last tensors of a network are read: boxes, keypoints, classes of pixels. Files beside this one are heads, listed in
 * index.ts. A head is taken by evidence (shapes that follow from the input's size, names, metadata), never silently by a guess:
 * every match says why, and what fits two heads is read only when one is asked for.
 */

import type { Model } from "../../model/graph.ts";

export interface Head {
  /** For --head. */
  readonly id: string;
  readonly name: string;
  /** Where its layout is published. */
  readonly sources: readonly string[];
  /** Undefined where the outputs do not have its shapes. */
  readonly find: (ends: Ends) => Match | undefined;
}

/** What a head is shown: outputs as real numbers, and what is known of the model. */
export interface Ends {
  readonly tensors: readonly Plain[];
  /** Pixels of the model's input, where it takes a picture. */
  readonly input?: { readonly width: number; readonly height: number };
  /** Names of classes, by index; holes where the list has none. */
  readonly labels?: readonly (string | undefined)[];
  readonly model: Pick<Model, "metadata" | "graphs" | "producer" | "main" | "description">;
  /** Name of the model's file. */
  readonly file: string;
  readonly limits: Limits;
}

export interface Limits {
  /** Lowest score to show; the head's own when absent. */
  readonly score?: number;
  /** Boxes shown at most. */
  readonly boxes: number;
}

export interface Plain {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  /** Dequantised; made on first use. */
  readonly numbers: () => ArrayLike<number>;
}

export interface Match {
  /** Evidence; reads on from "because". */
  readonly because: string;
  /** False: other heads have these shapes as well; read only when asked for by name. */
  readonly sure: boolean;
  /** A sentence for each thing that neither the model nor the user said. */
  readonly assumed: readonly string[];
  readonly read: () => Findings;
}

/** Coordinates are shares of the model's input, 0 to 1, from its top left. */
export interface Findings {
  readonly boxes?: readonly Box[];
  /** Points without a box. */
  readonly poses?: readonly Pose[];
  readonly map?: ClassMap;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** 0 to 1 unless the head says otherwise. */
  readonly score: number;
  readonly class?: number;
  readonly points?: readonly Point[];
  /** Corners of a box that is turned. */
  readonly corners?: readonly (readonly [number, number])[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly score?: number;
  readonly name?: string;
}

export interface Pose {
  readonly points: readonly Point[];
  readonly score?: number;
  /** Pairs of points that a line joins. */
  readonly bones: readonly (readonly [number, number])[];
}

/** A class for each pixel; index of the class, row by row. */
export interface ClassMap {
  readonly width: number;
  readonly height: number;
  readonly classes: ArrayLike<number>;
}

/** [1, 896, 16], as in every sentence about tensors. */
export const shapeWords = ({ name, shape }: Pick<Plain, "name" | "shape">): string => `${name} [${shape.join(", ")}]`;

/** Shape without a batch of one; undefined for larger batches, which no head reads. */
export function single({ shape }: Plain, rank: number): readonly number[] | undefined {
  if (shape.length === rank) return shape;
  return shape.length === rank + 1 && shape[0] === 1 ? shape.slice(1) : undefined;
}

/** Is every number (of a column of rows, say) between 0 and 1? Sigmoids in half precision may round up a little. */
export function unit(numbers: ArrayLike<number>, start = 0, step = 1, end = numbers.length): boolean {
  for (let at = start; at < end; at += step) {
    const value = numbers[at] ?? 0;
    if (!(value >= -1e-3 && value <= 1.002)) return false;
  }
  return true;
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Cells of the grids that strides make of an input. */
export function cellsOf(
  { width, height }: { readonly width: number; readonly height: number },
  strides: readonly number[],
): number {
  return strides.reduce((sum, stride) => sum + Math.ceil(width / stride) * Math.ceil(height / stride), 0);
}

/** The cells one by one, in the order of every anchor-free head: by stride, by row, by column. */
export function gridOf(
  { width, height }: { readonly width: number; readonly height: number },
  strides: readonly number[],
): { readonly x: Float32Array; readonly y: Float32Array; readonly stride: Float32Array } {
  const cells = cellsOf({ width, height }, strides);
  const [x, y, of] = [new Float32Array(cells), new Float32Array(cells), new Float32Array(cells)];
  let at = 0;
  for (const stride of strides) {
    for (let row = 0; row < Math.ceil(height / stride); row++) {
      for (let column = 0; column < Math.ceil(width / stride); column++, at++) {
        x[at] = column;
        y[at] = row;
        of[at] = stride;
      }
    }
  }
  return { x, y, stride: of };
}
