import { describe, expect, it } from "vitest";
import { FileError } from "../../../src/base/errors.ts";
import { modelFileOf } from "../../../src/formats/file.ts";
import { BYTES, glimpse, protobuf, VARINT, type Message } from "../../../src/formats/wire/protobuf.ts";
import { bytes, concat, double, float, int, message, packed, packedFloats } from "../../support/protobuf.ts";

const open = (data: Uint8Array): Message => protobuf(modelFileOf(data, "a.pb"));
const walk = (data: Uint8Array): number[] => {
  const out: number[] = [];
  const at = open(data);
  while (at.next()) out.push(at.field);
  return out;
};

describe("protobuf wire format", () => {
  it("gives fields in their order, with absolute offsets", () => {
    const data = concat([int(1, 300), message(7, bytes(2, "abc")), float(3, 1.5), double(4, -2.25)]);
    const top = open(data);
    expect(top.next()).toBe(true);
    expect([top.field, top.wire, top.uint(), top.at]).toEqual([1, VARINT, 300, 0]);
    expect(top.next()).toBe(true);
    expect([top.field, top.wire, top.length]).toEqual([7, BYTES, 5]);
    const inner = top.message();
    expect(inner.next()).toBe(true);
    expect([inner.field, inner.string(), inner.start]).toEqual([2, "abc", 7]);
    expect(inner.next()).toBe(false);
    expect(top.next() && top.float()).toBe(1.5);
    expect(top.next() && top.double()).toBe(-2.25);
    expect(top.next()).toBe(false);
  });

  it("keeps all 64 bits of a varint, signed and unsigned", () => {
    const at = open(concat([int(1, -1), int(2, -(2n ** 63n)), int(3, 2n ** 53n - 1n), int(4, 2n ** 32n)]));
    at.next();
    expect([at.int(), at.int64(), at.uint()]).toEqual([-1, -1n, 2 ** 64]);
    at.next();
    expect(at.int64()).toBe(-(2n ** 63n));
    at.next();
    expect(at.int()).toBe(Number.MAX_SAFE_INTEGER);
    at.next();
    expect([at.int(), at.int64()]).toEqual([2 ** 32, 2n ** 32n]);
  });

  it("reads repeated numbers packed and one by one", () => {
    const at = open(concat([packed(1, [1, -2, 300]), int(1, 4), packedFloats(2, [0.5, -1]), float(2, 2)]));
    const ints: number[] = [];
    const floats: number[] = [];
    while (at.next()) {
      if (at.field === 1) at.ints(ints);
      else at.floats(floats);
    }
    expect(ints).toEqual([1, -2, 300, 4]);
    expect(floats).toEqual([0.5, -1, 2]);
    expect(() => {
      const again = open(packed(1, [1, 2, 3]));
      again.next();
      again.ints([], 2);
    }).toThrow("more than 2 values");
  });

  it("refuses what no protobuf holds, and says where", () => {
    expect(() => walk(Uint8Array.of(0x08, 0x01, 0x0b))).toThrow(/group/);
    expect(() => walk(Uint8Array.of(0x00, 0x01))).toThrow(/no protobuf field/);
    expect(() => walk(Uint8Array.of(0x0f))).toThrow(/no wire type/);
    expect(() => walk(Uint8Array.of(0x08, ...Array<number>(11).fill(0x80)))).toThrow(/ten bytes/);
    expect(() => walk(Uint8Array.of(0x08))).toThrow(/past the end/);
    expect(() => walk(Uint8Array.of(0x12, 0x05, 0x00))).toThrow(/needs 5 bytes, 1 are left/);
    let error: unknown;
    try {
      walk(concat([int(1, 1), Uint8Array.of(0x12, 0x05, 0x00)]));
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(FileError);
    expect(String(error)).toContain("0x2");
  });

  it("stops at a depth and at the wrong wire type", () => {
    let data: Uint8Array = int(1, 1);
    for (let depth = 0; depth < 120; depth++) data = bytes(1, data);
    expect(() => {
      let at = open(data);
      for (;;) {
        at.next();
        at = at.message();
      }
    }).toThrow(/nest deeper/);
    expect(() => {
      const at = open(int(1, 1));
      at.next();
      at.string();
    }).toThrow(/wire type 0, not 2/);
  });

  it("walks fields that lie across windows, and skips weights without fetching them", () => {
    const big = bytes(9, new Uint8Array(65_531));
    const data = concat([big, int(1, 2n ** 40n), bytes(9, new Uint8Array(300_000)), bytes(2, "x".repeat(40))]);
    let most = 0;
    const file = modelFileOf(data, "a.pb");
    const slice = file.slice.bind(file);
    const at = protobuf({
      ...file,
      slice(offset, length) {
        most = Math.max(most, length);
        return slice(offset, length);
      },
    });
    const seen: unknown[] = [];
    while (at.next()) seen.push(at.field === 1 ? at.int() : at.field === 2 ? at.string() : at.length);
    expect(seen).toEqual([65_531, 2 ** 40, 300_000, "x".repeat(40)]);
    expect(most).toBeLessThanOrEqual(65_536);
  });

  it("glimpses at the first fields of a file cut short", () => {
    const data = concat([int(1, 8), bytes(2, "pytorch"), bytes(7, new Uint8Array(100))]);
    expect(glimpse(modelFileOf(data, "a"), 9)?.fields.map(({ field }) => field)).toEqual([1, 2, 7]);
    const cut = glimpse(modelFileOf(data.subarray(0, 40), "a"), 9);
    expect([cut?.cut, cut?.fields.length]).toEqual([true, 2]);
    expect(glimpse(modelFileOf(Uint8Array.of(0x0b, 0), "a"), 9)).toBeUndefined();
  });
});
