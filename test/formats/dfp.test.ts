import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import format from "../../src/formats/dfp.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import { mutated } from "./build/broken.ts";
import { program, sixth } from "./build/dfp.ts";
import { samples, six } from "./samples/dfp.ts";

const read = (bytes: Uint8Array) => format.read(modelFileOf(bytes, "net.dfp"));
const sample = (name: string): Buffer => Buffer.from(samples[name]?.() ?? []);
const rules = (bytes: Uint8Array): string[] => read(bytes).integrity.map(({ rule }) => rule);

describe("dfp", () => {
  it("tells compiler, chips and ports of version 6", () => {
    const model = read(sample("six.dfp"));
    expect(model.version).toBe("6.1");
    expect(model.producer).toEqual({ name: "MemryX neural compiler", version: "2.1.1" });
    expect(model.targets).toEqual([{ family: "memryx", chip: "mx3", says: "Cascade+ (generation 3.1)" }]);
    expect(model.inputs).toEqual([
      { name: "images", type: "uint8", shape: [224, 224, 1, 3] },
      { name: "crop", type: "float32", shape: [64, 64, 1, 3] },
    ]);
    expect(model.outputs).toEqual([
      { name: "boxes", type: "bfloat16", shape: [1, 1, 1, 400] },
      { name: "scores", type: "block", spelled: "GBF80", shape: [1, 1, 1, 10] },
    ]);
    expect(model.metadata).toEqual({ chips: "2", compiled: "2025-03-04T05:06:07", models: "2" });
    const sizes = model.sections.map(({ kind, bytes }) => [kind, bytes]);
    expect(sizes.slice(1, 4)).toEqual([
      ["weights", 2048],
      ["code", 512],
      ["code", 256],
    ]);
    expect(model.integrity).toEqual([]);
  });

  it.each([
    ["five.dfp", "5", "mx3", "4"],
    ["oldest.dfp", "before 3", undefined, "1"],
  ])("reads %s", (name, version, chip, chips) => {
    const model = read(sample(name));
    expect([model.version, model.targets[0]?.chip, model.metadata.chips]).toEqual([version, chip, chips]);
    expect(model.inputs).toEqual([{ name: "input", type: "unknown", spelled: "YUV422", shape: [160, 160, 1, 3] }]);
    expect(model.outputs).toEqual([{ name: "out", type: "float32", shape: [1, 1, 1, 21] }]);
    expect(model.metadata["compiler arguments"]).toBe("-m mobilenet.onnx -c 4");
    expect(model.integrity).toEqual([]);
  });

  it("knows one by its layout, not by its name alone", () => {
    const match = (bytes: Uint8Array, name: string): number => format.matches(modelFileOf(bytes, name));
    expect(match(sample("six.dfp"), "net.bin")).toBe(2);
    expect(match(sample("five.dfp"), "net.bin")).toBe(1);
    expect(match(sample("oldest.dfp"), "net.bin")).toBe(0);
    expect(match(Buffer.alloc(4096, 6), "net.dfp")).toBe(0);
  });

  it("sees what the runtime refuses", () => {
    expect(rules(sixth({ ...six, num_inports: { u8: 2 } }))).toEqual(["port/count"]);
    expect(rules(sixth({ ...six, sim_meta: { dict: { intgen: { u8: 5 }, num_mpus: { u8: 1 } } } }))).toEqual([
      "target/unknown",
    ]);
    expect(rules(sixth({ ...six, outport_info: { type: 0x01, list: [] }, num_outports: { u8: 0 } }))).toEqual([
      "port/models",
    ]);
    expect(rules(sixth({ ...six, hw_dfp: { u8: 1 } }))).toEqual(["header/malformed"]);
    const without = Object.fromEntries(Object.entries(six).filter(([key]) => key !== "hw_dfp"));
    expect(rules(sixth(without))).toEqual(["header/missing"]);
    expect(rules(sixth({ ...six, hw_dfp: { bin: program(100, [40]).subarray(0, -1) } }))).toEqual(["extent/past-end"]);
    expect(rules(sixth({ ...six, hw_dfp: { bin: program(100, []) } }))).toEqual(["program/empty"]);
  });

  it("gives up where nesting or a type cannot be", () => {
    let deep: Parameters<typeof sixth>[0] = { end: { u8: 1 } };
    for (let level = 0; level < 20; level++) deep = { inner: { dict: deep } };
    expect(() => read(sixth(deep))).toThrow(FileError);
    const bytes = sample("six.dfp");
    bytes[9 + 4 + 64] = 0x99;
    expect(() => read(bytes)).toThrow(FileError);
  });

  it("answers mutants with a model or a FileError", () => {
    for (const name of Object.keys(samples)) mutated(format, sample(name), name, 400);
  });
});
