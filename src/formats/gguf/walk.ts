/** A walk over the head of a GGUF file, which has no length of its own: windows are fetched as it goes, long values are stepped over. */

import { utf8 } from "../../base/bytes.ts";
import { FileError } from "../../base/errors.ts";
import type { ModelFile } from "../file.ts";
import { valueTypes } from "./types.ts";

const WINDOW = 256 * 1024;
/** Vocabularies have up to some 300,000 tokens and as many merges; each is a string to step over. */
const ELEMENT_LIMIT = 4_000_000;
/** The specification's own limit for keys; tensor names are shorter still. */
const NAME_LIMIT = 65_535;
/** Text kept of a value: licences and descriptions fit, chat templates are only measured. */
const TEXT_KEPT = 1024;
const ARRAY_KEPT = 16;
/** Arrays of arrays are allowed; nobody writes more than two. */
const DEPTH_LIMIT = 4;

export interface Value {
  /** In words: the value of a scalar, the beginning of a text, "32000 strings" for a long array. */
  readonly text: string;
  readonly number?: number;
  /** Elements of an array. */
  readonly count?: number;
}

export class Walk {
  readonly file: ModelFile;
  readonly littleEndian: boolean;
  /** Version 1 has 32-bit counts and lengths. */
  readonly wide: boolean;
  at: number;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #from = 0;
  #elements = 0;

  constructor(file: ModelFile, at: number, littleEndian: boolean, wide: boolean) {
    this.file = file;
    this.at = at;
    this.littleEndian = littleEndian;
    this.wide = wide;
  }

  fail(why: string, at = this.at): never {
    throw new FileError(this.file.name, why, at);
  }

  /** The window's view and the position in it of the next `count` bytes (few), which are passed. */
  #take(count: number): number {
    if (this.at < this.#from || this.at + count > this.#from + this.#view.byteLength) {
      const left = this.file.size - this.at;
      if (count > left) this.fail(`needs ${count} bytes, ${Math.max(0, left)} are left`);
      const bytes = this.file.slice(this.at, Math.min(WINDOW, left));
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#from = this.at;
    }
    const position = this.at - this.#from;
    this.at += count;
    return position;
  }

  skip(count: number): void {
    if (count > this.file.size - this.at) this.fail(`needs ${count} bytes, ${this.file.size - this.at} are left`);
    this.at += count;
  }

  u32(): number {
    const position = this.#take(4);
    return this.#view.getUint32(position, this.littleEndian);
  }

  u64(): number {
    const at = this.at;
    const position = this.#take(8);
    const first = this.#view.getUint32(position, this.littleEndian);
    const second = this.#view.getUint32(position + 4, this.littleEndian);
    const value = this.littleEndian ? second * 0x100000000 + first : first * 0x100000000 + second;
    if (value > Number.MAX_SAFE_INTEGER) this.fail(`number ${value} is beyond any file`, at);
    return value;
  }

  /** A count or length: 32 bits in version 1, 64 since. */
  length(): number {
    return this.wide ? this.u64() : this.u32();
  }

  name(): string {
    const at = this.at;
    const length = this.length();
    if (length > NAME_LIMIT) this.fail(`name of ${length} bytes, over ${NAME_LIMIT}`, at);
    const start = this.at;
    this.skip(length);
    return utf8(this.file.slice(start, length));
  }

  value(type: number, depth = 0): Value {
    const kind = valueTypes[type];
    if (!kind) return this.fail(`value of unknown type ${type}`);
    if (kind.name === "string") return this.#text();
    if (kind.name === "array") return this.#array(depth);
    return this.#scalar(type);
  }

  #text(): Value {
    const length = this.length();
    const start = this.at;
    this.skip(length);
    if (length > TEXT_KEPT) return { text: `text of ${length} bytes` };
    return { text: utf8(this.file.slice(start, length)) };
  }

  #scalar(type: number): Value {
    const position = this.#take(valueTypes[type]?.bytes ?? 0);
    const view = this.#view;
    const little = this.littleEndian;
    switch (valueTypes[type]?.name) {
      case "uint8":
        return number(view.getUint8(position));
      case "int8":
        return number(view.getInt8(position));
      case "uint16":
        return number(view.getUint16(position, little));
      case "int16":
        return number(view.getInt16(position, little));
      case "uint32":
        return number(view.getUint32(position, little));
      case "int32":
        return number(view.getInt32(position, little));
      case "float32":
        return { text: String(Number(view.getFloat32(position, little).toPrecision(7))) };
      case "float64":
        return { text: String(view.getFloat64(position, little)) };
      case "bool": {
        const bool = view.getUint8(position);
        if (bool > 1) this.fail(`${bool} where a truth value is expected`, this.at - 1);
        return { text: bool === 1 ? "true" : "false" };
      }
      case "uint64":
        return big(view.getBigUint64(position, little));
      default:
        return big(view.getBigInt64(position, little));
    }
  }

  #array(depth: number): Value {
    const at = this.at;
    if (depth >= DEPTH_LIMIT) this.fail(`arrays within arrays, over ${DEPTH_LIMIT} deep`);
    const type = this.u32();
    const count = this.length();
    const kind = valueTypes[type];
    if (!kind) return this.fail(`array of unknown type ${type}`, at);
    // Each string or array within has a length of its own, so the count is bounded by what is left.
    const least = kind.bytes > 0 ? kind.bytes : kind.name === "array" ? (this.wide ? 12 : 8) : this.wide ? 8 : 4;
    if (count > (this.file.size - this.at) / least) {
      this.fail(`array of ${count} elements, ${this.file.size - this.at} bytes are left`, at);
    }
    if (kind.bytes > 0 && count > ARRAY_KEPT) {
      this.skip(count * kind.bytes);
      return { text: `${count} × ${kind.name}`, count };
    }
    this.#elements += count;
    if (this.#elements > ELEMENT_LIMIT) this.fail(`more than ${ELEMENT_LIMIT} strings in arrays`, at);
    if (count > ARRAY_KEPT) {
      if (kind.name === "string") for (let index = 0; index < count; index++) this.skip(this.length());
      else for (let index = 0; index < count; index++) this.value(type, depth + 1);
      return { text: `${count} × ${kind.name}`, count };
    }
    const kept: string[] = [];
    for (let index = 0; index < count; index++) kept.push(this.value(type, depth + 1).text);
    return { text: kept.join(", ").slice(0, TEXT_KEPT), count };
  }
}

const number = (value: number): Value => ({ text: String(value), number: value });
const big = (value: bigint): Value =>
  value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? { text: String(value), number: Number(value) }
    : { text: String(value) };
