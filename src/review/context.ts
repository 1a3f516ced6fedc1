/** What a layer's rules are given: one device, one of its routes, and the machine's facts. */

import type { Evidence, Layer } from "../base/finding.ts";
import type { Reading } from "../base/reading.ts";
import { describeSource, type Source } from "../base/source.ts";
import type { Device } from "../devices/device.ts";
import type { Facts } from "../facts/facts.ts";
import type { Family, RouteSpec } from "../families/family.ts";

export interface RouteContext {
  readonly facts: Facts;
  readonly device: Device;
  readonly family: Family;
  readonly route: RouteSpec;
}

export const known = (says: string, source: Source): Evidence => ({ known: says, source: describeSource(source) });
export const seen = (path: string, says: string): Evidence => ({ seen: path, says });

/** Why something was not read, as evidence. */
export function unseen(reading: Reading<unknown>): Evidence {
  if (reading.state === "read") return seen(reading.from, "read");
  return seen(reading.from, reading.why === undefined ? reading.state : `${reading.state}: ${reading.why}`);
}

/** A reading that is not there: known to be missing, or merely not looked at? */
export function statusOf(reading: Reading<unknown>): Layer["status"] {
  if (reading.state === "read") return "ok";
  return reading.state === "absent" ? "missing" : "unknown";
}
