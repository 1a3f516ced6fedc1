/** Scores with labels, files of labels, what is written and drawn. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../src/delegates/value.ts";
import { dot, GLYPH } from "../../src/media/font.ts";
import { colourOf, line, plate } from "../../src/media/draw.ts";
import { encoderOf } from "../../src/media/encode.ts";
import { annotate } from "../../src/session/annotate.ts";
import { fitLabels, readLabels } from "../../src/session/labels.ts";
import { readNpy } from "../../src/session/npy.ts";
import { topOf } from "../../src/session/top.ts";
import { writeOutputs } from "../../src/session/write.ts";

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "accelctl-outputs-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe("files of labels", () => {
  it.each([
    ["lines.txt", "cat\n\ndog\n", ["cat", "", "dog"]],
    ["numbered.txt", "0 cat\n2  big dog\n", ["cat", undefined, "big dog"]],
    ["colons.txt", "0: cat\n1: dog", ["cat", "dog"]],
    // Numbers that do not rise are part of the names.
    ["digits.txt", "7 up\n3 musketeers\n", ["7 up", "3 musketeers"]],
    ["list.json", '["cat", "dog"]', ["cat", "dog"]],
    ["keras.json", '{"0": ["n1", "cat"], "1": ["n2", "dog"]}', ["cat", "dog"]],
    ["turned.json", '{"cat": 0, "dog": 1}', ["cat", "dog"]],
    [
      "map.pbtxt",
      "item {\n id: 1\n name: 'a'\n display_name: 'cat'\n}\nitem { id: 3 name: \"dog\" }",
      ["cat", undefined, "dog"],
    ],
  ])("%s", (name, text, labels) => {
    expect(readLabels(file(name, text))).toEqual(labels);
  });

  it("says what is wrong with a file that holds none", () => {
    expect(() => readLabels(join(folder, "none"))).toThrow(/none: no such file$/);
    expect(() => readLabels(file("broken.json", "[1,"))).toThrow("it begins like JSON and is none");
    expect(() => readLabels(file("empty.json", "[]"))).toThrow("it holds no names");
  });

  it("shifts labels only where one side alone knows a background", () => {
    expect(fitLabels(["a", "b"], 3).labels).toEqual(["background", "a", "b"]);
    expect(fitLabels(["background", "a", "b"], 2).labels).toEqual(["a", "b"]);
    expect(fitLabels(["a", "b"], 2)).toEqual({ labels: ["a", "b"] });
    expect(fitLabels(["a", "b"], 5)).toEqual({ says: "2 labels for 5 scores do not fit and are not used" });
    expect(fitLabels(undefined, 5)).toEqual({});
  });
});

describe("the highest of a row of scores", () => {
  const row = (numbers: readonly number[]): Value => ({
    type: "float32",
    shape: [1, numbers.length],
    data: Float32Array.from(numbers),
  });
  it("says whether the scores are probabilities, independent or without bounds", () => {
    expect(topOf(row([0.1, 0.2, 0.7]), undefined, ["a", "b", "c"], 1)).toEqual({
      scores: "probabilities",
      top: [{ index: 2, value: expect.closeTo(0.7) as number, label: "c" }],
    });
    expect(topOf(row([0.9, 0.8, 0.1]), undefined, ["a", "b", "c"], 1)?.scores).toBe("independent");
    const logits = topOf(row([2, 0, 2, -50, -50, -50, -50, -50]), undefined, undefined, 2);
    expect(logits?.scores).toBe("logits");
    expect(logits?.top.map(({ index, share }) => [index, share?.toFixed(3)])).toEqual([
      [0, "0.468"],
      [2, "0.468"],
    ]);
  });
  it("undoes quantisation", () => {
    const value: Value = { type: "uint8", shape: [1, 3], data: Uint8Array.of(0, 64, 192) };
    const port = { name: "y", type: "uint8", shape: [1, 3], quantization: { scale: 1 / 256, zero: 0 } } as const;
    expect(topOf(value, port, ["a", "b", "c"], 1)).toEqual({
      scores: "probabilities",
      top: [{ index: 2, value: 0.75, label: "c" }],
    });
  });
  it("takes neither a few numbers without names nor whole numbers for scores", () => {
    expect(topOf(row([1, 2, 3]), undefined, undefined, 5)).toBeUndefined();
    expect(topOf({ type: "int64", shape: [9], data: new BigInt64Array(9) }, undefined, undefined, 5)).toBeUndefined();
  });
});

describe("files of outputs", () => {
  const outputs = new Map<string, Value>([
    ["a/b", { type: "float32", shape: [2], data: Float32Array.of(1, 2) }],
    ["a:b", { type: "int8", shape: [1], data: Int8Array.of(-3) }],
  ]);
  it("one .npz holds all of them, the same bytes each time", () => {
    const path = join(folder, "new", "all.npz");
    writeOutputs(path, outputs, "npy");
    const bytes = readFileSync(path);
    const entries = unzipSync(bytes);
    expect(Object.keys(entries)).toEqual(["a_b.npy", "a_b_2.npy"]);
    expect(readNpy(entries["a_b_2.npy"] ?? new Uint8Array(), "x").data).toEqual(Int8Array.of(-3));
    writeOutputs(path, outputs, "npy");
    expect(readFileSync(path)).toEqual(bytes);
  });
  it("raw bytes are the values and nothing else", () => {
    writeOutputs(join(folder, "raw"), outputs, "raw");
    expect([...readFileSync(join(folder, "raw", "a_b.raw"))]).toEqual([0, 0, 128, 63, 0, 0, 0, 64]);
  });
  it("a text has no raw bytes, and a folder that cannot be made is told", () => {
    const text = new Map<string, Value>([["t", { type: "string", shape: [1], data: ["x"] }]]);
    expect(() => writeOutputs(join(folder, "t"), text, "raw")).toThrow(
      'output "t" is of string, which has no raw bytes',
    );
    expect(() => writeOutputs("/dev/null/x", outputs, "npy")).toThrow(/^\/dev\/null\/x\/a_b\.npy: (?:ENOTDIR|EEXIST)/);
  });
});

describe("drawn pictures", () => {
  const picture = { width: 100, height: 60, channels: 3 as const, data: new Uint8Array(100 * 60 * 3) };
  const at = (canvas: { width: number; data: ArrayLike<number> }, x: number, y: number): number[] =>
    [0, 1, 2].map((channel) => canvas.data[(y * canvas.width + x) * 3 + channel] ?? -1);
  const coordinates = { of: "picture", width: 100, height: 60 } as const;
  const base = { head: "yolov8", name: "YOLOv8", because: "", assumed: [], coordinates };

  it("has a box's outline in its class's colour, and leaves the given picture as it was", () => {
    const drawn = annotate(
      picture,
      { report: { ...base, boxes: [{ left: 10, top: 30, right: 50, bottom: 50, score: 0.5, class: 1 }] } },
      undefined,
    );
    expect(at(drawn, 10, 40)).toEqual([...colourOf(1)]);
    expect(at(drawn, 30, 40)).toEqual([0, 0, 0]);
    expect(picture.data.every((value) => value === 0)).toBe(true);
    const back = decode(encoderOf("x.PNG")(drawn));
    expect([back.width, back.height, [...back.data]]).toEqual([100, 60, [...drawn.data]]);
  });

  it("stays inside, wherever a network puts its boxes", () => {
    const wild = [-1e9, 1e9, NaN, Infinity];
    for (const left of wild) {
      const box = { left, top: left, right: 1e9, bottom: 20, score: 1, points: [{ x: left, y: 5 }] };
      expect(annotate(picture, { report: { ...base, boxes: [box] } }, undefined).data).toHaveLength(18_000);
    }
    line(picture.width ? { ...picture, data: picture.data.slice() } : picture, 0, 0, NaN, 1e12, [1, 2, 3], 2);
  });

  it("tints the pixels of a map but for the background", () => {
    const map = { width: 2, height: 1, classes: [0, 3] };
    const report = { ...base, classes: [{ index: 0, pixels: 1, ratio: 0.5 }] };
    const drawn = annotate(picture, { report, map }, undefined);
    expect(at(drawn, 40, 55)).toEqual([0, 0, 0]);
    expect(at(drawn, 90, 55)).toEqual(colourOf(3).map((value) => Math.round(value * 0.55)));
  });

  it("writes letters that can be told apart, and a box for what the font lacks", () => {
    const dots = (letter: string): string =>
      Array.from({ length: GLYPH.height * GLYPH.width }, (_, i) =>
        Number(dot(letter, i % GLYPH.width, Math.floor(i / GLYPH.width))),
      ).join("");
    const all = Array.from({ length: 95 }, (_, i) => dots(String.fromCharCode(32 + i)));
    expect(new Set(all).size).toBe(95);
    expect(all.every((letter) => letter.length === 35)).toBe(true);
    expect(dots("漢")).toContain("11111");
    const canvas = { ...picture, data: picture.data.slice() };
    expect(plate(canvas, 95, 55, "é", [255, 255, 255], 1)).toBe(9);
    expect(canvas.data.some((value) => value === 255)).toBe(true);
  });

  it("is written as .png or .jpg and nothing else", () => {
    expect(() => encoderOf("x.gif")).toThrow('pictures are written as .png or .jpg; not "x.gif"');
    expect(Buffer.from(encoderOf("x.jpg")(picture)).subarray(0, 3).toString("hex")).toBe("ffd8ff");
  });
});
