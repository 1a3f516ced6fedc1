import { describe, expect, it } from "vitest";
import edgetpu from "../../src/formats/edgetpu.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import tflite from "../../src/formats/tflite.ts";
import { costOf } from "../../src/model/cost.ts";
import type { Model } from "../../src/model/graph.ts";
import { expectMutantsHandled, realModels } from "../support/sealed.ts";
import { flexMap } from "./build/tflite.ts";
import { edgeTpu, packageOf, samples, STAND_ALONE } from "./samples/edgetpu-tflite.ts";

const read = (bytes: Uint8Array): Model => edgetpu.read(modelFileOf(bytes, "a_edgetpu.tflite"));
const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array();
const rules = (model: Model): string[] =>
  model.integrity.filter(({ severity }) => severity === "error").map(({ rule }) => rule);

describe("Edge TPU models", () => {
  it("are TFLite with an operator that says so", () => {
    const file = modelFileOf(sample("cached_edgetpu.tflite"), "a.tflite");
    expect([edgetpu.matches(file), tflite.matches(file)]).toEqual([3, 2]);
  });

  it("say compiler, runtime, chip, and what stays in its memory", () => {
    const model = read(sample("cached_edgetpu.tflite"));
    expect(model.sealed).toBe(true);
    expect(model.producer).toEqual({ name: "edgetpu_compiler", version: "16.0.384591198" });
    expect(model.requires).toEqual([{ what: "Edge TPU runtime", relation: "at least", version: "14" }]);
    expect(model.targets).toEqual([{ family: "coral", says: "beagle" }]);
    expect(model.metadata).toMatchObject({
      executables: "PARAMETER_CACHING, EXECUTION_ONLY",
      parameters_on_chip_bytes: "640",
      parameters_off_chip_bytes: "0",
      instruction_bytes: "208",
      scratch_bytes: "256",
      estimated_cycles: "1234",
      parameter_caching_token: "feed",
      model_identifier: "mobile",
      cpu_operators: "1",
    });
  });

  it("give instructions and parameters as sections, inside the graph's", () => {
    const bytes = sample("cached_edgetpu.tflite");
    const { sections } = read(bytes);
    const code = sections.filter(({ kind }) => kind === "code");
    expect(code.map((section) => section.bytes)).toEqual([48, 128, 32]);
    for (const { offset, bytes: size } of code)
      expect(new Set(bytes.subarray(offset, offset + size))).toEqual(new Set([0x5a]));
    const weights = sections.find(({ kind }) => kind === "weights");
    expect(weights?.bytes).toBe(640);
    expect(new Set(bytes.subarray(weights?.offset, (weights?.offset ?? 0) + 640))).toEqual(new Set([0xa5]));
    expect(sections.reduce((sum, one) => sum + one.bytes, 0)).toBe(bytes.length);
  });

  it("of several chips hold a package for each", () => {
    const { metadata } = read(sample("two_edgetpu.tflite"));
    expect(metadata["executables"]?.split(", ").length).toBe(4);
    expect(metadata["virtual_chip_id"]).toBe("1, 0");
  });

  it("count no operations: what the chip does cannot be seen", () => {
    const cost = costOf(read(sample("cached_edgetpu.tflite")));
    expect(cost.macs).toBeUndefined();
    expect(cost.custom).toBe(1);
  });

  it("without a package, or with a broken one, are told", () => {
    expect(rules(read(edgeTpu(flexMap({ "1": new Uint8Array(4) }))))).toEqual(["package/broken"]);
    expect(rules(read(edgeTpu(new Uint8Array([1, 2, 3]))))).toEqual(["package/broken"]);
    const other = packageOf([{ type: STAND_ALONE, code: [8] }], [], "DWN2");
    expect(rules(read(edgeTpu(flexMap({ "4": other }))))).toEqual(["package/broken"]);
  });

  it("survive mutation", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(edgetpu, make(), name);
  });
});

describe.each(realModels("tflite-edgetpu").filter(({ name }) => name.endsWith("_edgetpu.tflite")))(
  "$name",
  ({ truth, file }) => {
    it("says what the manifest says", () => {
      const model = edgetpu.read(file());
      const [, at] = /EDGE TPU package at (\d+)/.exec(truth) ?? [];
      expect(at, truth).toBeDefined();
      // The package begins where the manifest says, and what is in it lies behind
      const inner = model.sections.filter(({ kind }) => kind === "code");
      expect(inner.length).toBeGreaterThan(0);
      for (const { offset } of inner) expect(offset).toBeGreaterThan(Number(at));
      const compiler = /compiler '(.*?)'/.exec(truth)?.[1];
      if (compiler !== undefined) expect(model.metadata["compiler_version"]).toBe(compiler);
      const custom = /'edgetpu-custom-op': (\d+)/.exec(truth)?.[1];
      const nodes = model.graphs.flatMap((graph) => graph.nodes);
      expect(nodes.filter(({ spelled }) => spelled === "edgetpu-custom-op").length).toBe(Number(custom));
      expect(
        Number(model.metadata["parameters_on_chip_bytes"]) + Number(model.metadata["parameters_off_chip_bytes"]),
      ).toBeGreaterThan(0);
      expect(model.sealed).toBe(true);
    });
  },
);
