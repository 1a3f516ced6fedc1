/**
 * Intel's NPU by OpenVINO's own plugin: the compiler takes a model whole or refuses it. Which operators it knows is not published; what runs
 * in Intel's validated list of models is taken, what reports refuse is refused, the rest is unsure.
 */

import { constraint } from "../rules.ts";
import type { Rule, Target } from "../target.ts";

const DEVICES = "https://docs.openvino.ai/2025/documentation/compatibility-and-support/supported-devices.html";
const KNOWN_GOOD =
  "github.com/microsoft/onnxruntime@0084458 docs/execution-providers/OpenVINO-ExecutionProvider.md (models validated on the NPU)";

/** Operators of the validated models: YOLOv3, ResNet-50, Inception v4, SqueezeNet, VGG, ShuffleNet v2, GoogLeNet, Real-ESRGAN and more. */
const validated =
  "Conv DepthwiseConv ConvTranspose Gemm FullyConnected MatMul Add Sub Mul Div Relu Relu6 LeakyRelu PRelu Clip Sigmoid Tanh Elu HardSigmoid HardSwish Swish Gelu Mish Softmax MaxPool AveragePool GlobalAveragePool GlobalMaxPool BatchNormalization LRN Concat Reshape Flatten Transpose Squeeze Unsqueeze Slice StridedSlice Split Resize ResizeBilinear ResizeNearestNeighbor Upsample Pad ReduceMean ReduceMax ReduceSum Exp Sqrt Pow Erf Cast LayerNormalization QuantizeLinear DequantizeLinear DepthToSpace SpaceToDepth Gather Tile Neg Abs Max Min";

const operators: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(validated.split(" ").map((name) => [name, []])),
  FakeQuantize: "unsure",
  BinaryConvolution: "no",
  If: "no",
  Loop: "no",
};

const npu: Target = {
  id: "openvino-npu",
  name: "Intel NPU (Core Ultra)",
  tool: "OpenVINO NPU plugin",
  version: "2024.4 to 2026.1",
  devices: ["intel-npu"],
  formats: ["openvino-ir", "onnx", "tflite"],
  names: "shared",
  confidence: "inferred",
  sources: [
    DEVICES,
    KNOWN_GOOD,
    "https://github.com/openvinotoolkit/openvino/issues/27626",
    "https://github.com/openvinotoolkit/openvino/issues/28119",
    "https://github.com/intel/linux-npu-driver/issues/44",
  ],
  preconditions: [
    {
      rule: "dynamic",
      says: "dynamic shapes are not supported (bounded ones since 2025)",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "refuses",
      cure: "Fix the shapes of the inputs (ovc --input, or reshape).",
      source: DEVICES,
    },
    {
      rule: "driver",
      says: "MaxPool of opset 14 is refused by drivers older than 1.8",
      holds: ({ views }) => (views.some(({ op }) => op === "MaxPool") ? undefined : true),
      else: "warns",
      cure: "Update the NPU driver.",
      source: "https://github.com/intel/linux-npu-driver/issues/44",
    },
  ],
  every: [
    constraint("type", "64-bit floats are not supported", ({ inType }) => (inType === "float64" ? undefined : true)),
  ],
  operators,
  others: "unsure",
  otherSays: "Intel publishes no list of operators of the NPU compiler",
  partition: { way: "whole" },
  melts: ["Identity", "Dropout", "Constant", "Const", "Parameter", "Result"],
};

export default [npu];
