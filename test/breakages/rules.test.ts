import { describe, expect, it } from "vitest";
import { absent, read, uncaptured, type Reading } from "../../src/base/reading.ts";
import { breakages } from "../../src/breakages/index.ts";
import {
  deviceRules,
  machineRules,
  matchMachineRules,
  matchRules,
  type DeviceLike,
} from "../../src/breakages/rules.ts";
import { createFacts, type Facts } from "../../src/facts/facts.ts";
import type { DeviceNode } from "../../src/facts/nodes.ts";
import { TreeBuilder } from "../../src/root/memory.ts";

/** A machine of these files; directories end with "/" and are whole; "->" makes a link. */
function facts(files: Readonly<Record<string, string>>, absentPaths: readonly string[] = []): Facts {
  const tree = new TreeBuilder();
  for (const [path, content] of Object.entries(files)) {
    if (path.endsWith("/")) tree.directory(path.slice(0, -1));
    else if (content.startsWith("->")) tree.link(path, content.slice(2));
    else tree.file(path, content);
  }
  for (const path of absentPaths) tree.unknown(path, "absent");
  return createFacts(tree.build("directory", "test"), { nodePatterns: [], environments: [], query: false });
}

const device = (family: string, more: Partial<DeviceLike> = {}): DeviceLike => ({
  family,
  chip: undefined,
  bus: "pci",
  address: "0000:01:00.0",
  driver: uncaptured("/sys/bus/pci/devices/0000:01:00.0/driver"),
  nodes: [],
  ...more,
});

const node = (path: string, more: Partial<DeviceNode> = {}): DeviceNode => ({
  path,
  class: "",
  name: path.slice(path.lastIndexOf("/") + 1),
  device: absent(path),
  major: absent(path),
  minor: absent(path),
  stat: read({ type: "char", mode: 0o660, uid: 0, gid: 0, size: 0 }, path),
  group: absent(path),
  owner: absent(path),
  access: uncaptured(path),
  ...more,
});

const ids = (f: Facts, d: DeviceLike): string[] => matchRules(f, d).map((found) => found.breakage.id);
const bound = (driver: string): { driver: Reading<string> } => ({ driver: read(driver, "/sys/x/driver") });

describe("rules", () => {
  it("are about breakages that say so, and every such breakage has one", () => {
    const named = [...deviceRules, ...machineRules].map((rule) => rule.id).sort();
    expect(named).toEqual(
      breakages
        .filter((b) => b.visible.includes("facts"))
        .map((b) => b.id)
        .sort(),
    );
    for (const rule of deviceRules) {
      const family = breakages.find((b) => b.id === rule.id)?.family ?? "";
      if (family !== "any") expect(rule.families, rule.id).toContain(family);
    }
  });

  it("say nothing of a machine nobody looked at", () => {
    const empty = facts({});
    for (const family of new Set(breakages.map((b) => b.family)))
      expect(ids(empty, device(family)), family).toEqual([]);
    expect(matchMachineRules(empty, [])).toEqual([]);
  });
});

describe("an Edge TPU", () => {
  it("on PCIe without driver", () => {
    expect(ids(facts({}), device("coral", { driver: absent("/sys/x/driver") }))).toEqual(["coral-no-node"]);
    expect(ids(facts({}), device("coral", bound("apex")))).toEqual([]);
  });

  it("whose node is closed to this user", () => {
    const closed = node("/dev/apex_0", {
      access: read({ opens: false, because: "mode 0660 root:apex" }, "/dev/apex_0"),
    });
    const found = matchRules(facts({}), device("coral", { nodes: [closed] }));
    expect(found.map((f) => f.breakage.id)).toEqual(["coral-perm-pcie"]);
    expect(found[0]?.evidence).toEqual([{ seen: "/dev/apex_0", says: "mode 0660 root:apex" }]);
  });

  it("whose gasket module DKMS did not build for this kernel", () => {
    const dkms = (release: string): Facts =>
      facts({
        "/proc/sys/kernel/osrelease": `${release}\n`,
        "/var/lib/dkms/": "",
        "/var/lib/dkms/gasket/": "",
        "/var/lib/dkms/gasket/1.0/": "",
        "/var/lib/dkms/gasket/1.0/5.15.0-1-amd64/": "",
        "/var/lib/dkms/gasket/1.0/5.15.0-1-amd64/x86_64/": "",
        "/var/lib/dkms/gasket/1.0/5.15.0-1-amd64/x86_64/module/": "",
        "/var/lib/dkms/gasket/1.0/5.15.0-1-amd64/x86_64/module/gasket.ko": "",
      });
    expect(ids(dkms("6.8.0-45-generic"), device("coral"))).toEqual(["coral-eventfd-signal"]);
    expect(ids(dkms("6.12.48+deb13-amd64"), device("coral"))).toEqual(["coral-613"]);
    expect(ids(dkms("5.15.0-1-amd64"), device("coral"))).toEqual([]);
    expect(ids(dkms("6.1.0-21-amd64"), device("coral"))).toEqual([]);
  });
});

describe("a Tenstorrent card", () => {
  const pages = (count: number, cmdline: string): Facts =>
    facts({
      "/sys/kernel/mm/hugepages/": "",
      "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages": `${count}\n`,
      "/sys/kernel/mm/hugepages/hugepages-1048576kB/": "",
      "/sys/class/iommu/": "",
      "/proc/cmdline": `${cmdline}\n`,
      "/proc/version": "Linux version 6.8.0\n",
    });
  it("without 1 GiB pages and without IOMMU", () => {
    expect(ids(pages(0, "quiet"), device("tenstorrent"))).toEqual(["tt-hugepage-zero"]);
    expect(ids(pages(0, "quiet iommu=pt"), device("tenstorrent"))).toEqual(["tt-iommu-pt"]);
    expect(ids(pages(4, "quiet iommu=pt"), device("tenstorrent"))).toEqual([]);
  });

  it("whose BARs got no address", () => {
    const slot = "/sys/bus/pci/devices/0000:01:00.0";
    const machine = facts({
      "/sys/bus/pci/devices/": "",
      [`${slot}/uevent`]: "PCI_CLASS=120000\nPCI_ID=1E52:401E\n",
      [`${slot}/resource`]: "0x0000000000000000 0x000000001fffffff 0x000000002014220c\n",
    });
    expect(ids(machine, device("tenstorrent"))).toEqual(["tt-unassigned-bars"]);
    expect(ids(machine, device("hailo"))).toEqual(["pci-unassigned"]);
  });
});

describe("version locks", () => {
  it("of NVIDIA's module and library are held to the last digit", () => {
    const machine = (library: string): Facts =>
      facts({
        "/proc/driver/nvidia/version":
          "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.04  Release Build\n",
        "/usr/lib/": "",
        "/usr/lib/libnvidia-ml.so.1": `->libnvidia-ml.so.${library}`,
        [`/usr/lib/libnvidia-ml.so.${library}`]: "",
      });
    expect(ids(machine("570.124.06"), device("nvidia"))).toEqual(["nv-nvml"]);
    expect(ids(machine("570.124.04"), device("nvidia"))).toEqual([]);
  });

  it("of Hailo's module and library", () => {
    const machine = (library: string): Facts =>
      facts({
        "/proc/modules": "hailo_pci 131072 0 - Live 0x0000000000000000 (O)\n",
        "/sys/module/hailo_pci/version": "4.20.0\n",
        "/usr/lib/": "",
        [`/usr/lib/libhailort.so.${library}`]: "",
      });
    expect(ids(machine("4.22.0"), device("hailo"))).toEqual(["hailo-driver-version"]);
    expect(ids(machine("4.20.0"), device("hailo"))).toEqual([]);
  });
});

describe("an XDNA NPU", () => {
  it("without IOMMU, and with one that passes through on an old kernel", () => {
    const unbound = device("amd-xdna", { driver: absent("/sys/bus/pci/devices/0000:01:00.0/driver") });
    const machine = (release: string, cmdline: string, unit: boolean, module = "amdxdna"): Facts =>
      facts({
        "/proc/modules": `${module} 1 0 - Live 0x0\n`,
        "/sys/class/iommu/": "",
        ...(unit ? { "/sys/class/iommu/ivhd0": "->../../devices/x" } : {}),
        "/proc/cmdline": `${cmdline}\n`,
        "/proc/sys/kernel/osrelease": `${release}\n`,
      });
    expect(ids(machine("6.14.0", "quiet", false), unbound)).toEqual(["amd-no-iommu"]);
    // A driver that was never here has refused nothing.
    expect(ids(machine("6.14.0", "quiet", false, "other"), unbound)).toEqual([]);
    expect(ids(machine("6.14.0", "iommu=pt", true), device("amd-xdna"))).toEqual(["amd-sva"]);
    expect(ids(machine("7.3.4", "iommu=pt", true), device("amd-xdna"))).toEqual([]);
    expect(ids(machine("7.3.4", "amd_iommu=off", true), device("amd-xdna"))).toEqual(["amd-sva"]);
  });
});

describe("two drivers and lone drivers", () => {
  const modules = (...names: string[]): Facts =>
    facts({ "/proc/modules": names.map((n) => `${n} 1 0 - Live 0x0\n`).join(""), "/sys/bus/platform/devices/": "" });

  it("are told", () => {
    expect(ids(modules("rocket", "rknpu"), device("rockchip", { bus: "platform" }))).toEqual(["rk-two-drivers"]);
    expect(ids(modules("galcore", "etnaviv"), device("verisilicon", { bus: "platform" }))).toEqual(["vsi-two-stacks"]);
    expect(matchMachineRules(modules("ethosn"), []).map((f) => f.breakage.id)).toEqual(["ethosn-no-device"]);
    expect(matchMachineRules(modules("ethosn"), [device("ethos-n")])).toEqual([]);
  });
});

describe("a container", () => {
  it("that was not given the node the kernel has", () => {
    const inside = facts({ "/.dockerenv": "", "/proc/1/cgroup": "0::/\n" });
    const hidden = node("/dev/kfd", { stat: absent("/dev/kfd") });
    expect(ids(inside, device("amd-rocm", { nodes: [hidden] }))).toEqual(["kfd-einval-container"]);
    expect(ids(inside, device("amd-rocm", { nodes: [node("/dev/kfd")] }))).toEqual([]);
  });
});
