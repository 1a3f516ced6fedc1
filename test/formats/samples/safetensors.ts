/** safetensors: a header with three tensors of three types, and their data. */

import type { Samples } from "./samples.ts";

export const samples: Samples = {
  "three.safetensors": () => {
    const header = {
      __metadata__: { format: "pt" },
      weight: { dtype: "F32", shape: [4, 3], data_offsets: [0, 48] },
      bias: { dtype: "BF16", shape: [4], data_offsets: [48, 56] },
      index: { dtype: "I64", shape: [1], data_offsets: [56, 64] },
    };
    const text = JSON.stringify(header).padEnd(256, " ");
    const out = Buffer.alloc(8 + text.length + 64, 1);
    out.writeBigUInt64LE(BigInt(text.length), 0);
    out.write(text, 8);
    return out;
  },
};
