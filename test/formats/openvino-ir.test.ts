/** OpenVINO IR against OpenVINO: what it wrote (tools/openvino-oracle.py) is read as it reads it back; older versions by hand. */

import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import openvino from "../../src/formats/openvino-ir.ts";
import { costOf } from "../../src/model/cost.ts";
import type { Graph, Model } from "../../src/model/graph.ts";
import { expectMutantsHandled, realModels } from "../support/sealed.ts";
import { samples, version10, version5, written } from "./samples/openvino-ir.ts";

const read = (xml: string, name = "a.xml"): Model => openvino.read(modelFileOf(Buffer.from(xml), name));
const errors = (model: Model): string[] =>
  model.integrity.filter(({ severity }) => severity === "error").map(({ rule }) => rule);

/** OpenVINO's words for types that the shared model spells otherwise. */
const words: Readonly<Record<string, string>> = {
  float64: "f64",
  float32: "f32",
  float16: "f16",
  bfloat16: "bf16",
  float8e4m3fn: "f8e4m3",
  float8e5m2: "f8e5m2",
  float4e2m1: "f4e2m1",
  bool: "boolean",
};
/** Layers the file spells otherwise than OpenVINO calls its operators. */
const operators: Readonly<Record<string, string>> = { Const: "Constant", ReLU: "Relu", SoftMax: "Softmax" };
const word = (type: string): string => words[type] ?? type.replace(/^uint/, "u").replace(/^int/, "i");

/** A row for each node as tools/openvino-oracle.py writes them. */
function rows({ nodes, tensors }: Graph): string[] {
  const maker = new Map(
    nodes.flatMap((node) => node.outputs.map((index, at) => [index, `${node.name ?? ""}:${at}`] as const)),
  );
  return nodes
    .map(({ spelled, name = "", inputs, outputs }) => {
      const given = outputs.map((index) => {
        const { type = "unknown", spelled: own, shape } = tensors[index] ?? {};
        const dimensions = shape?.map((size) => size ?? "?") ?? ["..."];
        return `${type === "unknown" ? (own ?? "?").toLowerCase() : word(type)}[${dimensions.join(",")}]`;
      });
      // OpenVINO gives a Result the value it takes
      const of = spelled === "Result" ? [""] : given;
      const bytes = spelled === "Const" ? (tensors[outputs[0] ?? -1]?.data?.bytes ?? 0) : 0;
      const taken = inputs.map((index) => maker.get(index) ?? "?");
      return `${operators[spelled] ?? spelled} ${name} (${of.join(" ")}) (${taken.join(" ")}) ${bytes}`;
    })
    .sort();
}

/** A Result's type is not in the file; ranges that OpenVINO works out are open dimensions there. */
const comparable = (row: string): string =>
  row.startsWith("Result ") ? row.replace(/ \(\S*\) /, " () ") : row.replace(/\d+\.\.\d*|\.\.\d+/g, "?");

describe("what OpenVINO writes", () => {
  it.each(Object.entries(written))(
    "%s: operators, wiring, types, shapes and bytes are what it reads back",
    (name, said) => {
      const model = read(said.xml, `${name}.xml`);
      expect(model.version).toBe("11");
      const ours = model.graphs.map((graph) => rows(graph).map(comparable).sort());
      const theirs = said.graphs.map((graph) => graph.map(comparable).sort());
      expect(ours.map((graph) => graph.join("\n")).sort()).toEqual(theirs.map((graph) => graph.join("\n")).sort());
      expect(errors(model)).toEqual([]);
      const ends = model.graphs.flatMap(({ tensors }) =>
        tensors.map(({ data }) => (data?.offset ?? 0) + (data?.bytes ?? 0)),
      );
      expect(Math.max(...ends)).toBe(said.bin);
      expect(model.needs).toEqual(said.bin > 0 ? [`${name}.bin`] : []);
    },
  );

  it("labels, a range of a dimension, names with commas and how weights are kept are told", () => {
    const model = read(written["network"]?.xml ?? "");
    const [graph] = model.graphs;
    expect(model.labels).toEqual(["cat", "dog"]);
    expect(model.metadata["model_info/description"]).toBe("a test");
    expect(graph?.tensors[graph.inputs[0] ?? -1]?.shape).toEqual([null, 3, "16..64", 16]);
    expect(graph?.tensors.some(({ name }) => name === "scores" || name === "a,b")).toBe(true);
    expect(model.metadata["quantisation"]).toBe("FakeQuantize to 256 levels, 1 times; 1 weights compressed to float16");
    expect(read(written["four-bits"]?.xml ?? "").metadata["quantisation"]).toBe("2 weights compressed to uint4");
  });

  it("a rank that is not known is none, a scalar is one; they are written alike", () => {
    const [graph] = read(written["ranks"]?.xml ?? "").graphs;
    const shape = (name: string): unknown => {
      const node = graph?.nodes.find((one) => one.name === name);
      if (!node) throw new Error(`no ${name}`);
      return graph?.tensors[node.outputs[0] ?? -1]?.shape;
    };
    expect(["any", "as it came", "by axes", "open too"].map(shape)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect([shape("scalar"), shape("known"), shape("nothing")]).toEqual([[], [2, 3], [0, 3]]);
  });

  it("bodies of a branch and a loop are graphs their operator names", () => {
    const branch = read(written["branch"]?.xml ?? "");
    expect(branch.graphs[0]?.nodes.find(({ spelled }) => spelled === "If")?.graphs?.length).toBe(2);
    const loop = read(written["loop"]?.xml ?? "");
    expect(loop.graphs[0]?.nodes.find(({ spelled }) => spelled === "Loop")?.graphs?.length).toBe(1);
  });
});

describe("older versions", () => {
  it("5: weights in the layer that uses them, an output nobody takes", () => {
    const model = read(version5(), "old.xml");
    const [graph] = model.graphs;
    expect(graph?.name).toBe("old & small");
    expect(model).toMatchObject({ version: "5", needs: ["old.bin"] });
    expect(graph?.outputs.map((index) => graph.tensors[index]?.name)).toEqual(["conv"]);
    expect(graph?.nodes[1]?.inputs.map((index) => graph.tensors[index]?.name)).toEqual([
      "data",
      "conv/weights",
      "conv/biases",
    ]);
    expect(graph?.tensors.find(({ name }) => name === "conv/weights")).toEqual({
      name: "conv/weights",
      type: "float16",
      data: { file: "old.bin", offset: 0, bytes: 216 },
    });
    expect(model.metadata["cli_parameters/data_type"]).toBe("FP16");
  });

  it("10: layers in any order are put in one that runs; a comma in a name is a part of it", () => {
    const [graph] = read(version10()).graphs;
    expect(graph?.nodes.map(({ spelled }) => spelled)).toEqual(["Parameter", "Const", "Add", "Result"]);
    expect(graph?.outputs.map((index) => graph.tensors[index]?.name)).toEqual(["sum"]);
    expect(graph?.tensors.find(({ name }) => name === "one")?.data).toEqual({ file: "a.bin", offset: 0, bytes: 4 });
    expect(costOf(read(version10())).macs).toBe(0);
  });
});

describe("what contradicts itself", () => {
  it.each([
    [
      "an edge from nowhere",
      version5('<edge from-layer="8" from-port="0" to-layer="1" to-port="0"/>'),
      "edge/dangling",
    ],
    ["an input without an edge", version5(""), "tensor/dangling"],
    [
      "two edges to one input",
      version5('<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>'.repeat(2)),
      "edge/duplicate",
    ],
    ["two layers of one id", version10().replace('id="3"', 'id="2"'), "graph/duplicate"],
    [
      "layers that wait for each other",
      version10().replace('from-layer="2" from-port="0"', 'from-layer="7" from-port="2"'),
      "graph/cycle",
    ],
  ])("%s is an error", (_, xml, rule) => {
    expect(errors(read(xml))).toContain(rule);
  });

  it.each([
    ["an extent that is no number", version10().replace('size="4"', 'size="-4"')],
    ["an element that is not closed", version10().replace("</edges>", "")],
    ["no net", "<network></network>"],
    ["a dimension without a number", version5().replace("<dim>3</dim>", "<dim></dim>")],
  ])("%s is refused with its place", (_, xml) => {
    expect(() => read(xml)).toThrow(FileError);
  });

  it("mutants are read or refused", () => {
    for (const name of ["network.xml", "version5.xml"])
      expectMutantsHandled(openvino, samples[name]?.() ?? new Uint8Array(), name, 100);
  });
});

describe.each(realModels("openvino").filter(({ name }) => name.endsWith(".xml")))("$name", ({ name, file }) => {
  it("adds 1: one constant of 4 bytes, no multiplication", () => {
    const model = openvino.read(file());
    const [graph] = model.graphs;
    const constants = graph?.tensors.filter(({ data }) => data !== undefined) ?? [];
    expect(constants.map(({ data }) => data?.bytes)).toEqual([4]);
    expect(model.needs).toEqual([name.replace(".xml", ".bin")]);
    expect(costOf(model).macs).toBe(0);
    expect(graph?.nodes.some(({ op }) => op === "Add")).toBe(true);
  });
});
