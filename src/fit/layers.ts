/**
 * Layers: builds the graph of a published architecture, layer by layer, as an exporter would write it for inference. Batch
 * normalisation is folded into the convolution before it; TFLite's activations are fused and its explicit padding is a PAD.
 * A class, against the habit: one graph grows through a hundred calls, and its calls read best on it.
 */

import { CannotError } from "../base/errors.ts";
import type { Attribute, ElementType } from "../model/graph.ts";
import { at, GraphBuilder, product, type Value } from "./graph-builder.ts";
import { each, named, windowOf, type Padding, type Size, type Window, type WindowOptions } from "./layer-window.ts";

export { at, product, type Dialect, type Value } from "./graph-builder.ts";
export type { Padding, Size } from "./layer-window.ts";

export type Activation =
  | "relu"
  | "relu6"
  | "leaky"
  | "prelu"
  | "silu"
  | "hswish"
  | "hsigmoid"
  | "sigmoid"
  | "gelu"
  /** x * sigmoid(1.702 x), of CLIP. */
  | "quickgelu"
  | "tanh"
  | "mish"
  | "elu"
  | "softplus";

export interface ConvOptions {
  readonly kernel?: Size;
  readonly stride?: Size;
  readonly dilation?: Size;
  readonly groups?: number;
  readonly pad?: Padding;
  readonly act?: Activation | undefined;
  readonly bias?: boolean;
  /** Layers of one name use the same weights. */
  readonly share?: string;
}

export interface PoolOptions {
  readonly kernel: Size;
  readonly stride?: Size;
  readonly pad?: Padding;
  /** A last window that is not full counts, as in Caffe. */
  readonly ceil?: boolean;
}

/** ONNX operators that compute as one what TFLite has too: [ONNX, TFLite]. */
const spellings = {
  add: ["Add", "ADD"],
  sub: ["Sub", "SUB"],
  mul: ["Mul", "MUL"],
  div: ["Div", "DIV"],
  max: ["Max", "MAXIMUM"],
  min: ["Min", "MINIMUM"],
  pow: ["Pow", "POW"],
  exp: ["Exp", "EXP"],
  sqrt: ["Sqrt", "SQRT"],
  abs: ["Abs", "ABS"],
} as const;

const reductions = {
  mean: ["ReduceMean", "MEAN"],
  max: ["ReduceMax", "REDUCE_MAX"],
  sum: ["ReduceSum", "SUM"],
} as const;

const fused: Partial<Record<Activation, string>> = { relu: "RELU", relu6: "RELU6" };

/** What TFLite's converter writes of an operator whatever it is asked for; Vela takes none without. */
const written: Readonly<Record<string, Readonly<Record<string, Attribute>>>> = {
  ADD: { pot_scale_int16: true },
  SUB: { pot_scale_int16: true },
  FULLY_CONNECTED: { weights_format: "DEFAULT", keep_num_dims: false, asymmetric_quantize_inputs: false },
};

/** Operators of ONNX by activation, and of TFLite where they stand alone. What neither has is put together in `activate`. */
const activations: Readonly<Partial<Record<Activation, readonly [string, string]>>> = {
  relu: ["Relu", "RELU"],
  relu6: ["Clip", "RELU6"],
  leaky: ["LeakyRelu", "LEAKY_RELU"],
  prelu: ["PRelu", "PRELU"],
  hswish: ["HardSwish", "HARD_SWISH"],
  sigmoid: ["Sigmoid", "LOGISTIC"],
  gelu: ["Gelu", "GELU"],
  tanh: ["Tanh", "TANH"],
  elu: ["Elu", "ELU"],
};

export class Layers extends GraphBuilder {
  /** An image of [channels, height, width], or with depth before height; its batch comes first. */
  input(shape: readonly number[], name = "input"): Value {
    return this.entry(name, [this.batch, ...shape], true, this.type);
  }

  /** Anything else: tokens, features, state; the whole shape. */
  inputOf(shape: readonly number[], name: string, type: ElementType = this.type): Value {
    return this.entry(name, shape, false, type);
  }

  /** Weights that are an operand themselves: position embeddings, class tokens, scales. */
  weight(shape: readonly number[], name = "weight", image = false): Value {
    return { tensor: this.constant(`${name}_${this.tensors}`, this.stored(shape, image)), shape, image };
  }

  conv(x: Value, filters: number, options: ConvOptions = {}): Value {
    const { groups = 1, bias = true, share, act } = options;
    const channels = at(x.shape, 1);
    const [inner, outer] = [channels / groups, filters / groups];
    if (!Number.isInteger(inner) || !Number.isInteger(outer))
      throw new CannotError(`${this.name}: ${channels} channels to ${filters} do not fall into ${groups} groups`);
    const depthwise = groups === channels && groups > 1;
    const [source, w] = this.#window(x, { kernel: 1, pad: "same", ...options });
    const volume = w.kernel.length === 3;
    const order = !this.tflite
      ? [filters, inner, ...w.kernel]
      : depthwise && !volume
        ? [1, ...w.kernel, filters]
        : volume
          ? [...w.kernel, inner, filters]
          : [filters, ...w.kernel, inner];
    const axis = this.tflite && (depthwise || volume) ? order.length - 1 : 0;
    const weights = this.parameters("conv", share, order, filters, bias, axis);
    const shape = [at(x.shape, 0), filters, ...w.out];
    if (!this.tflite) {
      const attributes = { ...w.attributes, dilations: w.dilation, group: groups };
      return this.activate(this.emit("Conv", [source, ...weights], shape, attributes, true), act);
    }
    const spelled = volume ? "CONV_3D" : depthwise ? "DEPTHWISE_CONV_2D" : "CONV_2D";
    const attributes = { ...w.attributes, ...(depthwise ? { depth_multiplier: filters / channels } : {}) };
    return this.#fusing(spelled, [source, ...weights], shape, attributes, act);
  }

  /** Each channel by itself. */
  depthwise(x: Value, options: ConvOptions & { readonly multiplier?: number } = {}): Value {
    const channels = at(x.shape, 1);
    const { multiplier = 1, kernel = 3, ...rest } = options;
    return this.conv(x, channels * multiplier, { ...rest, kernel, groups: channels });
  }

  /** Transposed convolution: sizes grow by the stride. `pad` as PyTorch's: taken off the output. */
  transposed(x: Value, filters: number, options: ConvOptions & { readonly outputPad?: number } = {}): Value {
    const { kernel = 2, stride = 2, groups = 1, bias = true, act, share, outputPad = 0 } = options;
    const sizes = x.shape.slice(2);
    const [k, s] = [each(kernel, sizes.length), each(stride, sizes.length)];
    const pads =
      typeof options.pad === "object" || typeof options.pad === "number" ? each(options.pad, k.length) : undefined;
    const out = sizes.map((size, i) =>
      pads
        ? (size - 1) * at(s, i) - 2 * at(pads, i) + at(k, i) + outputPad
        : options.pad === "valid"
          ? (size - 1) * at(s, i) + at(k, i)
          : size * at(s, i),
    );
    const channels = at(x.shape, 1);
    const order = this.tflite ? [filters, ...k, channels] : [channels, filters / groups, ...k];
    const weights = this.parameters("deconv", share, order, filters, bias, this.tflite ? 0 : 1);
    const shape = [at(x.shape, 0), filters, ...out];
    if (this.tflite) {
      const sizesOut = this.numbers("output_shape", this.stored(shape, true));
      const exact = out.every((size, i) => size === at(sizes, i) * at(s, i));
      const attributes = { ...named("strides", s), padding: exact ? "SAME" : "VALID" };
      return this.#fusing(
        "TRANSPOSE_CONV",
        [sizesOut, at(weights, 0), x.tensor, ...weights.slice(1)],
        shape,
        attributes,
        act,
      );
    }
    const total = k.map((size, i) => (at(sizes, i) - 1) * at(s, i) + size + outputPad - at(out, i));
    const attributes = {
      kernel_shape: k,
      strides: s,
      pads: [...total.map((all) => Math.floor(all / 2)), ...total.map((all) => Math.ceil(all / 2))],
      group: groups,
      ...(outputPad > 0 ? { output_padding: k.map(() => outputPad) } : {}),
    };
    return this.activate(this.emit("ConvTranspose", [x.tensor, ...weights], shape, attributes, true), act);
  }

  maxPool(x: Value, options: PoolOptions): Value {
    return this.#pool(x, options, ["MaxPool", "MAX_POOL_2D"]);
  }

  averagePool(x: Value, options: PoolOptions): Value {
    return this.#pool(x, options, ["AveragePool", "AVERAGE_POOL_2D"]);
  }

  /** Mean over all sizes of an image, which stay as ones. */
  globalPool(x: Value): Value {
    const shape = [...x.shape.slice(0, 2), ...x.shape.slice(2).map(() => 1)];
    if (!this.tflite) return this.emit("GlobalAveragePool", [x.tensor], shape, {}, true);
    const axes = this.numbers(
      "axes",
      x.shape.slice(2).map((_, i) => i + 1),
    );
    return this.emit("MEAN", [x.tensor, axes], shape, { keep_dims: true }, true);
  }

  /** Mean, largest or sum over dimensions of the shape as it is told. */
  reduce(
    x: Value,
    axes: readonly number[],
    options: { readonly by?: "mean" | "max" | "sum"; readonly keep?: boolean } = {},
  ): Value {
    const { by = "mean", keep = true } = options;
    const gone = new Set(axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)));
    const shape = keep ? x.shape.map((size, i) => (gone.has(i) ? 1 : size)) : x.shape.filter((_, i) => !gone.has(i));
    const list = this.numbers(
      "axes",
      [...gone].map((axis) => this.axis(axis, x)),
    );
    const attributes = this.tflite ? { keep_dims: keep } : { keepdims: keep ? 1 : 0 };
    return this.emit(this.spell(reductions[by]), [x.tensor, list], shape, attributes, x.image && keep);
  }

  /** Which channel is largest. TFLite always drops the dimension. */
  argMax(x: Value, keep = false): Value {
    const dimension = this.axis(1, x);
    const dropped = x.shape.filter((_, i) => i !== 1);
    if (this.tflite)
      return this.emit("ARG_MAX", [x.tensor, this.numbers("axis", [dimension], [])], dropped, {}, false, "int32");
    const shape = keep ? x.shape.map((size, i) => (i === 1 ? 1 : size)) : dropped;
    return this.emit("ArgMax", [x.tensor], shape, { axis: dimension, keepdims: keep ? 1 : 0 }, keep, "int64");
  }

  add(a: Value, b: Value, act?: Activation): Value {
    return this.#binary("add", a, b, act);
  }

  sub(a: Value, b: Value): Value {
    return this.#binary("sub", a, b);
  }

  mul(a: Value, b: Value): Value {
    return this.#binary("mul", a, b);
  }

  div(a: Value, b: Value): Value {
    return this.#binary("div", a, b);
  }

  /** By a number that is written into the model. */
  scale(x: Value, how: "add" | "mul" | "div" | "pow" = "mul"): Value {
    const tensor = this.constant(`scalar_${this.tensors}`, []);
    return this.emit(this.spell(spellings[how]), [x.tensor, tensor], x.shape, {}, x.image);
  }

  unary(x: Value, how: "exp" | "sqrt" | "abs"): Value {
    return this.emit(this.spell(spellings[how]), [x.tensor], x.shape, {}, x.image);
  }

  activate(x: Value, act: Activation | undefined): Value {
    if (act === undefined) return x;
    const alone = activations[act];
    if (alone !== undefined) {
      const constants =
        act === "prelu"
          ? [
              this.constant(
                `slope_${this.operators}`,
                this.tflite
                  ? [...x.shape.slice(2).map(() => 1), at(x.shape, 1)]
                  : [at(x.shape, 1), ...x.shape.slice(2).map(() => 1)],
              ),
            ]
          : act === "relu6" && !this.tflite
            ? [this.number("min", 0), this.number("max", 6)]
            : [];
      const attributes: Record<string, Attribute> = act === "leaky" ? { alpha: 0.1 } : {};
      return this.emit(this.spell(alone), [x.tensor, ...constants], x.shape, attributes, x.image);
    }
    switch (act) {
      case "silu":
        return this.mul(x, this.activate(x, "sigmoid"));
      case "quickgelu":
        return this.mul(x, this.activate(this.scale(x), "sigmoid"));
      case "hsigmoid":
        if (!this.tflite) return this.emit("HardSigmoid", [x.tensor], x.shape, { alpha: 1 / 6, beta: 0.5 }, x.image);
        return this.scale(
          this.#binary(
            "add",
            x,
            { tensor: this.constant(`three_${this.operators}`, []), shape: [], image: x.image },
            "relu6",
          ),
        );
      case "softplus":
        return this.emit("Softplus", [x.tensor], x.shape, {}, x.image);
      default:
        return this.mul(x, this.activate(this.activate(x, "softplus"), "tanh"));
    }
  }

  concat(values: readonly Value[], axis = 1): Value {
    const [first] = values;
    if (first === undefined) throw new CannotError(`${this.name}: nothing to concatenate`);
    const where = axis < 0 ? axis + first.shape.length : axis;
    const shape = first.shape.map((size, i) => {
      if (i === where) return values.reduce((sum, value) => sum + at(value.shape, i), 0);
      if (values.some((value) => value.shape[i] !== size)) throw this.misfit("concatenate", values);
      return size;
    });
    const attributes = { axis: this.axis(where, first) };
    return this.emit(
      this.spell(["Concat", "CONCATENATION"]),
      values.map((value) => value.tensor),
      shape,
      attributes,
      first.image,
    );
  }

  /** Into equal parts, or parts of the sizes given. */
  split(x: Value, parts: number | readonly number[], axis = 1): Value[] {
    const where = axis < 0 ? axis + x.shape.length : axis;
    const whole = at(x.shape, where);
    const sizes = typeof parts === "number" ? Array.from({ length: parts }, () => whole / parts) : parts;
    if (sizes.some((size) => !Number.isInteger(size)) || sizes.reduce((a, b) => a + b, 0) !== whole)
      throw new CannotError(`${this.name}: ${whole} channels cannot be split into ${String(parts)}`);
    const shapes = sizes.map((size) => x.shape.map((other, i) => (i === where ? size : other)));
    const list = (): number => this.numbers("sizes", sizes);
    if (!this.tflite) return this.emitAll("Split", [x.tensor, list()], shapes, { axis: where }, x.image);
    const dimension = this.numbers("axis", [this.axis(where, x)], []);
    const equal = typeof parts === "number";
    const inputs = equal ? [dimension, x.tensor] : [x.tensor, list(), dimension];
    return this.emitAll(equal ? "SPLIT" : "SPLIT_V", inputs, shapes, { num_splits: sizes.length }, x.image);
  }

  /** `length` of a dimension from `start` on, every `step`-th. */
  slice(x: Value, axis: number, start: number, length: number, step = 1): Value {
    const where = axis < 0 ? axis + x.shape.length : axis;
    const shape = x.shape.map((size, i) => (i === where ? length : size));
    const dimension = this.axis(where, x);
    const end = start + length * step;
    const whole = this.stored(x.shape, x.image);
    const along = (here: number, other: (size: number) => number): readonly number[] =>
      whole.map((size, i) => (i === dimension ? here : other(size)));
    const lists = this.tflite
      ? [
          this.numbers(
            "starts",
            along(start, () => 0),
          ),
          this.numbers(
            "ends",
            along(end, (size) => size),
          ),
          this.numbers(
            "strides",
            along(step, () => 1),
          ),
        ]
      : [
          this.numbers("starts", [start]),
          this.numbers("ends", [end]),
          this.numbers("axes", [dimension]),
          this.numbers("steps", [step]),
        ];
    const attributes: Record<string, Attribute> = { start, end, axis: dimension };
    return this.emit(this.spell(["Slice", "STRIDED_SLICE"]), [x.tensor, ...lists], shape, attributes, x.image);
  }

  /** Image to a given size. */
  resize(x: Value, to: Size, mode: "nearest" | "linear" = "nearest"): Value {
    const sizes = each(to, x.shape.length - 2);
    const shape = [...x.shape.slice(0, 2), ...sizes];
    if (this.tflite) {
      const list = this.numbers("size", sizes);
      return this.emit(
        mode === "nearest" ? "RESIZE_NEAREST_NEIGHBOR" : "RESIZE_BILINEAR",
        [x.tensor, list],
        shape,
        {},
        true,
      );
    }
    const list = this.numbers("sizes", shape);
    // As PyTorch's exporter writes it: of the nearest, always the lower one.
    const attributes = {
      mode,
      coordinate_transformation_mode: mode === "nearest" ? "asymmetric" : "half_pixel",
      nearest_mode: "floor",
    };
    return this.emit("Resize", [x.tensor, -1, -1, list], shape, attributes, true);
  }

  upsample(x: Value, by = 2, mode: "nearest" | "linear" = "nearest"): Value {
    return this.resize(
      x,
      x.shape.slice(2).map((size) => size * by),
      mode,
    );
  }

  /** Matrix of weights over the last dimension. */
  fc(
    x: Value,
    width: number,
    options: { readonly act?: Activation | undefined; readonly bias?: boolean; readonly share?: string } = {},
  ): Value {
    const { act, bias = true, share } = options;
    const flat = x.image ? this.flatten(x) : x;
    const from = at(flat.shape, flat.shape.length - 1);
    const shape = [...flat.shape.slice(0, -1), width];
    if (this.tflite) {
      const weights = this.parameters("fc", share, [width, from], width, bias, undefined);
      const attributes = shape.length > 2 ? { keep_num_dims: true } : {};
      return this.#fusing("FULLY_CONNECTED", [flat.tensor, ...weights], shape, attributes, act, false);
    }
    if (shape.length === 2) {
      const weights = this.parameters("fc", share, [width, from], width, bias, 0);
      return this.activate(this.emit("Gemm", [flat.tensor, ...weights], shape, { transB: 1 }, false), act);
    }
    const [matrix = -1, added] = this.parameters("fc", share, [from, width], width, bias, 1);
    const product = this.emit("MatMul", [flat.tensor, matrix], shape, {}, false);
    return this.activate(
      added === undefined ? product : this.emit("Add", [product.tensor, added], shape, {}, false),
      act,
    );
  }

  /** Product of two that are both computed; dimensions before the last two are batches. */
  matmul(a: Value, b: Value, options: { readonly transposeB?: boolean } = {}): Value {
    const right = options.transposeB === true && !this.tflite ? this.transpose(b, swapLast(b.shape.length)) : b;
    const flipped = options.transposeB === true && this.tflite;
    const [rows, inner] = [at(a.shape, -2), at(a.shape, -1)];
    if (at(right.shape, flipped ? -1 : -2) !== inner) throw this.misfit("multiply", [a, b]);
    const [left, other] = [a.shape.slice(0, -2), right.shape.slice(0, -2)];
    const shape = [...(left.length >= other.length ? left : other), rows, at(right.shape, flipped ? -2 : -1)];
    return this.emit(
      this.spell(["MatMul", "BATCH_MATMUL"]),
      [a.tensor, right.tensor],
      shape,
      flipped ? { adj_y: true } : {},
      false,
    );
  }

  /** Long short-term memory over [n, length, width], backwards as well where `both`: [n, length, hidden or twice of it]. */
  lstm(x: Value, hidden: number, both = false): Value {
    const [n, length, width] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2)];
    const ways = both ? 2 : 1;
    const shape = [n, length, ways * hidden];
    if (!this.tflite) {
      const weights = [
        [ways, 4 * hidden, width],
        [ways, 4 * hidden, hidden],
        [ways, 8 * hidden],
      ].map((one, i) => this.constant(`lstm_${this.operators}.${"WRB"[i] ?? ""}`, one));
      const attributes = { direction: both ? "bidirectional" : "forward", hidden_size: hidden };
      const entered = this.transpose(x, [1, 0, 2]);
      const inputs = [entered.tensor, ...weights];
      const out = this.emit("LSTM", inputs, [length, ways, n, hidden], attributes, false);
      return this.reshape(this.transpose(out, [2, 0, 1, 3]), shape);
    }
    const gates = (kind: string, one: readonly number[]): number[] =>
      [0, 1, 2, 3].map((gate) => this.constant(`lstm_${this.operators}.${kind}${gate}`, one));
    const none = (count: number): number[] => new Array<number>(count).fill(-1);
    const way = (word: string): number[] => [
      ...gates(`${word}input`, [hidden, width]),
      ...gates(`${word}recurrent`, [hidden, hidden]),
      ...none(3),
      ...gates(`${word}bias`, [hidden]),
      ...none(2),
    ];
    const inputs = [x.tensor, ...way(""), ...(both ? way("backward_") : [])];
    const spelled = both ? "BIDIRECTIONAL_SEQUENCE_LSTM" : "UNIDIRECTIONAL_SEQUENCE_LSTM";
    return this.emit(spelled, inputs, shape, both ? { merge_outputs: true } : {}, false);
  }

  softmax(x: Value, axis = -1): Value {
    return this.emit(
      this.spell(["Softmax", "SOFTMAX"]),
      [x.tensor],
      x.shape,
      this.tflite ? { beta: 1 } : { axis },
      x.image,
    );
  }

  /** Over the last dimension; of an image over its channels. */
  layerNorm(x: Value): Value {
    if (x.image && !this.tflite) return this.#image(this.layerNorm(this.transpose(x, rolled(x.shape.length))), x.shape);
    const width = x.image ? at(x.shape, 1) : at(x.shape, -1);
    const [scale, bias] = ["scale", "bias"].map((word) => this.constant(`${word}_${this.operators}`, [width]));
    if (!this.tflite)
      return this.emit("LayerNormalization", [x.tensor, scale ?? -1, bias ?? -1], x.shape, { axis: -1 }, x.image);
    const axis = x.image ? 1 : -1;
    const centred = this.emit("SQUARED_DIFFERENCE", [x.tensor, this.reduce(x, [axis]).tensor], x.shape, {}, x.image);
    const deviation = this.scale(this.reduce(centred, [axis]), "add");
    const inverse = this.emit("RSQRT", [deviation.tensor], deviation.shape, {}, x.image);
    const normal = this.mul(this.sub(x, this.reduce(x, [axis])), inverse);
    const scaled = this.emit("MUL", [normal.tensor, scale ?? -1], x.shape, {}, x.image);
    return this.emit("ADD", [scaled.tensor, bias ?? -1], x.shape, { ...written["ADD"] }, x.image);
  }

  /** Scale and shift of each channel that stand alone: a batch normalisation that has no convolution before it. */
  batchNorm(x: Value): Value {
    const width = x.image ? at(x.shape, 1) : at(x.shape, -1);
    const shape = x.image && !this.tflite ? [width, ...x.shape.slice(2).map(() => 1)] : [width];
    const [scale, shift] = ["scale", "shift"].map((word) => this.constant(`${word}_${this.operators}`, shape));
    const scaled = this.emit(this.spell(spellings.mul), [x.tensor, scale ?? -1], x.shape, {}, x.image);
    return this.emit(this.spell(spellings.add), [scaled.tensor, shift ?? -1], x.shape, {}, x.image);
  }

  /** To a shape that is no image's. */
  reshape(x: Value, shape: readonly number[]): Value {
    return this.#reshaped(x, shape, false);
  }

  flatten(x: Value): Value {
    return this.reshape(x, [at(x.shape, 0), product(x.shape.slice(1))]);
  }

  transpose(x: Value, order: readonly number[]): Value {
    const shape = order.map((from) => at(x.shape, from));
    if (!this.tflite) return this.emit("Transpose", [x.tensor], shape, { perm: order }, false);
    const list = this.numbers(
      "perm",
      order.map((from) => this.axis(from, x)),
    );
    return this.emit("TRANSPOSE", [x.tensor, list], shape, {}, false);
  }

  /** Image [n, c, h, w] to tokens [n, h * w, c]. */
  tokens(x: Value): Value {
    const [n, c, length] = [at(x.shape, 0), at(x.shape, 1), product(x.shape.slice(2))];
    if (this.tflite) return this.#reshaped(x, [n, length, c], false);
    return this.transpose(this.#reshaped(x, [n, c, length], false), [0, 2, 1]);
  }

  /** Tokens [n, h * w, c] to an image. */
  image(x: Value, sizes: readonly number[]): Value {
    const shape = [at(x.shape, 0), at(x.shape, 2), ...sizes];
    return this.#reshaped(this.tflite ? x : this.transpose(x, [0, 2, 1]), shape, true);
  }

  /** An image's numbers in the order [n, c, h, w], whatever the dialect's own: what code that cuts channels' planes begins with. */
  planes(x: Value): Value {
    return this.tflite ? this.transpose(x, [0, 1, 2, 3]) : { ...x, image: false };
  }

  /** Numbers in that order back to an image of this shape. */
  imageOf(x: Value, shape: readonly number[]): Value {
    if (!this.tflite) return this.#reshaped(x, shape, true);
    const [n, c, length] = [at(shape, 0), at(shape, 1), product(shape.slice(2))];
    return this.#reshaped(this.transpose(this.reshape(x, [n, c, length]), [0, 2, 1]), shape, true);
  }

  /** An image whose channels fall into `groups` is read across them, as ShuffleNet does. */
  shuffle(x: Value, groups: number): Value {
    const [n, c, h, w] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)];
    const [shape, order] = this.tflite
      ? [
          [n, h, w, groups, c / groups],
          [0, 1, 2, 4, 3],
        ]
      : [
          [n, groups, c / groups, h, w],
          [0, 2, 1, 3, 4],
        ];
    return this.#reshaped(this.transpose(this.reshape(x, shape), order), x.shape, true);
  }

  depthToSpace(x: Value, block: number): Value {
    const [n, c, h, w] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)];
    const attributes = this.tflite ? { block_size: block } : { blocksize: block, mode: "CRD" };
    return this.emit(
      this.spell(["DepthToSpace", "DEPTH_TO_SPACE"]),
      [x.tensor],
      [n, c / block / block, h * block, w * block],
      attributes,
      true,
    );
  }

  spaceToDepth(x: Value, block: number): Value {
    const [n, c, h, w] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)];
    const attributes = this.tflite ? { block_size: block } : { blocksize: block };
    return this.emit(
      this.spell(["SpaceToDepth", "SPACE_TO_DEPTH"]),
      [x.tensor],
      [n, c * block * block, h / block, w / block],
      attributes,
      true,
    );
  }

  /** Zeros around an image: [before, after] of each size, or one number for all; and channels of zeros behind its own. */
  pad(x: Value, by: number | readonly (readonly [number, number])[], channels = 0): Value {
    const sides = typeof by === "number" ? x.shape.slice(2).map((): readonly [number, number] => [by, by]) : by;
    const shape = x.shape.map((size, i) =>
      i === 1 ? size + channels : size + (sides[i - 2]?.[0] ?? 0) + (sides[i - 2]?.[1] ?? 0),
    );
    const every = x.shape.map((_, i): readonly [number, number] =>
      i === 0 ? [0, 0] : i === 1 ? [0, channels] : (sides[i - 2] ?? [0, 0]),
    );
    const [batch = [0, 0], last = [0, 0], ...middle] = every;
    const list = this.tflite
      ? this.numbers("pads", (x.image ? [batch, ...middle, last] : every).flat(), [x.shape.length, 2])
      : this.numbers("pads", [...every.map(([before]) => before), ...every.map(([, after]) => after)]);
    return this.emit(
      this.spell(["Pad", "PAD"]),
      [x.tensor, list],
      shape,
      this.tflite ? {} : { mode: "constant" },
      x.image,
    );
  }

  /** Rows of a table of weights by ids. */
  embedding(ids: Value, vocabulary: number, width: number, share?: string): Value {
    const [table = -1] = this.parameters("table", share, [vocabulary, width], 0, false, undefined);
    return this.emit(
      this.spell(["Gather", "GATHER"]),
      [table, ids.tensor],
      [...ids.shape, width],
      { axis: 0 },
      false,
      this.type,
    );
  }

  /** One of a dimension, which goes: the class token. */
  gather(x: Value, axis: number): Value {
    const index = this.numbers("index", [0], []);
    return this.emit(
      this.spell(["Gather", "GATHER"]),
      [x.tensor, index],
      x.shape.filter((_, i) => i !== axis),
      { axis },
      false,
    );
  }

  /** An operator that no method has: [ONNX, TFLite] and the shapes it gives. */
  other(
    spelled: readonly [string, string],
    inputs: readonly Value[],
    shapes: readonly (readonly number[])[],
    attributes: Readonly<Record<string, Attribute>> = {},
    image = inputs[0]?.image ?? false,
  ): Value[] {
    return this.emitAll(
      this.spell(spelled),
      inputs.map((value) => value.tensor),
      shapes,
      attributes,
      image,
    );
  }

  /** TFLite's operators that take an activation with them. */
  #fusing(
    spelled: string,
    inputs: readonly number[],
    shape: readonly number[],
    attributes: Readonly<Record<string, Attribute>>,
    act: Activation | undefined,
    image = true,
  ): Value {
    const word = act === undefined ? undefined : fused[act];
    const own = { ...written[spelled], ...attributes };
    const out = this.emit(spelled, inputs, shape, word === undefined ? own : { ...own, activation: word }, image);
    return word === undefined ? this.activate(out, act) : out;
  }

  #binary(word: "add" | "sub" | "mul" | "div", a: Value, b: Value, act?: Activation): Value {
    const rank = Math.max(a.shape.length, b.shape.length);
    const shape = Array.from({ length: rank }, (_, i) => {
      const [left, right] = [a.shape[i - rank + a.shape.length] ?? 1, b.shape[i - rank + b.shape.length] ?? 1];
      if (left !== right && left !== 1 && right !== 1) throw this.misfit(word, [a, b]);
      return Math.max(left, right);
    });
    const inputs = [a.tensor, b.tensor];
    const image = a.image || b.image;
    if (this.tflite) return this.#fusing(this.spell(spellings[word]), inputs, shape, {}, act, image);
    return this.activate(this.emit(this.spell(spellings[word]), inputs, shape, {}, image), act);
  }

  #pool(x: Value, options: PoolOptions, spelled: readonly [string, string]): Value {
    const [source, w] = this.#window(x, { stride: options.kernel, pad: "valid", ...options });
    const shape = [...x.shape.slice(0, 2), ...w.out];
    const attributes: Record<string, Attribute> = this.tflite
      ? { ...w.attributes, ...named("kernel", w.kernel) }
      : { ...w.attributes, ...(options.ceil === true ? { ceil_mode: 1 } : {}) };
    return this.emit(this.spell(spelled), [source], shape, attributes, true);
  }

  /** What slides over the sizes. What TFLite cannot say is padded before. */
  #window(x: Value, options: WindowOptions): readonly [number, Window] {
    const window = windowOf(x.shape.slice(2), options, this.tflite);
    return [window.around === undefined ? x.tensor : this.pad(x, window.around).tensor, window];
  }

  #reshaped(x: Value, shape: readonly number[], image: boolean): Value {
    if (product(shape) !== product(x.shape)) throw this.misfit(`reshape to ${shape.join("x")}`, [x]);
    const list = this.numbers("shape", this.stored(shape, image));
    return this.emit(this.spell(["Reshape", "RESHAPE"]), [x.tensor, list], shape, {}, image);
  }

  /** Channels back to the second place. */
  #image(x: Value, shape: readonly number[]): Value {
    const back = this.transpose(x, [0, shape.length - 1, ...shape.slice(2).map((_, i) => i + 1)]);
    return { ...back, image: true };
  }
}

const rolled = (rank: number): number[] => [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];

const swapLast = (rank: number): number[] =>
  Array.from({ length: rank }, (_, i) => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
