/**
 * Load of AMD's GPUs, a mean over a time that the firmware chooses: it proves work, and of a short run it may show nothing.
 * Documentation/gpu/amdgpu/thermal.rst (gpu_busy_percent)
 */

import { directoriesOf, fileCounter, wholeNumber, type CounterKind } from "../counter.ts";

const kind: CounterKind = {
  id: "gpu-busy",
  counts: "load of the GPU in the last moment",
  of: "device",
  strength: "middling",
  still: "nothing",
  buses: ["pci"],
  drivers: ["amdgpu"],
  source: "Documentation/gpu/amdgpu/thermal.rst",
  find: (root, target) =>
    directoriesOf(target)
      .map((path) => fileCounter(root, kind, `${path}/gpu_busy_percent`, "%", wholeNumber))
      .filter((counter) => counter.read().state !== "absent"),
  judge(before, after) {
    if (before.value === 0 && after.value > 0) return { moved: "yes" };
    return {
      moved: "unknown",
      because: before.value > 0 ? "it was busy before" : "its mean may not have caught the run",
    };
  },
};
export default kind;
