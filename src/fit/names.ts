/**
 * Which names a node may have in a target's table: the file's own where file and target spell alike, else those a converter would give it
 * (ONNX's Conv becomes TFLite's CONV_2D, or DEPTHWISE_CONV_2D where each channel stands alone).
 */

import { opTable, type Dialect } from "../model/ops.ts";
import type { Target } from "./target.ts";
import type { View } from "./view.ts";

/** The column of the shared table that a format's operators are spelled in, of the two that targets know. */
export function dialectOf(format: string): "tflite" | "onnx" | undefined {
  if (format.includes("tflite")) return "tflite";
  return format === "onnx" || format === "axmodel" ? "onnx" : undefined;
}

/** What converters fold into neighbours on the way from one format to another. */
export const vanishing: ReadonlySet<string> = new Set([
  "BatchNormalization",
  "Identity",
  "Dropout",
  "QuantizeLinear",
  "DequantizeLinear",
  "FakeQuantize",
]);

/** Names to look a node up by, the best first. */
export function namesOf(view: View, names: Target["names"], format: string): readonly string[] {
  if (names === "shared") return view.op === view.spelled ? [view.op] : [view.op, view.spelled];
  if (dialectOf(format) === names)
    return names === "tflite" && view.node.op === undefined ? [view.spelled, "CUSTOM"] : [view.spelled];
  const op = view.depthwise && view.op === "Conv" && names === "tflite" ? "DepthwiseConv" : view.op;
  return [...(converted[names][op] ?? []), ...spellings(names, op)];
}

/** Where the shared table has no spelling of an operator, or its first is not what a converter writes. */
const converted: Readonly<Record<"tflite" | "onnx", Readonly<Record<string, readonly string[]>>>> = {
  tflite: {
    Gemm: ["FULLY_CONNECTED"],
    GlobalAveragePool: ["MEAN", "AVERAGE_POOL_2D"],
    GlobalMaxPool: ["REDUCE_MAX", "MAX_POOL_2D"],
    Pool: ["AVERAGE_POOL_2D", "MAX_POOL_2D"],
    Flatten: ["RESHAPE"],
    Clip: ["RELU6"],
    Swish: ["LOGISTIC"],
    HardSigmoid: ["HARD_SWISH"],
  },
  onnx: {
    DepthwiseConv: ["Conv"],
    FullyConnected: ["Gemm"],
    Relu6: ["Clip"],
    Pool: ["AveragePool", "MaxPool"],
  },
};

const tables = new Map<Dialect, ReadonlyMap<string, readonly string[]>>();

function spellings(dialect: "tflite" | "onnx", op: string): readonly string[] {
  let table = tables.get(dialect);
  if (table === undefined) {
    table = new Map(opTable.map((row) => [row.op, row[dialect]?.split(" ").filter((one) => one !== "") ?? []]));
    tables.set(dialect, table);
  }
  return table.get(op) ?? [];
}
