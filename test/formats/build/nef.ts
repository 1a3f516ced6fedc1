/** NEF files in code: header, names and models as FlatBuffers, the setup of a model as structs or as a FlatBuffer, and the CRC behind. */

import { crc32 } from "node:zlib";
import { f32, flatBuffer, numbers, string, table, u32, u8, vector, type Value } from "./flatbuffer.ts";

/** Little-endian words; floats where asked for. */
export function words(...values: readonly (number | { readonly float: number })[]): Uint8Array {
  const out = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    if (typeof value === "object") out.writeFloatLE(value.float, index * 4);
    else out.writeUInt32LE(value >>> 0, index * 4);
  });
  return new Uint8Array(out);
}

const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const blob = (bytes: Uint8Array): Value => numbers(1, ...bytes);

export interface NefModel {
  readonly id: number;
  readonly commands: Uint8Array;
  readonly weights: Uint8Array;
  readonly setup: Uint8Array;
}

export interface NefParts {
  readonly target: number;
  readonly schema?: readonly [number, number, number];
  readonly encryption?: number;
  readonly toolchain?: string;
  readonly names?: readonly (readonly [name: string, id: number, version: string])[];
  readonly models?: readonly NefModel[];
  /** In the place of models: a KNE. */
  readonly kne?: Uint8Array;
}

const BASE = 0x60057740;

export function nef(parts: NefParts): Uint8Array {
  const pieces: Uint8Array[] = [];
  const rows: Uint8Array[] = [];
  let at = 0;
  const place = (bytes: Uint8Array): [number, number] => {
    const from = BASE + at;
    pieces.push(bytes);
    at += bytes.length;
    return [from, bytes.length];
  };
  for (const { id, commands, weights, setup } of parts.models ?? []) {
    rows.push(
      words(
        id,
        1,
        0x60000000,
        64,
        0x60028a00,
        64,
        0x60030640,
        64,
        ...place(commands),
        ...place(weights),
        ...place(setup),
      ),
    );
  }
  const all = parts.kne ?? join(...pieces);
  const info = parts.models ? join(words(rows.length), ...rows, words(BASE + at, at, crc32(all))) : undefined;
  const [major, minor, revision] = parts.schema ?? [0, 0, 0];
  const schema: Record<number, Value> = {};
  if (major > 0) schema[0] = u32(major);
  if (minor > 0) schema[1] = u32(minor);
  if (revision > 0) schema[2] = u32(revision);
  const header = table({
    0: string(""),
    ...(parts.target === 0 ? {} : { 1: u32(parts.target) }),
    2: u32(crc32(all)),
    3: u32(0x1234),
    ...(parts.encryption === undefined ? {} : { 4: u32(parts.encryption) }),
    5: string("v0.9.0(aa7aed10)"),
    6: string(parts.toolchain ?? ""),
    7: table(schema),
  });
  const buffer = flatBuffer(
    table({
      1: header,
      ...(parts.names
        ? {
            2: vector(
              ...parts.names.map(([name, id, version]) => table({ 0: string(name), 1: u32(id), 2: string(version) })),
            ),
          }
        : {}),
      3: table({ ...(info ? { 0: blob(info) } : {}), 1: blob(all) }),
    }),
  );
  return join(buffer, words(crc32(buffer)));
}

/** Setup of a KL520 as structs: one input, and outputs of [channels, rows, columns, radix, scale]. */
export function setup520(
  input: readonly [channels: number, rows: number, columns: number],
  ...outputs: readonly (readonly [number, number, number, number, number])[]
): Uint8Array {
  const [channels, rows, columns] = input;
  const head = words(0x8eb5a462, 1, 1, 0, 0, 0, 0, rows, columns, channels, 0, 0, 0, 0, 0, 0, 8, outputs.length);
  const nodes = outputs.map(([ch, row, column, radix, scale], index) =>
    words(2, 1, 8, 0, 0, 0, row, column, ch, index, radix, { float: scale }),
  );
  const cpu = join(words(1), new Uint8Array(56 + 2 * 76));
  return join(head, words(0, 1), cpu, words(3), new Uint8Array(40), words(4), new Uint8Array(28), ...nodes);
}

/** Setup of a KL720 as structs: inputs are nodes too. */
export function setup720(
  inputs: readonly (readonly [channels: number, rows: number, columns: number, radix: number])[],
  ...outputs: readonly (readonly [number, number, number, number, number])[]
): Uint8Array {
  const head = words(0x8eb5a462, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, inputs.length, outputs.length);
  return join(
    head,
    ...inputs.map(([ch, row, column, radix], index) => words(5, index, 4, row, column, ch, 0, 0, radix)),
    join(words(1), new Uint8Array(56)),
    ...outputs.map(([ch, row, column, radix, scale], index) =>
      words(2, 1, 6, 0, 0, 0, row, column, ch, index, radix, { float: scale }),
    ),
  );
}

export interface Port {
  readonly name: string;
  readonly format: number;
  readonly shape: readonly number[];
  readonly scale: readonly (readonly [scale: number, radix: number])[];
}

/** Setup as a FlatBuffer, since the KL720's flatbuffer mode. */
export const setupFlat = (inputs: readonly Port[], outputs: readonly Port[]): Uint8Array => {
  const ports = (list: readonly Port[]): Value =>
    vector(
      ...list.map(({ name, format, shape, scale }) =>
        table({
          0: string(name),
          1: u32(format),
          2: numbers(4, ...shape, 1),
          3: numbers(4, ...shape),
          4: table({ 0: vector(...scale.map(([factor, radix]) => table({ 0: f32(factor), 1: u32(radix) }))) }),
        }),
      ),
    );
  return flatBuffer(
    table({ 0: u32(19840308), 1: table({ 1: u32(5) }), 2: ports(inputs), 3: ports(outputs), 4: vector(table({})) }),
  );
};

/** Models of a KL730. The second output's dimensions stand in another order than the ONNX's. */
export const kne = (inputs: readonly Port[], outputs: readonly Port[]): Uint8Array => {
  const ports = (list: readonly Port[]): Value =>
    vector(
      ...list.map(({ name, format, shape, scale }) =>
        table({
          0: string(name),
          1: u8(format),
          5: numbers(4, ...shape.toReversed()),
          7: table({
            0: numbers(1, ...scale.map(([, radix]) => radix & 255)),
            1: blob(words(...scale.map(([factor]) => ({ float: factor })))),
            2: u32(scale.length),
            3: u8(9),
          }),
          11: numbers(1, ...shape.map((_, index) => shape.length - 1 - index)),
        }),
      ),
    );
  const npu = table({
    2: u8(1),
    3: table({ 0: numbers(1, 1, 2, 3, 4), 1: numbers(1, ...new Uint8Array(40).fill(5)) }),
  });
  const cpu = table({ 2: u8(2), 3: table({ 0: vector(table({}), table({})) }) });
  const loop = table({ 2: u8(3), 3: table({ 0: u32(4), 2: table({ 0: numbers(1, 9, 9) }) }) });
  const model = table({
    0: table({ 0: u32(211), 1: ports(inputs), 2: ports(outputs), 3: u32(3) }),
    1: vector(table({ 0: table({}), 1: vector(npu, cpu) }), loop),
    2: numbers(1, 7, 7, 7),
  });
  return flatBuffer(
    table({ 1: table({ 0: u8(1), 1: string("a1b2c3"), 2: table({ 0: u32(3), 2: u32(7) }) }), 2: vector(model) }),
  );
};
