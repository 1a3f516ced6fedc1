/**
 * Which format a file is of, by its content before its name; and for a file that is no model, what it is instead. Clones without
 * Git LFS, error pages saved as models and half-unpacked archives are met more often than broken models.
 */

import { FileError } from "../base/errors.ts";
import type { ModelFile } from "./file.ts";
import type { Format, Mark } from "./format.ts";
import { formats } from "./index.ts";
import { looksOf, type Looks } from "./other/looks.ts";

export type Detected =
  | { readonly is: "model"; readonly format: Format; readonly score: 1 | 2 | 3 }
  | { readonly is: "other"; readonly looks: Looks };

/** Every format that answers, best first; one score twice at the top is a fault of a reader, which the contract test finds. */
export function matchesOf(file: ModelFile): readonly Match[] {
  return [...answers(file, true), ...answers(file, false)].sort(byScore(file));
}

interface Match {
  readonly format: Format;
  readonly score: number;
}

/** Of formats that have marks: those of which the file has one. Of the others: all. */
function answers(file: ModelFile, marked: boolean): Match[] {
  return formats
    .filter(({ marks }) => (marked ? marks?.some((mark) => isMarked(file, mark)) === true : marks === undefined))
    .map((format) => ({ format, score: scoreOf(format, file) }))
    .filter(({ score }) => score > 0);
}

const byScore =
  (file: ModelFile) =>
  (a: Match, b: Match): number =>
    b.score - a.score || named(b.format, file) - named(a.format, file);

/**
 * The best match, or what the file is instead. Reads the first pages and no more than each format's mark needs. Where a format with a
 * mark of its own is sure, those without marks, which have to look closer, are not asked: the contract holds that they would say no.
 */
export function detectFormat(file: ModelFile): Detected {
  let found = answers(file, true);
  if (!found.some(({ score }) => score >= 2)) found = [...found, ...answers(file, false)];
  const [best] = found.sort(byScore(file));
  if (best !== undefined) return { is: "model", format: best.format, score: best.score as 1 | 2 | 3 }; // above 0, by Format
  return { is: "other", looks: looksOf(file) };
}

function isMarked(file: ModelFile, { at, is }: Mark): boolean {
  if (at + is.length > file.size) return false;
  const bytes = file.slice(at, is.length);
  for (let i = 0; i < is.length; i++) if (bytes[i] !== is.charCodeAt(i)) return false;
  return true;
}

/** A file too short for a format's mark is not of that format. */
function scoreOf(format: Format, file: ModelFile): number {
  try {
    return format.matches(file);
  } catch (error) {
    if (error instanceof FileError) return 0;
    throw error;
  }
}

const named = (format: Format, file: ModelFile): number =>
  format.extensions.some((extension) => file.name.toLowerCase().endsWith(extension)) ? 1 : 0;
