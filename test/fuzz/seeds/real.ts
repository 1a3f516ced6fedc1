/** Files of ../shared as seeds, where it is there. Each is read once. */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";

import { pick, type Random } from "../mutate.ts";

const shared = "../shared";
/** Mutating copies the seed: larger ones only cost time. */
const SEED_LIMIT = 3 * 1024 * 1024;

const lists = new Map<string, readonly string[]>();
const contents = new Map<string, Uint8Array>();

/** Files below a folder of ../shared whose names end so; empty without ../shared. */
export function realFiles(folder: string, ending: RegExp): readonly string[] {
  const key = `${folder} ${ending.source}`;
  let list = lists.get(key);
  if (list === undefined) {
    const path = `${shared}/${folder}`;
    list = existsSync(path)
      ? readdirSync(path)
          .filter((name) => ending.test(name) && statSync(`${path}/${name}`).size <= SEED_LIMIT)
          .sort()
          .map((name) => `${path}/${name}`)
      : [];
    lists.set(key, list);
  }
  return list;
}

export function contentOf(path: string): Uint8Array {
  let content = contents.get(path);
  if (content === undefined) contents.set(path, (content = readFileSync(path)));
  return content;
}

export function unpackedOf(path: string): Uint8Array {
  const key = `${path} unpacked`;
  let content = contents.get(key);
  if (content === undefined) contents.set(key, (content = gunzipSync(contentOf(path))));
  return content;
}

/** Bytes kept here: they are no leak of the readers. */
export function seedBytes(): number {
  return [...contents.values()].reduce((sum, { length }) => sum + length, 0);
}

/** One of our own seeds, or with this chance a real file. */
export function seedOf(random: Random, own: readonly Uint8Array[], real: readonly string[], chance = 0.5): Uint8Array {
  const wantsReal = random() < chance;
  return wantsReal && real.length > 0 ? contentOf(pick(random, real)) : pick(random, own);
}
