/** Phytium X100 NPU: known by its PCI ids. No Linux facts beyond them were collected, so it has no route. */

import type { Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-25" };

export default {
  id: "phytium",
  vendor: "Phytium",
  name: "Phytium X100 NPU",
  says: "NPU of Phytium's X100 chipset, one of its many PCI functions.",
  architecture: "unknown",
  use: "unknown",
  chips: [{ id: "x100", name: "X100 NPU controller", matches: [pci("1db7:dc24")], source: pciids }],
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
