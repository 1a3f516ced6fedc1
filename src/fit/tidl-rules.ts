/**
 * What TI's TIDL (C7x with MMA) asks of a layer, whichever format it came from: docs/supported_ops_rts_versions.md of edgeai-tidl-tools, and
 * the checks of its import tool, whose messages are told unchanged.
 */

import { numberOf, oneOutput, oneVariable, outputShape, padsOf, shapeOf, valuesOf } from "./onnx-rules.ts";
import { constraint } from "./rules.ts";
import type { Constraint } from "./target.ts";
import type { View } from "./view.ts";

export const TIDL_DOCUMENT =
  "github.com/TexasInstruments/edgeai-tidl-tools docs/supported_ops_rts_versions.md (95ba2c7, and the later one of ONNX Runtime 1.23)";
export const TIDL_IMPORT =
  "TI's TIDL import tool, tidl_constraint_*.cpp, tidl_onnxRtImport_core.cpp (published with the SDK)";
/** How transformers have to be written. */
export const TIDL_VISION = "github.com/TexasInstruments/edgeai-tidl-tools docs/tidl_fsg_vtfr.md (95ba2c7)";

/** Dimensions of a TIDL tensor: batch, two more, channels, height, width. */
const DIMENSIONS = 6;

/** Dimensions beyond 1 of the variable input. */
export const dimensions = (most: 4 | 6): Constraint =>
  constraint(
    "rank",
    `Number of non-singleton variable input dimensions must be less than <= ${most}`,
    ({ inShape }) => (inShape === undefined ? undefined : inShape.filter((one) => one > 1).length <= most),
    ({ inShape }) => `${inShape?.filter((one) => one > 1).length ?? "?"} dimensions`,
  );

/** Of every layer: shapes are there, and no input has more dimensions than a TIDL tensor. */
export const everyLayer: readonly Constraint[] = [
  constraint(
    "rank",
    `number of input dims is not supported by TIDL, maximum dimension allowed is ${DIMENSIONS}`,
    ({ inputs }) => (inputs[0]?.shape === undefined ? true : inputs[0].shape.length <= DIMENSIONS),
    ({ inputs }) => `${inputs[0]?.shape?.length ?? "?"} dimensions`,
  ),
  constraint("dynamic", "Unknown input dimension, not supported by TIDL", (view) =>
    view.inputs.every(
      (tensor, at) =>
        tensor === undefined ||
        tensor.name === "" ||
        view.constant[at] === true ||
        shapeOf(view, at)?.every((one) => one > 0) === true,
    ),
  ),
];

const windowWords = ({ kernel, stride }: View): string =>
  `Kernel size (${kernel?.join("x") ?? "?"}) with stride (${stride?.join("x") ?? "?"})`;

/** "3x3s2": one of these kernels with one of these strides. */
const sized = ({ kernel, stride }: View): string | undefined =>
  kernel &&
  stride &&
  (stride[0] === stride[1] ? `${kernel.join("x")}s${stride[0]}` : `${kernel.join("x")}s${stride.join("x")}`);

/** Kernels (height x width) and strides the convolution is made for; the second list takes no dilation. */
const dilatable = "1x1s1 1x1s2 2x2s1 3x3s1 5x5s1 7x7s1 1x3s1 3x1s1 1x5s1 5x1s1 1x7s1 7x1s1".split(" ");
const plain = "2x2s2 3x3s2 3x3s3 5x5s2 7x7s2".split(" ");
const depthwise = "1x1s1 1x3s1 3x3s1 3x3s2 5x5s1 5x5s2 7x7s1 7x7s2".split(" ");

function convolves(view: View): boolean | undefined {
  const { kernel, stride, dilation, inSize, groups } = view;
  const size = sized(view);
  if (size === undefined || !kernel || !stride || !dilation) return undefined;
  const undilated = dilation[0] === 1 && dilation[1] === 1;
  if (dilatable.includes(size) || (undilated && plain.includes(size))) return true;
  // Patches: a kernel as large as its stride that the image is a multiple of.
  if (kernel[0] !== kernel[1] || kernel[0] !== stride[0] || kernel[0] < 3 || !undilated || groups !== 1) return false;
  if (padsOf(view)?.some((pad) => pad !== 0) === true) return false;
  return inSize === undefined ? undefined : inSize[0] % kernel[0] === 0 && inSize[1] % kernel[0] === 0;
}

const isDepthwise = ({ groups, inChannels, outChannels }: View): boolean =>
  groups !== undefined && (groups === inChannels || inChannels === 1) && groups === outChannels;

export const convolution = (chip: "am62a" | "j7"): readonly Constraint[] => [
  oneVariable("Only one variable input is allowed"),
  dimensions(4),
  constraint(
    "stride",
    "Stride must be the same along both horizontal and vertical dimensions",
    ({ stride }) => stride && stride[0] === stride[1],
    ({ stride }) => `stride ${stride?.join("x") ?? ""}`,
  ),
  ...(chip === "am62a"
    ? [
        constraint(
          "stride",
          "Kernel size 3x3 with stride 3 is not supported in AM62A and AM67A",
          (view) => sized(view) !== "3x3s3",
        ),
        constraint("padding", "Padding greater than input width is not supported for AM62A and AM67A", (view) => {
          const [pads, width] = [padsOf(view), view.inSize?.[1]];
          return isDepthwise(view) || (pads && width !== undefined ? pads[1] <= width : undefined);
        }),
        constraint(
          "padding",
          "Input width less than MAX(Pad Left, Pad Right) is not supported for AM62A and AM67A",
          (view) => {
            const [pads, width] = [padsOf(view), view.inSize?.[1]];
            return pads && width !== undefined ? width >= Math.max(pads[1], pads[3]) : undefined;
          },
        ),
      ]
    : []),
  constraint(
    "kernel",
    "Kernel size greater than 7 with stride 2 is not supported",
    ({ kernel, stride }) => kernel && stride && !(kernel[0] > 7 && kernel[1] > 7 && stride[0] === 2 && stride[1] === 2),
    windowWords,
  ),
  constraint(
    "kernel",
    "Depthwise (Fully Grouped) convolution is only supported for 1x3s1, 3x3s1, 3x3s2, 5x5s1, 5x5s2, 7x7s1 & 7x7s2 filters",
    (view) => {
      const size = sized(view);
      return !isDepthwise(view) || (size === undefined ? undefined : depthwise.includes(size));
    },
    windowWords,
  ),
  constraint(
    "stride",
    "Stride 4 is only supported with Kernel size 11x11",
    (view) => {
      const { kernel, stride } = view;
      if (!kernel || !stride || stride[0] !== 4 || stride[1] !== 4 || kernel[0] === 11 || kernel[1] === 11) return true;
      return convolves(view);
    },
    windowWords,
  ),
  constraint("kernel", "Kernel size with stride is not supported", convolves, windowWords),
];

const transposed: Readonly<Record<string, number | undefined>> = { "4x4s2": 1, "2x2s2": 0, "5x5s4": 1 };

export const deconvolution: readonly Constraint[] = [
  oneVariable("Only one variable input is allowed"),
  dimensions(4),
  constraint(
    "kernel",
    "Only 4x4, 3x3 and 2x2 kernels with 2x2 stride are supported",
    (view) => {
      const size = sized(view);
      if (size === undefined) return undefined;
      if (size === "3x3s2") return true;
      const pad = transposed[size];
      if (pad === undefined) return false;
      const pads = padsOf(view);
      return pads && pads[0] === pad && pads[1] === pad;
    },
    windowWords,
  ),
  constraint(
    "dilation",
    "Only default dilations values (1,1) are supported",
    ({ dilation }) => dilation && dilation[0] === 1 && dilation[1] === 1,
    ({ dilation }) => `dilation ${dilation?.join("x") ?? ""}`,
  ),
];

const pools = "2x2s2 3x3s1 3x3s2".split(" ");
const maxPools = "1x1s1 1x1s2 1x1s2x1 1x1s1x2 1x1s3x1 1x1s1x3 1x2s1x2 1x3s1x3 2x1s2x1 3x1s3x1".split(" ");

export const pooling = (kind: "max" | "average"): readonly Constraint[] => [
  oneVariable("Input should be variable"),
  dimensions(4),
  constraint(
    "kernel",
    "Pooling functionality is validated for 3x3,2x2 and 1x1 kernels with both stride 1 and stride 2 (horizontally and vertically), with the exception of 2x2 kernel with stride 1",
    (view) => {
      const size = sized(view);
      return size === undefined ? undefined : pools.includes(size) || (kind === "max" && maxPools.includes(size));
    },
    windowWords,
  ),
  constraint(
    "dilation",
    "Only default dilations values (1,1) are supported",
    ({ dilation }) => dilation && dilation[0] === 1 && dilation[1] === 1,
    ({ dilation }) => `dilation ${dilation?.join("x") ?? ""}`,
  ),
  oneOutput("Number of outputs should be 1"),
];

/** Average over the whole image. */
export const globalPooling: readonly Constraint[] = [
  oneVariable("Input should be variable"),
  constraint(
    "size",
    "GlobalAveragePool cannot support plane sizes > 1024. You can use the convert_large_global_avg_pooling_to_matmul rule in tidl-onnx-model-optimizer.",
    ({ inSize }) => inSize && inSize[0] * inSize[1] <= 1024,
    ({ inSize }) => `plane ${inSize?.join("x") ?? ""}`,
  ),
  constraint(
    "rank",
    "Only 1D and 2D GlobalAveragePool is supported",
    ({ inShape }) => (inShape === undefined ? undefined : inShape.length <= 4),
    ({ inShape }) => `rank ${inShape?.length ?? ""}`,
  ),
];

/** Add, Sub, Mul, Div, Max, Min. */
export const elementwise: readonly Constraint[] = [
  constraint(
    "inputs",
    "Only 2 inputs are supported in Add/Mul/Sub/Div/Max/Min layers",
    ({ node }) => node.inputs.filter((input) => input >= 0).length === 2,
    ({ node }) => `${node.inputs.length} inputs`,
  ),
  dimensions(6),
];

export const reshape: readonly Constraint[] = [
  constraint(
    "constant input",
    "Variable shape is not supported",
    (view) => view.inputs[1] === undefined || view.constant[1] === true,
  ),
  dimensions(6),
  constraint(
    "allowzero",
    "Only default allowzero = 0 is supported",
    (view) => numberOf(view, "allowzero", 0) === 0 || valuesOf(view, 1)?.includes(0) === false,
  ),
  constraint("size", "Input volume should be equal to output volume", (view) => {
    const [from, to] = [view.inShape, outputShape(view)];
    return from && to && volume(from) === volume(to);
  }),
];

const volume = (shape: readonly number[]): number => shape.reduce((all, one) => all * one, 1);

/** Dimensions of more than four with the width moved to the front. `perm`: attribute or constant. */
export const transpose = (perm: (view: View) => readonly number[] | undefined): readonly Constraint[] => [
  dimensions(6),
  constraint(
    "permutation",
    "For inputs with more than 4 dimensions (>4D), permutations where the width dimension is mapped to either the first or second position (Dim 0 or Dim 1) in the output shape are not supported",
    (view) => {
      const rank = view.inShape?.length;
      if (rank === undefined || rank <= 4) return rank === undefined ? undefined : true;
      const order = perm(view);
      if (order === undefined) return undefined;
      const front = DIMENSIONS - rank;
      return ![...Array.from({ length: front }, () => -1), ...order].slice(0, 2).includes(rank - 1);
    },
    (view) => `permutation ${perm(view)?.join(", ") ?? ""}`,
  ),
];
