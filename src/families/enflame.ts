/** Enflame CloudBlazer, S and L series: known by its PCI ids. No Linux facts beyond them were collected, so it has no route. */

import type { Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-25" };

export default {
  id: "enflame",
  vendor: "Enflame",
  name: "Enflame CloudBlazer, S and L series",
  says: "AI cards from Shanghai: CloudBlazer T and I, then the S and L series.",
  architecture: "unknown",
  use: "unknown",
  chips: [
    { id: "t10", name: "CloudBlazer T10", matches: [pci("1e36:0001"), pci("1e36:0003")], source: pciids },
    { id: "t11", name: "CloudBlazer T11", matches: [pci("1e36:0002")], source: pciids },
    { id: "t20", name: "CloudBlazer T20", matches: [pci("1e36:0021"), pci("1e36:0022")], source: pciids },
    { id: "t21", name: "CloudBlazer T21", matches: [pci("1e36:0023"), pci("1e36:0024")], source: pciids },
    { id: "i20", name: "CloudBlazer I20", matches: [pci("1e36:8001")], source: pciids },
    { id: "i10", name: "CloudBlazer I10, I10L", matches: [pci("1e36:8011"), pci("1e36:8012")], source: pciids },
    { id: "s6", name: "S6", matches: [pci("1e36:8031"), pci("1e36:8032")], source: pciids },
    { id: "s30", name: "S30", matches: [pci("1e36:c031")], source: pciids },
    { id: "s90", name: "S90", matches: [pci("1e36:c032")], source: pciids },
    { id: "s60g", name: "S60G", matches: [pci("1e36:c033")], source: pciids },
    { id: "s60", name: "S60", matches: [pci("1e36:c035")], source: pciids },
    { id: "l300", name: "L300", matches: [pci("1e36:c041")], source: pciids },
    { id: "l600", name: "L600", matches: [pci("1e36:c042")], source: pciids },
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
