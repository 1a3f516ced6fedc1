/** A graph on its way to Vela's operations: which tensors are others in another shape, which parts are read where, and what was made. */

import { isConstant, shapeOf } from "../vela-tensors.ts";
import type { View } from "../view.ts";
import { POINT, type Kernel, type Unit, type Volume } from "./vela-machine.ts";

/** A feature map as one operation sees it. */
export interface Ref {
  /** Index of the tensor, a name of our own for what no file names; constants begin with "=". */
  readonly tensor: string;
  readonly shape: Volume;
  /** Of it, what is read or written. */
  readonly part?: Volume;
  readonly bits: number;
}

export interface Lowered {
  /** Index of the view's node; undefined: Vela's own. */
  readonly node: number | undefined;
  /** TFLite's operator it came from, and Vela's name of what it became. */
  readonly source: string;
  readonly name: string;
  readonly unit: Unit;
  readonly kind: "product" | "sum" | "maximum" | "other";
  activation: "table" | "limits" | undefined;
  readonly ifm: Ref;
  readonly ifm2?: Ref;
  ofm: Ref;
  readonly kernel: Kernel;
  /** Elements of the filter. */
  readonly weights: number;
  readonly biased: boolean;
  readonly scaled: boolean;
  readonly scalar: boolean;
  readonly upscale: "none" | "nearest" | "zeros";
  /** Bytes of the table that an activation looks in. */
  table: number;
  /** Its output may not be in bricks. */
  readonly linear?: true;
}

export interface LoweredGraph {
  readonly operations: readonly Lowered[];
  /** Tensors that are there before the NPU begins, or are read after it. */
  readonly outside: ReadonlySet<string>;
  /** Shape that the tensor itself has, where operations may see another. */
  readonly shapes: ReadonlyMap<string, Volume>;
}

const bitsOf: Readonly<Record<string, number>> = { int8: 8, uint8: 8, int16: 16, int32: 32, int64: 32 };

/** Height, width and depth of a shape; a batch lies on the height. */
export function volumeOf(shape: readonly number[]): Volume {
  const [c = 1, w = 1, h = 1, n = 1] = [...shape].reverse();
  return [n * h, w, c];
}

export const aliases: ReadonlySet<string> = new Set(["RESHAPE", "SQUEEZE", "EXPAND_DIMS"]);
export const tables: ReadonlySet<string> = new Set([
  "LOGISTIC",
  "TANH",
  "HARD_SWISH",
  "LEAKY_RELU",
  "EXP",
  "RSQRT",
  "PRELU",
]);

export class Lowering {
  readonly operations: Lowered[] = [];
  readonly shapes = new Map<string, Volume>();
  readonly views: readonly View[];
  readonly taken: (view: View) => boolean;
  readonly sums: boolean;
  /** Nodes that read each tensor. */
  readonly consumers = new Map<number, View[]>();
  readonly producer = new Map<number, View>();
  /** Tensors that are others in another shape. */
  readonly alias = new Map<number, number>();
  /** Parts of a tensor that their readers take for themselves: tensor, shape of the part. */
  readonly parts = new Map<number, { readonly from: number; readonly shape: Volume; readonly part: Volume }>();
  readonly melted = new Map<number, number>();
  readonly made = new Map<string, Lowered>();
  /** State between runs. */
  readonly kept = new Set<string>();
  first = true;
  own = 0;

  constructor(views: readonly View[], taken: (view: View) => boolean, sums: boolean) {
    this.views = views;
    this.taken = taken;
    this.sums = sums;
    for (const view of views) {
      for (const input of view.node.inputs) {
        const list = this.consumers.get(input);
        if (list === undefined) this.consumers.set(input, [view]);
        else if (list.at(-1) !== view) list.push(view);
      }
      for (const output of view.node.outputs) this.producer.set(output, view);
    }
  }

  root(index: number): number {
    let at = index;
    for (let next = this.alias.get(at); next !== undefined; next = this.alias.get(at)) at = next;
    return at;
  }

  key(index: number): string {
    return String(this.root(index));
  }

  ref(view: View, at: number, shape?: Volume): Ref {
    const tensor = view.inputs[at];
    const index = view.node.inputs[at] ?? -1;
    const own = shape ?? volumeOf(shapeOf(tensor));
    const bits = bitsOf[tensor?.type ?? "int8"] ?? 8;
    if (isConstant(tensor)) return { tensor: `=${index}`, shape: own, bits };
    const read = this.parts.get(this.root(index));
    if (read !== undefined) return { tensor: this.key(read.from), shape: read.shape, part: read.part, bits };
    return { tensor: this.key(this.melted.get(index) ?? index), shape: own, bits };
  }

  out(view: View, shape?: Volume, at = 0): Ref {
    const tensor = view.outputs[at];
    const index = view.node.outputs[at] ?? -1;
    const whole = volumeOf(shapeOf(tensor));
    const key = this.key(index);
    if (!this.shapes.has(key)) this.shapes.set(key, whole);
    return { tensor: key, shape: shape ?? whole, bits: bitsOf[tensor?.type ?? "int8"] ?? 8 };
  }

  temporary(shape: Volume, bits: number): Ref {
    const tensor = `t${++this.own}`;
    this.shapes.set(tensor, shape);
    return { tensor, shape, bits };
  }

  emit(view: View | undefined, name: string, unit: Unit, ifm: Ref, ofm: Ref, more: Partial<Lowered> = {}): Lowered {
    const made: Lowered = {
      node: view?.index,
      source: view?.spelled ?? "UNKNOWN",
      name,
      unit,
      kind: "other",
      activation: undefined,
      ifm,
      ofm,
      kernel: POINT,
      weights: 0,
      biased: false,
      scaled: true,
      scalar: false,
      upscale: "none",
      table: 0,
      ...more,
    };
    this.operations.push(made);
    this.made.set(ofm.tensor, made);
    return made;
  }

  copy(view: View, ifm: Ref, ofm: Ref, more: Partial<Lowered> = {}): Lowered {
    return this.emit(view, "AvgPool", "pool", ifm, ofm, more);
  }
}

export const constant = (bits: number, tensor = "=1", shape: Volume = [1, 1, 1]): Ref => ({ tensor, shape, bits });

export const size = (shape: readonly number[]): number => shape.reduce((all, one) => all * one, 1);

export function limits(view: View): "limits" | "table" | undefined {
  return view.activation === undefined || view.activation === "NONE"
    ? undefined
    : view.activation === "TANH"
      ? "table"
      : "limits";
}

export function kernelOf(view: View): Kernel {
  const [h, w] = view.kernel ?? [1, 1];
  const [sy, sx] = view.stride ?? [1, 1];
  const [dy, dx] = view.dilation ?? [1, 1];
  return { h, w, sy, sx, dy, dx };
}
