import { describe, expect, it } from "vitest";
import axmodel from "../../src/formats/axmodel.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import onnx from "../../src/formats/onnx.ts";
import type { Model } from "../../src/model/graph.ts";
import { expectMutantsHandled, realModels } from "../support/sealed.ts";
import { axmodel as build, samples } from "./samples/axmodel.ts";

const read = (bytes: Uint8Array): Model => axmodel.read(modelFileOf(bytes, "a.axmodel"));
const bytes = samples["espcn.axmodel"]?.() ?? new Uint8Array();

describe("Axera's models", () => {
  it("are told from the ONNX they are wrapped in", () => {
    const file = modelFileOf(bytes, "a.onnx");
    expect([axmodel.matches(file), onnx.matches(file)]).toEqual([3, 2]);
  });

  it("say compiler and release, what goes in and out, and that no operator can be seen", () => {
    const model = read(bytes);
    expect(model).toMatchObject({ sealed: true, version: "IR 10", graphs: [] });
    expect(model.producer).toEqual({ name: "Pulsar2", version: "4.2" });
    expect(model.metadata["commit"]).toBe("751f68f9");
    expect(model.inputs).toMatchObject([{ name: "image", type: "uint8", shape: [1, 8, 8, 3] }]);
    expect(model.outputs).toMatchObject([{ name: "scores", type: "float32", shape: [1, 10] }]);
    expect(model.targets.map(({ family }) => family)).toEqual(["axera"]);
  });

  it("give the program and its parameters as sections", () => {
    const { sections } = read(bytes);
    expect(sections.filter(({ kind }) => kind === "code")).toMatchObject([
      { name: "subgraph_npu_0_b1_neu", bytes: 700 },
    ]);
    const weights = sections.filter(({ kind }) => kind === "weights");
    expect(weights).toMatchObject([{ name: "npu_params", bytes: 900 }]);
    expect(sections.reduce((sum, one) => sum + one.bytes, 0)).toBe(bytes.length);
  });

  it("of a compiler that says no version have none", () => {
    expect(read(build({ doc: "" })).producer).toEqual({ name: "Pulsar2" });
  });

  it("survive mutation", () => {
    expectMutantsHandled(axmodel, bytes, "a.axmodel");
  });
});

describe.each(realModels("axmodel"))("$name", ({ name, file }) => {
  it("says release, program and parameters", () => {
    const model = axmodel.read(file());
    expect(model.producer).toEqual({ name: "Pulsar2", version: "4.2-dirty" });
    expect(model.metadata["commit"]).toBe("5e72cf06-dirty");
    const [scale = 1] = /x(\d)/.exec(name)?.slice(1).map(Number) ?? [];
    expect(model.inputs?.[0]?.shape).toEqual([1, 192, 256, 1]);
    expect(model.outputs?.[0]?.shape).toEqual([1, 192 * scale, 256 * scale, 1]);
    expect(model.sections.filter(({ kind }) => kind === "code").length).toBe(1);
    expect(model.sections.find(({ kind }) => kind === "weights")?.name).toBe("npu_params");
  });
});
