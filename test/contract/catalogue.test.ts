/**
 * The catalogue against the harvested kernels (kernels/*.json), both ways, and against the module trees of ../shared when they are
 * there. Exceptions carry their reason; one that is no longer needed fails too.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { valueOf } from "../../src/base/reading.ts";
import { compareReleases } from "../../src/facts/kernel.ts";
import { families } from "../../src/families/index.ts";
import { openRoot } from "../../src/root/open.ts";
import {
  accelModules,
  catalogueAgainstKernel,
  claimedMatches,
  describeMatch,
  isClaimed,
} from "../../src/review/catalogue-check.ts";
import { catalogueModules, catalogueSymbols } from "../../src/review/kernel-diff.ts";
import { patternHolds } from "../../src/review/kernel-side.ts";
import { harvestView, parseHarvest } from "../../src/review/harvest.ts";
import { readKernelView, type KernelView } from "../../src/review/kernel-view.ts";

const folder = new URL("../../kernels/", import.meta.url);
const harvests = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => parseHarvest(readFileSync(new URL(name, folder), "utf8"), `kernels/${name}`));
const views = harvests.map((harvest) => harvestView(harvest, `kernels/${harvest.release}-${harvest.arch}.json`));
const newest = Math.max(
  ...views.map((view, i) => (views.every((other) => compareReleases(view.release, other.release) >= 0) ? i : -1)),
);
const newestRelease = views[newest]?.release ?? "";

/** Modules no harvested kernel ships, with why: their ids cannot be held against a modules.alias. */
const unshipped: Readonly<Record<string, string>> = {
  qaic: "Debian has CONFIG_DRM_ACCEL_QAIC off on both architectures",
  rocket: "Debian has CONFIG_DRM_ACCEL_ROCKET off on arm64",
  nova_core: "Debian has CONFIG_NOVA_CORE off",
  ti_k3_dsp_remoteproc: "Debian has CONFIG_TI_K3_DSP_REMOTEPROC off",
  apex: "left Linux with 5.13, before the oldest harvested kernel",
};

/** Aliases of modules below drivers/accel that are no accelerator of their own. */
const noDevice: Readonly<Record<string, string>> = {};

/** Patterns that two families claim, with why that is right. */
const shared: Readonly<Record<string, string>> = {};

test("the harvested kernels are there and unlike each other", () => {
  expect(harvests.length).toBeGreaterThanOrEqual(9);
  expect(new Set(harvests.map(({ release, arch }) => `${release} ${arch}`)).size).toBe(harvests.length);
});

test("every mainline module and symbol of the catalogue was looked for in the newest kernels (else: node tools/harvest.mjs)", () => {
  const current = harvests.filter(({ release }) => compareReleases(release, newestRelease) === 0);
  for (const { release, arch, modules, lacks, config } of current) {
    const known = new Set([...modules.map(({ name }) => name), ...lacks]);
    const missing = {
      modules: catalogueModules(families).filter((name) => !known.has(name)),
      symbols: catalogueSymbols(families).filter((symbol) => !(symbol in config)),
    };
    expect([release, arch, missing]).toEqual([release, arch, { modules: [], symbols: [] }]);
  }
});

describe.each(families.map((family) => [family.id, family] as const))("%s", (_, family) => {
  const claims = claimedMatches(family);

  test("its ids are spelled as the buses spell them, its routes name its chips, its sources say where and when", () => {
    const odd: string[] = [];
    const hold = (what: string, pattern: RegExp): void => {
      if (!pattern.test(what)) odd.push(what);
    };
    hold(family.id, /^[a-z][a-z0-9-]*$/);
    for (const match of family.chips.flatMap((chip) => chip.matches)) {
      if (match.bus === "pci") {
        hold(match.vendor, /^[0-9a-f]{4}$/);
        if (match.device === undefined) hold((match.classes ?? []).join(" "), /./);
        else hold(match.device, /^[0-9a-f]{4}$/);
        for (const word of match.classes ?? []) hold(word, /^([0-9a-f]{2}){1,3}$/);
      } else if (match.bus === "usb") hold(match.id, /^[0-9a-f]{4}:[0-9a-f]{4}$/);
    }
    const chips = new Set(family.chips.map((chip) => chip.id));
    for (const route of family.routes) {
      odd.push(...(route.chips ?? []).filter((chip) => !chips.has(chip)));
      for (const path of route.node?.paths ?? []) hold(path, /^\/dev\//);
      if (route.driver.module !== undefined) hold(route.driver.module, /^[a-z0-9_]+$/i);
    }
    expect(family.sources.length).toBeGreaterThan(0);
    for (const source of family.sources) {
      if ("cited" in source) hold(source.seen, /^20\d\d-\d\d-\d\d$/);
      else hold(source.kernel, /^\w[\w.,+-]*\//);
    }
    expect(odd).toEqual([]);
  });

  test.skipIf(claims.length === 0)("each id it takes from the kernel is claimed by that module in some kernel", () => {
    const doubtful = claims.filter((claim) => {
      if (claim.module in unshipped) return false;
      return !views.some((view) => isClaimed(view, claim) === true);
    });
    expect(doubtful.map(({ module, match, chip }) => `${module}: ${describeMatch(match)} (${chip.name})`)).toEqual([]);
  });

  const files = family.routes.flatMap(({ driver, firmware }) =>
    driver.origin === "mainline" && driver.module !== undefined && firmware !== undefined
      ? firmware.files.map((file) => ({ module: driver.module ?? "", ...file }))
      : [],
  );
  test.skipIf(files.length === 0)("each firmware name is one its module declares, or carries another source", () => {
    const unasked = files.filter(({ module, path, source }) => {
      if ("cited" in source || source.module === undefined) return false;
      // The driver's own code is a source beside the module's list: lists are incomplete.
      if (/\.[chS]$/.test(source.kernel)) return false;
      return !views.some((view) => valueOf(view.modinfo(module))?.firmware.some((name) => patternHolds(path, name)));
    });
    expect(unasked.map(({ module, path }) => `${module}: ${path}`)).toEqual([]);
  });
});

test("a module that the exceptions call unshipped is in no harvested kernel", () => {
  for (const module of Object.keys(unshipped)) {
    const there = views.filter((view) => valueOf(view.moduleIndex)?.file(module).state === "read");
    expect([module, there.map(({ release }) => release)]).toEqual([module, []]);
  }
});

test.each(views.map((view) => [`${view.release} ${valueOf(view.arch) ?? ""}`, view] as const))(
  "the catalogue and Linux %s agree, both ways",
  (_, view) => {
    expect(disagreements(view)).toEqual([]);
  },
);

test("the newest kernels have the modules below drivers/accel that we think they have", () => {
  const modules = views.filter((view) => compareReleases(view.release, newestRelease) === 0).flatMap(accelModules);
  expect(new Set(modules)).toEqual(new Set(["amdxdna", "ethosu", "habanalabs", "intel_vpu"]));
});

test("ids of drivers that no harvested kernel ships are in the catalogue all the same", () => {
  // drivers/accel/qaic/qaic_drv.c and drivers/accel/rocket/rocket_drv.c of Linux 7.3.4
  const announced = ["17cb:a080", "17cb:a100", "17cb:a110", "rockchip,rk3588-rknn-core"];
  const known = new Set(families.flatMap(({ chips }) => chips.flatMap(({ matches }) => matches.map(describeMatch))));
  expect(announced.filter((id) => !known.has(id))).toEqual([]);
});

test("family ids and aliases, chip ids and route names are unique", () => {
  const names = families.flatMap(({ id, aliases }) => [id, ...(aliases ?? [])]);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  for (const { id, chips, routes } of families) {
    for (const words of [chips.map((chip) => chip.id), routes.map((route) => route.name)]) {
      expect([id, words.filter((word, i) => words.indexOf(word) !== i)]).toEqual([id, []]);
    }
  }
});

test("no two families claim one pattern, and no chip of a family claims another's", () => {
  const owners = new Map<string, string[]>();
  for (const family of families) {
    for (const chip of family.chips) {
      for (const match of chip.matches) {
        const { bus } = match;
        const more =
          match.bus === "pci"
            ? [match.revisions, match.classes, match.subsystem, match.below]
            : match.bus === "of"
              ? [match.names, match.hint]
              : [];
        const key = JSON.stringify([bus, describeMatch(match), ...more]);
        owners.set(key, [...(owners.get(key) ?? []), `${family.id}/${chip.id}`]);
      }
    }
  }
  const doubled = [...owners].filter(([key, who]) => who.length > 1 && !(key in shared));
  expect(doubled).toEqual([]);
});

const archives = fileURLToPath(new URL("../../../shared/kernels/", import.meta.url));
const trees = existsSync(archives) ? readdirSync(archives).filter((name) => name.endsWith(".tar.gz")) : [];

test.skipIf(trees.length === 0)("the catalogue agrees with the module trees beside the repository", () => {
  for (const name of trees)
    expect([name, disagreements(readKernelView(openRoot(archives + name)))]).toEqual([name, []]);
});

function disagreements(view: KernelView): readonly string[] {
  return catalogueAgainstKernel(view, families)
    .filter(({ kind, what }) => kind !== "alias in no family" || !(what in noDevice))
    .map(({ kind, family, says }) => `${kind}${family === undefined ? "" : ` (${family})`}: ${says}`);
}
