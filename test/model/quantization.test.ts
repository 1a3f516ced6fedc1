import { describe, expect, it } from "vitest";
import { describeFile, isModel } from "../../src/inspect/describe.ts";
import { model, type Node, type Tensor } from "../../src/model/graph.ts";
import { schemeOf } from "../../src/model/quantization.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

const weights = (name: string, type: Tensor["type"], spelled?: string): Tensor => ({
  name,
  type,
  ...(spelled === undefined ? {} : { spelled }),
  shape: [32],
  data: { offset: 0, bytes: 32 },
});
const bag = (...tensors: Tensor[]) =>
  schemeOf(model("gguf", { sealed: false, graphs: [{ name: "", tensors, nodes: [], inputs: [], outputs: [] }] }));

it("files of weights are named by the type that takes most bytes", () => {
  expect(bag(weights("a", "block", "Q4_K"), weights("b", "block", "Q4_K"), weights("c", "float32"))?.says).toBe(
    "Q4_K blocks, with float32",
  );
  expect(bag(weights("a", "bfloat16"))?.kind).toBe("bfloat16");
  expect(bag(weights("x.qweight", "int32"), weights("x.scales", "float16"))?.kind).toBe("groups");
  expect(bag()).toBeUndefined();
});

it("quantisation that operators carry is told from them", () => {
  const node = (spelled: string, op: string, attributes: Node["attributes"] = {}): Node => ({
    spelled,
    op,
    inputs: [0, 1],
    outputs: [2],
    attributes,
  });
  const tensors: Tensor[] = [
    weights("w", "int8"),
    { ...weights("s", "float32"), shape: [64] },
    { name: "y", type: "float32", shape: [1] },
  ];
  const of = (...nodes: Node[]) =>
    schemeOf(model("onnx", { sealed: false, graphs: [{ name: "", tensors, nodes, inputs: [], outputs: [2] }] }));
  expect(of(node("MatMulNBits", "MatMul", { bits: 4, block_size: 32 }))?.says).toBe(
    "int4 weights in groups of 32 (MatMulNBits)",
  );
  expect(of(node("QLinearConv", "Conv"))?.kind).toBe("integer operators");
  expect(of(node("MatMulInteger", "MatMul"))?.kind).toBe("dynamic range");
  expect(of(node("QuantizeLinear", "QuantizeLinear"), node("DequantizeLinear", "DequantizeLinear"))?.says).toBe(
    "QDQ int8, per channel",
  );
  expect(of(node("DequantizeLinear", "DequantizeLinear"))?.kind).toBe("integer weights");
});

describe.skipIf(!hasShared)(`published files${unlessShared}`, () => {
  it.each([
    ["tflite/mp_hand_landmark_lite.tflite", "float16 weights", undefined],
    ["tflite/hello_world_float.tflite", "float32", undefined],
    ["tflite/hello_world_int8.tflite", "full integer", "per tensor"],
    ["tflite-edgetpu/mobilenet_v1_0.25_128_quant.tflite", "full integer", "per tensor"],
    ["tflite-edgetpu/movenet_single_pose_lightning_ptq.tflite", "full integer", "per channel"],
    ["onnx/mnist-8.onnx", "float32", undefined],
    // Half of the network, not of the precision: every weight in it is float32.
    ["onnx/silero_vad_half.onnx", "float32", undefined],
  ])("%s is %s", (path, kind, granularity) => {
    const described = describeFile(sharedPath(`models/${path}`));
    const scheme = isModel(described) ? described.inspection.quantization : undefined;
    expect(scheme?.kind).toBe(kind);
    expect(scheme?.granularity).toBe(granularity);
  });
});
