import { expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { readNpy, writeNpy } from "../../src/session/npy.ts";
import type { Value } from "../../src/delegates/value.ts";

/** numpy.save("a.npy", numpy.arange(6, dtype="<f4").reshape(2, 3)) of NumPy 2.4, as it lies on disk. */
const saved = Buffer.concat([
  Buffer.from(
    "\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".padEnd(127, " ") + "\n",
    "latin1",
  ),
  Buffer.from(Float32Array.from([0, 1, 2, 3, 4, 5]).buffer),
]);

it("reads what NumPy writes, and writes the same bytes", () => {
  const value = readNpy(saved, "a.npy");
  expect(value).toEqual({ type: "float32", shape: [2, 3], data: Float32Array.from([0, 1, 2, 3, 4, 5]) });
  expect(Buffer.from(writeNpy(value) ?? [])).toEqual(saved);
});

it.each<Value>([
  { type: "int64", shape: [2], data: BigInt64Array.from([-1n, 2n ** 62n]) },
  { type: "uint8", shape: [], data: Uint8Array.from([7]) },
  { type: "bool", shape: [1, 3], data: Uint8Array.from([1, 0, 1]) },
  { type: "float16", shape: [0, 4], data: new Uint16Array(0) },
])("$type $shape comes back as it went", (value) => {
  expect(readNpy(writeNpy(value) ?? new Uint8Array(), "b.npy")).toEqual(value);
});

it("refuses what is cut short, big-endian, in columns or no numbers, each with where it stands", () => {
  const text = (from: string, to: string): Uint8Array =>
    Buffer.from(saved.toString("latin1").replace(from, to), "latin1");
  for (const [bytes, says] of [
    [saved.subarray(0, saved.length - 1), /needs 24 bytes, 23 follow/],
    [saved.subarray(0, 9), /cut short/],
    [saved.subarray(0, 40), /cut short/],
    [text("<f4", ">f4"), /big-endian/],
    [text("False", "True "), /Fortran/],
    [text("<f4", "|O8"), /no plain number/],
    [text("(2, 3)", "(9, 9)"), /needs 324 bytes/],
    [Buffer.from("PK"), /no NumPy array/],
  ] as const) {
    expect(() => readNpy(bytes, "c.npy")).toThrow(FileError);
    expect(() => readNpy(bytes, "c.npy")).toThrow(says);
  }
});
