/** TensorFlow files of one operator, for tests that run them: y [1, 3] = x [1, 3] + x. */

import { bytes, concat, int, message, type Piece } from "./protobuf.ts";

const FLOAT = 1;
const shape = (field: number): Piece => message(field, message(2, int(1, 1)), message(2, int(1, 3)));
const type = (key: string): Piece => message(5, bytes(1, key), message(2, int(6, FLOAT)));
const node = (name: string, op: string, inputs: readonly string[], ...attributes: Piece[]): Piece =>
  message(1, bytes(1, name), bytes(2, op), ...inputs.map((input) => bytes(3, input)), ...attributes);
const graph = concat([
  node("x", "Placeholder", [], type("dtype"), message(5, bytes(1, "shape"), message(2, shape(7)))),
  node("y", "AddV2", ["x", "x"], type("T")),
]);
const info = (field: number, name: string): Piece =>
  message(field, bytes(1, name), message(2, bytes(1, `${name}:0`), int(2, FLOAT), shape(3)));

/** GraphDef */
export const frozenGraph: Uint8Array = graph;

/** saved_model.pb, without variables. */
export const savedModel: Uint8Array = concat([
  int(1, 1),
  message(
    2,
    message(1, bytes(4, "serve")),
    message(2, graph),
    message(
      5,
      bytes(1, "serving_default"),
      message(2, info(1, "x"), info(2, "y"), bytes(3, "tensorflow/serving/predict")),
    ),
  ),
]);
