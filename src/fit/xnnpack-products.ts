/** What XNNPACK's delegate asks of convolutions and matrix products: filters, biases, and types that may be mixed. */

import type { Tensor } from "../model/graph.ts";
import { constraint } from "./rules.ts";
import type { Constraint, Rule } from "./target.ts";
import { attribute, constant, counts, rank, shapeOf, types } from "./tflite-rules.ts";
import { floatsOr8, fused, isFloat, isFloat32Or8, isFloatOr8, isPerTensor, kinds } from "./xnnpack-rules.ts";

/** Of the tensor at a place, where there is one. */
const typed = (place: number, says: string, fits: (tensor: Tensor) => boolean): Constraint =>
  constraint(
    "type",
    says,
    ({ inputs }) => inputs[place] === undefined || fits(inputs[place]),
    ({ inputs }) => inputs[place]?.type ?? "",
  );

/** Weights: float, int8 along its own dimension, or uint8 as a whole. */
const filter = (place: number, axis: number): Constraint =>
  typed(place, "unsupported type of filter", (tensor) => {
    if (isFloat(tensor)) return true;
    const { quantization } = tensor;
    if (quantization === undefined) return false;
    if (tensor.type === "uint8") return isPerTensor(tensor);
    return tensor.type === "int8" && (quantization.scale.length === 1 || quantization.axis === axis);
  });

const biased = (place: number): Constraint =>
  typed(
    place,
    "unsupported type of bias",
    (tensor) => isFloat(tensor) || (tensor.type === "int32" && tensor.quantization !== undefined),
  );

/** Data, weights and result of one type; `also` says which weights go with other data. */
const mixed = (also: (data: Tensor, weights: Tensor) => boolean): Constraint =>
  constraint(
    "type",
    "unsupported mixed types",
    (view) => {
      const [data, weights] = view.inputs;
      const out = view.outputs[0];
      if (data === undefined || weights === undefined || out === undefined) return true;
      if (data.type !== out.type) return false;
      return data.type === weights.type || also(data, weights);
    },
    (view) => [view.inputs[0], view.inputs[1], view.outputs[0]].map((tensor) => tensor?.type).join(", "),
  );

/** float32 activations with int8 weights are quantised as they come, in convolutions and matrix products alone. */
const asTheyCome = (data: Tensor, weights: Tensor): boolean => data.type === "float32" && weights.type === "int8";
const never = (): boolean => false;

const bias = constraint("bias", "unsupported node without bias", (view) => (view.node.inputs[2] ?? -1) >= 0);

export const convolution = (axis: number, dynamic: boolean): Rule => [
  bias,
  counts([3, 3]),
  floatsOr8,
  rank([0, 1, "out"], 4, 4),
  filter(1, axis),
  constant([1, 2]),
  biased(2),
  rank([2], 1, 1),
  mixed(dynamic ? asTheyCome : never),
  fused,
];

export const depthwise = [...(convolution(3, false) as readonly Constraint[])];

export const fullyConnected: Rule = [
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
  mixed(
    (data, { type }) =>
      (type === "int8" || type === "int4" || type === "int2") && (isFloat(data) || data.type === "int8"),
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

export const matrixProduct: Rule = [
  kinds([0, "out"], isFloatOr8),
  filterOfProduct(),
  constraint(
    "zero point",
    "non-zero zero point of input 1 is not supported",
    ({ inputs: [data, weights] }) =>
      weights?.type !== "int8" || data?.type === "float32" || (weights.quantization?.zeroPoint[0] ?? 0) === 0,
  ),
  mixed(asTheyCome),
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

export const transposeConvolution: Rule = [
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
