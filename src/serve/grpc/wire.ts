/**
 * Protobuf's wire format in memory, both ways, for the one message that comes a thousand times a second: a general library makes an
 * object of each tensor and a number of each element. https://protobuf.dev/programming-guides/encoding/
 */

/** What came is no protobuf, or none of the message that it should be. */
export class WireError extends Error {
  override readonly name = "WireError";
}

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** A message: `while (reader.next()) switch (reader.field) { ... }`. A field that is not read is skipped. */
export class Reader {
  readonly bytes: Buffer;
  readonly end: number;
  /** Number and wire type of the current field, and where its payload lies. */
  field = 0;
  wire = 0;
  from = 0;
  to = 0;
  #next: number;
  /** Of the last varint. */
  #low = 0;
  #high = 0;

  constructor(bytes: Buffer, from = 0, to = bytes.length) {
    this.bytes = bytes;
    this.end = to;
    this.#next = from;
  }

  /** Moves to the next field; false at the end. Throws WireError. */
  next(): boolean {
    if (this.#next >= this.end) return false;
    const at = this.#next;
    let next = this.#varint(at, this.end);
    const tag = this.#low;
    if (this.#high !== 0 || tag < 8) throw new WireError(`no field begins at byte ${at}`);
    this.field = tag >>> 3;
    this.wire = tag & 7;
    this.from = next;
    if (this.wire === BYTES) {
      this.from = next = this.#varint(next, this.end);
      next += this.#high * 0x1_0000_0000 + this.#low;
    } else if (this.wire === VARINT) next = this.#varint(next, this.end);
    else if (this.wire === FIXED32) next += 4;
    else if (this.wire === FIXED64) next += 8;
    else throw new WireError(`field ${this.field} at byte ${at} has wire type ${this.wire}`);
    if (next > this.end) throw new WireError(`field ${this.field} at byte ${at} goes past the end of its message`);
    this.#next = this.to = next;
    return true;
  }

  /** A varint as a signed number; what does not fit into 53 bits is refused. */
  int(): number {
    this.#is(VARINT);
    this.#varint(this.from, this.to);
    return this.#signed();
  }

  bool(): boolean {
    this.#is(VARINT);
    this.#varint(this.from, this.to);
    return this.#low !== 0 || this.#high !== 0;
  }

  bigint(): bigint {
    this.#is(VARINT);
    this.#varint(this.from, this.to);
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  double(): number {
    this.#is(FIXED64);
    return this.bytes.readDoubleLE(this.from);
  }

  /** U+FFFD for what is no UTF-8: no name of a model or tensor has it. */
  text(limit: number): string {
    this.#is(BYTES);
    const length = this.to - this.from;
    if (length > limit) throw new WireError(`field ${this.field} has ${length} bytes, over ${limit}`);
    return length === 0 ? "" : this.bytes.toString("utf8", this.from, this.to);
  }

  message(): Reader {
    this.#is(BYTES);
    return new Reader(this.bytes, this.from, this.to);
  }

  payload(): Buffer {
    this.#is(BYTES);
    return this.bytes.subarray(this.from, this.to);
  }

  /** Appends the whole numbers of a repeated field, packed or not, at most `limit`. */
  ints(into: number[], limit: number): void {
    if (this.wire === VARINT) into.push(this.int());
    else {
      this.#is(BYTES);
      for (let at = this.from; at < this.to;) {
        at = this.#varint(at, this.to);
        into.push(this.#signed());
        if (into.length > limit) break;
      }
    }
    if (into.length > limit) throw new WireError(`field ${this.field} has more than ${limit} numbers`);
  }

  /** Hands out the varints of a repeated field, packed or not, as their two halves. */
  varints(take: (low: number, high: number) => void): void {
    if (this.wire !== VARINT) this.#is(BYTES);
    for (let at = this.from; at < this.to;) {
      at = this.#varint(at, this.to);
      take(this.#low, this.#high);
    }
  }

  /** Numbers of a fixed size, packed or not: their bytes. */
  fixed(wire: typeof FIXED32 | typeof FIXED64): Buffer {
    if (this.wire !== wire) this.#is(BYTES);
    const size = wire === FIXED32 ? 4 : 8;
    if ((this.to - this.from) % size !== 0) throw new WireError(`field ${this.field} holds no whole numbers`);
    return this.bytes.subarray(this.from, this.to);
  }

  #is(wire: number): void {
    if (this.wire !== wire) throw new WireError(`field ${this.field} has wire type ${this.wire}, not ${wire}`);
  }

  #signed(): number {
    if (this.#high === 0) return this.#low;
    const value = (this.#high | 0) * 0x1_0000_0000 + this.#low;
    if (!Number.isSafeInteger(value)) throw new WireError(`field ${this.field}: ${value} is too large a number`);
    return value;
  }

  /** Leaves the value in #low and #high, gives the offset after it. */
  #varint(at: number, end: number): number {
    const bytes = this.bytes;
    const first = at < end ? (bytes[at] ?? 0) : 0x80;
    this.#high = 0;
    if (first < 0x80) {
      this.#low = first;
      return at + 1;
    }
    let [low, high] = [first & 0x7f, 0];
    for (let index = 1; index < 10; index++) {
      if (at + index >= end) throw new WireError("a number goes past the end of its message");
      const byte = bytes[at + index] ?? 0;
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return at + index + 1;
      }
    }
    throw new WireError("a number is longer than ten bytes");
  }
}

/** A message that is written field by field into memory that grows. */
export class Writer {
  #bytes: Buffer;
  #at = 0;

  /** Room for `expected` bytes spares the growing. */
  constructor(expected: number) {
    this.#bytes = Buffer.allocUnsafe(Math.max(64, expected));
  }

  done(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  bool(field: number, value: boolean): this {
    return this.int(field, value ? 1 : 0);
  }

  /** From -2^63 on, as int64 and int32 are written. */
  int(field: number, value: number): this {
    this.#room(20);
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  double(field: number, value: number): this {
    this.#room(18);
    this.#varint(field * 8 + FIXED64);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
    return this;
  }

  text(field: number, value: string): this {
    const length = Buffer.byteLength(value);
    this.#head(field, length);
    this.#at += this.#bytes.write(value, this.#at);
    return this;
  }

  payload(field: number, value: Uint8Array): this {
    this.#head(field, value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** A field of so many bytes that `write` fills. */
  filled(field: number, length: number, write: (into: Buffer, at: number) => void): this {
    this.#head(field, length);
    write(this.#bytes, this.#at);
    this.#at += length;
    return this;
  }

  packed(field: number, values: readonly number[]): this {
    const length = values.reduce((sum, value) => sum + varintLength(value), 0);
    this.#head(field, length);
    for (const value of values) this.#varint(value);
    return this;
  }

  #head(field: number, length: number): void {
    this.#room(20 + length);
    this.#varint(field * 8 + BYTES);
    this.#varint(length);
  }

  #varint(value: number): void {
    this.#at = writeVarint(this.#bytes, this.#at, value);
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Writes a whole number, negative ones in ten bytes; gives the offset after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value < 0) return writeBigVarint(bytes, at, BigInt(value));
  while (value >= 0x1000_0000) {
    bytes[at++] = (value % 0x80) | 0x80;
    value = Math.floor(value / 0x80);
  }
  while (value >= 0x80) {
    bytes[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  bytes[at++] = value;
  return at;
}

export function writeBigVarint(bytes: Uint8Array, at: number, value: bigint): number {
  let left = BigInt.asUintN(64, value);
  while (left >= 0x80n) {
    bytes[at++] = Number(left & 0x7fn) | 0x80;
    left >>= 7n;
  }
  bytes[at++] = Number(left);
  return at;
}

export function varintLength(value: number): number {
  if (value < 0) return 10;
  let length = 1;
  while (value >= 0x80) {
    value = Math.floor(value / 0x80);
    length++;
  }
  return length;
}

export function bigVarintLength(value: bigint): number {
  let left = BigInt.asUintN(64, value) >> 7n;
  let length = 1;
  while (left > 0n) {
    left >>= 7n;
    length++;
  }
  return length;
}
