/**
 * A model on a machine: which routes of its devices take this format, whether a sealed file was made for the chip that is here, and
 * by which compiler of the catalogue a model would become one that fits. Nothing is loaded or run.
 */

import { UsageError } from "../base/errors.ts";
import type { Family } from "../families/family.ts";
import { loadFamily } from "../families/load.ts";
import type { Model } from "../model/graph.ts";
import { listDevicesOf } from "../review/inventory.ts";
import { factsOf } from "../review/judge.ts";
import type { DeviceReport } from "../review/report.ts";
import type { Root } from "../root/root.ts";
import { conversionsTo } from "./convert.ts";
import { refusedByDelegates } from "./delegated.ts";
import type { DeviceFit, Fit, Inspection, LockReport, RouteFit } from "./inspection.ts";
import { checkRequirements } from "./locks.ts";
import { canConvert, familyOrChip, fitFamily, wrongChip } from "./named.ts";

export interface FitOptions {
  readonly environments: readonly string[];
  /** Catalogue id or alias: also say what would make it fit this family. */
  readonly family?: string;
  /** The file as the user named it, for commands; the inspection itself keeps no path. */
  readonly path?: string;
}

export function fitModel(model: Model, inspection: Inspection, root: Root, options: FitOptions): Fit {
  const named = options.family === undefined ? undefined : familyOrChip(options.family);
  if (options.family !== undefined && named === undefined) {
    throw new UsageError(
      `no family of accelerators "${options.family}", and no chip of one; accelctl catalog lists all`,
    );
  }
  const facts = factsOf(root, { environments: options.environments });
  const locks = checkRequirements(model.requires, facts);
  const devices = fitDevices(model, inspection, listDevicesOf(facts), locks);
  // One way for each kind of device; the chip of the first gives the tool's word for it.
  const wanting = new Map<string, string | undefined>();
  for (const device of devices) {
    const convert = device.fits === "convert" || device.family === named?.family.id;
    if (convert && !wanting.has(device.family)) wanting.set(device.family, device.chip);
  }
  if (named !== undefined && (named.chip !== undefined || !wanting.has(named.family.id)))
    wanting.set(named.family.id, named.chip);
  const path = options.path ?? inspection.file.name;
  const conversions = [...wanting].flatMap(([id, chip]) => {
    const family = loadFamily(id);
    return family ? conversionsTo(family, inspection, path, chip) : [];
  });
  const told = named === undefined ? undefined : fitFamily(model, inspection, named, conversions);
  return {
    devices: devices.map((device) => withoutWay(device, inspection, conversions)),
    ...(told === undefined ? {} : { named: told }),
    conversions,
    locks,
  };
}

/** What each device makes of the file as it is. Devices of no family are left out. */
export function fitDevices(
  model: Model,
  inspection: Inspection,
  reports: readonly DeviceReport[],
  locks: readonly LockReport[],
): DeviceFit[] {
  return reports.flatMap((report) => {
    const family = report.family === undefined ? undefined : loadFamily(report.family);
    return family ? [underLocks(fitDevice(model, inspection, report, family), model, locks)] : [];
  });
}

/** "Would have to be compiled" is said only where it is known how, or by what. */
function withoutWay(device: DeviceFit, { format }: Inspection, conversions: Fit["conversions"]): DeviceFit {
  if (device.fits !== "convert" || canConvert(conversions, device.family)) return device;
  const family = loadFamily(device.family)?.name ?? device.family;
  return {
    ...device,
    fits: "no",
    says: `no route of ${family} takes ${format.name}, and no command that would convert it is known`,
  };
}

/** A device of the family a file was made for does not run it where a version lock is broken. */
function underLocks(device: DeviceFit, model: Model, locks: readonly LockReport[]): DeviceFit {
  const broken = locks.find((lock) => lock.state === "broken");
  const ours = model.targets.length === 0 || model.targets.some((target) => target.family === device.family);
  if (broken === undefined || !ours || device.fits === "no" || device.fits === "convert") return device;
  return { ...device, fits: "no", says: broken.says };
}

function fitDevice(model: Model, inspection: Inspection, report: DeviceReport, family: Family): DeviceFit {
  const { id: format, name } = inspection.format;
  const base = {
    device: report.id,
    name: report.name,
    family: family.id,
    ...(report.chip === undefined ? {} : { chip: report.chip }),
  };
  const refused = refusedByDelegates(model, family);
  const routes: RouteFit[] = report.routes.map((route) => {
    const models = family.routes.find((spec) => spec.name === route.name)?.models ?? [];
    const listed = models.some((one) => one.format === format);
    const accepts = listed && refused === undefined;
    const takes = models.map((one) => one.format).join(", ") || "no format that is known";
    return {
      route: route.name,
      accepts,
      works: route.works,
      says: accepts ? `takes ${format}` : listed ? `takes ${format}, and not this one` : `takes ${takes}`,
    };
  });
  const taking = routes.filter((route) => route.accepts);
  const wrong = wrongChip(model, report, family);
  if (taking.length > 0 && wrong !== undefined) return { ...base, fits: "no", says: wrong, routes };
  if (taking.length > 0) {
    const best =
      taking.find((route) => route.works === "yes") ?? taking.find((r) => r.works === "unknown") ?? taking[0];
    const works = best?.works ?? "unknown";
    const doubt = model.targets.find((target) => target.family === family.id && target.chip === report.chip)?.refusedBy;
    if (works !== "no" && doubt !== undefined) {
      return {
        ...base,
        fits: "unknown",
        says: `route "${best?.route ?? ""}" takes it, unless this is ${doubt}`,
        routes,
      };
    }
    const by = `route "${best?.route ?? ""}" takes ${name}`;
    const says = {
      yes: `${by} and works`,
      no: `${by} and does not work here; accelctl review says why`,
      unknown: `${by}; whether it works here could not be seen`,
    };
    return { ...base, fits: works, says: says[works], routes };
  }
  if (refused !== undefined) return { ...base, fits: "no", says: refused, routes };
  if (inspection.sealed) {
    return {
      ...base,
      fits: "no",
      says: `no route of ${family.name} takes ${name}, and a compiled file cannot be converted`,
      routes,
    };
  }
  const compiled = family.routes.some((route) => route.models.some((one) => one.compiler !== undefined));
  return compiled
    ? { ...base, fits: "convert", says: `no route takes ${name} as it is; it would have to be compiled`, routes }
    : { ...base, fits: "no", says: `no route of ${family.name} takes ${name}`, routes };
}
