import { expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { looksOf } from "../../src/formats/other/looks.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import format from "../../src/formats/vmfb.ts";
import type { Model } from "../../src/model/graph.ts";
import { mutated } from "./build/broken.ts";
import { flatBuffer, numbers, string, table, u32, u64, vector } from "./build/flatbuffer.ts";
import { zip } from "./build/zip.ts";
import { samples } from "./samples/vmfb.ts";

const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array();
const read = (bytes: Uint8Array): Model => format.read(modelFileOf(bytes, "x.vmfb"));

it("a module says what it is called, what it is compiled for and what it takes", () => {
  const model = read(sample("polyglot.vmfb"));
  expect(model).toMatchObject({
    sealed: true,
    version: "bytecode 17.1",
    producer: { name: "IREE" },
    targets: [{ says: "embedded-elf-arm_64" }, { says: "vmvx-bytecode-fb" }],
    requires: [
      { what: "IREE VM bytecode", relation: "at least", version: "17.1" },
      { what: "IREE module hal", relation: "at least", version: "7" },
    ],
    inputs: [
      { name: "input0", type: "float32", shape: [1, null] },
      { name: "input1", type: "int8", shape: [4] },
    ],
    outputs: [{ name: "output0", type: "bfloat16", shape: [2, 3] }],
    metadata: {
      module: "net",
      container: "ZIP",
      devices: "local*",
      features: "EXT_F32, YIELD, UNWIND",
      origin: "a test",
    },
    integrity: [],
  });
  expect(model.metadata["functions"]).toMatch(/^sync func @infer\(/);
});

it("code and constants are told apart, with the ZIP's names where it has them", () => {
  const kinds = (name: string): unknown =>
    read(sample(name)).sections.map(({ name: n, kind, bytes }) => [n, kind, bytes]);
  expect(kinds("polyglot.vmfb")).toEqual([
    ["module", "graph", expect.any(Number)],
    ["_const.bin", "weights", 640],
    ["net_linked_arm_64.so", "code", 320],
  ]);
  expect(kinds("plain.vmfb")).toEqual([
    ["module", "graph", expect.any(Number)],
    ["segment 5", "code", 320],
    ["segment 6", "weights", 640],
  ]);
});

it("a FlatBuffer whose size does not stand before it is read too", () => {
  const bytes = flatBuffer(
    table({ 0: string("old"), 12: numbers(1), 13: u32(65536), 14: numbers(1, 1, 2, 3) }),
    "IREE",
  );
  const file = modelFileOf(bytes, "old.vmfb");
  expect(format.matches(file)).toBe(2);
  expect(format.read(file)).toMatchObject({ version: "bytecode 1.0", metadata: { module: "old" }, targets: [] });
});

it("what lies outside of the file, and functions that are not there, are told", () => {
  const model = read(
    flatBuffer(
      table({
        0: string("net"),
        7: vector(table({ 0: string("main"), 1: u32(3) })),
        9: vector(table({ 3: u64(1 << 20), 4: u64(64) })),
        12: { kind: "numbers", bytes: Buffer.from([0, 0, 0, 0, 9, 0, 0, 0, ...Array<number>(12).fill(0)]), count: 1 },
        14: numbers(1, 1, 2, 3),
      }),
      "IREE",
      true,
    ),
  );
  expect(model.integrity.map(({ rule }) => rule)).toEqual(["extent/past-end", "extent/past-end", "function/dangling"]);
});

it("a ZIP of other things is no module, and one cut short is a FileError", () => {
  const matches = (bytes: Uint8Array): number => format.matches(modelFileOf(bytes, "x.vmfb"));
  expect(matches(zip([{ name: "module.fb", data: "no module in here" }]))).toBe(0);
  expect(matches(sample("polyglot.vmfb"))).toBe(3);
  expect(() => read(sample("polyglot.vmfb").subarray(0, 1200))).toThrow(FileError);
});

it("a TOSA FlatBuffer is named as what it is", () => {
  expect(looksOf(modelFileOf(flatBuffer(table({}), "TOSA"), "x.tosa")).kind).toBe("tosa");
});

it("broken bytes end in a model or a FileError", () => {
  for (const name of Object.keys(samples)) mutated(format, sample(name), name, 600);
});
