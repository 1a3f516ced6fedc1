import { describe, expect, it } from "vitest";
import { fit } from "../../src/fit/api.ts";
import { findSkeleton } from "../../src/fit/graphs.ts";

const time = (model: Parameters<typeof fit>[0], id: string): number => {
  const [row] = fit(model, { for: id }).rows;
  return row?.estimate.median_ms ?? NaN;
};

describe("a known model on an Ethos-U", () => {
  it("is timed as its file would be, once quantised", () => {
    for (const [file, known] of [
      ["mobilenet_v1_1.0_224_quant", "mobilenet_v1"],
      ["mobilenet_v2_1.0_224_quant", "mobilenet_v2"],
      ["tf2_mobilenet_v2_1.0_224_ptq", "mobilenet_v2"],
      ["mobilenet_v1_0.25_128_quant", "mobilenet_v1_0.25"],
    ] as const) {
      const graph = findSkeleton(file);
      if (graph === undefined) throw new Error(`${file} is not in data/fit/graphs`);
      for (const id of ["ethos-u65-256", "ethos-u55-128"]) {
        const ratio = time(known, id) / time(graph, id);
        expect(ratio, `${known} on ${id}`).toBeGreaterThan(0.9);
        expect(ratio, `${known} on ${id}`).toBeLessThan(1.1);
      }
    }
  });

  it("is timed by Vela where another compiler takes more of it in other operators", () => {
    const [row] = fit("yolov8n", { for: "ethos-u65-256" }).rows;
    expect(row?.placements[0]?.target).toContain("executorch");
    expect(row?.estimate.says[0]).toContain("as Vela would estimate it");
    expect(row?.estimate.median_ms).toBeGreaterThan(0);
  });
});
