/**
 * A frame of `accelctl top`: state and size in, lines out, as many as the screen has rows. What is not known is a dash, and its reason
 * stands in the device's detail.
 */

import { seconds as secondsWords } from "../base/units.ts";
import type { DeviceSample, Metric } from "../watch/sample.ts";
import { marksOf, paint, type Paint, type Terminal } from "./terminal.ts";
import { cellsOf, clip, fit, safe } from "./top-cells.ts";
import { columnsFor, headMetric, usesOf, type Column } from "./top-columns.ts";
import { detailLines } from "./top-detail.ts";
import { rangeOf, sparkline } from "./top-history.ts";
import { dashOf, processTable, type Size } from "./top-processes.ts";
import { keyHelp, shownDevices, type TopState } from "./top-state.ts";

export function renderTop(state: TopState, size: Size, terminal: Terminal): readonly string[] {
  const { rows } = size;
  if (rows < 1 || size.columns < 1) return [];
  const title = titleLine(state, size, terminal);
  const foot = rows > 2 ? [footLine(state, size, terminal)] : [];
  const room = Math.max(0, rows - 1 - foot.length);
  const body = bodyLines(state, { ...size, rows: room }, terminal).slice(0, room);
  return [title, ...body, ...Array.from({ length: room - body.length }, () => ""), ...foot].slice(0, rows);
}

/** One frame for scripts: every device, no more lines than there is to tell. */
export function renderOnce(state: TopState, columns: number, terminal: Terminal): string {
  const devices = shownDevices(state);
  const table = deviceTable({ ...state, selected: undefined }, devices, columns, terminal);
  const uses = state.processes ? processTable(usesOf(devices), columns, terminal) : [];
  return [titleLine(state, { columns, rows: 1 }, terminal), ...table, ...uses]
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

function titleLine(state: TopState, { columns }: Size, terminal: Terminal): string {
  const { sample } = state;
  const dot = ` ${marksOf(terminal).dot} `;
  const count = sample?.devices.length ?? 0;
  const shown = shownDevices(state).length;
  const words = [
    sample === undefined
      ? "waiting for the first sample"
      : `${shown === count ? "" : `${shown} of `}${count} ${count === 1 ? "device" : "devices"}`,
    ...(state.frozen ? ["FROZEN"] : []),
    ...(sample === undefined ? [] : [clockOf(sample.at)]),
    ...(state.from === undefined ? [] : [safe(state.from, terminal)]),
    ...(state.filter === "" || state.typing ? [] : [`/${safe(state.filter, terminal)}`]),
    ...(state.interval === 0 ? [] : [`every ${secondsWords(state.interval)}`]),
    ...(sample === undefined ? [] : [`read in ${secondsWords(sample.took_seconds)}`]),
  ];
  const head = "accelctl top";
  const rest = clip(`${dot}${words.join(dot)}`, columns - head.length, terminal);
  return columns <= head.length ? clip(head, columns, terminal) : paint(terminal, "bold", head) + rest;
}

/** Wall clock of whoever looks. */
function clockOf(at: string): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return "?";
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}

function footLine(state: TopState, { columns }: Size, terminal: Terminal): string {
  if (state.typing) return clip(`/${safe(state.filter, terminal)}_  enter keeps it, escape ends it`, columns, terminal);
  const words =
    state.view === "help"
      ? "any key: back"
      : state.view === "device"
        ? "escape back  up/down scroll  left/right other device  space freeze  q back"
        : "q quit  enter detail  s sort  / filter  p processes  space freeze  ? help";
  return paint(terminal, "dim", clip(words, columns, terminal));
}

function bodyLines(state: TopState, size: Size, terminal: Terminal): readonly string[] {
  if (state.view === "help") return helpLines(size, terminal);
  const devices = shownDevices(state);
  if (state.view === "device") {
    const device = state.sample?.devices.find(({ id }) => id === state.selected);
    if (device === undefined) return ["", clip("it is gone", size.columns, terminal)];
    const lines = detailLines(device, state, size, terminal);
    // A scroll past the end shows the last page.
    const from = Math.max(0, Math.min(state.scroll, lines.length - size.rows));
    return lines.slice(from, from + size.rows);
  }
  if (state.sample !== undefined && devices.length === 0) {
    const why =
      state.sample.devices.length === 0 ? "no accelerator here; accelctl review says more" : "nothing has these words";
    return ["", clip(why, size.columns, terminal)];
  }
  const uses = state.processes ? processTable(usesOf(devices), size.columns, terminal) : [];
  // Processes get what devices leave, and a third where they leave less.
  const wanted = devices.length + 1;
  const below = state.processes ? Math.min(uses.length, Math.max(size.rows - wanted, Math.floor(size.rows / 3))) : 0;
  const above = Math.max(0, size.rows - below - 1);
  const at = devices.findIndex(({ id }) => id === state.selected);
  const from = Math.max(0, Math.min(at - Math.floor(above / 2), devices.length - above));
  const [head = "", ...table] = deviceTable(state, devices.slice(from, from + above), size.columns, terminal);
  const blank = Math.max(0, size.rows - below - 1 - table.length);
  return [
    head,
    ...table,
    ...Array.from({ length: state.processes ? Math.min(blank, 1) : 0 }, () => ""),
    ...uses.slice(0, below),
  ];
}

/** A header and a line each. */
function deviceTable(
  state: TopState,
  devices: readonly DeviceSample[],
  width: number,
  terminal: Terminal,
): readonly string[] {
  const shown = columnsFor(width);
  const head = shown.map((column) => {
    const mark = column.key === state.sort ? (state.reversed ? "^" : "v") : "";
    return fit(
      column.align === "left" ? column.title + mark : mark + column.title,
      column.width,
      column.align,
      terminal,
    );
  });
  const lines = devices.map((device) => deviceLine(state, device, shown, terminal));
  return [paint(terminal, "bold", ` ${head.join(" ")}`.slice(0, width)), ...lines];
}

function deviceLine(state: TopState, device: DeviceSample, shown: readonly Column[], terminal: Terminal): string {
  const cells = shown.map((column) => {
    if (column.key === "history") return historyCell(state, device, column.width, terminal);
    const words = column.key === "device" ? nameOf(state, device, column, shown, terminal) : column.cell(device);
    const text = fit(
      words === undefined ? dashOf(terminal) : safe(words, terminal),
      column.width,
      column.align,
      terminal,
    );
    const style = words === undefined ? "dim" : styleOf(column.key, device);
    return style === undefined ? text : paint(terminal, style, text);
  });
  const mark = device.id === state.selected ? ">" : " ";
  return mark + cells.join(" ");
}

/** Of two devices of one name the address tells which is which, also where its column has no room. */
function nameOf(
  { sample }: TopState,
  { name, address }: DeviceSample,
  { width }: Column,
  shown: readonly Column[],
  terminal: Terminal,
): string {
  const twice = (sample?.devices ?? []).filter((other) => other.name === name).length > 1;
  if (!twice || shown.some(({ key }) => key === "address")) return name;
  const place = clip(safe(address.replace(/^0000:/, ""), terminal), 10, terminal);
  return `${fit(safe(name, terminal), Math.max(0, width - cellsOf(place) - 1), "left", terminal)} ${place}`;
}

function historyCell(state: TopState, device: DeviceSample, width: number, terminal: Terminal): string {
  const part =
    headMetric(device.metrics, "busy_ratio")?.part ?? device.metrics.find(({ name }) => name === "busy_ratio")?.part;
  const values = state.history.of(device.id, "busy_ratio", part)?.last(width) ?? [];
  return sparkline(values, rangeOf("busy_ratio", values), terminal.unicode).padStart(width);
}

/** Beside the number, never instead of it. */
function styleOf(key: string, device: DeviceSample): Paint | undefined {
  if (key === "busy") {
    const busy = headMetric(device.metrics, "busy_ratio")?.value ?? 0;
    return busy >= 0.9 ? "red" : busy >= 0.5 ? "yellow" : busy > 0 ? "green" : undefined;
  }
  if (key !== "temperature") return undefined;
  const heat = headMetric(device.metrics, "temperature_celsius")?.value;
  const limits = ["throttle_celsius", "temperature_limit_celsius", "shutdown_celsius"].map((name) =>
    lowest(device.metrics, name),
  );
  const limit = limits.find((one) => one !== undefined);
  if (heat === undefined || limit === undefined) return undefined;
  return heat >= limit ? "red" : heat >= limit - 10 ? "yellow" : undefined;
}

function lowest(metrics: readonly Metric[], name: string): number | undefined {
  const values = metrics.flatMap((metric) => (metric.name === name && metric.value !== null ? [metric.value] : []));
  return values.length === 0 ? undefined : Math.min(...values);
}

function helpLines({ columns }: Size, terminal: Terminal): readonly string[] {
  const keys = Math.min(16, Math.floor(columns / 3));
  const lines = keyHelp.flatMap(([names, says]) => {
    const [first = "", ...rest] = broken(names, keys);
    const words = broken(says, Math.max(1, columns - keys - 4));
    return Array.from({ length: Math.max(words.length, rest.length + 1) }, (_, i) =>
      clip(
        `  ${fit(i === 0 ? first : (rest[i - 1] ?? ""), keys, "left", terminal)}  ${words[i] ?? ""}`,
        columns,
        terminal,
      ),
    );
  });
  return [paint(terminal, "bold", clip("Keys", columns, terminal)), ...lines];
}

/** At blanks, into lines of at most so many cells. */
function broken(text: string, cells: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= cells) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
