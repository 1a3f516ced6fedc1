/**
 * Requests that went over USB to a stick (URBs). The stick has no driver whose counters could be read; what it was sent shows that it
 * was given work. drivers/usb/core/sysfs.c (urbnum)
 */

import { directoriesOf, fileCounter, type CounterKind } from "../counter.ts";

const kind: CounterKind = {
  id: "usb-requests",
  counts: "requests sent over USB to the device",
  of: "device",
  strength: "middling",
  still: "proof",
  buses: ["usb"],
  source: "drivers/usb/core/sysfs.c (urbnum)",
  find: (root, target) =>
    directoriesOf(target)
      .map((path) => fileCounter(root, kind, `${path}/urbnum`, "requests"))
      .filter((counter) => counter.read().state !== "absent"),
};
export default kind;
