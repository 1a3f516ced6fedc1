/** OM: as ATC writes it for Ascend (64-bit table, numbered attribute names), as the HiAI DDK does, and SVP's layout. */

import { bytes, concat, float, int, message, packed } from "../../support/protobuf.ts";
import type { Samples } from "./samples.ts";

const text = (value: string): Uint8Array => bytes(2, value);
const attribute = (field: number, name: string, value: Uint8Array): Uint8Array =>
  message(field, bytes(1, name), bytes(2, value));
const list = (...pieces: readonly Uint8Array[]): Uint8Array => message(1, ...pieces);
/** A numbered attribute name: NUL and digits of base 127, each one more. */
const numbered = (index: number): string =>
  index < 127
    ? `\0${String.fromCharCode(index + 1)}`
    : `\0${String.fromCharCode((index % 127) + 1, Math.floor(index / 127) + 1)}`;

const describe = (shape: readonly number[], type: number, layout: string, ...rest: readonly Uint8Array[]): Uint8Array =>
  concat([int(2, type), message(3, packed(1, shape)), bytes(4, layout), ...rest]);
const origin = (shape: readonly number[], layout: string): Uint8Array[] => [
  attribute(5, "origin_shape", list(packed(3, shape), int(20, 2))),
  attribute(5, "origin_format", text(layout)),
];
const op = (name: string, type: string, ...pieces: readonly Uint8Array[]): Uint8Array =>
  message(6, bytes(1, name), bytes(2, type), ...pieces);
const output = (desc: Uint8Array): Uint8Array => bytes(34, desc);

/** Names 0 to 129: two are used, one of them beyond the first digit. */
const names = Array.from({ length: 130 }, (_, at) =>
  at === 1 ? "value" : at === 2 ? "data_format" : at === 128 ? "strides" : `n${at}`,
);

const ascendGraph = concat([
  bytes(1, "net"),
  op("x", "Data", output(describe([1, 3, 8, 8], 1, "NCHW"))),
  op(
    "w",
    "Const",
    attribute(
      10,
      numbered(1),
      message(
        12,
        message(
          1,
          describe([9, 1, 16, 16], 2, "FRACTAL_Z", int(11, 4608), int(18, 0), ...origin([4, 3, 3, 3], "NCHW")),
        ),
      ),
    ),
    output(describe([9, 1, 16, 16], 2, "FRACTAL_Z", ...origin([4, 3, 3, 3], "NCHW"))),
  ),
  op(
    "conv",
    "Conv2D",
    bytes(5, "x:0"),
    bytes(5, "w:0"),
    bytes(5, ""),
    bytes(5, "x:-1"),
    attribute(10, numbered(2), int(3, 1)),
    attribute(10, numbered(128), list(packed(3, [1, 1, 1, 1]), int(20, 2))),
    attribute(10, "_noise", int(3, 7)),
    attribute(10, "_ir_attr_names", list(bytes(2, "strides"), bytes(2, "data_format"), int(20, 1))),
    output(describe([1, 1, 8, 8, 16], 2, "NC1HWC0", ...origin([1, 4, 8, 8], "NCHW"))),
  ),
  op("Node_Output", "NetOutput", bytes(5, "conv:0")),
]);
const ascendModel = concat([
  bytes(1, "net"),
  int(2, 2),
  bytes(3, "1.11.z.0"),
  bytes(7, ascendGraph),
  attribute(11, "attr_name_enum", list(...names.map((name) => bytes(2, name)), int(20, 1))),
  attribute(11, "attr_value_enum", list(bytes(2, "none"), bytes(2, "NCHW"), int(20, 1))),
  attribute(
    11,
    "attrs_use_string_value",
    list(
      packed(
        5,
        names.map((_, at) => (at === 2 ? 1 : 0)),
      ),
      int(20, 4),
    ),
  ),
  attribute(11, "attr_model_out_nodes_name", list(bytes(2, "conv:0:logits"), int(20, 1))),
  attribute(11, "soc_version", text("Ascend310P3")),
  attribute(11, "atc_version", text("7.6.0.1.220")),
  attribute(11, "memory_size", int(3, 65536)),
  attribute(11, "target_type", text("MINI")),
]);

/** `held`: bytes of the weights of "w", 4 x 8 of declared float32. */
const hiaiModelOf = (held: number): Uint8Array =>
  concat([
    bytes(1, "ge_default"),
    int(2, 2),
    message(
      7,
      bytes(1, "ge_default"),
      bytes(5, "fc:0"),
      // Out of order: readers link by name.
      op("relu", "Activation", bytes(5, "fc:0"), attribute(10, "mode", int(3, 1)), output(describe([1, 4], 1, "ND"))),
      op("data", "Data", output(describe([-1, 8], 1, "ND"))),
      op(
        "w",
        "Const",
        attribute(
          10,
          "value",
          message(12, message(1, describe([4, 8], 1, "ND", int(11, held), attribute(5, "merged_offset", int(3, 16))))),
        ),
      ),
      op(
        "b",
        "Const",
        attribute(10, "value", message(12, message(1, describe([4], 1, "ND")), bytes(2, Buffer.alloc(16, 1)))),
      ),
      op(
        "fc",
        "FullyConnection",
        bytes(5, "data:0"),
        bytes(5, "w:0"),
        bytes(5, "b:0"),
        attribute(10, "alpha", float(4, 0.5)),
        attribute(10, "transpose", int(5, 1)),
        output(describe([1, 4], 1, "ND")),
      ),
      op("Node_Output", "NetOutput", bytes(5, "relu:0")),
    ),
    attribute(11, "target_type", text("LITE")),
  ]);

function header(version: number, type: number, name: string): Buffer {
  const out = Buffer.alloc(256);
  out.write("IMOD", 0, "latin1");
  out.writeUInt32LE(256, 4);
  out.writeUInt32LE(version, 8);
  out[82] = type;
  out.write(name, 84, "latin1");
  out.writeUInt32LE(2, 152);
  return out;
}

/** Partitions under a table of 64-bit numbers, as ATC writes them. */
function ascend(soc: Uint8Array = ascendModel, encrypted = false): Buffer {
  const parts: readonly (readonly [number, Uint8Array])[] = [
    [0, soc],
    [1, Buffer.alloc(4608, 1)],
    [3, Buffer.from("kernels of the cube")],
    [2, Buffer.from("tasks")],
  ];
  const table = Buffer.alloc(8 + 24 * parts.length);
  table.writeUInt32LE(parts.length, 0);
  let at = 0;
  for (const [index, [type, data]] of parts.entries()) {
    table.writeUInt32LE(type, 8 + index * 24);
    table.writeBigUInt64LE(BigInt(at), 16 + index * 24);
    table.writeBigUInt64LE(BigInt(data.length), 24 + index * 24);
    at += data.length;
  }
  const head = header(0x20000000, 0, "net");
  if (encrypted) head[80] = 1;
  head.writeUInt32LE(1, 156);
  head.write("1.11.z.0", 160, "latin1");
  head[180] = 1;
  head.writeBigUInt64LE(BigInt(table.length + at), 184);
  return Buffer.concat([head, table, ...parts.map(([, data]) => data)]);
}

/** As ATC wrote it before: a table of 32-bit numbers, the size in the header's first half, and one model that says no shape. */
function old(): Buffer {
  const parts: readonly (readonly [number, Uint8Array])[] = [
    [0, ascendModel],
    [1, Buffer.alloc(4608, 1)],
    [2, Buffer.from("tasks")],
    [3, Buffer.from("kernels of the cube")],
  ];
  let at = 0;
  const rows = parts.map(([type, data]) => {
    at += data.length;
    return Buffer.from(Uint32Array.of(type, at - data.length, data.length).buffer);
  });
  const head = header(0x10000000, 0, "net");
  head.writeUInt32LE(4 + rows.length * 12 + at, 76);
  head.writeUInt32LE(1, 156);
  head.write("1.60.z.0", 160, "latin1");
  return Buffer.concat([
    head,
    Buffer.from(Uint32Array.of(parts.length).buffer),
    ...rows,
    ...parts.map(([, data]) => data),
  ]);
}

export function hiai(held = 128): Buffer {
  const hiaiModel = hiaiModelOf(held);
  const weights = Buffer.alloc(144, 2);
  const table = Buffer.alloc(28);
  for (const [at, value] of [2, 0, 0, hiaiModel.length, 1, hiaiModel.length, weights.length].entries())
    table.writeUInt32LE(value, at * 4);
  const head = header(0x10000000, 3, "ge_default");
  head.write("3.51.z.0", 156, "latin1");
  head.writeUInt32LE(table.length + hiaiModel.length + weights.length, 76);
  return Buffer.concat([head, table, hiaiModel, weights]);
}

const tagged = (tag: number, value: Uint8Array | string): Buffer => {
  const data = Buffer.from(value);
  const long = tag >> 13 === 5;
  const out = Buffer.alloc(long ? 4 : 3);
  out.writeUInt16LE(tag, 0);
  if (long) out.writeUInt16LE(data.length, 2);
  else out[2] = data.length;
  return Buffer.concat([out, data]);
};
const sizes = (...values: readonly number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);

function svp(): Buffer {
  const description = Buffer.concat([
    tagged(0x800d, "camera\0"),
    Buffer.from([0x0a, 0x40, 1, 0]), // a 16-bit number
    tagged(
      0xa040,
      Buffer.concat([
        Buffer.from([0x41, 0x60, 0, 0, 0, 0]),
        tagged(0x8050, Buffer.concat([tagged(0x8058, "data\0"), tagged(0x805a, sizes(1, 3, 32, 32))])),
        tagged(0x8060, Buffer.concat([tagged(0x8066, "prob\0"), tagged(0x8069, sizes(1, 10))])),
      ]),
    ),
    tagged(
      0xa111,
      Buffer.concat([Buffer.from([0x12, 0x21, 3]), tagged(0x8114, "conv1\0"), tagged(0x8152, "Convolution\0")]),
    ),
  ]);
  const head = Buffer.alloc(32);
  const parameters = Buffer.alloc(16, 5);
  const stream = Buffer.alloc(40, 6);
  const at = 32 + parameters.length + description.length;
  head.write("PICO", 0, "latin1");
  for (const [index, value] of [0, at + stream.length, parameters.length, 32, 0, at, stream.length].entries())
    head.writeUInt32LE(value, 4 + index * 4);
  return Buffer.concat([head, parameters, description, stream]);
}

export const samples: Samples = {
  "ascend.om": () => ascend(),
  "old.om": old,
  "encrypted.om": () => ascend(ascendModel, true),
  "hiai.om": hiai,
  "svp.om": svp,
};
