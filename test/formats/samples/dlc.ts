/** DLC: container version 4 stored and packed, with parameters by name and by order; version 3; version 2, of which nothing is public. */

import { f32, flatBuffer, numbers, string, table, u32, u8, vector, type Value } from "../build/flatbuffer.ts";
import { zip, type Entry } from "../build/zip.ts";
import type { Samples } from "./samples.ts";

const marked = (major: number, body: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([0xd5, 0x0a, major, 0, 1, 0, 0, 0]), body]);

/** 8 bits from 0 to 2.55: scale 0.01, offset 0; or from -1.28: offset -128. */
const encoding = (offset: number): Value =>
  table({ 0: u32(8), 1: f32(0.01 * offset), 2: f32(0.01 * (255 + offset)), 3: f32(0.01), 4: u32(offset) });
const perTensor = (offset: number): Value => table({ 0: u32(0), 2: encoding(offset) });
const perChannel = (count: number): Value =>
  table({ 0: u32(1), 3: table({ 0: u32(3), 1: vector(...Array.from({ length: count }, () => encoding(-128))) }) });

const tensor4 = (
  id: number,
  name: string,
  place: number,
  type: number,
  shape: readonly number[],
  info?: Value,
): Value =>
  table({
    0: u32(id),
    1: string(name),
    2: u32(place),
    3: numbers(4, ...shape),
    ...(info ? { 5: info } : {}),
    6: u32(type),
    7: u32(type),
  });
const scalar = (name: string, value: Value): Value => table({ 0: string(name), 1: u32(0), 3: value });
const list = (name: string, shape: number): Value =>
  table({ 0: string(name), 1: u32(1), 4: tensor4(9, `${name}_data`, 4, 0x0132, [shape]) });
const op = (name: string, type: string, inputs: string[], outputs: string[], ...attributes: Value[]): Value =>
  table({
    0: string(name),
    1: string(type),
    2: vector(...inputs.map(string)),
    3: vector(...outputs.map(string)),
    4: vector(...attributes),
  });

const network4 = marked(
  4,
  flatBuffer(
    table({
      0: vector(
        table({
          0: string("net"),
          1: vector(
            op(
              "conv",
              "Conv2d",
              ["x", "w", "b"],
              ["y"],
              list("stride", 2),
              scalar("group", table({ 0: u32(0x0132), 1: u32(1) })),
              scalar("alpha", table({ 0: u32(0x0232), 2: f32(0.5) })),
              scalar("keep", table({ 0: u32(0x0508), 1: u32(1) })),
              scalar("package", table({ 0: u32(0x7fffffff), 3: string("qti.aisw") })),
            ),
            op("relu", "Relu", ["y"], ["z"]),
          ),
          2: vector(
            tensor4(0, "x", 0, 0x0408, [1, 8, 8, 3], perTensor(0)),
            tensor4(1, "w", 4, 0x0308, [3, 3, 3, 4], perChannel(4)),
            tensor4(2, "b", 4, 0x0332, [4]),
            tensor4(3, "y", 3, 0x0408, [1, 8, 8, 4], perTensor(-128)),
            tensor4(4, "z", 1, 0x0408, [1, 8, 8, 4], perTensor(0)),
          ),
        }),
      ),
    }),
    "NETD",
  ),
);

const bytes = (count: number): Value => numbers(1, ...Array.from({ length: count }, (_, at) => at & 255));
const data = (name: string, count: number): Value => table({ 0: string(name), 1: bytes(count) });
const parameters = (named: boolean): Uint8Array =>
  flatBuffer(
    table({
      0: vector(
        table({
          0: string("net"),
          1: vector(
            ...(named ? [data("w", 108), data("b", 16)] : [table({ 0: string("w") }), table({ 0: string("b") })]),
          ),
          2: vector(
            table({
              0: vector(...(named ? [table({ 0: string("stride_data"), 1: numbers(1, 2, 0, 0, 0, 2, 0, 0, 0) })] : [])),
            }),
            table({ 0: vector() }),
          ),
        }),
      ),
    }),
    "NETP",
  );
const wide = flatBuffer(
  table({
    0: vector(...[16, 108, 8].map((count) => table({ 0: bytes(count) }))),
    1: numbers(1, ...parameters(false)),
  }),
  "NR64",
);

const attribute3 = (name: string, type: number, fields: Readonly<Record<number, Value>>): Value =>
  table({ 0: string(name), 1: u8(type), ...fields });
const dims = (...shape: readonly number[]): Value =>
  attribute3("OutputDims", 11, { 12: vector(attribute3("0", 8, { 9: numbers(4, ...shape) })) });
const op3 = (
  index: number,
  name: string,
  type: string,
  inputs: string[],
  outputs: string[],
  ...attributes: Value[]
): Value =>
  table({
    0: u32(index),
    1: string(name),
    2: string(type),
    3: vector(...inputs.map(string)),
    4: vector(...outputs.map(string)),
    5: vector(...attributes),
  });
const network3 = flatBuffer(
  table({
    0: u32(3),
    1: vector(
      op3(0, "data", "Input", [], ["data"], dims(1, 8, 8, 3)),
      op3(
        1,
        "conv1",
        "Convolutional",
        ["data"],
        ["conv1"],
        dims(1, 8, 8, 4),
        attribute3("pad", 2, { 3: u32(1) }),
        attribute3("bias", 1, { 2: u8(1) }),
        attribute3("size", 3, { 4: u32(3) }),
        attribute3("slope", 4, { 5: f32(0.25) }),
        attribute3("mode", 5, { 6: string("same") }),
        attribute3("stride", 8, { 9: numbers(4, 2, 2) }),
        attribute3("nested", 11, { 12: vector(attribute3("0", 2, { 3: u32(7) }), attribute3("1", 2, { 3: u32(8) })) }),
      ),
      op3(2, "relu1", "Neuron", ["conv1"], ["relu1"], dims(1, 8, 8, 4)),
    ),
  }),
  "NETD",
);
const weights3 = (name: string, shape: readonly number[], code: number): Value => {
  const count = shape.reduce((a, b) => a * b, 1);
  return table({
    0: string(name),
    1: numbers(4, ...shape),
    2: table({
      0: u8(code),
      ...(code === 9 ? { 2: numbers(4, ...Array.from({ length: count }, () => 1)) } : { 1: bytes(count) }),
    }),
  });
};
const parameters3 = flatBuffer(
  table({
    0: vector(table({ 0: string("conv1"), 1: vector(weights3("weights", [3, 3, 3, 4], 6), weights3("bias", [4], 9)) })),
  }),
  "NETP",
);

const notes =
  "model-version=1.2\nconverter-command=snpe-onnx-to-dlc --input_network net.onnx\nconverter-version=2.22.6.240515184619_92920\nmodel-copyright=N/A\n";
const container = (
  model: Uint8Array,
  params: Uint8Array,
  more: readonly Entry[] = [],
  deflate = false,
  said = notes,
): Buffer =>
  zip([
    { name: "model", data: model, deflate },
    { name: "model.params", data: params, deflate },
    { name: "dlc.metadata", data: said },
    ...more,
  ]);

export const samples: Samples = {
  "four.dlc": () => container(network4, marked(4, parameters(true))),
  "packed.dlc": () => container(network4, marked(4, parameters(true)), [], true),
  "wide.dlc": () => container(network4, marked(4, wide), [{ name: "htp.v73.cache", data: "prepared" }]),
  "three.dlc": () => container(network3, parameters3),
  "marked.dlc": () => container(marked(3, network3), marked(3, parameters3)),
  "unsaid.dlc": () =>
    container(network3, parameters3, [], false, notes.replace(/snpe-onnx-to-dlc.*/, "N/A").replace("2.22.6", "1.22.0")),
  "two.dlc": () => container(marked(2, Buffer.alloc(64, 7)), marked(2, Buffer.alloc(64, 8))),
};
