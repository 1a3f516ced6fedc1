/**
 * Tensors as the Open Inference Protocol writes them: names of datatypes, and bytes ("raw contents" over gRPC, "binary tensor data" over
 * HTTP): elements in row-major order, little-endian; of BYTES each after its length in four bytes.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md, "Tensor Data Types"
 */

import { isUtf8 } from "node:buffer";
import { elementsOver, type Elements, type Value } from "../delegates/value.ts";
import type { ElementType } from "../model/graph.ts";
import { Refusal } from "./engine.ts";

export interface Datatype {
  readonly name: string;
  readonly type: ElementType;
  /** Bytes of an element; 0 of BYTES. */
  readonly bytes: number;
}

/** BF16 is of Triton and of the protocol's text, which has no contents for it but bytes. */
const rows: readonly Datatype[] = [
  { name: "BOOL", type: "bool", bytes: 1 },
  { name: "UINT8", type: "uint8", bytes: 1 },
  { name: "UINT16", type: "uint16", bytes: 2 },
  { name: "UINT32", type: "uint32", bytes: 4 },
  { name: "UINT64", type: "uint64", bytes: 8 },
  { name: "INT8", type: "int8", bytes: 1 },
  { name: "INT16", type: "int16", bytes: 2 },
  { name: "INT32", type: "int32", bytes: 4 },
  { name: "INT64", type: "int64", bytes: 8 },
  { name: "FP16", type: "float16", bytes: 2 },
  { name: "BF16", type: "bfloat16", bytes: 2 },
  { name: "FP32", type: "float32", bytes: 4 },
  { name: "FP64", type: "float64", bytes: 8 },
  { name: "BYTES", type: "string", bytes: 0 },
];
const byName = new Map(rows.map((row) => [row.name, row]));
const byType = new Map(rows.map((row) => [row.type, row]));

/** Texts in one tensor: however short, each takes some 40 bytes here. */
export const TEXTS_LIMIT = 1 << 20;

/** What of a caller's own words goes back to it. */
export const quoted = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** By the protocol's name. Throws Refusal. */
export function datatypeNamed(name: string, tensor: string): Datatype {
  const row = byName.get(name);
  if (row !== undefined) return row;
  throw new Refusal(
    "invalid",
    `${quoted(tensor)}: there is no datatype ${quoted(name)}; there are ${[...byName.keys()].join(", ")}`,
  );
}

/** Undefined for what the protocol has no name for: types below a byte, float8, complex numbers. */
export const datatypeOf = (type: ElementType): Datatype | undefined => byType.get(type);

/** How many elements a shape has. Throws Refusal for a negative size and for more than `limit`. */
export function elementsIn(shape: readonly number[], limit: number, tensor: string): number {
  let count = 1;
  for (const size of shape) {
    if (size < 0) throw new Refusal("invalid", `${quoted(tensor)}: its shape has the size ${size}`);
    count *= size;
  }
  // Beside a 0 the others may be anything, also so large that their product is none.
  if (shape.includes(0)) return 0;
  if (count > limit) throw new Refusal("invalid", `${quoted(tensor)}: ${count} elements, over ${limit}`);
  return count;
}

/** A tensor from its bytes, which are not copied where they lie as their elements want. Throws Refusal. */
export function valueFromBytes(
  datatype: Datatype,
  shape: readonly number[],
  count: number,
  bytes: Buffer,
  tensor: string,
): Value {
  const { type } = datatype;
  if (type === "string") return { type, shape, data: textsIn(bytes, count, tensor) };
  if (bytes.length !== count * datatype.bytes) {
    throw new Refusal(
      "invalid",
      `${quoted(tensor)}: ${datatype.name} [${shape.join(", ")}] needs ${count * datatype.bytes} bytes, ${bytes.length} are given`,
    );
  }
  const data = elementsOf(type, bytes, datatype.bytes);
  // Runtimes take a bool for granted that is 0 or 1.
  if (type === "bool" && (data as Uint8Array).some((byte) => byte > 1)) {
    throw new Refusal("invalid", `${quoted(tensor)}: an element of BOOL is neither 0 nor 1`);
  }
  return { type, shape, data };
}

function elementsOf(type: ElementType, bytes: Buffer, size: number): Elements {
  let from = bytes.byteOffset;
  let buffer = bytes.buffer as ArrayBuffer; // what a socket gave
  if (from % size !== 0) {
    buffer = new ArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    from = 0;
  }
  const over = elementsOver(type, buffer, from, bytes.length / size);
  if (over === undefined) throw new Error(`${type} has no elements`); // every row of the table but BYTES has
  return over;
}

function textsIn(bytes: Buffer, count: number, tensor: string): string[] {
  if (count > TEXTS_LIMIT) throw new Refusal("invalid", `${quoted(tensor)}: ${count} texts, over ${TEXTS_LIMIT}`);
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (texts.length === count)
      throw new Refusal("invalid", `${quoted(tensor)}: more texts are given than its shape has, ${count}`);
    const from = at + 4;
    if (from > bytes.length)
      throw new Refusal("invalid", `${quoted(tensor)}: the length of text ${texts.length} is cut off`);
    at = from + bytes.readUInt32LE(at);
    if (at > bytes.length)
      throw new Refusal("invalid", `${quoted(tensor)}: text ${texts.length} goes past the end of the bytes`);
    texts.push(textOf(bytes.subarray(from, at), tensor));
  }
  if (texts.length < count)
    throw new Refusal("invalid", `${quoted(tensor)}: ${count} texts are needed, ${texts.length} are given`);
  return texts;
}

/** An element of BYTES. Throws Refusal: models here take texts. */
export function textOf(bytes: Buffer, tensor: string): string {
  if (!isUtf8(bytes))
    throw new Refusal("invalid", `${quoted(tensor)}: an element of BYTES is no UTF-8; texts are taken here`);
  return bytes.toString("utf8");
}

/** The bytes of a tensor, of numbers without a copy. */
export function bytesOfValue({ data }: Value): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const out = Buffer.allocUnsafe(data.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0));
  let at = 0;
  for (const text of data) {
    const length = out.write(text, at + 4);
    out.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return out;
}

/** Sizes as the protocol tells them: -1 where the model leaves one open. */
export const openShape = (shape: readonly (number | string | null)[]): number[] =>
  shape.map((size) => (typeof size === "number" ? size : -1));
