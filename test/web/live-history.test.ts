/** What the Live view computes: columns of samples with their gaps, recordings, percentiles, and lanes of the timeline. */

import { describe, expect, test } from "vitest";
import type { Spread } from "../../src/serve/engine.ts";
import type { Sample } from "../../src/watch/sample.ts";
import { arrangeLane, spanOf } from "../../web/src/atlas/lanes.ts";
import { from, History, isSample, nearest, NO_SAMPLE, parseRecording } from "../../web/src/live/history.ts";
import { between, percentile } from "../../web/src/live/spread.ts";
import { device, known, processUse, unknown } from "../support/samples.ts";

const begin = Date.parse("2026-11-24T10:00:00Z");
const at = (seconds: number, ...devices: Sample["devices"]): Sample => ({
  ...{ schema: 1, sequence: seconds, at: new Date(begin + seconds * 1000).toISOString() },
  ...{ elapsed_seconds: 1, took_seconds: 0.001, devices },
});
const only = (history: History) => {
  const [series] = [...history.series.values()];
  if (series === undefined) throw new Error("no series");
  return series;
};

describe("history", () => {
  test("a value that was not read is null and keeps its reason, and is never 0", () => {
    const history = new History();
    history.push(at(0, device("a", { metrics: [known("busy_ratio", 0)] })), 1);
    history.push(at(1, device("a", { metrics: [unknown("busy_ratio", "asleep", "reading would wake it")] })), 1);
    history.push(at(2, device("a", { metrics: [unknown("busy_ratio", "denied", "only root may read it")] })), 1);
    history.push(at(3, device("a", { metrics: [known("busy_ratio", 0.5)] })), 1);
    const series = only(history);
    expect(series.values).toEqual([0, null, null, 0.5]);
    expect([0, 1, 2, 3].map((row) => history.reason(series, row))).toEqual([
      undefined,
      "reading would wake it",
      "only root may read it",
      undefined,
    ]);
  });

  test("where no sample came there is a gap, not a line across it", () => {
    const history = new History();
    for (const second of [0, 1, 2, 60, 61])
      history.push(at(second, device("a", { metrics: [known("x_watts", 1)] })), 1);
    const series = only(history);
    expect(series.values).toEqual([1, 1, 1, null, 1, 1]);
    expect(history.reason(series, 3)).toBe(NO_SAMPLE);
  });

  test("a slower pace is no gap", () => {
    const history = new History();
    for (const second of [0, 5, 10, 15]) history.push(at(second, device("a", { metrics: [known("x_watts", 1)] })), 5);
    expect(only(history).values).toEqual([1, 1, 1, 1]);
  });

  test("a metric, a process and a device that come later have nothing before", () => {
    const history = new History();
    history.push(at(0, device("a", { metrics: [known("x_watts", 1)] })), 1);
    const uses = [processUse(42, "python3", [known("memory_bytes", 7)])];
    history.push(at(1, device("a", { metrics: [known("x_watts", 2)], processes: uses })), 1);
    history.push(at(2, device("b", { metrics: [known("x_watts", 3)] })), 1);
    const [first, process, second] = [...history.series.values()];
    if (first === undefined || process === undefined || second === undefined) throw new Error("three series");
    expect(first.values).toEqual([1, 2, null]);
    expect(history.reason(first, 2)).toBe("not in this sample");
    expect([process.values, process.part, process.pid]).toEqual([[null, 7, null], "42 python3", 42]);
    expect(history.reason(process, 2)).toBe("the process was not there");
    expect(second.values).toEqual([null, null, 3]);
    expect([...history.devices.keys()]).toEqual(["a", "b"]);
  });

  test("it is bounded, and reasons hold on after what was dropped", () => {
    const history = new History({ rows: 500, seconds: Infinity });
    history.push(
      at(0, device("a", { metrics: [unknown("x_watts", "absent", "no meter"), known("busy_ratio", 0)] })),
      1,
    );
    for (let i = 1; i < 2000; i++) {
      const metrics = [unknown("x_watts", "absent", "no meter"), known("busy_ratio", i / 2000)];
      history.push(at(i, device("a", { metrics })), 1);
    }
    expect(history.times.length).toBeLessThanOrEqual(700);
    for (const series of history.series.values()) expect(series.values).toHaveLength(history.times.length);
    const [watts] = [...history.series.values()];
    if (watts === undefined) throw new Error("no series");
    expect(history.reason(watts, 0)).toBe("no meter");
    expect(watts.reasons).toHaveLength(1);
  });

  test("a sample that is older than the last, or without a time, changes nothing", () => {
    const history = new History();
    history.push(at(5, device("a", { metrics: [known("x_watts", 1)] })), 1);
    history.push(at(4, device("a", { metrics: [known("x_watts", 2)] })), 1);
    history.push({ ...at(6), at: "soon" }, 1);
    expect(only(history).values).toEqual([1]);
  });

  test("rows are found by time", () => {
    const times = [10, 20, 30];
    expect([from(times, 5), from(times, 20), from(times, 31)]).toEqual([0, 1, 3]);
    expect([nearest(times, 0), nearest(times, 14), nearest(times, 16), nearest(times, 99), nearest([], 1)]).toEqual([
      0, 0, 1, 2, -1,
    ]);
  });
});

describe("recordings", () => {
  const line = (seconds: number): string =>
    JSON.stringify(at(seconds, device("a", { metrics: [known("x_watts", 1)] })));
  test("lines of watch --json are read, in order of time", () => {
    expect(parseRecording(`${line(2)}\n${line(1)}\n\n`).map(({ sequence }) => sequence)).toEqual([1, 2]);
  });
  test("one that was cut off in its last line is read up to there", () => {
    expect(parseRecording(`${line(1)}\n${line(2).slice(0, 40)}`)).toHaveLength(1);
  });
  test("what is none says where", () => {
    expect(() => parseRecording("")).toThrow("it holds no sample");
    expect(() => parseRecording(`${line(1)}\nnonsense\n${line(2)}`)).toThrow("line 2 is no JSON");
    expect(() => parseRecording(`${line(1)}\n{"schema":2}\n`)).toThrow("line 2 is no sample of schema 1");
    expect(() => parseRecording(`${line(1)}\n{"schema":1,"at":"x","devices":[{"id":1}]}\n`)).toThrow("line 2");
  });
  test("a value that is neither number nor null with a reason is no sample", () => {
    const good = at(1, device("a", { metrics: [known("x_watts", 1)] }));
    expect(isSample(good)).toBe(true);
    const wrong = JSON.parse(JSON.stringify(good).replace('"value":1', '"value":"1"')) as unknown;
    expect(isSample(wrong)).toBe(false);
  });
});

describe("percentiles", () => {
  const spread = (counts: readonly number[], count: number): Spread => ({ bounds: [1, 2, 4], counts, count, sum: 0 });
  test("lie within the bucket that holds them", () => {
    expect(percentile(spread([50, 100, 100], 100), 0.5)).toEqual({ seconds: 1, over: false });
    expect(percentile(spread([50, 100, 100], 100), 0.75)).toEqual({ seconds: 1.5, over: false });
    expect(percentile(spread([0, 0, 100], 100), 0.99)?.seconds).toBeCloseTo(3.98);
  });
  test("above the last bound it is told that it is more", () => {
    expect(percentile(spread([0, 0, 90], 100), 0.99)).toEqual({ seconds: 4, over: true });
  });
  test("of nothing there is none", () => {
    expect(percentile(spread([0, 0, 0], 0), 0.5)).toBeUndefined();
  });
  test("are taken of what came between two readings, and anew after a restart", () => {
    const was = spread([10, 10, 10], 10);
    expect(between(was, spread([10, 15, 15], 15))).toMatchObject({ counts: [0, 5, 5], count: 5 });
    expect(between(was, spread([1, 1, 1], 1))).toMatchObject({ count: 1 });
    expect(between(undefined, was)).toBe(was);
  });
});

describe("lanes of the timeline", () => {
  test("a date is as long as it is inexact", () => {
    expect(spanOf("2023")).toEqual({ from: 2023, to: 2024 });
    expect(spanOf("2023-07").from).toBeCloseTo(2023.5);
    expect(spanOf("2024-01-01")).toEqual({ from: 2024, to: 2024 });
  });
  test("no label lies on another, nor beyond the picture", () => {
    const x = (year: number): number => 100 + (year - 2013) * 80;
    const events = Array.from({ length: 30 }, (_, i) => ({
      ...{ date: `20${13 + (i % 12)}-0${1 + (i % 9)}`, kind: "chip", what: `event number ${i} of a lane`, source: 0 },
    })) as Parameters<typeof arrangeLane>[0];
    const { placed, rows } = arrangeLane(events, x, { left: 100, right: 1200 });
    expect(placed).toHaveLength(30);
    const boxes = placed
      .filter(({ label }) => label !== "")
      .map(({ labelAt, side, label, row }) => {
        const wide = label.length * 5.9;
        return {
          row,
          from: side === "right" ? labelAt : labelAt - wide,
          to: side === "right" ? labelAt + wide : labelAt,
        };
      });
    expect(boxes.length).toBeGreaterThan(8);
    for (const [i, one] of boxes.entries()) {
      expect(one.from).toBeGreaterThanOrEqual(100);
      expect(one.to).toBeLessThanOrEqual(1201);
      for (const other of boxes.slice(i + 1)) {
        if (one.row === other.row) expect(one.to <= other.from || other.to <= one.from).toBe(true);
      }
    }
    expect(rows).toBeLessThanOrEqual(5);
  });
});
