/** TI's published times, and the devices that they are of. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { leaveOneOut } from "../../src/fit/evaluate-latency.ts";
import { all } from "../../src/fit/time/devices/index.ts";
import { measuredOf } from "../../src/fit/time/measured.ts";
import { rowOf, type PublishedRow } from "../../src/fit/time/rows.ts";
import { rowsOf } from "../../src/fit/time/training.ts";

const facts = JSON.parse(readFileSync("data/fit/ti-times.json", "utf8")) as readonly PublishedRow[];
const measured = measuredOf("measured-ti.json");

describe("times of TI's processors", () => {
  it("are 97 rows of five devices, each with where it is written", () => {
    expect(measured).toHaveLength(97);
    expect(new Set(measured.map(({ device }) => device))).toEqual(
      new Set(["tda4vm", "am62a", "am67a", "am68a", "am69a"]),
    );
    for (const { source, ms } of measured) {
      expect(source).toMatch(/^(?:github\.com\/[\w-]+\/[\w-]+|ti\.com\/lit\/|software-dl\.ti\.com\/)/);
      expect(ms).toBeGreaterThan(0.5);
    }
  });

  it("are the facts as they were written down", () => {
    expect(facts.map((row) => rowOf(row)?.ms)).toEqual(facts.map(({ latency_ms }) => latency_ms));
    const rows = (from: readonly { readonly device: string; readonly model: string }[]): readonly string[] =>
      from.map(({ device, model }) => `${device} ${model}`);
    expect(rows(measured)).toEqual(rows(facts));
  });

  it("are of models whose layers are known, but for three", () => {
    const { rows, left } = rowsOf("ti");
    expect(rows.length + left.length).toBe(facts.length);
    expect(new Set(left.map(({ model }) => model))).toEqual(
      new Set(["ssdlite_mobilenetv2_fpn", "yolov4_csp_lite", "ssdlite_regnetx_200mf"]),
    );
  });

  it("reach every device by targets of its chip", () => {
    const devices = all.filter(({ family }) => family === "ti-tidl");
    expect(devices.every(({ targets, pool }) => targets.length === 2 && pool === "ti")).toBe(true);
  });

  it("are missed by less than the bars on the devices with a dozen rows, each model left out", () => {
    const errors = leaveOneOut(["ti"]).filter(({ rows }) => rows >= 12);
    expect(errors.map(({ setting }) => setting).sort()).toEqual([
      "am62a",
      "am68a",
      "am69a",
      "tda4vm",
      "tda4vm | independent",
    ]);
    for (const { setting, median, p90, power } of errors) {
      expect(median, setting).toBeLessThan(0.25);
      expect(p90, setting).toBeLessThan(0.6);
      expect(median, setting).toBeLessThan(0.6 * power.median);
    }
  }, 30_000);
});
