/** CPUs by XNNPACK, as an execution provider of ONNX Runtime. Each node is taken for itself. */

import {
  constants,
  given,
  inputTypes,
  listOf,
  numberOf,
  oneOutput,
  outputShape,
  ranks,
  says,
  scaleOf,
  shapeOf,
  textOf,
} from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";

const SOURCE = "github.com/onnxruntime/onnxruntime-qnn@cee6c0d onnxruntime/core/providers/xnnpack";

const autoPad = says("auto_pad", ["NOTSET", "VALID", "SAME_UPPER"], "NOTSET", "padding type is not supported");

const sized: Constraint = constraint("dynamic", "C, H and W must be known", ({ inputs }) =>
  inputs[0]?.shape?.slice(1).every((one) => typeof one === "number"),
);

const filters: readonly Constraint[] = [
  inputTypes([0], ["float32", "float16", "uint8", "int8"]),
  ranks([3, 4], "only 1-D and 2-D is supported"),
  sized,
  constants([1], "weight must be constant"),
  constants([2], "bias must be constant"),
  autoPad,
];

const pool = (types: readonly string[]): readonly Constraint[] => [
  inputTypes([0], types),
  ranks([4], "only 2-D pooling is supported"),
  sized,
  says("ceil_mode", [0], 0, "ceil_mode is not supported"),
  autoPad,
  constraint("kernel", "XNNPACK doesn't support 1x1 pooling", (view) => {
    const kernel = listOf(view, "kernel_shape");
    return kernel?.length === 2 && !kernel.every((one) => one === 1);
  }),
];

const operators: Readonly<Record<string, Rule>> = {
  Conv: filters,
  ConvTranspose: [...filters, ranks([4], "only 2-D is supported")],
  QLinearConv: [
    inputTypes([0], ["uint8", "int8"]),
    ranks([4], "only 2-D is supported"),
    sized,
    constants([1, 2, 3, 4, 5, 6, 7, 8], "weights, bias and quantisation must be constant"),
    autoPad,
  ],
  QLinearConvTranspose: [
    inputTypes([0], ["uint8", "int8"]),
    constants([1, 2, 3, 4, 5, 6, 7, 8], "weights, bias and quantisation must be constant"),
  ],
  MaxPool: [...pool(["float32", "float16", "uint8", "int8"]), oneOutput("indices are not supported")],
  AveragePool: [
    ...pool(["float32", "float16", "uint8"]),
    says("count_include_pad", [0], 0, "count_include_pad is not supported"),
  ],
  QLinearAveragePool: pool(["uint8"]),
  Softmax: [
    inputTypes([0], ["float32", "float16", "uint8"]),
    constraint("axis", "from opset 13 on the axis must be the last one", (view) => {
      const rank = view.inShape?.length;
      const axis = numberOf(view, "axis");
      if (rank === undefined) return undefined;
      return axis === undefined || axis === -1 || axis === rank - 1 ? true : undefined;
    }),
  ],
  QLinearSoftmax: [inputTypes([0], ["uint8"])],
  Resize: [
    inputTypes([0], ["float32", "float16", "uint8", "int8"]),
    ranks([4], "only 4-D is supported"),
    constraint("channels", "channels must be known", ({ inChannels }) => inChannels !== undefined),
    constraint(
      "constant input",
      "scales or sizes must be constant",
      (view) => view.constant[2] === true || view.constant[3] === true,
    ),
    constraint("axis", "only height and width may be resized", (view) => {
      const [from, to] = [view.inShape, outputShape(view)];
      return from && to && from[1] === to[1];
    }),
    constraint("scale", "downsampling needs a factor that the size is a multiple of", (view) => {
      const [scale, size] = [scaleOf(view), view.inShape?.slice(2)];
      if (given(view, 3)) return true;
      if (scale === undefined || size === undefined) return undefined;
      return (
        scale.every((one) => one >= 1) ||
        scale.every((one, at) => Number.isInteger(1 / one) && (size[at] ?? 0) % (1 / one) === 0)
      );
    }),
    says("mode", ["linear"], "nearest", "mode must be linear"),
    says("antialias", [0], 0, "antialias is not supported"),
    constraint("axes", "axes are not supported", (view) => listOf(view, "axes") === undefined),
    says("keep_aspect_ratio_policy", ["stretch"], "stretch"),
    constraint(
      "coordinate_transformation_mode",
      "must be asymmetric, half_pixel, align_corners, or pytorch_half_pixel with more than one row and column",
      (view) => {
        const mode = textOf(
          view,
          "coordinate_transformation_mode",
          given(view, 2) || given(view, 3) ? "half_pixel" : "asymmetric",
        );
        if (mode === "pytorch_half_pixel")
          return outputShape(view)
            ?.slice(2)
            .every((one) => one > 1);
        return ["asymmetric", "half_pixel", "align_corners"].includes(mode ?? "");
      },
      (view) => textOf(view, "coordinate_transformation_mode", "half_pixel") ?? "",
    ),
  ],
  Gemm: [
    inputTypes([0], ["float32", "float16"]),
    says("alpha", [1], 1, "alpha must be 1"),
    says("beta", [1], 1, "beta must be 1"),
    constants([1, 2], "B and C must be constant"),
    constraint("rank", "A, B and C must have fewer than 3 dimensions", ({ inputs }) =>
      inputs.slice(0, 3).every((tensor) => (tensor?.shape?.length ?? 0) < 3),
    ),
    constraint("bias", "C is required", (view) => given(view, 2)),
  ],
  MatMul: [
    inputTypes([0], ["float32", "float16"]),
    constants([1], "B must be constant"),
    constraint("rank", "B must have one or two dimensions", (view) => {
      const b = shapeOf(view, 1);
      return b && b.length <= 2;
    }),
  ],
};

/** An activation is taken with the convolution or the pool before it. */
const fused: Constraint = constraint(
  "fusion",
  "only fused into a Conv, MaxPool or AveragePool before it that XNNPACK takes",
  (view) => {
    const before = view.around?.maker(view, 0);
    const rule =
      before === undefined || !["Conv", "MaxPool", "AveragePool"].includes(before.spelled)
        ? undefined
        : operators[before.spelled];
    if (before === undefined || rule === undefined || typeof rule === "string") return false;
    const answers = rule.map((one) => one.holds(before));
    return answers.includes(false) ? false : answers.includes(undefined) ? undefined : true;
  },
);

const xnnpack: Target = {
  id: "ort-xnnpack",
  name: "CPU by XNNPACK (ONNX Runtime)",
  tool: "ONNX Runtime XNNPACK EP",
  version: "1.25, 2026",
  devices: ["cpu"],
  formats: ["onnx"],
  names: "onnx",
  confidence: "source",
  sources: [SOURCE, "github.com/microsoft/onnxruntime@19d9fff docs/execution-providers/Xnnpack-ExecutionProvider.md"],
  preconditions: [],
  every: [],
  operators: {
    ...operators,
    Relu: [fused],
    Clip: [fused, constants([1, 2], "min and max must be constant")],
  },
  others: "no",
  otherSays: "no XNNPACK kernel",
  partition: { way: "subgraphs" },
};

export default [xnnpack];
