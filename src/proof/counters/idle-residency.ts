/**
 * Time that Intel's GPUs slept (RC6, GT-C6), in milliseconds: while they work it stands. Being awake is not yet work, and sleeping
 * through a run is none. Documentation/ABI/testing/sysfs-driver-intel-xe (gtidle), sysfs-class-drm-i915 (rc6_residency_ms)
 */

import { directoriesOf, fileCounter, namesIn, type CounterKind } from "../counter.ts";

/** Below it a whole millisecond more or less decides. */
const SHORTEST_MS = 20;

const kind: CounterKind = {
  id: "idle-residency",
  counts: "time the GPU slept",
  of: "device",
  strength: "weak",
  still: "hint",
  buses: ["pci"],
  drivers: ["xe", "i915"],
  source: "xe: gtidle/idle_residency_ms; i915: gt/gt*/rc6_residency_ms",
  find: (root, target) =>
    directoriesOf(target).flatMap((directory) => {
      const xe = namesIn(root, directory, /^tile\d+$/).flatMap((tile) =>
        namesIn(root, `${directory}/${tile}`, /^gt\d+$/).map(
          (gt) => `${directory}/${tile}/${gt}/gtidle/idle_residency_ms`,
        ),
      );
      const i915 = namesIn(root, `${directory}/drm`, /^card\d+$/).flatMap((card) =>
        namesIn(root, `${directory}/drm/${card}/gt`, /^gt\d+$/).map(
          (gt) => `${directory}/drm/${card}/gt/${gt}/rc6_residency_ms`,
        ),
      );
      return [...xe, ...i915]
        .map((path) => fileCounter(root, kind, path, "ms"))
        .filter((counter) => counter.read().state !== "absent");
    }),
  judge(before, after, { elapsed_ms: elapsed }) {
    const slept = after.value - before.value;
    if (slept < 0 || elapsed < SHORTEST_MS)
      return { moved: "unknown", because: "too short a run for its milliseconds" };
    if (slept >= elapsed - 2) return { moved: "no", because: "it slept all the while" };
    return slept < elapsed / 2 ? { moved: "yes" } : { moved: "unknown", because: "it slept most of the while" };
  },
};
export default kind;
