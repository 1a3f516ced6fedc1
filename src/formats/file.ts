/**
 * ModelFile: bytes of a model file, read where and when a format asks for them. A 5 GB file costs the pages of its header. Nothing
 * outside the file is opened here.
 */

import { closeSync, existsSync, fstatSync, openSync, readSync, constants } from "node:fs";
import { CannotError, FileError } from "../base/errors.ts";
import { Cursor } from "../base/bytes.ts";

/** Bytes fetched at once: headers of most formats fit, and a page more costs nothing. */
const PAGE = 64 * 1024;
/** Most that is held of one file at a time by the page cache: 64 pages. */
const PAGES = 64;
/** Largest single stretch a reader may ask for: graphs of the largest models are tens of MiB; weights are never read. */
export const SLICE_LIMIT = 512 * 1024 * 1024;

export interface ModelFile {
  /** As the user named it. */
  readonly name: string;
  /** Lower-case extension with the dot, "" without. */
  readonly extension: string;
  readonly size: number;
  /** Exactly these bytes. Throws FileError with the offset when they are not in the file. A view: do not write to it. */
  slice(offset: number, length: number): Uint8Array;
  /** The first `length` bytes, or all when there are fewer. */
  head(length: number): Uint8Array;
  /** The last `length` bytes, or all when there are fewer. */
  tail(length: number): Uint8Array;
  /** A cursor over a stretch; its offsets are relative to `offset`. */
  cursor(offset: number, length: number, littleEndian?: boolean): Cursor;
  close(): void;
}

export function openModelFile(path: string): ModelFile {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new CannotError(
      `${path}: ${code === "ENOENT" ? "no such file" : code === "EACCES" ? "permission denied" : code === "ELOOP" ? "a loop of symbolic links" : code}`,
      { cause: error },
    );
  }
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    closeSync(fd);
    throw new CannotError(stat.isDirectory() ? folderSentence(path) : `${path}: not a regular file, not a model file`);
  }
  const pages = new Map<number, Uint8Array>();
  const readAt = (offset: number, length: number): Uint8Array => {
    const bytes = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const got = readSync(fd, bytes, done, length - done, offset + done);
      if (got === 0) throw new FileError(path, `the file became shorter while it was read`, offset + done);
      done += got;
    }
    return bytes;
  };
  const page = (index: number): Uint8Array => {
    const held = pages.get(index);
    if (held) return held;
    const offset = index * PAGE;
    const bytes = readAt(offset, Math.min(PAGE, stat.size - offset));
    if (pages.size >= PAGES) pages.delete(pages.keys().next().value ?? 0);
    pages.set(index, bytes);
    return bytes;
  };
  const fetch = (offset: number, length: number): Uint8Array => {
    const first = Math.floor(offset / PAGE);
    if (length <= PAGE && offset + length <= (first + 1) * PAGE) {
      const at = offset - first * PAGE;
      return length === 0 ? new Uint8Array(0) : page(first).subarray(at, at + length);
    }
    return readAt(offset, length);
  };
  return modelFile(path, stat.size, fetch, () => closeSync(fd));
}

/** Models that are folders, by a file in them; the first that is there names what is to be inspected. */
const folders: readonly { readonly has: string; readonly says: string; readonly inspect?: string }[] = [
  {
    has: "Data/com.apple.CoreML/model.mlmodel",
    says: "an .mlpackage of Core ML",
    inspect: "Data/com.apple.CoreML/model.mlmodel",
  },
  { has: "Manifest.json", says: "a package by its Manifest.json, without Data/com.apple.CoreML/model.mlmodel" },
  { has: "coremldata.bin", says: "a compiled Core ML model (.mlmodelc), which is not read" },
  { has: "saved_model.pb", says: "a SavedModel of TensorFlow", inspect: "saved_model.pb" },
  { has: "model.json", says: "a folder of TensorFlow.js", inspect: "model.json" },
];

/** "x.mlpackage: a directory, an .mlpackage of Core ML; inspect x.mlpackage/Data/..." */
function folderSentence(path: string): string {
  const inside = (name: string): string => `${path.replace(/\/+$/, "")}/${name}`;
  const found = folders.find(({ has }) => existsSync(inside(has)));
  if (found === undefined) return `${path}: a directory, not a model file`;
  const told = found.inspect === undefined ? "" : `; inspect ${inside(found.inspect)}`;
  return `${path}: a directory, ${found.says}${told}`;
}

/** A file held in memory: nested models (a TFLite inside an RKNN), tests. */
export function modelFileOf(bytes: Uint8Array, name: string): ModelFile {
  return modelFile(
    name,
    bytes.length,
    (offset, length) => bytes.subarray(offset, offset + length),
    () => undefined,
  );
}

function modelFile(
  name: string,
  size: number,
  fetch: (offset: number, length: number) => Uint8Array,
  close: () => void,
): ModelFile {
  const slice = (offset: number, length: number): Uint8Array => {
    if (
      !Number.isSafeInteger(offset) ||
      !Number.isSafeInteger(length) ||
      offset < 0 ||
      length < 0 ||
      offset + length > size
    ) {
      throw new FileError(
        name,
        `needs ${length} bytes there, the file has ${size}`,
        Math.max(0, Math.min(offset, size)),
      );
    }
    if (length > SLICE_LIMIT)
      throw new FileError(name, `asks for ${length} bytes at once, over ${SLICE_LIMIT}`, offset);
    return fetch(offset, length);
  };
  const base = name.slice(name.lastIndexOf("/") + 1);
  const dot = base.lastIndexOf(".");
  return {
    name,
    extension: dot <= 0 ? "" : base.slice(dot).toLowerCase(),
    size,
    slice,
    head: (length) => slice(0, Math.min(length, size)),
    tail: (length) => slice(Math.max(0, size - length), Math.min(length, size)),
    cursor: (offset, length, littleEndian = true) =>
      new Cursor(slice(offset, length), name, { littleEndian, base: offset }),
    close,
  };
}
