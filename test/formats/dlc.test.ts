import { describe, expect, it } from "vitest";
import dlc from "../../src/formats/dlc.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import { isEncoding } from "../../src/formats/sealed/qnn-types.ts";
import { costOf } from "../../src/model/cost.ts";
import type { Tensor } from "../../src/model/graph.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { expectMutantsHandled } from "../support/sealed.ts";
import { samples } from "./samples/dlc.ts";

const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array();
const read = (name: string) => dlc.read(modelFileOf(sample(name), name));
const tensor = (name: string, of: string): Tensor | undefined =>
  read(of).graphs[0]?.tensors.find((one) => one.name === name);

describe("dlc", () => {
  it.each(["four.dlc", "packed.dlc", "wide.dlc", "three.dlc", "marked.dlc"])(
    "%s contradicts itself nowhere",
    (name) => {
      const model = read(name);
      expect(checkModel(model, sample(name).length)).toEqual([]);
      expect(model.producer).toEqual({ name: "snpe-onnx-to-dlc", version: "2.22.6.240515184619_92920" });
      expect(model.requires).toEqual([
        { what: "SNPE or QAIRT runtime", relation: "built by", version: "2.22.6.240515184619_92920" },
      ]);
    },
  );

  it("shows the graph of version 4: ports, attributes, encodings, MACs", () => {
    const model = read("four.dlc");
    const [graph] = model.graphs;
    expect(model.version).toBe("4.1");
    expect(graph?.inputs.map((index) => graph.tensors[index])).toEqual([
      {
        name: "x",
        type: "uint8",
        shape: [1, 8, 8, 3],
        quantization: { scale: [expect.closeTo(0.01, 6)], zeroPoint: [], scheme: "8 bits" },
      },
    ]);
    expect(graph?.outputs.map((index) => graph.tensors[index]?.name)).toEqual(["z"]);
    expect(graph?.tensors.find(({ name }) => name === "y")?.quantization?.zeroPoint).toEqual([128]);
    expect(graph?.tensors.find(({ name }) => name === "w")?.quantization).toMatchObject({ axis: 3 });
    expect(graph?.nodes[0]).toMatchObject({
      op: "Conv",
      spelled: "Conv2d",
      attributes: { stride: [2, 2], group: 1, alpha: 0.5, keep: true, package: "qti.aisw" },
    });
    expect(costOf(model)).toMatchObject({ macs: 8 * 8 * 4 * 27, parameters: 112 });
  });

  it("tells where constants lie: by name, by order where sizes fit, and only how large they are where packed", () => {
    const bytes = Buffer.from(sample("four.dlc"));
    const named = tensor("w", "four.dlc")?.data;
    expect(bytes[(named?.offset ?? 0) + 5]).toBe(5);
    expect(named?.bytes).toBe(108);
    expect(tensor("w", "wide.dlc")?.data?.bytes).toBe(108);
    expect(tensor("b", "wide.dlc")?.data?.bytes).toBe(16);
    expect(tensor("w", "packed.dlc")?.data).toEqual({ bytes: 108 });
  });

  it("reads version 3: shapes noted by operators, parameters by operator", () => {
    const model = read("three.dlc");
    const [graph] = model.graphs;
    expect(graph?.inputs.map((index) => graph.tensors[index])).toEqual([
      { name: "data", type: "unknown", shape: [1, 8, 8, 3] },
    ]);
    expect(graph?.nodes.map(({ spelled }) => spelled)).toEqual(["Convolutional", "Neuron"]);
    expect(graph?.nodes[0]?.attributes).toEqual({
      pad: 1,
      bias: true,
      size: 3,
      slope: 0.25,
      mode: "same",
      stride: [2, 2],
      nested: [7, 8],
    });
    expect(costOf(model)).toMatchObject({ macs: 8 * 8 * 4 * 27, parameters: 112, weight_bytes: 108 + 16 });
  });

  it("says of version 2 that nothing of it is public, and names records it does not know", () => {
    expect(read("two.dlc")).toMatchObject({ sealed: true, version: "2.1", graphs: [] });
    expect(read("two.dlc").unseen.join()).toContain("version 2");
    expect(read("wide.dlc").unseen.join()).toContain("htp.v73.cache");
  });

  it("knows the converter's release where its command is not said", () => {
    expect(read("unsaid.dlc").producer?.name).toBe("SNPE converter");
    expect(read("unsaid.dlc").producer?.version).toMatch(/^1\.22\.0/);
  });

  it("holds the network and the notes against the archive's checksums", () => {
    for (const word of ["Conv2d", "snpe-onnx-to-dlc"]) {
      const bytes = Buffer.from(sample("four.dlc"));
      bytes[bytes.indexOf(word) + 1] = 0x5a;
      expect(dlc.read(modelFileOf(bytes, "x.dlc")).integrity.map(({ rule }) => rule)).toEqual(["archive/crc"]);
    }
  });

  it("takes numbers for an encoding only where they belong together", () => {
    expect(isEncoding({ bits: 8, min: -1.28, max: 1.27, scale: 0.01, offset: -128 })).toBe(true);
    expect(isEncoding({ bits: 8, min: -1.28, max: 1.27, scale: 0.1, offset: -128 })).toBe(false);
    expect(isEncoding({ bits: 0, min: 0, max: 0, scale: 0, offset: 0 })).toBe(false);
  });

  it("survives mutants", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(dlc, make(), name, 300);
  });
});
