/** What every reader owes to broken files: a model or a FileError, soon. Truncation at every 64th of the length, and seeded mutation. */

import { expect } from "vitest";
import { FileError } from "../../../src/base/errors.ts";
import { modelFileOf } from "../../../src/formats/file.ts";
import type { Format } from "../../../src/formats/format.ts";
import type { Model } from "../../../src/model/graph.ts";

/** A model, or the FileError that says why not. Anything else thrown, and more than a second, fails the test. */
export function readOrError(format: Format, bytes: Uint8Array, name: string): Model | FileError {
  const file = modelFileOf(bytes, name);
  const before = performance.now();
  try {
    format.matches(file);
    return format.read(file);
  } catch (error) {
    if (error instanceof FileError) return error;
    throw new Error(`${name} of ${bytes.length} bytes: ${String(error)}`, { cause: error });
  } finally {
    expect(performance.now() - before, name).toBeLessThan(1000);
  }
}

/** Truncated at every 64th: gives what each reading gave, so that a test can hold more against it. */
export function truncated(format: Format, bytes: Uint8Array, name: string): (Model | FileError)[] {
  const out: (Model | FileError)[] = [];
  for (let part = 0; part < 64; part++) {
    out.push(readOrError(format, bytes.subarray(0, Math.floor((bytes.length * part) / 64)), name));
  }
  return out;
}

/** Bytes changed, runs zeroed or set, stretches moved: the same ones for the same seed. */
export function mutated(format: Format, bytes: Uint8Array, name: string, count = 300, seed = 1): void {
  const next = random(seed);
  // Most of a file is weights, and the head is where structure is: half of the changes go there.
  const spot = (): number => Math.floor(next() * (next() < 0.5 ? Math.min(bytes.length, 512) : bytes.length));
  for (let round = 0; round < count; round++) {
    const copy = Uint8Array.from(bytes);
    const changes = 1 + Math.floor(next() * 4);
    for (let change = 0; change < changes; change++) {
      const at = spot();
      const kind = next();
      if (kind < 0.4) copy[at] = Math.floor(next() * 256);
      else if (kind < 0.6) copy.fill(0xff, at, at + 1 + Math.floor(next() * 8));
      else if (kind < 0.8) copy.fill(0, at, at + 1 + Math.floor(next() * 8));
      else copy.copyWithin(at, spot(), spot());
    }
    readOrError(format, copy, name);
  }
}

/** mulberry32, public domain: small and the same everywhere. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
