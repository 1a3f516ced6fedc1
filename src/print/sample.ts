/** A sample for people: one line per device with what everybody looks for. Gaps are words, never numbers. */

import { bytes, celsius, hertz, percent, watts } from "../base/units.ts";
import type { AlertEvent } from "../watch/alert.ts";
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

/** One line of JSON. Characters that a terminal would act on, or that turn directions, are escaped (commands/common.ts). */
export function sampleLine(sample: Sample): string {
  const escaped = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `${JSON.stringify(sample).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, escaped)}\n`;
}

export function sampleText(sample: Sample, terminal: Terminal): string {
  if (sample.devices.length === 0) return "no accelerator seen\n";
  const time = sample.at.slice(11, 19);
  const rows = sample.devices.map((device) => ({
    address: harmless(device.address),
    cells: SHOWN.map(({ name, print }) => cell(device, name, print)),
    last: processesWord(device) || harmless(device.name),
  }));
  const wide = (of: (row: (typeof rows)[number]) => string): number => Math.max(...rows.map((row) => widthOf(of(row))));
  const address = wide((row) => row.address);
  const widths = SHOWN.map((_, at) =>
    Math.max(
      6,
      wide((row) => row.cells[at] ?? ""),
    ),
  );
  // Who uses it, else what it is, in what is left of the line.
  const room = terminal.columns - widthOf(time) - 2 - address - widths.reduce((sum, width) => sum + width + 2, 0) - 2;
  return rows
    .map((row) => {
      const cells = row.cells.map((text, at) => padEnd(text, widths[at] ?? 0)).join("  ");
      const last = terminal.isTerminal ? cut(row.last, Math.max(8, room)) : row.last;
      return `${paint(terminal, "dim", time)}  ${padEnd(row.address, address)}  ${cells}  ${last}`.trimEnd() + "\n";
    })
    .join("");
}

const cut = (text: string, room: number): string =>
  widthOf(text) <= room
    ? text
    : `${Array.from(text)
        .slice(0, room - 1)
        .join("")}…`;

/** One line for standard error. */
export function alertText(event: AlertEvent): string {
  const { state, device, metric, part, value, alert } = event;
  const what = `${metric}${part === undefined ? "" : `[${part}]`}`;
  const now = value === null ? "not told any more" : String(Number(value.toPrecision(6)));
  return `${harmless(`alert ${state}: ${device} ${what} is ${now} (${alert})`)}\n`;
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
