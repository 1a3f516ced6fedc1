/**
 * Instruction sets that matter to inference, by the kernel's own spelling in /proc/cpuinfo (flags, Features, isa). What each gives
 * decides how fast the CPU route is; none is needed for it.
 */

import type { Source } from "../base/source.ts";

export interface CpuFeature {
  /** As uname -m says, glob: x86_64, aarch64, riscv64. */
  readonly arch: string;
  /** As /proc/cpuinfo spells it. Of RISC-V's isa string: the extension's letters, "v" standing for the single letter. */
  readonly flag: string;
  readonly name: string;
  readonly gives: string;
  /** matrix: multiplies tiles; dot: multiplies and adds small integers or halves; vector: wide arithmetic. */
  readonly kind: "matrix" | "dot" | "vector";
  readonly precisions: readonly string[];
  readonly source: Source;
}

const x86: Source = { kernel: "arch/x86/include/asm/cpufeatures.h", release: "7.3.4" };
const arm64: Source = { kernel: "Documentation/arch/arm64/elf_hwcaps.rst", release: "7.3.4" };
const sme: Source = { kernel: "Documentation/arch/arm64/sme.rst", release: "7.3.4" };
const arm: Source = { kernel: "arch/arm/kernel/setup.c", release: "7.3.4" };
const riscv: Source = { kernel: "Documentation/arch/riscv/hwprobe.rst", release: "7.3.4" };
const s390: Source = { kernel: "arch/s390/kernel/processor.c", release: "7.3.4" };
const loong: Source = { kernel: "arch/loongarch/kernel/proc.c", release: "7.3.4" };

type Row = readonly [
  flag: string,
  name: string,
  kind: CpuFeature["kind"],
  precisions: readonly string[],
  gives: string,
];

const rows = (arch: string, source: Source, table: readonly Row[]): CpuFeature[] =>
  table.map(([flag, name, kind, precisions, gives]) => ({ arch, flag, name, gives, kind, precisions, source }));

/**
 * Strongest first within one architecture. Only what /proc/cpuinfo shows: the kernel keeps AMX-FP16, AMX-COMPLEX and AVX-VNNI-INT8
 * to itself, and PowerPC tells MMA and VSX in the auxiliary vector alone.
 */
export const cpuFeatures: readonly CpuFeature[] = [
  ...rows("x86_64", x86, [
    ["amx_int8", "AMX int8", "matrix", ["int8"], "tile multiplication of 8-bit integers"],
    ["amx_bf16", "AMX bfloat16", "matrix", ["bf16"], "tile multiplication of bfloat16"],
    ["amx_tile", "AMX tiles", "matrix", [], "the tile registers that the AMX multiplications need"],
    ["avx512_fp16", "AVX-512 FP16", "vector", ["fp16"], "512-bit arithmetic in half precision"],
    ["avx512_bf16", "AVX-512 BF16", "dot", ["bf16"], "512-bit dot products of bfloat16"],
    ["avx512_vnni", "AVX-512 VNNI", "dot", ["int8", "int16"], "512-bit dot products of 8- and 16-bit integers"],
    ["avx_vnni", "AVX-VNNI", "dot", ["int8", "int16"], "256-bit dot products of 8- and 16-bit integers"],
    ["avx512f", "AVX-512", "vector", ["fp32"], "512-bit arithmetic"],
    ["avx512bw", "AVX-512 BW", "vector", ["int8", "int16"], "512-bit arithmetic on bytes and words"],
    ["avx512vl", "AVX-512 VL", "vector", [], "AVX-512's instructions on 128- and 256-bit registers"],
    ["avx2", "AVX2", "vector", ["int8", "int16"], "256-bit integer arithmetic"],
    ["fma", "FMA", "vector", ["fp32"], "fused multiply-add"],
    ["f16c", "F16C", "vector", ["fp16"], "conversion between half and single precision"],
    ["avx", "AVX", "vector", ["fp32"], "256-bit floating point"],
    ["sse4_2", "SSE 4.2", "vector", ["fp32"], "128-bit arithmetic: the least that today's wheels ask for"],
  ]),
  ...rows("aarch64", sme, [
    ["sme2", "SME2", "matrix", ["int8", "bf16", "fp16"], "outer products and multi-vector arithmetic"],
    ["sme", "SME", "matrix", ["int8", "bf16", "fp16"], "outer products in a tile register"],
  ]),
  ...rows("aarch64", arm64, [
    ["smei8i32", "SME I8I32", "matrix", ["int8"], "outer products of 8-bit integers"],
    ["smeb16f32", "SME B16F32", "matrix", ["bf16"], "outer products of bfloat16"],
    ["smef16f32", "SME F16F32", "matrix", ["fp16"], "outer products of half precision"],
    ["svei8mm", "SVE int8 matrix", "matrix", ["int8"], "small matrix products of 8-bit integers on scalable vectors"],
    ["i8mm", "int8 matrix multiply", "matrix", ["int8"], "small matrix products of 8-bit integers"],
    ["svebf16", "SVE bfloat16", "dot", ["bf16"], "bfloat16 products on scalable vectors"],
    ["bf16", "bfloat16", "dot", ["bf16"], "dot products and matrix products of bfloat16"],
    ["sve2", "SVE2", "vector", ["int8", "int16", "fp32"], "scalable vectors for integers too"],
    ["sve", "SVE", "vector", ["fp32"], "scalable vectors"],
    ["asimddp", "dot product", "dot", ["int8"], "dot products of 8-bit integers (SDOT, UDOT)"],
    ["asimdfhm", "FP16 multiply-add", "vector", ["fp16"], "half-precision products added in single precision"],
    ["asimdhp", "FP16 arithmetic", "vector", ["fp16"], "arithmetic in half precision"],
    ["asimd", "Advanced SIMD (NEON)", "vector", ["fp32"], "128-bit vectors"],
  ]),
  ...rows("arm*", arm, [
    ["i8mm", "int8 matrix multiply", "matrix", ["int8"], "small matrix products of 8-bit integers"],
    ["asimddp", "dot product", "dot", ["int8"], "dot products of 8-bit integers"],
    ["asimdhp", "FP16 arithmetic", "vector", ["fp16"], "arithmetic in half precision"],
    ["neon", "NEON", "vector", ["fp32"], "128-bit vectors"],
  ]),
  ...rows("riscv*", riscv, [
    ["zvfbfwma", "Zvfbfwma", "dot", ["bf16"], "widening multiply-add of bfloat16 vectors"],
    ["zvfbfmin", "Zvfbfmin", "vector", ["bf16"], "conversion of bfloat16 vectors"],
    ["zvfh", "Zvfh", "vector", ["fp16"], "vector arithmetic in half precision"],
    ["zvfhmin", "Zvfhmin", "vector", ["fp16"], "conversion of half-precision vectors"],
    ["v", "RVV 1.0", "vector", ["int8", "fp32"], "scalable vectors"],
    ["zve64d", "Zve64d", "vector", ["fp32"], "a subset of the vector extension, with double precision"],
    ["zve32x", "Zve32x", "vector", ["int8"], "a subset of the vector extension, integers only"],
    ["zfh", "Zfh", "vector", ["fp16"], "scalar arithmetic in half precision"],
  ]),
  ...rows("s390*", s390, [
    ["nnpa", "NNPA", "matrix", ["fp16"], "the neural network processing assist of z16 and later (zDNN)"],
    ["vxe", "vector enhancements", "vector", ["fp32"], "128-bit vectors"],
    ["vx", "vector facility", "vector", ["fp32"], "128-bit vectors"],
  ]),
  ...rows("loongarch*", loong, [
    ["lasx", "LASX", "vector", ["int8", "fp32"], "256-bit vectors"],
    ["lsx", "LSX", "vector", ["int8", "fp32"], "128-bit vectors"],
  ]),
];
