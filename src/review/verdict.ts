/** One sentence for a device: its best route that works today, else the one nearest to working, and beside it the most open one. */

import type { Layer, Route } from "../base/finding.ts";
import type { Device } from "../devices/device.ts";
import { isFileMissing } from "./driver-state.ts";
import type { Verdict } from "./report.ts";

/** `fault`: what is known to be wrong with the device, in a line; said instead of the layer's name where that layer did try to work. */
export function verdictOf(device: Device, routes: readonly Route[], fault?: string): Verdict {
  if (device.family === undefined) return { works: "unknown", says: "unrecognised" };
  const [best] = [...routes].sort(byNearness);
  if (best === undefined) return { works: "unknown", says: "no public route on Linux is known" };
  const [open] = routes.filter((route) => route.open).sort(byNearness);
  const rest = { route: best.name, ...(open ? { most_open: open.name } : {}) };
  if (best.works === "yes") return { works: "yes", says: `works by "${best.name}"`, ...rest };
  const broken = best.layers.find((layer) => layer.status === "missing" || layer.status === "faulty");
  if (!device.enabled) return { works: "no", says: "switched off in the device tree", ...rest };
  const bound = device.driver.state === "read" ? device.driver.value : undefined;
  if (broken?.name === "driver" && bound !== undefined && broken.kernelState !== "bound") {
    return { works: "no", says: `held by ${bound}, not ${broken.is} (route "${best.name}")`, ...rest };
  }
  if (fault !== undefined && broken !== undefined && hasTried(broken)) {
    return { works: "no", says: `${fault} (route "${best.name}")`, ...rest };
  }
  if (broken) return { works: "no", says: `${phrase(broken)} (route "${best.name}")`, ...rest };
  const unknown = best.layers.filter((layer) => layer.status === "unknown").map((layer) => layer.name);
  return { works: "unknown", says: `nothing wrong seen by "${best.name}"; not known: ${unknown.join(", ")}`, ...rest };
}

/** Of a driver that is not here or not loaded that is the thing to say, whatever an earlier log holds. */
function hasTried(layer: Layer): boolean {
  return layer.name !== "driver" || ["loaded", "built in", "bound", "unknown"].includes(layer.kernelState ?? "unknown");
}

function phrase(layer: Layer): string {
  if (layer.name === "silicon") return "the chip is not fully on its bus";
  if (layer.name === "driver") {
    const says: Partial<Record<NonNullable<Layer["kernelState"]>, string>> = {
      "not in this kernel": `driver ${layer.is} is not in this kernel`,
      "configured off": `driver ${layer.is} is configured off in this kernel`,
      "shipped as a module": isFileMissing(layer.evidence)
        ? `the file of driver ${layer.is} is not installed`
        : `driver ${layer.is} is not loaded`,
      loaded: `driver ${layer.is} is loaded and did not take it`,
      "built in": `driver ${layer.is} is built in and did not take it`,
    };
    return says[layer.kernelState ?? "unknown"] ?? `driver ${layer.is} is not bound`;
  }
  if (layer.name === "node") {
    return layer.status === "missing" ? `no device node ${layer.is}` : `${layer.is} cannot be opened`;
  }
  if (layer.name === "runtime" || layer.name === "delegate") return `${layer.is} is not installed`;
  const [first, ...more] = layer.is.split(", ");
  const is = more.length < 2 ? layer.is : `${first ?? ""} and ${more.length} more`;
  return `${layer.name} ${is} ${more.length === 0 ? "is" : "are"} ${layer.status}`;
}

const rank: Readonly<Record<Route["works"], number>> = { yes: 0, unknown: 1, no: 2 };

/**
 * Nearer to working first: works; then how far up the layers are fine, where a driver at work counts. Among routes that all lack
 * their driver the catalogue's order decides: it lists first what people use, and a driver that merely ships with the kernel
 * (nouveau) is not what they look for.
 */
function byNearness(a: Route, b: Route): number {
  return rank[a.works] - rank[b.works] || reach(b) - reach(a);
}

function reach(route: Route): number {
  const driver = route.layers.find((layer) => layer.name === "driver");
  const atWork = { bound: 2, loaded: 1, "built in": 1 };
  const state = driver?.kernelState ?? "unknown";
  // Faulty and not at work: the device tree speaks another driver's language, so this route is further off than its rivals.
  const near =
    driver?.status === "faulty" && !(state in atWork) ? -1 : state in atWork ? atWork[state as keyof typeof atWork] : 0;
  const index = route.layers.findIndex((layer) => layer.status === "missing" || layer.status === "faulty");
  return (index < 0 ? route.layers.length : index) * 10 + near;
}
