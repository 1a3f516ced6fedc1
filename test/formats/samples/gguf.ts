/** GGUF: versions 1 to 3 and the other byte order; keys of several types, plain and quantised tensors. */

import { gguf, type GgufOptions } from "../build/gguf.ts";
import type { Samples } from "./samples.ts";

const tiny: GgufOptions = {
  values: {
    "general.architecture": { text: "llama" },
    "general.name": { text: "Tiny" },
    "general.author": { text: "A. Nonymous" },
    "general.license": { text: "apache-2.0" },
    "general.file_type": { u32: 15 },
    "llama.context_length": { u32: 4096 },
    "llama.rope.freq_base": { f32: 10000 },
    "llama.rope.sections": { u32s: [16, 24, 24, 0] },
    "tokenizer.ggml.model": { text: "gpt2" },
    "tokenizer.ggml.tokens": { texts: Array.from({ length: 20 }, (_, index) => `token ${index}`) },
    "tokenizer.ggml.merges": { texts: ["a b", "c d"] },
    "tokenizer.ggml.add_bos_token": { bool: 1 },
    "tokenizer.chat_template": { text: "{{ x }}" },
  },
  tensors: [
    { name: "token_embd.weight", shape: [32, 20], type: 2, offset: 0 },
    { name: "output_norm.weight", shape: [32], type: 0, offset: 384 },
    { name: "output.weight", shape: [32, 4], type: 1, offset: 512 },
  ],
  data: 512 + 256,
};

export const samples: Samples = {
  "v1.gguf": () => gguf({ ...tiny, version: 1 }),
  "v2.gguf": () => gguf({ ...tiny, version: 2 }),
  "v3.gguf": () => gguf(tiny),
  "big-endian.gguf": () => gguf({ ...tiny, bigEndian: true }),
  "split-00002-of-00003.gguf": () =>
    gguf({
      values: { "general.alignment": { u32: 8 }, "split.count": { u32: 3 } },
      tensors: [{ name: "blk.0.weight", shape: [256, 2], type: 12, offset: 0 }],
      alignment: 8,
      data: 288,
    }),
};
