/**
 * What a case adds to the memory of the process at most: the kernel's high-water mark, set back before the case. Where there is none
 * (not Linux, no /proc), what it has added at its end.
 */

import { readFileSync, writeFileSync } from "node:fs";

let marked = true;

/** Made before a case. */
export class Peak {
  readonly #before = process.memoryUsage.rss();

  constructor() {
    try {
      writeFileSync("/proc/self/clear_refs", "5");
    } catch {
      marked = false;
    }
  }

  grown(): number {
    const mark = marked ? /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "latin1"))?.[1] : undefined;
    return (mark === undefined ? process.memoryUsage.rss() : Number(mark) * 1024) - this.#before;
  }
}
