import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import nef from "../../src/formats/nef.ts";
import type { Model } from "../../src/model/graph.ts";
import { hasShared, unlessShared } from "../support/shared.ts";
import { attempt, expectMutantsHandled, expectTruncationsTold, realModels } from "../support/sealed.ts";
import { nef as build, setup520, words } from "./build/nef.ts";
import { samples } from "./samples/nef.ts";

const read = (bytes: Uint8Array, name = "x.nef"): Model => nef.read(modelFileOf(bytes, name));
const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array(0);
const errors = (model: Model): string[] =>
  model.integrity.filter((one) => one.severity === "error").map((one) => one.rule);
const ports = (list: Model["inputs"]): unknown[] =>
  (list ?? []).map(({ name, type, shape, quantization }) => [name, type, shape, quantization?.scale]);

describe("NEF", () => {
  it("reads the structs of a KL520's models: image, outputs with scale and radix", () => {
    const model = read(sample("kl520.nef"));
    expect(model.version).toBe("schema 0.9.1");
    expect(model.targets).toEqual([{ family: "kneron", chip: "kl520", says: "KL520" }]);
    expect(model.producer?.version).toBe("v0.9.0(aa7aed10)");
    expect(ports(model.inputs)).toEqual([
      ["input 0 of model 32", "int8", [1, 3, 200, 100], [1 / 256]],
      ["input 0 of model 5", "int8", [1, 1, 56, 56], [1 / 256]],
    ]);
    expect(ports(model.outputs)).toEqual([
      ["output 0 of model 32", "int8", [1, 8, 3, 4], [1 / (1.5 * 128)]],
      ["output 1 of model 32", "int8", [1, 6, 3, 4], [1 / (1.25 * 4)]],
      ["output 0 of model 5", "int8", [1, 2, 1, 1], [1 / 8]],
    ]);
    expect(model.metadata["names"]).toBe("a.piano.kdp520.onnx 4118, b.piano.kdp520.onnx 4118");
    expect(model.sections.filter(({ kind }) => kind === "weights").map(({ bytes }) => bytes)).toEqual([160, 160]);
    expect(model.metadata["checksum"]).toBe("CRC-32 of the file fits");
  });

  it("reads the structs of a KL720's models, 16 bits where the layout has them", () => {
    const model = read(sample("kl720.nef"));
    expect(model.version).toBe("schema 1.0.1");
    expect(model.targets[0]?.chip).toBe("kl720");
    expect(model.producer?.version).toBe("0.20.1");
    expect(ports(model.inputs)).toEqual([["input 0 of model 32771", "int8", [1, 3, 224, 224], [1 / 128]]]);
    expect(ports(model.outputs)).toEqual([["output 0 of model 32771", "int16", [1, 1000, 1, 1], [1 / 10]]]);
  });

  it("reads a setup that is a FlatBuffer: names, the ONNX's shapes, a scale for each channel", () => {
    const model = read(sample("kl630.nef"));
    expect(model.targets[0]?.chip).toBe("kl630");
    expect(ports(model.inputs)).toEqual([["images", "int8", [1, 3, 32, 48], [1 / 128]]]);
    expect(ports(model.outputs)).toEqual([
      ["boxes", "int16", [1, 6, 4, 4], [1 / 12]],
      ["many", "int8", [1, 2, 4, 4], [1 / 12, 3.2]],
    ]);
    expect(model.metadata["on the CPU"]).toBe("1 operators");
  });

  it("reads a KL730's own FlatBuffer: dimensions put in the ONNX's order, commands and weights of its cores", () => {
    const model = read(sample("kl730.nef"));
    // Schema 2.2.1 counts targets from one.
    expect(model.targets).toEqual([{ family: "kneron", chip: "kl730", says: "KL730" }]);
    expect(ports(model.inputs)).toEqual([["images", "int8", [1, 3, 32, 48], [1 / 128]]]);
    expect(ports(model.outputs)[1]).toEqual(["many", "int8", [1, 2, 4, 4], [1 / 12, 3.2]]);
    expect(model.metadata).toMatchObject({ "models' schema": "KNE 3.0.7", "on the CPU": "2 operators" });
    expect(model.sections.map(({ name, bytes }) => [name, bytes])).toEqual([
      ["commands of model 211", 4],
      ["weights of model 211", 40],
      ["commands of model 211", 2],
      ["constants of model 211", 3],
    ]);
  });

  it("says of an encrypted file what it is encrypted for, and reads no setup", () => {
    const model = read(sample("kl720-encrypted.nef"));
    expect(model.metadata).toMatchObject({ encrypted: "for one device", "KN number": "0x1234" });
    expect(model.inputs).toEqual([]);
    expect(model.unseen).toContain("inputs and outputs: the models are encrypted");
  });

  it("is told from other FlatBuffers and from a photograph of the same name", () => {
    const bytes = sample("kl520.nef");
    expect(nef.matches(modelFileOf(bytes, "model.bin"))).toBe(2);
    const named = Uint8Array.from(bytes);
    named.set(Buffer.from("TFL3"), 4);
    expect(nef.matches(modelFileOf(named, "x.nef"))).toBe(0);
    const nikon = new Uint8Array(4096);
    nikon.set(Buffer.from("MM\0*\0\0\0\x08"));
    expect(nef.matches(modelFileOf(nikon, "DSC_0001.NEF"))).toBe(0);
  });

  it("tells a changed byte of the weights by the CRC at the end", () => {
    const bytes = sample("kl730.nef");
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
    expect(errors(read(bytes))).toContain("checksum/mismatch");
  });

  it("tells what contradicts itself", () => {
    const setup = setup520([3, 8, 8], [1, 1, 1, 1, 1]);
    const one = { id: 7, commands: new Uint8Array(8), weights: new Uint8Array(8), setup };
    const broken = (change: Partial<Parameters<typeof build>[0]>): string[] =>
      errors(read(build({ target: 0, models: [one], ...change })));
    expect(broken({})).toEqual([]);
    expect(broken({ names: [["m.kdp720.onnx", 7, "1"]] })).toEqual(["target/contradiction"]);
    expect(
      broken({
        names: [
          ["a", 7, "1"],
          ["b", 8, "1"],
        ],
      }),
    ).toEqual(["graph/count"]);
    expect(broken({ models: [{ ...one, setup: setup.subarray(0, setup.length - 4) }] })).toEqual(["setup/contents"]);
    expect(broken({ models: [{ ...one, setup: words(0x8eb5a462, ...new Array<number>(17).fill(9)) }] })).toEqual([
      "setup/contents",
    ]);
    expect(broken({ models: [] })).toEqual(["graph/empty"]);
  });

  it.each(Object.keys(samples))("%s: cuts are told, mutants are handled", (name) => {
    expectTruncationsTold(nef, sample(name), name);
    expectMutantsHandled(nef, sample(name), name, 200);
  });
});

describe.skipIf(!hasShared)(`published NEF files${unlessShared}`, () => {
  it.each(realModels("nef").map((file): [string, typeof file] => [file.name, file]))("%s", (_, file) => {
    const model = nef.read(file.file());
    expect(file.truth).toContain(model.targets[0]?.says);
    expect(model.metadata["checksum"]).toBe("CRC-32 of the file fits");
    // A face detector and landmarks, as the sample beside it says of its images and results.
    expect(model.inputs?.map(({ shape }) => shape)).toEqual([
      [1, 3, 200, 200],
      [1, 3, 56, 56],
    ]);
    expect(model.outputs?.length).toBe(11);
    expect(model.metadata["model ids"]).toBe("32 5");
    const cut = attempt(nef, file.bytes().subarray(0, 500_000), "x.nef");
    expect(cut?.integrity.some(({ severity }) => severity === "error")).not.toBe(false);
  });
});
