/**
 * One contract over every format and every model file at hand: recognised by one reader only, read twice the same, cut short nowhere
 * more than a typed error or findings. What is peculiar to a format stands in its own test.
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { matchesOf } from "../../src/formats/detect.ts";
import { modelFileOf, openModelFile } from "../../src/formats/file.ts";
import { formats } from "../../src/formats/index.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

/** Folder of the corpus to the format its files are of; files of other kinds beside the models are named. */
const folders: Readonly<Record<string, string>> = {
  "ane-hwx": "hwx",
  axmodel: "axmodel",
  cvimodel: "cvimodel",
  "et-elf": "et-elf",
  kmodel: "kmodel",
  "myriad-blob": "myriad-blob",
  nbg: "nbg",
  onnx: "onnx",
  rknn: "rknn",
  safetensors: "safetensors",
  tflite: "tflite",
  "tflite-vela": "vela-tflite",
  ttnn: "ttnn",
};

const corpus: [string, string][] = hasShared
  ? Object.entries(folders).flatMap(([folder, format]) =>
      readdirSync(sharedPath(`models/${folder}`))
        .filter((name) => statSync(sharedPath(`models/${folder}/${name}`)).isFile())
        .map((name): [string, string] => [`${folder}/${name}`, format]),
    )
  : [];
const edgetpu: [string, string][] = hasShared
  ? readdirSync(sharedPath("models/tflite-edgetpu"))
      .filter((name) => name.endsWith("_edgetpu.tflite"))
      .map((name): [string, string] => [`tflite-edgetpu/${name}`, "edgetpu-tflite"])
  : [];

it("every format says who defines it, where that is written and on how many files it was checked", () => {
  expect(new Set(formats.map((format) => format.id)).size).toBe(formats.length);
  for (const format of formats) {
    expect(format.sources.length, format.id).toBeGreaterThan(0);
    expect(format.checked.says, format.id).not.toBe("");
    expect(Number.isInteger(format.checked.files), format.id).toBe(true);
  }
});

it("no format takes an empty file, a text or zeros for its own", () => {
  for (const bytes of [new Uint8Array(0), Buffer.from("hello\n"), new Uint8Array(4096)]) {
    expect(matchesOf(modelFileOf(bytes, "file.bin")).map(({ format }) => format.id)).toEqual([]);
  }
});

const nodeTests: [string, string][] = hasShared
  ? readdirSync(sharedPath("models/onnx/nodetest"))
      .filter((name) => name.endsWith(".onnx"))
      .map((name): [string, string] => [`onnx/nodetest/${name}`, "onnx"])
  : [];
const openvino: [string, string][] = hasShared
  ? readdirSync(sharedPath("models/openvino"))
      .filter((name) => name.endsWith(".xml"))
      .map((name): [string, string] => [`openvino/${name}`, "openvino-ir"])
  : [];

describe.skipIf(!hasShared)(`model files${unlessShared}`, () => {
  it.each([...corpus, ...edgetpu, ...nodeTests, ...openvino])(
    "%s is %s, read twice the same, and cut short is told",
    (path, id) => {
      const file = openModelFile(sharedPath(`models/${path}`));
      try {
        const [best, second] = matchesOf(file);
        expect(best?.format.id).toBe(id);
        expect(second?.score ?? 0).toBeLessThan(best?.score ?? 0);
        const read = best?.format.read(file);
        expect(read?.format).toBe(id);
        const plain = (model: unknown): string =>
          JSON.stringify(model, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
        expect(plain(best?.format.read(file))).toBe(plain(read));
        expect(read?.integrity.filter((finding) => finding.severity === "error")).toEqual([]);
      } finally {
        file.close();
      }

      const bytes = readFileSync(sharedPath(`models/${path}`));
      for (let part = 0; part < 64; part++) {
        const cut = modelFileOf(bytes.subarray(0, Math.floor((bytes.length * part) / 64)), path);
        const [match] = matchesOf(cut);
        if (!match) continue;
        const start = performance.now();
        try {
          match.format.read(cut);
        } catch (error) {
          expect(error, `${path} at ${part}/64`).toBeInstanceOf(FileError);
        }
        expect(performance.now() - start).toBeLessThan(1000);
      }
    },
  );
});
