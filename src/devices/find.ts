/**
 * Facts times families: which devices of this machine are accelerators. What no family claims and yet says it is one (PCI class
 * 0x12, an accel node) is kept as unrecognised; what is known to be none (decoys) stays out.
 */

import { read, uncaptured, valueOf, type Reading } from "../base/reading.ts";
import { describeSource } from "../base/source.ts";
import type { TreeNode } from "../facts/devicetree.ts";
import type { Facts } from "../facts/facts.ts";
import type { PciFunction } from "../facts/pci.ts";
import type { PlatformDevice } from "../facts/platform.ts";
import type { UsbDevice } from "../facts/usb.ts";
import { cpuFeatures } from "../families/cpu-features.ts";
import type { Family, Match } from "../families/family.ts";
import {
  matchCpu,
  matchDecoyPci,
  matchModalias,
  matchOf,
  matchPci,
  matchPciFamily,
  matchUsb,
  type Matched,
} from "../families/match.ts";
import { attachNodes } from "./attach.ts";
import type { Device } from "./device.ts";

export interface Found {
  readonly devices: readonly Device[];
  /** Accelerators that the device tree describes and switches off, on a machine whose platform bus was read. */
  readonly dormant: readonly Device[];
  /** Looked like an accelerator and is known to be none. */
  readonly decoys: readonly { readonly address: string; readonly says: string }[];
}

export function findDevices(facts: Facts): Found {
  const decoys: { address: string; says: string }[] = [];
  const platform = findPlatformDevices(facts);
  const devices = [...findPciDevices(facts, decoys), ...platform.devices, ...findUsbDevices(facts), ...findCpu(facts)];
  return { devices: attachNodes(facts, devices), dormant: platform.dormant, decoys };
}

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0");

// Drivers of class 0x12 and 0x0b40 hardware that computes no neural networks; a pasted lspci may show the driver and no ids.
const otherDrivers = new Set(["hisi_zip", "hisi_sec2", "hisi_hpre", "hisi_dae", "idxd", "dmar", "ioatdma", "ccp"]);

/** The chip's name with its maker's before it, where that does not stand in it anyway: "Wormhole" alone is a hole. */
function nameOf({ family, chip }: Matched): string {
  return chip.name.toLowerCase().includes(family.vendor.toLowerCase()) || family.id === "cpu"
    ? chip.name
    : `${family.vendor} ${chip.name}`;
}

function findPciDevices(facts: Facts, decoys: { address: string; says: string }[]): Device[] {
  const functions = valueOf(facts.pci) ?? [];
  const main: { f: PciFunction; matched?: Matched; family?: Family }[] = [];
  const helpers: { f: PciFunction; matched: Matched }[] = [];
  const virtual: PciFunction[] = [];
  for (const f of functions) {
    const ids = { vendor: f.vendor, device: f.device, class: f.class, revision: valueOf(f.revision) };
    const matched = matchPci(ids);
    if (matched?.match.helper) helpers.push({ f, matched });
    else if (matched) {
      const parent = valueOf(f.physicalFunction);
      if (parent !== undefined && functions.some((other) => other.slot === parent)) virtual.push(f);
      else main.push({ f, matched });
    } else {
      const family = matchPciFamily(ids);
      if (family) main.push({ f, family });
      else if (isUnrecognised(facts, f)) {
        const decoy = matchDecoyPci(ids);
        if (decoy) decoys.push({ address: f.slot, says: decoy.says });
        else main.push({ f });
      }
    }
  }
  const card = (slot: string): string => slot.slice(0, slot.lastIndexOf("."));
  for (const helper of helpers) {
    // A management function alone is still the card: its other function may be missing for a reason worth telling.
    if (!main.some(({ f }) => card(f.slot) === card(helper.f.slot))) main.push(helper);
  }
  return main
    .sort((a, b) => (a.f.slot < b.f.slot ? -1 : 1))
    .map(({ f, matched, family }) => {
      const parts = helpers.filter((h) => h.f !== f && card(h.f.slot) === card(f.slot)).map((h) => h.f.slot);
      const vfs = virtual.filter((v) => valueOf(v.physicalFunction) === f.slot).length;
      return pciDevice(facts, f, matched, family ?? matched?.family, parts, vfs);
    });
}

/** No family claims it: does it say of itself that it is an accelerator? */
function isUnrecognised(facts: Facts, f: PciFunction): boolean {
  const driver = valueOf(f.driver);
  if (driver !== undefined && (otherDrivers.has(driver) || driver.startsWith("qat_"))) return false;
  const base = f.class >> 16;
  if (base === 0x12) return true;
  if (f.class >> 8 === 0x0b40) return driver === undefined;
  return (valueOf(facts.nodes) ?? []).some(
    (node) => node.class === "accel" && valueOf(node.device)?.endsWith(`/${f.slot}`) === true,
  );
}

function pciDevice(
  facts: Facts,
  f: PciFunction,
  matched: Matched | undefined,
  family: Family | undefined,
  parts: readonly string[],
  virtualFunctions: number,
): Device {
  const revision = valueOf(f.revision);
  const subsystemVendor = valueOf(f.subsystemVendor);
  const subsystemDevice = valueOf(f.subsystemDevice);
  const id = `${hex(f.vendor, 4)}:${hex(f.device, 4)}`;
  return {
    id: `pci:${f.slot}`,
    ...(family ? { family } : {}),
    ...(matched ? { chip: matched.chip } : {}),
    name: matched ? nameOf(matched) : family ? `${family.name} (${id}, not in the catalogue)` : `unrecognised ${id}`,
    bus: "pci",
    address: f.slot,
    ids: {
      pci: id,
      class: hex(f.class, 6),
      ...(revision === undefined ? {} : { revision: hex(revision, 2) }),
      ...(subsystemVendor === undefined || subsystemDevice === undefined
        ? {}
        : { subsystem: `${hex(subsystemVendor, 4)}:${hex(subsystemDevice, 4)}` }),
    },
    modalias: f.modalias,
    driver: f.driver,
    nodes: [],
    parts: parts.length > 0 ? [f.slot, ...parts].sort() : [],
    virtualFunctions,
    enabled: true,
    because: matched
      ? { known: `${id} is ${matched.chip.name}`, source: describeSource(matched.chip.source) }
      : { seen: `${f.path}/class`, says: `0x${hex(f.class, 6)}` },
    paths: () => [f.slot, ...parts].map((slot) => valueOf(facts.root.real(`/sys/bus/pci/devices/${slot}`)) ?? f.path),
    pci: f,
  };
}

function findUsbDevices(facts: Facts): Device[] {
  const out: Device[] = [];
  for (const usb of valueOf(facts.usb) ?? []) {
    const matched = matchUsb(usb.vendor, usb.product);
    if (matched) out.push(usbDevice(facts, usb, matched));
  }
  return out;
}

function usbDevice(facts: Facts, usb: UsbDevice, matched: Matched): Device {
  const id = `${hex(usb.vendor, 4)}:${hex(usb.product, 4)}`;
  const phase = matched.match.bus === "usb" ? matched.match.phase : undefined;
  return {
    id: `usb:${usb.name}`,
    family: matched.family,
    chip: matched.chip,
    name: nameOf(matched),
    bus: "usb",
    address: usb.name,
    ids: { usb: id, ...(phase === undefined ? {} : { phase }) },
    modalias: uncaptured(`${usb.path}/modalias`),
    driver: usb.driver,
    nodes: [],
    parts: [],
    virtualFunctions: 0,
    enabled: true,
    because: { known: `${id} is ${matched.chip.name}`, source: describeSource(matched.chip.source) },
    paths: () => [valueOf(facts.root.real(usb.path)) ?? usb.path],
    usb,
  };
}

function findPlatformDevices(facts: Facts): { devices: Device[]; dormant: Device[] } {
  const tree = matchedTreeNodes(facts);
  const busRead = facts.platform.state === "read" && facts.platform.value.length > 0;
  const devices: Device[] = [];
  const dormant: Device[] = [];
  const seenNodes = new Set<string>();
  for (const device of valueOf(facts.platform) ?? []) {
    const ofNode = valueOf(device.ofNode);
    const nodeName = ofNode === undefined ? deviceNodeName(device.name) : lastName(ofNode);
    const compatible = valueOf(device.compatible) ?? [];
    const modalias = valueOf(device.modalias);
    const matched = matchOf(compatible, nodeName) ?? (modalias === undefined ? undefined : matchModalias(modalias));
    if (!matched) continue;
    if (ofNode !== undefined) {
      seenNodes.add(ofNode);
      if (tree.some((other) => other.node.path !== ofNode && ofNode.startsWith(`${other.node.path}/`))) continue;
    }
    devices.push(platformDevice(facts, device, compatible, matched, ofNode));
  }
  for (const { node, matched } of tree) {
    if (seenNodes.has(node.path)) continue;
    const device = treeDevice(node, matched, busRead);
    if (busRead && !node.enabled) dormant.push(device);
    else devices.push(device);
  }
  return { devices: groupParts(devices), dormant: groupParts(dormant) };
}

/** Nodes of the tree that a family claims, without those inside another node of the same family (fastrpc below its DSP). */
function matchedTreeNodes(facts: Facts): { node: TreeNode; matched: Matched }[] {
  const all: { node: TreeNode; matched: Matched }[] = [];
  for (const node of valueOf(facts.deviceTree)?.nodes ?? []) {
    const matched = matchOf(node.compatible, node.name);
    if (matched) all.push({ node, matched });
  }
  return all.filter(
    ({ node, matched }) =>
      !all.some((other) => other.matched.family === matched.family && node.path.startsWith(`${other.node.path}/`)),
  );
}

const lastName = (path: string): string => path.slice(path.lastIndexOf("/") + 1).replace(/@.*$/, "");
/** fdab0000.npu -> npu; remoteproc-cdsp stays. */
const deviceNodeName = (name: string): string => name.replace(/^[0-9a-f]+\./, "");

function platformDevice(
  facts: Facts,
  device: PlatformDevice,
  compatible: readonly string[],
  matched: Matched,
  ofNode: string | undefined,
): Device {
  return {
    id: `platform:${device.name}`,
    family: matched.family,
    chip: matched.chip,
    name: nameOf(matched),
    bus: "platform",
    address: device.name,
    ids: compatible.length > 0 ? { compatible: compatible.join(" ") } : {},
    modalias: device.modalias,
    driver: device.driver,
    nodes: [],
    parts: [],
    virtualFunctions: 0,
    enabled: true,
    because: becauseOf(matched),
    paths: () => [valueOf(facts.root.real(device.path)) ?? device.path],
    ...(ofNode === undefined ? {} : { ofNode }),
  };
}

function treeDevice(node: TreeNode, matched: Matched, busRead: boolean): Device {
  const base = `/sys/firmware/devicetree/base${node.path}`;
  return {
    id: `platform:${node.deviceName}`,
    family: matched.family,
    chip: matched.chip,
    name: nameOf(matched),
    bus: "platform",
    address: node.deviceName,
    ids: { compatible: node.compatible.join(" ") },
    modalias: uncaptured(base),
    driver: busRead
      ? { state: "absent", from: "/sys/bus/platform/devices", why: "the kernel made no device of this node" }
      : uncaptured("/sys/bus/platform/devices"),
    nodes: [],
    parts: [],
    virtualFunctions: 0,
    enabled: node.enabled,
    because: becauseOf(matched),
    paths: () => [],
    ofNode: node.path,
  };
}

function becauseOf(matched: Matched): Device["because"] {
  const match: Match = matched.match;
  const word = match.bus === "of" ? match.compatible : match.bus === "platform" ? match.modalias : "";
  return { known: `${word} is ${matched.chip.name}`, source: describeSource(matched.chip.source) };
}

/** Cores that are one accelerator become one device: the first by address, the others its parts. */
function groupParts(devices: readonly Device[]): Device[] {
  const out: Device[] = [];
  const groups = new Map<string, Device[]>();
  for (const device of devices) {
    if (device.chip?.grouped && device.family) {
      const key = `${device.family.id}/${device.chip.id}/${String(device.enabled)}`;
      const group = groups.get(key);
      if (group) group.push(device);
      else groups.set(key, [device]);
    } else out.push(device);
  }
  for (const group of groups.values()) {
    const sorted = [...group].sort((a, b) => (a.address < b.address ? -1 : 1));
    const [first, ...rest] = sorted;
    if (!first) continue;
    if (rest.length === 0) out.push(first);
    else {
      out.push({
        ...first,
        parts: sorted.map((d) => d.address),
        // One bound core is enough for the driver to be "bound"; the driver layer tells how many are.
        driver: sorted.map((d) => d.driver).find((d) => d.state === "read") ?? first.driver,
        paths: () => sorted.flatMap((d) => d.paths()),
      });
    }
  }
  return out.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}

function findCpu(facts: Facts): Device[] {
  const cpu = valueOf(facts.cpu);
  if (!cpu) return [];
  const kernel = valueOf(facts.kernel);
  const arch = kernel && valueOf(kernel.arch);
  const matched = arch === undefined ? undefined : matchCpu(arch);
  if (!matched || arch === undefined) return [];
  const driver: Reading<string> = { state: "absent", from: "/proc/cpuinfo", why: "needs none" };
  return [
    {
      id: "cpu:0",
      family: matched.family,
      chip: matched.chip,
      name: valueOf(cpu.model) ?? `${arch} processor`,
      bus: "cpu",
      address: "cpu0",
      ids: { arch, ...cpuFeatureIds(arch, cpu.flags) },
      modalias: read(arch, "/proc/cpuinfo"),
      driver,
      nodes: [],
      parts: [],
      virtualFunctions: 0,
      enabled: true,
      because: { seen: "/proc/cpuinfo", says: `${cpu.threads} threads, ${arch}` },
      paths: () => [],
    },
  ];
}

/** The instruction sets that matter to inference, best known names first. */
function cpuFeatureIds(arch: string, flags: ReadonlySet<string>): { features?: string } {
  const names = cpuFeatures.filter((f) => f.arch === arch && flags.has(f.flag)).map((f) => f.name);
  return names.length === 0 ? {} : { features: [...new Set(names)].join(", ") };
}
