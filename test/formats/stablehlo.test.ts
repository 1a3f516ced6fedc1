import { expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import format from "../../src/formats/stablehlo.ts";
import { cutAt, parseType } from "../../src/formats/mlir/types.ts";
import { costOf, countOperators } from "../../src/model/cost.ts";
import type { Model } from "../../src/model/graph.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { mutated } from "./build/broken.ts";
import { samples } from "./samples/stablehlo.ts";

const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array();
const read = (bytes: Uint8Array | string, name = "x.mlir"): Model => format.read(modelFileOf(Buffer.from(bytes), name));
const counts = (model: Model): Record<string, number> =>
  Object.fromEntries(countOperators(model).map(({ spelled, count }) => [spelled, count]));
const errors = (model: Model, size: number): string[] =>
  checkModel(model, size)
    .filter(({ severity }) => severity === "error")
    .map(({ rule }) => rule);
const one = (line: string, args = "%a: tensor<2x3xf32>, %b: tensor<3x4xf32>"): Model =>
  read(`module {\n  func.func @main(${args}) -> tensor<f32> {\n    ${line}\n    return %0 : tensor<f32>\n  }\n}\n`);

it("text gives functions and regions as graphs, with the types of all values", () => {
  const model = read(sample("net.mlir"));
  expect(model.graphs.map(({ name }) => name)).toEqual([
    "main",
    "stablehlo.while",
    "stablehlo.while",
    "relu",
    "quantised",
    "stablehlo.sort",
  ]);
  const main = model.graphs[model.main ?? -1];
  expect(main?.inputs.map((i) => main.tensors[i])).toEqual([
    { name: "arg0", type: "float32", shape: [1, 8, 8, 3] },
    { name: "arg1", type: "int32", shape: [] },
  ]);
  expect(main?.outputs.map((i) => main.tensors[i])).toEqual([
    { name: "5#1", type: "float32", shape: [1, 10] },
    { name: "6", type: "int32", shape: [] },
  ]);
  expect(counts(model)).toMatchObject({ "stablehlo.constant": 4, "stablehlo.custom_call @less": 1, call: 1 });
  expect(main?.nodes.find(({ op }) => op === "Call")?.graphs).toEqual([3]);
  expect(main?.nodes.find(({ op }) => op === "Loop")?.graphs).toEqual([1, 2]);
  expect(model.metadata).toMatchObject({ module: "net", "mhlo.num_replicas": "1", note: 'a "b" {' });
});

it("multiply-accumulates follow from the layouts that operators carry", () => {
  // 1x8x8x4 outputs of 3x3x3 each; 10 outputs of 40 each.
  expect(costOf(read(sample("net.mlir")))).toMatchObject({ macs: 256 * 27 + 400, parameters: 108 + 400 + 256 });
  expect(costOf(read(sample("tosa.mlir"))).macs).toBe(8 * 8 * 16 * 72);
  expect(costOf(read(sample("portable.mlirbc"))).macs).toBe(2 * 4 * 3);
  const spread = one(
    '%0 = "stablehlo.convolution"(%a, %b) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, lhs_dilation = dense<2> : tensor<2xi64>, feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x4x4x8xf32>, tensor<3x3x8x5xf32>) -> tensor<1x9x9x5xf32>',
    "%a: tensor<1x4x4x8xf32>, %b: tensor<3x3x8x5xf32>",
  );
  expect(costOf(spread).macs).toBe(4 * 4 * 8 * 45); // each input meets 3x3x5 of the filter
  const both = one(
    "%0 = stablehlo.convolution(%a, %b)\n      dim_numbers = [b, f, 0]x[o, i, 0]->[b, f, 0],\n      window = {lhs_dilate = [2]} {batch_group_count = 1 : i64, feature_group_count = 2 : i64}\n      : (tensor<1x4x16xf32>, tensor<6x2x3xf32>) -> tensor<1x6x33xf32>",
    "%a: tensor<1x4x16xf32>, %b: tensor<6x2x3xf32>",
  );
  expect(costOf(both).macs).toBe(4 * 16 * 3 * 3); // each of 64 inputs meets 3 outputs of its group over 3 taps
});

it("a portable artifact gives its release, its types and where its constants lie", () => {
  const bytes = sample("portable.mlirbc");
  const model = read(bytes, "portable.mlirbc");
  expect(model).toMatchObject({
    version: "MLIR bytecode 6",
    producer: { name: "StableHLO", version: "1.5.0" },
    requires: [{ what: "StableHLO", relation: "at least", version: "1.5.0" }],
  });
  expect(model.graphs.map(({ name }) => name)).toEqual(["main", "relu"]);
  const main = model.graphs[0];
  expect(main?.inputs.map((i) => main.tensors[i]?.shape)).toEqual([
    [2, 3],
    [3, 4],
  ]);
  expect(main?.outputs.map((i) => main.tensors[i])).toEqual([
    { name: "v6", type: "int8", shape: [2, 4], quantization: { scale: [0], zeroPoint: [3] } },
  ]);
  expect(main?.nodes.find(({ op }) => op === "MatMul")?.attributes).toEqual({
    lhs_batching_dimensions: [],
    lhs_contracting_dimensions: [1],
    precision_config: ["DEFAULT", "HIGHEST"],
    rhs_batching_dimensions: [],
    rhs_contracting_dimensions: [0],
  });
  const data = main?.tensors.find((tensor) => tensor.data !== undefined)?.data;
  expect([...bytes.subarray(data?.offset, (data?.offset ?? 0) + (data?.bytes ?? 0))]).toEqual(Array(32).fill(1));
  expect(main?.nodes.find(({ op }) => op === "Call")?.graphs).toEqual([1]);
});

it("types are read with open dimensions, aliases, quantisation per tensor and per axis", () => {
  expect(parseType("tensor<?x3xbf16>")).toEqual({ type: "bfloat16", shape: [null, 3] });
  expect(parseType("tensor<*xi1>")).toEqual({ type: "bool" });
  expect(parseType("tensor<2xcomplex<f32>>")).toEqual({ type: "complex64", shape: [2] });
  expect(parseType("tensor<4x?xf32, #stablehlo.bounds<?, 8>>")).toEqual({ type: "float32", shape: [4, null] });
  expect(parseType("!stablehlo.token").type).toBe("resource");
  expect(parseType("tensor<2x!quant.uniform<i4<-7:7>:f32:0, {0.5, 0.25:1}>>")).toEqual({
    type: "int4",
    shape: [2],
    quantization: { scale: [0.5, 0.25], zeroPoint: [0, 1], axis: 0 },
  });
  expect(cutAt('a, [b, c], "d, e", f -> g', ",")).toHaveLength(4);
});

it("large constants are passed over, and one that is not as long as its type is told", () => {
  const hex = (bytes: number): string => `"0x${"00".repeat(bytes)}"`;
  const constant = (literal: string): Model => one(`%0 = stablehlo.constant dense<${literal}> : tensor<100x10xf32>`);
  expect(errors(constant(hex(4000)), 9000)).toEqual([]);
  expect(errors(constant(hex(3999)), 9000)).toEqual(["constant/wrong-size"]);
  expect(errors(constant("1.5"), 200)).toEqual([]);
  const list = (count: number): string => `[${Array<string>(count).fill("0.5").join(", ")}]`;
  expect(errors(constant(list(1000)), 9000)).toEqual([]);
  expect(errors(constant(list(999)), 9000)).toEqual(["constant/wrong-size"]);
  expect(constant("1.5").graphs[0]?.tensors.find(({ data }) => data)?.data).toEqual({ bytes: 4 });
  expect(one("%0 = stablehlo.constant dense_resource<__elided__> : tensor<100x10xf32>").unseen[0]).toContain(
    "1 constants",
  );
});

it("resources at the end of the file are the data of the constants that name them", () => {
  const resource = (bytes: number): Model =>
    read(`module {
  func.func @main() -> tensor<20x10xf32> {
    %0 = stablehlo.constant dense_resource<w> : tensor<20x10xf32>
    return %0 : tensor<20x10xf32>
  }
}
{-#
  dialect_resources: {
    builtin: {
      w: "0x04000000${"00".repeat(bytes)}"
    }
  }
#-}
`);
  expect(resource(800).graphs[0]?.tensors[0]?.data).toEqual({ bytes: 800 });
  expect(resource(800).integrity).toEqual([]);
  expect(resource(796).integrity.map(({ rule }) => rule)).toEqual(["constant/wrong-size"]);
});

it("offsets of findings are the file's, behind constants that were passed over too", () => {
  const before = `module {\n  func.func @main() {\n    %0 = stablehlo.constant dense<"0x${"00".repeat(4000)}"> : tensor<1000xf32>\n`;
  const model = read(`${before}    %1 = stablehlo.abs %missing : tensor<4xf32>\n    return\n  }\n}\n`);
  expect(model.integrity.map(({ rule, offset }) => [rule, offset])).toEqual([
    ["value/undefined", before.length + "    %1 = stablehlo.abs ".length],
  ]);
});

it("what is called, named or referred to and is not there is told", () => {
  expect(errors(one("%0 = func.call @nowhere(%a) : (tensor<2x3xf32>) -> tensor<f32>"), 999)).toContain(
    "function/undefined",
  );
  expect(errors(one("%0 = stablehlo.abs %a : tensor<2x3xf32> loc(#loc7)"), 999)).toContain("alias/undefined");
  expect(errors(one("%0 = stablehlo.constant dense_resource<w> : tensor<2xf32>"), 999)).toContain("resource/undefined");
});

it("text that is broken is a FileError with its offset", () => {
  for (const [text, at] of [
    ["module {\n  func.func @main() {\n    return\n", 11],
    ["module {\n  func.func @main() {\n    %0 = stablehlo.abs (%a]\n  }\n}\n", 57],
    ['module {\n  func.func @main() attributes {a = "x\n', 45],
  ] as const) {
    let error: unknown;
    try {
      read(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(FileError);
    expect((error as FileError).offset).toBe(at);
  }
});

it("other dialects' text is recognised, other text is not", () => {
  const matches = (text: string): number => format.matches(modelFileOf(Buffer.from(text), "x"));
  expect(matches("func.func @f(%x: tensor<4xf32>) {\n  return\n}\n")).toBe(2);
  expect(matches("#map = affine_map<(d0) -> (d0)>\nmodule {\n  linalg.generic\n  func.func @f()\n}\n")).toBe(2);
  expect(matches("module counter(input clk);\nendmodule\n// func.x arith.y\n")).toBe(0);
  expect(matches("# module\nfunc.func is a word\n")).toBe(0);
  expect(matches("ML\u0001R....................")).toBe(0);
});

it("forms of other dialects are read: fat arrows, sizes behind types, loops with their own values, one line", () => {
  const model = read(`module {
  util.func public @main(%arg0: tensor<4xf32>, %n: index) -> tensor<4xf32>{
    %c4 = arith.constant 4 : index
    %0 = stream.tensor.import %arg0 : tensor<4xf32> in !stream.resource<external>{%c4}
    %1 = stream.cmd.execute await(%0) => with(%0 as %a: !stream.resource<external>{%c4}) {
      stream.cmd.fill %a : !hal.buffer{%c4}
    } => !stream.timepoint
    %2 = scf.for %i = %c4 to %n step %c4 iter_args(%x = %arg0) -> (tensor<4xf32>) {
      %3 = arith.addf %x, %x : tensor<4xf32>
      scf.yield %3 : tensor<4xf32>
    }
    util.call @elsewhere(%2) : (tensor<4xf32>) -> ()
    util.return %2 : tensor<4xf32>
  }
  func.func @empty() { return }
}
`);
  expect(model.integrity).toEqual([]);
  expect(model.graphs.map(({ name }) => name)).toEqual(["main", "stream.cmd.execute", "scf.for", "empty"]);
  expect(model.graphs[2]?.nodes.map(({ spelled }) => spelled)).toEqual(["arith.addf"]);
  expect(model.graphs[0]?.outputs.map((i) => model.graphs[0]?.tensors[i]?.name)).toEqual(["2"]);
});

it("broken bytes end in a model or a FileError", () => {
  for (const [name, make] of Object.entries(samples)) mutated(format, make(), name, 400);
});
