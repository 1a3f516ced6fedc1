/**
 * What lies under Layers: tensors and operators of a graph in the making, in one of two dialects: ONNX (opset 20, channels second) and
 * TFLite (channels last). Constants have types, shapes and sizes and no data; int8 puts scales on everything that has them in files.
 */

import { CannotError } from "../base/errors.ts";
import {
  bytesOf,
  SMALL,
  model,
  type Attribute,
  type ElementType,
  type Model,
  type Node,
  type Quantization,
  type Tensor,
} from "../model/graph.ts";
import { sharedOp } from "../model/ops.ts";
import type { BuildOptions } from "./known.ts";

/** A tensor on its way through the layers. An image's shape is told as [batch, channels, ...sizes] in either dialect. */
export interface Value {
  readonly tensor: number;
  readonly shape: readonly number[];
  readonly image: boolean;
}

export type Dialect = "onnx" | "tflite";

const integers: ReadonlySet<ElementType> = new Set(["int64", "int32", "bool"]);

export class GraphBuilder {
  readonly name: string;
  readonly dialect: Dialect;
  readonly batch: number;
  protected readonly type: "float32" | "float16" | "int8";
  readonly #tensors: Tensor[] = [];
  readonly #nodes: Node[] = [];
  readonly #inputs: number[] = [];
  readonly #shared = new Map<string, readonly number[]>();
  readonly #scales = new Map<number, Quantization>();

  constructor(name: string, options: BuildOptions = {}) {
    this.name = name;
    this.dialect = options.dialect ?? "onnx";
    this.batch = options.batch ?? 1;
    this.type = options.precision ?? "float32";
  }

  protected get tflite(): boolean {
    return this.dialect === "tflite";
  }

  /** How many there are by now: names that nobody has yet. */
  protected get operators(): number {
    return this.#nodes.length;
  }

  protected get tensors(): number {
    return this.#tensors.length;
  }

  finish(...outputs: readonly Value[]): Model {
    const graph = {
      name: this.name,
      tensors: this.#tensors,
      nodes: this.#nodes,
      inputs: this.#inputs,
      outputs: outputs.map((value) => value.tensor),
    };
    return model(this.dialect, {
      sealed: false,
      graphs: [graph],
      main: 0,
      metadata: this.tflite ? {} : { "opset ai.onnx": "20" },
    });
  }

  protected spell([onnx, tflite]: readonly [string, string]): string {
    return this.tflite ? tflite : onnx;
  }

  protected misfit(what: string, values: readonly Value[]): CannotError {
    return new CannotError(
      `${this.name}: cannot ${what} ${values.map((value) => value.shape.join("x")).join(" and ")}; is the input size one it takes?`,
    );
  }

  protected entry(name: string, shape: readonly number[], image: boolean, type: ElementType): Value {
    const tensor = this.#tensor(name, this.stored(shape, image), type);
    this.#inputs.push(tensor);
    return { tensor, shape, image };
  }

  /** As the dialect keeps it. */
  protected stored(shape: readonly number[], image: boolean): readonly number[] {
    return image && this.tflite && shape.length > 2 ? [at(shape, 0), ...shape.slice(2), at(shape, 1)] : shape;
  }

  protected axis(axis: number, x: Value): number {
    if (!this.tflite || !x.image || axis === 0) return axis;
    return axis === 1 ? x.shape.length - 1 : axis - 1;
  }

  #tensor(name: string, shape: readonly number[], type: ElementType): number {
    const quantization = type === "int8" ? this.#perTensor() : undefined;
    this.#tensors.push({ name, type, shape, ...(quantization ? { quantization } : {}) });
    return this.#tensors.length - 1;
  }

  protected constant(name: string, shape: readonly number[], type: ElementType = this.type, axis?: number): number {
    const integer = integers.has(type);
    const quantization =
      this.type !== "int8" || integer
        ? undefined
        : axis === undefined
          ? this.#perTensor()
          : this.#perChannel(axis, at(shape, axis));
    const data = { bytes: bytesOf({ shape, type }) ?? 0 };
    this.#tensors.push({ name, type, shape, data, ...(quantization ? { quantization } : {}) });
    return this.#tensors.length - 1;
  }

  /** Axes, sizes, bounds: operators are judged by what stands in them. */
  protected numbers(word: string, values: readonly number[], shape: readonly number[] = [values.length]): number {
    const tensor = this.constant(`${word}_${this.operators}`, shape, this.tflite ? "int32" : "int64");
    return this.#say(tensor, values);
  }

  /** One number of the types that the model computes in. */
  protected number(word: string, value: number): number {
    return this.#say(this.constant(`${word}_${this.operators}`, []), [value]);
  }

  #say(tensor: number, values: readonly number[]): number {
    const told = this.#tensors[tensor];
    if (told !== undefined && values.length <= SMALL) this.#tensors[tensor] = { ...told, values };
    return tensor;
  }

  /** No scale is known without weights: these say that there is one. */
  #perTensor(): Quantization {
    let held = this.#scales.get(0);
    if (held === undefined) this.#scales.set(0, (held = { scale: [1 / 128], zeroPoint: [0] }));
    return held;
  }

  #perChannel(axis: number, channels: number): Quantization {
    const key = 1 + axis + 8 * channels;
    let held = this.#scales.get(key);
    if (held === undefined) {
      const scale = new Array<number>(channels).fill(1 / 128);
      this.#scales.set(key, (held = { scale, zeroPoint: channels > 1 ? [] : [0], axis }));
    }
    return held;
  }

  /** Weights and, unless there is none, bias: int32 where the rest is int8. */
  protected parameters(
    word: string,
    share: string | undefined,
    shape: readonly number[],
    filters: number,
    bias: boolean,
    axis: number | undefined,
  ): readonly number[] {
    const held = share === undefined ? undefined : this.#shared.get(share);
    if (held !== undefined) return held;
    const name = share ?? `${word}_${this.#nodes.length}`;
    const out = [this.constant(`${name}.weight`, shape, this.type, axis)];
    if (bias) {
      const at = this.constant(`${name}.bias`, [filters], this.type === "int8" ? "int32" : this.type);
      const tensor = this.#tensors[at];
      if (this.type === "int8" && tensor)
        this.#tensors[at] = { ...tensor, quantization: this.#perChannel(0, axis === undefined ? 1 : filters) };
      out.push(at);
    }
    if (share !== undefined) this.#shared.set(share, out);
    return out;
  }

  protected emit(
    spelled: string,
    inputs: readonly number[],
    shape: readonly number[],
    attributes: Readonly<Record<string, Attribute>>,
    image: boolean,
    type?: ElementType,
  ): Value {
    const [out] = this.emitAll(spelled, inputs, [shape], attributes, image, type);
    return out as Value; // as many as shapes
  }

  protected emitAll(
    spelled: string,
    inputs: readonly number[],
    shapes: readonly (readonly number[])[],
    attributes: Readonly<Record<string, Attribute>>,
    image: boolean,
    type?: ElementType,
  ): Value[] {
    const name = `${spelled}_${this.#nodes.length}`;
    const values = shapes.map((shape, i) => {
      if (shape.some((size) => !Number.isInteger(size) || size < 1))
        throw new CannotError(
          `${this.name}: ${spelled} would give ${shape.join("x")}; the input is too small or no multiple of what it is divided by`,
        );
      return {
        tensor: this.#tensor(i === 0 ? name : `${name}:${i}`, this.stored(shape, image), type ?? this.type),
        shape,
        image,
      };
    });
    const op = sharedOp(this.dialect, spelled);
    this.#nodes.push({
      name,
      spelled,
      ...(op === undefined ? {} : { op }),
      inputs,
      outputs: values.map((value) => value.tensor),
      attributes,
    });
    return values;
  }
}

/** Of a list that has it; from its end for a negative index. */
export function at(list: readonly number[], index: number): number {
  const value = list[index < 0 ? index + list.length : index];
  if (value === undefined) throw new RangeError(`no dimension ${index} of ${list.join("x")}`);
  return value;
}

export const product = (list: readonly number[]): number => list.reduce((all, size) => all * size, 1);
