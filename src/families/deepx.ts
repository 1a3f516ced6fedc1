/** DEEPX DX-M1 and DX-H1: M.2 modules and cards. Two modules drive them: dx_dma for PCIe, dxrt_driver for the NPU. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const driver: Source = { cited: "https://github.com/DEEPX-AI/dx_rt_npu_linux_driver@7074748", seen: "2026-11-25" };
const runtime: Source = {
  cited: "https://github.com/DEEPX-AI/dx_rt lib/model.cpp, RELEASE_NOTES.md",
  seen: "2026-11-22",
};
const recovery: Source = {
  cited: "https://github.com/DEEPX-AI/dx_rt_npu_linux_driver@7074748 modules/rt/dxrt_drv_recovery.c",
  seen: "2026-11-25",
};
const cli: Source = { cited: "https://github.com/DEEPX-AI/dx_rt cli/dxrt-cli.cpp", seen: "2026-11-25" };
const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-22" };
const module: Source = {
  cited: "https://wiki.t-firefly.com/en/DX-M1/DX-M1.html",
  says: "25 TOPS of performance with only 2W to 5W of power; 4GB LPDDR5",
  seen: "2026-11-25",
};

export default {
  id: "deepx",
  vendor: "DEEPX",
  name: "DEEPX DX-M1, DX-H1",
  says: "M.2 modules (M1) and PCIe cards of several M1 chips (H1) for vision models.",
  architecture: "unknown",
  use: "inference",
  chips: [
    {
      id: "m1",
      name: "DX-M1",
      matches: [pci("1ff4:0100")],
      peak: [{ ops: 25e12, precision: "unstated", source: module }],
      watts: fact(5, module),
      memory: fact("4 GB LPDDR5 on the M.2 module", module),
      source: driver,
    },
    { id: "m1m", name: "DX-M1M", matches: [pci("1ff4:0110")], source: driver },
    { id: "h1", name: "DX-H1", matches: [pci("1ff4:0101"), pci("1ff4:0102")], source: pciids },
    { id: "h1m", name: "DX-H1M", matches: [pci("1ff4:0111"), pci("1ff4:0112")], source: pciids },
    // Modules delivered before ids were assigned; the driver announces the end of this id for 2026-12-31.
    {
      id: "legacy",
      name: "DX-M1 with an early id",
      matches: [pci("1ff4:0000")],
      peak: [{ ops: 25e12, precision: "unstated", source: module }],
      watts: fact(5, module),
      memory: fact("4 GB LPDDR5 on the M.2 module", module),
      source: driver,
    },
  ],
  routes: [
    {
      name: "dxrt",
      says: "DKMS drivers dx_dma and dxrt_driver, DX-RT, .dxnn models",
      driver: {
        module: "dx_dma",
        with: ["dxrt_driver"],
        binds: ["dx_dma_pcie"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/DEEPX-AI/dx_rt_npu_linux_driver",
        source: driver,
      },
      firmware: { files: [], elsewhere: "in the module's flash", openness: "closed" },
      node: {
        paths: ["/dev/dxrt[0-9]*"],
        class: "dxrt",
        mode: "0666",
        rule: '51-deepx-udev.rules: SUBSYSTEM=="dxrt", MODE="0666"',
        also: ["/dev/dx_dma[0-9]*"],
        source: driver,
      },
      runtime: {
        libraries: ["libdxrt.so*"],
        name: "DX-RT",
        openness: "mixed",
        licence: "proprietary, source visible",
        source: runtime,
      },
      delegate: { id: "vendor", name: "DX-RT", openness: "mixed", source: runtime },
      models: [{ format: "dxnn", compiler: "DX-COM", openness: "closed" }],
    },
  ],
  metrics: [
    {
      name: "recovery_count",
      read: "sys:class/dxrt/dxrt*/recovery/recovery_count",
      owner: "alone",
      source: recovery,
    },
    {
      name: "failed_recovery_count",
      read: "sys:class/dxrt/dxrt*/recovery/recovery_fail_count",
      owner: "alone",
      source: recovery,
    },
  ],
  untold: { says: "its drivers have no file for it: dxrt-cli asks the firmware", source: cli },
  traps: [
    "both modules are needed: dx_dma alone binds the card and makes no /dev/dxrt node",
    "DX-RT asks for a least version of both drivers, of the firmware and of the .dxnn file",
    "1ff4:2001 is the video processing unit of an H1 V-NPU card, no NPU",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "mixed",
    compiler: "closed",
    says: "open driver, runtime with visible source, closed firmware and compiler",
  },
  maintained: "yes",
  verified: [{ how: "documents", says: "driver source and an lspci of others" }],
  sources: [driver, recovery, runtime, cli, pciids],
  unknown: ["architecture", "throughput and power of DX-H1", "of which numbers the throughput is told"],
} as const satisfies Family;
