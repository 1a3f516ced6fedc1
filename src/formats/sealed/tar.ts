/** Names and sizes of a tar archive's entries, header by header; contents only when asked for. POSIX.1-1988 ustar and GNU's dialect. */

import { word } from "./parts.ts";

const BLOCK = 512;
/** Compiled models have some files for each subgraph and engine. */
const ENTRY_LIMIT = 100_000;

export interface TarEntry {
  readonly name: string;
  readonly bytes: number;
  /** Where its contents begin in what was walked. */
  readonly offset: number;
}

export interface Tar {
  readonly entries: readonly TarEntry[];
  /** What is wrong at an offset, where reading stopped. */
  readonly broken?: { readonly says: string; readonly offset: number };
  /** The two empty blocks at the end were met. */
  readonly whole: boolean;
}

/** `read` gives up to `length` bytes at an offset, fewer at the end of what is there. */
export function walkTar(read: (offset: number, length: number) => Uint8Array): Tar {
  const entries: TarEntry[] = [];
  let at = 0;
  for (;;) {
    const header = read(at, BLOCK);
    if (header.length < BLOCK) return { entries, whole: false };
    if (header.every((byte) => byte === 0)) return { entries, whole: true };
    if (sumOf(header) !== octal(header, 148, 8)) {
      return { entries, whole: false, broken: { says: "the checksum of an archive entry is wrong", offset: at } };
    }
    if (entries.length >= ENTRY_LIMIT) {
      return { entries, whole: false, broken: { says: `more than ${ENTRY_LIMIT} entries`, offset: at } };
    }
    const bytes = octal(header, 124, 12);
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      return { entries, whole: false, broken: { says: "an archive entry without a size", offset: at } };
    }
    const ustar = word(header.subarray(257, 262)) === "ustar" && header[262] === 0;
    const prefix = ustar ? word(header.subarray(345, 500)) : "";
    const name = word(header.subarray(0, 100));
    // Type 5 is a folder; the extended headers of pax (x, g) describe the entry that follows.
    const type = String.fromCharCode(header[156] ?? 0);
    if (type !== "5" && type !== "x" && type !== "g") {
      entries.push({ name: prefix === "" ? name : `${prefix}/${name}`, bytes, offset: at + BLOCK });
    }
    at += BLOCK + Math.ceil(bytes / BLOCK) * BLOCK;
  }
}

/** A number in octal digits, or, with the highest bit set, in bytes. */
function octal(header: Uint8Array, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) !== 0) {
    let value = (header[at] ?? 0) & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + (header[at + i] ?? 0);
    return value;
  }
  const text = word(header.subarray(at, at + length)).trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

/** All bytes of the header, its own checksum counted as blanks. */
function sumOf(header: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : (header[i] ?? 0);
  return sum;
}
