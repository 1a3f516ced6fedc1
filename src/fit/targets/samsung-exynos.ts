/** Samsung's Exynos NPU by ExecuTorch's back end: operators and conditions of its support table. */

import { constraint } from "../rules.ts";
import { constantWeights, executorch, lastAxis, noCeil, quantisedFirst } from "../executorch-rules.ts";

export default [
  executorch({
    id: "samsung-exynos",
    name: "Samsung Exynos NPU by ExecuTorch",
    tool: "ExecuTorch Samsung back end",
    devices: ["samsung"],
    confidence: "documents",
    table: "docs/source/backends/samsung/samsung-op-support-table.csv",
    preconditions: [quantisedFirst("runs float16, or static int8 where quantised")],
    plain:
      "Add BatchNormalization MatMul Clip Relu6 Div Embedding Gelu HardSigmoid HardSwish LeakyRelu LogSoftmax Max Min Mul Transpose DepthToSpace Relu " +
      "Reshape Flatten Rsqrt Slice Softmax Sqrt Squeeze Sub Unsqueeze Resize ReduceMean GlobalAveragePool Gather",
    operators: {
      AveragePool: [noCeil],
      MaxPool: [noCeil, constraint("outputs", "indices not supported", ({ outputs }) => outputs.length === 1)],
      Concat: [
        constraint(
          "constant operand",
          "at most 1 constant tensor",
          ({ constant }) => constant.filter(Boolean).length <= 1,
        ),
      ],
      Pad: [
        constraint("padding", "padding_value=0.0 only", ({ node, inputs }) => {
          const value = node.attributes["value"] ?? inputs[2]?.values?.[0];
          return value === undefined || value === 0;
        }),
      ],
      Conv: [constantWeights],
      DepthwiseConv: [constantWeights],
      ConvTranspose: "unsure",
      FullyConnected: [constantWeights],
      Gemm: [constantWeights],
      LayerNormalization: [lastAxis("norm at last axis only")],
      Expand: [
        constraint("broadcast", "expanding at most one axis", ({ inShape, outShape }) => {
          if (inShape === undefined || outShape === undefined) return undefined;
          const shift = outShape.length - inShape.length;
          return inShape.filter((one, at) => one !== outShape[at + shift]).length <= 1;
        }),
      ],
      Cast: [],
    },
  }),
];
