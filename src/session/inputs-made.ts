/** Values made from a seed, for inputs that nothing is given for. */

import { CannotError } from "../base/errors.ts";
import type { Port } from "../delegates/delegate.ts";
import { elementsOver, lengthOf, product, type Elements, type Value } from "../delegates/value.ts";

/** Values made for one input. */
export const ELEMENT_LIMIT = 256 * 1024 * 1024;

/** Uniform between 0 and 1, over the whole range for bytes, 0 or 1 for wider integers, which are often indices. */
export function madeUp(port: Port, shape: readonly number[], random: () => number): Value {
  const elements = product(shape);
  if (port.type === "string") {
    checkElements(port, elements);
    return { type: "string", shape, data: Array.from({ length: elements }, () => "") };
  }
  const data = newElements(port, shape);
  const make = makers[port.type] ?? (() => Math.floor(random() * 256));
  fill(data, () => make(random));
  return { type: port.type, shape, data };
}

/** Zeros of an input's type. Throws CannotError for types that are not held and for more than ELEMENT_LIMIT. */
export function newElements(port: Port, shape: readonly number[]): Elements {
  const elements = product(shape);
  checkElements(port, elements);
  const empty = elementsOver(port.type, new ArrayBuffer(0));
  const data =
    empty && elementsOver(port.type, new ArrayBuffer(lengthOf(port.type, elements) * empty.BYTES_PER_ELEMENT));
  if (data === undefined) {
    throw new CannotError(
      `input "${port.name}" is of ${port.type}, for which no values can be made; give it with --input`,
    );
  }
  return data;
}

export function fill(data: Elements, value: (at: number) => number): void {
  for (let at = 0; at < data.length; at++) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[at] = BigInt(value(at));
    else data[at] = value(at);
  }
}

function checkElements({ name }: Port, elements: number): void {
  if (elements > ELEMENT_LIMIT) throw new CannotError(`input "${name}" would have ${elements} elements`);
}

const bit = (random: () => number): number => Math.floor(random() * 2);
const uniform = (random: () => number): number => random();
const makers: Readonly<Partial<Record<string, (random: () => number) => number>>> = {
  float32: uniform,
  float64: uniform,
  // 0x3c00 is 1: fractions of the numbers between 0.5 and 1.
  float16: (random) => 0x3800 + Math.floor(random() * 0x400),
  bfloat16: (random) => 0x3f00 + Math.floor(random() * 0x80),
  int8: (random) => Math.floor(random() * 256) - 128,
  int16: bit,
  uint16: bit,
  int32: bit,
  uint32: bit,
  int64: bit,
  uint64: bit,
  bool: bit,
};

/** Small, the same everywhere; public domain. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
