/**
 * MediaTek's APU by LiteRT's compiler plug-in: operators of its list, of types that Neuron has
 * (litert/vendors/mediatek/compiler/legalizations/neuron_utils.cc). Where the SDK can be asked for what it takes, it has the last word.
 */

import type { Tensor } from "../../model/graph.ts";
import { constraint } from "../rules.ts";
import type { Target } from "../target.ts";
import type { View } from "../view.ts";
import { listed } from "../tflite-rules.ts";

const SOURCE =
  "github.com/google-ai-edge/LiteRT@f67457790c9c2ab67347d6fe53270e8d3df20868 litert/vendors/mediatek/compiler";

/** Whether Neuron has a tensor type for it. */
function known({ type, quantization, data }: Tensor): boolean {
  const scales = quantization?.scale.length ?? 0;
  switch (type) {
    case "float32":
    case "float16":
    case "int32":
    case "uint8":
    case "bool":
      return true;
    case "int16":
    case "uint16":
      return scales === 1;
    case "int8":
    case "int4":
      return scales >= 1;
    case "int64":
      return data !== undefined;
    default:
      return false;
  }
}

const unknown = ({ inputs, outputs }: View): Tensor | undefined =>
  [...inputs, ...outputs].find((tensor) => tensor !== undefined && !known(tensor));

const target: Target = {
  id: "litert-mediatek",
  name: "MediaTek APU by LiteRT",
  tool: "LiteRT compiler plug-in (Neuron)",
  version: "2026-08-21",
  devices: ["mediatek"],
  formats: ["tflite"],
  names: "tflite",
  confidence: "source",
  sources: [`${SOURCE}/compiler_plugin.cc`, `${SOURCE}/legalizations/neuron_utils.cc`],
  preconditions: [],
  every: [
    constraint(
      "type",
      "Unsupported element type",
      (view) => unknown(view) === undefined,
      (view) => unknown(view)?.type ?? "",
    ),
  ],
  operators: listed(
    "ABS ADD AVERAGE_POOL_2D BATCH_MATMUL CAST CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEQUANTIZE DIV FULLY_CONNECTED GELU GREATER HARD_SWISH " +
      "L2_NORMALIZATION LEAKY_RELU LESS LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL PAD PADV2 PRELU QUANTIZE REDUCE_MAX RELU RESHAPE " +
      "RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SLICE SOFTMAX SPLIT SQRT SQUARED_DIFFERENCE STRIDED_SLICE SUB SUM TANH TRANSPOSE TRANSPOSE_CONV",
  ),
  others: "no",
  otherSays: "the plug-in's list of operators does not have it",
  partition: { way: "subgraphs" },
};

export default [target];
