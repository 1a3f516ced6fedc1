/** Outputs into files: a folder of .npy (or of raw bytes), or one .npz. */

import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type * as Fflate from "fflate";
import { CannotError, UsageError } from "../base/errors.ts";
import { requireLate } from "../base/package.ts";
import type { Value } from "../delegates/value.ts";
import { writeNpy } from "./npy.ts";

export type FileKind = "npy" | "raw";

/** `path` ending in .npz is one file, else a folder that is made. Throws CannotError. */
export function writeOutputs(path: string, outputs: ReadonlyMap<string, Value>, kind: FileKind): void {
  const archive = /\.npz$/i.test(path);
  if (archive && kind === "raw") throw new UsageError("a .npz holds .npy; for raw bytes give --out a folder");
  const files = fileNames(outputs.keys(), archive ? "npy" : kind);
  const contents = [...outputs].map(([name, value]): readonly [string, Uint8Array] => [
    files.get(name) ?? name,
    kind === "raw" ? rawBytes(name, value) : npyBytes(name, value),
  ]);
  if (archive) writeWhole(path, zipped(contents));
  else for (const [file, bytes] of contents) writeWhole(join(path, file), bytes);
}

/** One file, whose folder is made. Throws CannotError. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  try {
    makeFolder(dirname(path));
    writeFileSync(path, bytes);
  } catch (error) {
    throw new CannotError(
      `${path}: ${error instanceof Error ? (error.message.split(",", 1)[0] ?? "") : String(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** As mkdir -p. Node's own never ends below /proc, where nothing can be made and nothing says so but ENOENT. */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  mkdirSync(path);
}

function npyBytes(name: string, value: Value): Uint8Array {
  const bytes = writeNpy(value);
  if (bytes === undefined) throw new CannotError(`output "${name}" is of ${value.type}, which .npy has no word for`);
  return bytes;
}

function rawBytes(name: string, { data, type }: Value): Uint8Array {
  if (!ArrayBuffer.isView(data)) throw new CannotError(`output "${name}" is of ${type}, which has no raw bytes`);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A model's own name is a stranger's: no part of it may lead elsewhere; and "a/b" and "a:b" are two outputs. */
function fileNames(names: Iterable<string>, extension: string): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  const files = new Map<string, string>();
  for (const name of names) {
    const base = name.replace(/[^\w.-]/g, "_").replace(/^\.+/, "_") || "output";
    let file = base;
    for (let at = 2; taken.has(file); at++) file = `${base}_${at}`;
    taken.add(file);
    files.set(name, `${file}.${extension}`);
  }
  return files;
}

function zipped(contents: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const { zipSync } = requireLate("fflate") as typeof Fflate;
  // NumPy's savez stores; a fixed day makes the same outputs the same bytes.
  return zipSync(Object.fromEntries(contents), { level: 0, mtime: new Date(1980, 0, 1) });
}
