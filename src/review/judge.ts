/** Judges a device's routes layer by layer; one file per layer holds that layer's rules. */

import type { Layer, Route } from "../base/finding.ts";
import type { Device } from "../devices/device.ts";
import { activeEnvironments } from "../facts/environments.ts";
import { createFacts, type Facts } from "../facts/facts.ts";
import type { Family } from "../families/family.ts";
import { nodePatterns } from "../families/match.ts";
import type { Root } from "../root/root.ts";
import type { RouteContext } from "./context.ts";
import type { KnownFault } from "./known-faults.ts";
import { judgeDriver } from "./driver.ts";
import { judgeFirmware } from "./firmware.ts";
import { judgeModel } from "./model.ts";
import { judgeNode } from "./node.ts";
import { judgeDelegate, judgeRuntime } from "./runtime.ts";
import { judgeSilicon } from "./silicon.ts";

export interface ReviewOptions {
  /** Directories of Python environments, node_modules or SDKs to look into besides the usual places. */
  readonly environments?: readonly string[];
  /** Ask drivers even where the question wakes the device. */
  readonly query?: boolean;
  /** List the kernel's abilities even when an accelerator is there. */
  readonly abilities?: boolean;
}

export function factsOf(root: Root, options: ReviewOptions): Facts {
  return createFacts(root, {
    nodePatterns: nodePatterns(),
    environments: environmentsOf(root, options.environments),
    query: options.query ?? false,
  });
}

/** What was turned on where the machine was looked at, and what the user names, which comes first (it stands last). */
export function environmentsOf(root: Root, named: readonly string[] = []): readonly string[] {
  const own = root.kind === "live" ? activeEnvironments().toReversed() : (root.environments ?? []);
  return [...new Set([...own, ...named])];
}

export interface Judged {
  readonly context: RouteContext;
  readonly route: Route;
}

export function judgeRoutes(facts: Facts, device: Device, family: Family): Judged[] {
  const silicon = judgeSilicon(device);
  return (
    family.routes
      // A chip that is not known may be any of the family's.
      .filter((route) => route.chips === undefined || device.chip === undefined || route.chips.includes(device.chip.id))
      .map((route) => {
        const context: RouteContext = { facts, device, family, route };
        const layers: Layer[] = [
          silicon,
          judgeDriver(context),
          judgeFirmware(context),
          judgeNode(context),
          judgeRuntime(context),
          judgeDelegate(context),
          judgeModel(context),
        ];
        return { context, route: { name: route.name, works: worksBy(layers), open: isOpen(layers), layers } };
      })
  );
}

/**
 * A layer whose files are all there may still not work: what the driver itself said of this device counts more. A device that
 * another driver holds now is not judged by what this route's said before.
 */
export function withFaults(route: Route, device: Device, faults: readonly KnownFault[]): Route {
  const bound = device.driver.state === "read";
  const driver = route.layers.find((layer) => layer.name === "driver");
  if (faults.length === 0 || (bound && driver?.status !== "ok" && driver?.status !== "unneeded")) return route;
  let layers = route.layers;
  for (const { breakage, finding } of faults) {
    if (breakage.routes?.includes(route.name) === false) continue;
    const own = layers.find((layer) => layer.name === breakage.layer);
    const name = own === undefined || own.status === "unneeded" ? "driver" : own.name;
    layers = layers.map((layer) =>
      layer.name !== name || layer.status === "unneeded" || layer.status === "missing" || layer.status === "faulty"
        ? layer
        : { ...layer, status: "faulty", evidence: [...finding.evidence, ...layer.evidence] },
    );
  }
  return { ...route, works: worksBy(layers), layers };
}

function worksBy(layers: readonly Layer[]): Route["works"] {
  if (layers.some((layer) => layer.status === "missing" || layer.status === "faulty")) return "no";
  return layers.every((layer) => layer.status === "ok" || layer.status === "unneeded") ? "yes" : "unknown";
}

/** Silicon is closed nearly everywhere; a route is open when all that runs above it is. */
function isOpen(layers: readonly Layer[]): boolean {
  return layers.every((layer) => layer.name === "silicon" || layer.openness === "open" || layer.openness === "none");
}
