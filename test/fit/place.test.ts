import { describe, expect, test } from "vitest";
import { place } from "../../src/fit/place.ts";
import * as rules from "../../src/fit/rules.ts";
import type { PartitionWay, Target } from "../../src/fit/target.ts";
import { viewOf } from "../../src/fit/view.ts";
import { model, type Graph, type Model, type Node, type Tensor } from "../../src/model/graph.ts";
import { sharedOp } from "../../src/model/ops.ts";

/** A graph from lines "OP in,in -> out": tensors are numbers, 0 is the input. */
function graphOf(lines: readonly string[], tensor: Partial<Tensor> = {}): Model {
  let most = 0;
  const nodes = lines.map((line): Node => {
    const [, spelled = "", from = "", to = ""] = /^(\w+) ([\d,]*) -> ([\d,]*)$/.exec(line) ?? [];
    const list = (text: string): number[] => (text === "" ? [] : text.split(",").map(Number));
    const [inputs, outputs] = [list(from), list(to)];
    most = [...inputs, ...outputs].reduce((a, b) => Math.max(a, b), most);
    const op = sharedOp("tflite", spelled);
    return { spelled, inputs, outputs, attributes: {}, ...(op === undefined ? {} : { op }) };
  });
  const tensors = Array.from({ length: most + 1 }, (_, at): Tensor => ({
    name: `t${at}`,
    type: "int8",
    shape: [1, 4, 4, 8],
    ...tensor,
  }));
  const graph: Graph = { name: "main", tensors, nodes, inputs: [0], outputs: [most] };
  return model("tflite", { sealed: false, graphs: [graph], main: 0 });
}

const target = (way: PartitionWay, more: Partial<Target> = {}): Target => ({
  id: "test",
  name: "Test",
  tool: "test",
  version: "1",
  devices: [],
  formats: ["tflite"],
  names: "tflite",
  confidence: "run",
  sources: [],
  preconditions: [],
  every: [],
  operators: { ADD: [], MUL: "no", SUB: "unsure" },
  others: "no",
  otherSays: "Operation not supported",
  partition: way,
  ...more,
});

const placed = (given: Model, on: Target) => {
  const { views, model: whole } = viewOf(given);
  return place(views, whole, on);
};

const chain = ["ADD 0 -> 1", "MUL 1 -> 2", "ADD 2 -> 3", "ADD 3 -> 4"];

describe("partitions", () => {
  test("Vela 3 writes a concatenation part by part, each where its part is done", () => {
    const lines = ["ADD 0 -> 1", "GATHER 1 -> 2", "GATHER 1 -> 3", "ADD 3 -> 4", "CONCATENATION 2,4 -> 5"];
    const on = (way: PartitionWay): Target => target(way, { operators: { ADD: [], CONCATENATION: [] } });
    expect(placed(graphOf(lines), on({ way: "runs" })).partitions).toEqual([[0], [4], [3]]);
    expect(placed(graphOf(lines), on({ way: "subgraphs" })).partitions).toEqual([[0], [3, 4]]);
  });

  test("Vela 3 moves what runs on the CPU down to the next of its kind, if nothing in between needs it", () => {
    const lines = ["ADD 0 -> 1", "MUL 1 -> 2", "ADD 1 -> 3", "MUL 3 -> 4", "ADD 4,2 -> 5"];
    const result = placed(graphOf(lines), target({ way: "runs" }));
    expect(result.partitions).toEqual([[0, 2], [4]]);
    expect(result.taken).toBe(3);
  });

  test("a prefix ends at the first refused operator on each way", () => {
    const result = placed(graphOf(["ADD 0 -> 1", "MUL 1 -> 2", "ADD 2 -> 3", "ADD 1 -> 4"]), target({ way: "prefix" }));
    expect(result.partitions).toEqual([[0, 3]]);
    expect([result.taken, result.cpu, result.fits]).toEqual([2, 2, "part"]);
    expect(result.nodes[2]?.left).toBe("behind an operator that is not taken");
  });

  test("subgraphs are maximal: independent branches are one", () => {
    const result = placed(
      graphOf(["ADD 0 -> 1", "ADD 0 -> 2", "MUL 1 -> 3", "ADD 3 -> 4", "ADD 2 -> 5", "ADD 4,5 -> 6"]),
      target({ way: "subgraphs" }),
    );
    expect(result.partitions).toEqual([
      [0, 1, 4],
      [3, 5],
    ]);
  });

  test("a set that would have to wait for its own result is split", () => {
    const result = placed(graphOf(["ADD 0 -> 1", "MUL 1 -> 2", "ADD 1,2 -> 3"]), target({ way: "subgraphs" }));
    expect(result.partitions).toEqual([[0], [2]]);
  });

  test("the smallest partitions are given back where the number is limited", () => {
    const result = placed(graphOf(chain), target({ way: "subgraphs", most: 1 }));
    expect(result.partitions).toEqual([[2, 3]]);
    expect(result.nodes[0]).toMatchObject({ where: "cpu", left: expect.stringContaining("given back") as string });
  });

  test("one refusal refuses a model that is taken whole or not at all", () => {
    expect(placed(graphOf(chain), target({ way: "whole" }))).toMatchObject({ fits: "none", taken: 0, cpu: 4 });
    expect(placed(graphOf(["ADD 0 -> 1"]), target({ way: "whole" }))).toMatchObject({ fits: "whole", taken: 1 });
  });

  test("what melts counts nowhere and separates nothing", () => {
    const result = placed(
      graphOf(["ADD 0 -> 1", "RESHAPE 1 -> 2", "ADD 2 -> 3"]),
      target({ way: "subgraphs" }, { melts: ["RESHAPE"] }),
    );
    expect(result).toMatchObject({ total: 2, taken: 2, fits: "whole", partitions: [[0, 2]] });
  });
});

describe("answers", () => {
  test("what the documents leave open is counted apart", () => {
    const result = placed(graphOf(["ADD 0 -> 1", "SUB 1 -> 2", "ADD 2 -> 3"]), target({ way: "prefix" }));
    expect(result).toMatchObject({ taken: 1, cpu: 0, unsure: 2, fits: "unsure" });
  });

  test("a refusal says what the compiler says and what was found", () => {
    const conv = target({ way: "subgraphs" }, { operators: { ADD: [rules.rank(3, "must not be greater than 3D")] } });
    const [first] = placed(graphOf(chain), conv).refusals;
    expect(first).toEqual({
      op: "ADD",
      rule: "rank",
      because: "must not be greater than 3D: rank 4",
      nodes: [0, 2, 3],
    });
  });

  test("a precondition that is not met refuses everything, and is the reason", () => {
    const strict = target(
      { way: "subgraphs" },
      { preconditions: [{ rule: "float", says: "only float models", holds: () => false, else: "refuses" }] },
    );
    const result = placed(graphOf(chain), strict);
    expect(result).toMatchObject({ fits: "none", taken: 0, cpu: 4, unsure: 0 });
    expect(result.refusals[0]).toMatchObject({ op: "*", rule: "float" });
  });
});

describe("hostile graphs", () => {
  test("a cycle is a finding and never certain", () => {
    const given = graphOf(["ADD 0,3 -> 1", "ADD 1 -> 3"]);
    for (const way of ["prefix", "subgraphs", "whole"] as const) {
      const result = placed(given, target({ way }));
      expect(result).toMatchObject({ fits: "unsure", taken: 0, unsure: 2 });
    }
    expect(viewOf(given).model.findings).toEqual(["2 operators: it waits for its own result: the graph has a cycle"]);
  });

  test("tensors that do not exist and shapes that no memory holds leave it open", () => {
    const [first] = graphOf(["ADD 0 -> 1"]).graphs;
    const nodes: Node[] = [{ spelled: "ADD", op: "Add", inputs: [0, 99], outputs: [1], attributes: {} }];
    const dangling = model("tflite", { sealed: false, graphs: [{ ...(first as Graph), nodes }], main: 0 });
    expect(placed(dangling, target({ way: "subgraphs" }))).toMatchObject({ fits: "unsure", unsure: 1 });
    for (const shape of [
      [1, 1e300, 4, 4],
      [2 ** 31, 2 ** 31],
      [-1, 4],
    ])
      expect(placed(graphOf(["ADD 0 -> 1"], { shape }), target({ way: "prefix" })).fits).toBe("unsure");
  });

  test("a million operators are placed in linear time", () => {
    const lines: Node[] = Array.from({ length: 1_000_000 }, (_, at) => ({
      spelled: at % 2 === 0 ? "ADD" : "MUL",
      op: "Add",
      inputs: [at],
      outputs: [at + 1],
      attributes: {},
    }));
    const tensor: Tensor = { name: "t", type: "int8", shape: [1, 4] };
    const graph: Graph = {
      name: "main",
      nodes: lines,
      tensors: new Array<Tensor>(lines.length + 1).fill(tensor),
      inputs: [0],
      outputs: [lines.length],
    };
    const { views, model: whole } = viewOf(model("tflite", { sealed: false, graphs: [graph], main: 0 }));
    const begun = performance.now();
    const result = place(views, whole, target({ way: "subgraphs" }));
    expect(result.taken).toBe(500_000);
    expect(performance.now() - begun).toBeLessThan(60_000);
  }, 180_000);

  test("a graph without anything is nobody's", () => {
    expect(placed(graphOf([]), target({ way: "whole" }))).toMatchObject({ fits: "none", total: 0 });
    const empty = viewOf(model("tflite", { sealed: true }));
    expect(empty.views).toEqual([]);
  });
});
