/**
 * Tar archives as lists of views into their bytes: ustar, GNU long names, pax headers, hard links. tar(5), POSIX pax(1)
 * Nothing is copied or written; names that climb ("..") are left out, since no tree of a machine has them.
 */

import { latin1, utf8 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import type { NodeType } from "./root.ts";

export interface TarEntry {
  /** Absolute and plain: "/sys/class". */
  readonly path: string;
  readonly type: NodeType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** As the archive says; of a sparse file more than `content`. */
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  /** Of a symbolic link, as written. */
  readonly target?: string;
  /** Of a regular file, unless the archive holds it in pieces (sparse). */
  readonly content?: Uint8Array;
}

const BLOCK = 512;
/** A long name or pax header; Linux allows paths of 4096 bytes. */
const EXTENSION_LIMIT = 1024 * 1024;
const PATH_LIMIT = 4096;

/** Is there a tar header with a right checksum at the start? */
export function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= BLOCK && checksumFits(bytes, 0);
}

/** All entries in their order. Throws FileError with the offset for what is truncated or no tar; `limit` bounds their number. */
export function readTar(bytes: Uint8Array, path: string, limit: number): TarEntry[] {
  const entries: TarEntry[] = [];
  const files = new Map<string, TarEntry>();
  let global: Pax = {};
  let next: Pax = {};
  let at = 0;
  for (;;) {
    if (at + BLOCK > bytes.length) throw new FileError(path, "tar ends without its end mark: truncated", bytes.length);
    if (bytes[at] === 0 && isZero(bytes.subarray(at, at + BLOCK))) return entries;
    if (!checksumFits(bytes, at)) throw new FileError(path, "not a tar header", at);
    const header = readHeader(bytes, at, path);
    const fields = { ...global, ...next };
    const size = fields.size ?? header.size;
    const holds = HOLDS_DATA.has(header.flag);
    const data = at + BLOCK;
    const end = holds ? data + size : data;
    if (end > bytes.length) {
      throw new FileError(path, `tar entry of ${size} bytes at 0x${at.toString(16)} is cut off`, bytes.length);
    }
    at = data + Math.ceil((end - data) / BLOCK) * BLOCK;
    if (EXTENSIONS.has(header.flag)) {
      if (size > EXTENSION_LIMIT) throw new FileError(path, `tar name of ${size} bytes`, data);
      const text = bytes.subarray(data, end);
      if (header.flag === "L") next = { ...next, path: cstring(text) };
      else if (header.flag === "K") next = { ...next, linkpath: cstring(text) };
      else if (header.flag === "g") global = { ...global, ...readPax(text, path, data) };
      else next = { ...next, ...readPax(text, path, data) };
      continue;
    }
    next = {};
    const name = plain(fields.path ?? header.name);
    const type = TYPES[header.flag];
    if (name === undefined || type === undefined) continue;
    const { mode, uid, gid, major, minor } = header;
    const common = { path: name, mode, uid: fields.uid ?? uid, gid: fields.gid ?? gid, major, minor };
    const linked = fields.linkpath ?? header.link;
    const entry = makeEntry();
    if (entry === undefined) continue;
    if (entries.length >= limit) throw new FileError(path, `more than ${limit} files`, at);
    entries.push(entry);
    if (entry.type === "file") files.set(name, entry);

    function makeEntry(): TarEntry | undefined {
      if (header.flag === "1") {
        const original = files.get(plain(linked) ?? "");
        return original && { ...original, path: common.path };
      }
      if (type === "link") return { ...common, type, size: linked.length, target: linked };
      if (type !== "file") return { ...common, type: type ?? "file", size: 0 };
      if (header.flag === "S" || fields.sparse) return { ...common, type, size: fields.realSize ?? size };
      return { ...common, type, size, content: bytes.subarray(data, end) };
    }
  }
}

const TYPES: Readonly<Record<string, NodeType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "file",
  S: "file",
  "2": "link",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};
const EXTENSIONS: ReadonlySet<string> = new Set(["L", "K", "x", "g"]);
const HOLDS_DATA: ReadonlySet<string> = new Set(["0", "\0", "7", "S", "L", "K", "x", "g", "D", "M", "V", "N"]);

interface Header {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly flag: string;
  readonly link: string;
  readonly major: number;
  readonly minor: number;
}

function readHeader(bytes: Uint8Array, at: number, path: string): Header {
  const field = (offset: number, length: number): Uint8Array => bytes.subarray(at + offset, at + offset + length);
  const name = cstring(field(0, 100));
  // GNU's own format ("ustar  ") has other things where POSIX has the prefix.
  const prefix = latin1(field(257, 6)) === "ustar\0" ? cstring(field(345, 155)) : "";
  const size = number(field(124, 12));
  if (!Number.isSafeInteger(size) || size < 0) throw new FileError(path, "impossible size in a tar header", at + 124);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: number(field(100, 8)) & 0o7777,
    uid: number(field(108, 8)),
    gid: number(field(116, 8)),
    size,
    flag: latin1(field(156, 1)),
    link: cstring(field(157, 100)),
    major: number(field(329, 8)),
    minor: number(field(337, 8)),
  };
}

/** Octal text, or for large numbers big-endian binary with the first bit set. */
function number(field: Uint8Array): number {
  const first = field[0] ?? 0;
  if (first & 0x80) {
    let value = first & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return value;
  }
  const text = cstring(field).trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : 0;
}

/** The sum of the header's bytes with its own field taken as blanks. */
function checksumFits(bytes: Uint8Array, at: number): boolean {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += bytes[at + i] ?? 0;
  return sum === number(bytes.subarray(at + 148, at + 156));
}

interface Pax {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly sparse?: boolean;
  readonly realSize?: number;
}

/** Records of "LENGTH KEY=VALUE\n", the length counting itself. */
function readPax(bytes: Uint8Array, path: string, offset: number): Pax {
  const pax: { -readonly [Key in keyof Pax]: Pax[Key] } = {};
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0) {
    const blank = bytes.indexOf(0x20, at);
    const length = blank < 0 || blank - at > 8 ? Number.NaN : Number(latin1(bytes.subarray(at, blank)));
    if (!(length > blank - at + 1) || at + length > bytes.length)
      throw new FileError(path, "damaged pax header", offset + at);
    const record = utf8(bytes.subarray(blank + 1, at + length - 1));
    const equals = record.indexOf("=");
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    const count = /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
    if (key === "path" || key === "linkpath") pax[key] = value;
    else if ((key === "size" || key === "uid" || key === "gid") && count !== undefined) pax[key] = count;
    else if (key.startsWith("GNU.sparse.")) {
      pax.sparse = true;
      if (key === "GNU.sparse.name") pax.path = value;
      if (key === "GNU.sparse.realsize" && count !== undefined) pax.realSize = count;
    }
    at += length;
  }
  return pax;
}

/** "./sys//class/" to "/sys/class"; undefined for names that climb or are no name. */
function plain(name: string): string | undefined {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  const path = `/${parts.join("/")}`;
  return parts.includes("..") || path.length > PATH_LIMIT || name.includes("\0") ? undefined : path;
}

function cstring(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return utf8(end < 0 ? bytes : bytes.subarray(0, end));
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
