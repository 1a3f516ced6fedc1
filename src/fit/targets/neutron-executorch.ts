/** NXP's eIQ Neutron by ExecuTorch's back end (backends/nxp): static int8, each operator checked by its converter. */

import { constraint } from "../rules.ts";
import type { Rule } from "../target.ts";
import { constantWeights, EXECUTORCH, executorch, noCeil, quantisedFirst, scaleIn } from "../executorch-rules.ts";
import { elementsOfView } from "../tflite-rules.ts";
import type { View } from "../view.ts";

/** MACs of i.MX95's Neutron N3-1024: units times pipes times MACs, what channels are rounded up to. */
const CHANNEL_BLOCK = 16;

const within4096 = constraint(
  "size",
  "kernel, stride and dilation must be at most 4096",
  ({ kernel, stride, dilation }) =>
    [kernel, stride, dilation].every((pair) => pair === undefined || Math.max(...pair) <= 4096),
);

const area = constraint(
  "kernel",
  "kernel_h * kernel_w * input channels (rounded up) must be at most 65535",
  (view) => {
    const elements = windowOf(view);
    return elements === undefined || elements <= 65535;
  },
  (view) => String(windowOf(view) ?? "?"),
  `${EXECUTORCH} backends/nxp/backend/ir/converter/node_converters/ops_converters/convolution_converter.py`,
);

const windowOf = ({ kernel, inChannels, groups }: View): number | undefined =>
  kernel === undefined || inChannels === undefined
    ? undefined
    : kernel[0] * kernel[1] * Math.ceil(inChannels / (groups ?? 1) / CHANNEL_BLOCK) * CHANNEL_BLOCK;

const convolution: Rule = [
  constantWeights,
  constraint(
    "groups",
    "groups=1 or groups=channels_count (depthwise)",
    ({ groups, depthwise }) => groups === undefined || groups === 1 || depthwise,
    ({ groups }) => `${groups ?? "?"} groups`,
  ),
  constraint(
    "rank",
    "1D or 2D convolution",
    ({ inShape }) => inShape === undefined || inShape.length <= 4,
    ({ inShape }) => `rank ${inShape?.length ?? "?"}`,
  ),
  within4096,
  area,
];

const transposed: Rule = [
  constantWeights,
  constraint(
    "groups",
    "groups must be 1",
    ({ groups }) => groups === undefined || groups === 1,
    ({ groups }) => `${groups ?? "?"} groups`,
  ),
  constraint(
    "stride",
    "stride must be at most 2 and at most the kernel",
    ({ stride, kernel }) =>
      stride === undefined ||
      (Math.max(...stride) <= 2 && (kernel === undefined || (stride[0] <= kernel[0] && stride[1] <= kernel[1]))),
    ({ stride }) => `stride ${stride?.join("x") ?? "?"}`,
  ),
  within4096,
  area,
];

const pooling: Rule = [
  noCeil,
  within4096,
  constraint("dilation", "dilation=1", ({ dilation }) => dilation === undefined || Math.max(...dilation) === 1),
];
const matrix: Rule = [
  constraint(
    "rank",
    "2D tensor only",
    ({ inShape }) => inShape === undefined || inShape.length <= 2,
    ({ inShape }) => `rank ${inShape?.length ?? "?"}`,
  ),
];
const resize: Rule = [scaleIn([1, 2, 4, 8], "H_scale and W_scale = 1, 2, 4 or 8")];

/** Softmax runs along the channels. */
const softmax: Rule = [
  constraint(
    "size",
    "channels <= 2040, flat input size / channels <= 4096, flat input size <= 524288",
    ({ outShape, outputs: [out] }) => {
      const elements = elementsOfView(out);
      const channels = outShape?.at(-1);
      if (elements === undefined || channels === undefined || channels === 0) return undefined;
      return channels <= 2040 && elements / channels <= 4096 && elements <= 524_288;
    },
    ({ outShape }) => outShape?.join("x") ?? "",
  ),
];

export default [
  executorch({
    id: "neutron-executorch",
    name: "NXP eIQ Neutron by ExecuTorch",
    tool: "ExecuTorch Neutron back end",
    devices: ["nxp-neutron"],
    confidence: "source",
    table: "docs/source/backends/nxp/op-support.csv",
    preconditions: [quantisedFirst("operators must be quantised to static int8")],
    plain:
      "Abs Add Concat Exp HardSwish LeakyRelu Log Max Min Mul Neg PRelu Relu Relu6 Rsqrt Sigmoid Slice Split Squeeze Sub ReduceSum ReduceMax ReduceMin " +
      "Tanh Unsqueeze Reshape Flatten Transpose GlobalAveragePool ReduceMean Pad",
    operators: {
      AveragePool: pooling,
      MaxPool: pooling,
      Conv: convolution,
      DepthwiseConv: convolution,
      ConvTranspose: transposed,
      FullyConnected: [constantWeights],
      Gemm: [constantWeights],
      MatMul: matrix,
      Softmax: softmax,
      Resize: resize,
      Clip: [
        constraint(
          "bounds",
          "Bounds = (-1, 1) or (0, 1) or (0, 6) or (0, None)",
          ({ node, inputs }) => {
            const low = node.attributes["min"] ?? inputs[1]?.values?.[0];
            const high = node.attributes["max"] ?? inputs[2]?.values?.[0];
            if (typeof low !== "number") return undefined;
            if (low === -1) return high === 1;
            return (
              low === 0 && (high === undefined || high === 1 || high === 6 || (typeof high === "number" && high > 1e30))
            );
          },
          ({ node }) => `${String(node.attributes["min"] ?? "?")} to ${String(node.attributes["max"] ?? "?")}`,
        ),
      ],
      Div: [
        constraint(
          "constant operand",
          "divisor: static tensor or scalar value",
          ({ constant, inputs }) => inputs.length < 2 || constant[1] === true,
        ),
      ],
    },
  }),
];
