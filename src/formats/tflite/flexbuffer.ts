/**
 * FlexBuffers, schema-less: options of custom operators. Read from the end: [.. values ..][root][type of root u8][width of root u8].
 * https://flatbuffers.dev/flexbuffers/ , flatbuffers/include/flatbuffers/flexbuffers.h (types and packing).
 */

import { latin1, utf8 } from "../../base/bytes.ts";
import type { Attribute } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import type { Extent } from "../wire/flatbuffer.ts";

/** Keys of one map: the longest seen have some 20. */
const KEY_LIMIT = 512;
const NAME_LIMIT = 256;
/** Bytes that plain values of one map may take together. */
const VALUES_LIMIT = 65_536;

/** Types of the packed byte: type << 2 | log2(width). */
const [NULL, INT, UINT, FLOAT, KEY, STRING, INDIRECT_INT, INDIRECT_UINT, INDIRECT_FLOAT, MAP] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
];
const [VECTOR_INT, VECTOR_UINT, VECTOR_FLOAT, BLOB, BOOL] = [11, 12, 13, 25, 26];

/** A value found in the bytes. */
interface Found {
  readonly type: number;
  /** Offset of the value: inline, or what the offset there leads to. */
  readonly at: number;
  /** Bytes of an inline value, or of one element and of the length before a vector. */
  readonly width: number;
}

/** A map in a file; offsets are relative to its buffer. */
export interface FlexMap {
  readonly extent: Extent;
  readonly entries: ReadonlyMap<string, Found>;
  /** The buffer's bytes there, undefined when they are not all in it. */
  readonly slice: (at: number, length: number) => Uint8Array | undefined;
}

/** The map that a buffer holds; undefined when the bytes are no FlexBuffer map. Only its keys are fetched. */
export function readFlexMap(file: ModelFile, extent: Extent): FlexMap | undefined {
  const size = extent.count;
  if (size < 6) return undefined;
  const slice = (at: number, length: number): Uint8Array | undefined =>
    at < 0 || at + length > size ? undefined : file.slice(extent.at + at, length);
  const [type = 0, width = 0] = slice(size - 2, 2) ?? [];
  if (width !== 1 && width !== 2 && width !== 4 && width !== 8) return undefined;
  const root = reference(slice, size - 2 - width, width, type);
  if (root?.type !== MAP) return undefined;
  // Before a map's values: [offset to keys][width of the keys vector][count].
  const count = unsigned(slice, root.at - root.width, root.width);
  const keysWidth = unsigned(slice, root.at - 2 * root.width, root.width);
  const keysAt = root.at - 3 * root.width;
  const keysBack = unsigned(slice, keysAt, root.width);
  if (count === undefined || keysWidth === undefined || keysBack === undefined || count > KEY_LIMIT) return undefined;
  const types = slice(root.at + count * root.width, count);
  const entries = new Map<string, Found>();
  for (let i = 0; i < count; i++) {
    const slot = keysAt - keysBack + i * keysWidth;
    const back = unsigned(slice, slot, keysWidth);
    const name = back === undefined ? undefined : terminated(slice, slot - back, size);
    const value = reference(slice, root.at + i * root.width, root.width, types?.[i] ?? 0);
    if (name === undefined || value === undefined) return undefined;
    entries.set(name, value);
  }
  return { extent, entries, slice };
}

/** The map's plain values by key. What is nested deeper than a list of numbers is left out. */
export function flexValues({ entries, slice, extent }: FlexMap): Record<string, Attribute> {
  const out: Record<string, Attribute> = {};
  // Values may share their bytes: together they cost no more than they could have.
  const budget = { left: Math.min(VALUES_LIMIT, extent.count) };
  for (const [key, value] of entries) {
    const plain = flexValue(slice, value, budget, extent.count);
    if (plain !== undefined) out[key] = plain;
  }
  return out;
}

/** Where the bytes of a string or blob lie in the file. */
export function flexBytes({ entries, slice, extent }: FlexMap, key: string): Extent | undefined {
  const value = entries.get(key);
  if (value === undefined || (value.type !== STRING && value.type !== BLOB)) return undefined;
  const count = unsigned(slice, value.at - value.width, value.width);
  return count === undefined || value.at + count > extent.count ? undefined : { at: extent.at + value.at, count };
}

type Slice = FlexMap["slice"];

/** Follows a slot of `width` bytes to its value, unless that is inline. */
function reference(slice: Slice, slot: number, width: number, packed: number): Found | undefined {
  const type = packed >> 2;
  if (type <= FLOAT || type === BOOL) return slice(slot, width) && { type, at: slot, width };
  const back = unsigned(slice, slot, width);
  return back === undefined || back > slot ? undefined : { type, at: slot - back, width: 1 << (packed & 3) };
}

function flexValue(
  slice: Slice,
  { type, at, width }: Found,
  budget: { left: number },
  size: number,
): Attribute | undefined {
  switch (type) {
    case NULL:
      return undefined;
    case INT:
    case INDIRECT_INT:
      return signed(slice, at, width);
    case UINT:
    case INDIRECT_UINT:
      return unsigned(slice, at, width);
    case FLOAT:
    case INDIRECT_FLOAT:
      return float(slice, at, width);
    case BOOL:
      return slice(at, 1)?.[0] !== 0;
    case KEY:
      return terminated(slice, at, size);
    case STRING: {
      const count = unsigned(slice, at - width, width) ?? Infinity;
      const bytes = (budget.left -= count) < 0 ? undefined : slice(at, count);
      return bytes && utf8(bytes);
    }
    case VECTOR_INT:
    case VECTOR_UINT:
    case VECTOR_FLOAT: {
      const count = unsigned(slice, at - width, width) ?? Infinity;
      if ((budget.left -= count * width) < 0 || slice(at, count * width) === undefined) return undefined;
      const read = type === VECTOR_INT ? signed : type === VECTOR_UINT ? unsigned : float;
      return Array.from({ length: count }, (_, i) => read(slice, at + i * width, width) ?? NaN);
    }
    default:
      return undefined;
  }
}

function terminated(slice: Slice, at: number, size: number): string | undefined {
  const bytes = slice(at, Math.min(NAME_LIMIT, Math.max(0, size - at)));
  const end = bytes?.indexOf(0) ?? -1;
  return end < 0 ? undefined : bytes && latin1(bytes.subarray(0, end));
}

function view(slice: Slice, at: number, width: number): DataView | undefined {
  const bytes = slice(at, width);
  return bytes && new DataView(bytes.buffer, bytes.byteOffset, width);
}

function unsigned(slice: Slice, at: number, width: number): number | undefined {
  const v = view(slice, at, width);
  if (width === 1) return v?.getUint8(0);
  if (width === 2) return v?.getUint16(0, true);
  return width === 4 ? v?.getUint32(0, true) : width === 8 ? v && Number(v.getBigUint64(0, true)) : undefined;
}

function signed(slice: Slice, at: number, width: number): number | undefined {
  const v = view(slice, at, width);
  if (width === 1) return v?.getInt8(0);
  if (width === 2) return v?.getInt16(0, true);
  return width === 4 ? v?.getInt32(0, true) : width === 8 ? v && Number(v.getBigInt64(0, true)) : undefined;
}

function float(slice: Slice, at: number, width: number): number | undefined {
  const v = view(slice, at, width);
  return width === 4 ? v?.getFloat32(0, true) : width === 8 ? v?.getFloat64(0, true) : undefined;
}
