import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decisionsOf, evaluatePlacement, type Decision } from "../../src/fit/evaluate-placement.ts";
import { findSkeleton } from "../../src/fit/graphs.ts";
import { place } from "../../src/fit/place.ts";
import { meets, placementTables } from "../../src/fit/placement-tables.ts";
import { targetOfRow } from "../../src/fit/row-targets.ts";
import { modelOfSkeleton, skeletonOf, type Skeleton } from "../../src/fit/skeleton.ts";
import type { Target } from "../../src/fit/target.ts";
import { all as targets } from "../../src/fit/targets/index.ts";
import { viewOf } from "../../src/fit/view.ts";
import { readModel } from "../../src/inspect/describe.ts";

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
const target: Target = {
  id: "vela",
  name: "Test",
  tool: "Vela",
  version: "0",
  devices: [],
  formats: ["tflite"],
  names: "tflite",
  confidence: "run",
  sources: [],
  preconditions: [],
  every: [],
  operators: { CONV_2D: [], DEPTHWISE_CONV_2D: [], AVERAGE_POOL_2D: [], RESHAPE: [] },
  others: "no",
  otherSays: "CPU only op",
  partition: { way: "subgraphs" },
};
const row: Decision = {
  target: "Arm Ethos-U55-128",
  tool: "Vela",
  tool_version: "3.10.0",
  model: "mobilenet_v1_0.25_128_quant",
  total_ops: 31,
  accel_ops: 30,
  cpu_ops: 1,
  refused: [{ op: "SOFTMAX", count: 1, reason: "CPU only op" }],
};

describe("rows of decisions", () => {
  test("a row is judged on the graph of its model, and its reason is compared", () => {
    const [check] = evaluatePlacement([row], { targets: [target] }).checks;
    expect(check).toMatchObject({ verdict: "exact", evidence: "graph", taken: 30, cpu: 1, stated: 1, named: 1 });
  });

  test("a model nobody has is judged by its operators' names, and says so", () => {
    const named = { ...row, model: "some model", mapped_ops: { CONV_2D: 29, RESHAPE: 1 } };
    const [check] = evaluatePlacement([named], { targets: [target] }).checks;
    expect(check).toMatchObject({ verdict: "exact", evidence: "histogram", taken: 30, cpu: 1 });
  });

  test("a row that lists a part of its operators is not judged", () => {
    const named = { ...row, model: "some model", mapped_ops: { CONV_2D: 3 } };
    const [check] = evaluatePlacement([named], { targets: [target] }).checks;
    expect(check).toMatchObject({ verdict: "skipped", why: expect.stringContaining("no graph") as string });
  });

  test("a wrong count, a near one and one that is not documented are told apart", () => {
    const of = (accel: number, on = target): string | undefined =>
      evaluatePlacement([{ ...row, accel_ops: accel, cpu_ops: 31 - accel }], { targets: [on] }).checks[0]?.verdict;
    expect([of(30), of(29), of(20)]).toEqual(["exact", "near", "wrong"]);
    expect(of(30, { ...target, operators: {}, others: "unsure" })).toBe("unsure");
  });

  test("how many subgraphs there are is compared where a graph was placed", () => {
    const of = (partitions: number | null, model = row.model): unknown =>
      evaluatePlacement([{ ...row, model, partitions, mapped_ops: { CONV_2D: 29, RESHAPE: 1 } }], { targets: [target] })
        .checks[0]?.partitions;
    expect(of(2)).toEqual({ theirs: 2, ours: 1 });
    expect(of(7)).toEqual({ theirs: 7, ours: 1 });
    expect([of(null), of(-3), of(2, "some model")]).toEqual([undefined, undefined, undefined]);
  });

  test("layers of a compiler that fused operators are compared by what is left to the CPU", () => {
    const fused = { ...row, total_ops: 17, accel_ops: 16, cpu_ops: 1 };
    const of = (counts?: string): string | undefined =>
      evaluatePlacement([{ ...fused, ...(counts === undefined ? {} : { counts }) }], { targets: [target] }).checks[0]
        ?.verdict;
    expect([of("layers"), of()]).toEqual(["exact", "wrong"]);
  });

  test("files of other shapes hold no decisions", () => {
    expect(decisionsOf({ rows: [{ device: "x", ms: 3 }] })).toBeUndefined();
    expect(decisionsOf(null)).toBeUndefined();
    expect(decisionsOf([row, 7, { target: "x", tool: "y", model: "z", accel_ops: "many" }])).toEqual([row]);
  });

  test("rows name tools and chips in words, targets have ids", () => {
    const ids = ["vela", "vela-nxp", "teflon-rocket", "teflon-ethosu", "edgetpu", "tidl-onnx", "ort-coreml"];
    const some = ids.map((id) => ({ ...target, id }));
    const of = (tool: string, chip: string): string | undefined => targetOfRow({ tool, target: chip }, some)?.id;
    expect(of("Vela", "Arm Ethos-U65-256")).toBe("vela");
    expect(of("libteflon.so", "RK3588 rocket (Mesa Teflon)")).toBe("teflon-rocket");
    expect(of("libteflon.so", "Ethos-U65 (Mesa Teflon)")).toBe("teflon-ethosu");
    expect(of("edgetpu_compiler", "Google Edge TPU")).toBe("edgetpu");
    expect(of("ORT CoreML EP", "Apple (CoreML EP)")).toBe("ort-coreml");
    expect(of("somebody's", "toaster")).toBeUndefined();
  });
});

describe("skeletons", () => {
  const path = new URL("../../../shared/models/tflite/micro_hey_jarvis.tflite", import.meta.url);
  test.skipIf(!existsSync(path))("place as the file does, graph by graph", () => {
    const file = readModel(path.pathname);
    const bones = modelOfSkeleton(JSON.parse(JSON.stringify(skeletonOf(file, { name: "x", source: "x" }))) as Skeleton);
    expect(bones.graphs.length).toBe(file.graphs.length);
    for (const on of targets) {
      for (const main of file.graphs.keys()) {
        const [a, b] = [file, bones].map((model) => {
          const { views, model: whole } = viewOf({ ...model, main });
          const { taken, cpu, unsure, partitions } = place(views, whole, on);
          return { taken, cpu, unsure, partitions };
        });
        expect(b, on.id).toEqual(a);
      }
    }
  });

  test("hold no weights: the longest list of numbers is of axes and shapes", () => {
    const index = read("data/fit/graphs/index.json") as Record<string, string>;
    for (const [name, file] of Object.entries(index)) {
      const skeleton = read(`data/fit/graphs/${file}`) as Skeleton;
      for (const { tensors } of skeleton.graphs)
        for (const [, , more] of tensors) expect(more?.v?.length ?? 0).toBeLessThanOrEqual(16);
      expect(skeleton.source, name).not.toBe("");
      expect(findSkeleton(name)?.graphs.length, name).toBe(skeleton.graphs.length);
    }
  });
});

describe("the decisions in the repository", () => {
  const decisions = decisionsOf(read("data/fit/decisions.json")) ?? [];
  const evaluation = evaluatePlacement(decisions, { targets });

  test("are judged in number, and the bars of each tool that has a target hold", () => {
    const judged = evaluation.scores.filter((score) => score.judged >= 10);
    for (const score of judged) expect(meets(score), JSON.stringify(score)).toBe(true);
    expect(evaluation.checks.length).toBeGreaterThan(200);
  });

  test("fall into as many partitions as each tool made of them", () => {
    const parted = evaluation.scores.filter((score) => score.parted >= 10);
    expect(parted.length).toBeGreaterThanOrEqual(4);
    for (const score of parted)
      expect(score.partedAlike / score.parted, JSON.stringify(score)).toBeGreaterThanOrEqual(0.95);
  });

  test("print as tables", () => {
    const [first] = placementTables(evaluation);
    expect(first?.head[0]).toBe("tool");
    expect(first?.rows.length).toBeGreaterThan(0);
  });
});
