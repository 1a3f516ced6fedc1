/** XNNPACK by ExecuTorch's partitioner (backends/xnnpack/partition/config): float, or quantised by PT2E. */

import { constraint } from "../rules.ts";
import {
  constantWeights,
  EXECUTORCH,
  executorch,
  fourDimensions,
  lastAxis,
  noCeil,
  onlyBilinear,
  paddingAbove,
} from "../executorch-rules.ts";
import { valuesOf } from "../tflite-rules.ts";

export default [
  executorch({
    id: "xnnpack-executorch",
    name: "XNNPACK by ExecuTorch",
    tool: "ExecuTorch XNNPACK back end",
    devices: ["cpu"],
    confidence: "source",
    table: "docs/source/backends/xnnpack/op-support.csv",
    sources: [
      `${EXECUTORCH} docs/source/backends/xnnpack/op-support.csv`,
      `${EXECUTORCH} backends/xnnpack/partition/config/generic_node_configs.py`,
    ],
    plain:
      "Abs Add MatMul Ceil Clip Relu6 Div Elu Exp Floor Gelu HardSwish LeakyRelu Log Max Min Mul Neg Transpose Relu Rsqrt Sigmoid Sqrt Sub Tanh Sin Cos " +
      "Reshape Flatten",
    operators: {
      AveragePool: [
        noCeil,
        constraint(
          "padding",
          "zero-padding in the averaging calculation is not supported",
          ({ node }) => node.attributes["count_include_pad"] !== 1,
        ),
      ],
      Concat: [constraint("operands", "only support concatenation of > 2 tensors", ({ inputs }) => inputs.length >= 2)],
      Pad: [paddingAbove("XNNPACK does not support negative padding values")],
      Conv: [
        constantWeights,
        constraint("rank", "Only support 1D + 2D Conv", ({ inShape }) => inShape === undefined || inShape.length <= 4),
      ],
      DepthwiseConv: [constantWeights],
      ConvTranspose: [constantWeights],
      FullyConnected: [constantWeights],
      Gemm: [constantWeights],
      MaxPool: [
        constraint(
          "stride",
          "stride must be less than or equal to kernel size",
          ({ stride, kernel }) =>
            stride === undefined || kernel === undefined || (stride[0] <= kernel[0] && stride[1] <= kernel[1]),
          ({ stride, kernel }) => `stride ${stride?.join("x") ?? "?"}, kernel ${kernel?.join("x") ?? "?"}`,
        ),
      ],
      ReduceMean: [fourDimensions],
      GlobalAveragePool: [],
      BatchNormalization: [
        constraint("neighbour", "BatchNorm cannot be decomposed or fused", (view) => {
          const maker = view.around?.maker(view, 0);
          return maker === undefined
            ? undefined
            : ["Conv", "DepthwiseConv", "FullyConnected", "Gemm"].includes(maker.op);
        }),
      ],
      Pow: [
        constraint(
          "power",
          "only support power == 2",
          ({ inputs: [, power] }) => {
            const values = valuesOf(power);
            return values === undefined ? undefined : values.every((one) => one === 2);
          },
          ({ inputs: [, power] }) => `power ${valuesOf(power)?.join(", ") ?? "?"}`,
        ),
      ],
      PRelu: [
        constraint("constant weights", "Prelu weight must be a parameter", ({ constant }) => constant[1] === true),
      ],
      Slice: [
        constraint(
          "shape",
          "no zero-dim tensors",
          ({ inShape, outShape }) => inShape?.includes(0) !== true && outShape?.includes(0) !== true,
        ),
      ],
      Softmax: [lastAxis("dim must be the last dim")],
      Resize: [onlyBilinear("only bilinear upsampling is taken")],
    },
  }),
];
