/**
 * What Tenstorrent's cards moved over PCIe by themselves (master counters of both NOCs), in flits of 32 bytes. Counts of 32 bits that
 * wrap. docs/sysfs-attributes.md of tt-kmd
 */

import { malformed, read, type Reading } from "../../base/reading.ts";
import type { Root } from "../../root/root.ts";
import { directoriesOf, namesIn, wholeNumber, type CounterKind, type Sample } from "../counter.ts";

const WRAP = 2 ** 32;

const kind: CounterKind = {
  id: "card-transfers",
  counts: "data the card moved over PCIe by itself",
  of: "device",
  strength: "middling",
  still: "nothing",
  buses: ["pci"],
  drivers: ["tenstorrent"],
  source: "https://github.com/tenstorrent/tt-kmd (docs/sysfs-attributes.md)",
  find: (root, target) =>
    directoriesOf(target).flatMap((directory) =>
      namesIn(root, `${directory}/tenstorrent`, /^tenstorrent!\d{1,4}$/).flatMap((card) => {
        const path = `${directory}/tenstorrent/${card}/pcie_perf_counters`;
        return namesIn(root, path, /^mst_\w{1,60}$/).map((name) => ({
          kind,
          path: `${path}/${name}`,
          unit: "flits",
          read: () => readFlits(root, `${path}/${name}`),
        }));
      }),
    ),
  judge(before, after, { elapsed_ms: elapsed, idle_per_ms: idle }) {
    const more = (after.value - before.value + WRAP) % WRAP;
    if (more === 0) return { moved: "no" };
    // Firmware on the card writes its telemetry too.
    if (idle === undefined) return { moved: "unknown", because: "how much it moves at rest was not measured" };
    return more > 2 * idle * elapsed ? { moved: "yes" } : { moved: "unknown", because: "no more than at rest" };
  },
};
export default kind;

function readFlits(root: Root, path: string): Reading<Sample> {
  const text = root.text(path);
  if (text.state !== "read") return text;
  const value = wholeNumber(text.value);
  return value === undefined || value >= WRAP ? malformed(path, "no count of 32 bits") : read({ value }, path);
}
