/**
 * What the readers of sealed files share: marks, text fields, a file inside a file, and the findings every header that declares sizes
 * can give.
 */

import { FileError } from "../../base/errors.ts";
import { Cursor } from "../../base/bytes.ts";
import type { Integrity } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";

/** Longest word taken from a file into metadata; longer ones are cut. */
export const WORD_LIMIT = 256;
/** Findings of one kind told of one file: more of them say nothing new. */
export const FINDING_LIMIT = 20;

/** Do these bytes (latin1 text) stand at `at`? False where the file is too short. */
export function has(file: ModelFile, mark: string, at = 0): boolean {
  if (at < 0 || at + mark.length > file.size) return false;
  const bytes = file.slice(at, mark.length);
  for (let i = 0; i < mark.length; i++) if (bytes[i] !== mark.charCodeAt(i)) return false;
  return true;
}

/** A fixed field: text up to its NUL, without what a terminal would act on. */
export function word(bytes: Uint8Array, limit = WORD_LIMIT): string {
  const nul = bytes.indexOf(0);
  const view = bytes.subarray(0, Math.min(nul < 0 ? bytes.length : nul, limit));
  return plain(Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("utf8"));
}

/** Text of a stranger, on one line and short. */
export function plain(text: string, limit = WORD_LIMIT): string {
  return text
    .slice(0, limit)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .trim();
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** A stretch of a file as a file of its own: an NBG inside an .rknn. Offsets of its errors are the outer file's. */
export function inside(file: ModelFile, offset: number, length: number): ModelFile {
  if (offset < 0 || length < 0 || offset + length > file.size) {
    throw new FileError(
      file.name,
      `needs ${length} bytes there, the file has ${file.size}`,
      Math.min(offset, file.size),
    );
  }
  const slice = (at: number, count: number): Uint8Array => {
    if (!Number.isSafeInteger(at) || !Number.isSafeInteger(count) || at < 0 || count < 0 || at + count > length) {
      throw new FileError(
        file.name,
        `needs ${count} bytes there, its part has ${length}`,
        offset + Math.max(0, Math.min(at, length)),
      );
    }
    return file.slice(offset + at, count);
  };
  return {
    name: file.name,
    extension: file.extension,
    size: length,
    slice,
    head: (count) => slice(0, Math.min(count, length)),
    tail: (count) => slice(Math.max(0, length - count), Math.min(count, length)),
    cursor: (at, count, littleEndian = true) =>
      new Cursor(slice(at, count), file.name, { littleEndian, base: offset + at }),
    close: () => undefined,
  };
}

/** The file ends before `end`: what a download that broke off looks like. */
export function cutShort(file: ModelFile, end: number, what: string): Integrity[] {
  if (end <= file.size) return [];
  return [
    {
      severity: "error",
      rule: "extent/past-end",
      says: `cut short: ${what} ends at ${end}, the file at ${file.size}; ${end - file.size} bytes are missing`,
      offset: file.size,
    },
  ];
}

/** Bytes after the last thing the header declares. */
export function leftOver(file: ModelFile, end: number, what: string): Integrity[] {
  if (end >= file.size) return [];
  return [
    {
      severity: "note",
      rule: "extent/trailing",
      says: `${file.size - end} bytes after ${what}`,
      offset: end,
    },
  ];
}

export const error = (rule: string, says: string, offset?: number): Integrity => ({
  severity: "error",
  rule,
  says,
  ...(offset === undefined ? {} : { offset }),
});

export const warning = (rule: string, says: string, offset?: number): Integrity => ({
  severity: "warning",
  rule,
  says,
  ...(offset === undefined ? {} : { offset }),
});

export const note = (rule: string, says: string, offset?: number): Integrity => ({
  severity: "note",
  rule,
  says,
  ...(offset === undefined ? {} : { offset }),
});

/** "1.6.0+81f21f4d", "2.3.2-source_code": the release of a build string; undefined where it does not begin with one. */
export function release(version: string): string | undefined {
  return /^v?(\d+(?:\.\d+)+(?:[ab]\d+)?)/.exec(version)?.[1];
}

/** Metadata without empty words. */
export function words(found: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [key, value] of Object.entries(found)) {
    if (value !== undefined && value !== "") out[key] = typeof value === "number" ? String(value) : plain(value);
  }
  return out;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
