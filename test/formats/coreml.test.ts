import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import coreml from "../../src/formats/coreml.ts";
import { float16 } from "../../src/base/float16.ts";
import { milOpNames } from "../../src/formats/coreml/mil-ops.ts";
import { layerOpNames } from "../../src/formats/coreml/neural-layers.ts";
import { modelFileOf, openModelFile } from "../../src/formats/file.ts";
import { costOf } from "../../src/model/cost.ts";
import type { Model } from "../../src/model/graph.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { opTable } from "../../src/model/ops.ts";
import { schemeOf } from "../../src/model/quantization.ts";
import { program, samples } from "./samples/coreml.ts";

const readBytes = (bytes: Uint8Array): Model => {
  const model = coreml.read(modelFileOf(bytes, "model.mlmodel"));
  return { ...model, integrity: checkModel(model, bytes.length) };
};
const read = (name: string): Model => readBytes(samples[name]?.() ?? new Uint8Array(0));
const errors = (model: Model): string[] =>
  model.integrity.filter(({ severity }) => severity === "error").map(({ rule }) => rule);

it("operators carry names of the shared table", () => {
  const known = new Set(opTable.map(({ op }) => op));
  expect([...milOpNames, ...layerOpNames()].filter((op) => !known.has(op))).toEqual([]);
});

describe("an ML program", () => {
  const model = read("program.mlmodel");
  const [main] = model.graphs;

  it("shows its operations with data first, and settings as attributes", () => {
    const [conv, reshape] = main?.nodes ?? [];
    expect(main?.nodes.map(({ op }) => op)).toEqual(["Conv", "Reshape", "DequantizeLinear", "FullyConnected", "Loop"]);
    expect(conv?.name).toBe("first conv");
    expect(conv?.inputs.map((index) => main?.tensors[index]?.name)).toEqual(["x", "w", "b"]);
    expect(conv?.attributes).toEqual({ strides: [2, 2], pad_type: "same" });
    expect(reshape?.attributes).toEqual({ shape: [1, 128] });
    expect(errors(model)).toEqual([]);
  });

  it("counts what it costs and how weights are kept", () => {
    expect(
      costOf({ ...model, graphs: [{ ...model.graphs[0], nodes: main?.nodes.slice(0, 4) ?? [] }] } as Model).macs,
    ).toBe(16 * 8 * 27 + 1280);
    expect(schemeOf(model)?.kind).toBe("integer weights");
  });

  it("runs blocks as graphs that take values from around them", () => {
    expect(main?.nodes[4]?.graphs).toEqual([1, 2]);
    expect(model.graphs[1]?.nodes.map(({ op }) => op)).toEqual(["Less"]);
    expect(model.graphs[2]?.tensors.map(({ name }) => name)).toEqual(["v2", "one", "next"]);
  });

  it("names the file of its weights, and none outside of its folder", () => {
    expect(model.needs).toEqual(["weights/weight.bin"]);
    for (const path of ["@model_path/../w.bin", "/etc/passwd", "@other/w.bin", "", "C:w.bin"]) {
      const other = readBytes(program(path));
      expect(errors(other), path).toContain("needs/outside");
      expect(other.needs).toEqual([]);
    }
  });

  it("says who made it and what reads it", () => {
    expect(model).toMatchObject({
      version: "8",
      producer: { name: "coremltools", version: "9.0" },
      author: "Someone",
      licence: "MIT",
      description: "a test",
    });
    expect(model.requires).toContainEqual({ what: "iOS", relation: "at least", version: "17" });
    expect(model.inputs?.map(({ name, type, shape }) => ({ name, type, shape }))).toEqual([
      { name: "x", type: "float32", shape: [1, 3, 8, 8] },
    ]);
  });
});

describe("a neural network", () => {
  const model = read("network.mlmodel");
  const [main] = model.graphs;

  it("shows its layers, what they compute and what they give", () => {
    expect(main?.nodes.map(({ spelled, op }) => [spelled, op])).toEqual([
      ["convolution", "Conv"],
      ["leakyReLU", "LeakyRelu"],
      ["pooling", "GlobalAveragePool"],
      ["branch", "If"],
      ["flatten", "Flatten"],
      ["innerProduct", "FullyConnected"],
      ["uniDirectionalLSTM", "LSTM"],
      ["custom MyLayer", undefined],
    ]);
    const shape = (name: string): unknown => main?.tensors.find((tensor) => tensor.name === name)?.shape;
    expect(["c", "p", "f", "l"].map(shape)).toEqual([
      [4, 4, 4],
      [4, 1, 1],
      [4, 1, 1],
      [10, 1, 1],
    ]);
    expect(errors(model)).toEqual([]);
  });

  it("keeps weights with their place, type and scale", () => {
    const tensor = (name: string): unknown => main?.tensors.find((one) => one.name === name);
    expect(tensor("conv/weights")).toMatchObject({
      type: "uint8",
      shape: [4, 3, 3, 3],
      data: { bytes: 108 },
      quantization: { scale: [0.5], zeroPoint: [128] },
    });
    expect(tensor("fc/bias")).toMatchObject({ type: "float16", shape: [10] });
    expect(tensor("lstm/forget/matrix")).toMatchObject({ shape: [2, 10] });
  });

  it("takes images and gives labels", () => {
    expect(model.inputs?.[0]).toMatchObject({ spelled: "RGB image", shape: [8, 8] });
    expect(main?.tensors[main.inputs[0] ?? -1]?.shape).toEqual([3, 8, 8]);
    expect(model.labels).toEqual(["cat", "dog"]);
  });
});

it("a pipeline calls its models by what they take and give", () => {
  const model = read("pipeline.mlmodel");
  expect(model.graphs[0]?.nodes).toMatchObject([{ name: "net", spelled: "neuralNetwork", graphs: [1] }]);
  expect(model.graphs.map(({ nodes }) => nodes.length)).toEqual([1, 8, 1, 0]);
  expect(model.graphs[1]?.nodes[3]?.graphs).toEqual([2, 3]);
});

it("trees are one operator, counted", () => {
  expect(read("trees.mlmodel").graphs[0]?.nodes).toMatchObject([
    { op: "TreeEnsemble", attributes: { nodes: 3, trees: 2 } },
  ]);
});

it("float16 of settings is read", () => {
  expect([0x3c00, 0xc000, 0x0001, 0x7c00, 0x8000].map(float16)).toEqual([1, -2, 2 ** -24, Infinity, -0]);
});

it("a folder is told by what is in it, with the file to inspect", () => {
  const folder = mkdtempSync(join(tmpdir(), "accelctl-"));
  try {
    expect(() => openModelFile(folder)).toThrow(`${folder}: a directory, not a model file`);
    writeFileSync(join(folder, "Manifest.json"), "{}");
    expect(() => openModelFile(folder)).toThrow(/a package by its Manifest.json, without/);
    mkdirSync(join(folder, "Data/com.apple.CoreML"), { recursive: true });
    writeFileSync(join(folder, "Data/com.apple.CoreML/model.mlmodel"), "");
    const inside = join(folder, "Data/com.apple.CoreML/model.mlmodel");
    expect(() => openModelFile(`${folder}/`)).toThrow(`a directory, an .mlpackage of Core ML; inspect ${inside}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
