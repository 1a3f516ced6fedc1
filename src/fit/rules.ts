/**
 * Constraints that targets share, made by small constructors: each takes its limit and, first, the compiler's own words where it has some.
 * What a view leaves undefined a constraint leaves open, unless the operator has nothing of the kind.
 */

import { bytesOf, type ElementType, type Tensor } from "../model/graph.ts";
import type { Constraint } from "./target.ts";
import type { Pair, View } from "./view.ts";

/** [least, most]; one number is the most. */
export type Range = number | readonly [number, number];

/** Any constraint: what the others are made of. */
export function constraint(
  rule: string,
  says: string,
  holds: Constraint["holds"],
  found?: Constraint["found"],
  source?: string,
): Constraint {
  return { rule, says, holds, ...(found === undefined ? {} : { found }), ...(source === undefined ? {} : { source }) };
}

/** The same constraint, asked only where `when` holds. */
export function only(when: (view: View) => boolean | undefined, inner: Constraint): Constraint {
  return {
    ...inner,
    holds: (view) => (when(view) === true ? inner.holds(view) : when(view) === undefined ? undefined : true),
  };
}

/** At least one of them: refused in the words of `says`. */
export function anyOf(rule: string, says: string, ...inner: readonly Constraint[]): Constraint {
  return constraint(
    rule,
    says,
    (view) => {
      const answers = inner.map((one) => one.holds(view));
      return answers.includes(true) ? true : answers.includes(undefined) ? undefined : false;
    },
    (view) => inner.map((one) => one.found?.(view) ?? "").find((text) => text !== "") ?? "",
  );
}

const times = (pair: Pair | undefined): string => (pair === undefined ? "" : pair.join("x"));
const within = (value: number, range: Range): boolean =>
  typeof range === "number" ? value <= range : value >= range[0] && value <= range[1];
const both = (pair: Pair | undefined, test: (value: number) => boolean): boolean | undefined =>
  pair === undefined ? undefined : test(pair[0]) && test(pair[1]);

const rangeWords = (range: Range): string =>
  typeof range === "number" ? `at most ${range}` : `${range[0]} to ${range[1]}`;

// Windows

/** Height and width of the kernel, each within a range; `product`: of both together. */
export const kernel = (range: Range, says = `kernel height and width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "kernel",
    says,
    (view) => both(view.kernel, (one) => within(one, range)),
    ({ kernel: it }) => `kernel ${times(it)}`,
  );

export const kernelHeight = (range: Range, says = `kernel height must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "kernel",
    says,
    ({ kernel: it }) => it && within(it[0], range),
    ({ kernel: it }) => `kernel ${times(it)}`,
  );

export const kernelWidth = (range: Range, says = `kernel width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "kernel",
    says,
    ({ kernel: it }) => it && within(it[1], range),
    ({ kernel: it }) => `kernel ${times(it)}`,
  );

export const kernelArea = (range: Range, says = `kernel height times width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "kernel",
    says,
    ({ kernel: it }) => it && within(it[0] * it[1], range),
    ({ kernel: it }) => `kernel ${times(it)}`,
  );

/** One of the sizes, "3x3". */
export const kernelIn = (sizes: readonly string[], says = `kernel must be ${sizes.join(", ")}`): Constraint =>
  constraint(
    "kernel",
    says,
    ({ kernel: it }) => it && sizes.includes(times(it)),
    ({ kernel: it }) => `kernel ${times(it)}`,
  );

export const stride = (range: Range, says = `stride height and width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "stride",
    says,
    (view) => both(view.stride, (one) => within(one, range)),
    ({ stride: it }) => `stride ${times(it)}`,
  );

export const strideHeight = (range: Range, says = `stride height must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "stride",
    says,
    ({ stride: it }) => it && within(it[0], range),
    ({ stride: it }) => `stride ${times(it)}`,
  );

export const strideWidth = (range: Range, says = `stride width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "stride",
    says,
    ({ stride: it }) => it && within(it[1], range),
    ({ stride: it }) => `stride ${times(it)}`,
  );

export const strideIn = (sizes: readonly string[], says = `stride must be ${sizes.join(", ")}`): Constraint =>
  constraint(
    "stride",
    says,
    ({ stride: it }) => it && sizes.includes(times(it)),
    ({ stride: it }) => `stride ${times(it)}`,
  );

/** Stride as high as wide. */
export const squareStride = (says = "stride height and width must be equal"): Constraint =>
  constraint(
    "stride",
    says,
    ({ stride: it }) => it && it[0] === it[1],
    ({ stride: it }) => `stride ${times(it)}`,
  );

export const dilation = (range: Range, says = `dilation must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "dilation",
    says,
    (view) => both(view.dilation, (one) => within(one, range)),
    ({ dilation: it }) => `dilation ${times(it)}`,
  );

export const noDilation = (says = "dilation is not supported"): Constraint => dilation([1, 1], says);

/** Kernel with its dilation: dilation * (kernel - 1) + 1. */
export const dilatedKernelHeight = (
  range: Range,
  says = `dilated kernel height must be ${rangeWords(range)}`,
): Constraint =>
  constraint(
    "dilated kernel",
    says,
    (view) => {
      const it = dilated(view);
      return it && within(it[0], range);
    },
    (view) => `dilated kernel ${times(dilated(view))}`,
  );

export const dilatedKernelArea = (
  range: Range,
  says = `dilated kernel height times width must be ${rangeWords(range)}`,
): Constraint =>
  constraint(
    "dilated kernel",
    says,
    (view) => {
      const it = dilated(view);
      return it && within(it[0] * it[1], range);
    },
    (view) => `dilated kernel ${times(dilated(view))}`,
  );

function dilated({ kernel: size, dilation: by }: View): Pair | undefined {
  return size && by ? [(size[0] - 1) * by[0] + 1, (size[1] - 1) * by[1] + 1] : undefined;
}

export const padding = (
  allowed: readonly NonNullable<View["padding"]>[],
  says = `padding must be ${allowed.join(" or ")}`,
): Constraint =>
  constraint(
    "padding",
    says,
    ({ padding: it }) => it && allowed.includes(it),
    ({ padding: it }) => `padding ${it ?? ""}`,
  );

/** Groups 1, or as many as channels. */
export const noGroups = (says = "grouped convolution is not supported"): Constraint =>
  constraint(
    "groups",
    says,
    ({ groups, depthwise }) => depthwise || mapped(groups, (it) => it === 1),
    ({ groups }) => `${groups ?? 0} groups`,
  );

/** Output channels for each input channel of a depthwise convolution. */
export const depthMultiplier = (range: Range, says = `depth multiplier must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "depth multiplier",
    says,
    (view) => mapped(multiplier(view), (it) => within(it, range)),
    (view) => `depth multiplier ${multiplier(view) ?? ""}`,
  );

const multiplier = ({ inChannels, outChannels }: View): number | undefined =>
  inChannels === undefined || outChannels === undefined || inChannels === 0 ? undefined : outChannels / inChannels;

function mapped<T, R>(value: T | undefined, use: (value: T) => R): R | undefined {
  return value === undefined ? undefined : use(value);
}

// Types and quantisation

const typeOf = (tensor: Tensor | undefined): string => tensor?.type ?? "";

/** Type of the first variable input. */
export const inTypes = (allowed: readonly ElementType[], says = `input must be ${allowed.join(", ")}`): Constraint =>
  constraint(
    "type",
    says,
    ({ inType }) => inType && allowed.includes(inType),
    ({ inType }) => inType ?? "",
  );

export const outTypes = (allowed: readonly ElementType[], says = `output must be ${allowed.join(", ")}`): Constraint =>
  constraint(
    "type",
    says,
    ({ outType }) => outType && allowed.includes(outType),
    ({ outType }) => outType ?? "",
  );

/** Types of all that goes in and comes out, but for constants of indexes and shapes, which `except` tells by position. */
export const types = (
  allowed: readonly ElementType[],
  says = `tensors must be ${allowed.join(", ")}`,
  except: readonly number[] = [],
): Constraint =>
  constraint(
    "type",
    says,
    ({ inputs, outputs }) =>
      [...inputs.filter((_, at) => !except.includes(at)), ...outputs].every(
        (tensor) => tensor === undefined || allowed.includes(tensor.type),
      ),
    ({ inputs, outputs }) =>
      [...inputs.filter((_, at) => !except.includes(at)), ...outputs]
        .filter((tensor) => tensor !== undefined && !allowed.includes(tensor.type))
        .map(typeOf)
        .find((type) => type !== "") ?? "",
  );

/** Type of the input at a position, where it is given. */
export const inputType = (
  at: number,
  allowed: readonly ElementType[],
  says = `input ${at} must be ${allowed.join(", ")}`,
): Constraint =>
  constraint(
    "type",
    says,
    ({ inputs }) => mapped(inputs[at]?.type, (it) => allowed.includes(it)) ?? true,
    ({ inputs }) => typeOf(inputs[at]),
  );

export const weightTypes = (
  allowed: readonly ElementType[],
  says = `weights must be ${allowed.join(", ")}`,
): Constraint =>
  constraint(
    "weight type",
    says,
    ({ weights }) => weights && allowed.includes(weights.type),
    ({ weights }) => typeOf(weights),
  );

export const biasTypes = (allowed: readonly ElementType[], says = `bias must be ${allowed.join(", ")}`): Constraint =>
  constraint(
    "bias type",
    says,
    ({ bias }) => bias === undefined || allowed.includes(bias.type),
    ({ bias }) => typeOf(bias),
  );

/** First input and first output of one type. */
export const sameType = (says = "input and output must be of the same type"): Constraint =>
  constraint(
    "type",
    says,
    ({ inType, outType }) => inType && outType && inType === outType,
    ({ inType, outType }) => `${inType ?? ""} to ${outType ?? ""}`,
  );

export const quantized = (says = "must be quantised"): Constraint =>
  constraint(
    "quantization",
    says,
    (view) => view.quantized,
    ({ inType }) => inType ?? "",
  );

export const notQuantized = (says = "must not be quantised"): Constraint =>
  constraint(
    "quantization",
    says,
    (view) => !view.quantized,
    ({ inType }) => inType ?? "",
  );

/** One scale for all weights. Weights without scales hold it too: nothing is per channel. */
export const perTensor = (says = "per-channel quantisation is not supported"): Constraint =>
  constraint(
    "per-channel",
    says,
    ({ perChannel }) => perChannel !== true,
    ({ weights }) => `${weights?.quantization?.scale.length ?? 0} scales`,
  );

export const perChannel = (says = "weights must be quantised per channel"): Constraint =>
  constraint(
    "per-channel",
    says,
    ({ perChannel: it }) => it,
    () => "one scale",
  );

const sameScale = (a: Tensor | undefined, b: Tensor | undefined): boolean | undefined => {
  const [one, other] = [a?.quantization, b?.quantization];
  if (one === undefined && other === undefined) return true;
  if (one === undefined || other === undefined || one.scale.length === 0 || other.scale.length === 0) return undefined;
  return one.scale[0] === other.scale[0] && (one.zeroPoint[0] ?? 0) === (other.zeroPoint[0] ?? 0);
};

/** First variable input and output share scale and zero point. */
export const sameQuantization = (says = "input and output must have the same scale and zero point"): Constraint =>
  constraint("quantization", says, (view) => sameScale(view.inputs[view.constant.indexOf(false)], view.outputs[0]));

// Shapes

const rankOf = (tensor: Tensor | undefined): number | undefined => tensor?.shape?.length;
const shapeWords = (tensor: Tensor | undefined): string =>
  tensor?.shape?.map((dimension) => dimension ?? "?").join("x") ?? "";

/** Rank of the first variable input. */
export const rank = (range: Range, says = `rank must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "rank",
    says,
    ({ inShape }) => mapped(inShape, (shape) => within(shape.length, range)),
    ({ inShape }) => `rank ${inShape?.length ?? ""}`,
  );

/** Rank of all that goes in and comes out. */
export const everyRank = (range: Range, says = `rank of every tensor must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "rank",
    says,
    ({ inputs, outputs }) => {
      const ranks = [...inputs, ...outputs].filter((tensor) => tensor !== undefined).map(rankOf);
      if (ranks.some((it) => it !== undefined && !within(it, range))) return false;
      return ranks.includes(undefined) ? undefined : true;
    },
    ({ inputs, outputs }) => {
      const tensor = [...inputs, ...outputs].find((one) => mapped(rankOf(one), (it) => !within(it, range)) === true);
      return tensor === undefined ? "" : `${tensor.name} is ${shapeWords(tensor)}`;
    },
  );

/** The first dimension of what goes in is 1. */
export const batchOne = (says = "batch must be 1"): Constraint =>
  constraint(
    "batch",
    says,
    ({ batch }) => mapped(batch, (it) => it === 1),
    ({ batch }) => `batch ${batch ?? ""}`,
  );

export const staticShapes = (says = "shapes must be static"): Constraint =>
  constraint(
    "dynamic",
    says,
    ({ dynamic }) => !dynamic,
    ({ inputs, outputs }) =>
      shapeWords(
        [...inputs, ...outputs].find(
          (tensor) => tensor?.shape?.some((dimension) => typeof dimension !== "number") === true,
        ),
      ),
  );

/** Weights are constants of the file. */
export const constantWeights = (says = "weights must be constant"): Constraint =>
  constraint(
    "constant weights",
    says,
    ({ weights, node }) => weights !== undefined || typeof node.attributes["weight_data_size"] === "number",
  );

/** The input at a position is a constant of the file, or not given. */
export const constantInput = (at: number, says = `input ${at} must be constant`): Constraint =>
  constraint("constant input", says, ({ inputs, constant }) => inputs[at] === undefined || constant[at] === true);

/** Height and width of the image, each. */
export const imageSize = (range: Range, says = `height and width must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "size",
    says,
    ({ inSize }) => both(inSize, (one) => within(one, range)),
    ({ inSize }) => times(inSize),
  );

export const channels = (range: Range, says = `channels must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "channels",
    says,
    ({ inChannels }) => mapped(inChannels, (it) => within(it, range)),
    ({ inChannels }) => `${inChannels ?? ""} channels`,
  );

export const outChannels = (range: Range, says = `output channels must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "channels",
    says,
    ({ outChannels: it }) => mapped(it, (one) => within(one, range)),
    ({ outChannels: it }) => `${it ?? ""} channels`,
  );

/** Each dimension of all that goes in and comes out. */
export const dimensions = (range: Range, says = `dimensions must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "size",
    says,
    ({ inputs, outputs }) => {
      const all = [...inputs, ...outputs].filter((tensor) => tensor !== undefined);
      if (all.some(({ shape }) => shape?.some((one) => typeof one === "number" && !within(one, range)) === true))
        return false;
      return all.every(({ shape }) => shape?.every((one) => typeof one === "number") === true) ? true : undefined;
    },
    ({ inputs, outputs }) =>
      shapeWords(
        [...inputs, ...outputs].find(
          (tensor) => tensor?.shape?.some((one) => typeof one === "number" && !within(one, range)) === true,
        ),
      ),
  );

/** Bytes of what comes out. */
export const outputBytes = (most: number, says = `output must be at most ${most} bytes`): Constraint =>
  constraint(
    "size",
    says,
    ({ outputs }) => mapped(outputs[0] && bytesOf(outputs[0]), (it) => it <= most),
    ({ work }) => `${work.outputBytes ?? ""} bytes`,
  );

// Operators with their own attributes

/** Fused activations, as TFLite spells them; NONE is always taken. */
export const activations = (
  allowed: readonly string[],
  says = `fused activation must be ${allowed.join(", ")}`,
): Constraint =>
  constraint(
    "activation",
    says,
    ({ activation }) => activation === undefined || activation === "NONE" || allowed.includes(activation),
    ({ activation }) => activation ?? "",
  );

export const noActivation = (says = "fused activation is not supported"): Constraint => activations([], says);

/** Axis of an operator that names one, counted from the front. */
export const axis = (allowed: (axis: number, rank: number) => boolean, says: string): Constraint =>
  constraint(
    "axis",
    says,
    (view) => {
      const at = axisOf(view);
      const length = view.inShape?.length;
      return at === undefined || length === undefined ? undefined : allowed(at, length);
    },
    (view) => `axis ${axisOf(view) ?? ""}`,
  );

/** An attribute "axis" from the front; undefined where there is none or the rank is open. */
export function axisOf({ node, inShape }: View): number | undefined {
  const said = node.attributes["axis"];
  if (typeof said !== "number") return undefined;
  return said >= 0 ? said : inShape === undefined ? undefined : said + inShape.length;
}

/** An attribute is one of the values; where the file leaves it out it is `absent`. */
export const attribute = (
  name: string,
  allowed: readonly (number | string | boolean)[],
  says = `${name} must be ${allowed.join(" or ")}`,
  absent?: number | string | boolean,
): Constraint =>
  constraint(
    name,
    says,
    ({ node }) => {
      const value = node.attributes[name] ?? absent;
      return value === undefined ? undefined : allowed.some((one) => one === value);
    },
    ({ node }) => `${name} ${String(node.attributes[name] ?? absent ?? "")}`,
  );

const shapesOf = ({ inputs }: View): readonly (readonly number[])[] | undefined => {
  const shapes = inputs.slice(0, 2).map((tensor) => tensor?.shape);
  const known = shapes.filter((shape): shape is number[] => shape?.every((one) => typeof one === "number") === true);
  return known.length === shapes.length ? known : undefined;
};
const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((one, at) => one === b[at]);
const broadcastWords = ({ inputs }: View): string => inputs.slice(0, 2).map(shapeWords).join(" and ");

/** Both operands have the same shape. */
export const noBroadcast = (says = "broadcasting is not supported"): Constraint =>
  constraint("broadcast", says, (view) => mapped(shapesOf(view), ([a = [], b = a]) => sameShape(a, b)), broadcastWords);

/** One operand has the output's shape: the other alone is spread. */
export const oneSidedBroadcast = (says = "only one input may be broadcast"): Constraint =>
  constraint(
    "broadcast",
    says,
    (view) =>
      mapped(shapesOf(view), (shapes) => mapped(view.outShape, (out) => shapes.some((shape) => sameShape(shape, out)))),
    broadcastWords,
  );

/** An operand of one element, or of the same shape. */
export const scalarBroadcast = (says = "only scalars may be broadcast"): Constraint =>
  constraint(
    "broadcast",
    says,
    (view) =>
      mapped(
        shapesOf(view),
        ([a = [], b = a]) => sameShape(a, b) || [a, b].some((shape) => shape.every((one) => one === 1)),
      ),
    broadcastWords,
  );

export const inputCount = (range: Range, says = `number of inputs must be ${rangeWords(range)}`): Constraint =>
  constraint(
    "inputs",
    says,
    ({ node }) => within(node.inputs.filter((input) => input >= 0).length, range),
    ({ node }) => `${node.inputs.length} inputs`,
  );
