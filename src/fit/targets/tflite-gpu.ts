/**
 * TFLite's GPU delegate (OpenCL, OpenGL ES, Metal), as it decides node by node: kinds of operators and their newest versions
 * (tflite/delegates/gpu/common/model_builder.cc), operands and options (tflite/tools/versioning/gpu_compatibility.cc). 8-bit models run as
 * float. By default the largest partition alone is taken.
 */

import { constraint } from "../rules.ts";
import type { Rule, Target } from "../target.ts";
import {
  LITERT,
  SOURCE,
  binary,
  broadcast,
  cast,
  comparison,
  convolved,
  depthwise,
  extra,
  fused,
  isConstant,
  masks,
  newest,
  newestOf,
  operands,
  padded,
  pair,
  pooled,
  reduced,
  runtimeInputs,
  select,
  threeOrFour,
  twoInputs,
  typed,
} from "../tflite-gpu-rules.ts";
import { attribute, rankOf } from "../tflite-rules.ts";
import type { View } from "../view.ts";

const rules: Readonly<Record<string, Rule>> = {
  ABS: newestOf.unary,
  ADD: [newestOf.binary, twoInputs, broadcast],
  ADD_N: [
    newestOf.binary,
    constraint("operands", "ADD_N only supports 2 inputs.", ({ inputs }) => inputs.length === 2),
  ],
  AVERAGE_POOL_2D: pooled,
  BATCH_MATMUL: [
    constraint(
      "operands",
      "Expected 2 inputs and 1 output",
      ({ inputs, outputs }) => inputs.length === 2 && outputs.length === 1,
    ),
  ],
  CAST: cast,
  CONCATENATION: [newest(2)],
  CONV_2D: [newest(6), ...convolved],
  COS: newestOf.unary,
  CUMSUM: [
    newest(1),
    constraint(
      "operands",
      "indices must be constant int32 type",
      (view) => isConstant(view, 1) && view.inputs[1]?.type === "int32",
    ),
  ],
  DENSIFY: [newest(1), operands([0], 1)],
  DEPTHWISE_CONV_2D: depthwise,
  DEPTH_TO_SPACE: [
    operands([1], 1),
    constraint(
      "block",
      "DEPTH_TO_SPACE block_size must be > 1.",
      ({ node }) => Number(node.attributes["block_size"] ?? 0) > 1,
    ),
  ],
  // float16 weights stay with the operators that take them where all else goes to the GPU; else the CPU makes float32 of them.
  DEQUANTIZE: [
    newest(3),
    constraint(
      "neighbour",
      "stays on the CPU where another operator does",
      (view) => view.inputs[0]?.type !== "float16" || view.inputs[0].data === undefined || isAllTaken(view),
    ),
    constraint(
      "type",
      "Unsupported dequantization type.",
      ({ inputs: [data] }) => data?.type !== "int16",
      ({ inputs: [data] }) => data?.type ?? "",
    ),
  ],
  DIV: binary,
  ELU: newestOf.unary,
  EQUAL: comparison,
  EXP: newestOf.unary,
  FLOOR: newestOf.unary,
  FLOOR_DIV: binary,
  FLOOR_MOD: binary,
  FULLY_CONNECTED: [
    newest(9),
    attribute("weights_format", ["DEFAULT"], "DEFAULT", "Unsupported FullyConnected weights format"),
    constraint(
      "operands",
      "FullyConnected doesn't support more than 2 runtime inputs.",
      (view) => runtimeInputs(view) <= 2,
    ),
    constraint("operands", "FullyConnected doesn't support constant input.", (view) => !isConstant(view, 0)),
    constraint(
      "rank",
      "Input and output dimensions different and FullyConnected doesn't support keep_num_dims.",
      ({ node, inputs, outputs }) =>
        node.attributes["keep_num_dims"] !== true || rankOf(inputs[0]) === rankOf(outputs[0]),
    ),
  ],
  GATHER: [
    newest(1),
    pair,
    constraint("rank", "Only support 1D indices", ({ inputs: [, indices] }) => (rankOf(indices) ?? 1) === 1),
    constraint(
      "type",
      "Only accept INT32 indices",
      ({ inputs: [, indices] }) => indices?.type === "int32",
      ({ inputs: [, indices] }) => indices?.type ?? "",
    ),
  ],
  GELU: newestOf.unary,
  GREATER: comparison,
  GREATER_EQUAL: comparison,
  HARD_SWISH: [operands([1], 1)],
  LEAKY_RELU: [newest(2)],
  LESS: comparison,
  LESS_EQUAL: comparison,
  LOG: newestOf.unary,
  LOGICAL_AND: binary,
  LOGISTIC: newestOf.unary,
  LSTM: [
    newest(4),
    constraint(
      "operands",
      "Expected 20 or 24 input tensors",
      ({ node }) =>
        node.attributes["kernel_type"] === "BASIC" || node.inputs.length === 20 || node.inputs.length === 24,
    ),
  ],
  MAXIMUM: binary,
  MAX_POOL_2D: pooled,
  MEAN: reduced,
  MINIMUM: binary,
  MIRROR_PAD: [
    ...padded,
    attribute("mode", ["REFLECT"], "REFLECT", "Only Reflective padding is supported for Mirror Pad operation."),
  ],
  MUL: [newest(3), twoInputs, broadcast, fused],
  NEG: newestOf.unary,
  NOT_EQUAL: comparison,
  ONE_HOT: [
    newest(1),
    constraint(
      "type",
      "Indices must be int32 type, on/off tensors must be constant, scalar, float type",
      ({ inputs }) =>
        inputs[0]?.type === "int32" &&
        [2, 3].every(
          (at) => inputs[at]?.type === "float32" && inputs[at].data !== undefined && (rankOf(inputs[at]) ?? 0) <= 1,
        ),
    ),
    attribute("axis", [-1], -1, "axis must be -1 or last dim"),
  ],
  PACK: [],
  PAD: padded,
  PADV2: padded,
  POW: binary,
  PRELU: [newest(1)],
  QUANTIZE: [newest(2), operands([1], 1)],
  REDUCE_MAX: reduced,
  REDUCE_MIN: reduced,
  REDUCE_PROD: reduced,
  RELU: [newest(2)],
  RELU6: [newest(2)],
  RELU_0_TO_1: [newest(2)],
  RELU_N1_TO_1: [newest(2)],
  RESHAPE: [newest(1), operands([1], 1)],
  RESIZE_BILINEAR: [
    newest(3),
    operands([1], 1),
    constraint(
      "align_corners",
      "If half_pixel_centers is True, align_corners must be False.",
      ({ node }) => node.attributes["align_corners"] !== true || node.attributes["half_pixel_centers"] !== true,
    ),
  ],
  RESIZE_NEAREST_NEIGHBOR: [newest(3), operands([1], 1)],
  RSQRT: newestOf.unary,
  SELECT: select,
  SELECT_V2: select,
  SIGN: newestOf.unary,
  SIN: newestOf.unary,
  SLICE: [newest(2), threeOrFour],
  SOFTMAX: [newest(2), attribute("beta", [1], 0, "Softmax.beta != 1 is not supported.")],
  SPACE_TO_DEPTH: [
    newest(2),
    operands([1], 1),
    constraint(
      "block",
      "SPACE_TO_DEPTH block_size must be > 1.",
      ({ node }) => Number(node.attributes["block_size"] ?? 0) > 1,
    ),
  ],
  SPLIT: [],
  SPLIT_V: [],
  SQRT: newestOf.unary,
  SQUARE: newestOf.unary,
  SQUARED_DIFFERENCE: binary,
  STRIDED_SLICE: [newest(4), ...masks, threeOrFour],
  SUB: binary,
  SUM: reduced,
  TANH: newestOf.unary,
  TILE: [operands([1], 1)],
  TRANSPOSE: [newest(4), operands([1], 1)],
  TRANSPOSE_CONV: [newest(3), ...convolved],
  UNPACK: [],
  Convolution2DTransposeBias: [],
  MaxPoolingWithArgmax2D: [operands([1], 2)],
  MaxUnpooling2D: [operands([2], 1)],
  Resampler: [
    operands([2], 1),
    constraint(
      "rank",
      "src or warp dims size != 4",
      ({ inputs }) => (rankOf(inputs[0]) ?? 4) === 4 && (rankOf(inputs[1]) ?? 4) === 4,
    ),
  ],
};

const operators: Readonly<Record<string, Rule>> = Object.fromEntries(
  Object.entries(rules).map(([name, rule]): [string, Rule] => {
    const [inputs, outputs] = extra[name] ?? [[], []];
    return [name, typeof rule === "string" ? rule : [...rule, typed(inputs, outputs)]];
  }),
);

const whole = new WeakMap<object, boolean>();

/** Whether the delegate takes everything but the DEQUANTIZE of float16 weights. Asked once for a graph. */
function isAllTaken({ around }: View): boolean {
  if (around === undefined) return true;
  const held = whole.get(around);
  if (held !== undefined) return held;
  const all = around.all().every((view) => {
    if (view.spelled === "DEQUANTIZE" && view.inputs[0]?.type === "float16" && view.inputs[0].data !== undefined)
      return true;
    const own = Object.hasOwn(operators, view.spelled) ? operators[view.spelled] : undefined;
    return typeof own === "object" && own.every((one) => one.holds(view) !== false);
  });
  whole.set(around, all);
  return all;
}

const gpu: Target = {
  id: "tflite-gpu",
  name: "GPU by TFLite's delegate",
  tool: "TFLite GPU delegate",
  version: "LiteRT of 2026-08-21",
  devices: [],
  formats: ["tflite"],
  names: "tflite",
  confidence: "source",
  sources: [SOURCE, `${LITERT} tflite/delegates/gpu/common/model_builder.cc`],
  preconditions: [],
  every: [],
  operators,
  others: "no",
  otherSays: "Operation is not supported.",
  // max_delegated_partitions is 1 unless asked otherwise (delegate_options.cc).
  partition: { way: "subgraphs", most: 1 },
};

export default [gpu];
