/**
 * VeriSilicon's VIPNano and VIP9000 by tflite-vx-delegate, as its op_map.cc decides node by node. What it takes runs on the NN cores, or on
 * the shader where those cannot: per-channel weights do on cores without them.
 */

import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";
import { attribute, constant, listed, rankOf, sameType, shapeOf } from "../tflite-rules.ts";
import type { View } from "../view.ts";

const SOURCE = "github.com/VeriSilicon/tflite-vx-delegate@3f4759e07221e6b90bd82989b65febdaaf9ec0ea op_map.cc";

const typed: Constraint = constraint(
  "type",
  "the type is not supported",
  (view) => wrongType(view) === undefined,
  (view) => wrongType(view) ?? "",
  SOURCE,
);

function wrongType({ inputs, outputs, spelled }: View): string | undefined {
  for (const tensor of inputs) {
    if (tensor?.type === "int64" && spelled !== "BROADCAST_TO") return "Int64 input";
    if (tensor?.type === "string") return "String input";
  }
  for (const tensor of outputs) {
    if (tensor?.type === "int16") return "Int16 output";
    if (tensor?.type === "int64") return "Int64 output";
  }
  return undefined;
}

const shaped: Constraint = constraint(
  "shape",
  "vx-delegate doesn't support the tensor of which one of dims is 0 or whose height/width > 65535",
  ({ inputs, outputs }) =>
    inputs.every(
      (tensor) =>
        tensor?.shape?.every((one, at) => one !== 0 && (at === 0 || typeof one !== "number" || one <= 65535)) !== false,
    ) && outputs.every((tensor) => tensor?.shape?.includes(0) !== true),
  undefined,
  SOURCE,
);

const ranked: Constraint = constraint(
  "rank",
  "vx-delegate doesn't support the tensor whose dimension is greater than 6.",
  ({ inputs }) => inputs.every((tensor) => (rankOf(tensor) ?? 0) <= 6),
);

/** Of a shape that is known beforehand. */
const fixed = (says: string): Constraint => constraint("dynamic", says, ({ outputs: [out] }) => rankOf(out) !== 0);

const plain =
  "ABS ADD_N AVERAGE_POOL_2D CONCATENATION EQUAL EXP FLOOR FLOOR_DIV GATHER GATHER_ND GELU GREATER GREATER_EQUAL HARD_SWISH HASHTABLE_LOOKUP " +
  "L2_NORMALIZATION LEAKY_RELU LESS LESS_EQUAL LOCAL_RESPONSE_NORMALIZATION LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC MAXIMUM " +
  "MAX_POOL_2D MINIMUM NEG NOT_EQUAL PRELU RELU RELU6 RELU_N1_TO_1 RNN RSQRT SHAPE SIN SOFTMAX SQRT SQUARE SQUEEZE TANH " +
  "UNIDIRECTIONAL_SEQUENCE_RNN UNPACK ELU BROADCAST_TO";

const hybrid = (where: string): Constraint => sameType([0, 1], `hybrid data type is not supported in ${where}.`);

const unquantized = (where: string): Constraint =>
  constraint("quantization", `Int8 or uint8 input without quantization is not supported in ${where}`, ({ inputs }) =>
    inputs.every(
      (tensor) => (tensor?.type !== "int8" && tensor?.type !== "uint8") || tensor.quantization !== undefined,
    ),
  );

const arithmetic: Rule = [
  constraint(
    "type",
    "ASYM I16 input0 / ASYM U8/I8 output is not supported",
    ({ inputs: [data], outputs: [out] }) => data?.type !== "int16" || (out?.type !== "int8" && out?.type !== "uint8"),
  ),
  constraint(
    "activation",
    "I32 input/I32 output is not supported in Relu1.",
    ({ inputs: [data], outputs: [out], activation }) =>
      activation !== "RELU_N1_TO_1" || data?.type !== "int32" || out?.type !== "int32",
  ),
];

const reduction: Rule = [constant([1], "const axis_tensor is only supported in reduce.")];
const split: Rule = [unquantized("Split")];
const block = (where: string): Rule => [
  constraint("type", `Int32 input is not supported in ${where}`, ({ inputs }) =>
    inputs.every((tensor) => tensor?.type !== "int32"),
  ),
  unquantized(where),
];
const batches = (where: string): Rule => [
  constraint(
    "rank",
    `${where} in vx-delegate only support 4D input`,
    ({ inputs: [data] }) => (rankOf(data) ?? 4) === 4,
  ),
  constraint(
    "shape",
    `${where} in vx-delegate only support the input whose spatial dimensions is 2`,
    ({ inputs: [, size] }) => (shapeOf(size)?.[0] ?? 2) === 2,
  ),
];
const resize: Rule = [constant([1], "shape tensor must be constant."), unquantized("Resize")];
const select: Rule = [
  constraint(
    "rank",
    "condition and input must have the same rank",
    ({ inputs: [condition, value] }) => rankOf(condition) === rankOf(value),
  ),
  constraint("type", "Bool type input is not supported", ({ inputs, outputs }) =>
    [...inputs.slice(1), ...outputs].every((tensor) => !["bool", "int8", "uint8"].includes(tensor?.type ?? "")),
  ),
];

export const operators: Readonly<Record<string, Rule>> = {
  ...listed(plain),
  ...listed("ADD SUB DIV MUL", arithmetic),
  ...listed("REDUCE_MIN REDUCE_MAX REDUCE_ANY REDUCE_PROD SUM MEAN", reduction),
  ARG_MAX: [fixed("Arg cannot support dynamic shape")],
  ARG_MIN: [fixed("Arg cannot support dynamic shape")],
  BATCH_MATMUL: [
    constraint(
      "type",
      "I32 outputs type is not supported in BatchMatmul",
      ({ outputs: [out] }) => out?.type !== "int32",
    ),
    constraint(
      "type",
      "Input with one being float32 and the other being int8 is not supported in BatchMatmul",
      ({ inputs: [a, b] }) =>
        !((a?.type === "float32" && b?.type === "int8") || (a?.type === "int8" && b?.type === "float32")),
    ),
    constraint(
      "adj",
      "Does not support adj_x and adj_y being true at the same time",
      ({ node }) => node.attributes["adj_x"] !== true || node.attributes["adj_y"] !== true,
    ),
  ],
  BATCH_TO_SPACE_ND: batches("batch2space"),
  BIDIRECTIONAL_SEQUENCE_LSTM: [
    constraint(
      "type",
      "Quantized weights are not supported",
      ({ inputs }) => (inputs[1]?.type ?? "float32") === "float32",
    ),
  ],
  BIDIRECTIONAL_SEQUENCE_RNN: [
    constraint(
      "type",
      "Does not support quantized weight in BidirectionalSequenceRnn",
      ({ inputs: [, weights] }) => weights?.type === "float32",
    ),
  ],
  CAST: [
    constraint(
      "type",
      "Cast could not support Complex64, UInt32 or UInt16 input/output.",
      ({ inputs: [data], outputs: [out] }) =>
        [data, out].every((tensor) => !["complex64", "uint32", "uint16"].includes(tensor?.type ?? "")),
    ),
  ],
  CONV_2D: [
    hybrid("conv2d"),
    constraint("batch", "batch is not supported in grouped conv2d.", ({ inputs: [data, weights] }) => {
      const [shape, kernel] = [shapeOf(data), shapeOf(weights)];
      if (shape === undefined || kernel === undefined) return true;
      return shape[3] === kernel[3] || shape[0] === 1;
    }),
  ],
  CONV_3D: [
    constraint("dilation", "conv3d could not support dilation > 1.", ({ node }) =>
      ["dilations_d", "dilations_h", "dilations_w"].every((name) => Number(node.attributes[name] ?? 1) <= 1),
    ),
    hybrid("conv3d"),
    constant([1], "weight tensor must be const in conv3d."),
  ],
  DEPTHWISE_CONV_2D: [hybrid("DepthwiseConv2d")],
  DEPTH_TO_SPACE: block("Depth2Space"),
  DEQUANTIZE: [
    constraint(
      "type",
      "ASYM I16/F16 input / F32 output is not supported",
      ({ inputs: [data] }) => (data?.type !== "int16" && data?.type !== "float16") || data.quantization === undefined,
    ),
    constraint(
      "per-channel",
      "SYMM PerChannel I8/U8 input / F32 output is not supported",
      ({ inputs: [data] }) => (data?.quantization?.scale.length ?? 1) <= 1,
    ),
  ],
  EMBEDDING_LOOKUP: [
    constraint(
      "type",
      "Does not support hybrid quantization with U8 weight and I8 output",
      ({ inputs: [, weights], outputs: [out] }) => weights?.type !== "uint8" || out?.type !== "int8",
    ),
  ],
  EXPAND_DIMS: [constant([1], "const axis_tensor is only supported in expand_dims.")],
  FULLY_CONNECTED: [
    hybrid("fullyconnected"),
    attribute("weights_format", ["DEFAULT"], "DEFAULT", "Shuffled weight is not supported"),
    constraint("type", "Int16 input is not supported", ({ inputs }) =>
      inputs.every((tensor) => tensor?.type !== "int16"),
    ),
  ],
  MIRROR_PAD: [fixed("MirrorPad cannot support dynamic shape")],
  ONE_HOT: [
    constant([1], "delegate only support parameters tensor as const input"),
    constraint("type", "Bool type output is not supported", ({ outputs: [out] }) => out?.type !== "bool"),
  ],
  PACK: [],
  PAD: [fixed("Pad cannot support dynamic shape")],
  POW: [
    constraint(
      "type",
      "I32 input/I32 output is not supported in pow.",
      ({ inputs: [a, b] }) => a?.type !== "int32" || b?.type !== "int32",
    ),
  ],
  QUANTIZE: [
    constraint(
      "type",
      "ASYM I16 or I32 input / ASYM U8/ASYM I8 output is not supported",
      ({ inputs: [data], outputs: [out] }) =>
        (data?.type !== "int32" && data?.type !== "int16") ||
        data.quantization === undefined ||
        (out?.type !== "uint8" && out?.type !== "int8" && !(data.type === "int16" && out?.type === "int32")),
      ({ inputs: [data], outputs: [out] }) => `${data?.type ?? "?"} to ${out?.type ?? "?"}`,
    ),
    constraint(
      "per-channel",
      "F32 input / SYMM PerChannel I8/U8 output is not supported",
      ({ outputs: [out] }) => (out?.quantization?.scale.length ?? 1) <= 1,
    ),
  ],
  RESHAPE: [
    constant([1], "Dynamic input shape is not supported in reshape."),
    fixed("Dynamic output shape is not supported in reshape."),
  ],
  RESIZE_BILINEAR: resize,
  RESIZE_NEAREST_NEIGHBOR: resize,
  REVERSE_V2: [constant([1], "const axis_tensor is only supported in reverse.")],
  SCATTER_ND: [constant([2], "ScatterNd only support parameter tensor as const input.")],
  SELECT: select,
  SELECT_V2: select,
  SLICE: [
    constant([1, 2], "vx-delegate cannot support dynamic shaped operator(slice), fallback it to CPU"),
    constraint("batch", "vx-delegate doesn't support slice in batch.", ({ inputs: [data], outputs: [out] }) => {
      const [from, to] = [shapeOf(data), shapeOf(out)];
      return from === undefined || to === undefined || from.length <= 3 || from[0] === to[0];
    }),
  ],
  SPACE_TO_BATCH_ND: batches("space2batch"),
  SPACE_TO_DEPTH: block("Space2Depth"),
  SPLIT: split,
  SPLIT_V: split,
  SQUARED_DIFFERENCE: [
    sameType([0, 1, "out"], "SquareDifference of these types is not supported"),
    constraint(
      "type",
      "SquareDifference of these types is not supported",
      ({ inputs: [data] }) =>
        data?.type === "float32" ||
        ((data?.type === "int8" || data?.type === "uint8") && data.quantization?.scale.length === 1),
    ),
  ],
  STRIDED_SLICE: [
    constant([1, 2, 3], "begin_tensor, end_tensor and strides_tensor must be constant."),
    attribute("new_axis_mask", [0], 0, "new_axis_mask > 0 is not supported", "mask"),
    attribute("ellipsis_mask", [0], 0, "ellipsis_mask > 0 is not supported", "mask"),
  ],
  TRANSPOSE: [fixed("Dynamic shape is not supported in transpose")],
  TRANSPOSE_CONV: [fixed("transpose conv cannot support dynamic shape")],
  UNIDIRECTIONAL_SEQUENCE_LSTM: [
    constraint(
      "type",
      "UnidirectionalLstm input is only support UInt8 || Int8",
      ({ inputs: [data] }) => data?.type === "uint8" || data?.type === "int8",
    ),
    constraint(
      "type",
      "Cell_state is only support Int16 || Float16",
      ({ inputs }) => inputs[19]?.type === "int16" || inputs[19]?.type === "float16",
    ),
  ],
  "vsi-npu": [],
};

const vx: Target = {
  id: "vx-delegate",
  name: "VeriSilicon VIP by tflite-vx-delegate",
  tool: "tflite-vx-delegate",
  version: "3f4759e of 2025-01",
  devices: ["verisilicon"],
  formats: ["tflite"],
  names: "tflite",
  confidence: "source",
  sources: [SOURCE],
  preconditions: [
    {
      rule: "per-channel",
      says: "per-channel weights run on the shader of a VIP whose NN cores do not know them, many times slower",
      holds: ({ granularity }) => (granularity === undefined ? undefined : granularity !== "per channel"),
      else: "warns",
      cure: "quantise weights per tensor (asymmetric uint8) for A311D and STM32MP25; i.MX8MP takes them per channel",
      source: "https://wiki.st.com/stm32mpu-ecosystem-v5/wiki/STM32MP2_NPU_description",
    },
  ],
  every: [typed, ranked, shaped],
  operators,
  others: "no",
  otherSays: "Fallback unsupported op to TfLite",
  partition: { way: "subgraphs" },
};

export default [vx];
