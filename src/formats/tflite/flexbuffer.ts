/**
 * FlexBuffers, schema-less: options of custom operators. Read from the end: [.. values ..][root][type of root u8][width of root u8].
 * https://flatbuffers.dev/flexbuffers/ , flatbuffers/include/flatbuffers/flexbuffers.h (types and packing).
 */

import { latin1, utf8 } from "../../base/bytes.ts";
import type { Attribute } from "../../model/graph.ts";

/** Keys of one map: the longest seen have some 20. */
const KEY_LIMIT = 512;
const ELEMENT_LIMIT = 65_536;
const STRING_LIMIT = 65_536;

/** Types of the packed byte: type << 2 | log2(width). */
const [NULL, INT, UINT, FLOAT, KEY, STRING, INDIRECT_INT, INDIRECT_UINT, INDIRECT_FLOAT, MAP] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
];
const [VECTOR_INT, VECTOR_UINT, VECTOR_FLOAT, BLOB, BOOL] = [11, 12, 13, 25, 26];

/** A value found in the bytes: its type, where it lies, the width of its elements. */
interface Found {
  readonly type: number;
  /** Offset of the value: inline, or what the offset there leads to. */
  readonly at: number;
  /** Bytes of an inline value, or of one element and of the length before a vector. */
  readonly width: number;
}

/** A map's plain values by key; undefined when the bytes are no FlexBuffer map. What is nested deeper than a list is left out. */
export function readFlexMap(bytes: Uint8Array): Record<string, Attribute> | undefined {
  const entries = flexEntries(bytes);
  if (entries === undefined) return undefined;
  const out: Record<string, Attribute> = {};
  // Values may share their bytes; together they are no longer than the options.
  const budget = { left: bytes.length };
  for (const [key, value] of entries) {
    const plain = flexValue(bytes, value, budget);
    if (plain !== undefined) out[key] = plain;
  }
  return out;
}

/** Where the bytes of a string or blob under a key lie, relative to `bytes`. */
export function flexBytes(bytes: Uint8Array, key: string): { at: number; count: number } | undefined {
  const value = flexEntries(bytes)?.get(key);
  if (value === undefined || (value.type !== STRING && value.type !== BLOB)) return undefined;
  const count = number(bytes, value.at - value.width, value.width);
  return count === undefined || value.at + count > bytes.length ? undefined : { at: value.at, count };
}

function flexEntries(bytes: Uint8Array): Map<string, Found> | undefined {
  const size = bytes.length;
  if (size < 6) return undefined;
  const width = bytes[size - 1] ?? 0;
  if (width !== 1 && width !== 2 && width !== 4 && width !== 8) return undefined;
  const root = reference(bytes, size - 2 - width, width, bytes[size - 2] ?? 0);
  if (root?.type !== MAP) return undefined;
  // Before a map's values: [offset to keys][width of the keys vector][count].
  const count = number(bytes, root.at - root.width, root.width);
  const keysWidth = number(bytes, root.at - 2 * root.width, root.width);
  const keysAt = root.at - 3 * root.width;
  const keysBack = number(bytes, keysAt, root.width);
  if (count === undefined || keysWidth === undefined || keysBack === undefined || count > KEY_LIMIT) return undefined;
  const keys = keysAt - keysBack;
  const out = new Map<string, Found>();
  for (let i = 0; i < count; i++) {
    const slot = keys + i * keysWidth;
    const back = number(bytes, slot, keysWidth);
    const type = bytes[root.at + count * root.width + i];
    if (back === undefined || type === undefined || back > slot) return undefined;
    const end = bytes.indexOf(0, slot - back);
    if (end < 0 || end - (slot - back) > 1024) return undefined;
    const value = reference(bytes, root.at + i * root.width, root.width, type);
    if (value === undefined) return undefined;
    out.set(latin1(bytes.subarray(slot - back, end)), value);
  }
  return out;
}

/** Follows a slot of `width` bytes to its value, unless that is inline. */
function reference(bytes: Uint8Array, slot: number, width: number, packed: number): Found | undefined {
  const type = packed >> 2;
  if (slot < 0 || slot + width > bytes.length) return undefined;
  if (type <= FLOAT || type === BOOL) return { type, at: slot, width };
  const back = number(bytes, slot, width);
  return back === undefined || back > slot ? undefined : { type, at: slot - back, width: 1 << (packed & 3) };
}

function flexValue(bytes: Uint8Array, { type, at, width }: Found, budget: { left: number }): Attribute | undefined {
  switch (type) {
    case NULL:
      return undefined;
    case INT:
    case INDIRECT_INT:
      return integer(bytes, at, width);
    case UINT:
    case INDIRECT_UINT:
      return number(bytes, at, width);
    case FLOAT:
    case INDIRECT_FLOAT:
      return float(bytes, at, width);
    case BOOL:
      return bytes[at] !== 0;
    case KEY: {
      const end = bytes.indexOf(0, at);
      return end < 0 || end - at > STRING_LIMIT ? undefined : utf8(bytes.subarray(at, end));
    }
    case STRING: {
      const count = number(bytes, at - width, width);
      if (count === undefined || count > STRING_LIMIT || at + count > bytes.length) return undefined;
      if ((budget.left -= count) < 0) return undefined;
      return utf8(bytes.subarray(at, at + count));
    }
    case VECTOR_INT:
    case VECTOR_UINT:
    case VECTOR_FLOAT: {
      const count = number(bytes, at - width, width);
      if (count === undefined || count > ELEMENT_LIMIT || at + count * width > bytes.length) return undefined;
      if ((budget.left -= count * width) < 0) return undefined;
      const read = type === VECTOR_INT ? integer : type === VECTOR_UINT ? number : float;
      return Array.from({ length: count }, (_, i) => read(bytes, at + i * width, width) ?? NaN);
    }
    default:
      return undefined;
  }
}

function view(bytes: Uint8Array, at: number, width: number): DataView | undefined {
  return at < 0 || at + width > bytes.length ? undefined : new DataView(bytes.buffer, bytes.byteOffset + at, width);
}

function number(bytes: Uint8Array, at: number, width: number): number | undefined {
  const v = view(bytes, at, width);
  if (v === undefined) return undefined;
  if (width === 1) return v.getUint8(0);
  if (width === 2) return v.getUint16(0, true);
  return width === 4 ? v.getUint32(0, true) : width === 8 ? Number(v.getBigUint64(0, true)) : undefined;
}

function integer(bytes: Uint8Array, at: number, width: number): number | undefined {
  const v = view(bytes, at, width);
  if (v === undefined) return undefined;
  if (width === 1) return v.getInt8(0);
  if (width === 2) return v.getInt16(0, true);
  return width === 4 ? v.getInt32(0, true) : width === 8 ? Number(v.getBigInt64(0, true)) : undefined;
}

function float(bytes: Uint8Array, at: number, width: number): number | undefined {
  const v = view(bytes, at, width);
  return width === 4 ? v?.getFloat32(0, true) : width === 8 ? v?.getFloat64(0, true) : undefined;
}
