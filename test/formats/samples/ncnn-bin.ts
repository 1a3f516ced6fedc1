/** ncnn's weights: float16 behind their tag, and plain float32 known by its name and its numbers. */

import type { Samples } from "./samples.ts";

const float32 = new Float32Array([0, ...Array.from({ length: 47 }, (_, index) => Math.sin(index + 1) / 3)]);

export const samples: Samples = {
  "half.bin": () => {
    const bytes = Buffer.alloc(4 + 128, 0x38);
    bytes.writeUInt32LE(0x01306b47, 0);
    return bytes;
  },
  "net.bin": () => new Uint8Array(float32.buffer),
};
