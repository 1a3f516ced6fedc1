import { expect, it } from "vitest";
import { model, type Model, type Node } from "../../src/model/graph.ts";
import { boxGraph } from "../../src/print/graph-fold.ts";
import { commonPath, foldTree, openAtFirst, READABLE, stretchId, type Stretch } from "../../src/print/graph-tree.ts";
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

it("blocks within blocks: no level has more than can be followed, and all of them open show every operator", () => {
  const layer = ["LayerNormalization", "MatMul", "Add", "Gelu", "MatMul", "Add"];
  let state = 3;
  const odd = Array.from({ length: 700 }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return ["Conv", "Relu", "Concat", "Pad", "Resize", "Split", "Gather", "Exp"][(state >> 16) % 8] ?? "Conv";
  });
  const ops = [
    ...Array.from({ length: 900 }, () => layer).flat(),
    ...odd,
    ...Array.from({ length: 5000 }, () => "Relu"),
  ];
  const nodes = ops.map((op): Node => ({ op, spelled: op, inputs: [], outputs: [], attributes: {} }));
  const operators: number[] = [];
  const open = new Set<string>();
  const walk = (level: readonly Stretch[], from: number, to: number): void => {
    expect(level.length).toBeLessThanOrEqual(READABLE);
    let at = from;
    for (const stretch of level) {
      expect(stretch.from).toBe(at);
      at = stretch.to;
      if (stretch.children.length === 0) operators.push(stretch.from);
      else {
        // A block that opens into itself would never end, and two of one name could not be told apart.
        expect(stretch.children.length).toBeGreaterThan(1);
        expect(open.has(stretchId(stretch))).toBe(false);
        open.add(stretchId(stretch));
        walk(stretch.children, stretch.from, stretch.to);
      }
    }
    expect(at).toBe(to);
  };
  const tree = foldTree(nodes);
  walk(tree, 0, ops.length);
  expect(operators).toEqual(ops.map((_, index) => index));
  const all = boxGraph(chain(ops), { open });
  expect(all.boxes.filter(({ node }) => node !== undefined)).toHaveLength(ops.length);
});

it("a model of one block is opened until there is something to see", () => {
  const one = chain(
    Array.from({ length: 12 }, () => [
      "Conv",
      "Relu",
      "Conv",
      "Add",
      ...Array.from({ length: 16 }, () => "Mul"),
    ]).flat(),
  );
  const tree = foldTree(one.graphs[0]?.nodes ?? []);
  expect(tree).toHaveLength(1);
  const shown = boxGraph(one, { open: openAtFirst(tree) });
  expect(shown.boxes.filter(({ kind }) => kind === "block")).toHaveLength(12);
  expect(shown.opened.map(({ title }) => title)).toEqual(["12 × Conv, Relu, Conv, Add ... (20)"]);
});

it("names say where a block's operators are", () => {
  const named = (name?: string): Node => ({
    op: "Add",
    spelled: "Add",
    inputs: [],
    outputs: [],
    attributes: {},
    ...(name === undefined ? {} : { name }),
  });
  expect(commonPath([named("/enc/layer.3/attn/MatMul"), named(), named("/enc/layer.3/Add")])).toBe("enc/layer.3");
  expect(commonPath([named("a/x"), named("b/x")])).toBeUndefined();
});
