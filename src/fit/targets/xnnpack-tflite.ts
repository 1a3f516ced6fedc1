/**
 * TFLite's CPU by XNNPACK, as its delegate decides it (tflite/delegates/xnnpack/xnnpack_delegate.cc): node by node, with signed and
 * unsigned 8-bit quantisation on, which is how LiteRT's packages are built. Where it states a limit in a log line, that line is `says`.
 */

import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";
import {
  type Place,
  attribute,
  constant,
  counts,
  isConstant,
  rank,
  sameType,
  scaleOf,
  shapeOf,
  types,
  valuesOf,
} from "../tflite-rules.ts";
import type { View } from "../view.ts";
import { convolution, depthwise, fullyConnected, matrixProduct, transposeConvolution } from "../xnnpack-products.ts";
import {
  MOST_DIMENSIONS,
  floats,
  floatsOr8,
  fused,
  isFloat,
  isFloat32Or8,
  isFloatOr8,
  isFloatOrSigned8,
  isPerTensor,
  kinds,
  positive,
  ratio,
  sameQuantization,
  shaped,
} from "../xnnpack-rules.ts";

const SOURCE =
  "github.com/google-ai-edge/LiteRT@f67457790c9c2ab67347d6fe53270e8d3df20868 tflite/delegates/xnnpack/xnnpack_delegate.cc";

const unary: Rule = [counts([1, 1]), ...shaped(0), floats];

const addition: Rule = [
  counts([2, 2]),
  ...shaped(0, 1),
  kinds([0, 1, "out"], isFloatOr8),
  sameType([0, 1, "out"]),
  ratio([0], 1 / 1024, 256, "unsupported input-to-output scale"),
  ratio([1], 1 / 1024, 256, "unsupported input-to-output scale"),
  fused,
];

const binaryFloat: Rule = [counts([2, 2]), ...shaped(0, 1), kinds([0, 1, "out"], isFloat), fused];

const pooling: readonly Constraint[] = [
  constraint(
    "stride",
    "unsupported stride exceeding filter",
    ({ stride, kernel }) =>
      stride === undefined || kernel === undefined || (stride[0] <= kernel[0] && stride[1] <= kernel[1]),
    ({ stride, kernel }) => `stride ${stride?.join("x") ?? "?"}, filter ${kernel?.join("x") ?? "?"}`,
  ),
  fused,
];

const reduction: Rule = [
  counts([2, 2]),
  floatsOr8,
  types([1], ["int32"]),
  rank([1], 0, 1),
  constant([1]),
  constraint("axis", "Not handling ill defined empty reduction", ({ inputs: [, axes] }) => axes?.shape?.[0] !== 0),
];

const stridedSlice: Rule = [
  attribute("ellipsis_mask", [0], 0, "ellipsis mask, new axis mask and shrink axis mask must be 0", "mask"),
  attribute("new_axis_mask", [0], 0, "ellipsis mask, new axis mask and shrink axis mask must be 0", "mask"),
  attribute("shrink_axis_mask", [0], 0, "ellipsis mask, new axis mask and shrink axis mask must be 0", "mask"),
  constant([3]),
  types([1, 2, 3], ["int32"]),
  constraint(
    "stride",
    "stride must be 1",
    ({ inputs }) => valuesOf(inputs[3])?.every((one) => one === 1),
    ({ inputs }) => valuesOf(inputs[3])?.join(", ") ?? "",
  ),
  constant([1, 2]),
  constraint("rank", "begin_tensor shape must be equal to input shape", ({ inputs }) => {
    const rank = inputs[0]?.shape?.length;
    return [1, 2, 3].every(
      (at) => rank === undefined || inputs[at]?.shape === undefined || inputs[at].shape[0] === rank,
    );
  }),
  floatsOr8,
];

const split: Rule = [counts([2, 2], [2, 4]), types([0], ["int32"]), constant([0]), kinds([1, "out"], isFloatOr8)];

const concatenation: Rule = [
  counts([2, 5]),
  kinds(["out", 0, 1, 2, 3, 4], isFloatOr8),
  sameQuantization("all", ["uint8"]),
];

const reshape: Rule = [
  counts([1, 2]),
  floatsOr8,
  ...shaped(0, "out"),
  sameQuantization("first", ["int8", "uint8"]),
  types([1], ["int32"]),
  constant([1]),
  constraint("shape", "Not handling legacy scalar input and output", ({ node, inputs, outputs }) => {
    const listed = node.attributes["new_shape"];
    const values = node.inputs.length > 1 ? valuesOf(inputs[1]) : Array.isArray(listed) ? (listed as number[]) : [];
    if (values === undefined) return (outputs[0]?.shape?.length ?? 2) > 1 ? true : undefined;
    return !(values.length === 1 && (values[0] === 0 || values[0] === -1));
  }),
];

const pad: Rule = [
  counts([2, 2]),
  floatsOr8,
  rank([0, "out"], 1, MOST_DIMENSIONS),
  types([1], ["int32"]),
  constant([1]),
  constraint("padding", "invalid padding", ({ inputs }) => valuesOf(inputs[1])?.every((one) => one >= 0) !== false),
];

const block = (size: string): readonly Constraint[] => [
  constraint("block", "block size must be greater than 1", ({ node }) => Number(node.attributes[size] ?? 0) > 1),
];

/** DEQUANTIZE of a constant is done once, when no operator that stays behind needs its result. */
const dequantize: Rule = [
  counts([1, 1]),
  constraint(
    "type",
    "unsupported type",
    (view) => {
      const [data] = view.inputs;
      const [out] = view.outputs;
      if (data === undefined || out === undefined) return false;
      if (isConstant(view, 0) && data.sparse !== true && out.type === "float32") {
        if (data.type === "float16" || (data.type === "int8" && data.quantization !== undefined))
          return view.around?.users(view).every(isTaken) ?? true;
      }
      return (data.type === "int8" || data.type === "uint8") && isPerTensor(data) && isFloat(out);
    },
    (view) => view.inputs[0]?.type ?? "",
  ),
];

const quantize: Rule = [
  counts([1, 1]),
  ...shaped(0),
  floatsOr8,
  constraint(
    "type",
    "unsupported combination of input type and output type",
    ({ inputs: [data], outputs: [out] }) => data !== undefined && (isFloat(data) || data.type === out?.type),
    ({ inputs: [data], outputs: [out] }) => `${data?.type ?? "?"} to ${out?.type ?? "?"}`,
  ),
  ratio([0], 1 / 256, 128.0000001, "unsupported input-to-output scale"),
];

const leakyRelu: Rule = [
  counts([1, 1]),
  ...shaped(0),
  floatsOr8,
  constraint(
    "alpha",
    "unsupported alpha",
    ({ node }) => Math.abs(Number(node.attributes["alpha"] ?? 0)) > 1.1754944e-38,
  ),
  constraint("scale", "unsupported input-to-output scale", ({ node, inputs: [data], outputs: [out] }) => {
    const [from, to] = [scaleOf(data), scaleOf(out)];
    if (from === undefined || to === undefined || (data?.type !== "int8" && data?.type !== "uint8")) return true;
    const positive = from / to;
    const negative = positive * Number(node.attributes["alpha"] ?? 0);
    if (positive < 1 / 256 || positive > 128) return false;
    return negative >= -127.99609375 && negative <= 128 && Math.abs(negative) >= 1 / 256;
  }),
];

/** Variables of one type in all their uses. */
const variable = (place: Place): Rule => [kinds([place], isFloatOr8)];

const target: Target = {
  id: "xnnpack-tflite",
  name: "TFLite on the CPU by XNNPACK",
  tool: "TFLite XNNPACK delegate",
  version: "LiteRT 2.3.0",
  devices: ["cpu"],
  formats: ["tflite"],
  names: "tflite",
  confidence: "run",
  sources: [SOURCE, "ai-edge-litert 2.3.0 on x86-64: nodes that its interpreter replaced, of 290 models"],
  preconditions: [],
  every: [],
  operators: {
    ABS: unary,
    ADD: addition,
    ASSIGN_VARIABLE: variable(1),
    AVERAGE_POOL_2D: [counts([1, 1]), floats, ...pooling],
    BATCH_MATMUL: matrixProduct,
    CEIL: unary,
    CONCATENATION: concatenation,
    CONV_2D: [
      ...(convolution(0, true) as readonly Constraint[]),
      constraint("groups", "groups of zero is not supported", ({ inputs: [data, weights] }) => {
        const [channels, each] = [shapeOf(data)?.[3], shapeOf(weights)?.[3]];
        return channels === undefined || each === undefined || channels >= each;
      }),
    ],
    COS: unary,
    DENSIFY: [
      counts([1, 1]),
      constraint("sparse", "input must be a static sparse tensor", ({ inputs: [data] }) => data?.sparse === true),
    ],
    DEPTHWISE_CONV_2D: depthwise,
    DEPTH_TO_SPACE: [counts([1, 1]), floatsOr8, ...block("block_size")],
    DEQUANTIZE: dequantize,
    DIV: binaryFloat,
    ELU: [counts([1, 1]), ...shaped(0), kinds([0, "out"], isFloatOrSigned8)],
    EXP: unary,
    FLOOR: unary,
    FULLY_CONNECTED: fullyConnected,
    GELU: unary,
    HARD_SWISH: unary,
    LEAKY_RELU: leakyRelu,
    LOG: unary,
    LOGISTIC: [counts([1, 1]), ...shaped(0), floatsOr8],
    MAX_POOL_2D: [counts([1, 1]), kinds([0], isFloat32Or8), kinds(["out"], isFloatOr8), ...pooling],
    MAXIMUM: binaryFloat,
    MEAN: reduction,
    MINIMUM: binaryFloat,
    MUL: [
      counts([2, 2]),
      ...shaped(0, 1),
      kinds([0, 1, "out"], isFloatOr8),
      sameType([0, 1, "out"]),
      ratio([0, 1], 1 / 65536, 256, "unsupported input-product-to-output scale"),
      fused,
    ],
    NEG: unary,
    PAD: pad,
    PRELU: [...binaryFloat, constant([1])],
    QUANTIZE: quantize,
    READ_VARIABLE: [
      ...(variable("out") as readonly Constraint[]),
      constraint("rank", "unranked tensor is not supported", ({ outputs: [out] }) => out?.shape?.length !== 0),
    ],
    REDUCE_MAX: reduction,
    REDUCE_MIN: reduction,
    RELU: unary,
    RELU6: unary,
    RELU_N1_TO_1: unary,
    RESHAPE: reshape,
    RESIZE_BILINEAR: [
      counts([2, 2]),
      kinds([0], isFloat32Or8),
      kinds(["out"], isFloatOr8),
      rank([0, "out"], 4, 4),
      types([1], ["int32"]),
      constant([1]),
    ],
    ROUND: unary,
    RSQRT: unary,
    SIN: unary,
    SLICE: [constant([1, 2]), types([1, 2], ["int32", "int64"]), rank([0], 0, MOST_DIMENSIONS), floatsOr8, positive(2)],
    SOFTMAX: [attribute("beta", [1], 0, "unsupported beta value"), counts([1, 1]), floats],
    SPACE_TO_DEPTH: [
      counts([1, 1]),
      kinds([0], isFloat32Or8),
      kinds(["out"], isFloatOr8),
      ...block("block_size"),
      constraint("block", "input must be divisible by block_size", ({ node, inputs: [data] }) => {
        const size = Number(node.attributes["block_size"] ?? 1);
        const shape = shapeOf(data);
        return shape === undefined || ((shape[1] ?? 0) % size === 0 && (shape[2] ?? 0) % size === 0);
      }),
    ],
    SPLIT: split,
    SQRT: unary,
    SQUARE: unary,
    SQUARED_DIFFERENCE: binaryFloat,
    STRIDED_SLICE: stridedSlice,
    SUB: addition,
    SUM: reduction,
    TANH: [counts([1, 1]), ...shaped(0), floatsOr8],
    TRANSPOSE: [counts([2, 2]), floatsOr8, rank([0], 1, MOST_DIMENSIONS), constant([1])],
    TRANSPOSE_CONV: transposeConvolution,
    VAR_HANDLE: [],
  },
  others: "no",
  otherSays: "unsupported operator type",
  partition: { way: "subgraphs" },
  delegate: "tflite",
};

/** Whether the delegate takes another node: asked by DEQUANTIZE of those that use its result. */
function isTaken(view: View): boolean {
  const own = Object.hasOwn(target.operators, view.spelled) ? target.operators[view.spelled] : undefined;
  return Array.isArray(own) && own.every((one: Constraint) => one.holds(view) !== false);
}

export default [target];
