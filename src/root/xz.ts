/**
 * XZ streams with LZMA2, as kernel modules, firmware files and Debian packages have them. https://tukaani.org/xz/xz-file-format.txt
 * Ours because what exists for Node is asynchronous or native, and a root answers at once: docs/decisions/ has the choice.
 *
 * Sizes are checked against what is there and against a limit; CRC32 checks are compared, longer ones are stepped over.
 */

import type * as Zlib from "node:zlib";

import { FileError } from "../base/errors.ts";
import { requireLate } from "../base/package.ts";
import { Lzma2 } from "./lzma2.ts";

export const XZ_MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] as const;

const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;
const CHECK_CRC32 = 1;
const FILTER_LZMA2 = 0x21;
const HEADER_SIZE = 12;
/** No LZMA stream packs better than this; a declared size beyond it is a lie. */
const RATIO_LIMIT = 8000;

export function unxz(bytes: Uint8Array, path: string, limit: number): Uint8Array {
  const { crc32 } = requireLate("node:zlib") as typeof Zlib;
  const output = new Lzma2(path, declaredSize(bytes), limit);
  let at = 0;
  do {
    at = readStream(at);
    while (at + 4 <= bytes.length && u32(bytes, at) === 0) at += 4; // stream padding
  } while (at < bytes.length);
  return output.finish();

  function readStream(start: number): number {
    need(start, HEADER_SIZE);
    if (!XZ_MAGIC.every((byte, i) => bytes[start + i] === byte)) fail("no xz stream starts here", start);
    const check = bytes[start + 7] ?? 0;
    if (bytes[start + 6] !== 0 || check > 15) fail("unknown stream flags", start + 6);
    if (crc32(bytes.subarray(start + 6, start + 8)) !== u32(bytes, start + 8)) fail("stream header is damaged", start);
    let position = start + HEADER_SIZE;
    for (;;) {
      need(position, 1);
      if (bytes[position] === 0) break; // the index
      position = readBlock(position, check);
    }
    return readIndex(position);
  }

  function readBlock(start: number, check: number): number {
    const size = ((bytes[start] ?? 0) + 1) * 4;
    need(start, size);
    if (crc32(bytes.subarray(start, start + size - 4)) !== u32(bytes, start + size - 4))
      fail("block header is damaged", start);
    const flags = bytes[start + 1] ?? 0;
    let position = start + 2;
    for (const present of [0x40, 0x80]) if (flags & present) position = varint(position).next;
    if ((flags & 3) !== 0) fail("filters before LZMA2 (BCJ, delta) are not read", start);
    const filter = varint(position);
    if (filter.value !== FILTER_LZMA2) fail(`filter 0x${filter.value.toString(16)} is not read, only LZMA2`, position);

    const from = output.length;
    let end = output.decode(bytes, start + size);
    end += -(end - (start + size)) & 3;
    const checkSize = CHECK_SIZES[check] ?? 0;
    need(end, checkSize);
    if (check === CHECK_CRC32 && crc32(output.since(from)) !== u32(bytes, end))
      fail("content does not match its checksum", end);
    return end + checkSize;
  }

  /** The index repeats the blocks' sizes; stepping over it finds the footer. */
  function readIndex(start: number): number {
    const records = varint(start + 1);
    if (records.value > bytes.length) fail(`index of ${records.value} blocks`, start + 1);
    let position = records.next;
    for (let i = 0; i < records.value * 2; i++) position = varint(position).next;
    position += -(position - start) & 3;
    need(position, 4 + HEADER_SIZE);
    if (crc32(bytes.subarray(start, position)) !== u32(bytes, position)) fail("index is damaged", start);
    if (bytes[position + 14] !== 0x59 || bytes[position + 15] !== 0x5a) fail("no stream footer here", position + 4);
    return position + 4 + HEADER_SIZE;
  }

  function varint(start: number): { value: number; next: number } {
    let value = 0;
    for (let i = 0; i < 7; i++) {
      need(start + i, 1);
      const byte = bytes[start + i] ?? 0;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return { value, next: start + i + 1 };
    }
    return fail("number too large", start);
  }

  function need(start: number, count: number): void {
    if (start + count > bytes.length) fail(`ends in the middle: ${bytes.length} bytes are there`, bytes.length);
  }

  function fail(why: string, at: number): never {
    throw new FileError(path, why, at);
  }
}

/** Unpacked size as the last stream's index states it: a hint for one allocation instead of many. */
function declaredSize(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end >= 4 && u32(bytes, end - 4) === 0) end -= 4;
  if (end < HEADER_SIZE * 2) return 0;
  const index = end - HEADER_SIZE - (u32(bytes, end - 8) + 1) * 4;
  if (index < HEADER_SIZE || bytes[index] !== 0) return 0;
  let position = index + 1;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = bytes[position++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  };
  const blocks = Math.min(next(), end - index);
  let total = 0;
  for (let i = 0; i < blocks && position < end; i++) {
    next();
    total += next();
  }
  return total <= bytes.length * RATIO_LIMIT ? total : 0;
}

function u32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0
  );
}
