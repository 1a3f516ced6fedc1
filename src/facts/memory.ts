/** Memory and hugepages that accelerators need. /proc/meminfo, Documentation/ABI/testing/sysfs-kernel-mm-hugepages, /proc/mounts, getauxval(3) */

import { absent, chain, firstRead, map, parseInteger, read, uncaptured, type Reading } from "../base/reading.ts";
import { Cursor } from "../base/bytes.ts";
import type { Root } from "../root/root.ts";
import { parseMounts } from "./mounts.ts";

export interface Memory {
  readonly totalBytes: Reading<number>;
  readonly pageBytes: Reading<number>;
  /** Page size in bytes to count of pages reserved. A size the kernel does not have is not in it. */
  readonly hugepages: Reading<ReadonlyMap<number, number>>;
  /** Mount points of hugetlbfs, with the page size option as written. */
  readonly hugetlbfs: Reading<readonly { readonly path: string; readonly options: string }[]>;
}

export function readMemory(root: Root): Reading<Memory> {
  const meminfo = root.text("/proc/meminfo");
  const memory: Memory = {
    totalBytes: field(meminfo, "MemTotal"),
    pageBytes: pageBytes(root, meminfo),
    hugepages: hugepages(root, meminfo),
    hugetlbfs: map(root.text("/proc/mounts"), (text) =>
      parseMounts(text)
        .filter((mount) => mount.type === "hugetlbfs")
        .map(({ path, options }) => ({ path, options })),
    ),
  };
  return Object.values(memory).some((reading: Reading<unknown>) => reading.state === "read")
    ? read(memory, "/proc/meminfo")
    : meminfo.state === "read"
      ? read(memory, "/proc/meminfo")
      : meminfo;
}

/** A line of meminfo in bytes ("kB" there is 1024) or as the bare count it is. */
function field(meminfo: Reading<string>, name: string): Reading<number> {
  return chain(meminfo, (text, from) => {
    const match = new RegExp(`^${name}:\\s*(\\d{1,15})( kB)?\\s*$`, "m").exec(text);
    if (!match) return absent(from, `no ${name}`);
    return read(Number(match[1]) * (match[2] === undefined ? 1 : 1024), from);
  });
}

const AT_PAGESZ = 6;

/** The kernel tells each process its page size in the auxiliary vector: pairs of words, ended by a zero. */
function pageBytes(root: Root, meminfo: Reading<string>): Reading<number> {
  const told = chain(root.bytes("/proc/self/auxv"), (bytes, from): Reading<number> => {
    for (const word of [8, 4]) {
      for (const littleEndian of [true, false]) {
        const cursor = new Cursor(bytes, from, { littleEndian });
        while (cursor.left >= 2 * word) {
          const key = word === 8 ? cursor.u64() : BigInt(cursor.u32());
          const value = word === 8 ? cursor.u64() : BigInt(cursor.u32());
          if (key === BigInt(AT_PAGESZ) && PAGE_SIZES.has(Number(value))) return read(Number(value), from);
        }
      }
    }
    return absent(from, "no AT_PAGESZ");
  });
  return told.state === "read" ? told : pageBehind(root, meminfo);
}

const PAGE_SIZES = new Set([4096, 8192, 16384, 65536]);

/**
 * A huge page of the middle level holds one table of 8-byte entries, so its size tells the base page: 4096²/8 is 2 MiB, 16 KiB
 * pages give 32 MiB, 64 KiB ones 512 MiB. Not so on POWER (2 MiB over 64 KiB pages) and s390 (1 MiB), which stay unknown.
 */
function pageBehind(root: Root, meminfo: Reading<string>): Reading<number> {
  const middle = firstRead(
    [parseInteger(root.text("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")), field(meminfo, "Hugepagesize")],
    "/proc/self/auxv",
  );
  return chain(middle, (bytes, from) => {
    const page = PAGE_BEHIND.get(bytes);
    const cpu = root.text("/proc/cpuinfo");
    if (page === undefined || cpu.state !== "read" || /^cpu\s*:\s*POWER/m.test(cpu.value)) {
      return uncaptured("/proc/self/auxv", `a huge page of ${bytes} bytes does not tell`);
    }
    return read(page, from);
  });
}

const PAGE_BEHIND = new Map([
  [2 << 20, 4096],
  [32 << 20, 16384],
  [512 << 20, 65536],
]);

function hugepages(root: Root, meminfo: Reading<string>): Reading<ReadonlyMap<number, number>> {
  const directory = "/sys/kernel/mm/hugepages";
  const sizes = root.list(directory);
  if (sizes.state === "read") {
    const pools = new Map<number, number>();
    for (const name of sizes.value) {
      const size = /^hugepages-(\d{1,12})kB$/.exec(name)?.[1];
      const pages = parseInteger(root.text(`${directory}/${name}/nr_hugepages`));
      if (size !== undefined && pages.state === "read") pools.set(Number(size) * 1024, pages.value);
    }
    return read(pools, directory);
  }
  // meminfo knows the default size only: enough to see that there are some, not that there are none of another size.
  const size = field(meminfo, "Hugepagesize");
  const pages = field(meminfo, "HugePages_Total");
  if (size.state === "read" && pages.state === "read" && pages.value > 0) {
    return read(new Map([[size.value, pages.value]]), "/proc/meminfo");
  }
  return sizes;
}
