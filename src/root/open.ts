/**
 * Opens a machine by what it is, not by what it is called: nothing or "/" is this machine, a directory is an image or tree, a
 * file is a capture, an archive of a tree, a Debian package or a flattened device tree, by its first bytes; any other text is taken
 * for what people paste into a bug report. "-" is standard input.
 */

import { statSync } from "node:fs";

import { CannotError, FileError } from "../base/errors.ts";
import { ARCHIVE_LIMIT, isDeb, isTar, openDebBytes, openTar } from "./archive.ts";
import { isCapture, openCapture } from "./capture.ts";
import { openDirectory, openLive } from "./directory.ts";
import { isDtb, openDtb } from "./dtb.ts";
import { readNamed, readStandardInput } from "./file.ts";
import { ioctlAsk } from "./ioctl.ts";
import { isText, openPaste } from "./paste.ts";
import type { Root } from "./root.ts";
import { unpack } from "./unpack.ts";

/** Sync, and for the live machine without any work. Throws FileError or CannotError where there is no machine to open. */
export function openRoot(name?: string): Root {
  if (name === undefined || name === "/") return openLive(ioctlAsk);
  if (name === "-") return openBytes(readStandardInput(ARCHIVE_LIMIT), "standard input");
  let stats;
  try {
    stats = statSync(name);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw new CannotError(code === "ENOENT" ? `${name}: no such file or directory` : `${name}: ${code}`, {
      cause: error,
    });
  }
  if (stats.isDirectory()) return openDirectory(name);
  if (!stats.isFile()) throw new CannotError(`${name}: neither a directory nor a file`);
  if (stats.size > ARCHIVE_LIMIT) throw new FileError(name, `${stats.size} bytes, more than a machine's archive has`);
  return openBytes(readNamed(name, ARCHIVE_LIMIT), name);
}

/** A machine in the bytes of a file: a capture, an archive or a text, or any of them packed. */
export function openBytes(bytes: Uint8Array, name: string): Root {
  if (isDeb(bytes)) return openDebBytes(bytes, name);
  const content = unpack(bytes, name, ARCHIVE_LIMIT);
  if (isCapture(content)) return openCapture(content, name);
  if (isDtb(content)) return openDtb(content, name);
  if (isTar(content)) return openTar(content, name);
  if (isReport(content)) {
    throw new FileError(name, "is a report, not a machine; accelctl capture makes a file that can be reviewed again");
  }
  if (isText(content)) return openPaste(content, name);
  throw new FileError(name, "neither a capture nor an archive of a machine, and no text");
}

/** What `accelctl review --json` prints: easily taken for a capture, and no log in which anything could be found. */
function isReport(bytes: Uint8Array): boolean {
  return /^\s*\{\s*"schema"\s*:\s*\d+\s*,\s*"machine"\s*:/.test(Buffer.from(bytes.subarray(0, 256)).toString("latin1"));
}
