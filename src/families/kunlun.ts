/** Baidu Kunlun: known by its PCI ids. No Linux facts beyond them were collected, so it has no route. */

import type { Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-25" };

export default {
  id: "kunlun",
  vendor: "Baidu",
  name: "Baidu Kunlun",
  says: "AI cards of Baidu's own design. Other Baidu PCI devices are storage.",
  architecture: "unknown",
  use: "unknown",
  chips: [
    { id: "kunlun1", name: "Kunlun", matches: [pci("1d22:3684")], source: pciids },
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
