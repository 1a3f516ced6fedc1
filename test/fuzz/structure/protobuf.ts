/** A protobuf message as a tree, found without its schema, changed and written again: with lengths made right, or one made wrong. */

import { below, pick, type Random } from "../mutate.ts";
import type { Mutant } from "./spot.ts";

interface Field {
  tag: number;
  /** Of wire types 0, 1, 5: the bytes as they stand. */
  value?: Uint8Array;
  /** Of wire type 2. */
  payload?: Uint8Array | Field[];
}

/** Messages nest to ten; what parses deeper is a string by chance. */
const DEPTH = 12;
/** Fields of one file: 20,000-node graphs are not needed to find what breaks. */
const FIELDS = 60_000;
/** Shorter payloads parse as messages by chance too often. */
const SHORTEST = 4;

export interface Proto {
  readonly start: number;
  readonly end: number;
  readonly fields: Field[];
}

/** The message that the file is, or that stands in it behind a header; undefined where there is none. */
export function protoOf(bytes: Uint8Array): Proto | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ends = new Set([bytes.length]);
  for (let at = 0; at + 4 <= Math.min(64, bytes.length); at += 4)
    for (const value of [view.getUint32(at, true), view.getUint32(at, false)])
      if (value > 16 && value <= bytes.length) ends.add(value);
  for (let start = 0; start <= Math.min(128, bytes.length - 8); start += 4) {
    for (const size of ends) {
      for (const end of start === 0 ? [size] : [size, start + size]) {
        if (end > bytes.length || end - start < 8) continue;
        const count = { left: FIELDS };
        const fields = parse(bytes.subarray(start, end), 0, count);
        if (fields !== undefined && FIELDS - count.left >= 6) return { start, end, fields };
      }
    }
  }
  return undefined;
}

function parse(bytes: Uint8Array, depth: number, count: { left: number }): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number | undefined => {
    let value = 0;
    for (let shift = 0; shift < 10; shift++) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value += (byte & 127) * 2 ** (7 * shift);
      if (byte < 128) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    if (--count.left < 0) return undefined;
    const tag = varint();
    if (tag === undefined || tag < 8 || tag >= 2 ** 20) return undefined;
    const from = at;
    switch (tag % 8) {
      case 0:
        if (varint() === undefined) return undefined;
        break;
      case 1:
        at += 8;
        break;
      case 5:
        at += 4;
        break;
      case 2: {
        const length = varint();
        if (length === undefined || at + length > bytes.length) return undefined;
        const inner = bytes.subarray(at, at + length);
        at += length;
        const message =
          depth < DEPTH && !isPrintable(inner) && length >= SHORTEST && length <= 4 * 1024 * 1024
            ? parse(inner, depth + 1, count)
            : undefined;
        fields.push({ tag, payload: message ?? inner });
        continue;
      }
      default:
        return undefined;
    }
    if (at > bytes.length) return undefined;
    fields.push({ tag, value: bytes.subarray(from, at) });
  }
  return fields;
}

/** Texts parse as messages by chance; messages have tags, which are no letters. */
const isPrintable = (bytes: Uint8Array): boolean => bytes.every((byte) => byte >= 0x20 && byte < 0x7f);

const varintOf = (value: number): number[] => {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
  do {
    out.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return out;
};

/** `wrong`: the one field whose length is written so. */
function write(fields: readonly Field[], into: Uint8Array[], wrong?: { field: Field; length: number }): void {
  for (const field of fields) {
    const head = varintOf(field.tag);
    if (field.payload === undefined) {
      into.push(Uint8Array.from(head), field.value ?? new Uint8Array(0));
      continue;
    }
    const body: Uint8Array[] = [];
    if (field.payload instanceof Uint8Array) body.push(field.payload);
    else write(field.payload, body, wrong);
    const length = body.reduce((sum, part) => sum + part.length, 0);
    const told = wrong?.field === field ? wrong.length : length;
    into.push(Uint8Array.from([...head, ...varintOf(told)]), ...body);
  }
}

function written(
  seed: Uint8Array,
  { start, end, fields }: Proto,
  wrong?: { field: Field; length: number },
): Uint8Array {
  const parts: Uint8Array[] = [];
  write(fields, parts, wrong);
  return Buffer.concat([seed.subarray(0, start), ...parts, seed.subarray(end)]);
}

interface Found {
  readonly list: Field[];
  readonly index: number;
  readonly field: Field;
  readonly path: string;
}

function walk(list: Field[], path: string, visit: (found: Found) => void): void {
  list.forEach((field, index) => {
    const name = `${path}/${Math.floor(field.tag / 8)}`;
    visit({ list, index, field, path: name });
    if (Array.isArray(field.payload)) walk(field.payload, name, visit);
  });
}

/** Depth first and evenly over levels, so that the many leaves do not drown the few messages. */
function choose(fields: Field[], random: Random, wanted: (found: Found) => boolean = () => true): Found | undefined {
  const byLevel = new Map<number, Found[]>();
  walk(fields, "", (found) => {
    if (!wanted(found)) return;
    const level = found.path.split("/").length;
    const held = byLevel.get(level);
    if (held === undefined) byLevel.set(level, [found]);
    else held.push(found);
  });
  const levels = [...byLevel.values()];
  return levels.length === 0 ? undefined : pick(random, pick(random, levels));
}

const copyOf = (field: Field): Field => ({
  ...field,
  ...(Array.isArray(field.payload) ? { payload: field.payload.map(copyOf) } : {}),
});

/** Where the outermost fields end: cut there, the rest is a message as whole as before. */
export function fieldEnds({ start, fields }: Proto): ReadonlySet<number> {
  let at = start;
  return new Set(
    fields.map((field) => {
      const parts: Uint8Array[] = [];
      write([field], parts);
      at += parts.reduce((sum, part) => sum + part.length, 0);
      return at;
    }),
  );
}

/** Fields changed, doubled, dropped, reordered, put elsewhere, nested deep; lengths around them made right. */
export function changeProto(seed: Uint8Array, proto: Proto, random: Random): Mutant | undefined {
  const copy: Proto = { ...proto, fields: proto.fields.map(copyOf) };
  const notes: string[] = [];
  const rounds = random() < 0.7 ? 1 : 1 + below(random, 3);
  for (let i = 0; i < rounds; i++) {
    const found = choose(copy.fields, random);
    if (found === undefined) return undefined;
    notes.push(`${changeField(found, copy.fields, random)} ${found.path}`);
  }
  return { bytes: written(seed, copy), how: notes.join(", ") };
}

function changeField({ list, index, field }: Found, all: Field[], random: Random): string {
  switch (below(random, 10)) {
    case 0:
      field.tag = (1 + below(random, 40)) * 8 + (field.tag % 8);
      return "other number for";
    case 1:
      list.splice(index, 0, copyOf(field));
      return "doubled";
    case 2:
      list.splice(index, 1);
      return "dropped";
    case 3:
      list.push(...list.splice(index, 1));
      return "moved to the end";
    case 4: {
      const other = choose(all, random);
      if (other !== undefined) list.splice(index, 1, copyOf(other.field));
      return `put ${other?.path ?? ""} for`;
    }
    case 5: {
      let inner = copyOf(field);
      const deep = 1 + below(random, 300);
      for (let i = 0; i < deep; i++) inner = { tag: field.tag - (field.tag % 8) + 2, payload: [inner] };
      list.splice(index, 1, inner);
      return `nested ${deep} deep`;
    }
    case 6: {
      const wire = pick(random, [0, 1, 2, 5]);
      field.tag = field.tag - (field.tag % 8) + wire;
      delete field.payload;
      delete field.value;
      if (wire === 2) field.payload = new Uint8Array(below(random, 16)).fill(below(random, 256));
      else
        field.value = Uint8Array.from(
          wire === 0 ? varintOf(below(random, 2 ** 40)) : new Array<number>(wire === 1 ? 8 : 4).fill(255),
        );
      return `wire type ${wire} for`;
    }
    default:
      if (field.payload instanceof Uint8Array) {
        const length = Math.max(0, field.payload.length + pick(random, [-8, -4, -1, 1, 4, 8]));
        const grown = new Uint8Array(length);
        grown.set(field.payload.subarray(0, length));
        if (length > 0 && random() < 0.5) grown[below(random, length)] = below(random, 256);
        field.payload = grown;
        return "other bytes for";
      }
      if (field.payload !== undefined) {
        field.payload.splice(below(random, field.payload.length + 1), 0, ...field.payload.slice(0, 3).map(copyOf));
        return "more fields in";
      }
      field.value = Uint8Array.from(
        field.tag % 8 === 0
          ? varintOf(pick(random, [0, 1, 2, 127, 2 ** 31, 2 ** 32 - 1, 2 ** 52, -1, below(random, 1000)]))
          : Array.from({ length: field.tag % 8 === 1 ? 8 : 4 }, () => below(random, 256)),
      );
      return "other value for";
  }
}

/** One length that leaves its message, or a field of a wire type there is none of: no reader of the whole message can be content. */
export function breakProto(seed: Uint8Array, proto: Proto, random: Random): Mutant | undefined {
  // A payload that parses by chance is no message: only those with some fields within are taken for one.
  const isMessage = ({ field }: Found): boolean => Array.isArray(field.payload) && field.payload.length >= 2;
  const outer = choose(proto.fields, random, isMessage);
  const inside = outer === undefined || random() < 0.3 ? proto.fields : (outer.field.payload as Field[]);
  const path = inside === proto.fields ? "" : (outer?.path ?? "");
  if (random() < 0.5) {
    const last = inside.at(-1);
    if (last?.payload === undefined) return undefined;
    const length = lengthOf(last) + 1 + below(random, 1000);
    // What it runs into must not be taken for its own: its message ends where it did.
    return {
      bytes: written(seed, proto, {
        field: last,
        length: proto.end === seed.length && path === "" ? length : length + 2 ** 31,
      }),
      how: `${path}/${Math.floor(last.tag / 8)} ${length} bytes long`,
    };
  }
  const copy: Proto = { ...proto, fields: proto.fields.map((field) => field) };
  const tag = 8 * (1 + below(random, 12)) + pick(random, [6, 7]);
  const odd: Field = { tag, value: Uint8Array.from([1]) };
  if (inside === proto.fields) copy.fields.splice(below(random, copy.fields.length + 1), 0, odd);
  else {
    const list = outer?.field.payload as Field[];
    const at = below(random, list.length + 1);
    list.splice(at, 0, odd);
    const bytes = written(seed, copy);
    list.splice(at, 1);
    return { bytes, how: `wire type ${tag % 8} in ${path}` };
  }
  return { bytes: written(seed, copy), how: `wire type ${tag % 8} in the outermost message` };
}

function lengthOf(field: Field): number {
  const parts: Uint8Array[] = [];
  if (field.payload instanceof Uint8Array) return field.payload.length;
  write(field.payload ?? [], parts);
  return parts.reduce((sum, part) => sum + part.length, 0);
}
