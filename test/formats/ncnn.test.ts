import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf, openModelFile } from "../../src/formats/file.ts";
import format from "../../src/formats/ncnn.ts";
import bin from "../../src/formats/ncnn-bin.ts";
import { costOf } from "../../src/model/cost.ts";
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
    expect(model.metadata).toEqual({ parameters: String(432 + 16 + 64), quantisation: "int8 in 1 layer" });
    const [graph] = model.graphs;
    expect(graph?.tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ["data", [3, 224, 224]],
      ["a", [16, 222, 222]],
      ["b", [16, 222, 222]],
      ["c", [8, 222, 222]],
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

describe("shapes of ncnn's layers", () => {
  it.each<[string, string, string, (readonly number[])[]]>([
    ["a window over its stride", "Convolution c 1 1 i o 0=8 1=3 3=2 4=1 6=216", "3 32 48", [[8, 16, 24]]],
    ["a window that keeps the size", "Convolution c 1 1 i o 0=8 1=5 3=2 4=-233 6=600", "3 33 48", [[8, 17, 24]]],
    ["a vector's window", "Convolution c 1 1 i o 0=8 1=1 6=24", "3", [[8]]],
    [
      "one way other than the other",
      "ConvolutionDepthWise c 1 1 i o 0=3 1=3 11=1 2=2 6=9 7=3",
      "3 10 10",
      [[3, 10, 6]],
    ],
    ["a transposed window", "Deconvolution c 1 1 i o 0=2 1=4 3=2 4=1 6=96", "3 8 6", [[2, 16, 12]]],
    ["its output's own padding", "Deconvolution c 1 1 i o 0=2 1=3 3=2 4=1 18=1 6=54", "3 8 6", [[2, 16, 12]]],
    ["a pool that is filled up", "Pooling p 1 1 i o 0=0 1=3 2=2", "4 112 8", [[4, 56, 4]]],
    ["a pool that is not", "Pooling p 1 1 i o 0=0 1=3 2=2 5=1", "4 112 8", [[4, 55, 3]]],
    ["a pool of all", "Pooling p 1 1 i o 0=1 4=1", "4 7 7", [[4]]],
    ["a pool to a size", "Pooling p 1 1 i o 0=1 7=1 8=-233 18=1", "4 7 5", [[4, 1, 5]]],
    ["a matrix over a vector", "InnerProduct p 1 1 i o 0=10 2=1960", "4 7 7", [[10]]],
    ["a matrix over rows", "InnerProduct p 1 1 i o 0=10 2=70", "4 7", [[4, 10]]],
    ["a scaled picture", "Interp p 1 1 i o 0=1 1=2.0 2=2.0", "4 7 5", [[4, 14, 10]]],
    [
      "parts, the last what is left",
      "Slice s 1 2 i o r -23300=2,1,-233 1=0",
      "4 7 5",
      [
        [1, 7, 5],
        [3, 7, 5],
      ],
    ],
    [
      "halves",
      "Slice s 1 2 i o r -23300=2,-233,-233 1=-1",
      "4 7 6",
      [
        [4, 7, 3],
        [4, 7, 3],
      ],
    ],
    ["another order", "Permute p 1 1 i o 0=3", "4 7 5", [[7, 5, 4]]],
    ["another form", "Reshape p 1 1 i o 0=0 1=-1", "4 7 5", [[28, 5]]],
    ["a row", "Flatten p 1 1 i o", "4 7 5", [[140]]],
    ["a part by its ends", "Crop p 1 1 i o -23309=2,1,-3 -23310=2,3,-233 -23311=2,0,2", "4 7 5", [[2, 7, 3]]],
    ["a part by its size", "Crop p 1 1 i o 2=2 3=5 4=7 5=2", "4 7 5", [[2, 7, 5]]],
    ["a mean that keeps the rank", "Reduction p 1 1 i o 0=3 1=0 -23303=2,1,2 4=1 5=1", "4 7 5", [[4, 1, 1]]],
    ["a sum of all", "Reduction p 1 1 i o 0=0", "4 7 5", [[1]]],
    ["a frame", "Padding p 1 1 i o 0=1 1=2 2=3 3=4", "4 7 5", [[4, 10, 12]]],
    ["pixels of channels", "PixelShuffle p 1 1 i o 0=2", "4 7 5", [[1, 14, 10]]],
    ["a product with a kept matrix", "Gemm g 1 1 i o 3=1 5=1 8=16 9=5", "7 5", [[7, 16]]],
    ["nothing where no rule is known", "Proposal p 1 1 i o", "4 7 5", []],
    ["nothing where none is left", "Convolution c 1 1 i o 0=8 1=9 6=648", "1 4 4", []],
    ["nothing where elements do not fit", "Reshape p 1 1 i o 0=3 1=-1", "4 7 5", []],
  ])("tell %s", (_, layer, input, expected) => {
    const dimensions = input.split(" ").reverse();
    const given = dimensions.map((dimension, at) => `${String(at)}=${dimension}`).join(" ");
    const count = 1 + Number(layer.split(" ")[3]);
    const [graph] = read(`7767517\n2 ${String(count)}\nInput i 0 1 i ${given}\n${layer}\n`).graphs;
    expect(graph?.nodes[1]?.outputs.flatMap((at) => graph.tensors[at]?.shape ?? [])).toEqual(expected.flat());
  });

  it("of several inputs follow from all of them", () => {
    const [graph] = read(`7767517
8 9
Input a 0 1 a 0=6 1=5 2=4
Input b 0 1 b 0=1 1=1 2=4
Input s 0 1 s 0=1
Input m 0 1 m 0=5 1=6 2=4
BinaryOp x 2 1 a b ab 0=2
BinaryOp y 2 1 a s as 0=2
Concat z 2 1 ab as abs 0=0
MatMul w 2 1 a m am
`).graphs;
    expect(graph?.nodes.slice(4).map(({ outputs }) => graph.tensors[outputs[0] ?? 0]?.shape)).toEqual([
      [4, 5, 6],
      [4, 5, 6],
      [8, 5, 6],
      [4, 5, 5],
    ]);
  });

  it("and the counts of weights they name tell the multiplications", () => {
    const net = (lines: string): number | undefined =>
      costOf(read(`7767517\n2 2\nInput i 0 1 i 0=8 1=6 2=4\n${lines}\n`)).macs;
    expect(net("Convolution c 1 1 i o 0=16 1=3 4=1 6=576")).toBe(6 * 8 * 576);
    expect(net("ConvolutionDepthWise c 1 1 i o 0=4 1=3 4=1 6=36 7=4")).toBe(6 * 8 * 36);
    expect(net("Deconvolution c 1 1 i o 0=2 1=2 3=2 6=32")).toBe(6 * 8 * 32);
    expect(net("InnerProduct c 1 1 i o 0=10 2=1920")).toBe(1920);
    expect(net("Proposal c 1 1 i o")).toBe(0);
    expect(net("MultiHeadAttention c 1 1 i o 0=8 1=2 2=64")).toBeUndefined();
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
