import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { parseLdCache } from "../../src/facts/ld-cache.ts";
import { ldCache, mutate, seeded, type CacheOptions } from "./ld-cache-bytes.ts";

const libraries = [
  ["libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1"],
  ["libhailort.so.4.20.0", "/usr/lib/libhailort.so.4.20.0"],
  ["libhailort.so", "/usr/lib/libhailort.so"],
  ["libedgetpu.so.1", "/usr/lib/x86_64-linux-gnu/libedgetpu.so.1"],
  ["libedgetpu.so.1", "/usr/lib/i386-linux-gnu/libedgetpu.so.1"],
  ["libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6"],
] as const;

describe.each<[string, CacheOptions]>([
  ["new, little endian", {}],
  ["new, big endian", { bigEndian: true }],
  ["new, little endian, before glibc 2.33", { unmarked: true }],
  ["new, big endian, before glibc 2.33", { unmarked: true, bigEndian: true }],
  ["old, little endian", { format: "old" }],
  ["old, big endian", { format: "old", bigEndian: true }],
  ["new behind old", { format: "both" }],
])("a loader cache: %s", (_, options) => {
  const cache = parseLdCache(ldCache(libraries, options), "/etc/ld.so.cache");

  it("finds a name exactly, for each architecture", () => {
    expect(cache.entries).toBe(libraries.length);
    expect(cache.find("libedgetpu.so.1").map((library) => library.path)).toStrictEqual([
      "/usr/lib/x86_64-linux-gnu/libedgetpu.so.1",
      "/usr/lib/i386-linux-gnu/libedgetpu.so.1",
    ]);
    expect(cache.find("libhailort.so")).toStrictEqual([{ name: "libhailort.so", path: "/usr/lib/libhailort.so" }]);
  });

  it("finds by pattern, and nothing that only looks alike", () => {
    expect(cache.find("libhailort.so.*").map((library) => library.name)).toStrictEqual(["libhailort.so.4.20.0"]);
    expect(cache.find("*edgetpu*")).toHaveLength(2);
    expect(cache.find("libedgetpu.so")).toStrictEqual([]);
    expect(cache.find("edgetpu.so.1")).toStrictEqual([]);
    expect(cache.find("libc.so.6\0")).toStrictEqual([]);
    expect(cache.find("x".repeat(10_000))).toStrictEqual([]);
  });
});

describe("a broken loader cache", () => {
  const whole = ldCache(libraries);

  it("that ends too early is refused at every length, with the offset", () => {
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseLdCache(whole.subarray(0, length), "/etc/ld.so.cache")).toThrow(FileError);
    }
    expect(() => parseLdCache(whole.subarray(0, 60), "cache")).toThrow(/^cache: offset 0x14: names more libraries/);
    expect(() => parseLdCache(Buffer.from("something else"), "cache")).toThrow(/not a loader cache/);
  });

  it("that was changed anywhere never crashes and never reads outside", () => {
    const random = seeded(1);
    let parsed = 0;
    for (let i = 0; i < 4_000; i++) {
      const format = (["new", "old", "both"] as const)[i % 3] ?? "new";
      const bytes = mutate(ldCache(libraries, { format }), random);
      try {
        const cache = parseLdCache(bytes, "cache");
        for (const pattern of ["libc.so.6", "lib*", "*"])
          expect(cache.find(pattern).length).toBeLessThanOrEqual(cache.entries);
        parsed++;
      } catch (error) {
        expect(error).toBeInstanceOf(FileError);
      }
    }
    expect(parsed).toBeGreaterThan(500);
  });
});

it.skipIf(!existsSync("/etc/ld.so.cache"))("this machine's cache holds the C library and answers quickly", () => {
  const cache = parseLdCache(readFileSync("/etc/ld.so.cache"), "/etc/ld.so.cache");
  expect(cache.find("libc.so.6").length).toBeGreaterThan(0);
  expect(cache.find("*")).toHaveLength(cache.entries);
  const before = performance.now();
  for (let i = 0; i < 1_000; i++) cache.find(`libnothing${i}.so.1`);
  expect(performance.now() - before).toBeLessThan(500);
});
