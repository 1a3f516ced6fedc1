/**
 * The central directory of a ZIP archive, as model formats use one: PyTorch, DLC, TFLite metadata, IREE. Nothing is extracted but by
 * asking for one entry, bounded. PKWARE APPNOTE.TXT 6.3.10; https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */

import type * as Zlib from "node:zlib";
import { FileError } from "../../base/errors.ts";
import { latin1, utf8, type Cursor } from "../../base/bytes.ts";
import { requireLate } from "../../base/package.ts";
import type { Integrity } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";

/** Entries of the largest PyTorch archives: one per storage, some ten thousand. */
const ENTRY_LIMIT = 200_000;
/** ENTRY_LIMIT entries with ordinary names; a directory beyond that is no model's. */
const DIRECTORY_LIMIT = 64 * 1024 * 1024;
/** Contradictions told of one archive: more of them say nothing new. */
const FINDING_LIMIT = 20;

const local = 0x04034b50;
const central = 0x02014b50;
const end = 0x06054b50;
const end64 = 0x06064b50;
const locator64 = 0x07064b50;
const endSize = 22;
const commentLimit = 0xffff;

/** Methods seen in model archives; others are named by number. */
export const stored = 0;
export const deflated = 8;

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  /** Bytes in the file, and when unpacked: as the directory declares them. */
  readonly packed: number;
  readonly bytes: number;
  /** Absolute offset of the local header. */
  readonly header: number;
}

export interface Zip {
  readonly entries: readonly ZipEntry[];
  /** Where the archive begins: 0, or the length of what it was appended to. */
  readonly start: number;
  readonly directory: { readonly offset: number; readonly bytes: number };
  readonly integrity: readonly Integrity[];
}

/** Does the file begin as an archive does? An empty one begins with its end. */
export function startsAsZip(file: ModelFile): boolean {
  if (file.size < endSize) return false;
  const first = file.cursor(0, 4).u32();
  return first === local || first === end;
}

/** Where the end record lies; undefined when the file does not end as an archive does. */
export function endOfZip(file: ModelFile): number | undefined {
  const tail = file.tail(endSize);
  if (tail.length < endSize) return undefined;
  if (isEnd(tail, 0, 0)) return file.size - endSize;
  const long = file.tail(endSize + commentLimit);
  for (let at = long.length - endSize - 1; at >= 0; at--) {
    if (long[at] === 0x50 && isEnd(long, at, long.length - endSize - at)) return file.size - long.length + at;
  }
  return undefined;
}

/** The directory. Throws FileError when there is none, or it cannot be followed. */
export function readZip(file: ModelFile): Zip {
  const at = endOfZip(file);
  if (at === undefined) {
    throw new FileError(file.name, "an archive without its directory: the end of the file is missing", file.size);
  }
  const { count, bytes, offset, before } = readEnd(file, at);
  if (count > ENTRY_LIMIT) throw new FileError(file.name, `archive of ${count} entries, over ${ENTRY_LIMIT}`, at);
  if (bytes > DIRECTORY_LIMIT) {
    throw new FileError(file.name, `archive directory of ${bytes} bytes, over ${DIRECTORY_LIMIT}`, at);
  }
  const where = before - bytes;
  const start = where - offset;
  if (where < 0 || start < 0) {
    throw new FileError(file.name, `archive directory of ${bytes} bytes at ${offset} does not fit before its end`, at);
  }
  const cursor = file.cursor(where, bytes);
  const entries: ZipEntry[] = [];
  for (let index = 0; index < count; index++) entries.push(readEntry(file, cursor, where, start));
  const integrity: Integrity[] = [];
  if (cursor.left > 0) {
    integrity.push({
      severity: "warning",
      rule: "archive/directory",
      says: `${cursor.left} bytes of the archive directory belong to no entry`,
      offset: where + cursor.offset,
    });
  }
  integrity.push(...checkEntries(entries, where));
  return { entries, start, directory: { offset: where, bytes }, integrity };
}

/** Where an entry's bytes begin, by its local header. Throws FileError when that is not one, or they leave the file. */
export function dataOffset(file: ModelFile, entry: ZipEntry): number {
  const cursor = file.cursor(entry.header, 30);
  if (cursor.u32() !== local) {
    throw new FileError(
      file.name,
      `no archive entry there for ${quoted(entry.name)}`,
      Math.min(entry.header, file.size),
    );
  }
  cursor.seek(26);
  const offset = entry.header + 30 + cursor.u16() + cursor.u16();
  if (offset + entry.packed > file.size) {
    throw new FileError(
      file.name,
      `${quoted(entry.name)} has ${entry.packed} bytes and leaves the file`,
      Math.min(offset, file.size),
    );
  }
  return offset;
}

/** An entry's bytes unpacked. Throws FileError beyond `limit`, or when they are not what the directory declares. */
export function unpack(file: ModelFile, entry: ZipEntry, limit: number): Uint8Array {
  const name = quoted(entry.name);
  if (entry.encrypted) throw new FileError(file.name, `${name} is encrypted`, Math.min(entry.header, file.size));
  if (entry.bytes > limit || entry.packed > limit) {
    throw new FileError(
      file.name,
      `${name} has ${entry.bytes} bytes, over ${limit}`,
      Math.min(entry.header, file.size),
    );
  }
  const offset = dataOffset(file, entry);
  const packed = file.slice(offset, entry.packed);
  if (entry.method === stored) {
    if (entry.packed !== entry.bytes) {
      throw new FileError(
        file.name,
        `${name} is stored, with ${entry.packed} and ${entry.bytes} bytes`,
        Math.min(entry.header, file.size),
      );
    }
    return packed;
  }
  if (entry.method !== deflated) {
    throw new FileError(
      file.name,
      `${name} is packed by method ${entry.method}, which is not read`,
      Math.min(entry.header, file.size),
    );
  }
  const { inflateRawSync } = requireLate("node:zlib") as typeof Zlib;
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.bytes) });
  } catch (cause) {
    throw new FileError(file.name, `${name} cannot be unpacked`, offset, { cause });
  }
  if (bytes.length !== entry.bytes) {
    throw new FileError(file.name, `${name} unpacks to ${bytes.length} bytes, ${entry.bytes} declared`, offset);
  }
  return bytes;
}

/** What its checksum says against an entry's unpacked bytes; [] where they agree. */
export function checkCrc(entry: ZipEntry, bytes: Uint8Array): Integrity[] {
  const { crc32 } = requireLate("node:zlib") as typeof Zlib;
  const found = crc32(bytes);
  if (found === entry.crc) return [];
  const words = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
  const says = `${quoted(entry.name)} has the checksum ${words(found)}, the archive says ${words(entry.crc)}`;
  return [{ severity: "error", rule: "archive/crc", says, offset: entry.header }];
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 80));

const isEnd = (bytes: Uint8Array, at: number, comment: number): boolean =>
  bytes[at] === 0x50 &&
  bytes[at + 1] === 0x4b &&
  bytes[at + 2] === 5 &&
  bytes[at + 3] === 6 &&
  (bytes[at + 20] ?? 0) + (bytes[at + 21] ?? 0) * 256 === comment;

interface End {
  readonly count: number;
  readonly bytes: number;
  readonly offset: number;
  /** Where the directory ends: the first of the end records. */
  readonly before: number;
}

function readEnd(file: ModelFile, at: number): End {
  const cursor = file.cursor(at, endSize).seek(10);
  const short = { count: cursor.u16(), bytes: cursor.u32(), offset: cursor.u32(), before: at };
  if (short.count !== 0xffff && short.bytes !== 0xffffffff && short.offset !== 0xffffffff) {
    // Some writers (PyTorch's) leave 64-bit records in any archive; the directory then ends before those.
    return at >= 20 && file.cursor(at - 20, 4).u32() === locator64 ? (readEnd64(file, at) ?? short) : short;
  }
  return readEnd64(file, at) ?? short;
}

function readEnd64(file: ModelFile, at: number): End | undefined {
  if (at < 20) return undefined;
  const locator = file.cursor(at - 20, 20);
  if (locator.u32() !== locator64) return undefined;
  const record = locator.skip(4).size64();
  // Where something was put before the archive, the locator is short by that much: the record is right before it.
  for (const where of [record, at - 20 - 56]) {
    if (where < 0 || where + 56 > at) continue;
    const cursor = file.cursor(where, 56);
    if (cursor.u32() !== end64) continue;
    cursor.seek(32);
    return { count: cursor.size64(), bytes: cursor.size64(), offset: cursor.size64(), before: where };
  }
  throw new FileError(file.name, "the archive's 64-bit end record is not where its locator says", at - 20);
}

function readEntry(file: ModelFile, cursor: Cursor, where: number, start: number): ZipEntry {
  const at = where + cursor.offset;
  if (cursor.left < 46 || cursor.u32() !== central) {
    throw new FileError(file.name, "the archive directory holds fewer entries than it says", at);
  }
  cursor.skip(4);
  const flags = cursor.u16();
  const method = cursor.u16();
  cursor.skip(4);
  const crc = cursor.u32();
  let packed = cursor.u32();
  let bytes = cursor.u32();
  const nameLength = cursor.u16();
  const extraLength = cursor.u16();
  const commentLength = cursor.u16();
  cursor.skip(8);
  let header = cursor.u32();
  if (cursor.left < nameLength + extraLength + commentLength) {
    throw new FileError(file.name, "an archive entry leaves the directory", at);
  }
  const rawName = cursor.take(nameLength);
  const next = cursor.offset + extraLength + commentLength;
  const extraEnd = cursor.offset + extraLength;
  while (extraEnd - cursor.offset >= 4) {
    const id = cursor.u16();
    const length = cursor.u16();
    if (length > extraEnd - cursor.offset) break;
    const after = cursor.offset + length;
    if (id === 1) {
      // Only those fields are there that do not fit their 32 bits, in this order.
      const wide = (short: number): number =>
        short === 0xffffffff && after - cursor.offset >= 8 ? cursor.size64() : short;
      bytes = wide(bytes);
      packed = wide(packed);
      header = wide(header);
    }
    cursor.seek(after);
  }
  cursor.seek(next);
  const name = (flags & 0x800) !== 0 ? utf8(rawName) : latin1(rawName);
  return { name, method, encrypted: (flags & 1) !== 0, crc, packed, bytes, header: start + header };
}

/** Entries must lie before the directory, apart from each other, and under names of their own. */
function checkEntries(entries: readonly ZipEntry[], directory: number): Integrity[] {
  const out: Integrity[] = [];
  const tell = (severity: Integrity["severity"], rule: string, says: string, offset: number): void => {
    if (out.length < FINDING_LIMIT) out.push({ severity, rule, says, offset });
  };
  const names = new Set<string>();
  for (const { name, method, packed, bytes, header } of entries) {
    if (names.has(name)) tell("warning", "archive/duplicate", `two entries are called ${quoted(name)}`, header);
    names.add(name);
    if (method === stored && packed !== bytes) {
      tell("error", "archive/size", `${quoted(name)} is stored, with ${packed} and ${bytes} bytes`, header);
    }
  }
  const sorted = [...entries].sort((a, b) => a.header - b.header);
  for (const [index, { name, packed, header }] of sorted.entries()) {
    const limit = sorted[index + 1]?.header ?? directory;
    // A local header has 30 bytes and the name; what lies between entries beyond that is padding.
    if (header + 30 + name.length + packed > Math.min(limit, directory)) {
      const into = limit < directory ? "the entry after it" : "the archive directory";
      tell("error", "extent/overlap", `${quoted(name)} with ${packed} bytes runs into ${into}`, header);
    }
  }
  return out;
}
