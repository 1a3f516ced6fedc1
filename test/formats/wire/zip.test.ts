import { describe, expect, it } from "vitest";
import { FileError } from "../../../src/base/errors.ts";
import { utf8 } from "../../../src/base/bytes.ts";
import { modelFileOf } from "../../../src/formats/file.ts";
import { dataOffset, readZip, startsAsZip, unpack } from "../../../src/formats/wire/zip.ts";
import { zip } from "../build/zip.ts";

const entries = [
  { name: "a.txt", data: "hello" },
  { name: "dir/b.txt", data: "b".repeat(1000), deflate: true },
  { name: "dir/data/0", data: new Uint8Array(64), align: 64 },
];
const open = (bytes: Uint8Array) => modelFileOf(bytes, "a.zip");

describe("zip", () => {
  it.each([
    ["a plain archive", {}],
    ["one with 64-bit records", { zip64: true }],
    ["one appended to something else", { before: new Uint8Array(100) }],
    ["one with 64-bit records appended to something else", { zip64: true, before: new Uint8Array(100) }],
  ])("lists and unpacks %s", (_, options) => {
    const file = open(zip(entries, options));
    const { entries: found, integrity, start } = readZip(file);
    expect(integrity).toEqual([]);
    expect(start).toBe("before" in options ? 100 : 0);
    expect(found.map(({ name, bytes }) => [name, bytes])).toEqual([
      ["a.txt", 5],
      ["dir/b.txt", 1000],
      ["dir/data/0", 64],
    ]);
    const [first, second, third] = found;
    if (!first || !second || !third) throw new Error("three entries");
    expect(utf8(unpack(file, first, 100))).toBe("hello");
    expect(utf8(unpack(file, second, 1000))).toBe("b".repeat(1000));
    expect((dataOffset(file, third) - start) % 64).toBe(0);
  });

  it("does not unpack beyond the limit, nor beyond what the directory declares", () => {
    const bytes = zip(entries);
    const file = open(bytes);
    const packed = readZip(file).entries[1];
    if (!packed) throw new Error("an entry");
    expect(() => unpack(file, packed, 999)).toThrow(FileError);
    expect(() => unpack(file, { ...packed, bytes: 500 }, 999)).toThrow("cannot be unpacked");
  });

  it("tells entries that overlap, and names given twice", () => {
    const bytes = zip([...entries, { name: "a.txt", data: "again" }]);
    const at = bytes.indexOf("PK\x01\x02");
    bytes.writeUInt32LE(50, at + 20); // packed size of the first
    const rules = readZip(open(bytes)).integrity.map(({ rule }) => rule);
    expect(rules).toEqual(["archive/size", "archive/duplicate", "extent/overlap"]);
  });

  it("names an archive cut short as one whose directory is missing", () => {
    const bytes = zip(entries);
    expect(startsAsZip(open(bytes.subarray(0, 40)))).toBe(true);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readZip(open(bytes.subarray(0, length)))).toThrow("the end of the file is missing");
    }
  });

  it("survives every flipped byte", () => {
    const bytes = zip(entries, { zip64: true });
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 0xff;
      try {
        const file = open(flipped);
        for (const entry of readZip(file).entries) unpack(file, entry, 10_000);
      } catch (error) {
        expect(error).toBeInstanceOf(FileError);
      }
    }
  });
});
