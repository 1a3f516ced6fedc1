import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import ttnn from "../../src/formats/ttnn.ts";
import { expectMutantsHandled, expectTruncationsTold, realModels } from "../support/sealed.ts";
import { metal, old, recent } from "./samples/ttnn.ts";

const commit = "e791b09944cbb9188b7fddad6172168ddafe8bd1";
const read = (bytes: Uint8Array) => ttnn.read(modelFileOf(bytes, "x.ttnn"));

describe("TTNN", () => {
  it("tells version, commit, chip, inputs and outputs in each schema's numbering", () => {
    for (const bytes of [old, recent]) {
      const model = read(bytes);
      expect(model.integrity).toEqual([]);
      expect(model.version).toBe("TTNN, 0.2.65");
      expect(model.requires).toEqual([{ what: "tt-mlir", relation: "built by", version: commit }]);
      expect(model.targets).toEqual([{ family: "tenstorrent", chip: "blackhole", says: "blackhole" }]);
      expect(model.metadata["core grid"]).toBe("10x13");
      expect(model.inputs).toEqual([{ name: "arg0", type: "bfloat16", shape: [2, 3] }]);
      expect(model.outputs).toEqual([{ name: "result0", type: "float32", shape: [2, 3] }]);
      expect(model.graphs[0]?.nodes.map(({ spelled }) => spelled)).toEqual(["ttnn.to_layout", "ttnn.relu"]);
    }
  });

  it("reads TTMetal's container beside it", () => {
    const model = read(metal);
    expect(ttnn.matches(modelFileOf(metal, "x.ttm"))).toBe(2);
    expect(model.integrity).toEqual([]);
    expect(model.producer?.version).toBe(commit);
    expect(model.targets[0]?.chip).toBe("blackhole");
    expect(model.inputs?.[0]?.shape).toEqual([2, 3]);
  });

  const real = realModels("ttnn");
  it.skipIf(real.length === 0)("reads every real file as its manifest says", () => {
    for (const { name, truth, file } of real) {
      const model = ttnn.read(file());
      expect(model.integrity, name).toEqual([]);
      expect(truth, name).toContain(`tt-mlir commit ${model.producer?.version}; arch ${model.targets[0]?.says}`);
      expect(model.targets[0]?.chip).toBe("wormhole");
      const type = /matmul|sum/.test(name) ? "bfloat16" : "float32";
      expect(new Set(model.inputs?.map((one) => one.type)), name).toEqual(new Set([type]));
      expect(
        model.outputs?.map((one) => one.type),
        name,
      ).toEqual([type]);
      expect(
        model.graphs[0]?.nodes.every(({ spelled }) => spelled.startsWith("ttnn.")),
        name,
      ).toBe(true);
    }
  });

  it("tells truncations and survives mutants", () => {
    for (const bytes of [old, recent, metal]) expectMutantsHandled(ttnn, bytes, "x.ttnn", 300);
    for (const { name, bytes } of real) {
      expectTruncationsTold(ttnn, bytes(), name);
      expectMutantsHandled(ttnn, bytes(), name, 200);
    }
  });
});
