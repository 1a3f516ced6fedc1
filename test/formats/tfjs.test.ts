import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf, openModelFile } from "../../src/formats/file.ts";
import { layers } from "../../src/formats/tensorflow/keras-layers.ts";
import tfjs from "../../src/formats/tfjs.ts";
import { costOf } from "../../src/model/cost.ts";
import type { Graph, Model } from "../../src/model/graph.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { opTable } from "../../src/model/ops.ts";
import { schemeOf } from "../../src/model/quantization.ts";
import { sharedPath, unlessShared } from "../support/shared.ts";
import { functional, graphModel, sequential } from "./samples/tfjs.ts";

const read = (value: unknown): Model => {
  const bytes = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  const model = tfjs.read(modelFileOf(bytes, "model.json"));
  return { ...model, integrity: checkModel(model, bytes.length) };
};
const shapeOf = (graph: Graph | undefined, name: string): unknown =>
  graph?.tensors.find((tensor) => tensor.name === name)?.shape;
const errors = (model: Model): string[] =>
  model.integrity.filter(({ severity }) => severity === "error").map(({ rule }) => rule);

it("Keras layers carry names of the shared table", () => {
  const known = new Set(opTable.map(({ op }) => op));
  expect(
    Object.values(layers)
      .map(({ op }) => op)
      .filter((op) => op !== undefined && !known.has(op)),
  ).toEqual([]);
});

describe("a graph model", () => {
  const model = read(graphModel);
  const [main] = model.graphs;

  it("stands in an order in which everything is made before it is used", () => {
    expect(main?.nodes.map(({ spelled }) => spelled)).toEqual([
      "_FusedConv2D",
      "DepthwiseConv2dNative",
      "StatelessIf",
      "Reshape",
      "MatMul",
    ]);
    expect(errors(model)).toEqual([]);
  });

  it("tells shapes as far as the file alone does", () => {
    expect(shapeOf(main, "conv")).toEqual([null, 4, 4, 4]);
    expect(shapeOf(main, "dw")).toEqual([null, 4, 4, 4]);
    expect(shapeOf(main, "flat")).toEqual([null, 64]);
    expect(shapeOf(main, "score")).toEqual([null, 5]);
  });

  it("calls its function by name, and reads attributes out of their base64", () => {
    expect(main?.nodes[2]?.graphs).toEqual([1]);
    expect(model.graphs[1]?.nodes.map(({ op }) => op)).toEqual(["Relu"]);
    expect(main?.nodes[0]?.attributes["fused_ops"]).toEqual(["BiasAdd", "Relu6"]);
    expect(main?.nodes[0]?.attributes["strides"]).toEqual([1, 2, 2, 1]);
  });

  it("counts what it costs: 16 positions of 4 filters of 27, of 4 of 9, and 64 x 5", () => {
    expect(costOf(model).macs).toBe(16 * 4 * 27 + 16 * 4 * 9 + 64 * 5);
  });

  it("knows where weights lie in their shards, and how they are quantised", () => {
    const tensor = (name: string): Graph["tensors"][number] | undefined =>
      main?.tensors.find((one) => one.name === name);
    expect(model.needs).toEqual(["group1-shard1of2.bin", "group1-shard2of2.bin", "group2-shard1of1.bin"]);
    expect(tensor("conv/kernel")).toMatchObject({ type: "uint8", quantization: { scale: [0.02], zeroPoint: [128] } });
    expect(tensor("dw/kernel")).toMatchObject({ type: "float16", data: { bytes: 72 } });
    expect(tensor("head/kernel")?.data).toEqual({ bytes: 1280, offset: 0, file: "group2-shard1of1.bin" });
    expect(model.metadata["shards"]).toBe(
      "group1-shard1of2.bin and 1 more: 196 bytes; group2-shard1of1.bin: 1280 bytes",
    );
    expect(model.producer).toEqual({ name: "TensorFlow.js Converter", version: "4.22.0" });
  });

  it("says what nothing makes, and what is called the same", () => {
    const topology = graphModel.modelTopology;
    const lost = topology.node.filter((node) => (node as { name: string }).name !== "conv");
    expect(errors(read({ ...graphModel, modelTopology: { ...topology, node: lost } }))).toContain("graph/missing-node");
    const twice = [...topology.node, topology.node[8]];
    expect(errors(read({ ...graphModel, modelTopology: { ...topology, node: twice } }))).toContain("graph/duplicate");
  });

  it("keeps loops of TensorFlow 1 in the file's order", () => {
    const node = [
      { name: "start", op: "Placeholder", attr: { dtype: { type: "DT_FLOAT" } } },
      { name: "merge", op: "Merge", input: ["start", "next"] },
      { name: "next", op: "NextIteration", input: ["merge"] },
    ];
    const model = read({ modelTopology: { node }, weightsManifest: [] });
    expect(model.integrity.map(({ severity, rule }) => `${severity} ${rule}`)).toContain("note graph/order");
    expect(errors(model)).toEqual([]);
  });
});

describe("a layers model", () => {
  it("is a chain when sequential", () => {
    const model = read(sequential);
    const [main] = model.graphs;
    expect(main?.nodes.map(({ op }) => op)).toEqual(["Conv", "MaxPool", "Flatten", "FullyConnected"]);
    expect(main?.inputs.map((index) => main.tensors[index]?.shape)).toEqual([[null, 16, 16, 3]]);
    expect(main?.outputs.map((index) => main.tensors[index]?.shape)).toEqual([[null, 10]]);
    expect(costOf(model)).toMatchObject({ macs: 64 * 8 * 27 + 128 * 10, parameters: 216 + 8 + 1280 + 10 });
    expect(model.labels).toEqual(["cat", "dog"]);
    expect(model.metadata).toMatchObject({ Keras: "2.15.0", tool: "hand" });
    expect(errors(model)).toEqual([]);
  });

  it("is a graph when functional: layers used twice, models inside, both ways of naming what a layer takes", () => {
    const model = read(functional);
    const [main, first] = model.graphs;
    expect(errors(model)).toEqual([]);
    expect(main?.nodes.map(({ name }) => name)).toEqual([
      "embed",
      "embed:1",
      "step",
      "step:1",
      "step:2",
      "cat",
      "bi",
      "out",
    ]);
    expect(shapeOf(main, "cat")).toEqual([null, 6, 8]);
    expect(shapeOf(main, "bi")).toEqual([null, 10]);
    expect(model.graphs).toHaveLength(2);
    expect(first?.nodes.map(({ spelled }) => spelled)).toEqual(["Dense"]);
    // Three steps of 6 x 8 x 4, four gates of both directions, and the last layer.
    expect(costOf(model).macs).toBe(3 * 6 * 8 * 4 + 6 * 2 * (8 * 20 + 5 * 20) + 10);
  });

  it("says what is made by no layer, and what waits for itself", () => {
    const text = JSON.stringify(functional);
    expect(errors(read(text.replace('["cat",0,0]', '["cut",0,0]')))).toContain("graph/missing-node");
    expect(errors(read(text.replace('["a",0,0,{}]', '["bi",0,0,{}]')))).toContain("graph/cycle");
  });
});

describe("shards", () => {
  const manifest = (path: string): unknown => ({
    modelTopology: {},
    weightsManifest: [{ paths: [path], weights: [{ name: "w", shape: [2], dtype: "float32" }] }],
  });

  it.each([
    "../w.bin",
    "/etc/passwd",
    "a/../../w.bin",
    "C:\\w.bin",
    "\\\\host\\w.bin",
    "https://example.org/w.bin",
    "",
  ])("%j is no file of the model's folder", (path) => {
    const model = read(manifest(path));
    expect(errors(model)).toContain("needs/outside");
    expect(model.needs).toEqual([]);
  });

  it("may lie in a folder below", () => {
    expect(read(manifest("weights/w..bin")).needs).toEqual(["weights/w..bin"]);
  });

  it("have impossible weights told", () => {
    const of = (weight: unknown): string[] => errors(read([{ paths: ["w.bin"], weights: [weight] }]));
    expect(of({ name: "w", shape: [-1], dtype: "float32" })).toContain("shape/negative");
    expect(of({ name: "w", shape: [1], dtype: "float33" })).toContain("tensor/type");
    expect(of({ name: "w", shape: [1], dtype: "float32", quantization: { dtype: "uint8" } })).toContain(
      "quantization/incomplete",
    );
  });
});

it("nested too deep or cut short, it is refused with the place", () => {
  expect(() => read(`{"modelTopology":${"[".repeat(300)}${"]".repeat(300)}}`)).toThrow(/nested deeper than 256/);
  expect(() => read(JSON.stringify(graphModel).slice(0, -9))).toThrow(FileError);
});

it.skipIf(!existsSync(sharedPath("models/tfjs")))(`the published graph model${unlessShared}`, () => {
  const file = openModelFile(sharedPath("models/tfjs/languagedetection_model.json"));
  const model = tfjs.read(file);
  file.close();
  expect(model.graphs.map(({ name }) => name)).toEqual([
    "",
    "map_while_body_49115",
    "map_while_cond_49114",
    "initializer",
  ]);
  expect(model.needs).toEqual(["group1-shard1of1.bin"]);
  expect(schemeOf(model)?.kind).toBe("integer weights");
  expect(errors({ ...model, integrity: checkModel(model, file.size) })).toEqual([]);
});
