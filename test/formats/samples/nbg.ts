/** NBG as format 0x1000e has it: header 92, features 256, pool 12, SRAMs 16, directory of 16 tables; and format 0x10002, of 12. */

import { bytesOf, field } from "../../support/sealed.ts";
import type { Samples } from "./samples.ts";

export interface Port {
  readonly name: string;
  readonly rank: number;
  readonly format: number;
  readonly quant: number;
  readonly fixed: number;
  readonly scale: number;
  readonly zero: number;
}

export function nbgPort({ name, rank, format, quant, fixed, scale, zero }: Port): Uint8Array {
  const bytes = Buffer.from(bytesOf(rank, 8, 4, 1, 1, 1, 1, format, 0, quant, fixed >>> 0, 0, zero, field(name, 64)));
  bytes.writeFloatLE(scale, 44);
  return bytes;
}

/** Tables by their number in the directory, one after the other behind it. */
export function nbg(
  tables: Readonly<Record<number, Uint8Array>>,
  header: { target?: number; layers?: number; operations?: number; inputs?: number } = {},
): Uint8Array {
  const start = 92 + 256 + 28 + 16 * 8;
  let at = start;
  const parts = Array.from({ length: 16 }, (_, index) => tables[index] ?? new Uint8Array(0));
  const directory = parts.flatMap(({ length }, index) => {
    const from = index === 0 || length > 0 ? at : 0;
    at += length;
    return [from, length];
  });
  const { target = 0x88, layers = 0, operations = 0, inputs = 1 } = header;
  return bytesOf(
    ...["VPMN", 0x1000e, target, field("net", 64), layers, operations, inputs, 1],
    ...[3, 1, 1, "\0".repeat(244)],
    ...[4096, 64, 0, 0, 0, 0, 8192],
    ...directory,
    ...parts,
  );
}

export const nbgSample = (target = 0x88): Uint8Array =>
  nbg(
    {
      0: nbgPort({ name: "data", rank: 2, format: 2, quant: 2, fixed: 0, scale: 0.5, zero: 128 }),
      1: nbgPort({ name: "prob", rank: 1, format: 3, quant: 1, fixed: 7, scale: 1, zero: 0 }),
      2: bytesOf(field("ConvolutionReluPoolingLayer", 64), 0, 1, 0, field("SoftmaxLayer", 64), 1, 1, 0),
      3: bytesOf(1, 0, 2, 1),
      5: bytesOf("commands and weights of the network"),
      6: bytesOf("nn operation"),
    },
    { target, layers: 2, operations: 2 },
  );

/** Four dimensions and no names: ports of 44 bytes. */
function early(): Uint8Array {
  const start = 92 + 20 + 12 * 8;
  const one = bytesOf(4, 8, 4, 3, 1, 2, 0, 2, 0, 0x3f000000, 128);
  const tables = [start, 44, start + 44, 44, start + 88, 72, 0, 0, 0, 0, start + 160, 8, ...Array<number>(12).fill(0)];
  return bytesOf(
    ...["VPMN", 0x10002, 0x99, field("net", 64), 1, 0, 1, 1],
    ...[4096, 64, 0, 0, 0],
    ...tables,
    ...[one, one, field("ConvolutionLayer", 72), "commands"],
  );
}

export const samples: Samples = { "net.nb": () => nbgSample(), "early.nb": early };
