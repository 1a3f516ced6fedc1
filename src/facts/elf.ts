/**
 * What a shared library says about itself: for which machine it is, its name, what it needs. Only its headers and its dynamic
 * section are read. ELF gABI chapters 4 and 5; LSB 5.0 "Symbol Versioning" for the versions it needs.
 */

import { Cursor, latin1 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import { malformed, read, type Reading, type Unread } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface ElfFacts {
  /** x86_64, aarch64, arm ...; "machine 0x.." for one without a name here. */
  readonly machine: string;
  readonly class: 32 | 64;
  readonly soname?: string;
  readonly needed: readonly string[];
  /** Highest version of glibc it asks for: "2.34" of GLIBC_2.34. */
  readonly glibc?: string;
}

/** e_machine of elf.h. */
const MACHINES: Readonly<Record<number, string>> = {
  3: "i686",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x86_64",
  164: "hexagon",
  183: "aarch64",
  243: "riscv",
  258: "loongarch64",
};

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT = { needed: 1, strtab: 5, strsz: 10, soname: 14, verneed: 0x6ffffffe, verneednum: 0x6fffffff };
/** Real libraries have some 10 program headers, 40 dynamic entries, 100 needed libraries and 50 versions of each. */
const SEGMENT_LIMIT = 512;
const DYNAMIC_LIMIT = 64 * 1024;
const NEEDED_LIMIT = 512;
const VERSION_LIMIT = 1024;
/** String tables of 20 MiB exist: this much is read at once, a name beyond it by itself. */
const STRINGS_AT_ONCE = 64 * 1024;
const NAME_LIMIT = 4096;

/** Never loads the library: it is read as a file, some kilobytes of it. */
export function readElf(root: Root, path: string): Reading<ElfFacts> {
  const file: File = {
    path,
    part(offset, length) {
      const bytes = root.slice(path, offset, length);
      if (bytes.state !== "read") throw new Unreadable(bytes);
      return bytes.value;
    },
  };
  try {
    return read(parse(file), path);
  } catch (error) {
    if (error instanceof Unreadable) return error.reading;
    if (error instanceof FileError) return malformed(path, error.message.slice(path.length + 2));
    throw error;
  }
}

interface File {
  readonly path: string;
  /** At most `length` bytes: fewer at the end of the file. */
  part(offset: number, length: number): Uint8Array;
}

/** Carries a part that could not be read out of the parser. */
class Unreadable extends Error {
  readonly reading: Unread;
  constructor(reading: Unread) {
    super(reading.from);
    this.reading = reading;
  }
}

interface Header {
  readonly wide: boolean;
  readonly littleEndian: boolean;
  readonly machine: string;
  readonly segments: readonly Segment[];
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
}

function parse(file: File): ElfFacts {
  const header = parseHeader(file);
  const facts = { machine: header.machine, class: header.wide ? (64 as const) : (32 as const) };
  const dynamic = header.segments.find((segment) => segment.type === PT_DYNAMIC);
  if (dynamic === undefined) return { ...facts, needed: [] }; // linked statically, or debug symbols alone
  const entries = parseDynamic(file, header, dynamic);
  const value = (tag: number): number | undefined => entries.find((entry) => entry.tag === tag)?.value;
  const strtab = value(DT.strtab);
  if (strtab === undefined) throw new FileError(file.path, "has no string table", dynamic.offset);
  const name = strings(file, fileOffset(file, header, strtab), value(DT.strsz) ?? 0);
  const soname = value(DT.soname);
  const verneed = value(DT.verneed);
  const glibc =
    verneed === undefined
      ? undefined
      : highestGlibc(versionsNeeded(file, header, fileOffset(file, header, verneed), value(DT.verneednum) ?? 0, name));
  const needed = entries.filter((entry) => entry.tag === DT.needed).slice(0, NEEDED_LIMIT);
  return {
    ...facts,
    ...(soname === undefined ? {} : { soname: name(soname) }),
    needed: needed.map((entry) => name(entry.value)),
    ...(glibc === undefined ? {} : { glibc }),
  };
}

/** A cursor over a part that must be there whole. */
function whole(file: File, header: { readonly littleEndian: boolean }, offset: number, length: number): Cursor {
  const bytes = file.part(offset, length);
  if (bytes.length < length) {
    throw new FileError(file.path, `needs ${length} bytes, ${bytes.length} are left`, offset);
  }
  return new Cursor(bytes, file.path, { littleEndian: header.littleEndian });
}

function parseHeader(file: File): Header {
  const bytes = file.part(0, 64);
  const [class_, data] = [bytes[4], bytes[5]];
  if (latin1(bytes.subarray(0, 4)) !== "\x7fELF") throw new FileError(file.path, "not an ELF file", 0);
  if ((class_ !== 1 && class_ !== 2) || (data !== 1 && data !== 2)) {
    throw new FileError(file.path, `neither 32 nor 64 bits or no byte order: ${class_ ?? 0}, ${data ?? 0}`, 4);
  }
  const wide = class_ === 2;
  const order = { littleEndian: data === 1 };
  const cursor = new Cursor(bytes, file.path, { ...order, offset: 18 });
  const code = cursor.u16();
  cursor.seek(wide ? 32 : 28);
  const offset = wide ? cursor.size64() : cursor.u32();
  cursor.seek(wide ? 54 : 42);
  const size = cursor.u16();
  const count = cursor.u16();
  if (count > SEGMENT_LIMIT)
    throw new FileError(file.path, `${count} program headers, over ${SEGMENT_LIMIT}`, wide ? 56 : 44);
  if (count > 0 && size < (wide ? 56 : 32))
    throw new FileError(file.path, `program headers of ${size} bytes`, wide ? 54 : 42);
  const table = whole(file, order, offset, count * size);
  const segments = Array.from({ length: count }, (_, i) => parseSegment(table.seek(i * size), wide));
  return { wide, ...order, machine: MACHINES[code] ?? `machine 0x${code.toString(16)}`, segments };
}

function parseSegment(cursor: Cursor, wide: boolean): Segment {
  const type = cursor.u32();
  if (!wide) {
    const [offset, address] = [cursor.u32(), cursor.u32()];
    cursor.skip(4);
    return { type, offset, address, bytes: cursor.u32() };
  }
  cursor.skip(4);
  const [offset, address] = [cursor.u64(), cursor.u64()];
  cursor.skip(8);
  // Only what a file can hold is looked for, so a number too large for a double need not be exact.
  return { type, offset: Number(offset), address: Number(address), bytes: Number(cursor.u64()) };
}

/** Addresses in the dynamic section are those of memory: the loaded segment around one says where that lies in the file. */
function fileOffset(file: File, header: Header, address: number): number {
  for (const segment of header.segments) {
    const into = address - segment.address;
    if (segment.type === PT_LOAD && into >= 0 && into < segment.bytes) return segment.offset + into;
  }
  throw new FileError(file.path, `address 0x${address.toString(16)} lies in no loaded segment`);
}

function parseDynamic(
  file: File,
  header: Header,
  segment: Segment,
): { readonly tag: number; readonly value: number }[] {
  const bytes = Math.min(segment.bytes, DYNAMIC_LIMIT);
  const cursor = whole(file, header, segment.offset, bytes);
  const entries: { tag: number; value: number }[] = [];
  const word = (): number => (header.wide ? Number(cursor.u64()) : cursor.u32());
  while (cursor.left >= (header.wide ? 16 : 8)) {
    const [tag, value] = [word(), word()];
    if (tag === 0) break;
    entries.push({ tag, value });
  }
  return entries;
}

/** Names by their offset in the string table. */
function strings(file: File, start: number, bytes: number): (offset: number) => string {
  const first = file.part(start, Math.min(bytes, STRINGS_AT_ONCE));
  return (offset) => {
    if (!(offset < bytes)) throw new FileError(file.path, `name at ${offset} of ${bytes} bytes of strings`, start);
    const near = first.indexOf(0, offset);
    if (offset < first.length && near >= 0) return latin1(first.subarray(offset, near));
    const part = file.part(start + offset, Math.min(NAME_LIMIT, bytes - offset));
    const end = part.indexOf(0);
    if (end < 0) throw new FileError(file.path, `name without an end within ${part.length} bytes`, start + offset);
    return latin1(part.subarray(0, end));
  };
}

/** Two linked lists: a record per library it needs versions of, and a record per version; each says how far the next one is. */
function versionsNeeded(
  file: File,
  header: Header,
  start: number,
  libraries: number,
  name: (offset: number) => string,
): string[] {
  const cursor = new Cursor(file.part(start, DYNAMIC_LIMIT), file.path, { littleEndian: header.littleEndian });
  const versions: string[] = [];
  let at = 0;
  for (let i = 0; i < Math.min(libraries, NEEDED_LIMIT); i++) {
    cursor.seek(at).skip(2);
    const count = cursor.u16();
    cursor.skip(4);
    let entry = at + cursor.u32();
    const next = cursor.u32();
    for (let k = 0; k < count && versions.length < VERSION_LIMIT; k++) {
      cursor.seek(entry).skip(8);
      versions.push(name(cursor.u32()));
      const step = cursor.u32();
      if (step === 0) break;
      entry += step;
    }
    if (next === 0) break;
    at += next;
  }
  return versions;
}

function highestGlibc(versions: readonly string[]): string | undefined {
  let highest: number[] | undefined;
  for (const version of versions) {
    const match = /^GLIBC_(\d{1,3}(?:\.\d{1,3}){1,2})$/.exec(version)?.[1];
    const numbers = match?.split(".").map(Number);
    if (numbers !== undefined && (highest === undefined || compare(numbers, highest) > 0)) highest = numbers;
  }
  return highest?.join(".");
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
