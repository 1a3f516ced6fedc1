/** TFLite as compilers for accelerators leave it: one operator of theirs over constants, one of the CPU behind it. */

import { flatBuffer, numbers, string, table, u32, u8, vector, type Value } from "./flatbuffer.ts";

export interface Compiled {
  /** Custom code of the compiler's operator. */
  readonly code: string;
  /** Constants it takes, as uint8 tensors: in the order of its inputs, before or after the graph's own. */
  readonly constants?: readonly Uint8Array[];
  readonly constantsFirst?: boolean;
  readonly options?: Uint8Array;
  readonly description?: string;
  /** Entries of the metadata list: texts, and flatbuffers of their own. */
  readonly metadata?: Readonly<Record<string, string | Uint8Array>>;
  /** An operator that stays on the CPU follows. */
  readonly cpu?: boolean;
  /** How many operators the compiler left; each takes the same constants. */
  readonly operators?: number;
}

const UINT8 = 3;
const CUSTOM = 32;
const RELU = 19;

export const blob = (bytes: Uint8Array): Value => ({ kind: "numbers", bytes, count: bytes.length });

export function compiled(given: Compiled): Uint8Array {
  const { code, constants = [], constantsFirst = true, options, description, metadata = {}, cpu = false } = given;
  const count = given.operators ?? 1;
  const tensors: Value[] = [];
  const add = (name: string, shape: readonly number[], buffer: number): number =>
    tensors.push(
      table({
        0: numbers(4, ...shape),
        1: u8(UINT8),
        2: u32(buffer),
        3: string(name),
        8: u8(1),
      }),
    ) - 1;
  const buffers: Value[] = [table({})];
  const keep = (bytes: Uint8Array): number => buffers.push(table({ 0: blob(bytes) })) - 1;
  const fixed = constants.map((bytes, index) => add(`constant ${index}`, [bytes.length], keep(bytes)));
  let last = add("image", [1, 8, 8, 3], 0);
  const input = last;
  const operators: Value[] = [];
  for (let i = 0; i < count; i++) {
    const next = add(`out ${i}`, [1, 10], 0);
    operators.push(
      table({
        0: u32(0),
        1: numbers(4, ...(constantsFirst ? [...fixed, last] : [last, ...fixed])),
        2: numbers(4, next),
        ...(options === undefined ? {} : { 5: blob(options) }),
      }),
    );
    last = next;
  }
  if (cpu) {
    const next = add("relu", [1, 10], 0);
    operators.push(table({ 0: u32(1), 1: numbers(4, last), 2: numbers(4, next) }));
    last = next;
  }
  const entries = Object.entries(metadata).map(([name, value]) =>
    table({
      0: string(name),
      1: u32(keep(typeof value === "string" ? Buffer.from(value.padEnd(16, "\0"), "utf8") : value)),
    }),
  );
  const codes = [
    table({ 0: u8(CUSTOM), 1: string(code), 2: u32(1), 3: u32(CUSTOM) }),
    ...(cpu ? [table({ 0: u8(RELU), 2: u32(2), 3: u32(RELU) })] : []),
  ];
  const graph = table({
    0: vector(...tensors),
    1: numbers(4, input),
    2: numbers(4, last),
    3: vector(...operators),
    4: string("main"),
  });
  return flatBuffer(
    table({
      0: u32(3),
      1: vector(...codes),
      2: vector(graph),
      ...(description === undefined ? {} : { 3: string(description) }),
      4: vector(...buffers),
      ...(entries.length > 0 ? { 6: vector(...entries) } : {}),
    }),
    "TFL3",
  );
}

/** A FlexBuffers map of keys to bytes, texts and numbers, all of it with offsets of 4 bytes. */
export function flexMap(entries: Readonly<Record<string, Uint8Array | string | number>>): Uint8Array {
  const out: number[] = [];
  const word = (value: number): void =>
    void out.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
  const align = (): void => {
    while (out.length % 4 !== 0) out.push(0);
  };
  const keys = Object.keys(entries).sort();
  const keyAt = keys.map((key) => {
    const at = out.length;
    out.push(...Buffer.from(`${key}\0`, "latin1"));
    return at;
  });
  const valueAt = keys.map((key) => {
    align();
    const value = entries[key] ?? new Uint8Array();
    if (typeof value === "number") return 0; // stands in the map itself
    const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
    word(bytes.length);
    const at = out.length;
    out.push(...bytes);
    if (typeof value === "string") out.push(0);
    return at;
  });
  align();
  word(keys.length);
  const keysAt = out.length;
  for (const at of keyAt) word(out.length - at);
  word(out.length - keysAt);
  word(4);
  word(keys.length);
  const map = out.length;
  keys.forEach((key, i) => {
    const value = entries[key];
    word(typeof value === "number" ? value : out.length - (valueAt[i] ?? 0));
  });
  // An unsigned number, or a text or blob whose length has 4 bytes.
  for (const key of keys)
    out.push(((typeof entries[key] === "number" ? 2 : typeof entries[key] === "string" ? 5 : 25) << 2) | 2);
  align();
  word(out.length - map);
  out.push((9 << 2) | 2, 4);
  return Uint8Array.from(out);
}
