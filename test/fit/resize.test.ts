/** Sizes behind an input of another size: what each operator does to them, and where a file is for its own size alone. */

import { describe, expect, it } from "vitest";
import type { Graph } from "../../src/model/graph.ts";
import { findKnown } from "../../src/fit/find-known.ts";
import { resizeGraph } from "../../src/fit/resize.ts";

/** A model of one chain: each step's operator, its output shape, its attributes; "weights" where it has a constant. */
function chain(
  input: readonly number[],
  ...steps: readonly {
    readonly op: string;
    readonly shape: readonly number[];
    readonly attributes?: Graph["nodes"][number]["attributes"];
    readonly weights?: readonly number[];
  }[]
): Graph {
  const tensors: { name: string; type: "float32"; shape: readonly number[]; data?: { bytes: number } }[] = [
    { name: "in", type: "float32", shape: input },
  ];
  let last = 0;
  const nodes = steps.map(({ op, shape, attributes = {}, weights }) => {
    const inputs = [last];
    if (weights !== undefined) {
      inputs.push(tensors.length);
      tensors.push({ name: "w", type: "float32", shape: weights, data: { bytes: 4 } });
    }
    last = tensors.length;
    tensors.push({ name: `t${last}`, type: "float32", shape });
    return { op, spelled: op, inputs, outputs: [last], attributes };
  });
  return { name: "chain", tensors, nodes, inputs: [0], outputs: [last] };
}

const shapes = (graph: Graph): unknown[] => graph.nodes.map(({ outputs }) => graph.tensors[outputs[0] ?? -1]?.shape);

describe("another input size", () => {
  it("follows strides, whichever side the channels are on", () => {
    const first = chain(
      [1, 3, 224, 224],
      { op: "Conv", shape: [1, 16, 112, 112], weights: [16, 3, 3, 3] },
      { op: "Relu", shape: [1, 16, 112, 112] },
      { op: "MaxPool", shape: [1, 16, 56, 56] },
    );
    expect(shapes(resizeGraph(first, { input: [320, 256] }))).toEqual([
      [1, 16, 160, 128],
      [1, 16, 160, 128],
      [1, 16, 80, 64],
    ]);
    const last = chain([1, 300, 300, 3], {
      op: "Conv",
      shape: [1, 150, 150, 16],
      weights: [16, 3, 3, 3],
      attributes: { padding: "SAME" },
    });
    expect(shapes(resizeGraph(last, { input: [321, 321] }))).toEqual([[1, 161, 161, 16]]);
  });

  it("folds what a reshape folds, and leaves a mean over the picture as it is", () => {
    const graph = chain(
      [1, 3, 640, 640],
      { op: "Conv", shape: [1, 144, 20, 20], weights: [144, 3, 32, 32] },
      { op: "Reshape", shape: [1, 144, 400] },
      { op: "Transpose", shape: [1, 400, 144], attributes: { perm: [0, 2, 1] } },
    );
    expect(shapes(resizeGraph(graph, { input: [320, 320] }))).toEqual([
      [1, 144, 10, 10],
      [1, 144, 100],
      [1, 100, 144],
    ]);
    const mean = chain([1, 3, 224, 224], { op: "ReduceMean", shape: [1, 3] });
    expect(shapes(resizeGraph(mean, { input: [320, 320] }))).toEqual([[1, 3]]);
    const pool = chain([1, 3, 224, 224], { op: "GlobalAveragePool", shape: [1, 3, 1, 1] });
    expect(shapes(resizeGraph(pool, { input: [320, 320] }))).toEqual([[1, 3, 1, 1]]);
  });

  it("is refused where a matrix takes a flattened picture", () => {
    const graph = chain(
      [1, 3, 32, 32],
      { op: "Flatten", shape: [1, 3072] },
      { op: "Gemm", shape: [1, 10], weights: [10, 3072] },
    );
    expect(() => resizeGraph(graph, { input: [64, 64] })).toThrow(
      /takes 3072 values a row and would get 12288: this file is for its own input size alone/,
    );
    expect(() => resizeGraph(chain([1, 16], { op: "Relu", shape: [1, 16] }), { input: [8, 8] })).toThrow(/no input/);
  });

  it("gives a known model, read as a file would be, the shapes that its builder gives", () => {
    const known = findKnown("mobilenet_v2")?.known;
    expect(known).toBeDefined();
    for (const dialect of ["onnx", "tflite"] as const) {
      const main = (options: Parameters<NonNullable<typeof known>["build"]>[0]): Graph => {
        const graph = known?.build({ dialect, ...options }).graphs[0];
        if (graph === undefined) throw new Error("no graph");
        return graph;
      };
      const built = main({ input: [3, 320, 320], batch: 4 });
      expect(shapes(resizeGraph(main({}), { input: [320, 320], batch: 4 }))).toEqual(shapes(built));
    }
  });
});

it("another batch is every operator's", () => {
  const graph = chain(
    [1, 3, 8, 8],
    { op: "Conv", shape: [1, 4, 8, 8], weights: [4, 3, 3, 3] },
    { op: "Flatten", shape: [1, 256] },
    { op: "Gemm", shape: [1, 10], weights: [10, 256] },
  );
  expect(shapes(resizeGraph(graph, { batch: 8 }))).toEqual([
    [8, 4, 8, 8],
    [8, 256],
    [8, 10],
  ]);
});
