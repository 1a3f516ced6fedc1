/**
 * TFLite against the schema's own generated reader: digests of what it says of each real file (tools/tflite-oracle.py) equal those of
 * what we read, aspect by aspect.
 */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { modelFileOf, openModelFile, type ModelFile } from "../../src/formats/file.ts";
import tflite from "../../src/formats/tflite.ts";
import type { Attribute, Model, Node, Tensor } from "../../src/model/graph.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { schemeOf } from "../../src/model/quantization.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";
import { flatBuffer, numbers, table, u32, u8, vector, type Value } from "./build/flatbuffer.ts";
import { broken, described, labels, modelMetadata, samples } from "./samples/tflite.ts";

const oracle = JSON.parse(readFileSync(new URL("tflite-oracle.json", import.meta.url), "utf8")) as Readonly<
  Record<string, Readonly<Record<string, string>>>
>;

const digest = (rows: readonly string[]): string =>
  createHash("sha256").update(rows.join("\n")).digest("hex").slice(0, 16);
const ints = (values: readonly unknown[]): string => `[${values.join(",")}]`;
/** Bit patterns of float32: what text would round. */
const bits = (values: readonly number[]): string =>
  ints(
    values.map((value) => {
      const view = new DataView(new ArrayBuffer(4));
      view.setFloat32(0, value);
      return view.getUint32(0).toString(16).padStart(8, "0");
    }),
  );

/** As tools/tflite-oracle.py: integers as such, what is none by its float32 bits. */
const number = (value: number | bigint): string =>
  typeof value === "bigint" || Number.isInteger(value) ? String(value) : bits([value]).slice(1, -1);

const attribute = (value: Attribute): string =>
  typeof value === "number" || typeof value === "bigint"
    ? number(value)
    : typeof value === "object"
      ? ints(value.map((one: number | string) => (typeof one === "number" ? number(one) : one)))
      : String(value);

const options = ({ domain, attributes }: Node): string =>
  domain === "custom"
    ? ""
    : Object.entries(attributes)
        .map(([key, value]) => `${key}=${attribute(value)}`)
        .sort()
        .join(" ");

/** Bytes of a constant and a digest of them, wherever they lie; of another file its name and the place there. */
function constant(file: ModelFile, { data }: Tensor): string {
  if (data === undefined) return "0";
  if (data.file !== undefined) return `${data.file} ${data.offset ?? 0} ${data.bytes}`;
  const bytes = file.slice(data.offset ?? 0, data.bytes);
  return `${data.bytes} ${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}`;
}

function aspects(file: ModelFile, { graphs, metadata }: Model): Record<string, string> {
  const tensors = graphs.flatMap((graph) => graph.tensors);
  const nodes = graphs.flatMap((graph) => graph.nodes);
  const zeros = tensors.map(({ quantization: q }) => ints(q && q.scale.length > 0 ? q.zeroPoint : []));
  const signatures = Object.entries(metadata).flatMap(([key, says]) =>
    key.startsWith("signature.") ? [`${key.slice("signature.".length)}: ${says}`] : [],
  );
  return {
    names: digest(tensors.map((tensor) => tensor.name)),
    types: digest(tensors.map((tensor) => tensor.type.toUpperCase())),
    shapes: digest(tensors.map((tensor) => ints((tensor.shape ?? []).map((d) => d ?? -1)))),
    scales: digest(tensors.map((tensor) => bits(tensor.quantization?.scale ?? []))),
    zeros: digest(zeros),
    axes: digest(tensors.map(({ quantization: q }) => (q && q.scale.length > 1 ? String(q.axis ?? 0) : ""))),
    sparse: digest(tensors.map((tensor) => (tensor.sparse === true ? "sparse" : ""))),
    bytes: digest(tensors.map((tensor) => constant(file, tensor))),
    operators: digest(nodes.map((node) => `${node.spelled} ${node.version ?? ""}`)),
    wiring: digest(nodes.map((node) => ints(node.inputs) + ints(node.outputs))),
    options: digest(nodes.map(options)),
    ends: digest(graphs.map((graph) => graph.name + ints(graph.inputs) + ints(graph.outputs))),
    signatures: digest(signatures.sort()),
  };
}

describe.skipIf(!hasShared)(`TFLite and the schema's own reader${unlessShared}`, () => {
  const here = Object.keys(oracle).filter(
    (path) => !path.startsWith("samples/") && existsSync(sharedPath(`models/${path}`)),
  );

  it("most files of the oracle are at hand", () => {
    expect(here.length).toBeGreaterThan(25);
  });

  it.each(here)("%s", (path) => {
    const file = openModelFile(sharedPath(`models/${path}`));
    try {
      expect(aspects(file, tflite.read(file))).toEqual(oracle[path]);
    } finally {
      file.close();
    }
  });
});

describe("what the schema's own code writes", () => {
  it.each(Object.entries(samples).filter(([name]) => name !== "labels.tflite"))("%s", (name, make) => {
    const file = modelFileOf(make(), name);
    const read = tflite.read(file);
    expect(aspects(file, read)).toEqual(oracle[`samples/${name}`]);
    expect(read.integrity.filter(({ severity }) => severity === "error")).toEqual([]);
  });
});

/** What of each contradicts itself. */
const rules: Readonly<Record<string, string>> = {
  "broken-sparse-values.tflite": "extent/wrong-size",
  "broken-sparse-segments.tflite": "tensor/sparse",
  "broken-sparse-index.tflite": "tensor/sparse",
  "broken-sparse-order.tflite": "tensor/sparse",
  "broken-sparse-ranks.tflite": "tensor/sparse",
  "broken-sparse-size.tflite": "tensor/sparse",
  "broken-outside-end.tflite": "extent/past-end",
  "broken-outside-size.tflite": "extent/wrong-size",
  "broken-external-parent.tflite": "external/outside",
  "broken-external-absolute.tflite": "external/outside",
  "broken-external-group.tflite": "buffer/dangling",
  "broken-external-size.tflite": "extent/wrong-size",
  "broken-external-id.tflite": "buffer/dangling",
};

describe("what contradicts itself is an error", () => {
  it.each(Object.entries(broken))("%s", (name, make) => {
    const { integrity } = tflite.read(modelFileOf(make(), name));
    const errors = integrity.filter(({ severity }) => severity === "error").map(({ rule }) => rule);
    expect(errors).toContain(rules[name]);
  });
});

it("a constant of another file is told with its place, and the file is needed", () => {
  const { needs, graphs } = tflite.read(modelFileOf(samples["external.tflite"]?.() ?? new Uint8Array(), "a.tflite"));
  expect(needs).toEqual(["weights.bin"]);
  expect(graphs[0]?.tensors[1]?.data).toEqual({ file: "weights.bin", offset: 4096, bytes: 48 });
});

describe("metadata and what is attached", () => {
  const read = (bytes: Uint8Array): Model => tflite.read(modelFileOf(bytes, "a.tflite"));

  it("tells name, author, licence, ends of the graph, labels without a locale, converter and runtime", () => {
    const model = read(described());
    expect(model).toMatchObject({
      author: "A. Author",
      licence: "Apache-2.0",
      description: "Tells cats from dogs.",
      labels: ["cat", "dog", "none of them"],
      producer: { name: "TensorFlow Lite converter", version: "2.15.0" },
      requires: [{ what: "TensorFlow Lite runtime", relation: "at least", version: "2.14.0" }],
    });
    expect(model.metadata).toMatchObject({
      name: "Cats and dogs",
      version: "v2",
      min_parser_version: "1.3.0",
      "input.0": "image; a photograph; image RGB 8x8; normalised by mean 127.5, std 127.5",
      "output.0": "scores",
      associated_files: "labels.txt, labels_de.txt",
      converted_from: "TF_SAVED_MODEL",
      optimization: "full integer",
      allow_custom_ops: "true",
    });
    expect(model.integrity.filter(({ severity }) => severity !== "note")).toEqual([]);
    expect(model.sections.at(-1)).toMatchObject({ name: "associated files", bytes: labels.length });
  });

  it("an archive cut anywhere is an error, a missing one a warning", () => {
    const whole = described();
    const start = whole.length - labels.length;
    for (let end = start + 4; end < whole.length; end += 7) {
      const errors = read(whole.subarray(0, end)).integrity.filter(({ severity }) => severity === "error");
      expect(errors.length, `cut to ${end - start} of the archive's ${labels.length}`).toBeGreaterThan(0);
    }
    const without = read(whole.subarray(0, start));
    expect(without.integrity.map(({ severity, rule }) => `${severity} ${rule}`)).toContain(
      "warning metadata/file-missing",
    );
    expect(without.labels).toBeUndefined();
  });

  it("metadata that is none is an error", () => {
    expect(read(described(labels, modelMetadata("M999"))).integrity.map(({ rule }) => rule)).toContain(
      "metadata/broken",
    );
    const cut = modelMetadata().subarray(0, 40);
    expect(read(described(labels, cut)).integrity.map(({ rule }) => rule)).toContain("metadata/broken");
  });
});

describe("quantisation of TFLite's constants", () => {
  const floats = (...values: readonly number[]): Value => {
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    return { kind: "numbers", bytes, count: values.length };
  };
  /** Weights and bias of one FULLY_CONNECTED (9), each with what is given as its quantisation. */
  const connected = (weights: Readonly<Record<number, Value>>, bias: Readonly<Record<number, Value>>): Model => {
    const tensor = (
      shape: number[],
      type: number,
      buffer: number,
      quantized?: Readonly<Record<number, Value>>,
    ): Value =>
      table({
        0: numbers(4, ...shape),
        1: u8(type),
        2: u32(buffer),
        ...(quantized === undefined ? {} : { 4: table(quantized) }),
      });
    const constant = (count: number): Value => table({ 0: numbers(1, ...Array<number>(count).fill(1)) });
    const [FLOAT32, INT8, INT32] = [0, 9, 2];
    const graph = table({
      0: vector(
        tensor([1, 4], FLOAT32, 0),
        tensor([2, 4], INT8, 1, weights),
        tensor([2], INT32, 2, bias),
        tensor([1, 2], FLOAT32, 0),
        tensor([2], FLOAT32, 3),
      ),
      1: numbers(4, 0),
      2: numbers(4, 3),
      3: vector(table({ 0: u32(0), 1: numbers(4, 0, 1, 2), 2: numbers(4, 3) })),
    });
    const bytes = flatBuffer(
      table({
        0: u32(3),
        1: vector(table({ 0: u8(9), 2: u32(1), 3: u32(9) })),
        2: vector(graph),
        4: vector(table({}), constant(8), constant(8), constant(8)),
      }),
      "TFL3",
    );
    const file = modelFileOf(bytes, "a.tflite");
    const model = tflite.read(file);
    return { ...model, integrity: [...model.integrity, ...checkModel(model, file.size)] };
  };

  it("takes the filter's dimension of a bias as the one it has, as converters of 2019 wrote it", () => {
    const scales = { 2: floats(0.5, 0.25), 6: u32(3) };
    const { integrity, graphs } = connected({ 2: floats(0.5, 0.25) }, scales);
    expect(integrity.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(graphs[0]?.tensors[2]?.quantization).toMatchObject({ axis: 0 });
    expect(connected({ 2: floats(0.5) }, { ...scales, 6: u32(2) }).integrity.map(({ rule }) => rule)).toContain(
      "quantization/wrong-axis",
    );
  });

  it("in blocks is said to be, and the tensor of scales is used", () => {
    const blocks = { 4: u8(2), 5: table({ 0: u32(4), 1: u32(0xffffffff), 2: u32(2) }) };
    const model = connected(blocks, {});
    expect(model.integrity).toEqual([]);
    expect(schemeOf(model)?.says).toBe("dynamic range: integer weights per block, float activations");
  });
});
