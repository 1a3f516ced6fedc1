/** Power: watts of a device, its own or those that the catalogue has for its chip; and what an inference takes of them. */

import { describeSource } from "../../base/source.ts";
import { loadFamily } from "../../families/load.ts";
import type { Device, Estimate } from "./estimate.ts";

export function wattsOf(device: Device): Device["watts"] {
  if (device.watts !== undefined) return device.watts;
  const chip = loadFamily(device.family)?.chips.find(({ id }) => id === device.chip);
  if (chip === undefined) return undefined;
  // One entry for several chips: only what is said of this very one.
  const own = chip.peak?.find(({ precision, watts }) => watts !== undefined && precision.includes(`(${device.name})`));
  const fact =
    own?.watts ?? (chip.peak?.some(({ precision }) => precision.includes("(")) === true ? undefined : chip.watts);
  return fact === undefined ? undefined : { value: fact.value, source: describeSource(fact.source) };
}

/** Stated watts are what a chip takes when all of it works. No source says how much less it takes otherwise: the answer says the half. */
const LEAST = 0.5;

export interface Energy {
  readonly millijoules: NonNullable<Estimate["millijoules"]>;
  readonly says: string;
}

/** Of a run between these milliseconds; undefined: nobody states the device's power. */
export function energyOf(device: Device, low_ms: number, high_ms: number): Energy | undefined {
  const watts = wattsOf(device);
  if (watts === undefined) return undefined;
  return {
    millijoules: { low: low_ms * watts.value * LEAST, high: high_ms * watts.value, source: watts.source },
    says: "energy from half to all of the power that is stated for the chip; the host is not in it",
  };
}
