/**
 * Qualcomm's Hexagon (HTP) by ONNX Runtime's QNN execution provider. Its own checks are in its source; behind them stands the HTP backend's
 * validation of each operator, which is not published: run on networks and on some 380 operators that each ask for something else (QNN EP
 * 2.7.0 with the x86 libQnnHtp), and unsure elsewhere.
 */

import {
  axesOf,
  axisBack,
  constants,
  given,
  inputTypes,
  known,
  listOf,
  numberOf,
  oneOutput,
  outputShape,
  ranks,
  says,
  shapeOf,
  textOf,
  valuesOf,
  without,
} from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";
import type { View } from "../view.ts";

const SOURCE = "github.com/onnxruntime/onnxruntime-qnn@cee6c0d onnxruntime/core/providers/qnn/builder/opbuilder";

const largest = ({ inputs, outputs }: View): number =>
  Math.max(0, ...[...inputs, ...outputs].map((tensor) => tensor?.shape?.length ?? 0));

/** Reshape, Transpose, Reshape around six dimensions (windows of Swin) are merged into five. */
function merged(view: View): boolean {
  const { around } = view;
  if (around === undefined || largest(view) !== 6) return false;
  const middle =
    view.spelled === "Transpose"
      ? view
      : view.spelled === "Reshape"
        ? [around.maker(view, 0), ...around.users(view)].find((one) => one?.spelled === "Transpose")
        : undefined;
  return (
    middle !== undefined &&
    around.maker(middle, 0)?.spelled === "Reshape" &&
    around.users(middle).every((one) => one.spelled === "Reshape")
  );
}

/** The HTP backend knows tensors of at most five dimensions. */
const five: Constraint = constraint(
  "rank",
  "HTP supports at most 5 dimensions",
  (view) => largest(view) <= 5 || merged(view),
  (view) => `rank ${largest(view)}`,
);

const autoPad = says(
  "auto_pad",
  ["NOTSET", "SAME_LOWER", "SAME_UPPER", "VALID"],
  "NOTSET",
  "QNN Conv operators do not support 'auto_pad' value",
);

const pool: readonly Constraint[] = [
  ranks([3, 4, 5], "QNN Pool only supports rank 3, 4, or 5!"),
  oneOutput("QNN Pool only supports 1 output!"),
  constraint(
    "dilation",
    "QNN Pool only supports dilations 1!",
    ({ dilation }) => dilation === undefined || dilation.every((one) => one === 1),
  ),
  autoPad,
];

const flatMax: Constraint = constraint(
  "rank",
  "QNN NPU does not support PoolMax3d!",
  ({ inputs }) => inputs[0]?.shape?.length !== 5,
);

const reduction: readonly Constraint[] = [
  constants([1], 'QNN EP: "axes" input for reduce operator must be an initializer'),
  constraint(
    "axes",
    "QNN EP: does not support NoOp for reduction operators with empty axes.",
    (view) => numberOf(view, "noop_with_empty_axes", 0) === 0 || (given(view, 1) && axesOf(view, 1)?.length !== 0),
  ),
];

const coordinates = (view: View): string => textOf(view, "coordinate_transformation_mode", "half_pixel") ?? "";
const nearest = (view: View): string => textOf(view, "nearest_mode", "round_prefer_floor") ?? "";
const isNearest = (view: View): boolean => textOf(view, "mode", "nearest") === "nearest";

const resize: Rule = [
  says("antialias", [0], 0, "QNN EP: Resize doesn't support anti-aliasing."),
  says("mode", ["nearest", "linear", "cubic"], "nearest", "QNN EP: Resize does not support mode"),
  constraint(
    "coordinate_transformation_mode",
    "QNN EP: Resize does not support coordinate_transformation_mode",
    (view) => ["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"].includes(coordinates(view)),
    coordinates,
  ),
  constraint("rank", "QNN EP: Resize input must have a rank >= 3. The maximum rank is 5 on the NPU.", ({ inputs }) => {
    const rank = inputs[0]?.shape?.length;
    return rank === undefined ? undefined : rank >= 3 && rank <= 5;
  }),
  constraint(
    "nearest_mode",
    "QNN EP: Resize on the NPU does not support the combination of nearest_mode and transformation_mode",
    (view) => {
      if (!isNearest(view)) return true;
      const [mode, at, rank] = [nearest(view), coordinates(view), view.inputs[0]?.shape?.length ?? 4];
      if (rank !== 4)
        return mode === "floor"
          ? at !== "pytorch_half_pixel"
          : mode === "round_prefer_floor" || (mode === "round_prefer_ceil" && at === "align_corners");
      return !((mode === "ceil" || mode === "round_prefer_floor") && at === "asymmetric");
    },
    (view) => `${nearest(view)} with ${coordinates(view)}`,
  ),
  constraint("axis", "QNN EP: Resize may only change the spatial dimensions.", (view) => {
    const [from, to] = [view.inShape, outputShape(view)];
    return from && to && from[0] === to[0] && from[1] === to[1];
  }),
];

const two = (operator: string): Rule => [
  constraint(
    "inputs",
    `QNN EP requires ${operator} to have at least 2 inputs.`,
    ({ node }) => node.inputs.filter((input) => input >= 0).length >= 2,
    ({ node }) => `${node.inputs.length} inputs`,
  ),
];

const never = (words: string): Rule => [constraint("backend", words, () => false)];

/**
 * Products that Einsum is taken for, by the letters of [first, second, result]: a matrix product, one with the second operand turned, the
 * same with the second operand of three dimensions, one of images by channels, and one that is summed over the last dimension.
 */
const products: readonly ((a: string, b: string, c: string) => boolean)[] = [
  (a, b, c) => aligned(a, b, c) && a.at(-2) === c.at(-2) && a.at(-1) === b.at(-2) && b.at(-1) === c.at(-1),
  (a, b, c) => aligned(a, b, c) && a.at(-2) === c.at(-2) && a.at(-1) === b.at(-1) && b.at(-2) === c.at(-1),
  (a, b, c) =>
    `${a.length}${b.length}${c.length}` === "434" &&
    a.slice(0, 3) === c.slice(0, 3) &&
    b[0] === c[1] &&
    a[3] === b[2] &&
    b[1] === c[3],
  (a, b, c) =>
    `${a.length}${b.length}${c.length}` === "444" &&
    a[0] === b[0] &&
    a[0] === c[0] &&
    a[3] === c[3] &&
    a[1] === b[3] &&
    b[1] === c[1],
  (a, b, c) =>
    `${a.length}${b.length}${c.length}` === "434" &&
    a.slice(0, 3) === c.slice(0, 3) &&
    a[2] === b[0] &&
    a[3] === b[2] &&
    b[1] === c[3],
];

/** As many dimensions each, those before the last two the same. */
const aligned = (a: string, b: string, c: string): boolean =>
  a.length === b.length &&
  a.length === c.length &&
  a.slice(0, -2) === b.slice(0, -2) &&
  a.slice(0, -2) === c.slice(0, -2);

function isProduct(view: View): boolean {
  const [, a, b, c] = /^([a-z]{2,8}),([a-z]{2,8})->([a-z]{2,8})$/i.exec(equationOf(view).replaceAll(" ", "")) ?? [];
  return a !== undefined && b !== undefined && c !== undefined && products.some((is) => is(a, b, c));
}

const equationOf = (view: View): string => textOf(view, "equation", "") ?? "";

const normalization = (words: string): readonly Constraint[] => [
  oneOutput(`${words} only support 1 output.`),
  axisBack([-1], -1, `${words} for HTP only support axis with last input dimension`),
];

const plain =
  "Abs Add And Atan Ceil Concat Cos DepthToSpace Div Elu Equal Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish LeakyRelu Less LessOrEqual Log Mul Neg Not Or Pow PRelu QuickGelu Reciprocal Relu Round Sigmoid Sign Sin SpaceToDepth Sqrt Sub Tan Tanh Transpose Where ThresholdedRelu Softplus Selu Identity Softmax LogSoftmax Split FusedMatMul Xor OneHot CastLike LpPool Bernoulli RandomNormalLike RandomUniformLike NonZero";

const operators: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(plain.split(" ").map((name) => [name, []])),
  ArgMax: [
    says("select_last_index", [0], 0, "QNN ArgMax/ArgMin only support select_last_index=0."),
    ranks([1, 2, 3, 4], "HTP: Argmax takes at most 4 dimensions"),
  ],
  ArgMin: [
    says("select_last_index", [0], 0, "QNN ArgMax/ArgMin only support select_last_index=0."),
    ranks([1, 2, 3, 4], "HTP: Argmin takes at most 4 dimensions"),
  ],
  BatchNormalization: [
    constraint(
      "rank",
      "QNN BatchNorm only supports input ranks of size <= 4.",
      ({ inputs }) => (inputs[0]?.shape?.length ?? 0) <= 4,
    ),
    constants([1, 2, 3, 4], "QNN BatchNorm doesn't support dynamic scale, bias, mean or var."),
    oneOutput("QNN BatchNorm only support 1 output."),
  ],
  Asin: "no",
  Cast: [],
  // Known as part of GELU alone.
  Erf: [
    constraint("operator", "Operators of type Erf are not supported by QNN EP outside of Gelu", (view) => {
      const after = view.around?.users(view) ?? [];
      return (
        after.length === 1 &&
        after[0]?.spelled === "Add" &&
        view.around?.users(after[0]).every(({ spelled }) => spelled === "Mul")
      );
    }),
  ],
  GRU: [],
  Clip: [constants([1, 2], "QNN doesn't support dynamic min/max.")],
  Conv: [ranks([3, 4, 5], "QNN Conv only supports 3D(rank 5), 2D (rank 4) or 1D (rank 3) inputs."), autoPad],
  ConvTranspose: [
    ranks([3, 4, 5], "QNN Conv only supports 3D(rank 5), 2D (rank 4) or 1D (rank 3) inputs."),
    autoPad,
    constraint(
      "dilation",
      "QNN EP: QNN's TransposeConv2d operator only supports default dilation values of 1.",
      ({ dilation }) => dilation === undefined || dilation.every((one) => one === 1),
    ),
  ],
  CumSum: [
    constants([1], "QNN CumSum needs axis as a param, hence input[1] must be a constant."),
    says("exclusive", [0], 0, "QNN only supports default value 0 for exclusive attribute"),
    says("reverse", [0], 0, "QNN only supports default value 0 for reverse attribute"),
  ],
  Einsum: [constraint("equation", "Einsum unsupported equation", isProduct, equationOf)],
  Expand: [constants([1], "QNN doesn't support dynamic shape.")],
  Flatten: [],
  Gather: [],
  GatherElements: [],
  GatherND: [],
  Gemm: [
    says("alpha", [1], 1, "QNN FullyConnected Op only support alpha=1.0."),
    says("beta", [1, 0], 1, "QNN FullyConnected Op only support beta=1.0 or beta=0.0."),
  ],
  GlobalAveragePool: pool,
  AveragePool: pool,
  MaxPool: [...pool, flatMax],
  GlobalMaxPool: [...pool, flatMax],
  GridSample: [
    says("mode", ["bilinear", "nearest", "linear"], "bilinear", "GridSample does not support mode"),
    says("padding_mode", ["zeros", "border", "reflection"], "zeros", "GridSample does not support padding_mode"),
  ],
  GroupNormalization: [
    oneOutput("QNN GroupNorm only support 1 output."),
    constraint("scale", "QNN GroupNorm input 1 (scale) must have 1D shape [channel].", (view) => {
      const [scale, channels] = [shapeOf(view, 1), view.inShape?.[1]];
      return scale === undefined || channels === undefined ? undefined : scale.length === 1 && scale[0] === channels;
    }),
  ],
  IsInf: never("QNN EP does not support IsInf on the HTP backend"),
  InstanceNormalization: [ranks([3, 4], "QNN InstanceNorm only supports input ranks of size 3 or 4.")],
  LayerNormalization: normalization("QNN LayerNorm"),
  RMSNormalization: normalization("QNN RMSNorm"),
  SimplifiedLayerNormalization: normalization("QNN RMSNorm"),
  LRN: [
    ranks([3, 4], "QNN EP: LRN operator only supports input ranks of size 3 or 4."),
    constraint(
      "size",
      "QNN EP: LRN operator's size attribute must be odd.",
      (view) => (numberOf(view, "size", 1) ?? 1) % 2 === 1,
    ),
  ],
  LpNormalization: [says("p", [2], 2, "QNN EP only supports LpNormalization with 'p' attribute equal to 2.")],
  LSTM: [
    constants([4], "QNN EP: dynamic sequence_length is not supported."),
    without("clip", "QNN EP doesn't support non-default clip for LSTM."),
    says("layout", [0], 0, "QNN EP: Unsupport layout mode"),
  ],
  MatMul: [],
  MatMulNBits: "no",
  Max: two("Max"),
  Min: two("Min"),
  Mean: two("Mean"),
  Mod: [says("fmod", [0], 0, "QNN Mod Op only support fmod == 0 for now.")],
  Pad: [
    constraint(
      "rank",
      "QNN Pad doesn't support more than 5 dimensions",
      ({ inputs }) => (inputs[0]?.shape?.length ?? 0) <= 5,
    ),
    constants([1, 2], "Qnn doesn't support dynamic pad input"),
    constraint("axes", "QNN Pad doesn't support axes.", (view) => !given(view, 3)),
    constraint("padding", "Pad amount should not be greater than shape(input[0])[i] - 1", (view) => {
      if (textOf(view, "mode", "constant") !== "reflect") return true;
      const [pads, shape] = [valuesOf(view, 1), view.inShape];
      return pads && shape && pads.every((pad, at) => pad >= 0 && pad <= (shape[at % shape.length] ?? 0) - 1);
    }),
  ],
  ReduceMax: reduction,
  ReduceMean: reduction,
  ReduceMin: reduction,
  ReduceProd: never("QNN EP: ReduceProd operator not supported by HTP backend."),
  ReduceSum: reduction,
  ReduceLogSumExp: reduction,
  ReduceL2: [
    ...reduction,
    constraint(
      "quantization",
      "QNN EP: ReduceL2 operator does not support quantized input for now.",
      ({ quantized }) => !quantized,
    ),
  ],
  Reshape: [
    constraint(
      "allowzero",
      "The 'allowzero' attribute is not supported by QNN.",
      (view) => numberOf(view, "allowzero", 0) === 0 || valuesOf(view, 1)?.includes(0) !== true,
    ),
  ],
  Resize: resize,
  RoiAlign: [says("mode", ["avg"], "avg", "HTP only supports avg pooling mode.")],
  Range: [constants([0, 1, 2], "Range: all inputs (start, limit, delta) must be constant initializers.")],
  ScatterElements: [
    says("reduction", ["none", "add", "mul", "max"], "none", "ScatterElements does not support reduction"),
  ],
  ScatterND: [says("reduction", ["none", "add", "mul"], "none", "ScatterND does not support reduction")],
  Slice: [constants([1, 2, 3, 4], "Expected input to be an initializer.")],
  Squeeze: [],
  Unsqueeze: [],
  STFT: "unsure",
  Inverse: "unsure",
  IsNaN: [inputTypes([0], ["float32", "float16"], "QNN IsNan Op supports only float32 and float16 input tensors.")],
  Sum: two("Sum"),
  Tile: [constants([1], "Qnn doesn't support dynamic repeats input")],
  TopK: [
    constants([1], "The number of top elements to retrieve must be specified as constant input."),
    constraint("outputs", "QNN TopK expects exactly 2 outputs.", ({ node }) => node.outputs.length === 2),
  ],
  Upsample: resize,
  QuantizeLinear: [
    alone(),
    constraint(
      "graph input",
      "QNN EP is configured to not take Q nodes that consume a graph input.",
      (view) => view.constant[0] === true || view.around?.maker(view, 0) !== undefined,
    ),
  ],
  DequantizeLinear: [
    alone(),
    constraint(
      "graph output",
      "QNN EP is configured to not take DQ nodes that generate a graph output.",
      (view) => view.around?.users(view).length !== 0,
    ),
  ],
  If: "no",
  Loop: "no",
  NonMaxSuppression: [
    constraint(
      "max_output_boxes_per_class",
      "NonMaxSuppression: max_output_boxes_per_class must be provided and > 0 for QNN",
      (view) => (given(view, 2) && view.constant[2] === true && valuesOf(view, 2)?.[0] !== 0 ? undefined : false),
    ),
  ],
};

/** A scale for each channel is only there for weights. */
function alone(): Constraint {
  return constraint(
    "per-channel",
    "QNN EP does not support a standalone Q or DQ op with per-channel quantization",
    (view) => {
      const scales = shapeOf(view, 1);
      if (scales === undefined || scales.length === 0 || scales.every((one) => one === 1)) return true;
      return view.constant[0] === true || listOf(view, "axis") !== undefined;
    },
  );
}

/** Takes what has a batch. */
const isImage = ({ inShape }: View): boolean => inShape?.length === 4;

const qnn: Target = {
  id: "ort-qnn",
  name: "Qualcomm Hexagon HTP (ONNX Runtime)",
  tool: "ONNX Runtime QNN EP",
  version: "2.7.0, QNN 2.4x, 2026",
  devices: ["qualcomm"],
  formats: ["onnx"],
  names: "onnx",
  confidence: "run",
  sources: [
    SOURCE,
    "github.com/microsoft/onnxruntime@019bde6 docs/execution-providers/QNN-ExecutionProvider.md",
    "QNN EP 2.7.0 with libQnnHtp on x86, run on exported models",
  ],
  preconditions: [
    {
      rule: "dynamic",
      says: "QNN EP does not support models with dynamic shapes, the batch included",
      holds: ({ dynamic, batch, views }) =>
        dynamic === undefined ? undefined : !dynamic && (batch !== undefined || !views.some(isImage)),
      else: "warns",
      cure: "Fix the shapes of the inputs (onnxruntime.tools.make_dynamic_shape_fixed).",
      source: "github.com/microsoft/onnxruntime@019bde6 docs/execution-providers/QNN-ExecutionProvider.md",
    },
    {
      rule: "quantization",
      says: "float32 is computed as float16, on Hexagon v68 and later with HMX; quantise to QDQ uint8 or uint16 for the rest",
      holds: ({ scheme }) => (scheme === undefined ? undefined : scheme === "qdq"),
      else: "warns",
      cure: "Quantise to QDQ with onnxruntime.quantization (execution_providers.qnn.get_qnn_qdq_config).",
    },
  ],
  every: [known("QNN EP does not support dynamic shapes"), five],
  operators,
  others: "no",
  otherSays: "Operators of this type are not supported by QNN EP",
  partition: { way: "subgraphs" },
};

export default [qnn];
