/** Renesas DRP-AI: a reconfigurable processor with a MAC unit, in RZ/V chips. Renesas' own kernels drive it. */

import { fact, type Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const tvm: Source = { cited: "https://github.com/renesas-rz/rzv_drp-ai_tvm", seen: "2026-11-22" };
const kernel: Source = {
  cited: "drpai driver of Renesas kernels, public copies",
  says: "renesas,rzv2ma-drpai, renesas,rzv2m-drpai, renesas,rzv2l-drpai; driver drpai-rz",
  seen: "2026-11-25",
};
const linux: Source = { cited: "https://github.com/renesas-rz/rz_linux-cip", seen: "2026-11-22" };

export default {
  id: "renesas-drpai",
  vendor: "Renesas",
  name: "Renesas DRP-AI",
  aliases: ["drpai"],
  says: "Vision accelerator inside RZ/V2L, V2M and V2H. It needs Renesas' kernel and models translated by Renesas' tool.",
  architecture: "MAC array",
  architectureDetail: fact("dynamically reconfigurable processor with a MAC unit", tvm),
  use: "inference",
  chips: [
    { id: "rzv2l", name: "RZ/V2L DRP-AI", matches: [of("renesas,rzv2l-drpai")], source: kernel },
    {
      id: "rzv2m",
      name: "RZ/V2M DRP-AI",
      matches: [of("renesas,rzv2m-drpai"), of("renesas,rzv2ma-drpai")],
      source: kernel,
    },
  ],
  routes: [
    {
      name: "drpai",
      says: "Renesas' kernel driver, DRP-AI TVM",
      driver: {
        module: "drpai",
        binds: ["drpai-rz"],
        origin: "vendor-kernel",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/renesas-rz/rz_linux-cip",
        source: kernel,
      },
      node: { paths: ["/dev/drpai*"], class: "unknown", also: ["/dev/udmabuf0"], source: tvm },
      runtime: { libraries: ["libtvm_runtime.so"], name: "DRP-AI TVM", openness: "mixed", source: tvm },
      delegate: { id: "vendor", name: "DRP-AI TVM", openness: "mixed", source: tvm },
      models: [{ format: "drpai", compiler: "DRP-AI TVM with the DRP-AI translator", openness: "closed" }],
    },
  ],
  traps: [
    "mainline's device trees of RZ/V boards hold no DRP-AI node",
    "renesas,tpu is a timer pulse unit, no accelerator",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "mixed",
    compiler: "closed",
    says: "open driver in the vendor's kernel, closed translator",
  },
  maintained: "yes",
  verified: [{ how: "documents", says: "driver source; never run" }],
  sources: [tvm, kernel, linux],
  unknown: [
    "compatible of RZ/V2H and V2N",
    "firmware files",
    "throughput from a primary source",
    "power",
    "class of the node",
  ],
} as const satisfies Family;
