/** Shapes of what layers of Core ML's neural networks give, where they follow from what goes in. */

import type { Attribute, Dimension } from "../../model/graph.ts";
import { broadcastOf } from "../tensorflow/shapes.ts";

type Shape = readonly Dimension[];
type Attributes = Readonly<Record<string, Attribute>>;

const same: ReadonlySet<string> = new Set(
  (
    "linear ReLU leakyReLU thresholdedReLU PReLU tanh scaledTanh sigmoid sigmoidHard ELU softsign softplus parametricSoftplus batchnorm " +
    "mvn l2normalize softmax softmaxND lrn unary scale bias copy clip ceil floor sign round exp2 sin cos tan asin acos atan sinh cosh " +
    "asinh acosh atanh erf gelu logicalNot layerNormalization clampedReLU cumSum"
  ).split(" "),
);

export function layerShape(
  spelled: string,
  attributes: Attributes,
  inputs: readonly (Shape | undefined)[],
): Shape | undefined {
  const [input] = inputs;
  if (same.has(spelled)) return input;
  switch (spelled) {
    case "convolution":
      return windowed(input, attributes, numberAt(attributes, "outputChannels") ?? null);
    case "pooling":
      return attributes["globalPooling"] === true
        ? input && input.length >= 3
          ? [...input.slice(0, -2), 1, 1]
          : undefined
        : windowed(input, attributes, undefined);
    case "innerProduct":
      return linear(input, numberAt(attributes, "outputChannels") ?? null);
    case "add":
    case "multiply":
    case "average":
    case "max":
    case "min":
      return inputs.reduce((a, b) => (a && b ? broadcastOf(a, b) : undefined));
    case "concat":
      return concatenated(inputs, attributes["sequenceConcat"] === true ? -5 : -3);
    case "concatND":
      return concatenated(inputs, numberAt(attributes, "axis") ?? 0);
    case "flatten":
      return input?.length === 3 ? [product(input), 1, 1] : undefined;
    case "upsample":
      return enlarged(input, attributes);
    case "padding":
      return bordered(input, listAt(attributes, "borders"));
    case "reshapeStatic": {
      const target = listAt(attributes, "targetShape");
      return target.map((size) => (size < 0 ? null : size));
    }
    case "transpose": {
      const axes = listAt(attributes, "axes");
      return input && axes.length === input.length ? axes.map((axis) => input[axis] ?? null) : undefined;
    }
    default:
      return spelled.endsWith("Broadcastable") && inputs.length > 0
        ? inputs.reduce((a, b) => (a && b ? broadcastOf(a, b) : undefined))
        : undefined;
  }
}

const numberAt = (attributes: Attributes, key: string): number | undefined => {
  const value = attributes[key];
  return typeof value === "number" ? value : undefined;
};

const listAt = (attributes: Attributes, key: string): readonly number[] => {
  const value = attributes[key];
  return Array.isArray(value) ? value.filter((one) => typeof one === "number") : [];
};

function product(shape: Shape): Dimension {
  let out = 1;
  for (const size of shape) {
    if (typeof size !== "number") return null;
    out *= size;
  }
  return out;
}

/** Convolution and pooling over the last two dimensions. */
function windowed(
  input: Shape | undefined,
  attributes: Attributes,
  channels: Dimension | undefined,
): Shape | undefined {
  if (input === undefined || input.length < 3) return undefined;
  const kernel = listAt(attributes, "kernelSize");
  const stride = listAt(attributes, "stride");
  const dilation = listAt(attributes, "dilationFactor");
  const pads = listAt(attributes, "borders");
  const transposed = attributes["isDeconvolution"] === true;
  const out = [...input];
  for (const [index, at] of [input.length - 2, input.length - 1].entries()) {
    const size = input[at];
    const step = stride[index] ?? 1;
    const reach = ((kernel[index] ?? 3) - 1) * (dilation[index] ?? 1) + 1;
    const border = (pads[2 * index] ?? 0) + (pads[2 * index + 1] ?? 0);
    if (typeof size !== "number" || step < 1) out[at] = null;
    else if (attributes["padding"] === "same") out[at] = transposed ? size * step : Math.ceil(size / step);
    else if (attributes["padding"] !== "valid") out[at] = null;
    else if (transposed) out[at] = Math.max(0, (size - 1) * step + reach - border);
    else out[at] = Math.max(0, Math.floor((size + border - reach) / step) + 1);
  }
  if (channels !== undefined) out[input.length - 3] = channels;
  return out;
}

/** On vectors kept as [channels, 1, 1], or on the last dimension. */
function linear(input: Shape | undefined, channels: Dimension): Shape | undefined {
  if (input === undefined || input.length === 0) return undefined;
  const vector = input.length >= 3 && input.at(-1) === 1 && input.at(-2) === 1;
  return vector ? [...input.slice(0, -3), channels, 1, 1] : [...input.slice(0, -1), channels];
}

function concatenated(inputs: readonly (Shape | undefined)[], axis: number): Shape | undefined {
  const [first] = inputs;
  if (first === undefined || inputs.some((one) => one?.length !== first.length)) return undefined;
  const at = axis < 0 ? axis + first.length : axis;
  if (at < 0 || at >= first.length) return undefined;
  let sum: Dimension = 0;
  for (const one of inputs) {
    const size: Dimension = one?.[at] ?? null;
    sum = typeof sum === "number" && typeof size === "number" ? sum + size : null;
  }
  return first.map((size, index) => (index === at ? sum : size));
}

function enlarged(input: Shape | undefined, attributes: Attributes): Shape | undefined {
  const factors = listAt(attributes, "scalingFactor");
  if (input === undefined || input.length < 3 || factors.length !== 2) return undefined;
  return input.map((size, at) => {
    const factor = factors[at - input.length + 2];
    return factor === undefined ? size : typeof size === "number" ? size * factor : null;
  });
}

function bordered(input: Shape | undefined, borders: readonly number[]): Shape | undefined {
  if (input === undefined || input.length < 3 || borders.length !== 4) return undefined;
  return input.map((size, at) => {
    const index = at - input.length + 2;
    return index < 0
      ? size
      : typeof size === "number"
        ? size + (borders[2 * index] ?? 0) + (borders[2 * index + 1] ?? 0)
        : null;
  });
}
