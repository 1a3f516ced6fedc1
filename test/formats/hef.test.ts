import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import hef from "../../src/formats/hef.ts";
import { xxh3 } from "../../src/formats/hef/xxh3.ts";
import type { Model } from "../../src/model/graph.ts";
import { hasShared, unlessShared } from "../support/shared.ts";
import { attempt, expectMutantsHandled, expectTruncationsTold, realModels } from "../support/sealed.ts";
import {
  context,
  edge,
  groupFields,
  hef0,
  hef1,
  hef2,
  hef3,
  hefMessage,
  operation,
  pointTo,
  type HefParts,
} from "./build/hef.ts";
import { samples } from "./samples/hef.ts";

const read = (bytes: Uint8Array, name = "x.hef"): Model => hef.read(modelFileOf(bytes, name));
const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array(0);
const errors = (model: Model): string[] =>
  model.integrity.filter((one) => one.severity === "error").map((one) => one.rule);

const group = groupFields({ name: "net", contexts: [context([edge({ name: "net/in", shape: [8, 8, 3] })])] });
const made = (parts: Partial<HefParts> = {}): Model => read(hef0(hefMessage({ groups: [group], ...parts })));
const requires = (parts: Partial<HefParts>): string[] =>
  made(parts).requires.map(({ relation, version }) => `${relation} ${version}`);

describe("HEF", () => {
  it("tells target, compiler, streams and estimates of a file of header version 0", () => {
    const model = read(sample("v0.hef"));
    expect(model.version).toBe("0");
    expect(model.producer).toEqual({ name: "Hailo Dataflow Compiler", version: "3.27.0" });
    expect(model.targets).toMatchObject([{ family: "hailo", chip: "hailo8", says: "HAILO8P (Hailo-8)" }]);
    expect(model.inputs).toEqual([
      {
        name: "net/input_layer1",
        type: "uint8",
        shape: [224, 320, 3],
        quantization: { scale: [0.5], zeroPoint: [128] },
      },
    ]);
    // In the compiler's order; what goes from context to context is no output; a transposed layer is told as the host sees it.
    expect(model.outputs).toEqual([
      { name: "net/conv7", type: "uint8", shape: [40, 28, 1], quantization: { scale: [0.5], zeroPoint: [128] } },
      {
        name: "net/conv9",
        type: "uint8",
        shape: [28, 40, 2],
        quantization: { scale: [0.5, 0.25], zeroPoint: [0, 3], axis: 2 },
      },
    ]);
    expect(model.metadata).toMatchObject({
      networks: "net",
      contexts: "1",
      clusters: "2",
      configured: "by 96 bytes of registers and weights",
      estimate: "1234.5 frames per second at the bottleneck, 2.000 ms, by the compiler",
      compiled: "2024-05-26T08:26:18Z",
      checksum: "MD5 of what follows the header fits",
    });
  });

  it("gives planes as one input and a shared channel as the outputs in it", () => {
    const model = read(sample("v1.hef"));
    expect(model.version).toBe("1");
    expect(model.inputs?.map(({ name, shape }) => [name, shape])).toEqual([["net/nv12", [480, 640, 3]]]);
    expect(model.outputs?.map(({ name, shape }) => [name, shape])).toEqual([
      ["net/a", [7, 7, 4]],
      ["net/b", [7, 7, 8]],
    ]);
    expect(model.metadata["checksum"]).toBe("CRC-32 of what follows the header fits");
    expect(model.sections.at(-1)).toMatchObject({ kind: "weights", bytes: 128 });
  });

  it("tells the streams of a Hailo-8L once, whatever its layouts", () => {
    const model = read(sample("v2.hef"));
    expect(model.targets).toEqual([
      { family: "hailo", chip: "hailo8", says: "HAILO8L (Hailo-8L, and Hailo-8 at lower performance)" },
    ]);
    expect(model.metadata).toMatchObject({ layouts: "2", configured: "by 132 bytes of registers and weights" });
    expect(model.outputs?.length).toBe(2);
  });

  it("puts the boxes that the host decodes in the place of the streams they are decoded from", () => {
    const model = read(sample("v3.hef"));
    expect(model.producer?.version).toBe("5.1.0");
    expect(model.targets.map(({ chip }) => chip)).toEqual(["hailo15", "hailo10h"]);
    expect(model.inputs?.map(({ name }) => name)).toEqual(["yolo/input_layer1"]);
    expect(model.outputs).toEqual([{ name: "yolo/yolov5_nms_postprocess", type: "float32", shape: [80, 5, 100] }]);
    expect(model.metadata["on the host"]).toBe(
      "YOLOv5 NMS: 80 classes, at most 100 boxes of each, score from 0.2, IoU 0.6",
    );
    expect(model.sections.find(({ name }) => name === "tokenizer.json")?.bytes).toBe(40);
  });

  it("joins the parts of a suppression that the chip does in pieces", () => {
    const model = read(sample("defused.hef"));
    expect(model.outputs?.map(({ name, shape }) => [name, shape])).toEqual([["net/nms", [80, 5, 100]]]);
    expect(model.integrity.map(({ rule }) => rule)).toEqual(["extension/unknown"]);
  });

  it("names the HailoRT that reads it: by header, by extension, by target", () => {
    expect(requires({ extensions: [0, 26] })).toEqual(["at least 4.14.0", "series 4"]);
    expect(requires({ extensions: [26, 28] })).toEqual(["at least 4.17.0", "series 4"]);
    // Releases from 4.21 on refuse what has no extension 26.
    expect(requires({ extensions: [0] })).toEqual(["at most 4.20.1", "series 4"]);
    expect(requires({ arch: 103, extensions: [26] })).toEqual([
      "at least 4.14.0",
      "other than 4.22",
      "other than 4.23",
    ]);
    expect(requires({ arch: 103, extensions: [26, 33] })).toEqual(["at least 5.0.1"]);
    expect(requires({ arch: 103, sdk: [5, 2, 0], extensions: [26, 35] })).toEqual(["at least 5.0.0", "series 5.2"]);
    const relations = (bytes: Uint8Array): string[] =>
      read(bytes).requires.map(({ relation, version }) => `${relation} ${version}`);
    const message = hefMessage({ groups: [group], extensions: [26] });
    expect(relations(hef1(message, new Uint8Array(8)))).toContain("at least 4.18.0");
    expect(relations(hef2(message, new Uint8Array(8)))).toContain("at least 4.20.0");
    expect(relations(hef3(message, new Uint8Array(8)))).toContain("at least 4.21.0");
  });

  it("says what refuses a file that is for one of two chips with one id", () => {
    expect(made({ arch: 2 }).targets[0]?.refusedBy).toContain("Hailo-8L");
    expect(made({ arch: 3 }).targets[0]?.refusedBy).toBeUndefined();
    expect(made({ arch: 77 }).targets).toEqual([{ family: "hailo", says: "hw_arch 77" }]);
  });

  it("tells a changed byte by the checksum, wherever it is and whatever its kind", () => {
    for (const name of ["v0.hef", "v1.hef", "v2.hef", "v3.hef"]) {
      const bytes = sample(name);
      for (const at of [bytes.length - 1, bytes.length - 12]) {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect(errors(read(changed)), `${name} at ${at}`).toContain("checksum/mismatch");
      }
    }
  });

  it("checks the message alone where it has a checksum of its own, as HailoRT 5 does", () => {
    const bytes = sample("v3-own.hef");
    expect(read(bytes).metadata["checksum"]).toBe("XXH3 of the protobuf message fits");
    const changed = Uint8Array.from(bytes);
    changed[60] = (changed[60] ?? 0) ^ 1;
    expect(errors(read(changed))).toContain("checksum/mismatch");
  });

  it("tells lengths that do not fit the header, and configuration that is not there", () => {
    const bytes = sample("v1.hef");
    expect(errors(read(new Uint8Array(Buffer.concat([bytes, Buffer.alloc(3)]))))).toEqual(["extent/trailing"]);
    expect(errors(read(bytes.subarray(0, bytes.length - 5)))).toEqual(["extent/past-end"]);
    const far = groupFields({ name: "net", preliminary: [operation(pointTo(1 << 20, 64))] });
    expect(errors(read(hef1(hefMessage({ groups: [far] }), new Uint8Array(8))))).toEqual(["extent/past-end"]);
    expect(() => read(Uint8Array.from([1, 72, 69, 70, 0, 0, 0, 9, 0, 0, 0, 0]))).toThrow(FileError);
  });

  it("keeps what came before the cut", () => {
    const bytes = sample("v0.hef");
    const model = attempt(hef, bytes.subarray(0, bytes.length >> 1), "x.hef");
    expect(model?.producer?.version).toBe("3.27.0");
    expect(model?.targets[0]?.chip).toBe("hailo8");
    // What was not seen is not concluded from.
    expect(model?.requires.map(({ relation }) => relation)).toEqual(["series"]);
  });

  it.each(Object.keys(samples))("%s: cuts are told, mutants are handled", (name) => {
    expectTruncationsTold(hef, sample(name), name);
    expectMutantsHandled(hef, sample(name), name, 150);
  });
});

/** Digests that xxHash 0.8's own program prints for the bytes 0, 1, 2 ... 255, 0, 1 ... of these lengths. */
const digests: readonly (readonly [length: number, digest: string])[] = [
  [0, "2d06800538d394c2"],
  [1, "c44bdff4074eecdb"],
  [3, "5f4299fc161c9cbb"],
  [4, "60dab036a58211f2"],
  [8, "3a1c2d7c85af88f8"],
  [9, "e9612598145bb9dc"],
  [16, "8355e3a6f61770db"],
  [17, "9ef341a99de37328"],
  [32, "3523581fe96e4c05"],
  [33, "e68c56ba88991e58"],
  [128, "85c6174c7ff4c46b"],
  [129, "ec7642b431ba3e5a"],
  [144, "028e1e35ff4c0a01"],
  [240, "375a384d957fe865"],
  [241, "02e8cd95421c6d02"],
  [512, "1059105ad19bfa09"],
  [1024, "a870f92984398d22"],
  [1025, "78c86e91ee939852"],
  [1088, "280d4e7cb6579eb6"],
  [2048, "dd420471ff96bd00"],
  [2049, "62dff343e7dbac9b"],
  [262144, "f34cc5c9153c3287"],
  [262145, "115670d6321903af"],
  [300000, "5fb871e0385dabc3"],
];

it.each(digests)("XXH3 of %i bytes is what xxHash prints", (length, digest) => {
  const bytes = Uint8Array.from({ length }, (_, index) => index & 255);
  const found = xxh3(length, (at, count) => bytes.subarray(at, at + count));
  expect(found.toString(16).padStart(16, "0")).toBe(digest);
});

describe.skipIf(!hasShared)(`published HEF files${unlessShared}`, () => {
  it.each(realModels("hef").map((file): [string, typeof file] => [file.name, file]))("%s", (_, file) => {
    const model = hef.read(file.file());
    const [, arch, compiler] = /hw_arch \d \(\d=(\w+).*Dataflow Compiler (\S+);/.exec(file.truth) ?? [];
    expect(model.version).toBe(/header version (\d)/.exec(file.truth)?.[1]);
    expect(model.targets.map(({ says }) => says.split(" ")[0])).toEqual([arch]);
    expect(model.producer?.version).toBe(compiler);
    expect(Date.parse(model.metadata["compiled"] ?? "")).toBe(
      Math.floor(Number(/created (\d+) ms/.exec(file.truth)?.[1]) / 1000) * 1000,
    );
    expect(model.metadata["checksum"]).toBe("MD5 of what follows the header fits");
    // Counted with protobuf's own reader of hef.proto.
    const small = file.name.includes("320");
    expect(model.metadata["configured"]).toBe(`by ${small ? 1191952 : 1301336} bytes of registers and weights`);
    expect(model.metadata["clusters"]).toBe("8");
    expect(model.inputs?.map(({ shape }) => shape)).toEqual([small ? [224, 320, 1] : [480, 640, 1]]);
    expect(model.outputs?.map(({ name }) => name.split("/")[1])).toEqual(
      small ? ["ew_mult1", "slice1", "conv27"] : ["conv24", "conv9", "conv27"],
    );
    expect(model.outputs?.[2]?.quantization?.zeroPoint).toEqual([0]);
  });
});
