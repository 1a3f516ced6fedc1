/**
 * Energy the device used, where its driver counts it. More than at rest is a sign of work, given that rest was measured.
 * Documentation/hwmon/sysfs-interface.rst (energy*_input, microjoules, cumulative)
 */

import { directoriesOf, fileCounter, namesIn, type CounterKind } from "../counter.ts";

/** What a clock, a fan or a display may add by itself. */
const CLEARLY_MORE = 1.5;

const kind: CounterKind = {
  id: "energy",
  counts: "energy the device used",
  of: "device",
  strength: "weak",
  still: "nothing",
  buses: ["pci", "platform"],
  source: "Documentation/hwmon/sysfs-interface.rst",
  find: (root, target) =>
    directoriesOf(target).flatMap((directory) =>
      namesIn(root, `${directory}/hwmon`, /^hwmon\d+$/).flatMap((hwmon) =>
        namesIn(root, `${directory}/hwmon/${hwmon}`, /^energy\d+_input$/).map((name) =>
          fileCounter(root, kind, `${directory}/hwmon/${hwmon}/${name}`, "uJ"),
        ),
      ),
    ),
  judge(before, after, { elapsed_ms: elapsed, idle_per_ms: idle }) {
    const more = after.value - before.value;
    if (idle === undefined) return { moved: "unknown", because: "how much it uses at rest was not measured" };
    return more > idle * elapsed * CLEARLY_MORE
      ? { moved: "yes" }
      : { moved: "unknown", because: "no more than at rest" };
  },
};
export default kind;
