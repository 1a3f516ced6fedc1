import { expect, it } from "vitest";
import { opKind, opTable, sharedOp, type Dialect } from "../../src/model/ops.ts";

const dialects: readonly Dialect[] = [
  "tflite",
  "onnx",
  "openvino",
  "ncnn",
  "tensorflow",
  "torch",
  "stablehlo",
  "tosa",
  "mnn",
];

it("no operator has two shared names, and no spelling two meanings", () => {
  const names = opTable.map((row) => row.op);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  for (const dialect of dialects) {
    const spelled = opTable.flatMap((row) => (row[dialect] ?? "").split(" ").filter((word) => word !== ""));
    expect(spelled.filter((word, i) => spelled.indexOf(word) !== i)).toEqual([]);
    expect(spelled.length).toBeGreaterThan(60);
  }
});

it("one convolution, whoever spells it", () => {
  expect(sharedOp("tflite", "CONV_2D")).toBe("Conv");
  expect(sharedOp("onnx", "QLinearConv")).toBe("Conv");
  expect(sharedOp("openvino-ir", "GroupConvolution")).toBe("Conv");
  expect(sharedOp("ncnn", "Convolution")).toBe("Conv");
  expect(sharedOp("pte", "aten::convolution.out")).toBe("Conv");
  expect(sharedOp("stablehlo", "stablehlo.convolution")).toBe("Conv");
  expect(opKind("Conv")).toBe("convolution");
});

it("operators of other domains and unknown ones have no shared name", () => {
  expect(sharedOp("onnx", "Gelu", "com.microsoft")).toBe("Gelu");
  expect(sharedOp("onnx", "Conv", "rknn_cst")).toBeUndefined();
  expect(sharedOp("tflite", "edgetpu-custom-op")).toBeUndefined();
  expect(sharedOp("tflite", "constructor")).toBeUndefined();
  expect(sharedOp("constructor", "CONV_2D")).toBeUndefined();
  expect(sharedOp("gguf", "CONV_2D")).toBeUndefined();
});
