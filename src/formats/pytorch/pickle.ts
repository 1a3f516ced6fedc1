/**
 * Walks a pickle without running it: opcodes build plain values, calls are kept as what they would call with what. Nothing is imported
 * and nothing is executed. Protocols 0 to 5: github.com/python/cpython/blob/main/Lib/pickletools.py
 */

import { FileError } from "../../base/errors.ts";
import { latin1, utf8 } from "../../base/bytes.ts";

/** Opcodes of one file: a checkpoint of 100,000 tensors has some 4 million. */
const OPCODE_LIMIT = 10_000_000;
/** Values made, numbers and texts among them: 100,000 tensors have some 2.5 million. */
const VALUE_LIMIT = 4_000_000;
/** Lists, tuples and calls made: each costs some 80 bytes here; 100,000 tensors have some 800,000. */
const CONTAINER_LIMIT = 1_000_000;
/** Text that is kept of one string: names of tensors and modules are short. */
const TEXT_KEPT = 1024;
/** Modules and names imported that are kept. */
const GLOBAL_LIMIT = 100_000;
/** Digits of a number written as text. */
const LINE_LIMIT = 64 * 1024;

export type Value =
  number | bigint | string | boolean | null | Global | Call | List | Dict | Persistent | Bytes | typeof opaque;

/** A name that would be imported. */
export interface Global {
  readonly kind: "global";
  readonly module: string;
  readonly name: string;
}

/** A function that would be called, or a class that would be made; what is put into it comes after. */
export interface Call {
  readonly kind: "call";
  readonly callee: Value;
  readonly args: Value;
  state?: Value;
  items?: Value[];
  pairs?: (readonly [Value, Value])[];
}

export interface List {
  readonly kind: "list" | "tuple" | "set";
  readonly items: Value[];
}

export interface Dict {
  readonly kind: "dict";
  readonly pairs: (readonly [Value, Value])[];
}

/** An object kept outside of the pickle, by the id it has there: PyTorch's storages. */
export interface Persistent {
  readonly kind: "persistent";
  readonly id: Value;
}

export interface Bytes {
  readonly kind: "bytes";
  readonly length: number;
}

/** What no reader needs to know: extension codes, buffers out of band. */
export const opaque: { readonly kind: "opaque" } = { kind: "opaque" };

export interface Pickle {
  readonly value: Value;
  /** Where the pickle ends, after its STOP. */
  readonly end: number;
  readonly protocol: number;
  /** Every "module name" it would import, in order, each once. */
  readonly globals: readonly string[];
}

/** The pickle at `start` of `bytes`; offsets in errors are told from `base`, the place of bytes in the file called `name`. */
export function walkPickle(bytes: Uint8Array, name: string, base: number, start = 0): Pickle {
  return new Walker(bytes, name, base, start).walk();
}

/** Stands on the stack where the items of a list or a tuple begin. */
const mark = Symbol("mark");

class Walker {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;
  readonly #base: number;
  #at: number;
  #opcode = 0;
  #values = 0;
  #containers = 0;
  #protocol = 0;
  readonly #stack: (Value | typeof mark)[] = [];
  readonly #memo = new Map<number, Value>();
  readonly #globals = new Set<string>();

  constructor(bytes: Uint8Array, name: string, base: number, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#name = name;
    this.#base = base;
    this.#at = start;
  }

  walk(): Pickle {
    for (let count = 0; ; count++) {
      if (count > OPCODE_LIMIT) this.#fail(`more than ${OPCODE_LIMIT} opcodes`);
      this.#opcode = this.#at;
      const opcode = this.#u8();
      if (opcode === 0x2e) break;
      this.#step(opcode);
    }
    const value = this.#pop();
    return { value, end: this.#at, protocol: this.#protocol, globals: [...this.#globals] };
  }

  #step(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        this.#protocol = this.#u8();
        if (this.#protocol > 5) this.#fail(`pickle protocol ${this.#protocol}, there are 0 to 5`);
        return;
      case 0x95: // FRAME
        // Only says how much comes.
        if (this.#size8() > this.#bytes.length - this.#at) this.#fail("a frame is cut short");
        return;
      case 0x28: // MARK
        this.#stack.push(mark);
        return;
      case 0x30: // POP
        if (this.#stack.pop() === undefined) this.#fail("the stack is empty");
        return;
      case 0x31: // POP_MARK
        this.#popMark();
        return;
      case 0x32: // DUP
        this.#push(this.#top());
        return;
      // plain values
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4b: // BININT1
        return this.#push(this.#u8());
      case 0x4d: // BININT2
        return this.#push(this.#u16());
      case 0x4a: // BININT
        return this.#push(this.#u32() | 0);
      case 0x47: // BINFLOAT, the only number that is big-endian
        return this.#push(this.#view.getFloat64(this.#take(8), false));
      case 0x46: // FLOAT
        return this.#push(Number(this.#line()));
      case 0x49: {
        // INT: 00 and 01 are the truths of protocol 0
        const text = this.#line();
        return this.#push(text === "00" ? false : text === "01" ? true : Number(text));
      }
      case 0x4c: // LONG
        return this.#push(Number(this.#line().replace(/L$/, "")));
      case 0x8a: // LONG1
        return this.#push(this.#long(this.#u8()));
      case 0x8b: // LONG4
        return this.#push(this.#long(this.#u32()));
      // text and bytes
      case 0x53: // STRING
      case 0x56: // UNICODE
        return this.#push(
          this.#line()
            .replace(/^(['"])(.*)\1$/, "$2")
            .slice(0, TEXT_KEPT),
        );
      case 0x54: // BINSTRING
      case 0x58: // BINUNICODE
        return this.#push(this.#text(this.#u32()));
      case 0x55: // SHORT_BINSTRING
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#text(this.#u8()));
      case 0x8d: // BINUNICODE8
        return this.#push(this.#text(this.#size8()));
      case 0x42: // BINBYTES
        return this.#push(this.#blob(this.#u32()));
      case 0x43: // SHORT_BINBYTES
        return this.#push(this.#blob(this.#u8()));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.#push(this.#blob(this.#size8()));
      case 0x97: // NEXT_BUFFER
        return this.#push(opaque);
      case 0x98: // READONLY_BUFFER
        return;
      default:
        return this.#build(opcode);
    }
  }

  /** Opcodes that put values together. */
  #build(opcode: number): void {
    switch (opcode) {
      case 0x29: // EMPTY_TUPLE
        return this.#push({ kind: "tuple", items: [] });
      case 0x74: // TUPLE
        return this.#push({ kind: "tuple", items: this.#popMark() });
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: {
        // TUPLE3
        const items = Array.from({ length: opcode - 0x84 }, () => this.#pop()).reverse();
        return this.#push({ kind: "tuple", items });
      }
      case 0x5d: // EMPTY_LIST
        return this.#push({ kind: "list", items: [] });
      case 0x6c: // LIST
        return this.#push({ kind: "list", items: this.#popMark() });
      case 0x61: {
        // APPEND
        const item = this.#pop();
        return this.#append([item]);
      }
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        return this.#append(this.#popMark());
      case 0x8f: // EMPTY_SET
        return this.#push({ kind: "set", items: [] });
      case 0x91: // FROZENSET
        return this.#push({ kind: "set", items: this.#popMark() });
      case 0x7d: // EMPTY_DICT
        return this.#push({ kind: "dict", pairs: [] });
      case 0x64: // DICT
        return this.#push({ kind: "dict", pairs: this.#pairs(this.#popMark()) });
      case 0x73: {
        // SETITEM
        const value = this.#pop();
        return this.#set([[this.#pop(), value]]);
      }
      case 0x75: // SETITEMS
        return this.#set(this.#pairs(this.#popMark()));
      // what would run
      case 0x63: // GLOBAL
        return this.#global(this.#line(), this.#line());
      case 0x93: {
        // STACK_GLOBAL
        const name = this.#pop();
        return this.#global(textOf(this.#pop()), textOf(name));
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = this.#pop();
        return this.#push({ kind: "call", callee: this.#pop(), args });
      }
      case 0x92: {
        // NEWOBJ_EX
        this.#pop();
        const args = this.#pop();
        return this.#push({ kind: "call", callee: this.#pop(), args });
      }
      case 0x69: {
        // INST
        const [module, name] = [this.#line(), this.#line()];
        const items = this.#popMark();
        this.#global(module, name);
        return this.#push({ kind: "call", callee: this.#pop(), args: { kind: "tuple", items } });
      }
      case 0x6f: {
        // OBJ
        const [callee = opaque, ...items] = this.#popMark();
        return this.#push({ kind: "call", callee, args: { kind: "tuple", items } });
      }
      case 0x62: {
        // BUILD
        const state = this.#pop();
        const target = this.#top();
        if (typeof target === "object" && target !== null && target.kind === "call") target.state = state;
        return;
      }
      case 0x51: // BINPERSID
        return this.#push({ kind: "persistent", id: this.#pop() });
      case 0x50: // PERSID
        return this.#push({ kind: "persistent", id: this.#line().slice(0, TEXT_KEPT) });
      case 0x82: // EXT1
        this.#u8();
        return this.#extension();
      case 0x83: // EXT2
        this.#u16();
        return this.#extension();
      case 0x84: // EXT4
        this.#u32();
        return this.#extension();
      default:
        return this.#remember(opcode);
    }
  }

  #remember(opcode: number): void {
    switch (opcode) {
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case 0x71: // BINPUT
        this.#memo.set(this.#u8(), this.#top());
        return;
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#u32(), this.#top());
        return;
      case 0x70: // PUT
        this.#memo.set(Number(this.#line()), this.#top());
        return;
      case 0x68: // BINGET
        return this.#get(this.#u8());
      case 0x6a: // LONG_BINGET
        return this.#get(this.#u32());
      case 0x67: // GET
        return this.#get(Number(this.#line()));
      default:
        this.#fail(`0x${opcode.toString(16).padStart(2, "0")} is no opcode of pickles`);
    }
  }

  #get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) this.#fail(`takes value ${index}, which was not kept`);
    this.#stack.push(value);
  }

  #global(module: string, name: string): void {
    if (this.#globals.size < GLOBAL_LIMIT)
      this.#globals.add(`${module.slice(0, TEXT_KEPT)} ${name.slice(0, TEXT_KEPT)}`);
    this.#push({ kind: "global", module: module.slice(0, TEXT_KEPT), name: name.slice(0, TEXT_KEPT) });
  }

  /** Registered by number in the program that wrote it: what it is cannot be told. */
  #extension(): void {
    if (this.#globals.size < GLOBAL_LIMIT) this.#globals.add("copyreg extension");
    this.#push(opaque);
  }

  #append(items: readonly Value[]): void {
    const target = this.#top();
    if (typeof target !== "object" || target === null) this.#fail("puts items into what is no list");
    if (target.kind === "list" || target.kind === "set") for (const item of items) target.items.push(item);
    else if (target.kind === "call") {
      target.items ??= [];
      for (const item of items) target.items.push(item);
    } else if (target.kind !== "opaque") this.#fail("puts items into what is no list");
  }

  #set(pairs: readonly (readonly [Value, Value])[]): void {
    const target = this.#top();
    if (typeof target !== "object" || target === null) this.#fail("puts pairs into what is no dict");
    if (target.kind === "dict") for (const pair of pairs) target.pairs.push(pair);
    else if (target.kind === "call") {
      target.pairs ??= [];
      for (const pair of pairs) target.pairs.push(pair);
    } else if (target.kind !== "opaque") this.#fail("puts pairs into what is no dict");
  }

  #pairs(items: readonly Value[]): (readonly [Value, Value])[] {
    if (items.length % 2 !== 0) this.#fail("a dict of keys without values");
    const out: (readonly [Value, Value])[] = [];
    for (let index = 0; index < items.length; index += 2) out.push([items[index] ?? null, items[index + 1] ?? null]);
    return out;
  }

  #push(value: Value): void {
    if (++this.#values > VALUE_LIMIT) this.#fail(`more than ${VALUE_LIMIT} values`);
    if (typeof value === "object" && value !== null && ++this.#containers > CONTAINER_LIMIT)
      this.#fail(`more than ${CONTAINER_LIMIT} lists, tuples and calls`);
    this.#stack.push(value);
  }

  #pop(): Value {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) this.#fail("the stack is empty");
    return value;
  }

  #top(): Value {
    const value = this.#stack.at(-1);
    if (value === undefined || value === mark) this.#fail("the stack is empty");
    return value;
  }

  #popMark(): Value[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) this.#fail("no mark on the stack");
    const items = this.#stack.splice(at);
    items.shift();
    return items.filter((item): item is Value => item !== mark);
  }

  #u8(): number {
    if (this.#at >= this.#bytes.length) this.#fail("the pickle ends without its STOP");
    return this.#bytes[this.#at++] ?? 0;
  }

  #u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #size8(): number {
    const size = this.#view.getBigUint64(this.#take(8), true);
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) this.#fail(`a length of ${size}`);
    return Number(size);
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) this.#fail(`needs ${count} bytes, ${this.#bytes.length - at} are left`);
    this.#at = at + count;
    return at;
  }

  #text(length: number): string {
    const at = this.#take(length);
    return utf8(this.#bytes.subarray(at, at + Math.min(length, TEXT_KEPT)));
  }

  #blob(length: number): Bytes {
    this.#take(length);
    return { kind: "bytes", length };
  }

  /** Two's complement, least byte first; longer ones than 64 bits are no size of anything. */
  #long(length: number): Value {
    const at = this.#take(length);
    if (length > 8) return opaque;
    let value = 0n;
    for (let index = length - 1; index >= 0; index--) value = (value << 8n) | BigInt(this.#bytes[at + index] ?? 0);
    const signed = length === 0 ? 0n : BigInt.asIntN(length * 8, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0 || end - this.#at > LINE_LIMIT) this.#fail("a line without an end");
    const text = latin1(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }

  #fail(why: string): never {
    throw new FileError(this.#name, `the pickle: ${why}`, this.#base + this.#opcode);
  }
}

const textOf = (value: Value): string => (typeof value === "string" ? value : "");

/** Items of a list or tuple; none of anything else. */
export const itemsOf = (value: Value | undefined): readonly Value[] =>
  typeof value === "object" &&
  value !== null &&
  (value.kind === "list" || value.kind === "tuple" || value.kind === "set")
    ? value.items
    : [];

/** "module name" of a global, "" of anything else. */
export const globalOf = (value: Value | undefined): string =>
  typeof value === "object" && value !== null && value.kind === "global" ? `${value.module} ${value.name}` : "";
