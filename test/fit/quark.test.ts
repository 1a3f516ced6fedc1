/** Graphs quantised as AMD's Quark does it: operators as many as ONNX Runtime counted in the logs of AMD's examples. */

import { describe, expect, test } from "vitest";
import { findKnown } from "../../src/fit/find-known.ts";
import { findSkeleton } from "../../src/fit/graphs.ts";
import { asQuark, quarkName, type QuarkForm } from "../../src/fit/quark.ts";
import { viewOf } from "../../src/fit/view.ts";
import type { Model } from "../../src/model/graph.ts";
import { schemeOf } from "../../src/model/quantization.ts";

function floatOf(name: string): Model {
  const model = findSkeleton(name) ?? findKnown(name)?.known.build({ dialect: "onnx" });
  if (model === undefined) throw new Error(`no ${name}`);
  return model;
}

function quantised(name: string, form: QuarkForm): Model {
  const model = asQuark(floatOf(name), form);
  if (model === undefined) throw new Error(`${name} cannot be quantised`);
  return model;
}

const countOf = ({ graphs: [graph] }: Model, spelled: string): number =>
  graph?.nodes.filter((node) => node.spelled === spelled).length ?? 0;

describe("quantised as Quark does it", () => {
  test.each([
    ["resnet18", 165, 166],
    ["resnet50", 394, 395],
    ["mobilenet_v2", 348, 349],
    ["efficientnet_b0", 972, 1054],
    ["efficientnet_b2", 1389, 1505],
    ["squeezenet1_1", 203, 204],
    ["torchvision_mobilenet_v3_small", 542, 580],
    ["torchvision_shufflenet_v2_x1_0", 616, 617],
  ])("%s has %i operators in A8W8 and A16W8, %i in XINT8", (name, scaled, powers) => {
    const counts = (["A8W8", "A16W8", "XINT8"] as const).map((form) => quantised(name, form).graphs[0]?.nodes.length);
    expect(counts).toEqual([scaled, scaled, powers]);
  });

  test("normalisations that stand alone become convolutions of one channel each, concatenations of one part vanish", () => {
    const model = quantised("torchvision_densenet121", "XINT8");
    expect(model.graphs[0]?.nodes.length).toBe(1705);
    expect([countOf(model, "Conv"), countOf(model, "BatchNormalization"), countOf(model, "Concat")]).toEqual([
      182, 0, 58,
    ]);
  });

  test("the graph is a whole one of QDQ, each operator before who takes from it", () => {
    const model = quantised("efficientnet_b0", "A16W8");
    expect(schemeOf(model)?.kind).toBe("qdq");
    const [graph] = model.graphs;
    const made = new Set(graph?.inputs);
    graph?.tensors.forEach(({ data }, at) => {
      if (data !== undefined) made.add(at);
    });
    for (const { inputs, outputs, spelled } of graph?.nodes ?? []) {
      expect(
        inputs.filter((input) => input >= 0 && !made.has(input)),
        spelled,
      ).toEqual([]);
      for (const output of outputs) made.add(output);
    }
    expect(graph?.outputs.every((output) => made.has(output))).toBe(true);
    expect(viewOf(model).views.every(({ broken }) => broken === undefined)).toBe(true);
    expect(graph?.tensors.some(({ type }) => type === "int16")).toBe(true);
  });

  test("what is quantised already, or no ONNX, is left alone", () => {
    const once = quantised("resnet18", "XINT8");
    expect(asQuark(once, "XINT8")).toBeUndefined();
    expect(asQuark({ ...floatOf("resnet18"), format: "tflite" }, "XINT8")).toBeUndefined();
  });

  test("a name says the form behind the model", () => {
    expect(quarkName("resnet18 XINT8")).toEqual({ name: "resnet18", form: "XINT8" });
    expect(quarkName("mobilenet_v2_A16W8")).toEqual({ name: "mobilenet_v2", form: "A16W8" });
    expect(quarkName("efficientnet_b0 XINT8_Quant")).toEqual({ name: "efficientnet_b0", form: "XINT8" });
    expect([quarkName("resnet18"), quarkName("XINT8"), quarkName("resnet18 w8a8")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
