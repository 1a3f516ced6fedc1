/** Element types as TensorFlow numbers and names them. tensorflow/core/framework/types.proto */

import type { ElementType } from "../../model/graph.ts";

/** Number, name without DT_, our type: those without one keep their spelling. */
const rows: readonly (readonly [number, string, ElementType])[] = [
  [1, "FLOAT", "float32"],
  [2, "DOUBLE", "float64"],
  [3, "INT32", "int32"],
  [4, "UINT8", "uint8"],
  [5, "INT16", "int16"],
  [6, "INT8", "int8"],
  [7, "STRING", "string"],
  [8, "COMPLEX64", "complex64"],
  [9, "INT64", "int64"],
  [10, "BOOL", "bool"],
  [11, "QINT8", "int8"],
  [12, "QUINT8", "uint8"],
  [13, "QINT32", "int32"],
  [14, "BFLOAT16", "bfloat16"],
  [15, "QINT16", "int16"],
  [16, "QUINT16", "uint16"],
  [17, "UINT16", "uint16"],
  [18, "COMPLEX128", "complex128"],
  [19, "HALF", "float16"],
  [20, "RESOURCE", "resource"],
  [21, "VARIANT", "variant"],
  [22, "UINT32", "uint32"],
  [23, "UINT64", "uint64"],
  [24, "FLOAT8_E5M2", "float8e5m2"],
  [25, "FLOAT8_E4M3FN", "float8e4m3fn"],
  [26, "FLOAT8_E4M3FNUZ", "float8e4m3fnuz"],
  [28, "FLOAT8_E5M2FNUZ", "float8e5m2fnuz"],
  [29, "INT4", "int4"],
  [30, "UINT4", "uint4"],
  [31, "INT2", "int2"],
  [32, "UINT2", "uint2"],
];

/** Types that are references to variables are numbered 100 higher. */
const REFERENCE = 100;

let byNumber: ReadonlyMap<number, ElementType> | undefined;
let byName: ReadonlyMap<string, ElementType> | undefined;

/** Of DT_FLOAT or 1. Undefined for what is no type, DT_INVALID included. */
export function elementTypeOf(value: unknown): ElementType | undefined {
  if (typeof value === "number") {
    byNumber ??= new Map(rows.map(([number, , type]) => [number, type]));
    return byNumber.get(value > REFERENCE ? value - REFERENCE : value);
  }
  if (typeof value !== "string") return undefined;
  byName ??= new Map(rows.map(([, name, type]) => [`DT_${name}`, type]));
  return byName.get(value.endsWith("_REF") ? value.slice(0, -4) : value);
}
