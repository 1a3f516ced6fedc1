/** Myriad blobs: one input [1,3,4,8] uint8 and one output [1,10] float16, in version 2021.4, and in 5.0 with sizes where the ports stand. */

import { bytesOf, field } from "../../support/sealed.ts";
import type { Samples } from "./samples.ts";

/** `changes`: words of mv_blob_header by their number. */
export function myriad(changes: Readonly<Record<number, number>> = {}, early = false): Uint8Array {
  const port = (name: string, type: number, order: number, sizes: readonly number[], at: number): Uint8Array =>
    bytesOf(
      ...[0, 0, 8, field(name, 8), type, order, sizes.length],
      ...(early ? [...sizes, ...sizes.map(() => 2)] : [3, at, 3, at]),
    );
  const inputs = port("data", 1, 0x4321, [8, 4, 3, 1], 0);
  const outputs = port("prob", 0, 0x43, [10, 1], 16);
  const constants = bytesOf(8, 4, 3, 1, 10, 1);
  const at = 52 + 80;
  const version = early ? [5, 0] : [2021, 4];
  const words = [9709, 0, ...version, 1, 1, 2, 96, 20, 1, 0, 6, 6, 0, 1, 0, at, at + inputs.length, 0, 0];
  words[18] = at + inputs.length + outputs.length;
  words[19] = words[18] + 24;
  words[1] = words[19] + constants.length;
  for (const [index, value] of Object.entries(changes)) words[Number(index)] = value;
  return bytesOf("\x7felf" + "\0".repeat(48), ...words, inputs, outputs, "\0".repeat(24), constants);
}

export const samples: Samples = { "net.blob": () => myriad(), "early.blob": () => myriad({}, true) };
