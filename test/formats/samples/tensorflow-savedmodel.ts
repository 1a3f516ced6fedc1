/** TensorFlow: a SavedModel whose signature calls a function of convolutions, and a frozen graph with its values inside. */

import { bytes, concat, float, int, message, packed, type Piece } from "../../support/protobuf.ts";
import type { Samples } from "./samples.ts";

const FLOAT = 1;
const INT32 = 3;
const RESOURCE = 20;

const shape = (field: number, ...sizes: number[]): Piece =>
  message(field, ...sizes.map((size) => message(2, int(1, size))));
const attr = (key: string, ...value: Piece[]): Piece => message(5, bytes(1, key), message(2, ...value));
const type = (key: string, kind: number): Piece => attr(key, int(6, kind));
const outputs = (...sizes: number[]): Piece => attr("_output_shapes", message(1, shape(7, ...sizes)));
const node = (field: number, name: string, op: string, inputs: readonly string[], ...attributes: Piece[]): Piece =>
  message(field, bytes(1, name), bytes(2, op), ...inputs.map((input) => bytes(3, input)), ...attributes);
const tensor = (kind: number, sizes: readonly number[], ...value: Piece[]): Piece =>
  message(8, int(1, kind), shape(2, ...sizes), ...value);
const constant = (name: string, kind: number, sizes: readonly number[], ...value: Piece[]): Piece =>
  node(1, name, "Const", [], type("dtype", kind), attr("value", tensor(kind, sizes, ...value)));
const slides = (padding: string): Piece =>
  concat([attr("strides", message(1, packed(3, [1, 2, 2, 1]))), attr("padding", bytes(2, padding)), type("T", FLOAT)]);
const calls = (name: string): Piece => attr("f", message(10, bytes(1, name)));
const info = (field: number, key: string, name: string, kind: number, ...sizes: number[]): Piece =>
  message(field, bytes(1, key), message(2, bytes(1, name), int(2, kind), shape(3, ...sizes)));

const argument = (field: number, name: string, kind: number): Piece => message(field, bytes(1, name), int(3, kind));

/** x of 8x8x3, under 4 filters of 3x3, stride 2. */
const body = message(
  1,
  message(1, bytes(1, "body"), argument(2, "x", FLOAT), argument(2, "kernel", RESOURCE), argument(3, "y", FLOAT)),
  node(3, "Read", "ReadVariableOp", ["kernel"], type("dtype", FLOAT)),
  node(3, "Conv2D", "Conv2D", ["x", "Read:value:0"], slides("SAME")),
  node(3, "Relu", "Relu", ["Conv2D:output:0"], type("T", FLOAT)),
  node(3, "done", "NoOp", ["^Relu"]),
  message(4, bytes(1, "y"), bytes(2, "Relu:activations:0")),
  message(
    7,
    int(1, 0),
    message(2, message(1, bytes(1, "_output_shapes"), message(2, message(1, shape(7, -1, 8, 8, 3))))),
  ),
);

const savedModel = (): Piece =>
  concat([
    int(1, 1),
    message(
      2,
      message(
        1,
        message(2, message(1, bytes(1, "Conv2D"))),
        bytes(4, "serve"),
        bytes(5, "2.21.0"),
        bytes(6, "v2.21.0-rc1"),
      ),
      message(
        2,
        node(1, "kernel", "VarHandleOp", [], type("dtype", FLOAT), attr("shape", shape(7, 3, 3, 3, 4)), outputs()),
        node(1, "serving_x", "Placeholder", [], type("dtype", FLOAT), attr("shape", shape(7, -1, 8, 8, 3))),
        node(1, "Call", "StatefulPartitionedCall", ["serving_x", "kernel"], calls("body")),
        node(1, "saver_filename", "Placeholder", [], type("dtype", 7)),
        node(1, "Save", "StatefulPartitionedCall", ["saver_filename", "kernel"], calls("save")),
        message(2, body, message(1, message(1, bytes(1, "save"), argument(2, "file", 7)), node(3, "n", "NoOp", []))),
        message(4, int(1, 2474), int(2, 12)),
      ),
      message(
        5,
        bytes(1, "serving_default"),
        message(
          2,
          info(1, "x", "serving_x:0", FLOAT, -1, 8, 8, 3),
          info(2, "y", "Call:0", FLOAT, -1, 4, 4, 4),
          bytes(3, "tensorflow/serving/predict"),
        ),
      ),
    ),
  ]);

/** Everything inside: a depthwise filter, a shape that follows from a list of values, a matrix of one value. */
const frozen = (): Piece =>
  concat([
    node(1, "x", "Placeholder", [], type("dtype", FLOAT), attr("shape", shape(7, 1, 8, 8, 2))),
    constant("filter", FLOAT, [3, 3, 2, 1], bytes(4, new Uint8Array(72).fill(63))),
    node(1, "dw", "DepthwiseConv2dNative", ["x", "filter"], slides("VALID")),
    constant("to", INT32, [2], packed(7, [1, -1])),
    node(1, "flat", "Reshape", ["dw", "to"], type("T", FLOAT), type("Tshape", INT32)),
    constant("ones", FLOAT, [18, 5], concat([float(5, 1)])),
    node(1, "out", "MatMul", ["flat", "ones"], type("T", FLOAT), attr("transpose_b", int(5, 0))),
    constant("axes", INT32, [1], bytes(4, Uint8Array.of(1, 0, 0, 0))),
    node(1, "sum", "Sum", ["out", "axes"], type("T", FLOAT), attr("keep_dims", int(5, 1))),
    message(4, int(1, 1087)),
  ]);

export const samples: Samples = {
  "saved_model.pb": savedModel,
  "frozen.pb": frozen,
};
