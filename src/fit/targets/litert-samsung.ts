/**
 * Samsung's Exynos NPU by LiteRT's compiler plug-in. Its partitioning claims every operator of the graph: one that it cannot write then fails
 * the whole compilation (litert/vendors/samsung/compiler/create_model.cc).
 */

import { constraint } from "../rules.ts";
import type { Target } from "../target.ts";
import { attribute, constant, listed, noType } from "../tflite-rules.ts";

const SOURCE =
  "github.com/google-ai-edge/LiteRT@f67457790c9c2ab67347d6fe53270e8d3df20868 litert/vendors/samsung/compiler";

const padding = [
  constant([1], "Unsupported type of paddings"),
  constraint(
    "per-channel",
    "Unsupported quantization type for pad input.",
    ({ inputs: [data] }) => (data?.quantization?.scale.length ?? 1) <= 1,
  ),
];

const target: Target = {
  id: "litert-samsung",
  name: "Samsung Exynos NPU by LiteRT",
  tool: "LiteRT compiler plug-in (AI LiteCore)",
  version: "2026-08-21",
  devices: ["samsung"],
  formats: ["tflite"],
  names: "tflite",
  confidence: "source",
  sources: [`${SOURCE}/compiler_plugin.cc`, `${SOURCE}/create_model.cc`, `${SOURCE}/builders`],
  preconditions: [],
  every: [
    noType(
      ["string", "complex64", "complex128", "resource", "variant", "uint32", "uint64", "float64", "bfloat16", "int2"],
      "Element Type not supported",
    ),
  ],
  operators: {
    ...listed(
      "ABS ADD AVERAGE_POOL_2D BATCH_MATMUL BROADCAST_TO CAST CEIL CONCATENATION CONV_2D CONV_3D COS CUMSUM DEPTHWISE_CONV_2D DEQUANTIZE DIV " +
        "EMBEDDING_LOOKUP EQUAL EXP FLOOR FLOOR_DIV GATHER GATHER_ND GELU GREATER GREATER_EQUAL HARD_SWISH L2_NORMALIZATION LEAKY_RELU LESS LOG " +
        "LOGICAL_AND LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NOT_EQUAL POW QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_0_TO_1 " +
        "RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 RSQRT SELECT SELECT_V2 SIN SLICE SOFTMAX SPACE_TO_DEPTH SQRT " +
        "SQUARED_DIFFERENCE SUB SUM TANH TRANSPOSE TRANSPOSE_CONV",
    ),
    ARG_MAX: [constant([1], "Doesn't support argmax axis that is not constant")],
    FULLY_CONNECTED: [
      constraint(
        "rank",
        "Doesn't support Fully connected kernel dimension size : except 2",
        ({ inputs: [, weights] }) => (weights?.shape?.length ?? 2) === 2,
        ({ inputs: [, weights] }) => `but get ${weights?.shape?.length ?? "?"}`,
      ),
    ],
    PAD: padding,
    PADV2: padding,
    SPLIT: [constant([0], "Doesn't support Split axis that is not constant")],
    STRIDED_SLICE: [
      attribute("offset", [false, 0], false, "Doesn't support StridedSlice offset is true"),
      constant([1, 2, 3], "begin, end and strides of StridedSlice must be constant"),
    ],
  },
  others: "no",
  otherSays: "Unsupported op",
  partition: { way: "whole" },
};

export default [target];
