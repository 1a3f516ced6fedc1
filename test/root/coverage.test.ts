/** What a missing file means: not there, or not captured. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

import { openDirectory } from "../../src/root/directory.ts";
import { TreeBuilder } from "../../src/root/memory.ts";
import type { Root } from "../../src/root/root.ts";

const base = mkdtempSync(join(tmpdir(), "accelctl-coverage-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let count = 0;

/** Files at these paths; a path that ends with a slash is an empty directory. */
function tree(...paths: string[]): Root {
  const dir = join(base, String(count++));
  mkdirSync(dir);
  for (const path of paths) {
    const full = join(dir, path);
    mkdirSync(path.endsWith("/") ? full : dirname(full), { recursive: true });
    if (!path.endsWith("/")) writeFileSync(full, `${path}\n`);
  }
  return openDirectory(dir);
}

const SYS = [
  "sys/block/",
  "sys/bus/platform/",
  "sys/class/mem/",
  "sys/class/misc/",
  "sys/devices/virtual/",
  "sys/devices/platform/",
].concat(["sys/firmware/acpi/", "sys/kernel/mm/", "sys/module/kernel/"]);
const PROC = ["proc/devices", "proc/misc", "proc/filesystems", "proc/version", "proc/cmdline"];
const DISK = ["usr/lib/x", "usr/bin/x", "etc/passwd", "var/lib/x"];

describe("a directory", () => {
  it("that holds a whole /sys answers absent for what is not in it", () => {
    const root = tree(...SYS, ...PROC);
    for (const path of [
      "/sys/class/accel",
      "/sys/class/accel/accel0/dev",
      "/sys/bus/usb",
      "/sys/module/rocket",
      "/proc/device-tree",
    ]) {
      expect(root.text(path)).toMatchObject({ state: "absent", from: path });
    }
  });

  it("that holds a part of /sys answers uncaptured outside of the part", () => {
    const root = tree("sys/bus/pci/devices/", "sys/devices/pci0000:00/0000:00:02.0/vendor", "proc/cpuinfo");
    expect(root.list("/sys/class").state).toBe("uncaptured");
    expect(root.list("/sys/class/accel").state).toBe("uncaptured");
    expect(root.list("/sys/bus/usb").state).toBe("uncaptured");
    expect(root.text("/proc/version").state).toBe("uncaptured");
    // No PCI function of a kernel lacks uevent: attributes of this one were chosen.
    expect(root.link("/sys/devices/pci0000:00/0000:00:02.0/driver").state).toBe("uncaptured");
  });

  it("whose PCI function was taken whole answers absent for its driver", () => {
    const root = tree("sys/devices/pci0000:00/0000:00:02.0/vendor", "sys/devices/pci0000:00/0000:00:02.0/uevent");
    expect(root.link("/sys/devices/pci0000:00/0000:00:02.0/driver").state).toBe("absent");
  });

  it("that is a mounted image knows its disk and nothing of a running kernel", () => {
    const root = tree(...DISK, "sys/", "proc/", "dev/null", "dev/console", "run/", "boot/");
    expect(root.text("/etc/modprobe.d/x.conf").state).toBe("absent");
    expect(root.stat("/opt/vendor").state).toBe("absent");
    expect(root.list("/lib64").state).toBe("absent");
    for (const path of ["/sys/class/accel", "/proc/version", "/dev/accel/accel0", "/run/udev/data", "/boot/config-1"]) {
      expect(root.text(path).state).toBe("uncaptured");
    }
    for (const path of ["/sys", "/proc", "/dev", "/run", "/boot"]) expect(root.list(path).state).toBe("uncaptured");
  });

  it("without a top-level directory does not know what would be in it", () => {
    const root = tree(...SYS);
    expect(root.stat("/usr/lib/libteflon.so").state).toBe("uncaptured");
    expect(root.stat("/etc/group").state).toBe("uncaptured");
  });

  it("does not take an uncopied process or sysctl for a missing one", () => {
    const root = tree(...SYS, ...PROC);
    expect(root.text("/proc/self/status").state).toBe("uncaptured");
    expect(root.text("/proc/1/cgroup").state).toBe("uncaptured");
    expect(root.text("/proc/sys/kernel/tainted").state).toBe("uncaptured");
  });

  it("that lacks a module its index lists was copied in part", () => {
    const root = tree("lib/modules/6.1/modules.dep", "lib/modules/6.1/modules.alias");
    writeFileSync(
      join(base, String(count - 1), "lib/modules/6.1/modules.dep"),
      "kernel/drivers/accel/ivpu/intel_vpu.ko:\n",
    );
    expect(root.stat("/lib/modules/6.1/kernel/drivers/accel/ivpu/intel_vpu.ko").state).toBe("uncaptured");
    expect(root.stat("/lib/modules/6.1/kernel/drivers/accel/rocket/rocket.ko").state).toBe("absent");
  });
});

describe("a tree in memory", () => {
  it("lets the longest prefix decide", () => {
    const root = new TreeBuilder()
      .covers("/sys")
      .gap("/sys/kernel")
      .covers("/sys/kernel/iommu_groups")
      .file("/etc/a", "x")
      .build("archive", "t");
    expect(root.text("/sys/class/accel").state).toBe("absent");
    expect(root.text("/sys/kernel/debug/x").state).toBe("uncaptured");
    expect(root.text("/sys/kernel/iommu_groups/1").state).toBe("absent");
    expect(root.text("/etc/b").state).toBe("uncaptured");
    expect(root.list("/etc").state).toBe("uncaptured");
  });

  it("takes a full listing as proof and a gap as more", () => {
    const root = new TreeBuilder().directory("/sys/devices").gap("/sys/devices/system").build("archive", "t");
    expect(root.stat("/sys/devices/pci0000:00").state).toBe("absent");
    expect(root.stat("/sys/devices/system/cpu").state).toBe("uncaptured");
  });

  it("keeps existing, refused and unread apart", () => {
    const root = new TreeBuilder()
      .present("/lib/firmware/a.bin", 7)
      .fails("/sys/x", "denied", "EACCES")
      .unknown("/sys/y", "malformed", "EIO")
      .node("/dev/accel/accel0", { type: "char", mode: 0o660, gid: 105, major: 261, minor: 0 })
      .build("capture", "t");
    expect(root.stat("/lib/firmware/a.bin")).toMatchObject({ value: { type: "file", size: 7 } });
    expect(root.bytes("/lib/firmware/a.bin").state).toBe("uncaptured");
    expect(root.text("/sys/x")).toMatchObject({ state: "denied", why: "EACCES" });
    expect(root.stat("/sys/y")).toMatchObject({ state: "malformed", why: "EIO" });
    expect(root.stat("/dev/accel/accel0")).toMatchObject({ value: { type: "char", mode: 0o660, major: 261 } });
    expect(root.text("/dev/accel/accel0")).toMatchObject({ state: "malformed", why: "a char, not a file" });
  });

  it("follows links the same way as a disk does", () => {
    const root = new TreeBuilder()
      .directory("/sys/bus/pci/devices")
      .link("/sys/bus/pci/devices/0000:00:02.0", "../../../devices/pci0000:00/0000:00:02.0")
      .file("/sys/devices/pci0000:00/0000:00:02.0/vendor", "0x8086\n")
      .link("/loop", "loop")
      .link("/out", "../../../../sys/devices")
      .build("capture", "t");
    expect(root.text("/sys/bus/pci/devices/0000:00:02.0/vendor")).toEqual({
      state: "read",
      value: "0x8086\n",
      from: "/sys/bus/pci/devices/0000:00:02.0/vendor",
    });
    expect(root.real("/out/pci0000:00")).toMatchObject({ value: "/sys/devices/pci0000:00" });
    expect(root.text("/loop").state).toBe("malformed");
    expect(root.list("/sys/bus/pci/devices")).toMatchObject({ value: ["0000:00:02.0"] });
  });
});
