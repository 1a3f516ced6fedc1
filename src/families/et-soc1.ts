/** AINekko ET-SoC-1 (Esperanto): a PCIe card of 1088 small RISC-V cores, open from driver to compiler. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const platform: Source = { cited: "https://github.com/aifoundry-org/et-platform@f5e79040", seen: "2026-11-22" };
const driver: Source = {
  cited: "https://github.com/aifoundry-org/et-platform@f5e79040 et-driver/et-soc1-pcie.c, dkms.conf, udev-50-et.rules",
  seen: "2026-11-22",
};
const stats: Source = {
  cited: "https://github.com/aifoundry-org/et-platform@f5e79040 et-driver/et_sysfs_err_stats.c, et_sysfs_mem_stats.c",
  seen: "2026-11-25",
};
const llama: Source = { cited: "https://github.com/aifoundry-org/llama.cpp", seen: "2026-11-22" };
const corsix: Source = { cited: "https://www.corsix.org/", seen: "2026-11-22" };

export default {
  id: "et-soc1",
  vendor: "AINekko",
  name: "ET-SoC-1",
  aliases: ["esperanto", "et_soc1"],
  says:
    "PCIe inference card by Esperanto, re-started as open source by AINekko in October 2025. Driver, firmware, runtime and compiler " +
    "are open, and an emulator runs the same programs without a board.",
  architecture: "mesh of cores",
  architectureDetail: fact("1088 RISC-V minion cores (rv64imfc) with vector and tensor units", platform),
  use: "inference",
  chips: [
    {
      id: "et-soc1",
      name: "ET-SoC-1",
      matches: [pci("1e0a:eb01"), pci("1e0a:9038")],
      peak: [{ ops: 139e12, precision: "int8 at 1 GHz (Linley report, 2020)", source: corsix }],
      memory: fact("136 MB of SRAM on the die, DRAM on the card", corsix),
      watts: fact(20, corsix),
      cores: fact(1088, platform),
      source: driver,
    },
  ],
  routes: [
    {
      name: "et",
      says: "DKMS driver et_soc1, libetrt, kernels as ELF or GGUF by the llama.cpp back end",
      driver: {
        module: "et_soc1",
        // The PCI driver is registered as "ET", whatever the module is called.
        binds: ["ET"],
        origin: "out-of-tree",
        openness: "open",
        licence: "Apache-2.0 (the module declares GPL)",
        repository: "https://github.com/aifoundry-org/et-platform",
        packages: {
          vendor: {
            says: "DKMS et-soc1 0.20.0, built from the repository",
            link: "https://github.com/aifoundry-org/et-platform",
          },
        },
        source: driver,
      },
      firmware: { files: [], elsewhere: "in the card's flash; sources in et-platform", openness: "open" },
      node: {
        paths: ["/dev/et[0-9]*_ops"],
        class: "misc",
        mode: "0666",
        also: ["/dev/et[0-9]*_mgmt"],
        source: driver,
      },
      runtime: {
        libraries: ["libetrt.so*"],
        name: "ET runtime",
        openness: "open",
        licence: "Apache-2.0",
        also: ["libDM.so*"],
        source: platform,
      },
      delegate: { id: "ggml", name: "ggml back end ET", openness: "open", source: llama },
      models: [
        { format: "et-elf", compiler: "GCC or LLVM for RISC-V", openness: "open" },
        { format: "gguf", openness: "open" },
      ],
    },
  ],
  metrics: [
    { name: "corrected_error_count", read: "device:err_stats/ce_count", form: "counts", source: stats },
    { name: "uncorrected_error_count", read: "device:err_stats/uce_count", form: "counts", source: stats },
    // Memory of the host that the driver holds for the card.
    {
      name: "memory_bytes",
      part: "host",
      read: "device:mem_stats/cma_allocated",
      form: "measure",
      scale: 2 ** 20,
      source: stats,
    },
  ],
  untold: { says: "its driver has no file for it: dev_mngt_service asks the card's firmware", source: platform },
  traps: [
    "the driver file is et-soc1.ko, lsmod says et_soc1",
    "the udev rule shipped matches et-soc1* and neither node: access is open because the driver itself sets 0666",
    "1b36:0005 is QEMU's test device: only the loopback driver claims it, it is no card",
    "1e0a is absent from pci.ids: lspci shows a number",
  ],
  openness: {
    kernel: "open",
    firmware: "open",
    runtime: "open",
    compiler: "open",
    says: "all open, with an emulator that needs no board",
  },
  maintained: "yes, since October 2025",
  verified: [{ how: "documents", says: "read in the repository; never run here" }],
  sources: [platform, driver, stats, llama, corsix],
  unknown: [
    "whether the libraries set a soname version",
    "measured power",
    "what the fill of its queues (ops_vq_stats/utilization_percent) says of the load",
  ],
} as const satisfies Family;
