/** Things that look like AI accelerators and are none: each with why, so that they stay quiet. */

import type { Source } from "../base/source.ts";
import { pci, type Match } from "./family.ts";

const pciids: Source = { cited: "pciutils/pciids@c1c12547", seen: "2026-11-22" };

export const decoys: readonly { readonly match: Match; readonly says: string; readonly source: Source }[] = [
  { match: pci("8086:0b25"), says: "Intel Data Streaming Accelerator: copies memory", source: pciids },
];
