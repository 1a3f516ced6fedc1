import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import vela from "../../src/formats/vela.ts";
import { costOf } from "../../src/model/cost.ts";
import type { Model } from "../../src/model/graph.ts";
import { bytesOf, expectMutantsHandled, realModels } from "../support/sealed.ts";
import { compiled } from "./build/tflite.ts";
import { config, samples, stream, vela as build } from "./samples/vela-tflite.ts";

const read = (bytes: Uint8Array): Model => vela.read(modelFileOf(bytes, "a_vela.tflite"));
const sample = (name: string): Model => read(samples[name]?.() ?? new Uint8Array());
const errors = (model: Model): string[] =>
  model.integrity.filter(({ severity }) => severity === "error").map(({ rule, says }) => `${rule}: ${says}`);

describe("Vela's models", () => {
  it("say product and size of the NPU from the command stream", () => {
    expect(sample("u55_vela.tflite").targets).toEqual([
      { family: "ethos-u", says: "ethos-u55-128", not: ["u65", "u85"] },
    ]);
    expect(sample("u65_vela.tflite").targets).toEqual([
      { family: "ethos-u", chip: "u65", says: "ethos-u65-512", not: ["u85"] },
    ]);
    expect(sample("u85_vela.tflite").targets).toEqual([
      { family: "ethos-u", chip: "u85", says: "ethos-u85-1024", not: ["u65"] },
    ]);
    expect(sample("u55_vela.tflite").metadata).toMatchObject({
      macs_per_cycle: "128",
      shram_kib: "24",
      architecture: "1.0.6",
      command_bytes: "96",
      packed_weight_bytes: "480",
      npu_operators: "1",
      cpu_operators: "1",
    });
    expect(sample("u65_vela.tflite").metadata["npu_operators"]).toBe("3");
  });

  it("say the release from their metadata, else from the description, else not", () => {
    expect(sample("u55_vela.tflite").producer).toEqual({ name: "Vela", version: "3.12.0" });
    expect(sample("u65_vela.tflite").producer).toEqual({ name: "Vela", version: "4.1.0" });
    expect(sample("u85_vela.tflite").producer).toEqual({ name: "Vela" });
  });

  it("give command stream and packed weights as sections", () => {
    const { sections } = sample("u55_vela.tflite");
    expect(sections.filter(({ kind }) => kind === "code").map(({ bytes }) => bytes)).toEqual([24 + 96]);
    expect(sections.filter(({ name }) => name === "packed weights").map(({ bytes }) => bytes)).toEqual([480]);
  });

  it("count no operations", () => {
    expect(costOf(sample("u85_vela.tflite")).macs).toBeUndefined();
  });

  it.each([
    ["a stream that says more than there is", stream(config(0, 64), 8, 64), "stream/broken"],
    ["a variant nobody makes", stream(config(0, 512)), "stream/broken"],
    ["a product nobody makes", stream(config(7, 64)), "stream/broken"],
    ["no mark of a stream", bytesOf("COP2", 2), "stream/broken"],
    ["an unknown action", bytesOf("COP1", 77, 0), "stream/broken"],
    ["actions and no stream", bytesOf("COP1", 5, 5, 5), "stream/broken"],
  ])("%s is an error", (_, program, rule) => {
    expect(errors(read(build(program))).some((says) => says.startsWith(rule))).toBe(true);
  });

  it("an operator without a command stream is an error", () => {
    expect(errors(read(compiled({ code: "ethos-u" })))).toEqual([
      "stream/none: an ethos-u operator has no command stream",
    ]);
  });

  it("survive mutation", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(vela, make(), name);
  });
});

describe.each(realModels("tflite-vela"))("$name", ({ truth, file }) => {
  it("says what the manifest says", () => {
    const model = vela.read(file());
    const [, streams, macs, product] = /command streams (\d+), MACs (\d+), product (\d)/.exec(truth) ?? [];
    if (streams !== undefined) expect(model.metadata["npu_operators"]).toBe(streams);
    if (macs !== undefined) expect(model.metadata["macs_per_cycle"]).toBe(macs);
    // The U55 is on microcontrollers only: no chip of the catalogue
    if (product !== undefined) expect(model.targets[0]?.chip).toBe([undefined, "u65", "u85"][Number(product)]);
    if (product === "0") expect(model.targets[0]?.says).toBe(`ethos-u55-${macs}`);
    const architecture = /arch ([\d.]+)/.exec(truth)?.[1];
    if (architecture !== undefined) expect(model.metadata["architecture"]).toBe(architecture);
    const release = /description 'Vela (\d\S*) Optimised'/.exec(truth)?.[1];
    if (release !== undefined) expect(model.producer?.version).toBe(release);
    const [, type, name] = /inputs \[\('(\w+)', \[[\d, ]*\], '([^']*)'\)\]/.exec(truth) ?? [];
    const graph = model.graphs[0];
    if (name !== undefined) {
      expect(graph?.tensors[graph.inputs[0] ?? -1]).toMatchObject({ name, type: type === "i8" ? "int8" : type });
    }
    expect(truth).toContain("ethos-u");
    expect(errors(model)).toEqual([]);
  });
});
