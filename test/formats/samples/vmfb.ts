/** IREE modules: as a ZIP with code for two formats and constants beside the FlatBuffer, and as a FlatBuffer alone with what lies behind it. */

import { flatBuffer, numbers, string, table, u32, u64, vector, type Value } from "../build/flatbuffer.ts";
import { zip } from "../build/zip.ts";
import type { Samples } from "./samples.ts";

const text = (words: string): Value => table({ 2: numbers(1, ...Buffer.from(words)) });
const behind = (offset: number, bytes: number): Value => table({ 3: u64(offset), 4: u64(bytes) });
const pair = (key: string, value: string): Value => table({ 0: string(key), 1: string(value) });
const declared = (declaration: string): Value =>
  table({ 0: string("0rr_r"), 1: vector(pair("iree.abi.declaration", declaration)) });

function descriptors(...extents: readonly (readonly [number, number])[]): Value {
  const bytes = Buffer.alloc(extents.length * 20);
  extents.forEach(([offset, length], i) => {
    bytes.writeInt32LE(offset, i * 20);
    bytes.writeInt32LE(length, i * 20 + 4);
    bytes.writeInt16LE(1, i * 20 + 14);
  });
  return { kind: "numbers", bytes, count: extents.length };
}

/** Segments behind the FlatBuffer: offsets from its end, rounded up to 64, and sizes. */
function module(segments: readonly (readonly [number, number])[]): Uint8Array {
  return flatBuffer(
    table({
      0: string("net"),
      2: u32(13),
      3: vector(pair("origin", "a test")),
      4: vector(table({ 0: string("!hal.buffer_view") })),
      5: vector(table({ 0: string("hal"), 1: u32(7) })),
      6: vector(table({ 0: string("hal.devices.get"), 1: table({ 0: string("0I_r") }) })),
      7: vector(
        table({ 0: string("__init"), 1: u32(0) }),
        table({ 0: string("infer"), 1: u32(1) }),
        table({ 0: string("infer$async"), 1: u32(1) }),
      ),
      8: vector(
        table({ 0: string("0v_v") }),
        declared(
          "sync func @infer(%input0: tensor<1x?xf32>, %input1: tensor<4xi8> {iree.abi.output = 0 : index}) -> (%output0: tensor<2x3xbf16>)",
        ),
      ),
      9: vector(
        text("hal.device.id"),
        text("local*"),
        text("hal.executable.format"),
        text("vmvx-bytecode-fb"),
        text("embedded-elf-arm_64"),
        ...segments.map(([offset, bytes]) => behind(offset, bytes)),
      ),
      12: descriptors([0, 16], [16, 48]),
      13: u32(17 * 65536 + 1),
      14: numbers(1, ...Array.from({ length: 64 }, (_, i) => i)),
    }),
    "IREE",
    true,
  );
}

const code = Buffer.concat([Buffer.from("\x7fELF", "latin1"), Buffer.alloc(316, 3)]);
const constants = Buffer.alloc(640, 9);
const round = (at: number): number => Math.ceil(at / 64) * 64;

function polyglot(): Uint8Array {
  const made = (first: Uint8Array): Buffer =>
    zip([
      { name: "module.fb", data: first, align: 64 },
      { name: "_const.bin", data: constants, align: 64 },
      { name: "net_linked_arm_64.so", data: code, align: 64 },
    ]);
  // Sizes do not depend on what the offsets are.
  const draft = made(module([[0, 0], [0, 0]])); // prettier-ignore
  const base = round(draft.indexOf("IREE") - 8 + module([[0, 0], [0, 0]]).length); // prettier-ignore
  return made(
    module([
      [draft.indexOf(constants) - base, constants.length],
      [draft.indexOf(code) - base, code.length],
    ]),
  );
}

function plain(): Uint8Array {
  const first = module([
    [0, 320],
    [320, 640],
  ]);
  return Buffer.concat([first, Buffer.alloc(round(first.length) - first.length), code, constants]);
}

export const samples: Samples = { "polyglot.vmfb": polyglot, "plain.vmfb": plain };
