/** kmodel, versions 3 to 7. */

import { bytesOf, field } from "../../support/sealed.ts";
import type { Samples } from "./samples.ts";

export const version3 = bytesOf(3, 1, 0, 2, 100, 200, 1, 64, 40, 10240, 8, 15, 4, "commands", "soft");
export const version4 = bytesOf(
  ...["LDMK", 4, 0, 1, 4, 99, 1, 1, 1, 0],
  ...[2, 1, 0, 12, 1, 3, 2, 2],
  ...[1, 0, 0, 40],
  ...["data", 0x2002, 4, "body"],
);

/** One function with an input [1,3,2,2] uint8 and an output [1,10] float32, one memory pool, code and constants. */
const ports = bytesOf("\x01\x04\0\0", 0, 12, 4, 1, 3, 2, 2, "\x02\x09\0\0", 0, 40, 2, 1, 10);
const function5 = bytesOf(32, 32 + ports.length, 0, 8, 1, 1, 0, 0, ports);
const section5 = (name: string, data: string): Uint8Array =>
  bytesOf(field(name, 16), 0, 0, data.length, data.length, data);
const body5 = bytesOf(0, 64, function5, section5(".rdata", "constant"), section5(".text", "commands"));
export const version5 = bytesOf(
  ...["LDMK", 5, 32, 0, 8, 1, 0, 0],
  ...[field("stackvm", 16), 1, 48, 48 + body5.length, 1, 0, 2, 1, 0],
  body5,
);

/** One module with one function without parameters and a .text of four bytes. */
export const version6 = bytesOf(
  ...["LDMK", 6, 0, 8, 1, 0, 0, 0],
  ...[field("k230", 16), 1, 32 + 24 + 44, 1, 1],
  ...[0, 0, 4, 24, 0, 0],
  ...[field(".text", 16), 44, 0, 0, 4, 4, 0, "code"],
);
export const version7 = bytesOf(
  ...["LDMK", 7, 0, 8, 1, 0, 0, 0],
  ...[field("k230", 16), 1, 1, 1, 0, BigInt(40 + 32 + 60)],
  ...[0, 0, 0n, 4n, 32n],
  ...[field(".text", 16), 0, 0, 60n, 0n, 4n, 4n, "code"],
);

export const samples: Samples = {
  "v3.kmodel": () => version3,
  "v4.kmodel": () => version4,
  "v5.kmodel": () => version5,
  "v6.kmodel": () => version6,
  "v7.kmodel": () => version7,
};
