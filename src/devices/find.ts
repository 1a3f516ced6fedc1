/**
 * Facts times families: which devices of this machine are accelerators. What no family claims and yet says it is one (PCI class
 * 0x12, an accel node) is kept as unrecognised; what is known to be none (decoys) stays out.
 */

import { read, valueOf, type Reading } from "../base/reading.ts";
import type { Facts } from "../facts/facts.ts";
import { cpuFeatures } from "../families/cpu-features.ts";
import { matchCpu } from "../families/match.ts";
import { attachNodes } from "./attach.ts";
import type { Device } from "./device.ts";
import { findPasted } from "./find-pasted.ts";
import { findPciDevices } from "./find-pci.ts";
import { findPlatformDevices } from "./find-platform.ts";
import { findUsbDevices } from "./find-usb.ts";

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
  const placed = [...findPciDevices(facts, decoys), ...platform.devices, ...findUsbDevices(facts)];
  const located = attachNodes(facts, placed);
  const devices = [...located, ...findPasted(facts, located), ...findCpu(facts)];
  return { devices, dormant: platform.dormant, decoys };
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
