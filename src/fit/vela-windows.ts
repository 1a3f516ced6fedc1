/** What Vela checks of operators that slide a window: convolutions with their filters, strides and groups, and poolings. */

import type { Constraint } from "./target.ts";
import {
  type Build,
  type Found,
  type Holds,
  area,
  check,
  inFile,
  number,
  of,
  sameTypes,
  text,
  within,
  list,
} from "./vela-checks.ts";
import { elements, imageIn, imageOut, isConstant, shapeOf } from "./vela-tensors.ts";
import type { View } from "./view.ts";

const strideWords = ({ stride }: View): string => `Op has stride WxH as: ${stride?.[1] ?? "?"}x${stride?.[0] ?? "?"}`;

/** Window of a pooling that covers all there is needs no stride: Vela takes it as 1. */
const coversAll = ({ kernel, stride, inSize }: View): boolean =>
  kernel !== undefined && String(kernel) === String(stride) && String(kernel) === String(inSize);

const strideOf = (view: View): View["stride"] => (view.kind === "pool" && coversAll(view) ? [1, 1] : view.stride);

const paddingOf = (view: View): View["padding"] => (view.kind === "pool" && coversAll(view) ? "valid" : view.padding);

/** Stride after Vela has folded the width of the image into its channels. */
function optimisedStride(width: number, stride: number): number {
  let factor = stride;
  if (width % factor !== 0) {
    const by = [2, 3].find((one) => stride % one === 0 && width % (stride / one) === 0) ?? 1;
    const smaller = Math.floor(factor / by);
    factor = smaller === factor ? 1 : smaller;
  }
  return Math.floor(stride / factor);
}

const wideStride: Holds = (view) => {
  const [stride, from, to] = [strideOf(view), imageIn(view), imageOut(view)];
  if (stride === undefined || from === undefined || to === undefined) return undefined;
  const [height, width] = stride;
  const high = to[1] === 1 || (height >= 1 && height <= 3);
  const wide = to[2] === 1 || (width >= 1 && (width > 1 ? optimisedStride(from[2] ?? 1, width) : width) <= 3);
  return high && wide;
};

export const strideWidth = check(
  "stride",
  "Strides must fulfil the following criteria: Stride h must be between 1 and 3 when ofm height is greater than 1; Stride w must be between 1 and 3 when ofm height is greater than 1 or stride w must be divisible by 2 or 3 and ifm width must be divisible by stride_w/2 or stride_w/3",
  wideStride,
  (view) => `${strideWords(view)}, ifm shape as: ${list(imageIn(view))}, ofm shape as: ${list(imageOut(view))}`,
);

export const narrow = (says: string): Constraint =>
  check(
    "stride",
    says,
    (view) => {
      const stride = strideOf(view);
      return stride?.every((one) => one >= 1 && one <= 3);
    },
    strideWords,
  );

const dilated = (view: View): readonly [number, number] | undefined => {
  const { kernel, dilation = [1, 1] } = view;
  return kernel === undefined ? undefined : [(kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1];
};

/** The sum of a filter's weights may not pass 127 x 65536; half of what 8 bits can be is far above what any trained filter has. */
const USUAL = 64;

const WEIGHTS_LIMIT = 127 * 65536;

const bits: Readonly<Record<string, number>> = {
  float32: 32,
  float16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  float64: 64,
};

export const weightType = check(
  "weights",
  "Weight tensor must be 8-bit",
  (view) => /^u?int8$/.test(of(view).weights?.type ?? "int8"),
  (view) => {
    const { weights } = of(view);
    return `Tensor '${weights?.name.slice(0, 60) ?? ""}' is ${bits[weights?.type ?? ""] ?? weights?.type ?? ""}-bit`;
  },
);

export const weightConstant = inFile(
  "constant weights",
  "Weight tensor must be constant",
  (view) => isConstant(of(view).weights),
  (view) => `Tensor '${of(view).weights?.name.slice(0, 60) ?? ""}' has non-constant values`,
);

export const biasChecks: readonly Constraint[] = [
  inFile(
    "bias",
    "Optional Bias tensor must be of shape: 1D",
    (view) => of(view).bias === undefined || shapeOf(of(view).bias).length === 1,
    (view) => `Tensor has shape: ${text(of(view).bias)}`,
  ),
  inFile(
    "bias",
    "Optional Bias tensor must be of type: int32, int64",
    (view) => of(view).bias === undefined || /^int(?:32|64)$/.test(of(view).bias?.type ?? ""),
    (view) => `Tensor has data type: ${of(view).bias?.type ?? ""}`,
  ),
];

export const filters: readonly Constraint[] = [
  check(
    "dilation",
    "Dilated kernel height must be in the range [1, 64]",
    (view) => within(dilated(view)?.[0], 64),
    (view) => `Op has dilated kernel height as: ${dilated(view)?.[0] ?? "?"}`,
  ),
  check(
    "dilation",
    "Product of dilated kernel width and height must be in the range [1, 4096]",
    (view) => within(area(dilated(view)), 4096),
    (view) => `Op has product of dilated kernel width and height as: ${area(dilated(view)) ?? "?"}`,
  ),
  weightType,
  weightConstant,
  check("sum of weights", `The sum of the weights cannot exceed ${WEIGHTS_LIMIT}`, (view) => {
    const { weights } = of(view);
    const all = elements(weights);
    const outputs = view.depthwise ? shapeOf(weights).at(-1) : view.outChannels;
    return all === undefined || outputs === undefined || (all / outputs) * USUAL <= WEIGHTS_LIMIT ? true : undefined;
  }),
  ...biasChecks,
];

/** [kernels, height, width, channels] of a filter. */
const filterShape = (view: View): readonly number[] => {
  const shape = shapeOf(of(view).weights);
  // Vela reorders constants only; what it then calls the channels of others is their width.
  return isConstant(of(view).weights) ? shape : [shape[3] ?? 1, shape[0] ?? 1, shape[1] ?? 1, shape[2] ?? 1];
};

export const groups: readonly Constraint[] = [
  inFile(
    "groups",
    "IFM depth must be a whole multiple of the filter kernel depth",
    (view) => (shapeOf(of(view).ifm).at(-1) ?? 0) % (filterShape(view)[3] ?? 1) === 0,
    (view) =>
      `IFM depth = ${shapeOf(of(view).ifm).at(-1) ?? "?"} and filter kernel depth = ${filterShape(view)[3] ?? "?"}`,
  ),
  inFile("groups", "Number of filter kernels must be equally divisible by the number of convolution groups", (view) => {
    const count = Math.floor((shapeOf(of(view).ifm).at(-1) ?? 1) / (filterShape(view)[3] ?? 1));
    return (filterShape(view)[0] ?? 0) % count === 0;
  }),
];

export const poolTypes: readonly Constraint[] = [sameTypes];

export const transposed: Build = {
  needs: true,
  perAxis: 3,
  npu: [
    ...filters,
    check(
      "stride",
      "Stride values for width and height must match one of the following criteria: Stride values WxH must be 1x1 or 2x2; Stride WxH 2x1 supported if ifm height and kernel height = 1",
      (view) => {
        const { stride, kernel } = view;
        if (stride === undefined) return undefined;
        const [h, w] = stride;
        return (
          (h === 1 && w === 1) ||
          (h === 2 && w === 2) ||
          (w === 2 && h === 1 && imageIn(view)?.[1] === 1 && kernel?.[0] === 1)
        );
      },
      strideWords,
    ),
    check("output size", "SAME padding: OFM dimensions must equal IFM dimensions multiplied by stride", (view) => {
      if (view.padding !== "same") return true;
      const [from, to] = [imageIn(view), imageOut(view)];
      const { stride } = view;
      if (from === undefined || to === undefined || stride === undefined) return undefined;
      return to[1] === (from[1] ?? 0) * stride[0] && to[2] === (from[2] ?? 0) * stride[1];
    }),
    inFile(
      "output size",
      "VALID padding: OFM dimensions must equal IFM dimensions multiplied by stride, minus difference between kernel size and stride",
      (view) => {
        if (view.padding !== "valid") return true;
        const [from, to, { kernel = [1, 1], stride = [1, 1] }] = [imageIn(view), imageOut(view), view];
        return [0, 1].every(
          (i) =>
            to?.[i + 1] === (from?.[i + 1] ?? 0) * (stride[i] ?? 1) + Math.max((kernel[i] ?? 1) - (stride[i] ?? 1), 0),
        );
      },
    ),
  ],
};

export const multiplier = check(
  "depth multiplier",
  "For depth multipliers > 1, IFM channels must be 1 and OFM channels must be equal to the depth multiplier",
  (view) => {
    const [from, to] = [imageIn(view)?.[3], imageOut(view)?.[3]];
    if (from === undefined || to === undefined) return undefined;
    const said = number(view, "depth_multiplier");
    const by = said === undefined || said === 0 ? Math.floor(to / from) : said;
    return by <= 1 || (from === 1 && to === by);
  },
  (view) => `Op has ifm_channels=${imageIn(view)?.[3] ?? "?"}, ofm_channels=${imageOut(view)?.[3] ?? "?"}`,
);

const kernelWords: Found = ({ kernel }) => `Op has kernel filter WxH as: ${kernel?.[1] ?? "?"}x${kernel?.[0] ?? "?"}`;

export const kernelHeight = (says: string, valid: boolean): Constraint =>
  check("kernel", says, (view) => (valid && paddingOf(view) !== "valid") || within(view.kernel?.[0], 256), kernelWords);

export const kernelArea = (says: string, valid: boolean): Constraint =>
  check(
    "kernel",
    says,
    (view) => (valid && paddingOf(view) !== "valid") || within(area(view.kernel), 65536),
    kernelWords,
  );

export const averagePool: Build = {
  needs: true,
  semantic: poolTypes,
  npu: [
    strideWidth,
    check(
      "stride",
      "Stride width must be greater than or equal to 1. For stride width greater than 3, valid padding needs to be used.",
      (view) => paddingOf(view) === "valid" || (strideOf(view)?.[1] ?? 1) <= 3,
      strideWords,
    ),
    check(
      "kernel",
      "Kernel filter values for both width and height must be in the range [1, 8]",
      (view) => {
        if (paddingOf(view) !== "same") return true;
        const { kernel } = view;
        return kernel === undefined
          ? undefined
          : (kernel[1] <= 8 || strideOf(view)?.[1] === kernel[1]) && kernel[0] <= 8;
      },
      kernelWords,
    ),
    kernelHeight("VALID padding: Kernel filter height must be in the range [1, 256]", true),
    kernelArea("VALID padding: Product of kernel filter width and height must be in the range [1, 65536]", true),
  ],
};
