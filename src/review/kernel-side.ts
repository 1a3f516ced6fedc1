/**
 * The kernel's side: what one kernel could drive if it were plugged in. For every route of the catalogue the driver's state with
 * its evidence, which of the family's chips the module claims here, and which firmware it would ask for.
 */

import type { Evidence, KernelState } from "../base/finding.ts";
import { absent, valueOf, type Reading } from "../base/reading.ts";
import type { FirmwareFile } from "../facts/firmware.ts";
import type { Chip, Family, FirmwareSpec, RouteSpec } from "../families/family.ts";
import { claimOf } from "./claims.ts";
import { readDriverState, type DriverState } from "./driver-state.ts";
import type { KernelView } from "./kernel-view.ts";

export interface FirmwareAsked {
  /** As the module asks for it; may hold `*` when the catalogue says it. */
  readonly name: string;
  /** Who says so: the module's own .modinfo, the catalogue (modules do not name all), or both. */
  readonly by: "module" | "catalogue" | "both";
  readonly files: Reading<readonly FirmwareFile[]>;
  /** Names with the same word stand in for each other. */
  readonly oneOf?: string;
}

export interface NamedChip {
  readonly id: string;
  readonly name: string;
}

export interface DrivableRoute {
  readonly family: string;
  readonly familyName: string;
  readonly route: string;
  readonly module: string;
  readonly origin: string;
  readonly since?: string;
  readonly state: KernelState;
  readonly driver: DriverState;
  readonly evidence: readonly Evidence[];
  /** Alias patterns of the module in this kernel; asked only of one it can drive with. */
  readonly aliases: Reading<readonly string[]>;
  /** Chips of the route whose id this module claims here; those it does not (newer than this kernel). Unset when aliases are unknown. */
  readonly claims?: { readonly chips: readonly NamedChip[]; readonly not: readonly NamedChip[] };
  readonly firmware: readonly FirmwareAsked[];
}

export interface KernelSide {
  readonly release: string;
  readonly arch: Reading<string>;
  readonly running: boolean;
  readonly configFrom: Reading<string>;
  readonly modulesFrom: Reading<string>;
  /** What accelerators rest on, as configured: symbol and value, undefined when it is not written. */
  readonly ground: readonly { readonly symbol: string; readonly value: string | undefined; readonly says: string }[];
  readonly routes: readonly DrivableRoute[];
}

/** Symbols under the drivers: without them a driver is not offered, or a use of it fails. */
export const groundSymbols: readonly (readonly [string, string])[] = [
  ["DRM_ACCEL", "class accel, /dev/accel"],
  ["HSA_AMD", "ROCm's /dev/kfd in amdgpu"],
  ["IOMMU_SVA", "shared virtual addressing"],
  ["PCI_P2PDMA", "transfers between cards"],
  ["DMABUF_HEAPS", "buffers for NPUs of SoCs"],
  ["FW_LOADER_COMPRESS_XZ", "firmware packed with xz"],
  ["FW_LOADER_COMPRESS_ZSTD", "firmware packed with zstd"],
  ["MODULE_SIG_FORCE", "refuses modules without signature"],
];

/** Pure: the same view gives the same answer. Routes without a kernel driver are left out. */
export function kernelSide(view: KernelView, families: readonly Family[]): KernelSide {
  const config = view.config;
  return {
    release: view.release,
    arch: view.arch,
    running: view.running,
    configFrom: from(config),
    modulesFrom: from(view.moduleIndex),
    ground: groundSymbols.map(([symbol, says]) => ({ symbol, says, value: valueOf(config)?.get(symbol) })),
    routes: families.flatMap((family) => family.routes.flatMap((route) => drivable(view, family, route))),
  };
}

/** Can this kernel drive it as it is installed? */
export function canDrive(state: KernelState): boolean {
  return state === "shipped as a module" || state === "built in" || state === "loaded" || state === "bound";
}

function drivable(view: KernelView, family: Family, route: RouteSpec): readonly DrivableRoute[] {
  const module = route.driver.module;
  if (module === undefined || route.driver.origin === "none") return [];
  const driver = readDriverState(view, route.driver);
  const usable = canDrive(driver.state);
  const aliases = usable ? aliasesOf(view, module) : absent(view.moduleIndex.from, driver.state);
  // vfio_pci:... are for a device somebody names by driver_override; no bus asks for them.
  const known = valueOf(aliases)?.filter((pattern) => !pattern.startsWith("vfio_pci:"));
  // A module without aliases is bound by another way (auxiliary bus, by hand): its list says nothing about chips.
  const claims = known === undefined || known.length === 0 ? undefined : claimedChips(view, family, route, known);
  return [
    {
      family: family.id,
      familyName: family.name,
      route: route.name,
      module,
      origin: route.driver.origin,
      ...(route.driver.since === undefined ? {} : { since: route.driver.since }),
      state: driver.state,
      driver,
      evidence: driver.evidence,
      aliases,
      ...(claims === undefined ? {} : { claims }),
      firmware: usable ? firmwareOf(view, module, route.firmware, claims?.chips) : [],
    },
  ];
}

function aliasesOf(view: KernelView, module: string): Reading<readonly string[]> {
  const index = valueOf(view.moduleIndex);
  return index === undefined ? (view.moduleIndex as Reading<never>) : index.aliases(module);
}

/** A chip whose source names another module (a remote processor's, under fastrpc) is claimed by that one. */
function claimedChips(view: KernelView, family: Family, route: RouteSpec, aliases: readonly string[]) {
  const own: readonly Chip[] = family.chips.filter(
    (chip) => route.chips === undefined || route.chips.includes(chip.id),
  );
  const others = family.chips.flatMap(({ source }) =>
    "kernel" in source && source.module !== undefined ? [source.module] : [],
  );
  const all = [...aliases, ...[...new Set(others)].flatMap((module) => valueOf(aliasesOf(view, module)) ?? [])];
  const claimed = own.filter((chip) => chip.matches.some((match) => claimOf(match, all) !== undefined));
  const not = own.filter((chip) => !claimed.includes(chip) && isClaim(chip));
  const named = ({ id, name }: Chip): NamedChip => ({ id, name });
  return { chips: claimed.map(named), not: not.map(named) };
}

/** Only ids that were read in a driver are missed there; one out of a device tree may be reached by a less specific compatible. */
function isClaim({ source, matches }: Chip): boolean {
  const named = "kernel" in source && (source.module !== undefined || source.kernel.startsWith("drivers/"));
  return named && matches.some((match) => match.bus !== "cpu" && !(match.bus === "pci" && match.device === undefined));
}

/** Firmware of chips that this kernel's module does not claim is not asked for. */
function firmwareOf(
  view: KernelView,
  module: string,
  spec: FirmwareSpec | undefined,
  chips: readonly NamedChip[] | undefined,
): readonly FirmwareAsked[] {
  const named = valueOf(view.modinfo(module))?.firmware ?? [];
  const asked: FirmwareAsked[] = [];
  const taken = new Set<string>();
  for (const file of spec?.files ?? []) {
    if (chips !== undefined && file.chips?.some((id) => chips.some((chip) => chip.id === id)) === false) continue;
    const same = named.filter((name) => patternHolds(file.path, name));
    for (const name of same) taken.add(name);
    asked.push({
      name: file.path,
      by: same.length > 0 ? "both" : "catalogue",
      files: view.firmware(file.path),
      ...(file.oneOf === undefined ? {} : { oneOf: file.oneOf }),
    });
  }
  for (const name of [...new Set(named)].sort()) {
    if (!taken.has(name)) asked.push({ name, by: "module", files: view.firmware(name) });
  }
  return asked;
}

/** A catalogue's name may hold one `*` per path element. */
export function patternHolds(pattern: string, name: string): boolean {
  const [wanted, given] = [pattern.split("/"), name.split("/")];
  return (
    wanted.length === given.length &&
    wanted.every((element, i) => {
      const word = given[i] ?? "";
      const star = element.indexOf("*");
      if (star < 0) return element === word;
      const [head, tail] = [element.slice(0, star), element.slice(star + 1)];
      return word.length >= head.length + tail.length && word.startsWith(head) && word.endsWith(tail);
    })
  );
}

function from(reading: Reading<unknown>): Reading<string> {
  return reading.state === "read" ? { state: "read", value: reading.from, from: reading.from } : reading;
}
