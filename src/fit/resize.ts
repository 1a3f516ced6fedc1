/**
 * A graph for inputs of another size: sizes are carried from operator to operator by what each does to them. Stands in for making the
 * file anew, and refuses where the file fixes a size for good (a matrix behind a flattened picture).
 */

import { CannotError } from "../base/errors.ts";
import type { Dimension, Graph, Node, Tensor } from "../model/graph.ts";
import { opKind } from "../model/ops.ts";

export interface Sizes {
  /** [height, width] */
  readonly input?: readonly [number, number] | undefined;
  readonly batch?: number | undefined;
}

type Shape = readonly number[];

export function resizeGraph(graph: Graph, { input, batch }: Sizes): Graph {
  const before = graph.tensors.map(({ shape }) => closed(shape));
  const after: (Shape | undefined)[] = [...before];
  for (const index of graph.inputs) {
    const tensor = graph.tensors[index];
    const shape = before[index];
    if (tensor === undefined || tensor.data !== undefined || shape === undefined) continue;
    let next = shape;
    if (input !== undefined && shape.length === 4) next = pictureOf(shape, input);
    if (batch !== undefined && shape.length > 0) next = [batch, ...next.slice(1)];
    after[index] = next;
  }
  if (input !== undefined && !graph.inputs.some((index) => (before[index]?.length ?? 0) === 4)) {
    throw new CannotError("no input of this model is a picture: --input HEIGHTxWIDTH has nothing to change");
  }
  graph.nodes.forEach((node, at) => {
    if (!node.inputs.some((index) => before[index] !== after[index])) return;
    for (const index of node.outputs) {
      const old = before[index];
      if (old !== undefined) after[index] = outputOf({ graph, node, at, before, after }, old);
    }
  });
  const tensors = graph.tensors.map((tensor, index): Tensor =>
    after[index] === before[index] ? tensor : withShape(tensor, after[index]),
  );
  return { ...graph, tensors };
}

const withShape = (tensor: Tensor, shape: Shape | undefined): Tensor =>
  shape === undefined ? tensor : { ...tensor, shape };

/** An open first size is a batch of one; anything else that is open stays unknown. */
function closed(shape: readonly Dimension[] | undefined): Shape | undefined {
  if (shape === undefined) return undefined;
  const sizes = shape.map((size, at) => (typeof size === "number" && size >= 0 ? size : at === 0 ? 1 : undefined));
  return sizes.every((size) => size !== undefined) ? sizes : undefined;
}

/** Channels are the smaller end: [batch, channels, height, width] or [batch, height, width, channels]. */
function pictureOf(shape: Shape, [height, width]: readonly [number, number]): Shape {
  const [batch = 1, first = 0, second = 0, last = 0] = shape;
  return last < first || (last === first && first < second)
    ? [batch, height, width, last]
    : [batch, first, height, width];
}

interface Step {
  readonly graph: Graph;
  readonly node: Node;
  readonly at: number;
  readonly before: readonly (Shape | undefined)[];
  readonly after: readonly (Shape | undefined)[];
}

function outputOf(step: Step, old: Shape): Shape {
  const { graph, node, before, after } = step;
  const moving = node.inputs.filter((index) => index >= 0 && graph.tensors[index]?.data === undefined);
  const kind = opKind(node.op);
  const [first] = moving.filter((index) => before[index] !== after[index]);
  const from = before[first ?? -1];
  const to = after[first ?? -1];
  if (from === undefined || to === undefined) return old;
  if (node.op === "Concat") return concatenated(moving, step, old);
  if (kind === "matrix") return product(step, from, to, old);
  const perm = permutation(node, from.length);
  if (perm !== undefined) return perm.map((axis) => to[axis] ?? 1);
  if (from.length !== old.length || node.op === "Reshape" || node.op === "Flatten") return folded(from, to, old);
  const window = kind === "convolution" || kind === "pool";
  return old.map((size, axis) => {
    const [a = 1, b = 1] = [from[axis], to[axis]];
    if (a === b) return size;
    if (size === a) return b;
    // Another input may be the broader one: it decides.
    if (size === 1) return 1;
    return window && size < a ? slid(step, a, b, size) : Math.max(1, Math.round((size * b) / a));
  });
}

/** Positions of a window: by TFLite's SAME, else by what the old sizes say of its extent. */
function slid({ node }: Step, from: number, to: number, old: number): number {
  const stride = Math.max(1, Math.round(from / old));
  if (/^same/i.test(String(node.attributes["padding"] ?? node.attributes["auto_pad"] ?? ""))) {
    return Math.ceil(to / stride);
  }
  const extent = Math.max(1, from - (old - 1) * stride);
  return Math.max(1, Math.floor((to - extent) / stride) + 1);
}

function concatenated(moving: readonly number[], { before, after }: Step, old: Shape): Shape {
  const parts = moving.map((index) => [before[index], after[index]] as const);
  return old.map((size, axis) => {
    const sum = parts.reduce((total, [part]) => total + (part?.[axis] ?? 0), 0);
    const first = parts[0]?.[1]?.[axis] ?? size;
    if (sum !== size || parts.length === 1) return first;
    return parts.reduce((total, [, part]) => total + (part?.[axis] ?? 0), 0);
  });
}

/** Rows follow the first operand; what is summed over has to stay as long as the weights are. */
function product({ graph, node, at, after }: Step, from: Shape, to: Shape, old: Shape): Shape {
  const weights = graph.tensors[node.inputs[1] ?? -1];
  if (weights?.data !== undefined && from.at(-1) !== to.at(-1)) {
    const name = node.name === undefined || node.name === "" ? "" : ` "${node.name}"`;
    throw new CannotError(
      `operator ${at}, ${node.spelled}${name}, takes ${from.at(-1) ?? "?"} values a row and would get ${to.at(-1) ?? "?"}: ` +
        `this file is for its own input size alone; make it anew for another`,
    );
  }
  const rows = weights?.data !== undefined ? (after[node.inputs[0] ?? -1] ?? to) : to;
  if (rows.length === old.length)
    return [
      ...rows.slice(0, -1),
      old.at(-1) === from.at(-2) && weights?.data === undefined ? (rows.at(-2) ?? 1) : (old.at(-1) ?? 1),
    ];
  return folded(from, to, old);
}

function permutation(node: Node, rank: number): readonly number[] | undefined {
  if (node.op !== "Transpose") return undefined;
  const perm = node.attributes["perm"];
  const axes = Array.isArray(perm) ? perm.filter((axis): axis is number => typeof axis === "number") : [];
  const whole = axes.length === rank && new Set(axes).size === rank && axes.every((axis) => axis >= 0 && axis < rank);
  return whole ? axes : undefined;
}

/** Reshape: sizes that fold others take what these became; what is left goes to the one that can hold it. */
function folded(from: Shape, to: Shape, old: Shape): Shape {
  const total = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);
  const [had, has] = [total(from), total(to)];
  if (had === 0 || has === 0) return old;
  // What reduces (a mean over a picture) has fewer elements than came in: only the sizes it kept can have changed.
  if (had !== total(old)) {
    const batch = from[0] !== to[0] && old[0] === from[0];
    return batch ? [to[0] ?? 1, ...old.slice(1)] : old;
  }
  const next = [...old];
  let ratio = has / had;
  if (from[0] !== to[0] && old[0] === from[0] && (from[0] ?? 0) > 0) {
    next[0] = to[0] ?? 1;
    ratio /= (to[0] ?? 1) / (from[0] ?? 1);
  }
  // Sizes that are the same before and after keep their place: heads, channels.
  const changed = from.filter((size, axis) => axis > 0 && size !== to[axis]);
  const product = changed.reduce((all, size) => all * size, 1);
  const order = [
    ...[...next.keys()].filter((axis) => axis > 0 && next[axis] === product),
    ...[...next.keys()].filter((axis) => axis > 0 && (next[axis] ?? 0) % product === 0),
    ...[...next.keys()].filter((axis) => axis > 0),
  ];
  const axis = order.find((one) => Number.isInteger((next[one] ?? 0) * ratio) && (next[one] ?? 0) > 1);
  if (ratio === 1) return next;
  // [.., 7, 7, ..] of a picture that stays one: each changed size in turn.
  if (axis === undefined || (next[axis] !== product && changed.length > 1)) {
    let left = [...from.keys()].filter((one) => one > 0 && from[one] !== to[one]);
    const each = next.map((size) => {
      const match = left.find((one) => from[one] === size);
      if (match === undefined) return size;
      left = left.filter((one) => one !== match);
      return to[match] ?? size;
    });
    if (total(each) === has) return each;
  }
  if (axis !== undefined) next[axis] = Math.round((next[axis] ?? 1) * ratio);
  return next;
}
