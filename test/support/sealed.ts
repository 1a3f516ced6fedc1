/** What the tests of model formats share: real files of the corpus with their manifest's truth, truncations and seeded mutants. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf, type ModelFile } from "../../src/formats/file.ts";
import type { Format } from "../../src/formats/format.ts";
import type { Model } from "../../src/model/graph.ts";

const shared = new URL("../../../shared/", import.meta.url);

export interface RealModel {
  readonly path: string;
  readonly name: string;
  readonly truth: string;
  readonly file: () => ModelFile;
  readonly bytes: () => Uint8Array;
}

/** Real files of one folder of the corpus; [] where the corpus is not there. */
export function realModels(folder: string): RealModel[] {
  const at = fileURLToPath(new URL(`models/${folder}/`, shared));
  if (!existsSync(at)) return [];
  const manifest = JSON.parse(readFileSync(new URL("MANIFEST.json", shared), "utf8")) as readonly {
    file: string;
    truth?: string;
  }[];
  const truths = new Map(manifest.map(({ file, truth }) => [file, truth ?? ""]));
  return readdirSync(at)
    .sort()
    .map((name) => ({
      path: `${at}${name}`,
      name,
      truth: truths.get(`models/${folder}/${name}`) ?? "",
      bytes: () => readFileSync(`${at}${name}`),
      file: () => modelFileOf(readFileSync(`${at}${name}`), name),
    }));
}

/** Reads; undefined where the reader refuses with its typed error. Anything else that is thrown fails the test. */
export function attempt(format: Format, bytes: Uint8Array, name: string): Model | undefined {
  const file = modelFileOf(bytes, name);
  try {
    format.matches(file);
    return format.read(file);
  } catch (error) {
    if (error instanceof FileError) {
      expect(error.offset === undefined || (error.offset >= 0 && error.offset <= bytes.length)).toBe(true);
      return undefined;
    }
    throw error;
  }
}

/** Cut at every 64th of the length: a typed error, or findings that say so. */
export function expectTruncationsTold(format: Format, bytes: Uint8Array, name: string): void {
  for (let part = 0; part < 64; part++) {
    const length = Math.floor((bytes.length * part) / 64);
    const model = attempt(format, bytes.subarray(0, length), name);
    if (!model) continue;
    const told = model.integrity.some(({ severity }) => severity === "error");
    expect(told, `${name} cut to ${length} of ${bytes.length} bytes is called whole`).toBe(true);
  }
}

/** Seeded: byte flips, extreme words, runs of one byte, half of them in the first kilobyte. Never anything but a model or FileError, under a second. */
export function expectMutantsHandled(format: Format, bytes: Uint8Array, name: string, count = 300): void {
  let seed = 0x9e3779b9;
  const random = (below: number): number => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) % below;
  };
  const extremes = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0, 0x10000, bytes.length];
  for (let round = 0; round < count; round++) {
    const mutant = Uint8Array.from(bytes);
    for (let change = 0; change <= random(4); change++) {
      const at = random(round % 2 === 0 ? Math.min(1024, bytes.length) : bytes.length);
      const kind = random(3);
      if (kind === 0) mutant[at] = random(256);
      else if (kind === 1 && at + 4 <= bytes.length)
        new DataView(mutant.buffer).setUint32(at, extremes[random(extremes.length)] ?? 0, true);
      else mutant.fill(random(2) * 255, at, at + random(16));
    }
    // Of the processor, not of the clock: the machine may have stood still.
    const start = process.cpuUsage();
    attempt(format, mutant, name);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000, `mutant ${round} of ${name}`).toBeLessThan(1000);
  }
}

/** Little-endian bytes put together by hand: numbers are u32, bigints u64, text is latin1. */
export function bytesOf(...parts: readonly (number | bigint | string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "string") return Buffer.from(part, "latin1");
      if (typeof part === "object") return Buffer.from(part);
      const out = Buffer.alloc(typeof part === "bigint" ? 8 : 4);
      if (typeof part === "bigint") out.writeBigUInt64LE(part);
      else out.writeUInt32LE(part >>> 0);
      return out;
    }),
  );
}

/** Text padded with NULs to a fixed field. */
export const field = (text: string, length: number): string => text.padEnd(length, "\0");
