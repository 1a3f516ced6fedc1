import { describe, expect, it } from "vitest";
import { model, type Graph, type Model, type Node, type Quantization, type Tensor } from "../../src/model/graph.ts";
import { checkModel } from "../../src/model/integrity.ts";

const node = (inputs: number[], outputs: number[], more: Partial<Node> = {}): Node => ({
  op: "Relu",
  spelled: "Relu",
  inputs,
  outputs,
  attributes: {},
  ...more,
});
const plain = (name: string): Tensor => ({ name, type: "float32", shape: [4] });
const graph = (more: Partial<Graph>): Graph => ({
  name: "",
  tensors: [plain("in"), plain("out")],
  nodes: [node([0], [1])],
  inputs: [0],
  outputs: [1],
  ...more,
});
const of = (one: Partial<Graph>, more: Partial<Model> = {}): Model =>
  model("onnx", { sealed: false, graphs: [graph(one)], ...more });
const rules = (one: Model, size = 1000): string[] => checkModel(one, size).map(({ rule }) => rule);

it("a model that agrees with itself has nothing to tell", () => {
  expect(rules(of({}))).toEqual([]);
});

describe("contradictions", () => {
  it("between data and the file", () => {
    const at = (offset: number, bytes: number): Tensor => ({ ...plain("w"), data: { offset, bytes } });
    const using = (...tensors: Tensor[]): Model =>
      of({ tensors: [plain("in"), plain("out"), ...tensors], nodes: [node([0, 2, tensors.length + 1], [1])] });
    expect(rules(using(at(990, 16)))).toEqual(["extent/past-end"]);
    expect(rules(using(at(100, 12)))).toEqual(["shape/impossible"]);
    expect(rules(using(at(100, 16), at(108, 16)))).toEqual(["extent/overlap"]);
    // The same stretch twice is sharing.
    expect(rules(using(at(100, 16), at(100, 16)))).toEqual([]);
    // Data of another file and of varints has no place here.
    expect(rules(using({ ...plain("w"), data: { offset: 5000, bytes: 16, file: "w.bin" } }))).toEqual([]);
  });

  it("of indexes", () => {
    expect(rules(of({ nodes: [node([7], [1])] }))).toContain("graph/index");
    expect(rules(of({ outputs: [9] }))).toContain("graph/index");
    expect(rules(of({ nodes: [node([0], [1], { graphs: [4] })] }))).toContain("graph/index");
    // An input that is not given.
    expect(rules(of({ nodes: [node([0, -1], [1])] }))).toEqual([]);
  });

  it("of makers and users", () => {
    const three = [plain("in"), plain("out"), plain("mid")];
    expect(rules(of({ tensors: three, nodes: [node([2], [1])] }))).toEqual(["tensor/dangling"]);
    expect(rules(of({ tensors: three, nodes: [node([2], [1]), node([0], [2])] }))).toEqual(["graph/order"]);
    expect(rules(of({ nodes: [node([0], [1]), node([0], [1])] }))).toEqual(["tensor/two-makers"]);
    // Where no operator says what it gives, which one makes the output cannot be asked.
    expect(rules(of({ nodes: [node([], [])] }))).toEqual([]);
    const unused = [...three.slice(0, 2), { ...plain("w"), data: { offset: 0, bytes: 16 } }];
    expect(rules(of({ tensors: unused }))).toEqual(["tensor/unused"]);
  });

  it("of quantisation", () => {
    const scaled = (quantization: Quantization): Model =>
      of({ tensors: [plain("in"), { ...plain("out"), shape: [4, 3], quantization }] });
    const scale = (...values: number[]): string[] => rules(scaled({ scale: values, zeroPoint: [] }));
    expect(scale(NaN)).toEqual(["quantization/nan-scale"]);
    expect(scale(Infinity)).toEqual(["quantization/infinite-scale"]);
    expect(scale(-1)).toEqual(["quantization/negative-scale"]);
    expect(scale(0)).toEqual(["quantization/zero-scale"]);
    expect(rules(scaled({ scale: [1, 1, 1], zeroPoint: [], axis: 1 }))).toEqual([]);
    expect(rules(scaled({ scale: [1, 1, 1], zeroPoint: [], axis: 0 }))).toEqual(["quantization/count"]);
    expect(rules(scaled({ scale: [1, 1, 1], zeroPoint: [], axis: 2 }))).toEqual(["quantization/axis"]);
    expect(rules(scaled({ scale: [1, 1, 1], zeroPoint: [0, 0], axis: 1 }))).toEqual(["quantization/count"]);
  });

  it("of sections", () => {
    expect(rules(of({}, { sections: [{ name: "code", kind: "code", offset: 900, bytes: 200 }] }))).toEqual([
      "extent/past-end",
    ]);
  });
});

it("a hundred mistakes of one kind are five and a number, and errors come first", () => {
  const tensors = Array.from({ length: 100 }, (_, i) => ({
    ...plain(`t${i}`),
    quantization: { scale: [NaN], zeroPoint: [] },
  }));
  const found = checkModel(of({ tensors, nodes: [node([2, 3], [1])] }), 1000);
  expect(found.filter(({ rule }) => rule === "quantization/nan-scale")).toHaveLength(6);
  expect(found.map(({ says }) => says)).toContain("and 95 more of the same kind");
  expect(found.at(-1)?.severity).toBe("warning");
});

it("what the reader itself said is not said again", () => {
  const own = { severity: "error", rule: "extent/past-end", says: "bytes are missing" } as const;
  const one = of({}, { integrity: [own], sections: [{ name: "code", kind: "code", offset: 900, bytes: 200 }] });
  expect(checkModel(one, 1000)).toEqual([own]);
});
