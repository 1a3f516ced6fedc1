/**
 * Device nodes that accelerators answer on, found from classes (accel, drm, misc, apex, tenstorrent, ...) and from /dev, each
 * with its owner and with whether this user may open it. Documentation/admin-guide/devices.rst, Documentation/accel
 */

import { absent, chain, map, parseInteger, read, uncaptured, valueOf, type Reading } from "../base/reading.ts";
import { row } from "../base/table.ts";
import type { Root, Stat } from "../root/root.ts";
import { createAccess, type Access } from "./access.ts";
import { lazyFields } from "./lazy.ts";
import { listDevices, readUevent, ueventValue, type Uevent } from "./sysfs.ts";

export type { Access } from "./access.ts";

export interface DeviceNode {
  /** /dev/accel/accel0 */
  readonly path: string;
  /** Kernel class: accel, drm, misc, apex ...; "" when only /dev shows it. */
  readonly class: string;
  /** The class device's own name: accel0, renderD128 */
  readonly name: string;
  /** sysfs path of the device behind (class link `device`, resolved): /sys/devices/pci0000:00/0000:00:02.0. Absent for virtual ones. */
  readonly device: Reading<string>;
  readonly major: Reading<number>;
  readonly minor: Reading<number>;
  /** Of the node in /dev; absent when the kernel knows the device and /dev has no node for it (a container, no udev). */
  readonly stat: Reading<Stat>;
  readonly group: Reading<string>;
  readonly owner: Reading<string>;
  readonly access: Reading<Access>;
}

/** Every node of the classes and name patterns below, sorted by path. `patterns` are globs from the catalogue: /dev/apex_* */
export function readNodes(root: Root, patterns: readonly string[]): Reading<readonly DeviceNode[]> {
  const rules = createAccess(root);
  const named = patterns.map(globOf);
  const found = new Map<string, DeviceNode>();
  const keep = (node: DeviceNode): void => {
    if (!found.has(node.path)) found.set(node.path, node);
  };
  const classes = listDevices(root, "/sys/class");
  for (const name of valueOf(classes) ?? []) {
    if (IRRELEVANT.has(name) || IRRELEVANT_FAMILIES.test(name)) continue;
    for (const node of readClass(root, rules, name)) {
      if (OWN_CLASSES.has(name) || named.some((matches) => matches(node.path))) keep(node);
    }
  }
  for (const path of matchingPaths(root, patterns)) {
    if (found.has(path)) continue;
    const stat = root.stat(path);
    if (stat.state === "read" && stat.value.type === "char") keep(nodeOfDev(root, rules, path, stat));
  }
  if (found.size === 0 && classes.state !== "read" && root.list("/dev").state !== "read") return classes;
  return read(
    [...found.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)),
    "/sys/class, /dev",
  );
}

/** One node by its path in /dev, for those that no class of an accelerator shows: /dev/bus/usb/004/002, /dev/kvm */
export function readNode(root: Root, path: string): DeviceNode {
  return nodeOfDev(root, createAccess(root), path, root.stat(path));
}

/** Classes whose every node counts; of the others only what the catalogue names. */
const OWN_CLASSES: ReadonlySet<string> = new Set(["accel", "drm"]);

/** A class lists its connectors and versions too: drm has card0-HDMI-A-1 beside card0. */
const NODE_NAMES: Readonly<Record<string, RegExp>> = { drm: /^(card|renderD)[0-9]{1,5}$/ };

/** Classes without accelerators and with many members, so that a review does not read hundreds of files for nothing. */
const IRRELEVANT: ReadonlySet<string> = new Set(
  (
    "ata_device ata_link ata_port backlight bdi block bluetooth bsg cec cpuid devcoredump devfreq devfreq-event devlink dma " +
    "dmi enclosure extcon firmware gpio graphics hidraw hwmon i2c-adapter i2c-dev ieee80211 input intel_scu_ipc iommu leds " +
    "mdio_bus media mei mem mmc_host msr mtd mux net ndctl nd nvme nvme-generic nvme-subsystem pci_bus pci_epc phy platform-profile " +
    "power_supply powercap ppp pps printer ptp pwm rapl raw regulator rfkill rtc sas_device sas_end_device sas_expander " +
    "sas_host sas_phy sas_port scsi_device scsi_disk scsi_generic scsi_host sound spi_host spi_master spidev spi_transport tee " +
    "thermal tpm tpmrm tsm tty typec typec_mux ubi udc usb_power_delivery usb_role usbmisc vc video4linux virtio-ports vtconsole " +
    "wakeup watchdog wmi_bus zram-control"
  ).split(" "),
);
const IRRELEVANT_FAMILIES = /^(fc_|iscsi_|nvmem|infiniband|scsi_|sas_|usb_)/;

/** Members a class is asked about. 64 DRM minors, 256 of any vendor's: more is no class of accelerators. */
const MEMBER_LIMIT = 1024;

interface Context {
  readonly root: Root;
  readonly rules: ReturnType<typeof createAccess>;
  readonly path: string;
  /** The class device in sysfs; undefined when only /dev shows the node. */
  readonly sysfs?: string;
  readonly uevent?: Reading<Uevent>;
}

function* readClass(root: Root, rules: Context["rules"], name: string): Generator<DeviceNode> {
  const directory = `/sys/class/${name}`;
  const wanted = row(NODE_NAMES, name);
  let left = MEMBER_LIMIT;
  for (const member of valueOf(listDevices(root, directory)) ?? []) {
    if (wanted && !wanted.test(member)) continue;
    if (left-- === 0) return;
    const sysfs = `${directory}/${member}`;
    const uevent = readUevent(root, sysfs);
    const path = nodePath(name, member, uevent);
    if (path === undefined) continue;
    yield deviceNode({ root, rules, path, sysfs, uevent }, { path, class: name, name: member.replaceAll("!", "/") });
  }
}

// The kernel names the node in DEVNAME. Trees that hold no uevent still tell it by class and name, where that is fixed.
function nodePath(className: string, member: string, uevent: Reading<Uevent>): string | undefined {
  if (uevent.state === "read") {
    const name = uevent.value.get("DEVNAME");
    return name === undefined || !isPlain(name) ? undefined : `/dev/${name}`;
  }
  const directory = row(FIXED_DIRECTORIES, className);
  return directory === undefined ? undefined : `${directory}/${member}`;
}

const FIXED_DIRECTORIES: Readonly<Record<string, string>> = { accel: "/dev/accel", drm: "/dev/dri" };

/** A path below /dev that cannot lead out of it. */
function isPlain(name: string): boolean {
  return /^[^/\0]+(\/[^/\0]+){0,4}$/.test(name) && !name.split("/").some((part) => part === "." || part === "..");
}

function nodeOfDev(root: Root, rules: Context["rules"], path: string, stat: Reading<Stat>): DeviceNode {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const numbers = map(stat, ({ major, minor }) => (major === undefined ? undefined : `${major}:${minor ?? 0}`));
  const sysfs = valueOf(numbers) === undefined ? undefined : `/sys/dev/char/${valueOf(numbers) ?? ""}`;
  return deviceNode(sysfs === undefined ? { root, rules, path } : { root, rules, path, sysfs }, {
    path,
    class: "",
    name,
  });
}

const deviceNode = lazyFields<Context, Omit<DeviceNode, "path" | "class" | "name">>({
  device: readDevice,
  major: (c) => readNumber(c, "MAJOR", "major"),
  minor: (c) => readNumber(c, "MINOR", "minor"),
  stat: (c) => c.root.stat(c.path),
  group: (c) => chain(c.root.stat(c.path), (stat, from) => c.rules.groupName(stat.gid, from)),
  owner: (c) => chain(c.root.stat(c.path), (stat, from) => c.rules.userName(stat.uid, from)),
  access: (c) => c.rules.accessTo(c.path, c.root.stat(c.path)),
});

function readNumber(c: Context, key: string, field: "major" | "minor"): Reading<number> {
  const written = c.uevent && ueventValue(c.uevent, key);
  if (written?.state === "read") return parseInteger(written);
  return chain(c.root.stat(c.path), (stat, from) => {
    const number = stat[field];
    return number === undefined ? absent(from, `a ${stat.type}`) : read(number, from);
  });
}

function readDevice(c: Context): Reading<string> {
  const behind = c.sysfs === undefined ? undefined : c.root.real(`${c.sysfs}/device`);
  if (behind?.state === "read") return behind;
  const slot = nvidiaSlot(c.root, c.path);
  if (slot !== undefined) return c.root.real(`/sys/bus/pci/devices/${slot}`);
  return behind ?? uncaptured(c.path, "no class device captured");
}

// NVIDIA's own driver makes its nodes without telling sysfs; its /proc tree says which card has which minor.
function nvidiaSlot(root: Root, path: string): string | undefined {
  const minor = /^\/dev\/nvidia([0-9]{1,3})$/.exec(path)?.[1];
  if (minor === undefined) return undefined;
  const cards = "/proc/driver/nvidia/gpus";
  return (valueOf(listDevices(root, cards)) ?? []).slice(0, MEMBER_LIMIT).find((slot) => {
    const information = valueOf(root.text(`${cards}/${slot}/information`)) ?? "";
    return /^Device Minor:\s*([0-9]+)\s*$/m.exec(information)?.[1] === minor;
  });
}

/** Paths in /dev that a pattern matches; a directory is listed once. */
function* matchingPaths(root: Root, patterns: readonly string[]): Generator<string> {
  const listed = new Map<string, readonly string[]>();
  const list = (directory: string): readonly string[] => {
    let names = listed.get(directory);
    if (names === undefined && listed.size >= MEMBER_LIMIT) return [];
    if (names === undefined) listed.set(directory, (names = valueOf(listDevices(root, directory)) ?? []));
    return names;
  };
  const matches = (directory: string, parts: readonly string[]): string[] => {
    const [part, ...rest] = parts;
    if (part === undefined) return [directory];
    const names = SPECIAL.test(part) ? list(directory).filter(globOf(part)) : [part];
    return names.slice(0, MEMBER_LIMIT).flatMap((name) => {
      const path = `${directory}/${name}`;
      return rest.length === 0 && !list(directory).includes(name) ? [] : matches(path, rest);
    });
  };
  for (const pattern of patterns) {
    if (pattern.startsWith("/dev/")) yield* matches("/dev", pattern.slice(5).split("/"));
  }
}

const SPECIAL = /[*?[]/;

/** glob(7): a star stays within one directory, so /dev/accel* is not /dev/accel/accel0. Compiled when the text before it fits. */
function globOf(glob: string): (text: string) => boolean {
  const special = glob.search(SPECIAL);
  if (special < 0) return (text) => text === glob;
  const prefix = glob.slice(0, special);
  let expression: RegExp | undefined;
  return (text) => text.startsWith(prefix) && (expression ??= new RegExp(`^${globSource(glob)}$`)).test(text);
}

function globSource(glob: string): string {
  return glob.replace(/\*+|\?|\[[^\]/]+\]|[.+^${}()|\\[\]]/g, (piece) => {
    if (piece.startsWith("*")) return "[^/]*";
    if (piece === "?") return "[^/]";
    return piece.length > 2 ? piece.replace(/^\[!/, "[^") : `\\${piece}`;
  });
}
