import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import cvimodel from "../../src/formats/cvimodel.ts";
import { expectMutantsHandled, expectTruncationsTold, realModels } from "../support/sealed.ts";
import { cvimodel as build } from "./samples/cvimodel.ts";

const read = (bytes: Uint8Array) => cvimodel.read(modelFileOf(bytes, "x.cvimodel"));
const rules = (bytes: Uint8Array) => read(bytes).integrity.map(({ rule }) => rule);

describe("cvimodel", () => {
  it("tells chip, compiler, inputs and outputs with quantisation, and sizes", () => {
    const model = read(build());
    expect(model.integrity).toEqual([]);
    expect(model.version).toBe("1.4");
    expect(model.targets).toEqual([{ family: "sophgo", chip: "cvitek", says: "cv181x" }]);
    expect(model.producer).toEqual({ name: "TPU-MLIR", version: "v1.12" });
    expect(model.inputs).toEqual([
      {
        name: "in",
        type: "int8",
        shape: [1, 3, 4, 4],
        quantization: { scale: [1 / 64], zeroPoint: [], scheme: "int8 symmetric, qscale 64" },
      },
    ]);
    expect(model.outputs).toEqual([{ name: "out", type: "float32", shape: [1, 10] }]);
    expect(model.sections.slice(2).map(({ kind, bytes }) => [kind, bytes])).toEqual([
      ["weights", 6],
      ["code", 4],
    ]);
  });

  it("says what contradicts itself, down to one damaged byte", () => {
    expect(rules(build({ damage: true }))).toEqual(["checksum/wrong"]);
    expect(rules(build({ chip: "cv180x" }))).toEqual(["target/contradiction"]);
    expect(rules(build({ output: "nowhere" }))).toContain("tensor/dangling");
    expect(rules(build().subarray(0, -1))).toContain("extent/past-end");
  });

  it("knows the chip by the name that CVITEK's own compiler had for it", () => {
    const model = read(build({ chip: "mars", target: "mars" }));
    expect(model.integrity).toEqual([]);
    expect(model.targets).toEqual([{ family: "sophgo", chip: "cvitek", says: "mars (cv181x)" }]);
    expect(model.requires).toEqual([{ what: "Sophgo chip", relation: "exactly", version: "cv181x" }]);
    expect(rules(build({ chip: "venus", target: "venus" }))).toEqual(["target/unknown"]);
  });

  const real = realModels("cvimodel");
  it.skipIf(real.length === 0)("reads every real file as its manifest says, its checksum included", () => {
    for (const { name, truth, file } of real) {
      const model = cvimodel.read(file());
      expect(truth, name).toContain(
        `CviModel ${model.version}; chip ${model.targets[0]?.says}; compiler ${model.producer?.version}; MD5`,
      );
      expect(model.integrity, name).toEqual([]);
      expect(model.inputs?.length, name).toBe(1);
      expect(model.outputs?.length, name).toBeGreaterThan(0);
    }
  });

  it.skipIf(real.length === 0)("tells truncations and survives mutants of real files", () => {
    for (const { name, bytes } of real) {
      expectTruncationsTold(cvimodel, bytes(), name);
      expectMutantsHandled(cvimodel, bytes(), name, 40);
    }
  });
});
