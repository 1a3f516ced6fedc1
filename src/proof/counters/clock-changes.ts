/**
 * How often a governor changed the device's clock: it raises the clock for work. A steady clock says nothing.
 * Documentation/ABI/testing/sysfs-class-devfreq (trans_stat, its last line "Total transition : 12")
 */

import { directoriesOf, fileCounter, namesIn, type CounterKind } from "../counter.ts";

const kind: CounterKind = {
  id: "clock-changes",
  counts: "changes of the device's clock",
  of: "device",
  strength: "weak",
  still: "nothing",
  buses: ["platform", "pci"],
  source: "Documentation/ABI/testing/sysfs-class-devfreq",
  find: (root, target) =>
    directoriesOf(target).flatMap((directory) =>
      namesIn(root, `${directory}/devfreq`, /./).map((name) =>
        fileCounter(root, kind, `${directory}/devfreq/${name}/trans_stat`, "changes", total),
      ),
    ),
};
export default kind;

function total(text: string): number | undefined {
  const changes = /^Total transition : (\d{1,15})\s*$/m.exec(text)?.[1];
  return changes === undefined ? undefined : Number(changes);
}
