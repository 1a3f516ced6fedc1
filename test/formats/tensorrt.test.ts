import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import tensorrt from "../../src/formats/tensorrt.ts";
import { expectMutantsHandled } from "../support/sealed.ts";
import { samples } from "./samples/tensorrt.ts";

const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array();
const read = (bytes: Uint8Array) => tensorrt.read(modelFileOf(bytes, "x.engine"));

describe("tensorrt", () => {
  it("tells release, serialization version and GPU of an archive of 8.2", () => {
    const model = read(sample("8.2.engine"));
    expect(model.integrity).toEqual([]);
    expect(model.version).toBe("205");
    expect(model.producer).toEqual({ name: "TensorRT", version: "8.2.1.8" });
    expect(model.targets).toEqual([{ family: "nvidia", chip: "tegra", says: "compute capability 5.3" }]);
    expect(model.requires).toEqual([{ what: "tensorrt-engine", relation: "exactly", version: "8.2.1" }]);
  });

  it("reads an archive of 7.1, whose header and tags are others", () => {
    const model = read(sample("7.1.trt"));
    expect(model.integrity).toEqual([]);
    expect(model.version).toBe("97");
    expect(model.producer?.version).toBe("7.1.3.0");
    expect(model.unseen.join()).toContain("DLA");
    expect(model.targets).toEqual([{ family: "nvidia", chip: "tegra", says: "compute capability 7.2" }]);
  });

  it("reads the containers of 8.6 and 10.15", () => {
    const newer = read(sample("8.6.plan"));
    expect(newer.integrity).toEqual([]);
    expect(newer.targets).toEqual([{ family: "nvidia", chip: "gpu", says: "compute capability 8.9" }]);
    expect(newer.requires).toEqual([{ what: "TensorRT", relation: "built by", version: "8.6.1" }]);
    const newest = read(sample("10.15.engine"));
    expect(newest.integrity).toEqual([]);
    expect(newest.version).toBe("240");
    expect(newest.targets).toEqual([{ family: "nvidia", chip: "gpu", says: "compute capability 8.6" }]);
    expect(newest.sections.map(({ name, kind }) => [name, kind])).toEqual([
      ["header", "metadata"],
      ["engine", "code"],
      ["weights", "weights"],
    ]);
  });

  it("takes no list for a size, and nothing of a description that nests without end", () => {
    const bytes = sample("yolo.engine");
    const old = Buffer.from(bytes.subarray(4, 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)));
    const nested = (deep: number) => {
      const json = Buffer.from(old.toString().replace("[640,640]", `[${"[".repeat(deep)}${"]".repeat(deep)},640]`));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(json.length);
      return read(Buffer.concat([length, json, bytes.subarray(4 + old.length)]));
    };
    expect(nested(20).metadata["image size"]).toBe("640");
    expect(nested(4000).metadata["image size"]).toBeUndefined();
    expect(nested(4000).integrity.map(({ rule }) => rule)).toEqual(["metadata/json"]);
  });

  it("reads what Ultralytics writes before the engine", () => {
    const model = read(sample("yolo.engine"));
    expect(model.integrity).toEqual([]);
    expect(model.labels).toEqual(["person", "bicycle"]);
    expect(model).toMatchObject({ author: "Ultralytics", licence: "AGPL-3.0" });
    expect(model.metadata).toMatchObject({ task: "detect", "image size": "640x640", "Ultralytics version": "8.2.58" });
    expect(model.producer?.version).toBe("8.6.1.6");
  });

  it("says that the GPU is not told where its properties are not", () => {
    const bytes = Buffer.from(sample("8.2.engine"));
    bytes.writeUInt32LE(0x18007, 24 + 20);
    bytes.writeUInt32LE(99, 24 + 24 + 4);
    const [target] = read(bytes).targets;
    expect(target).toEqual({ family: "nvidia", says: "an NVIDIA GPU, which one is not said" });
  });

  it("says when the end mark or a section is not where it should be", () => {
    const bytes = Buffer.from(sample("8.6.plan"));
    bytes[bytes.length - 1] = 0;
    expect(read(bytes).integrity.map(({ rule }) => rule)).toEqual(["header/mark"]);
    const wrong = Buffer.from(sample("8.6.plan"));
    wrong.writeBigUInt64LE(8n, 40);
    expect(read(wrong).integrity.map(({ rule }) => rule)).toContain("extent/overlap");
  });

  it("survives mutants", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(tensorrt, make(), name, 500);
  });
});
