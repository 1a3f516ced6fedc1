import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import hwx from "../../src/formats/hwx.ts";
import type { Model } from "../../src/model/graph.ts";
import { expectMutantsHandled, realModels } from "../support/sealed.ts";
import { hwx as build, samples, stabs } from "./samples/hwx.ts";

const read = (bytes: Uint8Array): Model => hwx.read(modelFileOf(bytes, "a.hwx"));
const rules = (bytes: Uint8Array): string[] =>
  read(bytes)
    .integrity.filter(({ severity }) => severity === "error")
    .map(({ rule }) => rule);

describe("programs of Apple's Neural Engine", () => {
  it("say compiler, generation and chip", () => {
    const model = read(build());
    expect(model).toMatchObject({ sealed: true, version: "0001" });
    expect(model.producer).toEqual({ name: "zin_ane_compiler", version: "4.2.1" });
    expect(model.targets).toEqual([{ family: "apple-ane", chip: "t8103", says: "h13" }]);
    expect(model.metadata["subtype"]).toBe("H13");
    expect(model.metadata["options"]).toContain("--fspatial");
  });

  it("without a command line say the generation by their subtype, and no chip where none is known", () => {
    expect(read(build({ subtype: 7, ident: [] })).targets).toEqual([{ family: "apple-ane", says: "H16G" }]);
    expect(read(build({ subtype: 99, ident: [] })).targets[0]?.says).toBe("subtype 99");
    expect(read(build({ subtype: 7, ident: [] })).producer).toBeUndefined();
  });

  it("tell ports the engine reads from those it writes, with their shapes", () => {
    const { inputs, outputs } = read(build());
    expect(inputs).toEqual([{ name: "image", type: "float16", shape: [1, 3, 8, 16] }]);
    expect(outputs).toEqual([{ name: "scores", type: "int8", shape: [1, 10] }]);
  });

  it("without stabs have ports whose shape is not known", () => {
    const { inputs } = read(build({ stabs: [] }));
    expect(inputs?.map(({ name, shape }) => [name, shape])).toEqual([["image", undefined]]);
  });

  it("give program and weights as sections", () => {
    const bytes = build();
    const { sections } = read(bytes);
    const parts = sections.filter(({ kind }) => kind !== "metadata");
    expect(parts.map(({ name, kind, bytes: size }) => [name, kind, size])).toEqual([
      ["__TEXT __text", "code", 640],
      ["__TEXT __const", "weights", 320],
    ]);
    for (const { offset, bytes: size } of parts)
      expect(new Set(bytes.subarray(offset, offset + size))).toEqual(new Set([0x42]));
  });

  it.each([
    ["another processor", build({ cpu: 7 }), "header/cpu"],
    ["more commands than there are", build({ more: 1 }), "header/commands"],
    ["a section that leaves its segment", build({ beyond: 8 }), "extent/past-end"],
    ["a port without elements", build({ stabs: stabs.map((one) => one.replace("0;8;", "0;0;")) }), "shape/impossible"],
  ])("%s is an error", (_, bytes, rule) => {
    expect(rules(bytes)).toContain(rule);
  });

  it("more commands than any program has are refused", () => {
    expect(() => read(build({ more: 100_000 }))).toThrow(FileError);
  });

  it("survive mutation", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(hwx, make(), name);
  });
});

describe.each(realModels("ane-hwx"))("$name", ({ truth, file }) => {
  it("says what the manifest says", () => {
    const model = hwx.read(file());
    const [, compiler, target] = /compiler (\S+ v\S+), target -t (\S+)/.exec(truth) ?? [];
    expect(`${model.producer?.name} v${model.producer?.version}`).toBe(compiler);
    expect(model.targets.map(({ says }) => says)).toEqual([target]);
    const ports = [...(model.inputs ?? []), ...(model.outputs ?? [])];
    expect(ports.length).toBeGreaterThanOrEqual(2);
    for (const { type, shape } of ports) expect([type, (shape?.length ?? 0) > 0]).toEqual(["float16", true]);
    expect(model.sections.some(({ kind }) => kind === "code")).toBe(true);
  });
});
