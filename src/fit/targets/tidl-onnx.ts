/** TI's C7x with MMA by TIDL, an ONNX Runtime execution provider. */

import {
  axisBack,
  constants,
  fromFront,
  given,
  listOf,
  listOrInput,
  numberOf,
  outRank,
  outputShape,
  says,
  shapeOf,
  spatial,
  valuesOf,
} from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Rule, Target } from "../target.ts";
import {
  convolution,
  deconvolution,
  dimensions,
  elementwise,
  everyLayer,
  globalPooling,
  pooling,
  reshape,
  TIDL_DOCUMENT,
  TIDL_IMPORT,
  TIDL_VISION,
  transpose,
} from "../tidl-rules.ts";
import { argument, quantise, reduce, resize, scatter, slice } from "../tidl-rules-onnx.ts";

const six: Rule = [dimensions(6)];

/** Unary layers that look at their rank alone. */
const unary =
  "Relu Sigmoid Logistic Tanh HardSigmoid Elu Flatten Squeeze Sqrt Asin Asinh HardSwish Mish Log Abs Floor Exp Sin Acos Atan Sinh Cos Cosh Neg Tan LeakyRelu Swish";

const layers: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(unary.split(" ").map((name) => [name, six])),
  AveragePool: pooling("average"),
  MaxPool: pooling("max"),
  GlobalAveragePool: globalPooling,
  PRelu: [
    dimensions(6),
    constants([1], "PRelu does not support variable slope"),
    constraint("broadcast", "PRelu slope should be same or broadcast-able to input channel dimension", (view) => {
      const slope = shapeOf(view, 1)?.reduce((all, one) => all * one, 1);
      return slope === undefined ? undefined : slope === 1 || slope === view.inChannels;
    }),
  ],
  Add: elementwise,
  Sum: elementwise,
  Sub: elementwise,
  Mul: elementwise,
  Div: elementwise,
  Max: elementwise,
  Min: elementwise,
  Gemm: [
    dimensions(4),
    constraint(
      "variable inputs",
      "Gemm layer does not support more than one variable inputs",
      (view) => view.constant.filter((one, at) => !one && given(view, at)).length <= 1,
    ),
    constraint(
      "bias",
      "Bias tensor input should be a vector of [1, N] or [N] where N should match output dimension",
      (view) => {
        if (!given(view, 2)) return true;
        const [bias, out] = [shapeOf(view, 2), outputShape(view)?.at(-1)];
        if (bias === undefined || out === undefined) return undefined;
        return bias.length === 1 ? bias[0] === out : bias.length === 2 && bias[0] === 1 && bias[1] === out;
      },
    ),
    constraint(
      "attributes",
      "Only supported Gemm params are transA = 0, alpha = 1.0 and beta = 1.0",
      (view) =>
        numberOf(view, "transA", 0) === 0 && numberOf(view, "alpha", 1) === 1 && numberOf(view, "beta", 1) === 1,
    ),
  ],
  MatMul: [
    dimensions(4),
    constraint("rank", "Filter tensor input should have atleast 2 dimensions", (view) => {
      const filter = shapeOf(view, 1);
      return filter && filter.length >= 2;
    }),
  ],
  Softmax: [dimensions(6), axisBack([-1, -2], -1, "Only softmax along width and height axis is supported")],
  BatchNormalization: [
    constraint(
      "rank",
      "Number of variable input dimensions must be less than 6",
      ({ inShape }) => inShape && inShape.length <= 6,
    ),
    says("training_mode", [0], 0, "training_mode = 1 is not supported"),
    constants(
      [1, 2, 3, 4],
      "Scale, Bias, input_mean and input_var should be constant 1-D tensor of size same as input channel dimension",
    ),
  ],
  ConvTranspose: deconvolution,
  Concat: [
    axisBack([-3, -2, -1], 0, "Only supported for axis values of -3, -2 & -1"),
    constraint("axis", "Not supported along the batch dimension", (view) => {
      const rank = view.inShape?.length;
      return rank === undefined ? undefined : rank < 4 || fromFront(numberOf(view, "axis", 0) ?? 0, rank) > 0;
    }),
    dimensions(6),
  ],
  Slice: slice,
  Split: slice,
  ArgMax: argument(),
  ArgMin: argument(),
  Upsample: resize,
  Resize: resize,
  DepthToSpace: [
    spatial([2], "Input should be four-dimensional (4D)"),
    constraint("channels", "Input depth (channel dimension) should be multiple of (blocksize * blocksize)", (view) => {
      const size = numberOf(view, "blocksize");
      return size === undefined || view.inChannels === undefined ? undefined : view.inChannels % (size * size) === 0;
    }),
    says(
      "mode",
      ["DCR", "CRD"],
      "DCR",
      "Only mode supported are DCR(depth-column-row order) and CRD(column-row-depth order)",
    ),
  ],
  SpaceToDepth: [
    spatial([2], "Input should be four-dimensional (4D)"),
    constraint("size", "Input height and width should be multiple of blocksize", (view) => {
      const size = numberOf(view, "blocksize");
      return size === undefined ? undefined : view.inSize?.every((one) => one % size === 0);
    }),
  ],
  Pad: [
    constraint(
      "rank",
      "Maximum number of input dimension supported is 6",
      ({ inShape }) => inShape && inShape.length <= 6,
    ),
    says("mode", ["constant"], "constant", "Only constant pad mode with constant_value = 0 is supported"),
    constraint("value", "Only constant pad mode with constant_value = 0 is supported", (view) =>
      given(view, 2) ? valuesOf(view, 2)?.every((one) => one === 0) : numberOf(view, "value", 0) === 0,
    ),
    constraint(
      "axis",
      "Padding is only supported for width/height axes",
      (view) => {
        const [pads, rank] = [listOrInput(view, "pads", 1), view.inShape?.length];
        if (pads === undefined || rank === undefined || given(view, 3)) return undefined;
        return pads.every((pad, at) => pad === 0 || at % rank >= rank - 2);
      },
      (view) => `pads ${listOrInput(view, "pads", 1)?.join(", ") ?? ""}`,
    ),
  ],
  ReduceMax: reduce(),
  ReduceMin: reduce(),
  ReduceMean: [],
  ReduceSum: [],
  ScatterND: scatter(),
  ScatterElements: scatter(),
  Reshape: reshape,
  Gather: [
    constraint("rank", "Input dimensions must be greater than 1D", ({ inShape }) => inShape && inShape.length >= 2),
    outRank(6, "Number of output dimensions must be less than <= 6"),
    constraint(
      "constant input",
      "Data cannot be a constant. Only indices can be constant.",
      ({ constant }) => constant[0] !== true,
    ),
    constraint("axis", "Input shape of dimension higher than axis should be 1", (view) => {
      const rank = view.inShape?.length;
      if (rank === undefined || view.inShape === undefined) return undefined;
      const axis = fromFront(numberOf(view, "axis", 0) ?? 0, rank);
      if (view.constant[1] === true) {
        const indices = valuesOf(view, 1);
        const next = indices?.every((one, at) => at === 0 || one - (indices[at - 1] ?? 0) === 1);
        if (next === true && axis - rank >= -3) return true;
      }
      return view.inShape.slice(0, axis).every((one) => one === 1);
    }),
    constraint("rank", "Only 1D indices are supported", (view) =>
      shapeOf(view, 1)
        ?.slice(0, -1)
        .every((one) => one === 1),
    ),
  ],
  Transpose: transpose((view) => listOf(view, "perm") ?? view.inShape?.map((_, at, all) => all.length - 1 - at)),
  LayerNormalization: [dimensions(6), axisBack([-1], -1, "Only supported across the width axis")],
  InstanceNormalization: [
    dimensions(6),
    constraint(
      "rank",
      "Number of variable input dimensions must be >= 3",
      ({ inShape }) => inShape && inShape.length >= 3,
    ),
    constants([1, 2], "Scale and Bias should be 1-D tensor of size same as input channel dimension"),
  ],
  GridSample: [
    says("mode", ["nearest", "bilinear", "linear"], "bilinear", "Only nearest & bilinear mode is supported"),
    says("padding_mode", ["zeros"], "zeros", "Only zero padding mode is supported"),
    spatial([2], "Only 2D grid indices are supported"),
  ],
  TopK: [
    says("sorted", [1], 1, "TopK is not supported with 'sorted' attribute is set to 0"),
    constants([1], "Input K for TopK operator is only supported when given as an initializer in the model"),
    axisBack([-1, -2], -1, "TopK axis other than width and height is not supported"),
  ],
  DeformConv: [
    constraint(
      "kernel",
      "DeformConv is only supported for 3x3s1 filter",
      ({ kernel, stride }) => kernel && stride && kernel.join() === "3,3" && stride.join() === "1,1",
    ),
  ],
  Clip: [
    dimensions(6),
    constraint("bounds", "Only min <= 0 and max > 0 is supported", (view) => {
      const least = given(view, 1) ? valuesOf(view, 1)?.[0] : numberOf(view, "min", Number.NEGATIVE_INFINITY);
      const most = given(view, 2) ? valuesOf(view, 2)?.[0] : numberOf(view, "max", Number.POSITIVE_INFINITY);
      return least === undefined || most === undefined ? undefined : least <= 0 && most > 0;
    }),
  ],
  Pow: [
    dimensions(6),
    constants([1], "Power tensor must be a constant tensor"),
    constraint("size", "Size of the constant tensor must be 1", (view) => shapeOf(view, 1)?.every((one) => one === 1)),
  ],
  Expand: [dimensions(6), constants([1], "Shape tensor cannot be a variable input")],
  Unsqueeze: [outRank(6, "Output dimensions after unsqueeze must be less than <= 6")],
  // Between layers it is only a change of type that TIDL does not make: where it stands at an end of the network is not seen here.
  Cast: [],
  // Taken as part of GELU, which is how networks use it. As one operator it is placed as the older opset would write it.
  Erf: six,
  Gelu: six,
  QuantizeLinear: quantise,
  DequantizeLinear: quantise,
};

const base = {
  tool: "TIDL (ONNX Runtime)",
  version: "11, ONNX Runtime 1.23",
  formats: ["onnx"],
  names: "onnx",
  confidence: "source",
  sources: [TIDL_DOCUMENT, TIDL_IMPORT],
  preconditions: [
    {
      rule: "dynamic",
      says: "shapes of all tensors must be known",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "warns",
      cure: "Fix the input shape and run shape inference (onnx.shape_inference) before compiling.",
      source: TIDL_DOCUMENT,
    },
    {
      rule: "opset",
      says: "GELU as opsets before 20 write it: Div, Erf, Add, Mul and Mul",
      holds: ({ views }) => !views.some(({ op }) => op === "Gelu"),
      else: "warns",
      cure: "Export to opset 19 or older.",
      source: TIDL_VISION,
    },
  ],
  every: everyLayer,
  others: "no",
  otherSays: "Layer type not supported by TIDL",
  // max_num_subgraphs, those of most operations. Groups of nothing but shapes are not worth a subgraph.
  partition: { way: "subgraphs", most: 16, by: "work", idle: ["Reshape", "Squeeze", "Unsqueeze", "Cast", "Flatten"] },
  melts: ["Identity", "Dropout", "Constant"],
} as const satisfies Partial<Target>;

const targets: readonly Target[] = [
  {
    ...base,
    id: "tidl-onnx",
    name: "TI C7x with MMA: TDA4VM, AM68A, AM69A",
    devices: ["ti-tidl/j721e", "ti-tidl/j721s2"],
    operators: {
      ...layers,
      Conv: convolution("j7"),
    },
  },
  {
    ...base,
    id: "tidl-onnx-am62a",
    name: "TI C7x with MMA: AM62A, AM67A",
    devices: ["ti-tidl/am62a"],
    operators: { ...layers, Conv: convolution("am62a") },
  },
];

export default targets;
