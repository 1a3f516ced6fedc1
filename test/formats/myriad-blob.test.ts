import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import { bytesOf as tensorBytes } from "../../src/model/graph.ts";
import myriad from "../../src/formats/myriad-blob.ts";
import { bytesOf, expectMutantsHandled, expectTruncationsTold, realModels } from "../support/sealed.ts";
import { myriad as build } from "./samples/myriad-blob.ts";

const read = (bytes: Uint8Array) => myriad.read(modelFileOf(bytes, "x.blob"));

describe("Myriad blob", () => {
  it("tells version, cores, inputs and outputs", () => {
    expect(myriad.matches(modelFileOf(build(), "any name"))).toBe(2);
    const model = read(build());
    expect(model.integrity).toEqual([]);
    expect(model.version).toBe("2021.4");
    expect(model.targets).toEqual([{ family: "movidius", chip: "myriad-x", says: "Myriad X, 6 SHAVE cores" }]);
    expect(model.requires).toEqual([{ what: "OpenVINO", relation: "built by", version: "2021.4" }]);
    expect(model.inputs).toEqual([{ name: "data", type: "uint8", shape: [1, 3, 4, 8] }]);
    expect(model.outputs).toEqual([{ name: "prob", type: "float16", shape: [1, 10] }]);
  });

  it("has the names of ports once more behind it from 2022.1 on", () => {
    const named = (version: number, outputs: number) =>
      read(Buffer.concat([build({ 2: version, 3: 1 }), bytesOf(1, outputs, "names of the ports")]));
    expect(named(2022, 1).integrity[0]?.says).toContain("the ports once more");
    expect(named(2022, 1).producer?.version).toBe("2022.1");
    expect(named(2022, 1).sections.at(-1)).toMatchObject({ name: "names of ports", kind: "metadata" });
    for (const other of [named(2022, 2), named(2021, 1)]) {
      expect(other.integrity.map(({ severity, says }) => [severity, says])).toEqual([
        ["note", "26 bytes after what the header declares"],
      ]);
      expect(other.sections.map(({ name }) => name)).not.toContain("names of ports");
    }
  });

  it("says what contradicts itself", () => {
    const rules = (changes: Readonly<Record<number, number>>) => read(build(changes)).integrity.map(({ rule }) => rule);
    expect(rules({ 1: 1_000_000 })).toContain("extent/past-end");
    expect(rules({ 4: 2 })).toContain("tensor/count");
    expect(rules({ 6: 500 })).toContain("extent/wrong-size");
    expect(rules({ 12: 99 })).toContain("header/cores");
    expect(rules({ 16: 4000 })).toContain("extent/order");
  });

  const real = realModels("myriad-blob");
  it.skipIf(real.length === 0)(
    "reads every real file as its manifest says, with shapes that fill the declared bytes",
    () => {
      for (const { name, truth, file } of real) {
        const model = myriad.read(file());
        const cores = model.metadata["SHAVE cores"];
        expect(truth, name).toContain(
          `blob version ${model.version}; inputs ${model.inputs?.length} outputs ${model.outputs?.length} ` +
            `stages ${model.metadata["stages"]}; SHAVEs ${cores}; `,
        );
        expect(
          model.integrity.some(({ rule }) => rule === "extent/trailing"),
          name,
        ).toBe(truth.includes("!= file size"));
        expect(
          model.integrity.filter(({ severity }) => severity === "error"),
          name,
        ).toEqual([]);
        const bytes = (model.outputs ?? []).reduce((sum, one) => sum + (tensorBytes(one) ?? NaN), 0);
        const declared = Number(model.metadata["output bytes"]);
        expect(declared - bytes, name).toBeGreaterThanOrEqual(0);
        expect(declared - bytes, name).toBeLessThan(256);
      }
    },
  );

  it.skipIf(real.length === 0)("tells truncations and survives mutants of real files", () => {
    for (const { name, bytes } of real) {
      // What lies after the declared end may be cut without loss.
      const model = myriad.read(modelFileOf(bytes(), name));
      const whole = bytes().subarray(0, model.integrity.find(({ rule }) => rule === "extent/trailing")?.offset);
      expectTruncationsTold(myriad, whole, name);
      expectMutantsHandled(myriad, whole, name, 100);
    }
  });
});
