/** The CPU as an accelerator: model and the instruction sets that matter to inference. /proc/cpuinfo, Documentation/arch/{x86,arm64,riscv} */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface Cpu {
  readonly model: Reading<string>;
  /** Online logical processors. */
  readonly threads: number;
  /** Flags, Features or the isa string, split; spelled as the kernel does. */
  readonly flags: ReadonlySet<string>;
}

export function readCpu(root: Root): Reading<Cpu> {
  void root;
  throw new Error("facts/cpu");
}
