/**
 * Shapes of what ncnn's layers give, from the shapes of what they take: channels first, as everywhere here. Rules from each layer's
 * parameters (https://github.com/Tencent/ncnn/tree/master/src/layer); a layer without a rule leaves its outputs open.
 */

import type { Attribute, Dimension } from "../../model/graph.ts";

type Shape = readonly number[];
type Params = Readonly<Record<string, Attribute>>;

/** Layers whose output is as their input. */
const same: ReadonlySet<string> = new Set(
  (
    "AbsVal BNLL BatchNorm Bias CELU Cast Clip CumulativeSum Dropout ELU Erf Exp GELU GroupNorm HardSigmoid HardSwish InstanceNorm LRN " +
    "LayerNorm Log MVN Mish Normalize PReLU Power RMSNorm ReLU RotaryEmbed SELU Scale ShuffleChannel Sigmoid Softmax Softplus Split " +
    "Swish TanH Threshold UnaryOp"
  ).split(" "),
);

/** In the place of a padding: as much as keeps the size, over the stride. */
const SAME_PADS = [-233, -234];
/** Slice's size of what is left. */
const REST = -233;

/** The shape of output `nth`; undefined where parameters or inputs leave it open. */
export function outputShape(
  layer: string,
  params: Params,
  inputs: readonly (readonly Dimension[] | undefined)[],
  nth: number,
): Shape | undefined {
  const given: Shape[] = [];
  for (const shape of inputs) {
    if (shape?.every((dimension) => typeof dimension === "number") !== true) return undefined;
    given.push(shape);
  }
  const first = given[0];
  if (first === undefined) return undefined;
  const shape = same.has(layer) ? first : ruleOf(layer, params, first, given, nth);
  return shape?.every((dimension) => Number.isSafeInteger(dimension) && dimension > 0) === true ? shape : undefined;
}

function ruleOf(layer: string, params: Params, first: Shape, given: readonly Shape[], nth: number): Shape | undefined {
  switch (layer) {
    case "Convolution":
    case "ConvolutionDepthWise":
      return convolution(params, first);
    case "Deconvolution":
    case "DeconvolutionDepthWise":
      return deconvolution(params, first);
    case "Pooling":
      return pooling(params, first);
    case "InnerProduct":
      return innerProduct(params, first);
    case "Interp":
      return interp(params, first);
    case "BinaryOp":
    case "Eltwise":
      return given.reduce<Shape | undefined>((a, b) => a && broadcast(a, b), first);
    case "Concat":
      return concat(params, given);
    case "Slice":
      return slice(params, first, nth);
    case "Flatten":
      return [product(first)];
    case "Reshape":
      return reshape(params, first);
    case "Permute":
      return permute(number(params, "order_type", 0), first);
    case "Padding":
      return padding(params, first);
    case "Crop":
      return crop(params, first, given.length);
    case "Reduction":
      return reduction(params, first);
    case "PixelShuffle":
      return blocks(first, number(params, "0", 1));
    case "Reorg":
      return blocks(first, 1 / number(params, "0", 1));
    case "YoloV5Focus":
      return blocks(first, 1 / 2);
    case "Gemm":
      return gemm(params, first, given);
    case "MatMul":
      return matmul(params, first, given[1]);
    default:
      return undefined;
  }
}

const number = (params: Params, key: string, otherwise: number): number => {
  const value = params[key];
  return typeof value === "number" ? value : otherwise;
};

const product = (shape: Shape): number => shape.reduce((all, one) => all * one, 1);

/** Width first, then height: each parameter of the height falls back on that of the width. */
interface Window {
  readonly size: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly reach: readonly [number, number];
  readonly pads: readonly [number, number];
  readonly keeps: boolean;
}

function windowOf(params: Params): Window {
  const pair = (name: string, otherwise: number): [number, number] => {
    const w = number(params, `${name}_w`, otherwise);
    return [w, number(params, `${name}_h`, w)];
  };
  const size = pair("kernel", 0);
  const dilation = pair("dilation", 1);
  const left = number(params, "pad_left", 0);
  const top = number(params, "pad_top", left);
  return {
    size,
    stride: pair("stride", 1),
    reach: [dilation[0] * (size[0] - 1) + 1, dilation[1] * (size[1] - 1) + 1],
    pads: [left + number(params, "pad_right", left), top + number(params, "pad_bottom", top)],
    keeps: SAME_PADS.includes(left),
  };
}

function convolution(params: Params, first: Shape): Shape | undefined {
  const [, h, w] = first;
  const channels = number(params, "num_output", 0);
  const { stride, reach, pads, keeps, size } = windowOf(params);
  // A vector is taken as channels of one pixel.
  if (first.length === 1 && size[0] === 1 && size[1] === 1) return [channels];
  if (first.length !== 3 || h === undefined || w === undefined) return undefined;
  const out = (length: number, axis: 0 | 1): number =>
    keeps ? Math.ceil(length / stride[axis]) : Math.floor((length + pads[axis] - reach[axis]) / stride[axis]) + 1;
  return [channels, out(h, 1), out(w, 0)];
}

function deconvolution(params: Params, first: Shape): Shape | undefined {
  const [, h, w] = first;
  if (first.length !== 3 || h === undefined || w === undefined) return undefined;
  const { stride, reach, pads, keeps } = windowOf(params);
  const wide = number(params, "output_w", 0);
  const fixed = [wide, number(params, "output_h", wide)] as const;
  const right = number(params, "output_pad_right", 0);
  const more = [right, number(params, "output_pad_bottom", right)] as const;
  if (keeps && fixed[0] <= 0) return undefined;
  const out = (length: number, axis: 0 | 1): number =>
    fixed[axis] > 0 ? fixed[axis] : (length - 1) * stride[axis] + reach[axis] + more[axis] - pads[axis];
  return [number(params, "num_output", 0), out(h, 1), out(w, 0)];
}

function pooling(params: Params, first: Shape): Shape | undefined {
  const [channels, h, w] = first;
  if (first.length !== 3 || channels === undefined || h === undefined || w === undefined) return undefined;
  if (number(params, "global_pooling", 0) !== 0) return [channels];
  if (number(params, "7", 0) !== 0) {
    const wide = number(params, "8", 0);
    const high = number(params, "18", wide);
    return [channels, high === REST ? h : high, wide === REST ? w : wide];
  }
  const { size, stride, pads } = windowOf(params);
  const mode = number(params, "pad_mode", 0);
  const out = (length: number, axis: 0 | 1): number => {
    if (mode === 2 || mode === 3) return Math.ceil(length / stride[axis]);
    const steps = (length + pads[axis] - size[axis]) / stride[axis];
    return (mode === 0 ? Math.ceil(steps) : Math.floor(steps)) + 1;
  };
  return [channels, out(h, 1), out(w, 0)];
}

function innerProduct(params: Params, first: Shape): Shape {
  const outputs = number(params, "num_output", 0);
  const [h, w] = first;
  const rows = first.length === 2 && h !== undefined && number(params, "weight_data_size", 0) === outputs * (w ?? 0);
  return rows ? [h, outputs] : [outputs];
}

function interp(params: Params, first: Shape): Shape | undefined {
  const [channels, h, w] = first;
  if (first.length !== 3 || channels === undefined || h === undefined || w === undefined) return undefined;
  if (params["5"] !== undefined || params["9"] !== undefined) return undefined; // the size is an input or an expression
  const [high, wide] = [number(params, "output_height", 0), number(params, "output_width", 0)];
  return [
    channels,
    high > 0 ? high : Math.floor(h * number(params, "height_scale", 1)),
    wide > 0 ? wide : Math.floor(w * number(params, "width_scale", 1)),
  ];
}

/** Of one rank: each dimension as it is or 1. Of two ranks ncnn matches dimensions in ways of its own: told where there is one answer. */
function broadcast(a: Shape, b: Shape): Shape | undefined {
  if (a.length !== b.length) {
    const [more, less] = a.length > b.length ? [a, b] : [b, a];
    return more.includes(1) && product(less) !== 1 ? undefined : more;
  }
  return a.every((one, i) => one === b[i] || one === 1 || b[i] === 1)
    ? a.map((one, i) => Math.max(one, b[i] ?? one))
    : undefined;
}

function axisOf(params: Params, rank: number): number | undefined {
  const axis = number(params, "axis", 0);
  const at = axis < 0 ? axis + rank : axis;
  return at >= 0 && at < rank ? at : undefined;
}

function concat(params: Params, given: readonly Shape[]): Shape | undefined {
  const [first = []] = given;
  const axis = axisOf(params, first.length);
  if (axis === undefined || given.some((shape) => shape.length !== first.length)) return undefined;
  return first.map((dimension, at) =>
    at === axis ? given.reduce((sum, shape) => sum + (shape[axis] ?? 0), 0) : dimension,
  );
}

function slice(params: Params, first: Shape, nth: number): Shape | undefined {
  const sizes = params["slices"];
  const axis = axisOf(params, first.length);
  if (axis === undefined || !Array.isArray(sizes) || params["2"] !== undefined) return undefined;
  let left = first[axis] ?? 0;
  for (let i = 0; i < sizes.length; i++) {
    const size = Number(sizes[i]);
    const taken = size === REST ? Math.floor(left / (sizes.length - i)) : size;
    if (i === nth) return first.map((dimension, at) => (at === axis ? taken : dimension));
    left -= taken;
  }
  return undefined;
}

/** 0 is the input's own dimension, -1 what is left of its elements. */
function reshape(params: Params, first: Shape): Shape | undefined {
  if (["6", "12", "13", "d", "permute"].some((key) => params[key] !== undefined)) return undefined;
  const wanted = ["c", "h", "w"].flatMap((key) => (typeof params[key] === "number" ? [params[key]] : []));
  const kept = wanted.map((dimension, at) =>
    dimension === 0 ? (first[first.length - wanted.length + at] ?? 0) : dimension,
  );
  const known = product(kept.filter((dimension) => dimension !== -1));
  return kept.map((dimension) => (dimension === -1 ? product(first) / known : dimension));
}

/** Where output dimensions come from, by order_type; written width first, as ncnn counts. */
const orders: Readonly<Record<number, readonly (readonly number[])[]>> = {
  2: [
    [0, 1],
    [1, 0],
  ],
  3: [
    [0, 1, 2],
    [1, 0, 2],
    [0, 2, 1],
    [2, 0, 1],
    [1, 2, 0],
    [2, 1, 0],
  ],
};

function permute(type: number, first: Shape): Shape | undefined {
  const backwards = [...first].reverse();
  const order = orders[first.length]?.[type];
  return order?.map((from) => backwards[from] ?? 0).reverse();
}

function padding(params: Params, first: Shape): Shape | undefined {
  const pads = [
    number(params, "7", 0) + number(params, "8", 0),
    number(params, "0", 0) + number(params, "1", 0),
    number(params, "2", 0) + number(params, "3", 0),
  ];
  return first.length === 3 ? first.map((dimension, at) => dimension + (pads[at] ?? 0)) : undefined;
}

/** By first and last of some dimensions, or by sizes in the place of a second input. */
function crop(params: Params, first: Shape, inputs: number): Shape | undefined {
  const [starts, ends, axes] = ["9", "10", "11"].map((key) => list(params, key));
  if (inputs !== 1) return undefined;
  if (starts === undefined || ends === undefined) {
    const sizes = ["5", "4", "3"].map((key) => number(params, key, 0));
    return first.length === 3 ? sizes : undefined;
  }
  const out = [...first];
  for (let i = 0; i < starts.length; i++) {
    const axis = axes === undefined ? i : (axes[i] ?? 0);
    const at = axis < 0 ? axis + first.length : axis;
    const length = first[at];
    const [start = 0, end = 0] = [starts[i], ends[i]];
    if (length === undefined) return undefined;
    const from = start === REST ? 0 : start < 0 ? start + length : start;
    out[at] = Math.min(length, end === REST ? length : end > 0 ? end : end + length) - from;
  }
  return out;
}

function list(params: Params, key: string): readonly number[] | undefined {
  const value = params[key];
  return Array.isArray(value) ? value.map(Number) : undefined;
}

/** Over all there is, unless dimensions are named. Files from before the layer counted them right say nothing at "5". */
function reduction(params: Params, first: Shape): Shape | undefined {
  const named = list(params, "3");
  const keeps = number(params, "4", 0) !== 0;
  if (named !== undefined && params["5"] === undefined) return undefined;
  const all = number(params, "1", 1) !== 0 || named === undefined;
  const axes = new Set(all ? first.keys() : named.map((axis) => (axis < 0 ? axis + first.length : axis)));
  const out = first.flatMap((dimension, at) => (!axes.has(at) ? [dimension] : keeps ? [1] : []));
  return out.length === 0 ? [1] : out;
}

/** Channels into pixels, by a factor above 1, or pixels into channels. */
const blocks = ([c = 0, h = 0, w = 0, ...more]: Shape, factor: number): Shape | undefined =>
  more.length > 0 ? undefined : [c / factor ** 2, h * factor, w * factor];

/** Of a matrix and one that is kept in the .bin, or of two that come in. */
function gemm(params: Params, first: Shape, given: readonly Shape[]): Shape | undefined {
  if (number(params, "constantA", 0) !== 0 || first.length !== 2 || number(params, "11", 0) !== 0) return undefined;
  const rows = first[number(params, "transA", 0) === 0 ? 0 : 1];
  const other = given[1];
  const columns =
    number(params, "constantB", 0) !== 0
      ? number(params, "constantN", 0)
      : other?.[number(params, "transB", 0) === 0 ? 1 : 0];
  if (rows === undefined || columns === undefined) return undefined;
  return number(params, "output_transpose", 0) === 0 ? [rows, columns] : [columns, rows];
}

function matmul(params: Params, first: Shape, second: Shape | undefined): Shape | undefined {
  if (second?.length !== first.length || first.length < 2) return undefined;
  const columns = second[number(params, "transB", 0) === 0 ? second.length - 1 : second.length - 2];
  return columns === undefined ? undefined : [...first.slice(0, -1), columns];
}
