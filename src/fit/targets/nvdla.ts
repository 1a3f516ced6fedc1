/** The open NVDLA by its own compiler. It reads Caffe: a graph of another format has to be converted first. */

import { padsOf, range } from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Rule, Target } from "../target.ts";

const SOURCE = "https://github.com/nvdla/sw/blob/v1.2.0-OC/CompilerFeatures.md";

const half = "FP16 only";

const operators: Readonly<Record<string, Rule>> = {
  Conv: [
    constraint("groups", `group convolution is ${half}`, ({ groups, quantized }) =>
      groups === undefined ? undefined : groups === 1 || !quantized,
    ),
    constraint("padding", "padding must not be larger than the kernel", (view) => {
      const [pads, kernel] = [padsOf(view), view.kernel];
      return pads && kernel && pads.every((pad, at) => pad <= (kernel[at % 2] ?? 0));
    }),
  ],
  ConvTranspose: [
    constraint("padding", "deconvolution with padding is not supported", (view) =>
      padsOf(view)?.every((one) => one === 0),
    ),
    range("stride_h", 1, 32),
    range("stride_w", 1, 32),
  ],
  FullyConnected: [],
  Gemm: [],
  MaxPool: [],
  AveragePool: [
    constraint(
      "padding",
      "average pooling counts its padding (inclusive) only",
      (view) => padsOf(view)?.every((one) => one === 0) === true || view.node.attributes["count_include_pad"] === 1,
    ),
  ],
  GlobalAveragePool: [],
  Relu: [],
  PRelu: [],
  BatchNormalization: [],
  Scale: [],
  Add: [],
  Sub: "no",
  Max: [constraint("quantization", half, ({ quantized }) => !quantized)],
  Min: [constraint("quantization", half, ({ quantized }) => !quantized)],
  Sigmoid: [constraint("quantization", half, ({ quantized }) => !quantized)],
  Tanh: [constraint("quantization", half, ({ quantized }) => !quantized)],
  LRN: [constraint("quantization", half, ({ quantized }) => !quantized)],
  Split: "unsure",
  Concat: "unsure",
  Softmax: "unsure",
};

const nvdla: Target = {
  id: "nvdla",
  name: "NVDLA (open)",
  tool: "nvdla_compiler",
  version: "1.2.0-OC",
  devices: ["nvdla/open"],
  formats: ["onnx"],
  names: "shared",
  confidence: "documents",
  sources: [SOURCE],
  preconditions: [
    {
      rule: "format",
      says: "the compiler reads Caffe models only",
      holds: () => false,
      else: "warns",
      cure: "Convert the model to Caffe first.",
      source: SOURCE,
    },
    {
      rule: "dynamic",
      says: "shapes must be static",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "refuses",
      source: SOURCE,
    },
  ],
  every: [],
  operators,
  others: "no",
  otherSays: "not in the compiler's list of features",
  partition: { way: "whole" },
  melts: ["Identity", "Dropout", "Constant", "Reshape", "Flatten"],
};

export default [nvdla];
