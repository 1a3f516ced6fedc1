/** NPU blobs: an ELF alone, one that tells its generation and ports, and with the metadata of versions 2.0 and 2.7 behind it. */

import { bytesOf } from "../../support/sealed.ts";
import { elf } from "../build/elf.ts";
import { npuElf } from "../build/npu-elf.ts";
import type { Samples } from "./samples.ts";

const u16 = (...values: number[]): Uint8Array => Uint8Array.from(values.flatMap((value) => [value & 255, value >> 8]));
const payload = elf([
  { name: ".text.main", data: "code for the processor of the NPU", flags: 6 },
  { name: ".data.ConstIO", data: "weights", flags: 2 },
  { name: ".note.LoaderABI", data: "note" },
]);
const build = (minor: number, ...fields: (number | bigint | string | Uint8Array)[]): Uint8Array =>
  bytesOf(payload, (2 << 16) | minor, u16(2025, 3, 0), ...fields, BigInt(payload.length), "OVNPU");

export const samples: Samples = {
  "alone.blob": () => payload,
  "40xx.blob": () => {
    const image = { name: "images", type: 14, shape: [1, 3, 32, 32] };
    return npuElf({
      arch: 4,
      mapped: [11, 10, 0],
      inputs: [image],
      outputs: [{ name: "scores", type: 5, shape: [1, 10] }],
    });
  },
  "v2.0.blob": () => build(0),
  "v2.7.blob": () =>
    build(7, 1n, 99n, 4n, 1n, 1n, u16(4), "NCHW", u16(2), "NC", (7 << 16) | 2, "\x00", 8n, "NPU40XX1", "\x00"),
};
