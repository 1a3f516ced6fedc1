/**
 * What Vela makes of TFLite's operators before it counts cycles: paddings melt into convolutions, activations into what comes before,
 * softmax falls into some thirty operations, a concatenation into copies (graph optimiser of ethos-u-vela 3.10, and NXP's fork of it).
 */

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

const activations: ReadonlySet<string> = new Set(["RELU", "RELU6", "RELU_N1_TO_1"]);
const tables: ReadonlySet<string> = new Set(["LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU", "EXP", "RSQRT", "PRELU"]);
const aliases: ReadonlySet<string> = new Set(["RESHAPE", "SQUEEZE", "EXPAND_DIMS"]);
const readers: ReadonlySet<string> = new Set(["SPLIT", "SPLIT_V", "SLICE", "STRIDED_SLICE", "UNPACK"]);

/** `sums`: NXP's fork adds a zero after each concatenation. */
export function lower(views: readonly View[], taken: (view: View) => boolean, sums: boolean): LoweredGraph {
  return new Lowering(views, taken, sums).run();
}

class Lowering {
  readonly operations: Lowered[] = [];
  readonly shapes = new Map<string, Volume>();
  readonly #views: readonly View[];
  readonly #taken: (view: View) => boolean;
  readonly #sums: boolean;
  /** Nodes that read each tensor. */
  readonly #consumers = new Map<number, View[]>();
  readonly #producer = new Map<number, View>();
  /** Tensors that are others in another shape. */
  readonly #alias = new Map<number, number>();
  /** Parts of a tensor that their readers take for themselves: tensor, shape of the part. */
  readonly #parts = new Map<number, { readonly from: number; readonly shape: Volume; readonly part: Volume }>();
  readonly #melted = new Map<number, number>();
  readonly #made = new Map<string, Lowered>();
  /** State between runs. */
  readonly #kept = new Set<string>();
  #first = true;
  #own = 0;

  constructor(views: readonly View[], taken: (view: View) => boolean, sums: boolean) {
    this.#views = views;
    this.#taken = taken;
    this.#sums = sums;
    for (const view of views) {
      for (const input of view.node.inputs) {
        const list = this.#consumers.get(input);
        if (list === undefined) this.#consumers.set(input, [view]);
        else if (list.at(-1) !== view) list.push(view);
      }
      for (const output of view.node.outputs) this.#producer.set(output, view);
    }
  }

  run(): LoweredGraph {
    for (const view of this.#views) if (this.#taken(view)) this.#lower(view);
    const outside = new Set(this.#kept);
    for (const [index, view] of this.#producer) {
      const readers = this.#consumers.get(index) ?? [];
      const left = readers.length === 0 || readers.some((reader) => !this.#taken(reader));
      if (!this.#taken(view) || left) outside.add(this.#key(index));
    }
    for (const view of this.#views)
      view.node.inputs.forEach((input, at) => {
        if (!this.#producer.has(input) && !isConstant(view.inputs[at])) outside.add(this.#key(input));
      });
    return { operations: this.operations, outside, shapes: this.shapes };
  }

  #root(index: number): number {
    let at = index;
    for (let next = this.#alias.get(at); next !== undefined; next = this.#alias.get(at)) at = next;
    return at;
  }

  #key(index: number): string {
    return String(this.#root(index));
  }

  #ref(view: View, at: number, shape?: Volume): Ref {
    const tensor = view.inputs[at];
    const index = view.node.inputs[at] ?? -1;
    const own = shape ?? volumeOf(shapeOf(tensor));
    const bits = bitsOf[tensor?.type ?? "int8"] ?? 8;
    if (isConstant(tensor)) return { tensor: `=${index}`, shape: own, bits };
    const read = this.#parts.get(this.#root(index));
    if (read !== undefined) return { tensor: this.#key(read.from), shape: read.shape, part: read.part, bits };
    return { tensor: this.#key(this.#melted.get(index) ?? index), shape: own, bits };
  }

  #out(view: View, shape?: Volume, at = 0): Ref {
    const tensor = view.outputs[at];
    const index = view.node.outputs[at] ?? -1;
    const whole = volumeOf(shapeOf(tensor));
    const key = this.#key(index);
    if (!this.shapes.has(key)) this.shapes.set(key, whole);
    return { tensor: key, shape: shape ?? whole, bits: bitsOf[tensor?.type ?? "int8"] ?? 8 };
  }

  #temporary(shape: Volume, bits: number): Ref {
    const tensor = `t${++this.#own}`;
    this.shapes.set(tensor, shape);
    return { tensor, shape, bits };
  }

  #emit(view: View | undefined, name: string, unit: Unit, ifm: Ref, ofm: Ref, more: Partial<Lowered> = {}): Lowered {
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
    this.#made.set(ofm.tensor, made);
    return made;
  }

  #copy(view: View, ifm: Ref, ofm: Ref, more: Partial<Lowered> = {}): Lowered {
    return this.#emit(view, "AvgPool", "pool", ifm, ofm, more);
  }

  #lower(view: View): void {
    const first = this.#first;
    this.#first = false;
    const { spelled } = view;
    if (aliases.has(spelled)) return this.#reshape(view);
    if (readers.has(spelled)) return this.#read(view);
    if (activations.has(spelled) || tables.has(spelled)) return this.#activate(view);
    switch (spelled) {
      case "CONV_2D":
        return this.#convolve(view, first);
      case "DEPTHWISE_CONV_2D":
        return this.#depthwise(view);
      case "TRANSPOSE_CONV":
        return this.#transposed(view);
      case "FULLY_CONNECTED":
        return this.#connect(view);
      case "AVERAGE_POOL_2D":
      case "MAX_POOL_2D":
        return this.#pool(view);
      case "ADD":
      case "SUB":
      case "MUL":
      case "MINIMUM":
      case "MAXIMUM":
      case "SQUARED_DIFFERENCE":
        return this.#binary(view);
      case "ABS":
        return void this.#emit(view, "Abs", "elementwise", this.#ref(view, 0), this.#out(view));
      case "QUANTIZE":
        if (!isConstant(view.inputs[0])) this.#copy(view, this.#ref(view, 0), this.#out(view));
        return;
      case "PAD":
      case "MIRROR_PAD":
        return this.#pad(view);
      case "CONCATENATION":
      case "PACK":
        return this.#concatenate(view);
      case "SOFTMAX":
        return this.#softmax(view);
      case "MEAN":
        return this.#mean(view);
      case "RESIZE_BILINEAR":
      case "RESIZE_NEAREST_NEIGHBOR":
        return this.#resize(view);
      case "TRANSPOSE":
        return this.#transpose(view);
      case "ARG_MAX":
        return this.#argMax(view);
      case "UNIDIRECTIONAL_SEQUENCE_LSTM":
        return this.#lstm(view);
    }
  }

  #limits(view: View): "limits" | "table" | undefined {
    return view.activation === undefined || view.activation === "NONE"
      ? undefined
      : view.activation === "TANH"
        ? "table"
        : "limits";
  }

  /** The same memory in another shape, where nobody else reads it and it is Vela's own; else a copy. */
  #reshape(view: View): void {
    const [from = -1] = view.node.inputs;
    const [to = -1] = view.node.outputs;
    const maker = this.#producer.get(from);
    const shared = (this.#consumers.get(from)?.length ?? 0) > 1;
    if (shared || maker === undefined || !this.#taken(maker)) {
      this.#emit(view, "Memcpy", "copy", this.#ref(view, 0), this.#out(view), { linear: true });
      return;
    }
    this.#alias.set(to, this.#root(from));
    // What is left is the tensor that the reshape gives.
    this.shapes.set(this.#key(to), volumeOf(shapeOf(view.outputs[0])));
  }

  /** Consumers read their part themselves where they can. */
  #read(view: View): void {
    const at = view.spelled === "SPLIT" ? 1 : 0;
    const whole = this.#ref(view, at);
    view.node.outputs.forEach((output, index) => {
      const part = this.#partOf(view, index, whole.shape);
      const list = this.#consumers.get(output) ?? [];
      const same = String(part) === String(volumeOf(shapeOf(view.outputs[index])));
      const able =
        list.length > 0 &&
        list.every(
          (one) =>
            this.#taken(one) && !aliases.has(one.spelled) && one.spelled !== "MUL" && one.spelled !== "TRANSPOSE",
        );
      const source = view.node.inputs[at] ?? -1;
      if (able && same && whole.part === undefined && !isConstant(view.inputs[at]))
        this.#parts.set(output, { from: source, shape: whole.shape, part });
      else this.#copy(view, { ...whole, part }, this.#out(view, part, index));
    });
  }

  #partOf(view: View, index: number, whole: Volume): Volume {
    const given = volumeOf(shapeOf(view.outputs[index]));
    if (view.spelled !== "UNPACK") return given;
    const axis = view.node.attributes["axis"];
    const shape = [...shapeOf(view.inputs[0])];
    shape[typeof axis === "number" ? (axis < 0 ? axis + shape.length : axis) : 0] = 1;
    return shape.length === 0 ? whole : volumeOf(shape);
  }

  #activate(view: View): void {
    const table = tables.has(view.spelled);
    const [from = -1] = view.node.inputs;
    const key = this.#key(from);
    const before = this.#made.get(key);
    const alone = (this.#consumers.get(from)?.length ?? 0) === 1;
    if (
      before !== undefined &&
      before.unit !== "copy" &&
      alone &&
      before.activation === undefined &&
      before.upscale === "none"
    ) {
      const ofm = this.#out(view);
      before.activation = table ? "table" : "limits";
      before.table = table ? 256 : 0;
      before.ofm = { ...before.ofm, tensor: ofm.tensor };
      this.#made.set(ofm.tensor, before);
      return;
    }
    if (!table) return void this.#copy(view, this.#ref(view, 0), this.#out(view), { activation: "limits" });
    this.#emit(view, "Add", "elementwise", this.#ref(view, 0), this.#out(view), {
      kind: "sum",
      ifm2: constant(8),
      activation: "table",
      table: 256,
      scalar: true,
    });
  }

  #kernelOf(view: View): Kernel {
    const [h, w] = view.kernel ?? [1, 1];
    const [sy, sx] = view.stride ?? [1, 1];
    const [dy, dx] = view.dilation ?? [1, 1];
    return { h, w, sy, sx, dy, dx };
  }

  #convolve(view: View, first: boolean): void {
    let ifm = this.#ref(view, 0);
    const ofm = this.#out(view);
    let kernel = this.#kernelOf(view);
    let weights = view.weights === undefined ? 0 : size(shapeOf(view.weights));
    if (ifm.shape[0] === 1 && ifm.shape[1] === 1 && kernel.h === 1 && kernel.w === 1) {
      this.#emit(view, "FullyConnected", "vector", ifm, ofm, { weights, biased: true, activation: this.#limits(view) });
      return;
    }
    if ((first && kernel.sx > 1) || kernel.sx > 3) {
      const [h, w, d] = ifm.shape;
      const factor = folds(w, kernel.sx);
      if (factor > 1 && (d * factor <= 8 || kernel.sx > 3)) {
        const left = kernel.sx / factor;
        const wide = Math.ceil(kernel.w / factor);
        weights = Math.round((weights / kernel.w) * wide * factor);
        ifm = { ...ifm, shape: [h, w / factor, d * factor] };
        kernel = { ...kernel, w: wide, sx: left };
      }
    }
    if (ofm.shape[0] === 1) kernel = { ...kernel, sy: 1 };
    if (ofm.shape[1] === 1) kernel = { ...kernel, sx: 1 };
    if (kernel.dy > 2 || kernel.dx > 2) kernel = spread(kernel);
    this.#emit(view, "Conv2DBias", "conv", ifm, ofm, { kernel, weights, biased: true, activation: this.#limits(view) });
  }

  #depthwise(view: View): void {
    const ifm = this.#ref(view, 0);
    const ofm = this.#out(view);
    let kernel = this.#kernelOf(view);
    if (kernel.dy > 2 || kernel.dx > 2) kernel = spread(kernel);
    const weights = view.weights === undefined ? 0 : size(shapeOf(view.weights));
    const more = { kernel, weights, biased: true, activation: this.#limits(view) };
    if (ifm.shape[2] === 1 && ofm.shape[2] > 1) this.#emit(view, "Conv2DBias", "conv", ifm, ofm, more);
    else this.#emit(view, "DepthwiseConv2DBias", "depthwise", ifm, ofm, more);
  }

  #transposed(view: View): void {
    const kernel = this.#kernelOf(view);
    const weights = view.weights === undefined ? 0 : size(shapeOf(view.weights));
    const upscale = kernel.sx > 1 || kernel.sy > 1 ? "zeros" : "none";
    this.#emit(view, "Conv2DBackpropInputSwitchedBias", "conv", this.#ref(view, 2), this.#out(view), {
      kernel: { ...kernel, sx: 1, sy: 1 },
      weights,
      biased: true,
      upscale,
      activation: this.#limits(view),
    });
  }

  #connect(view: View): void {
    const [outputs = 1, inputs = 1] = shapeOf(view.inputs[1]);
    const rows = Math.max(1, Math.round(size(shapeOf(view.inputs[0])) / inputs));
    const grid = ({ 4: [2, 2], 8: [2, 4], 16: [4, 4] } as Readonly<Record<number, readonly [number, number]>>)[
      rows
    ] ?? [1, rows];
    const part = this.#ref(view, 0);
    const ifm = part.part === undefined ? { ...part, shape: [...grid, inputs] as const } : part;
    this.#emit(view, "FullyConnected", "vector", ifm, this.#out(view, [...grid, outputs]), {
      weights: inputs * outputs,
      biased: true,
      activation: this.#limits(view),
    });
  }

  #pool(view: View): void {
    const kernel = this.#kernelOf(view);
    const ifm = this.#ref(view, 0);
    const all =
      kernel.h === ifm.shape[0] && kernel.w === ifm.shape[1] && kernel.sy === kernel.h && kernel.sx === kernel.w;
    const maximum = view.spelled === "MAX_POOL_2D";
    this.#emit(view, maximum ? "MaxPool" : "AvgPool", "pool", ifm, this.#out(view), {
      kernel: all ? { ...kernel, sx: 1, sy: 1 } : kernel,
      kind: maximum ? "maximum" : "other",
      activation: this.#limits(view),
    });
  }

  #binary(view: View): void {
    const [a, b] = [this.#ref(view, 0), this.#ref(view, 1)];
    const name = view.spelled.charAt(0) + view.spelled.slice(1).toLowerCase();
    const bare = (at: number): boolean => shapeOf(view.inputs[at]).length === 0;
    const swap = (isConstant(view.inputs[0]) || bare(0)) && !isConstant(view.inputs[1]) && !bare(1);
    this.#emit(view, name, "elementwise", swap ? b : a, this.#out(view), {
      ifm2: swap ? a : b,
      kind: view.spelled === "MUL" ? "product" : view.spelled === "ADD" || view.spelled === "SUB" ? "sum" : "other",
      activation: this.#limits(view),
      scalar: bare(0) || bare(1),
    });
  }

  #pad(view: View): void {
    const [from = -1] = view.node.inputs;
    const [to = -1] = view.node.outputs;
    const pads = view.inputs[1]?.values ?? [];
    const [left = 0, right = 0] = pads.slice(-4, -2);
    const [top = 0, bottom = 0] = pads.slice(-6, -4);
    const readers = this.#consumers.get(to) ?? [];
    const melts =
      readers.length > 0 && readers.every((one) => this.#taken(one) && padsItself(one, top, bottom, left, right));
    if (melts) {
      this.#melted.set(to, this.#root(from));
      return;
    }
    const ifm = this.#ref(view, 0);
    const [, width, depth] = volumeOf(shapeOf(view.outputs[0]));
    const whole = this.#out(view);
    this.#copy(view, ifm, { ...whole, part: ifm.shape });
    const bands: readonly Volume[] = [
      [top, width, depth],
      [bottom, width, depth],
      [ifm.shape[0], left, depth],
      [ifm.shape[0], right, depth],
    ];
    for (const band of bands)
      if (band[0] > 0 && band[1] > 0)
        this.#copy(view, { tensor: `=p${++this.#own}`, shape: band, bits: ifm.bits }, { ...whole, part: band });
  }

  #concatenate(view: View): void {
    const whole = this.#out(view);
    const target = this.#sums ? this.#temporary(whole.shape, whole.bits) : whole;
    if (this.#sums) this.shapes.set(target.tensor, this.shapes.get(whole.tensor) ?? whole.shape);
    const raw = view.node.attributes["axis"];
    const axis = typeof raw === "number" ? raw : -1;
    view.inputs.forEach((tensor, at) => {
      const shape = [...shapeOf(tensor)];
      if (view.spelled === "PACK") shape.splice(axis < 0 ? axis + shape.length + 1 : axis, 0, 1);
      const part = volumeOf(shape);
      const ifm = this.#ref(view, at, part);
      const across = part[2] !== whole.shape[2] && part[2] % 16 !== 0;
      this.#copy(view, ifm, { ...target, part }, across ? { linear: true } : {});
    });
    if (!this.#sums) return;
    this.#emit(undefined, "Add", "elementwise", target, whole, { kind: "sum", ifm2: constant(8, "=sum") });
  }

  #softmax(view: View): void {
    const ifm = this.#ref(view, 0);
    const out = this.#out(view);
    const [h, w, d] = ifm.shape;
    const small: Volume = [h, w, 1];
    const deep = { ...ifm, shape: [h * w, d, 1] as const };
    const most = this.#temporary([h * w, 1, 1], ifm.bits);
    this.shapes.set(most.tensor, small);
    this.#emit(view, "MaxPool", "pool", deep, most, { kernel: { ...POINT, w: d }, kind: "maximum", linear: true });
    const each = (
      name: string,
      kind: Lowered["kind"],
      a: Ref,
      b: Ref | undefined,
      shape: Volume,
      bits: number,
      more: Partial<Lowered> = {},
    ): Ref => {
      const ofm = this.#temporary(shape, bits);
      this.#emit(view, name, "elementwise", a, ofm, { kind, ...(b === undefined ? {} : { ifm2: b }), ...more });
      return ofm;
    };
    const c = (): Ref => constant(32, `=s${++this.#own}`);
    const exp = each("Sub", "sum", ifm, { ...most, shape: small }, ifm.shape, 32, { activation: "table", table: 1024 });
    const shifted = each("SHR", "other", exp, c(), ifm.shape, 32, { linear: true });
    const total = this.#temporary(small, 32);
    this.#emit(view, "ReduceSum", "sum", shifted, total);
    const zeros = each("CLZ", "other", total, undefined, small, 32);
    const headroom = each("Sub", "sum", zeros, c(), small, 32);
    const right = each("Sub", "sum", zeros, c(), small, 32);
    let value = each("SHL", "other", total, headroom, small, 32);
    value = each("Sub", "sum", value, c(), small, 32);
    const half = each("SHL", "other", value, c(), small, 32);
    value = each("Add", "sum", half, c(), small, 32);
    value = each("Mul", "product", value, c(), small, 32);
    let guess = each("Add", "sum", value, c(), small, 32);
    for (let turn = 0; turn < 3; turn++) {
      let step = each("Mul", "product", guess, half, small, 32);
      step = each("Sub", "sum", step, c(), small, 32);
      step = each("Mul", "product", guess, step, small, 32);
      step = each("Mul", "product", step, c(), small, 32);
      guess = each("Add", "sum", guess, step, small, 32);
    }
    const scale = each("Mul", "product", guess, c(), small, 32);
    const result = each("Mul", "product", exp, scale, ifm.shape, 32);
    this.#emit(view, "SHR", "elementwise", result, out, { ifm2: right });
  }

  #mean(view: View): void {
    const ifm = this.#ref(view, 0);
    const [h, w, d] = ifm.shape;
    const sum = this.#temporary([1, 1, d], 32);
    this.#emit(view, "DepthwiseConv2DBias", "depthwise", ifm, sum, {
      kernel: { ...POINT, h, w },
      weights: h * w * d,
      biased: true,
    });
    this.#emit(view, "Mul", "elementwise", sum, this.#out(view, [1, 1, d]), { kind: "product", ifm2: constant(32) });
  }

  #resize(view: View): void {
    const ifm = this.#ref(view, 0);
    const out = this.#out(view);
    const [h, w, d] = ifm.shape;
    const [oh, ow] = out.shape;
    const bilinear = view.spelled === "RESIZE_BILINEAR";
    const corners = view.node.attributes["align_corners"] === true;
    if (h === oh && w === ow)
      return void this.#alias.set(view.node.outputs[0] ?? -1, this.#root(view.node.inputs[0] ?? -1));
    if (h === 1 && w === 1)
      return void this.#emit(view, "Add", "elementwise", constant(8, `=r${++this.#own}`, out.shape), out, {
        kind: "sum",
        ifm2: ifm,
      });
    if (bilinear && view.node.attributes["half_pixel_centers"] === true) {
      const middle = this.#temporary(ifm.shape, ifm.bits);
      this.#copy(view, ifm, middle);
      for (let part = 0; part < 4; part++)
        this.#emit(
          view,
          "DepthwiseConv2DBias",
          "depthwise",
          middle,
          { ...out, part: ifm.shape },
          { kernel: { ...POINT, h: 2, w: 2 }, weights: 4 * d, biased: true, linear: true },
        );
      return;
    }
    const times = Math.max(1, Math.round(Math.log2(corners ? (oh - 1) / Math.max(1, h - 1) : oh / h)));
    let from = ifm;
    for (let turn = 1; turn < times; turn++) {
      const next = this.#temporary([from.shape[0] * 2, from.shape[1] * 2, d], ifm.bits);
      this.#emit(view, bilinear ? "ResizeBilinear" : "ResizeNearestNeighbor", "pool", from, next, {
        upscale: "nearest",
      });
      from = next;
    }
    const reach = 2 ** times;
    this.#emit(view, bilinear ? "ResizeBilinear" : "ResizeNearestNeighbor", "pool", from, out, {
      upscale: "nearest",
      kernel: bilinear ? { ...POINT, h: reach, w: reach } : POINT,
    });
  }

  #transpose(view: View): void {
    const shape = shapeOf(view.inputs[0]);
    const order = view.inputs[1]?.values ?? [];
    let [h, w, d] = volumeOf(shape);
    const last = order.at(-1) === shape.length - 1;
    if (!last) [h, w, d] = h === 1 ? [w, d, 1] : [h, d, 1];
    const from = this.#ref(view, 0, [h, w, d]);
    const out = this.#out(view);
    this.#copy(view, from, { ...out, shape: [h, w, d] }, { linear: true });
  }

  #argMax(view: View): void {
    const ifm = this.#ref(view, 0);
    const [h, w, d] = ifm.shape;
    const wide = this.#temporary(ifm.shape, 16);
    this.#emit(view, "DepthwiseConv2DBias", "depthwise", ifm, wide, { weights: d, biased: true, linear: true });
    const places = this.#temporary([h, w, 1], 16);
    // Feature maps have at most 65535 rows.
    const rows = Math.floor(65535 / w) * w;
    for (let left = h * w; left > 0; left -= rows) {
      const part: Volume = [Math.min(rows, left), 1, 1];
      const from: Ref = { ...wide, shape: [h * w, d, 1], part: [part[0], d, 1] };
      this.#emit(
        view,
        "MaxPool",
        "pool",
        from,
        { ...places, shape: [h * w, 1, 1], part },
        {
          kernel: { ...POINT, w: d },
          kind: "maximum",
          activation: "table",
          linear: true,
        },
      );
    }
    const widen = { weights: 1, biased: true, scaled: false, linear: true } as const;
    const long = view.outputs[0]?.type === "int64";
    const out = this.#out(view);
    const first = long ? this.#temporary([h, w, 1], 32) : out;
    this.#emit(view, "DepthwiseConv2DBias", "depthwise", places, { ...first, bits: 32, shape: [h, w, 1] }, widen);
    if (!long) return;
    const halves = this.#temporary([h, w, 2], 16);
    this.#emit(view, "Memcpy", "copy", first, halves, { linear: true });
    const whole = this.#temporary([h, w, 2], 32);
    this.#emit(view, "DepthwiseConv2DBias", "depthwise", halves, whole, { ...widen, weights: 2 });
    this.#emit(view, "Memcpy", "copy", whole, out, { linear: true });
  }

  /** Step by step: four gates of two products each, the state, the output. */
  #lstm(view: View): void {
    const whole = this.#ref(view, 0);
    const [rows, steps, features] = whole.shape;
    const timeMajor = view.node.attributes["time_major"] === true;
    const cells = shapeOf(view.inputs[5])[1] ?? 1;
    const out = this.#out(view);
    const count = Math.min(timeMajor ? rows : steps, 4096);
    const state = (): Ref => ({ tensor: "h", shape: [1, 1, cells], bits: 8 });
    const memory = (): Ref => ({ tensor: "c", shape: [1, 1, cells], bits: 16 });
    const wide: Volume = [1, 1, cells];
    this.#kept.add(state().tensor).add(memory().tensor);
    for (let step = 0; step < count; step++) {
      const gates: Ref[] = [];
      for (let gate = 0; gate < 4; gate++) {
        const recurrent = this.#temporary(wide, 16);
        this.#emit(view, "FullyConnected", "vector", state(), recurrent, { weights: cells * cells, biased: true });
        const input = this.#temporary(wide, 16);
        this.#emit(view, "FullyConnected", "vector", { ...whole, part: [1, 1, features] }, input, {
          weights: cells * features,
          biased: true,
        });
        const sum = this.#temporary(wide, 16);
        this.#emit(view, "Add", "elementwise", input, sum, { kind: "sum", ifm2: recurrent, activation: "table" });
        gates.push(sum);
      }
      const [a = state(), b = state(), , d = state()] = gates;
      const kept = this.#temporary(wide, 16);
      this.#emit(view, "Mul", "elementwise", memory(), kept, { kind: "product", ifm2: b });
      const added = this.#temporary(wide, 16);
      this.#emit(view, "Mul", "elementwise", a, added, { kind: "product", ifm2: d });
      this.#emit(view, "Add", "elementwise", kept, memory(), { kind: "sum", ifm2: added });
      const seen = this.#temporary(wide, 16);
      this.#copy(view, memory(), seen, { activation: "table" });
      this.#emit(view, "Mul", "elementwise", seen, state(), { kind: "product", ifm2: d });
      this.#copy(view, state(), { ...out, part: wide }, { linear: true });
    }
  }
}

const constant = (bits: number, tensor = "=1", shape: Volume = [1, 1, 1]): Ref => ({ tensor, shape, bits });

const size = (shape: readonly number[]): number => shape.reduce((all, one) => all * one, 1);

/** How often a stride is folded into the depth. */
function folds(width: number, stride: number): number {
  if (width % stride === 0) return stride;
  const by = [2, 3].find((one) => stride % one === 0 && width % (stride / one) === 0);
  return by === undefined ? 1 : stride / by;
}

/** Dilations beyond 2 become zeros in the filter. */
function spread(kernel: Kernel): Kernel {
  const wide = (extent: number, dilation: number): readonly [number, number] => {
    const left = dilation % 2 === 0 ? 2 : 1;
    return [(extent - 1) * (dilation / left) + 1, left];
  };
  const [h, dy] = wide(kernel.h, kernel.dy);
  const [w, dx] = wide(kernel.w, kernel.dx);
  return { ...kernel, h, w, dy, dx };
}

/** Whether a convolution of VALID padding can do a PAD's work. */
function padsItself(view: View, top: number, bottom: number, left: number, right: number): boolean {
  if (!/^(?:DEPTHWISE_)?CONV_2D$|^AVERAGE_POOL_2D$/.test(view.spelled) || view.padding !== "valid") return false;
  const { kernel = [1, 1], dilation = [1, 1], stride = [1, 1] } = view;
  const h = (kernel[0] - 1) * dilation[0] + 1;
  const w = (kernel[1] - 1) * dilation[1] + 1;
  const [halfH, halfW] = [Math.floor(h / 2), Math.floor(w / 2)];
  if (left > halfW || right > halfW || top > halfH || bottom > halfH) return false;
  const leads = (pad: number, step: number, half: number): boolean => pad === half || half <= step || pad % step === 0;
  return leads(top, stride[0], halfH) && leads(left, stride[1], halfW);
}
