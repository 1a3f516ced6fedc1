/**
 * Batching: requests put together along the first dimension, and what came out taken apart again. Whether a model allows it is seen by
 * computing rows alone and together: a model that mixes them, or whose outputs do not carry them, is never batched.
 */

import { CannotError } from "../../base/errors.ts";
import type { Port, Ran } from "../../delegates/delegate.ts";
import {
  elementBytes,
  elementsOver,
  lengthOf,
  numbersOf,
  product,
  type Elements,
  type Value,
} from "../../delegates/value.ts";
import { elementBits } from "../../model/graph.ts";
import { madeUp, mulberry32 } from "../../session/inputs-made.ts";

export type Values = ReadonlyMap<string, Value>;

/** Runs something once. */
export type Run = (inputs: Values) => Promise<Ran>;

/** Of a size that the model leaves open and nobody names. */
const OPEN_SIZE = 4;
/** How far numbers may lie apart that were computed alone and together, by the largest of them: other kernels add in another order. */
const [APART, APART_HALF] = [1e-3, 3e-2];
const SEED = 1;

/** Inputs of so many rows, the same each time for one seed. */
export function makeValues(
  ports: readonly Port[],
  shapes: Readonly<Record<string, readonly number[]>>,
  rows: number | undefined,
  seed = SEED,
): Values {
  const random = mulberry32(seed);
  return new Map(
    ports.map((port) => {
      const shape = (
        shapes[port.name] ?? port.shape.map((size, at) => (typeof size === "number" ? size : at === 0 ? 1 : OPEN_SIZE))
      ).slice();
      if (rows !== undefined && shape.length > 0) shape[0] = rows;
      return [port.name, madeUp(port, shape, random)];
    }),
  );
}

/** Why rows cannot be put together, as far as inputs and outputs tell. */
export function unbatchable(inputs: readonly Port[], outputs: readonly Port[]): string | undefined {
  if (inputs.length === 0 || outputs.length === 0) return "it has no inputs or no outputs";
  for (const [what, ports] of [["input", inputs] as const, ["output", outputs] as const]) {
    for (const { name, type, shape } of ports) {
      const named = `${what} "${name}"`;
      if (shape.length === 0) return `${named} has no first dimension`;
      if (typeof shape[0] === "number") return `the first size of ${named} is fixed: ${shape[0]}`;
      if (elementBytes(type) === undefined) return `${named} is of ${type}`;
      if ((elementBits[type] ?? 8) < 8) return `${named} has elements that share bytes`;
    }
  }
  return undefined;
}

/** Runs two rows alone and together; why they do not agree. Throws what the run of one row throws. */
export async function probeBatch(
  run: Run,
  inputs: readonly Port[],
  shapes: Readonly<Record<string, readonly number[]>>,
): Promise<string | undefined> {
  const both = [makeValues(inputs, shapes, 1, SEED), makeValues(inputs, shapes, 1, SEED + 1)] as const;
  const alone = [await run(both[0]), await run(both[1])] as const;
  let together: Ran;
  try {
    together = await run(combine(both));
  } catch (error) {
    if (!(error instanceof CannotError)) throw error;
    return `two rows cannot be computed together: ${error.message}`;
  }
  for (const [name, { shape }] of together.outputs) {
    if (shape[0] !== 2) return `output "${name}" of two rows has the shape [${shape.join(", ")}]`;
  }
  const parts = split(together.outputs, [1, 1]);
  for (const [at, ran] of alone.entries()) {
    for (const [name, value] of ran.outputs) {
      const part = parts[at]?.get(name);
      if (part === undefined || part.type !== value.type || part.shape.join() !== value.shape.join()) {
        return `output "${name}" of two rows is not what two of one row are`;
      }
      if (!isNear(part, value)) return `output "${name}" of a row depends on the rows beside it`;
    }
  }
  return undefined;
}

/** All of the same types and shapes but for the first size. One copy of each. */
export function combine(all: readonly Values[]): Values {
  const [first = new Map<string, Value>()] = all;
  const combined = new Map<string, Value>();
  for (const [name, { type, shape }] of first) {
    let rows = 0;
    for (const values of all) rows += values.get(name)?.shape[0] ?? 0;
    const whole = [rows, ...shape.slice(1)];
    const data = elementsNew(type, product(whole));
    let at = 0;
    for (const values of all) {
      const part = values.get(name)?.data;
      if (!ArrayBuffer.isView(part)) throw new CannotError(`input "${name}" cannot be put together`);
      (data as Uint8Array).set(part as Uint8Array, at); // both are of the type's own array
      at += part.length;
    }
    combined.set(name, { type, shape: whole, data });
  }
  return combined;
}

/** Views of each part: nothing is copied. Throws CannotError where an output does not carry as many rows. */
export function split(outputs: Values, rows: readonly number[]): Map<string, Value>[] {
  const total = rows.reduce((sum, one) => sum + one, 0);
  const parts = rows.map(() => new Map<string, Value>());
  for (const [name, { type, shape, data }] of outputs) {
    if (shape[0] !== total || !ArrayBuffer.isView(data)) {
      throw new CannotError(`output "${name}" has the shape [${shape.join(", ")}] for ${total} rows`);
    }
    const each = data.length / total;
    const rest = shape.slice(1);
    let at = 0;
    for (const [index, own] of rows.entries()) {
      const part = data.subarray(at, at + own * each);
      at += own * each;
      parts[index]?.set(name, { type, shape: [own, ...rest], data: part });
    }
  }
  return parts;
}

function elementsNew(type: Value["type"], elements: number): Elements {
  const bytes = lengthOf(type, elements) * (elementBytes(type) ?? 0);
  const data = elementsOver(type, new ArrayBuffer(bytes));
  if (data === undefined) throw new CannotError(`${type} is not held here`);
  return data;
}

function isNear(a: Value, b: Value): boolean {
  const [x, y] = [numbersOf(a), numbersOf(b)];
  if (x === undefined || y === undefined) return Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
  const half = a.type === "float16" || a.type === "bfloat16";
  // Rounding may fall to either side of a quantised step.
  const step = a.type.startsWith("float") || a.type.startsWith("bfloat") ? 0 : 1;
  let largest = 0;
  for (let at = 0; at < y.length; at++) largest = Math.max(largest, Math.abs(Number(y[at])));
  const allowed = Math.max(step, (half ? APART_HALF : APART) * (Number.isFinite(largest) ? largest : 1));
  for (let at = 0; at < x.length; at++) {
    const [one, other] = [Number(x[at]), Number(y[at])];
    if (!Object.is(one, other) && !(Math.abs(one - other) <= allowed)) return false;
  }
  return x.length === y.length;
}

const bytesOf = ({ data }: Value): Uint8Array =>
  ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(0);
