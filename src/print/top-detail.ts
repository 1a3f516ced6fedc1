/** The detail of one device in `accelctl top`: a curve of its busy time, every metric with its last minutes, and why some have no value. */

import type { DeviceSample, Metric } from "../watch/sample.ts";
import { marksOf, paint, wrapText, type Terminal } from "./terminal.ts";
import { clip, fit, safe } from "./top-cells.ts";
import { headMetric, usesOf, valueWords } from "./top-columns.ts";
import { chart, rangeOf, sparkline } from "./top-history.ts";
import { dashOf, processTable, type Size } from "./top-processes.ts";
import type { TopState } from "./top-state.ts";

/** Rows of the curve. */
const CURVE = 4;
const NAME = 30;
const VALUE = 11;
/** Columns below which a value stands before its name, and nothing else fits. */
const NARROW = 30;
const FIRST = ["busy_ratio", "memory_bytes", "memory_total_bytes", "power_watts", "temperature_celsius", "clock_hertz"];

export function detailLines(device: DeviceSample, state: TopState, size: Size, terminal: Terminal): readonly string[] {
  const { columns } = size;
  const dot = ` ${marksOf(terminal).dot} `;
  const about = [device.address, device.family, device.driver, device.power_state].filter(
    (word) => typeof word === "string",
  );
  return [
    paint(terminal, "bold", clip(safe(device.name, terminal), columns, terminal)),
    paint(terminal, "dim", clip(safe(about.join(dot), terminal), columns, terminal)),
    ...curve(device, state, columns, terminal),
    "",
    ...known(device.metrics).flatMap((metric) => metricLines(device, metric, state, columns, terminal)),
    "",
    ...processLines(device, columns, terminal),
  ];
}

/** What everybody looks for and what has a value come first. */
function known(metrics: readonly Metric[]): readonly Metric[] {
  const rank = ({ name, value }: Metric): number => {
    const at = FIRST.indexOf(name);
    return (value === null ? 100 : 0) + (at < 0 ? FIRST.length : at);
  };
  return [...metrics].sort((a, b) => rank(a) - rank(b));
}

/** Of busy time; of power or temperature where that is not known. */
function curve(device: DeviceSample, state: TopState, columns: number, terminal: Terminal): readonly string[] {
  const head = ["busy_ratio", "power_watts", "temperature_celsius"]
    .map((name) => headMetric(device.metrics, name))
    .find((metric) => metric !== undefined);
  const series = head === undefined ? undefined : state.history.of(device.id, head.name, head.part);
  if (head === undefined || series === undefined || columns < NARROW) return [];
  const margin = 10;
  const drawn = chart(series, head.name, { columns: columns - margin, rows: CURVE }, terminal.unicode);
  const [low, high] = drawn.range;
  return [
    "",
    ...drawn.lines.map((line, row) => {
      const mark = row === 0 ? high : row === CURVE - 1 ? low : undefined;
      const words = mark === undefined ? "" : safe(valueWords({ ...head, value: mark }), terminal);
      return `${fit(words, margin - 1, "right", terminal)} ${line}`;
    }),
  ];
}

function metricLines(
  device: DeviceSample,
  metric: Metric,
  state: TopState,
  columns: number,
  terminal: Terminal,
): readonly string[] {
  const name = safe(metric.part === undefined ? metric.name : `${metric.name} (${metric.part})`, terminal);
  if (columns < NARROW) {
    const words = metric.value === null ? dashOf(terminal) : safe(valueWords(metric), terminal);
    return [clip(`${words} ${name}`, columns, terminal)];
  }
  const room = Math.max(10, Math.min(NAME, columns - VALUE - 3));
  const left = `  ${fit(name, room, "left", terminal)} `;
  const width = columns - room - 3;
  if (metric.value === null) {
    const says = safe(`${metric.why}: ${metric.says}`, terminal);
    if (width < 30) {
      const below = wrapText(says, columns - 4).map((line) => clip(`    ${line}`, columns, terminal));
      return [
        clip(`${left}${dashOf(terminal)}`, columns, terminal),
        ...below.map((line) => paint(terminal, "dim", line)),
      ];
    }
    const [first = "", ...rest] = wrapText(says, Math.max(8, width - 2));
    const words = [`${dashOf(terminal)} ${first}`, ...rest.map((line) => `  ${line}`)];
    return words.map(
      (line, i) => (i === 0 ? left : " ".repeat(room + 3)) + paint(terminal, "dim", clip(line, width, terminal)),
    );
  }
  const value = fit(safe(valueWords(metric), terminal), VALUE, "right", terminal);
  const cells = Math.min(30, width - VALUE - 2);
  const values = cells <= 0 ? [] : (state.history.of(device.id, metric.name, metric.part)?.last(cells) ?? []);
  const picture = sparkline(values, rangeOf(metric.name, values), terminal.unicode);
  const from = width - VALUE - 2 - cells - 2;
  const source = from < 20 ? "" : `  ${paint(terminal, "dim", clip(safe(metric.from, terminal), from, terminal))}`;
  return [left + clip(value, width, terminal) + (picture === "" ? "" : `  ${picture}${source}`)];
}

function processLines(device: DeviceSample, columns: number, terminal: Terminal): readonly string[] {
  const because = device.processes_because;
  const told =
    because === undefined ? [] : wrapText(safe(because, terminal), columns).map((line) => paint(terminal, "dim", line));
  if (device.processes === null) return told;
  return [...processTable(usesOf([device]), columns, terminal), ...told];
}
