import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import bmodel from "../../src/formats/bmodel.ts";
import { expectMutantsHandled, expectTruncationsTold } from "../support/sealed.ts";
import { bmodel as build } from "./samples/bmodel.ts";

const read = (bytes: Uint8Array) => bmodel.read(modelFileOf(bytes, "x.bmodel"));

describe("bmodel", () => {
  it("tells chip, compiler, inputs, outputs and sizes", () => {
    const bytes = build();
    expect(bmodel.matches(modelFileOf(bytes, "any"))).toBe(2);
    const model = read(bytes);
    expect(model.integrity).toEqual([]);
    expect(model.targets).toEqual([{ family: "sophgo", chip: "bm1684x", says: "BM1684X" }]);
    expect(model.requires).toContainEqual({ what: "sophgo-sdk", relation: "built by", version: "2.2" });
    expect(model.inputs).toEqual([
      { name: "in", type: "int8", shape: [1, 3, 8, 8], quantization: { scale: [0.5], zeroPoint: [3] } },
    ]);
    expect(model.outputs).toEqual([{ name: "out", type: "float32", shape: [1, 10] }]);
    expect(model.sections.slice(2).map(({ kind, bytes: size }) => [kind, size])).toEqual([
      ["weights", 6],
      ["code", 4],
      ["code", 3],
    ]);
  });

  it("says what contradicts itself, tells truncations and survives mutants", () => {
    expect(read(build(600)).integrity[0]?.rule).toBe("extent/past-end");
    expectTruncationsTold(bmodel, build(), "x.bmodel");
    expectMutantsHandled(bmodel, build(), "x.bmodel", 1000);
  });
});
