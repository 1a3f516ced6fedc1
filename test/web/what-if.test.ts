/** What the Machine view computes from a report: shared layers drawn once, findings of a layer, and what would work if. */

import { describe, expect, it } from "vitest";
import type { Layer, LayerName, LayerStatus, Route } from "../../src/base/finding.ts";
import { review } from "../../src/review/review.ts";
import { addPci, base } from "../support/machines.ts";
import { arrangeRoutes, cellsOf, findingsOf } from "../../web/src/machine/stack.ts";
import { fewest, judge, keyOf, lacksOf, rivals } from "../../web/src/machine/what-if.ts";

const layer = (name: LayerName, is: string, status: LayerStatus = "ok"): Layer => ({
  name,
  is,
  status,
  openness: "open",
  evidence: [],
});
const route = (name: string, layers: readonly Layer[]): Route => ({ name, works: "no", open: true, layers });
const stack = (driver: string, runtime: string, status: LayerStatus = "missing"): readonly Layer[] => [
  layer("silicon", "chip"),
  layer("driver", driver, status),
  layer("firmware", "none needed", "unneeded"),
  layer("node", "/dev/accel", status === "ok" ? "ok" : "missing"),
  layer("runtime", runtime, "unknown"),
];

describe("routes as stacks", () => {
  it("draw what neighbours share once, and leave a gap where a layer is lacking", () => {
    const routes = [
      route("a", stack("open", "x")),
      route("b", stack("open", "y")),
      route("c", [layer("silicon", "chip")]),
    ];
    expect(cellsOf(routes, "driver").map(({ column, span, routes }) => [column, span, routes])).toEqual([
      [0, 2, ["a", "b"]],
    ]);
    expect(cellsOf(routes, "silicon").map(({ span }) => span)).toEqual([3]);
    expect(cellsOf(routes, "runtime").map(({ column }) => column)).toEqual([0, 1]);
  });
  it("stand beside those with which they share most; the first stays first, and none is lost", () => {
    const routes = [route("a", stack("open", "x")), route("b", stack("vendor", "y")), route("c", stack("open", "z"))];
    expect(arrangeRoutes(routes).map(({ name }) => name)).toEqual(["a", "c", "b"]);
  });
});

describe("what would work if", () => {
  it("a node that comes with its driver is not asked for, and one that alone is missing is", () => {
    const waiting = route("a", stack("open", "x"));
    expect(fewest(waiting)).toEqual(["driver open", "runtime x"]);
    const alone = route(
      "b",
      stack("open", "x", "ok").map((one) => (one.name === "node" ? { ...one, status: "missing" } : one)),
    );
    expect(fewest(alone)).toContain("node /dev/accel");
  });
  it("curing what is missing leaves what is not known, and curing both works", () => {
    const one = route("a", stack("open", "x"));
    expect(judge(one, new Set()).works).toBe("no");
    expect(judge(one, new Set(["driver open"])).works).toBe("unknown");
    expect(judge(one, new Set(fewest(one))).works).toBe("yes");
    expect(judge(one, new Set(["runtime x"])).lacks.map(keyOf)).toEqual(["driver open"]);
  });
  it("of a real review: each route works with the fewest it needs, and with none fewer", () => {
    const b = base();
    addPci(b, { slot: "0000:00:0b.0", id: "8086:7d1d", class: "120000" });
    const report = review(b.build("directory", "test"), { abilities: true });
    const device = report.devices.find(({ family }) => family === "intel-npu");
    expect(device).toBeDefined();
    if (device === undefined) return;
    const lacks = lacksOf(device, report.findings);
    expect(lacks.flatMap(({ remedies }) => remedies).length).toBeGreaterThan(0);
    for (const one of device.routes) {
      const keys = fewest(one);
      expect(keys.length).toBeGreaterThan(0);
      expect(keys.every((key) => lacks.some((lack) => lack.key === key))).toBe(true);
      expect(judge(one, new Set(keys)).works).toBe("yes");
      for (const left of keys) expect(judge(one, new Set(keys.filter((key) => key !== left))).works).not.toBe("yes");
    }
    const driver = device.routes[0]?.layers.find(({ name }) => name === "driver");
    expect(
      driver && findingsOf(report.findings, device, driver, [device.routes[0]?.name ?? ""]).length,
    ).toBeGreaterThan(0);
  });
  it("two drivers of one device are told apart: both cannot have it", () => {
    const routes = [route("open", stack("rocket", "x", "ok")), route("vendor", stack("rknpu", "y", "ok"))];
    const report = review(base().build("directory", "test"));
    const [cpu] = report.devices;
    expect(cpu).toBeDefined();
    if (cpu === undefined) return;
    const device = { ...cpu, routes };
    const all = new Set(routes.flatMap(fewest));
    expect(
      rivals(
        device,
        routes.map((one) => judge(one, all)),
      ),
    ).toEqual(["rocket", "rknpu"]);
    expect(
      rivals(
        device,
        routes.map((one) => judge(one, new Set(fewest(routes[0] ?? one)))),
      ),
    ).toEqual([]);
  });
});
