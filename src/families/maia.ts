/** Microsoft Maia: accelerators of Microsoft's own cloud. No Linux interface is public, so nothing can be detected. */

import type { Source } from "../base/source.ts";
import type { Family } from "./family.ts";

const searched: Source = {
  cited: "https://github.com/pciutils/pciids@c1c12547",
  says: "searched for an id, a driver and a node; nothing found",
  seen: "2026-11-22",
};

export default {
  id: "maia",
  vendor: "Microsoft",
  name: "Microsoft Maia",
  says: "Accelerators (Maia 100, 200) inside Microsoft's data centres. No id, driver or library is public.",
  architecture: "unknown",
  use: "both",
  chips: [],
  routes: [],
  openness: {
    kernel: "none",
    firmware: "closed",
    runtime: "closed",
    compiler: "closed",
    says: "no public Linux interface",
  },
  maintained: "unknown",
  verified: [{ how: "documents", says: "nothing was found" }],
  sources: [searched],
  unknown: ["all"],
} as const satisfies Family;
