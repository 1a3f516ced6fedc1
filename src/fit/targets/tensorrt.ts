/** NVIDIA GPUs by TensorRT's ONNX parser, alone or as an execution provider of ONNX Runtime. */

import {
  constants,
  given,
  listOf,
  numberOf,
  oneOutput,
  ranks,
  says,
  shapeOf,
  spatial,
  textOf,
  valuesOf,
  without,
} from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";

const SOURCE = "github.com/onnx/onnx-tensorrt@96e7811 docs/operators.md";

const taken =
  "Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh BatchNormalization Cast CastLike Ceil Celu Clip Concat ConstantOfShape Conv ConvTranspose Cos Cosh DepthToSpace Div Einsum Elu Equal Erf Exp Expand Flatten Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid HardSwish Identity ImageScaler InstanceNormalization IsInf IsNaN LeakyRelu Less LessOrEqual Log LogSoftmax LRN LpNormalization MatMul Max Mean MeanVarianceNormalization Min Mish Mod Mul Neg NonMaxSuppression NonZero Not Or ParametricSoftplus Pow PRelu Range Reciprocal Relu Reshape ReverseSequence RoiAlign Round ScaledTanh Scan Scatter ScatterElements Selu Shape Shrink Sigmoid Sign Sin Sinh Size Softmax Softplus Softsign SpaceToDepth Split Sqrt Sub Sum Tan Tanh ThresholdedRelu Tile Transpose Trilu Upsample Where Xor";

const refused =
  "AffineGrid Bernoulli BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Col2Im CenterCropPad Compress ConcatFromSequence ConvInteger DFT Det DynamicQuantizeLinear HammingWindow HannWindow ImageDecoder MatMulInteger MaxRoiPool MaxUnpool MelWeightMatrix Multinomial NegativeLogLikelihoodLoss Optional OptionalGetElement OptionalHasElement QLinearConv QLinearMatMul RegexFullMatch STFT SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap SoftmaxCrossEntropyLoss SplitToSequence StringConcat StringNormalizer StringSplit TfIdfVectorizer Unique";

/** Types TensorRT computes in or stores; float64 is cast to float32 with a warning. */
const types: Constraint = constraint(
  "type",
  "TensorRT supports FP32, FP16, BF16, INT32, INT64, BOOL, and INT8, FP8, INT4 between Q and DQ",
  ({ inputs, outputs }) =>
    [...inputs, ...outputs].every(
      (tensor) =>
        tensor === undefined ||
        !["uint16", "int16", "uint32", "uint64", "string", "complex64", "complex128"].includes(tensor.type),
    ),
  ({ inputs, outputs }) =>
    [...inputs, ...outputs].find(
      (tensor) => tensor !== undefined && /int16|uint32|uint64|string|complex/.test(tensor.type),
    )?.type ?? "",
);

const undilated: Constraint = constraint(
  "dilation",
  "`dilations` must be empty or all ones",
  (view) => listOf(view, "dilations")?.every((one) => one === 1) !== false,
  (view) => `dilations ${listOf(view, "dilations")?.join(", ") ?? ""}`,
);

const pool: readonly Constraint[] = [spatial([2, 3], "2D or 3D Pooling only"), undilated];

const axes = (at: number): Rule => [constants([at], "`axes` must be an initializer")];

const recurrent: readonly Constraint[] = [
  constraint(
    "activations",
    "activation functions must be the same for both the forward and reverse pass",
    ({ node }) => {
      const list = node.attributes["activations"];
      if (!Array.isArray(list) || node.attributes["direction"] !== "bidirectional") return true;
      const half = list.length / 2;
      return list.slice(0, half).join() === list.slice(half).join();
    },
  ),
];

/** A zero point that is given must be 0. */
const zero = (words: string): Constraint =>
  constraint("zero point", words, (view) => !given(view, 2) || valuesOf(view, 2)?.every((one) => one === 0));

const operators: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(taken.split(" ").map((name) => [name, []])),
  ...Object.fromEntries(refused.split(" ").map((name): [string, Rule] => [name, "no"])),
  AveragePool: pool,
  MaxPool: [...pool, oneOutput("`Indices` output tensor unsupported")],
  LpPool: [undilated],
  Constant: [
    without("sparse_value", "`sparse_value` is unsupported"),
    without("value_string", "`value_string` is unsupported"),
    without("value_strings", "`value_strings` is unsupported"),
  ],
  CumSum: [constants([1], "`axis` must be an initializer")],
  DeformConv: [
    spatial([1, 2], "`input` must have 1D or 2D spatial dimensions"),
    constraint("padding", "`pads` for the beginning and end along each spatial axis must be the same", (view) => {
      const pads = listOf(view, "pads");
      const half = (pads?.length ?? 0) / 2;
      return pads === undefined || pads.slice(0, half).every((one, at) => one === pads[at + half]);
    }),
  ],
  QuantizeLinear: [zero("`y_zero_point` must be 0")],
  DequantizeLinear: [zero("`x_zero_point` must be zero")],
  Dropout: [constants([2], "`is_training` must be an initializer and evaluate to False")],
  EyeLike: [constraint("dynamic", "`input` must have static dimensions", (view) => shapeOf(view, 0) !== undefined)],
  GridSample: [ranks([4], "Input must be 4D input")],
  GRU: recurrent,
  RNN: recurrent,
  LSTM: [
    ...recurrent,
    says("input_forget", [0], 0, "`input_forget` attribute must be 0"),
    says("layout", [0], 0, "`layout` attribute must be 0"),
  ],
  Hardmax: [
    constraint(
      "dynamic",
      "`axis` dimension of input must be a build-time constant",
      (view) => shapeOf(view, 0) !== undefined,
    ),
  ],
  If: [],
  Loop: [],
  LayerNormalization: [oneOutput("Only the first output `Y` is supported")],
  OneHot: [constants([1], "`depth` must be a build-time constant")],
  Pad: [constants([3], "`axes` must be an initializer")],
  RandomNormal: [],
  RandomNormalLike: [],
  RandomUniform: [],
  RandomUniformLike: [],
  ...Object.fromEntries(
    "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare".split(" ").map((name) => [`Reduce${name}`, axes(1)]),
  ),
  Resize: [
    says(
      "coordinate_transformation_mode",
      ["half_pixel", "pytorch_half_pixel", "tf_half_pixel_for_nn", "asymmetric", "align_corners"],
      "half_pixel",
      "Supported resize transformation modes: `half_pixel`, `pytorch_half_pixel`, `tf_half_pixel_for_nn`, `asymmetric`, and `align_corners`",
    ),
    says("mode", ["nearest", "linear"], "nearest", "Supported resize modes: `nearest`, `linear`"),
    constraint(
      "nearest_mode",
      "Supported nearest modes: `floor`, `ceil`, `round_prefer_floor`, `round_prefer_ceil`",
      (view) =>
        ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"].includes(
          textOf(view, "nearest_mode", "round_prefer_floor") ?? "",
        ),
    ),
    says("keep_aspect_ratio_policy", ["stretch"], "stretch", "Supported aspect ratio policy: `stretch`"),
    says("antialias", [0], 0, "Antialiasing is not supported"),
    constraint(
      "axes",
      "When `scales` is a tensor input, `axes` must be an iota vector of length rank(input)",
      (view) => {
        const list = listOf(view, "axes");
        return list === undefined || given(view, 3) || list.every((one, at) => one === at);
      },
    ),
  ],
  ScatterND: [says("reduction", ["none"], "none", "`reduction` is not supported")],
  Slice: axes(3),
  Squeeze: axes(1),
  Unsqueeze: [constants([1], "`axes` must be a constant tensor")],
  TopK: [
    says("sorted", [1], 1, "`sorted` must be 1"),
    constraint("k", "`K` input must be less than 3840", (view) => {
      const k = given(view, 1) ? valuesOf(view, 1)?.[0] : numberOf(view, "k");
      return k === undefined ? undefined : k < 3840;
    }),
  ],
};

const tensorrt: Target = {
  id: "tensorrt",
  name: "NVIDIA GPU (TensorRT)",
  tool: "TensorRT",
  version: "10.x",
  devices: ["nvidia"],
  formats: ["onnx"],
  names: "onnx",
  confidence: "documents",
  sources: [SOURCE],
  preconditions: [
    {
      rule: "dynamic",
      says: "dynamic shapes need optimisation profiles",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "warns",
      cure: "Give a profile: trtexec --minShapes --optShapes --maxShapes.",
      source: SOURCE,
    },
    {
      rule: "opset",
      says: "the parser is made for opset 9 to 20",
      holds: ({ opset }) => (opset === undefined ? undefined : opset >= 9),
      else: "warns",
      cure: "Convert the opset with onnx.version_converter.",
      source: SOURCE,
    },
  ],
  every: [types],
  operators,
  others: "no",
  otherSays: "No importer registered for op",
  partition: { way: "subgraphs" },
  melts: ["Identity", "Dropout", "Constant"],
};

export default [tensorrt];
