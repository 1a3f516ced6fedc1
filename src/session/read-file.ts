/** Whole files of the user's. Pipes and devices are refused: they may never end, or never begin. */

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { CannotError, FileError } from "../base/errors.ts";

const words: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EACCES: "permission denied",
  ELOOP: "a loop of symbolic links",
};

/** Throws CannotError where it cannot be read, FileError where it has more than `limit` bytes. */
export function readWholeFile(path: string, limit: number): Buffer {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new CannotError(`${path}: ${words[code] ?? code}`, { cause });
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new CannotError(`${path}: ${stat.isDirectory() ? "a directory" : "no regular file"}`);
    if (stat.size > limit) throw new FileError(path, `larger than ${limit} bytes`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
