/** The devices of a report alone. Reads no log and words no finding: `list` must cost little more than starting Node. */

import { findDevices } from "../devices/find.ts";
import type { Root } from "../root/root.ts";
import { describeDevice } from "./describe.ts";
import { factsOf, judgeRoutes, type ReviewOptions } from "./judge.ts";
import type { DeviceReport } from "./report.ts";
import { verdictOf } from "./verdict.ts";

/** The devices alone: no routes judged, no log read. For `list`, which must be quick. */
export function listDevices(root: Root, options: ReviewOptions = {}): DeviceReport[] {
  const facts = factsOf(root, options);
  return findDevices(facts).devices.map((device) => {
    const routes = device.family ? judgeRoutes(facts, device, device.family).map((judged) => judged.route) : [];
    return describeDevice(facts, device, routes, verdictOf(device, routes), false);
  });
}
