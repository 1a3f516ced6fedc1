/**
 * The dynamic loader's cache, /etc/ld.so.cache: which file a library's name leads to. Two formats, of which the older may stand
 * before the newer: glibc sysdeps/generic/dl-cache.h (struct cache_file, struct cache_file_new), either byte order.
 */

import { FileError } from "../base/errors.ts";
import { aliasMatches } from "./alias.ts";

// old: ["ld.so-1.7.0\0" 12][nlibs u32][entries of 12: flags, name, path][strings]        offsets count from the strings
// new: ["glibc-ld.so.cache1.1" 20][nlibs u32][string bytes u32][flags u8, 3 unused][extensions u32][12 unused]
//      [entries of 24: flags u32, name u32, path u32, osversion u32, hwcap u64][strings]  offsets count from this header
const OLD_MAGIC = "ld.so-1.7.0";
const NEW_MAGIC = "glibc-ld.so.cache1.1";
const OLD_HEADER = 16;
const OLD_ENTRY = 12;
const NEW_HEADER = 48;
const NEW_ENTRY = 24;
/** NAME_MAX and PATH_MAX of Linux. */
const NAME_LIMIT = 255;
const PATH_LIMIT = 4096;

export interface CachedLibrary {
  readonly name: string;
  readonly path: string;
}

export interface LdCache {
  /** Entries whose name is this, or matches it when it holds `*`, `?` or `[`; in the cache's order. */
  find(pattern: string): readonly CachedLibrary[];
  readonly entries: number;
}

interface Layout {
  readonly entries: number;
  readonly first: number;
  readonly size: number;
  /** What name and path offsets count from. */
  readonly base: number;
  readonly end: number;
  readonly littleEndian: boolean;
}

/** Throws FileError when the bytes are no whole cache. Entries that point outside of it are left out. */
export function parseLdCache(bytes: Uint8Array, path: string): LdCache {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const layout = findLayout(buffer, path);
  return { entries: layout.entries, find: (pattern) => find(buffer, layout, pattern) };
}

function findLayout(buffer: Buffer, path: string): Layout {
  if (buffer.toString("latin1", 0, NEW_MAGIC.length) === NEW_MAGIC) return newLayout(buffer, 0, path);
  if (buffer.toString("latin1", 0, OLD_MAGIC.length) !== OLD_MAGIC) throw new FileError(path, "not a loader cache", 0);
  const old = counted(buffer, 12, path, (entries) => OLD_HEADER + entries * OLD_ENTRY <= buffer.length);
  const end = OLD_HEADER + old.entries * OLD_ENTRY;
  // The newer format follows, aligned for its 64-bit fields: to 8 bytes, on 32-bit x86 to 4.
  for (const at of [(end + 7) & ~7, (end + 3) & ~3]) {
    if (buffer.toString("latin1", at, at + NEW_MAGIC.length) === NEW_MAGIC) return newLayout(buffer, at, path);
  }
  return { ...old, first: OLD_HEADER, size: OLD_ENTRY, base: end, end: buffer.length };
}

function newLayout(buffer: Buffer, at: number, path: string): Layout {
  if (at + NEW_HEADER > buffer.length) throw new FileError(path, "ends within its header", buffer.length);
  const fits = (entries: number): boolean => at + NEW_HEADER + entries * NEW_ENTRY <= buffer.length;
  // Since glibc 2.33 a flag tells the byte order: 2 little, 3 big; before that it is 0.
  const order = (buffer[at + 28] ?? 0) & 3;
  const said = order === 2 ? true : order === 3 ? false : undefined;
  const { entries, littleEndian } = counted(buffer, at + 20, path, fits, said);
  const strings = littleEndian ? buffer.readUInt32LE(at + 24) : buffer.readUInt32BE(at + 24);
  const end = at + NEW_HEADER + entries * NEW_ENTRY + strings;
  if (end > buffer.length) throw new FileError(path, `names ${strings} bytes of strings, past its end`, at + 24);
  return { entries, littleEndian, first: at + NEW_HEADER, size: NEW_ENTRY, base: at, end };
}

/** The count of entries and the byte order in which it makes sense. */
function counted(
  buffer: Buffer,
  at: number,
  path: string,
  fits: (entries: number) => boolean,
  said?: boolean,
): { readonly entries: number; readonly littleEndian: boolean } {
  if (at + 4 <= buffer.length) {
    for (const littleEndian of said === undefined ? [true, false] : [said]) {
      const entries = littleEndian ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at);
      if (fits(entries)) return { entries, littleEndian };
    }
  }
  throw new FileError(path, "names more libraries than it holds", Math.min(at, buffer.length));
}

/** Most names that are asked for are not there, so the strings are searched before any entry is looked at. */
function find(buffer: Buffer, layout: Layout, pattern: string): CachedLibrary[] {
  const wild = pattern.search(/[*?[]/);
  const literal = Buffer.from(wild < 0 ? `${pattern}\0` : pattern.slice(0, wild), "latin1");
  if (literal.length > NAME_LIMIT + 1) return [];
  const strings = layout.first + layout.entries * layout.size;
  if (buffer.indexOf(literal, strings) < 0) return [];
  const last = literal.at(-1); // undefined of a pattern that begins with its `*`
  const found: CachedLibrary[] = [];
  const u32 = (at: number): number => (layout.littleEndian ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at));
  for (let i = 0; i < layout.entries; i++) {
    const entry = layout.first + i * layout.size;
    const key = layout.base + u32(entry + 4);
    if (key < strings || key + literal.length > layout.end) continue;
    // Names start alike ("lib"), so the last byte of the literal part tells them apart soonest.
    if (last !== undefined && buffer[key + literal.length - 1] !== last) continue;
    if (buffer.compare(literal, 0, literal.length, key, key + literal.length) !== 0) continue;
    const name = cstring(buffer, key, layout.end, NAME_LIMIT);
    if (name === undefined || (wild >= 0 && !aliasMatches(pattern, name))) continue;
    const value = layout.base + u32(entry + 8);
    const path = value < strings ? undefined : cstring(buffer, value, layout.end, PATH_LIMIT);
    if (path?.startsWith("/") === true) found.push({ name, path });
  }
  return found;
}

function cstring(buffer: Buffer, at: number, end: number, limit: number): string | undefined {
  const stop = buffer.indexOf(0, at);
  return stop < 0 || stop >= end || stop - at > limit ? undefined : buffer.toString("utf8", at, stop);
}
