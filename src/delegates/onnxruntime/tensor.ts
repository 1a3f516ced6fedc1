/** Ports and tensors of ONNX Runtime: what the library calls an OrtValue, to and from a Value. */

import { CannotError } from "../../base/errors.ts";
import { dataTypes, elementType } from "../../formats/onnx/tensor.ts";
import type { Dimension, ElementType } from "../../model/graph.ts";
import type { Port } from "../delegate.ts";
import { bytesOf, elementBytes, elementsOver, lengthOf, type Value } from "../value.ts";
import type { Ort, Pointer } from "./api.ts";

/** A dimension beyond this is no shape but an overflow. */
const RANK_LIMIT = 64;

export function readPorts(ort: Ort, session: Pointer, allocator: Pointer, which: "Input" | "Output"): Port[] {
  const count = ort.number(`SessionGet${which}Count`, session);
  return Array.from({ length: count }, (_, index) => {
    const text = ort.pointer(`SessionGet${which}Name`, session, index, allocator);
    const name = ort.koffi.decode(text, "char", -1) as string;
    ort.call("AllocatorFree", allocator, text);
    const info = ort.pointer(`SessionGet${which}TypeInfo`, session, index);
    // Belongs to `info`; null for sequences and maps.
    const tensor = ort.pointer("CastTypeInfoToTensorInfo", info);
    const port: Port = tensor === 0n ? { name, type: "unknown", shape: [] } : { name, ...readShape(ort, tensor) };
    ort.release("ReleaseTypeInfo", info);
    return port;
  });
}

function readShape(ort: Ort, info: Pointer): { type: ElementType; shape: Dimension[] } {
  const type = elementType(ort.number("GetTensorElementType", info)).type;
  const rank = Math.min(ort.number("GetDimensionsCount", info), RANK_LIMIT);
  if (rank === 0) return { type, shape: [] };
  const dims = new BigInt64Array(rank);
  ort.call("GetDimensions", info, dims, rank);
  const names: (string | null)[] = Array.from({ length: rank }, () => null);
  ort.call("GetSymbolicDimensions", info, names, rank);
  return {
    type,
    shape: [...dims].map((size, at) => {
      if (size >= 0n) return Number(size);
      const name = names[at];
      return name === null || name === undefined || name === "" ? null : name;
    }),
  };
}

/** What every call needs. */
export interface Context {
  readonly ort: Ort;
  readonly session: Pointer;
  readonly memory: Pointer;
  readonly allocator: Pointer;
}

/** `held` keeps what the library reads while it runs. Release it with ReleaseValue. */
export function makeTensor({ ort, memory, allocator }: Context, name: string, value: Value, held: unknown[]): Pointer {
  const { type, shape, data } = value;
  const elements = shape.reduce((product, size) => product * size, 1);
  const needed = lengthOf(type, elements);
  if (data.length !== needed) {
    throw new CannotError(
      `input "${name}": ${type} [${shape.join(", ")}] needs ${needed} elements, ${data.length} are given`,
    );
  }
  const dims = BigInt64Array.from(shape, BigInt);
  // "unknown" is no name in the table.
  const number = type === "unknown" ? -1 : dataTypes.indexOf(type);
  if (!ArrayBuffer.isView(data)) {
    const tensor = ort.pointer("CreateTensorAsOrtValue", allocator, dims, shape.length, dataTypes.indexOf("string"));
    ort.call("FillStringTensor", tensor, [...data], data.length);
    return tensor;
  }
  if (number < 0) throw new CannotError(`input "${name}" is of ${type}, which ONNX Runtime is not given here`);
  if (data.BYTES_PER_ELEMENT !== elementBytes(type)) {
    throw new CannotError(`input "${name}": elements of ${data.BYTES_PER_ELEMENT} bytes are no ${type}`);
  }
  // Asking for .buffer moves a small array out of V8's heap, where it would not stay in its place.
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  held.push(bytes);
  return ort.pointer("CreateTensorWithDataAsOrtValue", memory, bytes, bytes.length, dims, shape.length, number);
}

/** Copies; the library keeps its own. */
export function takeTensor(ort: Ort, name: string, pointer: Pointer): Value {
  if (pointer === 0n || ort.number("IsTensor", pointer) !== 1) {
    throw new CannotError(`output "${name}" is no tensor (a sequence or a map), which is not read`);
  }
  const info = ort.pointer("GetTensorTypeAndShape", pointer);
  const { type, shape: open } = readShape(ort, info);
  ort.release("ReleaseTensorTypeAndShapeInfo", info);
  const shape = open.map((size) => (typeof size === "number" ? size : 0));
  const count = shape.reduce((product, size) => product * size, 1);
  if (type === "string") return { type, shape, data: takeStrings(ort, pointer, count) };
  const bytes = bytesOf(type, shape) ?? 0;
  const buffer = new ArrayBuffer(bytes);
  const data = elementsOver(type, buffer);
  if (data === undefined) throw new CannotError(`output "${name}" is of ${type}, which is not read`);
  if (bytes > 0) {
    const theirs = ort.pointer("GetTensorMutableData", pointer);
    new Uint8Array(buffer).set(new Uint8Array(ort.koffi.view(theirs, bytes)));
  }
  return { type, shape, data };
}

function takeStrings(ort: Ort, pointer: Pointer, count: number): string[] {
  const length = ort.number("GetStringTensorDataLength", pointer);
  const bytes = Buffer.alloc(Math.max(1, length));
  const offsets = new BigUint64Array(Math.max(1, count));
  ort.call("GetStringTensorContent", pointer, bytes, length, offsets, count);
  return Array.from({ length: count }, (_, at) =>
    bytes.toString("utf8", Number(offsets[at]), at + 1 < count ? Number(offsets[at + 1]) : length),
  );
}
