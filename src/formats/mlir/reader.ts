/** Bytes of MLIR bytecode: variable-length integers, strings by index, sections in sections. https://mlir.llvm.org/docs/BytecodeFormat/ */

import { latin1 } from "../../base/bytes.ts";
import { FileError } from "../../base/errors.ts";
import type { ModelFile } from "../file.ts";

const WINDOW = 64 * 1024;

/** A stretch of the file; positions are absolute. */
export class BytecodeReader {
  readonly file: ModelFile;
  readonly end: number;
  at: number;
  #window: Uint8Array = new Uint8Array(0);
  #from = 0;

  constructor(file: ModelFile, at: number, end: number) {
    this.file = file;
    this.at = at;
    this.end = end;
    if (at < 0 || end > file.size || at > end) this.fail("a section lies outside of the file", Math.min(at, file.size));
  }

  get left(): number {
    return this.end - this.at;
  }

  fail(why: string, at: number = this.at): never {
    throw new FileError(this.file.name, why, Math.max(0, Math.min(at, this.file.size)));
  }

  byte(): number {
    if (this.at >= this.end) this.fail("ends where a byte must follow");
    const index = this.at - this.#from;
    if (index < 0 || index >= this.#window.length) {
      this.#from = this.at;
      this.#window = this.file.slice(this.at, Math.min(WINDOW, this.file.size - this.at));
    }
    return this.#window[this.at++ - this.#from] ?? 0;
  }

  /** The number of zero bits below the lowest one bit tells how many bytes follow; a zero byte says eight. */
  varint(): number {
    const value = this.bigVarint();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`the number ${value} is beyond any file`);
    return Number(value);
  }

  bigVarint(): bigint {
    const first = this.byte();
    if ((first & 1) === 1) return BigInt(first >> 1);
    if (first === 0) {
      let value = 0n;
      for (let i = 0; i < 8; i++) value |= BigInt(this.byte()) << BigInt(8 * i);
      return value;
    }
    const more = Math.clz32(first & -first) ^ 31;
    let value = BigInt(first);
    for (let i = 1; i <= more; i++) value |= BigInt(this.byte()) << BigInt(8 * i);
    return value >> BigInt(more + 1);
  }

  /** A number with a flag in its lowest bit. */
  flagged(): { value: number; flag: boolean } {
    const value = this.varint();
    return { value: Math.floor(value / 2), flag: value % 2 === 1 };
  }

  signed(): bigint {
    const value = this.bigVarint();
    return (value & 1n) === 0n ? value >> 1n : ~(value >> 1n);
  }

  signedNumber(): number {
    return Number(this.signed());
  }

  /** A count of things that take at least `width` bytes each. */
  count(limit: number, what: string, width = 1): number {
    const at = this.at;
    const value = this.varint();
    if (value > limit) this.fail(`${value} ${what}, over ${limit}`, at);
    if (value * width > this.left) this.fail(`${value} ${what}, ${this.left} bytes are left`, at);
    return value;
  }

  skip(bytes: number): number {
    if (bytes > this.left) this.fail(`needs ${bytes} bytes, ${this.left} are left`);
    const at = this.at;
    this.at += bytes;
    return at;
  }

  /** Text up to a NUL. */
  cstring(limit: number): string {
    const from = this.at;
    const bytes = this.file.slice(from, Math.min(limit + 1, this.left));
    const end = bytes.indexOf(0);
    if (end < 0) this.fail(`a string without an end within ${limit} bytes`, from);
    this.at = from + end + 1;
    return latin1(bytes.subarray(0, end));
  }

  /** [id and alignment flag u8][length][alignment, padding 0xCB][data] */
  section(): { id: number; at: number; end: number } {
    const idByte = this.byte();
    const length = this.varint();
    if ((idByte & 0x80) !== 0) {
      const alignment = this.varint();
      if (alignment === 0 || alignment > 0x10000 || (alignment & (alignment - 1)) !== 0)
        this.fail(`alignment of ${alignment}`);
      while (this.at % alignment !== 0) if (this.byte() !== 0xcb) this.fail("padding that is none", this.at - 1);
    }
    const at = this.skip(length);
    return { id: idByte & 0x7f, at, end: at + length };
  }
}
