/** Power: watts of a device, its own or those that the catalogue has for its chip. */

import { describeSource } from "../../base/source.ts";
import { loadFamily } from "../../families/load.ts";
import type { Device } from "./estimate.ts";

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
