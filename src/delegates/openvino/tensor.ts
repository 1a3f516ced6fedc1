/** Ports and tensors of OpenVINO: element types, shapes, and tensors over memory of ours. openvino/c/ov_common.h, ov_tensor.h */

import { CannotError } from "../../base/errors.ts";
import type { Dimension, ElementType } from "../../model/graph.ts";
import type { Port } from "../delegate.ts";
import { bytesOf, elementsOver, type Value } from "../value.ts";
import { words, type Ov, type Pointer } from "./api.ts";

/** A dimension beyond this is no shape but an overflow. */
const RANK_LIMIT = 64;

/**
 * ov_element_type_e in its order. Its numbers moved twice (2024 put 2, 3 and 6 bits in between, 2025 took "undefined" away), so the
 * library is asked how wide each number is: [ours, its, bits], bits 0 where nothing tells.
 */
const order: readonly [type: ElementType, spelled: string, bits: number, since2024?: true][] = [
  ["bool", "boolean", 8],
  ["bfloat16", "bf16", 16],
  ["float16", "f16", 16],
  ["float32", "f32", 32],
  ["float64", "f64", 64],
  ["int4", "i4", 4],
  ["int8", "i8", 8],
  ["int16", "i16", 16],
  ["int32", "i32", 32],
  ["int64", "i64", 64],
  ["unknown", "u1", 1],
  ["uint2", "u2", 2, true],
  ["unknown", "u3", 3, true],
  ["uint4", "u4", 4],
  ["unknown", "u6", 6, true],
  ["uint8", "u8", 8],
  ["uint16", "u16", 16],
  ["uint32", "u32", 32],
  ["uint64", "u64", 64],
];
/** What follows where 2, 3 and 6 bits are known. */
const after: readonly ElementType[] = ["unknown", "float8e4m3fn", "float8e5m2", "string"];
/** "dynamic", and "undefined" before it until 2025. */
const NO_TYPES = 2;

const codes = new WeakMap<Ov, ReadonlyMap<number, ElementType>>();

/** Element types by the numbers that this library has for them. */
function elementTypes(ov: Ov): ReadonlyMap<number, ElementType> {
  const known = codes.get(ov);
  if (known !== undefined) return known;
  const types = new Map<number, ElementType>();
  let code = 0;
  while (code < NO_TYPES && bitsOf(ov, code) !== 8) code++;
  for (const [type, , bits, optional] of order) {
    const own = bitsOf(ov, code);
    if (own === bits) types.set(code++, type);
    else if (optional !== true)
      throw new CannotError(`OpenVINO ${ov.version}: its type ${code} has ${own} bits, not ${bits}`);
  }
  if ([...types.values()].includes("uint2")) for (const type of after) types.set(code++, type);
  codes.set(ov, types);
  return types;
}

/** Bits of one element: the bytes of eight. 0 where a tensor cannot be made of it. */
function bitsOf(ov: Ov, code: number): number {
  let tensor: Pointer;
  try {
    tensor = withShape(ov, [8], (shape) => ov.pointer("ov_tensor_create", code, shape));
  } catch (error) {
    if (error instanceof CannotError) return 0;
    throw error;
  }
  const bytes = ov.number("ov_tensor_get_byte_size", tensor);
  ov.free("ov_tensor_free", tensor);
  return bytes;
}

/** ov_shape_t by value; the dimensions it leads to are held until `act` ends. */
function withShape<T>(ov: Ov, sizes: readonly number[], act: (shape: { rank: number; dims: Pointer }) => T): T {
  const dims = words(sizes.length);
  sizes.forEach((size, at) => (dims[at] = BigInt(size)));
  const result = act({ rank: sizes.length, dims: ov.koffi.address(dims) });
  dims.fill(0n); // so that nothing collects them earlier
  return result;
}

export function readPorts(ov: Ov, compiled: Pointer, which: "input" | "output"): Port[] {
  const count = ov.number(`ov_compiled_model_${which}s_size`, compiled);
  return Array.from({ length: count }, (_, index) => {
    const port = ov.pointer(`ov_compiled_model_${which}_by_index`, compiled, index);
    const name = nameOf(ov, port) ?? `${which}_${index}`;
    const type = elementTypes(ov).get(ov.number("ov_port_get_element_type", port)) ?? "unknown";
    const partial = words(3); // rank {min, max}, dims
    ov.call("ov_port_get_partial_shape", port, partial);
    const shape = dimensionsOf(ov, partial);
    ov.free("ov_partial_shape_free", partial);
    ov.free("ov_output_const_port_free", port);
    return { name, type, shape };
  });
}

/** Tensors of other formats than ONNX need have no name. */
function nameOf(ov: Ov, port: Pointer): string | undefined {
  try {
    return ov.text(ov.pointer("ov_port_get_any_name", port));
  } catch (error) {
    if (error instanceof CannotError) return undefined;
    throw error;
  }
}

/** Open where least and most differ. A shape of unknown rank has no dimensions to tell. */
function dimensionsOf(ov: Ov, partial: BigUint64Array): Dimension[] {
  const [least = 0n, most = 0n, dims = 0n] = partial;
  if (least !== most || dims === 0n) return [];
  const rank = Math.min(Number(most), RANK_LIMIT);
  const bounds = int64s(ov, dims, rank * 2);
  return Array.from({ length: rank }, (_, at) => {
    const [min, max] = [bounds[at * 2], bounds[at * 2 + 1]];
    return min === max && min !== undefined ? Number(min) : null;
  });
}

const int64s = (ov: Ov, from: Pointer, count: number): BigInt64Array =>
  count === 0 ? new BigInt64Array(0) : new BigInt64Array(ov.koffi.view(from, count * 8)).slice();

/** A tensor over `bytes`, which must stay where they are as long as it lives. Free it with ov_tensor_free. */
export function tensorOver(ov: Ov, type: ElementType, sizes: readonly number[], bytes: Uint8Array): Pointer {
  const code = [...elementTypes(ov)].find(([, own]) => own === type)?.[0];
  if (code === undefined) throw new CannotError(`OpenVINO ${ov.version} has no ${type}`);
  const data = ov.koffi.address(bytes);
  return withShape(ov, sizes, (shape) => ov.pointer("ov_tensor_create_from_host_ptr", code, shape, data));
}

/** Copies what the library allocated. */
export function takeTensor(ov: Ov, name: string, tensor: Pointer): Value {
  const type = elementTypes(ov).get(ov.number("ov_tensor_get_element_type", tensor)) ?? "unknown";
  const shape = sizesOf(ov, tensor);
  const bytes = bytesOf(type, shape);
  if (bytes === undefined) throw new CannotError(`output "${name}" is of ${type}, which is not read`);
  const buffer = new ArrayBuffer(bytes);
  if (bytes > 0) {
    const data = ov.pointer("ov_tensor_data", tensor);
    const own = ov.number("ov_tensor_get_byte_size", tensor);
    if (data === 0n || own < bytes) throw new CannotError(`output "${name}" has ${own} bytes where ${bytes} belong`);
    new Uint8Array(buffer).set(new Uint8Array(ov.koffi.view(data, bytes)));
  }
  const data = elementsOver(type, buffer);
  if (data === undefined) throw new CannotError(`output "${name}" is of ${type}, which is not read`);
  return { type, shape, data };
}

function sizesOf(ov: Ov, tensor: Pointer): number[] {
  const dims = words(2); // rank, dims
  try {
    ov.call("ov_tensor_get_shape", tensor, dims);
  } catch (error) {
    // The C API refuses to make a shape of rank 0: what has one element and no shape is a scalar.
    if (error instanceof CannotError && ov.number("ov_tensor_get_size", tensor) === 1) return [];
    throw error;
  }
  const sizes = [...int64s(ov, dims[1] ?? 0n, Math.min(Number(dims[0]), RANK_LIMIT))].map(Number);
  ov.free("ov_shape_free", dims);
  return sizes;
}
