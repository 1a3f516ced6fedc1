/** PCI functions as the kernel lists them. Documentation/ABI/testing/sysfs-bus-pci */

import {
  absent,
  chain,
  firstRead,
  malformed,
  map,
  parseInteger,
  read,
  uncaptured,
  valueOf,
  type Reading,
} from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { lazyFields } from "./lazy.ts";
import { listDevices, readAttribute, readDriver, readLinkName, readUevent, ueventValue, type Uevent } from "./sysfs.ts";

export interface PciFunction {
  /** The kernel's address, domain included: 0000:00:02.0 */
  readonly slot: string;
  /** /sys/bus/pci/devices/<slot> */
  readonly path: string;
  /** NO_ID when `ids` could not be read. */
  readonly vendor: number;
  /** NO_ID when `ids` could not be read, or the vendor alone is known. */
  readonly device: number;
  /** 24 bits: base class, subclass, programming interface. NO_CLASS when nothing captured says it. */
  readonly class: number;
  /** "vvvv:dddd" and where it was read; trees of other projects may list a function and leave its ids out. */
  readonly ids: Reading<string>;
  readonly revision: Reading<number>;
  readonly subsystemVendor: Reading<number>;
  readonly subsystemDevice: Reading<number>;
  readonly modalias: Reading<string>;
  /** Name of the bound driver; absent when unbound. */
  readonly driver: Reading<string>;
  readonly driverOverride: Reading<string>;
  /** Physical function this one is a virtual function of (SR-IOV). */
  readonly physicalFunction: Reading<string>;
  readonly iommuGroup: Reading<string>;
  readonly numaNode: Reading<number>;
  readonly link: PciLink;
  /** D0, D3hot, D3cold, unknown ... */
  readonly powerState: Reading<string>;
  readonly runtimeStatus: Reading<string>;
  /** False when memory decoding is off (`enable` is 0). */
  readonly enabled: Reading<boolean>;
  /** Sizes of the six standard BARs in bytes, 0 for an unused one; a BAR that has flags and no address is `unassigned`. */
  readonly bars: Reading<readonly PciBar[]>;
  /** Slot of the function or bridge above, absent on a root bus. */
  readonly parent: Reading<string>;
}

export interface PciBar {
  readonly index: number;
  readonly bytes: number;
  readonly unassigned: boolean;
}

export interface PciLink {
  /** Transfers per second per lane (2.5e9, 5e9 ...). */
  readonly speed: Reading<number>;
  readonly maxSpeed: Reading<number>;
  readonly width: Reading<number>;
  readonly maxWidth: Reading<number>;
}

/** What PCI itself answers where nobody is: no vendor has it, so it matches no family. */
export const NO_ID = 0xffff;
/** Base class 0xff: "does not fit any defined class". */
export const NO_CLASS = 0xffffff;

const DEVICES = "/sys/bus/pci/devices";
const SLOT = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/** Every PCI function, sorted by slot. Absent when the machine has no PCI bus. */
export function readPci(root: Root): Reading<readonly PciFunction[]> {
  return map(listDevices(root, DEVICES), (names) =>
    names.filter((name) => SLOT.test(name)).map((slot) => readFunction(root, slot)),
  );
}

interface Context {
  readonly root: Root;
  readonly path: string;
  readonly slot: string;
  readonly uevent: Reading<Uevent>;
  readonly identity: Identity;
}

// Ids and class are what every match asks for: one read of `uevent`. All else is read when asked for.
function readFunction(root: Root, slot: string): PciFunction {
  const path = `${DEVICES}/${slot}`;
  const uevent = readUevent(root, path);
  const identity = identify(root, path, slot, uevent);
  const { vendor, device, ids } = identity;
  const context: Context = { root, path, slot, uevent, identity };
  return pciFunction(context, { slot, path, vendor, device, class: identity.class, ids });
}

const attribute = ({ root, path }: { readonly root: Root; readonly path: string }, name: string): Reading<string> =>
  readAttribute(root, `${path}/${name}`);

type Eager = "slot" | "path" | "vendor" | "device" | "class" | "ids";

const pciFunction = lazyFields<Context, Omit<PciFunction, Eager>>({
  revision: (c) =>
    firstRead(
      lazily(
        () => parseInteger(attribute(c, "revision")),
        () => configNumber(c, 8, 1),
      ),
      c.path,
    ),
  subsystemVendor: (c) => readSubsystem(c, 0, "subsystem_vendor"),
  subsystemDevice: (c) => readSubsystem(c, 1, "subsystem_device"),
  modalias: (c) =>
    firstRead(
      lazily(
        () => ueventValue(c.uevent, "MODALIAS"),
        () => attribute(c, "modalias"),
      ),
      c.path,
    ),
  driver: (c) => c.identity.driver ?? readDriver(c.root, c.path, c.uevent),
  driverOverride: (c) =>
    chain(attribute(c, "driver_override"), (name, from) =>
      name === "(null)" ? absent(from, "not set") : read(name, from),
    ),
  physicalFunction: (c) => readLinkName(c.root, `${c.path}/physfn`),
  iommuGroup: (c) => readLinkName(c.root, `${c.path}/iommu_group`),
  numaNode: (c) =>
    chain(parseInteger(attribute(c, "numa_node")), (node, from) =>
      node < 0 ? absent(from, "no NUMA node") : read(node, from),
    ),
  link: (c) => pciLink(c, {}),
  powerState: (c) => attribute(c, "power_state"),
  runtimeStatus: (c) => attribute(c, "power/runtime_status"),
  enabled: (c) => map(parseInteger(attribute(c, "enable")), (count) => count > 0),
  bars: (c) => chain(c.root.text(`${c.path}/resource`), parseBars),
  parent: (c) => readParent(c.root, c.path, c.slot),
});

const pciLink = lazyFields<Context, PciLink>({
  speed: (c) => chain(awake(c, "current_link_speed"), parseSpeed),
  maxSpeed: (c) => chain(awake(c, "max_link_speed"), parseSpeed),
  width: (c) => chain(awake(c, "current_link_width"), parseWidth),
  maxWidth: (c) => chain(awake(c, "max_link_width"), parseWidth),
});

interface Identity {
  readonly vendor: number;
  readonly device: number;
  readonly class: number;
  readonly ids: Reading<string>;
  readonly driver?: Reading<string>;
}

// A tree may hold any one of uevent, the attribute files, modalias and config space: each says the same three numbers.
function identify(root: Root, path: string, slot: string, uevent: Reading<Uevent>): Identity {
  let unreadIds: Reading<string> | undefined;
  let ids: Reading<Ids> | undefined;
  let classCode: number | undefined;
  for (const source of identitySources) {
    const found = source(root, path, uevent);
    const value = valueOf(found);
    if (value === undefined) {
      if (found.state !== "read" && (unreadIds === undefined || found.state === "denied")) unreadIds = found;
      continue;
    }
    classCode ??= value.class;
    ids ??= found;
    if (classCode !== undefined) break;
  }
  classCode ??= valueOf(parseInteger(readAttribute(root, `${path}/class`)));
  const value = ids === undefined ? undefined : valueOf(ids);
  if (ids !== undefined && value !== undefined) {
    const { vendor, device } = value;
    const spelled = `${fourDigits(vendor)}:${fourDigits(device)}`;
    return { vendor, device, class: classCode ?? NO_CLASS, ids: read(spelled, ids.from) };
  }
  const base = {
    vendor: NO_ID,
    device: NO_ID,
    class: classCode ?? NO_CLASS,
    ids: unreadIds ?? uncaptured(path, "no ids captured"),
  };
  for (const proc of driverTrees) {
    const seen = root.list(`${proc.directory}/${slot}`);
    if (seen.state === "read") return { ...base, vendor: proc.vendor, driver: read(proc.driver, seen.from) };
  }
  return base;
}

interface Ids {
  readonly vendor: number;
  readonly device: number;
  readonly class: number | undefined;
}

const identitySources: readonly ((root: Root, path: string, uevent: Reading<Uevent>) => Reading<Ids>)[] = [
  (_root, _path, uevent) =>
    chain(uevent, (values, from) => {
      const [vendor, device] = (values.get("PCI_ID") ?? "").split(":").map((id) => valueOf(hex(id, from)));
      if (vendor === undefined || device === undefined) return malformed(from, "no PCI_ID");
      return read({ vendor, device, class: valueOf(hex(values.get("PCI_CLASS"), from)) }, from);
    }),
  (root, path) => {
    const vendor = parseInteger(readAttribute(root, `${path}/vendor`));
    if (vendor.state !== "read") return vendor;
    const device = parseInteger(readAttribute(root, `${path}/device`));
    if (device.state !== "read") return device;
    const code = valueOf(parseInteger(readAttribute(root, `${path}/class`)));
    return inRange({ vendor: vendor.value, device: device.value, class: code }, vendor.from);
  },
  (root, path) =>
    chain(readAttribute(root, `${path}/modalias`), (alias, from) => {
      const found = /^pci:v0000([0-9A-F]{4})d0000([0-9A-F]{4})(?:.*bc([0-9A-F]{2})sc([0-9A-F]{2})i([0-9A-F]{2}))?/.exec(
        alias,
      );
      if (found === null) return malformed(from, `not a PCI modalias: ${alias.slice(0, 60)}`);
      const [, vendor = "", device = "", base, sub = "", programming = ""] = found;
      const code = base === undefined ? undefined : parseInt(base + sub + programming, 16);
      return read({ vendor: parseInt(vendor, 16), device: parseInt(device, 16), class: code }, from);
    }),
  (root, path) =>
    chain(root.slice(`${path}/config`, 0, 64), (bytes, from) => {
      if (bytes.length < 12) return malformed(from, `config space of ${bytes.length} bytes`);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return inRange(
        { vendor: view.getUint16(0, true), device: view.getUint16(2, true), class: view.getUint32(8, true) >>> 8 },
        from,
      );
    }),
];

// Directories a driver makes per function it is bound to: they tell vendor and driver where a capture left the ids out.
const driverTrees = [{ directory: "/proc/driver/nvidia/gpus", vendor: 0x10de, driver: "nvidia" }] as const;

function inRange(ids: Ids, from: string): Reading<Ids> {
  const { vendor, device } = ids;
  if (vendor < 0 || vendor >= NO_ID || device < 0 || device > 0xffff) {
    return malformed(from, `not PCI ids: ${vendor.toString(16)}:${device.toString(16)}`);
  }
  return read(ids, from);
}

function hex(text: string | undefined, from: string): Reading<number> {
  if (text === undefined || !/^(0x)?[0-9a-f]{1,8}$/i.test(text)) return malformed(from, "not a hexadecimal number");
  return read(parseInt(text, 16), from);
}

const fourDigits = (id: number): string => id.toString(16).padStart(4, "0");

function readSubsystem(c: Context, half: 0 | 1, name: string): Reading<number> {
  return firstRead(
    lazily(
      () => chain(ueventValue(c.uevent, "PCI_SUBSYS_ID"), (ids, from) => hex(ids.split(":")[half], from)),
      () => parseInteger(attribute(c, name)),
      () => configNumber(c, half === 0 ? 0x2c : 0x2e, 2),
    ),
    c.path,
  );
}

function configNumber(c: Context, offset: number, size: 1 | 2): Reading<number> {
  return chain(c.root.slice(`${c.path}/config`, 0, 64), (bytes, from) => {
    const low = bytes[offset];
    const high = size === 2 ? bytes[offset + 1] : 0;
    if (low === undefined || high === undefined) return malformed(from, `config space of ${bytes.length} bytes`);
    return read(low + (high << 8), from);
  });
}

// Config space is read behind these attributes, which resumes a sleeping device: a review must not wake a laptop's GPU.
function awake(c: Context, name: string): Reading<string> {
  return valueOf(attribute(c, "power/runtime_status")) === "suspended"
    ? uncaptured(`${c.path}/${name}`, "the device sleeps and reading would wake it")
    : attribute(c, name);
}

function parseSpeed(text: string, from: string): Reading<number> {
  const gigatransfers = /^([0-9]{1,3}(?:\.[0-9]+)?) GT\/s/.exec(text)?.[1];
  return gigatransfers === undefined
    ? absent(from, `says ${text.slice(0, 40)}`)
    : read(Number(gigatransfers) * 1e9, from);
}

// 0: integrated, no link; 63 and 255: all ones, the device does not answer.
function parseWidth(text: string, from: string): Reading<number> {
  return chain(parseInteger(read(text, from)), (lanes) =>
    lanes >= 1 && lanes <= 32 ? read(lanes, from) : absent(from, `says ${lanes}`),
  );
}

// [start end flags] per line, first six are the BARs; the upper half of a 64-bit BAR is a line of zeros.
function parseBars(text: string, from: string): Reading<readonly PciBar[]> {
  const bars: PciBar[] = [];
  for (const [index, line] of text.split("\n", 6).entries()) {
    const found = /^0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16})/i.exec(line);
    if (found === null) {
      if (line.trim() === "") break;
      return malformed(from, `line ${index + 1} is not "start end flags"`);
    }
    const [start = 0n, end = 0n, flags = 0n] = found.slice(1).map((digits) => BigInt(`0x${digits}`));
    const used = flags !== 0n && end >= start;
    bars.push({
      index,
      bytes: used ? Number(end - start + 1n) : 0,
      unassigned: used && (start === 0n || (flags & RESOURCE_UNSET) !== 0n),
    });
  }
  return bars.length === 0 ? malformed(from, "empty") : read(bars, from);
}

/** IORESOURCE_UNSET of include/linux/ioport.h: no address assigned yet. */
const RESOURCE_UNSET = 0x20000000n;

function readParent(root: Root, path: string, slot: string): Reading<string> {
  return chain(root.real(path), (real, from) => {
    const parts = real.split("/");
    const above = parts[parts.lastIndexOf(slot) - 1];
    if (above === "devices" && real.startsWith("/sys/bus/")) return uncaptured(from, "the tree above was not captured");
    return above !== undefined && SLOT.test(above) ? read(above, from) : absent(from, "on a root bus");
  });
}

function* lazily<T>(...makers: (() => Reading<T>)[]): Generator<Reading<T>> {
  for (const make of makers) yield make();
}
