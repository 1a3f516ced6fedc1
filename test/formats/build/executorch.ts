/** ExecuTorch programs for fixtures: values, instructions and segments as the schema has them, the extended header put in behind. */

import { flatBuffer, numbers, string, struct, table, u32, u64, u8, vector, type Value } from "./flatbuffer.ts";

const f64 = (value: number): Value => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return { kind: "scalar", bytes };
};

export interface TensorSpec {
  /** ScalarType: 6 is FLOAT, 1 CHAR. */
  readonly type?: number;
  readonly sizes: readonly number[];
  readonly order?: readonly number[];
  /** Index of its constant. */
  readonly data?: number;
  /** Memory 1, at this offset. */
  readonly planned?: number;
  readonly dynamism?: number;
  readonly name?: string;
  readonly external?: boolean;
}

export const tensor = (spec: TensorSpec): Value =>
  value(
    5,
    table({
      0: u8(spec.type ?? 6),
      2: numbers(4, ...spec.sizes),
      3: numbers(1, ...(spec.order ?? spec.sizes.map((_, i) => i))),
      5: u32(spec.data ?? 0),
      ...(spec.planned === undefined ? {} : { 6: table({ 0: u32(1), 1: u32(spec.planned) }) }),
      8: u8(spec.dynamism ?? 0),
      ...(spec.name === undefined
        ? {}
        : { 9: table({ 1: string(spec.name), ...(spec.external === true ? { 2: u8(1) } : {}) }) }),
    }),
  );

/** An EValue: kind and content. */
export const value = (kind: number, content: Value): Value => table({ 0: u8(kind), 1: content });
export const none = (): Value => value(1, table({}));
export const int = (number: number): Value => value(2, table({ 0: u64(number) }));
export const bool = (truth: boolean): Value => value(3, table({ 0: u8(Number(truth)) }));
export const double = (number: number): Value => value(4, table({ 0: f64(number) }));
export const text = (words: string): Value => value(6, table({ 0: string(words) }));
export const ints = (...indexes: readonly number[]): Value => value(7, table({ 0: numbers(8, ...indexes) }));
export const tensors = (...indexes: readonly number[]): Value => value(10, table({ 0: numbers(4, ...indexes) }));

const instruction = (kind: number, content: Value): Value => table({ 0: u8(kind), 1: content });
export const kernel = (operator: number, ...args: readonly number[]): Value =>
  instruction(1, table({ 0: u32(operator), 1: numbers(4, ...args) }));
export const call = (delegate: number, ...args: readonly number[]): Value =>
  instruction(2, table({ 0: u32(delegate), 1: numbers(4, ...args) }));
export const move = (from: number, to: number): Value => instruction(3, table({ 0: u32(from), 1: u32(to) }));
export const jump = (condition: number, to: number): Value => instruction(4, table({ 0: u32(condition), 1: u32(to) }));
export const free = (index: number): Value => instruction(5, table({ 0: u32(index) }));

export interface PlanSpec {
  readonly name?: string;
  readonly values: readonly Value[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly instructions: readonly Value[];
  /** "aten::add.out" */
  readonly operators?: readonly string[];
  readonly delegates?: readonly Value[];
  readonly memory?: readonly number[];
}

export const plan = (spec: PlanSpec): Value =>
  table({
    0: string(spec.name ?? "forward"),
    1: table({ 0: string("[1, {}]"), 1: string("[1, {}]") }),
    2: vector(...spec.values),
    3: numbers(4, ...spec.inputs),
    4: numbers(4, ...spec.outputs),
    5: vector(table({ 2: vector(...spec.instructions) })),
    6: vector(
      ...(spec.operators ?? []).map((name) => {
        const [bare = "", overload = ""] = name.split(".");
        return table({ 0: string(bare), 1: string(overload) });
      }),
    ),
    7: vector(...(spec.delegates ?? [])),
    8: numbers(8, 0, ...(spec.memory ?? [])),
  });

/** A delegate; `at`: index of its inline blob, or of its segment. */
export const delegate = (
  id: string,
  at: { readonly inline: number } | { readonly segment: number },
  specs: Readonly<Record<string, Uint8Array>> = {},
): Value =>
  table({
    0: string(id),
    1: table("inline" in at ? { 1: u32(at.inline) } : { 0: u8(1), 1: u32(at.segment) }),
    2: vector(...Object.entries(specs).map(([key, bytes]) => table({ 0: string(key), 1: blob(bytes) }))),
  });

export const blob = (bytes: Uint8Array): Value => ({ kind: "numbers", bytes, count: bytes.length });

export interface ProgramSpec {
  readonly plans: readonly Value[];
  /** Constants inside the flatbuffer; the first is nobody's. */
  readonly inside?: readonly Uint8Array[];
  readonly inline?: readonly Uint8Array[];
  readonly segments?: readonly Uint8Array[];
  /** Segment and offsets of the constants. */
  readonly constants?: { readonly segment: number; readonly offsets: readonly number[] };
  readonly mutable?: { readonly segment: number; readonly offsets: readonly number[] };
  /** Name to segment. */
  readonly named?: Readonly<Record<string, number>>;
}

const ALIGNMENT = 64;
const aligned = (size: number): number => Math.ceil(size / ALIGNMENT) * ALIGNMENT;

export function program(spec: ProgramSpec): Uint8Array {
  const { extents, data } = layOut(spec.segments ?? []);
  const sub = ({ segment, offsets }: NonNullable<ProgramSpec["constants"]>): Value =>
    table({ 0: u32(segment), 1: numbers(8, ...offsets) });
  const root = table({
    1: vector(...spec.plans),
    ...(spec.inside === undefined ? {} : { 2: vector(...spec.inside.map((bytes) => table({ 0: blob(bytes) }))) }),
    3: vector(...(spec.inline ?? []).map((bytes) => table({ 0: blob(bytes) }))),
    4: vector(...extents.map(([offset, size]) => table({ 0: u64(offset), 1: u64(size) }))),
    ...(spec.constants === undefined ? {} : { 5: sub(spec.constants) }),
    ...(spec.mutable === undefined ? {} : { 6: vector(sub(spec.mutable)) }),
    ...(spec.named === undefined
      ? {}
      : { 7: vector(...Object.entries(spec.named).map(([key, at]) => table({ 0: string(key), 1: u32(at) }))) }),
  });
  const plain = flatBuffer(root, "ET12");
  if (data.length === 0) return plain;
  const size = plain.length + 32;
  const header = struct(u32(0x30306865), u32(32), u64(size), u64(aligned(size)), u64(data.length));
  return joined(withHeader(plain, header), aligned(size), data);
}

/** Segments one after the other, aligned: offset and size of each. */
export function layOut(segments: readonly Uint8Array[]): { extents: [number, number][]; data: Uint8Array } {
  const extents: [number, number][] = [];
  let end = 0;
  for (const bytes of segments) {
    extents.push([aligned(end), bytes.length]);
    end = aligned(end) + bytes.length;
  }
  const data = Buffer.alloc(end);
  segments.forEach((bytes, i) => data.set(bytes, extents[i]?.[0] ?? 0));
  return { extents, data };
}

/** The header goes in after the identifier; the root's offset grows by it. */
export function withHeader(plain: Uint8Array, header: Value): Uint8Array {
  const bytes = "bytes" in header ? header.bytes : new Uint8Array();
  const out = Buffer.concat([plain.subarray(0, 8), bytes, plain.subarray(8)]);
  out.writeUInt32LE(out.readUInt32LE(0) + bytes.length, 0);
  return out;
}

export const joined = (front: Uint8Array, base: number, data: Uint8Array): Uint8Array =>
  Buffer.concat([front, Buffer.alloc(base - front.length), data]);
