import { describe, expect, it } from "vitest";
import format from "../../src/formats/anec.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import { mutated } from "./build/broken.ts";
import { buildAnec } from "./samples/anec.ts";

const read = (bytes: Uint8Array) => format.read(modelFileOf(bytes, "net.anec"));
const rules = (bytes: Uint8Array): string[] => read(bytes).integrity.map(({ rule }) => rule);
const matches = (bytes: Uint8Array) => format.matches(modelFileOf(bytes, "x"));

describe("anec", () => {
  it("tells ports, tasks and constants", () => {
    const model = read(buildAnec());
    expect(model.inputs).toEqual([
      { name: "src0", type: "float16", shape: [1, 64, 1, 1] },
      { name: "src1", type: "float16", shape: [1, 3, 40, 40] },
    ]);
    expect(model.outputs).toEqual([{ name: "dst0", type: "float16", shape: [1, 64, 1, 1] }]);
    expect(model.metadata).toMatchObject({ tasks: "2", "memory of all channels, bytes": String(5 * 16_384) });
    expect(model.sections.map(({ name, offset, bytes }) => [name, offset, bytes])).toEqual([
      ["header", 0, 1704],
      ["tasks", 4096, 1256],
      ["constants", 4096 + 1264, 512],
    ]);
    expect(model.integrity).toEqual([]);
  });

  it("finds contents behind either header, in cut files too", () => {
    const short = buildAnec({ header: 0x800 });
    expect(read(short).metadata["contents begin at"]).toBe("2048");
    expect(read(short.subarray(0, short.length - 9)).metadata["contents begin at"]).toBe("2048");
    expect(rules(short.subarray(0, short.length - 9))).toEqual(["extent/past-end"]);
    expect(read(buildAnec().subarray(0, 4200)).metadata["contents begin at"]).toBe("4096");
  });

  it("is known by sizes that agree, not by its name", () => {
    expect(matches(buildAnec())).toBe(2);
    expect(matches(buildAnec({ header: 0x800 }))).toBe(2);
    for (const other of [buildAnec({ tiles: { 0: 2 } }), buildAnec({ inputs: 29 }), buildAnec({ more: 10_000 })]) {
      expect(matches(other)).toBe(0);
    }
    expect(matches(new Uint8Array(8192))).toBe(0);
  });

  it.each([
    ["a port larger than its memory", { shapes: { 5: [1, 640, 1, 1, 64, 64] } }, "extent/past-end"],
    ["rows shorter than their elements", { shapes: { 6: [1, 3, 40, 40, 5120, 64] } }, "shape/impossible"],
    ["a port without a shape", { shapes: { 4: [0, 0, 0, 0, 0, 0] } }, "shape/impossible"],
    ["constants that do not fit", { more: 4096 }, "extent/wrong-size"],
  ] as const)("finds %s", (_, asked, rule) => {
    expect(rules(buildAnec(asked))).toEqual([rule]);
  });

  it("refuses more ports than there are channels", () => {
    expect(() => read(buildAnec({ outputs: 27 }))).toThrow(/32 channels/u);
  });

  it("answers mutants with a model or a FileError", () => {
    mutated(format, buildAnec(), "net.anec", 600);
  });
});
