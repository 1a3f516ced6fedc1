/** Baidu Kunlun: known by its PCI ids. No Linux facts beyond them were collected, so it has no route. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-25" };
const linley: Source = {
  cited: "https://linleygroup.com/newsletters/newsletter_detail.php?num=6212",
  says: "256-TOPS; two stacks of 8GB HBM, 256GB/s each; power envelope of 150W; eight clusters",
  seen: "2026-11-25",
};
const k200: Source = {
  cited: "https://www.tomshw.it/hardware/la-cina-sfida-nvidia-baidu-svela-il-chip-kunlun-ii/",
  says: "Kunlun K200: 256 INT8 TOPS, 64 INT/FP16 TOPS, at 150W",
  seen: "2026-11-25",
};

export default {
  id: "kunlun",
  vendor: "Baidu",
  name: "Baidu Kunlun",
  says: "AI cards of Baidu's own design. Other Baidu PCI devices are storage.",
  architecture: "unknown",
  use: "unknown",
  chips: [
    {
      id: "kunlun1",
      name: "Kunlun",
      matches: [pci("1d22:3684")],
      peak: [
        { ops: 256e12, precision: "int8", source: k200 },
        { ops: 64e12, precision: "fp16", source: k200 },
      ],
      memory: fact("16 GB HBM, 512 GB/s", linley),
      watts: fact(150, linley),
      cores: fact(8, linley),
      source: pciids,
    },
    {
      id: "kunlun2-vf",
      name: "Kunlun2 virtual function",
      matches: [pci("1d22:3685", { virtual: true })],
      source: pciids,
    },
  ],
  routes: [],
  openness: {
    kernel: "unknown",
    firmware: "unknown",
    runtime: "unknown",
    compiler: "unknown",
    says: "identity only",
  },
  maintained: "unknown",
  verified: [{ how: "documents", says: "its ids alone" }],
  sources: [pciids],
  unknown: ["all but the identity"],
} as const satisfies Family;
