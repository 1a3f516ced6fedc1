/** Groq TSP (LPU): a statically scheduled tensor streaming processor. Known by its id; the software is not public. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-22" };

export default {
  id: "groq",
  vendor: "Groq",
  name: "Groq LPU",
  aliases: ["tsp", "groqchip"],
  says: "PCIe card with a statically scheduled processor. Groq sells it as a cloud service; driver and libraries are not public.",
  architecture: "dataflow",
  architectureDetail: fact("tensor streaming processor, statically scheduled", pciids),
  use: "inference",
  chips: [{ id: "tsp", name: "GroqChip", matches: [pci("1de0:0000")], source: pciids }],
  routes: [],
  openness: { kernel: "closed", firmware: "closed", runtime: "closed", compiler: "closed", says: "closed" },
  maintained: "in the maker's cloud only",
  verified: [{ how: "documents", says: "its id alone" }],
  sources: [pciids],
  unknown: ["driver", "device node", "libraries", "throughput", "power"],
} as const satisfies Family;
