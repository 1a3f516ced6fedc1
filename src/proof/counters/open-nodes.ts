/**
 * Has a process of the run the device open? Open files prove no work. Without one, only a service in between could have used the
 * device for it. proc_pid_fd(5), Documentation/ABI/stable/sysfs-bus-usb (busnum, devnum)
 */

import { read, valueOf, type Reading } from "../../base/reading.ts";
import type { Root } from "../../root/root.ts";
import { directoriesOf, wholeNumber, type CounterKind, type Sample, type Target } from "../counter.ts";

const DESCRIPTOR_LIMIT = 65_536;

const kind: CounterKind = {
  id: "open-files",
  counts: "files of the device that this process has open",
  of: "run",
  strength: "weak",
  still: "hint",
  buses: ["pci", "platform", "usb"],
  needs: "the user who runs it, or root",
  source: "proc_pid_fd(5)",
  find(root, target, pids) {
    const nodes = new Set([...target.nodes.map(({ path }) => path), ...usbNodes(root, target)]);
    if (nodes.size === 0) return [];
    return pids.map((pid) => ({
      kind,
      path: `/proc/${pid}/fd`,
      unit: "files",
      read: () => countOpen(root, pid, nodes),
    }));
  },
  judge(before, after) {
    if (after.value === 0 && before.value === 0) return { moved: "no", because: "it has not opened the device" };
    return { moved: "unknown", because: `open: ${after.word ?? before.word ?? ""}` };
  },
};
export default kind;

function countOpen(root: Root, pid: number, nodes: ReadonlySet<string>): Reading<Sample> {
  const path = `/proc/${pid}/fd`;
  const descriptors = root.list(path);
  if (descriptors.state !== "read") return descriptors;
  const open = descriptors.value
    .slice(0, DESCRIPTOR_LIMIT)
    .map((fd) => valueOf(root.link(`${path}/${fd}`)) ?? "")
    .filter((to) => nodes.has(to));
  return read({ value: open.length, ...(open.length === 0 ? {} : { word: [...new Set(open)].join(", ") }) }, path);
}

/** What libusb opens: /dev/bus/usb/001/004. */
function usbNodes(root: Root, target: Target): readonly string[] {
  if (target.bus !== "usb") return [];
  return directoriesOf(target).flatMap((path) => {
    const [bus, device] = ["busnum", "devnum"].map((name) => wholeNumber(valueOf(root.text(`${path}/${name}`)) ?? ""));
    if (bus === undefined || device === undefined) return [];
    return [`/dev/bus/usb/${String(bus).padStart(3, "0")}/${String(device).padStart(3, "0")}`];
  });
}
