/** NVIDIA's DLA of Xavier and Orin, by TensorRT with GPU fallback. NVIDIA's page is a summary: what it leaves out is unsure here. */

import { axisBack, listOf, numberOf, padsOf, range, scaleOf, spatial, textOf } from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";

const SOURCE = "https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/dla-layer-restrictions.html";

const flat: Constraint = spatial([2], "2D only");

const undilated = constraint(
  "dilation",
  "dilated deconvolution is not supported",
  ({ dilation }) => dilation === undefined || dilation.every((one) => one === 1),
);

const elementwise: Rule = [flat];

const operators: Readonly<Record<string, Rule>> = {
  Conv: [
    flat,
    range("kernel_h", 1, 32),
    range("kernel_w", 1, 32),
    range("stride_h", 1, 8),
    range("stride_w", 1, 8),
    range("channel", 1, 8192),
    constraint("channels", "output channels must be in [1, 8192]", ({ outChannels }) =>
      outChannels === undefined ? undefined : outChannels <= 8192,
    ),
  ],
  Gemm: [range("channel", 1, 8192)],
  ConvTranspose: [
    flat,
    undilated,
    constraint("groups", "grouped deconvolution is not supported", ({ groups }) =>
      groups === undefined ? undefined : groups === 1,
    ),
    constraint(
      "padding",
      "padding must be 0",
      (view) => padsOf(view)?.every((one) => one === 0),
      (view) => `pads ${padsOf(view)?.join(", ") ?? ""}`,
    ),
  ],
  Relu: [flat],
  Sigmoid: [flat],
  Tanh: [flat],
  LeakyRelu: [flat],
  Clip: [flat],
  Add: elementwise,
  Sub: elementwise,
  Mul: elementwise,
  Max: elementwise,
  Min: elementwise,
  Div: elementwise,
  Pow: elementwise,
  Sum: elementwise,
  Equal: "unsure",
  Greater: "unsure",
  Less: "unsure",
  PRelu: [
    flat,
    constraint("constant input", "slope must be a build-time constant", ({ constant }) => constant[1] === true),
  ],
  BatchNormalization: [flat],
  LRN: [
    flat,
    constraint("window", "window must be 3, 5, 7 or 9", (view) =>
      [3, 5, 7, 9].includes(numberOf(view, "size", 1) ?? 1),
    ),
  ],
  Concat: [
    axisBack([-3], 1, "channel axis only"),
    constraint("inputs", "at least 2 inputs", ({ node }) => node.inputs.length >= 2),
  ],
  // Windows, paddings and strides of pools have limits that the summary does not give.
  MaxPool: [
    flat,
    open(
      "limits of the window are not in the summary",
      ({ kernel }) => kernel !== undefined && kernel.every((one) => one <= 3),
    ),
  ],
  AveragePool: [
    flat,
    open(
      "limits of the window are not in the summary",
      ({ kernel }) => kernel !== undefined && kernel.every((one) => one <= 3),
    ),
  ],
  GlobalAveragePool: [
    flat,
    open(
      "limits of the window are not in the summary",
      ({ inSize }) => inSize !== undefined && inSize.every((one) => one <= 7),
    ),
  ],
  Resize: [
    flat,
    constraint("mode", "nearest and linear only", (view) => textOf(view, "mode", "nearest") !== "cubic"),
    open(
      "limits of scales are not in the summary",
      (view) => scaleOf(view)?.every((one) => one === 2) === true && listOf(view, "axes") === undefined,
    ),
  ],
  Softmax: "unsure",
  Slice: "unsure",
  Split: "unsure",
  Reshape: "unsure",
  Flatten: "unsure",
  Transpose: "unsure",
  ReduceMax: "unsure",
  Abs: "unsure",
  Sin: "unsure",
  Cos: "unsure",
  Atan: "unsure",
};

/** True where it is common enough to be safe, open elsewhere. */
function open(words: string, safe: (view: Parameters<Constraint["holds"]>[0]) => boolean): Constraint {
  return constraint("limits", words, (view) => (safe(view) ? true : undefined));
}

const dla: Target = {
  id: "nvidia-dla",
  name: "NVIDIA DLA (Xavier, Orin)",
  tool: "TensorRT (DLA)",
  version: "10",
  devices: ["nvdla/tegra194", "nvdla/tegra234"],
  formats: ["onnx"],
  names: "onnx",
  confidence: "documents",
  sources: [SOURCE],
  preconditions: [
    {
      rule: "dynamic",
      says: "DLA does not support dynamic dimensions",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "refuses",
      cure: "Fix the shapes of the inputs; min, opt and max of the profile must be equal.",
      source: SOURCE,
    },
    {
      rule: "batch",
      says: "the largest batch is 4096",
      holds: ({ batch }) => (batch === undefined ? undefined : batch <= 4096),
      else: "refuses",
      source: SOURCE,
    },
  ],
  every: [
    constraint("size", "The maximum supported size for non-batch dimensions is 8192", ({ inputs, outputs }) =>
      [inputs[0], outputs[0]].every(
        (tensor) => tensor?.shape?.slice(1).every((one) => typeof one !== "number" || one <= 8192) !== false,
      ),
    ),
  ],
  operators,
  others: "no",
  otherSays: "layer is not supported on DLA, falling back to GPU",
  // 16 loadables of a core.
  partition: { way: "subgraphs", most: 16 },
  melts: ["Identity", "Dropout", "Constant", "QuantizeLinear", "DequantizeLinear"],
};

export default [dla];
