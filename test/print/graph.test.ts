import { expect, it } from "vitest";
import { model, type Model, type Node } from "../../src/model/graph.ts";
import { boxGraph } from "../../src/print/graph-fold.ts";
import { layOut, BOX } from "../../src/print/graph-layout.ts";
import { renderDot, renderGraphHtml, renderSvg } from "../../src/print/graph.ts";

/** A chain of these operators, each with a way around to the one after the next. */
function chain(ops: readonly string[], name = "t"): Model {
  const nodes: Node[] = ops.map((op, i) => ({
    op,
    spelled: op,
    inputs: i > 0 && op === "Add" ? [i, Math.max(0, i - 3)] : [i],
    outputs: [i + 1],
    attributes: {},
  }));
  const tensors = Array.from({ length: ops.length + 1 }, (_, i) => ({
    name: `${name}${i}`,
    type: "float32" as const,
    shape: [1, 8],
  }));
  return model("onnx", {
    sealed: false,
    graphs: [{ name: "", tensors, nodes, inputs: [0], outputs: [ops.length] }],
  });
}

it("a small graph is drawn operator by operator", () => {
  const { boxes, edges, folded } = boxGraph(chain(["Conv", "Relu", "Add"]));
  expect(boxes.map(({ title }) => title)).toEqual(["t0", "Conv", "Relu", "Add", "t3"]);
  expect(edges.map(({ from, to }) => [from, to])).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
    [0, 3],
    [3, 4],
  ]);
  expect(folded).toBe(false);
});

it("repeated blocks of a long one become a box each", () => {
  const block = ["Conv", "Relu", "Conv", "Add"];
  const ops = ["Conv", "MaxPool", ...Array.from({ length: 60 }, () => block).flat(), "Gemm", "Softmax"];
  const { boxes, folded } = boxGraph(chain(ops));
  expect(folded).toBe(true);
  expect(boxes.map(({ title }) => title)).toEqual([
    "t0",
    "Conv",
    "MaxPool",
    "60 × Conv, Relu, Conv, Add",
    "Gemm",
    "Softmax",
    `t${ops.length}`,
  ]);
  expect(boxes.reduce((sum, box) => sum + box.operators, 0)).toBe(ops.length);
});

it("where nothing repeats, a long graph still fits a page", () => {
  // No block of this sequence comes twice in a row often enough.
  let state = 7;
  const names = ["Conv", "Relu", "Add", "Mul", "Concat", "Pad", "Resize", "Sigmoid", "Split", "Gather", "Exp", "Tanh"];
  const ops = Array.from({ length: 5000 }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return names[(state >> 16) % names.length] ?? "Conv";
  });
  const { boxes } = boxGraph(chain(ops));
  expect(boxes.length).toBeLessThanOrEqual(152);
  expect(boxes.reduce((sum, box) => sum + box.operators, 0)).toBe(ops.length);
});

it("boxes of a layer do not lie on each other, and edges run downwards", () => {
  const graph = boxGraph(chain(["Conv", "Add", "Add", "Relu", "Add", "Add", "Conv", "Add"]));
  const { boxes, edges } = layOut(graph);
  boxes.forEach((a, i) => {
    for (const b of boxes.slice(i + 1)) {
      expect(a.y !== b.y || Math.abs(a.x - b.x) >= BOX.width).toBe(true);
    }
  });
  for (const points of edges) {
    points.slice(1).forEach((point, i) => expect(point.y).toBeGreaterThan(points[i]?.y ?? Infinity));
  }
});

it("20,000 operators are drawn within a second", () => {
  const ops = Array.from({ length: 20_000 }, (_, i) => ["Conv", "Relu", "Add"][(i * i) % 3] ?? "Conv");
  const start = performance.now();
  renderSvg(chain(ops), "large");
  expect(performance.now() - start).toBeLessThan(1000);
});

it("names are text wherever they stand", () => {
  const evil = `"><script>alert(1)</script>\u001b[31m\\"\n&`;
  const one = chain(["Conv"], evil);
  for (const page of [renderSvg(one, evil), renderGraphHtml(one, evil)]) {
    expect(page).not.toContain("<script>");
    expect(page).not.toContain("\u001b");
    expect(page).toContain("&lt;script&gt;");
  }
  // Every quote inside a quoted word of Graphviz is escaped.
  for (const line of renderDot(one, evil).split("\n")) {
    expect(line.replace(/"(?:[^"\\]|\\.)*"/g, "")).not.toContain("script");
  }
  expect(renderGraphHtml(one, "x")).toContain("default-src 'none'");
});
