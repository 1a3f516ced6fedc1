/** Tensors of TFLite: ports from the file and the library, memory as the library holds it. */

import { CannotError } from "../../base/errors.ts";
import type { Dimension, ElementType, Graph } from "../../model/graph.ts";
import type { Port } from "../delegate.ts";
import { elementBytes, lengthOf } from "../value.ts";
import type { Pointer, Tflite } from "./api.ts";

/** TfLiteType by number: c_api_types.h of 2.9 up to uint32, of LiteRT the rest. */
export const types: readonly ElementType[] = [
  "unknown",
  "float32",
  "int32",
  "uint8",
  "int64",
  "string",
  "bool",
  "int16",
  "complex64",
  "int8",
  "float16",
  "float64",
  "complex128",
  "uint64",
  "resource",
  "variant",
  "uint32",
  "uint16",
  "int4",
  "bfloat16",
];
/** TFLite's kernels take up to 8 dimensions. */
const RANK_LIMIT = 64;

export function tensorOf(tflite: Tflite, interpreter: Pointer, which: "Input" | "Output", index: number): Pointer {
  const tensor = tflite.pointer(`TfLiteInterpreterGet${which}Tensor`, interpreter, index);
  if (tensor === 0n) throw new CannotError(`TFLite has no ${which.toLowerCase()} ${index}`);
  return tensor;
}

/** Ports in the graph's order; dimensions that the file leaves open are open. Throws CannotError for what no Value holds. */
export function readPorts(tflite: Tflite, interpreter: Pointer, which: "Input" | "Output", graph: Graph): Port[] {
  const count = tflite.get(`TfLiteInterpreterGet${which}TensorCount`)(interpreter) as number;
  const indexes = which === "Input" ? graph.inputs : graph.outputs;
  const names = new Set<string>();
  return Array.from({ length: count }, (_, at) => {
    const tensor = tensorOf(tflite, interpreter, which, at);
    const name = unique((tflite.get("TfLiteTensorName")(tensor) as string | null) ?? "", at, names);
    const type = types[tflite.get("TfLiteTensorType")(tensor) as number] ?? "unknown";
    if (elementBytes(type) === undefined) {
      throw new CannotError(`${which.toLowerCase()} "${name}" is of ${type}, which is not given to TFLite here`);
    }
    const known = graph.tensors[indexes[at] ?? -1]?.shape;
    const now = shapeOf(tflite, tensor);
    const open = known?.length === now.length && known.some((size) => size === null);
    const { scale, zero } = tflite.quantization(tensor);
    return {
      name,
      type,
      shape: open ? now.map((size, axis): Dimension => (known[axis] === null ? null : size)) : now,
      ...(scale === 0 ? {} : { quantization: { scale, zero } }),
    };
  });
}

/** Names are what inputs are given by: a second one of the same name, or one without, gets its number. */
export function unique(name: string, at: number, names: Set<string>): string {
  let own = name === "" ? String(at) : name;
  while (names.has(own)) own = `${own}:${at}`;
  names.add(own);
  return own;
}

export function shapeOf(tflite: Tflite, tensor: Pointer): number[] {
  const rank = Math.min(Math.max(0, tflite.get("TfLiteTensorNumDims")(tensor) as number), RANK_LIMIT);
  return Array.from({ length: rank }, (_, axis) => tflite.get("TfLiteTensorDim")(tensor, axis) as number);
}

/** Bytes that a tensor of this type and shape has. */
export function bytesOf(type: ElementType, shape: readonly number[]): number {
  const elements = shape.reduce((product, size) => product * size, 1);
  return lengthOf(type, elements) * (elementBytes(type) ?? 1);
}
