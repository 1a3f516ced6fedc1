/**
 * Unpacks what the kernel, its packages and our captures are packed with: gzip (RFC 1952), zstd (RFC 8878), xz, bzip2. Which it is,
 * the first bytes say; anything else is handed back as it is. Output has a limit, because a small file can unpack to a large one.
 */

import type * as Zlib from "node:zlib";

import type * as Fzstd from "fzstd";

import { FileError } from "../base/errors.ts";
import { requireLate } from "../base/package.ts";
import { unxz, XZ_MAGIC } from "./xz.ts";
import { zstdFrames } from "./zstd-frames.ts";

type Unpacker = (bytes: Uint8Array, path: string, limit: number) => Uint8Array;

const PACKINGS: readonly { readonly name: string; readonly magic: readonly number[]; readonly unpack: Unpacker }[] = [
  { name: "gzip", magic: [0x1f, 0x8b, 0x08], unpack: gunzip },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: unzstd },
  { name: "xz", magic: XZ_MAGIC, unpack: unxz },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68], unpack: bunzip },
];

/** The bytes unpacked, or the same bytes when they are not packed. Throws FileError for what is truncated, damaged or too large. */
export function unpack(bytes: Uint8Array, path: string, limit: number): Uint8Array {
  const packing = PACKINGS.find(({ magic }) => magic.every((byte, i) => bytes[i] === byte));
  if (packing !== undefined) return packing.unpack(bytes, path, limit);
  if (bytes.length > limit) throw new FileError(path, tooLarge(limit));
  return bytes;
}

/** What the bytes are packed with, by their first bytes: gzip, zstd, xz, bzip2. */
export function packingOf(bytes: Uint8Array): string | undefined {
  return PACKINGS.find(({ magic }) => magic.every((byte, i) => bytes[i] === byte))?.name;
}

function gunzip(bytes: Uint8Array, path: string, limit: number): Uint8Array {
  const { gunzipSync } = zlib();
  try {
    // One chunk for what packs usually: files shrink to a quarter.
    return gunzipSync(bytes, {
      maxOutputLength: limit,
      chunkSize: Math.max(64 * 1024, Math.min(bytes.length * 5, 16 * 1024 * 1024)),
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ERR_BUFFER_TOO_LARGE") throw new FileError(path, tooLarge(limit));
    if (code === "Z_BUF_ERROR") throw new FileError(path, "gzip ends in the middle", bytes.length);
    throw new FileError(path, `not readable as gzip: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unzstd(bytes: Uint8Array, path: string, limit: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const add = (chunk: Uint8Array): void => {
    total += chunk.length;
    if (total > limit) throw new FileError(path, tooLarge(limit));
    chunks.push(chunk);
  };
  const unpackFrame = zstdOf(add);
  for (const frame of zstdFrames(bytes, path)) {
    try {
      unpackFrame(frame, limit - total);
    } catch (error) {
      if (error instanceof FileError) throw error;
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "ERR_BUFFER_TOO_LARGE") throw new FileError(path, tooLarge(limit));
      throw new FileError(path, `not readable as zstd: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, total);
}

/** What unpacks one frame: Node's own (since 22.15), or a library. */
function zstdOf(add: (chunk: Uint8Array) => void): (frame: Uint8Array, limit: number) => void {
  const native = (
    zlib() as { zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer }
  ).zstdDecompressSync;
  if (native !== undefined) return (frame, limit) => add(native(frame, { maxOutputLength: Math.max(1, limit) }));
  const { Decompress } = requireLate("fzstd") as typeof Fzstd;
  return (frame) => {
    new Decompress((chunk) => add(chunk.slice())).push(frame, true);
  };
}

/** The library unpacks some 9 MiB a second, so what it may unpack to is less: a tree packed so has 20 MiB. */
const BZIP2_LIMIT = 256 * 1024 * 1024;

/** The library reads and writes by single bytes of streams, which gives both ends a limit. */
function bunzip(bytes: Uint8Array, path: string, wanted: number): Uint8Array {
  const limit = Math.min(wanted, BZIP2_LIMIT);
  const bzip2 = requireLate("seek-bzip") as {
    decode(input: object, output: object, multistream: boolean): void;
  };
  let at = 0;
  let output = Buffer.allocUnsafe(Math.min(limit, Math.max(64 * 1024, bytes.length * 8)));
  let length = 0;
  const input = {
    readByte: (): number => {
      const byte = bytes[at++];
      if (byte === undefined) throw new FileError(path, "bzip2 ends in the middle", bytes.length);
      return byte;
    },
    read: (buffer: Uint8Array, offset: number, count: number): number => {
      const part = bytes.subarray(at, at + count);
      buffer.set(part, offset);
      at += part.length;
      return part.length;
    },
    eof: (): boolean => at >= bytes.length,
  };
  const sink = {
    writeByte: (byte: number): void => {
      if (length === output.length) {
        if (length >= limit) throw new FileError(path, tooLarge(limit), at);
        const grown = Buffer.allocUnsafe(Math.min(limit, length * 2));
        output.copy(grown);
        output = grown;
      }
      output[length++] = byte;
    },
  };
  try {
    bzip2.decode(input, sink, true);
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(path, `not readable as bzip2: ${error instanceof Error ? error.message : String(error)}`, at);
  }
  return output.subarray(0, length);
}

function zlib(): typeof Zlib {
  return requireLate("node:zlib") as typeof Zlib;
}

function tooLarge(limit: number): string {
  return `unpacks to more than ${limit} bytes`;
}
