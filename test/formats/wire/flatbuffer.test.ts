import { describe, expect, it } from "vitest";
import { FileError } from "../../../src/base/errors.ts";
import { modelFileOf } from "../../../src/formats/file.ts";
import { FlatBuffer, type Table } from "../../../src/formats/wire/flatbuffer.ts";
import { f32, flatBuffer, numbers, string, table, u16, u32, u64, u8, vector, type Value } from "../build/flatbuffer.ts";

const open = (bytes: Uint8Array, extent = {}): FlatBuffer => new FlatBuffer(modelFileOf(bytes, "a.fb"), extent);
const rootOf = (fields: Readonly<Record<number, Value>>): Table => open(flatBuffer(table(fields))).root();
const word = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
};

describe("FlatBuffers", () => {
  it("give scalars by their number in the schema, and what is absent its default", () => {
    const root = rootOf({ 0: u8(200), 1: u16(65535), 2: u32(0xfffffffe), 3: u64(2n ** 63n), 4: f32(1.5), 7: u8(1) });
    expect([root.u8(0), root.i8(0)]).toEqual([200, -56]);
    expect([root.u16(1), root.i16(1)]).toEqual([65535, -1]);
    expect([root.u32(2), root.i32(2)]).toEqual([0xfffffffe, -2]);
    expect([root.u64(3), root.i64(3)]).toEqual([2n ** 63n, -(2n ** 63n)]);
    expect(root.f32(4)).toBe(1.5);
    expect([root.bool(7), root.bool(6), root.bool(6, true)]).toEqual([true, false, true]);
    // Not in the vtable, and beyond it
    expect([root.u32(5, 9), root.i64(5, -1n), root.f32(99, 0.5), root.has(5), root.has(0)]).toEqual([
      9,
      -1n,
      0.5,
      false,
      true,
    ]);
    expect(root.fields).toBe(8);
  });

  it("give strings, tables, vectors and unions; nothing and empty differ", () => {
    const root = rootOf({
      0: string("näm"),
      1: string(""),
      2: table({ 0: u32(7) }),
      3: vector(table({ 0: u32(1) }), table({ 0: u32(2) })),
      4: vector(string("a"), string("b")),
      5: numbers(4, 3, -1),
      6: numbers(8, 2 ** 40, -2),
      7: u8(2),
      8: table({ 0: u32(5) }),
      9: numbers(1, 1, 2, 3),
      10: u8(0),
    });
    expect([root.string(0), root.string(1), root.string(20)]).toEqual(["näm", "", undefined]);
    expect(root.table(2)?.u32(0)).toBe(7);
    expect(root.tables(3, 10, "rows").map((row) => row.u32(0))).toEqual([1, 2]);
    expect(root.strings(4, 10, "words")).toEqual(["a", "b"]);
    expect([root.i32s(5, 10, "n"), root.u32s(5, 10, "n")]).toEqual([
      [3, -1],
      [3, 0xffffffff],
    ]);
    expect(root.i64s(6, 10, "n")).toEqual([2 ** 40, -2]);
    expect([root.i32s(20, 10, "n"), root.tables(20, 10, "rows")]).toEqual([undefined, []]);
    const union = root.union(7);
    expect([union?.type, union?.table.u32(0)]).toEqual([2, 5]);
    expect(root.union(10)).toBeUndefined();
    expect([...(root.blob(9) ?? [])]).toEqual([1, 2, 3]);
    expect(root.vector(9, 1)?.count).toBe(3);
  });

  it("have identifiers and size prefixes, and may lie inside a file", () => {
    const plain = flatBuffer(table({ 0: u32(42) }), "TEST");
    expect(open(plain).identifier()).toBe("TEST");
    const prefixed = flatBuffer(table({ 0: u32(42) }), "TEST", true);
    const inside = open(prefixed, { sizePrefixed: true });
    expect([inside.identifier(), inside.root().u32(0)]).toEqual(["TEST", 42]);
    const shifted = Uint8Array.from([...new Uint8Array(16), ...plain, ...new Uint8Array(5)]);
    const part = open(shifted, { offset: 16, length: plain.length });
    expect([part.root().u32(0), part.root().at > 16]).toEqual([42, true]);
    expect(() => open(word(prefixed, 0, prefixed.length), { sizePrefixed: true })).toThrow("size prefix says");
    expect(() => open(plain, { offset: 8, length: plain.length })).toThrow("outside the file");
    expect(() => open(plain.subarray(0, 7))).toThrow("too few");
  });

  it("say how far they were read: what lies behind was appended", () => {
    const bytes = flatBuffer(table({ 0: string("end") }));
    const buffer = open(Uint8Array.from([...bytes, ...Buffer.from("PK\x03\x04")]));
    expect(buffer.root().string(0)).toBe("end");
    expect(buffer.reached).toBeGreaterThan(bytes.length - 8);
    expect(buffer.reached).toBeLessThanOrEqual(bytes.length);
  });

  it("read scalars that lie across a page of the file", () => {
    // 8 bytes at an offset of 4 below a page's end, as a table of structs may have them
    const bytes = new Uint8Array(65_536 + 64);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(65_532, 0x1122334455667788n, true);
    const buffer = open(bytes);
    expect([buffer.u64(65_532), buffer.u32(65_534), buffer.u32(0), buffer.u32(65_532)]).toEqual([
      0x1122334455667788n,
      0x33445566,
      0,
      0x55667788,
    ]);
  });
});

describe("broken FlatBuffers end in a FileError with its place", () => {
  const bytes = flatBuffer(table({ 0: string("text"), 1: numbers(4, 1, 2, 3), 2: u32(1) }));
  const at = new DataView(bytes.buffer).getUint32(0, true);
  const vtable = at - new DataView(bytes.buffer).getInt32(at, true);

  it.each([
    ["a root outside", word(bytes, 0, bytes.length), "root table"],
    ["a root that points to itself", word(bytes, 0, 0), "root table"],
    ["a vtable outside", word(bytes, at, 0x7fffffff), "vtable"],
    ["a vtable before the buffer", word(bytes, at, at + 8), "vtable"],
    ["a vtable of an odd length", word(bytes, vtable, 7 | (20 << 16)), "vtable of 7 bytes"],
    ["a vtable past the end", word(bytes, vtable, 0xfffe | (20 << 16)), "vtable"],
  ])("%s", (_, broken, says) => {
    expect(() => open(broken).root()).toThrow(FileError);
    expect(() => open(broken).root()).toThrow(says);
  });

  it("a field outside the buffer", () => {
    const field = word(bytes, vtable + 4, 0xfff0 | (0xfff0 << 16));
    const root = open(field).root();
    expect(() => root.string(0)).toThrow("field 0 of 4 bytes");
  });

  it("a string without its end, a vector longer than the file, more rows than the limit", () => {
    const root = open(bytes).root();
    const text = (root.find(0, 4) ?? 0) + new DataView(bytes.buffer).getUint32(root.find(0, 4) ?? 0, true);
    expect(() =>
      open(word(bytes, text, 3))
        .root()
        .string(0),
    ).toThrow("string without its NUL");
    expect(() =>
      open(word(bytes, text, 0xffffff00))
        .root()
        .string(0),
    ).toThrow("string of");
    const list = (root.find(1, 4) ?? 0) + new DataView(bytes.buffer).getUint32(root.find(1, 4) ?? 0, true);
    expect(() =>
      open(word(bytes, list, 0x40000000))
        .root()
        .i32s(1, 2 ** 31, "n"),
    ).toThrow(FileError);
    expect(() => root.i32s(1, 2, "numbers")).toThrow("3 numbers, over 2");
  });

  it("one long vector that many tables point to costs no more than the limit", () => {
    // 4,000 rows that share a vector of 20,000 numbers: 320 MB if each were read
    const long = numbers(4, ...Array.from({ length: 20_000 }, () => 1));
    const one = flatBuffer(table({ 0: long }));
    const root = open(one).root();
    expect(() => {
      for (let row = 0; row < 4000; row++) root.i32s(0, 1e6, "n");
    }).toThrow("more than");
  });
});
