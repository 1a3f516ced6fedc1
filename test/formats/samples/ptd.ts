/** ExecuTorch tensor data: two tensors, one of them under two names, and a blob; and the layout of before June 2025. */

import { joined, layOut, withHeader } from "../build/executorch.ts";
import { flatBuffer, numbers, string, struct, table, u32, u64, u8, vector, type Value } from "../build/flatbuffer.ts";
import type { Samples } from "./samples.ts";

const segments = [Buffer.alloc(96, 1), Buffer.alloc(16, 2), Buffer.alloc(10, 3)];
const { extents, data } = layOut(segments);
const extentTables = (): Value => vector(...extents.map(([offset, size]) => table({ 0: u64(offset), 1: u64(size) })));

const layout = (type: number, ...sizes: readonly number[]): Value =>
  table({ 0: u8(type), 1: numbers(4, ...sizes), 2: numbers(1, ...sizes.map((_, i) => i)) });
const named = (key: string, segment: number, of?: Value): Value =>
  table({ 0: string(key), 1: u32(segment), ...(of === undefined ? {} : { 2: of }) });

const HEADER = 40;
const whole = (root: Value): Uint8Array => {
  const plain = flatBuffer(root, "FT01");
  const base = Math.ceil((plain.length + HEADER) / 64) * 64;
  const mark = u32(0x31304846);
  const header = struct(mark, u32(HEADER), u64(HEADER), u64(plain.length), u64(base), u64(data.length));
  return joined(withHeader(plain, header), base, data);
};

export const samples: Samples = {
  "weights.ptd": () =>
    whole(
      table({
        0: u32(1),
        1: extentTables(),
        2: vector(
          named("layer.weight", 0, layout(6, 3, 8)),
          named("layer.bias", 1, layout(6, 4)),
          named("other.bias", 1, layout(6, 4)),
          named("packed", 2),
        ),
      }),
    ),
  "weights-of-2025.ptd": () =>
    whole(
      table({
        1: u32(16),
        2: vector(
          table({ 0: string("a"), 1: u8(1), 2: numbers(4, 5), 3: numbers(1, 0) }),
          table({ 0: string("b"), 1: u8(6), 2: numbers(4, 2, 8), 3: numbers(1, 0, 1), 5: u64(32) }),
        ),
        3: extentTables(),
        4: vector(named("packed", 2)),
      }),
    ),
};
