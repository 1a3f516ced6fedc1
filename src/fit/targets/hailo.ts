/**
 * Hailo's chips by the Dataflow Compiler. Its guide is behind a login: these rules are read from the networks of Hailo's model zoo (where
 * each is cut) and from reports; what they do not hold is unsure.
 */

import { given, numberOf, scaleOf, textOf } from "../onnx-rules.ts";
import { consumed, throughQuantisation } from "../quantised-units.ts";
import { constraint } from "../rules.ts";
import type { Rule, Target } from "../target.ts";

const ZOO = "github.com/hailo-ai/hailo_model_zoo@c83fc03 hailo_model_zoo/cfg/networks (parser.nodes)";

/** Layers of the networks that the zoo compiles. */
const plain =
  "Conv ConvTranspose Add Sub Mul Concat MaxPool AveragePool GlobalAveragePool Relu Clip LeakyRelu Sigmoid Gelu HardSwish HardSigmoid Mish Softmax Gemm MatMul LayerNormalization Slice Split DepthToSpace SpaceToDepth ReduceMax ReduceSum ReduceMean BatchNormalization Pad PRelu Tanh Exp Sqrt Erf Div Pow Elu Softplus InstanceNormalization GroupNormalization";

/** Moving data is taken where the parser knows the pattern: a flatten before a product, a channel shuffle, heads of an attention. */
const pattern: Rule = [
  constraint("pattern", "taken in recognised patterns only (flatten before FC, channel shuffle, attention)", (view) => {
    const near = [throughQuantisation(view), ...consumed(view)].map((one) => one?.spelled ?? "");
    if (near.some((name) => name === "Gemm" || name === "MatMul" || name === "Softmax")) return true;
    if (near.includes("Transpose") || near.includes("Reshape")) return undefined;
    return undefined;
  }),
];

const operators: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(plain.split(" ").map((name) => [name, []])),
  Resize: [
    constraint("mode", "nearest and bilinear", (view) => textOf(view, "mode", "nearest") !== "cubic"),
    constraint("scale", "other scales than whole ones are not in the networks at hand", (view) =>
      scaleOf(view)?.every((one) => Number.isInteger(one)) === true ? true : undefined,
    ),
  ],
  Reshape: pattern,
  Transpose: pattern,
  Flatten: pattern,
  Squeeze: pattern,
  Unsqueeze: pattern,
  NonMaxSuppression: "no",
  TopK: "no",
  Gather: [
    constraint("decoding", "decoding is cut off with end nodes", (view) =>
      given(view, 1) && view.constant[1] === true && numberOf(view, "axis", 0) !== undefined ? undefined : false,
    ),
  ],
  GatherND: "no",
  GatherElements: "no",
  ScatterND: "no",
  NonZero: "no",
  If: "no",
  Loop: "no",
};

const hailo: Target = {
  id: "hailo",
  name: "Hailo-8, Hailo-8L, Hailo-10H, Hailo-15",
  tool: "Dataflow Compiler",
  version: "3.x (Hailo-8), 5.x (Hailo-10, Hailo-15)",
  devices: ["hailo"],
  formats: ["onnx", "tflite"],
  names: "onnx",
  confidence: "inferred",
  sources: [
    ZOO,
    "https://github.com/hailo-ai/hailo_model_zoo/issues/87",
    "https://github.com/hailo-ai/hailo_model_zoo/issues/98",
    "https://github.com/ankandrew/fast-plate-ocr/issues/44",
  ],
  preconditions: [
    {
      rule: "dynamic",
      says: "shapes must be static",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "refuses",
      cure: "Fix the shapes of the inputs (net_input_shapes of the parser).",
      source: ZOO,
    },
    {
      rule: "end nodes",
      says: "decoding and NMS are cut off with end nodes and run on the host",
      holds: ({ views }) =>
        !views.some(({ spelled }) => ["NonMaxSuppression", "TopK", "GatherND", "NonZero"].includes(spelled)),
      else: "warns",
      cure: "Name the last convolutions as end nodes of the parser; the compiler adds NMS itself.",
      source: ZOO,
    },
    {
      rule: "quantization",
      says: "the compiler quantises to 4, 8 or 16 bits itself, with a calibration set",
      holds: ({ scheme }) => (scheme === undefined ? undefined : scheme === "float32" || scheme === "full integer"),
      else: "warns",
      source: ZOO,
    },
  ],
  every: [],
  operators,
  others: "unsure",
  otherSays: "Hailo's tables of operators are behind a login",
  // From the start nodes to the end nodes; what follows is the host's.
  partition: { way: "prefix" },
  melts: ["Identity", "Dropout", "Constant", "QuantizeLinear", "DequantizeLinear"],
};

export default [hailo];
