/** Keras' layers: their shared names and the shapes they give. keras.io/api/layers; tfjs-layers/src/layers/*.ts. */

import type { Dimension } from "../../model/graph.ts";
import { at, get, isObject, listOf, textOf } from "../wire/json.ts";
import type { Shape } from "./nodes.ts";
import { broadcastOf, slide } from "./shapes.ts";

export interface Layer {
  /** Name in the shared operator table. */
  readonly op?: string;
  readonly shape?: (config: unknown, inputs: readonly (Shape | undefined)[]) => Shape | undefined;
}

const same: Layer["shape"] = (_, [input]) => input;
const unary = (op?: string): Layer => ({ ...(op === undefined ? {} : { op }), shape: same });
const merged = (op: string): Layer => ({ op, shape: (_, inputs) => inputs.reduce(meet) });
const meet = (a: Shape | undefined, b: Shape | undefined): Shape | undefined =>
  a === undefined || b === undefined ? undefined : broadcastOf(a, b);

export const layers: Readonly<Record<string, Layer>> = {
  Conv1D: { op: "Conv", shape: convolved },
  Conv2D: { op: "Conv", shape: convolved },
  Conv3D: { op: "Conv", shape: convolved },
  Convolution2D: { op: "Conv", shape: convolved },
  SeparableConv1D: { op: "Conv", shape: convolved },
  SeparableConv2D: { op: "Conv", shape: convolved },
  DepthwiseConv1D: { op: "DepthwiseConv", shape: convolved },
  DepthwiseConv2D: { op: "DepthwiseConv", shape: convolved },
  Conv1DTranspose: { op: "ConvTranspose", shape: spread },
  Conv2DTranspose: { op: "ConvTranspose", shape: spread },
  Conv3DTranspose: { op: "ConvTranspose", shape: spread },
  Dense: { op: "FullyConnected", shape: (config, [input]) => lastIs(input, numberOf(get(config, "units"))) },
  EinsumDense: { op: "Einsum" },
  Embedding: {
    op: "Embedding",
    shape: (config, [input]) => (input === undefined ? undefined : [...input, numberOf(get(config, "output_dim"))]),
  },
  LSTM: { op: "LSTM", shape: recurrent },
  CuDNNLSTM: { op: "LSTM", shape: recurrent },
  GRU: { op: "GRU", shape: recurrent },
  CuDNNGRU: { op: "GRU", shape: recurrent },
  SimpleRNN: { op: "RNN", shape: recurrent },
  MultiHeadAttention: { op: "Attention", shape: same },
  Attention: { op: "Attention", shape: same },
  MaxPooling1D: { op: "MaxPool", shape: pooled },
  MaxPooling2D: { op: "MaxPool", shape: pooled },
  MaxPooling3D: { op: "MaxPool", shape: pooled },
  AveragePooling1D: { op: "AveragePool", shape: pooled },
  AveragePooling2D: { op: "AveragePool", shape: pooled },
  AveragePooling3D: { op: "AveragePool", shape: pooled },
  GlobalAveragePooling1D: { op: "GlobalAveragePool", shape: global },
  GlobalAveragePooling2D: { op: "GlobalAveragePool", shape: global },
  GlobalAveragePooling3D: { op: "GlobalAveragePool", shape: global },
  GlobalMaxPooling1D: { op: "GlobalMaxPool", shape: global },
  GlobalMaxPooling2D: { op: "GlobalMaxPool", shape: global },
  GlobalMaxPooling3D: { op: "GlobalMaxPool", shape: global },
  ReLU: unary("Relu"),
  LeakyReLU: unary("LeakyRelu"),
  PReLU: unary("PRelu"),
  ELU: unary("Elu"),
  ThresholdedReLU: unary("ThresholdedRelu"),
  Softmax: unary("Softmax"),
  BatchNormalization: unary("BatchNormalization"),
  LayerNormalization: unary("LayerNormalization"),
  GroupNormalization: unary("GroupNormalization"),
  UnitNormalization: unary("LpNormalization"),
  RMSNormalization: unary("RMSNormalization"),
  Dropout: unary("Dropout"),
  AlphaDropout: unary("Dropout"),
  SpatialDropout1D: unary("Dropout"),
  SpatialDropout2D: unary("Dropout"),
  SpatialDropout3D: unary("Dropout"),
  GaussianDropout: unary("Dropout"),
  GaussianNoise: unary("Identity"),
  ActivityRegularization: unary("Identity"),
  Masking: unary(),
  Rescaling: unary("Scale"),
  Normalization: unary("Scale"),
  Activation: unary(),
  Add: merged("Add"),
  Subtract: merged("Sub"),
  Multiply: merged("Mul"),
  Average: merged("Mean"),
  Maximum: merged("Max"),
  Minimum: merged("Min"),
  Dot: { op: "MatMul" },
  Concatenate: { op: "Concat", shape: concatenated },
  Flatten: { op: "Flatten", shape: (_, [input]) => input && [input[0] ?? null, productOf(input.slice(1))] },
  Reshape: { op: "Reshape", shape: reshaped },
  Permute: {
    op: "Transpose",
    shape: (config, [input]) =>
      input && [input[0] ?? null, ...numbersOf(get(config, "dims")).map((dim) => input[dim] ?? null)],
  },
  RepeatVector: {
    op: "Tile",
    shape: (config, [input]) => input && [input[0] ?? null, numberOf(get(config, "n")), input[1] ?? null],
  },
  ZeroPadding1D: { op: "Pad", shape: (config, [input]) => bordered(input, config, "padding", 1) },
  ZeroPadding2D: { op: "Pad", shape: (config, [input]) => bordered(input, config, "padding", 1) },
  ZeroPadding3D: { op: "Pad", shape: (config, [input]) => bordered(input, config, "padding", 1) },
  Cropping1D: { op: "Slice", shape: (config, [input]) => bordered(input, config, "cropping", -1) },
  Cropping2D: { op: "Slice", shape: (config, [input]) => bordered(input, config, "cropping", -1) },
  Cropping3D: { op: "Slice", shape: (config, [input]) => bordered(input, config, "cropping", -1) },
  UpSampling1D: { op: "Resize", shape: enlarged },
  UpSampling2D: { op: "Resize", shape: enlarged },
  UpSampling3D: { op: "Resize", shape: enlarged },
  Resizing: { op: "Resize", shape: resized },
};

/** What an Activation layer is, by the function it names. */
export const activations: Readonly<Record<string, string>> = {
  relu: "Relu",
  relu6: "Relu6",
  sigmoid: "Sigmoid",
  hard_sigmoid: "HardSigmoid",
  hardSigmoid: "HardSigmoid",
  tanh: "Tanh",
  softmax: "Softmax",
  log_softmax: "LogSoftmax",
  softplus: "Softplus",
  softsign: "Softsign",
  elu: "Elu",
  selu: "Selu",
  gelu: "Gelu",
  swish: "Swish",
  silu: "Swish",
  mish: "Mish",
  exponential: "Exp",
  leaky_relu: "LeakyRelu",
  linear: "Identity",
};

/** Layers that run another layer: of each time step, or once in each direction. */
export const wrappers: ReadonlySet<string> = new Set(["Bidirectional", "TimeDistributed", "SpectralNormalization"]);

/** What a wrapper gives, from what the layer inside gives. */
export function wrappedShape(
  wrapper: string,
  config: unknown,
  inner: Layer["shape"],
  inputs: readonly (Shape | undefined)[],
): Shape | undefined {
  const [input] = inputs;
  if (input === undefined || inner === undefined) return undefined;
  const inside = at(config, "layer", "config");
  if (wrapper === "TimeDistributed") {
    const step = inner(inside, [[input[0] ?? null, ...input.slice(2)]]);
    return step && [step[0] ?? null, input[1] ?? null, ...step.slice(1)];
  }
  const once = inner(inside, inputs);
  if (wrapper !== "Bidirectional" || (get(config, "merge_mode") ?? "concat") !== "concat") return once;
  const last = once?.at(-1);
  return once && [...once.slice(0, -1), typeof last === "number" ? last * 2 : null];
}

export const numberOf = (value: unknown): Dimension =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;

const numbersOf = (value: unknown): readonly number[] =>
  typeof value === "number" ? [value] : listOf(value).filter((one) => typeof one === "number");

const productOf = (shape: Shape): Dimension => {
  let product = 1;
  for (const size of shape) {
    if (typeof size !== "number") return null;
    product *= size;
  }
  return product;
};

const lastIs = (input: Shape | undefined, size: Dimension): Shape | undefined => input && [...input.slice(0, -1), size];

const channelsFirst = (config: unknown): boolean =>
  get(config, "data_format") === "channels_first" || get(config, "data_format") === "channelsFirst";

/** A setting of each spatial dimension; one number stands for all. */
const each = (value: unknown, count: number, otherwise: number): readonly number[] => {
  const list = numbersOf(value);
  return Array.from({ length: count }, (_, index) => list[index] ?? list[0] ?? otherwise);
};

function spatial(
  config: unknown,
  input: Shape | undefined,
  change: (size: Dimension, index: number, count: number) => Dimension,
  channels?: Dimension,
): Shape | undefined {
  if (input === undefined || input.length < 3) return undefined;
  const first = channelsFirst(config);
  const count = input.length - 2;
  const from = first ? 2 : 1;
  return input.map((size, at) => {
    if (at >= from && at < from + count) return change(size, at - from, count);
    return at > 0 && channels !== undefined ? channels : size;
  });
}

function convolved(config: unknown, [input]: readonly (Shape | undefined)[]): Shape | undefined {
  const filters = get(config, "filters");
  const before = input?.[channelsFirst(config) ? 1 : input.length - 1];
  const multiplier = numberOf(get(config, "depth_multiplier") ?? 1);
  const channels =
    filters === undefined || filters === null
      ? typeof before === "number" && typeof multiplier === "number"
        ? before * multiplier
        : null
      : numberOf(filters);
  return spatial(
    config,
    input,
    (size, index, count) =>
      slide(
        size,
        each(get(config, "kernel_size"), count, 1)[index],
        each(get(config, "strides"), count, 1)[index] ?? 1,
        each(get(config, "dilation_rate"), count, 1)[index] ?? 1,
        get(config, "padding") ?? "valid",
      ),
    channels,
  );
}

/** A transposed convolution makes of each element as many as its stride. */
function spread(config: unknown, [input]: readonly (Shape | undefined)[]): Shape | undefined {
  const padding = get(config, "padding") ?? "valid";
  const open = isObject(get(config, "output_padding")) || listOf(get(config, "output_padding")).length > 0;
  return spatial(
    config,
    input,
    (size, index, count) => {
      if (typeof size !== "number" || open) return null;
      const stride = each(get(config, "strides"), count, 1)[index] ?? 1;
      const window = each(get(config, "kernel_size"), count, 1)[index] ?? 1;
      return size * stride + (padding === "valid" ? Math.max(window - stride, 0) : 0);
    },
    numberOf(get(config, "filters")),
  );
}

function pooled(config: unknown, [input]: readonly (Shape | undefined)[]): Shape | undefined {
  const sizes = get(config, "pool_size") ?? 2;
  return spatial(config, input, (size, index, count) => {
    const window = each(sizes, count, 2)[index];
    return slide(
      size,
      window,
      each(get(config, "strides") ?? sizes, count, 2)[index] ?? 1,
      1,
      get(config, "padding") ?? "valid",
    );
  });
}

function global(config: unknown, [input]: readonly (Shape | undefined)[]): Shape | undefined {
  if (input === undefined || input.length < 3) return undefined;
  const channel = channelsFirst(config) ? 1 : input.length - 1;
  const kept = get(config, "keepdims") === true;
  return kept
    ? input.map((size, at) => (at === 0 || at === channel ? size : 1))
    : [input[0] ?? null, input[channel] ?? null];
}

function recurrent(config: unknown, [input]: readonly (Shape | undefined)[]): Shape | undefined {
  if (input === undefined) return undefined;
  const units = numberOf(get(config, "units"));
  return get(config, "return_sequences") === true
    ? [input[0] ?? null, input[1] ?? null, units]
    : [input[0] ?? null, units];
}

function concatenated(config: unknown, inputs: readonly (Shape | undefined)[]): Shape | undefined {
  const [first] = inputs;
  if (first === undefined || inputs.some((one) => one?.length !== first.length)) return undefined;
  const said = get(config, "axis");
  const axis = typeof said !== "number" ? first.length - 1 : said < 0 ? said + first.length : said;
  let sum: Dimension = 0;
  for (const one of inputs) {
    const size: Dimension = one?.[axis] ?? null;
    sum = typeof sum === "number" && typeof size === "number" ? sum + size : null;
  }
  return first.map((size, at) => (at === axis ? sum : size));
}

function reshaped(config: unknown, [input]: readonly (Shape | undefined)[]): Shape | undefined {
  const target = listOf(get(config, "target_shape") ?? get(config, "targetShape"));
  const all = input === undefined ? null : productOf(input.slice(1));
  const known = target.reduce<number>(
    (product, size) => product * (typeof size === "number" && size > 0 ? size : 1),
    1,
  );
  const sizes = target.map((size): Dimension => {
    if (typeof size === "number" && size >= 0) return size;
    return all === null || typeof all === "string" || !Number.isInteger(all / known) ? null : all / known;
  });
  return [input?.[0] ?? null, ...sizes];
}

/** Rows of [before, after] added to each spatial dimension, or taken away. */
function bordered(input: Shape | undefined, config: unknown, key: string, sign: 1 | -1): Shape | undefined {
  const value = get(config, key) ?? 1;
  return spatial(config, input, (size, index, count) => {
    if (typeof size !== "number") return null;
    const list = listOf(value);
    const own = count === 1 && list.length === 2 && !Array.isArray(list[0]) ? list : (list[index] ?? value);
    const [before = 0, after = before] = numbersOf(own);
    return Math.max(0, size + sign * (before + after));
  });
}

function enlarged(config: unknown, [input]: readonly (Shape | undefined)[]): Shape | undefined {
  return spatial(config, input, (size, index, count) => {
    const factor = each(get(config, "size"), count, 2)[index] ?? 2;
    return typeof size === "number" ? size * factor : null;
  });
}

function resized(config: unknown, [input]: readonly (Shape | undefined)[]): Shape | undefined {
  const sizes = [numberOf(get(config, "height")), numberOf(get(config, "width"))];
  return spatial(config, input, (_, index) => sizes[index] ?? null);
}

/** The name of a function given as text, or as the object Keras 3 writes for its own. */
export function activationOf(value: unknown): string | undefined {
  const text = textOf(value) ?? textOf(get(value, "class_name")) ?? textOf(get(value, "config"));
  return text === undefined || text === "linear" ? undefined : text.slice(0, 80);
}
