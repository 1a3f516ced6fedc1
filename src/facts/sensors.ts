/** hwmon, devfreq and thermal zones, found by label and by the device they belong to. Documentation/hwmon/sysfs-interface.rst, ABI/testing/sysfs-class-devfreq, sysfs-class-thermal */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface Sensor {
  readonly kind: "hwmon" | "devfreq" | "thermal";
  /** hwmon `name`, devfreq device name, thermal zone `type`. */
  readonly label: string;
  readonly path: string;
  /** sysfs path of the device behind it. */
  readonly device: Reading<string>;
  /** Attribute to value in base units (celsius, watts, hertz, volts, amperes, ratio); only those that could be read. */
  readonly values: ReadonlyMap<string, Reading<number>>;
}

export function readSensors(root: Root): Reading<readonly Sensor[]> {
  void root;
  throw new Error("facts/sensors");
}
