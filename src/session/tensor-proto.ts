/** ONNX's TensorProto as a file of its own (.pb), as its test data comes: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */

import { FileError } from "../base/errors.ts";
import type { ElementType } from "../model/graph.ts";
import { modelFileOf } from "../formats/file.ts";
import { protobuf } from "../formats/wire/protobuf.ts";
import { elementType } from "../formats/onnx/tensor.ts";
import { elementsOver, lengthOf, type Elements, type Value } from "../delegates/value.ts";

/** Inputs of one run: pictures and waveforms have some MB. */
const DATA_LIMIT = 256 * 1024 * 1024;
const RANK_LIMIT = 64;

/** Throws FileError for what is no tensor with its data inside. `raw_data` and the typed fields are read. */
export function readTensorProto(bytes: Uint8Array, name: string): Value {
  const message = protobuf(modelFileOf(bytes, name));
  const shape: number[] = [];
  const floats: number[] = [];
  const integers: number[] = [];
  const texts: string[] = [];
  let type: ElementType = "unknown";
  let raw: Uint8Array | undefined;
  while (message.next()) {
    if (message.field === 1) message.ints(shape, RANK_LIMIT);
    else if (message.field === 2) type = elementType(message.int()).type;
    else if (message.field === 4) message.floats(floats, DATA_LIMIT / 4);
    else if (message.field === 10) message.doubles(floats, DATA_LIMIT / 8);
    else if (message.field === 5 || message.field === 7 || message.field === 11) message.ints(integers, DATA_LIMIT / 4);
    else if (message.field === 6) texts.push(message.string());
    else if (message.field === 9) raw = message.bytes(DATA_LIMIT);
  }
  if (shape.some((size) => size < 0)) throw new FileError(name, `the shape [${shape.join(", ")}]`, 0);
  const elements = shape.reduce((product, size) => product * size, 1);
  if (type === "string") {
    if (texts.length !== elements) throw new FileError(name, `[${shape.join(", ")}] and ${texts.length} texts`, 0);
    return { type, shape, data: texts };
  }
  const length = lengthOf(type, elements);
  const values = floats.length > 0 ? floats : integers;
  const own = elementsOver(type, new ArrayBuffer(0));
  if (own === undefined) throw new FileError(name, `a tensor of ${type}, which is not read`, 0);
  const bytesNeeded = length * own.BYTES_PER_ELEMENT;
  if (raw === undefined ? values.length !== length : raw.length !== bytesNeeded) {
    throw new FileError(
      name,
      `${type} [${shape.join(", ")}] needs ${length} elements and has ${raw ? raw.length / own.BYTES_PER_ELEMENT : values.length}`,
      0,
    );
  }
  if (raw !== undefined) {
    const data = elementsOver(type, new Uint8Array(raw).buffer);
    return { type, shape, data: data ?? own };
  }
  if (type.endsWith("int64") && !values.every((value) => Number.isSafeInteger(value))) {
    throw new FileError(name, "integers beyond 2^53 written one by one, which are not read; raw_data is", 0);
  }
  return { type, shape, data: filled(elementsOver(type, new ArrayBuffer(bytesNeeded)) ?? own, values) };
}

function filled(data: Elements, values: readonly number[]): Elements {
  values.forEach((value, at) => {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[at] = BigInt(value);
    else data[at] = value;
  });
  return data;
}
