/** koffi, which calls C libraries, set up for the kind that is called here: drivers and vendors' runtimes, on threads of their own too. */

import type * as koffiModule from "koffi";
import { requireLate } from "./package.ts";

export type Koffi = typeof koffiModule;

/**
 * koffi gives a call on another thread 128 KiB of stack, and what needs more ends the process: runtimes compile graphs there. 8 MiB is
 * what Linux gives a thread; pages that are not touched cost nothing.
 */
const STACK = 8 * 1024 * 1024;

let loaded: Koffi | undefined;

/** The one way to koffi: it has to be set up before it has opened its first library. */
export function loadKoffi(): Koffi {
  if (loaded !== undefined) return loaded;
  const koffi = requireLate("koffi") as Koffi;
  try {
    koffi.config({ async_stack_size: STACK });
  } catch {
    // Refused once a library is open: whoever embeds this project uses koffi too, and its own setting holds.
  }
  return (loaded = koffi);
}
