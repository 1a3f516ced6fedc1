/** Bounded cursor over bytes that came from a stranger. Every read is checked; errors carry the file's name and the offset. */

import { FileError } from "./errors.ts";

export class Cursor {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  offset: number;
  readonly #view: DataView;
  readonly #base: number;

  /** `base`: where the bytes begin in the file; errors tell places in the file, everything else counts from the bytes' start. */
  constructor(
    bytes: Uint8Array,
    path: string,
    options: { offset?: number; littleEndian?: boolean; base?: number } = {},
  ) {
    this.bytes = bytes;
    this.path = path;
    this.offset = options.offset ?? 0;
    this.littleEndian = options.littleEndian ?? true;
    this.#base = options.base ?? 0;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  get left(): number {
    return this.bytes.length - this.offset;
  }

  fail(why: string, at: number = this.offset): never {
    throw new FileError(this.path, why, this.#base + at);
  }

  /** Move to an absolute offset within the file; the end itself is allowed. */
  seek(offset: number): this {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > this.length) {
      this.fail(`points to offset ${offset}, past the file's ${this.length} bytes`);
    }
    this.offset = offset;
    return this;
  }

  skip(count: number): this {
    return this.seek(this.offset + count);
  }

  /** Round the offset up to a multiple of `to` (a power of two), relative to the start of the bytes. */
  align(to: number): this {
    return this.seek((this.offset + to - 1) & ~(to - 1));
  }

  #need(count: number): number {
    if (count < 0 || count > this.left) this.fail(`needs ${count} bytes, ${this.left} are left`);
    const at = this.offset;
    this.offset += count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#need(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#need(2), this.littleEndian);
  }

  u32(): number {
    return this.#view.getUint32(this.#need(4), this.littleEndian);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#need(8), this.littleEndian);
  }

  /** A 64-bit number that must fit a double exactly: offsets and sizes of files that can exist. */
  size64(): number {
    const at = this.offset;
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`size 0x${value.toString(16)} is beyond any file`, at);
    return Number(value);
  }

  /** A view, not a copy. */
  take(count: number): Uint8Array {
    const at = this.#need(count);
    return this.bytes.subarray(at, at + count);
  }

  /** A NUL-terminated string of at most `limit` bytes. */
  cstring(limit: number): string {
    const end = this.bytes.indexOf(0, this.offset);
    if (end < 0 || end - this.offset > limit) this.fail(`string without an end within ${limit} bytes`);
    const text = latin1(this.bytes.subarray(this.offset, end));
    this.offset = end + 1;
    return text;
  }
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** UTF-8 with U+FFFD for what is not: logs and attributes hold anything. */
export function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** Text without the padding at its end: NULs of a fixed field. A pattern for it would try each run of them from each of its places. */
export function withoutEnd(text: string, padding = "\0"): string {
  let end = text.length;
  while (end > 0 && padding.includes(text[end - 1] ?? "?")) end--;
  return text.slice(0, end);
}
