/**
 * Android's NNAPI by TFLite's delegate (tflite/delegates/nnapi/nnapi_delegate.cc, Validate) at its newest feature level. What it lets
 * through is then asked of the accelerator's driver, which nobody publishes: an answer of yes is the delegate's. Three partitions are kept.
 */

import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";
import { attribute, constant, notHybrid, rank, rankOf, shapeOf, types, valuesOf, version } from "../tflite-rules.ts";

const SOURCE =
  "github.com/google-ai-edge/LiteRT@f67457790c9c2ab67347d6fe53270e8d3df20868 tflite/delegates/nnapi/nnapi_delegate.cc";

const exactly = (only: number): Constraint => version(only, only, `Only ${only} op version is supported`);
const newest = (most: number): Constraint => version(1, most, "Op version is not supported");

const float = types([0], ["float32"], "Input should be Float");
const floatOr8 = types([0], ["float32", "int8", "uint8"], "Input should be Float or Quant8");
const floatOr8OrInt = types([0], ["float32", "int8", "uint8", "int32"], "Input should be Float, Quant8, or Int32");
const fourDimensions = rank([0, 1], 0, 4, "Input rank must be <= 4");
const constantShape = constant([1], "The shape input tensor must be constant.");
const constantAxis = (place: number): readonly Constraint[] => [
  types([place], ["int32"], "NNAPI only supports constant int32 axis tensor."),
  constant([place], "NNAPI only supports constant int32 axis tensor."),
];
const notScalar = constraint(
  "rank",
  "NNAPI does not support generating a scalar as output.",
  ({ outputs: [out] }) => rankOf(out) !== 0,
);
const noActivationOfInt = constraint(
  "activation",
  "No activation function supported",
  ({ inputs: [data], activation }) => data?.type !== "int32" || activation === undefined || activation === "NONE",
  ({ activation }) => activation ?? "",
);
const noActivation = constraint(
  "activation",
  "No activation function supported",
  ({ activation }) => activation === undefined || activation === "NONE",
  ({ activation }) => activation ?? "",
);
const notEmpty = constraint(
  "shape",
  "NN API pad ops do not support input tensors with no elements",
  ({ inputs: [data] }) => data?.shape?.includes(0) !== true,
);

const elementwise = (most: number): Rule => [newest(most), floatOr8OrInt, noActivationOfInt, fourDimensions];
const comparison: Rule = [
  newest(2),
  types([0], ["float32", "uint8", "int8", "bool", "int32"], "Unsupported input type"),
];
const logical: Rule = [exactly(1), types([0], ["bool"], "Input should be bool")];
const unaryFloat: Rule = [exactly(1), float];
const activationLike: Rule = [newest(2), floatOr8];
const argument: Rule = [
  newest(2),
  types([0], ["float16", "float32", "int32", "uint8", "int8"], "Unsupported input type"),
  attribute("output_type", ["INT32"], "INT32", "NNAPI only supports int32 output.", "type"),
];
const resize: Rule = [
  newest(3),
  floatOr8,
  constraint("operands", "Expected at least 2 inputs", ({ inputs }) => inputs.length >= 2),
  constant([1], "The size input tensor must be constant."),
];
const paddingRule: Rule = [newest(2), floatOr8, notEmpty];

/** An axis that is not the last. */
const notLast = (after: number): Constraint =>
  constraint(
    "axis",
    "NNAPI does not support axis being the last dimension",
    ({ node, inputs: [data] }) => {
      const axis = node.attributes["axis"];
      const dimensions = rankOf(data);
      return typeof axis !== "number" || (axis !== -1 && (dimensions === undefined || axis !== dimensions - 1 + after));
    },
    ({ node }) => `axis ${String(node.attributes["axis"] ?? 0)}`,
  );

const nnapi: Target = {
  id: "nnapi",
  name: "Android NNAPI by TFLite's delegate",
  tool: "TFLite NNAPI delegate",
  version: "LiteRT of 2026-08-21, feature level 7",
  devices: [],
  formats: ["tflite"],
  names: "tflite",
  confidence: "source",
  sources: [SOURCE],
  preconditions: [],
  every: [],
  operators: {
    ABS: unaryFloat,
    ADD: elementwise(2),
    ARG_MAX: argument,
    ARG_MIN: argument,
    AVERAGE_POOL_2D: activationLike,
    BATCH_MATMUL: [
      exactly(2),
      types([0], ["float32", "int32", "int8"], "Unsupported input type"),
      constraint("type", "NNAPI does not support hybrid batch matmul", ({ inputs: [a, b] }) => a?.type === b?.type),
      rank([0], 2, 4, "NNAPI does not support input rank greater than 4 or less than 2"),
      constraint("broadcast", "NNAPI does not support broadcast batch matmul", ({ inputs: [a, b] }) => {
        const [one, other] = [shapeOf(a), shapeOf(b)];
        if (one === undefined || other === undefined) return undefined;
        return one.slice(0, -2).join() === other.slice(0, -2).join();
      }),
    ],
    BATCH_TO_SPACE_ND: [
      newest(2),
      constraint("crops", "All crops should be 0.", ({ inputs: [, , crops] }) => {
        const values = valuesOf(crops);
        return values?.length === 4 ? values.every((one) => one === 0) : values !== undefined && false;
      }),
    ],
    BIDIRECTIONAL_SEQUENCE_LSTM: [exactly(1), notHybrid("Hybrid version of this op is not supported by NN API.")],
    CAST: [
      exactly(1),
      types([0], ["float32", "int32", "uint8", "int8"], "Unsupported input type"),
      types(
        ["out"],
        ["float32", "int32", "uint8", "int8"],
        "Output type should be one of kTfLiteFloat32, kTfLiteInt32, kTfLiteUInt8, kTfLiteInt8.",
      ),
    ],
    CONCATENATION: [
      newest(2),
      noActivation,
      rank([0], 0, 4, "Input rank should be less than 4"),
      types([0], ["float16", "float32", "uint8", "int8"], "Unsupported input type"),
    ],
    CONV_2D: [
      newest(5),
      constraint("bias", "Conv2D with omitted bias not supported", ({ node }) => node.inputs.length === 3),
    ],
    COS: unaryFloat,
    DENSIFY: [constant([0])],
    DEPTHWISE_CONV_2D: [newest(3)],
    DEPTH_TO_SPACE: [types([0], ["float32", "uint8", "int8"], "Unsupported input type")],
    DEQUANTIZE: [
      constraint(
        "type",
        "Unsupported input type",
        ({ inputs: [data] }) =>
          data?.type === "uint8" || data?.type === "int8" || (data?.type === "float16" && data.data === undefined),
        ({ inputs: [data] }) => data?.type ?? "",
      ),
      constraint(
        "version",
        "Supported op versions are 1 and 2 only",
        ({ node, inputs: [data] }) => data?.type === "float16" || (node.version ?? 1) <= 2,
      ),
    ],
    DIV: [exactly(1), types([0], ["float32"], "NNAPI only support float div."), fourDimensions],
    ELU: [exactly(1), types([0], ["float32"], "NNAPI only supports floating point input.")],
    EMBEDDING_LOOKUP: [exactly(1), types([1], ["float32"], "NNAPI only support float32 values.")],
    EQUAL: comparison,
    EXP: unaryFloat,
    EXPAND_DIMS: [
      exactly(1),
      types([0], ["float32", "float16", "int32", "uint8", "int8"], "Unsupported input type"),
      ...constantAxis(1),
    ],
    FILL: [
      exactly(1),
      constant([0], "NNAPI doesn't support dynamic dimensions tensor."),
      types([0], ["int32", "int64"], "Unsupported input type"),
      types([1], ["float32", "int32", "int64"], "Unsupported input type"),
    ],
    FLOOR: [exactly(1)],
    FULLY_CONNECTED: [
      newest(5),
      constraint("type", "Unsupported output of type kTfLiteInt16", ({ outputs: [out] }) => out?.type !== "int16"),
    ],
    GATHER: [
      exactly(2),
      types([0], ["float32", "float16", "int32", "uint8", "int8"], "Unsupported input type"),
      types([1], ["int32"], "Positions type should be one of kTfLiteInt32"),
      constraint(
        "rank",
        "0-dimension args are not supported by NNAPI.",
        ({ inputs: [, positions] }) => rankOf(positions) !== 0,
      ),
    ],
    GREATER: comparison,
    GREATER_EQUAL: comparison,
    HARD_SWISH: [floatOr8],
    HASHTABLE_LOOKUP: [exactly(1), types(["out"], ["float32"], "NNAPI only support float32 output.")],
    L2_NORMALIZATION: [newest(2), noActivation],
    L2_POOL_2D: unaryFloat,
    LEAKY_RELU: [exactly(1), types([0], ["float32", "uint8", "int8"], "Unsupported input type")],
    LESS: comparison,
    LESS_EQUAL: comparison,
    LOCAL_RESPONSE_NORMALIZATION: [exactly(1)],
    LOG: unaryFloat,
    LOGICAL_AND: logical,
    LOGICAL_NOT: logical,
    LOGICAL_OR: logical,
    LOGISTIC: activationLike,
    LOG_SOFTMAX: [exactly(1), types([0], ["float32"], "Input should be Float32.")],
    LSH_PROJECTION: [exactly(1)],
    LSTM: [newest(3)],
    MAXIMUM: [newest(3), types([0], ["float32", "uint8", "int8", "int32"], "Unsupported input type")],
    MAX_POOL_2D: activationLike,
    MEAN: [
      newest(2),
      types([0], ["float32", "uint8", "int8"], "Expected Float32 or Quantized input"),
      notScalar,
      rank([0], 0, 4, "NNAPI does not support mean of a tensor with rank > 4"),
    ],
    MINIMUM: [newest(3), types([0], ["float32", "uint8", "int8", "int32"], "Unsupported input type")],
    MIRROR_PAD: [newest(2), floatOr8OrInt, notEmpty],
    MUL: elementwise(3),
    NEG: [newest(2), types([0], ["float32", "int32"], "Unsupported input type")],
    NOT_EQUAL: comparison,
    PACK: [exactly(2), types([0], ["int32", "float32", "int8", "uint8"], "Unsupported input type")],
    PAD: paddingRule,
    PADV2: paddingRule,
    POW: unaryFloat,
    PRELU: [exactly(1), types([0], ["float32", "uint8", "int8"], "Unsupported input type")],
    QUANTIZE: [
      newest(2),
      types([0], ["float32", "uint8", "int8"], "Value should be quantized or Float32."),
      types(["out"], ["uint8", "int8"], "Output should be kTfLiteUInt8."),
    ],
    REDUCE_ANY: [exactly(2), notScalar],
    REDUCE_MAX: [newest(2), types([0], ["float32", "uint8", "int8"], "Unsupported input type")],
    REDUCE_MIN: [newest(2), types([0], ["float32", "uint8", "int8"], "Unsupported input type")],
    REDUCE_PROD: [exactly(1), notScalar, types([0], ["float32"], "NNAPI only supports floating point input.")],
    RELU: activationLike,
    RELU6: activationLike,
    RELU_N1_TO_1: activationLike,
    RESHAPE: [exactly(1), floatOr8OrInt, rank([0, "out"], 0, 4, "Rank should be <= 4"), constantShape],
    RESIZE_BILINEAR: [rank([0], 4, 4, "Input should have rank 4"), ...resize],
    RESIZE_NEAREST_NEIGHBOR: resize,
    REVERSE_V2: [newest(3), floatOr8OrInt],
    RNN: [exactly(1), types([1], ["float32"], "NNAPI only support float32 weights.")],
    RSQRT: [exactly(2), floatOr8],
    SELECT: [
      newest(2),
      types([1], ["float32", "int32", "uint8", "int8"], "Unsupported input type"),
      constraint(
        "shape",
        "Condition and inputs tensors should have the same shape",
        ({ inputs: [condition, value] }) => shapeOf(condition)?.join() === shapeOf(value)?.join(),
      ),
    ],
    SIN: unaryFloat,
    SLICE: [
      newest(2),
      types([0], ["float32", "int32", "uint8", "int8"], "Unsupported input type"),
      types([1], ["int32"], "Begin type should be Int32"),
      types([2], ["int32"], "Size type should be Int32"),
    ],
    SOFTMAX: [
      exactly(2),
      floatOr8,
      types(
        ["out"],
        ["float32", "uint8", "int8"],
        "Output type should be one of kTfLiteFloat32, kTfLiteUInt8, kTfLiteInt8.",
      ),
      rank([0], 0, 4, "Input rank should be <= 4"),
    ],
    SPACE_TO_BATCH_ND: [newest(2)],
    SPACE_TO_DEPTH: [newest(2), types([0], ["float32", "uint8", "int8"], "Unsupported input type")],
    SPLIT: [
      exactly(3),
      types([1], ["float32", "uint8", "int8", "int32"], "Unsupported input type"),
      ...constantAxis(0),
    ],
    SPLIT_V: [
      exactly(2),
      types([0], ["float32", "uint8", "int8", "int32"], "Unsupported input type"),
      types([1], ["int32"], "NNAPI only supports constant int32 size_splits vector."),
      constant([1], "NNAPI only supports constant int32 size_splits vector."),
      ...constantAxis(2),
    ],
    SQRT: unaryFloat,
    SQUARED_DIFFERENCE: [
      exactly(2),
      types([0], ["float32", "uint8", "int8", "int32"], "Unsupported input type"),
      fourDimensions,
    ],
    SQUEEZE: [exactly(1)],
    STRIDED_SLICE: activationLike,
    SUB: elementwise(3),
    SUM: [exactly(1), notScalar, types([0], ["float32"], "NNAPI only supports floating point input.")],
    SVDF: [exactly(1), types([1], ["float32"], "NNAPI only support float32 weights.")],
    TANH: [newest(2), types([0], ["float32", "uint8", "int8"], "NNAPI only support float tanh.")],
    TILE: [
      exactly(1),
      types([0], ["float32", "int8", "uint8", "int32"], "Unsupported input type"),
      types([1], ["int32"], "Multipliers should be Int32"),
    ],
    TOPK_V2: [
      newest(2),
      types([0], ["float32", "int32", "uint8", "int8"], "Unsupported input type"),
      types([1], ["int32"], "K param should be a constant of type Int32"),
      constant([1], "K param should be a constant of type Int32"),
    ],
    TRANSPOSE: [newest(2), constant([1], "Dynamically-sized tensors not supported.")],
    TRANSPOSE_CONV: [newest(4), constant([0, 1], "Dynamically-sized tensors not supported.")],
    UNIDIRECTIONAL_SEQUENCE_LSTM: [
      newest(2),
      notHybrid("Hybrid version of this op is not supported by NN API."),
      constraint(
        "operands",
        "Supporting only operation with 20 or 24 inputs",
        ({ node }) => node.inputs.length === 20 || node.inputs.length === 24,
      ),
    ],
    UNIDIRECTIONAL_SEQUENCE_RNN: [exactly(1), notHybrid("Hybrid version of this op is not supported by NN API.")],
    UNPACK: [
      exactly(2),
      types([0], ["float32", "uint8", "int8"], "Unsupported input type"),
      rank([0], 2, 4, "NNAPI does not support unpacking a tensor of this rank"),
      notLast(0),
    ],
  },
  others: "no",
  otherSays: "Unsupported operation type.",
  // max_number_delegated_partitions (nnapi_delegate.h).
  partition: { way: "subgraphs", most: 3 },
};

export default [nnapi];
