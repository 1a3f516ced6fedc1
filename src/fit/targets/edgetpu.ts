/** Google's Edge TPU by edgetpu_compiler. */

import type { Target } from "../target.ts";

const edgetpu: Target = {
  id: "edgetpu",
  name: "Google Edge TPU",
  tool: "edgetpu_compiler",
  version: "16.0.384591198",
  devices: ["google-coral"],
  formats: ["tflite"],
  names: "tflite",
  confidence: "documents",
  sources: ["https://coral.ai/docs/edgetpu/models-intro/#supported-operations"],
  preconditions: [],
  every: [],
  operators: { ADD: [] },
  others: "no",
  otherSays: "Operation not supported",
  partition: { way: "prefix" },
};

/** Every file in this folder gives a list: one compiler may serve several chips by slightly different rules. */
export default [edgetpu];
