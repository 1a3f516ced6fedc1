import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import ttnn from "../../src/formats/ttnn.ts";
import { expectMutantsHandled, expectTruncationsTold, realModels } from "../support/sealed.ts";
import { flatBuffer, numbers, string, struct, table, u16, u32, u64, vector } from "./build/flatbuffer.ts";

const commit = "e791b09944cbb9188b7fddad6172168ddafe8bd1";
const version = struct(u16(0), u16(2), u32(65));
const chip = table({ 0: u32(2), 1: struct(u32(10), u32(13)) });
const port = (fields: number) =>
  fields === 4
    ? table({ 0: u32(1), 3: table({ 0: numbers(4, 2, 3), 1: table({}) }) })
    : table({ 0: u32(1), 1: u64(6), 2: table({ 0: numbers(4, 2, 3), 1: table({}) }) });
const program = (fields: number) =>
  table({
    0: string("forward"),
    1: vector(port(fields)),
    2: vector(port(fields)),
    3: vector(
      table({
        0: u16(1),
        2: string('%0 = "ttnn.to_layout"(%arg0, %1) : (tensor<2x3xbf16, #l>, !d) -> tensor<2x3xbf16, #l>'),
      }),
      table({ 0: u16(2), 2: string('%1 = "ttnn.relu"(%0) : (tensor<2x3xbf16, #l>) -> tensor<2x3xf32, #l>') }),
    ),
  });
/** The schema of 2024, four fields, and the one with a uuid and host processors. */
const old = flatBuffer(
  table({ 0: version, 1: string(commit), 2: table({ 0: vector(chip), 4: vector() }), 3: vector(program(4)) }),
  "TTNN",
  true,
);
const recent = flatBuffer(
  table({
    0: version,
    1: string(commit),
    2: string("uuid"),
    3: table({ 0: vector(table({ 0: u32(0) })), 1: vector(chip), 5: vector() }),
    4: vector(program(3)),
  }),
  "TTNN",
  true,
);
const metal = flatBuffer(
  table({
    0: version,
    1: string("hash"),
    2: string(commit),
    3: table({ 0: vector(), 1: vector(chip), 5: vector() }),
    4: table({ 0: string("m") }),
    5: vector(
      table({ 0: string("main"), 1: vector(table({ 0: u64(24), 1: table({ 0: numbers(4, 2, 3) }) })), 2: vector() }),
    ),
    6: vector(),
  }),
  "TTM0",
  true,
);
const read = (bytes: Uint8Array) => ttnn.read(modelFileOf(bytes, "x.ttnn"));

describe("TTNN", () => {
  it("tells version, commit, chip, inputs and outputs in each schema's numbering", () => {
    for (const bytes of [old, recent]) {
      const model = read(bytes);
      expect(model.integrity).toEqual([]);
      expect(model.version).toBe("TTNN, 0.2.65");
      expect(model.requires).toEqual([{ what: "tt-mlir", relation: "built by", version: commit }]);
      expect(model.targets).toEqual([{ family: "tenstorrent", chip: "blackhole", says: "blackhole" }]);
      expect(model.metadata["core grid"]).toBe("10x13");
      expect(model.inputs).toEqual([{ name: "arg0", type: "bfloat16", shape: [2, 3] }]);
      expect(model.outputs).toEqual([{ name: "result0", type: "float32", shape: [2, 3] }]);
      expect(model.graphs[0]?.nodes.map(({ spelled }) => spelled)).toEqual(["ttnn.to_layout", "ttnn.relu"]);
    }
  });

  it("reads TTMetal's container beside it", () => {
    const model = read(metal);
    expect(ttnn.matches(modelFileOf(metal, "x.ttm"))).toBe(2);
    expect(model.integrity).toEqual([]);
    expect(model.producer?.version).toBe(commit);
    expect(model.targets[0]?.chip).toBe("blackhole");
    expect(model.inputs?.[0]?.shape).toEqual([2, 3]);
  });

  const real = realModels("ttnn");
  it.skipIf(real.length === 0)("reads every real file as its manifest says", () => {
    for (const { name, truth, file } of real) {
      const model = ttnn.read(file());
      expect(model.integrity, name).toEqual([]);
      expect(truth, name).toContain(`tt-mlir commit ${model.producer?.version}; arch ${model.targets[0]?.says}`);
      expect(model.targets[0]?.chip).toBe("wormhole");
      const type = /matmul|sum/.test(name) ? "bfloat16" : "float32";
      expect(new Set(model.inputs?.map((one) => one.type)), name).toEqual(new Set([type]));
      expect(
        model.outputs?.map((one) => one.type),
        name,
      ).toEqual([type]);
      expect(
        model.graphs[0]?.nodes.every(({ spelled }) => spelled.startsWith("ttnn.")),
        name,
      ).toBe(true);
    }
  });

  it("tells truncations and survives mutants", () => {
    for (const bytes of [old, recent, metal]) expectMutantsHandled(ttnn, bytes, "x.ttnn", 300);
    for (const { name, bytes } of real) {
      expectTruncationsTold(ttnn, bytes(), name);
      expectMutantsHandled(ttnn, bytes(), name, 200);
    }
  });
});
