/** Columns of `accelctl top`: which metric each shows of a device, how wide it is, and which go first where the screen is narrow. */

import { bytes, celsius, hertz, percent, watts, seconds } from "../base/units.ts";
import type { DeviceSample, KnownMetric, Metric, ProcessUse } from "../watch/sample.ts";

export interface Column {
  readonly key: string;
  readonly title: string;
  readonly width: number;
  readonly align: "left" | "right";
  /** The widest screens show all; a column with a higher number goes earlier. 0 stays. */
  readonly leaves: number;
  /** What is sorted by; undefined sorts last. Numbers sort highest first, words by the alphabet. */
  readonly value: (device: DeviceSample) => number | string | undefined;
  readonly cell: (device: DeviceSample) => string | undefined;
}

/** Metrics of one name: the one of the whole device, else the highest of its parts. */
export function headMetric(metrics: readonly Metric[], name: string): KnownMetric | undefined {
  let best: KnownMetric | undefined;
  for (const metric of metrics) {
    if (metric.name !== name || metric.value === null) continue;
    if (metric.part === undefined) return metric;
    if (best === undefined || metric.value > best.value) best = metric;
  }
  return best;
}

const metricColumn = (
  key: string,
  title: string,
  width: number,
  leaves: number,
  metric: string,
  words: (value: number) => string,
): Column => ({
  key,
  title,
  width,
  align: "right",
  leaves,
  value: ({ metrics }) => headMetric(metrics, metric)?.value,
  cell: ({ metrics }) => {
    const head = headMetric(metrics, metric);
    return head === undefined ? undefined : words(head.value);
  },
});

/** In the order they stand in. The first takes what room is left, and `history` has no value: it is drawn of `busy`. */
export const columns: readonly Column[] = [
  {
    key: "device",
    title: "DEVICE",
    width: 18,
    align: "left",
    leaves: 0,
    value: ({ name, address }) => `${name} ${address}`,
    cell: ({ name }) => name,
  },
  {
    key: "address",
    title: "ADDRESS",
    width: 12,
    align: "left",
    leaves: 9,
    value: ({ address }) => address,
    cell: ({ address }) => address,
  },
  {
    key: "state",
    title: "STATE",
    width: 10,
    align: "left",
    leaves: 8,
    value: ({ power_state }) => power_state ?? undefined,
    cell: ({ power_state }) => power_state ?? undefined,
  },
  metricColumn("busy", "BUSY", 6, 0, "busy_ratio", percent),
  {
    key: "history",
    title: "HISTORY",
    width: 10,
    align: "left",
    leaves: 4,
    value: () => undefined,
    cell: () => undefined,
  },
  metricColumn("memory", "MEM", 8, 2, "memory_bytes", bytes),
  {
    ...metricColumn("of", "OF", 8, 7, "memory_total_bytes", bytes),
    value: ({ metrics }) => headMetric(metrics, "memory_total_bytes")?.value,
  },
  metricColumn("power", "POWER", 7, 3, "power_watts", watts),
  metricColumn("temperature", "TEMP", 7, 1, "temperature_celsius", celsius),
  metricColumn("clock", "CLOCK", 7, 6, "clock_hertz", hertz),
  {
    key: "users",
    title: "PROC",
    width: 4,
    align: "right",
    leaves: 5,
    value: ({ processes }) => processes?.length,
    cell: ({ processes }) => (processes === null ? undefined : String(processes.length)),
  },
];

/** Columns there is room for, each with a blank before it; a wide screen gives the rest to names (up to 40 cells) and the history. */
export function columnsFor(width: number): readonly Column[] {
  let kept = columns;
  const taken = (): number => kept.reduce((sum, column) => sum + column.width + 1, 0);
  while (taken() > width) {
    const most = Math.max(...kept.map(({ leaves }) => leaves));
    if (most === 0) break;
    kept = kept.filter(({ leaves }) => leaves !== most);
  }
  // Too narrow for anything: a name is more than half a number.
  if (width < 16) return kept.slice(0, 1).map((column) => ({ ...column, width: Math.max(0, width - 1) }));
  let left = width - taken();
  const names = Math.min(left, left > 22 ? Math.max(22, left - 60) : left);
  const grown = kept.some(({ key }) => key === "history") ? names : left;
  left -= grown;
  return kept.map((column, at) => {
    if (at === 0) return { ...column, width: Math.max(1, column.width + grown) };
    return column.key === "history" ? { ...column, width: column.width + left } : column;
  });
}

export const sortable: readonly string[] = ["busy", "memory", "power", "temperature", "clock", "users", "device"];

/** By a column; devices without a value come last, either way round; equal ones stay in the machine's order. */
export function sorted(
  devices: readonly DeviceSample[],
  key: string | undefined,
  reversed: boolean,
): readonly DeviceSample[] {
  const column = columns.find((one) => one.key === key);
  if (column === undefined) return reversed ? [...devices].reverse() : devices;
  const sign = reversed ? -1 : 1;
  return [...devices].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? 1 : -1;
    if (typeof x === "number" && typeof y === "number") return (y - x) * sign;
    return (String(x) < String(y) ? -1 : String(x) > String(y) ? 1 : 0) * sign;
  });
}

const unitWords: readonly (readonly [ending: string, words: (value: number) => string])[] = [
  ["_ratio", percent],
  ["_bytes_per_second", (n) => `${bytes(n)}/s`],
  ["_bytes", bytes],
  ["_watts", watts],
  ["_celsius", celsius],
  ["_transfers_per_second", (n) => `${(n / 1e9).toFixed(1)} GT/s`],
  ["_per_second", (n) => `${tidy(n)}/s`],
  ["_seconds", seconds],
  ["_hertz", hertz],
  ["_joules", (n) => `${tidy(n)} J`],
  ["_volts", (n) => `${n.toFixed(3)} V`],
  ["_amperes", (n) => `${n.toFixed(2)} A`],
  ["_rpm", (n) => `${tidy(n)} rpm`],
];

const tidy = (n: number): string => (Number.isInteger(n) ? String(n) : n.toPrecision(4).replace(/\.?0+$/, ""));

export function valueWords({ name, value }: KnownMetric): string {
  return (unitWords.find(([ending]) => name.endsWith(ending))?.[1] ?? tidy)(value);
}

/** One use of a device by a process, as `top` lists them. */
export interface Use {
  readonly device: DeviceSample;
  readonly use: ProcessUse;
}

/** Who computes most comes first, then who holds most memory. */
export function usesOf(devices: readonly DeviceSample[]): readonly Use[] {
  const rank = (use: ProcessUse, name: string): number => headMetric(use.metrics, name)?.value ?? -1;
  return devices
    .flatMap((device) => (device.processes ?? []).map((use) => ({ device, use })))
    .sort(
      (a, b) =>
        rank(b.use, "busy_ratio") - rank(a.use, "busy_ratio") ||
        rank(b.use, "memory_bytes") - rank(a.use, "memory_bytes") ||
        a.use.pid - b.use.pid,
    );
}
