/** One sentence for a device: its best route that works today, else the one nearest to working, and beside it the most open one. */

import type { Layer, Route } from "../base/finding.ts";
import type { Device } from "../devices/device.ts";
import type { Verdict } from "./report.ts";

export function verdictOf(device: Device, routes: readonly Route[]): Verdict {
  if (device.family === undefined) return { works: "unknown", says: "unrecognised" };
  const [best] = [...routes].sort(byNearness);
  if (best === undefined) {
    return {
      works: "unknown",
      says: device.chip === undefined ? "chip newer than the catalogue" : "no public route on Linux is known",
    };
  }
  const [open] = routes.filter((route) => route.open).sort(byNearness);
  const rest = { route: best.name, ...(open ? { most_open: open.name } : {}) };
  if (best.works === "yes") return { works: "yes", says: `works by "${best.name}"`, ...rest };
  const broken = best.layers.find((layer) => layer.status === "missing" || layer.status === "faulty");
  if (broken) return { works: "no", says: `${phrase(broken)} (route "${best.name}")`, ...rest };
  const unknown = best.layers.filter((layer) => layer.status === "unknown").map((layer) => layer.name);
  return { works: "unknown", says: `nothing wrong seen by "${best.name}"; not known: ${unknown.join(", ")}`, ...rest };
}

function phrase(layer: Layer): string {
  if (layer.name === "silicon") return "the chip is switched off or not fully on its bus";
  if (layer.name === "driver") {
    const says: Partial<Record<NonNullable<Layer["kernelState"]>, string>> = {
      "not in this kernel": `driver ${layer.is} is not in this kernel`,
      "configured off": `driver ${layer.is} is configured off in this kernel`,
      "shipped as a module": `driver ${layer.is} is not loaded`,
      loaded: `driver ${layer.is} is loaded and did not take it`,
      "built in": `driver ${layer.is} is built in and did not take it`,
    };
    return says[layer.kernelState ?? "unknown"] ?? `driver ${layer.is} is not bound`;
  }
  if (layer.name === "node") {
    return layer.status === "missing" ? `no device node ${layer.is}` : `${layer.is} cannot be opened`;
  }
  return `${layer.name} ${layer.is} is ${layer.status}`;
}

const rank: Readonly<Record<Route["works"], number>> = { yes: 0, unknown: 1, no: 2 };

/** Nearer to working first: works, then how far up the layers are fine, then how many are. The catalogue's order decides ties. */
function byNearness(a: Route, b: Route): number {
  return rank[a.works] - rank[b.works] || reach(b) - reach(a) || fine(b) - fine(a);
}

const isFine = (layer: Layer): boolean => layer.status === "ok" || layer.status === "unneeded";
const fine = (route: Route): number => route.layers.filter(isFine).length;

function reach(route: Route): number {
  // A driver that this kernel ships is nearer than one that must be built, though neither is bound.
  const driver = route.layers.find((layer) => layer.name === "driver");
  const near: Partial<Record<NonNullable<Layer["kernelState"]>, number>> = {
    bound: 5,
    loaded: 4,
    "built in": 4,
    "shipped as a module": 3,
    unknown: 2,
    "configured off": 1,
  };
  const index = route.layers.findIndex((layer) => layer.status === "missing" || layer.status === "faulty");
  const height = index < 0 ? route.layers.length : index;
  return height * 10 + (near[driver?.kernelState ?? "not in this kernel"] ?? 0);
}
