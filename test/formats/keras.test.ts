import { expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import keras from "../../src/formats/keras.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { archive, samples } from "./samples/keras.ts";

it("shows layers and shapes of its configuration, and says that weights are not read", () => {
  const bytes = samples["sequential.keras"]?.() ?? new Uint8Array(0);
  const model = keras.read(modelFileOf(bytes, "model.keras"));
  const [main] = model.graphs;
  expect(main?.nodes.map(({ op }) => op)).toEqual(["Conv", "MaxPool", "Flatten", "FullyConnected"]);
  expect(main?.outputs.map((index) => main.tensors[index]?.shape)).toEqual([[null, 10]]);
  expect(model.producer).toEqual({ name: "Keras", version: "3.15.1" });
  expect(model.unseen).toEqual(["weights: model.weights.h5 is HDF5 of 408 bytes, which is not read"]);
  expect(checkModel(model, bytes.length)).toEqual([]);
});

it("says of a class of somebody's own that its code is elsewhere", () => {
  const model = keras.read(modelFileOf(archive({ class_name: "MyModel", config: {} }), "model.keras"));
  expect(model.graphs).toEqual([]);
  expect(model.unseen[0]).toContain('"MyModel" is a class of its own');
});
