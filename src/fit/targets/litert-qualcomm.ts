/**
 * Qualcomm's Hexagon HTP by LiteRT's compiler plug-in: operators it can write as QNN's, with the limits of its builders
 * (litert/vendors/qualcomm/core/builders). Each is then asked of QNN's own validation, whose table is known in part alone.
 */

import { constraint } from "../rules.ts";
import type { Rule, Target } from "../target.ts";
import { attribute, constant, listed, noType, rank } from "../tflite-rules.ts";

const SOURCE = "github.com/google-ai-edge/LiteRT@f67457790c9c2ab67347d6fe53270e8d3df20868 litert/vendors/qualcomm";
const HTP = "https://docs.qualcomm.com/doc/80-63442-50/topic/HtpOpDefSupplement.html";

const axisOf = (says: string): Rule => [constant([1], says)];
const argument: Rule = [
  constant([1], "Unsupported non static axis tensor"),
  { ...rank([0], 0, 4, "HTP: rank of Argmax and Argmin is at most 4"), source: HTP },
];
const padding: Rule = [
  { ...rank([0], 0, 5, "HTP: rank of Pad is at most 5"), source: HTP },
  constraint(
    "type",
    "Unsupported input tensor type.",
    ({ inputs: [data] }) => data?.type === "float32" || data?.type === "float16" || data?.quantization !== undefined,
    ({ inputs: [data] }) => data?.type ?? "",
  ),
];

const target: Target = {
  id: "litert-qualcomm",
  name: "Qualcomm Hexagon by LiteRT",
  tool: "LiteRT compiler plug-in (QNN)",
  version: "2026-08-21",
  devices: ["qualcomm"],
  formats: ["tflite"],
  names: "tflite",
  confidence: "source",
  sources: [`${SOURCE}/compiler/qnn_compose_graph.cc`, `${SOURCE}/core/builders`, HTP],
  preconditions: [],
  every: [
    noType(
      ["string", "complex64", "complex128", "resource", "variant", "bfloat16", "float8e4m3fn", "float8e5m2"],
      "QNN Unsupported data type",
    ),
  ],
  operators: {
    ...listed(
      "ABS ADD AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_TO CEIL CONCATENATION CONV_2D CONV_3D COS CUMSUM DEPTHWISE_CONV_2D " +
        "DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND " +
        "GELU GREATER GREATER_EQUAL HARD_SWISH L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC " +
        "LOG_SOFTMAX MAXIMUM MAX_POOL_2D MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK POW PRELU QUANTIZE RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE " +
        "RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR ROUND RSQRT SCATTER_ND SELECT SELECT_V2 SIGN SIN SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT_V SQRT " +
        "SQUARE SQUARED_DIFFERENCE SUB TANH TILE TOPK_V2 TRANSPOSE TRANSPOSE_CONV UNPACK",
    ),
    ...listed(
      "MEAN SUM REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN",
      axisOf("The axis tensor is not static, or the rank of axis tensor is not equal to 1."),
    ),
    ARG_MAX: argument,
    ARG_MIN: argument,
    CAST: [{ ...rank([0], 0, 5, "HTP: rank of Cast is at most 5"), source: HTP }],
    // Operators of LiteRT's own that QNN has, by name: what else is custom is refused.
    CUSTOM: "unsure",
    ONE_HOT: [constant([1, 2, 3], "Depth, on value, and off value must be static scalars.")],
    PAD: padding,
    PADV2: padding,
    REVERSE_V2: [
      constant([1], "ReverseV2 axis tensor must be static."),
      constraint(
        "axis",
        "Qnn supports ReverseV2 with a single axis for now.",
        ({ inputs: [, axes] }) => axes?.shape?.length !== 1 || axes.shape[0] === 1,
      ),
    ],
    SLICE: [constant([1, 2], "The begin tensor or size tensor is not static")],
    SPLIT: [constant([0], "The axis tensor is not static")],
    STRIDED_SLICE: [
      attribute("ellipsis_mask", [0], 0, "Only ellipsis_mask with a value of 0 is supported.", "mask"),
      constant([1, 2, 3], "The begin, end and strides tensors must be static"),
    ],
  },
  others: "no",
  otherSays: "is not supported in Qualcomm Compiler.",
  partition: { way: "subgraphs" },
};

export default [target];
