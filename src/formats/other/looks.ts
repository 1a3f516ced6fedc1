/**
 * What a file that is no model is instead, by its first bytes: clones without Git LFS, error pages saved as models and half-unpacked
 * archives are met more often than broken models.
 */

import { latin1, utf8 } from "../../base/bytes.ts";
import type { ModelFile } from "../file.ts";

/** What a file that is no model looks like. */
export interface Looks {
  /** Stable word: git-lfs-pointer, html, zip, empty, unknown ... */
  readonly kind: string;
  /** A sentence that begins with what it is, without the file's name. */
  readonly says: string;
  /** What to do about it. */
  readonly cure?: string;
}

/** Marks of files that are no models: bytes at an offset, as Latin-1. */
const marks: readonly { readonly at: number; readonly mark: string; readonly kind: string; readonly says: string }[] = [
  { at: 0, mark: "PK\x03\x04", kind: "zip", says: "a ZIP archive with none of the model layouts we know in it" },
  { at: 0, mark: "PK\x05\x06", kind: "zip", says: "an empty ZIP archive" },
  { at: 0, mark: "\x1f\x8b", kind: "gzip", says: "compressed by gzip" },
  { at: 0, mark: "\xfd7zXZ\0", kind: "xz", says: "compressed by xz" },
  { at: 0, mark: "\x28\xb5\x2f\xfd", kind: "zstd", says: "compressed by zstd" },
  { at: 0, mark: "BZh", kind: "bzip2", says: "compressed by bzip2" },
  { at: 0, mark: "7z\xbc\xaf\x27\x1c", kind: "7z", says: "a 7-Zip archive" },
  { at: 0, mark: "Rar!\x1a\x07", kind: "rar", says: "a RAR archive" },
  { at: 257, mark: "ustar", kind: "tar", says: "a tar archive" },
  { at: 0, mark: "\x7fELF", kind: "elf", says: "an ELF program or library" },
  { at: 0, mark: "\x89PNG\r\n", kind: "image", says: "a PNG picture" },
  { at: 0, mark: "\xff\xd8\xff", kind: "image", says: "a JPEG picture" },
  { at: 0, mark: "\x89HDF\r\n\x1a\n", kind: "hdf5", says: "an HDF5 file (Keras keeps models in it); it is not read" },
  { at: 0, mark: "%PDF-", kind: "pdf", says: "a PDF document" },
  { at: 0, mark: "\x93NUMPY", kind: "numpy", says: "one NumPy array, not a model" },
  { at: 0, mark: "SQLite format 3\0", kind: "sqlite", says: "an SQLite database" },
  { at: 4, mark: "TOSA", kind: "tosa", says: "a TOSA FlatBuffer; it is not read, its MLIR text is" },
  { at: 0, mark: "XLNX", kind: "fpga", says: "an FPGA bitstream" },
  {
    at: 0,
    mark: "\x80\x02",
    kind: "pickle",
    says: "a Python pickle, which cannot be read without running it; it is never unpickled",
  },
  {
    at: 0,
    mark: "\x80\x04",
    kind: "pickle",
    says: "a Python pickle, which cannot be read without running it; it is never unpickled",
  },
];

const unpack = "unpack it and inspect the model inside";
const cures: Readonly<Record<string, string>> = {
  zip: unpack,
  gzip: unpack,
  xz: unpack,
  zstd: unpack,
  bzip2: unpack,
  "7z": unpack,
  rar: unpack,
  tar: unpack,
  html: "download it again; the server answered with a page",
};

/** Weights without a mark of their own, and what is called the model of them. */
const besides: Readonly<Record<string, string>> = {
  ".bin": "OpenVINO's .xml, TensorFlow.js's model.json, ncnn's .param",
  ".data": "the .onnx",
  ".weight": "the .mnn or .onnx",
  ".pdiparams": "the .pdmodel or .json",
};

/** What is no model, by its first bytes. */
export function looksOf(file: ModelFile): Looks {
  if (file.size === 0) return { kind: "empty", says: "empty", cure: "download or convert it again" };
  const head = file.head(2048);
  const text = latin1(head);
  if (text.startsWith("version https://git-lfs.github.com/spec/")) return lfsPointer(text);
  const start = text.trimStart().slice(0, 200).toLowerCase();
  if (/^(?:\xef\xbb\xbf)?<(?:!doctype html|html|head|body)\b/.test(start)) return of("html", "an HTML page");
  for (const { at, mark, kind, says } of marks) if (text.startsWith(mark, at)) return of(kind, says);
  if (head.every((byte) => byte === 0)) {
    return {
      kind: "zeros",
      says: `${head.length} zero bytes at its start: a download or a copy that was never filled`,
    };
  }
  if (isText(head)) {
    const first = utf8(head).trimStart().split("\n", 1)[0] ?? "";
    if (first.startsWith("{") || first.startsWith("[")) return of("json", "JSON, of no model layout we know");
    if (/^<\?xml/.test(first)) return of("xml", "XML, of no model layout we know");
    return of("text", "text, of no model layout we know");
  }
  const mark = [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const says = `of no format we know; it begins with ${mark}`;
  const beside = Object.hasOwn(besides, file.extension) ? besides[file.extension] : undefined;
  return beside === undefined
    ? { kind: "unknown", says }
    : { kind: "unknown", says, cure: `if it holds only weights, inspect the model beside it (${beside})` };
}

function of(kind: string, says: string): Looks {
  const cure = Object.hasOwn(cures, kind) ? cures[kind] : undefined;
  return cure === undefined ? { kind, says } : { kind, says, cure };
}

/** https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
function lfsPointer(text: string): Looks {
  const size = /^size (\d{1,15})$/m.exec(text)?.[1];
  return {
    kind: "git-lfs-pointer",
    says: `a Git LFS pointer, not the model${size === undefined ? "" : ` (which has ${size} bytes)`}`,
    cure: "git lfs pull",
  };
}

const isText = (head: Uint8Array): boolean =>
  head.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13);
