import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import neff from "../../src/formats/neff.ts";
import { expectMutantsHandled } from "../support/sealed.ts";
import { entry, header, samples } from "./samples/neff.ts";

const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array();
const read = (bytes: Uint8Array) => neff.read(modelFileOf(bytes, "x.neff"));

describe("neff", () => {
  it.each(["packed.neff", "plain.neff"])("tells header, ports and sizes of %s", (name) => {
    const model = read(sample(name));
    expect(model.integrity).toEqual([]);
    expect(model.version).toBe("2.0");
    expect(model.targets).toMatchObject([{ family: "aws-neuron" }]);
    expect(model.inputs).toEqual([{ name: "input.1", type: "unknown", spelled: "602112 bytes" }]);
    expect(model.outputs).toEqual([{ name: "output.9", type: "unknown", spelled: "4000 bytes" }]);
    expect(model.metadata).toMatchObject({
      name: "resnet",
      build: "2.0.21884.0%kaena-tools/develop@6c66f4b",
      "NeuronCores needed": "1",
      "NeuronCores asked for": "2",
      "logical core size": "2",
      "feature bits": "0x5",
      subgraphs: "1",
      files: "4",
      "code bytes (sg*/*.bin), unpacked": "700",
      "weight bytes (.npy), unpacked": "96",
    });
  });

  it("says what is broken inside the archive", () => {
    const bytes = Buffer.from(sample("plain.neff"));
    bytes[1024 + 5] = 0x21;
    expect(read(bytes).integrity.map(({ rule }) => rule)).toEqual(["archive/broken"]);
    const packed = Buffer.from(sample("packed.neff"));
    packed.fill(0xff, 1060, 1070);
    expect(read(packed).integrity.map(({ rule }) => rule)).toContain("archive/broken");
  });

  it("calls an archive that unpacks to more than is looked into neither whole nor broken", () => {
    const tar = Buffer.concat([entry("neff.json", "{}"), entry("w.npy", Buffer.alloc(40_000_000)), Buffer.alloc(1024)]);
    const packed = gzipSync(tar);
    const model = read(Buffer.concat([header(2, packed.length), packed]));
    expect(model.integrity).toEqual([]);
    expect(model.unseen.join()).toContain("no more of it is unpacked");
  });

  it("survives mutants", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(neff, make(), name, 500);
  });
});
