/** Values of small constant tensors of ONNX: scales, zero points, shapes, axes. Encodings as onnx.proto lays them down. */

import { bfloat16, float16 } from "../../base/float16.ts";
import { elementBits, elementsOf, type ElementType } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import type { Message } from "../wire/protobuf.ts";
import type { Constant } from "./tensor.ts";

/** raw_data: little-endian, packed; undefined beyond `limit` or where they are no numbers. */
export function rawValues(
  file: ModelFile,
  { type, shape }: Pick<Constant, "type" | "shape">,
  offset: number,
  bytes: number,
  limit: number,
): readonly number[] | undefined {
  const elements = elementsOf(shape);
  const bits = elementBits[type];
  if (elements === undefined || bits === undefined || elements > limit || Math.ceil((elements * bits) / 8) !== bytes)
    return undefined;
  const slice = file.slice(offset, bytes);
  const view = new DataView(slice.buffer, slice.byteOffset, slice.byteLength);
  const out: number[] = [];
  for (let index = 0; index < elements; index++) {
    const value = rawValue(view, type, bits, index);
    if (value === undefined) return undefined;
    out.push(value);
  }
  return out;
}

function rawValue(view: DataView, type: ElementType, bits: number, index: number): number | undefined {
  if (bits < 8) {
    if (type.startsWith("float")) return undefined;
    const perByte = 8 / bits;
    const value = (view.getUint8(Math.floor(index / perByte)) >> ((index % perByte) * bits)) & ((1 << bits) - 1);
    return type.startsWith("u") || value < 1 << (bits - 1) ? value : value - (1 << bits);
  }
  const at = (index * bits) / 8;
  switch (type) {
    case "float32":
      return view.getFloat32(at, true);
    case "float64":
      return view.getFloat64(at, true);
    case "float16":
      return float16(view.getUint16(at, true));
    case "bfloat16":
      return bfloat16(view.getUint16(at, true));
    case "int64":
      return Number(view.getBigInt64(at, true));
    case "uint64":
      return Number(view.getBigUint64(at, true));
    case "int32":
      return view.getInt32(at, true);
    case "uint32":
      return view.getUint32(at, true);
    case "int16":
      return view.getInt16(at, true);
    case "uint16":
      return view.getUint16(at, true);
    case "int8":
      return view.getInt8(at);
    case "uint8":
    case "bool":
      return view.getUint8(at);
    default:
      // float8 zero points are always 0: its bits say so in every variant
      return type.startsWith("float8") && view.getUint8(at) === 0 ? 0 : undefined;
  }
}

/** float_data, int32_data, int64_data, double_data, uint64_data. */
export function typedValues(
  message: Message,
  { type, shape }: Pick<Constant, "type" | "shape">,
  field: number,
  limit: number,
): readonly number[] | undefined {
  const elements = elementsOf(shape);
  if (elements === undefined || elements > limit || field === 6 || type.startsWith("complex")) return undefined;
  const bits = elementBits[type] ?? 0;
  if (bits < 8 || type.startsWith("float8")) return smallValues(message, type, bits, elements);
  const values: number[] = [];
  const again = message.again();
  while (again.next()) {
    if (again.field !== field) continue;
    if (field === 4) again.floats(values, limit);
    else if (field === 10) again.doubles(values, limit);
    else again.ints(values, limit);
  }
  if (values.length !== elements) return undefined;
  if (type === "float16") return values.map(float16);
  return type === "bfloat16" ? values.map(bfloat16) : values;
}

/** Values of fewer than 8 bits, of which int32_data holds a byte in each number, the first in the lowest bits; of 8 float ones only zeros. */
function smallValues(
  message: Message,
  type: ElementType,
  bits: number,
  elements: number,
): readonly number[] | undefined {
  const perByte = bits < 8 ? 8 / bits : 1;
  const packed: number[] = [];
  const again = message.again();
  while (again.next()) if (again.field === 5) again.ints(packed, Math.ceil(elements / perByte));
  if (packed.length !== Math.ceil(elements / perByte)) return undefined;
  if (type.startsWith("float")) return packed.every((value) => value === 0) ? Array(elements).fill(0) : undefined;
  const half = 1 << (bits - 1);
  return Array.from({ length: elements }, (_, index) => {
    const value = ((packed[Math.floor(index / perByte)] ?? 0) >> ((index % perByte) * bits)) & (2 * half - 1);
    return type.startsWith("u") || value < half ? value : value - 2 * half;
  });
}
