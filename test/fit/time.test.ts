import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { evaluateLatency, latencyBars, leaveOneOut } from "../../src/fit/evaluate-latency.ts";
import { findKnown } from "../../src/fit/find-known.ts";
import { familyOf, modelOf } from "../../src/fit/time/architecture.ts";
import { all } from "../../src/fit/time/devices/index.ts";
import { estimate, type Device } from "../../src/fit/time/estimate.ts";
import {
  cholesky,
  inverse,
  leaveOut,
  solve,
  solved,
  taught,
  weighted,
  type Kernel,
  type Point,
} from "../../src/fit/time/gaussian.ts";
import { groupOf } from "../../src/fit/time/known-traits.ts";
import { quantile } from "../../src/fit/time/leave-one-out.ts";
import { measuredOf } from "../../src/fit/time/measured.ts";
import { habits, rooflineOf } from "../../src/fit/time/roofline.ts";
import { rowsOf } from "../../src/fit/time/training.ts";
import { traitsOf } from "../../src/fit/time/traits.ts";
import { viewOf } from "../../src/fit/view.ts";

const device = (id: string): Device => {
  const found = all.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no device ${id}`);
  return found;
};

function viewsOf(name: string): ReturnType<typeof viewOf> {
  const found = findKnown(name);
  if (found === undefined) throw new Error(`${name} is not known`);
  return viewOf(found.known.build({}));
}

describe("names of models", () => {
  it("takes one model under several names, data sets and inputs as one", () => {
    expect(modelOf("yolov5s_wo_spp")).toBe(modelOf("YOLOv5s"));
    expect(modelOf("yolov3_gluon_416")).toBe(modelOf("yolov3_416"));
    expect(modelOf("deit_base")).toBe(modelOf("vit_base"));
    expect(modelOf("MobileNet v2 (224x224)")).toBe(modelOf("mobilenet_v2_1.0"));
    expect(modelOf("yolov11n⭐")).toBe(modelOf("YOLO11n"));
  });

  it("keeps sizes of a family apart", () => {
    expect(modelOf("yolov8n")).not.toBe(modelOf("yolov8s"));
    expect(modelOf("yolov8n")).not.toBe(modelOf("yolov8n_seg"));
    expect(familyOf("YOLOv8n-Seg")).toBe(familyOf("yolov8x"));
    expect(familyOf("something of my own")).toBeUndefined();
  });

  it("finds no family in the middle of another's name, and none of a backbone behind a head", () => {
    expect(familyOf("nanodet_repvgg")).toBe("nanodet");
    expect(familyOf("mobile_vit")).toBe("mobilevit");
    expect(familyOf("FastViT_S12")).toBe("fastvit");
    expect(familyOf("ssd_mobilenet_v1")).not.toBe(familyOf("mobilenet_v1"));
    expect(familyOf("deeplab_v3_mobilenet_v2")).not.toBe(familyOf("mobilenet_v2"));
  });

  it("takes what has the same layers as one, whatever it is called", () => {
    expect(groupOf("fast_sam_s")).toBe(groupOf("yolov8s_seg"));
    expect(groupOf("siglip2_l_16_256_text_encoder")).toBe(groupOf("siglip_l_16_256_text_encoder"));
    expect(groupOf("yolov5s_bbox_decoding_only")).toBe(groupOf("YOLOv5s"));
    expect(groupOf("yolov5s")).not.toBe(groupOf("yolov5m"));
  });
});

describe("linear algebra", () => {
  it("solves and inverts what it made", () => {
    const matrix = Float64Array.from([4, 2, 1, 2, 5, 3, 1, 3, 6]);
    const lower = cholesky(matrix.slice(), 3) ?? new Float64Array();
    const x = solve(lower, 3, [1, 2, 3]);
    const back = [0, 1, 2].map((i) => [0, 1, 2].reduce((sum, j) => sum + (matrix[i * 3 + j] ?? 0) * (x[j] ?? 0), 0));
    back.forEach((value, i) => expect(value).toBeCloseTo(i + 1, 10));
    const inverted = inverse(lower, 3);
    const one = [0, 1, 2].reduce((sum, k) => sum + (matrix[k] ?? 0) * (inverted[k * 3] ?? 0), 0);
    expect(one).toBeCloseTo(1, 10);
    expect(cholesky(Float64Array.from([1, 2, 2, 1]), 2)).toBeUndefined();
  });

  const kernel: Kernel = {
    linear: 0.1,
    smooth: 0.5,
    family: 0,
    familyLinear: 0,
    familySmooth: 0,
    model: 0,
    noise: 0.01,
    length: 1,
    familyLength: 1,
    constantShared: 1,
    linearShared: 1,
    smoothShared: 1,
    familyShared: 1,
    relevance: [1],
  };
  const points = Array.from({ length: 12 }, (_, i): Point => ({
    setting: 0,
    x: [i / 4],
    family: `${i}`,
    model: `${i}`,
  }));
  const values = points.map(({ x: [x = 0] }) => Math.sin(x));
  const groups = points.map(({ model = "" }) => model);

  it("leaves rows out as if they had never been there", () => {
    const system = solved(kernel, points, values, groups);
    const rest = system && taught(system, [3], Infinity);
    const others = points.filter((_, i) => i !== 3);
    const anew = solved(
      kernel,
      others,
      values.filter((_, i) => i !== 3),
      groups.filter((_, i) => i !== 3),
    );
    const [asked] = points.slice(3);
    if (rest === undefined || anew === undefined || asked === undefined) throw new Error("not solved");
    expect(rest.weights[3]).toBe(0);
    expect(weighted(kernel, asked, points, rest.weights)).toBeCloseTo(weighted(kernel, asked, others, anew.weights), 8);
    expect(leaveOut(kernel, points, values, groups, Infinity)?.mean[3]).toBeCloseTo(
      weighted(kernel, asked, points, rest.weights),
      8,
    );
  });

  it("lets a row teach little that all others contradict, and tells that from the others alone", () => {
    const odd = values.map((value, i) => (i === 6 ? value + 3 : value));
    const system = solved(kernel, points, odd, groups);
    const [, , , , , near] = points;
    const [all, trusting, without] = [[5], [5], [5, 6]].map(
      (members, at) => system && taught(system, members, at === 1 ? Infinity : undefined),
    );
    if (near === undefined || !all || !trusting || !without) throw new Error("not solved");
    expect(all.doubts[6]).toBeGreaterThan(0.1);
    const told = (weights: Float64Array): number => weighted(kernel, near, points, weights);
    const truth = told(without.weights);
    expect(Math.abs(told(all.weights) - truth)).toBeLessThan(0.5 * Math.abs(told(trusting.weights) - truth));
  });

  it("takes quantiles between neighbours", () => expect(quantile([3, 1, 2, 4], 0.5)).toBe(2.5));
});

describe("traits", () => {
  it("counts of a table that is looked up in what is read, and layer by layer what hardware of a class makes of it", () => {
    const traits = traitsOf(viewsOf("clip_text").views);
    expect(traits?.params_m).toBeGreaterThan(60);
    expect(traits?.read_m).toBeLessThan(45);
    const layers = traits?.layers ?? [];
    const time = (float: boolean): number => Math.exp(rooflineOf(layers, float, habits["MAC array"]));
    expect(time(true)).toBeGreaterThan(1.4 * time(false));
  });

  it("has one row of what a source lists twice", () => {
    const rows = rowsOf("rknn").rows.map(({ setting, measured }) => `${setting} ${measured.model} ${measured.input}`);
    expect(new Set(rows).size).toBe(rows.length);
    expect(measuredOf("measured.json").filter(({ model }) => model === "clip_text").length).toBe(8);
  });
});

describe("estimates", () => {
  it("tells a median within an interval, where it comes from and what costs most", () => {
    const { views, model } = viewsOf("mobilenet_v2");
    const told = estimate(views, model, device("hailo-8"), undefined, { name: "mobilenet_v2" });
    expect(told.from).toBe("fitted");
    expect(told.low_ms).toBeLessThan(told.median_ms ?? 0);
    expect(told.high_ms).toBeGreaterThan(told.median_ms ?? Infinity);
    expect(told.nearest.length).toBe(3);
    expect(told.nearest.every(({ source }) => source !== "")).toBe(true);
    expect(told.costly.length).toBe(3);
    expect(told.basis?.rows).toBeGreaterThan(100);
  });

  it("tells no number of a device that nobody measured", () => {
    const { views, model } = viewsOf("mobilenet_v2");
    const unmeasured: Device = { id: "new", name: "New", family: "hailo", class: "dataflow", targets: [] };
    const told = estimate(views, model, unmeasured, undefined);
    expect(told.from).toBe("none");
    expect(told.median_ms).toBeUndefined();
    expect(told.says.join()).toContain("no measurement");
  });

  it("tells no number of a model far larger than any that was measured", () => {
    const known = findKnown("mobilenet_v2")?.known;
    const { views, model } = viewOf(
      known?.build({ input: [3, 32768, 32768] }) ?? ({ format: "", graphs: [], metadata: {} } as never),
    );
    const told = estimate(views, model, device("hailo-8"), undefined);
    expect(told.from).toBe("none");
    expect(told.says.join()).toContain("far outside");
  });
});

describe("evaluation", () => {
  it("holds on every large device of makers' tables what was reached, each model left out", () => {
    const errors = leaveOneOut(["hailo", "d-robotics", "rknn"]).filter(({ rows }) => rows >= latencyBars.rows);
    expect(errors.length).toBeGreaterThan(5);
    for (const each of errors) {
      expect(each.median, each.setting).toBeLessThanOrEqual(latencyBars.median);
      expect(each.median, each.setting).toBeLessThanOrEqual(latencyBars.ofPowerLaw * each.power.median);
      expect(each.held, each.setting).toBeGreaterThanOrEqual(latencyBars.held[0]);
      expect(each.held, each.setting).toBeLessThanOrEqual(latencyBars.held[1]);
      // RK3566 is as near to the bar as this.
      expect(each.p90, each.setting).toBeLessThanOrEqual(each.setting === "rk3566-rk3568" ? 0.65 : latencyBars.p90);
    }
  }, 60_000);

  it("never tells a model from its own rows, under any name", () => {
    const row = {
      device: "Hailo-8",
      params_m: 3.49,
      ops_g: 0.62,
      input: "224x224x3",
      kind: "vendor-published measurement",
    };
    const [as, other] = evaluateLatency([
      { ...row, model: "mobilenet_v2_1.0", fps: 2597 },
      { ...row, model: "mobilenet_v2_1.0", fps: 25 },
    ]).rows;
    expect(as?.median_ms).toBe(other?.median_ms);
    const nearest = measuredOf("measured.json").find(
      ({ model, device: on }) => model === "mobilenet_v2_1.0" && on === "hailo-8",
    );
    expect(as?.median_ms).not.toBeCloseTo(nearest?.ms ?? 0, 4);
  }, 30_000);

  it("says why where it tells nothing", () => {
    const { rows } = evaluateLatency([
      { device: "Something New", model: "mobilenet_v2", fps: 10 },
      { device: "Hailo-8", model: "a model of which nothing is known", fps: 10 },
    ]);
    expect(rows.map(({ median_ms }) => median_ms)).toEqual([undefined, undefined]);
    expect(rows.map(({ says }) => says)).toEqual([
      "no device of that name is known",
      "its layers are not known, nor does the row tell parameters and operations",
    ]);
  });

  it("keeps a source beside every measured row", () => {
    for (const file of ["measured.json", "measured-ai-hub.json", "measured-ncnn.json", "measured-ti.json"] as const)
      expect(measuredOf(file).every(({ source, ms }) => source !== "" && ms > 0)).toBe(true);
    expect(readFileSync("data/fit/calibration.json", "utf8").length).toBeLessThan(1_500_000);
  });
});
