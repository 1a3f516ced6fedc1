/**
 * Tenstorrent's Wormhole and Blackhole by tt-forge, tt-mlir and TTNN. The dialect's operators are public, their conditions are asked of the
 * back end and not written down: an operator that TTNN has is taken, what layouts or memory then refuse is not seen here.
 */

import type { Target } from "../target.ts";

const SOURCE = "github.com/tenstorrent/tt-mlir@19c86fc include/ttmlir/Dialect/TTNN/IR/TTNNOps.td";

/** Shared names of what has a TTNN operator, or is made of ones that have. */
const taken =
  "Abs Acos Add ArgMax Asin Asinh Atan Atan2 AveragePool BatchNormalization BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast Cbrt Ceil Clip Concat Conv Conv1d ConvTranspose Cos CumSum DequantizeLinear DepthwiseConv Div Dropout Embedding Equal Erf Exp Expm1 Floor FullyConnected Flatten Gather Gelu Gemm GlobalAveragePool Greater GreaterOrEqual GroupNormalization HardSigmoid LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax And Not Or Xor MatMul Max MaxPool Min Mean Mish Mul Neg NotEqual Pad Pow QuantizeLinear RMSNormalization Reciprocal ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu Relu6 Mod Tile Expand Reshape Resize Rsqrt ScaledDotProductAttention Scatter ScatterND Sigmoid Sign Swish Sin Slice StridedSlice Softmax Sort Split Sqrt Squeeze Sub Tan Tanh TopK Transpose Unsqueeze Upsample Where";

const ttnn: Target = {
  id: "tenstorrent-ttnn",
  name: "Tenstorrent Wormhole, Blackhole",
  tool: "tt-mlir (TTNN)",
  version: "2026-08-21 (19c86fc)",
  devices: ["tenstorrent/wormhole", "tenstorrent/blackhole"],
  formats: ["onnx", "stablehlo", "pytorch"],
  names: "shared",
  confidence: "inferred",
  sources: [SOURCE],
  preconditions: [
    {
      rule: "dynamic",
      says: "shapes must be static",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "refuses",
      source: SOURCE,
    },
  ],
  every: [],
  operators: {
    ...Object.fromEntries(taken.split(" ").map((name) => [name, []])),
    ConvTranspose: [],
    InstanceNormalization: "unsure",
    PRelu: "unsure",
    Elu: "unsure",
    HardSwish: "unsure",
    NonMaxSuppression: "unsure",
    If: "no",
    Loop: "no",
  },
  others: "unsure",
  otherSays: "no operator of TTNN by that name; tt-mlir may compose or hoist it",
  partition: { way: "whole" },
  melts: ["Identity", "Dropout", "Constant"],
};

export default [ttnn];
