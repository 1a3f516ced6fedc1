/** NVDLA loadable: two blobs of the DLA, one of weights, an input, an output and one task. */

import {
  flatBuffer,
  numbers,
  string,
  struct,
  table,
  u16,
  u32,
  u64,
  u8,
  vector,
  type Value,
} from "../build/flatbuffer.ts";
import type { Samples } from "./samples.ts";

const ids = (...values: readonly number[]): Value => {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value, 2 * index);
  return { kind: "numbers", bytes, count: values.length };
};
const data = (bytes: Uint8Array): Value => ({ kind: "numbers", bytes, count: bytes.length });
const version = (major: number, minor: number, patch: number): Value => struct(u8(major), u8(minor), u8(patch));

const blob = (name: string, size: number, kind: number, part: number): Value =>
  table({
    0: string(name),
    1: u64(size),
    2: u32(kind),
    3: u32(part),
    4: version(0, 11, 0),
    5: data(Buffer.alloc(size, 5)),
  });

const memory = (id: number, flags: number, size: number, more: Readonly<Record<number, Value>> = {}): Value =>
  table({ 0: u16(id), 1: u8(0), 2: u16(flags), 3: u64(size), 4: u32(4096), ...more });

const filled = (id: number, name: string, size: number): Value =>
  memory(id, 3, size, { 5: vector(string(name)), 6: numbers(8, 0) });

const tensor = (name: string, id: number, shape: readonly [number, number, number, number]): Value =>
  table({
    0: string(name),
    1: u16(id),
    2: u16(id),
    3: u64(1024),
    5: u8(1),
    6: u8(2),
    10: u32(shape[0]),
    11: u32(shape[1]),
    12: u32(shape[2]),
    13: u32(shape[3]),
  });

export const loadable = (more: Readonly<Record<number, Value>> = {}): Uint8Array =>
  flatBuffer(
    table({
      0: version(0, 7, 0),
      1: vector(table({ 0: u16(0), 1: u32(1), 2: u16(0), 3: ids(0, 1), 4: ids(), 5: ids(0) })),
      2: vector(
        filled(0, "task-0-op_list", 256),
        filled(1, "tb-0", 2048),
        memory(2, 5, 1568, { 8: u16(0) }),
        memory(3, 9, 32, { 8: u16(1) }),
      ),
      3: vector(
        table({ 0: u16(0), 1: u16(0), 2: u64(0), 3: u64(256) }),
        table({ 0: u16(1), 1: u16(1), 2: u64(0), 3: u64(2048) }),
      ),
      4: vector(table({ 0: u16(0), 1: u8(0), 2: u16(0), 3: u32(1), 4: u8(1) })),
      6: vector(tensor("data", 0, [1, 1, 28, 28]), tensor("prob", 1, [1, 10, 1, 1])),
      7: vector(table({ 0: u16(1), 1: u16(0), 2: u64(16), 3: u32(1) })),
      8: vector(table({ 0: u16(0), 1: ids(0) })),
      // Last, so that its bytes are the file's last.
      5: vector(blob("task-0-op_list", 256, 1, 0), blob("tb-0", 2048, 0, 0)),
      ...more,
    }),
  );

export const samples: Samples = { "lenet.nvdla": () => loadable() };
