/**
 * Protobuf's wire format, walked where it lies: fields of a message one by one, payloads skipped by their length and fetched only when
 * asked for. No schema: a reader says which field numbers it knows. All offsets are absolute in the file.
 * https://protobuf.dev/programming-guides/encoding/
 */

import { FileError } from "../../base/errors.ts";
import type { ModelFile } from "../file.ts";

/** Wire types that exist in proto3 files; groups (3 and 4) are refused, no model format uses them. */
export type WireType = 0 | 1 | 2 | 5;
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** Bytes looked at together: the page of ModelFile, so that a window is a view of it and not a copy. */
const WINDOW = 64 * 1024;
/** Messages inside messages: protobuf's own parsers stop at 100. */
const DEPTH_LIMIT = 100;
/** Fields walked in one file. The largest published graphs stay below 3 million; at this many a hostile file costs half a second. */
const FIELD_LIMIT = 10_000_000;
/** A string that is a name, a version, a description. Callers with longer ones say so. */
const STRING_LIMIT = 1024 * 1024;
/** Numbers of one packed field held in memory. */
const PACKED_LIMIT = 1_000_000;

/** What is shared by all messages of one file: the window and the count of fields. */
class Source {
  readonly file: ModelFile;
  window: Buffer = Buffer.alloc(0);
  base = 0;
  end = 0;
  fields = 0;

  constructor(file: ModelFile) {
    this.file = file;
  }

  load(at: number): void {
    this.base = at - (at % WINDOW);
    this.window = bufferOf(this.file.slice(this.base, Math.min(WINDOW, this.file.size - this.base)));
    this.end = this.base + this.window.length;
  }

  bytes(at: number, length: number): Uint8Array {
    if (at >= this.base && at + length <= this.end)
      return this.window.subarray(at - this.base, at - this.base + length);
    return this.file.slice(at, length);
  }

  /** UTF-8, U+FFFD for what is not; out of the window without a view of its own, since a graph has 100,000 names. */
  text(at: number, length: number): string {
    if (length === 0) return "";
    if (at >= this.base && at + length <= this.end) {
      return this.window.toString("utf8", at - this.base, at - this.base + length);
    }
    return bufferOf(this.file.slice(at, length)).toString("utf8");
  }
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * A message: `while (message.next()) switch (message.field) { case 1: ... }`. After next() the current field's payload lies at `start`,
 * `length` bytes long. Methods below read it, and throw FileError when its wire type does not fit; a field not read is skipped for free.
 */
export class Message {
  /** Number of the current field. */
  field = 0;
  wire: WireType = VARINT;
  /** Where the current field's tag begins. */
  at = 0;
  /** Where the current field's payload begins. */
  start = 0;
  /** Payload bytes. */
  length = 0;
  /** Extent of this message. */
  readonly from: number;
  readonly end: number;
  readonly depth: number;
  readonly #source: Source;
  #next: number;
  #low = 0;
  #high = 0;

  /** Use `protobuf(file)` for a file's message and `message()` for those inside it. */
  constructor(source: Source, from: number, end: number, depth: number) {
    this.#source = source;
    this.from = from;
    this.end = end;
    this.depth = depth;
    this.#next = from;
  }

  /** Move to the next field; false at the end. */
  next(): boolean {
    const at = this.#next;
    if (at >= this.end) return false;
    this.at = at;
    if (++this.#source.fields > FIELD_LIMIT) this.fail(`more than ${FIELD_LIMIT} fields`);
    let offset = this.#varint(at);
    const tag = this.#low;
    const field = tag >>> 3;
    if (this.#high !== 0 || field === 0) this.fail("no protobuf field begins here");
    this.field = field;
    const wire = tag & 7;
    this.wire = wire as WireType; // the others fail just below
    switch (wire) {
      case VARINT:
        this.start = offset;
        offset = this.#varint(offset);
        this.length = offset - this.start;
        break;
      case FIXED64:
      case FIXED32:
        this.start = offset;
        this.length = wire === FIXED64 ? 8 : 4;
        offset += this.length;
        break;
      case BYTES:
        offset = this.#varint(offset);
        this.start = offset;
        this.length = this.#uint();
        offset += this.length;
        break;
      default:
        this.fail(
          wire === 3 || wire === 4
            ? `field ${field} is a group, which no model format uses`
            : `field ${field} has no wire type`,
        );
    }
    if (offset > this.end) {
      this.fail(`field ${field} needs ${this.length} bytes, ${Math.max(0, this.end - this.start)} are left`);
    }
    this.#next = offset;
    return true;
  }

  /** A varint as a signed 64-bit number; rounded beyond 2^53, so ask Number.isSafeInteger where that matters. Negative int32 too. */
  int(): number {
    this.#is(VARINT);
    return this.#high === 0 ? this.#low : (this.#high | 0) * 0x1_0000_0000 + this.#low;
  }

  /** A varint as an unsigned number; rounded beyond 2^53. */
  uint(): number {
    this.#is(VARINT);
    return this.#uint();
  }

  /** A varint, exactly, as a signed 64-bit number. */
  int64(): bigint {
    this.#is(VARINT);
    return (BigInt(this.#high | 0) << 32n) | BigInt(this.#low);
  }

  bool(): boolean {
    this.#is(VARINT);
    return this.#low !== 0 || this.#high !== 0;
  }

  /** A 32-bit float. */
  float(): number {
    this.#is(FIXED32);
    return this.#view().getFloat32(0, true);
  }

  /** A 64-bit float. */
  double(): number {
    this.#is(FIXED64);
    return this.#view().getFloat64(0, true);
  }

  /** A fixed32 or fixed64, unsigned; rounded beyond 2^53. */
  fixed(): number {
    if (this.wire === FIXED32) return this.#view().getUint32(0, true);
    this.#is(FIXED64);
    return Number(this.#view().getBigUint64(0, true));
  }

  /** The payload of a length-delimited field, a view. Throws FileError when it is longer than `limit`. */
  bytes(limit: number): Uint8Array {
    this.#is(BYTES);
    if (this.length > limit) this.fail(`field ${this.field} has ${this.length} bytes, over ${limit}`);
    return this.#source.bytes(this.start, this.length);
  }

  /** The payload as UTF-8, U+FFFD for what is not. */
  string(limit: number = STRING_LIMIT): string {
    this.#is(BYTES);
    if (this.length > limit) this.fail(`field ${this.field} has ${this.length} bytes, over ${limit}`);
    return this.#source.text(this.start, this.length);
  }

  /** At most `most` bytes of a string that may be long: doc strings, embedded configuration. */
  stringStart(most: number): string {
    this.#is(BYTES);
    return this.#source.text(this.start, Math.min(this.length, most));
  }

  /** The payload as a message of its own. */
  message(): Message {
    this.#is(BYTES);
    if (this.depth >= DEPTH_LIMIT) this.fail(`messages nest deeper than ${DEPTH_LIMIT}`);
    return new Message(this.#source, this.start, this.start + this.length, this.depth + 1);
  }

  /** Append the integers of a repeated field, packed or not, to `into`; as int(). Throws FileError beyond `limit` of them. */
  ints(into: number[], limit: number = PACKED_LIMIT): void {
    if (this.wire === VARINT) {
      if (into.length >= limit) this.fail(`field ${this.field} has more than ${limit} values`);
      into.push(this.int());
      return;
    }
    this.#is(BYTES);
    const end = this.start + this.length;
    for (let at = this.start; at < end;) {
      at = this.#varint(at);
      if (at > end) this.fail(`the last number of field ${this.field} goes past its end`);
      if (into.length >= limit) this.fail(`field ${this.field} has more than ${limit} values`);
      into.push(this.#high === 0 ? this.#low : (this.#high | 0) * 0x1_0000_0000 + this.#low);
    }
  }

  /** Append the 32-bit floats of a repeated field, packed or not. */
  floats(into: number[], limit: number = PACKED_LIMIT): void {
    if (this.wire === FIXED32) {
      if (into.length >= limit) this.fail(`field ${this.field} has more than ${limit} values`);
      into.push(this.float());
      return;
    }
    this.#is(BYTES);
    if (this.length % 4 !== 0) this.fail(`field ${this.field} has ${this.length} bytes, which are no whole floats`);
    if (into.length + this.length / 4 > limit) this.fail(`field ${this.field} has more than ${limit} values`);
    const view = this.#view();
    for (let at = 0; at < view.byteLength; at += 4) into.push(view.getFloat32(at, true));
  }

  /** Append the 64-bit floats of a repeated field, packed or not. */
  doubles(into: number[], limit: number = PACKED_LIMIT): void {
    if (this.wire === FIXED64) {
      if (into.length >= limit) this.fail(`field ${this.field} has more than ${limit} values`);
      into.push(this.double());
      return;
    }
    this.#is(BYTES);
    if (this.length % 8 !== 0) this.fail(`field ${this.field} has ${this.length} bytes, which are no whole doubles`);
    if (into.length + this.length / 8 > limit) this.fail(`field ${this.field} has more than ${limit} values`);
    const view = this.#view();
    for (let at = 0; at < view.byteLength; at += 8) into.push(view.getFloat64(at, true));
  }

  /** This field, a message of which nothing is told: its own fields must be whole all the same. */
  skim(): void {
    const inner = this.message();
    while (inner.next());
  }

  /** The same message from its start. */
  again(): Message {
    return new Message(this.#source, this.from, this.end, this.depth);
  }

  /** Stop here: the file is not what its fields say. */
  fail(why: string, at: number = this.at): never {
    throw new FileError(this.#source.file.name, why, at);
  }

  #is(wire: WireType): void {
    if (this.wire !== wire) this.fail(`field ${this.field} has wire type ${this.wire}, not ${wire}`);
  }

  #view(): DataView {
    const bytes = this.#source.bytes(this.start, this.length);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Small numbers stay integers: arithmetic with 2^32 makes an object on the heap of each. */
  #uint(): number {
    return this.#high === 0 ? this.#low : this.#high * 0x1_0000_0000 + this.#low;
  }

  /** Leaves the value in #low and #high, gives the offset after it. */
  #varint(at: number): number {
    const source = this.#source;
    if (at < source.base || at >= source.end) {
      if (at >= this.end) this.fail("a number goes past the end of its message");
      source.load(at);
    }
    const first = source.window[at - source.base] ?? 0;
    this.#high = 0;
    if (first < 0x80) {
      this.#low = first;
      return at + 1;
    }
    let low = first & 0x7f;
    let high = 0;
    for (let index = 1; index < 10; index++) {
      const offset = at + index;
      if (offset >= this.end) this.fail("a number goes past the end of its message");
      if (offset >= source.end) source.load(offset);
      const byte = source.window[offset - source.base] ?? 0;
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return offset + 1;
      }
    }
    this.fail("a number longer than ten bytes");
  }
}

/** The message that a stretch of the file holds: all of it when nothing is said. */
export function protobuf(file: ModelFile, start = 0, length: number = file.size - start): Message {
  if (start < 0 || length < 0 || start + length > file.size) {
    throw new FileError(
      file.name,
      `needs ${length} bytes there, the file has ${file.size}`,
      Math.max(0, Math.min(start, file.size)),
    );
  }
  return new Message(new Source(file), start, start + length, 0);
}

/**
 * Fields of the file's outermost message, at most `most`, without reading payloads: for matches(). Undefined when what stands there is
 * no protobuf. A file cut short still gives the fields that came before: `cut` says so, `cutIn` names the field whose end is missing.
 */
export function glimpse(
  file: ModelFile,
  most: number,
  start = 0,
): { readonly fields: readonly Glimpse[]; readonly cut: boolean; readonly cutIn?: number } | undefined {
  const fields: Glimpse[] = [];
  const message = protobuf(file, start);
  try {
    while (fields.length < most && message.next()) {
      const { field, wire, at, start: from, length } = message;
      fields.push({ field, wire, at, start: from, length, value: wire === VARINT ? message.uint() : 0 });
    }
    return fields.length === 0 ? undefined : { fields, cut: false };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const overrun = message.wire === BYTES && message.start + message.length > file.size;
    return fields.length === 0 ? undefined : { fields, cut: true, ...(overrun ? { cutIn: message.field } : {}) };
  }
}

/** One field as glimpse() saw it. */
export interface Glimpse {
  readonly field: number;
  readonly wire: WireType;
  readonly at: number;
  readonly start: number;
  readonly length: number;
  /** Of a varint. */
  readonly value: number;
}
