/**
 * Was the device awake? Runtime power management accounts how long. Waking proves little (a query wakes too); sleeping through the
 * whole run proves that it did not work. drivers/base/power/sysfs.c, Documentation/power/runtime_pm.rst
 */

import { map, valueOf } from "../../base/reading.ts";
import { readAttribute } from "../../facts/sysfs.ts";
import {
  directoriesOf,
  driverOf,
  isAccel,
  parsed,
  wholeNumber,
  type CounterKind,
  type Still,
  type Target,
} from "../counter.ts";

/**
 * Drivers of platform devices that wake the device for each job. Others may enable power management without using it, and then
 * "suspended" says nothing; on PCI and USB the bus itself is asleep.
 */
const WAKES_FOR_WORK: ReadonlySet<string> = new Set([
  "rocket",
  "ethosu",
  "etnaviv",
  "panfrost",
  "panthor",
  "lima",
  "msm",
]);

const kind: CounterKind = {
  id: "awake",
  counts: "time the device was awake",
  of: "device",
  strength: "weak",
  still: "proof",
  buses: ["pci", "platform", "usb"],
  source: "Documentation/power/runtime_pm.rst",
  find: (root, target) =>
    directoriesOf(target).flatMap((directory) => {
      const path = `${directory}/power/runtime_active_time`;
      // "unsupported": nobody manages it, and the number means nothing.
      const status = valueOf(readAttribute(root, `${directory}/power/runtime_status`));
      if (status === "unsupported" || root.stat(path).state === "absent") return [];
      return [
        {
          kind,
          path,
          unit: "ms",
          still: stillOf(target),
          read: () =>
            map(parsed(root, path, wholeNumber), ({ value }) => ({
              value,
              word: valueOf(readAttribute(root, `${directory}/power/runtime_status`)) ?? "",
            })),
        },
      ];
    }),
  judge(before, after) {
    const awake = after.value - before.value;
    if (before.word === "suspended") {
      if (awake > 0 || after.word === "active" || after.word === "resuming")
        return { moved: "yes", because: "it woke up" };
      // Shorter than the clock's millisecond and asleep again: drivers keep a device awake for longer than that after a job.
      if (after.word === "suspended") return { moved: "no", because: "it slept all the while" };
    }
    return { moved: "unknown", because: "it was awake before" };
  },
};
export default kind;

function stillOf(target: Target): Still {
  const driver = driverOf(target);
  const wakes = WAKES_FOR_WORK.has(driver) && (driver !== "ethosu" || isAccel(target));
  return target.bus !== "platform" || wakes ? "proof" : "hint";
}
