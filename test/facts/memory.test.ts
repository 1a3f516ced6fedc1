import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readMemory, type Memory } from "../../src/facts/memory.ts";
import { parseMounts } from "../../src/facts/mounts.ts";
import { openLive } from "../../src/root/directory.ts";
import { machines } from "./machines.ts";
import { smallRoot } from "./small-root.ts";

const meminfo = (hugepage: number, pages = 0): string =>
  `MemTotal:       16384 kB\nMemFree: 1 kB\nHugePages_Total:    ${pages}\nHugepagesize:    ${hugepage} kB\n`;

function memory(...args: Parameters<typeof smallRoot>): Memory {
  const reading = readMemory(smallRoot(...args));
  if (reading.state !== "read") throw new Error(reading.state);
  return reading.value;
}

describe("memory", () => {
  it("counts hugepages of every size the kernel has, and finds where they are mounted", () => {
    const found = memory({
      "/proc/meminfo": meminfo(2048),
      "/proc/mounts": "none / ext4 rw 0 0\nhugetlbfs /dev/huge\\0401G hugetlbfs rw,relatime,pagesize=1024M 0 0\n",
      "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "0\n",
      "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages": "4\n",
    });
    expect(found.totalBytes).toMatchObject({ value: 16 << 20 });
    expect(found.hugepages).toMatchObject({
      value: new Map([
        [1 << 30, 4],
        [2 << 20, 0],
      ]),
    });
    expect(found.hugetlbfs).toMatchObject({ value: [{ path: "/dev/huge 1G", options: "rw,relatime,pagesize=1024M" }] });
  });

  it("does not say there are no hugepages when only their default size was captured", () => {
    const uncaptured = { uncaptured: ["/sys"] };
    expect(memory({ "/proc/meminfo": meminfo(2048) }, uncaptured).hugepages.state).toBe("uncaptured");
    expect(memory({ "/proc/meminfo": meminfo(2048, 8) }, uncaptured).hugepages).toMatchObject({
      value: new Map([[2 << 20, 8]]),
    });
  });

  it.each([
    [2048, 4096],
    [32768, 16384],
    [524288, 65536],
  ])("with huge pages of %i kB has base pages of %i bytes", (huge, page) => {
    const files = { "/proc/meminfo": meminfo(huge), "/proc/cpuinfo": "processor : 0\n" };
    expect(memory(files).pageBytes).toMatchObject({ state: "read", value: page });
  });

  it("of a POWER machine leaves the page size unknown", () => {
    const files = { "/proc/meminfo": meminfo(2048), "/proc/cpuinfo": "processor : 0\ncpu : POWER9\n" };
    expect(memory(files).pageBytes.state).toBe("uncaptured");
  });

  it("takes the page size from the auxiliary vector, of either width and byte order", () => {
    const words = (width: 4 | 8, little: boolean): Uint8Array => {
      const bytes = Buffer.alloc(4 * width);
      [16, 0xbfebfbff, 6, 16384].forEach((value, i) => {
        if (width === 4) bytes[little ? "writeUInt32LE" : "writeUInt32BE"](value, i * 4);
        else bytes[little ? "writeBigUInt64LE" : "writeBigUInt64BE"](BigInt(value), i * 8);
      });
      return bytes;
    };
    for (const width of [4, 8] as const) {
      for (const little of [true, false]) {
        const files = { "/proc/meminfo": meminfo(2048), "/proc/self/auxv": words(width, little) };
        expect(memory(files).pageBytes).toMatchObject({ value: 16384, from: "/proc/self/auxv" });
      }
    }
  });

  it("nobody captured is uncaptured", () => {
    expect(readMemory(smallRoot({}, { uncaptured: ["/"] })).state).toBe("uncaptured");
  });

  it("of this machine agrees with getconf and the kernel", () => {
    const here = readMemory(openLive());
    if (here.state !== "read") throw new Error(here.state);
    const kilobytes = /MemTotal: *(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
    expect(here.value.totalBytes).toMatchObject({ value: Number(kilobytes) * 1024 });
    const pages = Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" }));
    expect(here.value.pageBytes).toMatchObject({ state: "read", value: pages });
  });
});

it("a mount table of nonsense is an empty one", () => {
  expect(parseMounts("\n\0\n# a b c d\none two\n")).toStrictEqual([]);
});

describe.skipIf(machines.length === 0)("the memory of a captured machine (../shared/machines/kernel)", () => {
  it.each(machines.map((machine) => [machine.name, machine] as const))(
    "%s is known, its hugepages are not",
    (_, machine) => {
      const reading = readMemory(machine.open());
      if (reading.state !== "read") throw new Error(reading.state);
      expect(reading.value.totalBytes.state).toBe("read");
      expect(reading.value.pageBytes).toMatchObject({ state: "read", value: 4096 });
      expect(reading.value.hugepages.state).toBe("uncaptured");
    },
  );
});
