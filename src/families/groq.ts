/** Groq TSP (LPU): a statically scheduled tensor streaming processor. Known by its id; the software is not public. */

import { fact, type Source } from "../base/source.ts";
import { pci, type Family } from "./family.ts";

const pciids: Source = { cited: "https://github.com/pciutils/pciids@c1c12547", seen: "2026-11-22" };
const lpu: Source = {
  cited: "https://techpowerup.com/news-tags/Processor?page=3",
  says: "750 TOPS at INT8 and 188 TeraFLOPS at FP16; 230 MB capacity of local SRAM",
  seen: "2026-11-25",
};

export default {
  id: "groq",
  vendor: "Groq",
  name: "Groq LPU",
  aliases: ["tsp", "groqchip"],
  says: "PCIe card with a statically scheduled processor. Groq sells it as a cloud service; driver and libraries are not public.",
  architecture: "dataflow",
  architectureDetail: fact("tensor streaming processor, statically scheduled", pciids),
  use: "inference",
  chips: [
    {
      id: "tsp",
      name: "GroqChip",
      matches: [pci("1de0:0000")],
      peak: [
        { ops: 750e12, precision: "int8", source: lpu },
        { ops: 188e12, precision: "fp16", source: lpu },
      ],
      memory: fact("230 MB of SRAM on the chip", lpu),
      source: pciids,
    },
  ],
  routes: [],
  openness: { kernel: "closed", firmware: "closed", runtime: "closed", compiler: "closed", says: "closed" },
  maintained: "in the maker's cloud only",
  verified: [{ how: "documents", says: "its id alone" }],
  sources: [pciids],
  unknown: ["driver", "device node", "libraries", "power"],
} as const satisfies Family;
