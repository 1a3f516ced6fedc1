import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import safetensors from "../../src/formats/safetensors.ts";
import type { Model } from "../../src/model/graph.ts";
import { expectMutantsHandled, realModels } from "../support/sealed.ts";
import { samples } from "./samples/safetensors.ts";

/** A file of this header, padded as writers do, and so many bytes of data. */
function file(header: unknown, data: number): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8, " "), "utf8");
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, Buffer.alloc(data)]);
}
const tensor = (dtype: string, shape: readonly number[], from: number, to: number): unknown => ({
  dtype,
  shape,
  data_offsets: [from, to],
});
const read = (header: unknown, data: number): Model =>
  safetensors.read(modelFileOf(file(header, data), "a.safetensors"));
const rules = (header: unknown, data: number): string[] =>
  read(header, data)
    .integrity.filter(({ severity }) => severity === "error")
    .map(({ rule }) => rule);

describe("safetensors", () => {
  // As safetensors 0.8.0 writes each of four elements: dtype and bytes; and the two of 6 bits, which it reads
  it.each([
    ["BOOL", 4, "bool"],
    ["I8", 4, "int8"],
    ["U8", 4, "uint8"],
    ["I16", 8, "int16"],
    ["U16", 8, "uint16"],
    ["I32", 16, "int32"],
    ["U32", 16, "uint32"],
    ["I64", 32, "int64"],
    ["U64", 32, "uint64"],
    ["F16", 8, "float16"],
    ["BF16", 8, "bfloat16"],
    ["F32", 16, "float32"],
    ["F64", 32, "float64"],
    ["C64", 32, "complex64"],
    ["F8_E4M3", 4, "float8e4m3fn"],
    ["F8_E5M2", 4, "float8e5m2"],
    ["F8_E4M3FNUZ", 4, "float8e4m3fnuz"],
    ["F8_E5M2FNUZ", 4, "float8e5m2fnuz"],
    ["F8_E8M0", 4, "unknown"],
    ["F6_E2M3", 3, "unknown"],
    ["F6_E3M2", 3, "unknown"],
    ["F4", 2, "float4e2m1"],
  ])("%s of four elements has %i bytes", (dtype, bytes, type) => {
    const model = read({ a: tensor(dtype, [4], 0, bytes) }, bytes);
    expect(model.integrity).toEqual([]);
    const [found] = model.graphs[0]?.tensors ?? [];
    expect(found).toMatchObject({ name: "a", type, shape: [4], data: { bytes } });
    if (type === "unknown") expect(found?.spelled).toBe(dtype);
    expect(rules({ a: tensor(dtype, [5], 0, bytes) }, bytes)).toEqual(["extent/wrong-size"]);
  });

  it("scalars, tensors without elements and none at all are whole", () => {
    expect(rules({ a: tensor("F32", [], 0, 4), b: tensor("U8", [0, 7], 4, 4) }, 4)).toEqual([]);
    expect(rules({}, 0)).toEqual([]);
    expect(rules({ __metadata__: { format: "pt" } }, 0)).toEqual([]);
  });

  it("metadata is told, and a name that is a trap is one like any other", () => {
    const header =
      '{"__metadata__":{"format":"pt","__proto__":"x"},"constructor":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}';
    const model = read(header, 1);
    expect(model.metadata["format"]).toBe("pt");
    expect(model.graphs[0]?.tensors.map(({ name }) => name)).toEqual(["constructor"]);
    expect(model.integrity).toEqual([]);
  });

  // Each of these is refused by safetensors 0.8.0
  it.each([
    ["a hole", { a: tensor("U8", [4], 4, 8) }, 8, "extent/hole"],
    ["bytes behind the last tensor", { a: tensor("U8", [4], 0, 4) }, 8, "extent/trailing"],
    ["an overlap", { a: tensor("U8", [4], 0, 4), b: tensor("U8", [4], 2, 6) }, 6, "extent/overlap"],
    ["data cut short", { a: tensor("U8", [4], 0, 4) }, 3, "extent/past-end"],
    ["a shape of other bytes", { a: tensor("U8", [4], 0, 3) }, 3, "extent/wrong-size"],
    ["a type there is not", { a: tensor("I4", [4], 0, 2) }, 2, "tensor/type"],
    ["metadata that is no text", { __metadata__: { a: 1 }, a: tensor("U8", [4], 0, 4) }, 4, "metadata/type"],
    ["metadata that is no map", { __metadata__: "x", a: tensor("U8", [4], 0, 4) }, 4, "metadata/type"],
  ])("%s is an error", (_, header, data, rule) => {
    expect(rules(header, data)).toEqual([rule]);
  });

  it("two tensors of one name leave the first one's bytes to nobody", () => {
    const row = (from: number): string => `"a":{"dtype":"U8","shape":[4],"data_offsets":[${from},${from + 4}]}`;
    expect(rules(`{${row(0)},${row(4)}}`, 8)).toEqual(["extent/hole"]);
  });

  it.each([
    ["no JSON", "{nope", 0],
    ["a list", "[1,2]", 0],
    ["a tensor without a shape", { a: { dtype: "U8", data_offsets: [0, 1] } }, 1],
    ["a dimension below zero", { a: tensor("U8", [-1], 0, 1) }, 1],
    ["an extent of one number", { a: { dtype: "U8", shape: [1], data_offsets: [0] } }, 1],
  ])("%s is refused", (_, header, data) => {
    expect(() => read(header, data)).toThrow(FileError);
  });

  it("a header longer than the reference reads, or than the file, is refused before it is fetched", () => {
    const long = Buffer.alloc(64, 0x20);
    long.writeBigUInt64LE(100_000_001n);
    expect(() => safetensors.read(modelFileOf(long, "a.safetensors"))).toThrow("over 100000000");
    expect(safetensors.matches(modelFileOf(long, "a.safetensors"))).toBe(0);
    long.writeBigUInt64LE(4096n);
    expect(() => safetensors.read(modelFileOf(long, "a.safetensors"))).toThrow(FileError);
  });

  it("survives mutation", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(safetensors, make(), name);
  });
});

describe.each(realModels("safetensors"))("$name", ({ file: open }) => {
  it("is whole: tensors from the header's end to the file's, none over another", () => {
    const held = open();
    const model = safetensors.read(held);
    expect(model.integrity).toEqual([]);
    const tensors = model.graphs[0]?.tensors ?? [];
    const data = model.sections.find(({ kind }) => kind === "weights");
    expect(tensors.length).toBeGreaterThan(0);
    expect(tensors.reduce((sum, one) => sum + (one.data?.bytes ?? 0), 0)).toBe(data?.bytes);
  });
});
