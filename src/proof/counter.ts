/**
 * Counter: one number of the kernel's by which a device shows that it worked. Files in counters/ are kinds of counter; the index is
 * generated. Add one: copy counters/ivpu-busy.ts, `npm run generate`, `npm test -- proof`. A kind says what its moving means, and
 * what its standing still means: many counters prove work and never idleness.
 */

import { malformed, map, valueOf, type Reading } from "../base/reading.ts";
import { readDriver, readUevent } from "../facts/sysfs.ts";
import type { Root } from "../root/root.ts";

/** The device that should work: a device of a report or of findDevices is one. */
export interface Target {
  /** pci, usb, platform, cpu. */
  readonly bus: string;
  /** The kernel's own: 0000:00:0b.0, 1-1, fdab0000.npu */
  readonly address: string;
  readonly driver: Reading<string>;
  readonly nodes: readonly { readonly path: string }[];
  /** Addresses of all parts when one accelerator is several bus devices. */
  readonly parts: readonly string[];
}

/**
 * A target by its address alone: the driver as sysfs says it, no nodes, so that nobody who has it open is found. An accelerator of
 * several bus devices (rocket's cores) must come from findDevices.
 */
export function targetAt(root: Root, bus: string, address: string): Target {
  const path = `/sys/bus/${bus}/devices/${address}`;
  return { bus, address, driver: readDriver(root, path, readUevent(root, path)), nodes: [], parts: [] };
}

/** sysfs directories of the device and its parts; none for the CPU. */
export function directoriesOf({ bus, address, parts }: Target): readonly string[] {
  if (!["pci", "usb", "platform"].includes(bus)) return [];
  const names = parts.includes(address) ? parts : [address, ...parts];
  return names.filter((name) => !name.includes("/")).map((name) => `/sys/bus/${bus}/devices/${name}`);
}

export const driverOf = ({ driver }: Target): string => valueOf(driver) ?? "";

/** By the kernel's accel framework: two drivers are called ethosu, and what is known of mainline's is not of Arm's own. */
export const isAccel = ({ nodes }: Target): boolean => nodes.some(({ path }) => path.startsWith("/dev/accel/"));

export interface Sample {
  readonly value: number;
  /** What stood beside the number: a power state, names of engines. */
  readonly word?: string;
  /** Of processor time: how long its threads were ready to run and no processor was free, in nanoseconds. */
  readonly waited?: number;
}

export type Moved = "yes" | "no" | "unknown";

export interface Judged {
  readonly moved: Moved;
  readonly because?: string;
}

/** What lies between two readings. Milliseconds. */
export interface Between {
  readonly elapsed_ms: number;
  /** How fast the counter went while the device had nothing of ours to do; absent where that was not measured. */
  readonly idle_per_ms?: number;
}

export interface Counter {
  readonly kind: CounterKind;
  /** The file, or the directory that several are summed over. */
  readonly path: string;
  readonly unit: string;
  /** What standing still means here, where it is not as the kind says. */
  readonly still?: Still;
  /** Who else moves it, when others do: "shared with ehci_hcd". */
  readonly shared?: string;
  read(): Reading<Sample>;
}

/** `proof`: it did not work. `hint`: most likely not; another sign is needed. `nothing`: it may have worked all the same. */
export type Still = "proof" | "hint" | "nothing";

export interface CounterKind {
  readonly id: string;
  /** What it counts, in words. */
  readonly counts: string;
  /** Of the processes that ran, of the device whoever uses it, or of the processor beside it. */
  readonly of: "run" | "device" | "processor";
  /**
   * strong: time or work of the device itself. middling: a sign that it was given work (interrupts, transfers). weak: that it was awake
   * or used power.
   */
  readonly strength: "strong" | "middling" | "weak";
  readonly still: Still;
  /** Buses it can be on, and drivers that have it; absent: any. */
  readonly buses?: readonly string[];
  readonly drivers?: readonly string[];
  /** Whom to be, where it is denied. */
  readonly needs?: string;
  readonly source: string;
  find(root: Root, target: Target, pids: readonly number[]): readonly Counter[];
  /** Absent: a number that grows with work. */
  judge?(before: Sample, after: Sample, between: Between): Judged;
}

/** May a device on this bus, bound to one of these drivers, have it? */
export function applies(kind: CounterKind, bus: string, drivers: readonly string[]): boolean {
  if (kind.buses !== undefined && !kind.buses.includes(bus)) return false;
  const own = drivers.map(spelled);
  return kind.drivers === undefined || kind.drivers.some((name) => own.includes(spelled(name)));
}

/** Modules and drivers are spelled with either: intel_vpu, vfio-pci. */
const spelled = (name: string): string => name.replaceAll("-", "_");

/** One number of one file as a counter. */
export function fileCounter(
  root: Root,
  kind: CounterKind,
  path: string,
  unit: string,
  parse: (text: string) => number | undefined = wholeNumber,
): Counter {
  return {
    kind,
    path,
    unit,
    read: () => parsed(root, path, parse),
  };
}

export function parsed(root: Root, path: string, parse: (text: string) => number | undefined): Reading<Sample> {
  const text = root.text(path);
  if (text.state !== "read") return text;
  const value = parse(text.value);
  return value === undefined
    ? malformed(path, `not a number: ${JSON.stringify(text.value.trim().slice(0, 40))}`)
    : map(text, () => ({ value }));
}

/** Up to 2^53, which no counter here passes within a machine's life but cycles of several engines; beyond, steps are coarser. */
export function wholeNumber(text: string): number | undefined {
  const trimmed = text.trim();
  return /^\d{1,20}$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** Names in a directory that match; none where it cannot be listed. */
export function namesIn(root: Root, path: string, pattern: RegExp): readonly string[] {
  return (valueOf(root.list(path)) ?? []).filter((name) => pattern.test(name)).slice(0, 256);
}
