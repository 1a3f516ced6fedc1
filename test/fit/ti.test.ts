/** TI's published times and the devices that they are of; what TIDL was seen to take. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { leaveOneOut } from "../../src/fit/evaluate-latency.ts";
import { decisionsOf, evaluatePlacement } from "../../src/fit/evaluate-placement.ts";
import { findKnown } from "../../src/fit/find-known.ts";
import { Layers, type Value } from "../../src/fit/layers.ts";
import { place, type Placement } from "../../src/fit/place.ts";
import { all as targets } from "../../src/fit/targets/index.ts";
import { all } from "../../src/fit/time/devices/index.ts";
import { measuredOf } from "../../src/fit/time/measured.ts";
import { rowOf, type PublishedRow } from "../../src/fit/time/rows.ts";
import { rowsOf } from "../../src/fit/time/training.ts";
import { viewOf } from "../../src/fit/view.ts";
import type { Model } from "../../src/model/graph.ts";

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
    // Two sources that list one model on one device make one row.
    const once = new Set(
      facts.map(({ device, model, input, precision, kind }) => [device, model, input, precision, kind].join()),
    );
    expect(rows.length + left.length).toBeLessThanOrEqual(facts.length);
    expect(rows.length + left.length).toBeGreaterThanOrEqual(once.size);
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
    expect(errors.map(({ setting }) => setting).sort()).toEqual(["am62a", "am68a", "am69a", "tda4vm"]);
    for (const { setting, median, p90, power } of errors) {
      expect(median, setting).toBeLessThan(0.25);
      expect(p90, setting).toBeLessThan(0.6);
      expect(median, setting).toBeLessThan(0.6 * power.median);
    }
  }, 30_000);
});

function placedBy(id: string, model: Model): Placement {
  const target = targets.find((one) => one.id === id);
  if (target === undefined) throw new Error(`no target ${id}`);
  const { views, model: whole } = viewOf(model);
  return place(views, whole, target);
}

const known = (name: string): Model => {
  const found = findKnown(name);
  if (found === undefined) throw new Error(`${name} is not known`);
  return found.known.build({});
};

describe("decisions of TIDL", () => {
  const decisions = (decisionsOf(JSON.parse(readFileSync("data/fit/decisions.json", "utf8"))) ?? []).filter(
    ({ tool }) => tool.startsWith("TIDL"),
  );
  const { checks } = evaluatePlacement(decisions, { targets });
  /** TI's tables tell one subgraph and nothing of what is beside it; logs tell counts. */
  const logs = checks.filter(({ decision }) => typeof decision.accel_ops === "number");

  it("are of logs, artifacts and TI's tables, each with its source", () => {
    expect([decisions.length, logs.length]).toEqual([96, 19]);
    for (const { source, model } of decisions)
      expect(source, model).toMatch(/^(?:github\.com|aryannanda17\.github\.io)\//);
  });

  it.each(
    logs.map((check): [string, (typeof logs)[number]] => [
      `${check.decision.model} on ${check.decision.target}, ${check.decision.tool} ${check.decision.tool_version ?? ""}`,
      check,
    ]),
  )("%s is counted as the log counts it", (_, { decision, verdict, why }) => {
    // A row whose file is not known, one without a graph, and two that are off by one operator: TIDL 8.2 left one of twelve and does
    // not say which; the softmax of YOLO11's boxes is not among the layers that are known.
    const others: Readonly<Record<string, string>> = {
      "yolo11n TI AM68A": "skipped",
      "yolo11n TI AM62A": "near",
      "commercial_detector_cnn TI TDA4VM": "near",
      "swin_tiny_patch4_window7_224 of TI's zoo TI AM62A": "skipped",
    };
    expect(verdict, why).toBe(others[`${decision.model} ${decision.target}`] ?? "exact");
  });

  it("are whole where TI's tables have one subgraph", () => {
    for (const { decision, verdict } of checks.filter((check) => !logs.includes(check)))
      expect(verdict, `${decision.model} on ${decision.target}`).toBe("exact");
  });
});

describe("placement by TIDL", () => {
  it("has as many operators of YOLOX-s-lite as TI's log, all taken", () => {
    const { total, taken, partitions } = placedBy("tidl-onnx-am62a", known("yolox_s_lite"));
    expect([total, taken, partitions.length]).toEqual([189, 189, 1]);
  });

  it("takes GELU as older opsets write it, and merged patches, but no other slice of every second row", () => {
    expect(placedBy("tidl-onnx", known("swin_tiny")).cpu).toBe(0);
    const target = targets.find(({ id }) => id === "tidl-onnx");
    const opset = target?.preconditions.find(({ rule }) => rule === "opset");
    expect(opset?.holds(viewOf(known("swin_tiny")).model)).toBe(false);
    expect(opset?.holds(viewOf(known("resnet18")).model)).toBe(true);
    const net = new Layers("slice", {});
    const x = net.input([8, 16, 16]);
    const { refusals } = placedBy("tidl-onnx", net.finish(net.conv(net.slice(x, 2, 0, 8, 2), 8)));
    expect(refusals.map(({ op, rule }) => `${op} ${rule}`)).toEqual(["Slice steps"]);
  });

  it("keeps the sixteen subgraphs that compute most", () => {
    const net = new Layers("many", {});
    let x: Value = net.input([16, 16, 16]);
    // The third of twenty computes least, with more operators than any other.
    for (let part = 0; part < 20; part++) {
      x = net.conv(x, 16, { kernel: part === 2 ? 1 : 3, act: "relu" });
      if (part === 2) x = net.activate(net.activate(x, "relu"), "relu");
      x = net.other(["NonZero", "NON_ZERO"], [x], [x.shape])[0] ?? x;
    }
    const { partitions, taken } = placedBy("tidl-onnx", net.finish(x));
    expect([partitions.length, taken]).toEqual([16, 32]);
  });
});
