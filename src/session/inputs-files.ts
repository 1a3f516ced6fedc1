/** Values from files: NumPy, ONNX TensorProto, JSON, text, raw bytes; and as the type and shape that an input has. */

import { utf8 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import type { Port } from "../delegates/delegate.ts";
import { elementsOver, lengthOf, numbersOf, product, type Value } from "../delegates/value.ts";
import { modelFileOf } from "../formats/file.ts";
import { readZip, unpack } from "../formats/wire/zip.ts";
import { ELEMENT_LIMIT, fill, newElements } from "./inputs-made.ts";
import { isNpy, readNpy } from "./npy.ts";
import { integers, isFloat, storer } from "./store.ts";
import { readWholeFile } from "./read-file.ts";
import { readTensorProto } from "./tensor-proto.ts";

/** A larger input is no input: 4K video frames as float32 have 100 MB. */
const FILE_LIMIT = 1024 * 1024 * 1024;

export const readBytes = (path: string): Uint8Array => readWholeFile(path, FILE_LIMIT);

/** .npz: arrays by name, as numpy.savez writes them. */
export function readNpz(bytes: Uint8Array, path: string): Map<string, Value> {
  const file = modelFileOf(bytes, path);
  const out = new Map<string, Value>();
  for (const entry of readZip(file).entries) {
    const value = readNpy(unpack(file, entry, FILE_LIMIT), `${path}: ${entry.name}`);
    out.set(entry.name.replace(/\.npy$/, ""), value);
  }
  return out;
}

/** By what the bytes are, then by the name's end. */
export function readValue(
  bytes: Uint8Array,
  path: string,
  port: Port,
  shape: readonly number[],
  assumed: string[],
): Value {
  if (isNpy(bytes)) return fitted(readNpy(bytes, path), path, port, assumed);
  if (path.endsWith(".pb")) return fitted(readTensorProto(bytes, path), path, port, assumed);
  if (path.endsWith(".json")) return fitted(fromJson(parseJson(bytes, path), path, port, assumed), path, port, assumed);
  if (port.type === "string") return fitted(fromText(bytes, port, assumed), path, port, assumed);
  return fromRaw(bytes, path, port, shape);
}

/** The value in the input's type and shape. What had to be converted is told; what cannot be is a FileError. */
export function fitted(given: Value, path: string, port: Port, assumed: string[]): Value {
  const value = given.type === port.type ? given : converted(given, path, port, assumed);
  const same =
    value.shape.length === port.shape.length &&
    port.shape.every((size, at) => typeof size !== "number" || size === value.shape[at]);
  if (same) return value;
  // A batch of one, written or not.
  const long = (sizes: readonly unknown[]): string => sizes.filter((size) => size !== 1).join();
  const own = port.shape.map((size) => (typeof size === "number" ? size : 1));
  if (long(own) === long(value.shape)) {
    assumed.push(`${port.name}: [${value.shape.join(", ")}] taken as [${own.join(", ")}]`);
    return { ...value, shape: own };
  }
  const wants = port.shape.map((size) => String(size ?? "?")).join(", ");
  throw new FileError(path, `its shape is [${value.shape.join(", ")}], and input "${port.name}" wants [${wants}]`);
}

function converted(given: Value, path: string, port: Port, assumed: string[]): Value {
  const numbers = numbersOf(given);
  const store = storer(port);
  const refuse = (): never => {
    throw new FileError(path, `it holds ${given.type}, and input "${port.name}" wants ${port.type}`);
  };
  if (numbers === undefined || store === undefined || given.type === "bool") return refuse();
  const float = isFloat(given.type);
  const quantised = float && port.quantization !== undefined && !isFloat(port.type);
  const rounded = float && isFloat(port.type);
  const range = integers[port.type];
  const whole = !float && range !== undefined;
  if (!quantised && !rounded && !whole) return refuse();
  const data = newElements(port, given.shape);
  if (whole) {
    for (let at = 0; at < numbers.length; at++) {
      const number = numbers[at] ?? 0;
      if (number < range[0] || number > range[1])
        throw new FileError(path, `it holds ${number}, which is no ${port.type}`);
    }
    fill(data, (at) => Number(numbers[at]));
    assumed.push(`${port.name}: ${given.type} as ${port.type}`);
  } else {
    if (quantised) checkReal(numbers, path);
    fill(data, (at) => store(Number(numbers[at])));
    assumed.push(quantised ? quantisedSays(port, given.type) : `${port.name}: ${given.type} rounded to ${port.type}`);
  }
  return { type: port.type, shape: given.shape, data };
}

function checkReal(numbers: ArrayLike<number | bigint>, path: string): void {
  for (let at = 0; at < numbers.length; at++) {
    if (Number.isNaN(Number(numbers[at])))
      throw new FileError(path, `element ${at} is no number, which cannot be quantised`);
  }
}

function quantisedSays({ name, type, quantization }: Port, from: string): string {
  const { scale, zero } = quantization ?? { scale: 1, zero: 0 };
  return `${name}: ${from} quantised to ${type} with scale ${String(scale)} and zero point ${zero}`;
}

function fromRaw(bytes: Uint8Array, path: string, port: Port, shape: readonly number[]): Value {
  const own = elementsOver(port.type, new ArrayBuffer(0));
  if (own === undefined) throw new FileError(path, `input "${port.name}" is of ${port.type}; give it as .json`);
  const size = lengthOf(port.type, product(shape)) * own.BYTES_PER_ELEMENT;
  if (bytes.length !== size) {
    throw new FileError(
      path,
      `${bytes.length} raw bytes; ${port.type} [${shape.join(", ")}] of input "${port.name}" has ${size}`,
    );
  }
  return { type: port.type, shape, data: elementsOver(port.type, new Uint8Array(bytes).buffer) ?? own };
}

/** One text, or one for each line where the input has room for as many. */
function fromText(bytes: Uint8Array, port: Port, assumed: string[]): Value {
  const text = utf8(bytes).replace(/\r?\n$/, "");
  const room = product(port.shape.map((size) => (typeof size === "number" ? size : 1)));
  const own = port.shape.map((size) => (typeof size === "number" ? size : 1));
  if (room === 1) return { type: "string", shape: own, data: [text] };
  const lines = text.split(/\r?\n/);
  assumed.push(`${port.name}: a text for each of ${lines.length} lines`);
  return { type: "string", shape: lines.length === room ? own : [lines.length], data: lines };
}

export function parseJson(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(utf8(bytes)) as unknown;
  } catch (cause) {
    throw new FileError(path, "it is no JSON", 0, { cause });
  }
}

/** Nested arrays, as deep as the input has dimensions. */
export function fromJson(value: unknown, path: string, port: Port, assumed: string[]): Value {
  const shape: number[] = [];
  for (let inner = value; Array.isArray(inner) && shape.length < 64; inner = inner[0] as unknown)
    shape.push(inner.length);
  const flat = Array.isArray(value) ? (value.flat(64) as unknown[]) : [value];
  if (flat.length > ELEMENT_LIMIT || flat.length !== product(shape)) {
    throw new FileError(path, "its rows differ in length");
  }
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
  const numbers = flat.map(Number);
  // Beyond 2^53 JSON's numbers are rounded before they come here.
  const whole = numbers.every((one) => Number.isSafeInteger(one));
  if (!whole && !isFloat(port.type) && port.quantization !== undefined) {
    return { type: "float64", shape, data: Float64Array.from(numbers) };
  }
  if (!whole && !isFloat(port.type)) throw new FileError(path, `it holds what is no ${port.type}`);
  const filled = newElements(port, shape);
  fill(filled, (at) => numbers[at] ?? 0);
  if (!isFloat(port.type)) {
    const wrong = numbers.find((one, at) => Number(filled[at]) !== one || (port.type === "bool" && one > 1));
    if (wrong !== undefined) throw new FileError(path, `${wrong} is no ${port.type}`);
    if (port.quantization !== undefined)
      assumed.push(`${port.name}: whole numbers, taken as ${port.type} and not quantised`);
  }
  return { type: port.type, shape, data: filled };
}
