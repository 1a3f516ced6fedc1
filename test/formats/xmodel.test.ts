import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import xmodel from "../../src/formats/xmodel.ts";
import { costOf, countOperators } from "../../src/model/cost.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { expectMutantsHandled } from "../support/sealed.ts";
import { samples } from "./samples/xmodel.ts";

const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array();
const read = (bytes: Uint8Array) => xmodel.read(modelFileOf(bytes, "x.xmodel"));

describe("xmodel", () => {
  it("tells DPU, compiler, devices, code and parameters of a compiled model", () => {
    const bytes = sample("compiled.xmodel");
    const model = read(bytes);
    expect(checkModel(model, bytes.length)).toEqual([]);
    expect(model.sealed).toBe(true);
    expect(model.producer).toEqual({ name: "xcompiler", version: "3.5.0" });
    expect(model.targets).toEqual([{ family: "xilinx-dpu", chip: "zynq", says: "DPUCZDX8G_ISA1_B4096" }]);
    expect(model.requires).toEqual([
      { what: "DPU fingerprint", relation: "exactly", version: "0x0101000016010407" },
      { what: "Vitis AI", relation: "built by", version: "3.5.0" },
    ]);
    expect(model.metadata).toMatchObject({ origin: "pytorch", devices: "USER 1, DPU 1, CPU 1" });
    expect(model.sections.map(({ kind, bytes: size }) => [kind, size])).toEqual([
      ["code", 48],
      ["weights", 448],
    ]);
  });

  it("shows the graph: fix points as scales, filters in their place, what goes in and out", () => {
    const model = read(sample("compiled.xmodel"));
    const [graph] = model.graphs;
    expect(graph?.inputs.map((index) => graph.tensors[index])).toEqual([
      {
        name: "in_fix",
        type: "int8",
        shape: [1, 8, 8, 3],
        quantization: { scale: [1 / 64], zeroPoint: [], scheme: "fix point 6" },
      },
    ]);
    expect(graph?.outputs.map((index) => graph.tensors[index]?.name)).toEqual(["mine"]);
    const conv = graph?.nodes.find(({ spelled }) => spelled === "conv2d-fix");
    expect(conv?.inputs.map((index) => graph?.tensors[index]?.name)).toEqual(["up", "w_fix", "b_fix"]);
    expect(conv?.attributes).toEqual({
      flag: true,
      big: 0xffff_ffff_ffff_ffffn,
      alpha: 0.125,
      scales: [0.5, 2],
      names: ["a", "b"],
      kernel: [3, 3],
    });
    expect(countOperators(model).find(({ op }) => op === "Conv")?.macs).toBe(6 * 6 * 16 * 27);
    expect(costOf(model)).toMatchObject({ macs_at_least: 6 * 6 * 16 * 27, custom: 1, parameters: 432 + 16 + 16 });
  });

  it("reads a quantised model that no DPU was named for", () => {
    const bytes = sample("quantised.xmodel");
    const model = read(bytes);
    expect(checkModel(model, bytes.length)).toEqual([]);
    expect(model.sealed).toBe(false);
    expect(model.targets).toEqual([]);
    expect(costOf(model).macs).toBe(16);
  });

  it("survives mutants", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(xmodel, make(), name, 500);
  });
});
