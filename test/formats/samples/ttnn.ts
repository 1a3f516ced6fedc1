/** TTNN in the schema of 2024 (four fields) and in the one with a uuid and host processors; TTMetal's container beside them. */

import { flatBuffer, numbers, string, struct, table, u16, u32, u64, vector, type Value } from "../build/flatbuffer.ts";
import type { Samples } from "./samples.ts";

const commit = "e791b09944cbb9188b7fddad6172168ddafe8bd1";
const version = struct(u16(0), u16(2), u32(65));
const chip = table({ 0: u32(2), 1: struct(u32(10), u32(13)) });
const port = (fields: number): Value =>
  fields === 4
    ? table({ 0: u32(1), 3: table({ 0: numbers(4, 2, 3), 1: table({}) }) })
    : table({ 0: u32(1), 1: u64(6), 2: table({ 0: numbers(4, 2, 3), 1: table({}) }) });
const program = (fields: number): Value =>
  table({
    0: string("forward"),
    1: vector(port(fields)),
    2: vector(port(fields)),
    3: vector(
      table({
        0: u16(1),
        2: string('%0 = "ttnn.to_layout"(%arg0, %1) : (tensor<2x3xbf16, #l>, !d) -> tensor<2x3xbf16, #l>'),
      }),
      table({ 0: u16(2), 2: string('%1 = "ttnn.relu"(%0) : (tensor<2x3xbf16, #l>) -> tensor<2x3xf32, #l>') }),
    ),
  });
/** The schema of 2024, four fields, and the one with a uuid and host processors. */
export const old = flatBuffer(
  table({ 0: version, 1: string(commit), 2: table({ 0: vector(chip), 4: vector() }), 3: vector(program(4)) }),
  "TTNN",
  true,
);
export const recent = flatBuffer(
  table({
    0: version,
    1: string(commit),
    2: string("uuid"),
    3: table({ 0: vector(table({ 0: u32(0) })), 1: vector(chip), 5: vector() }),
    4: vector(program(3)),
  }),
  "TTNN",
  true,
);
export const metal = flatBuffer(
  table({
    0: version,
    1: string("hash"),
    2: string(commit),
    3: table({ 0: vector(), 1: vector(chip), 5: vector() }),
    4: table({ 0: string("m") }),
    5: vector(
      table({ 0: string("main"), 1: vector(table({ 0: u64(24), 1: table({ 0: numbers(4, 2, 3) }) })), 2: vector() }),
    ),
    6: vector(),
  }),
  "TTM0",
  true,
);

export const samples: Samples = { "old.ttnn": () => old, "recent.ttnn": () => recent, "metal.ttm": () => metal };
