import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import om from "../../src/formats/om.ts";
import { costOf } from "../../src/model/cost.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { expectMutantsHandled } from "../support/sealed.ts";
import { hiai, samples } from "./samples/om.ts";

const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array();
const read = (bytes: Uint8Array) => om.read(modelFileOf(bytes, "x.om"));

describe("om", () => {
  it("tells chip, compiler, graph and partitions of a model for Ascend", () => {
    const bytes = sample("ascend.om");
    const model = read(bytes);
    expect(checkModel(model, bytes.length)).toEqual([]);
    expect(model.sealed).toBe(true);
    expect(model.targets).toEqual([{ family: "ascend", chip: "310p", says: "Ascend310P3" }]);
    expect(model.requires).toEqual([
      { what: "Ascend chip", relation: "exactly", version: "Ascend310P3" },
      { what: "CANN (ATC)", relation: "built by", version: "7.6.0.1.220" },
    ]);
    expect(model.metadata["output names"]).toBe("logits");
    expect(model.sections.map(({ name, kind, bytes: size }) => [name, kind, size]).slice(2)).toEqual([
      ["weights", "weights", 4608],
      ["TBE kernels", "code", 19],
      ["tasks", "code", 5],
    ]);
    const [graph] = model.graphs;
    expect(graph?.inputs.map((index) => graph.tensors[index])).toEqual([
      { name: "x", type: "float32", shape: [1, 3, 8, 8] },
    ]);
    expect(graph?.outputs.map((index) => graph.tensors[index])).toEqual([
      { name: "conv", type: "float16", shape: [1, 4, 8, 8] },
    ]);
    // Numbered names, one of them of two digits; what the compiler noted for itself is left out.
    expect(graph?.nodes[0]).toMatchObject({
      op: "Conv",
      spelled: "Conv2D",
      attributes: { data_format: "NCHW", strides: [1, 1, 1, 1] },
    });
    expect(costOf(model).macs_at_least).toBe(4 * 8 * 8 * 27);
  });

  it("reads a HiAI graph whose operators are in no order, constants inside and in the weights", () => {
    const bytes = sample("hiai.om");
    const model = read(bytes);
    expect(checkModel(model, bytes.length)).toEqual([]);
    expect(model.sealed).toBe(false);
    expect(model.targets.map(({ family, says }) => [family, says])).toEqual([
      [undefined, "a HiSilicon Kirin NPU (HiAI)"],
    ]);
    const [graph] = model.graphs;
    expect(graph?.nodes.map(({ spelled }) => spelled)).toEqual(["FullyConnection", "Activation"]);
    expect(graph?.tensors.find(({ name }) => name === "data")?.shape).toEqual([null, 8]);
    const weights = model.sections.find(({ kind }) => kind === "weights");
    expect(graph?.tensors.find(({ name }) => name === "w")?.data).toEqual({
      offset: (weights?.offset ?? 0) + 16,
      bytes: 128,
    });
    expect(costOf(model)).toMatchObject({ macs_at_least: 32, parameters: 36 });
  });

  it("takes weights of a byte an element for the quantised ones they are", () => {
    const bytes = hiai(32);
    const model = read(bytes);
    expect(checkModel(model, bytes.length)).toEqual([]);
    const weights = model.graphs[0]?.tensors.find(({ name }) => name === "w");
    expect(weights).toMatchObject({
      type: "int8",
      shape: [4, 8],
      quantization: { scheme: "8 bits, declared float32" },
    });
    expect(checkModel(read(hiai(64)), 10_000).map(({ rule }) => rule)).toContain("shape/impossible");
  });

  it("reads the table that ATC wrote before", () => {
    const model = read(sample("old.om"));
    expect(model.integrity).toEqual([]);
    expect(model.version).toBe("1.0");
    expect(model.targets).toEqual(read(sample("ascend.om")).targets);
    expect(model.metadata["platform version"]).toBe("1.60.z.0");
    expect(model.graphs).toEqual(read(sample("ascend.om")).graphs);
  });

  it("says of an encrypted model that it is one", () => {
    const model = read(sample("encrypted.om"));
    expect(model.graphs).toEqual([]);
    expect(model.unseen).toEqual(["all but the header: the model is encrypted"]);
  });

  it("names ports and layers of an SVP model", () => {
    const model = read(sample("svp.om"));
    expect(model.integrity).toEqual([]);
    expect(model.inputs).toEqual([{ name: "data", type: "unknown", shape: [1, 3, 32, 32] }]);
    expect(model.outputs).toEqual([{ name: "prob", type: "unknown", shape: [1, 10] }]);
    expect(model.metadata).toMatchObject({ name: "camera", "layer types": "Convolution" });
  });

  it("tells chips apart that sound alike", () => {
    const chip = (soc: string): string | undefined => {
      const bytes = Buffer.from(sample("ascend.om"));
      const at = bytes.indexOf("Ascend310P3");
      bytes.fill(0x20, at, at + 11);
      bytes.write(soc, at, "latin1");
      return read(bytes).targets[0]?.chip;
    };
    expect(["Ascend310", "Ascend310B4", "Ascend910B", "Ascend910B4", "Ascend910A"].map(chip)).toEqual([
      "310",
      undefined,
      "910",
      "910b",
      "910",
    ]);
  });

  it("survives mutants", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(om, make(), name, 500);
  });
});
