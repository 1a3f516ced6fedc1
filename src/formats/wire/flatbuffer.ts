/**
 * FlatBuffers read where they lie in a ModelFile: tables, vtables, vectors, strings, unions, structs, file identifiers, size prefixes.
 * Every offset is checked against the buffer; what is asked for is fetched, nothing else. Offsets given and taken here are absolute in
 * the file. https://flatbuffers.dev/internals/
 *
 *     const buffer = new FlatBuffer(file);                  // or { offset, length }, { sizePrefixed: true }
 *     if (buffer.identifier() === "TFL3") for (const graph of buffer.root().tables(2, 1000, "subgraphs")) graph.string(4);
 */

import { latin1, utf8 } from "../../base/bytes.ts";
import { FileError } from "../../base/errors.ts";
import type { ModelFile } from "../file.ts";

const PAGE = 64 * 1024;
/** Pages kept at hand: 4 MiB. */
const PAGES = 64;
/** Bytes of tables, vectors and strings one buffer may cost: a small file can point to one long vector from each of many tables. */
const WORK_LIMIT = 48 * 1024 * 1024;
/** What a table costs of it: its object and its vtable, and what the reader makes of them. */
const TABLE_COST = 48;
/** Names are short; the longest seen, a joined scope path, has some 2,000 bytes. */
const STRING_LIMIT = 1024 * 1024;

export interface FlatBufferExtent {
  /** Where the buffer begins in the file. Default 0. */
  readonly offset?: number;
  /** Its bytes. Default: to the end of the file, or what the size prefix says. */
  readonly length?: number;
  /** A u32 with the size stands before the root offset. */
  readonly sizePrefixed?: boolean;
  /** Numbers and tables must lie on multiples of their size, as the schema's own verifiers ask: of formats whose runtimes verify. */
  readonly aligned?: boolean;
}

/** A vector of the file: absolute offset of its first element, and how many there are. Its bytes are in the buffer. */
export interface Extent {
  readonly at: number;
  readonly count: number;
}

export class FlatBuffer {
  readonly file: ModelFile;
  /** Absolute offset where the root offset stands. */
  readonly start: number;
  /** Absolute offset after the last byte. */
  readonly end: number;
  readonly #aligned: boolean;
  readonly #pages = new Map<number, DataView>();
  #page = -1;
  #view: DataView | undefined;
  #work = 0;
  #reached = 0;

  /** Throws FileError when the buffer cannot hold a root table or its size prefix says more than there is. */
  constructor(file: ModelFile, extent: FlatBufferExtent = {}) {
    const offset = extent.offset ?? 0;
    this.file = file;
    this.#aligned = extent.aligned === true;
    this.end = offset + (extent.length ?? file.size - offset);
    this.start = offset;
    if (offset < 0 || this.end > file.size) this.fail("the buffer lies outside the file", offset);
    if (extent.sizePrefixed === true) {
      const size = this.u32(offset);
      this.start = offset + 4;
      if (this.start + size > this.end) {
        this.fail(`size prefix says ${size} bytes, ${this.end - this.start} are left`, offset);
      }
      this.end = this.start + size;
    }
    if (this.end - this.start < 8) this.fail(`${this.end - this.start} bytes are too few for a FlatBuffer`, this.start);
  }

  fail(why: string, at: number): never {
    throw new FileError(this.file.name, why, Math.max(0, Math.min(at, this.file.size)));
  }

  /** The four bytes after the root offset, where identifiers stand; a buffer without one has any bytes there. */
  identifier(): string {
    return latin1(this.bytes(this.start + 4, 4));
  }

  /** Absolute offset after the last table, vector or string read so far: what lies behind it when all is read was appended. */
  get reached(): number {
    return this.#reached;
  }

  root(): Table {
    return this.table(this.#follow(this.start, "root table"));
  }

  /** The table at an absolute offset: of a vector read by hand. */
  table(at: number): Table {
    this.spend(TABLE_COST, at);
    return new Table(this, at);
  }

  u8(at: number): number {
    return this.#locate(at, 1).getUint8(this.#in(at));
  }
  i8(at: number): number {
    return this.#locate(at, 1).getInt8(this.#in(at));
  }
  u16(at: number): number {
    return this.#locate(at, 2).getUint16(this.#in(at), true);
  }
  i16(at: number): number {
    return this.#locate(at, 2).getInt16(this.#in(at), true);
  }
  u32(at: number): number {
    return this.#locate(at, 4).getUint32(this.#in(at), true);
  }
  i32(at: number): number {
    return this.#locate(at, 4).getInt32(this.#in(at), true);
  }
  u64(at: number): bigint {
    return this.#locate(at, 8).getBigUint64(this.#in(at), true);
  }
  i64(at: number): bigint {
    return this.#locate(at, 8).getBigInt64(this.#in(at), true);
  }
  f32(at: number): number {
    return this.#locate(at, 4).getFloat32(this.#in(at), true);
  }
  f64(at: number): number {
    return this.#locate(at, 8).getFloat64(this.#in(at), true);
  }

  /** Exactly these bytes of the buffer. A view. */
  bytes(at: number, length: number): Uint8Array {
    this.check(at, length);
    return this.file.slice(at, length);
  }

  /** Follows the u32 offset at `at` to a string: its text, without the NUL that must follow it. */
  string(at: number): string {
    const start = this.#follow(at, "string");
    const length = this.u32(start);
    this.check(start + 4, length + 1, "string");
    if (length > STRING_LIMIT) this.fail(`string of ${length} bytes, over ${STRING_LIMIT}`, start);
    this.spend(length + 16, start);
    if (this.u8(start + 4 + length) !== 0) this.fail("string without its NUL", start + 4 + length);
    return length === 0 ? "" : utf8(this.file.slice(start + 4, length));
  }

  /** Follows the u32 offset at `at` to a vector of `width`-byte elements. */
  vector(at: number, width: number, what = "vector"): Extent {
    const start = this.#follow(at, what);
    const count = this.u32(start);
    this.check(start + 4, count * width, what);
    if (count > 0) this.align(start + 4, width);
    return { at: start + 4, count };
  }

  /** Follows the u32 offset at `at`: absolute offset of a table, string or vector. Offsets go forward only. */
  follow(at: number): number {
    return this.#follow(at, "offset");
  }

  /** Throws when the stretch is not in the buffer. */
  check(at: number, length: number, what = "needs"): void {
    if (at < this.start || length < 0 || at + length > this.end) {
      this.fail(
        `${what === "needs" ? what : `${what} of`} ${length} bytes, ${Math.max(0, this.end - at)} are left`,
        at,
      );
    }
    if (at + length > this.#reached) this.#reached = at + length;
  }

  /** Throws when numbers of this width may not lie there. Relative to the buffer, wherever it lies in the file. */
  align(at: number, width: number): void {
    if (this.#aligned && (width === 2 || width === 4 || width === 8) && (at - this.start) % width !== 0)
      this.fail(`${width} bytes at ${at - this.start} of the buffer, no multiple of ${width}`, at);
  }

  /** Counts what reading costs, and throws when a file asks for more than any real one. */
  spend(bytes: number, at: number): void {
    this.#work += bytes;
    if (this.#work > WORK_LIMIT) this.fail(`its tables and vectors need more than ${WORK_LIMIT} bytes to read`, at);
  }

  #follow(at: number, what: string): number {
    const offset = this.u32(at);
    const to = at + offset;
    if (offset < 4) this.fail(`${what} at +${offset}, inside its own offset`, at);
    if (to + 4 > this.end) {
      const where = this.end === this.file.size ? "the file ends" : "its buffer ends";
      this.fail(`${what} would lie at ${to}, ${where} at ${this.end}: cut short or damaged`, at);
    }
    this.align(to, 4);
    return to;
  }

  /** The page that holds `length` bytes at `at`; sets #in's base. Scalars across a page border are read on their own. */
  #locate(at: number, length: number): DataView {
    if (at < this.start || at + length > this.end) this.check(at, length);
    const page = Math.floor(at / PAGE);
    if (at + length > (page + 1) * PAGE) {
      const bytes = this.file.slice(at, length);
      this.#base = at;
      return new DataView(bytes.buffer, bytes.byteOffset, length);
    }
    this.#base = page * PAGE;
    if (page === this.#page && this.#view) return this.#view;
    let view = this.#pages.get(page);
    if (!view) {
      const bytes = this.file.slice(page * PAGE, Math.min(PAGE, this.file.size - page * PAGE));
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (this.#pages.size >= PAGES) this.#pages.delete(this.#pages.keys().next().value ?? 0);
      this.#pages.set(page, view);
    }
    this.#page = page;
    this.#view = view;
    return view;
  }
  #base = 0;
  #in(at: number): number {
    return at - this.#base;
  }
}

/** One table: fields by their number in the schema (a union takes two: its type, then its value). */
export class Table {
  readonly buffer: FlatBuffer;
  /** Absolute offset. */
  readonly at: number;
  readonly #vtable: number;
  /** Bytes of the vtable, its own two lengths included. */
  readonly #vtableBytes: number;

  constructor(buffer: FlatBuffer, at: number) {
    this.buffer = buffer;
    this.at = at;
    this.#vtable = at - buffer.i32(at);
    if (this.#vtable < buffer.start || this.#vtable + 4 > buffer.end) {
      buffer.fail(`vtable at ${this.#vtable - buffer.start}, outside the buffer`, at);
    }
    this.#vtableBytes = buffer.u16(this.#vtable);
    if (this.#vtableBytes < 4 || this.#vtableBytes % 2 !== 0) {
      buffer.fail(`vtable of ${this.#vtableBytes} bytes`, this.#vtable);
    }
    buffer.check(this.#vtable, this.#vtableBytes, "vtable");
    // The table's own size, also in the vtable, is not held against anything: writers in Python let tables share a vtable whose offsets
    // are theirs and whose size is another's.
  }

  /** How many fields its writer's schema knew at least: the vtable is as long as the last one set. */
  get fields(): number {
    return (this.#vtableBytes - 4) / 2;
  }

  /** Absolute offset of a field of `width` bytes (a scalar, a struct, an offset), undefined when it has its default. */
  find(field: number, width: number): number | undefined {
    const slot = 4 + field * 2;
    if (slot >= this.#vtableBytes) return undefined;
    const offset = this.buffer.u16(this.#vtable + slot);
    if (offset === 0) return undefined;
    if (offset < 4) this.buffer.fail(`field ${field} at +${offset}, inside the table's own offset`, this.at);
    this.buffer.check(this.at + offset, width, `field ${field}`);
    this.buffer.align(this.at + offset, width);
    return this.at + offset;
  }

  /** As find(), held to the buffer alone: early writers (NVDLA's files of 2017) give a table that ends in a struct too few bytes. */
  struct(field: number, width: number): number | undefined {
    const slot = 4 + field * 2;
    const offset = slot < this.#vtableBytes ? this.buffer.u16(this.#vtable + slot) : 0;
    if (offset === 0) return undefined;
    this.buffer.check(this.at + offset, width, "struct");
    return this.at + offset;
  }

  has(field: number): boolean {
    return this.find(field, 1) !== undefined;
  }
  bool(field: number, absent = false): boolean {
    const at = this.find(field, 1);
    return at === undefined ? absent : this.buffer.u8(at) !== 0;
  }
  u8(field: number, absent = 0): number {
    const at = this.find(field, 1);
    return at === undefined ? absent : this.buffer.u8(at);
  }
  i8(field: number, absent = 0): number {
    const at = this.find(field, 1);
    return at === undefined ? absent : this.buffer.i8(at);
  }
  u16(field: number, absent = 0): number {
    const at = this.find(field, 2);
    return at === undefined ? absent : this.buffer.u16(at);
  }
  i16(field: number, absent = 0): number {
    const at = this.find(field, 2);
    return at === undefined ? absent : this.buffer.i16(at);
  }
  u32(field: number, absent = 0): number {
    const at = this.find(field, 4);
    return at === undefined ? absent : this.buffer.u32(at);
  }
  i32(field: number, absent = 0): number {
    const at = this.find(field, 4);
    return at === undefined ? absent : this.buffer.i32(at);
  }
  u64(field: number, absent = 0n): bigint {
    const at = this.find(field, 8);
    return at === undefined ? absent : this.buffer.u64(at);
  }
  i64(field: number, absent = 0n): bigint {
    const at = this.find(field, 8);
    return at === undefined ? absent : this.buffer.i64(at);
  }
  f32(field: number, absent = 0): number {
    const at = this.find(field, 4);
    return at === undefined ? absent : this.buffer.f32(at);
  }
  f64(field: number, absent = 0): number {
    const at = this.find(field, 8);
    return at === undefined ? absent : this.buffer.f64(at);
  }

  /** Undefined when the field is not set: "" and nothing differ. */
  string(field: number): string | undefined {
    const at = this.find(field, 4);
    return at === undefined ? undefined : this.buffer.string(at);
  }

  table(field: number): Table | undefined {
    const at = this.find(field, 4);
    return at === undefined ? undefined : this.buffer.table(this.buffer.follow(at));
  }

  /** A union: its type is `field`, its value the field after it. Undefined for NONE or no value. */
  union(field: number): { readonly type: number; readonly table: Table } | undefined {
    const type = this.u8(field);
    const table = type === 0 ? undefined : this.table(field + 1);
    return table && { type, table };
  }

  /** Where a vector's elements lie; nothing of them is read. Count 0 and no field differ. */
  vector(field: number, width: number): Extent | undefined {
    const at = this.find(field, 4);
    return at === undefined ? undefined : this.buffer.vector(at, width);
  }

  /** Absolute offsets of the tables of a vector; [] when there is none. `limit` is the most a real file has of them, `what` names them. */
  offsets(field: number, limit: number, what: string): readonly number[] {
    const vector = this.#limited(field, 4, limit, what);
    const out: number[] = [];
    for (let i = 0; i < vector.count; i++) out.push(this.buffer.follow(vector.at + i * 4));
    return out;
  }

  tables(field: number, limit: number, what: string): Table[] {
    return this.offsets(field, limit, what).map((at) => this.buffer.table(at));
  }

  strings(field: number, limit: number, what: string): string[] {
    const { at, count } = this.#limited(field, 4, limit, what);
    return Array.from({ length: count }, (_, i) => this.buffer.string(at + i * 4));
  }

  /** Numbers of a vector; undefined when the field is not set. */
  i32s(field: number, limit: number, what: string): number[] | undefined {
    return this.#numbers(field, 4, limit, what, (at) => this.buffer.i32(at));
  }
  u32s(field: number, limit: number, what: string): number[] | undefined {
    return this.#numbers(field, 4, limit, what, (at) => this.buffer.u32(at));
  }
  f32s(field: number, limit: number, what: string): number[] | undefined {
    return this.#numbers(field, 4, limit, what, (at) => this.buffer.f32(at));
  }
  /** As doubles: exact to 2^53, which is beyond any dimension, offset or zero point. */
  i64s(field: number, limit: number, what: string): number[] | undefined {
    return this.#numbers(field, 8, limit, what, (at) => Number(this.buffer.i64(at)));
  }

  /** The bytes of a [ubyte] field. A view. */
  blob(field: number): Uint8Array | undefined {
    const vector = this.vector(field, 1);
    return vector && this.buffer.bytes(vector.at, vector.count);
  }

  #numbers(
    field: number,
    width: number,
    limit: number,
    what: string,
    read: (at: number) => number,
  ): number[] | undefined {
    if (this.find(field, 4) === undefined) return undefined;
    const { at, count } = this.#limited(field, width, limit, what);
    const out: number[] = [];
    for (let i = 0; i < count; i++) out.push(read(at + i * width));
    return out;
  }

  #limited(field: number, width: number, limit: number, what: string): Extent {
    const at = this.find(field, 4);
    if (at === undefined) return { at: 0, count: 0 };
    const vector = this.buffer.vector(at, width, what);
    if (vector.count > limit) this.buffer.fail(`${vector.count} ${what}, over ${limit}`, vector.at - 4);
    this.buffer.spend(vector.count * width, vector.at);
    return vector;
  }
}
