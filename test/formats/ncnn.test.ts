import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf, openModelFile } from "../../src/formats/file.ts";
import format from "../../src/formats/ncnn.ts";
import bin from "../../src/formats/ncnn-bin.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";
import { mutated, truncated } from "./build/broken.ts";

const read = (text: string, name = "/a/net.param") => format.read(modelFileOf(Buffer.from(text), name));
const rules = (text: string): string[] => read(text).integrity.map(({ rule }) => rule);

const small = `7767517
4 4
Input            data   0 1 data 0=224 1=224 2=3
Convolution      conv   1 1 data a 0=16 1=3 11=3 5=1 6=432 8=2 -23330=4,3,222,222,16
BatchNorm        bn     1 1 a b 0=16 1=1e-5
Slice            slice  1 1 b c -23300=2,8,-233 1=0
`;

const pnnx = `7767517
3 2
pnnx.Input       in     0 1 0 #0=(1,3,?,224)f32
nn.Conv2d        conv_0 1 1 0 1 bias=True kernel_size=(3,3) @bias=(16)f32 @weight=(16,3,3,3)f32 $input=0 #1=(1,16,?,222)f32
pnnx.Output      out    1 0 1 #1=(1,16,?,222)f32
`;

describe("ncnn", () => {
  it("reads layers, blobs, shapes and parameters by name", () => {
    const model = read(small);
    expect(model.integrity).toEqual([]);
    expect(model.needs).toEqual(["net.bin"]);
    expect(model.metadata).toEqual({ parameters: String(432 + 16 + 64), quantisation: "int8 in 1 layers" });
    const [graph] = model.graphs;
    expect(graph?.tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ["data", [3, 224, 224]],
      ["a", [16, 222, 222]],
      ["b", undefined],
      ["c", undefined],
    ]);
    expect(graph?.nodes[1]).toMatchObject({ op: "Conv", attributes: { num_output: 16, kernel_h: 3 } });
    expect(graph?.nodes[3]?.attributes).toEqual({ slices: [8, -233], axis: 0 });
    expect([graph?.inputs, graph?.outputs]).toEqual([[0], [3]]);
  });

  it("reads pnnx's text, whose attributes have shapes of their own", () => {
    const model = read(pnnx, "net.pnnx.param");
    expect(model.version).toBe("pnnx text, 7767517");
    expect(model.needs).toEqual(["net.pnnx.bin"]);
    expect(model.graphs[0]?.tensors).toEqual([
      { name: "0", type: "float32", shape: [1, 3, null, 224] },
      { name: "1", type: "float32", shape: [1, 16, null, 222] },
      { name: "conv_0.bias", type: "float32", shape: [16], data: { bytes: 64, file: "net.pnnx.bin" } },
      { name: "conv_0.weight", type: "float32", shape: [16, 3, 3, 3], data: { bytes: 1728, file: "net.pnnx.bin" } },
    ]);
  });

  it("tells counts that are not met, and refuses lines that name too few blobs", () => {
    expect(rules(small.replace("4 4", "5 4"))).toEqual(["graph/count"]);
    expect(rules(small.replace("4 4", "3 4"))).toEqual(["graph/count", "graph/count"]);
    expect(rules(small.replace("4 4", "4 9"))).toEqual(["graph/count"]);
    expect(rules(small.trimEnd())).toEqual(["text/open-line"]);
    expect(() => read(small.replace("1 1 b c", "1 7 b c"))).toThrow("names fewer blobs than it counts");
    expect(() => read("7767517\n")).toThrow(FileError);
    expect(() => read("7767517\n999999999 1\n")).toThrow("over 200000");
  });

  it("says that a text cut short is", () => {
    for (const result of truncated(format, Buffer.from(small), "net.param")) {
      if (!(result instanceof FileError)) expect(result.integrity.length).toBeGreaterThan(0);
    }
    mutated(format, Buffer.from(small), "net.param", 1000);
    mutated(format, Buffer.from(pnnx), "net.param", 1000);
  });

  describe.runIf(hasShared)(`on published networks${unlessShared}`, () => {
    it.each([
      ["scrfd_500m-opt2", 103, 112],
      ["yolo11n_cls.ncnn", 121, 143],
    ])("reads %s", (name, layers, blobs) => {
      const path = sharedPath(`models/ncnn/${name}.param`);
      const file = openModelFile(path);
      expect(format.matches(file)).toBe(2);
      const model = format.read(file);
      expect(model.integrity).toEqual([]);
      expect(model.graphs[0]?.nodes.length).toBe(layers);
      expect(model.graphs[0]?.tensors.length).toBe(blobs);
      expect(model.graphs[0]?.nodes.every(({ op }) => op !== undefined)).toBe(true);
      for (const result of truncated(format, readFileSync(path), path)) {
        if (!(result instanceof FileError)) expect(result.integrity.length).toBeGreaterThan(0);
      }
      mutated(format, readFileSync(path), path, 200);
    });

    it("counts parameters as the weights beside them have room for", () => {
      const [graph] = format.read(openModelFile(sharedPath("models/ncnn/scrfd_500m-opt2.param"))).graphs;
      // Weights are float16 behind a tag, padded to 4; biases are plain float32.
      let bytes = 0;
      for (const { spelled, attributes } of graph?.nodes ?? []) {
        const { weight_data_size: weights, bias_term: bias, num_output: outputs, channels } = attributes;
        if (typeof weights === "number") bytes += 4 + Math.ceil((weights * 2) / 4) * 4;
        if (bias === 1) bytes += 4 * Number(outputs);
        if (spelled === "GroupNorm") bytes += 8 * Number(channels);
      }
      expect(bytes).toBe(openModelFile(sharedPath("models/ncnn/scrfd_500m-opt2.bin")).size);
    });
  });
});

describe("ncnn-bin", () => {
  const at = (tag: number, size: number, name = "net.bin") => {
    const bytes = Buffer.alloc(size);
    bytes.writeUInt32LE(tag, 0);
    return modelFileOf(bytes, name);
  };

  it("knows weights by their tag, and plain float32 only by the name and what the numbers look like", () => {
    expect(bin.matches(at(0x01306b47, 64))).toBe(2);
    expect(bin.matches(at(0x000d4b38, 64))).toBe(2);
    expect(bin.matches(at(0x01306b47, 64, "net.dat"))).toBe(1);
    expect(bin.matches(at(0, 64))).toBe(0);
    const floats = Buffer.from(new Float32Array([0, 0.5, -0.1, 0.3, 1.2, -0.7, 0.01, 0.2, 0.3]).buffer);
    expect(bin.matches(modelFileOf(floats, "net.bin"))).toBe(1);
    expect(bin.matches(modelFileOf(floats, "net.dat"))).toBe(0);
  });

  it("names the .param it needs, and tells a size that weights cannot have", () => {
    const model = bin.read(at(0x01348b83, 66, "/a/net.ncnn.bin"));
    expect(model.needs).toEqual(["net.ncnn.param"]);
    expect(model.metadata).toEqual({ "first weights": "bfloat16" });
    expect(model.integrity[0]?.rule).toBe("extent/misaligned");
  });

  it.runIf(hasShared)(`reads published weights${unlessShared}`, () => {
    const file = openModelFile(sharedPath("models/ncnn/scrfd_500m-opt2.bin"));
    expect(bin.matches(file)).toBe(2);
    expect(bin.read(file).metadata).toEqual({ "first weights": "float16" });
    expect(bin.matches(openModelFile(sharedPath("models/tfjs/group1-shard1of1.bin")))).toBe(0);
    expect(bin.matches(openModelFile(sharedPath("models/openvino/dummy.bin")))).toBe(0);
  });
});
