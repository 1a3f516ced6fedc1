/** PCI functions out of lspci in any of its spellings, lshw and vendors' tables. lspci(8), lshw(1) */

import { row } from "../base/table.ts";
import type { PastedMachine, PastedPci } from "./paste-machine.ts";
import { classNames, idsOfName, idsOfNameAndRevision } from "./paste-names.ts";

/** Reads one line; true when it was one of lspci's or lshw's. `previous` is the function the last such line spoke of. */
export class PciReader {
  readonly #machine: PastedMachine;
  #slot: string | undefined;
  #verbose = new Map<string, Detail>();
  #showsDrivers = false;
  #lshw: { driver?: string; slot?: string; class?: string; name?: string; revision?: string } | undefined;

  constructor(machine: PastedMachine) {
    this.#machine = machine;
  }

  line(text: string): boolean {
    return this.#header(text) || this.#detail(text) || this.#lshwLine(text) || this.#tableLine(text);
  }

  /** A prompt or an empty line ends what belongs to one function. */
  end(): void {
    this.#slot = undefined;
  }

  finish(): void {
    this.#endLshw();
    for (const [slot, one] of this.#machine.pci) {
      if (one.driver === undefined && this.#isUnbound(slot)) one.driver = null;
      const [card = "", fn] = slot.split(".");
      const first = this.#machine.pci.get(`${card}.0`);
      // Functions of one device are of different kinds; the same id again is a virtual function (SR-IOV).
      if (fn !== "0" && first?.vendor !== undefined && first.device !== undefined) {
        if (first.vendor === one.vendor && first.device === one.device) one.physicalFunction = `${card}.0`;
      }
    }
  }

  // A bound driver is printed with -k and -v. Where the text shows drivers of other functions, silence means unbound; where it shows
  // the registers, a function that may neither answer nor master the bus has no driver that started it.
  #isUnbound(slot: string): boolean {
    const detail = this.#verbose.get(slot);
    if (detail === undefined) return false;
    if (detail.modules) return true;
    if (this.#showsDrivers && detail.subsystem) return true;
    return detail.memory === false && detail.master === false;
  }

  #header(text: string): boolean {
    const found = HEADER.exec(text);
    const numeric = found === null ? NUMERIC.exec(text) : null;
    if (found === null && numeric === null) return this.#machineReadable(text);
    // A kernel line may hold "ADDRESS word: text" too; a class is known by its name or shows its number.
    if (found !== null && found[3] === undefined && row(classNames, (found[2] ?? "").trim()) === undefined)
      return false;
    const slot = withDomain((found ?? numeric)?.[1] ?? "");
    this.#machine.pciAsked = true;
    this.#slot = slot;
    const one = this.#machine.pciAt(slot);
    if (numeric !== null) {
      const [, , code = "", vendor = "", device = "", tail = ""] = numeric;
      Object.assign(one, { class: `${code}00`, vendor: vendor.toLowerCase(), device: device.toLowerCase() });
      setRevision(one, tail);
      return true;
    }
    const [, , className = "", code, described = ""] = found ?? [];
    const revision = REVISION.exec(described)?.[1];
    const interfaceByte = /\(prog-if ([0-9a-f]{2})/i.exec(described)?.[1] ?? "00";
    const base = code ?? row(classNames, className.trim());
    if (base !== undefined) one.class = `${base}${interfaceByte === "ff" ? "00" : interfaceByte}`;
    const bare = described
      .replace(/\s*\((rev|prog-if) [0-9a-f]{2}[^)]*\)/gi, "")
      .replace(/\s{3,}.*$/, "")
      .trim();
    const ids = /\[([0-9a-f]{4}):([0-9a-f]{4})\]/i.exec(bare);
    const name = bare.replace(/\s*\[[0-9a-f]{4}:[0-9a-f]{4}\].*$/i, "").trim();
    const known =
      ids === null
        ? idsOfNameAndRevision(name, revision)
        : { vendor: (ids[1] ?? "").toLowerCase(), device: (ids[2] ?? "").toLowerCase() };
    if (known !== undefined) {
      one.vendor ??= known.vendor;
      if (known.device !== undefined) Object.assign(one, { vendor: known.vendor, device: known.device });
    }
    if (name !== "" && !/^Device( |$)|\bDevice$/.test(name)) one.label ??= name;
    setRevision(one, described);
    // Excerpts put details on the same line.
    this.#driverIn(described, one, slot);
    return true;
  }

  // lspci -vmm: "Slot:\t04:00.0", "Class:\tSystem peripheral [0880]", "Device:\tCoral Edge TPU [089a]"
  #machineReadable(text: string): boolean {
    const [, key = "", value = ""] =
      /^(Slot|Class|Vendor|Device|Rev|Driver|Module|IOMMUGroup|SVendor|SDevice|ProgIf|NUMANode):\t(.*)$/.exec(text) ??
      [];
    if (key === "") return false;
    if (key === "Slot") {
      this.#slot = withDomain(value.trim());
      this.#machine.pciAsked = true;
      this.#vendorName = "";
    }
    const slot = this.#slot;
    if (slot === undefined || !SLOT.test(slot)) return false;
    const one = this.#machine.pciAt(slot);
    const code = /\[([0-9a-f]{4})\]$/i.exec(value)?.[1]?.toLowerCase();
    const name = value.replace(/\s*\[[0-9a-f]{4}\]$/i, "");
    if (key === "Class") {
      const base = code ?? row(classNames, name);
      if (base !== undefined) one.class = `${base}00`;
    } else if (key === "Vendor") {
      this.#vendorName = name;
      const vendor = code ?? idsOfName(name)?.vendor;
      if (vendor !== undefined) one.vendor = vendor;
    } else if (key === "Device") {
      one.label ??= `${this.#vendorName} ${name}`;
      const device = code ?? idsOfName(`${this.#vendorName} ${name}`)?.device;
      if (device !== undefined) one.device = device;
    } else if (key === "Rev" && /^[0-9a-f]{2}$/i.test(value)) one.revision = value.toLowerCase();
    else if (key === "Driver") one.driver = value;
    else if (key === "Module") one.modules = one.modules === undefined ? value : `${one.modules} ${value}`;
    else if (key === "IOMMUGroup") one.iommuGroup = value;
    return true;
  }

  #vendorName = "";

  #detail(text: string): boolean {
    const slot = this.#slot;
    const trimmed = text.trim();
    if (slot === undefined) {
      const loose = /^Kernel driver in use: (\S+)$/.exec(trimmed)?.[1];
      if (loose !== undefined) this.#machine.unplacedDrivers.add(loose);
      return loose !== undefined || /^Kernel modules?: \S/.test(trimmed);
    }
    const one = this.#machine.pciAt(slot);
    const detail = this.#detailOf(slot);
    const subsystem = /^Subsystem:? (.*)$/.exec(trimmed)?.[1];
    if (subsystem !== undefined) {
      detail.subsystem = true;
      const ids = /\[([0-9a-f]{4}):([0-9a-f]{4})\]/i.exec(subsystem);
      const named = ids === null ? idsOfName(subsystem) : { vendor: ids[1] ?? "", device: ids[2] ?? "" };
      if (named?.device !== undefined) one.subsystem = [named.vendor.toLowerCase(), named.device.toLowerCase()];
      this.#driverIn(subsystem, one, slot);
      return true;
    }
    const driver = this.#driverIn(trimmed, one, slot);
    return driver || readRegisters(trimmed, one, detail);
  }

  #driverIn(text: string, one: PastedPci, slot: string): boolean {
    const driver = /Kernel driver in use: (\S+)/.exec(text)?.[1];
    const modules = /Kernel modules?: (.+)$/.exec(text)?.[1];
    if (driver !== undefined) {
      one.driver = driver;
      this.#showsDrivers = true;
    }
    if (modules !== undefined) {
      one.modules = modules.split(/[,\s]+/).join(" ");
      this.#detailOf(slot).modules = true;
      this.#showsDrivers = true;
    }
    return driver !== undefined || modules !== undefined;
  }

  #detailOf(slot: string): Detail {
    const known = this.#verbose.get(slot) ?? { subsystem: false, modules: false };
    this.#verbose.set(slot, known);
    return known;
  }

  // lshw: a block of "key: value" lines below "*-name"; the class is told by its description.
  #lshwLine(text: string): boolean {
    if (/^\s*\*?-[a-z][\w:]*(\s+(UNCLAIMED|DISABLED))?\s*$/.test(text)) {
      this.#endLshw();
      this.#lshw = {};
      return true;
    }
    const [, key = "", value = ""] =
      /^\s+(description|product|vendor|bus info|version|configuration): (.*)$/.exec(text) ?? [];
    const block = this.#lshw;
    if (block === undefined || key === "") return false;
    if (key === "description") block.class = value;
    if (key === "product" || key === "vendor") block.name = key === "product" ? value : `${value} ${block.name ?? ""}`;
    if (key === "version") block.revision = value;
    if (key === "bus info" && value.startsWith("pci@")) block.slot = withDomain(value.slice(4));
    if (key === "configuration") {
      const driver = /\bdriver=(\S+)/.exec(value)?.[1];
      if (driver !== undefined) block.driver = driver;
    }
    return true;
  }

  #endLshw(): void {
    const block = this.#lshw;
    this.#lshw = undefined;
    if (block?.slot === undefined || !SLOT.test(block.slot)) return;
    const one = this.#machine.pciAt(block.slot);
    const base = row(classNames, block.class ?? "");
    if (base !== undefined) one.class ??= `${base}00`;
    const ids = /\[([0-9a-f]{4}):([0-9a-f]{4})\]/i.exec(block.name ?? "");
    const known =
      ids === null
        ? idsOfName((block.name ?? "").replace(/\s+/g, " ").trim())
        : { vendor: (ids[1] ?? "").toLowerCase(), device: (ids[2] ?? "").toLowerCase() };
    if (known !== undefined) {
      one.vendor ??= known.vendor;
      if (known.device !== undefined) one.device ??= known.device;
    }
    if (block.driver !== undefined) one.driver ??= block.driver;
    if (block.revision !== undefined && /^[0-9a-f]{2}$/i.test(block.revision))
      one.revision ??= block.revision.toLowerCase();
  }

  // npu-smi, hl-smi, nvidia-smi: the row with the bus address belongs to the row above or its own first cell.
  #row: string | undefined;
  #table: TableTool | undefined;

  #tableLine(text: string): boolean {
    for (const tool of tableTools) if (tool.banner.test(text)) this.#table = tool;
    const table = this.#table;
    if (table === undefined || !/^\s*\|/.test(text)) return false;
    const address = /\b((?:[0-9a-f]{4}|[0-9a-f]{8}):[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\b/i.exec(text)?.[1];
    if (address === undefined) {
      this.#row = text;
      return false;
    }
    const one = this.#machine.pciAt(withDomain(address.replace(/^0000(?=[0-9a-f]{4}:)/i, "")));
    const name = table.name.exec(text)?.[1] ?? table.name.exec(this.#row ?? "")?.[1];
    one.vendor ??= table.vendor;
    if (name !== undefined) {
      one.label ??= `${table.maker} ${name.trim()}`;
      const device = table.devices.find(([prefix]) => name.startsWith(prefix))?.[1];
      if (device !== undefined) one.device ??= device;
    }
    if (table.driver !== undefined) one.driver ??= table.driver;
    if (table.class !== undefined) one.class ??= table.class;
    return true;
  }
}

interface Detail {
  subsystem: boolean;
  modules: boolean;
  memory?: boolean;
  master?: boolean;
}

interface TableTool {
  readonly banner: RegExp;
  readonly maker: string;
  readonly vendor: string;
  readonly name: RegExp;
  /** Beginning of the name to device id, longest first. */
  readonly devices: readonly (readonly [string, string])[];
  /** The tool lists only what this driver is bound to. */
  readonly driver?: string;
  readonly class?: string;
}

const tableTools: readonly TableTool[] = [
  {
    banner: /\bnpu-smi\b/,
    maker: "Ascend",
    vendor: "19e5",
    name: /^\s*\|\s*\d+\s+(910_93|910B\w*|910\w*|310P\w*|310\w*)\b/,
    // Huawei's own host log collector: 310 d100, 310P d500, 910 d801, 910B d802, 910_93 d803.
    devices: [
      ["910_93", "d803"],
      ["910B", "d802"],
      ["910", "d801"],
      ["310P", "d500"],
      ["310", "d100"],
    ],
  },
  {
    banner: /\bhl-smi\b|HL-SMI Version/i,
    maker: "Habana",
    vendor: "1da3",
    name: /^\s*\|\s*\d+\s+(HL-\w+)/,
    devices: [],
    driver: "habanalabs",
  },
  {
    banner: /\bNVIDIA-SMI\b/,
    maker: "NVIDIA",
    vendor: "10de",
    name: /^\s*\|\s*\d+\s+(?:NVIDIA )?(\S[^|]*?)\s{2,}/,
    devices: [],
    driver: "nvidia",
  },
];

const SLOT = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;
/** "04:00.0 System peripheral [0880]: Global Unichip ..."; excerpts may put a word before the slot. */
const HEADER =
  /^(?:[^\n]{0,40}\s)?((?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]) ([A-Z3][^:[]{1,60}?)(?: \[([0-9a-fA-F]{4})\])?: (.{1,400})$/;
/** lspci -n: "0b:00.0 1200: 1ff4:0000 (rev 01)" */
const NUMERIC =
  /^\s*((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) (?:Class )?([0-9a-f]{4}): ([0-9a-f]{4}):([0-9a-f]{4})(.*)$/i;
const REVISION = /\(rev ([0-9a-f]{2})\)/i;

export function withDomain(slot: string): string {
  const lower = slot.toLowerCase();
  return lower.split(":").length === 2 ? `0000:${lower}` : lower;
}

function setRevision(one: PastedPci, text: string): void {
  const revision = REVISION.exec(text)?.[1];
  if (revision !== undefined) one.revision = revision.toLowerCase();
}

/** Lines of -v and -vv that say something a review asks for. */
function readRegisters(text: string, one: PastedPci, detail: Detail): boolean {
  const control = /^Control: .*\bMem([+-]).*?BusMaster([+-])/.exec(text);
  if (control !== null) {
    detail.memory = control[1] === "+";
    detail.master = control[2] === "+";
    one.attributes.set("enable", detail.memory ? "1" : "0");
    return true;
  }
  const group = /IOMMU group:? (\d{1,6})\b/.exec(text)?.[1];
  if (group !== undefined) one.iommuGroup = group;
  const numa = /NUMA node:? (\d{1,4})\b/.exec(text)?.[1];
  if (numa !== undefined) one.attributes.set("numa_node", numa);
  const memory =
    /^(?:Region (\d): )?Memory at (<unassigned>|<ignored>|[0-9a-f]{1,16}) \((64|32)-bit(?:, (non-)?prefetchable)?\)(.*)$/.exec(
      text,
    );
  if (memory !== null) {
    addBar(one, memory);
    return true;
  }
  const link = /^Lnk(Cap|Sta):.*?Speed ([\d.]+)GT\/s.*?Width x(\d{1,2})/.exec(text);
  if (link !== null) {
    const kind = link[1] === "Cap" ? "max" : "current";
    one.attributes.set(`${kind}_link_speed`, `${Number(link[2]).toFixed(1)} GT/s PCIe`);
    one.attributes.set(`${kind}_link_width`, link[3] ?? "");
    return true;
  }
  return /^(Flags|Status|Latency|Interrupt|Capabilities|IOMMU group|NUMA node|Region|I\/O ports|Expansion ROM|DeviceName|Physical Slot|BIST):? /.test(
    text,
  );
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

// A line of sysfs `resource` is "start end flags"; a 64-bit BAR takes two. Flags: include/linux/ioport.h
function addBar(one: PastedPci, [, region, where = "", width, notPrefetchable, tail = ""]: RegExpExecArray): void {
  const index = region === undefined ? one.bars.length : Number(region);
  if (index > 5) return;
  while (one.bars.length < index) one.bars.push(EMPTY_BAR);
  const [, digits = "", unit = ""] = /\[size=(\d{1,4})([KMGT]?)\]/.exec(tail) ?? [];
  const size = BigInt(digits === "" ? 1 : Number(digits) * (UNITS[unit] ?? 1));
  const assigned = !where.startsWith("<");
  const start = assigned ? BigInt(`0x${where}`) : 0n;
  const flags =
    0x40200 |
    (notPrefetchable === undefined ? 0x2008 : 0) |
    (width === "64" ? 0x100004 : 0) |
    (assigned ? 0 : 0x20000000);
  one.bars[index] = [start, start + size - 1n, BigInt(flags)]
    .map((n) => `0x${n.toString(16).padStart(16, "0")}`)
    .join(" ");
  if (width === "64" && index < 5) one.bars[index + 1] = EMPTY_BAR;
}

const EMPTY_BAR = ["0", "0", "0"].map((n) => `0x${n.padStart(16, "0")}`).join(" ");
