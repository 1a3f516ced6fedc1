/**
 * Networks as ONNX files, layer by layer: input, weights, operators, output and no value_info, so that every shape between has to be
 * worked out. Weights lie in a file that is not there: their shapes are all that counting needs.
 */

import { bytes, concat, float, int, message, packed, type Piece } from "../../support/protobuf.ts";

const FLOAT = 1;
const INT64 = 7;

export type Value = string;
type Attribute = number | readonly number[] | string | { readonly float: number };

const named = (name: string, attribute: Attribute): Piece => {
  if (typeof attribute === "number") return message(5, bytes(1, name), int(3, attribute), int(20, 2));
  if (typeof attribute === "string") return message(5, bytes(1, name), bytes(4, attribute), int(20, 3));
  if ("float" in attribute) return message(5, bytes(1, name), float(2, attribute.float), int(20, 1));
  return message(5, bytes(1, name), packed(8, attribute), int(20, 7));
};

const valueInfo = (field: number, name: string, shape: readonly (number | string)[] | undefined, type = FLOAT): Piece =>
  message(
    field,
    bytes(1, name),
    message(
      2,
      message(
        1,
        int(1, type),
        ...(shape === undefined
          ? []
          : [message(2, ...shape.map((size) => message(1, typeof size === "number" ? int(1, size) : bytes(2, size))))]),
      ),
    ),
  );

export class Net {
  readonly #nodes: Piece[] = [];
  readonly #initializers: Piece[] = [];
  readonly #inputs: Piece[] = [];
  readonly #opset: number;
  #count = 0;
  #offset = 0;

  constructor(opset = 17) {
    this.#opset = opset;
  }

  input(name: string, shape: readonly (number | string)[], type = FLOAT): Value {
    this.#inputs.push(valueInfo(11, name, shape, type));
    return name;
  }

  /** Weights of a shape. */
  weights(...shape: number[]): Value {
    const name = `w${this.#count++}`;
    const size = shape.reduce((product, one) => product * one, 4);
    const entry = (key: string, value: string): Piece => message(13, bytes(1, key), bytes(2, value));
    this.#initializers.push(
      message(
        5,
        packed(1, shape),
        int(2, FLOAT),
        bytes(8, name),
        entry("location", "w.bin"),
        entry("offset", String(this.#offset)),
        entry("length", String(size)),
        int(14, 1),
      ),
    );
    this.#offset += size;
    return name;
  }

  /** Integers an operator takes as an input: a shape, axes, sizes. */
  ints(...values: number[]): Value {
    const name = `i${this.#count++}`;
    this.#initializers.push(message(5, packed(1, [values.length]), int(2, INT64), packed(7, values), bytes(8, name)));
    return name;
  }

  floats(...values: number[]): Value {
    const name = `f${this.#count++}`;
    const raw = Buffer.from(Float32Array.from(values).buffer);
    this.#initializers.push(message(5, packed(1, [values.length]), int(2, FLOAT), bytes(8, name), bytes(9, raw)));
    return name;
  }

  op(
    operator: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = "",
  ): Value {
    return this.ops(operator, inputs, 1, attributes, domain)[0] ?? "";
  }

  ops(
    operator: string,
    inputs: readonly Value[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = "",
  ): Value[] {
    const given = Array.from({ length: outputs }, () => `t${this.#count++}`);
    this.#nodes.push(
      message(
        1,
        ...inputs.map((name) => bytes(1, name)),
        ...given.map((name) => bytes(2, name)),
        bytes(4, operator),
        ...Object.entries(attributes).map(([name, value]) => named(name, value)),
        ...(domain === "" ? [] : [bytes(7, domain)]),
      ),
    );
    return given;
  }

  /** Convolution with bias, the normalisation folded into it. */
  conv(
    x: Value,
    [from, to]: readonly [number, number],
    kernel: number,
    { stride = 1, group = 1, bias = true, pad = (kernel - 1) >> 1, dilation = 1 } = {},
  ): Value {
    const inputs = [x, this.weights(to, from / group, kernel, kernel), ...(bias ? [this.weights(to)] : [])];
    return this.op("Conv", inputs, {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      dilations: [dilation, dilation],
      group,
    });
  }

  /** x times a matrix, plus a bias. */
  linear(x: Value, from: number, to: number): Value {
    return this.op("Add", [this.op("MatMul", [x, this.weights(from, to)]), this.weights(to)]);
  }

  file(...outputs: readonly Value[]): Uint8Array {
    return concat([
      int(1, 10),
      bytes(2, "made in code"),
      message(
        7,
        ...this.#nodes,
        bytes(2, "net"),
        ...this.#initializers,
        ...this.#inputs,
        ...outputs.map((name) => valueInfo(12, name, undefined)),
      ),
      message(8, bytes(1, ""), int(2, this.#opset)),
      message(8, bytes(1, "com.microsoft"), int(2, 1)),
    ]);
  }
}
