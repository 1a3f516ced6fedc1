/**
 * The catalogue against kernels, both ways: what the catalogue says of mainline drivers must stand in the kernels, and what
 * the kernels' accelerator drivers announce must stand in the catalogue. `accelctl kernel --check` runs one kernel,
 * test/contract/catalogue.test.ts all that were harvested.
 */

import { valueOf } from "../base/reading.ts";
import type { Source } from "../base/source.ts";
import { compareReleases } from "../facts/kernel.ts";
import type { Family, Match } from "../families/family.ts";
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
 * Everything one kernel contradicts. A driver this kernel does not ship contradicts nothing; `since` is contradicted by a driver
 * that is there before its time.
 */
export function catalogueAgainstKernel(view: KernelView, families: readonly Family[]): readonly Disagreement[] {
  return [...families.flatMap((family) => catalogueToKernel(view, family)), ...kernelToCatalogue(view, families)];
}

function catalogueToKernel(view: KernelView, family: Family): readonly Disagreement[] {
  const found: Disagreement[] = [];
  const seen = new Set<string>();
  for (const route of family.routes) {
    const { module, origin } = route.driver;
    if (module === undefined || origin !== "mainline") continue;
    if (!canDrive(readDriverState(view, route.driver).state)) continue;
    const { since } = route.driver;
    if (since !== undefined && compareReleases(view.release, since) < 0 && !seen.has(module)) {
      found.push({
        kind: "since",
        family: family.id,
        module,
        what: since,
        says: `${view.release} has ${module}, which the catalogue dates to ${since}`,
      });
    }
    seen.add(module);
    const listed = valueOf(view.moduleIndex)?.aliases(module);
    const aliases = listed && valueOf(listed);
    for (const chip of family.chips) {
      if (route.chips !== undefined && !route.chips.includes(chip.id)) continue;
      for (const match of chip.matches) {
        const what = describeMatch(match);
        if (!checkable(match) || aliases === undefined || seen.has(`${module} ${what}`)) continue;
        seen.add(`${module} ${what}`);
        if (claimOf(match, aliases) === undefined) {
          found.push({
            kind: "match not claimed",
            family: family.id,
            module,
            what,
            says: `no alias of ${module} in ${view.release} claims ${what} (${chip.name})`,
          });
        }
      }
    }
    const named = valueOf(view.modinfo(module))?.firmware;
    for (const file of route.firmware?.files ?? []) {
      if (named === undefined || cites(file.source) || named.some((name) => patternHolds(file.path, name))) continue;
      found.push({
        kind: "firmware not asked for",
        family: family.id,
        module,
        what: file.path,
        says: `${module} in ${view.release} does not name ${file.path}`,
      });
    }
  }
  return found;
}

/** Helper and virtual functions, SoC hints and wildcards need not be claimed by the module. */
function checkable(match: Match): boolean {
  if (match.bus === "of") return match.hint !== true;
  if (match.bus === "pci") return match.helper !== true && match.device !== undefined;
  return match.bus === "usb";
}

/** A firmware name that the module does not declare stands on another source than the module's list. */
function cites(source: Source): boolean {
  return "cited" in source || /\.[chS]$/.test(source.kernel) || source.kernel.startsWith("Documentation/");
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
