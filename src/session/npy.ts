/** NumPy's .npy: one array of one type. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */

import { FileError } from "../base/errors.ts";
import { latin1 } from "../base/bytes.ts";
import { elementBits, type ElementType } from "../model/graph.ts";
import { elementsOver, type Value } from "../delegates/value.ts";

const MAGIC = "\x93NUMPY";
/** Headers hold a type and a shape. */
const HEADER_LIMIT = 64 * 1024;
const RANK_LIMIT = 64;

/** NumPy's words for types, of either byte order mark; big-endian arrays are refused. */
const types: Readonly<Record<string, ElementType>> = {
  f8: "float64",
  f4: "float32",
  f2: "float16",
  i8: "int64",
  i4: "int32",
  i2: "int16",
  i1: "int8",
  u8: "uint64",
  u4: "uint32",
  u2: "uint16",
  u1: "uint8",
  b1: "bool",
};

export const isNpy = (bytes: Uint8Array): boolean => latin1(bytes.subarray(0, 6)) === MAGIC;

/** Throws FileError with the offset for what is no array of plain numbers in row-major order. */
export function readNpy(bytes: Uint8Array, name: string): Value {
  if (!isNpy(bytes)) throw new FileError(name, "no NumPy array begins here", 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = bytes[6] ?? 0;
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) throw new FileError(name, "the header is cut short", bytes.length);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > HEADER_LIMIT || start + length > bytes.length) throw new FileError(name, "the header is cut short", 8);
  const header = latin1(bytes.subarray(start, start + length));
  const descr = /'descr':\s*'([<>|=]?)([a-z]\d+)'/.exec(header);
  const dims = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  const type = descr && Object.hasOwn(types, descr[2] ?? "") ? types[descr[2] ?? ""] : undefined;
  if (type === undefined || dims === undefined) throw new FileError(name, "its type is no plain number", start);
  if (descr?.[1] === ">") throw new FileError(name, "it is big-endian, which is not read", start);
  if (/'fortran_order':\s*True/.test(header))
    throw new FileError(name, "it is in Fortran order, which is not read", start);
  const shape = dims
    .split(",")
    .filter((word) => word.trim() !== "")
    .map(Number);
  if (shape.length > RANK_LIMIT) throw new FileError(name, `it has ${shape.length} dimensions`, start);
  const elements = shape.reduce((product, size) => product * size, 1);
  const size = (elements * (elementBits[type] ?? 8)) / 8;
  if (start + length + size !== bytes.length) {
    throw new FileError(
      name,
      `${type} [${shape.join(", ")}] needs ${size} bytes, ${bytes.length - start - length} follow`,
      start + length,
    );
  }
  const data = elementsOver(type, new Uint8Array(bytes.subarray(start + length)).buffer);
  if (data === undefined) throw new FileError(name, `${type} is not read`, start);
  return { type, shape, data };
}

/** Version 1.0, little-endian, row-major. Undefined for types NumPy has no word for. */
export function writeNpy({ type, shape, data }: Value): Uint8Array | undefined {
  const word = Object.entries(types).find(([, own]) => own === type)?.[0];
  if (word === undefined || !ArrayBuffer.isView(data)) return undefined;
  const dims = shape.length === 1 ? `${shape[0] ?? 0},` : shape.join(", ");
  const order = word.endsWith("1") ? "|" : "<";
  const text = `{'descr': '${order}${word}', 'fortran_order': False, 'shape': (${dims}), }`;
  const padded = text.padEnd(Math.ceil((10 + text.length + 1) / 64) * 64 - 11, " ");
  const head = Buffer.alloc(10);
  head.write(MAGIC, "latin1");
  head[6] = 1;
  head.writeUInt16LE(padded.length + 1, 8);
  return Buffer.concat([
    head,
    Buffer.from(`${padded}\n`, "latin1"),
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
}
