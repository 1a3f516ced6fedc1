/** Constraints of operators that slide a window: kernel, stride, dilation, padding, groups. */

import type { Constraint } from "../target.ts";
import type { Pair, View } from "../view.ts";
import { constraint, mapped, rangeWords, times, within, type Range } from "./constraint.ts";

/** What the two extents of a kernel, a stride or a dilation may be. */
const ofPair = (word: "kernel" | "stride" | "dilation", says: string, holds: (pair: Pair) => boolean): Constraint =>
  constraint(
    word,
    says,
    (view) => mapped(view[word], holds),
    (view) => `${word} ${times(view[word])}`,
  );

const eachWithin =
  (range: Range) =>
  ([height, width]: Pair): boolean =>
    within(height, range) && within(width, range);

/** Height and width of the kernel, each within a range. */
export const kernel = (range: Range, says = `kernel height and width must be ${rangeWords(range)}`): Constraint =>
  ofPair("kernel", says, eachWithin(range));

export const kernelHeight = (range: Range, says = `kernel height must be ${rangeWords(range)}`): Constraint =>
  ofPair("kernel", says, ([height]) => within(height, range));

export const kernelWidth = (range: Range, says = `kernel width must be ${rangeWords(range)}`): Constraint =>
  ofPair("kernel", says, ([, width]) => within(width, range));

export const kernelArea = (range: Range, says = `kernel height times width must be ${rangeWords(range)}`): Constraint =>
  ofPair("kernel", says, ([height, width]) => within(height * width, range));

/** One of the sizes, "3x3". */
export const kernelIn = (sizes: readonly string[], says = `kernel must be ${sizes.join(", ")}`): Constraint =>
  ofPair("kernel", says, (pair) => sizes.includes(times(pair)));

export const stride = (range: Range, says = `stride height and width must be ${rangeWords(range)}`): Constraint =>
  ofPair("stride", says, eachWithin(range));

export const strideHeight = (range: Range, says = `stride height must be ${rangeWords(range)}`): Constraint =>
  ofPair("stride", says, ([height]) => within(height, range));

export const strideWidth = (range: Range, says = `stride width must be ${rangeWords(range)}`): Constraint =>
  ofPair("stride", says, ([, width]) => within(width, range));

export const strideIn = (sizes: readonly string[], says = `stride must be ${sizes.join(", ")}`): Constraint =>
  ofPair("stride", says, (pair) => sizes.includes(times(pair)));

/** Stride as high as wide. */
export const squareStride = (says = "stride height and width must be equal"): Constraint =>
  ofPair("stride", says, ([height, width]) => height === width);

export const dilation = (range: Range, says = `dilation must be ${rangeWords(range)}`): Constraint =>
  ofPair("dilation", says, eachWithin(range));

export const noDilation = (says = "dilation is not supported"): Constraint => dilation([1, 1], says);

/** Kernel with its dilation: dilation * (kernel - 1) + 1. */
export const dilatedKernelHeight = (
  range: Range,
  says = `dilated kernel height must be ${rangeWords(range)}`,
): Constraint =>
  constraint(
    "dilated kernel",
    says,
    (view) => {
      const it = dilated(view);
      return it && within(it[0], range);
    },
    (view) => `dilated kernel ${times(dilated(view))}`,
  );

export const dilatedKernelArea = (
  range: Range,
  says = `dilated kernel height times width must be ${rangeWords(range)}`,
): Constraint =>
  constraint(
    "dilated kernel",
    says,
    (view) => {
      const it = dilated(view);
      return it && within(it[0] * it[1], range);
    },
    (view) => `dilated kernel ${times(dilated(view))}`,
  );

function dilated({ kernel: size, dilation: by }: View): Pair | undefined {
  return size && by ? [(size[0] - 1) * by[0] + 1, (size[1] - 1) * by[1] + 1] : undefined;
}

export const padding = (
  allowed: readonly NonNullable<View["padding"]>[],
  says = `padding must be ${allowed.join(" or ")}`,
): Constraint =>
  constraint(
    "padding",
    says,
    ({ padding: it }) => it && allowed.includes(it),
    ({ padding: it }) => `padding ${it ?? ""}`,
  );

/** Groups 1, or as many as channels. */
export const noGroups = (says = "grouped convolution is not supported"): Constraint =>
  constraint(
    "groups",
    says,
    ({ groups, depthwise }) => depthwise || mapped(groups, (it) => it === 1),
    ({ groups }) => `${groups ?? 0} groups`,
  );

/** Output channels for each input channel of a depthwise convolution. */
export const depthMultiplier = (range: Range, says = `depth multiplier must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "depth multiplier",
    says,
    (view) => mapped(multiplier(view), (it) => within(it, range)),
    (view) => `depth multiplier ${multiplier(view) ?? ""}`,
  );

const multiplier = ({ inChannels, outChannels }: View): number | undefined =>
  inChannels === undefined || outChannels === undefined || inChannels === 0 ? undefined : outChannels / inChannels;
