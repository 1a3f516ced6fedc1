/** GPUs by ExecuTorch's Vulkan back end: operators and conditions of its support table. */

import { constraint } from "../rules.ts";
import type { Constraint } from "../target.ts";
import { executorch } from "../executorch-rules.ts";

const reduction: readonly Constraint[] = [
  constraint("keepdim", "keepdim=True required", ({ node }) => {
    const kept = node.attributes["keepdims"] ?? node.attributes["keep_dims"];
    return kept === undefined ? undefined : kept === 1 || kept === true;
  }),
  constraint("axis", "max 2D reductions", ({ inShape, outShape }) => {
    if (inShape === undefined || outShape === undefined || inShape.length !== outShape.length) return true;
    return inShape.filter((one, at) => one !== outShape[at]).length <= 2;
  }),
];

const convolution: readonly Constraint[] = [
  constraint(
    "batch",
    "batch=1 for 2D conv",
    ({ batch }) => batch === undefined || batch === 1,
    ({ batch }) => `batch ${batch ?? "?"}`,
  ),
  constraint(
    "rank",
    "no 3D conv",
    ({ inShape }) => inShape === undefined || inShape.length <= 4,
    ({ inShape }) => `rank ${inShape?.length ?? "?"}`,
  ),
];

export default [
  executorch({
    id: "vulkan-executorch",
    name: "GPU by ExecuTorch's Vulkan back end",
    tool: "ExecuTorch Vulkan back end",
    devices: [],
    confidence: "documents",
    table: "docs/source/backends/vulkan/vulkan-op-support-table.csv",
    plain:
      "LogSoftmax BatchNormalization Softmax Abs Add Gemm Range AveragePool MatMul Concat Clip Relu6 Pad Cos Div Embedding Equal Exp Expand Reverse Fill " +
      "FillLike GreaterOrEqual Gelu Greater Gather LessOrEqual LeakyRelu FullyConnected Less MaxPool Min GroupNormalization LayerNormalization Mul Neg " +
      "Transpose Pow Relu Tile Round Rsqrt Slice Sigmoid Sin Split Sqrt Squeeze Sub Tanh Unsqueeze Resize Reshape Flatten Attention KVCacheUpdate",
    operators: {
      Conv: convolution,
      DepthwiseConv: convolution,
      ConvTranspose: [
        ...convolution,
        constraint("rank", "no transposed 1D conv", ({ inShape }) => inShape === undefined || inShape.length === 4),
      ],
      Cast: [
        constraint(
          "type",
          "dtype conversion between float types only",
          ({ inType, outType }) =>
            inType === undefined ||
            outType === undefined ||
            (inType.startsWith("float") && outType.startsWith("float")),
          ({ inType, outType }) => `${inType ?? "?"} to ${outType ?? "?"}`,
        ),
      ],
      ReduceMax: reduction,
      ReduceMin: reduction,
      ReduceMean: reduction,
      ReduceSum: reduction,
      GlobalAveragePool: [],
      // Written with sigmoid and mul, clamp and mul, where the table has no operator of the name.
      Swish: [],
      HardSwish: [],
      HardSigmoid: [],
    },
  }),
];
