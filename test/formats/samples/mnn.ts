/** MNN: a network with weights inside, packed and beside it, a branch, a plug-in, a tensor that is described. Field ids as in schema/default. */

import { f32, flatBuffer, numbers, string, table, u8, u32, vector, type Value } from "../build/flatbuffer.ts";
import type { Samples } from "./samples.ts";

const type = {
  BinaryOp: 7,
  Const: 11,
  Convolution: 12,
  Input: 34,
  Pooling: 47,
  Reshape: 73,
  Softmax: 85,
  ConvertTensor: 129,
  Extra: 512,
  If: 601,
};
const main = {
  BinaryOp: 6,
  Blob: 7,
  Convolution2D: 9,
  Input: 21,
  Pool: 31,
  Reshape: 55,
  TensorConvertInfo: 66,
  Extra: 78,
  IfParam: 86,
};

const floats = (...values: number[]): Value => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
  return { kind: "numbers", bytes, count: values.length };
};
const ints = (...values: number[]): Value => numbers(4, ...values);
const op = (name: string, kind: number, inputs: number[], outputs: number[], parameters?: [number, Value]): Value =>
  table({
    ...(inputs.length > 0 ? { 0: ints(...inputs) } : {}),
    ...(parameters ? { 1: u8(parameters[0]), 2: parameters[1] } : {}),
    3: string(name),
    4: ints(...outputs),
    5: u32(kind),
  });
const common = (kernel: number, inputs: number, outputs: number): Value =>
  table({ 2: u32(kernel), 3: u32(kernel), 8: u8(2), 10: u32(outputs), 11: u32(inputs), 12: u8(1) });

const tensors = ["x", "x.c4", "conv", "packed", "away", "pool", "shape", "flat", "y", "branch", "own"];

/** 1x3x8x8: conv 3x3 to 4, conv 1x1 to 4 (8 bits), conv 1x1 to 2 (beside the file), pool, reshape, softmax. */
function network(): Uint8Array {
  const weights = floats(...Array.from({ length: 4 * 3 * 9 }, (_, i) => i / 10));
  const packed = table({
    0: numbers(1, ...Array.from({ length: 24 }, (_, i) => i)),
    1: floats(-1, 0.5, -2, 0.25, -3, 0.125, -4, 0.0625),
    2: u32(1),
    7: u32(8),
    9: u32(4),
  });
  return flatBuffer(
    table({
      0: string("sample"),
      1: vector(
        table({
          0: table({ 0: ints(1, 4, 8, 8), 2: u32(1) }),
          1: u32(3),
          4: table({ 0: f32(0.5), 1: f32(2), 4: u32(6) }),
        }),
      ),
      2: table({ 2: string("3.0.0") }),
      3: vector(
        op("x", type.Input, [], [0], [main.Input, table({ 0: ints(1, 3, 8, 8), 1: u32(1), 2: u8(0) })]),
        op("x.c4", type.ConvertTensor, [0], [1], [main.TensorConvertInfo, table({ 0: u8(0), 1: u8(2) })]),
        op(
          "conv",
          type.Convolution,
          [1],
          [2],
          [main.Convolution2D, table({ 0: common(3, 3, 4), 1: weights, 2: floats(1, 2, 3, 4) })],
        ),
        op(
          "packed",
          type.Convolution,
          [2],
          [3],
          [main.Convolution2D, table({ 0: common(1, 4, 4), 2: floats(0, 0, 0, 0), 3: packed })],
        ),
        op(
          "away",
          type.Convolution,
          [3],
          [4],
          [main.Convolution2D, table({ 0: common(1, 4, 2), 6: numbers(8, 64, 32, 8) })],
        ),
        op(
          "pool",
          type.Pooling,
          [4],
          [5],
          [main.Pool, table({ 3: u32(2), 4: u32(2), 5: u32(2), 6: u32(2), 7: u8(1), 10: u8(0) })],
        ),
        op("shape", type.Const, [], [6], [main.Blob, table({ 0: ints(2), 1: u8(0), 2: u32(3), 5: ints(1, -1) })]),
        op("flat", type.Reshape, [5, 6], [7], [main.Reshape, table({ 1: u8(0) })]),
        op("y", type.Softmax, [7], [8]),
        op("branch", type.If, [8], [9], [main.IfParam, table({ 0: string("then"), 1: string("else") })]),
        op("own", type.Extra, [9], [10], [main.Extra, table({ 0: string("Mine"), 1: string("here") })]),
      ),
      4: vector(string("own")),
      6: u8(3),
      7: vector(...tensors.map(string)),
      10: vector(
        ...["then", "else"].map((name) =>
          table({
            0: string(name),
            1: ints(0),
            2: ints(1),
            3: vector(string("a"), string("b")),
            4: vector(op("twice", type.BinaryOp, [0, 0], [1], [main.BinaryOp, table({ 0: u32(0), 1: u32(1) })])),
          }),
        ),
      ),
      11: string("00000000-0000-4000-8000-000000000000"),
    }),
  );
}

export const samples: Samples = { "net.mnn": network };
