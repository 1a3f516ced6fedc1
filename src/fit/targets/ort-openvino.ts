/**
 * Intel GPUs and NPUs by ONNX Runtime's OpenVINO execution provider. For the NPU the provider decides by its table for the CPU (run here:
 * of 162 operators, each beside others, provider 1.24.1 answered 157 as this does; it took the others and OpenVINO could not convert them);
 * what the NPU's compiler then refuses goes back to the CPU as a whole subgraph, and what that is nobody documents.
 */

import { listOf, numberOf, shapeOf, textOf } from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";

const SOURCE =
  "github.com/onnxruntime/onnxruntime-qnn@cee6c0d onnxruntime/core/providers/openvino/ov_versions/data_ops.cc (OpenVINO 2025.4)";
const DOCUMENT = "github.com/microsoft/onnxruntime@0084458 docs/execution-providers/OpenVINO-ExecutionProvider.md";

const both =
  "Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BiasGelu Cast CastLike Ceil Celu Clip Compress Concat Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear DynamicQuantizeLinear DynamicQuantizeMatMul Div Dropout Elu Einsum EmbedLayerNormalization EPContext Equal Erf Exp Expand Flatten Floor FusedConv FusedGemm FusedMatMul Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GRU HardMax Identity If ImageScaler InstanceNormalization HardSigmoid HardSwish LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftMax LogSoftmax Loop LpNormalization LRN LSTM MatMul MatMulInteger MatMulNBits Max MaxPool Mean MeanVarianceNormalization Min Mod Mul Neg NonMaxSuppression NonZero Not OneHot Or Pad Pow PRelu QuantizeLinear QuickGelu RNN RandomNormalLike RandomNormal Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Resize Reshape ReverseSequence RoiAlign Round Scatter ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign SimplifiedLayerNormalization Sin Size SkipLayerNormalization SkipSimplifiedLayerNormalization Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile Transpose Trilu TopK Upsample Unsqueeze Where Xor";
const cpuAlone = "BitShift EyeLike Sinh";
/** ONNX Runtime has no kernel of these and writes them out as simpler operators before it asks. */
const written = "Mish GroupNormalization";
const gpuAlone = "GroupQueryAttention";

/** Operators that may have a scalar for an input or an output. */
const scalars = new Set(
  "Add And Cast Ceil Clip Div DequantizeLinear DynamicQuantizeLinear Equal Exp Expand Floor Gather Greater Identity If Less Loop Max Min MatMulInteger Mul Neg Pow PRelu QuantizeLinear Range ReduceMax ReduceMin ReduceProd Reshape Shape Sqrt Squeeze Sub Unsqueeze Where".split(
    " ",
  ),
);
/** Operators that may have a dimension of 0. */
const empties = new Set("Expand Equal Slice Concat Shape Cast Resize".split(" "));

const types = (allowed: readonly string[]): Constraint =>
  constraint(
    "type",
    "I/O data type is not supported",
    ({ inputs, outputs, constant }) =>
      [...inputs.filter((_, at) => constant[at] !== true), ...outputs].every(
        (tensor) => tensor === undefined || tensor.type === "unknown" || allowed.includes(tensor.type),
      ),
    ({ inputs, outputs, constant }) =>
      [...inputs.filter((_, at) => constant[at] !== true), ...outputs].find(
        (tensor) => tensor !== undefined && !allowed.includes(tensor.type),
      )?.type ?? "",
  );

const storedTypes = [
  "bool",
  "float32",
  "int32",
  "uint32",
  "int64",
  "int16",
  "uint16",
  "float16",
  "int8",
  "uint8",
  "int4",
  "uint4",
];

const everyNode = (allowed: readonly string[]): readonly Constraint[] => [
  types(allowed),
  constraint(
    "type",
    "Initializer Data Type is not supported",
    ({ inputs, constant }) =>
      inputs.every(
        (tensor, at) =>
          constant[at] !== true ||
          tensor === undefined ||
          tensor.type === "unknown" ||
          storedTypes.includes(tensor.type),
      ),
    ({ inputs, constant }) =>
      inputs.find((tensor, at) => constant[at] === true && tensor !== undefined && !storedTypes.includes(tensor.type))
        ?.type ?? "",
  ),
  constraint(
    "scalar",
    "Dimension check failed: a scalar",
    (view) =>
      scalars.has(view.spelled) ||
      [...view.inputs.filter((_, at) => view.constant[at] !== true), ...view.outputs].every(
        (tensor) => tensor?.shape?.length !== 0,
      ),
  ),
  constraint(
    "size",
    "Dimension check failed: a dimension of 0",
    (view) =>
      empties.has(view.spelled) ||
      [...view.inputs.filter((_, at) => view.constant[at] !== true), ...view.outputs].every(
        (tensor) => tensor?.shape?.includes(0) !== true,
      ),
  ),
];

const special: Readonly<Record<string, Rule>> = {
  ReduceMax: [
    constraint("type", "ReduceMax of int8 is rejected", ({ inputs }) =>
      inputs.every((tensor) => tensor?.type !== "int8" && tensor?.type !== "uint8"),
    ),
  ],
  Reshape: [
    constraint("shape", "Reshape op with empty dim is rejected", (view) => shapeOf(view, 1)?.includes(0) !== true),
  ],
  Unsqueeze: [
    constraint("axes", "axes as an input named axes", ({ inputs }) =>
      inputs.every((tensor) => tensor?.name !== "axes"),
    ),
  ],
  Upsample: [
    constraint("type", "Upsample supports float, int8 and float16", ({ inputs }) =>
      ["float32", "int8", "float16"].includes(inputs[0]?.type ?? ""),
    ),
    constraint("scales", "only height and width may be scaled", (view) => {
      const scales = listOf(view, "scales");
      return scales === undefined || scales.length <= 2 || (scales[0] === 1 && scales[1] === 1);
    }),
  ],
  Resize: [
    constraint(
      "coordinate_transformation_mode",
      "tf_crop_and_resize and half_pixel_symmetric are not supported",
      (view) =>
        !["tf_crop_and_resize", "half_pixel_symmetric"].includes(
          textOf(view, "coordinate_transformation_mode", "half_pixel") ?? "",
        ),
    ),
    constraint(
      "antialias",
      "antialias is not supported",
      (view) => numberOf(view, "antialias", 0) !== 1 || textOf(view, "mode", "nearest") === "nearest",
    ),
    constraint(
      "exclude_outside",
      "exclude_outside is not supported",
      (view) => numberOf(view, "exclude_outside", 0) !== 1,
    ),
  ],
};

const table = (names: string): Readonly<Record<string, Rule>> => ({
  ...Object.fromEntries(names.split(" ").map((name) => [name, []])),
  ...special,
});

const base = {
  tool: "ONNX Runtime OpenVINO EP",
  version: "1.24.1, OpenVINO 2025.4.1",
  formats: ["onnx"],
  names: "onnx",
  sources: [SOURCE, DOCUMENT],
  others: "no",
  otherSays: "Node is not in the supported ops list",
} as const satisfies Partial<Target>;

const targets: readonly Target[] = [
  {
    ...base,
    id: "ort-openvino-gpu",
    name: "Intel GPU (ONNX Runtime, OpenVINO)",
    devices: ["intel-gpu"],
    confidence: "source",
    preconditions: [],
    every: everyNode([
      "float32",
      "int32",
      "int64",
      "float16",
      "int8",
      "uint8",
      "bool",
      "int4",
      "uint4",
      "int16",
      "uint16",
    ]),
    operators: table(`${both} ${gpuAlone} ${written}`),
    partition: { way: "subgraphs", atLeast: 2 },
  },
  {
    ...base,
    id: "ort-openvino-npu",
    name: "Intel NPU (ONNX Runtime, OpenVINO)",
    devices: ["intel-npu"],
    confidence: "documents",
    sources: [SOURCE, DOCUMENT, "https://github.com/intel/onnxruntime/pull/521"],
    preconditions: [
      {
        rule: "dynamic",
        says: "the NPU takes static shapes, or bounded ones",
        holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
        else: "refuses",
        cure: "Fix the shapes of the inputs, or give bounds (reshape_input of the provider's options).",
        source: DOCUMENT,
      },
      {
        rule: "compiler",
        says: "the NPU's compiler has the last word on each subgraph, and its table is not published",
        holds: () => undefined,
        else: "warns",
        source: DOCUMENT,
      },
    ],
    every: everyNode([
      "bool",
      "float32",
      "uint32",
      "int32",
      "int16",
      "uint16",
      "int8",
      "uint8",
      "int64",
      "float16",
      "int4",
      "uint4",
    ]),
    operators: table(`${both} ${cpuAlone} ${written}`),
    partition: { way: "subgraphs", atLeast: 2 },
  },
];

export default targets;
