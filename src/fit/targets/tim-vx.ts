/** VeriSilicon's graph API, for those who build its graph themselves (ONNX Runtime's VSINPU, Tengine, their own): operators it has. */

import { constraint } from "../rules.ts";
import type { Target } from "../target.ts";
import { listed } from "../tflite-rules.ts";

const SOURCE = "github.com/VeriSilicon/TIM-VX@19ac74c47b2c8186fe0d6665e2e1e1a46f7053eb docs/Operators.md";

const target: Target = {
  id: "tim-vx",
  name: "VeriSilicon VIP by TIM-VX",
  tool: "TIM-VX",
  version: "19ac74c of 2026-01",
  devices: ["verisilicon"],
  formats: ["onnx", "tflite"],
  names: "shared",
  confidence: "documents",
  sources: [SOURCE],
  preconditions: [],
  every: [
    constraint("rank", "a tensor has at most 6 dimensions", ({ inputs, outputs }) =>
      [...inputs, ...outputs].every((tensor) => (tensor?.shape?.length ?? 0) <= 6),
    ),
  ],
  operators: listed(
    "Acosh Atan Atanh Abs Relu Relu6 LeakyRelu PRelu Elu Sigmoid HardSigmoid HardSwish Swish Mish Gelu Tanh Softplus Celu Selu Add And ArgMin ArgMax " +
      "BatchToSpace BatchNormalization Expand Cast Ceil Clip Concat Conv DepthwiseConv Cos CumSum ConvTranspose DepthToSpace Div Dropout Embedding Equal " +
      "Erf Exp Floor FullyConnected Gemm GRU Gather GatherElements GatherND Greater GreaterOrEqual Hashtable LpNormalization Less " +
      "LessOrEqual LRN Log LogSoftmax Not MatMul MaxUnpool MaxPool AveragePool GlobalAveragePool GlobalMaxPool Max Min Mod Mul Neg NotEqual OneHot " +
      "Or Pad Pow Reciprocal ReduceAll ReduceAny ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum SpaceToDepth Reshape Flatten Resize Reverse RoiAlign " +
      "Rsqrt ScatterND Where Sin Slice Softmax SpaceToBatch Split Sqrt Square Squeeze Unsqueeze Pack Sub SVDF Tan Tile TopK Transpose " +
      "LSTM RNN Unpack InstanceNormalization LayerNormalization GroupNormalization QuantizeLinear DequantizeLinear Identity",
  ),
  others: "no",
  otherSays: "TIM-VX has no such operator",
  partition: { way: "subgraphs" },
  melts: ["Identity", "Dropout"],
};

export default [target];
