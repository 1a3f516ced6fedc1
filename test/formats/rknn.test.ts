import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import rknn from "../../src/formats/rknn.ts";
import { expectMutantsHandled, expectTruncationsTold, realModels } from "../support/sealed.ts";
import { rknn as build, rknnJson as json } from "./samples/rknn.ts";

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
