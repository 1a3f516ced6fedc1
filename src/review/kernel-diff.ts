/** What changes for accelerators between two kernels: drivers, ids they claim, firmware they ask for, symbols. Pure. */

import { valueOf } from "../base/reading.ts";
import type { Family } from "../families/family.ts";
import { describeAlias } from "./claims.ts";
import { canDrive, groundSymbols, kernelSide, type DrivableRoute } from "./kernel-side.ts";
import type { KernelView } from "./kernel-view.ts";

export interface Change {
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

export interface DriverChange {
  readonly module: string;
  /** Names of the families it drives. */
  readonly families: readonly string[];
  readonly before: string;
  readonly after: string;
}

export interface ModuleChange extends Change {
  readonly module: string;
}

export interface KernelDiff {
  readonly a: { readonly name: string; readonly release: string; readonly arch: string | undefined };
  readonly b: { readonly name: string; readonly release: string; readonly arch: string | undefined };
  readonly drivers: {
    readonly gained: readonly DriverChange[];
    readonly lost: readonly DriverChange[];
    readonly other: readonly DriverChange[];
  };
  /** Of modules both kernels have. */
  readonly ids: readonly ModuleChange[];
  readonly firmware: readonly ModuleChange[];
  /** Modules whose firmware names one side could not read. */
  readonly firmwareUnknown: readonly string[];
  readonly symbols: readonly { readonly symbol: string; readonly before: string; readonly after: string }[];
  /** False when a configuration could not be read: then `symbols` says nothing. */
  readonly symbolsKnown: boolean;
}

/** `allSymbols`: every symbol of both configurations, not only those accelerators rest on. */
export function diffKernels(
  a: KernelView,
  b: KernelView,
  families: readonly Family[],
  options: { readonly allSymbols?: boolean } = {},
): KernelDiff {
  const [before, after] = [byModule(kernelSide(a, families).routes), byModule(kernelSide(b, families).routes)];
  const gained: DriverChange[] = [];
  const lost: DriverChange[] = [];
  const other: DriverChange[] = [];
  const ids: ModuleChange[] = [];
  const firmware: ModuleChange[] = [];
  const firmwareUnknown: string[] = [];
  for (const [module, [was]] of before) {
    const is = after.get(module)?.[0];
    if (was === undefined || is === undefined) continue;
    const change = { module, families: namesOf(before.get(module)), before: was.state, after: is.state };
    const [could, can] = [canDrive(was.state), canDrive(is.state)];
    if (!could && can) gained.push(change);
    else if (could && !can) lost.push(change);
    else if (was.state !== is.state) other.push(change);
    if (!could || !can) continue;
    const aliases = changeOf(valueOf(was.aliases), valueOf(is.aliases), describeAlias);
    if (aliases !== undefined && differs(aliases)) ids.push({ module, ...aliases });
    const [asked, asks] = [valueOf(a.modinfo(module))?.firmware, valueOf(b.modinfo(module))?.firmware];
    const names = changeOf(asked, asks, (name) => name);
    // One that asks for nothing on the side that can be read most likely never did.
    if (names === undefined) {
      if ((asked ?? asks)?.length !== 0) firmwareUnknown.push(module);
    } else if (differs(names)) firmware.push({ module, ...names });
  }
  return {
    a: { name: a.name, release: a.release, arch: valueOf(a.arch) },
    b: { name: b.name, release: b.release, arch: valueOf(b.arch) },
    drivers: { gained, lost, other },
    ids,
    firmware,
    firmwareUnknown,
    ...symbolChanges(a, b, families, options.allSymbols === true),
  };
}

/** Symbols the catalogue's drivers have or need, and the ground under them. */
export function catalogueSymbols(families: readonly Family[]): readonly string[] {
  const symbols = families.flatMap((family) =>
    family.routes.flatMap(({ driver: { config } }) =>
      config === undefined ? [] : [config.symbol, ...(config.needs ?? [])],
    ),
  );
  return [...new Set([...groundSymbols.map(([symbol]) => symbol), ...symbols])].sort();
}

/** Modules of the kernel that the catalogue's mainline drivers are, those they need beside them, and those its ids are read from. */
export function catalogueModules(families: readonly Family[]): readonly string[] {
  const drivers = families.flatMap((family) => family.routes.map(({ driver }) => driver));
  const modules = drivers.flatMap(({ origin, module, with: others }) =>
    origin === "mainline" ? [...(module === undefined ? [] : [module]), ...(others ?? [])] : [],
  );
  const sources = families.flatMap((family) =>
    family.chips.flatMap(({ source }) => ("kernel" in source && source.module !== undefined ? [source.module] : [])),
  );
  return [...new Set([...modules, ...sources])].sort();
}

function symbolChanges(a: KernelView, b: KernelView, families: readonly Family[], all: boolean) {
  const [before, after] = [valueOf(a.config), valueOf(b.config)];
  if (before === undefined || after === undefined) return { symbols: [], symbolsKnown: false };
  const names = all ? [...new Set([...before.keys(), ...after.keys()])].sort() : catalogueSymbols(families);
  const word = (value: string | undefined): string => value ?? "not written";
  return {
    symbols: names
      .map((symbol) => ({ symbol, before: word(before.get(symbol)), after: word(after.get(symbol)) }))
      .filter((change) => change.before !== change.after),
    symbolsKnown: true,
  };
}

function byModule(routes: readonly DrivableRoute[]): ReadonlyMap<string, readonly DrivableRoute[]> {
  const modules = new Map<string, DrivableRoute[]>();
  for (const route of routes) {
    const known = modules.get(route.module);
    // Two routes may name one module for two drivers (ethosu): the one that is there speaks for it.
    if (known === undefined) modules.set(route.module, [route]);
    else if (!canDrive(known[0]?.state ?? "unknown") && canDrive(route.state)) known.unshift(route);
    else known.push(route);
  }
  return modules;
}

function namesOf(routes: readonly DrivableRoute[] | undefined): readonly string[] {
  return [...new Set((routes ?? []).map((route) => route.familyName))];
}

function changeOf(
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
  word: (entry: string) => string,
): Change | undefined {
  if (before === undefined || after === undefined) return undefined;
  const [was, is] = [new Set(before.map(word)), new Set(after.map(word))];
  return {
    gained: [...is].filter((entry) => !was.has(entry)).sort(),
    lost: [...was].filter((entry) => !is.has(entry)).sort(),
  };
}

const differs = (change: Change): boolean => change.gained.length + change.lost.length > 0;
