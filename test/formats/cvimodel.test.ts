import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import cvimodel from "../../src/formats/cvimodel.ts";
import { bytesOf, expectMutantsHandled, expectTruncationsTold, field, realModels } from "../support/sealed.ts";
import { f32, flatBuffer, numbers, string, struct, table, u32, u8, vector } from "./build/flatbuffer.ts";

const tensor = (name: string, type: number, shape: readonly number[], quantization?: number) =>
  table({
    1: string(name),
    3: u8(type),
    4: table({ 0: numbers(8, ...shape) }),
    ...(quantization === undefined ? {} : { 6: table({ 0: u8(2), 4: f32(quantization) }) }),
  });
const build = (changes: { chip?: string; output?: string; damage?: boolean } = {}): Uint8Array => {
  const body = flatBuffer(
    table({
      0: struct(u8(1), u8(4), u8(0)),
      1: string("net"),
      6: vector(
        table({
          2: vector(string("in")),
          3: vector(string(changes.output ?? "out")),
          4: vector(tensor("in", 6, [1, 3, 4, 4], 64), tensor("middle", 6, [1]), tensor("out", 0, [1, 10])),
          5: vector(),
        }),
      ),
      7: vector(
        table({ 0: u8(0), 1: string("weight"), 2: u32(6), 3: u32(0) }),
        table({ 0: u8(1), 1: string("main"), 2: u32(4), 3: u32(6) }),
      ),
      8: string("cv181x"),
      9: string("v1.12"),
    }),
  );
  const rest = bytesOf(body, "weight", "code");
  const md5 = createHash("md5").update(rest).digest();
  const bytes = bytesOf("CviModel", body.length, "\x01\x04", md5, field(changes.chip ?? "cv181x", 16), "Cv", rest);
  if (changes.damage === true) bytes[bytes.length - 1] = 0;
  return bytes;
};
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
