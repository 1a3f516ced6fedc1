/** BrainChip Akida: known by its PCI ids. No Linux facts beyond them were collected, so it has no route. */

import type { Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-25" };

export default {
  id: "brainchip",
  vendor: "BrainChip",
  name: "BrainChip Akida",
  says: "Neuromorphic processor on PCIe and M.2 cards (AKD1000).",
  architecture: "unknown",
  use: "unknown",
  chips: [{ id: "akd1000", name: "AKD1000", matches: [pci("1e7c:bca1")], source: pciids }],
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
