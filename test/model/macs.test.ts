/** Multiply-accumulates: networks against the figures published for them, operators against counts by hand, memory against a planner. */

import { describe, expect, it } from "vitest";
import { detectFormat } from "../../src/formats/detect.ts";
import { modelFileOf, openModelFile, type ModelFile } from "../../src/formats/file.ts";
import { costOf, type Cost } from "../../src/model/cost.ts";
import { Net } from "../formats/build/onnx.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";
import { bertBase, mobileNetV1, mobileNetV2, resNet, vgg16, vitBase16, yoloV3Tiny } from "./networks.ts";

function cost(file: ModelFile): Cost {
  const detected = detectFormat(file);
  if (detected.is !== "model") throw new Error(`${file.name} is no model`);
  const model = detected.format.read(file);
  expect(model.integrity.filter(({ severity }) => severity !== "note")).toEqual([]);
  return costOf(model);
}
const costOfFile = (bytes: Uint8Array): Cost => cost(modelFileOf(bytes, "net.onnx"));

interface Published {
  readonly name: string;
  readonly make: () => Uint8Array;
  readonly macs: number;
  /** Half of the last digit that was published, where that is more than 1 %. */
  readonly rounded?: number;
  readonly parameters?: number;
  readonly parametersRounded?: number;
  readonly source: string;
}

const howard = "Howard et al., MobileNets, arXiv:1704.04861, tables 6 to 8: million mult-adds and parameters";
const torchvision = "torchvision/models: _ops, which are multiply-accumulates, and num_params of the weights";

const published: readonly Published[] = [
  {
    name: "MobileNet v1 1.0 224",
    make: () => mobileNetV1(),
    macs: 569e6,
    parameters: 4.2e6,
    parametersRounded: 0.05e6,
    source: howard,
  },
  {
    name: "MobileNet v1 0.75 224",
    make: () => mobileNetV1(0.75),
    macs: 325e6,
    parameters: 2.6e6,
    parametersRounded: 0.05e6,
    source: howard,
  },
  {
    name: "MobileNet v1 0.5 224",
    make: () => mobileNetV1(0.5),
    macs: 149e6,
    parameters: 1.3e6,
    parametersRounded: 0.05e6,
    source: howard,
  },
  {
    name: "MobileNet v1 0.25 224",
    make: () => mobileNetV1(0.25),
    macs: 41e6,
    rounded: 0.5e6,
    parameters: 0.5e6,
    parametersRounded: 0.05e6,
    source: howard,
  },
  { name: "MobileNet v1 1.0 192", make: () => mobileNetV1(1, 192), macs: 418e6, source: howard },
  { name: "MobileNet v1 1.0 160", make: () => mobileNetV1(1, 160), macs: 290e6, source: howard },
  { name: "MobileNet v1 1.0 128", make: () => mobileNetV1(1, 128), macs: 186e6, source: howard },
  {
    name: "MobileNet v2 1.0 224",
    make: mobileNetV2,
    macs: 300e6,
    parameters: 3.5e6,
    parametersRounded: 0.05e6,
    source: "Sandler et al., MobileNetV2, arXiv:1801.04381, table 4: 300M MAdds; torchvision: 3,504,872 parameters",
  },
  {
    name: "ResNet-18",
    make: () => resNet([2, 2, 2, 2], false),
    macs: 1.81e9,
    parameters: 11_689_512,
    source: torchvision,
  },
  {
    name: "ResNet-50",
    make: () => resNet([3, 4, 6, 3], true),
    macs: 4.09e9,
    parameters: 25_557_032,
    source: torchvision,
  },
  { name: "VGG-16", make: vgg16, macs: 15.47e9, parameters: 138_357_544, source: torchvision },
  { name: "ViT-B/16", make: vitBase16, macs: 17.56e9, parameters: 86_567_656, source: torchvision },
  {
    name: "BERT-base, 128 steps",
    make: () => bertBase(128),
    macs: 22.5e9 / 2,
    source: "Sun et al., MobileBERT, arXiv:2004.02984, table 1: 22.5B FLOPS of two operations each",
  },
  {
    name: "YOLOv3-tiny 416",
    make: yoloV3Tiny,
    macs: 5.56e9 / 2,
    source: "https://pjreddie.com/darknet/yolo/: 5.56 Bn FLOPs of two operations each",
  },
];

describe("networks built by their papers' tables cost what was published, within 1 %", () => {
  it.each(published)("$name: $macs ($source)", ({ make, macs, rounded = 0, parameters, parametersRounded = 0 }) => {
    const found = costOfFile(make());
    expect(found.open).toBe(0);
    expect(Math.abs((found.macs ?? 0) - macs), `${found.macs}`).toBeLessThanOrEqual(Math.max(rounded, macs * 0.01));
    if (parameters === undefined) return;
    const off = Math.abs((found.parameters ?? 0) - parameters);
    expect(off, `${found.parameters}`).toBeLessThanOrEqual(Math.max(parametersRounded, parameters * 0.01));
  });
});

/** One operator on inputs and weights of these shapes; [] in the list is no input. */
const one = (
  operator: string,
  inputs: readonly (readonly number[] | undefined)[],
  weights: readonly (readonly number[])[] = [],
  attributes: Parameters<Net["op"]>[2] = {},
  domain = "",
): Cost => {
  const net = new Net(24);
  const given = inputs.map((shape, at) => (shape === undefined ? "" : net.input(`x${at}`, shape)));
  return costOfFile(
    net.file(net.op(operator, [...given, ...weights.map((shape) => net.weights(...shape))], attributes, domain)),
  );
};

describe("operators, counted by hand, their shapes worked out from inputs and weights", () => {
  it("depthwise, grouped and dilated convolutions", () => {
    const conv = (
      shape: readonly number[],
      weights: readonly number[],
      more: Parameters<Net["op"]>[2],
    ): number | undefined => one("Conv", [shape], [weights], more).macs;
    // 9 x 9 by strides of 2 is 5 x 5; 8 channels of 9 weights
    expect(conv([1, 8, 9, 9], [8, 1, 3, 3], { group: 8, strides: [2, 2], pads: [1, 1, 1, 1] })).toBe(25 * 8 * 9);
    // A multiplier of 2
    expect(conv([1, 8, 9, 9], [16, 1, 3, 3], { group: 8, pads: [1, 1, 1, 1] })).toBe(81 * 16 * 9);
    // 4 groups of 4 channels in, 8 out
    expect(conv([2, 16, 10, 10], [32, 4, 3, 3], { group: 4, pads: [1, 1, 1, 1] })).toBe(2 * 100 * 32 * 4 * 9);
    // 3 x 3 weights that reach over 5 x 5: 10 x 10 becomes 6 x 6
    expect(conv([1, 4, 10, 10], [4, 4, 3, 3], { dilations: [2, 2] })).toBe(36 * 4 * 4 * 9);
    expect(conv([1, 4, 100], [6, 4, 5], { strides: [5], auto_pad: "SAME_UPPER" })).toBe(20 * 6 * 4 * 5);
    expect(conv([1, 2, 4, 6, 6], [3, 2, 3, 3, 3], {})).toBe(2 * 4 * 4 * 3 * 2 * 27);
  });

  it("transposed convolutions: every input element meets one filter", () => {
    const wide = { strides: [2, 2], output_padding: [1, 1] };
    expect(one("ConvTranspose", [[1, 4, 5, 5]], [[4, 6, 3, 3]], wide).macs).toBe(25 * 4 * 6 * 9);
    expect(one("ConvTranspose", [[1, 4, 5, 5]], [[4, 3, 3, 3]], { ...wide, group: 2 }).macs).toBe(25 * 4 * 3 * 9);
  });

  it("matrix products", () => {
    expect(one("MatMul", [[2, 3, 10, 64]], [[64, 32]]).macs).toBe(2 * 3 * 10 * 64 * 32);
    expect(
      one("MatMul", [
        [2, 1, 10, 64],
        [5, 64, 7],
      ]).macs,
    ).toBe(2 * 5 * 10 * 64 * 7);
    expect(one("MatMul", [[64], [64]]).macs).toBe(64);
    expect(one("Gemm", [[64, 8]], [[16, 64]], { transA: 1, transB: 1 }).macs).toBe(8 * 64 * 16);
  });

  it("sums by an equation: every letter once", () => {
    const sum = (equation: string, ...shapes: number[][]): Cost => one("Einsum", shapes, [], { equation });
    expect(sum("ij,jk->ik", [4, 5], [5, 6]).macs).toBe(4 * 5 * 6);
    expect(sum("bqhd,bkhd->bhqk", [2, 10, 4, 16], [2, 20, 4, 16]).macs).toBe(2 * 4 * 10 * 20 * 16);
    expect(sum("...ij,...jk", [3, 1, 4, 5], [7, 5, 6]).macs).toBe(3 * 7 * 4 * 5 * 6);
    // Nothing is summed with nothing, or moved about only
    expect(sum("i,j->ij", [4], [5]).macs).toBe(0);
    expect(sum("ij->ji", [4, 5]).macs).toBe(0);
    // Three at once: in which order is not written
    expect(sum("ij,jk,kl->il", [4, 5], [5, 6], [6, 7])).toMatchObject({ open: 1 });
  });

  it("recurrent layers: every weight once a step, in both directions", () => {
    expect(
      one(
        "LSTM",
        [[10, 2, 8]],
        [
          [2, 64, 8],
          [2, 64, 16],
        ],
        { hidden_size: 16, direction: "bidirectional" },
      ).macs,
    ).toBe(10 * 2 * 2 * (64 * 8 + 64 * 16));
    expect(
      one(
        "GRU",
        [[10, 2, 8]],
        [
          [1, 48, 8],
          [1, 48, 16],
        ],
        { hidden_size: 16 },
      ).macs,
    ).toBe(20 * (48 * 8 + 48 * 16));
    expect(
      one(
        "RNN",
        [[10, 1, 8]],
        [
          [1, 4, 8],
          [1, 4, 4],
        ],
        { hidden_size: 4 },
      ).macs,
    ).toBe(10 * (4 * 8 + 4 * 4));
  });

  it("attention: scores and their use, heads that share keys, keys of the steps before", () => {
    // 4 heads of 16 over 20 keys: scores and use are 4 x 10 x 20 x 16 each
    const rows = 4 * 10 * 20 * 16;
    expect(
      one("Attention", [
        [1, 4, 10, 16],
        [1, 4, 20, 16],
        [1, 4, 20, 16],
      ]).macs,
    ).toBe(2 * rows);
    expect(
      one("Attention", [
        [1, 4, 10, 16],
        [1, 2, 20, 16],
        [1, 2, 20, 16],
      ]).macs,
    ).toBe(2 * rows);
    const heads = { q_num_heads: 4, kv_num_heads: 2 };
    expect(
      one(
        "Attention",
        [
          [2, 10, 64],
          [2, 20, 32],
          [2, 20, 32],
        ],
        [],
        heads,
      ).macs,
    ).toBe(2 * 2 * rows);
    const past = [[1, 4, 10, 16], [1, 2, 20, 16], [1, 2, 20, 16], undefined, [1, 2, 5, 16], [1, 2, 5, 16]] as const;
    expect(one("Attention", past).macs).toBe(2 * 4 * 10 * 25 * 16);
  });

  it("attention of onnxruntime: projections too where they are part of the operator", () => {
    const cost = one("Attention", [[1, 10, 64]], [[64, 192], [192]], { num_heads: 4 }, "com.microsoft");
    expect(cost.macs).toBe(10 * 64 * 192 + 2 * 10 * 10 * 64);
    const inputs = [
      [1, 10, 64],
      [1, 20, 64],
      [1, 20, 64],
    ];
    expect(one("MultiHeadAttention", inputs, [], { num_heads: 4 }, "com.microsoft").macs).toBe(2 * 10 * 20 * 64);
    const grouped = { num_heads: 4, kv_num_heads: 2 };
    const shared = [
      [1, 10, 64],
      [1, 10, 32],
      [1, 10, 32],
      [1, 2, 7, 16],
      [1, 2, 7, 16],
    ];
    expect(one("GroupQueryAttention", shared, [], grouped, "com.microsoft").macs).toBe(2 * 4 * 10 * 17 * 16);
    // Which keys each query sees stands in other inputs
    const sparse = one(
      "SparseAttention",
      [
        [1, 10, 64],
        [1, 10, 64],
        [1, 10, 64],
      ],
      [],
      { num_heads: 4 },
      "com.microsoft",
    );
    expect(sparse).toMatchObject({ open: 1 });
  });
});

describe.skipIf(!hasShared)(`published files${unlessShared}`, () => {
  const costAt = (path: string): Cost => {
    const file = openModelFile(sharedPath(`models/${path}`));
    try {
      return cost(file);
    } finally {
      file.close();
    }
  };

  it("a recurrent network of TFLite: 28 steps of an LSTM of 20 over 28 values, then all steps to 10 classes", () => {
    expect(costAt("tflite/trained_lstm.tflite").macs).toBe(28 * 4 * (28 * 20 + 20 * 20) + 28 * 20 * 10);
  });

  it("LeNet of the ONNX zoo: two convolutions and a matrix", () => {
    expect(costAt("onnx/mnist-8.onnx").macs).toBe(28 * 28 * 8 * 25 + 14 * 14 * 16 * 8 * 25 + 256 * 10);
  });

  /**
   * TensorFlow Lite for Microcontrollers (tflite-micro 0.dev20261023) plans memory of activations with its greedy planner, at 16 bytes
   * a tensor; "head" of Interpreter.print_allocations(). Where kernels ask for room of their own it needs more.
   */
  it.each([
    ["hello_world_float", 128, true],
    ["hello_world_int8", 32, true],
    ["micro_speech_quantized", 5968, true],
    ["oww_okay_nabu", 12_288, true],
    ["rocket_fc_model_int8", 6160, true],
    ["rocket_test_2conv", 1536, true],
    ["rocket_test_concat", 4096, true],
    ["rocket_test_logistic", 2048, true],
    ["rocket_test_maxpool", 2048, true],
    ["rocket_test_pad", 2048, true],
    ["dtln_noise_suppression", 1424, false],
    ["micro_alexa", 3648, false],
    ["micro_hey_jarvis", 3424, false],
    ["micro_okay_nabu", 3840, false],
    ["micro_stop", 2720, false],
    ["trained_lstm", 5696, false],
  ])("the peak of %s is what a planner of memory comes to: %i bytes", (name, head, same) => {
    const { peak_activation_bytes: peak = 0 } = costAt(`tflite/${name}.tflite`);
    expect(peak).toBeLessThanOrEqual(head);
    if (same) expect(head - peak).toBeLessThan(32);
    else expect(peak).toBeGreaterThan(head / 3);
  });
});

it("the peak of a graph that forks, by hand: two branches of which one waits", () => {
  // x 4 KiB; a = conv(x) 8 KiB; b = pool(a) 2 KiB; c = relu(a) 8 KiB while b waits; d = pool(c) 2 KiB; d + b
  const net = new Net();
  const x = net.input("x", [1, 4, 16, 16]);
  const a = net.conv(x, [4, 8], 3);
  const half = { kernel_shape: [2, 2], strides: [2, 2] };
  const b = net.op("MaxPool", [a], half);
  const c = net.op("Relu", [a]);
  const d = net.op("MaxPool", [c], half);
  const found = costOfFile(net.file(net.op("Add", [b, d])));
  expect(found.peak_activation_bytes).toBe((8 + 2 + 8) * 1024);
  expect(found.macs).toBe(256 * 8 * 4 * 9);
});
