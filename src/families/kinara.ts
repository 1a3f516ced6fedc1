/** Kinara Ara-2 (NXP): a PCIe module driven from user space through the small uiodma driver. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const layer: Source = { cited: "https://github.com/MPodolszki/meta-kinara-ara2", seen: "2026-11-22" };
const boards: Source = {
  cited: "lspci of i.MX95 boards with an Ara-2 module, public copies",
  says: "1e58:0002 rev 02, driver uiodma; class Unclassified device or Processing accelerators",
  seen: "2026-11-25",
};
const xpu: Source = {
  cited: "https://xpu.pub/2025/02/20/nxp-kinara-acquisition/",
  says: "the subsequent Ara-2 peaks at 40 TOPS",
  seen: "2026-11-25",
};
const power: Source = {
  cited: "https://www.elektroniknet.de/halbleiter/prozessoren/llm-im-edge-kein-problem.219714.html",
  says: "typical power of the Ara-2 is specified as 6 W",
  seen: "2026-11-25",
};

export default {
  id: "kinara",
  vendor: "NXP (Kinara)",
  name: "Kinara Ara-2",
  aliases: ["ara2", "ara240"],
  says: "M.2 and USB modules for vision and small language models, by Kinara, now NXP. A daemon owns the device; programs talk to it.",
  architecture: "unknown",
  use: "inference",
  chips: [
    {
      id: "ara2",
      name: "Ara-2",
      matches: [pci("1e58:0002")],
      peak: [{ ops: 40e12, precision: "unstated", source: xpu }],
      watts: fact(6, power),
      source: layer,
    },
  ],
  routes: [
    {
      name: "ara",
      says: "uiodma shim, proxy daemon rt-sdk-ara2, Ara SDK",
      driver: { module: "uiodma", origin: "out-of-tree", openness: "open", licence: "GPL-2.0", source: layer },
      firmware: { files: [], elsewhere: "loaded by the proxy daemon", openness: "closed" },
      runtime: {
        libraries: ["libaraclient_aarch64.so", "libaraclient_x86_64.so"],
        name: "Ara client library",
        openness: "closed",
        licence: "proprietary",
        source: layer,
      },
      delegate: { id: "vendor", name: "Ara SDK over the proxy daemon", openness: "closed", source: layer },
      models: [],
    },
  ],
  traps: [
    "there is no device node: uiodma answers in sysfs and the daemon rt-sdk-ara2.service on a socket",
    "the class code is wrong on some modules, so the kernel assigns no BARs and uiodma cannot enable the device",
    "1e58 is absent from pci.ids: lspci shows a number",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "closed",
    compiler: "closed",
    says: "closed but for the shim",
  },
  maintained: "yes, by the vendor",
  verified: [{ how: "documents", says: "recipes and an lspci of others" }],
  sources: [layer, boards],
  unknown: ["ids of Ara-1", "USB ids", "model file's format", "of which numbers the throughput is told"],
} as const satisfies Family;
