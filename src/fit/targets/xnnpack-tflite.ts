/**
 * TFLite's CPU by XNNPACK, as its delegate decides it (tflite/delegates/xnnpack/xnnpack_delegate.cc): node by node, with signed and
 * unsigned 8-bit quantisation on, which is how LiteRT's packages are built. Where it states a limit in a log line, that line is `says`.
 */

import type { Tensor } from "../../model/graph.ts";
import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";
import type { View } from "../view.ts";
import {
  activation,
  attribute,
  constant,
  counts,
  isConstant,
  rank,
  sameType,
  scaleOf,
  shapeOf,
  tensorAt,
  types,
  valuesOf,
  type Place,
} from "../tflite-rules.ts";

const SOURCE =
  "github.com/google-ai-edge/LiteRT@f67457790c9c2ab67347d6fe53270e8d3df20868 tflite/delegates/xnnpack/xnnpack_delegate.cc";
/** XNN_MAX_TENSOR_DIMS of xnnpack.h. */
const MOST_DIMENSIONS = 6;

const fused = activation(["NONE", "RELU", "RELU_N1_TO_1", "RELU6"]);

/** Quantised as a whole, by one scale and one zero point. */
const isPerTensor = (tensor: Tensor): boolean => tensor.quantization?.scale.length === 1;

const isFloat = ({ type }: Tensor): boolean => type === "float32" || type === "float16";
const isFloatOr8 = (tensor: Tensor): boolean =>
  isFloat(tensor) || ((tensor.type === "int8" || tensor.type === "uint8") && isPerTensor(tensor));
const isFloatOrSigned8 = (tensor: Tensor): boolean =>
  isFloat(tensor) || (tensor.type === "int8" && isPerTensor(tensor));
const isFloat32Or8 = (tensor: Tensor): boolean => tensor.type !== "float16" && isFloatOr8(tensor);

/** Type and quantisation of operands together: what the delegate calls an unsupported type. */
function kinds(places: readonly Place[], fits: (tensor: Tensor) => boolean): Constraint {
  const wrong = (view: View): Tensor | undefined =>
    places.map((place) => tensorAt(view, place)).find((tensor) => tensor !== undefined && !fits(tensor));
  return constraint(
    "type",
    "unsupported type",
    (view) => wrong(view) === undefined,
    (view) => {
      const tensor = wrong(view);
      const scales = tensor?.quantization?.scale.length;
      return `${tensor?.type ?? "unknown"}${scales === undefined || scales < 2 ? "" : ` with ${scales} scales`}`;
    },
  );
}

const floats = kinds([0, "out"], isFloat);
const floatsOr8 = kinds([0, "out"], isFloatOr8);

/** As many dimensions as XNNPACK's tensors have, none of them empty. */
const shaped = (...places: Place[]): readonly Constraint[] => [
  rank(places, 0, MOST_DIMENSIONS),
  constraint("shape", "invalid num of elements", (view) =>
    places.every((place) => tensorAt(view, place)?.shape?.every((one) => one !== 0) !== false),
  ),
];

/** Scale of the first operand over that of the output, of one 8-bit type. */
function ratio(places: readonly number[], least: number, most: number, says: string): Constraint {
  const found = (view: View): number | undefined => {
    const tensors = [...places.map((place) => view.inputs[place]), view.outputs[0]];
    const [first] = tensors;
    if (first?.type !== "int8" && first?.type !== "uint8") return undefined;
    if (tensors.some((tensor) => tensor?.type !== first.type)) return undefined;
    const product = places.reduce((value, place) => value * (scaleOf(view.inputs[place]) ?? 1), 1);
    return product / (scaleOf(view.outputs[0]) ?? 1);
  };
  return constraint(
    "scale",
    says,
    (view) => {
      const value = found(view);
      return value === undefined || (value >= least && value < most);
    },
    (view) => String(found(view)),
  );
}

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

/** Weights: float, int8 along its own dimension, or uint8 as a whole. */
const filter = (place: number, axis: number): Constraint =>
  constraint(
    "type",
    "unsupported type of filter",
    (view) => {
      const tensor = view.inputs[place];
      if (tensor === undefined || isFloat(tensor)) return true;
      const { quantization } = tensor;
      if (quantization === undefined) return false;
      if (tensor.type === "uint8") return isPerTensor(tensor);
      return tensor.type === "int8" && (quantization.scale.length === 1 || quantization.axis === axis);
    },
    (view) => view.inputs[place]?.type ?? "",
  );

const biased = (place: number): Constraint =>
  constraint(
    "type",
    "unsupported type of bias",
    (view) => {
      const tensor = view.inputs[place];
      return tensor === undefined || isFloat(tensor) || (tensor.type === "int32" && tensor.quantization !== undefined);
    },
    (view) => view.inputs[place]?.type ?? "",
  );

/** float32 activations with int8 weights are quantised as they come, in convolutions and matrix products alone. */
const mixed = (dynamic: boolean): Constraint =>
  constraint(
    "type",
    "unsupported mixed types",
    (view) => {
      const [data, weights] = view.inputs;
      const out = view.outputs[0];
      if (data === undefined || weights === undefined || out === undefined) return true;
      if (data.type !== out.type) return false;
      return data.type === weights.type || (dynamic && data.type === "float32" && weights.type === "int8");
    },
    (view) => [view.inputs[0], view.inputs[1], view.outputs[0]].map((tensor) => tensor?.type).join(", "),
  );

const bias = constraint("bias", "unsupported node without bias", (view) => (view.node.inputs[2] ?? -1) >= 0);

const convolution = (axis: number, dynamic: boolean): Rule => [
  bias,
  counts([3, 3]),
  floatsOr8,
  rank([0, 1, "out"], 4, 4),
  filter(1, axis),
  constant([1, 2]),
  biased(2),
  rank([2], 1, 1),
  mixed(dynamic),
  fused,
];

const depthwise = [...(convolution(3, false) as readonly Constraint[])];

const fullyConnected: Rule = [
  constraint(
    "version",
    "Unsupported version of FullyConnected",
    ({ node }) => node.version !== 8,
    ({ node }) => String(node.version),
  ),
  attribute("weights_format", ["DEFAULT"], "DEFAULT", "unsupported non-default weights format"),
  counts([2, 3]),
  floatsOr8,
  rank([1], 2, 2),
  constraint(
    "type",
    "unsupported type of filter",
    ({ inputs: [, weights] }) => {
      if (weights === undefined || isFloat(weights)) return true;
      const { quantization, type } = weights;
      if (type === "uint8") return isPerTensor(weights);
      if (type !== "int8" && type !== "int4" && type !== "int2") return false;
      if (quantization === undefined) return true;
      return quantization.scale.length === 1 ? type !== "int2" : (quantization.axis ?? 0) === 0;
    },
    ({ inputs: [, weights] }) => weights?.type ?? "",
  ),
  constant([1, 2]),
  constraint(
    "bias",
    "Mismatch between number of bias elements and number of output channels",
    ({ inputs: [, weights, third] }) => {
      const elements = shapeOf(third)?.reduce((product, one) => product * one, 1);
      const channels = shapeOf(weights)?.[0];
      return elements === undefined || channels === undefined || elements === channels;
    },
  ),
  biased(2),
  constraint(
    "type",
    "unsupported mixed types",
    (view) => {
      const [data, weights] = view.inputs;
      const out = view.outputs[0];
      if (data === undefined || weights === undefined || out === undefined) return true;
      if (data.type !== out.type) return false;
      const narrow = weights.type === "int8" || weights.type === "int4" || weights.type === "int2";
      return data.type === weights.type || (narrow && (isFloat(data) || data.type === "int8"));
    },
    (view) => [view.inputs[0], view.inputs[1], view.outputs[0]].map((tensor) => tensor?.type).join(", "),
  ),
  constraint(
    "zero point",
    "unsupported zero point for weights",
    ({ inputs: [data, weights] }) =>
      weights?.type !== "int8" || data?.type !== "int8" || (weights.quantization?.zeroPoint[0] ?? 0) === 0,
  ),
  constraint("alignment", "unsupported odd number of inputs channels", ({ inputs: [, weights] }) => {
    const channels = shapeOf(weights)?.[1];
    if (channels === undefined) return true;
    return weights?.type === "int4" ? channels % 2 === 0 : weights?.type !== "int2" || channels % 4 === 0;
  }),
  fused,
];

const matrixProduct: Rule = [
  kinds([0, "out"], isFloatOr8),
  filterOfProduct(),
  constraint(
    "zero point",
    "non-zero zero point of input 1 is not supported",
    ({ inputs: [data, weights] }) =>
      weights?.type !== "int8" || data?.type === "float32" || (weights.quantization?.zeroPoint[0] ?? 0) === 0,
  ),
  mixed(true),
  constraint(
    "rank",
    "Unsupported number of dimensions, must be at least 2",
    ({ inputs: [a, b] }) => (a?.shape?.length ?? 2) >= 2 && (b?.shape?.length ?? 2) >= 2,
  ),
];

function filterOfProduct(): Constraint {
  return constraint(
    "type",
    "unsupported type of input 1",
    ({ node, inputs: [, weights] }) => {
      if (weights === undefined || isFloat(weights)) return true;
      if (weights.quantization === undefined) return false;
      if (weights.type === "uint8") return isPerTensor(weights);
      const rank = weights.shape?.length ?? 2;
      const axis = node.attributes["adj_y"] === true ? rank - 2 : rank - 1;
      return weights.type === "int8" && (isPerTensor(weights) || weights.quantization.axis === axis);
    },
    ({ inputs: [, weights] }) => weights?.type ?? "",
  );
}

/** Output and inputs have one scale and one zero point. */
const sameQuantization = (inputs: "all" | "first", only: readonly string[]): Constraint =>
  constraint("scale", "Mismatching quantization across the input and the output", (view) => {
    const out = view.outputs[0];
    if (out === undefined || !only.includes(out.type)) return true;
    const own = (tensor: Tensor | undefined): string =>
      `${tensor?.quantization?.scale[0] ?? 0} ${tensor?.quantization?.zeroPoint[0] ?? 0}`;
    const given = inputs === "all" ? view.inputs : view.inputs.slice(0, 1);
    return given.every((tensor) => own(tensor) === own(out));
  });

const reduction: Rule = [
  counts([2, 2]),
  floatsOr8,
  types([1], ["int32"]),
  rank([1], 0, 1),
  constant([1]),
  constraint("axis", "Not handling ill defined empty reduction", ({ inputs: [, axes] }) => axes?.shape?.[0] !== 0),
];

const positive = (place: number): Constraint =>
  constraint(
    "size",
    "size must be positive",
    ({ inputs }) => {
      const values = valuesOf(inputs[place]);
      return values === undefined ? undefined : values.every((one) => one > 0);
    },
    ({ inputs }) => valuesOf(inputs[place])?.join(", ") ?? "",
  );

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

const transposeConvolution: Rule = [
  counts([3, 4]),
  types([0], ["int32"]),
  rank([1, 2, "out"], 4, 4),
  constant([0, 1, 3]),
  kinds([2, "out"], isFloat32Or8),
  filter(1, 0),
  biased(3),
  rank([3], 1, 1),
  constraint("stride", "strides larger than effective kernel dimensions unsupported", ({ node, inputs }) => {
    const shape = shapeOf(inputs[1]);
    if (shape === undefined || node.attributes["padding"] === "VALID") return true;
    const [high, wide] = [Number(node.attributes["strides_h"] ?? 1), Number(node.attributes["strides_w"] ?? 1)];
    return (shape[1] ?? 1) >= high && (shape[2] ?? 1) >= wide;
  }),
  constraint(
    "shape",
    "output smaller than effective kernel dimensions unsupported with VALID padding",
    ({ node, inputs, outputs }) => {
      if (node.attributes["padding"] !== "VALID") return true;
      const [shape, out] = [shapeOf(inputs[1]), shapeOf(outputs[0])];
      if (shape === undefined || out === undefined) return true;
      return (shape[1] ?? 1) <= (out[1] ?? 1) && (shape[2] ?? 1) <= (out[2] ?? 1);
    },
  ),
  constraint("shape", "inconsistent combination of parameters: computed input size", ({ node, inputs, outputs }) => {
    if (node.attributes["padding"] === "VALID") return true;
    const [data, out] = [shapeOf(inputs[2]), shapeOf(outputs[0])];
    if (data === undefined || out === undefined) return true;
    const strides = [Number(node.attributes["strides_h"] ?? 1), Number(node.attributes["strides_w"] ?? 1)];
    return strides.every((stride, at) => Math.ceil((out[at + 1] ?? 1) / stride) === data[at + 1]);
  }),
  fused,
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
