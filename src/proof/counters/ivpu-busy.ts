/** Intel's NPU: time it had jobs. Documentation/ABI/testing/sysfs-driver-ivpu, since Linux 6.11. */

import { directoriesOf, fileCounter, type CounterKind } from "../counter.ts";

const kind: CounterKind = {
  id: "npu-busy-time",
  counts: "time the NPU had jobs",
  of: "device",
  strength: "strong",
  still: "proof",
  buses: ["pci"],
  drivers: ["intel_vpu"],
  source: "Documentation/ABI/testing/sysfs-driver-ivpu",
  find: (root, target) =>
    directoriesOf(target)
      .map((path) => fileCounter(root, kind, `${path}/npu_busy_time_us`, "us"))
      // Before 6.11 there is none.
      .filter((counter) => counter.read().state !== "absent"),
};
export default kind;
