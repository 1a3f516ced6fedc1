/**
 * Is this a container or a virtual machine, and what are its limits? cgroups(7), namespaces(7), proc_pid_limits(5), and the files
 * that systemd-detect-virt(1) goes by; the instructions it executes (CPUID leaves) are not ours to ask.
 */

import {
  absent,
  chain,
  firstRead,
  map,
  parseInteger,
  read,
  uncaptured,
  valueOf,
  type Read,
  type Reading,
} from "../base/reading.ts";
import { row } from "../base/table.ts";
import type { Root } from "../root/root.ts";

export interface Confinement {
  /** "docker", "podman", "lxc", "kubernetes", "systemd-nspawn", "container"; absent on the host. */
  readonly container: Reading<string>;
  /** "QEMU", "VMware", "Xen" ... by DMI or device tree, "hypervisor" when only the CPU says so; absent on metal. */
  readonly virtual: Reading<string>;
  /** Smallest memory limit of the own cgroup and those above it, bytes; absent = no limit. */
  readonly memoryLimit: Reading<number>;
  /** Smallest CPU quota of the own cgroup and those above it, in processors (1.5); absent = no quota. */
  readonly cpuQuota: Reading<number>;
  /** RLIMIT_MEMLOCK soft limit in bytes, absent = unlimited. */
  readonly memlock: Reading<number>;
}

export function readConfinement(root: Root): Reading<Confinement> {
  const cgroups = root.text("/proc/self/cgroup");
  return read(
    {
      container: readContainer(root),
      virtual: readVirtual(root),
      memoryLimit: smallest(root, cgroups, "memory", memoryLimit),
      cpuQuota: smallest(root, cgroups, "cpu", cpuQuota),
      memlock: chain(root.text("/proc/self/limits"), memlock),
    },
    "/proc/self",
  );
}

/** What a container manager leaves where the contained can see it: cgroup paths, and mounts of its storage. */
const TRACES: readonly { readonly pattern: RegExp; readonly container: string }[] = [
  { pattern: /kubepods|\/kubelet\/pods\//, container: "kubernetes" },
  { pattern: /\/libpod-|\/containers\/storage\/overlay/, container: "podman" },
  { pattern: /\/docker[/-]|\/var\/lib\/docker\//, container: "docker" },
  { pattern: /\/lxc[./]|\/lxc\.payload|lxcfs/, container: "lxc" },
  { pattern: /\/machine\.slice\/systemd-nspawn|\/systemd-nspawn@/, container: "systemd-nspawn" },
  { pattern: /\/(?:cri-)?containerd[-/]/, container: "container" },
];

/** Values of the `container` variable that the interface defines, and our word for them where it differs. */
const NAMES: Readonly<Record<string, string>> = { oci: "container", "lxc-libvirt": "lxc" };

/** Numbers of the namespaces the machine itself lives in. include/linux/proc_ns.h (PROC_PID_INIT_INO, PROC_CGROUP_INIT_INO) */
const INITIAL = { pid: "pid:[4026531836]", cgroup: "cgroup:[4026531835]" };

function readContainer(root: Root): Reading<string> {
  // PID 1 of a container carries its manager's name: https://systemd.io/CONTAINER_INTERFACE
  const said = firstRead(
    [root.text("/run/systemd/container"), root.text("/run/host/container-manager"), environment(root)],
    "/proc/1/environ",
  );
  const mounts = ownMounts(root);
  const cgroups = [root.text("/proc/1/cgroup"), root.text("/proc/self/cgroup")];
  const mounted = traceIn(mounts);
  const found = mounted ?? cgroups.map(traceIn).find((trace) => trace !== undefined);
  if (said.state === "read" && said.value.trim() !== "") {
    const name = said.value.trim().slice(0, 40);
    return read(found?.value === "kubernetes" ? "kubernetes" : (row(NAMES, name) ?? name), said.from);
  }
  // Where the own root file system comes from is sure. A cgroup is not: a program of the host may have been put into one.
  const initial = inInitialNamespaces(root);
  if (mounted !== undefined || (found !== undefined && initial !== true)) return mounted ?? found ?? mounts;
  const marks = [
    { path: "/run/.containerenv", container: "podman" },
    { path: "/.dockerenv", container: "docker" },
  ].map(({ path, container }) => map({ ...root.stat(path), from: path }, () => container));
  const mark = firstRead(marks, "/.dockerenv");
  // A virtual machine made of a container image has the mark as well; its processes are in no namespace.
  if (mark.state === "read" && initial === true) return absent(mark.from, "left by an image; not in a namespace");
  if (mark.state === "read" || initial !== true) {
    return mark.state === "absent" && [mounts, ...cgroups].every((trace) => trace.state === "uncaptured")
      ? uncaptured("/proc/1/cgroup")
      : mark;
  }
  return absent("/proc/self/ns/pid", "in the first namespaces");
}

function traceIn(reading: Reading<string>): Read<string> | undefined {
  if (reading.state !== "read") return undefined;
  const trace = TRACES.find(({ pattern }) => pattern.test(reading.value));
  return trace && read(trace.container, reading.from);
}

function environment(root: Root): Reading<string> {
  return chain(root.text("/proc/1/environ"), (text, from) => {
    const value = text.split("\0").find((entry) => entry.startsWith("container="));
    return value === undefined ? absent(from) : read(value.slice("container=".length), from);
  });
}

/** The lines of mountinfo that say where the root and the files put into every container come from. */
function ownMounts(root: Root): Reading<string> {
  return map(root.text("/proc/self/mountinfo"), (text) =>
    text
      .split("\n")
      .filter((line) => /^\S+ \S+ \S+ \S+ (?:\/|\/etc\/(?:hostname|hosts|resolv\.conf)|\/proc\/meminfo) /.test(line))
      .join("\n"),
  );
}

/** True on the machine itself (or in a container that shares both namespaces with it), undefined when it cannot be seen. */
function inInitialNamespaces(root: Root): boolean | undefined {
  const pid = root.link("/proc/self/ns/pid");
  const cgroup = root.link("/proc/self/ns/cgroup");
  if (pid.state !== "read" || cgroup.state !== "read") return undefined;
  return pid.value === INITIAL.pid && cgroup.value === INITIAL.cgroup;
}

/** DMI strings of hypervisors, as systemd-detect-virt(1) knows them; matched at the start of vendor or product. */
const HYPERVISORS: readonly { readonly dmi: string; readonly name: string }[] = [
  { dmi: "QEMU", name: "QEMU" },
  { dmi: "KVM", name: "KVM" },
  { dmi: "OpenStack", name: "KVM" },
  { dmi: "KubeVirt", name: "KVM" },
  { dmi: "Google Compute Engine", name: "Google Compute Engine" },
  { dmi: "Amazon EC2", name: "Amazon EC2" },
  { dmi: "VMware", name: "VMware" },
  { dmi: "VMW", name: "VMware" },
  { dmi: "innotek GmbH", name: "VirtualBox" },
  { dmi: "VirtualBox", name: "VirtualBox" },
  { dmi: "Xen", name: "Xen" },
  { dmi: "Bochs", name: "Bochs" },
  { dmi: "Parallels", name: "Parallels" },
  { dmi: "BHYVE", name: "bhyve" },
  { dmi: "Hyper-V", name: "Hyper-V" },
  { dmi: "Apple Virtualization", name: "Apple Virtualization" },
];

function readVirtual(root: Root): Reading<string> {
  const dmi = "/sys/class/dmi/id";
  const product = root.text(`${dmi}/product_name`);
  const vendor = root.text(`${dmi}/sys_vendor`);
  const productName = valueOf(product)?.trim() ?? "";
  for (const reading of [product, vendor]) {
    const text = valueOf(reading)?.trim();
    if (text === undefined) continue;
    const hypervisor = HYPERVISORS.find((row) => text.startsWith(row.dmi));
    // Bare-metal instances carry the cloud's vendor string too; their type ends in ".metal".
    if (hypervisor && !/\.metal(-|$)/.test(productName)) return read(hypervisor.name, reading.from);
    if (text === "Microsoft Corporation" && productName === "Virtual Machine") return read("Hyper-V", reading.from);
  }
  const type = map(root.text("/sys/hypervisor/type"), (text) => text.trim());
  if (type.state === "read") {
    // Domain 0 drives the hardware itself.
    const capabilities = root.text("/proc/xen/capabilities");
    if (capabilities.state === "read" && capabilities.value.includes("control_d"))
      return absent(capabilities.from, "dom0");
    return type.value === "xen" ? read("Xen", type.from) : type;
  }
  const tree = firstRead(
    TREES.map((base) => root.text(`${base}/hypervisor/compatible`)),
    "/proc/device-tree/hypervisor/compatible",
  );
  if (tree.state === "read") {
    return read(tree.value.includes("xen") ? "Xen" : tree.value.includes("kvm") ? "KVM" : "hypervisor", tree.from);
  }
  // The board that emulators make up for guests has a name of its own in the kernel.
  for (const base of TREES) {
    const board = root.text(`${base}/compatible`);
    if (valueOf(board)?.includes("linux,dummy-virt") === true) return read("hypervisor", board.from);
  }
  const cpu = root.text("/proc/cpuinfo");
  if (cpu.state === "read" && /^flags\s*:.*\shypervisor(\s|$)/m.test(cpu.value)) return read("hypervisor", cpu.from);
  if (product.state === "read" || vendor.state === "read") return absent(vendor.from);
  if (cpu.state !== "read") return cpu;
  // x86 would tell in its flags, Arm in its device tree or DMI; s390 and POWER tell elsewhere.
  const told = /^(flags|CPU implementer)\s*:/m.test(cpu.value);
  return told ? absent(cpu.from) : uncaptured(cpu.from, "this architecture tells it elsewhere");
}

/** The same tree, under its newer and its older name. */
const TREES = ["/sys/firmware/devicetree/base", "/proc/device-tree"];

/** Depth of a cgroup path that is followed; the kernel's own default limit is unlimited, real ones are below 10. */
const CGROUP_DEPTH = 32;

/** A limit of the own cgroup or of one above it holds for us: the smallest counts. */
function smallest(
  root: Root,
  cgroups: Reading<string>,
  controller: string,
  limit: (root: Root, directory: string) => Reading<number>,
): Reading<number> {
  return chain(cgroups, (text, from) => {
    let found: Reading<number> = absent(from, "no limit");
    for (const directory of cgroupDirectories(text, controller)) {
      const here = limit(root, directory);
      if (here.state === "read" && (found.state !== "read" || here.value < found.value)) found = here;
    }
    return found;
  });
}

/** "0::/a/b" is the unified tree, "4:memory:/a/b" one of version 1. In a container the path may be one of the host. */
function cgroupDirectories(text: string, controller: string): string[] {
  const directories = new Set<string>();
  for (const line of text.split("\n", 64)) {
    const match = /^(\d{1,6}):([^:]{0,200}):(\/.{0,4000})?$/.exec(line);
    if (!match) continue;
    const names = (match[2] ?? "").split(",");
    const unified = match[1] === "0" && match[2] === "";
    if (!unified && !names.includes(controller)) continue;
    const mounts = unified ? ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] : [`/sys/fs/cgroup/${controller}`];
    const parts = (match[3] ?? "/").split("/").filter((part) => part !== "" && part !== "..");
    for (let depth = Math.min(parts.length, CGROUP_DEPTH); depth >= 0; depth--) {
      for (const mount of mounts) directories.add([mount, ...parts.slice(0, depth)].join("/"));
    }
  }
  return [...directories];
}

/** Version 1 writes the largest multiple of a page for "none": 2^63 less a page. */
const NO_LIMIT = 2 ** 62;

function memoryLimit(root: Root, directory: string): Reading<number> {
  const unified = root.text(`${directory}/memory.max`);
  const text = unified.state === "read" ? unified : root.text(`${directory}/memory.limit_in_bytes`);
  return chain(text, (value, from) => {
    const bytes = Number(value.trim());
    return Number.isFinite(bytes) && bytes < NO_LIMIT && value.trim() !== ""
      ? read(bytes, from)
      : absent(from, "no limit");
  });
}

function cpuQuota(root: Root, directory: string): Reading<number> {
  const unified = root.text(`${directory}/cpu.max`);
  if (unified.state === "read") {
    const [quota, period] = unified.value.trim().split(" ").map(Number);
    return processors(quota, period, unified.from);
  }
  const quota = parseInteger(root.text(`${directory}/cpu.cfs_quota_us`));
  const period = parseInteger(root.text(`${directory}/cpu.cfs_period_us`));
  return processors(valueOf(quota), valueOf(period), quota.from);
}

/** A quota of -1 or "max" is none. */
function processors(quota: number | undefined, period: number | undefined, from: string): Reading<number> {
  if (quota === undefined || period === undefined || !(quota > 0) || !(period > 0)) return absent(from, "no quota");
  return read(quota / period, from);
}

function memlock(text: string, from: string): Reading<number> {
  const soft = /^Max locked memory\s+(\d{1,15}|unlimited)\s/m.exec(text)?.[1];
  if (soft === undefined) return absent(from, "no such line");
  return soft === "unlimited" ? absent(from, "unlimited") : read(Number(soft), from);
}
