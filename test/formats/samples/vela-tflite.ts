/** Vela: command streams for each product, with and without operators on the CPU, of releases that say their version in three ways. */

import { compiled, type Compiled } from "../build/tflite.ts";
import { bytesOf } from "../../support/sealed.ts";
import type { Samples } from "./samples.ts";

/** Config word: product, KiB of shared RAM, version of the stream, binary logarithm of the MACs per cycle. */
export const config = (product: number, macs: number, shram = 24): number =>
  ((product << 28) | (shram << 8) | (0 << 4) | Math.log2(macs)) >>> 0;
const ARCHITECTURE = (1 << 28) | (0 << 20) | (6 << 16);

/** Driver actions: configuration, padding, then `words` register commands. */
export const stream = (configuration: number, words = 24, says = words): Uint8Array =>
  bytesOf("COP1", 1, configuration, ARCHITECTURE, 5, ((says << 16) | 2) >>> 0, new Uint8Array(words * 4).fill(0x11));

export const vela = (program: Uint8Array, more: Partial<Compiled> = {}): Uint8Array =>
  compiled({
    code: "ethos-u",
    constants: [program, new Uint8Array(480).fill(0x77)],
    description: "Vela 4.1.0 Optimised",
    ...more,
  });

export const samples: Samples = {
  "u55_vela.tflite": () => vela(stream(config(0, 128)), { cpu: true, metadata: { vela_version: "3.12.0" } }),
  "u65_vela.tflite": () => vela(stream(config(1, 512, 48)), { operators: 3 }),
  "u85_vela.tflite": () => vela(stream(config(2, 1024, 0)), { description: "Vela Optimised" }),
};
