/** AMD/Xilinx DPU: a soft inference engine loaded into an FPGA (Alveo, Versal, Zynq). The card is found on PCI; the DPU only once it is loaded. */

import { fact, type Source } from "../base/source.ts";
import { of, pci, type Family, type Match, type RuntimeSpec } from "./family.ts";

const xocl: Source = {
  cited: "https://github.com/Xilinx/XRT",
  says: "@963c58ee (2026-08-20) src/runtime_src/core/pcie/driver/linux/xocl/devices.h, userpf/99-xocl.rules, mgmtpf/99-xclmgmt.rules",
  seen: "2026-11-25",
};
const olderXrt: Source = {
  cited: "older copies of Xilinx/XRT xocl/devices.h (500c and 500d for U280)",
  seen: "2026-11-25",
};
const zocl: Source = {
  cited: "https://github.com/Xilinx/XRT",
  says: "@963c58ee src/runtime_src/core/edge/drm/zocl/common/zocl_drv.c",
  seen: "2026-11-25",
};
const captured: Source = {
  cited: "https://github.com/Xilinx/XRT/pull/508",
  says: "10ee:5000 under xclmgmt and 10ee:5001 under xocl_xdma",
  seen: "2026-11-22",
};
const vitis: Source = { cited: "https://github.com/Xilinx/Vitis-AI", seen: "2026-11-22" };
const guides: Source = {
  cited: "https://xilinx.github.io/Vitis-AI/3.5/html/docs/reference/release_documentation.html",
  seen: "2026-11-25",
};
const notes: Source = {
  cited: "https://docs.amd.com/r/en-US/ug1354-xilinx-ai-sdk/Vitis-AI-Library-v3.5-Release-Notes",
  seen: "2026-11-25",
};
const pciids: Source = {
  cited: "https://github.com/pciutils/pciids",
  says: "@c1c12547 (2026-08-22)",
  seen: "2026-11-22",
};

/** A card is two functions: management (xclmgmt), a helper, and user (xocl), the device. */
const card = (management: string, user: string): readonly Match[] => [
  pci(`10ee:${user}`),
  pci(`10ee:${management}`, { helper: true }),
];

const runtime: RuntimeSpec = {
  name: "Vitis AI Runtime (VART) over XRT",
  libraries: ["libvart-runner.so", "libvart-runner.so.*"],
  also: ["libxir.so*", "libxrt_core.so.2"],
  openness: "open",
  licence: "Apache-2.0",
  packages: { vendor: { says: "Vitis AI's repository and containers", link: "https://github.com/Xilinx/Vitis-AI" } },
  source: vitis,
};

export default {
  id: "xilinx-dpu",
  vendor: "AMD",
  name: "AMD/Xilinx FPGA with DPU (Vitis AI)",
  aliases: ["alveo", "dpu", "vitis-ai"],
  says: "FPGA cards and SoCs that become an inference engine when a DPU bitstream is loaded. Finding the card does not prove the DPU.",
  architecture: "FPGA",
  architectureDetail: fact("soft CNN engine in programmable logic; on Versal with AI Engine tiles", guides),
  use: "inference",
  chips: [
    { id: "u200", name: "Alveo U200", matches: card("5000", "5001"), source: xocl },
    { id: "u250", name: "Alveo U250", matches: card("5004", "5005"), source: xocl },
    { id: "u280", name: "Alveo U280", matches: card("500c", "500d"), source: olderXrt },
    { id: "u50", name: "Alveo U50", matches: card("5020", "5021"), source: xocl },
    { id: "u55c", name: "Alveo U55C", matches: card("505c", "505d"), source: xocl },
    {
      id: "vck5000",
      name: "Versal VCK5000",
      matches: card("5048", "5049"),
      source: xocl,
    },
    { id: "v70", name: "Alveo V70", matches: [...card("5094", "5095"), ...card("50b0", "50b1")], source: xocl },
    {
      // Factory state: no user function, nothing runs until a shell is flashed.
      id: "golden",
      name: "Alveo with its golden image",
      matches: [pci("10ee:d000"), pci("10ee:d004"), pci("10ee:d00c"), pci("10ee:d020")],
      source: pciids,
    },
    {
      id: "zynq",
      name: "Zynq UltraScale+ with XRT (zocl)",
      matches: [of("xlnx,zocl")],
      source: zocl,
    },
    { id: "versal", name: "Versal with XRT (zocl)", matches: [of("xlnx,zocl-versal")], source: zocl },
  ],
  routes: [
    {
      name: "alveo",
      says: "XRT's xocl and xclmgmt out of tree, a DPU bitstream, Vitis AI",
      chips: ["u200", "u250", "u280", "u50", "u55c", "vck5000", "v70"],
      driver: {
        module: "xocl",
        with: ["xclmgmt"],
        binds: ["xocl", "xocl_xdma"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL v2",
        repository: "https://github.com/Xilinx/XRT",
        packages: { vendor: { says: "xrt of AMD's download page (DKMS)", link: "https://github.com/Xilinx/XRT" } },
        source: xocl,
      },
      firmware: {
        files: [],
        elsewhere: "a shell flashed on the card and dpu.xclbin loaded at run time",
        openness: "closed",
      },
      node: {
        paths: ["/dev/dri/renderD*"],
        class: "drm",
        drmName: "xocl",
        mode: "0666",
        rule: 'KERNEL=="renderD*"',
        source: xocl,
      },
      runtime,
      delegate: { id: "vendor", name: "VART", libraries: ["libvart-runner.so"], openness: "open", source: vitis },
      models: [
        { format: "xmodel", compiler: "xcompiler (vai_c)", openness: "closed" },
        { format: "xclbin", compiler: "Vitis", openness: "closed" },
      ],
    },
    {
      name: "embedded",
      says: "XRT's zocl on Zynq and Versal, a DPU in the bitstream, Vitis AI",
      chips: ["zynq", "versal"],
      driver: {
        module: "zocl",
        binds: ["zocl-drm"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL v2",
        repository: "https://github.com/Xilinx/XRT",
        source: zocl,
      },
      firmware: { files: [], elsewhere: "dpu.xclbin, loaded with the FPGA's bitstream", openness: "closed" },
      node: {
        paths: ["/dev/dri/renderD*"],
        class: "drm",
        drmName: "zocl",
        mode: "0666",
        rule: 'KERNEL=="renderD*"',
        source: zocl,
      },
      runtime,
      delegate: { id: "vendor", name: "VART", libraries: ["libvart-runner.so"], openness: "open", source: vitis },
      models: [{ format: "xmodel", compiler: "xcompiler (vai_c)", openness: "closed" }],
    },
  ],
  traps: [
    "An Alveo card is two PCI functions with two ids: 10ee:5000 (management, xclmgmt) and 10ee:5001 (user, xocl) are one U200.",
    "The driver link may show xocl_xdma (seen) while the module is xocl.",
    "Class 1200 on a Xilinx id proves nothing: 10ee:7011 is a plain FPGA's PCIe block.",
    "A card running another design shows another id and class (10ee:903f, a serial controller): no accelerator is visible then.",
    "A golden image (10ee:d000 and the like) is the factory state: only flashing is possible.",
    "KV260, ZCU104 and the like have no DPU node in mainline device trees: the zocl node comes with an overlay.",
    "An xmodel fits one DPU only: its fingerprint must equal the DPU's.",
    "Vitis AI 3.5 supports V70 and VEK280 only; older cards need 3.0 or earlier.",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "open",
    compiler: "closed",
    says: "open driver and runtime, closed compiler and hardware design",
  },
  maintained: "XRT yes; Vitis AI for these cards sees no new support",
  verified: [
    { how: "documents", says: "captures of real hardware (U200 with both functions, bare FPGAs), read by our tests" },
  ],
  sources: [xocl, olderXrt, zocl, captured, vitis, guides, notes, pciids],
  unknown: [
    "peak: per configuration",
    "memory",
    "power",
    "ids of the Alveo cards sold for other work (U25, U30, SmartSSD) and of Versal prototypes: left out",
  ],
} as const satisfies Family;
