/** ExecuTorch tensor data: both layouts, built here. */

import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import ptd from "../../src/formats/ptd.ts";
import { expectMutantsHandled } from "../support/sealed.ts";
import { samples } from "./samples/ptd.ts";

const read = (name: string) => ptd.read(modelFileOf(samples[name]?.() ?? new Uint8Array(0), name));

describe("ExecuTorch tensor data", () => {
  it("is tensors by name, where their bytes lie, and blobs of no type", () => {
    const model = read("weights.ptd");
    const base = model.sections.find(({ name }) => name === "data")?.offset ?? 0;
    expect(model.integrity).toEqual([]);
    expect(model.version).toBe("1");
    expect(model.graphs[0]?.tensors).toEqual([
      { name: "layer.weight", type: "float32", shape: [3, 8], data: { offset: base, bytes: 96 } },
      { name: "layer.bias", type: "float32", shape: [4], data: { offset: base + 128, bytes: 16 } },
      { name: "other.bias", type: "float32", shape: [4], data: { offset: base + 128, bytes: 16 } },
      { name: "packed", type: "unknown", spelled: "blob", data: { offset: base + 192, bytes: 10 } },
    ]);
  });

  it("is read in its layout of before June 2025 too, where tensors share a segment", () => {
    const model = read("weights-of-2025.ptd");
    const base = model.sections.find(({ name }) => name === "data")?.offset ?? 0;
    expect(model.integrity).toEqual([]);
    expect(model.graphs[0]?.tensors).toEqual([
      { name: "a", type: "int8", shape: [5], data: { offset: base, bytes: 5 } },
      { name: "b", type: "float32", shape: [2, 8], data: { offset: base + 32, bytes: 64 } },
      { name: "packed", type: "unknown", spelled: "blob", data: { offset: base + 192, bytes: 10 } },
    ]);
  });

  it("that lost its end says so", () => {
    const bytes = samples["weights.ptd"]?.() ?? new Uint8Array(0);
    const model = ptd.read(modelFileOf(bytes.subarray(0, bytes.length - 1), "x.ptd"));
    expect(model.integrity.map(({ rule }) => rule)).toContain("extent/past-end");
  });

  it.each(Object.keys(samples))("mutants of %s are described, refused or told within a second", (name) => {
    expectMutantsHandled(ptd, samples[name]?.() ?? new Uint8Array(0), name, 400);
  });
});
