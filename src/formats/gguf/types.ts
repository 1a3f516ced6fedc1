/**
 * Element and file types of GGUF. Numbers, block lengths and bytes per block as gguf-py 0.19.0 has them (constants.py, MIT):
 * https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py
 */

import type { ElementType } from "../../model/graph.ts";

export interface GgmlType {
  readonly name: string;
  /** Elements in a block, and its bytes; undefined for types that were removed before their size was settled. */
  readonly block?: number;
  readonly bytes?: number;
  readonly type: ElementType;
}

const plain = (name: string, bytes: number, type: ElementType): GgmlType => ({ name, block: 1, bytes, type });
const block = (name: string, length: number, bytes: number): GgmlType => ({
  name,
  block: length,
  bytes,
  type: "block",
});
const removed = (name: string): GgmlType => ({ name, type: "unknown" });

export const ggmlTypes: Readonly<Record<number, GgmlType>> = {
  0: plain("F32", 4, "float32"),
  1: plain("F16", 2, "float16"),
  2: block("Q4_0", 32, 18),
  3: block("Q4_1", 32, 20),
  4: removed("Q4_2"),
  5: removed("Q4_3"),
  6: block("Q5_0", 32, 22),
  7: block("Q5_1", 32, 24),
  8: block("Q8_0", 32, 34),
  9: block("Q8_1", 32, 40),
  10: block("Q2_K", 256, 84),
  11: block("Q3_K", 256, 110),
  12: block("Q4_K", 256, 144),
  13: block("Q5_K", 256, 176),
  14: block("Q6_K", 256, 210),
  15: block("Q8_K", 256, 292),
  16: block("IQ2_XXS", 256, 66),
  17: block("IQ2_XS", 256, 74),
  18: block("IQ3_XXS", 256, 98),
  19: block("IQ1_S", 256, 50),
  20: block("IQ4_NL", 32, 18),
  21: block("IQ3_S", 256, 110),
  22: block("IQ2_S", 256, 82),
  23: block("IQ4_XS", 256, 136),
  24: plain("I8", 1, "int8"),
  25: plain("I16", 2, "int16"),
  26: plain("I32", 4, "int32"),
  27: plain("I64", 8, "int64"),
  28: plain("F64", 8, "float64"),
  29: block("IQ1_M", 256, 56),
  30: plain("BF16", 2, "bfloat16"),
  31: removed("Q4_0_4_4"),
  32: removed("Q4_0_4_8"),
  33: removed("Q4_0_8_8"),
  34: block("TQ1_0", 256, 54),
  35: block("TQ2_0", 256, 66),
  36: removed("IQ4_NL_4_4"),
  37: removed("IQ4_NL_4_8"),
  38: removed("IQ4_NL_8_8"),
  39: block("MXFP4", 32, 17),
  40: block("NVFP4", 64, 36),
  41: block("Q1_0", 128, 18),
};

/** general.file_type: what most tensors are, as the tool that quantised them calls it. */
export const fileTypes: Readonly<Record<number, string>> = {
  0: "all F32",
  1: "mostly F16",
  2: "mostly Q4_0",
  3: "mostly Q4_1",
  7: "mostly Q8_0",
  8: "mostly Q5_0",
  9: "mostly Q5_1",
  10: "mostly Q2_K",
  11: "mostly Q3_K_S",
  12: "mostly Q3_K_M",
  13: "mostly Q3_K_L",
  14: "mostly Q4_K_S",
  15: "mostly Q4_K_M",
  16: "mostly Q5_K_S",
  17: "mostly Q5_K_M",
  18: "mostly Q6_K",
  19: "mostly IQ2_XXS",
  20: "mostly IQ2_XS",
  21: "mostly Q2_K_S",
  22: "mostly IQ3_XS",
  23: "mostly IQ3_XXS",
  24: "mostly IQ1_S",
  25: "mostly IQ4_NL",
  26: "mostly IQ3_S",
  27: "mostly IQ3_M",
  28: "mostly IQ2_S",
  29: "mostly IQ2_M",
  30: "mostly IQ4_XS",
  31: "mostly IQ1_M",
  32: "mostly BF16",
  36: "mostly TQ1_0",
  37: "mostly TQ2_0",
  38: "mostly MXFP4 (experts)",
  39: "mostly NVFP4",
  40: "mostly Q1_0",
};

/** Types of metadata values: name and bytes; strings and arrays have no fixed size. */
export const valueTypes: readonly { readonly name: string; readonly bytes: number }[] = [
  { name: "uint8", bytes: 1 },
  { name: "int8", bytes: 1 },
  { name: "uint16", bytes: 2 },
  { name: "int16", bytes: 2 },
  { name: "uint32", bytes: 4 },
  { name: "int32", bytes: 4 },
  { name: "float32", bytes: 4 },
  { name: "bool", bytes: 1 },
  { name: "string", bytes: 0 },
  { name: "array", bytes: 0 },
  { name: "uint64", bytes: 8 },
  { name: "int64", bytes: 8 },
  { name: "float64", bytes: 8 },
];
