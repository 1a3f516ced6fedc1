/**
 * Where a convolution or a pool looks: kernel, stride, dilation, padding, groups, from attributes and filters as each format keeps them;
 * and what of a shape is channels, height and width. Layouts of filters as in model/macs.ts.
 */

import type { Attribute, Dimension, Node, Tensor } from "../model/graph.ts";
import type { Layout } from "../model/macs.ts";
import type { OpKind } from "../model/ops.ts";

/** [height, width]; of one dimension [1, width]; of three their last two. */
export type Pair = readonly [number, number];

export interface Window {
  readonly kernel: Pair | undefined;
  readonly stride: Pair | undefined;
  readonly dilation: Pair | undefined;
  readonly padding: "same" | "valid" | "explicit" | undefined;
  readonly groups: number | undefined;
  readonly depthwise: boolean;
}

const NONE: Window = {
  kernel: undefined,
  stride: undefined,
  dilation: undefined,
  padding: undefined,
  groups: undefined,
  depthwise: false,
};

/** Operators that have a window though their kind is another. */
const others: ReadonlySet<string> = new Set(["Im2Col", "Col2Im"]);

export function windowOf(
  node: Node,
  weights: Tensor | undefined,
  layout: Layout,
  inChannels: number | undefined,
  kind: OpKind | undefined,
): Window {
  const convolution = kind === "convolution";
  if (!convolution && kind !== "pool" && !others.has(node.op ?? "")) return NONE;
  const { attributes } = node;
  const filter = convolution ? filterOf(node, weights, layout) : undefined;
  const kernel = windowPair(attributes, ["kernel_shape", "kernel_size", "kernel", "ksize"], "kernel") ?? filter?.size;
  // Formats that list strides leave ones out; those without any attribute of the kind (a compiler's own) leave it open.
  const told = kernel !== undefined || Object.keys(attributes).length > 0;
  const stride = windowPair(attributes, ["strides", "stride", "window_strides"], "stride");
  const dilation = windowPair(attributes, ["dilations", "dilation", "rates", "rhs_dilation"], "dilation");
  const groups = convolution ? groupsOf(node, filter?.perGroup, inChannels) : undefined;
  // ncnn spells every grouped convolution as a depthwise one.
  const depthwise =
    convolution &&
    node.op !== "ConvTranspose" &&
    (groups === undefined || inChannels === undefined
      ? node.op === "DepthwiseConv"
      : groups === inChannels && (groups > 1 || node.op === "DepthwiseConv"));
  return {
    kernel,
    stride: stride ?? (told ? [1, 1] : undefined),
    dilation: dilation ?? (told ? [1, 1] : undefined),
    padding: paddingOf(attributes),
    groups,
    depthwise,
  };
}

/** Channels, height and width of a shape, each where it is known. `unbatched`: it begins with what follows the batch (ncnn). */
export function imageOf(
  shape: readonly Dimension[] | undefined,
  layout: Layout,
  unbatched: boolean,
): { readonly channels: number | undefined; readonly size: Pair | undefined } {
  const inner = unbatched ? shape : shape?.slice(1);
  if (inner === undefined || inner.length === 0) return { channels: undefined, size: undefined };
  const channels = layout === "channels last" ? inner.at(-1) : inner[0];
  const space = layout === "channels last" ? inner.slice(0, -1) : inner.slice(1);
  return {
    channels: typeof channels === "number" ? channels : undefined,
    size: space.every((dimension) => typeof dimension === "number") ? pairOf(space) : undefined,
  };
}

/** Last two of a list; of one [1, it]. */
export function pairOf(list: readonly number[]): Pair | undefined {
  const width = list.at(-1);
  return width === undefined ? undefined : [list.at(-2) ?? 1, width];
}

/** Height, width and channels per group of a filter. */
function filterOf(
  node: Node,
  weights: Tensor | undefined,
  layout: Layout,
): { size: Pair | undefined; perGroup: number | undefined } | undefined {
  const shape = weights?.shape?.every((dimension): dimension is number => typeof dimension === "number")
    ? weights.shape
    : undefined;
  if (shape === undefined || shape.length < 3) return undefined;
  // TFLite: [out, h, w, in], depthwise [1, h, w, out]. TensorFlow, QNN: [h, w, in, out].
  const tflite = node.spelled === node.spelled.toUpperCase();
  if (layout === "channels last") {
    const size = pairOf(tflite ? shape.slice(1, -1) : shape.slice(0, -2));
    return { size, perGroup: node.op === "DepthwiseConv" ? 1 : tflite ? shape.at(-1) : shape.at(-2) };
  }
  const grouped = node.spelled.startsWith("GroupConvolution") ? 3 : 2;
  return { size: pairOf(shape.slice(grouped)), perGroup: shape[grouped - 1] };
}

function groupsOf(node: Node, perGroup: number | undefined, inChannels: number | undefined): number | undefined {
  const { attributes } = node;
  const said = attributes["group"] ?? attributes["groups"] ?? attributes["feature_group_count"];
  if (typeof said === "number") return said;
  if (node.op === "DepthwiseConv") return inChannels;
  if (node.op === "ConvTranspose") return 1;
  if (perGroup === undefined || inChannels === undefined || perGroup <= 0) return undefined;
  return Number.isInteger(inChannels / perGroup) ? inChannels / perGroup : undefined;
}

/** A pair from a list ("strides"), from a number for each direction ("strides_h", "kernel_w"), or from one for both. */
function windowPair(
  attributes: Readonly<Record<string, Attribute>>,
  lists: readonly string[],
  stem: string,
): Pair | undefined {
  const width = attributes[`${stem}s_w`] ?? attributes[`${stem}_w`];
  const height = attributes[`${stem}s_h`] ?? attributes[`${stem}_h`];
  // ncnn leaves the height out where it is the width.
  if (typeof width === "number") return [typeof height === "number" ? height : width, width];
  for (const name of lists) {
    const value = attributes[name];
    if (typeof value === "number") return [value, value];
    if (!Array.isArray(value) || !value.every((one) => typeof one === "number")) continue;
    const numbers: readonly number[] = value;
    // TensorFlow lists four, of batch and channels too: [1, h, w, 1], or [1, 1, h, w].
    if (numbers.length < 4) return pairOf(numbers);
    return pairOf(attributes["data_format"] === "NCHW" ? numbers.slice(2) : numbers.slice(1, -1));
  }
  return undefined;
}

function paddingOf(attributes: Readonly<Record<string, Attribute>>): Window["padding"] {
  const word = attributes["padding"] ?? attributes["auto_pad"];
  if (typeof word === "string") {
    const name = word.toUpperCase();
    if (name.startsWith("SAME")) return "same";
    if (name === "VALID") return "valid";
  }
  if (attributes["pad_left"] === -233 || attributes["pad_left"] === -234) return "same";
  const pads = [attributes["pads"], attributes["pads_begin"], attributes["pads_end"], word].flatMap(listOf);
  const single = ["pad_left", "pad_right", "pad_top", "pad_bottom"].map((name) => attributes[name]);
  return [...pads, ...single].some((pad) => typeof pad === "number" && pad !== 0) ? "explicit" : "valid";
}

const listOf = (value: Attribute | undefined): readonly (number | string)[] => (typeof value === "object" ? value : []);
