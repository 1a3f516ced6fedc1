/** Cambricon MLU: PCIe cards for training and inference. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const driver: Source = { cited: "https://github.com/jklincn/cambricon-mlu-driver", seen: "2026-11-22" };
const machines: Source = {
  cited: "lspci -k, lsmod and ls /dev of MLU hosts, public copies",
  says: "driver cambricon-pci-drv, module cambricon_drv, /dev/cambricon_dev0, cambricon_ctl, cambricon_ipcm0",
  seen: "2026-11-25",
};
const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-22" };

export default {
  id: "cambricon",
  vendor: "Cambricon",
  name: "Cambricon MLU",
  aliases: ["mlu"],
  says: "PCIe cards with Cambricon's own libraries and a PyTorch port. The driver has been mirrored; the rest is closed.",
  architecture: "vector",
  architectureDetail: fact("clusters of MLU cores, VLIW with wide vectors", driver),
  use: "both",
  chips: [
    { id: "mlu270", name: "MLU270", matches: [pci("cabc:0270")], source: pciids },
    { id: "mlu370", name: "MLU370", matches: [pci("cabc:0370")], source: pciids },
  ],
  routes: [
    {
      name: "neuware",
      says: "driver cambricon_drv, Neuware libraries, torch_mlu or MagicMind",
      driver: {
        module: "cambricon_drv",
        binds: ["cambricon-pci-drv"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/jklincn/cambricon-mlu-driver",
        source: machines,
      },
      firmware: { files: [{ path: "cambricon/mlu370/*", chips: ["mlu370"], source: driver }], openness: "closed" },
      node: {
        paths: ["/dev/cambricon_dev[0-9]*"],
        class: "unknown",
        also: ["/dev/cambricon_ctl"],
        source: machines,
      },
      runtime: {
        libraries: ["libcndev.so*"],
        name: "Neuware",
        openness: "closed",
        licence: "proprietary",
        source: driver,
      },
      delegate: { id: "vendor", name: "torch_mlu, MagicMind", openness: "closed", source: driver },
      models: [{ format: "cambricon", compiler: "MagicMind", openness: "closed" }],
    },
  ],
  traps: [
    "MLU100's nodes are called /dev/cambricon_c10DevN",
    "pci.ids knows two models; others of vendor cabc are newer",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "closed",
    compiler: "closed",
    says: "closed but for a mirrored driver",
  },
  maintained: "yes",
  verified: [{ how: "documents", says: "mirrored source and output of others" }],
  sources: [driver, machines, pciids],
  unknown: ["ids of MLU100 and MLU590", "throughput", "power"],
} as const satisfies Family;
