import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import bmodel from "../../src/formats/bmodel.ts";
import { bytesOf, expectMutantsHandled, expectTruncationsTold } from "../support/sealed.ts";
import { f32, flatBuffer, numbers, string, struct, table, u32, u64, vector } from "./build/flatbuffer.ts";

const tensor = (name: string, type: number, shape: readonly number[], scale?: number) =>
  table({
    0: string(name),
    1: u32(type),
    5: vector(table({ 0: numbers(8, ...shape) })),
    ...(scale === undefined ? {} : { 7: f32(scale) }),
  });
const build = (weights = 6): Uint8Array => {
  const body = flatBuffer(
    table({
      0: string("B"),
      1: string("2.2"),
      2: string("2025-01-01"),
      3: string("BM1684X"),
      4: vector(
        table({
          0: string("yolo"),
          3: vector(
            table({
              0: vector(tensor("in", 2, [1, 3, 8, 8], 0.5)),
              1: vector(tensor("out", 0, [1, 10])),
              4: table({ 2: struct(u64(0), u64(weights)) }),
              8: vector(table({ 2: struct(u64(6), u64(4)) })),
            }),
          ),
        }),
      ),
      5: u64(4096),
    }),
  );
  return bytesOf(0xff55aaee, 64, body.length, 10n, "\0".repeat(44), body, "weightcode");
};
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
      { name: "in", type: "int8", shape: [1, 3, 8, 8], quantization: { scale: [0.5], zeroPoint: [] } },
    ]);
    expect(model.outputs).toEqual([{ name: "out", type: "float32", shape: [1, 10] }]);
    expect(model.sections.slice(2).map(({ kind, bytes: size }) => [kind, size])).toEqual([
      ["weights", 6],
      ["code", 4],
    ]);
  });

  it("says what contradicts itself, tells truncations and survives mutants", () => {
    expect(read(build(600)).integrity[0]?.rule).toBe("extent/past-end");
    expectTruncationsTold(bmodel, build(), "x.bmodel");
    expectMutantsHandled(bmodel, build(), "x.bmodel", 1000);
  });
});
