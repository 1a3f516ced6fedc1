/** NEC SX-Aurora TSUBASA Vector Engine: PCIe vector processor, out-of-tree driver ve_drv, VEOS on the host. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const driver: Source = {
  cited: "https://github.com/veos-sxarr-NEC/ve_drv-kmod",
  says: "src/main.c, src/hw.h (1bcf:001c, 1bcf:0039)",
  seen: "2026-11-25",
};
const veo: Source = { cited: "https://github.com/veos-sxarr-NEC/veoffload", seen: "2026-11-25" };
const aveo: Source = { cited: "https://github.com/SX-Aurora/aveo", seen: "2026-11-25" };
const pciids: Source = {
  cited: "https://github.com/pciutils/pciids",
  says: "@c1c12547 (2026-08-22)",
  seen: "2026-11-25",
};
const colfax: Source = {
  cited: "https://www.colfax-intl.com/nec/sx-architecture",
  says: "eight vector cores; 2.45 TF peak performance and 1.2 TB/s memory bandwidth per processor",
  seen: "2026-11-25",
};
const doubles: Source = {
  cited: "https://wikisum.wiki/wiki/NEC_SX-Aurora_TSUBASA",
  says: "eight cores and a peak performance of 2.15 or 2.45 TFLOPS in double precision",
  seen: "2026-11-25",
};
const capture: Source = { cited: "hwloc test data 32intel64-2p8co2t+8ve", seen: "2026-11-22" };

export default {
  id: "nec-ve",
  vendor: "NEC",
  name: "NEC SX-Aurora Vector Engine",
  aliases: ["ve", "sx-aurora"],
  says: "Vector processor on a PCIe card for scientific computing, also used for learning frameworks. VEOS runs its programs from the host.",
  architecture: "vector",
  use: "both",
  chips: [
    {
      id: "ve1",
      name: "Vector Engine 1",
      matches: [pci("1bcf:001c")],
      peak: [{ ops: 2.45e12, precision: "fp64", source: doubles }],
      cores: fact(8, colfax),
      memory: fact("48 GB seen (attribute memory_size)", capture),
      source: driver,
    },
    { id: "ve3", name: "Vector Engine 3", matches: [pci("1bcf:0039")], source: driver },
  ],
  routes: [
    {
      name: "veos",
      says: "ve_drv out of tree, VEOS and its offload library",
      driver: {
        module: "ve_drv",
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0-or-later",
        repository: "https://github.com/veos-sxarr-NEC/ve_drv-kmod",
        packages: {
          vendor: {
            says: "ve_drv-kmod, RPM of NEC's repository",
            link: "https://github.com/veos-sxarr-NEC/ve_drv-kmod",
          },
        },
        source: driver,
      },
      node: {
        // The driver itself asks for mode 0666 (DEVMODE in its uevent).
        paths: ["/dev/ve?", "/dev/ve??"],
        class: "ve",
        mode: "0666",
        source: driver,
      },
      runtime: {
        name: "VE offloading (VEO)",
        libraries: ["libveo.so.1"],
        paths: ["/opt/nec/ve/veos/lib64/libveo.so.1"],
        openness: "open",
        packages: {
          vendor: { says: "veoffload, RPM of NEC's repository", link: "https://github.com/veos-sxarr-NEC/veoffload" },
        },
        source: veo,
      },
      delegate: { id: "vendor", name: "VEO or AVEO", openness: "open", source: aveo },
      models: [],
    },
  ],
  metrics: [
    // sensor_0 to sensor_37 beside these have meanings that differ per generation.
    { name: "clock_hertz", read: "class:clock_chip", scale: 1e6, source: capture },
    { name: "core_count", read: "class:num_of_core", source: capture },
  ],
  traps: [
    "The class is 0b40 (co-processor).",
    "Up to eight cards stand in one host, each its own device.",
    "A bound driver is not enough: veos must run for each card (os_state, ve_state).",
  ],
  openness: {
    kernel: "open",
    firmware: "unknown",
    runtime: "open",
    compiler: "mixed",
    says: "open driver and operating system part; NEC's compilers are closed, LLVM-VE is open",
  },
  maintained: "unknown",
  verified: [{ how: "documents", says: "a capture of real hardware (eight cards under ve_drv), read by our tests" }],
  sources: [driver, veo, aveo, pciids, capture],
  unknown: [
    "peak in narrower numbers",
    "power",
    "whether the line is still sold",
    "which id Vector Engine 2 cards have",
    "openness of the card's firmware",
  ],
} as const satisfies Family;
