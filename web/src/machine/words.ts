/** Words of the Machine view. */

import type { KernelState } from "../../../src/base/finding.ts";
import type { Tone } from "../parts/index.ts";

/** What each state of a driver means, in a sentence. */
export const kernelStateSays: Readonly<Record<KernelState, string>> = {
  "not in this kernel": "this kernel has no such driver; it comes from elsewhere, or with another kernel",
  "configured off": "this kernel's sources have the driver, and it was built without it",
  "shipped as a module": "the driver's module comes with this kernel and is not loaded",
  "built in": "the driver is part of this kernel's image and has not taken the device",
  loaded: "the driver is loaded and has not taken the device",
  bound: "the driver drives the device",
  unknown: "whether this kernel has the driver could not be looked at",
  "not needed": "this route needs no driver in the kernel",
};

/** Of a driver as such, without a device. */
export const abilityMark: Readonly<Record<KernelState, { symbol: string; word: string; tone: Tone }>> = {
  bound: { symbol: "✓", word: "drives a device", tone: "ok" },
  loaded: { symbol: "✓", word: "loaded", tone: "ok" },
  "built in": { symbol: "✓", word: "built in", tone: "ok" },
  "shipped as a module": { symbol: "✓", word: "comes as a module", tone: "note" },
  "configured off": { symbol: "✗", word: "configured off", tone: "maybe" },
  "not in this kernel": { symbol: "–", word: "not in this kernel", tone: "plain" },
  unknown: { symbol: "?", word: "not known", tone: "unknown" },
  "not needed": { symbol: "–", word: "not needed", tone: "plain" },
};
