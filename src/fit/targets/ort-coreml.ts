/**
 * Apple's Neural Engine, GPU and CPU by ONNX Runtime's CoreML execution provider, in its two model formats. What runs where behind Core ML is
 * Apple's choice; the provider says what is handed to it.
 */

import {
  constants,
  given,
  inputTypes,
  listOf,
  numberOf,
  oneOutput,
  outputShape,
  ranks,
  resizesImage,
  says,
  scaleOf,
  shapeOf,
  textOf,
  valuesOf,
} from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";
import type { View } from "../view.ts";

const SOURCE = "github.com/onnxruntime/onnxruntime-qnn@cee6c0d onnxruntime/core/providers/coreml/builders";
const DOCUMENT =
  "github.com/microsoft/onnxruntime@04f568d tools/ci_build/github/apple/coreml_supported_mlprogram_ops.md";

const floats = ["float32", "float16"];
/** What builders take as their first input unless they say otherwise. */
const plain = inputTypes([0], [...floats, "int64"]);

/** Textures of Apple's GPUs are no wider. */
const textures = constraint("size", "exceeds CoreML convolution memory limit of 16384", ({ inputs, outputs }) =>
  [inputs[0], inputs[1], outputs[0]].every(
    (tensor) => tensor?.shape?.every((one) => typeof one !== "number" || one <= 16384) !== false,
  ),
);

const convolution: readonly Constraint[] = [
  plain,
  textures,
  ranks([3, 4], "only 1-D and 2-D Conv is supported"),
  constants([2], "The bias of Conv must be a constant initializer"),
];

const pool: readonly Constraint[] = [
  plain,
  ranks([4], "pooling needs a 4-D input"),
  says("storage_order", [0], 0, "storage_order == 1 is not supported"),
  constraint(
    "dilation",
    "Dilations of pooling is not supported",
    ({ dilation }) => dilation === undefined || dilation.every((one) => one === 1),
  ),
  constraint(
    "kernel",
    "only pooling of 2 dimensions is supported",
    (view) => (listOf(view, "kernel_shape")?.length ?? 2) === 2,
  ),
  oneOutput("Argmax in maxpooling is not supported"),
];

const reduction: Rule = [plain, constants([1], "Axes of reduction must be a constant initializer")];

const normalization: Rule = [
  inputTypes([0, 1, 2], floats),
  oneOutput(),
  says("stash_type", [1], 1, "stash_type is not supported"),
  constants([1, 2], "scale and B must be constant initializers"),
];

const binary: Rule = [plain];

const resize: readonly Constraint[] = [
  plain,
  ranks([3, 4, 5], "Resize only supports rank 3 to 5"),
  says("antialias", [0], 0, "antialias is not supported"),
  says("mode", ["linear", "nearest"], "nearest", "Resize unsupported input mode"),
  constraint(
    "nearest_mode",
    "nearest_mode must be floor",
    (view) =>
      textOf(view, "mode", "nearest") !== "nearest" || textOf(view, "nearest_mode", "round_prefer_floor") === "floor",
    (view) => textOf(view, "nearest_mode", "round_prefer_floor") ?? "",
  ),
  says("exclude_outside", [0], 0, "exclude_outside is not supported"),
  says("keep_aspect_ratio_policy", ["stretch"], "stretch", "keep_aspect_ratio_policy must be stretch"),
  constraint("constant input", "Resize 'scales' or 'sizes' must be a constant initializer", (view) =>
    given(view, 3) ? view.constant[3] === true : given(view, 2) && view.constant[2] === true,
  ),
  resizesImage("Resize only supports resizing the last two axes"),
  constraint(
    "scale",
    "upsampling needs whole factors, downsampling a factor the size is a multiple of",
    (view) => {
      if (given(view, 3)) return true;
      const [scale, size] = [scaleOf(view), view.inShape?.slice(-2)];
      if (scale === undefined || size === undefined) return undefined;
      if (scale.every((one) => one >= 1)) return scale.every(Number.isInteger);
      return (
        scale.every((one) => one <= 1) &&
        scale.every((one, at) => Number.isInteger(1 / one) && (size[at] ?? 0) % (1 / one) === 0)
      );
    },
    (view) => `scales ${scaleOf(view)?.join(" and ") ?? "not known"}`,
  ),
  constraint(
    "coordinate_transformation_mode",
    "nearest takes asymmetric; linear takes half_pixel and align_corners, asymmetric with sizes",
    (view) => {
      const mode = textOf(view, "coordinate_transformation_mode", "half_pixel") ?? "";
      if (textOf(view, "mode", "nearest") === "nearest") return mode === "asymmetric";
      if (mode === "pytorch_half_pixel")
        return outputShape(view)
          ?.slice(-2)
          .every((one) => one > 1);
      return mode === "half_pixel" || mode === "align_corners" || (mode === "asymmetric" && given(view, 3));
    },
    (view) => textOf(view, "coordinate_transformation_mode", "half_pixel") ?? "",
  ),
];

/** What both formats take. */
const shared: Readonly<Record<string, Rule>> = {
  Sigmoid: [plain],
  Tanh: [plain],
  Relu: [plain],
  LeakyRelu: [plain],
  PRelu: [
    plain,
    ranks([3, 4], "PRelu 'X' input must have 3 or 4 dimensions"),
    constants([1], "PRelu 'slope' must be a constant initializer"),
    constraint("shape", "PRelu 'slope' must have one element or shape [C, 1, 1]", (view) => {
      const slope = shapeOf(view, 1);
      if (slope === undefined) return undefined;
      return (
        slope.every((one) => one === 1) ||
        (slope.length === 3 && slope[0] === view.inChannels && slope[1] === 1 && slope[2] === 1)
      );
    }),
  ],
  Reciprocal: [plain],
  Sqrt: [plain],
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Pow: [
    inputTypes([0], floats),
    constraint("type", "Pow needs both inputs of one type", ({ inputs }) =>
      inputs[0]?.type === "unknown" || inputs[1]?.type === "unknown" ? undefined : inputs[0]?.type === inputs[1]?.type,
    ),
  ],
  AveragePool: pool,
  MaxPool: pool,
  GlobalAveragePool: [plain, ranks([4], "pooling needs a 4-D input")],
  GlobalMaxPool: [plain, ranks([4], "pooling needs a 4-D input")],
  ReduceMean: reduction,
  ReduceSum: reduction,
  BatchNormalization: [
    plain,
    oneOutput("Your onnx model may be in training mode, please export it in test mode."),
    ranks([4], "BN only supports up to 4d shape"),
    says("spatial", [1], 1, "Non-spatial BN is not supported"),
    constants([1, 2, 3, 4], "scale, B, mean and var of BN must be constant initializers"),
  ],
  ArgMax: [plain, says("select_last_index", [0], 0, "selected_last_index for ArgMax is not supported")],
  Clip: [
    plain,
    constants([1, 2], "min and max of Clip must be constant initializers"),
    constraint("bounds", "min and max of Clip must differ", (view) => {
      const [least, most] = [valuesOf(view, 1)?.[0], valuesOf(view, 2)?.[0]];
      return least === undefined || least !== most;
    }),
  ],
  Concat: [plain, constraint("inputs", "Concat needs two inputs", ({ node }) => node.inputs.length >= 2)],
  Conv: convolution,
  DepthToSpace: [plain],
  Gemm: [
    plain,
    constants([1], "B of Gemm must be a constant initializer"),
    says("transA", [0], 0, "Only support for transA == 0 is supported"),
    says("alpha", [1], 1, "Only alpha == 1.0 is supported"),
    says("beta", [1], 1, "Only beta == 1.0 is supported"),
    constants([2], "C of Gemm must be a constant initializer"),
    constraint("bias", "C of Gemm must be a scalar, [1], [N] or [1, N]", (view) => {
      if (!given(view, 2)) return true;
      const [bias, out] = [shapeOf(view, 2), outputShape(view)?.at(-1)];
      if (bias === undefined || out === undefined) return undefined;
      if (bias.length === 2) return bias[0] === 1 && bias[1] === out;
      return bias.length === 0 || (bias.length === 1 && (bias[0] === 1 || bias[0] === out));
    }),
  ],
  Pad: [
    plain,
    says("mode", ["constant"], "constant", "Only `constant` mode Pad is currently supported"),
    constraint("inputs", "`constant_value` input is required for constant mode Pad op", (view) => given(view, 2)),
    constants([1, 2, 3], "pads, constant_value and axes of Pad must be constant initializers"),
    inputTypes([2], ["float32"]),
    constraint("padding", "Only non-negative pads on the last two dimensions are supported", (view) => {
      const [pads, rank] = [valuesOf(view, 1), view.inShape?.length];
      if (pads === undefined || rank === undefined) return undefined;
      const axes = given(view, 3)
        ? valuesOf(view, 3)?.map((one) => (one < 0 ? one + rank : one))
        : Array.from({ length: rank }, (_, at) => at);
      return axes && pads.every((pad, at) => pad >= 0 && (pad === 0 || (axes[at % axes.length] ?? 0) >= rank - 2));
    }),
  ],
  Reshape: [
    plain,
    constants([1], "New shape of reshape must be a constant initializer"),
    constraint("shape", "New shape of reshape cannot be empty", (view) => shapeOf(view, 1)?.[0] !== 0),
    constraint("dynamic", "Reshape needs a static input shape", (view) => view.inShape !== undefined),
    constraint("rank", "Reshape does not support a scalar, or more than 5 dimensions", ({ inShape, outputs }) =>
      inShape === undefined ? undefined : inShape.length > 0 && (outputs[0]?.shape?.length ?? 0) <= 5,
    ),
    constraint(
      "allowzero",
      "Reshape does not support new shape with 0 as dimension when allowzero is enabled",
      (view) => numberOf(view, "allowzero", 0) === 0 || valuesOf(view, 1)?.includes(0) === false,
    ),
  ],
  Resize: resize,
  Shape: [inputTypes([0], [...floats, "int64", "int32"])],
  Slice: [
    inputTypes([0], [...floats, "int64"]),
    constraint("inputs", "Slice is supported from opset 10 on", (view) => given(view, 2)),
    constraint("dynamic", "Slice needs a static input shape", (view) => view.inShape !== undefined),
    constants([1, 2, 3, 4], "starts, ends, axes and steps of Slice must be constant initializers"),
  ],
  Split: [
    plain,
    without12(),
    constants([1], "CoreML 'splits' input must be a constant initializer"),
    constraint("splits", "Splits must be at least 2, none of them 0, and add up to the dimension", (view) => {
      if (!given(view, 1)) return view.node.outputs.length >= 2;
      const splits = valuesOf(view, 1);
      return splits && splits.length >= 2 && !splits.includes(0);
    }),
  ],
  Softmax: [plain],
  Squeeze: [plain, constants([1], "axes of Squeeze must be a constant initializer")],
  Transpose: [plain],
};

/** Before opset 13 the sizes are an attribute. */
function without12(): Constraint {
  return constraint(
    "opset",
    "Split is supported from opset 13 on",
    (view) => view.node.attributes["split"] === undefined,
  );
}

const matMul = (program: boolean): Rule => [
  plain,
  ...(program ? [] : [constants([1], "B of MatMul must be a constant initializer")]),
  constraint(
    "rank",
    program ? "MatMul of a vector and a matrix is not supported" : "MatMul only supports 2 dimensions",
    (view) => {
      const [a, b] = [view.inputs[0]?.shape?.length, view.inputs[1]?.shape?.length];
      if (a === undefined || b === undefined) return undefined;
      return program ? (a === 1) === (b === 1) : a === 2 && b === 2;
    },
  ),
];

const casts = [...floats, "int32", "int64"];

/** ML Program: iOS 15, macOS 12 and later. */
const program: Readonly<Record<string, Rule>> = {
  ...shared,
  Gelu: [plain],
  Softplus: [plain],
  Elu: [plain],
  Erf: [plain],
  Round: [plain],
  Exp: [plain],
  Max: binary,
  ReduceMin: reduction,
  ReduceMax: reduction,
  ReduceProd: reduction,
  GroupNormalization: normalization,
  InstanceNormalization: normalization,
  LayerNormalization: normalization,
  Cast: [
    inputTypes([0], casts),
    constraint(
      "type",
      `output type must be ${casts.join(" or ")}`,
      ({ outType }) => outType && casts.includes(outType),
      ({ outType }) => outType ?? "",
    ),
  ],
  ConvTranspose: [
    plain,
    textures,
    constants([1, 2], "weight and bias of ConvTranspose must be constant initializers"),
    constraint("padding", "SAME padding and unequal pads of ConvTranspose are not supported", (view) => {
      const pads = listOf(view, "pads");
      return view.padding !== "same" && (pads === undefined || pads.every((one) => one === pads[0]));
    }),
    constraint("output_shape", "output_shape is not supported", (view) => listOf(view, "output_shape") === undefined),
    constraint(
      "output_padding",
      "output_padding is not supported",
      (view) => listOf(view, "output_padding")?.every((one) => one === 0) !== false,
    ),
  ],
  DepthToSpace: [
    plain,
    constraint(
      "dynamic",
      "CRD mode requires static shape",
      (view) => textOf(view, "mode", "DCR") !== "CRD" || view.inShape !== undefined,
    ),
  ],
  Gather: [
    inputTypes([0], [...floats, "int64"]),
    constraint("indices", "Gather does not support scalar 'indices'", ({ inputs }) =>
      inputs[1]?.shape === undefined ? undefined : inputs[1].shape.length > 0,
    ),
    constraint("rank", "Gather does not support output of rank greater than 5", ({ inputs }) => {
      const [data, indices] = [inputs[0]?.shape?.length, inputs[1]?.shape?.length];
      return data === undefined || indices === undefined ? undefined : data + indices - 1 <= 5;
    }),
  ],
  GridSample: [
    plain,
    ranks([4], "GridSample only supports 4D input"),
    says("mode", ["bilinear", "linear", "zeros"], "bilinear", "GridSample does not support the mode"),
    constraint(
      "padding_mode",
      "GridSample does not support padding_mode reflection without align_corners",
      (view) => textOf(view, "padding_mode", "zeros") !== "reflection" || numberOf(view, "align_corners", 0) === 1,
    ),
  ],
  MatMul: matMul(true),
  Unsqueeze: [
    plain,
    constants([1], "axes of Unsqueeze must be a constant initializer"),
    constraint("rank", "Unsqueeze does not support more than 5 dimensions", ({ outputs }) =>
      outputs[0]?.shape === undefined ? undefined : outputs[0].shape.length <= 5,
    ),
  ],
  // Of the later document.
  ...Object.fromEntries("Cos Sin Ceil HardSigmoid Identity QuickGelu".split(" ").map((name) => [name, [plain]])),
  FusedConv: convolution,
  Range: [],
  Tile: [plain, constraint("rank", "rank <= 5", ({ outputs }) => (outputs[0]?.shape?.length ?? 0) <= 5)],
  GatherND: [plain, says("batch_dims", [0], 0, "batch_dims must be 0")],
};

/** Neural Network: the older format, which takes less. */
const network: Readonly<Record<string, Rule>> = {
  ...shared,
  LRN: [plain, ranks([3, 4], "LRN only supports rank 3 or 4")],
  Flatten: [
    plain,
    constraint("rank", "Flatten does not support empty input shape", ({ inputs }) =>
      inputs[0]?.shape === undefined ? undefined : inputs[0].shape.length > 0,
    ),
  ],
  Concat: [
    plain,
    ranks([4], "only support concat for 4-D input"),
    constraint("axis", "only support concat in channel dimension", (view) =>
      [1, -3].includes(numberOf(view, "axis", 1) ?? 1),
    ),
  ],
  Conv: [...convolution, constants([1], "The weight of Conv must be a constant initializer")],
  Cast: "no",
  DepthToSpace: [plain, says("mode", ["DCR"], "DCR", "The mode of DepthToSpace must be DCR")],
  AveragePool: [...pool, says("ceil_mode", [0], 0, "ceil_mode == 1 is not supported for pooling")],
  MaxPool: [...pool, says("ceil_mode", [0], 0, "ceil_mode == 1 is not supported for pooling")],
  MatMul: matMul(false),
  Resize: [
    ...resize.filter(({ rule }) => rule !== "coordinate_transformation_mode" && rule !== "rank"),
    ranks([4], "Resize only supports 4d shape"),
    says("coordinate_transformation_mode", ["asymmetric"], "half_pixel", "only asymmetric is supported"),
    constraint("scale", "only upsampling is supported", (view) =>
      scaleOf(view)?.every((one) => one >= 1 && Number.isInteger(one)),
    ),
  ],
  Shape: [inputTypes([0], ["float32"])],
  ArgMax: [plain, says("select_last_index", [0], 0, "selected_last_index for ArgMax is not supported")],
};

const everyNode: readonly Constraint[] = [
  constraint("dynamic", "Input has no shape", (view) =>
    view.inputs.every((tensor, at) => tensor?.shape !== undefined || !given(view, at)),
  ),
  constraint("size", "CoreML does not support shapes with dimension values of 0", ({ inputs, node }) =>
    inputs.every((tensor, at) => at > 1 || node.spelled === "Resize" || tensor?.shape?.includes(0) !== true),
  ),
  constraint(
    "rank",
    "CoreML EP doesn't allow input shapes with rank greater than 5",
    ({ inputs }) => inputs.every((tensor) => (tensor?.shape?.length ?? 0) <= 5),
    ({ inputs }) => `rank ${Math.max(...inputs.map((tensor) => tensor?.shape?.length ?? 0))}`,
  ),
];

const isStatic = (view: View): boolean =>
  view.inputs.every(
    (tensor, at) => view.constant[at] === true || tensor?.shape?.every((one) => typeof one === "number") !== false,
  );

const base = {
  tool: "ONNX Runtime CoreML EP",
  version: "1.25, 2026",
  devices: ["apple-ane"],
  formats: ["onnx"],
  names: "onnx",
  confidence: "source",
  sources: [SOURCE, DOCUMENT],
  preconditions: [
    {
      rule: "dynamic",
      says: "with RequireStaticInputShapes=1 every node with a dynamic input is refused",
      holds: ({ views }) => views.every(isStatic),
      else: "warns",
      cure: "Fix the shapes of the inputs; without the option dynamic inputs are taken and run slower.",
      source: SOURCE,
    },
  ],
  every: everyNode,
  others: "no",
  otherSays: "no CoreML op builder",
  partition: { way: "subgraphs" },
} as const satisfies Partial<Target>;

const targets: readonly Target[] = [
  { ...base, id: "ort-coreml", name: "Apple Neural Engine, GPU, CPU (CoreML EP, ML Program)", operators: program },
  {
    ...base,
    id: "ort-coreml-nn",
    name: "Apple Neural Engine, GPU, CPU (CoreML EP, NeuralNetwork)",
    operators: network,
  },
];

export default targets;
