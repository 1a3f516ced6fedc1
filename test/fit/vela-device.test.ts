import { describe, expect, test } from "vitest";
import { findSkeleton } from "../../src/fit/graphs.ts";
import { place } from "../../src/fit/place.ts";
import vela from "../../src/fit/targets/vela.ts";
import ethosU from "../../src/fit/time/devices/ethos-u.ts";
import { estimate } from "../../src/fit/time/estimate.ts";
import { estimateByVela } from "../../src/fit/time/vela-device.ts";
import { viewOf } from "../../src/fit/view.ts";
import { model } from "../../src/model/graph.ts";

const some = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("missing");
  return value;
};

describe("an Ethos-U's time", () => {
  const target = some(vela.find(({ id }) => id === "vela-nxp"));
  const { views, model: form } = viewOf(some(findSkeleton("mobilenet_v1_0.25_128_quant")));
  const placement = place(views, form, target);

  test("is Vela's, within an interval, on every accelerator", () => {
    for (const device of ethosU) {
      const told = estimate(views, form, device, placement);
      expect([device.id, told.from, told.kind]).toEqual([device.id, "class", "maker"]);
      expect(told.median_ms).toBeGreaterThan(0.1);
      expect(told.median_ms).toBeLessThan(20);
      expect(told.low_ms).toBeLessThan(some(told.median_ms));
      expect(told.high_ms).toBeGreaterThan(some(told.median_ms));
      expect(told.costly).toHaveLength(3);
    }
  });

  test("falls with more multipliers", () => {
    const of = (id: string): number =>
      some(estimate(views, form, some(ethosU.find((each) => each.id === id)), placement).median_ms);
    expect(of("ethos-u55-256")).toBeLessThan(of("ethos-u55-64"));
    expect(of("ethos-u65-512")).toBeLessThan(of("ethos-u55-256"));
  });

  test("is not told of a model of another form, nor of another family", () => {
    const onnx = viewOf(
      model("onnx", {
        sealed: false,
        graphs: [{ name: "g", tensors: [], nodes: [], inputs: [], outputs: [] }],
        main: 0,
      }),
    );
    const device = some(ethosU[0]);
    expect(estimate(onnx.views, onnx.model, device, undefined).median_ms).toBeUndefined();
    expect(estimateByVela(views, { ...device, family: "other" }, placement)).toBeUndefined();
  });
});
