/**
 * History: samples as columns, for charts. All columns share one row of times. A value that was not read is null, and its reason is
 * kept beside it; where no sample came there is a row of nulls that says so. Bounded in rows and time.
 */

import type { DeviceSample, Metric, Sample } from "../../../src/watch/sample.ts";

export interface Series {
  readonly key: string;
  readonly device: string;
  readonly name: string;
  /** "core 0", or "1234 python3" of a process. */
  readonly part: string | undefined;
  /** Of a process that uses the device, not of the device. */
  readonly pid: number | undefined;
  readonly from: string;
  readonly values: (number | null)[];
  /** Reasons for nulls, each from its moment on until there is a value or another reason. */
  readonly reasons: { readonly at: number; readonly says: string }[];
}

export interface Limits {
  readonly rows: number;
  readonly seconds: number;
}

/** What the longest range shows, at one sample a second. */
export const LIVE: Limits = { rows: 3_700, seconds: 3_660 };
/** A recording is shown whole up to so many samples: 300 columns of them are 50 MB. */
export const RECORDED: Limits = { rows: 20_000, seconds: Infinity };
/** Columns of one machine: 1,024 devices of any kind would not be read by anybody. New ones past it are left out. */
const SERIES_LIMIT = 4_000;
/** Rows are dropped in bunches, since each drop moves all columns. */
const BUNCH = 200;

export const NO_SAMPLE = "no sample came";
const NOT_LISTED = "not in this sample";

export class History {
  /** Seconds since 1970. */
  readonly times: number[] = [];
  readonly series = new Map<string, Series>();
  /** As they were last seen, in the order of the last sample; those that went away after them. */
  readonly devices = new Map<string, { readonly sample: DeviceSample; readonly at: number }>();
  last: Sample | undefined;
  readonly #limits: Limits;

  constructor(limits: Limits = LIVE) {
    this.#limits = limits;
  }

  /** `interval`: seconds after which the next one was to come. Older ones than what is there, and broken ones, are passed over. */
  push(sample: Sample, interval: number): void {
    const at = Date.parse(sample.at) / 1000;
    const before = this.times.at(-1);
    if (Number.isNaN(at) || (before !== undefined && at <= before)) return;
    // Half as late again, and a second for a busy machine, is no gap yet.
    const due = Math.max(interval, sample.elapsed_seconds ?? 0);
    if (before !== undefined && at - before > 1.5 * due + 1)
      this.#row(before + Math.min(due, 1) / 2, new Map(), NO_SAMPLE);
    const values = new Map<string, Metric>();
    for (const device of sample.devices) {
      this.devices.delete(device.id);
      this.devices.set(device.id, { sample: device, at });
      for (const metric of device.metrics) this.#note(values, device.id, metric, undefined, metric.part);
      for (const use of device.processes ?? []) {
        for (const metric of use.metrics) {
          const part = [String(use.pid), use.command, metric.part].filter(Boolean).join(" ");
          this.#note(values, device.id, metric, use.pid, part);
        }
      }
    }
    this.#row(at, values, NOT_LISTED);
    this.last = sample;
    this.#trim(at);
  }

  #note(
    values: Map<string, Metric>,
    device: string,
    metric: Metric,
    pid: number | undefined,
    part: string | undefined,
  ): void {
    const { name, from } = metric;
    const key = [device, pid ?? "", name, part ?? ""].join("\0");
    if (!this.series.has(key)) {
      if (this.series.size >= SERIES_LIMIT) return;
      const { times } = this;
      const [first] = times;
      this.series.set(key, {
        ...{ key, device, name, part, pid, from },
        values: times.map(() => null),
        reasons:
          first === undefined
            ? []
            : [{ at: first, says: pid === undefined ? NOT_LISTED : "the process was not there" }],
      });
    }
    values.set(key, metric);
  }

  #row(at: number, values: ReadonlyMap<string, Metric>, absent: string): void {
    this.times.push(at);
    for (const [key, series] of this.series) {
      const metric = values.get(key);
      const value = metric?.value ?? null;
      if (value === null) {
        const says =
          metric === undefined
            ? absent === NOT_LISTED && series.pid !== undefined
              ? "the process was not there"
              : absent
            : metric.value === null
              ? metric.says
              : absent;
        const was = series.values.at(-1);
        if (was !== null || series.reasons.at(-1)?.says !== says) series.reasons.push({ at, says });
      }
      series.values.push(value);
    }
  }

  #trim(now: number): void {
    const { times } = this;
    const { rows, seconds } = this.#limits;
    const old = seconds === Infinity ? 0 : from(times, now - seconds);
    const drop = Math.max(old, times.length - rows);
    if (drop < BUNCH) return;
    times.splice(0, drop);
    const [first = 0] = times;
    for (const [key, { values, reasons }] of this.series) {
      values.splice(0, drop);
      // The reason that holds at the new beginning stays.
      let holds = -1;
      for (const [i, { at }] of reasons.entries()) if (at <= first) holds = i;
      if (holds > 0) reasons.splice(0, holds);
      if (values.every((value) => value === null) && this.last !== undefined && reasons.at(-1)?.says === NOT_LISTED)
        this.series.delete(key);
    }
    for (const [id, { at }] of this.devices) if (at < first) this.devices.delete(id);
  }

  /** Why there is no value at a row; undefined where there is one. */
  reason(series: Series, row: number): string | undefined {
    const at = this.times[row];
    if (at === undefined || series.values[row] !== null) return undefined;
    let says: string | undefined;
    for (const reason of series.reasons) {
      if (reason.at > at) break;
      says = reason.says;
    }
    return says ?? NO_SAMPLE;
  }
}

/** The first row at or after a moment. */
export function from(times: readonly number[], at: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The row nearest to a moment; -1 where there is none. */
export function nearest(times: readonly number[], at: number): number {
  const next = from(times, at);
  const [before, after] = [times[next - 1], times[next]];
  if (before === undefined) return after === undefined ? -1 : next;
  return after === undefined || at - before <= after - at ? next - 1 : next;
}

/** Lines of a recording (`accelctl watch --record`): one sample each. Throws with the line that is none. */
export function parseRecording(text: string): Sample[] {
  const samples: Sample[] = [];
  const lines = text.split("\n");
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      // The last line of a recording that was cut off.
      if (i === lines.length - 1 && samples.length > 0) break;
      throw new Error(`line ${i + 1} is no JSON`);
    }
    if (isSample(value)) samples.push(value);
    else if (i > 0 || !isHead(value)) throw new Error(`line ${i + 1} is no sample of schema 1`);
  }
  if (samples.length === 0) throw new Error("it holds no sample");
  return samples.sort((a, b) => a.at.localeCompare(b.at));
}

/** A first line may say what follows. */
const isHead = (value: unknown): boolean => typeof value === "object" && value !== null && !("devices" in value);

export function isSample(value: unknown): value is Sample {
  const is = (one: unknown): one is Record<string, unknown> => typeof one === "object" && one !== null;
  const metrics = (one: unknown): boolean =>
    Array.isArray(one) &&
    one.every(
      (metric: unknown) =>
        is(metric) &&
        typeof metric["name"] === "string" &&
        (typeof metric["value"] === "number" || (metric["value"] === null && typeof metric["says"] === "string")),
    );
  const processes = (one: unknown): boolean =>
    one === null ||
    (Array.isArray(one) &&
      one.every((use: unknown) => is(use) && typeof use["pid"] === "number" && metrics(use["metrics"])));
  return (
    is(value) &&
    value["schema"] === 1 &&
    typeof value["at"] === "string" &&
    Array.isArray(value["devices"]) &&
    value["devices"].every(
      (device: unknown) =>
        is(device) &&
        typeof device["id"] === "string" &&
        typeof device["name"] === "string" &&
        metrics(device["metrics"]) &&
        processes(device["processes"]),
    )
  );
}
