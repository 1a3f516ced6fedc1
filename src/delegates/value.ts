/** Values: what goes into a model and comes out of it. Dense, row-major, in memory of this process. */

import { CannotError } from "../base/errors.ts";
import { bfloat16, float16 } from "../base/float16.ts";
import { elementBits, type ElementType } from "../model/graph.ts";
import type { Port } from "./delegate.ts";

/** Arrays that hold elements; float16, bfloat16 and float8 as their bits, bool as bytes of 0 and 1. */
export type Elements =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

export interface Value {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** As many as the shape's product, of types below a byte packed as they lie in memory (low bits first); texts of a string tensor. */
  readonly data: Elements | readonly string[];
}

interface ElementsOf {
  new (buffer: ArrayBuffer, offset?: number, length?: number): Elements;
  readonly BYTES_PER_ELEMENT: number;
}

const holders: Readonly<Partial<Record<ElementType, ElementsOf>>> = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  float8e4m3fn: Uint8Array,
  float8e4m3fnuz: Uint8Array,
  float8e5m2: Uint8Array,
  float8e5m2fnuz: Uint8Array,
  uint4: Uint8Array,
  int4: Uint8Array,
  float4e2m1: Uint8Array,
};

/** How long the array of so many elements is: fewer bytes than elements where two share one. */
export function lengthOf(type: ElementType, elements: number): number {
  const bits = elementBits[type] ?? 8;
  return bits < 8 ? Math.ceil((elements * bits) / 8) : elements;
}

/** Bytes of one element of the array that holds a type; undefined for types that are not held (strings, complex numbers). */
export const elementBytes = (type: ElementType): number | undefined => holders[type]?.BYTES_PER_ELEMENT;

/** Elements of a type over `buffer` or a part of it; undefined for types that are not held (strings, complex numbers). */
export function elementsOver(
  type: ElementType,
  buffer: ArrayBuffer,
  offset?: number,
  length?: number,
): Elements | undefined {
  const Holder = holders[type];
  return Holder === undefined ? undefined : new Holder(buffer, offset, length);
}

/** Bytes of a tensor; undefined for types that are not held (strings, complex numbers). */
export function bytesOf(type: ElementType, shape: readonly number[]): number | undefined {
  const Holder = holders[type];
  const elements = shape.reduce((product, size) => product * size, 1);
  return Holder === undefined ? undefined : lengthOf(type, elements) * Holder.BYTES_PER_ELEMENT;
}

export interface Given {
  readonly port: Port;
  readonly value: Value;
  /** Its data, in memory that stays where it is. */
  readonly bytes: Uint8Array;
}

/**
 * The values of a run in the order of the ports, for libraries that take memory as it is told to them: what is missing, of another type
 * or not as long as its shape says is a CannotError.
 */
export function givenFor(ports: readonly Port[], values: ReadonlyMap<string, Value>): Given[] {
  for (const name of values.keys()) {
    if (!ports.some((port) => port.name === name)) throw new CannotError(`the model has no input "${name}"`);
  }
  return ports.map((port) => {
    const value = values.get(port.name);
    if (value === undefined) throw new CannotError(`input "${port.name}" is not given`);
    const { type, shape, data } = value;
    if (port.type !== type) throw new CannotError(`input "${port.name}" is of ${port.type}; ${type} is given`);
    const needed = bytesOf(type, shape);
    if (needed === undefined || !ArrayBuffer.isView(data)) {
      throw new CannotError(`input "${port.name}" is of ${type}, which is not given to this runtime`);
    }
    if (data.byteLength !== needed) {
      const own = needed / data.BYTES_PER_ELEMENT;
      throw new CannotError(
        `input "${port.name}": ${type} [${shape.join(", ")}] needs ${own} elements, ${data.length} are given`,
      );
    }
    // Asking for .buffer moves a small array out of V8's heap, where it would not stay in its place.
    return { port, value, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  });
}

/** Numbers of a value one by one; undefined for strings and for types below 16 bits that are no integers of a byte. */
export function numbersOf({ type, data }: Value): ArrayLike<number | bigint> | undefined {
  if (!ArrayBuffer.isView(data) || type.startsWith("float8") || (elementBits[type] ?? 8) < 8) return undefined;
  if (type === "float16") return Float32Array.from(data as Uint16Array, float16);
  if (type === "bfloat16") return Float32Array.from(data as Uint16Array, bfloat16);
  return data;
}

/** How many elements a shape has; 1 of a scalar. */
export const product = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);
