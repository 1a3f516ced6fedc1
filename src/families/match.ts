/**
 * Which family and chip does an id belong to? Answered from a table of all ids (ids.ts, generated); only the family that an id
 * leads to is then loaded. Ids come in the spelling of sysfs, lower case.
 */

import { NO_CLASS, NO_ID } from "../facts/pci.ts";
import { decoys } from "./decoys.ts";
import type { Chip, Family, Match, OfMatch, PciMatch, UsbMatch } from "./family.ts";
import { idTable } from "./ids.ts";
import { allFamilies, loadFamily } from "./load.ts";

export interface Matched<M extends Match = Match> {
  readonly family: Family;
  readonly chip: Chip;
  readonly match: M;
}

export interface PciIds {
  readonly vendor: number;
  readonly device: number;
  /** 24 bits. */
  readonly class: number;
  readonly revision?: number | undefined;
}

export type Decoy = (typeof decoys)[number];

type Tables = ReturnType<typeof makeTables>;
let tables: Tables | undefined;

const hex4 = (n: number): string => n.toString(16).padStart(4, "0");

/** The family whose chip has this PCI id; an exact id beats a vendor with a class. */
export function matchPci(ids: PciIds): Matched<PciMatch> | undefined {
  const { pciExact, pciVendor } = (tables ??= makeTables());
  const vendor = hex4(ids.vendor);
  for (const entry of pciExact.get(`${vendor}:${hex4(ids.device)}`) ?? [])
    if (pciHolds(entry.match, ids)) return load(entry);
  for (const entry of pciVendor.get(vendor) ?? []) if (pciHolds(entry.match, ids)) return load(entry);
  return undefined;
}

/** As matchPci, ignoring the revision: the family is known and the chip is newer than the catalogue. */
export function matchPciFamily(ids: PciIds): Family | undefined {
  const { pciExact } = (tables ??= makeTables());
  const row = pciExact.get(`${hex4(ids.vendor)}:${hex4(ids.device)}`)?.[0];
  return row && loadFamily(row.family);
}

export function matchUsb(vendor: number, product: number): Matched<UsbMatch> | undefined {
  const row = (tables ??= makeTables()).usb.get(`${hex4(vendor)}:${hex4(product)}`);
  return row && load(row);
}

/**
 * By device-tree compatible, most specific first, and node name without address. Entries marked `hint` are skipped unless asked
 * for: they prove the SoC only.
 */
export function matchOf(compatible: readonly string[], nodeName: string, hints = false): Matched<OfMatch> | undefined {
  const { of } = (tables ??= makeTables());
  for (const word of compatible) {
    for (const entry of of.get(word) ?? []) {
      if (entry.match.hint && !hints) continue;
      if (entry.match.names === undefined || entry.match.names.includes(nodeName)) return load(entry);
    }
  }
  return undefined;
}

/** A platform device without device tree: by its modalias (platform:rknn, acpi:...). */
export function matchModalias(modalias: string): Matched | undefined {
  const { platform } = (tables ??= makeTables());
  const found = platform.find((entry) => globMatches(entry.pattern, modalias));
  return found && load(found.row);
}

/** The one family whose hardware a driver of this name drives; undefined for drivers of several and of anything (vfio-pci). */
export function familyOfDriver(driver: string): Family | undefined {
  const { drivers } = (tables ??= makeTables());
  const id = drivers.get(driver) ?? drivers.get(driver.replaceAll("-", "_"));
  return id === undefined ? undefined : loadFamily(id);
}

/** Names of all such drivers. */
export function knownDrivers(): readonly string[] {
  return [...(tables ??= makeTables()).drivers.keys()];
}

export function matchCpu(arch: string): Matched | undefined {
  const { cpu } = (tables ??= makeTables());
  const found = cpu.find((entry) => globMatches(entry.pattern, arch));
  return found && load(found.row);
}

/** Something that looks like an accelerator and is known to be none. */
export function matchDecoyPci(ids: PciIds): Decoy | undefined {
  return decoys.find((decoy) => decoy.match.bus === "pci" && pciIdsHold(decoy.match, ids));
}

export function familyById(id: string): Family | undefined {
  return loadFamily(id) ?? allFamilies().find((family) => (family.aliases ?? []).includes(id));
}

/** Globs of every device node the catalogue knows: what facts/nodes looks for. */
export function nodePatterns(): readonly string[] {
  return (tables ??= makeTables()).nodePatterns;
}

function pciIdsHold(match: PciMatch, ids: PciIds): boolean {
  if (match.vendor !== hex4(ids.vendor)) return false;
  return (match.device === undefined || match.device === hex4(ids.device)) && pciHolds(match, ids);
}

function pciHolds(match: PciMatch, ids: PciIds): boolean {
  // A log may name a function without its class; then the vendor alone has to do.
  if (match.classes !== undefined && ids.class !== NO_CLASS) {
    const text = ids.class.toString(16).padStart(6, "0");
    if (!match.classes.some((prefix) => text.startsWith(prefix))) return false;
  }
  if (match.below !== undefined && (ids.device === NO_ID || hex4(ids.device) >= match.below)) return false;
  // A capture without the revision file still knows the device: revision decides only when it was read.
  if (match.revisions !== undefined && ids.revision !== undefined) {
    if (!match.revisions.includes(ids.revision.toString(16).padStart(2, "0"))) return false;
  }
  return true;
}

/** Whole-text match of `*`, `?` and `[...]`. Patterns are the catalogue's own, short and few: compiled once. */
export function globMatches(pattern: string, text: string): boolean {
  if (!/[*?[]/.test(pattern)) return pattern === text;
  let compiled = globs.get(pattern);
  if (!compiled) {
    const source = pattern
      .replace(/[.+^${}()|\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    compiled = new RegExp(`^${source}$`, "s");
    globs.set(pattern, compiled);
  }
  return compiled.test(text);
}
const globs = new Map<string, RegExp>();

/** One id of one chip; the family behind it is loaded when the id is met. */
interface Row<M extends Match = Match> {
  readonly family: string;
  readonly chip: string;
  readonly match: M;
}

/** What `npm run generate` writes to ids.ts. */
interface IdTable {
  readonly rows: readonly Row[];
  readonly drivers: Readonly<Record<string, string>>;
  readonly nodes: readonly string[];
}

function load<M extends Match>(row: Row<M>): Matched<M> {
  const family = loadFamily(row.family);
  const chip = family?.chips.find((candidate) => candidate.id === row.chip);
  if (!family || !chip) throw new Error(`ids.ts is stale: ${row.family}/${row.chip}; run npm run generate`);
  return { family, chip, match: row.match };
}

function makeTables() {
  const table = JSON.parse(idTable) as IdTable; // written by our own generator and compared with the catalogue in a test
  const pciExact = new Map<string, Row<PciMatch>[]>();
  const pciVendor = new Map<string, Row<PciMatch>[]>();
  const usb = new Map<string, Row<UsbMatch>>();
  const of = new Map<string, Row<OfMatch>[]>();
  const platform: { pattern: string; row: Row }[] = [];
  const cpu: { pattern: string; row: Row }[] = [];
  const push = <T>(map: Map<string, T[]>, key: string, value: T): void => {
    const list = map.get(key);
    if (list) list.push(value);
    else map.set(key, [value]);
  };
  for (const { family, chip, match } of table.rows) {
    if (match.bus === "pci" && match.device !== undefined) {
      push(pciExact, `${match.vendor}:${match.device}`, { family, chip, match });
    } else if (match.bus === "pci") push(pciVendor, match.vendor, { family, chip, match });
    else if (match.bus === "usb") usb.set(match.id, { family, chip, match });
    else if (match.bus === "of") push(of, match.compatible, { family, chip, match });
    else if (match.bus === "platform") platform.push({ pattern: match.modalias, row: { family, chip, match } });
    else cpu.push({ pattern: match.arch, row: { family, chip, match } });
  }
  return {
    pciExact,
    pciVendor,
    usb,
    of,
    platform,
    cpu,
    drivers: new Map(Object.entries(table.drivers)),
    nodePatterns: table.nodes,
  };
}
