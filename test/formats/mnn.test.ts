import { expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import format from "../../src/formats/mnn.ts";
import { fieldsOf } from "../../src/formats/mnn/fields.ts";
import { opType } from "../../src/formats/mnn/read.ts";
import { opParameters, tableFields } from "../../src/formats/mnn/schema.ts";
import { outputOf, type Flow } from "../../src/formats/mnn/shapes.ts";
import { costOf } from "../../src/model/cost.ts";
import { sharedOp } from "../../src/model/ops.ts";
import { mutated } from "./build/broken.ts";
import { flatBuffer, numbers, string, table, u32, vector } from "./build/flatbuffer.ts";
import { samples } from "./samples/mnn.ts";

const bytes = samples["net.mnn"]?.() ?? new Uint8Array();
const model = format.read(modelFileOf(bytes, "/models/net.mnn"));
const [graph] = model.graphs;
const node = (name: string): (typeof model.graphs)[0]["nodes"][0] | undefined =>
  graph?.nodes.find((one) => one.name === name);
const taken = (name: string): unknown[] => (node(name)?.inputs ?? []).map((index) => graph?.tensors[index]);

it("the schema's numbers are MNN's own", () => {
  expect([opType(0), opType(128), opType(513), opType(604), opType(700)]).toEqual([
    "AbsVal",
    "Raster",
    "ConvInt8",
    "GridSample",
    undefined,
  ]);
  expect([...fieldsOf("Net").keys()].slice(0, 4)).toEqual(["bizCode", "extraTensorDescribe", "extraInfo", "oplists"]);
  expect(fieldsOf("Op").get("main")?.id).toBe(2);
  for (const name of opParameters.slice(1)) expect(Object.hasOwn(tableFields, name), name).toBe(true);
});

it("a network says who made it, from what, and what it needs beside it", () => {
  expect(model).toMatchObject({
    version: "3.0.0",
    producer: { name: "MNN", version: "3.0.0" },
    metadata: { "converted from": "ONNX", usage: "INFERENCE", bizCode: "sample" },
    needs: ["net.mnn.weight"],
    integrity: [],
  });
  expect(model.unseen).toContain("what the plug-in Mine computes");
  expect(graph?.inputs.map((index) => graph.tensors[index])).toEqual([
    { name: "x", type: "float32", shape: [1, 3, 8, 8] },
  ]);
  expect(graph?.outputs.map((index) => graph.tensors[index]?.name)).toEqual(["own"]);
});

it("weights stand in the graph with their types, scales and places", () => {
  const [, kernel, bias] = taken("conv") as { data: { offset: number; bytes: number } }[];
  expect(kernel).toMatchObject({ type: "float32", shape: [4, 3, 3, 3], data: { bytes: 432 } });
  expect(Buffer.from(bytes).readFloatLE((kernel?.data.offset ?? 0) + 4)).toBeCloseTo(0.1);
  expect(bias).toMatchObject({ type: "float32", shape: [4], data: { bytes: 16 } });
  expect(taken("packed")[1]).toEqual({
    name: "packed.weights",
    type: "int8",
    shape: [4, 4, 1, 1],
    quantization: { scale: [0.5, 0.25, 0.125, 0.0625], zeroPoint: [], axis: 0, scheme: "asymmetric" },
    data: { bytes: 24 },
  });
  expect(taken("away")[1]).toMatchObject({ data: { offset: 64, bytes: 32, file: "net.mnn.weight" } });
});

it("shapes follow from the inputs, and multiply-accumulates from them", () => {
  const shapes = graph?.nodes.map(({ name, outputs }) => [name, graph.tensors[outputs[0] ?? -1]?.shape]);
  expect(shapes).toEqual([
    ["x", [1, 3, 8, 8]],
    ["x.c4", [1, 3, 8, 8]],
    ["conv", [1, 4, 8, 8]],
    ["packed", [1, 4, 8, 8]],
    ["away", [1, 2, 8, 8]],
    ["pool", [1, 2, 4, 4]],
    ["shape", [2]],
    ["flat", [1, 32]],
    ["y", [1, 32]],
    ["branch", undefined],
    ["own", undefined],
  ]);
  // 3x3x3 to 4, 4 to 4, 4 to 2 on 64 places.
  expect(costOf(model)).toMatchObject({ macs: 64 * (27 * 4 + 16 + 8), custom: 1, open: 0 });
  expect(graph?.tensors[3]).toEqual({
    name: "packed",
    type: "int8",
    shape: [1, 4, 8, 8],
    quantization: { scale: [0.5], zeroPoint: [2] },
  });
});

it("windows round as MNN's runtime does", () => {
  const image: Flow = { shape: [1, 3, 15, 15], format: "NCHW" };
  const size = (type: string, parameters: Record<string, number | string | boolean | number[]>): unknown =>
    outputOf(type, [image], { outputCount: 8, ...parameters })?.shape?.slice(1);
  expect(size("Convolution", { kernelX: 3, kernelY: 3, strideX: 2, strideY: 2, padMode: "SAME" })).toEqual([8, 8, 8]);
  expect(size("Convolution", { kernelX: 4, kernelY: 3, strideX: 2, strideY: 2, padMode: "VALID" })).toEqual([8, 7, 6]);
  expect(size("Convolution", { kernelX: 3, kernelY: 3, padX: 1, pads: [0, 1, 2, 1], dilateY: 2 })).toEqual([8, 13, 15]);
  expect(size("Deconvolution", { kernelX: 4, kernelY: 4, strideX: 2, strideY: 2, padX: 1, padY: 1 })).toEqual([
    8, 30, 30,
  ]);
  expect(size("Pooling", { kernelX: 2, kernelY: 2, strideX: 2, strideY: 2, ceilModel: true })).toEqual([3, 8, 8]);
  expect(size("Pooling", { kernelX: 2, kernelY: 2, strideX: 2, strideY: 2, ceilModel: false })).toEqual([3, 7, 7]);
  expect(size("Pooling", { isGlobal: true })).toEqual([3, 1, 1]);
  expect(outputOf("ConvertTensor", [image], { source: "NC4HW4", dest: "NHWC" })).toEqual({
    shape: [1, 15, 15, 3],
    format: "NHWC",
    packed: false,
  });
});

it("arithmetic on shapes is followed to where it is used", () => {
  const x: Flow = { shape: [2, 3, 4], format: "NCHW" };
  const shape = outputOf("Shape", [x], {});
  expect(shape?.values).toEqual([2, 3, 4]);
  expect(outputOf("Shape", [{ ...x, packed: true }], {})?.values).toBeUndefined();
  const constant = (...values: number[]): Flow => ({ format: "NCHW", values });
  const cut = outputOf("SliceTf", [shape ?? x, constant(1), constant(-1)], {});
  const last = outputOf("GatherV2", [shape ?? x, constant(-1)], {});
  const product = outputOf("BinaryOp", [last ?? x, constant(3)], { opType: "MUL" });
  const joined = outputOf("Concat", [constant(2), product ?? x], { axis: 0 });
  expect([cut?.values, last?.values, joined?.values]).toEqual([[3, 4], [4], [2, 12]]);
  expect(outputOf("Reshape", [x, joined ?? x], {})?.shape).toEqual([2, 12]);
});

it("operators of many kinds have the name of what they compute", () => {
  expect(
    ["BinaryOp.ADD", "BinaryOp", "UnaryOp.SIGMOID", "Reduction.MEAN", "Pooling.GlobalAVEPOOL"].map((one) =>
      sharedOp("mnn", one),
    ),
  ).toEqual(["Add", "Elementwise", "Sigmoid", "ReduceMean", "GlobalAveragePool"]);
  expect(model.graphs[1]?.nodes[0]).toMatchObject({ op: "Add", spelled: "BinaryOp", attributes: { opType: "ADD" } });
  expect(node("branch")?.graphs).toEqual([1, 2]);
});

it("tensors, outputs and subgraphs that are not there are told", () => {
  const broken = flatBuffer(
    table({
      3: vector(
        table({ 3: string("a"), 4: numbers(4, 0), 5: u32(34) }),
        table({ 0: numbers(4, 7), 3: string("b"), 4: numbers(4, 1), 5: u32(85) }),
      ),
      4: vector(string("nowhere")),
      6: { kind: "scalar", bytes: Uint8Array.of(2) },
      7: vector(string("a"), string("b")),
      8: u32(2),
    }),
  );
  const file = modelFileOf(broken, "x.mnn");
  expect(format.matches(file)).toBe(1);
  expect(format.read(file).integrity.map(({ rule, says }) => [rule, says])).toEqual([
    ["tensor/dangling", "inputs of Softmax: tensor 7, there are 2"],
    ["tensor/dangling", 'the output "nowhere" is no tensor of the graph'],
  ]);
});

it("other FlatBuffers are not taken for one", () => {
  const matches = (data: Uint8Array): number => format.matches(modelFileOf(data, "x.mnn"));
  expect(
    matches(flatBuffer(table({ 0: u32(3), 2: vector(table({ 0: string("graph") })), 4: vector(string("x")) }), "TFL3")),
  ).toBe(0);
  expect(
    matches(
      flatBuffer(table({ 3: vector(table({ 3: string("a"), 4: numbers(4, 9), 5: u32(34) })), 7: vector(string("a")) })),
    ),
  ).toBe(0);
  expect(matches(Buffer.alloc(4096, 7))).toBe(0);
});

it("broken bytes end in a model or a FileError", () => {
  mutated(format, bytes, "net.mnn", 1500);
});
