/** What a container's mutators share: places of numbers in a file, and writing there. */

import { below, pick, type Random } from "../mutate.ts";

/** A number of the file's structure. */
export interface Spot {
  readonly at: number;
  readonly width: 1 | 2 | 4 | 8;
  readonly bigEndian?: boolean;
  readonly what: string;
}

/** A changed file, and what was done to it. */
export interface Mutant {
  readonly bytes: Uint8Array;
  readonly how: string;
  /** It contradicts itself by construction: a reader that calls it whole is wrong. */
  readonly contradicts?: boolean;
}

export function readNumber(bytes: Uint8Array, { at, width, bigEndian = false }: Spot): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + (bytes[at + (bigEndian ? i : width - 1 - i)] ?? 0);
  return value;
}

/** In place. Numbers wrap as they do in the file. */
export function writeNumber(bytes: Uint8Array, { at, width, bigEndian = false }: Spot, value: number): void {
  let rest = BigInt.asUintN(width * 8, BigInt(Math.trunc(value)));
  for (let i = 0; i < width; i++, rest >>= 8n) bytes[at + (bigEndian ? width - 1 - i : i)] = Number(rest & 255n);
}

/** Ends of ranges, near to what stands there, near to the file's size. */
export function oddNumber(now: number, size: number, random: Random): number {
  switch (below(random, 5)) {
    case 0:
      return pick(random, [0, 1, 2, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 2 ** 52]);
    case 1:
      return now + pick(random, [-8, -4, -2, -1, 1, 2, 4, 8, 16]);
    case 2:
      return size + pick(random, [-4, -1, 0, 1, 4, 64]);
    case 3:
      return pick(random, [now * 2, now >>> 1, now * 256, -now]);
    default:
      return below(random, 2 * size + 2);
  }
}

export function changeSpots(seed: Uint8Array, spots: readonly Spot[], random: Random): Mutant | undefined {
  if (spots.length === 0) return undefined;
  const bytes = Uint8Array.from(seed);
  const notes: string[] = [];
  const rounds = random() < 0.7 ? 1 : 1 + below(random, 4);
  for (let i = 0; i < rounds; i++) {
    const spot = pick(random, spots);
    const value = oddNumber(readNumber(bytes, spot), bytes.length, random);
    writeNumber(bytes, spot, value);
    notes.push(`${spot.what} at ${spot.at} = ${value}`);
  }
  return { bytes, how: notes.join(", ") };
}
