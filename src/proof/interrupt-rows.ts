/** /proc/interrupts: a column per online processor, then chip, number on the chip, trigger and who asked for it. proc_interrupts(5) */

import { map, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface InterruptRow {
  /** Linux's number, as text. */
  readonly irq: string;
  /** Since boot, over all processors. */
  readonly count: number;
  /** PCI-MSI-0000:00:02.0, GICv3, IO-APIC ... */
  readonly chip: string;
  /** On that chip. */
  readonly hwirq: number;
  /** Names of the handlers. */
  readonly actions: readonly string[];
}

const ROW_LIMIT = 65_536;

export const interruptRows = (root: Root): Reading<readonly InterruptRow[]> =>
  map(root.text("/proc/interrupts"), parseInterrupts);

export function parseInterrupts(text: string): readonly InterruptRow[] {
  const lines = text.split("\n", ROW_LIMIT);
  const columns = (lines[0]?.match(/CPU\d+/g) ?? []).length;
  return lines.slice(1).flatMap((line) => {
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    const irq = /^(\d{1,9}):$/.exec(words[0] ?? "")?.[1];
    // Rows with a name instead of a number (LOC, IPI0) are the processors' own.
    if (irq === undefined || columns === 0) return [];
    let count = 0;
    for (const word of words.slice(1, 1 + columns)) count += Number.parseInt(word, 10) || 0;
    const [chip = "", number = "", ...rest] = words.slice(1 + columns);
    // x86 writes "2-edge timer", others "152     Level     ethosu"; a chip without a domain writes no number.
    const hwirq = Number.parseInt(number, 10);
    const names = /^\d+$/.test(number) && /^(?:Level|Edge|None)$/i.test(rest[0] ?? "") ? rest.slice(1) : rest;
    const actions = names
      .join(" ")
      .split(", ")
      .filter((name) => name !== "");
    return [{ irq, count, chip, hwirq: Number.isNaN(hwirq) ? -1 : hwirq, actions }];
  });
}
