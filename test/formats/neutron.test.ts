import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import neutron from "../../src/formats/neutron.ts";
import tflite from "../../src/formats/tflite.ts";
import type { Model } from "../../src/model/graph.ts";
import { expectMutantsHandled } from "../support/sealed.ts";
import { neutron as build, samples } from "./samples/neutron-tflite.ts";

const read = (bytes: Uint8Array): Model => neutron.read(modelFileOf(bytes, "a.tflite"));
const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array();

describe("Neutron's models", () => {
  it("are told from plain TFLite by either name of the operator", () => {
    for (const name of Object.keys(samples)) {
      const file = modelFileOf(sample(name), name);
      expect([neutron.matches(file), tflite.matches(file)], name).toEqual([3, 2]);
    }
    const other = modelFileOf(build({ code: "NeutronGraph2" }), "a.tflite");
    expect(neutron.matches(other)).toBe(0);
  });

  it("tell microcode, weights and kernels apart, in the order of the inputs", () => {
    const bytes = sample("neutron.tflite");
    const model = read(bytes);
    expect(model.targets).toEqual([{ family: "nxp-neutron", says: "Neutron" }]);
    expect(model.metadata).toMatchObject({
      microcode_bytes: "64",
      weights_bytes: "320",
      kernels_bytes: "96",
      npu_operators: "1",
      cpu_operators: "1",
    });
    const first = (name: string, size: number): number | undefined =>
      bytes[model.sections.find((section) => section.name === name && section.bytes === size)?.offset ?? 0];
    expect([first("microcode", 64), first("weights", 320), first("kernels", 96)]).toEqual([1, 2, 3]);
  });

  it("that several operators share are counted once for each: which of them uses what cannot be seen", () => {
    expect(read(sample("neutron_mcu.tflite")).metadata["npu_operators"]).toBe("2");
  });

  it("without one of the parts are told", () => {
    const { integrity } = read(build({ constants: [new Uint8Array(8)] }));
    expect(integrity.map(({ rule }) => rule)).toContain("payload/none");
  });

  it("survive mutation", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(neutron, make(), name);
  });
});
