/**
 * Constraints of compilers that speak ONNX: attributes with their defaults, constant operands and their numbers, dimensions by name. What
 * the file leaves open (a constant too large to be kept, a symbol for a size) leaves a constraint open.
 */

import type { Tensor } from "../model/graph.ts";
import { constraint } from "./rules.ts";
import type { Constraint } from "./target.ts";
import type { View } from "./view.ts";

// What a node says

/** A number of an attribute; `absent` where the file leaves it out. */
export function numberOf({ node }: View, name: string, absent?: number): number | undefined {
  const value = node.attributes[name];
  return typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : absent;
}

export function textOf({ node }: View, name: string, absent?: string): string | undefined {
  const value = node.attributes[name];
  return typeof value === "string" ? value : absent;
}

export function listOf({ node }: View, name: string): readonly number[] | undefined {
  const value = node.attributes[name];
  return Array.isArray(value) && value.every((one) => typeof one === "number") ? value : undefined;
}

/** An input is given. */
export const given = ({ node, inputs }: View, at: number): boolean =>
  (node.inputs[at] ?? -1) >= 0 && inputs[at] !== undefined;

/** The numbers of a constant input; undefined where it is none, or too large to be kept. */
export const valuesOf = ({ inputs }: View, at: number): readonly number[] | undefined => inputs[at]?.values;

/** Static shape of an input. */
export function shapeOf({ inputs }: View, at: number): readonly number[] | undefined {
  return numbers(inputs[at]);
}

export function outputShape({ outputs }: View, at = 0): readonly number[] | undefined {
  return numbers(outputs[at]);
}

function numbers(tensor: Tensor | undefined): readonly number[] | undefined {
  const shape = tensor?.shape;
  return shape?.every((one): one is number => typeof one === "number") === true ? shape : undefined;
}

/** From a list attribute of older opsets or a constant input of newer ones. */
export const listOrInput = (view: View, name: string, at: number): readonly number[] | undefined =>
  listOf(view, name) ?? (given(view, at) ? valuesOf(view, at) : undefined);

/** Counted from the front. */
export const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Axis of the node, counted from the back: the last is -1. */
export function axisFromBack(view: View, absent: number): number | undefined {
  const rank = view.inShape?.length;
  const axis = numberOf(view, "axis", absent);
  return rank === undefined || axis === undefined ? undefined : fromFront(axis, rank) - rank;
}

// Dimensions by the names documents give them

/** Padding [top, left, bottom, right] of a window, SAME worked out. */
export function padsOf(view: View): readonly [number, number, number, number] | undefined {
  const { kernel, stride, dilation, inSize, outSize } = view;
  if (view.padding === "valid") return [0, 0, 0, 0];
  if (view.padding === "same") {
    if (!kernel || !stride || !dilation || !inSize || !outSize) return undefined;
    const total = ([0, 1] as const).map((at) =>
      Math.max(0, (outSize[at] - 1) * stride[at] + (kernel[at] - 1) * dilation[at] + 1 - inSize[at]),
    );
    const [height = 0, width = 0] = total;
    return [Math.floor(height / 2), Math.floor(width / 2), Math.ceil(height / 2), Math.ceil(width / 2)];
  }
  const pads = listOf(view, "pads");
  if (pads === undefined) return undefined;
  const half = pads.length / 2;
  if (half === 1) return [0, pads[0] ?? 0, 0, pads[1] ?? 0];
  return [pads[half - 2] ?? 0, pads[half - 1] ?? 0, pads.at(-2) ?? 0, pads.at(-1) ?? 0];
}

/** Kernel of a window; a global pool's is the image. */
const kernelOf = (view: View): readonly [number, number] | undefined =>
  view.spelled.startsWith("Global") || view.op.startsWith("Global") ? view.inSize : view.kernel;

const measures = {
  kernel_h: { rule: "kernel", of: (view: View) => kernelOf(view)?.[0] },
  kernel_w: { rule: "kernel", of: (view: View) => kernelOf(view)?.[1] },
  stride_h: { rule: "stride", of: (view: View) => view.stride?.[0] },
  stride_w: { rule: "stride", of: (view: View) => view.stride?.[1] },
  dilations_h: { rule: "dilation", of: (view: View) => view.dilation?.[0] },
  dilations_w: { rule: "dilation", of: (view: View) => view.dilation?.[1] },
  pads_top: { rule: "padding", of: (view: View) => padsOf(view)?.[0] },
  pads_left: { rule: "padding", of: (view: View) => padsOf(view)?.[1] },
  pads_bottom: { rule: "padding", of: (view: View) => padsOf(view)?.[2] },
  pads_right: { rule: "padding", of: (view: View) => padsOf(view)?.[3] },
  channel: { rule: "channels", of: (view: View) => view.inChannels },
  height: { rule: "height", of: (view: View) => (view.inSize === undefined ? whereFlat(view) : view.inSize[0]) },
  width: { rule: "width", of: (view: View) => (view.inSize === undefined ? whereFlat(view) : view.inSize[1]) },
  /** Inner dimension of a matrix product. */
  k: { rule: "k", of: (view: View) => view.inShape?.at(-1) },
  batch: { rule: "batch", of: (view: View) => view.batch },
  seqlength: { rule: "sequence length", of: (view: View) => view.inShape?.[0] },
  batchsize: { rule: "batch", of: (view: View) => view.inShape?.[1] },
  inputsize: { rule: "input size", of: (view: View) => view.inShape?.[2] },
  hiddensize: { rule: "hidden size", of: (view: View) => numberOf(view, "hidden_size") },
} as const;

/** Tensors of one or two dimensions have no height and no width beyond 1. */
const whereFlat = ({ inShape }: View): number | undefined => (inShape === undefined ? undefined : 1);

export type Measure = keyof typeof measures;

/** A dimension within a range, ends included. */
export function range(name: Measure, least: number, most: number): Constraint {
  const { rule, of } = measures[name];
  return constraint(
    rule,
    `${name} must be in [${least}, ${most}]`,
    (view) => {
      const value = of(view);
      return value === undefined ? undefined : value >= least && value <= most;
    },
    (view) => `${name} is ${of(view) ?? "not known"}`,
  );
}

// Constraints

/** An attribute is one of the values; `absent`: the standard's default. */
export const says = (
  name: string,
  allowed: readonly (string | number)[],
  absent: string | number,
  words = `${name} must be ${allowed.join(" or ")}`,
): Constraint =>
  constraint(
    name,
    words,
    ({ node }) => allowed.includes(plain(node.attributes[name]) ?? absent),
    ({ node }) => `${name} is ${String(plain(node.attributes[name]) ?? absent)}`,
  );

const plain = (value: unknown): string | number | undefined =>
  typeof value === "bigint"
    ? Number(value)
    : typeof value === "string" || typeof value === "number"
      ? value
      : undefined;

/** An attribute is not used. */
export const without = (name: string, words = `${name} is not supported`): Constraint =>
  constraint(name, words, ({ node }) => node.attributes[name] === undefined);

/** Inputs at these positions are constants of the file, where they are given. */
export const constants = (positions: readonly number[], words: string): Constraint =>
  constraint(
    "constant input",
    words,
    (view) => positions.every((at) => !given(view, at) || view.constant[at] === true),
    (view) => {
      const at = positions.find((one) => given(view, one) && view.constant[one] !== true);
      return at === undefined ? "" : `input ${at} is computed`;
    },
  );

/** Exactly one input is computed: two variable operands are not taken. */
export const oneVariable = (words: string): Constraint =>
  constraint(
    "variable inputs",
    words,
    (view) => variableCount(view) === 1,
    (view) => `${variableCount(view)} variable inputs`,
  );

export const variableCount = (view: View): number =>
  view.node.inputs.filter((input, at) => input >= 0 && given(view, at) && view.constant[at] !== true).length;

/** Dimensions larger than 1 of the first variable input. */
export const nonSingleton = (most: number, words: string): Constraint =>
  constraint(
    "rank",
    words,
    ({ inShape }) => (inShape === undefined ? undefined : inShape.filter((one) => one > 1).length <= most),
    ({ inShape }) => `${inShape?.filter((one) => one > 1).length ?? "?"} dimensions`,
  );

/** Rank of the first variable input is one of these. */
export const ranks = (allowed: readonly number[], words = `rank must be ${allowed.join(" or ")}`): Constraint =>
  constraint(
    "rank",
    words,
    ({ inShape, inputs }) => {
      const rank = inShape?.length ?? inputs[0]?.shape?.length;
      return rank === undefined ? undefined : allowed.includes(rank);
    },
    ({ inShape, inputs }) => `rank ${inShape?.length ?? inputs[0]?.shape?.length ?? "not known"}`,
  );

/** What comes out has at most so many dimensions. */
export const outRank = (most: number, words: string): Constraint =>
  constraint(
    "rank",
    words,
    ({ outputs }) => (outputs[0]?.shape === undefined ? undefined : outputs[0].shape.length <= most),
    ({ outputs }) => `rank ${outputs[0]?.shape?.length ?? "not known"}`,
  );

export const oneOutput = (words = "only one output is supported"): Constraint =>
  constraint(
    "outputs",
    words,
    ({ node }) => node.outputs.filter((output) => output >= 0).length <= 1,
    ({ node }) => `${node.outputs.length} outputs`,
  );

/** The kernel's dimensions: a window over so many. */
export const spatial = (allowed: readonly number[], words: string): Constraint =>
  constraint(
    "rank",
    words,
    (view) => {
      const rank = view.inShape?.length ?? view.inputs[0]?.shape?.length;
      return rank === undefined ? undefined : allowed.includes(rank - 2);
    },
    (view) => `rank ${view.inShape?.length ?? view.inputs[0]?.shape?.length ?? "not known"}`,
  );

/** An axis, counted from the back (-1 is the last). */
export const axisBack = (allowed: readonly number[], absent: number, words: string): Constraint =>
  constraint(
    "axis",
    words,
    (view) => {
      const axis = axisFromBack(view, absent);
      return axis === undefined ? undefined : allowed.includes(axis);
    },
    (view) => `axis ${axisFromBack(view, absent) ?? "not known"}`,
  );

/** Every one of `axes` (attribute, or input of newer opsets) counted from the back is one of these. */
export const axesBack = (allowed: readonly number[], at: number, words: string): Constraint =>
  constraint(
    "axis",
    words,
    (view) => {
      const axes = axesOf(view, at);
      return axes?.every((one) => allowed.includes(one));
    },
    (view) => `axes ${axesOf(view, at)?.join(", ") ?? "not known"}`,
  );

/** Axes of a reduction from the back; all where none are given. */
export function axesOf(view: View, at: number): readonly number[] | undefined {
  const rank = view.inShape?.length;
  if (rank === undefined) return undefined;
  const said = listOrInput(view, "axes", at);
  if (said !== undefined) return said.map((axis) => fromFront(axis, rank) - rank);
  if (given(view, at)) return undefined;
  return Array.from({ length: rank }, (_, axis) => axis - rank);
}

/** [height, width] factors of a Resize or Upsample, from the shapes that go in and come out. */
export function scaleOf(view: View): readonly [number, number] | undefined {
  const from = view.inShape;
  const to = outputShape(view);
  if (from === undefined || to === undefined || from.length !== to.length || from.length < 3) return undefined;
  const factor = (at: number): number => (to.at(at) ?? 0) / (from.at(at) ?? 1);
  return [factor(-2), factor(-1)];
}

/** A Resize leaves batch and channels alone. */
export const resizesImage = (words: string): Constraint =>
  constraint("axis", words, (view) => {
    const [from, to] = [view.inShape, outputShape(view)];
    if (from === undefined || to === undefined) return undefined;
    return from.slice(0, -2).every((one, at) => one === to[at]);
  });

/** Types of the inputs at these positions, where given. */
export const inputTypes = (
  positions: readonly number[],
  allowed: readonly string[],
  words = `input type must be ${allowed.join(" or ")}`,
): Constraint =>
  constraint(
    "type",
    words,
    ({ inputs }) => {
      const types = positions.map((at) => inputs[at]?.type).filter((type) => type !== undefined);
      if (types.some((type) => type !== "unknown" && !allowed.includes(type))) return false;
      return types.includes("unknown") ? undefined : true;
    },
    ({ inputs }) => positions.map((at) => inputs[at]?.type ?? "").find((type) => !allowed.includes(type)) ?? "",
  );

/** No dimension of what goes in is open, the batch included. */
export const known = (words = "shapes of inputs must be known"): Constraint =>
  constraint(
    "dynamic",
    words,
    (view) =>
      view.inputs.every(
        (tensor, at) =>
          tensor === undefined || view.constant[at] === true || !given(view, at) || numbers(tensor) !== undefined,
      ) && !view.dynamic,
    (view) => {
      const open = view.inputs.find(
        (tensor, at) => tensor !== undefined && view.constant[at] !== true && numbers(tensor) === undefined,
      );
      return open === undefined
        ? ""
        : open.shape === undefined
          ? "rank not known"
          : open.shape.map((one) => one ?? "?").join("x");
    },
  );
