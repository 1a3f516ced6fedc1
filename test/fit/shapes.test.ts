/** Shapes that follow: of known models what was there is erased and has to come back, of small graphs what exporters compute. */

import { describe, expect, test } from "vitest";
import { all } from "../../src/fit/known/index.ts";
import { executionOrder } from "../../src/fit/order.ts";
import { withShapes } from "../../src/fit/shapes.ts";
import { viewOf } from "../../src/fit/view.ts";
import { model, type Graph, type Node, type Tensor } from "../../src/model/graph.ts";

function erased(graph: Graph): Graph {
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const tensors = graph.tensors.map((tensor, index): Tensor => {
    const { shape, ...rest } = tensor;
    return made.has(index) && shape !== undefined ? rest : tensor;
  });
  return { ...graph, tensors };
}

const inferred = (graph: Graph, format = "onnx"): Graph => withShapes(graph, executionOrder(graph).order, format);

/** Tensors from shapes; a list of numbers in brackets is a constant. */
function graphOf(tensors: readonly (Partial<Tensor> | undefined)[], nodes: readonly Node[], outputs: number[]): Graph {
  return {
    name: "main",
    tensors: tensors.map((tensor, index) => ({ name: `t${index}`, type: "float32", ...tensor })),
    nodes,
    inputs: [0],
    outputs,
  };
}

const constant = (...values: number[]): Partial<Tensor> => ({
  type: "int64",
  shape: [values.length],
  values,
  data: { bytes: 8 * values.length },
});
const node = (spelled: string, inputs: number[], outputs: number[], attributes: Node["attributes"] = {}): Node => ({
  spelled,
  op: spelled,
  inputs,
  outputs,
  attributes,
});

describe("shapes that follow", () => {
  test("of known models without theirs none comes back as another, and nearly all come back", () => {
    let [same, open] = [0, 0];
    for (const known of all.filter((_, at) => at % 7 === 0)) {
      const [graph] = known.build({ dialect: "onnx" }).graphs;
      if (graph === undefined) continue;
      const back = inferred(erased(graph));
      graph.tensors.forEach(({ shape, name }, index) => {
        const found = back.tensors[index]?.shape;
        if (found === undefined) open++;
        else {
          same++;
          expect(found, `${known.id}: ${name}`).toEqual(shape);
        }
      });
    }
    expect(open / (same + open)).toBeLessThan(0.05);
  });

  test("sizes that PyTorch computes are computed: Shape, Slice, Concat, Reshape, and the -1 of Expand", () => {
    const tensors: (Partial<Tensor> | undefined)[] = [
      { shape: [2, 8, 4, 4] },
      undefined,
      constant(0),
      constant(2),
      undefined,
      constant(-1),
      undefined,
      undefined,
      constant(3, -1, -1),
      constant(-1),
      { type: "bool" },
      constant(1),
      undefined,
      { shape: [1, 8, 16], data: { bytes: 512 } },
      { type: "unknown" },
    ];
    const nodes = [
      node("Shape", [0], [1]),
      node("Slice", [1, 2, 3], [4]),
      node("Concat", [4, 5], [6], { axis: 0 }),
      node("Reshape", [0, 6], [7]),
      node("Equal", [8, 9], [10]),
      node("Where", [10, 11, 8], [12]),
      node("Expand", [13, 12], [14]),
    ];
    const { tensors: found } = inferred(graphOf(tensors, nodes, [7, 14]));
    expect([7, 14].map((at) => found[at]?.shape)).toEqual([
      [2, 8, 16],
      [3, 8, 16],
    ]);
    expect(found[14]?.type).toBe("float32");
  });

  test("what is open stays open: an input without a size, a shape that no memory holds, an operator nobody knows", () => {
    const one = (shape: Tensor["shape"], spelled: string): unknown =>
      inferred(graphOf([{ ...(shape === undefined ? {} : { shape }) }, undefined], [node(spelled, [0], [1])], [1]))
        .tensors[1]?.shape;
    expect(one([1, 2], "Relu")).toEqual([1, 2]);
    expect([one(undefined, "Relu"), one([1, "n"], "Relu"), one([1, 2], "Unheard")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const huge = graphOf(
      [{ shape: [2 ** 40, 1] }, { shape: [1, 2 ** 40], data: { bytes: 1 } }, undefined, constant(-1), undefined],
      [node("MatMul", [0, 1], [2]), node("Reshape", [2, 3], [4])],
      [4],
    );
    expect(inferred(huge).tensors[4]?.shape).toBeUndefined();
    const other = graphOf([{ shape: [1, 2] }, undefined], [node("Relu", [0], [1])], [1]);
    expect(inferred(other, "tflite")).toBe(other);
  });

  test("a million inputs of one operator are no recursion", () => {
    const inputs = new Array<number>(1_000_000).fill(0);
    for (const spelled of ["Max", "Concat"])
      expect(
        inferred(graphOf([{ shape: [1, 2] }, undefined], [node(spelled, inputs, [1])], [1])).tensors[1]?.shape,
      ).toBeDefined();
  });

  test("a view sees them, and nothing is dynamic then", () => {
    const graph = graphOf([{ shape: [1, 4] }, undefined], [node("Relu", [0], [1])], [1]);
    const { views, model: whole } = viewOf(model("onnx", { sealed: false, graphs: [graph], main: 0 }));
    expect([views[0]?.outShape, views[0]?.dynamic, whole.dynamic]).toEqual([[1, 4], false, false]);
  });
});
