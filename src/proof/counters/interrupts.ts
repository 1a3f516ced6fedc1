/**
 * Interrupts of the device: its MSI vectors or its line. /proc/interrupts, Documentation/ABI/testing/sysfs-kernel-irq (the same numbers
 * one by one, cheaper on machines of many processors), sysfs-bus-pci (msi_irqs), the device tree's `interrupts`.
 */

import { read, valueOf, type Reading } from "../../base/reading.ts";
import type { Root } from "../../root/root.ts";
import {
  directoriesOf,
  driverOf,
  isAccel,
  namesIn,
  type Counter,
  type CounterKind,
  type Sample,
  type Still,
  type Target,
} from "../counter.ts";
import { interruptRows, type InterruptRow } from "../interrupt-rows.ts";

/** Read one by one up to here; beyond, the whole table is as cheap. */
const SINGLE_LIMIT = 32;

/**
 * What no interrupt means. `proof`: each job ends in the handler (rocket_job.c, ethosu_job.c of Linux 7.x). `hint`: as a rule it does,
 * and a module parameter or another path may poll. Drivers whose user space polls memory (CUDA, ROCm, Tenstorrent) are not here.
 */
const STILL: Readonly<Partial<Record<string, Still>>> = {
  rocket: "proof",
  ethosu: "proof",
  intel_vpu: "hint",
  amdxdna: "hint",
  qaic: "hint",
  apex: "hint",
  etnaviv: "hint",
  RKNPU: "hint",
  rknpu: "hint",
};

const kind: CounterKind = {
  id: "interrupts",
  counts: "interrupts of the device",
  of: "device",
  strength: "middling",
  still: "nothing",
  buses: ["pci", "platform"],
  source: "/proc/interrupts, Documentation/ABI/testing/sysfs-kernel-irq",
  find(root, target) {
    const rows = valueOf(interruptRows(root)) ?? [];
    const numbers = target.bus === "pci" ? ofPci(root, target, rows) : ofPlatform(root, target, rows);
    if (numbers.size === 0) return [];
    const single = numbers.size <= SINGLE_LIMIT && root.stat(perCpu([...numbers][0] ?? "")).state === "read";
    const shared = sharedBy(rows, numbers, target);
    const counter: Counter = {
      kind,
      path: single ? `/sys/kernel/irq/{${[...numbers].join(",")}}/per_cpu_count` : "/proc/interrupts",
      unit: "interrupts",
      // Somebody else's interrupts on the line hide nothing: no interrupt at all is none of ours.
      still: stillOf(target),
      ...(shared === undefined ? {} : { shared }),
      read: () => (single ? readSingly(root, numbers) : readTable(root, numbers)),
    };
    return [counter];
  },
  judge(before, after, { elapsed_ms: elapsed, idle_per_ms: idle }) {
    const more = after.value - before.value;
    if (more < 0 || before.word !== after.word) return { moved: "unknown", because: "its lines were set up anew" };
    if (more === 0) return { moved: "no" };
    if (idle === undefined || idle === 0) return { moved: "yes" };
    // As many as at rest, and three times the spread of so many by chance.
    const expected = idle * elapsed;
    return more > expected + 3 * Math.sqrt(expected) + 1
      ? { moved: "yes" }
      : { moved: "unknown", because: `as many come at rest (${(idle * 1000).toFixed(0)} a second)` };
  },
};
export default kind;

function stillOf(target: Target): Still {
  const still = STILL[driverOf(target)] ?? "nothing";
  return still === "proof" && !isAccel(target) ? "hint" : still;
}

const perCpu = (irq: string): string => `/sys/kernel/irq/${irq}/per_cpu_count`;

/** Vectors of MSI and MSI-X, also those that nobody has asked for yet; the line where there are none. */
function ofPci(root: Root, target: Target, rows: readonly InterruptRow[]): ReadonlySet<string> {
  return new Set(
    directoriesOf(target).flatMap((path) => {
      const vectors = namesIn(root, `${path}/msi_irqs`, /^\d{1,9}$/);
      if (vectors.length > 0) return vectors;
      const line = valueOf(root.text(`${path}/irq`))?.trim() ?? "";
      return rows.filter(({ irq, actions }) => irq === line && actions.length > 0).map(({ irq }) => irq);
    }),
  );
}

/** Most drivers name the line after the device; the others are told apart by the number the device tree gives. */
function ofPlatform(root: Root, target: Target, rows: readonly InterruptRow[]): ReadonlySet<string> {
  const own = directoriesOf(target).flatMap((path) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const named = rows.filter(({ actions }) => actions.includes(name));
    if (named.length > 0) return named;
    const wired = gicNumbers(valueOf(root.bytes(`${path}/of_node/interrupts`)));
    const driver = driverOf(target);
    return rows.filter(
      ({ chip, hwirq, actions }) => chip.startsWith("GIC") && wired.has(hwirq) && actions.includes(driver),
    );
  });
  return new Set(own.map(({ irq }) => irq));
}

/**
 * Cells of three words: 0 (shared) or 1 (per processor), number, flags. Shared ones begin at 32.
 * Documentation/devicetree/bindings/interrupt-controller/arm,gic.yaml
 */
function gicNumbers(cells: Uint8Array | undefined): ReadonlySet<number> {
  const numbers = new Set<number>();
  if (cells === undefined || cells.length % 12 !== 0 || cells.length > 4096) return numbers;
  const view = new DataView(cells.buffer, cells.byteOffset, cells.byteLength);
  for (let at = 0; at < cells.length; at += 12) {
    const type = view.getUint32(at);
    if (type <= 1) numbers.add(view.getUint32(at + 4) + (type === 0 ? 32 : 16));
  }
  return numbers;
}

function sharedBy(rows: readonly InterruptRow[], numbers: ReadonlySet<string>, target: Target): string | undefined {
  // A vector of MSI is one device's alone, however many handlers its driver has on it.
  const lines = rows.filter(({ irq, chip }) => numbers.has(irq) && !chip.includes("MSI"));
  const crowded = lines.filter(({ actions }) => new Set(actions).size > 1);
  const ours = new Set([driverOf(target), target.address, ...target.parts]);
  const others = [...new Set(crowded.flatMap(({ actions }) => actions))].filter((name) => !ours.has(name));
  return others.length > 0 ? others.join(", ") : undefined;
}

function readSingly(root: Root, numbers: ReadonlySet<string>): Reading<Sample> {
  let value = 0;
  for (const irq of numbers) {
    const text = root.text(perCpu(irq));
    if (text.state !== "read") return text;
    for (const count of text.value.split(",")) value += Number.parseInt(count, 10) || 0;
  }
  return read({ value }, "/sys/kernel/irq");
}

function readTable(root: Root, numbers: ReadonlySet<string>): Reading<Sample> {
  const rows = interruptRows(root);
  if (rows.state !== "read") return rows;
  const own = rows.value.filter(({ irq }) => numbers.has(irq));
  // A line nobody has asked for is not in the table, and one that comes into it brings its old count along.
  const word = own.map(({ irq }) => irq).join(", ");
  return read({ value: own.reduce((sum, { count }) => sum + count, 0), word }, "/proc/interrupts");
}
