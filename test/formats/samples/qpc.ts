/** QPC: a network with its description and constants, laid out as the runtime writes it: addresses from a base, or from zero. */

import { bytes, concat, float, int, message } from "../../support/protobuf.ts";
import { bytesOf } from "../../support/sealed.ts";
import type { Samples } from "./samples.ts";

export interface Qpc {
  /** Where the buffer lay in the compiler's memory. */
  readonly base?: bigint;
  readonly images?: readonly (readonly [string, number])[];
  readonly count?: number;
  readonly major?: number;
}

const tensor = (field: number, type: number, shape: readonly number[], scale = 0, offset = 0) =>
  message(field, int(1, type), float(2, scale), int(3, offset), ...shape.map((size) => int(4, size)));

/** networkdesc.bin: one input that the card takes as int8, one output that it gives as float16. */
export const description: Uint8Array = concat([
  int(1, 9),
  bytes(3, "resnet"),
  message(4, bytes(1, "data"), tensor(2, 0, [1, 3, 224, 224]), tensor(3, 2, [1, 3, 224, 224], 0.5, 3)),
  message(5, bytes(1, "prob"), tensor(2, 1, [1, 1000]), tensor(3, 3, [1, 1000], 0.25, 7)),
  int(7, 4),
  int(14, 1),
]);

const align = (size: number): number => Math.ceil(size / 8) * 8;

export function buildQpc(asked: Qpc = {}): Uint8Array {
  const images = asked.images ?? [
    ["networkdesc.bin", description.length],
    ["network.elf", 2000],
    ["constantsdesc.bin", 24],
    ["constants.bin", 4096],
  ];
  const base = asked.base ?? 0n;
  let names = 40 + images.length * 32;
  let data = names + images.reduce((sum, [name]) => sum + align(name.length + 1), 0);
  const size = data + images.reduce((sum, [, bytes]) => sum + align(bytes), 0);
  const out = Buffer.alloc(size);
  out.set([0x7c, 0xcd, 0xa1, 0, asked.major ?? 0, 1, 1, 0]);
  out.set(bytesOf(BigInt(size)), 8);
  out.set(bytesOf(base), 16);
  out.set(bytesOf(BigInt(asked.count ?? images.length)), 24);
  out.set(bytesOf(base + 40n), 32);
  for (const [index, [name, bytes]] of images.entries()) {
    const entry = 40 + index * 32;
    out.set(bytesOf(BigInt(bytes)), entry);
    out.set(bytesOf(base + BigInt(names)), entry + 16);
    out.set(bytesOf(base + BigInt(data)), entry + 24);
    out.write(name, names, "latin1");
    if (name === "networkdesc.bin" && bytes === description.length) out.set(description, data);
    else out.fill(index + 5, data, data + bytes);
    names += align(name.length + 1);
    data += align(bytes);
  }
  return out;
}

export const samples: Samples = {
  "programqpc.bin": () => buildQpc(),
  "based.qpc": () => buildQpc({ base: 0x7f1b_a800_0000n }),
};
