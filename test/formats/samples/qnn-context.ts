/** A QNN context binary behind ExecuTorch's header, aligned and not. What follows the first words is made up: nothing of it is public. */

import type { Samples } from "./samples.ts";

/** The words a context begins with, and the text that stands in one. */
export const context = Buffer.concat([
  Buffer.from([0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1]),
  Buffer.alloc(80, 0x11),
  Buffer.from("\0v2.37.0.250724175447_124859\0SM8650\0prefill_forward\0"),
  Buffer.alloc(200, 0x22),
]);

function header(length: number): Buffer {
  const out = Buffer.alloc(length);
  out.writeUInt32LE(0x5678abcd, 0);
  out.writeBigUInt64LE(0x1234n, 4);
  out.writeBigUInt64LE(BigInt(context.length), 12);
  return out;
}

export const samples: Samples = {
  "aligned.bin": () => Buffer.concat([header(256), context]),
  "short.bin": () => Buffer.concat([header(20), context]),
};
