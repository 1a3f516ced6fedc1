/** A bmodel with one net of one stage: two ports, weights and commands of TPU and DMA. */

import { bytesOf } from "../../support/sealed.ts";
import { f32, flatBuffer, numbers, string, struct, table, u32, u64, vector, type Value } from "../build/flatbuffer.ts";
import type { Samples } from "./samples.ts";

const tensor = (name: string, type: number, shape: readonly number[], scale?: number): Value =>
  table({
    0: string(name),
    1: u32(type),
    5: vector(table({ 0: numbers(8, ...shape) })),
    ...(scale === undefined ? {} : { 7: f32(scale), 10: u32(3) }),
  });

/** `weights`: how many bytes the description says they have; there are six. */
export function bmodel(weights = 6): Uint8Array {
  const body = flatBuffer(
    table({
      0: string("B"),
      1: string("2.2"),
      2: string("2025-01-01"),
      3: string("BM1684X"),
      4: vector(
        table({
          0: string("yolo"),
          3: vector(
            table({
              0: vector(tensor("in", 2, [1, 3, 8, 8], 0.5)),
              1: vector(tensor("out", 0, [1, 10])),
              4: table({ 2: struct(u64(0), u64(weights)) }),
              8: vector(table({ 2: struct(u64(6), u64(4)), 3: struct(u64(10), u64(3)) })),
            }),
          ),
        }),
      ),
      5: u64(4096),
      7: u32(1),
    }),
  );
  return bytesOf(0xff55aaee, 64, body.length, 13n, "\0".repeat(44), body, "weightcodedma");
}

export const samples: Samples = { "net.bmodel": () => bmodel() };
