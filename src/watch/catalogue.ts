/**
 * Meters from the catalogue: each row of a family's `metrics` becomes a file that is there, a question to the driver, or the reason why
 * there is neither. Rows of one name and part are tried in their order: a new name before the one it replaces.
 */

import type { Unread } from "../base/reading.ts";
import type { MetricSpec } from "../families/family.ts";
import { formMeter } from "./forms.ts";
import { fileMeter, fixedMeter, wordOf, type Meter, type Named } from "./meter.ts";
import { exists, partsOf, spotsOf, type Place, type Spot } from "./place.ts";
import { saysOf, unknown } from "./value.ts";

/** Schemes that are files; the others have readers of their own (ask.ts, processes.ts, nvml.ts). */
const FILES: ReadonlySet<string> = new Set(["device", "class", "hwmon", "debug", "proc", "thermal", "sys"]);

export interface Resolved {
  readonly meters: readonly Meter[];
  /** The reason for each row that is nowhere: told where nothing else gives the metric. */
  readonly gaps: readonly Meter[];
  /** Files that were taken, so that nothing is told twice. */
  readonly claimed: ReadonlySet<string>;
}

export function catalogueMeters(place: Place): Resolved {
  const meters: Meter[] = [];
  const claimed = new Set<string>();
  const missing: { readonly named: Named; readonly reading: Unread; readonly needs: string }[] = [];
  const told = new Set<string>();
  const key = (name: string, part: string | undefined): string => `${name}\0${part ?? ""}`;
  for (const spec of fileSpecs(place)) {
    const { scheme, pattern } = schemeOf(spec);
    const found = spotsOf(place, scheme, pattern, spec.owner);
    const spots = found.filter(({ path }) => !claimed.has(`${path}\0${spec.line ?? ""}`));
    const parts = partsOf(spots);
    const needs = "root";
    for (const [at, spot] of spots.entries()) {
      const there = exists(place.root, spot.path);
      const part = spec.part ?? parts[at] ?? channelOf(place, scheme, spot.path);
      if (there.state !== "read") {
        missing.push({ named: named(spec.name, spec.part ?? parts[at], spot.path), reading: there, needs });
        continue;
      }
      if (told.has(key(spec.name, part))) continue;
      told.add(key(spec.name, part));
      claimed.add(spot.path);
      claimed.add(`${spot.path}\0${spec.line ?? ""}`);
      meters.push(meterOf(place, spec, part, spot, needs));
    }
    if (spots.length === 0) {
      const from = `${scheme}:${pattern}`;
      const others = spec.owner !== undefined && spotsOf(place, scheme, pattern).length > 0;
      const reading: Unread = others
        ? { state: "absent", from, why: spec.owner === "alone" ? WHOSE : "its driver tells it of other devices only" }
        : { state: absentState(place), from };
      missing.push({ named: named(spec.name, spec.part, from), reading, needs });
    }
  }
  // No kernel driver has the rows of a stick: lacking.ts says so once.
  const gaps = place.device.bus === "usb" ? [] : reasons(place, missing);
  return { meters, gaps, claimed };
}

const WHOSE = "its driver has it for several devices, and nothing says which of them is this one";

/** Rows of files that the bound driver has; all of them where no driver is bound. */
function fileSpecs({ device, driver }: Place): readonly MetricSpec[] {
  return (device.family?.metrics ?? []).filter(
    (spec) =>
      FILES.has(schemeOf(spec).scheme) &&
      spec.form !== "word" &&
      (spec.drivers === undefined || driver === undefined || spec.drivers.includes(driver)),
  );
}

export function schemeOf({ read: from }: MetricSpec): { readonly scheme: string; readonly pattern: string } {
  const colon = from.indexOf(":");
  return { scheme: from.slice(0, colon), pattern: from.slice(colon + 1) };
}

const named = (name: string, part: string | undefined, from: string): Named =>
  part === undefined ? { name, from } : { name, part, from };

/** Nothing matched a pattern: on a saved machine that may be for want of saving. */
function absentState({ root, directories }: Place): "absent" | "uncaptured" {
  const [directory] = directories;
  return directory === undefined || root.list(directory).state === "uncaptured" ? "uncaptured" : "absent";
}

/** What the driver calls a hwmon channel: temp1 is "edge". */
function channelOf({ root }: Place, scheme: string, path: string): string | undefined {
  if (scheme !== "hwmon") return undefined;
  const channel = /^(.*\/[a-z]+\d+)_[a-z_]+$/.exec(path)?.[1];
  return channel === undefined ? undefined : wordOf(root, `${channel}_label`);
}

function meterOf(place: Place, spec: MetricSpec, part: string | undefined, spot: Spot, needs: string): Meter {
  const { root } = place;
  const safe = spec.safe ?? false;
  if (spec.form !== undefined && spec.form !== "word") return formMeter(root, spec, spec.form, part, spot.path, needs);
  return fileMeter(root, {
    name: spec.name,
    ...(part === undefined ? {} : { part }),
    path: spot.path,
    safe,
    needs,
    ...(spec.scale === undefined ? {} : { scale: spec.scale }),
    ...(spec.derived === undefined ? {} : { derived: spec.derived }),
  });
}

/** One reason for each metric that is nowhere: what says more than "absent" before that. */
function reasons(
  { driver, device }: Place,
  missing: readonly { readonly named: Named; readonly reading: Unread; readonly needs: string }[],
): readonly Meter[] {
  const best = new Map<string, (typeof missing)[number]>();
  for (const one of missing) {
    const key = `${one.named.name}\0${one.named.part ?? ""}`;
    const before = best.get(key);
    if (before === undefined || (before.reading.state === "absent" && one.reading.state !== "absent"))
      best.set(key, one);
  }
  const unbound = driver === undefined && device.driver.state === "absent";
  return [...best.values()].map(({ named: { name, part, from }, reading, needs }) =>
    fixedMeter([
      unbound
        ? unknown(name, part, from, "absent", "no driver is bound")
        : unknown(name, part, from, reading.state, saysOf(reading, needs)),
    ]),
  );
}
