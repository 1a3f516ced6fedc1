/** Files that a user names, and standard input: read whole, within a limit, and refused in words. */

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

import { CannotError, FileError } from "../base/errors.ts";

/** No waiting for a FIFO's other end, no terminal taken over. */
const OPEN = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const CHUNK = 64 * 1024;
const STANDARD_INPUT = 0;
/** How long to wait where a pipe has nothing yet. */
const PAUSE_MS = 20;

/** The whole of a file. `limit` is in bytes; a file that says it is empty (/proc) is read to its end all the same. */
export function readNamed(path: string, limit: number): Buffer {
  let fd: number;
  try {
    fd = openSync(path, OPEN);
  } catch (error) {
    throw refusal(path, error);
  }
  try {
    return readToEnd(fd, path, limit);
  } finally {
    closeSync(fd);
  }
}

export function readStandardInput(limit: number): Buffer {
  return readToEnd(STANDARD_INPUT, "standard input", limit);
}

/** At most the first `length` bytes. */
export function readHead(path: string, length: number): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(path, OPEN);
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, 0));
  } catch (error) {
    throw refusal(path, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readToEnd(fd: number, name: string, limit: number): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  let size = fstatSync(fd).size;
  for (;;) {
    // The first chunk takes all of an ordinary file.
    const chunk = Buffer.allocUnsafe(Math.max(CHUNK, Math.min(size, limit) + 1));
    size = 0;
    const count = readSome(fd, name, chunk);
    if (count === 0) return Buffer.concat(chunks, total);
    total += count;
    if (total > limit) throw new FileError(name, `is larger than ${limit / 1024 / 1024} MiB`);
    chunks.push(chunk.subarray(0, count));
  }
}

function readSome(fd: number, name: string, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, chunk);
    } catch (error) {
      const code = codeOf(error);
      if (code === "EOF") return 0;
      // A pipe that has nothing yet, opened non-blocking by whoever made it: wait a little and ask again.
      if (code !== "EAGAIN" || fd !== STANDARD_INPUT) throw refusal(name, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

/** Why the system would not open, read or write a path, in words; what is not the system's no is given back as it is. */
export function refusal(path: string, error: unknown): Error {
  const code = codeOf(error);
  if (code === undefined) return error instanceof Error ? error : new TypeError(String(error));
  const words = WORDS.get(code) ?? code;
  return new CannotError(`${path}: ${words}`, { cause: error });
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such file or directory"],
  ["EACCES", "permission denied"],
  ["EPERM", "not permitted"],
  ["EISDIR", "is a directory"],
  ["ENOTDIR", "a part of it is not a directory"],
  ["EROFS", "read-only file system"],
  ["ENOSPC", "no space left on device"],
]);

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
