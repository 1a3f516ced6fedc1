/** What everybody looks for and this device's driver does not tell: said once, with the reason, so that a gap is never taken for 0. */

import { fixedMeter, type Meter } from "./meter.ts";
import type { Place } from "./place.ts";
import type { UnknownMetric } from "./sample.ts";
import { unknown } from "./value.ts";

const EXPECTED = ["busy_ratio", "memory_bytes", "clock_hertz", "temperature_celsius", "power_watts"];

export function lacking(place: Place, meters: readonly Meter[]): readonly Meter[] {
  const told = new Set(meters.flatMap(({ gives }) => gives.map(({ name }) => name)));
  const { why, says } = reasonOf(place);
  const from = place.directories[0] ?? place.device.id;
  const missing = EXPECTED.filter((name) => !told.has(name));
  return missing.length === 0 ? [] : [fixedMeter(missing.map((name) => unknown(name, undefined, from, why, says)))];
}

function reasonOf({ root, device, driver, directories }: Place): Pick<UnknownMetric, "why" | "says"> {
  const saved = root.kind !== "live" && (directories.length === 0 || root.list(directories[0] ?? "").state !== "read");
  if (saved) return { why: "uncaptured", says: "what was saved of this machine does not hold it" };
  if (
    device.family?.metrics?.some(({ vendor }) => vendor === true) === true &&
    (driver === "nvidia" || driver === undefined)
  ) {
    return driver === undefined
      ? { why: "absent", says: "no driver is bound" }
      : { why: "absent", says: "only NVIDIA's library tells it: --vendor loads it in a process of its own" };
  }
  if (device.bus === "usb")
    return { why: "absent", says: "no kernel driver: only the library that uses it could tell" };
  if (device.driver.state === "uncaptured") {
    return { why: "uncaptured", says: "what was saved of this machine does not hold it" };
  }
  if (driver === undefined && device.nodes.length === 0) return { why: "absent", says: "no driver is bound" };
  const says = device.family?.untold?.says;
  return { why: "absent", says: says ?? `its driver${driver === undefined ? "" : ` (${driver})`} does not tell it` };
}
