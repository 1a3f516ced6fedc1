/**
 * JSON that came from a stranger: counted before it is parsed, so that neither depth nor number of values can cost more than the file
 * does. RFC 8259; parsing itself is the engine's.
 */

import { FileError } from "../../base/errors.ts";
import { utf8 } from "../../base/bytes.ts";

/** Graphs written as JSON stay below 20 MiB; more text than this is no description of a model. */
export const JSON_LIMIT = 32 * 1024 * 1024;
/** Containers inside containers: models nested as layers add six levels each. */
const DEPTH_LIMIT = 256;
/** Values in all: a graph of 20,000 operators has some 800,000. */
const VALUE_LIMIT = 1_500_000;
/** Members of one object, each under a name of its own: tensors by their names, of which the largest models have some 100,000. */
const MEMBER_LIMIT = 200_000;

export type JsonObject = Readonly<Record<string, unknown>>;

/** The value of `bytes`, which lie at `base` of the file called `name`. */
export function parseJson(bytes: Uint8Array, name: string, base = 0): unknown {
  if (bytes.length > JSON_LIMIT) throw new FileError(name, `${bytes.length} bytes of JSON, over ${JSON_LIMIT}`, base);
  boundJson(bytes, name, base);
  try {
    return JSON.parse(utf8(bytes).replace(/^\uFEFF/, ""));
  } catch (cause) {
    const at = /position (\d+)/.exec(cause instanceof Error ? cause.message : "")?.[1];
    throw new FileError(name, "is not whole as JSON", base + (at === undefined ? bytes.length : Number(at)), { cause });
  }
}

/** Own property of an object; undefined of anything else. */
export function get(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The object at a path of keys; undefined when one of them is not there. */
export const at = (value: unknown, ...keys: readonly string[]): unknown =>
  keys.reduce<unknown>((inner, key) => get(inner, key), value);

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

export const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  isObject(value) ? Object.entries(value) : [];

const quote = 0x22;
const backslash = 0x5c;

/** Throws where parsing would cost more than it should: too deep, too many values, too many members of one object. */
export function boundJson(bytes: Uint8Array, name: string, base: number): void {
  let depth = 0;
  let values = 0;
  /** Of each container that is open; -1 of those that are no objects. */
  const members: number[] = [];
  for (let index = 0; index < bytes.length; index++) {
    switch (bytes[index]) {
      case quote:
        index = endOfString(bytes, index);
        break;
      case 0x7b:
      case 0x5b:
        values++;
        members.push(bytes[index] === 0x7b ? 1 : -1);
        if (++depth > DEPTH_LIMIT) throw new FileError(name, `JSON nested deeper than ${DEPTH_LIMIT}`, base + index);
        break;
      case 0x7d:
      case 0x5d:
        depth--;
        members.pop();
        break;
      case 0x2c:
        if (++values > VALUE_LIMIT) throw new FileError(name, `more than ${VALUE_LIMIT} JSON values`, base + index);
        if (isOver(members)) throw new FileError(name, `more than ${MEMBER_LIMIT} members of one object`, base + index);
        break;
    }
  }
}

/** Counts one more member of the innermost container. */
function isOver(members: number[]): boolean {
  const last = members.length - 1;
  const count = members[last] ?? -1;
  if (count < 0) return false;
  members[last] = count + 1;
  return count >= MEMBER_LIMIT;
}

/** The index of the quote that ends the string begun at `start`; the last index when none does. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(quote, start + 1); at >= 0; at = bytes.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (bytes[at - 1 - slashes] === backslash) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return bytes.length;
}
