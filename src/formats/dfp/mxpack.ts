/**
 * MXPACK: how version 6 of MemryX' dataflow programs writes dictionaries and lists. A dictionary is [keys u32] and per key 64 bytes of
 * name, a type byte, a value; a list is [type u8][elements u32][values]. Read where it lies: bytes are told by their extent only.
 * https://github.com/memryx/MxAccl mx_accl/include/memx/accl/utils/mxpack.h
 */

import { FileError } from "../../base/errors.ts";
import type { ModelFile } from "../file.ts";
import { word } from "../sealed/parts.ts";

/** Bytes of the file that are not read. */
export interface Bytes {
  readonly offset: number;
  readonly bytes: number;
}
export type Dict = ReadonlyMap<string, Value>;
export type Value = number | boolean | string | Bytes | Dict | readonly Value[];

const DICT = 0x01;
const LIST = 0x02;
const NUMPY = 0xa2;
const BIN = 0x03;
const ASCII = 0x60;
const UTF8 = 0x61;
const BOOL = 0x70;

type Read = (view: DataView, at: number) => number;
/** Type, to bytes of an element and how it is read. */
const numbers: Readonly<Record<number, readonly [bytes: number, read: Read]>> = {
  0x10: [1, (view, at) => view.getUint8(at)],
  0x11: [1, (view, at) => view.getInt8(at)],
  0x20: [2, (view, at) => view.getUint16(at, true)],
  0x21: [2, (view, at) => view.getInt16(at, true)],
  0x30: [4, (view, at) => view.getUint32(at, true)],
  0x31: [4, (view, at) => view.getInt32(at, true)],
  0x40: [8, (view, at) => Number(view.getBigUint64(at, true))],
  0x41: [8, (view, at) => Number(view.getBigInt64(at, true))],
  0x50: [4, (view, at) => view.getFloat32(at, true)],
  [BOOL]: [1, (view, at) => view.getUint8(at)],
};

/** Length of a key's field. */
export const KEY = 64;
/** Entries of one file: ports are at most 255 on each side with some twenty entries each. */
const ENTRY_LIMIT = 100_000;
/** Values of a list of numbers that are looked at; a longer one is data, not a shape. */
const VALUES_LIMIT = 64;
const DEPTH_LIMIT = 16;
const STRING_LIMIT = 4096;

export const isType = (type: number): boolean =>
  Object.hasOwn(numbers, type) || [DICT, LIST, NUMPY, BIN, ASCII, UTF8].includes(type);

/** The dictionary at `at`, and where it ends. */
export function readDict(file: ModelFile, at: number): { readonly dict: Dict; readonly end: number } {
  const reader = new Reader(file, at);
  return { dict: reader.dict(0), end: reader.at };
}

class Reader {
  at: number;
  readonly #file: ModelFile;
  #entries = 0;

  constructor(file: ModelFile, at: number) {
    this.#file = file;
    this.at = at;
  }

  dict(depth: number): Dict {
    const count = this.#u32();
    const found = new Map<string, Value>();
    for (let index = 0; index < count; index++) {
      this.#count();
      const field = this.#take(KEY);
      const name = word(field, KEY);
      // The first of two keys is the one that counts.
      const value = this.#value(this.#u8(), depth + 1);
      if (!found.has(name)) found.set(name, value);
    }
    return found;
  }

  #value(type: number, depth: number): Value {
    if (depth > DEPTH_LIMIT) throw new FileError(this.#file.name, `nested over ${DEPTH_LIMIT} deep`, this.at);
    if (type === DICT) return this.dict(depth);
    if (type === LIST || type === NUMPY) return this.#list(depth);
    if (type === BIN || type === UTF8) return this.#bytes();
    if (type === ASCII) return this.#text();
    const value = this.#numbers(type, 1)[0] ?? 0;
    return type === BOOL ? value !== 0 : value;
  }

  #list(depth: number): readonly Value[] {
    const type = this.#u8();
    const count = this.#u32();
    if (Object.hasOwn(numbers, type)) return this.#numbers(type, count);
    // A list of nothing has a type that need not be one.
    if (count === 0) return [];
    if (!isType(type)) this.#unknown(type);
    const found: Value[] = [];
    for (let index = 0; index < count; index++) {
      this.#count();
      found.push(this.#value(type, depth + 1));
    }
    return found;
  }

  #numbers(type: number, count: number): readonly number[] {
    const row = Object.hasOwn(numbers, type) ? numbers[type] : undefined;
    if (row === undefined) this.#unknown(type, this.at - 1);
    const [size, read] = row;
    const at = this.#skip(size * count);
    if (count > VALUES_LIMIT) return [];
    const bytes = this.#file.slice(at, size * count);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: count }, (_, index) => read(view, index * size));
  }

  #bytes(): Bytes {
    const cursor = this.#file.cursor(this.#skip(8), 8);
    const bytes = cursor.size64();
    return { offset: this.#skip(bytes), bytes };
  }

  #text(): string {
    const length = this.#u32();
    const at = this.#skip(length);
    return word(this.#file.slice(at, Math.min(length, STRING_LIMIT)), STRING_LIMIT);
  }

  #unknown(type: number, at = this.at): never {
    throw new FileError(this.#file.name, `type 0x${type.toString(16)} is none of MXPACK's`, at);
  }

  #count(): void {
    if (++this.#entries > ENTRY_LIMIT)
      throw new FileError(this.#file.name, `more than ${ENTRY_LIMIT} entries`, this.at);
  }

  #u8(): number {
    return this.#take(1)[0] ?? 0;
  }

  #u32(): number {
    return this.#file.cursor(this.#skip(4), 4).u32();
  }

  #take(count: number): Uint8Array {
    return this.#file.slice(this.#skip(count), count);
  }

  /** Where the next `count` bytes lie; they are in the file. */
  #skip(count: number): number {
    const at = this.at;
    if (count > this.#file.size - at) {
      throw new FileError(
        this.#file.name,
        `cut short: needs ${count} bytes there, ${this.#file.size - at} are left`,
        at,
      );
    }
    this.at = at + count;
    return at;
  }
}
