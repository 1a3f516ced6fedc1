/** Canaan Kendryte KPU: the CNN accelerator of the RISC-V chips K210 and K230. */

import type { Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const nncase: Source = { cited: "https://github.com/kendryte/nncase@99431d9d", seen: "2026-11-22" };
const sdk: Source = { cited: "https://github.com/kendryte/k230_sdk", seen: "2026-11-22" };
const trees: Source = {
  cited: "device trees of K230 ports, public copies",
  says: "kpu@80400000 compatible canaan,k230-kpu",
  seen: "2026-11-25",
};

export default {
  id: "kendryte",
  vendor: "Canaan",
  name: "Kendryte KPU",
  aliases: ["canaan", "k230", "kpu"],
  says:
    "CNN accelerator inside Canaan's RISC-V chips. In Canaan's SDK the KPU belongs to the RT-Smart core beside Linux; " +
    "the nncase runtime is linked into the program.",
  architecture: "MAC array",
  use: "inference",
  chips: [{ id: "k230", name: "K230 KPU", matches: [of("canaan,k230-kpu")], source: trees }],
  // In the SDK the KPU is run from RT-Smart, with nncase linked into the program and kmodel files: no driver or node of Linux's is public.
  routes: [],
  traps: [
    "neither mainline nor Debian has a KPU driver: a node in the device tree does not mean that Linux may use it",
  ],
  openness: {
    kernel: "mixed",
    firmware: "none",
    runtime: "mixed",
    compiler: "mixed",
    says: "mostly open, by the SDK only",
  },
  maintained: "yes",
  verified: [{ how: "documents", says: "SDK and device trees read; never run" }],
  sources: [nncase, sdk, trees],
  unknown: ["a Linux device node for the KPU", "name of a Linux driver", "throughput", "power"],
} as const satisfies Family;
