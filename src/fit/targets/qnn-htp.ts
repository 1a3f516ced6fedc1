/**
 * Qualcomm's Hexagon (HTP) by QNN's own converter. Qualcomm's supplement of operator definitions is megabytes of tables of which excerpts are
 * at hand: what its ONNX Runtime provider maps is taken, what the excerpts limit is limited, the rest is unsure.
 */

import { constraint, everyRank, rank } from "../rules.ts";
import type { Rule, Target } from "../target.ts";

const SUPPLEMENT = "https://docs.qualcomm.com/doc/80-63442-50/topic/HtpOpDefSupplement.html";
const HISTORY = "https://docs.qualcomm.com/doc/80-63442-10/topic/htp_opdef_version_history.html";
const MAP =
  "github.com/onnxruntime/onnxruntime-qnn@cee6c0d onnxruntime/core/providers/qnn/builder/opbuilder/base_op_builder.h";

/** Shared names of what has a QNN operator. */
const mapped =
  "Conv DepthwiseConv ConvTranspose FullyConnected Gemm MatMul Add Sub Mul Div Abs And Asin Atan BatchNormalization Ceil Clip Concat Cos CumSum DepthToSpace Elu Equal Erf Expand Floor Gather Gelu GlobalAveragePool GlobalMaxPool AveragePool MaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish InstanceNormalization LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization LRN Max Min Neg Not NotEqual Or PRelu Pow ReduceMax ReduceMean ReduceMin ReduceSum Relu Relu6 Reshape Flatten Resize ResizeBilinear ResizeNearestNeighbor RMSNormalization Round ScatterElements ScatterND Sigmoid Sign Sin Slice StridedSlice Softmax SpaceToDepth Split Sqrt Rsqrt Squeeze Unsqueeze Swish Tanh Tile TopK Transpose Upsample Where Pack Unpack QuantizeLinear DequantizeLinear LSTM GRU SquaredDifference Mean Square";

const operators: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(mapped.split(" ").map((name) => [name, []])),
  ArgMax: [rank([1, 4], "Argmax: rank must be at most 4")],
  ArgMin: [rank([1, 4], "Argmin: rank must be at most 4")],
  GatherElements: [rank([1, 5], "GatherElements: rank must be at most 5 (since 2.39)")],
  Cast: [rank([0, 5], "Cast: rank must be at most 5 (since 2.39)")],
  Pad: [rank([1, 5], "Pad: rank must be at most 5 (since 2.39)")],
  Exp: [rank([0, 5], "ElementWiseExp: rank must be at most 5 (since 2.45)")],
  // Of the backend's list: ReduceProd has no HTP implementation.
  ReduceProd: "no",
  If: "no",
  Loop: "no",
  NonMaxSuppression: "unsure",
};

const htp: Target = {
  id: "qnn-htp",
  name: "Qualcomm Hexagon HTP (QNN)",
  tool: "QNN",
  version: "2.22 to 2.49",
  devices: ["qualcomm"],
  formats: ["onnx", "tflite"],
  names: "shared",
  confidence: "documents",
  sources: [SUPPLEMENT, HISTORY, MAP],
  preconditions: [
    {
      rule: "dynamic",
      says: "shapes must be static",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "refuses",
      cure: "Fix the shapes of the inputs (--source_model_input_shape of the converter).",
      source: SUPPLEMENT,
    },
    {
      rule: "quantization",
      says: "float32 is computed as float16; 8 and 16 bit activations run at full speed",
      holds: ({ scheme }) => (scheme === undefined ? undefined : scheme !== "float32"),
      else: "warns",
      cure: "Quantise with the converter (--input_list) or bring a QDQ or full-integer model.",
      source: SUPPLEMENT,
    },
  ],
  every: [
    everyRank([0, 5], "HTP supports at most 5 dimensions"),
    constraint("type", "64-bit floats are not supported", ({ inType }) => inType !== "float64"),
  ],
  operators,
  others: "unsure",
  otherSays: "not in the excerpts of Qualcomm's operator definitions",
  partition: { way: "whole" },
  melts: ["Identity", "Dropout", "Constant"],
};

export default [htp];
