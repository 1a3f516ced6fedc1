/** Names of classes: from the model's metadata or from a file of the user's. */

import { utf8 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import { readWholeFile } from "./read-file.ts";

/** By index; holes where a list has none. */
export type Labels = readonly (string | undefined)[];

/** ImageNet-21k has 21,841 names and half a megabyte. */
const FILE_LIMIT = 4 * 1024 * 1024;
const INDEX_LIMIT = 100_000;

/**
 * One name a line; "3 cat" or "3: cat" where every line begins with its index; JSON (a list, or an object by index, also Keras's
 * {"0": ["n01440764", "tench"]}); TensorFlow's .pbtxt label map. Throws FileError, CannotError.
 */
export function readLabels(path: string): Labels {
  const text = utf8(readWholeFile(path, FILE_LIMIT));
  const labels = /^\s*[[{]/.test(text)
    ? fromJson(text, path)
    : /^\s*item\s*\{/m.test(text)
      ? fromPbtxt(text)
      : fromLines(text);
  if (labels === undefined || labels.length === 0) throw new FileError(path, "it holds no names");
  return labels;
}

function fromLines(text: string): Labels | undefined {
  const lines = text.replace(/\s+$/, "").split(/\r?\n/);
  const numbered = lines.map((line) => /^\s*(\d{1,6})(?:\s*[:,]\s*|\s+)(\S.*?)\s*$/.exec(line));
  const indexes = numbered.map((match) => Number(match?.[1]));
  const rising = indexes.every((index, at) => at === 0 || index > (indexes[at - 1] ?? NaN));
  if (rising && numbered.every((match) => match !== null)) return fromPairs(numbered, 1, [2]);
  return lines.map((line) => line.trim());
}

function fromJson(text: string, path: string): Labels | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FileError(path, "it begins like JSON and is none", 0, { cause });
  }
  const word = (one: unknown): string | undefined =>
    typeof one === "string"
      ? one
      : Array.isArray(one) && typeof one.at(-1) === "string"
        ? (one.at(-1) as string)
        : undefined;
  if (Array.isArray(value)) return value.map(word);
  const out: (string | undefined)[] = [];
  for (const [key, one] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    // {"cat": 3} as well as {"3": "cat"}.
    const [index, name] = typeof one === "number" ? [one, key] : [Number(key), word(one)];
    if (Number.isInteger(index) && index >= 0 && index < INDEX_LIMIT) out[index] = name;
  }
  return Array.from(out);
}

/** Indexes there begin with 1, and what a model gives begins with 0: TensorFlow's detectors take one off. */
function fromPbtxt(text: string): Labels | undefined {
  const out: (string | undefined)[] = [];
  for (const [, body = ""] of text.matchAll(/item\s*\{([^}]*)\}/g)) {
    const id = /\bid\s*:\s*(\d{1,6})/.exec(body)?.[1];
    const name = /display_name\s*:\s*["']([^"']*)/.exec(body)?.[1] ?? /\bname\s*:\s*["']([^"']*)/.exec(body)?.[1];
    if (id !== undefined && Number(id) >= 1 && Number(id) < INDEX_LIMIT) out[Number(id) - 1] = name;
  }
  return Array.from(out);
}

function fromPairs(matches: readonly (RegExpMatchArray | null)[], index: number, names: readonly number[]): Labels {
  const out: (string | undefined)[] = [];
  for (const match of matches) {
    const at = Number(match?.[index]);
    if (at < INDEX_LIMIT) out[at] = names.map((name) => match?.[name]).find((name) => name !== undefined);
  }
  return Array.from(out);
}

/** Labels for `count` scores: shifted where one side alone knows a background, none where the numbers do not agree. */
export function fitLabels(
  labels: Labels | undefined,
  count: number,
): { readonly labels?: Labels; readonly says?: string } {
  if (labels === undefined) return {};
  if (labels.length === count) return { labels };
  const ground = /^\W*background\W*$/i;
  if (labels.length === count - 1 && !ground.test(labels[0] ?? "")) {
    // Models of TensorFlow's slim have 1,001 scores for ImageNet's 1,000 classes.
    return {
      labels: ["background", ...labels],
      says: `${labels.length} labels for ${count} scores: the first score is the background's`,
    };
  }
  if (labels.length === count + 1 && ground.test(labels[0] ?? "")) {
    return {
      labels: labels.slice(1),
      says: `${labels.length} labels for ${count} scores: the first, "${labels[0] ?? ""}", is left out`,
    };
  }
  return { says: `${labels.length} labels for ${count} scores do not fit and are not used` };
}
