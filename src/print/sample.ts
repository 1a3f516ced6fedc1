/** A sample for people: one line per device with what everybody looks for. Gaps are words, never numbers. */

import { bytes, celsius, hertz, percent, watts } from "../base/units.ts";
import type { DeviceSample, Metric, Sample } from "../watch/sample.ts";
import { harmless, padEnd, paint, widthOf, type Terminal } from "./terminal.ts";

/** What a line shows, in this order. Of several parts the largest stands for the device. */
const SHOWN: readonly { readonly name: string; readonly print: (value: number) => string }[] = [
  { name: "busy_ratio", print: percent },
  { name: "memory_bytes", print: bytes },
  { name: "clock_hertz", print: hertz },
  { name: "temperature_celsius", print: celsius },
  { name: "power_watts", print: watts },
];

const WHY = { asleep: "asleep", first: "…", denied: "denied", absent: "-", uncaptured: "?", malformed: "bad" } as const;

export function sampleText(sample: Sample, terminal: Terminal): string {
  if (sample.devices.length === 0) return "no accelerator seen\n";
  const time = sample.at.slice(11, 19);
  const rows = sample.devices.map((device) => ({
    address: harmless(device.address),
    cells: SHOWN.map(({ name, print }) => cell(device, name, print)),
    processes: processesWord(device),
    name: harmless(device.name),
  }));
  const wide = (of: (row: (typeof rows)[number]) => string): number => Math.max(...rows.map((row) => widthOf(of(row))));
  const address = wide((row) => row.address);
  const widths = SHOWN.map((_, at) =>
    Math.max(
      7,
      wide((row) => row.cells[at] ?? ""),
    ),
  );
  return rows
    .map((row) => {
      const cells = row.cells.map((text, at) => padEnd(text, widths[at] ?? 0)).join("  ");
      const line =
        `${paint(terminal, "dim", time)}  ${padEnd(row.address, address)}  ${cells}  ${row.processes}`.trimEnd();
      const room = terminal.columns - widthOf(time) - address - widths.reduce((sum, width) => sum + width + 2, 2) - 10;
      const name = room > 12 && !row.processes.includes(",") ? `  ${row.name.slice(0, room)}` : "";
      return `${line}${name}\n`;
    })
    .join("");
}

function cell({ metrics }: DeviceSample, name: string, print: (value: number) => string): string {
  const own = metrics.filter((metric) => metric.name === name);
  const whole = own.find((metric) => metric.part === undefined && metric.value !== null);
  const known = own.flatMap((metric) => (metric.value === null ? [] : [metric.value]));
  if (whole?.value !== undefined && whole.value !== null) return print(whole.value);
  if (known.length > 0) return print(Math.max(...known));
  return reasonWord(own[0]);
}

const reasonWord = (metric: Metric | undefined): string =>
  metric === undefined || metric.value !== null ? "-" : WHY[metric.why];

function processesWord({ processes }: DeviceSample): string {
  if (processes === null || processes.length === 0) return "";
  const words = processes.slice(0, 3).map(({ pid, command }) => `${harmless(command)}(${pid})`);
  return `${words.join(",")}${processes.length > 3 ? `,+${processes.length - 3}` : ""}`;
}
