import { gzipSync } from "node:zlib";

import { expect, test } from "vitest";

import { valueOf } from "../../src/base/reading.ts";
import { compareReleases, readKernel, readKernelConfig } from "../../src/facts/kernel.ts";
import { machines } from "./machines.ts";
import { smallRoot } from "./small-root.ts";

const debian =
  "Linux version 7.3.4+deb13-arm64 (debian-kernel@lists.debian.org) (aarch64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0, " +
  "GNU ld (GNU Binutils for Debian) 2.44) #1 SMP PREEMPT Debian 7.3.4-1~bpo13+1 (2026-11-15)\n";

function kernelOf(files: Parameters<typeof smallRoot>[0], options?: Parameters<typeof smallRoot>[1]) {
  const kernel = valueOf(readKernel(smallRoot(files, options)));
  if (kernel === undefined) throw new Error("readKernel read nothing");
  return kernel;
}

test("release, architecture and version come out of the banner when nothing else tells", () => {
  const kernel = kernelOf({ "/proc/version": debian });
  expect(valueOf(kernel.release)).toBe("7.3.4+deb13-arm64");
  expect(valueOf(kernel.arch)).toBe("aarch64");
  expect(valueOf(kernel.version)).toBe("#1 SMP PREEMPT Debian 7.3.4-1~bpo13+1 (2026-11-15)");
});

test("the kernel's own word for its architecture counts before the compiler's name", () => {
  expect(valueOf(kernelOf({ "/proc/version": debian, "/proc/sys/kernel/arch": "armv8l\n" }).arch)).toBe("armv8l");
});

test("an image that does not run is of the newest kernel installed in it, and its architecture is its configuration's", () => {
  const kernel = kernelOf(
    {
      "/lib/modules/6.9.12-amd64/modules.dep": "",
      "/lib/modules/6.12.1-amd64/modules.dep": "",
      "/boot/config-6.12.1-amd64": "CONFIG_64BIT=y\nCONFIG_X86_64=y\n",
    },
    { uncaptured: ["/proc", "/sys"] },
  );
  expect(valueOf(kernel.release)).toBe("6.12.1-amd64");
  expect(valueOf(kernel.installed)).toEqual(["6.12.1-amd64", "6.9.12-amd64"]);
  expect(valueOf(kernel.arch)).toBe("x86_64");
  expect(kernel.cmdline.state).toBe("uncaptured");
});

test("without any trace of a kernel the release is uncaptured, not empty", () => {
  const kernel = kernelOf({}, { uncaptured: ["/"] });
  expect(kernel.release.state).toBe("uncaptured");
  expect(kernel.arch.state).toBe("uncaptured");
});

test("user space tells the architecture when the kernel does not, whatever its byte order", () => {
  const elf = (order: number, machine: readonly number[]) =>
    Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, order, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...machine, 0, 0);
  expect(valueOf(kernelOf({ "/bin/sh": elf(1, [183, 0]) }).arch)).toBe("aarch64");
  expect(valueOf(kernelOf({ "/bin/sh": elf(2, [0, 22]) }).arch)).toBe("s390x");
  expect(kernelOf({ "/bin/sh": "#!/bin/busybox" }).arch.state).not.toBe("read");
});

test("taint is told in the kernel's letters", () => {
  const taint = (mask: string) => valueOf(kernelOf({ "/proc/sys/kernel/tainted": mask }).taint);
  expect(taint("0\n")).toBe("");
  expect(taint("12288\n")).toBe("OE");
  expect(taint("4097\n")).toBe("PO");
  expect(kernelOf({ "/proc/sys/kernel/tainted": "tainted\n" }).taint.state).toBe("malformed");
});

test.each([
  ["7.3.4+deb13-amd64", "6.18", 1],
  ["6.18.0-rc3", "6.18", 0],
  ["6.1.0-56-amd64", "6.12", -1],
  ["5.15.0-1042-tegra", "5.15.0", 0],
  ["nonsense", "0", 0],
])("%s against %s compares by its leading numbers", (a, b, sign) => {
  expect(Math.sign(compareReleases(a, b))).toBe(sign);
});

const text = `#
# Linux/x86 6.18.1 Kernel Configuration
#
CONFIG_LOCALVERSION="-test \\"quoted\\""
CONFIG_DRM=m
CONFIG_DRM_ACCEL=y
# CONFIG_DRM_ACCEL_QAIC is not set
CONFIG_NR_CPUS=8192
`;

test("a configuration tells y, m, n, values and what is not written apart", () => {
  const config = readKernelConfig(smallRoot({ "/boot/config-6.18.1": text }), "6.18.1");
  if (config.state !== "read") throw new Error(config.state);
  expect(config.from).toBe("/boot/config-6.18.1");
  for (const map of [config.value, new Map(config.value)]) {
    expect(map.get("DRM")).toBe("m");
    expect(map.get("DRM_ACCEL")).toBe("y");
    expect(map.get("DRM_ACCEL_QAIC")).toBe("n");
    expect(map.get("DRM_ACCEL_ROCKET")).toBeUndefined();
    expect(map.get("ACCEL")).toBeUndefined();
    expect(map.get("NR_CPUS")).toBe("8192");
    expect(map.get("LOCALVERSION")).toBe('-test "quoted"');
  }
  expect(config.value.size).toBe(5);
});

test("a symbol is found however many others begin or end like it", () => {
  const config = readKernelConfig(
    smallRoot({ "/boot/config-1": "CONFIG_A_B=y\nCONFIG_A_BC=m\n# CONFIG_XA is not set\nCONFIG_A=m" }),
    "1",
  );
  if (config.state !== "read") throw new Error(config.state);
  expect(config.value.get("A")).toBe("m");
  expect(config.value.get("B")).toBeUndefined();
  expect(config.value.get("XA")).toBe("n");
});

test("the running kernel's own configuration counts first, and only for its release", () => {
  const files = {
    "/proc/config.gz": gzipSync("CONFIG_DRM_ACCEL=m\n"),
    "/proc/sys/kernel/osrelease": "6.18.1\n",
    "/boot/config-6.18.1": text,
    "/usr/lib/modules/7.0.1/config": "CONFIG_DRM_ACCEL=y\n",
  };
  expect(valueOf(readKernelConfig(smallRoot(files), "6.18.1"))?.get("DRM_ACCEL")).toBe("m");
  const other = readKernelConfig(smallRoot(files), "7.0.1");
  expect(other.from).toBe("/usr/lib/modules/7.0.1/config");
  expect(valueOf(other)?.get("DRM_ACCEL")).toBe("y");
});

test("a broken configuration is malformed, a missing one absent, an uncaptured one uncaptured", () => {
  const broken = smallRoot({ "/proc/config.gz": gzipSync(text).subarray(0, 60), "/proc/sys/kernel/osrelease": "1\n" });
  expect(readKernelConfig(broken, "1").state).toBe("malformed");
  expect(readKernelConfig(smallRoot({ "/boot/config-1": "<html>" }), "1").state).toBe("malformed");
  expect(readKernelConfig(smallRoot({}), "1").state).toBe("absent");
  expect(readKernelConfig(smallRoot({}, { uncaptured: ["/boot"] }), "1").state).toBe("uncaptured");
});

test.skipIf(machines.length === 0)("every captured machine tells its kernel, architecture and configuration", () => {
  for (const { name, open } of machines) {
    const root = open();
    const kernel = valueOf(readKernel(root));
    const arch = name.startsWith("arm64") ? "aarch64" : "x86_64";
    expect([name, valueOf(kernel?.arch ?? root.text("/"))]).toEqual([name, arch]);
    const release = valueOf(kernel?.release ?? root.text("/")) ?? "";
    expect(release.startsWith(name.endsWith("6.1") ? "6.1" : "7.3.4")).toBe(true);
    expect(valueOf(readKernelConfig(root, release))?.get(arch === "aarch64" ? "ARM64" : "X86_64")).toBe("y");
  }
});
