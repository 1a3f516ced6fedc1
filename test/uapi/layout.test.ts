import { describe, expect, test } from "vitest";

import { hexIn, numberIn, pack, textIn, type Layout } from "../../src/uapi/layout.ts";

const layout = {
  size: 24,
  fields: {
    small: { offset: 0, size: 1, signed: true },
    half: { offset: 2, size: 2 },
    word: { offset: 4, size: 4 },
    wide: { offset: 8, size: 8 },
    name: { offset: 16, size: 8 },
  },
} as const satisfies Layout;

describe("a struct", () => {
  test("is written and read back field by field, little endian", () => {
    const bytes = pack(layout, { small: -3, half: 0x1234, word: 0xfffffffe, wide: 2 ** 40 });
    expect([...bytes.subarray(0, 8)]).toEqual([0xfd, 0, 0x34, 0x12, 0xfe, 0xff, 0xff, 0xff]);
    expect(numberIn(layout, "small", bytes, "x")).toEqual({ state: "read", value: -3, from: "x" });
    expect(numberIn(layout, "word", bytes, "x")).toMatchObject({ value: 0xfffffffe });
    expect(numberIn(layout, "wide", bytes, "x")).toMatchObject({ value: 2 ** 40 });
  });

  test("that ends early has its last fields absent, not zero", () => {
    const bytes = pack(layout, { word: 7 }).subarray(0, 12);
    expect(numberIn(layout, "word", bytes, "x")).toMatchObject({ state: "read", value: 7 });
    expect(numberIn(layout, "wide", bytes, "x")).toMatchObject({ state: "absent" });
    expect(textIn(layout, "name", bytes, "x")).toMatchObject({ state: "absent" });
  });

  test("with a number no double can hold is malformed as a quantity and exact as a mask", () => {
    const bytes = new Uint8Array(24).fill(0xff);
    expect(numberIn(layout, "wide", bytes, "x")).toMatchObject({ state: "malformed" });
    expect(hexIn(layout, "wide", bytes, "x")).toMatchObject({ value: "0xffffffffffffffff" });
  });

  test("has texts that end at NUL or at their end, safe to print", () => {
    const bytes = new Uint8Array(48);
    bytes.set(Buffer.from("HL-225\0Z"), 16);
    bytes.set(Buffer.from("\x1b[31mred"), 40);
    expect(textIn(layout, "name", bytes, "x")).toMatchObject({ value: "HL-225" });
    expect(textIn(layout, "name", bytes, "x", 24)).toMatchObject({ value: "\ufffd[31mred" });
  });
});
