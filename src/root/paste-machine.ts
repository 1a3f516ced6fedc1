/**
 * What a pasted text proves of a machine, piece by piece, and the tree it makes. Everything the text does not hold stays uncaptured:
 * a device gets a `uevent` only when it is known whether a driver is bound, a list is complete only when the text shows it whole.
 *
 * Beside the kernel's own attributes a pasted PCI function may have three that no kernel writes:
 *     label        its name as lspci, lshw or a vendor's tool printed it (ids may have been found by that name, see paste-names.ts)
 *     modules      what "Kernel modules:" named, separated by blanks
 *     claimed_by   the driver whose lines of the kernel log name this function, whether or not it is bound
 * A pasted platform device may have `claimed_by`. A driver that is known to be bound while the text does not say to which address is
 * a directory below /sys/bus/pci/drivers.
 */

import { TreeBuilder } from "./memory.ts";
import type { Root } from "./root.ts";

export interface PastedPci {
  vendor?: string;
  device?: string;
  /** Six hex digits. */
  class?: string;
  revision?: string;
  subsystem?: readonly [vendor: string, device: string];
  label?: string;
  modules?: string;
  /** A name: bound; null: known to be unbound; undefined: not said. */
  driver?: string | null;
  claimedBy?: string;
  physicalFunction?: string;
  iommuGroup?: string;
  /** File name in the device's directory to content. */
  readonly attributes: Map<string, string>;
  readonly bars: string[];
}

export interface PastedUsb {
  readonly vendor: string;
  readonly product: string;
  bus?: number;
  device?: number;
  label?: string;
  speed?: string;
  maxPower?: string;
  readonly interfaces: Map<string, { class: string; driver?: string | null }>;
}

export interface PastedPlatform {
  driver?: string | null;
  claimedBy?: string;
}

export interface PastedNode {
  mode?: number;
  owner?: string;
  group?: string;
  major?: number;
  minor?: number;
  /** sysfs directory of the device behind it, when the text says so. */
  behind?: string;
}

/** Devices of one kind, files and nodes a text may name: ten times the longest real dumps. */
const PIECE_LIMIT = 20_000;

export class PastedMachine {
  readonly pci = new Map<string, PastedPci>();
  readonly usb = new Map<string, PastedUsb>();
  readonly platform = new Map<string, PastedPlatform>();
  readonly nodes = new Map<string, PastedNode>();
  /** Paths the text shows to be absent. */
  readonly absent = new Set<string>();
  /** Directories whose listing the text shows whole. */
  readonly listed = new Set<string>();
  /** Absolute path to content. */
  readonly files = new Map<string, string>();
  readonly binary = new Map<string, Uint8Array>();
  readonly links = new Map<string, string>();
  /** Lines of lsmod by module, and whether the list is whole. */
  readonly modules = new Map<string, string>();
  modulesWhole = false;
  /** Drivers bound to a PCI function whose address the text leaves out. */
  readonly unplacedDrivers = new Set<string>();
  /** lspci, lsusb were run, even if they printed nothing. */
  pciAsked = false;
  usbAsked = false;
  release?: string;
  version?: string;
  arch?: string;
  /** The text's lines with those that are no kernel log emptied, so that numbers stay the text's; undefined without any. */
  log?: string;

  pciAt(slot: string): PastedPci {
    return make(this.pci, slot, () => ({ attributes: new Map(), bars: [] }));
  }

  platformAt(name: string): PastedPlatform {
    return make(this.platform, name, () => ({}));
  }

  nodeAt(path: string): PastedNode {
    return make(this.nodes, path, () => ({}));
  }

  file(path: string, content: string): void {
    if (this.files.size < PIECE_LIMIT) this.files.set(path, content);
  }

  build(name: string): Root {
    const tree = new TreeBuilder();
    for (const [path, content] of [...this.files, ...this.binary]) tree.file(path, content);
    for (const [path, target] of this.links) tree.link(path, target);
    this.#addPci(tree);
    this.#addUsb(tree);
    this.#addPlatform(tree);
    this.#addNodes(tree);
    this.#addKernel(tree);
    for (const path of this.listed) tree.directory(path);
    for (const path of this.absent) if (!tree.has(path)) tree.unknown(path, "absent");
    return tree.build("paste", name);
  }

  #addPci(tree: TreeBuilder): void {
    if (this.pci.size === 0 && !this.pciAsked && this.unplacedDrivers.size === 0) return;
    if (this.pci.size > 0 || this.pciAsked) tree.directory(PCI);
    for (const driver of this.unplacedDrivers) tree.passage(`/sys/bus/pci/drivers/${driver}`);
    for (const [slot, one] of this.pci) addPciFunction(tree, slot, one);
  }

  #addUsb(tree: TreeBuilder): void {
    if (this.usb.size === 0 && !this.usbAsked) return;
    tree.directory(USB);
    for (const [name, one] of this.usb) addUsbDevice(tree, name, one);
  }

  #addPlatform(tree: TreeBuilder): void {
    if (this.platform.size === 0) return;
    tree.directory(PLATFORM);
    for (const [name, one] of this.platform) {
      const path = `${PLATFORM}/${name}`;
      tree.passage(path);
      if (one.claimedBy !== undefined) tree.file(`${path}/claimed_by`, `${one.claimedBy}\n`);
      addDriver(tree, path, one.driver, [], "/sys/bus/platform/drivers");
    }
  }

  #addNodes(tree: TreeBuilder): void {
    const names = new Map<string, number>([["root", 0]]);
    const idOf = (name: string): number => {
      const id = /^\d{1,9}$/.test(name) ? Number(name) : (names.get(name) ?? FIRST_ID + names.size);
      names.set(name, id);
      return id;
    };
    for (const [path, node] of this.nodes) {
      this.absent.delete(path);
      const inDev = path.slice("/dev/".length);
      const base = `/sys/class/${classOf(inDev)}/${inDev.slice(inDev.lastIndexOf("/") + 1)}`;
      const numbers =
        node.major === undefined
          ? []
          : [`MAJOR=${node.major}`, ...(node.minor === undefined ? [] : [`MINOR=${node.minor}`])];
      tree.file(`${base}/uevent`, [...numbers, `DEVNAME=${inDev}`, ""].join("\n"));
      tree.directory(base.slice(0, base.lastIndexOf("/")));
      if (node.behind !== undefined) {
        tree.link(`${base}/device`, node.behind);
        if (!tree.has(node.behind)) tree.passage(node.behind);
      }
      if (node.mode === undefined) continue;
      const { major, minor } = node;
      tree.node(path, {
        type: "char",
        mode: node.mode,
        uid: idOf(node.owner ?? "root"),
        gid: idOf(node.group ?? "root"),
        ...(major === undefined ? {} : { major }),
        ...(minor === undefined ? {} : { minor }),
      });
    }
    if (this.nodes.size > 0) tree.directory("/sys/class");
    const used = [...names].filter(([name]) => !/^\d+$/.test(name));
    if (used.length > 1 || this.nodes.size > 0) {
      // Listings show names; the numbers behind them are ours and stand only for these names.
      tree.file("/etc/group", used.map(([name, id]) => `${name}:x:${id}:\n`).join(""));
      tree.file("/etc/passwd", used.map(([name, id]) => `${name}:x:${id}:${id}::/:\n`).join(""));
    }
  }

  #addKernel(tree: TreeBuilder): void {
    if (this.release !== undefined) tree.file("/proc/sys/kernel/osrelease", `${this.release}\n`);
    if (this.version !== undefined) tree.file("/proc/sys/kernel/version", `${this.version}\n`);
    if (this.arch !== undefined) tree.file("/proc/sys/kernel/arch", `${this.arch}\n`);
    if (this.log !== undefined) {
      tree.file("/dev/kmsg", this.log, { type: "char", mode: 0o644, major: 1, minor: 11, size: 0 });
    }
    if (this.modules.size === 0) return;
    if (this.modulesWhole) tree.file("/proc/modules", `${[...this.modules.values()].join("\n")}\n`);
    else for (const module of this.modules.keys()) tree.file(`/sys/module/${module}/initstate`, "live\n");
  }
}

const PCI = "/sys/bus/pci/devices";
const USB = "/sys/bus/usb/devices";
const PLATFORM = "/sys/bus/platform/devices";
/** Above every id a distribution gives. */
const FIRST_ID = 60_000;

function make<T>(map: Map<string, T>, key: string, create: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  if (map.size < PIECE_LIMIT) map.set(key, created);
  return created;
}

function addPciFunction(tree: TreeBuilder, slot: string, one: PastedPci): void {
  const path = `${PCI}/${slot}`;
  tree.passage(path);
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined) tree.file(`${path}/${name}`, `${value}\n`);
  };
  if (one.vendor !== undefined) {
    put("vendor", `0x${one.vendor}`);
    // 0xffff is what PCI itself answers where nobody is: the vendor alone is known.
    put("device", `0x${one.device ?? "ffff"}`);
  }
  put("class", one.class === undefined ? undefined : `0x${one.class}`);
  put("revision", one.revision === undefined ? undefined : `0x${one.revision}`);
  put("subsystem_vendor", one.subsystem === undefined ? undefined : `0x${one.subsystem[0]}`);
  put("subsystem_device", one.subsystem === undefined ? undefined : `0x${one.subsystem[1]}`);
  put("label", one.label);
  put("modules", one.modules);
  put("claimed_by", one.claimedBy);
  for (const [name, value] of one.attributes) put(name, value);
  if (one.bars.length > 0) tree.file(`${path}/resource`, `${one.bars.join("\n")}\n`);
  if (one.physicalFunction !== undefined) tree.link(`${path}/physfn`, `../${one.physicalFunction}`);
  if (one.iommuGroup !== undefined) tree.link(`${path}/iommu_group`, `/sys/kernel/iommu_groups/${one.iommuGroup}`);
  const identity =
    one.vendor !== undefined && one.device !== undefined
      ? [
          ...(one.class === undefined ? [] : [`PCI_CLASS=${one.class.replace(/^0+(?=.)/, "").toUpperCase()}`]),
          `PCI_ID=${one.vendor.toUpperCase()}:${one.device.toUpperCase()}`,
        ]
      : [];
  addDriver(tree, path, one.driver, [...identity, `PCI_SLOT_NAME=${slot}`], "/sys/bus/pci/drivers");
}

function addDriver(
  tree: TreeBuilder,
  path: string,
  driver: string | null | undefined,
  uevent: string[],
  drivers: string,
): void {
  if (driver === undefined) return;
  tree.file(`${path}/uevent`, [...(driver === null ? [] : [`DRIVER=${driver}`]), ...uevent, ""].join("\n"));
  if (driver === null) tree.unknown(`${path}/driver`, "absent");
  else tree.link(`${path}/driver`, `${drivers}/${driver}`);
}

function addUsbDevice(tree: TreeBuilder, name: string, one: PastedUsb): void {
  const path = `${USB}/${name}`;
  tree.passage(path);
  const put = (file: string, value: string | number | undefined): void => {
    if (value !== undefined) tree.file(`${path}/${file}`, `${value}\n`);
  };
  put("idVendor", one.vendor);
  put("idProduct", one.product);
  put("busnum", one.bus);
  put("devnum", one.device);
  put("speed", one.speed);
  put("bMaxPower", one.maxPower);
  put("label", one.label);
  for (const [interfaceName, { class: triple, driver }] of one.interfaces) {
    const directory = `${USB}/${interfaceName}`;
    tree.passage(directory);
    const [base = "", sub = "", protocol = ""] = triple.split(":");
    tree.file(`${directory}/bInterfaceClass`, `${base}\n`);
    if (sub !== "") tree.file(`${directory}/bInterfaceSubClass`, `${sub}\n`);
    if (protocol !== "") tree.file(`${directory}/bInterfaceProtocol`, `${protocol}\n`);
    if (driver === null) tree.unknown(`${directory}/driver`, "absent");
    else if (driver !== undefined) tree.link(`${directory}/driver`, `/sys/bus/usb/drivers/${driver}`);
  }
}

/** accel/accel0 -> accel, dri/card1 -> drm, apex_0 -> apex, et0_mgmt -> misc */
function classOf(inDev: string): string {
  if (inDev.startsWith("dri/")) return "drm";
  if (inDev.startsWith("accel/")) return "accel";
  const plain = /^([a-z]+)[_-]?\d+$/i.exec(inDev)?.[1];
  // /dev/accel0 is Google's own driver's, not of the kernel's class accel, whose nodes lie in /dev/accel.
  return plain === undefined || plain === "accel" ? "misc" : plain;
}
