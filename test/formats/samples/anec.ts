/** ANEC: two tasks with constants, one output and two inputs; with the long header and with that of 2023's libane. */

import type { Samples } from "./samples.ts";

export interface Anec {
  readonly header?: number;
  readonly inputs?: number;
  readonly outputs?: number;
  /** 16 KiB tiles by channel. */
  readonly tiles?: Readonly<Record<number, number>>;
  /** N, C, H, W, bytes of a plane, bytes of a row, by channel. */
  readonly shapes?: Readonly<Record<number, readonly number[]>>;
  /** Bytes of the constants the header declares beyond those there are. */
  readonly more?: number;
}

const TASKS = 0x274 * 2;
const CONSTANTS = 512;
const AT = 1264;

/** anecc's struct: sizes, counts, tiles, shapes. */
export function buildAnec(asked: Anec = {}): Uint8Array {
  const size = AT + CONSTANTS;
  const header = Buffer.alloc(asked.header ?? 0x1000);
  header.writeBigUInt64LE(BigInt(size), 0);
  header.writeUInt32LE(0x274, 8);
  header.writeUInt32LE(2, 12);
  header.writeBigUInt64LE(BigInt(TASKS), 16);
  header.writeBigUInt64LE(BigInt(CONSTANTS + (asked.more ?? 0)), 24);
  header.writeUInt32LE(asked.inputs ?? 2, 32);
  header.writeUInt32LE(asked.outputs ?? 1, 36);
  const tiles = { 0: 1, 4: 1, 5: 1, 6: 2, ...asked.tiles };
  for (const [channel, count] of Object.entries(tiles)) header.writeUInt32LE(count, 40 + 4 * Number(channel));
  const shapes = {
    4: [1, 64, 1, 1, 64, 64],
    5: [1, 64, 1, 1, 64, 64],
    6: [1, 3, 40, 40, 5120, 128],
    ...asked.shapes,
  };
  for (const [channel, values] of Object.entries(shapes)) {
    for (const [index, value] of values.entries()) {
      header.writeBigUInt64LE(BigInt(value), 168 + 48 * Number(channel) + 8 * index);
    }
  }
  const contents = Buffer.alloc(size, 7);
  contents.fill(0, TASKS, AT);
  return Buffer.concat([header, contents]);
}

export const samples: Samples = {
  "yolov5.anec": () => buildAnec(),
  "short.anec": () => buildAnec({ header: 0x800 }),
};
