/** Core ML: an ML program with weights beside it and a loop, a neural network, a pipeline around it, trees. */

import { bytes, concat, float, int, message, packed, packedFloats, type Piece } from "../../support/protobuf.ts";
import type { Samples } from "./samples.ts";

const FLOAT32 = 11;
const INT32 = 23;
const STRING = 2;
const BOOL = 1;
const INT8 = 21;

const map = (field: number, key: string, ...value: Piece[]): Piece =>
  message(field, bytes(1, key), message(2, ...value));

const type = (kind: number, ...shape: number[]): Piece =>
  message(
    1,
    int(1, kind),
    int(2, shape.length),
    ...shape.map((size) => (size < 0 ? message(3, message(2)) : message(3, message(1, int(1, size))))),
  );
const named = (field: number, name: string, kind: number, ...shape: number[]): Piece =>
  message(field, bytes(1, name), message(2, type(kind, ...shape)));
const immediate = (kind: number, shape: number[], list: number, ...values: Piece[]): Piece =>
  concat([message(2, type(kind, ...shape)), message(3, message(1, message(list, ...values)))]);
const blob = (kind: number, shape: number[], offset: number, file = "@model_path/weights/weight.bin"): Piece =>
  concat([message(2, type(kind, ...shape)), message(5, bytes(1, file), int(2, offset))]);
const text = (value: string): Piece => immediate(STRING, [], 4, bytes(1, value));
const constant = (name: string, kind: number, shape: number[], value: Piece): Piece =>
  message(3, bytes(1, "const"), named(3, name, kind, ...shape), map(5, "val", value), map(5, "name", text(name)));
const operation = (kind: string, inputs: Record<string, string | readonly string[] | Piece>, ...rest: Piece[]): Piece =>
  message(
    3,
    bytes(1, kind),
    ...Object.entries(inputs).map(([key, value]) =>
      map(
        2,
        key,
        ...(value instanceof Uint8Array
          ? [message(1, message(2, value))]
          : (typeof value === "string" ? [value] : value).map((one) => message(1, bytes(1, one)))),
      ),
    ),
    ...rest,
  );

const array = (field: number, name: string, kind: number, ...shape: number[]): Piece =>
  message(field, bytes(1, name), message(3, message(5, packed(1, shape), int(2, kind))));
const metadata = message(
  100,
  bytes(1, "a test"),
  bytes(2, "1.2"),
  bytes(3, "Someone"),
  bytes(4, "MIT"),
  message(100, bytes(1, "com.github.apple.coremltools.version"), bytes(2, "9.0")),
);

/** conv 3x3 of 8 filters, stride 2, over 1x3x8x8; packed matrix 128x10; a loop that adds. `file` is where weights are said to be. */
export const program = (file?: string): Piece =>
  concat([
    int(1, 8),
    message(2, array(1, "x", 65568, 1, 3, 8, 8), array(10, "y", 65568, 1, 10), metadata),
    message(
      502,
      int(1, 1),
      map(
        2,
        "main",
        named(1, "x", FLOAT32, 1, 3, 8, 8),
        bytes(2, "CoreML7"),
        map(
          3,
          "CoreML7",
          bytes(2, "y"),
          constant("w", FLOAT32, [8, 3, 3, 3], blob(FLOAT32, [8, 3, 3, 3], 64, file)),
          constant("b", FLOAT32, [8], immediate(FLOAT32, [8], 1, packedFloats(1, [0, 1, 2, 3, 4, 5, 6, 7]))),
          constant("strides", INT32, [2], immediate(INT32, [2], 2, packed(1, [2, 2]))),
          constant("one", FLOAT32, [], immediate(FLOAT32, [], 1, packedFloats(1, [1]))),
          operation(
            "conv",
            { strides: "strides", weight: "w", bias: "b", x: "x", pad_type: text("same") },
            named(3, "c", FLOAT32, 1, 8, 4, 4),
            map(5, "name", text("first conv")),
          ),
          operation(
            "reshape",
            { x: "c", shape: immediate(INT32, [2], 2, packed(1, [1, 128])) },
            named(3, "f", FLOAT32, 1, 128),
          ),
          operation(
            "constexpr_affine_dequantize",
            {},
            named(3, "m", FLOAT32, 10, 128),
            map(5, "quantized_data", blob(INT8, [10, 128], 1024, file)),
            map(5, "scale", immediate(FLOAT32, [], 1, packedFloats(1, [0.5]))),
            map(5, "axis", immediate(INT32, [], 2, packed(1, [0]))),
          ),
          operation("linear", { weight: "m", x: "f" }, named(3, "l", FLOAT32, 1, 10)),
          operation(
            "while_loop",
            { loop_vars: ["l"] },
            named(3, "y", FLOAT32, 1, 10),
            message(
              4,
              named(1, "v", FLOAT32, 1, 10),
              bytes(2, "more"),
              operation("less", { x: "v", y: "one" }, named(3, "more", BOOL)),
            ),
            message(
              4,
              named(1, "v2", FLOAT32, 1, 10),
              bytes(2, "next"),
              operation("add", { y: "one", x: "v2" }, named(3, "next", FLOAT32, 1, 10)),
            ),
          ),
        ),
      ),
    ),
  ]);

const image = (field: number, name: string, width: number, height: number): Piece =>
  message(field, bytes(1, name), message(3, message(4, int(1, width), int(2, height), int(3, 20))));
const floats = (field: number, count: number): Piece =>
  message(
    field,
    packedFloats(
      1,
      Array.from({ length: count }, (_, at) => at / 8),
    ),
  );
const layer = (name: string, input: string, output: string, ...rest: Piece[]): Piece =>
  message(1, bytes(1, name), bytes(2, input), bytes(3, output), ...rest);

const network = (field: number, input: Piece): Piece =>
  concat([
    int(1, 4),
    message(2, input, array(10, "prob", 65568, 10), metadata),
    message(
      field,
      layer(
        "conv",
        "image",
        "c",
        message(
          100,
          int(1, 4),
          int(2, 3),
          packed(20, [3, 3]),
          packed(30, [2, 2]),
          message(51),
          int(70, 1),
          message(
            90,
            bytes(30, new Uint8Array(108).fill(7)),
            message(40, int(1, 8), message(101, packedFloats(1, [0.5]), packedFloats(2, [-64]))),
          ),
          floats(91, 4),
        ),
      ),
      layer("act", "c", "a", message(130, message(15, float(1, 0.1)))),
      layer("pool", "a", "p", message(120, int(1, 1), int(60, 1))),
      layer(
        "branch",
        "p",
        "q",
        message(605, message(1, layer("inner", "p", "q", message(690 + 10, new Uint8Array(0)))), message(2)),
      ),
      layer("flat", "p", "f", message(301)),
      layer(
        "fc",
        "f",
        "l",
        message(140, int(1, 4), int(2, 10), floats(20, 40), message(21, bytes(2, new Uint8Array(20)))),
      ),
      layer(
        "lstm",
        "l",
        "r",
        message(
          420,
          int(1, 10),
          int(2, 2),
          message(15, int(10, 1)),
          message(
            20,
            floats(1, 20),
            floats(2, 20),
            floats(3, 20),
            floats(4, 20),
            floats(20, 4),
            floats(21, 4),
            floats(22, 4),
            floats(23, 4),
          ),
        ),
      ),
      layer("own", "r", "prob", message(500, bytes(10, "MyLayer"))),
      ...(field === 403 ? [message(100, bytes(1, "cat"), bytes(1, "dog"))] : []),
    ),
  ]);

const pipeline = (): Piece =>
  concat([
    int(1, 4),
    message(2, array(1, "image", 65568, 3, 8, 8), array(10, "prob", 65568, 10)),
    message(200, message(1, bytes(1, network(500, array(1, "image", 65568, 3, 8, 8))), bytes(2, "net"))),
  ]);

const trees = (): Piece =>
  concat([
    int(1, 1),
    message(
      2,
      message(1, bytes(1, "a"), message(3, message(2))),
      message(10, bytes(1, "class"), message(3, message(3))),
    ),
    message(402, message(1, message(1, int(1, 0)), message(1, int(1, 0), int(2, 1)), message(1, int(1, 1)), int(2, 2))),
  ]);

export const samples: Samples = {
  "program.mlmodel": () => program(),
  "network.mlmodel": () => network(403, image(1, "image", 8, 8)),
  "pipeline.mlmodel": pipeline,
  "trees.mlmodel": trees,
};
