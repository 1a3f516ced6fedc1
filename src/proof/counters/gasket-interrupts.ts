/** Coral's PCIe cards: how often each of their thirteen interrupts came, lines "0x04: 17". Attribute of gasket's class device. */

import { directoriesOf, fileCounter, namesIn, type CounterKind } from "../counter.ts";

const kind: CounterKind = {
  id: "gasket-interrupts",
  counts: "interrupts that the Edge TPU's driver handled",
  of: "device",
  strength: "middling",
  still: "hint",
  buses: ["pci"],
  drivers: ["apex"],
  source: "https://github.com/google/gasket-driver (gasket_interrupt.c)",
  find: (root, target) =>
    directoriesOf(target).flatMap((directory) =>
      namesIn(root, `${directory}/apex`, /^apex_\d{1,4}$/).map((name) =>
        fileCounter(root, kind, `${directory}/apex/${name}/interrupt_counts`, "interrupts", sumOfLines),
      ),
    ),
};
export default kind;

function sumOfLines(text: string): number | undefined {
  const counts = [...text.matchAll(/^0x[0-9a-f]{1,4}: (\d{1,20})$/gm)].map(([, count]) => Number(count));
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}
