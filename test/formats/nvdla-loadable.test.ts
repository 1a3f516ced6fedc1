import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import format from "../../src/formats/nvdla-loadable.ts";
import { FlatBuffer } from "../../src/formats/wire/flatbuffer.ts";
import { mutated } from "./build/broken.ts";
import { flatBuffer, struct, table, u16, u64, u8, vector } from "./build/flatbuffer.ts";
import { loadable } from "./samples/nvdla-loadable.ts";

const read = (bytes: Uint8Array) => format.read(modelFileOf(bytes, "net.nvdla"));
const rules = (bytes: Uint8Array): string[] => read(bytes).integrity.map(({ rule }) => rule);

describe("nvdla-loadable", () => {
  it("tells version, ports, memories and blobs", () => {
    const model = read(loadable());
    expect(model.version).toBe("0.7.0");
    expect(model.targets).toEqual([{ family: "nvdla", says: "DLA 0.11.0" }]);
    expect(model.inputs).toEqual([{ name: "data", type: "float16", shape: [1, 1, 28, 28] }]);
    expect(model.outputs).toEqual([{ name: "prob", type: "float16", shape: [1, 10, 1, 1] }]);
    expect(model.sections.map(({ name, kind, bytes }) => [name, kind, bytes])).toEqual([
      ["task-0-op_list", "code", 256],
      ["tb-0", "weights", 2048],
    ]);
    expect(model.metadata["system memory, bytes"]).toBe(String(256 + 2048 + 1568 + 32));
    expect(model.integrity).toEqual([]);
  });

  it("is known without a name, and other FlatBuffers are not it", () => {
    expect(format.matches(modelFileOf(loadable(), "x"))).toBe(2);
    const other = loadable({ 2: vector() });
    expect(format.matches(modelFileOf(other, "net.nvdla"))).toBe(0);
  });

  it("reads what a writer of 2017 made: a table counted without the struct at its end", () => {
    const bytes = flatBuffer(table({ 0: struct(u8(0), u8(7), u8(0)) }));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const root = view.getUint32(0, true);
    view.setUint16(root - view.getInt32(root, true) + 2, 4, true);
    const found = new FlatBuffer(modelFileOf(bytes, "x")).root();
    expect(found.buffer.bytes(found.struct(0, 3) ?? 0, 3)).toEqual(Uint8Array.of(0, 7, 0));
    expect(found.struct(1, 3)).toBeUndefined();
    expect(() => found.struct(0, 4000)).toThrow(/struct of 4000 bytes/u);
  });

  it("sees memories, addresses and tasks that name what is not there", () => {
    expect(rules(loadable({ 3: vector(table({ 0: u16(0), 1: u16(77) }), table({ 0: u16(1), 1: u16(1) })) }))).toEqual([
      "tensor/dangling",
    ]);
    const small = loadable({ 3: vector(table({ 0: u16(0), 1: u16(0), 3: u64(1) })) });
    expect(rules(small)).toContain("tensor/dangling");
    expect(rules(loadable({ 6: vector() }))).toEqual(["tensor/dangling", "tensor/dangling"]);
  });

  it("answers mutants with a model or a FileError", () => {
    mutated(format, loadable(), "net.nvdla", 600);
  });
});
