/** The devices of a report alone. Reads no log and words no finding: `list` must cost little more than starting Node. */

import { findDevices } from "../devices/find.ts";
import type { Facts } from "../facts/facts.ts";
import type { Root } from "../root/root.ts";
import { describeDevice } from "./describe.ts";
import { factsOf, judgeRoutes, type ReviewOptions } from "./judge.ts";
import type { DeviceReport } from "./report.ts";
import { verdictOf } from "./verdict.ts";

/** The devices alone: no log read, no finding worded. For `list`, which must be quick. */
export function listDevices(root: Root, options: ReviewOptions = {}): DeviceReport[] {
  return listDevicesOf(factsOf(root, options));
}

/** The same from facts that somebody else asks too. */
export function listDevicesOf(facts: Facts): DeviceReport[] {
  return findDevices(facts).devices.map((device) => {
    const routes = device.family ? judgeRoutes(facts, device, device.family).map((judged) => judged.route) : [];
    return describeDevice(facts, device, routes, verdictOf(device, routes), false);
  });
}
