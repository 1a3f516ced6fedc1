/**
 * Devices that only the kernel log shows. The kernel begins a device's line with the driver that handles it and the device's name
 * (dev_printk, drivers/base/core.c), DRM says what it registered under which minor, PCI prints ids and class when it finds a function.
 */

import { row } from "../base/table.ts";
import type { PastedMachine } from "./paste-machine.ts";

export class LogReader {
  readonly #machine: PastedMachine;
  /** Driver to addresses whose start failed, which outweighs that its lines name the driver. */
  readonly #failed = new Set<string>();
  readonly #kfdIds: string[] = [];
  readonly #components = new Map<string, Set<string>>();

  constructor(machine: PastedMachine) {
    this.#machine = machine;
  }

  /** True when the line is one of the kernel's. */
  line(text: string): boolean {
    const said = withoutPrefix(text).trim();
    const stamped = said !== text.trim();
    const known = this.#device(said) || this.#drm(said) || this.#named(said);
    return known || stamped || KERNEL_WORDS.test(said);
  }

  finish(): void {
    const machine = this.#machine;
    for (const [address, one] of machine.pci) this.#settle(address, one);
    for (const [name, one] of machine.platform) this.#settle(name, one);
    // kfd says ids without address: they are the GPU's when there is one.
    if (this.#kfdIds.length > 0) machine.unplacedDrivers.add("amdgpu");
    const gpus = [...machine.pci.values()].filter((one) => one.claimedBy === "amdgpu" || one.driver === "amdgpu");
    const [vendor = "", device = ""] = (this.#kfdIds[0] ?? "").split(":");
    const [only] = gpus;
    if (gpus.length === 1 && new Set(this.#kfdIds).size === 1 && only?.device === undefined && only !== undefined) {
      Object.assign(only, { vendor, device });
    }
    for (const one of machine.pci.values()) {
      const vendor = one.claimedBy === undefined ? undefined : row(VENDORS, one.claimedBy);
      if (vendor !== undefined) one.vendor ??= vendor;
    }
    for (const one of machine.pci.values()) if (one.claimedBy === "apex") one.device ??= "089a";
    for (const one of machine.pci.values())
      if (typeof one.driver === "string") machine.unplacedDrivers.delete(one.driver);
    this.#placeNodes("/dev/accel/", ACCEL_DRIVERS);
    this.#placeNodes("/dev/dri/", GPU_DRIVERS);
  }

  #settle(address: string, one: { driver?: string | null; claimedBy?: string }): void {
    if (one.claimedBy === undefined) return;
    one.driver ??= this.#failed.has(address) ? null : one.claimedBy;
  }

  /** Nodes of a kind, where one device alone has a driver that makes them. */
  #placeNodes(below: string, drivers: ReadonlySet<string>): void {
    const owners = [...this.#machine.pci].filter(
      ([, one]) => typeof one.driver === "string" && drivers.has(one.driver),
    );
    const [only] = owners;
    if (owners.length !== 1 || only === undefined) return;
    for (const [path, node] of this.#machine.nodes) {
      if (path.startsWith(below)) node.behind ??= `/sys/bus/pci/devices/${only[0]}`;
    }
  }

  // "intel_vpu 0000:00:0b.0: text", "RKNPU fdab0000.npu: text"
  #device(said: string): boolean {
    const pci = /^([A-Za-z][\w-]{1,40}) ([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(?: \w+)?: (.*)$/i.exec(said);
    if (pci !== null) {
      const [, driver = "", slot = "", rest = ""] = pci;
      this.#pciLine(driver, slot.toLowerCase(), rest);
      return true;
    }
    const platform = /^([A-Za-z][\w-]{1,40}) ([0-9a-f]{5,16}\.[a-z][\w-]{0,40}): (.*)$/.exec(said);
    if (platform === null) return false;
    const [, driver = "", name = "", rest = ""] = platform;
    const one = this.#machine.platformAt(name);
    if (driver !== "platform") one.claimedBy = driver;
    if (FAILED.test(rest)) this.#failed.add(name);
    return true;
  }

  #pciLine(driver: string, slot: string, rest: string): void {
    const one = this.#machine.pciAt(slot);
    if (driver === "pci") {
      const found = /^\[([0-9a-f]{4}):([0-9a-f]{4})\] type [0-9a-f]{2} class 0x([0-9a-f]{6})/i.exec(rest);
      if (found !== null) {
        const [, vendor = "", device = "", code = ""] = found.map((part) => part.toLowerCase());
        Object.assign(one, { vendor, device, class: code });
      }
      return;
    }
    one.claimedBy = driver;
    const ids =
      /device found \[([0-9a-f]{4}):([0-9a-f]{4})\](?: \(rev ([0-9a-f]{1,2})\))?/i.exec(rest) ??
      /^Probing on: ([0-9a-f]{4}):([0-9a-f]{4})/i.exec(rest) ??
      /\(PCI ID: ([0-9a-f]{4}):([0-9a-f]{4})\)/i.exec(rest);
    if (ids !== null) {
      Object.assign(one, { vendor: ids[1]?.toLowerCase(), device: ids[2]?.toLowerCase() });
      if (ids[3] !== undefined) one.revision = ids[3].toLowerCase().padStart(2, "0");
    }
    // xe and i915: "Found dg2/g10 (device ID 56a1)"
    const own = /\(device ID ([0-9a-f]{4})\)/i.exec(rest)?.[1];
    if (own !== undefined) one.device ??= own.toLowerCase();
    const node = /Added board [0-9a-f]{4}-[0-9a-f]{4}, (\/dev\/[\w./-]{1,60})/i.exec(rest)?.[1];
    if (node !== undefined) this.#machine.nodeAt(node).behind = `/sys/bus/pci/devices/${slot}`;
    if (/^probe with driver \S+ failed|^Fatal error during/i.test(rest) || FAILED.test(rest)) this.#failed.add(slot);
    else if (/^enabling device|^Initialized|Added board/.test(rest)) this.#failed.delete(slot);
  }

  // "[drm] Initialized intel_vpu 1.0.0 for 0000:00:0b.0 on minor 0"
  #drm(said: string): boolean {
    const found = /^\[drm\] Initialized (\S{1,40}) .{0,40}for (\S{1,60}) on minor (\d{1,4})$/.exec(said.trim());
    if (found === null) return false;
    const [, name = "", device = "", minor = "0"] = found;
    const driver = row(DRM_NAMES, name) ?? name;
    let behind = `/sys/devices/platform/${device}`;
    if (/^[0-9a-f]{4,8}:[0-9a-f]{2}:/i.test(device)) {
      const slot = device.toLowerCase();
      behind = `/sys/bus/pci/devices/${slot}`;
      const one = this.#machine.pciAt(slot);
      one.claimedBy = driver;
      one.driver = driver;
      this.#failed.delete(slot);
    } else if (/^[0-9a-f]{5,16}\./.test(device)) {
      behind = `/sys/bus/platform/devices/${device}`;
      this.#machine.platformAt(device).claimedBy ??= driver;
    }
    this.#machine.nodeAt(ACCEL_DRIVERS.has(driver) ? `/dev/accel/accel${minor}` : `/dev/dri/card${minor}`).behind ??=
      behind;
    return true;
  }

  #named(said: string): boolean {
    const probe = /^(\S{1,40}): probe of (\S{1,60}) failed with error -\d+/.exec(said);
    if (probe !== null) {
      const [, driver = "", address = ""] = probe;
      if (/^[0-9a-f]{4,8}:/.test(address)) this.#machine.pciAt(address).claimedBy ??= driver;
      this.#failed.add(address);
      return true;
    }
    const unusable = /^habanalabs: Failed to initialize \S+ Device (\S+) is NOT usable/i.exec(said)?.[1];
    if (unusable !== undefined) this.#failed.add(unusable);
    const nvidia = /^NVRM: .*?GPU ([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])/i.exec(said);
    if (nvidia !== null) {
      const slot = (nvidia[1] ?? "").toLowerCase();
      this.#pciLine("nvidia", slot, said);
      return true;
    }
    const kfd =
      /^kfd kfd: .*?(?:(?:added|skipped) device ([0-9a-f]{4}:[0-9a-f]{4})|DID ([0-9a-f]{4}) is missing)/i.exec(said);
    if (kfd !== null) this.#kfdIds.push((kfd[1] ?? `1002:${kfd[2] ?? ""}`).toLowerCase());
    const bound = /^(\w+) \w+: bound ([0-9a-f]{5,16}\.[\w-]+) \(ops \w+\)/.exec(said);
    if (bound !== null) {
      const [, driver = "", name = ""] = bound;
      this.#machine.platformAt(name).claimedBy ??= driver;
      const parts = this.#components.get(driver) ?? new Set();
      this.#components.set(driver, parts.add(name));
    }
    const processor = /^remoteproc (remoteproc\d{1,3}): ([0-9a-f]{5,16}\.[\w-]+|[\w-]+) is available/.exec(said);
    if (processor !== null) {
      const [, name = "", device = ""] = processor;
      this.#machine.file(`/sys/class/remoteproc/${name}/name`, `${device}\n`);
      this.#machine.listed.add("/sys/class/remoteproc");
      if (/^[0-9a-f]+\./.test(device)) {
        this.#machine.platformAt(device);
        this.#machine.links.set(`/sys/class/remoteproc/${name}/device`, `/sys/bus/platform/devices/${device}`);
      }
    }
    const image =
      /remoteproc (remoteproc\d{1,3}): (?:loading|Booting fw image) (?:\/lib\/firmware\/\S*?)?((?:qcom|ti-|imx|mediatek|amlogic)\S{1,120}?\.(?:mbn|mdt|elf|bin|img))\b/.exec(
        said,
      );
    if (image !== null) this.#machine.file(`/sys/class/remoteproc/${image[1] ?? ""}/firmware`, `${image[2] ?? ""}\n`);
    for (const [, module = ""] of /^Modules linked in: (.*)$/
      .exec(said)?.[1]
      ?.matchAll(/([a-z][\w-]*)(?:\([A-Z]+[+-]?\))?/gi) ?? []) {
      this.#machine.modules.set(module, `${module} 0 0 - Live 0x0000000000000000`);
    }
    const banner = /^Linux version (\S{1,120}) .*?(#\d.*)?$/.exec(said);
    if (banner !== null) {
      this.#machine.release ??= banner[1] ?? "";
      this.#machine.file("/proc/version", `${said}\n`);
    }
    const machineModel = /^(?:OF: fdt: )?Machine model: (.{1,120})$/.exec(said)?.[1];
    if (machineModel !== undefined) this.#machine.file("/sys/firmware/devicetree/base/model", machineModel);
    return (
      kfd !== null ||
      bound !== null ||
      processor !== null ||
      image !== null ||
      banner !== null ||
      unusable !== undefined
    );
  }
}

/** Of a driver's line: its start ended here. */
const FAILED =
  /probe with driver \S+ failed with error|Failed Enabling interrupts|Failed init pcie resources|Hardware init failed|Unknown GPU model|Device initialization failed|failed to initialize VPU device/i;

/** DRM's name for a driver where the bus knows it by another. */
const DRM_NAMES: Readonly<Record<string, string>> = { amdxdna_accel_driver: "amdxdna", rknpu: "RKNPU" };
/** Drivers under drivers/accel: their minors are accel nodes, not cards. */
const ACCEL_DRIVERS: ReadonlySet<string> = new Set(["intel_vpu", "amdxdna", "qaic", "habanalabs", "rocket", "ethosu"]);
const GPU_DRIVERS: ReadonlySet<string> = new Set(["amdgpu", "i915", "nouveau", "nvidia", "radeon", "xe"]);
/** Drivers that drive functions of one vendor alone, so that a line of theirs tells it. */
const VENDORS: Readonly<Record<string, string>> = {
  amdgpu: "1002",
  amdxdna: "1022",
  apex: "1ac1",
  habanalabs: "1da3",
  hailo: "1e60",
  hailo1x: "1e60",
  i915: "8086",
  intel_vpu: "8086",
  nouveau: "10de",
  nvidia: "10de",
  tenstorrent: "1e52",
  xe: "8086",
};

/** Words by which a line without stamp is still one of the kernel's. */
const KERNEL_WORDS =
  /^(\[drm\]|NVRM: |BUG: |Call Trace:|RIP: |CPU: \d+ |ACPI (Error|Warning|BIOS)|Modules linked in|mhi mhi\d|kfd kfd|Galcore version|remoteproc remoteproc|AMD-Vi: |DMAR: |[a-z][a-z0-9_]{2,30}: (loading (out-of-tree|driver)|module |Init module|version magic|probe of |Unknown symbol))/;

const PREFIXES: readonly RegExp[] = [
  /^<\d{1,3}>/,
  /^\d{1,6},\d{1,20},\d{1,15},[^;]{1,80};/,
  /^[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(\.\d+)? \S{1,255} kernel(\[\d+\])?: /,
  /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S{0,20} \S{1,255} kernel(\[\d+\])?: /,
  /^\[ {0,8}\d{1,10}\.\d{1,9}\] ?/,
  /^\[[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4}\] /,
  /^\[ {0,8}\+?\d{1,8}\.\d{1,9}\] /,
  /^\[ {0,8}[TC]\d{1,9}\] ?/,
];

/** The line without stamp, level and journal prefix; the same string when it has none. */
export function withoutPrefix(line: string): string {
  let rest = line.trimStart();
  let found = false;
  for (const prefix of PREFIXES) {
    const match = prefix.exec(rest);
    if (match === null) continue;
    rest = rest.slice(match[0].length);
    found = true;
  }
  return found ? rest : line;
}
