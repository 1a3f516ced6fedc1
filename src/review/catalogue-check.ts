/**
 * The catalogue against kernels, both ways: what the catalogue says of mainline drivers must stand in the kernels, and what
 * the kernels' accelerator drivers announce must stand in the catalogue. `accelctl kernel --check` runs one kernel,
 * test/contract/catalogue.test.ts all that were harvested.
 */

import { valueOf } from "../base/reading.ts";
import type { Source } from "../base/source.ts";
import { compareReleases } from "../facts/kernel.ts";
import type { Chip, Family, Match, RouteSpec } from "../families/family.ts";
import { claimOf, describeAlias } from "./claims.ts";
import { canDrive, patternHolds } from "./kernel-side.ts";
import { readDriverState } from "./driver-state.ts";
import type { KernelView } from "./kernel-view.ts";

export interface Disagreement {
  readonly kind: "match not claimed" | "firmware not asked for" | "alias in no family" | "since";
  readonly family?: string;
  readonly module: string;
  /** The id, name or release in question. */
  readonly what: string;
  readonly says: string;
}

/** A catalogue match as its bus spells it: 8086:7d1d, arm,ethos-u65, 1a6e:089a. */
export function describeMatch(match: Match): string {
  switch (match.bus) {
    case "pci":
      return `${match.vendor}:${match.device ?? "*"}`;
    case "usb":
      return match.id;
    case "of":
      return match.compatible;
    case "platform":
      return match.modalias;
    case "cpu":
      return match.arch;
  }
}

/**
 * Everything one kernel contradicts. A driver this kernel does not ship contradicts nothing, nor does a kernel that is older than
 * the one a fact was read in; `since` is contradicted by a driver that is there before its time.
 */
export function catalogueAgainstKernel(view: KernelView, families: readonly Family[]): readonly Disagreement[] {
  return [
    ...families.flatMap((family) => [...unclaimed(view, family), ...unasked(view, family), ...early(view, family)]),
    ...kernelToCatalogue(view, families),
  ];
}

/** One id that the catalogue says a module of the kernel claims. */
export interface ClaimedMatch {
  readonly family: Family;
  readonly chip: Chip;
  readonly match: Match;
  /** The module that the source names; another of the family's modules may claim it too. */
  readonly module: string;
  readonly others: readonly string[];
  /** Release the claim was read in. */
  readonly release: string | undefined;
}

/**
 * Ids whose source is a driver of the kernel: the module is the one the source names, else that of the mainline route the chip
 * belongs to. Ids with a cited source, or out of a board's device tree, are no claim about a module.
 */
export function claimedMatches(family: Family): readonly ClaimedMatch[] {
  const others = [
    ...new Set(
      family.chips.flatMap(({ source }) => ("kernel" in source && source.module !== undefined ? [source.module] : [])),
    ),
  ];
  return family.chips.flatMap((chip) => {
    const { source } = chip;
    if (!("kernel" in source)) return [];
    const route = family.routes.find(
      (each) => each.driver.origin === "mainline" && (each.chips === undefined || each.chips.includes(chip.id)),
    );
    const module = source.module ?? (source.kernel.startsWith("drivers/") ? route?.driver.module : undefined);
    if (module === undefined) return [];
    return chip.matches
      .filter(checkable)
      .map((match) => ({ family, chip, match, module, others, release: source.release }));
  });
}

/** Is the id claimed in this kernel? Undefined when the kernel does not ship the module that should. */
export function isClaimed(view: KernelView, claim: ClaimedMatch): boolean | undefined {
  const own = shippedAliases(view, claim.module);
  if (own === undefined) return undefined;
  return [own, ...claim.others.map((module) => shippedAliases(view, module) ?? [])].some(
    (aliases) => claimOf(claim.match, aliases) !== undefined,
  );
}

function unclaimed(view: KernelView, family: Family): readonly Disagreement[] {
  return claimedMatches(family).flatMap((claim) => {
    if (isOlder(view, claim.release) || isClaimed(view, claim) !== false) return [];
    const [module, what] = [claim.module, describeMatch(claim.match)];
    const says = `no alias of ${module} in ${view.release} claims ${what} (${claim.chip.name})`;
    return [{ kind: "match not claimed", family: family.id, module, what, says }];
  });
}

function unasked(view: KernelView, family: Family): readonly Disagreement[] {
  const seen = new Set<string>();
  return mainline(view, family).flatMap(({ route, module }) => {
    const named = valueOf(view.modinfo(module))?.firmware;
    return (route.firmware?.files ?? []).flatMap(({ path, source }): Disagreement[] => {
      if (named === undefined || seen.has(path) || !declared(source) || isOlder(view, source.release)) return [];
      seen.add(path);
      if (named.some((name) => patternHolds(path, name))) return [];
      const says = `${module} in ${view.release} does not name ${path}`;
      return [{ kind: "firmware not asked for", family: family.id, module, what: path, says }];
    });
  });
}

function early(view: KernelView, family: Family): readonly Disagreement[] {
  const seen = new Set<string>();
  return mainline(view, family).flatMap(({ route, module }): Disagreement[] => {
    const { since } = route.driver;
    if (since === undefined || seen.has(module) || compareReleases(view.release, since) >= 0) return [];
    seen.add(module);
    const says = `${view.release} has ${module}, which the catalogue dates to ${since}`;
    return [{ kind: "since", family: family.id, module, what: since, says }];
  });
}

/** Mainline routes this kernel has the driver of. */
function mainline(view: KernelView, family: Family): readonly { readonly route: RouteSpec; readonly module: string }[] {
  return family.routes.flatMap((route) => {
    const { module, origin } = route.driver;
    return module !== undefined && origin === "mainline" && canDrive(readDriverState(view, route.driver).state)
      ? [{ route, module }]
      : [];
  });
}

/** Undefined when this kernel does not ship the module or nobody can tell. */
function shippedAliases(view: KernelView, module: string): readonly string[] | undefined {
  const index = valueOf(view.moduleIndex);
  if (index === undefined) return undefined;
  const there = index.file(module).state === "read" || valueOf(index.builtin(module)) === true;
  return there ? valueOf(index.aliases(module)) : undefined;
}

const isOlder = (view: KernelView, release: string | undefined): boolean =>
  release !== undefined && compareReleases(view.release, release) < 0;

/** Helper and virtual functions, SoC hints and wildcards need not be claimed by the module. */
function checkable(match: Match): boolean {
  if (match.bus === "of") return match.hint !== true;
  if (match.bus === "pci") return match.helper !== true && match.device !== undefined;
  return match.bus === "usb";
}

/**
 * Does the source say that the module declares the name? One that points to the driver's code says that it asks for it all the
 * same: modules do not declare all they load.
 */
function declared(source: Source): source is Extract<Source, { readonly kernel: string }> {
  return "kernel" in source && !/\.[chS]$/.test(source.kernel) && !source.kernel.startsWith("Documentation/");
}

/** Every alias of every module below drivers/accel is some family's. */
function kernelToCatalogue(view: KernelView, families: readonly Family[]): readonly Disagreement[] {
  const index = valueOf(view.moduleIndex);
  if (index === undefined) return [];
  const matches = families.flatMap((family) => family.chips.flatMap((chip) => chip.matches));
  return accelModules(view).flatMap((module) =>
    (valueOf(index.aliases(module)) ?? [])
      .filter((alias) => !matches.some((match) => claimOf(match, [alias]) !== undefined))
      .map((alias) => ({
        kind: "alias in no family" as const,
        module,
        what: describeAlias(alias),
        says: `${module} in ${view.release} claims ${alias}, which no family has`,
      })),
  );
}

/** Modules this kernel ships from drivers/accel: whatever is new there is an accelerator. */
export function accelModules(view: KernelView): readonly string[] {
  const index = valueOf(view.moduleIndex);
  if (index === undefined) return [];
  return (valueOf(index.shipped()) ?? []).filter(
    (module) => valueOf(index.file(module))?.startsWith("kernel/drivers/accel/") === true,
  );
}
