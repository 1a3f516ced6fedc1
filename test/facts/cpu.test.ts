import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { read } from "../../src/base/reading.ts";
import { parseCpu, readCpu } from "../../src/facts/cpu.ts";
import { coreName } from "../../src/facts/cpu-cores.ts";
import { openLive } from "../../src/root/directory.ts";
import { machines } from "./machines.ts";
import { smallRoot } from "./small-root.ts";

function cpu(text: string) {
  const parsed = parseCpu(text, "/proc/cpuinfo");
  if (parsed.state !== "read") throw new Error(parsed.why);
  return parsed.value;
}

describe("the CPU", () => {
  it("of a PC is called as the kernel calls it", () => {
    const block = (n: number) =>
      `processor\t: ${n}\nvendor_id\t: GenuineIntel\nmodel\t\t: 143\nmodel name\t: Intel(R) Xeon(R) 8480+\nflags\t\t: fpu avx2 avx512_vnni amx_int8\nbugs\t\t: a b\n\n`;
    expect(cpu(block(0) + block(1))).toStrictEqual({
      model: read("Intel(R) Xeon(R) 8480+", "/proc/cpuinfo"),
      threads: 2,
      flags: new Set(["fpu", "avx2", "avx512_vnni", "amx_int8"]),
    });
  });

  it("of a big.LITTLE board is its kinds of core with their counts", () => {
    const block = (n: number, part: string) =>
      `processor\t: ${n}\nBogoMIPS\t: 48.00\nFeatures\t: fp asimd asimddp\nCPU implementer\t: 0x41\nCPU part\t: ${part}\n\n`;
    const board =
      [0, 1, 2, 3].map((n) => block(n, "0xd05")).join("") + [4, 5, 6, 7].map((n) => block(n, "0xd0b")).join("");
    expect(cpu(board)).toMatchObject({ model: { value: "4 × Cortex-A55, 4 × Cortex-A76" }, threads: 8 });
    expect(cpu(board).flags.has("asimddp")).toBe(true);
    expect(cpu(block(0, "0xd0b"))).toMatchObject({ model: { value: "Cortex-A76" } });
  });

  it("without a name here is called by its numbers, not by a guess", () => {
    expect(coreName("0x41", "0xfff")).toBe("CPU implementer 0x41, part 0xfff");
    expect(coreName("", "0xd0b")).toContain("part 0xd0b");
    expect(coreName("0xC0", "0xAC3")).toBe("Ampere-1");
  });

  it("of RISC-V has its isa string taken apart", () => {
    const text = `processor\t: 0\nhart\t\t: 1\nisa\t\t: rv64imafdcv_zicbom_zba_sscofpmf\nmmu\t\t: sv39\nuarch\t\t: thead,c910\n`;
    expect(cpu(text)).toMatchObject({ model: { value: "thead,c910" }, threads: 1 });
    expect([...cpu(text).flags].join(" ")).toBe("rv64 i m a f d c v zicbom zba sscofpmf");
  });

  it("has only the flags that all its processors have", () => {
    const text = "processor : 0\nisa : rv64imafdc_zba\n\nprocessor : 1\nisa : rv64imafdcv_zba\n";
    expect(cpu(text).flags.has("v")).toBe(false);
    expect(cpu(text).flags.has("zba")).toBe(true);
  });

  it("of s390x and POWER is counted and named in their own way", () => {
    const z =
      "vendor_id       : IBM/S390\n# processors    : 2\nbogomips per cpu: 3033.00\nfeatures\t: esan3 zarch vx nnpa \nprocessor 0: version = FF,  identification = 1,  machine = 3931\nprocessor 1: version = FF,  identification = 1,  machine = 3931\n\ncpu number      : 0\nmachine         : 3931\n";
    expect(cpu(z)).toMatchObject({ model: { value: "3931" }, threads: 2 });
    expect(cpu(z).flags.has("nnpa")).toBe(true);
    expect(cpu("processor\t: 0\ncpu\t\t: POWER10 (raw)\nclock\t: 3000MHz\n")).toMatchObject({
      model: { value: "POWER10 (raw)" },
      threads: 1,
    });
  });

  it("that cannot be read stays unread", () => {
    expect(readCpu(smallRoot({})).state).toBe("absent");
    expect(readCpu(smallRoot({ "/proc/cpuinfo": null })).state).toBe("denied");
    expect(readCpu(smallRoot({ "/proc/cpuinfo": "\0\0nothing\n: :\n" })).state).toBe("malformed");
    expect(readCpu(smallRoot({}, { uncaptured: ["/proc"] })).state).toBe("uncaptured");
  });

  it("of this machine has as many threads as sysfs has processors online", () => {
    const processors = readdirSync("/sys/devices/system/cpu").filter((name) => /^cpu\d+$/.test(name));
    const here = readCpu(openLive());
    expect(here.state).toBe("read");
    if (here.state === "read") {
      expect(here.value.threads).toBeGreaterThan(0);
      expect(here.value.threads).toBeLessThanOrEqual(processors.length);
    }
  });
});

describe.skipIf(machines.length === 0)("the CPU of a captured machine (../shared/machines/kernel)", () => {
  it.each(machines.map((machine) => [machine.name, machine] as const))(
    "%s has a name, threads and flags",
    (name, machine) => {
      const reading = readCpu(machine.open());
      if (reading.state !== "read") throw new Error(reading.state);
      expect(reading.value.threads).toBe(2);
      expect(reading.value.flags.has(name.startsWith("arm64") ? "asimd" : "sse2")).toBe(true);
      expect(reading.value.model).toMatchObject({
        value: name.startsWith("arm64") ? "Cortex-A72" : "QEMU TCG CPU version 2.5+",
      });
    },
  );
});
