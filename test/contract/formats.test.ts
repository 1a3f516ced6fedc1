/**
 * One contract over every format and every model file at hand: recognised by one reader only, read twice the same, cut short nowhere
 * more than a typed error or findings. What is peculiar to a format stands in its own test.
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { detectFormat, matchesOf } from "../../src/formats/detect.ts";
import { modelFileOf, openModelFile, type ModelFile } from "../../src/formats/file.ts";
import { formats } from "../../src/formats/index.ts";
import { allSamples } from "../formats/samples/samples.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

/**
 * Folders of the corpus whose name is no format's id, to the format their files are of. A folder named as a format is needs no word
 * here: a new format is picked up by itself. Some folders also hold what is no model of theirs: `only` names the files that count.
 */
const folders: Readonly<Record<string, { id: string; only?: RegExp }>> = {
  "ane-hwx": { id: "hwx" },
  openvino: { id: "openvino-ir", only: /\.xml$/ },
  "onnx/nodetest": { id: "onnx", only: /\.onnx$/ },
  ncnn: { id: "ncnn", only: /\.param$/ },
  tfjs: { id: "tfjs", only: /\.json$/ },
  "tflite-edgetpu": { id: "edgetpu-tflite", only: /_edgetpu\.tflite$/ },
  "tflite-vela": { id: "vela-tflite" },
};

const ids = new Set(formats.map((format) => format.id));
const corpus: [string, string][] = hasShared
  ? [...readdirSync(sharedPath("models")), "onnx/nodetest"].flatMap((folder) => {
      const held = folders[folder] ?? { id: folder };
      if (!ids.has(held.id)) return [];
      return readdirSync(sharedPath(`models/${folder}`))
        .filter((name) => statSync(sharedPath(`models/${folder}/${name}`)).isFile())
        .filter((name) => held.only?.test(name) ?? true)
        .map((name): [string, string] => [`${folder}/${name}`, held.id]);
    })
  : [];
const samples = await allSamples();

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

it("every sample is of a format there is", () => {
  expect(samples.filter(({ format }) => !ids.has(format)).map(({ format }) => format)).toEqual([]);
});

describe("samples", () => {
  it.each(samples.map((sample): [string, string, Uint8Array] => [sample.name, sample.format, sample.bytes]))(
    "%s is %s, read twice the same, and cut short is told",
    (name, id, bytes) => {
      holdsContract(name, id, modelFileOf(bytes, name));
      cutShortIsTold(name, bytes);
    },
  );
});

describe.skipIf(!hasShared)(`model files${unlessShared}`, () => {
  it.each(corpus)("%s is %s, read twice the same, and cut short is told", (path, id) => {
    const file = openModelFile(sharedPath(`models/${path}`));
    try {
      holdsContract(path, id, file);
    } finally {
      file.close();
    }
    cutShortIsTold(path, readFileSync(sharedPath(`models/${path}`)));
  });
});

function holdsContract(name: string, id: string, file: ModelFile): void {
  const [best, second] = matchesOf(file);
  expect(best?.format.id, name).toBe(id);
  const detected = detectFormat(file);
  expect(detected.is === "model" ? detected.format.id : detected.looks.kind, name).toBe(id);
  expect(second?.score ?? 0).toBeLessThan(best?.score ?? 0);
  const read = best?.format.read(file);
  expect(read?.format).toBe(id);
  const plain = (model: unknown): string =>
    JSON.stringify(model, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  expect(plain(best?.format.read(file))).toBe(plain(read));
  expect(read?.integrity.filter((finding) => finding.severity === "error")).toEqual([]);
}

/** Cut at every 64th of its length: what is still recognised gives a model or a FileError, under a second. */
function cutShortIsTold(name: string, bytes: Uint8Array): void {
  for (let part = 0; part < 64; part++) {
    const cut = modelFileOf(bytes.subarray(0, Math.floor((bytes.length * part) / 64)), name);
    const [match] = matchesOf(cut);
    if (!match) continue;
    const start = performance.now();
    let whole = false;
    try {
      const { integrity, unseen } = match.format.read(cut);
      whole = !integrity.some(({ severity }) => severity === "error") && !saysItCannotTell(unseen);
    } catch (error) {
      expect(error, `${name} at ${part}/64`).toBeInstanceOf(FileError);
    }
    expect(whole, `${name} cut at ${part}/64 is called whole`).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
  }
}

/** Some containers declare no size, or none that is documented: their readers say so. */
const saysItCannotTell = (unseen: readonly string[]): boolean =>
  unseen.some((sentence) => sentence.startsWith("whether it is whole"));
