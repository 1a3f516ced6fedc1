/** ONNX files of a few operators, for tests that run them. */

import { bytes, concat, int, message, packed, packedFloats, type Piece } from "./protobuf.ts";

/** Numbers as TensorProto.DataType and ONNXTensorElementDataType have them. */
export const [FLOAT, INT8, INT64, STRING] = [1, 3, 7, 8] as const;

const dimension = (size: number | string): Piece =>
  message(1, typeof size === "number" ? int(1, size) : bytes(2, size));

export const valueInfo = (field: 11 | 12, name: string, type: number, shape: readonly (number | string)[]): Piece =>
  message(field, bytes(1, name), message(2, message(1, int(1, type), message(2, ...shape.map(dimension)))));

export const node = (op: string, inputs: readonly string[], outputs: readonly string[]): Piece =>
  message(1, ...inputs.map((name) => bytes(1, name)), ...outputs.map((name) => bytes(2, name)), bytes(4, op));

export const modelOf = (...graph: readonly Piece[]): Uint8Array =>
  concat([int(1, 8), bytes(2, "accelctl test"), message(7, bytes(2, "graph"), ...graph), message(8, int(2, 17))]);

/** y [1, 2] = x [1, 3] times a constant [3, 2] of 1 to 6. */
export function smallOnnx(): Uint8Array {
  const weights = message(5, packed(1, [3, 2]), int(2, FLOAT), packedFloats(4, [1, 2, 3, 4, 5, 6]), bytes(8, "w"));
  return modelOf(
    node("MatMul", ["x", "w"], ["y"]),
    weights,
    valueInfo(11, "x", FLOAT, [1, 3]),
    valueInfo(12, "y", FLOAT, [1, 2]),
  );
}

/** y [rows, size] = x [rows, size] times a constant [size, size] of small numbers: 64 times 768 takes about a millisecond. */
export function matMulOnnx(rows: number, size: number): Uint8Array {
  const numbers = Array.from({ length: size * size }, (_, at) => (at % 7) / 64);
  const weights = message(5, packed(1, [size, size]), int(2, FLOAT), packedFloats(4, numbers), bytes(8, "w"));
  const shape = [rows, size];
  return modelOf(
    node("MatMul", ["x", "w"], ["y"]),
    weights,
    valueInfo(11, "x", FLOAT, shape),
    valueInfo(12, "y", FLOAT, shape),
  );
}

/** y [batch, 4] = x [batch, 4] by way of `size` columns and a matrix of ones on the diagonal: the more, the longer it takes. */
export function wideIdentityOnnx(size: number): Uint8Array {
  const ones = (name: string, rows: number, columns: number): Piece => {
    const numbers = Array.from({ length: rows * columns }, (_, at) =>
      Math.floor(at / columns) === at % columns ? 1 : 0,
    );
    return message(5, packed(1, [rows, columns]), int(2, FLOAT), packedFloats(4, numbers), bytes(8, name));
  };
  return modelOf(
    node("MatMul", ["x", "spread"], ["a"]),
    node("MatMul", ["a", "diagonal"], ["b"]),
    node("MatMul", ["b", "gather"], ["y"]),
    ones("spread", 4, size),
    ones("diagonal", size, size),
    ones("gather", size, 4),
    valueInfo(11, "x", FLOAT, ["batch", 4]),
    valueInfo(12, "y", FLOAT, ["batch", 4]),
  );
}
