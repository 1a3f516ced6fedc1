/** Kernels for RISC-V cores without an operating system. */

import { elf, type ElfSection } from "../build/elf.ts";
import type { Samples } from "./samples.ts";

export const RISCV = 243;
const EXEC = 2;

const kernel: readonly ElfSection[] = [
  { name: ".text", data: "the kernel's instructions, some hundred bytes of them ....", flags: 6 },
  { name: ".rodata", data: "constants", flags: 2 },
  { name: ".comment", data: "GCC: (GNU) 8.2.0\0" },
];

export const etElf = (
  sections: readonly ElfSection[] = kernel,
  header: { type?: number; machine?: number; flags?: number } = {},
): Uint8Array => elf(sections, { type: EXEC, machine: RISCV, flags: 2, ...header });

export const samples: Samples = {
  "convolution.elf": () => etElf(),
  "hosted.elf": () => etElf([...kernel, { name: ".interp", data: "/lib/ld-linux-riscv64-lp64d.so.1\0", flags: 2 }]),
};
