/** Model files as seeds, by format: samples built in code, and real files of ../shared where it is there. */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";

import { matchesOf } from "../../../src/formats/detect.ts";
import { modelFileOf } from "../../../src/formats/file.ts";
import { allSamples } from "../../formats/samples/samples.ts";
import { anatomyOf, type Anatomy } from "../structure/model.ts";

/** Larger ones take milliseconds to copy and to read, and have no structure the small ones have not. */
const SIZE_LIMIT = 3 * 1024 * 1024;
/** Beyond this a file is taken seldom. */
export const SMALL = 64 * 1024;

export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const byFormat = new Map<string, Seed[]>();
const add = (format: string, seed: Seed): void => {
  const held = byFormat.get(format);
  if (held === undefined) byFormat.set(format, [seed]);
  else held.push(seed);
};

for (const { format, name, bytes } of await allSamples()) add(format, { name, bytes });
for (const path of modelFiles("../shared/models")) {
  const bytes = readFileSync(path);
  const [best] = matchesOf(modelFileOf(bytes, path));
  if (best !== undefined) add(best.format.id, { name: path.slice(path.lastIndexOf("/") + 1), bytes });
}

function modelFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      const stat = statSync(path);
      if (stat.isDirectory()) return modelFiles(path);
      return stat.isFile() && stat.size > 0 && stat.size <= SIZE_LIMIT ? [path] : [];
    });
}

/** Smallest first. */
export function modelSeeds(format: string): readonly Seed[] {
  return (byFormat.get(format) ?? []).sort((a, b) => a.bytes.length - b.bytes.length);
}

const anatomies = new WeakMap<Uint8Array, Anatomy>();

/** `opaque`: paths of links that no reader can follow. */
export function anatomyOfSeed({ bytes }: Seed, opaque?: RegExp): Anatomy {
  let anatomy = anatomies.get(bytes);
  if (anatomy === undefined) anatomies.set(bytes, (anatomy = anatomyOf(bytes, opaque)));
  return anatomy;
}

export const modelSeedBytes = (): number =>
  [...byFormat.values()].flat().reduce((sum, { bytes }) => sum + bytes.length, 0);
