/**
 * Breakages that files, versions and settings show, without a log or a program's output. Each rule names its breakage and returns what
 * it rests on, or undefined: not broken, or not known to be. Nothing is concluded from what was not captured.
 */

import type { Evidence } from "../base/finding.ts";
import { valueOf, type Reading } from "../base/reading.ts";
import type { Facts } from "../facts/facts.ts";
import { compareReleases } from "../facts/kernel.ts";
import type { DeviceNode } from "../facts/nodes.ts";
import type { Breakage } from "./breakage.ts";
import { breakage } from "./index.ts";
import { PASTE_PATH } from "../root/paste.ts";
import { checkLock, lock } from "./locks.ts";

/** What a rule needs to know of a device; the review's Device with `family` and `chip` as ids. */
export interface DeviceLike {
  readonly family: string | undefined;
  readonly chip: string | undefined;
  readonly bus: string;
  readonly address: string;
  readonly driver: Reading<string>;
  readonly nodes: readonly DeviceNode[];
}

export interface FoundBreakage {
  readonly breakage: Breakage;
  readonly evidence: readonly Evidence[];
}

export interface DeviceRule {
  /** Id of the breakage. */
  readonly id: string;
  /** Families it is asked for; absent: all. */
  readonly families?: readonly string[];
  readonly test: (facts: Facts, device: DeviceLike) => readonly Evidence[] | undefined;
}

export interface MachineRule {
  readonly id: string;
  readonly test: (facts: Facts, devices: readonly DeviceLike[]) => readonly Evidence[] | undefined;
}

const seen = (path: string, says: string): Evidence => ({ seen: path, says });

export const deviceRules: readonly DeviceRule[] = [
  { id: "coral-no-node", families: ["coral"], test: (_, d) => (d.bus === "pci" ? unbound(d) : undefined) },
  { id: "coral-usb-no-apex", families: ["coral"], test: usbWithApex },
  { id: "coral-perm-pcie", families: ["coral"], test: (_, d) => closed(d, /^\/dev\/apex_/) },
  { id: "coral-perm-usb", families: ["coral"], test: (_, d) => closed(d, /^\/dev\/bus\/usb\//) },
  { id: "coral-eventfd-signal", families: ["coral"], test: (facts) => gasketUnbuilt(facts, "6.8", "6.12") },
  { id: "coral-613", families: ["coral"], test: (facts) => gasketUnbuilt(facts, "6.12") },
  {
    id: "coral-cloud-kernel",
    families: ["coral"],
    test: (facts, d) => (d.bus === "pci" ? symbolOff(facts, "DMA_SHARED_BUFFER") : undefined),
  },
  { id: "coral-custom-op", families: ["coral"], test: coralTflite },
  { id: "tpu-no-accel0", families: ["cloud-tpu"], test: tpuOnVfio },
  { id: "tpu-eperm", families: ["cloud-tpu"], test: hiddenInContainer },
  { id: "tt-hugepage-zero", families: ["tenstorrent"], test: (facts) => noHugepages(facts, false) },
  { id: "tt-iommu-pt", families: ["tenstorrent"], test: (facts) => noHugepages(facts, true) },
  { id: "tt-unassigned-bars", families: ["tenstorrent"], test: unassigned },
  { id: "pci-unassigned", test: (facts, d) => (d.family === "tenstorrent" ? undefined : unassigned(facts, d)) },
  { id: "rk-open-rknpu", families: ["rockchip"], test: (_, d) => closed(d, /^\/dev\/(dri\/|rknpu)/) },
  {
    id: "rk-rocket-vs-rknn",
    families: ["rockchip"],
    test: (facts, d) => boundWith(facts, d, "rocket", "librknnrt.so*"),
  },
  { id: "rk-submit", families: ["rockchip"], test: oldRknpu },
  { id: "rk-two-drivers", families: ["rockchip"], test: (facts) => bothLoaded(facts, "rocket", "rknpu") },
  { id: "hailo-driver-version", families: ["hailo"], test: hailoVersions },
  { id: "hailo-page-size", families: ["hailo"], test: hailoPages },
  { id: "hailo-other-branch", families: ["hailo"], test: hailoBranch },
  { id: "hailo-10h-wheel", families: ["hailo"], test: (facts) => bothLoaded(facts, "hailo_pci", "hailo1x_pci") },
  { id: "intel-perm", families: ["intel-npu"], test: (_, d) => closed(d, /^\/dev\/accel\//) },
  { id: "intel-ze-uninit", families: ["intel-npu"], test: oldLoader },
  {
    id: "intel-no-backend",
    families: ["intel-npu"],
    test: (facts) => has(facts, "libze_loader.so.1", "libze_intel_npu.so.1"),
  },
  { id: "intel-container", families: ["intel-npu"], test: hiddenInContainer },
  { id: "amd-no-iommu", families: ["amd-xdna"], test: noIommu },
  { id: "amd-sva", families: ["amd-xdna"], test: iommuPassesThrough },
  {
    id: "amd-0-devices",
    families: ["amd-xdna"],
    test: (facts) => has(facts, "libxrt_core.so.2", "libxrt_driver_xdna.so.2"),
  },
  { id: "amd-memlock", families: ["amd-xdna"], test: smallMemlock },
  { id: "kfd-perm", families: ["amd-rocm"], test: (_, d) => closed(d, /^\/dev\/(kfd|dri\/renderD)/) },
  { id: "kfd-einval-container", families: ["amd-rocm"], test: hiddenInContainer },
  { id: "nv-nvml", families: ["nvidia"], test: nvidiaVersions },
  { id: "nv-other-driver", families: ["nvidia"], test: (facts, d) => boundWith(facts, d, "nouveau", "libcuda.so.1") },
  { id: "qc-perm", families: ["qualcomm"], test: (_, d) => closed(d, /^\/dev\/fastrpc-/) },
  { id: "qc-rproc-crash", families: ["qualcomm"], test: crashed },
  { id: "vsi-ctx0", families: ["verisilicon"], test: (_, d) => closed(d, /^\/dev\/galcore$/) },
  { id: "vsi-two-stacks", families: ["verisilicon"], test: (facts) => bothLoaded(facts, "galcore", "etnaviv") },
  { id: "ane-config", families: ["apple-ane"], test: (facts) => symbolOff(facts, "DRM_ACCEL") },
  { id: "aws-no-dev", families: ["aws-neuron"], test: hiddenInContainer },
  { id: "asc-dcmi", families: ["ascend"], test: hiddenInContainer },
  { id: "et-udev", families: ["et-soc1"], test: openToAll },
];

export const machineRules: readonly MachineRule[] = [
  {
    id: "ane-no-node",
    test: (facts, devices) => loadedWithout(facts, "ane", "apple-ane", "/dev/accel/accel0", devices),
  },
  {
    id: "ethosn-no-device",
    test: (facts, devices) => loadedWithout(facts, "ethosn", "ethos-n", "/dev/ethosn0", devices),
  },
  { id: "tpu-lock", test: tpuLockfile },
];

/** What is known to be broken about one device. */
export function matchRules(facts: Facts, device: DeviceLike): FoundBreakage[] {
  return deviceRules.flatMap((rule) => {
    if (rule.families !== undefined && (device.family === undefined || !rule.families.includes(device.family)))
      return [];
    const evidence = rule.test(facts, device);
    return evidence === undefined ? [] : [{ breakage: breakage(rule.id), evidence }];
  });
}

/** What is known to be broken and belongs to no device: a driver without hardware, a lock file left behind. */
export function matchMachineRules(facts: Facts, devices: readonly DeviceLike[]): FoundBreakage[] {
  return machineRules.flatMap((rule) => {
    const evidence = rule.test(facts, devices);
    return evidence === undefined ? [] : [{ breakage: breakage(rule.id), evidence }];
  });
}

function unbound(device: DeviceLike): readonly Evidence[] | undefined {
  return device.driver.state === "absent" ? [seen(device.driver.from, "no driver is bound")] : undefined;
}

/** A node of the device that this user may not open although it is there. */
function closed(device: DeviceLike, path: RegExp): readonly Evidence[] | undefined {
  for (const node of device.nodes) {
    if (!path.test(node.path)) continue;
    const access = valueOf(node.access);
    if (access !== undefined && !access.opens) return [seen(node.path, access.because)];
  }
  return undefined;
}

/** The kernel has the device's node and /dev lacks it, in a container: it was not passed. */
function hiddenInContainer(facts: Facts, device: DeviceLike): readonly Evidence[] | undefined {
  const confinement = valueOf(facts.confinement);
  const container = confinement?.container;
  if (container?.state !== "read") return undefined;
  const hidden = device.nodes.find((node) => node.stat.state === "absent");
  return hidden === undefined
    ? undefined
    : [
        seen(container.from, `this is a container (${container.value})`),
        seen(hidden.path, "the kernel has it, /dev has not"),
      ];
}

function usbWithApex(facts: Facts, device: DeviceLike): readonly Evidence[] | undefined {
  if (device.bus !== "usb") return undefined;
  const pciToo = (valueOf(facts.pci) ?? []).some((f) => f.vendor === 0x1ac1 && f.device === 0x089a);
  const apex = isLoaded(facts, "apex");
  return apex === undefined || pciToo ? undefined : [apex, seen(device.address, "a Coral on USB, driven by libusb")];
}

/** gasket stands under DKMS and was not built for the running kernel, which is one it is known not to build on. */
function gasketUnbuilt(facts: Facts, from: string, below?: string): readonly Evidence[] | undefined {
  const release = facts.release;
  const gasket = (valueOf(facts.dkms) ?? []).find((state) => state.name === "gasket");
  if (release === undefined || gasket === undefined || gasket.built.includes(release)) return undefined;
  if (compareReleases(release, from) < 0 || (below !== undefined && compareReleases(release, below) >= 0))
    return undefined;
  const built = gasket.built.length === 0 ? "for no kernel" : `for ${gasket.built.join(", ")} alone`;
  return [
    seen("/var/lib/dkms/gasket", `gasket ${gasket.version} was built ${built}; this is ${release}`),
    ...(gasket.log.state === "read" ? [seen(gasket.log.value, "log of the build that failed")] : []),
  ];
}

function symbolOff(facts: Facts, symbol: string): readonly Evidence[] | undefined {
  const config = facts.config;
  if (config.state !== "read" || config.value.get(symbol) !== "n") return undefined;
  return [seen(config.from, `CONFIG_${symbol} is not set`)];
}

function coralTflite(facts: Facts): readonly Evidence[] | undefined {
  const library = versionOf(facts, "libedgetpu.so.1");
  const wheel = (valueOf(facts.wheels) ?? []).find((one) => /^tflite[-_]runtime$/i.test(one.name));
  if (library === undefined || wheel === undefined) return undefined;
  // The soname's file says 1.0 for every release: only a full version can be held against the pairs.
  if (checkLock(lock("coral-tflite"), library.version, wheel.version) !== "broken") return undefined;
  return [seen(library.path, `version ${library.version}`), seen(wheel.path, `tflite_runtime ${wheel.version}`)];
}

function tpuOnVfio(_facts: Facts, device: DeviceLike): readonly Evidence[] | undefined {
  const vfio = device.driver.state === "read" && device.driver.value === "vfio-pci";
  return vfio ? [seen(device.driver.from, "bound to vfio-pci: the node is below /dev/vfio")] : undefined;
}

const GIB = 1024 ** 3;

/** No page of 1 GiB is reserved. With an IOMMU that translates the card needs none. */
function noHugepages(facts: Facts, passthrough: boolean): readonly Evidence[] | undefined {
  const hugepages = valueOf(facts.memory)?.hugepages;
  if (hugepages?.state !== "read" || (hugepages.value.get(GIB) ?? 0) > 0) return undefined;
  const cmdline = valueOf(facts.kernel)?.cmdline;
  const pt = cmdline?.state === "read" && /(^|\s)(iommu=pt|iommu\.passthrough=1)(\s|$)/.test(cmdline.value);
  const units = valueOf(facts.iommu)?.units;
  if (pt !== passthrough) return undefined;
  if (!pt && (units === undefined || units.length > 0)) return undefined;
  return [
    seen(hugepages.from, "no 1 GiB page is reserved"),
    ...(pt ? [seen(cmdline.from, "iommu=pt")] : [seen("/sys/class/iommu", "no IOMMU is active")]),
  ];
}

function unassigned(facts: Facts, device: DeviceLike): readonly Evidence[] | undefined {
  const one = (valueOf(facts.pci) ?? []).find((f) => f.slot === device.address);
  const bars = one?.bars;
  if (bars?.state !== "read") return undefined;
  const lost = bars.value.filter((bar) => bar.unassigned);
  return lost.length === 0
    ? undefined
    : [seen(bars.from, `BAR ${lost.map((bar) => bar.index).join(", ")} has no address`)];
}

/** This driver is bound, and a library is installed that cannot talk to it. */
function boundWith(facts: Facts, device: DeviceLike, driver: string, library: string): readonly Evidence[] | undefined {
  if (device.driver.state !== "read" || device.driver.value !== driver) return undefined;
  const [found] = valueOf(valueOf(facts.libraries)?.find(library) ?? NOTHING) ?? [];
  return found === undefined
    ? undefined
    : [seen(device.driver.from, `bound to ${driver}`), seen(found.path, "installed")];
}

const NOTHING = { state: "uncaptured", from: "" } as const;

function oldRknpu(facts: Facts): readonly Evidence[] | undefined {
  const said = facts.root.text("/sys/kernel/debug/rknpu/version");
  const driver = said.state === "read" ? /v(\d+\.\d+\.\d+)/.exec(said.value)?.[1] : undefined;
  if (driver === undefined) return undefined;
  // Both runtimes' files carry no version in their names: what is known of 0.9.3 and older holds for any that is current.
  const rkllm = has(facts, "librkllmrt.so", undefined);
  const row = lock(rkllm === undefined ? "rknn-runtime-driver" : "rkllm-driver");
  if (checkLock(row, driver, row.when?.from) !== "broken") return undefined;
  const installed = rkllm ?? has(facts, "librknnrt.so", undefined);
  return installed === undefined ? undefined : [seen(said.from, `rknpu ${driver}: ${row.says}`), ...installed];
}

function bothLoaded(facts: Facts, one: string, other: string): readonly Evidence[] | undefined {
  const [a, b] = [isLoaded(facts, one), isLoaded(facts, other)];
  return a === undefined || b === undefined ? undefined : [a, b];
}

function isLoaded(facts: Facts, module: string): Evidence | undefined {
  const loaded = facts.loaded;
  if (loaded.state === "read") return loaded.value.has(module) ? seen(loaded.from, `${module} is loaded`) : undefined;
  // A pasted part of a module list: what it shows is loaded, what it leaves out is not known.
  const live = facts.root.text(`/sys/module/${module}/initstate`);
  return live.state === "read" && live.value.trim() === "live" ? seen(live.from, `${module} is loaded`) : undefined;
}

function hailoVersions(facts: Facts): readonly Evidence[] | undefined {
  const library = versionOf(facts, "libhailort.so.*");
  const loaded = valueOf(facts.loaded);
  const module = loaded?.get("hailo_pci") ?? loaded?.get("hailo1x_pci") ?? loaded?.get("hailo1x");
  const driver = module === undefined ? undefined : valueOf(module.version);
  if (library === undefined || driver === undefined || module === undefined) return undefined;
  if (checkLock(lock("hailo-driver-library"), driver, library.version) !== "broken") return undefined;
  return [seen(`/sys/module/${module.name}/version`, driver), seen(library.path, `libhailort ${library.version}`)];
}

const hailoModules: Readonly<Record<string, readonly string[]>> = {
  hailo8: ["hailo1x_pci", "hailo1x"],
  hailo10h: ["hailo_pci"],
};

/** The module of the other branch is loaded (or named in a pasted text), and no driver has the chip. */
function hailoBranch(facts: Facts, device: DeviceLike): readonly Evidence[] | undefined {
  if (device.bus !== "pci" || device.driver.state === "read") return undefined;
  for (const module of hailoModules[device.chip ?? ""] ?? []) {
    const loaded = isLoaded(facts, module) ?? namedInPaste(facts, module);
    if (loaded === undefined) continue;
    return device.driver.state === "absent" ? [loaded, seen(device.driver.from, "no driver is bound")] : [loaded];
  }
  return undefined;
}

function namedInPaste(facts: Facts, module: string): Evidence | undefined {
  if (facts.root.kind !== "paste") return undefined;
  const lines = (valueOf(facts.root.text(PASTE_PATH)) ?? "").split("\n");
  const at = lines.findIndex((line) => /driver/i.test(line) && new RegExp(`\\b${module}\\b`).test(line));
  return at < 0 ? undefined : seen(`line ${at + 1}`, (lines[at] ?? "").trim().slice(0, 160));
}

function hailoPages(facts: Facts, device: DeviceLike): readonly Evidence[] | undefined {
  const page = valueOf(facts.memory)?.pageBytes;
  if (page?.state !== "read" || page.value <= 4096) return undefined;
  const driver = valueOf(device.driver);
  const modules = driver === undefined ? [] : [driver, `${driver}_pci`];
  for (const name of modules) {
    const forced = valueOf(facts.loaded)?.get(name)?.parameters.get("force_desc_page_size");
    if (forced?.state !== "read") continue;
    if (Number(forced.value) > 0) return undefined;
    return [seen(page.from, `pages of ${page.value} bytes`), seen(forced.from, "force_desc_page_size is not set")];
  }
  return undefined;
}

function oldLoader(facts: Facts): readonly Evidence[] | undefined {
  const stale = has(facts, "libze_intel_vpu.so.1", undefined);
  if (stale !== undefined) return stale;
  const loader = versionOf(facts, "libze_loader.so.1");
  if (loader === undefined || checkLock(lock("intel-npu-loader"), loader.version, undefined) !== "broken")
    return undefined;
  return [seen(loader.path, `Level Zero loader ${loader.version}, 1.17.17 or later is needed`)];
}

/** One library is installed and the other is known not to be. */
function has(facts: Facts, library: string, lacks: string | undefined): readonly Evidence[] | undefined {
  const libraries = valueOf(facts.libraries);
  const found = libraries === undefined ? undefined : valueOf(libraries.find(library))?.[0];
  if (libraries === undefined || found === undefined) return undefined;
  if (lacks === undefined) return [seen(found.path, "installed")];
  const other = libraries.find(lacks);
  const gone = other.state === "absent" || (other.state === "read" && other.value.length === 0);
  return gone ? [seen(found.path, "installed"), seen(other.from, `${lacks} is not`)] : undefined;
}

function versionOf(facts: Facts, pattern: string): { readonly path: string; readonly version: string } | undefined {
  for (const library of valueOf(valueOf(facts.libraries)?.find(pattern) ?? NOTHING) ?? []) {
    const version = valueOf(library.version);
    if (version?.includes(".") === true) return { path: library.path, version };
  }
  return undefined;
}

/** Only of a driver that is loaded and did not take the NPU: one that drives it without an IOMMU is another release's. */
function noIommu(facts: Facts, device: DeviceLike): readonly Evidence[] | undefined {
  const iommu = facts.iommu;
  const loaded = isLoaded(facts, "amdxdna");
  if (loaded === undefined || device.driver.state !== "absent") return undefined;
  return iommu.state === "read" && iommu.value.units.length === 0
    ? [loaded, seen(iommu.from, "no IOMMU is active")]
    : undefined;
}

function iommuPassesThrough(facts: Facts): readonly Evidence[] | undefined {
  const cmdline = valueOf(facts.kernel)?.cmdline;
  if (cmdline?.state !== "read") return undefined;
  const off = /(^|\s)(amd_iommu=off|iommu=off)(\s|$)/.exec(cmdline.value)?.[2];
  if (off !== undefined) return [seen(cmdline.from, off)];
  const old = facts.release !== undefined && compareReleases(facts.release, "7.1.2") < 0;
  const pt = /(^|\s)iommu=pt(\s|$)/.test(cmdline.value);
  return pt && old ? [seen(cmdline.from, "iommu=pt, which works from kernel 7.1.2 on")] : undefined;
}

/** Under this no model fits: the smallest language models take a gigabyte. */
const MEMLOCK_LIMIT = GIB;

function smallMemlock(facts: Facts): readonly Evidence[] | undefined {
  const memlock = valueOf(facts.confinement)?.memlock;
  if (memlock?.state !== "read" || memlock.value >= MEMLOCK_LIMIT) return undefined;
  return [seen(memlock.from, `this session may lock ${Math.floor(memlock.value / 1024)} KiB`)];
}

function nvidiaVersions(facts: Facts): readonly Evidence[] | undefined {
  const said = facts.root.text("/proc/driver/nvidia/version");
  const module =
    said.state === "read" ? /Kernel Module(?: for \S+)?\s+(\d+\.\d+(?:\.\d+)?)\b/.exec(said.value)?.[1] : undefined;
  const library = versionOf(facts, "libnvidia-ml.so.1");
  if (module === undefined || library === undefined) return undefined;
  if (checkLock(lock("nvidia-module-library"), module, library.version) !== "broken") return undefined;
  return [seen(said.from, `module ${module}`), seen(library.path, `library ${library.version}`)];
}

function crashed(facts: Facts): readonly Evidence[] | undefined {
  for (const one of valueOf(facts.remoteprocs) ?? []) {
    const state = one.processorState;
    if (state.state === "read" && state.value === "crashed") return [seen(state.from, "crashed")];
  }
  return undefined;
}

function openToAll(_facts: Facts, device: DeviceLike): readonly Evidence[] | undefined {
  const node = device.nodes.find((one) => valueOf(one.stat)?.mode === 0o666);
  return node === undefined ? undefined : [seen(node.path, "mode 0666")];
}

function loadedWithout(
  facts: Facts,
  module: string,
  family: string,
  node: string,
  devices: readonly DeviceLike[],
): readonly Evidence[] | undefined {
  const loaded = isLoaded(facts, module);
  if (loaded === undefined || devices.some((device) => device.family === family)) return undefined;
  if (facts.platform.state === "read") return [loaded, seen(facts.platform.from, "holds no device for it")];
  return facts.root.stat(node).state === "absent" ? [loaded, seen(node, "is not there")] : undefined;
}

function tpuLockfile(facts: Facts, devices: readonly DeviceLike[]): readonly Evidence[] | undefined {
  const path = "/tmp/libtpu_lockfile";
  const stat = facts.root.stat(path);
  const here = devices.some((device) => device.family === "cloud-tpu");
  return here && stat.state === "read" ? [seen(path, "stands there: a process holds the TPU, or held it")] : undefined;
}
