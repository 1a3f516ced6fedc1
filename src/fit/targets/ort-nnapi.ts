/** Android's NNAPI devices by ONNX Runtime's NNAPI execution provider: float32, and uint8 in QDQ groups. Deprecated since Android 15. */

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
  valuesOf,
} from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";
import type { View } from "../view.ts";

const SOURCE = "github.com/onnxruntime/onnxruntime-qnn@cee6c0d onnxruntime/core/providers/nnapi";

/** The type of what goes in. Behind a DequantizeLinear it is that of the quantised values, which NNAPI has as uint8 alone. */
const plain: Constraint = inputTypes([0], ["float32"], "Input type is currently not supported");

const few = (words: string): Constraint =>
  constraint(
    "rank",
    words,
    ({ inputs }) =>
      inputs[0]?.shape === undefined ? undefined : inputs[0].shape.length >= 1 && inputs[0].shape.length <= 4,
    ({ inputs }) => `rank ${inputs[0]?.shape?.length ?? ""}`,
  );

const quantised: Constraint = constraint(
  "type",
  "NNAPI supports quantisation of uint8 only",
  ({ inputs, outputs, spelled }) => {
    const tensor = spelled === "QuantizeLinear" ? outputs[0] : inputs[0];
    return tensor === undefined || tensor.type === "unknown" ? undefined : tensor.type === "uint8";
  },
  ({ inputs, outputs, spelled }) => (spelled === "QuantizeLinear" ? outputs[0] : inputs[0])?.type ?? "",
);

const binary: Rule = [
  plain,
  constraint("rank", "NNAPI only supports up to 4d shape", ({ inputs }) =>
    inputs.slice(0, 2).every((tensor) => (tensor?.shape?.length ?? 0) <= 4),
  ),
];

const window: readonly Constraint[] = [
  inputTypes([0], ["float32", "uint8"]),
  ranks([4], "only supports rank-4 tensor"),
  says("count_include_pad", [0], 0, "count_include_pad == 1 is not supported"),
  says("storage_order", [0], 0, "storage_order == 1 is not supported"),
  constraint("kernel", "Only pooling 2d is supported", (view) => (listOf(view, "kernel_shape")?.length ?? 2) === 2),
  says("ceil_mode", [0], 0, "ceil_mode == 1 is not supported for pooling"),
  constraint(
    "dilation",
    "Dilations of pooling is not supported",
    ({ dilation }) => dilation === undefined || dilation.every((one) => one === 1),
  ),
  oneOutput("Argmax in maxpooling is not supported"),
];

const convolution: Rule = [
  inputTypes([0], ["float32", "uint8"]),
  constants([1], "The weight of convolution must be constant"),
  constraint("rank", "Only conv 2d is supported", (view) => {
    const rank = view.inputs[1]?.shape?.length;
    return rank === undefined ? undefined : rank === 4;
  }),
  constraint("dilation", "dilation is not supported on grouped conv", (view) => {
    if (view.dilation?.every((one) => one === 1) !== false) return true;
    return view.groups === 1 || shapeOf(view, 1)?.[1] === 1;
  }),
];

const product = (kind: "Gemm" | "MatMul"): Rule => [
  inputTypes([0], ["float32", "uint8"]),
  constraint(
    "rank",
    "A and B must be 2D, or batches of one size",
    (view) => {
      const [a, b] = [shapeOf(view, 0), shapeOf(view, 1)];
      if (a === undefined || b === undefined) return undefined;
      if (a.length === 2 && b.length === 2) return true;
      // Batches of products are made from slices; neither side is spread.
      return (
        kind === "MatMul" && a.length > 2 && a.length === b.length && a.slice(0, -2).join() === b.slice(0, -2).join()
      );
    },
    (view) => [shapeOf(view, 0), shapeOf(view, 1)].map((shape) => shape?.join("x") ?? "?").join(" and "),
  ),
  ...(kind === "Gemm"
    ? [
        says("transA", [0], 0, "transA must be 0"),
        says("alpha", [1], 1, "alpha must be 1.0"),
        says("beta", [1], 1, "beta must be 1.0"),
        constraint(
          "constant input",
          "B of Gemm must be known if transB != 1",
          (view) => numberOf(view, "transB", 0) === 1 || view.constant[1] === true,
        ),
        constraint("bias", "C of Gemm must be a vector of b_shape[0]", (view) => {
          if (!given(view, 2)) return true;
          const [bias, out] = [shapeOf(view, 2)?.filter((one) => one !== 1), outputShape(view)?.at(-1)];
          return bias === undefined || out === undefined ? undefined : bias.length <= 1 && (bias[0] ?? 1) === out;
        }),
      ]
    : [
        constraint("constant input", "B of MatMul must be known", (view) => {
          const rank = view.inputs[1]?.shape?.length;
          return view.constant[1] === true || (rank === undefined ? undefined : rank > 2);
        }),
      ]),
];

const coordinates = (view: View): string => textOf(view, "coordinate_transformation_mode", "half_pixel") ?? "";

const operators: Readonly<Record<string, Rule>> = {
  BatchNormalization: [
    plain,
    oneOutput("Your onnx model may be in training mode, please export it in test mode."),
    few("BN only supports up to 4d shape"),
    says("spatial", [1], 1, "Non-spatial BN is not supported"),
    constants([1, 2, 3, 4], "scale, B, mean and var of BN must be known"),
  ],
  Cast: [
    plain,
    constraint(
      "type",
      "Only support cast to int32 or float",
      ({ outType }) => outType && ["float32", "int32"].includes(outType),
      ({ outType }) => outType ?? "",
    ),
  ],
  Clip: [
    plain,
    constraint(
      "bounds",
      "Clip only supports [min, max] = [0, 6] or [-1, 1]",
      (view) => {
        const least = given(view, 1) ? valuesOf(view, 1)?.[0] : numberOf(view, "min", Number.NEGATIVE_INFINITY);
        const most = given(view, 2) ? valuesOf(view, 2)?.[0] : numberOf(view, "max", Number.POSITIVE_INFINITY);
        if (least === undefined || most === undefined) return undefined;
        return (least === 0 && most === 6) || (least === -1 && most === 1);
      },
      (view) =>
        `min ${valuesOf(view, 1)?.[0] ?? numberOf(view, "min") ?? "none"}, max ${valuesOf(view, 2)?.[0] ?? numberOf(view, "max") ?? "none"}`,
    ),
  ],
  Concat: [inputTypes([0], ["float32", "uint8"]), few("Concat only supports up to 1-4d shape")],
  DepthToSpace: [
    plain,
    ranks([4], "DepthToSpace only supports 4d shape"),
    says("mode", ["DCR"], "DCR", "ONNX DepthToSpace with mode != DCR is not supported"),
  ],
  QuantizeLinear: [constants([1, 2], "scales and zero points must be constant"), quantised],
  DequantizeLinear: [constants([1, 2], "scales and zero points must be constant"), quantised],
  Elu: [plain],
  Flatten: [plain, few("Flatten only supports up to 1-4d shape")],
  Gather: [
    plain,
    few("Gather only supports up to 1-4d shape"),
    constraint(
      "constant input",
      "Indices of Gather must be int32 or constant",
      (view) => view.inputs[1]?.type === "int32" || view.constant[1] === true,
    ),
  ],
  Identity: [plain],
  LeakyRelu: [plain, few("LeakyRelu only supports up to 1-4d shape")],
  LRN: [plain, ranks([4], "LRN only support 4d shape")],
  Pad: [
    plain,
    few("Pad only supports up to 1-4d shape"),
    says("mode", ["constant"], "constant", "Mode is not supported"),
    constants([1, 2], "pads and constant_value must be known"),
    constraint("padding", "Negative pad values are not supported", (view) =>
      valuesOf(view, 1)?.every((one) => one >= 0),
    ),
  ],
  Relu: [plain],
  Reshape: [
    inputTypes([0], ["float32", "uint8"]),
    constants([1], "New shape of reshape must be known"),
    few("Reshape only supports up to 1-4d shape"),
    constraint(
      "allowzero",
      "Reshape doesn't support 0 as dimension when allowzero is enabled",
      (view) => numberOf(view, "allowzero", 0) === 0 || valuesOf(view, 1)?.includes(0) === false,
    ),
  ],
  Resize: [
    inputTypes([0], ["float32", "uint8"]),
    ranks([4], "Resize only support 4d shape"),
    says("mode", ["linear", "nearest"], "nearest", "Resize unsupported input mode"),
    says("exclude_outside", [0], 0, "Resize does not support exclude_outside for now"),
    constraint(
      "coordinate_transformation_mode",
      "linear takes half_pixel, align_corners and asymmetric; nearest takes asymmetric",
      (view) =>
        (textOf(view, "mode", "nearest") === "linear"
          ? ["half_pixel", "align_corners", "asymmetric"]
          : ["asymmetric"]
        ).includes(coordinates(view)),
      coordinates,
    ),
    constraint(
      "nearest_mode",
      "nearest_mode must be floor",
      (view) =>
        textOf(view, "mode", "nearest") !== "nearest" || textOf(view, "nearest_mode", "round_prefer_floor") === "floor",
      (view) => textOf(view, "nearest_mode", "round_prefer_floor") ?? "",
    ),
    says("antialias", [0], 0, "antialias is not supported"),
    says("keep_aspect_ratio_policy", ["stretch"], "stretch", "keep_aspect_ratio_policy must be stretch"),
    constraint("axes", "axes are not supported", (view) => listOf(view, "axes") === undefined),
    constants([2, 3], "Input scales and sizes of Resize must be known"),
    constraint("scale", "Scales of N and C should be 1, downsampling by a factor of the size", (view) => {
      const [from, to, scale] = [view.inShape, outputShape(view), scaleOf(view)];
      if (from === undefined || to === undefined || scale === undefined) return undefined;
      if (from[0] !== to[0] || from[1] !== to[1]) return false;
      return scale.every((one, at) => one >= 1 || (Number.isInteger(1 / one) && (from[at + 2] ?? 0) % (1 / one) === 0));
    }),
  ],
  Slice: [
    plain,
    constraint("inputs", "Slice is supported from opset 10 on", (view) => given(view, 2)),
    few("Slice doesn't support shapes of more than 4 dimensions"),
    constants([1, 2, 3, 4], "starts, ends, axes and steps must be a constant initializer"),
  ],
  Softmax: [inputTypes([0], ["float32", "uint8"]), few("Softmax only supports up to 4d shape")],
  Split: [
    plain,
    constraint("opset", "Split is supported from opset 13 on", (view) => view.node.attributes["split"] === undefined),
    constants([1], "Optional input 'split' must be a constant initializer if provided"),
    constraint("splits", "Only a split into parts of one size is supported", (view) => {
      const splits = given(view, 1) ? valuesOf(view, 1) : undefined;
      if (given(view, 1)) return splits?.every((one) => one === splits[0]);
      const [shape, axis] = [view.inShape, numberOf(view, "axis", 0) ?? 0];
      const size = shape?.at(axis);
      return size === undefined ? undefined : size % view.node.outputs.length === 0;
    }),
  ],
  Squeeze: [plain, few("Squeeze only supports 1-4d shape"), constants([1], "axes of Squeeze must be known")],
  Transpose: [inputTypes([0], ["float32", "uint8"]), few("Transpose only supports 1-4d shape")],
  Unsqueeze: [plain, few("Unsqueeze only supports 1-4d shape"), constants([1], "axes of Unsqueeze must be known")],
  Add: binary,
  Div: binary,
  Mul: binary,
  Pow: binary,
  PRelu: binary,
  Sub: binary,
  QLinearAdd: [inputTypes([0], ["uint8", "int8"]), constants([1, 2, 4, 5, 6, 7], "quantisation must be constant")],
  QLinearMul: [inputTypes([0], ["uint8", "int8"]), constants([1, 2, 4, 5, 6, 7], "quantisation must be constant")],
  AveragePool: window,
  MaxPool: window,
  GlobalAveragePool: [plain, ranks([4], "only supports rank-4 tensor")],
  GlobalMaxPool: [plain, ranks([4], "only supports rank-4 tensor")],
  QLinearAveragePool: [inputTypes([0], ["uint8"]), ...window.slice(1)],
  Conv: convolution,
  QLinearConv: [
    inputTypes([0], ["uint8"]),
    constants([1, 2, 3, 4, 5, 6, 7, 8], "weights, bias and quantisation must be constant"),
    constraint("rank", "Only conv 2d is supported", ({ inputs }) =>
      inputs[3]?.shape === undefined ? undefined : inputs[3].shape.length === 4,
    ),
  ],
  Gemm: product("Gemm"),
  MatMul: product("MatMul"),
  QLinearMatMul: [inputTypes([0], ["uint8"]), constants([1, 2, 3, 4, 5, 6, 7], "B and quantisation must be constant")],
  Sigmoid: [plain, few("Sigmoid only supports up to 4d shape")],
  QLinearSigmoid: [inputTypes([0], ["uint8"]), constants([1, 2, 3, 4], "quantisation must be constant")],
  Max: [plain, constraint("inputs", "Min/Max only support 2 inputs", ({ node }) => node.inputs.length === 2)],
  Min: [plain, constraint("inputs", "Min/Max only support 2 inputs", ({ node }) => node.inputs.length === 2)],
  ReduceMean: [
    plain,
    few("NNAPI reduction ops only support 1-4d shape"),
    constants([1], "Axes of reduction must be constant"),
    says("noop_with_empty_axes", [0], 0, "noop_with_empty_axes is not supported"),
  ],
  ...Object.fromEntries("Abs Exp Floor Log Neg Sin Sqrt Tanh".split(" ").map((name) => [name, [plain]])),
};

const nnapi: Target = {
  id: "ort-nnapi",
  name: "Android NNAPI devices (ONNX Runtime)",
  tool: "ONNX Runtime NNAPI EP",
  version: "1.25, 2026; feature level of Android 11 and later",
  // Devices behind Android's drivers: which ones is the phone's.
  devices: [],
  formats: ["onnx"],
  names: "onnx",
  confidence: "source",
  sources: [SOURCE, "github.com/microsoft/onnxruntime@13f16a2 docs/execution-providers/NNAPI-ExecutionProvider.md"],
  preconditions: [
    {
      rule: "dynamic",
      says: "NNAPI does not support dynamic input shapes",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "warns",
      cure: "Fix the shapes of the inputs (onnxruntime.tools.make_dynamic_shape_fixed).",
      source: SOURCE,
    },
  ],
  every: [
    constraint("dynamic", "Dynamic shape is not supported", (view) =>
      view.inputs.every(
        (tensor, at) =>
          !given(view, at) ||
          view.constant[at] === true ||
          tensor?.shape?.every((one) => typeof one === "number") === true,
      ),
    ),
  ],
  operators,
  others: "no",
  otherSays: "no NNAPI op builder",
  partition: { way: "subgraphs" },
};

export default [nnapi];
