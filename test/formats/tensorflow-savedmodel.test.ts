import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import tensorflow from "../../src/formats/tensorflow-savedmodel.ts";
import { costOf } from "../../src/model/cost.ts";
import type { Model } from "../../src/model/graph.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { bytes, concat, int, message } from "../support/protobuf.ts";
import { samples } from "./samples/tensorflow-savedmodel.ts";

const readBytes = (data: Uint8Array): Model => {
  const model = tensorflow.read(modelFileOf(data, "model.pb"));
  return { ...model, integrity: checkModel(model, data.length) };
};
const read = (name: string): Model => readBytes(samples[name]?.() ?? new Uint8Array(0));

describe("a SavedModel", () => {
  const model = read("saved_model.pb");
  const [main, body] = model.graphs;

  it("is what its signature needs: nothing of saving", () => {
    expect(main?.nodes.map(({ name }) => name)).toEqual(["Call"]);
    expect(model.graphs.map(({ name }) => name)).toEqual(["", "body"]);
    expect(main?.inputs.map((index) => main.tensors[index])).toEqual([
      { name: "serving_x", type: "float32", shape: [null, 8, 8, 3] },
    ]);
    expect(main?.outputs.map((index) => main.tensors[index])).toEqual([
      { name: "Call", type: "float32", shape: [null, 4, 4, 4] },
    ]);
    expect(model.integrity).toEqual([]);
  });

  it("gives functions the shapes they are called with, variables' too", () => {
    expect(body?.nodes.map(({ op }) => op)).toEqual(["ReadVariable", "Conv", "Relu"]);
    expect(body?.tensors.find(({ name }) => name === "Relu:activations:0")?.shape).toEqual([null, 4, 4, 4]);
    expect(costOf(model)).toMatchObject({
      assumes: "batch of 1",
      macs: 16 * 4 * 27,
      parameters: 108,
      weight_bytes: 432,
    });
  });

  it("says who made it and where its variables lie", () => {
    expect(model).toMatchObject({
      version: "1",
      producer: { name: "TensorFlow", version: "2.21.0" },
      needs: ["variables/variables.index"],
      metadata: { kind: "SavedModel", tags: "serve", signature: "serving_default", variables: "1" },
    });
  });
});

describe("a frozen graph", () => {
  const model = read("frozen.pb");
  const [main] = model.graphs;
  const tensor = (name: string): unknown => main?.tensors.find((one) => one.name === name);

  it("follows shapes through the values inside", () => {
    expect(tensor("dw")).toMatchObject({ shape: [1, 3, 3, 2] });
    expect(tensor("flat")).toMatchObject({ shape: [1, 18] });
    expect(tensor("sum")).toMatchObject({ type: "float32", shape: [1, 1] });
    expect(main?.outputs.map((index) => main.tensors[index]?.name)).toEqual(["sum"]);
    expect(costOf(model).macs).toBe(9 * 2 * 9 + 90);
    expect(model.integrity).toEqual([]);
  });

  it("knows where values lie, and that one may stand for all", () => {
    expect(tensor("filter")).toMatchObject({ data: { bytes: 72 } });
    expect(tensor("ones")).toMatchObject({ data: { bytes: 360 } });
    expect(tensor("ones")).not.toHaveProperty("data.offset");
  });
});

it("other protobufs are not TensorFlow's", () => {
  const matches = (data: Uint8Array): number => tensorflow.matches(modelFileOf(data, "model.pb"));
  // ONNX: version, producer. Core ML: version, description with an input. A name and a layer of Caffe.
  expect(matches(concat([int(1, 8), bytes(2, "pytorch"), bytes(3, "2.1")]))).toBe(0);
  expect(matches(concat([int(1, 1), message(2, message(1, bytes(1, "x"), bytes(2, "y"))), message(500)]))).toBe(0);
  expect(matches(concat([bytes(1, "AlexNet of Caffe"), message(100, bytes(1, "conv"))]))).toBe(0);
});
