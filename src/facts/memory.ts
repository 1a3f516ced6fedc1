/** Memory and hugepages that accelerators need. /proc/meminfo, /sys/kernel/mm/hugepages, /proc/mounts */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface Memory {
  readonly totalBytes: Reading<number>;
  readonly pageBytes: Reading<number>;
  /** Page size in bytes to count of pages reserved. */
  readonly hugepages: ReadonlyMap<number, number>;
  /** Mount points of hugetlbfs, with the page size option as written. */
  readonly hugetlbfs: readonly { readonly path: string; readonly options: string }[];
}

export function readMemory(root: Root): Reading<Memory> {
  void root;
  throw new Error("facts/memory");
}
