/** Alerts: how they are written, when they fire and end, and that a gap is no value. */

import { expect, it } from "vitest";
import { Alerts, parseAlert } from "../../src/watch/alert.ts";
import type { Metric, Sample } from "../../src/watch/sample.ts";
import { known, unknown } from "../../src/watch/value.ts";

it.each([
  ["power_watts>75 for 10s", { metric: "power_watts", comparison: ">", bound: 75, seconds: 10 }],
  [
    "temperature_celsius[edge] >= 90C",
    { metric: "temperature_celsius", part: "edge", comparison: ">=", bound: 90, seconds: 0 },
  ],
  ["busy_ratio < 5% for 1.5m on intel-npu", { metric: "busy_ratio", bound: 0.05, seconds: 90, device: "intel-npu" }],
  [
    "memory_bytes > 8GiB on pci:0000:03:00.0 for 2 h",
    { bound: 8 * 2 ** 30, seconds: 7200, device: "pci:0000:03:00.0" },
  ],
  ["*_celsius > -5", { metric: "*_celsius", bound: -5, seconds: 0 }],
  ["clock_hertz <= 1.2GHz for 500ms", { bound: 1.2e9, seconds: 0.5 }],
] as const)("%s is understood", (text, rule) => {
  expect(parseAlert(text)).toMatchObject({ text, ...rule });
});

it.each([
  ["", /needs a metric/],
  ["power_watts", /needs a metric/],
  ["power_watts = 5", /needs a metric/],
  ["power_watts >", /does not begin with a number/],
  ["power_watts > lots", /"lots" does not begin with a number/],
  ["power_watts > 5 for ever", /"for ever" is no time/],
  ["power_watts > 5 for 99999h", /no time up to a week/],
  ["power_watts > 5 for 1s for 2s", /"for 2s" is not understood/],
  ["power_watts > 5 at noon", /"at noon" is not understood/],
  ["power_watts > 5 on", /"on" is not understood/],
  [`power_watts > 5 on ${"x".repeat(400)}`, /longer than 300/],
])('"%s" is refused with how one is written', (text, message) => {
  expect(() => parseAlert(text)).toThrow(message);
  expect(() => parseAlert(text)).toThrow(/written like "power_watts > 75 for 10s"/);
});

const sample = (sequence: number, ...metrics: Metric[]): Sample => ({
  schema: 1,
  sequence,
  at: new Date(1_800_000_000_000 + sequence * 1000).toISOString(),
  elapsed_seconds: sequence === 0 ? null : 1,
  took_seconds: 0,
  devices: [
    {
      id: "pci:0000:03:00.0",
      name: "G",
      family: "amd-rocm",
      bus: "pci",
      address: "0000:03:00.0",
      power_state: null,
      metrics,
      processes: null,
    },
  ],
});
const watts = (value: number): Metric => known("power_watts", "PPT", "f", value);
const gap = unknown("power_watts", "PPT", "f", "asleep", "it sleeps");

it("fires once after the time, and ends once", () => {
  const alerts = new Alerts([parseAlert("power_watts > 75 for 2s")]);
  const values = [80, 80, 90, 95, 70, 80, 80];
  const events = values.flatMap((value, at) =>
    alerts.follow(sample(at, watts(value))).map(({ state, value: is, since }) => [at, state, is, since]),
  );
  const begun = sample(0).at;
  expect(events).toEqual([
    [2, "firing", 90, begun],
    [4, "ended", 70, begun],
  ]);
  expect(alerts.fired).toBe(true);
});

it("a gap ends the stretch: what nobody read was not above anything", () => {
  const alerts = new Alerts([parseAlert("power_watts > 75 for 2s")]);
  const states = [watts(80), gap, watts(80), watts(80)].flatMap((metric, at) => alerts.follow(sample(at, metric)));
  expect(states).toEqual([]);
  const firing = alerts.follow(sample(4, watts(80)));
  expect(firing.map(({ state, part }) => [state, part])).toEqual([["firing", "PPT"]]);
  expect(alerts.follow(sample(5, gap))).toMatchObject([{ state: "ended", value: null }]);
});

it("a device that left ends its alert, and a watch begun anew forgets", () => {
  const alerts = new Alerts([parseAlert("power_watts > 75")]);
  expect(alerts.follow(sample(0, watts(80)))).toHaveLength(1);
  expect(alerts.follow({ ...sample(1), devices: [] })).toMatchObject([{ state: "ended", value: null }]);
  const slow = new Alerts([parseAlert("power_watts > 75 for 1s")]);
  expect([0, 0, 0].flatMap((at) => slow.follow(sample(at, watts(80))))).toEqual([]);
});

it("what fired before a watch began anew is told as ended, and fires anew by what comes", () => {
  const alerts = new Alerts([parseAlert("power_watts > 75")]);
  expect(alerts.follow(sample(0, watts(80)))).toHaveLength(1);
  const again = alerts.follow(sample(0, watts(90)));
  expect(again.map(({ state, value }) => [state, value])).toEqual([
    ["ended", null],
    ["firing", 90],
  ]);
});

it("looks at the device and the part that were named", () => {
  const rules = ["power_watts[PP*] > 75 on amd-*", "power_watts[edge] > 75", "power_watts > 75 on intel-npu"].map(
    parseAlert,
  );
  expect(new Alerts(rules).follow(sample(0, watts(80))).map(({ alert }) => alert)).toEqual([rules[0]?.text]);
});
