/** fitOn: one row a device, the best target first, what-if, and models that are no models a device would take. */

import { describe, expect, it } from "vitest";
import { allDevices, devicesFor } from "../../src/fit/choose.ts";
import { findKnown } from "../../src/fit/find-known.ts";
import { fitOn, targetsOf } from "../../src/fit/fit.ts";
import { openRoutes } from "../../src/fit/open.ts";
import { rank } from "../../src/fit/rank.ts";
import { whyOf } from "../../src/fit/why.ts";
import type { Estimate } from "../../src/fit/time/estimate.ts";
import { all as targets } from "../../src/fit/targets/index.ts";
import { all as described } from "../../src/fit/time/devices/index.ts";
import { families } from "../../src/families/index.ts";
import { model, type Graph, type Model } from "../../src/model/graph.ts";

const mobilenet = findKnown("mobilenet_v2")?.known;
if (mobilenet === undefined) throw new Error("mobilenet_v2 is not known");

/** What no entry of the catalogue is. */
const elsewhere = new Set(["gpu", "d-robotics"]);

const edgetpu = devicesFor(["edgetpu"]).devices;

describe("devices", () => {
  it("targets and devices name families and chips of the catalogue, and each other", () => {
    const chips = new Set(families.flatMap(({ id, chips }) => [id, ...chips.map((chip) => `${id}/${chip.id}`)]));
    const ids = new Set(targets.map(({ id }) => id));
    const wrong = [
      ...targets.flatMap(({ id, devices }) => devices.filter((one) => !chips.has(one)).map((one) => `${id}: ${one}`)),
      ...described.flatMap(({ id, family, chip, targets: by }) => [
        ...(chips.has(chip === undefined ? family : `${family}/${chip}`) || elsewhere.has(family)
          ? []
          : [`${id}: ${family}/${chip ?? ""}`]),
        ...by.filter((one) => !ids.has(one)).map((one) => `${id}: no target ${one}`),
      ]),
    ];
    expect(wrong).toEqual([]);
    expect(new Set(allDevices().map(({ id }) => id)).size).toBe(allDevices().length);
  });

  it("all reaches every target", () => {
    const reached = new Set(devicesFor(["all"]).devices.flatMap((device) => targetsOf(device).map(({ id }) => id)));
    expect(targets.map(({ id }) => id).filter((id) => !reached.has(id))).toEqual([]);
  });

  it("a family, an alias, a chip and a target are understood; anything else is a sentence with the nearest", () => {
    expect(devicesFor(["coral"]).devices.length).toBeGreaterThan(0);
    expect(devicesFor(["RK3588"]).devices.every(({ family }) => family === "rockchip")).toBe(true);
    expect(devicesFor(["edgetpu"]).targets).toEqual(new Set(["edgetpu"]));
    // A family that has a target of its name, beside others: all of each.
    expect(devicesFor(["hailo", "rockchip"]).targets).toBeUndefined();
    expect(devicesFor(["edgetpu", "rockchip"]).targets).toBeUndefined();
    expect(() => devicesFor(["rk3558"])).toThrow(/"rk3558"; did you mean "rk3588"/);
  });
});

describe("a known model", () => {
  it("is judged once quantised where it is refused for its floats, and still lacks what it lacks", () => {
    const report = fitOn(mobilenet, edgetpu);
    const best = report.rows[0]?.placements[0];
    expect(report.model).toMatchObject({ name: "mobilenet_v2", from: "known", precision: "float32", assumed: [] });
    if (best === undefined || targets.find(({ id }) => id === "edgetpu")?.preconditions.length === 0) return;
    expect(best.once).toBe("quantised to int8");
    expect(best.prerequisites.some(({ met }) => met === "no")).toBe(true);
    expect(best.taken).toBeGreaterThan(0);
  });

  it("what-if is said, and changes what is judged", () => {
    const report = fitOn(mobilenet, devicesFor(["all"]).devices, {
      precision: "int8",
      batch: 2,
      input: [320, 320],
      link: "usb2",
    });
    expect(report.model.precision).toBe("full integer");
    expect(report.model.input).toEqual([[2, 3, 320, 320]]);
    expect(report.model.assumed.slice(0, 3)).toEqual(["int8", "batch of 2", "input of 320x320"]);
    expect(report.model.assumed[3]).toMatch(/^link usb2 /);
    expect(
      report.rows.flatMap(({ placements }) => placements.map(({ once }) => once)).filter((one) => one !== undefined),
    ).toEqual([]);
  });

  it("counts add up on every device, and no estimate is without its bounds", () => {
    for (const { placements, estimate } of fitOn(mobilenet, allDevices()).rows) {
      for (const one of placements) {
        expect(one.taken + one.cpu + one.unsure).toBe(one.total);
        expect(one.partitions.flat().length).toBe(one.taken);
        if (one.share !== undefined) expect(one.share).toBeLessThanOrEqual(1);
      }
      expectBounds(estimate);
    }
  });
});

function expectBounds({ median_ms: median, low_ms: low, high_ms: high, from, says }: Estimate): void {
  if (median === undefined) {
    expect([low, high]).toEqual([undefined, undefined]);
    expect(says.length).toBeGreaterThan(0);
    return;
  }
  expect(from).not.toBe("none");
  expect(low ?? Infinity).toBeLessThanOrEqual(median);
  expect(high ?? 0).toBeGreaterThanOrEqual(median);
  expect(low).toBeGreaterThan(0);
}

/** A graph of one operator kind, from node to node. */
function long(many: number, change: (graph: Graph) => Graph = (graph) => graph): Model {
  const tensors = Array.from({ length: many + 1 }, (_, i) => ({
    name: `t${i}`,
    type: "float32" as const,
    shape: [1, 8, 8, 8],
  }));
  const nodes = Array.from({ length: many }, (_, i) => ({
    op: "Relu",
    spelled: "Relu",
    inputs: [i],
    outputs: [i + 1],
    attributes: {},
  }));
  const graph = change({ name: "long", tensors, nodes, inputs: [0], outputs: [many] });
  return model("onnx", { sealed: false, graphs: [graph] });
}

describe("graphs that nobody would compile", () => {
  const every = allDevices();

  it("a cycle is a finding", () => {
    const turned = long(5, (graph) => ({
      ...graph,
      nodes: graph.nodes.map((node, i) => (i === 0 ? { ...node, inputs: [4] } : node)),
    }));
    expect(fitOn(turned, every).findings.join("; ")).toMatch(/cycle/);
  });

  it("sizes that no memory could hold are a finding, and no confident number", () => {
    const huge = long(3, (graph) => ({
      ...graph,
      tensors: graph.tensors.map((one) => ({ ...one, shape: [1, 1e300, 1e10, 3] })),
    }));
    const report = fitOn(huge, every);
    expect(report.findings.join("; ")).toMatch(/no memory could hold/);
    for (const { estimate } of report.rows) expectBounds(estimate);
    for (const { estimate } of report.rows) expect(Number.isFinite(estimate.median_ms ?? 0)).toBe(true);
  });

  it("an unknown operator, a missing shape and no graph at all are findings", () => {
    const strange = long(3, (graph) => ({
      ...graph,
      tensors: graph.tensors.map(({ name, type }) => ({ name, type })),
      nodes: graph.nodes.map(({ inputs, outputs }) => ({ spelled: "MyOp", inputs, outputs, attributes: {} })),
    }));
    const { findings } = fitOn(strange, every);
    expect(findings.join("; ")).toMatch(/3 MyOp.*no known shape/);
    const empty = fitOn(model("hef", { sealed: true }), every);
    expect(empty.findings.join("; ")).toMatch(/no graph can be seen/);
    for (const { estimate } of empty.rows) expect(estimate.median_ms).toBeUndefined();
  });

  it("two hundred thousand nodes end in time that grows with them", { timeout: 240_000 }, () => {
    const report = fitOn(long(200_000), edgetpu);
    expect(report.model.operators).toBe(200_000);
  });
});

describe("why", () => {
  it("each target answers of an operator by either spelling, of a node by its number, with a source", () => {
    const { rows } = fitOn(mobilenet, edgetpu, { nodes: true });
    for (const word of ["CONV_2D", "conv", "0"]) {
      const [why] = whyOf(rows, word);
      expect(why?.answers.length, word).toBeGreaterThan(0);
      for (const { source, takes, because } of why?.answers ?? []) {
        expect(source).not.toBe("");
        if (takes !== "yes") expect(because).not.toBe("");
      }
    }
    expect(whyOf(rows, "no such")[0]?.answers).toEqual([]);
  });
});

describe("rank", () => {
  const ids = ["a", "b", "c", "d"];
  const estimate = (device: string, median?: number): Estimate => ({
    device,
    from: median === undefined ? "none" : "fitted",
    kind: "maker",
    ...(median === undefined ? {} : { median_ms: median, low_ms: median / 2, high_ms: median * 2 }),
    costly: [],
    nearest: [],
    says: median === undefined ? ["no measurement"] : [],
  });
  const report = {
    ...fitOn(mobilenet, []),
    rows: [9, 2, undefined, 100].map((median, i) => ({
      device: ids[i] ?? "",
      name: ids[i] ?? "",
      family: i === 1 ? "cpu" : "coral",
      here: false,
      placements: [],
      estimate: estimate(ids[i] ?? "", median),
      ...(i === 1 ? {} : { watts: { value: i + 1, source: "" } }),
    })),
  };

  it("orders by the median and tells of the others why not", () => {
    const ranked = rank(report);
    expect(ranked.rows.map(({ device, rank: at, alike }) => [device, at, alike])).toEqual([
      ["b", 1, 0],
      ["a", 2, 0],
      ["d", 3, 0],
    ]);
    expect(ranked.left).toEqual([{ device: "c", name: "c", because: "no measurement" }]);
  });

  it("keeps to limits, and an unknown power is none that is low enough", () => {
    const ranked = rank(report, { maxMs: 50, maxWatts: 1 });
    expect(ranked.rows.map(({ device }) => device)).toEqual(["a"]);
    expect(ranked.left.map(({ because }) => because)).toEqual([
      "its power is not known",
      "no measurement",
      "slower than 50 ms",
    ]);
  });

  it("open asks for a way without a closed part", () => {
    expect(openRoutes("cpu").length).toBeGreaterThan(0);
    expect(openRoutes("nvidia")).toEqual([]);
    const { rows } = rank(report, { open: true });
    expect(rows.every(({ family }) => openRoutes(family).length > 0)).toBe(true);
  });
});
