/** A window that slides over sizes (convolutions, pools): what comes out, and how ONNX and TFLite say it. */

import type { Attribute } from "../model/graph.ts";
import { at } from "./graph-builder.ts";

/** One number for all dimensions, or one for each: [height, width]. */
export type Size = number | readonly number[];

/** "same": as many outputs as inputs over the stride, rounded up. A number: that many on every side, as PyTorch has it. */
export type Padding = "same" | "valid" | Size;

export interface WindowOptions {
  readonly kernel?: Size;
  readonly stride?: Size;
  readonly dilation?: Size;
  readonly pad?: Padding;
  /** A last window that is not full counts, as in Caffe. */
  readonly ceil?: boolean;
}

export interface Window {
  readonly kernel: readonly number[];
  readonly dilation: readonly number[];
  /** Sizes that come out. */
  readonly out: readonly number[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** What must be padded before, as TFLite has no word for it: [before, after] of each size. */
  readonly around?: readonly (readonly [number, number])[];
}

export function windowOf(sizes: readonly number[], options: WindowOptions, tflite: boolean): Window {
  const { pad = "same", ceil = false } = options;
  const kernel = each(options.kernel ?? 1, sizes.length);
  const stride = each(options.stride ?? 1, sizes.length);
  const dilation = each(options.dilation ?? 1, sizes.length);
  const reach = kernel.map((size, i) => (size - 1) * at(dilation, i) + 1);
  const fixed = pad === "same" ? undefined : pad === "valid" ? sizes.map(() => 0) : each(pad, sizes.length);
  const out = sizes.map((size, i) => {
    const step = at(stride, i);
    if (fixed === undefined) return Math.ceil(size / step);
    const room = size + 2 * at(fixed, i) - at(reach, i);
    if (!ceil) return Math.floor(room / step) + 1;
    const count = Math.ceil(room / step) + 1;
    return (count - 1) * step >= size + at(fixed, i) ? count - 1 : count; // a window must begin inside
  });
  const needed = out.map((count, i) => Math.max(0, (count - 1) * at(stride, i) + at(reach, i) - at(sizes, i)));
  const odd = (i: number): boolean => at(reach, i) % 2 === 1;
  const before = fixed ?? needed.map((all, i) => (odd(i) ? (at(reach, i) - 1) / 2 : Math.floor(all / 2)));
  if (!tflite) {
    const after = fixed ?? needed.map((all, i) => (odd(i) ? at(before, i) : all - at(before, i)));
    const attributes = { kernel_shape: kernel, strides: stride, pads: [...before, ...after] };
    return { kernel, dilation, out, attributes };
  }
  const same = out.every((count, i) => count === Math.ceil(at(sizes, i) / at(stride, i)));
  const none = needed.every((all, i) => all === 0 && at(before, i) === 0);
  const attributes = {
    ...named("strides", stride),
    ...(dilation.some((by) => by > 1) ? named("dilations", dilation) : {}),
    padding: same && !none ? "SAME" : "VALID",
  };
  const around =
    same || none || before.every((by) => by === 0)
      ? undefined
      : before.map((by, i) => [by, Math.max(0, at(needed, i) - by)] as const);
  return { kernel, dilation, out, attributes, ...(around === undefined ? {} : { around }) };
}

export const each = (size: Size, count: number): number[] =>
  typeof size === "number" ? new Array<number>(count).fill(size) : [...size];

/** TFLite's way: strides_h, strides_w, and strides_d before them. */
export function named(word: string, sizes: readonly number[]): Record<string, number> {
  const letters = ["d", "h", "w"].slice(-sizes.length);
  return Object.fromEntries(letters.map((letter, i) => [`${word}_${letter}`, at(sizes, i)]));
}
