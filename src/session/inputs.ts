/** What a model is given: files the user names, or values made from a seed. What had to be assumed is told. */

import { readFileSync, statSync } from "node:fs";
import { CannotError, FileError, UsageError } from "../base/errors.ts";
import { utf8 } from "../base/bytes.ts";
import type { Port } from "../delegates/delegate.ts";
import { elementsOver, lengthOf, type Elements, type Value } from "../delegates/value.ts";
import { isNpy, readNpy } from "./npy.ts";
import { readTensorProto } from "./tensor-proto.ts";

/** A larger input is no input: 4K video frames as float32 have 100 MB. */
const FILE_LIMIT = 1024 * 1024 * 1024;
/** Values made for one input. */
const ELEMENT_LIMIT = 256 * 1024 * 1024;

export interface Given {
  readonly values: ReadonlyMap<string, Value>;
  /** A sentence for each thing that neither the model nor the user said. */
  readonly assumed: readonly string[];
}

export interface InputOptions {
  /** Input name to file: .npy, .pb (TensorProto), .json (nested numbers), else raw bytes of the input's type and shape. */
  readonly files: ReadonlyMap<string, string>;
  /** Input name to shape, where the model leaves dimensions open. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly seed: number;
}

/** Throws UsageError (no such input, shape), FileError (a file is not what it should be), CannotError (it is not there). */
// eslint-disable-next-line @typescript-eslint/require-await -- pictures are decoded asynchronously where a library does it
export async function makeInputs(ports: readonly Port[], { files, shapes, seed }: InputOptions): Promise<Given> {
  for (const name of [...files.keys(), ...shapes.keys()]) {
    if (!ports.some((port) => port.name === name)) {
      throw new UsageError(`the model has no input "${name}"; it has ${ports.map((port) => port.name).join(", ")}`);
    }
  }
  const random = mulberry32(seed);
  const assumed: string[] = [];
  const values = new Map<string, Value>();
  for (const port of ports) {
    const shape = closed(port, shapes.get(port.name), files.has(port.name) ? [] : assumed);
    const path = files.get(port.name);
    if (path !== undefined) values.set(port.name, readInput(path, port, shape));
    else {
      values.set(port.name, madeUp(port, shape, random));
      assumed.push(`${port.name}: values made from seed ${seed}`);
    }
  }
  return { values, assumed };
}

function closed(port: Port, wanted: readonly number[] | undefined, assumed: string[]): number[] {
  if (wanted !== undefined) {
    const wrong =
      wanted.length !== port.shape.length ||
      port.shape.some((size, at) => typeof size === "number" && size !== wanted[at]);
    if (wrong) {
      const own = port.shape.map((size) => String(size ?? "?")).join(", ");
      throw new UsageError(`input "${port.name}" has the shape [${own}], not [${wanted.join(", ")}]`);
    }
    return [...wanted];
  }
  const open = port.shape.filter((size) => typeof size !== "number");
  if (open.length > 0) {
    const names = open.map((size) => size ?? "?").join(", ");
    assumed.push(`${port.name}: 1 for what its shape leaves open (${names})`);
  }
  return port.shape.map((size) => (typeof size === "number" ? size : 1));
}

function readInput(path: string, port: Port, shape: readonly number[]): Value {
  let bytes: Uint8Array;
  try {
    if (statSync(path).size > FILE_LIMIT) throw new FileError(path, `larger than ${FILE_LIMIT} bytes`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof FileError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new CannotError(`${path}: ${code === "ENOENT" ? "no such file" : code}`, { cause: error });
  }
  const value = isNpy(bytes)
    ? readNpy(bytes, path)
    : path.endsWith(".pb")
      ? readTensorProto(bytes, path)
      : path.endsWith(".json")
        ? fromJson(bytes, path, port)
        : fromRaw(bytes, path, port, shape);
  if (value.type !== port.type) {
    throw new FileError(path, `it holds ${value.type}, and input "${port.name}" wants ${port.type}`);
  }
  const fits =
    value.shape.length === port.shape.length &&
    port.shape.every((size, at) => typeof size !== "number" || size === value.shape[at]);
  if (!fits) {
    const own = port.shape.map((size) => String(size ?? "?")).join(", ");
    throw new FileError(path, `its shape is [${value.shape.join(", ")}], and input "${port.name}" wants [${own}]`);
  }
  return value;
}

function fromRaw(bytes: Uint8Array, path: string, port: Port, shape: readonly number[]): Value {
  const length = lengthOf(port.type, product(shape));
  const own = elementsOver(port.type, new ArrayBuffer(0));
  if (own === undefined) throw new FileError(path, `input "${port.name}" is of ${port.type}; give it as .json`);
  if (bytes.length !== length * own.BYTES_PER_ELEMENT) {
    throw new FileError(
      path,
      `${bytes.length} raw bytes; ${port.type} [${shape.join(", ")}] of input "${port.name}" has ${length * own.BYTES_PER_ELEMENT}`,
    );
  }
  return { type: port.type, shape, data: elementsOver(port.type, new Uint8Array(bytes).buffer) ?? own };
}

/** Nested arrays, as deep as the input has dimensions. */
function fromJson(bytes: Uint8Array, path: string, port: Port): Value {
  let value: unknown;
  try {
    value = JSON.parse(utf8(bytes));
  } catch (cause) {
    throw new FileError(path, "it is no JSON", 0, { cause });
  }
  const shape: number[] = [];
  for (let inner = value; Array.isArray(inner) && shape.length < 64; inner = inner[0] as unknown)
    shape.push(inner.length);
  const flat = Array.isArray(value) ? (value.flat(64) as unknown[]) : [value];
  if (flat.length !== product(shape)) throw new FileError(path, "its rows differ in length");
  if (port.type === "string") {
    if (!flat.every((one) => typeof one === "string")) throw new FileError(path, "it holds more than texts");
    return { type: "string", shape, data: flat };
  }
  const data = elementsOver(port.type, new ArrayBuffer(0));
  if (data === undefined || lengthOf(port.type, 2) !== 2 || /^(?:b?float16|float8)/.test(port.type)) {
    throw new FileError(path, `input "${port.name}" is of ${port.type}; give it as .npy or raw`);
  }
  if (!flat.every((one) => typeof one === "number" || typeof one === "boolean")) {
    throw new FileError(path, "it holds more than numbers");
  }
  const filled = elementsOver(port.type, new ArrayBuffer(flat.length * data.BYTES_PER_ELEMENT)) ?? data;
  const numbers = flat.map(Number);
  // Beyond 2^53 JSON's numbers are rounded before they come here.
  const whole = numbers.every((one) => Number.isSafeInteger(one));
  if (!port.type.startsWith("float") && !whole) throw new FileError(path, `it holds what is no ${port.type}`);
  fill(filled, (at) => numbers[at] ?? 0);
  if (!port.type.startsWith("float")) {
    const wrong = numbers.find((one, at) => Number(filled[at]) !== one || (port.type === "bool" && one > 1));
    if (wrong !== undefined) throw new FileError(path, `${wrong} is no ${port.type}`);
  }
  return { type: port.type, shape, data: filled };
}

/** Uniform between 0 and 1, over the whole range for bytes, 0 or 1 for wider integers, which are often indices. */
function madeUp(port: Port, shape: readonly number[], random: () => number): Value {
  const elements = product(shape);
  if (elements > ELEMENT_LIMIT) throw new CannotError(`input "${port.name}" would have ${elements} elements`);
  if (port.type === "string") return { type: "string", shape, data: Array.from({ length: elements }, () => "") };
  const length = lengthOf(port.type, elements);
  const own = elementsOver(port.type, new ArrayBuffer(0));
  if (own === undefined) {
    throw new CannotError(
      `input "${port.name}" is of ${port.type}, for which no values can be made; give it with --input`,
    );
  }
  const data = elementsOver(port.type, new ArrayBuffer(length * own.BYTES_PER_ELEMENT)) ?? own;
  const make = makers[port.type] ?? (() => Math.floor(random() * 256));
  fill(data, () => make(random));
  return { type: port.type, shape, data };
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

function fill(data: Elements, value: (at: number) => number): void {
  for (let at = 0; at < data.length; at++) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[at] = BigInt(value(at));
    else data[at] = value(at);
  }
}

const product = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);

/** Small, the same everywhere; public domain. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
