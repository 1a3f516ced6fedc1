/**
 * Shapes and types of what TensorFlow's operators give, as far as the graph alone tells: values that lie in other files leave them
 * open. tensorflow/core/ops/*.cc say the rules.
 */

import type { Attribute, Dimension, ElementType, Tensor } from "../../model/graph.ts";
import type { NodeDef, Shape } from "./nodes.ts";

export interface Inferred {
  readonly shapes: readonly (Shape | undefined)[];
  readonly types: readonly (ElementType | undefined)[];
  /** Values of the first output where they follow: shapes made of shapes. */
  readonly numbers?: readonly number[];
}

/** Longest list of values followed: shapes and axes have as many as a tensor has dimensions. */
const VALUES_FOLLOWED = 64;

interface Given {
  readonly node: NodeDef;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly values: readonly (readonly number[] | undefined)[];
  readonly shape: (index: number) => Shape | undefined;
}

type Rule = (given: Given) => Shape | undefined;

export function inferOutputs(
  node: NodeDef,
  inputs: readonly (Tensor | undefined)[],
  values: readonly (readonly number[] | undefined)[],
): Inferred {
  const given: Given = { node, inputs, values, shape: (index) => inputs[index]?.shape };
  const rule = Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
  const shape = rule?.(given) ?? (node.op === "Placeholder" ? node.shape : undefined);
  const numbers = numbersOf(given);
  const shapes = several.has(node.op) ? inputs.map(() => shape) : [shape];
  const types = typesOf(given);
  return { shapes, types, ...(numbers === undefined ? {} : { numbers }) };
}

/** Operators whose outputs all look like the first. */
const several: ReadonlySet<string> = new Set(["Unpack", "Split", "ShapeN"]);

const booleans: ReadonlySet<string> = new Set(
  "Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr LogicalNot IsNan IsInf IsFinite Any All".split(
    " ",
  ),
);

function typesOf({ node, inputs }: Given): readonly (ElementType | undefined)[] {
  const { op, types } = node;
  if (booleans.has(op)) return ["bool"];
  // What a function gives is in its own graph, or said by a signature.
  if (/PartitionedCall$|If$|While$/.test(op)) return [];
  if (op === "Cast") return [types["DstT"]];
  if (op === "Shape" || op === "Size" || op === "ShapeN") return [types["out_type"] ?? "int32"];
  if (op === "ArgMax" || op === "ArgMin") return [types["output_type"] ?? "int64"];
  if (op === "Where") return ["int64"];
  if (op === "TopKV2" || op === "TopK") return [types["T"], types["index_type"] ?? "int32"];
  if (op === "Quantize" || op === "QuantizeV2") return [types["T"], "float32", "float32"];
  const own = types["dtype"] ?? types["T"] ?? types["Tparams"] ?? types["out_type"];
  return [own ?? inputs[0]?.type, ...inputs.slice(1).map(() => own)];
}

const same: Rule = ({ shape }) => shape(0);

const unary =
  "Abs Acos Acosh Asin Asinh Atan Atanh BiasAdd Cast Ceil ClipByValue Cos Cosh Cumsum Elu Erf Exp Expm1 FakeQuantWithMinMaxVars " +
  "FakeQuantWithMinMaxArgs Floor FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 Identity IsFinite IsInf IsNan LRN LeakyRelu Log " +
  "Log1p LogicalNot LogSoftmax Neg OnesLike Prelu Reciprocal Relu Relu6 ReverseV2 Rint Round Rsqrt Selu Sigmoid Sign Sin Sinh Snapshot " +
  "Softmax Softplus Softsign Sqrt Square StopGradient Tan Tanh ZerosLike CheckNumerics PreventGradient";
const binary =
  "Add AddV2 Sub Mul Div RealDiv DivNoNan FloorDiv FloorMod Mod Pow Maximum Minimum SquaredDifference Atan2 Equal NotEqual Less " +
  "LessEqual Greater GreaterEqual LogicalAnd LogicalOr LogicalXor SelectV2";
const reductions = "Mean Sum Max Min Prod Any All";

const rules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(unary.split(" ").map((op) => [op, same])),
  ...Object.fromEntries(binary.split(" ").map((op): [string, Rule] => [op, broadcast])),
  ...Object.fromEntries(reductions.split(" ").map((op): [string, Rule] => [op, reduced])),
  Select: ({ shape }) => shape(1),
  AddN: same,
  ReadVariableOp: ({ shape }) => shape(0),
  VarHandleOp: ({ node }) => node.shape,
  VariableV2: ({ node }) => node.shape,
  Conv2D: (given) => convolved(given, "last"),
  _FusedConv2D: (given) => convolved(given, "last"),
  Conv3D: (given) => convolved(given, "last"),
  DepthwiseConv2dNative: (given) => convolved(given, "depthwise"),
  FusedDepthwiseConv2dNative: (given) => convolved(given, "depthwise"),
  Conv2DBackpropInput: ({ values }) => values[0],
  MaxPool: pooled,
  AvgPool: pooled,
  MaxPool3D: pooled,
  AvgPool3D: pooled,
  MatMul: product,
  _FusedMatMul: product,
  BatchMatMul: product,
  BatchMatMulV2: product,
  BatchMatMulV3: product,
  Reshape: reshaped,
  Pad: padded,
  PadV2: padded,
  MirrorPad: padded,
  ConcatV2: concatenated,
  Pack: packed,
  Shape: ({ shape }) => (shape(0) === undefined ? undefined : [shape(0)?.length ?? 0]),
  Size: () => [],
  Rank: () => [],
  Squeeze: squeezed,
  ExpandDims: expanded,
  Transpose: transposed,
  ArgMax: arg,
  ArgMin: arg,
  GatherV2: gathered,
  ResizeBilinear: resized,
  ResizeNearestNeighbor: resized,
  Fill: ({ values }) => values[0],
  BroadcastTo: ({ values }) => values[1],
  StridedSlice: strided,
  Placeholder: ({ node }) => node.shape,
  PlaceholderWithDefault: ({ node, shape }) => node.shape ?? shape(0),
};

const numberAt = (attributes: Readonly<Record<string, Attribute>>, key: string): number | undefined => {
  const value = attributes[key];
  return typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : undefined;
};

const numbersAt = (attributes: Readonly<Record<string, Attribute>>, key: string): readonly number[] | undefined => {
  const value = attributes[key];
  return Array.isArray(value) && value.every((one) => typeof one === "number") ? value : undefined;
};

/** What stands where channels do not: [first, end) of the dimensions windows run over. */
function windowed(node: NodeDef, rank: number): { readonly from: number; readonly channel: number } {
  const format = node.attributes["data_format"];
  const second = typeof format === "string" && format.startsWith("NC");
  return second ? { from: 2, channel: 1 } : { from: 1, channel: rank - 1 };
}

function convolved({ node, shape }: Given, kind: "last" | "depthwise"): Shape | undefined {
  const [input, weights] = [shape(0), shape(1)];
  if (weights === undefined || weights.length < 3) return undefined;
  const [inner, last] = weights.slice(-2);
  const channels =
    kind === "last" ? last : typeof inner === "number" && typeof last === "number" ? inner * last : undefined;
  if (input?.length !== weights.length) return undefined;
  return slid(node, input, weights, channels ?? null, numbersAt(node.attributes, "dilations"));
}

function pooled({ node, shape }: Given): Shape | undefined {
  const input = shape(0);
  const sizes = numbersAt(node.attributes, "ksize");
  if (input === undefined || sizes?.length !== input.length) return undefined;
  const { from, channel } = windowed(node, input.length);
  return slid(node, input, sizes.slice(from, from + input.length - 2), input[channel] ?? null, undefined);
}

function slid(
  node: NodeDef,
  input: Shape,
  window: Shape,
  channels: Dimension,
  dilations: readonly number[] | undefined,
): Shape | undefined {
  const { from, channel } = windowed(node, input.length);
  const strides = numbersAt(node.attributes, "strides");
  const explicit = numbersAt(node.attributes, "explicit_paddings");
  const padding = node.attributes["padding"];
  const out = [...input];
  for (let index = 0; index < input.length - 2; index++) {
    const at = from + index;
    const pads = (explicit?.[2 * at] ?? 0) + (explicit?.[2 * at + 1] ?? 0);
    out[at] = slide(input[at], window[index], strides?.[at] ?? 1, dilations?.[at] ?? 1, padding, pads);
  }
  out[channel] = channels;
  return out;
}

/** One dimension under a window. SAME rounds up, VALID drops what does not fill one. */
export function slide(
  length: Dimension | undefined,
  window: Dimension | undefined,
  stride: number,
  dilation: number,
  padding: unknown,
  pads = 0,
): Dimension {
  if (typeof length !== "number" || stride < 1) return null;
  if (padding === "SAME" || padding === "same" || padding === "causal") return Math.ceil(length / stride);
  if (typeof window !== "number" || (padding === "EXPLICIT" ? pads < 0 : padding !== "VALID" && padding !== "valid"))
    return null;
  return Math.max(0, Math.ceil((length + (padding === "EXPLICIT" ? pads : 0) - (window - 1) * dilation) / stride));
}

function product({ node: { attributes }, shape }: Given): Shape | undefined {
  const [a, b] = [shape(0), shape(1)];
  if (b === undefined || b.length < 2) return undefined;
  const columns = b[b.length - (attributes["transpose_b"] === true || attributes["adj_y"] === true ? 2 : 1)] ?? null;
  if (a === undefined) return b.length === 2 && attributes["adj_y"] === undefined ? [null, columns] : undefined;
  if (a.length < 2) return undefined;
  const rows = a[a.length - (attributes["transpose_a"] === true || attributes["adj_x"] === true ? 1 : 2)] ?? null;
  const batch = broadcastOf(a.slice(0, -2), b.slice(0, -2));
  return batch === undefined ? undefined : [...batch, rows, columns];
}

function broadcast({ inputs, shape }: Given): Shape | undefined {
  let out = shape(0);
  for (let index = 1; index < inputs.length; index++) {
    const next = shape(index);
    out = out === undefined || next === undefined ? undefined : broadcastOf(out, next);
  }
  return out;
}

/** Dimensions meet from the end; 1 gives way. */
export function broadcastOf(a: Shape, b: Shape): Shape | undefined {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const out = [...long];
  for (let index = 1; index <= short.length; index++) {
    const at = long.length - index;
    const [x = null, y = null] = [long[at], short[short.length - index]];
    if (x === 1) out[at] = y;
    else if (y === 1 || x === y) out[at] = x;
    else if (typeof x === "number" && typeof y === "number") return undefined;
    else out[at] = typeof x === "number" ? x : y;
  }
  return out;
}

function reduced({ node: { attributes }, shape, values }: Given): Shape | undefined {
  const [input, axes] = [shape(0), values[1]];
  if (input === undefined) return undefined;
  const kept = attributes["keep_dims"] === true;
  if (axes === undefined) return kept ? input.map(() => null) : undefined;
  const along = new Set(axes.map((axis) => (axis < 0 ? axis + input.length : axis)));
  return kept ? input.map((size, at) => (along.has(at) ? 1 : size)) : input.filter((_, at) => !along.has(at));
}

function reshaped({ shape, values }: Given): Shape | undefined {
  const target = values[1];
  if (target === undefined) {
    const [rank] = shape(1) ?? [];
    return typeof rank === "number" && rank <= VALUES_FOLLOWED ? Array<null>(rank).fill(null) : undefined;
  }
  const input = shape(0);
  const open = target.indexOf(-1);
  if (open < 0) return target;
  const known = target.reduce((product, size) => (size < 0 ? product : product * size), 1);
  const rest = input?.every((size): size is number => typeof size === "number")
    ? input.reduce((product, size) => product * size, 1) / known
    : undefined;
  return target.map((size, at) => (at !== open ? size : rest !== undefined && Number.isInteger(rest) ? rest : null));
}

function padded({ shape, values }: Given): Shape | undefined {
  const [input, pads] = [shape(0), values[1]];
  if (input === undefined) return undefined;
  return input.map((size, at) => {
    const [before, after] = [pads?.[2 * at], pads?.[2 * at + 1]];
    return typeof size === "number" && before !== undefined && after !== undefined ? size + before + after : null;
  });
}

/** Along the axis; where that lies in another file, the one dimension in which the shapes differ must be it. */
function concatenated({ inputs, shape, values }: Given): Shape | undefined {
  const count = inputs.length - 1;
  const shapes = inputs.slice(0, count).map((_, index) => shape(index));
  const [first] = shapes;
  if (first === undefined || shapes.some((one) => one?.length !== first.length)) return undefined;
  const said = values[count]?.[0];
  const differing = first.flatMap((size, at) => (shapes.some((one) => one?.[at] !== size) ? [at] : []));
  const axis =
    said === undefined ? (differing.length === 1 ? differing[0] : undefined) : said < 0 ? said + first.length : said;
  if (axis === undefined) return first.map((size) => (count === 1 ? size : null));
  let sum: Dimension = 0;
  for (const one of shapes) {
    const size: Dimension = one?.[axis] ?? null;
    sum = typeof size === "number" && typeof sum === "number" ? sum + size : null;
  }
  return first.map((size, at) => (at === axis ? sum : size));
}

function packed({ node, inputs, shape }: Given): Shape | undefined {
  const first = shape(0);
  if (first === undefined) return undefined;
  const axis = numberAt(node.attributes, "axis") ?? 0;
  const at = axis < 0 ? axis + first.length + 1 : axis;
  return [...first.slice(0, at), inputs.length, ...first.slice(at)];
}

function squeezed({ node, shape }: Given): Shape | undefined {
  const input = shape(0);
  if (input === undefined) return undefined;
  const said = numbersAt(node.attributes, "squeeze_dims") ?? numbersAt(node.attributes, "axis") ?? [];
  if (said.length === 0)
    return input.every((size) => typeof size === "number") ? input.filter((size) => size !== 1) : undefined;
  const out = new Set(said.map((axis) => (axis < 0 ? axis + input.length : axis)));
  return input.filter((_, at) => !out.has(at));
}

function expanded({ shape, values }: Given): Shape | undefined {
  const [input, axis] = [shape(0), values[1]?.[0]];
  if (input === undefined || axis === undefined) return undefined;
  const at = axis < 0 ? axis + input.length + 1 : axis;
  return [...input.slice(0, at), 1, ...input.slice(at)];
}

function transposed({ shape, values }: Given): Shape | undefined {
  const [input, order] = [shape(0), values[1]];
  if (input === undefined) return undefined;
  return input.map((_, at) => (order === undefined ? null : (input[order[at] ?? -1] ?? null)));
}

function arg({ shape, values }: Given): Shape | undefined {
  const [input, axis] = [shape(0), values[1]?.[0]];
  if (input === undefined || axis === undefined) return undefined;
  const along = axis < 0 ? axis + input.length : axis;
  return input.filter((_, at) => at !== along);
}

function gathered({ shape, values, node }: Given): Shape | undefined {
  const [input, indices, axis] = [shape(0), shape(1), values[2]?.[0]];
  if (input === undefined || indices === undefined || axis === undefined) return undefined;
  if ((numberAt(node.attributes, "batch_dims") ?? 0) !== 0) return undefined;
  const at = axis < 0 ? axis + input.length : axis;
  return [...input.slice(0, at), ...indices, ...input.slice(at + 1)];
}

function resized({ shape, values }: Given): Shape | undefined {
  const [input, size] = [shape(0), values[1]];
  if (input?.length !== 4) return undefined;
  return [input[0] ?? null, size?.[0] ?? null, size?.[1] ?? null, input[3] ?? null];
}

/** Only what picks one element of a list of sizes: the common use in graphs that compute shapes. */
function strided({ node: { attributes }, shape }: Given): Shape | undefined {
  return shape(0)?.length === 1 && numberAt(attributes, "shrink_axis_mask") === 1 ? [] : undefined;
}

function numbersOf({ node, shape, values, inputs }: Given): readonly number[] | undefined {
  const [input, first] = [shape(0), values[0]];
  switch (node.op) {
    case "Shape":
      return input?.every((size): size is number => typeof size === "number") === true &&
        input.length <= VALUES_FOLLOWED
        ? input
        : undefined;
    case "Pack": {
      const all = inputs.map((_, at) => values[at]?.[0]);
      return all.length <= VALUES_FOLLOWED && all.every((value) => value !== undefined) ? all : undefined;
    }
    case "Identity":
    case "Cast":
      return first;
    case "StridedSlice": {
      const [begin, , step] = [values[1]?.[0], values[2]?.[0], values[3]?.[0]];
      if (first === undefined || begin === undefined || step !== 1 || shape(0)?.length !== 1) return undefined;
      if (numberAt(node.attributes, "shrink_axis_mask") !== 1) return undefined;
      const value = first[begin < 0 ? begin + first.length : begin];
      return value === undefined ? undefined : [value];
    }
    default:
      return undefined;
  }
}
