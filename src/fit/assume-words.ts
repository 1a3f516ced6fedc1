/** What-if as it is typed or asked by the page: words to numbers within limits. */

import { UsageError } from "../base/errors.ts";
import type { Assumptions } from "./assume.ts";

const BATCH_LIMIT = 4096;
const SIDE_LIMIT = 16_384;

export const precisions = ["int8", "float16", "float32"] as const;
export const linkKinds = ["usb2", "usb3", "pcie"] as const;

/** `word`: what was given for a name, "" or undefined: nothing. Throws UsageError. */
export function parseAssumptions(word: (name: string) => string | undefined): Assumptions {
  const given = (name: string): string | undefined => {
    const value = word(name);
    return value === "" ? undefined : value;
  };
  const [batch, input] = [given("batch"), given("input")];
  const precision = oneOf("precision", given("precision"), precisions);
  const link = oneOf("link", given("link"), linkKinds);
  return {
    ...(precision === undefined ? {} : { precision }),
    ...(batch === undefined ? {} : { batch: whole("batch", batch, BATCH_LIMIT) }),
    ...(input === undefined ? {} : { input: sizeOf(input) }),
    ...(link === undefined ? {} : { link }),
  };
}

function oneOf<T extends string>(name: string, value: string | undefined, all: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = all.find((one) => one === value);
  if (found === undefined) throw new UsageError(`--${name} takes ${all.join(", ")}; not "${value.slice(0, 40)}"`);
  return found;
}

function whole(name: string, text: string, limit: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > limit) {
    throw new UsageError(`--${name} takes a whole number from 1 to ${limit}; not "${text.slice(0, 40)}"`);
  }
  return value;
}

function sizeOf(text: string): readonly [number, number] {
  const [, height = "", width = height] = /^(\d+)(?:x(\d+))?$/i.exec(text) ?? [];
  if (height === "") throw new UsageError(`--input takes HEIGHTxWIDTH, as in 320x320; not "${text.slice(0, 40)}"`);
  return [whole("input", height, SIDE_LIMIT), whole("input", width, SIDE_LIMIT)];
}
