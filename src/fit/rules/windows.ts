/** Constraints of operators that slide a window: kernel, stride, dilation, padding, groups. */

import type { Constraint } from "../target.ts";
import type { Pair, View } from "../view.ts";
import { type Range, both, constraint, mapped, rangeWords, times, within } from "./constraint.ts";

/** Height and width of the kernel, each within a range; `product`: of both together. */
export const kernel = (range: Range, says = `kernel height and width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "kernel",
    says,
    (view) => both(view.kernel, (one) => within(one, range)),
    ({ kernel: it }) => `kernel ${times(it)}`,
  );

export const kernelHeight = (range: Range, says = `kernel height must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "kernel",
    says,
    ({ kernel: it }) => it && within(it[0], range),
    ({ kernel: it }) => `kernel ${times(it)}`,
  );

export const kernelWidth = (range: Range, says = `kernel width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "kernel",
    says,
    ({ kernel: it }) => it && within(it[1], range),
    ({ kernel: it }) => `kernel ${times(it)}`,
  );

export const kernelArea = (range: Range, says = `kernel height times width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "kernel",
    says,
    ({ kernel: it }) => it && within(it[0] * it[1], range),
    ({ kernel: it }) => `kernel ${times(it)}`,
  );

/** One of the sizes, "3x3". */
export const kernelIn = (sizes: readonly string[], says = `kernel must be ${sizes.join(", ")}`): Constraint =>
  constraint(
    "kernel",
    says,
    ({ kernel: it }) => it && sizes.includes(times(it)),
    ({ kernel: it }) => `kernel ${times(it)}`,
  );

export const stride = (range: Range, says = `stride height and width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "stride",
    says,
    (view) => both(view.stride, (one) => within(one, range)),
    ({ stride: it }) => `stride ${times(it)}`,
  );

export const strideHeight = (range: Range, says = `stride height must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "stride",
    says,
    ({ stride: it }) => it && within(it[0], range),
    ({ stride: it }) => `stride ${times(it)}`,
  );

export const strideWidth = (range: Range, says = `stride width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "stride",
    says,
    ({ stride: it }) => it && within(it[1], range),
    ({ stride: it }) => `stride ${times(it)}`,
  );

export const strideIn = (sizes: readonly string[], says = `stride must be ${sizes.join(", ")}`): Constraint =>
  constraint(
    "stride",
    says,
    ({ stride: it }) => it && sizes.includes(times(it)),
    ({ stride: it }) => `stride ${times(it)}`,
  );

/** Stride as high as wide. */
export const squareStride = (says = "stride height and width must be equal"): Constraint =>
  constraint(
    "stride",
    says,
    ({ stride: it }) => it && it[0] === it[1],
    ({ stride: it }) => `stride ${times(it)}`,
  );

export const dilation = (range: Range, says = `dilation must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "dilation",
    says,
    (view) => both(view.dilation, (one) => within(one, range)),
    ({ dilation: it }) => `dilation ${times(it)}`,
  );

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
