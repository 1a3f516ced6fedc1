import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import rknn from "../../src/formats/rknn.ts";
import { expectMutantsHandled, expectTruncationsTold, realModels } from "../support/sealed.ts";
import { network1, ownOperators, rknn as build, rknnJson as json } from "./samples/rknn.ts";

const read = (bytes: Uint8Array) => rknn.read(modelFileOf(bytes, "x.rknn"));
const errors = (bytes: Uint8Array) => read(bytes).integrity.filter(({ severity }) => severity === "error");

describe("RKNN", () => {
  it("tells target, toolkit, inputs and outputs from the JSON of any container version", () => {
    for (const version of [1n, 2n, 6n, 4100n]) {
      const model = read(build(version, "bare structure"));
      expect(model.version).toBe(String(version));
      expect(model.targets).toEqual([{ family: "rockchip", chip: "rk3588", says: "rk3588" }]);
      expect(model.producer).toEqual({ name: "rknn-toolkit2", version: "2.3.2-source_code" });
      expect(model.requires.find(({ what }) => what === "rknn-model-runtime")).toMatchObject({
        relation: "at least",
        version: "2.3.2",
      });
      expect(model.inputs?.map(({ name, type, shape }) => [name, type, shape])).toEqual([["in", "int8", [1, 8]]]);
      expect(model.outputs?.map(({ name, type }) => [name, type])).toEqual([["out", "float16"]]);
      expect(model.integrity).toEqual([]);
    }
  });

  it("says what contradicts itself", () => {
    expect(errors(build(6n, "g", json.replace('"input_num":1', '"input_num":3')))[0]?.rule).toBe("tensor/count");
    expect(errors(build(6n, "g", json.replace('"right_tensor_id":1', '"right_tensor_id":7')))[0]?.rule).toBe(
      "tensor/dangling",
    );
    expect(errors(build(6n, "g", json.replace("[1,8]", "[1,-8]")))[0]?.rule).toBe("shape/impossible");
    expect(errors(build(9n, "g"))[0]?.rule).toBe("header/version");
    expect(errors(build(6n, "g", json.slice(0, -1)))[0]?.rule).toBe("trailer/not-json");
    expect(errors(build(6n, "g", json.replace("rk3588", "RK1808")))[0]?.rule).toBe("target/contradiction");
  });

  it("shows the network that toolkit 1 did not compile", () => {
    const model = read(build(1n, "biasweights!", network1));
    expect(model.integrity).toEqual([]);
    expect(model.producer).toEqual({ name: "rknn-toolkit", version: "1.7.1" });
    const [graph] = model.graphs;
    expect(graph?.nodes.map(({ op, spelled }) => [op, spelled])).toEqual([
      ["Conv", "VSI_NN_OP_CONV2D"],
      ["Relu", "VSI_NN_OP_RELU"],
    ]);
    expect(graph?.nodes[0]?.attributes).toEqual({ ksize: [1, 1], stride: [1, 1], group: 1 });
    expect(graph?.tensors[graph.nodes[0]?.inputs[1] ?? -1]).toMatchObject({
      type: "uint8",
      shape: [1, 1, 4, 2],
      data: { offset: 28, bytes: 8 },
    });
    expect(graph?.nodes[1]?.inputs).toEqual(graph?.nodes[0]?.outputs);
    expect(graph?.tensors[graph.nodes[0]?.outputs[0] ?? -1]?.type).toBe("float16");
    expect(model.sections.map(({ kind, bytes }) => [kind, bytes])).toContainEqual(["weights", 12]);
    expect(errors(build(1n, "bias", network1))[0]?.rule).toBe("extent/past-end");
  });

  it("finds the kernels of operators of one's own behind the JSON", () => {
    const model = read(ownOperators);
    expect(model.integrity).toEqual([]);
    expect(model.producer?.name).toBe("rknn-toolkit");
    expect(model.metadata["operators of one's own"]).toBe("Square");
    expect(model.sections.at(-1)).toEqual({
      name: "their kernels and libraries",
      kind: "code",
      offset: ownOperators.length - 6,
      bytes: 6,
    });
    expect(errors(ownOperators.subarray(0, -1))[0]?.rule).toBe("extent/past-end");
    expect(errors(ownOperators.subarray(0, -20))[0]?.rule).toBe("trailer/operators");
  });

  it("says that a download broke off, and what is therefore not known", () => {
    const model = read(build(6n, "a compiled graph").subarray(0, 70));
    expect(model.integrity[0]?.says).toMatch(/cut short/);
    expect(model.targets).toEqual([]);
    expect(model.unseen[0]).toMatch(/target, toolkit/);
  });

  const real = realModels("rknn");
  it.skipIf(real.length === 0)("reads every real file as its manifest says", () => {
    for (const { name, truth, file } of real) {
      expect(rknn.matches(file())).toBe(2);
      const model = rknn.read(file());
      const one = (pattern: RegExp): string => pattern.exec(truth)?.[1] ?? "?";
      expect(model.version, name).toBe(one(/file version (\d+)/));
      expect(model.targets.map(({ says }) => `'${says}'`).join(", "), name).toBe(one(/target_platform \[(.*?)\]/));
      expect(
        model.targets.every(({ chip }) => chip !== undefined),
        name,
      ).toBe(true);
      expect(model.producer?.version, name).toBe(one(/compiler version '(.*?)'/));
      expect(model.metadata["source framework"], name).toBe(one(/source framework (\w+)/));
      expect(`inputs ${model.inputs?.length} outputs ${model.outputs?.length}`).toBe(one(/(inputs \d+ outputs \d+)/));
      for (const tensor of [...(model.inputs ?? []), ...(model.outputs ?? [])]) {
        expect(truth, name).toContain(`${tensor.name}[${tensor.shape?.join(", ")}]`);
        if (tensor.type !== "unknown") expect(truth.toLowerCase()).toContain(tensor.type);
      }
      expect(model.metadata["payload"] === "VeriSilicon NBG", name).toBe(truth.includes("NBG (VPMN)"));
      expect(model.integrity, name).toEqual([]);
    }
  });

  it.skipIf(real.length === 0)("tells truncations and survives mutants of real files", () => {
    for (const { name, bytes } of real) {
      const whole = bytes();
      expectTruncationsTold(rknn, whole, name);
      expectMutantsHandled(rknn, whole, name, whole.length > 1e6 ? 20 : 200);
    }
  });
});
