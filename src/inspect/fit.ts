/**
 * A model on a machine: which routes of its devices take this format, whether a sealed file was made for the chip that is here, and
 * by which compiler of the catalogue a model would become one that fits. Nothing is loaded or run.
 */

import { UsageError } from "../base/errors.ts";
import { describeSource } from "../base/source.ts";
import type { Family } from "../families/family.ts";
import { loadFamily } from "../families/load.ts";
import { familyById } from "../families/match.ts";
import type { Model } from "../model/graph.ts";
import { listDevices } from "../review/inventory.ts";
import type { DeviceReport } from "../review/report.ts";
import type { Root } from "../root/root.ts";
import type { ConversionReport, DeviceFit, Fit, Inspection, LockReport, RouteFit } from "./inspection.ts";

export interface FitOptions {
  readonly environments: readonly string[];
  /** Catalogue id or alias: also say what would make it fit this family. */
  readonly family?: string;
}

export function fitModel(model: Model, inspection: Inspection, root: Root, options: FitOptions): Fit {
  const named = options.family === undefined ? undefined : familyById(options.family);
  if (options.family !== undefined && named === undefined) {
    throw new UsageError(`no family "${options.family}"; accelctl catalog lists all`);
  }
  const reports = listDevices(root, { environments: options.environments });
  const devices = reports.flatMap((report) => {
    const family = report.family === undefined ? undefined : loadFamily(report.family);
    return family ? [fitDevice(model, inspection, report, family)] : [];
  });
  const wanting = devices.filter((device) => device.fits === "convert").map((device) => device.family);
  const families = [...new Set([...wanting, ...(named ? [named.id] : [])])];
  return {
    devices,
    conversions: families.flatMap((id) => {
      const family = loadFamily(id);
      return family ? conversionsTo(family, inspection) : [];
    }),
    locks: model.requires.map(lockOf),
  };
}

function fitDevice(model: Model, inspection: Inspection, report: DeviceReport, family: Family): DeviceFit {
  const { id: format, name } = inspection.format;
  const base = {
    device: report.id,
    name: report.name,
    family: family.id,
    ...(report.chip === undefined ? {} : { chip: report.chip }),
  };
  const routes: RouteFit[] = report.routes.map((route) => {
    const models = family.routes.find((spec) => spec.name === route.name)?.models ?? [];
    const accepts = models.some((one) => one.format === format);
    const takes = models.map((one) => one.format).join(", ") || "no format that is known";
    return {
      route: route.name,
      accepts,
      works: route.works,
      says: accepts ? `takes ${format}` : `takes ${takes}`,
    };
  });
  const taking = routes.filter((route) => route.accepts);
  const wrong = wrongChip(model, report, family);
  if (taking.length > 0 && wrong !== undefined) return { ...base, fits: "no", says: wrong, routes };
  if (taking.length > 0) {
    const best =
      taking.find((route) => route.works === "yes") ?? taking.find((r) => r.works === "unknown") ?? taking[0];
    const works = best?.works ?? "unknown";
    const by = `route "${best?.route ?? ""}" takes ${name}`;
    const says = {
      yes: `${by} and works`,
      no: `${by} and does not work here`,
      unknown: `${by}; not all of it was seen`,
    };
    return { ...base, fits: works, says: says[works], routes };
  }
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

/** A file that names its chips and not this one. Words are compared by the catalogue's chip ids only: no guess by spelling. */
function wrongChip(model: Model, report: DeviceReport, family: Family): string | undefined {
  const own = model.targets.filter((target) => target.family === family.id);
  if (model.targets.some((target) => target.family !== undefined) && own.length === 0) {
    return `made for ${model.targets.map((target) => target.says).join(", ")}, not for ${family.name}`;
  }
  const chips = own.flatMap((target) => (target.chip === undefined ? [] : [target.chip]));
  if (report.chip === undefined || chips.length === 0 || chips.length < own.length || chips.includes(report.chip)) {
    return undefined;
  }
  return `made for ${own.map((target) => target.says).join(", ")}; this is ${report.name}`;
}

function conversionsTo(family: Family, inspection: Inspection): ConversionReport[] {
  const seen = new Set<string>();
  return family.routes.flatMap((route) =>
    route.models.flatMap(({ format, compiler, openness }) => {
      const key = `${format}/${compiler ?? ""}`;
      if (compiler === undefined || format === inspection.format.id || seen.has(key)) return [];
      seen.add(key);
      return [
        {
          family: family.id,
          to: format,
          tool: compiler,
          openness,
          commands: [],
          needs: [
            {
              what: "a model the compiler reads",
              met: inspection.sealed ? "no" : "unknown",
              says: inspection.sealed ? "this file is compiled already" : `see what ${compiler} takes`,
            } as const,
          ],
          sources: [describeSource(route.delegate.source)],
        },
      ];
    }),
  );
}

/** What the file demands; which version is installed is told by nobody yet, so none is called met. */
function lockOf({ what, relation, version }: Model["requires"][number]): LockReport {
  return {
    lock: what,
    state: "unknown",
    needs: `${relation} ${version}`,
    says: `the file was made with or needs ${what} ${relation} ${version}; compare it with what is installed`,
  };
}
