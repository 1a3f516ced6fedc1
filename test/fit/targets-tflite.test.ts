import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { place } from "../../src/fit/place.ts";
import type { Target } from "../../src/fit/target.ts";
import edgetpus from "../../src/fit/targets/edgetpu.ts";
import ethos from "../../src/fit/targets/ethos-u-executorch.ts";
import mediatek from "../../src/fit/targets/litert-mediatek.ts";
import qualcomm from "../../src/fit/targets/litert-qualcomm.ts";
import samsung from "../../src/fit/targets/litert-samsung.ts";
import neutron from "../../src/fit/targets/neutron-executorch.ts";
import nnapis from "../../src/fit/targets/nnapi.ts";
import exynos from "../../src/fit/targets/samsung-exynos.ts";
import stm from "../../src/fit/targets/stm32mp25.ts";
import gpus from "../../src/fit/targets/tflite-gpu.ts";
import tims from "../../src/fit/targets/tim-vx.ts";
import vulkan from "../../src/fit/targets/vulkan-executorch.ts";
import vxs from "../../src/fit/targets/vx-delegate.ts";
import xnnpackExecutorch from "../../src/fit/targets/xnnpack-executorch.ts";
import xnnpacks from "../../src/fit/targets/xnnpack-tflite.ts";
import { viewOf } from "../../src/fit/view.ts";
import { readModel } from "../../src/inspect/describe.ts";
import { model, type Attribute, type Model, type Node, type Tensor } from "../../src/model/graph.ts";
import { opTable, sharedOp } from "../../src/model/ops.ts";

const shared = fileURLToPath(new URL("../../../shared/models/", import.meta.url));
const has = existsSync(shared);
const skipped = "needs ../shared/models";

const only = (list: readonly Target[], id?: string): Target => {
  const found = id === undefined ? list[0] : list.find((target) => target.id === id);
  if (found === undefined) throw new Error("no such target");
  return found;
};
const edgetpu = only(edgetpus, "edgetpu");
const multi = only(edgetpus, "edgetpu-multi");
const xnnpack = only(xnnpacks);
const gpu = only(gpus);

interface Line {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly version?: number;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

const scaled = { scale: [0.1], zeroPoint: [0] };
const int8 = (...shape: number[]): Partial<Tensor> => ({ type: "int8", shape, quantization: scaled });
const float = (...shape: number[]): Partial<Tensor> => ({ type: "float32", shape });
const fixed = (tensor: Partial<Tensor>, values?: readonly number[]): Partial<Tensor> => ({
  ...tensor,
  data: { bytes: 4 },
  ...(values === undefined ? {} : { values }),
});
const indexes = (...values: number[]): Partial<Tensor> => fixed({ type: "int32", shape: [values.length] }, values);

/** A TFLite graph of named tensors; the first line's first input is the graph's. */
function graphOf(tensors: Readonly<Record<string, Partial<Tensor>>>, lines: readonly Line[]): Model {
  const names = Object.keys(tensors);
  const index = (name: string): number => names.indexOf(name);
  const nodes = lines.map(({ op: spelled, in: inputs, out, version, attributes = {} }): Node => {
    const op = sharedOp("tflite", spelled);
    return {
      spelled,
      inputs: inputs.map(index),
      outputs: out.map(index),
      attributes,
      ...(version === undefined ? {} : { version }),
      ...(op === undefined ? {} : { op }),
    };
  });
  const all = names.map((name): Tensor => ({ name, type: "int8", ...tensors[name] }));
  const last = lines.at(-1)?.out.map(index) ?? [];
  return model("tflite", {
    sealed: false,
    graphs: [{ name: "main", tensors: all, nodes, inputs: [0], outputs: last }],
    main: 0,
  });
}

const placed = (given: Model, target: Target) => {
  const { views, model: whole } = viewOf(given);
  return place(views, whole, target);
};
const ofFile = (path: string, target: Target) => placed(readModel(`${shared}${path}`), target);

describe("Edge TPU", () => {
  const tensors = {
    picture: float(1, 8, 8, 8),
    a: int8(1, 8, 8, 8),
    b: int8(1, 8, 8, 8),
    c: int8(1, 8, 8, 8),
    d: int8(1, 8, 8, 8),
    e: int8(1, 8, 8, 8),
    out: float(1, 8, 8, 8),
  };
  const lines: Line[] = [
    { op: "QUANTIZE", in: ["picture"], out: ["a"] },
    { op: "RELU", in: ["a"], out: ["b"] },
    { op: "LEAKY_RELU", in: ["b"], out: ["c"] },
    { op: "RELU", in: ["c"], out: ["d"] },
    { op: "LOGISTIC", in: ["b"], out: ["e"] },
    { op: "DEQUANTIZE", in: ["d"], out: ["out"] },
  ];

  test("a refused operator at the front does not end the only subgraph, one behind it does", () => {
    const result = placed(graphOf(tensors, lines), edgetpu);
    expect(result.partitions).toEqual([[1, 4]]);
    expect(result.nodes.map(({ answer }) => ("rule" in answer ? answer.rule : answer.takes))).toEqual([
      "limitation",
      "yes",
      "operator",
      "yes",
      "yes",
      "type",
    ]);
    expect(result.nodes[3]?.left).toBe("behind an operator that is not taken");
  });

  test("with several subgraphs every one is taken", () => {
    expect(placed(graphOf(tensors, lines), multi).partitions).toEqual([[1, 4], [3]]);
  });

  test("a model without 8-bit tensors is refused whole, in the compiler's words", () => {
    const given = graphOf({ a: float(1, 4), b: float(1, 4) }, [{ op: "RELU", in: ["a"], out: ["b"] }]);
    const result = placed(given, edgetpu);
    expect(result.fits).toBe("none");
    expect(result.refusals[0]?.because).toBe("Model not quantized: float32");
  });

  test("an operator newer than the compiler's own TFLite keeps the whole file from being read", () => {
    const given = graphOf({ a: int8(1, 4), b: int8(1, 4) }, [{ op: "QUANTIZE", in: ["a"], out: ["b"], version: 3 }]);
    expect(placed(given, edgetpu).prerequisites.filter(({ met }) => met === "no")).toMatchObject([
      { rule: "version", says: expect.stringContaining("QUANTIZE version 3") as string },
    ]);
  });

  test("a picture of four dimensions with a batch has too many", () => {
    const given = graphOf({ a: int8(2, 4, 4, 4), b: int8(2, 4, 4, 4) }, [{ op: "RELU", in: ["a"], out: ["b"] }]);
    expect(placed(given, edgetpu).refusals).toMatchObject([
      { rule: "rank", because: expect.stringContaining("2x4x4x4") as string },
    ]);
  });

  test("sizes between those that were seen taken and refused are not known", () => {
    const resized = (side: number): Model =>
      graphOf({ a: int8(1, side / 2, side / 2, 32), size: indexes(side, side), b: int8(1, side, side, 32) }, [
        { op: "RESIZE_BILINEAR", in: ["a", "size"], out: ["b"] },
      ]);
    expect(placed(resized(128), edgetpu).fits).toBe("whole");
    expect(placed(resized(256), edgetpu).fits).toBe("unsure");
    expect(placed(resized(512), edgetpu).fits).toBe("none");
  });

  test.skipIf(!has)(`compiled files hold as many operators as are predicted to stay behind (${skipped})`, () => {
    const folder = `${shared}tflite-edgetpu`;
    const pairs = readdirSync(folder)
      .filter((name) => name.endsWith("_edgetpu.tflite") && !/^old_|cocompiled|segment/.test(name))
      .map((name) => [name.replace("_edgetpu.tflite", ".tflite"), name] as const)
      .filter(([plain]) => existsSync(`${folder}/${plain}`));
    expect(pairs.length).toBeGreaterThanOrEqual(5);
    for (const [plain, compiled] of pairs) {
      const nodes = readModel(`${folder}/${compiled}`).graphs[0]?.nodes ?? [];
      const left = nodes.filter(({ spelled }) => spelled !== "edgetpu-custom-op").length;
      const result = ofFile(`tflite-edgetpu/${plain}`, edgetpu);
      expect([plain, result.cpu, result.unsure]).toEqual([plain, left, 0]);
    }
  });
});

describe("XNNPACK of TFLite", () => {
  const pads = fixed({ type: "int32", shape: [4, 2] }, [0, 0, 1, 1, 1, 1, 0, 0]);

  test("scales, constants and the numbers in them decide", () => {
    const tensors = {
      a: int8(1, 4, 4, 8),
      b: { ...int8(1, 4, 4, 8), quantization: { scale: [100], zeroPoint: [0] } },
      pads,
      c: int8(1, 6, 6, 8),
      begin: indexes(0, 0, 0, 0),
      size: indexes(1, -1, -1, 8),
      d: int8(1, 6, 6, 8),
      shape: indexes(-1),
      e: int8(288),
    };
    const result = placed(
      graphOf(tensors, [
        { op: "ADD", in: ["a", "a"], out: ["b"] },
        { op: "PAD", in: ["a", "pads"], out: ["c"] },
        { op: "SLICE", in: ["c", "begin", "size"], out: ["d"] },
        { op: "RESHAPE", in: ["d", "shape"], out: ["e"] },
      ]),
      xnnpack,
    );
    expect(result.nodes.map(({ answer }) => ("rule" in answer ? answer.rule : answer.takes))).toEqual([
      "yes",
      "yes",
      "size",
      "shape",
    ]);
    const narrow = { ...tensors, b: { ...int8(1, 4, 4, 8), quantization: { scale: [0.0001], zeroPoint: [0] } } };
    expect(placed(graphOf(narrow, [{ op: "ADD", in: ["a", "a"], out: ["b"] }]), xnnpack).refusals[0]?.rule).toBe(
      "scale",
    );
  });

  test("DEQUANTIZE of weights goes where all that use it go", () => {
    const tensors = {
      a: float(1, 4, 4, 8),
      half: fixed({ type: "float16", shape: [8, 1, 1, 8] }),
      weights: float(8, 1, 1, 8),
      bias: fixed(float(8)),
      b: float(1, 4, 4, 8),
      c: float(8, 1, 1, 8),
    };
    const conv: Line = {
      op: "CONV_2D",
      in: ["a", "weights", "bias"],
      out: ["b"],
      attributes: { strides_h: 1, strides_w: 1, padding: "SAME" },
    };
    const dequantize: Line = { op: "DEQUANTIZE", in: ["half"], out: ["weights"] };
    expect(placed(graphOf(tensors, [dequantize, conv]), xnnpack).taken).toBe(2);
    const other: Line = { op: "L2_NORMALIZATION", in: ["weights"], out: ["c"] };
    expect(placed(graphOf(tensors, [dequantize, conv, other]), xnnpack).partitions).toEqual([[1]]);
  });

  // As ai-edge-litert 2.3.0 replaced them on x86-64.
  const seen: readonly (readonly [file: string, total: number, taken: number, partitions: number])[] = [
    ["tflite/oww_okay_nabu.tflite", 23, 23, 1],
    ["tflite/micro_stop.tflite", 43, 40, 2],
    ["tflite/micro_okay_nabu.tflite", 61, 56, 4],
    ["tflite/mp_hand_landmark_lite.tflite", 167, 167, 1],
    ["tflite/mp_face_detection_short_range.tflite", 164, 164, 1],
    ["tflite/dtln_noise_suppression.tflite", 4, 2, 1],
    ["tflite/micro_speech_quantized.tflite", 4, 3, 1],
    ["tflite/rocket_fc_model_int8.tflite", 5, 1, 1],
    ["tflite/rocket_test_concat.tflite", 6, 4, 1],
    ["tflite/trained_lstm.tflite", 4, 3, 1],
  ];
  test.skipIf(!has).each(seen)(
    `%s: %i operators, %i taken in %i partitions (${skipped})`,
    (file, total, taken, partitions) => {
      const result = ofFile(file, xnnpack);
      expect([result.total, result.taken, result.unsure, result.partitions.length]).toEqual([
        total,
        taken,
        0,
        partitions,
      ]);
    },
  );
});

describe("TFLite's GPU delegate", () => {
  test("takes the largest partition alone, and says what else would be", () => {
    const tensors = { a: float(1, 4), b: float(1, 4), c: float(1, 4), d: float(1, 4), e: float(1, 4) };
    const result = placed(
      graphOf(tensors, [
        { op: "RELU", in: ["a"], out: ["b"] },
        { op: "RANK", in: ["b"], out: ["c"] },
        { op: "RELU", in: ["c"], out: ["d"] },
        { op: "TANH", in: ["d"], out: ["e"] },
      ]),
      gpu,
    );
    expect(result.partitions).toEqual([[2, 3]]);
    expect(result.nodes[0]?.left).toBeDefined();
  });

  test("five dimensions, wrong types and unlike shapes are each told in its words", () => {
    const wide = graphOf({ a: float(1, 2, 2, 2, 2), b: float(1, 2, 2, 2, 2) }, [{ op: "RELU", in: ["a"], out: ["b"] }]);
    expect(placed(wide, gpu).refusals[0]?.because).toContain("tensor type/shape isn't compatible");
    const unlike = graphOf({ a: float(2, 4, 4, 8), b: float(4, 8), c: float(2, 4, 4, 8) }, [
      { op: "ADD", in: ["a", "b"], out: ["c"] },
    ]);
    expect(placed(unlike, gpu).refusals[0]).toMatchObject({ rule: "broadcast" });
  });
});

describe("delegates and back ends by their sources and documents", () => {
  const chain = graphOf({ a: int8(1, 4, 4, 8), axes: indexes(1, 2), b: int8(1, 8), c: int8(1, 8), d: int8(1, 8) }, [
    { op: "MEAN", in: ["a", "axes"], out: ["b"], version: 2 },
    { op: "LOG_SOFTMAX", in: ["b"], out: ["c"], version: 1 },
    { op: "RELU", in: ["c"], out: ["d"], version: 2 },
  ]);

  test.each([
    [only(nnapis), [[0], [2]]],
    [only(vxs), [[0], [2]]],
    [only(stm), [[0], [2]]],
    [only(qualcomm), [[0, 1, 2]]],
    [only(mediatek), [[0], [2]]],
    [only(samsung), []],
  ] as const)("%# places a chain with one operator that few take", (target, partitions) => {
    expect(placed(chain, target).partitions).toEqual(partitions);
  });

  test("STM32MP25 warns of weights per channel, which run on its GPU", () => {
    const { prerequisites } = placed(chain, only(stm));
    expect(prerequisites.map(({ rule }) => rule)).toEqual(["quantization", "per-channel"]);
    expect(prerequisites.every((one) => one.else === "warns" && one.cure !== undefined)).toBe(true);
  });

  test("Ethos-U55 by ExecuTorch refuses what U85 takes", () => {
    const given = graphOf({ a: int8(1, 4, 4, 8), size: indexes(8, 8), b: int8(1, 8, 8, 8) }, [
      { op: "RESIZE_BILINEAR", in: ["a", "size"], out: ["b"] },
    ]);
    expect(placed(given, only(ethos, "ethos-u55-executorch")).refusals[0]).toMatchObject({ rule: "mode" });
    expect(placed(given, only(ethos, "ethos-u85-executorch")).fits).toBe("whole");
  });

  test("every name that a table is keyed by is one that a node can have", () => {
    const custom = new Set([
      "CUSTOM",
      "vsi-npu",
      "Convolution2DTransposeBias",
      "MaxPoolingWithArgmax2D",
      "MaxUnpooling2D",
      "Resampler",
    ]);
    const names = {
      tflite: new Set([...custom, ...opTable.flatMap((row) => row.tflite?.split(" ") ?? [])]),
      shared: new Set(opTable.map((row) => row.op)),
      onnx: new Set<string>(),
    };
    const all = [
      edgetpus,
      ethos,
      mediatek,
      qualcomm,
      samsung,
      neutron,
      nnapis,
      exynos,
      stm,
      gpus,
      tims,
      vulkan,
      vxs,
      xnnpackExecutorch,
      xnnpacks,
    ];
    for (const target of all.flat()) {
      expect(target.sources.length, target.id).toBeGreaterThan(0);
      expect(
        Object.keys(target.operators).filter((name) => !names[target.names].has(name)),
        target.id,
      ).toEqual([]);
    }
  });
});
