/** What would work if some layers were cured: the routes judged anew from the report, nothing else asked. Pure; shown by what-if.tsx. */

import type { Finding, Layer, LayerName, Remedy, Route } from "../../../src/base/finding.ts";
import type { DeviceReport } from "../../../src/review/report.ts";
import { findingsOf, rows } from "./stack.ts";

/** A layer that keeps a route from working, or of which that is not known; one for all routes that need the same. */
export interface Lack {
  readonly key: string;
  readonly layer: LayerName;
  readonly is: string;
  /** `unknown`: it may be fine. */
  readonly status: "missing" | "faulty" | "unknown";
  readonly routes: readonly string[];
  /** What findings say is to be done. Empty where none speaks of it. */
  readonly remedies: readonly Remedy[];
}

export const keyOf = (layer: Layer): string => `${layer.name} ${layer.is}`;

/** From the silicon up. */
export function lacksOf(device: DeviceReport, findings: readonly Finding[]): readonly Lack[] {
  const out = new Map<string, Lack>();
  for (const name of [...rows].reverse()) {
    for (const route of device.routes) {
      const layer = route.layers.find((one) => one.name === name);
      if (layer === undefined || layer.status === "ok" || layer.status === "unneeded") continue;
      if (comesByItself(route, layer)) continue;
      const key = keyOf(layer);
      const before = out.get(key);
      const remedies = findingsOf(findings, device, layer, [route.name]).flatMap(({ remedy }) => remedy ?? []);
      out.set(key, {
        key,
        layer: name,
        is: layer.is,
        status: worse(before?.status, layer.status),
        routes: [...(before?.routes ?? []), route.name],
        remedies: [...new Set([...(before?.remedies ?? []), ...remedies])],
      });
    }
  }
  return [...out.values()];
}

const worse = (a: Lack["status"] | undefined, b: Lack["status"]): Lack["status"] =>
  a === undefined || a === "unknown" ? b : a;

/** A node that is not there because its driver is not at work: it comes with the driver, and nobody makes it by hand. */
export function comesByItself(route: Route, layer: Layer): boolean {
  if (layer.name !== "node" || layer.status !== "missing") return false;
  const driver = route.layers.find((one) => one.name === "driver");
  return driver !== undefined && driver.status !== "ok" && driver.status !== "unneeded";
}

export interface Outcome {
  readonly route: string;
  readonly works: Route["works"];
  readonly open: boolean;
  /** Layers that still keep it from working. */
  readonly lacks: readonly Layer[];
  /** Layers of which it is not known. */
  readonly unknown: readonly Layer[];
}

/** A route works when each layer that it needs is ok, or is supposed to be. */
export function judge(route: Route, cured: ReadonlySet<string>): Outcome {
  const left = route.layers.filter(
    (layer) =>
      layer.status !== "ok" && layer.status !== "unneeded" && !cured.has(keyOf(layer)) && !comesByItself(route, layer),
  );
  const lacks = left.filter(({ status }) => status !== "unknown");
  const unknown = left.filter(({ status }) => status === "unknown");
  const works = lacks.length > 0 ? "no" : unknown.length > 0 ? "unknown" : "yes";
  return { route: route.name, works, open: route.open, lacks, unknown };
}

/** The fewest layers to cure so that a route works: all that it lacks; what is not known is supposed to be so, too. */
export function fewest(route: Route): readonly string[] {
  const { lacks, unknown } = judge(route, new Set());
  return [...lacks, ...unknown].map(keyOf);
}

/** Drivers that would have to drive the device at the same time; none where at most one would. */
export function rivals(device: DeviceReport, outcomes: readonly Outcome[]): readonly string[] {
  const drivers = outcomes
    .filter(({ works }) => works === "yes")
    .flatMap(({ route }) => device.routes.find(({ name }) => name === route)?.layers ?? [])
    .filter(({ name, status }) => name === "driver" && status !== "unneeded")
    .map(({ is }) => is);
  const own = [...new Set(drivers)];
  return own.length > 1 ? own : [];
}
