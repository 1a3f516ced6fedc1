import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import kmodel from "../../src/formats/kmodel.ts";
import { bytesOf, expectMutantsHandled, expectTruncationsTold, field, realModels } from "../support/sealed.ts";
import { version3, version4, version5, version6, version7 } from "./samples/kmodel.ts";

const read = (bytes: Uint8Array) => kmodel.read(modelFileOf(bytes, "x.kmodel"));
const rules = (bytes: Uint8Array) => read(bytes).integrity.map(({ rule }) => rule);

describe("kmodel", () => {
  it("reads version 3, which has no mark, by its name and a plausible header", () => {
    expect(kmodel.matches(modelFileOf(version3, "x.kmodel"))).toBe(1);
    expect(kmodel.matches(modelFileOf(version3, "x.bin"))).toBe(0);
    expect(kmodel.matches(modelFileOf(bytesOf(3, 77, 0, 2, 0, 0, 1), "x.kmodel"))).toBe(0);
    const model = read(version3);
    expect(model.integrity).toEqual([]);
    expect(model.targets).toEqual([{ family: "kendryte", says: "K210" }]);
    expect(model.graphs[0]?.nodes.map(({ spelled }) => spelled)).toEqual(["K210_CONV", "SOFTMAX"]);
  });

  it("reads version 4 with shapes", () => {
    const model = read(version4);
    expect(model.integrity).toEqual([]);
    expect(model.inputs).toEqual([{ name: "input 0", type: "uint8", shape: [1, 3, 2, 2] }]);
    expect(model.graphs[0]?.nodes[0]?.spelled).toBe("kpu_conv2d");
  });

  it("takes a last layer without its padding for whole, and pictures in the accelerator's rows", () => {
    // 28 + 8 + 2 x 8 = 52 bytes before the bodies, which end at 80, of which four are not written.
    const padded = bytesOf(3, 1, 0, 2, 100, 200, 1, 64, 40, 10240, 8, 15, 20, "commands", "a softmax's body");
    expect(read(padded).integrity.map(({ rule }) => rule)).toEqual(["extent/padding"]);
    expect(rules(padded.subarray(0, -1))).toContain("extent/past-end");
    const rows = (width: number, bytes: number) =>
      bytesOf(
        ...["LDMK", 4, 0, 1, 4, 99, 1, 1, 1, 0],
        ...[2, 1, 0, bytes, 1, 1, 28, width],
        ...[1, 0, 0, 40],
        ...["data", 0x2002, 4, "body"],
      );
    expect(rules(rows(80, 3584))).toEqual([]);
    expect(rules(rows(80, 3600))).toEqual(["extent/wrong-size"]);
  });

  it("reads modules of version 5 with their functions' shapes", () => {
    const model = read(version5);
    expect(model.integrity).toEqual([]);
    expect(model.inputs).toEqual([{ name: "input 0", type: "uint8", shape: [1, 3, 2, 2] }]);
    expect(model.outputs).toEqual([{ name: "output 0", type: "float32", shape: [1, 10] }]);
    expect(model.sections.slice(1).map(({ kind, bytes }) => [kind, bytes])).toEqual([
      ["weights", 8],
      ["code", 8],
    ]);
  });

  it("reads modules of versions 6 and 7", () => {
    for (const bytes of [version6, version7]) {
      const model = read(bytes);
      expect(model.integrity).toEqual([]);
      expect(model.targets).toEqual([{ family: "kendryte", chip: "k230", says: "k230" }]);
      expect(model.sections.at(-1)).toEqual({ name: "k230 .text", kind: "code", offset: bytes.length - 4, bytes: 4 });
    }
  });

  it("says what contradicts itself", () => {
    expect(rules(version3.subarray(0, -1))).toContain("extent/past-end");
    expect(rules(bytesOf(version3, "more"))).toContain("extent/trailing");
    expect(rules(bytesOf(3, 1, 0, 1, 0, 0, 1, 0, 0, 777, 0))).toContain("operator/unknown");
    expect(rules(version6.subarray(0, -1))).toContain("extent/past-end");
    expect(() => read(bytesOf("LDMK", 9, 0))).toThrow(/3 to 7 are known/);
  });

  it("names the modules of a version 5 of before its release", () => {
    const model = read(bytesOf("LDMK", 5, 0, 256, 0x19, 0, 0, 0, field("stackvm", 16), field("k210", 16)));
    expect(model.targets.map(({ says }) => says.split(" ")[0])).toEqual(["stackvm", "k210"]);
  });

  const real = realModels("kmodel");
  it.skipIf(real.length === 0)("reads every real file as its manifest says", () => {
    for (const { name, truth, file } of real) {
      const model = kmodel.read(file());
      expect(model.integrity, name).toEqual([]);
      expect(truth, name).toContain(`v${model.version}`);
      if (model.version === "3") {
        expect(truth, name).toContain(
          `layers ${model.metadata["layers"]}, main memory ${model.metadata["main memory bytes"]}, outputs ${model.outputs?.length}`,
        );
      }
      if (model.version === "4") expect(model.targets[0]?.says).toBe("K210");
      if (model.version === "5") {
        const modules = model.metadata["modules"]?.replace(/ \(.*?\)/g, "").replace(", ", " + ");
        expect(truth, name).toContain(`runtime module ${modules}`);
        expect(model.inputs?.length, name).toBe(1);
      }
    }
  });

  it.skipIf(real.length === 0)("tells truncations and survives mutants of real files", () => {
    for (const { name, bytes } of real) {
      expectTruncationsTold(kmodel, bytes(), name);
      expectMutantsHandled(kmodel, bytes(), name, 60);
    }
  });
});
