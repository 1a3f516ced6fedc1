/** AXERA AX650 and AX8850 as an M.2 or PCIe card (AXCL). The host pushes the card's whole system over PCIe at start. */

import type { Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const pciids: Source = {
  cited: "https://github.com/pciutils/pciids@c1c12547",
  says: "vendor 1f4b",
  seen: "2026-11-22",
};
const cards: Source = {
  cited: "lspci, lsmod and package contents of AXCL hosts, public copies",
  says: "1f4b:0650 class 0400; axclhost builds axcl_host, ax_pcie_host_dev, ax_pcie_msg, ax_pcie_mmb by DKMS; /dev/axcl_host",
  seen: "2026-11-25",
};
const docs: Source = { cited: "https://axcl-docs.readthedocs.io/", seen: "2026-11-25" };
const samples: Source = { cited: "https://github.com/AXERA-TECH/axcl-samples/issues/5", seen: "2026-11-22" };
const measured: Source = {
  cited: "https://jas-hacks.blogspot.com/2024/09/ax650n-sipeed-maix-iv-axerapi-pro-npu.html",
  says: "AX650N delivers 72.0 TOPS@INT4 and 18.0 TOPS@INT8",
  seen: "2026-11-25",
};

export default {
  id: "axera",
  vendor: "AXERA",
  name: "AXERA AX650, AX8850 (AXCL)",
  aliases: ["axcl"],
  says: "M.2 and PCIe cards around a vision SoC, met on Raspberry Pi 5 and PCs. One package brings drivers, firmware and runtime.",
  architecture: "unknown",
  use: "inference",
  chips: [
    {
      id: "ax650",
      name: "AX650N, AX8850",
      matches: [pci("1f4b:0650")],
      peak: [
        { ops: 18e12, precision: "int8 (AX650N)", source: measured },
        { ops: 72e12, precision: "int4 (AX650N)", source: measured },
      ],
      source: cards,
    },
  ],
  routes: [
    {
      name: "axcl",
      says: "DKMS drivers of axclhost, AXCL runtime, axmodel",
      driver: {
        module: "ax_pcie_host_dev",
        with: ["ax_pcie_msg", "ax_pcie_mmb", "axcl_host"],
        // lspci -k: "driver in use: ax_pcie_dev_host", "modules: ax_pcie_host_dev"; the words are swapped.
        binds: ["ax_pcie_dev_host"],
        origin: "out-of-tree",
        openness: "mixed",
        packages: { vendor: { says: "axclhost .deb, with DKMS sources", link: docs.cited } },
        source: cards,
      },
      firmware: {
        files: [],
        elsewhere: "the card's PAC image in the axclhost package, pushed over PCIe at start",
        openness: "closed",
      },
      node: { paths: ["/dev/axcl_host"], class: "misc", source: cards },
      runtime: {
        libraries: ["libaxcl_rt.so*"],
        paths: ["/usr/lib/axcl/libaxcl_rt.so*"],
        name: "AXCL runtime",
        openness: "closed",
        licence: "proprietary",
        packages: { vendor: { says: "axclhost .deb", link: docs.cited } },
        source: cards,
      },
      delegate: { id: "vendor", name: "AXCL runtime, pyaxengine", openness: "closed", source: samples },
      models: [{ format: "axmodel", compiler: "Pulsar2", openness: "closed" }],
    },
  ],
  traps: [
    "the class is 0400 (multimedia video controller), not 1200",
    "pci.ids knows the vendor only: lspci shows Device 0650",
    "on Raspberry Pi 5 an overlay may be needed (pciex1-compat-pi5,no-mip): axcl-smi says no device connected",
    "on the board itself (not a card) the NPU has no PCI device",
  ],
  openness: {
    kernel: "mixed",
    firmware: "closed",
    runtime: "closed",
    compiler: "closed",
    says: "closed; driver as DKMS source",
  },
  maintained: "yes",
  verified: [{ how: "documents", says: "output of others" }],
  sources: [pciids, cards, docs, samples],
  unknown: [
    "licence of the drivers",
    "throughput from a primary source",
    "power",
    "class of the node, here taken as misc",
  ],
} as const satisfies Family;
