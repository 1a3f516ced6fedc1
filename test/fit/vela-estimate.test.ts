import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evaluateVela, quantileOf, velaBar, type VelaLayers } from "../../src/fit/evaluate-vela.ts";
import vela from "../../src/fit/targets/vela.ts";
import { arrayCycles, type FeatureMap, type Operation } from "../../src/fit/time/vela-cycles.ts";
import { blockFor, machineOf, POINT, systems, type Machine } from "../../src/fit/time/vela-machine.ts";
import { velaEstimate } from "../../src/fit/time/vela.ts";
import { viewOf } from "../../src/fit/view.ts";
import { model, type Graph } from "../../src/model/graph.ts";

const machine = (accelerator: string): Machine => {
  const found = machineOf(accelerator, systems["imx93"] ?? { clock: 1, scale: 1, read: 0, write: 0 });
  if (found === undefined) throw new Error(accelerator);
  return found;
};

describe("one operation, as Vela 3.10 counted it", () => {
  const small = machine("ethos-u55-128");
  const bricks = (shape: readonly [number, number, number]): FeatureMap => ({
    shape,
    bits: 8,
    linear: false,
    memory: small.fast,
  });

  test("a depthwise convolution of 64x64x8 goes in blocks of 14x14x8 and takes 30184 cycles on a U55-128", () => {
    const kernel = { ...POINT, h: 3, w: 3 };
    const map = bricks([64, 64, 8]);
    const block = blockFor(small, {
      unit: "depthwise",
      ofm: map.shape,
      ifm: map.shape,
      ifm2: undefined,
      scalar: false,
      bits: 8,
      kernel,
      table: false,
      scaled: true,
      upscale: "none",
    });
    expect(block).toEqual({ ofm: [14, 14, 8], ifm: [16, 16, 8], acc40: false, byKernel: true });
    const operation: Operation = {
      unit: "depthwise",
      kind: "other",
      activation: "limits",
      ifm: map,
      ifm2: undefined,
      ofm: map,
      kernel,
      constants: small.fast,
    };
    expect(block && arrayCycles(small, operation, block)).toBe(30184);
  });

  test("there is no accelerator of another name", () => {
    expect(machineOf("ethos-u55-512", { clock: 1, scale: 1, read: 0, write: 0 })).toBeUndefined();
    expect(machineOf("constructor", { clock: 1, scale: 1, read: 0, write: 0 })).toBeUndefined();
  });
});

test("a graph of absurd shapes gets a number or none, and at once", () => {
  const huge = { type: "int8", shape: [1, 2 ** 20, 2 ** 20, 2 ** 12] } as const;
  const graph: Graph = {
    name: "main",
    tensors: [
      { name: "a", ...huge },
      { name: "w", type: "int8", shape: [4096, 3, 3, 4096], data: { offset: 0, bytes: 1 } },
      { name: "b", ...huge },
    ],
    nodes: [
      { spelled: "CONV_2D", op: "Conv", inputs: [0, 1], outputs: [2], attributes: { strides_h: 1, strides_w: 1 } },
    ],
    inputs: [0],
    outputs: [2],
  };
  const { views } = viewOf(model("tflite", { sealed: false, graphs: [graph], main: 0 }));
  const started = performance.now();
  const estimate = velaEstimate(views, { accelerator: "ethos-u65-512" });
  expect(estimate === undefined || estimate.ms > 0).toBe(true);
  expect(performance.now() - started).toBeLessThan(500);
});

describe("Vela's table of layers", () => {
  const layers = JSON.parse(
    readFileSync(new URL("../../data/fit/vela-layers.json", import.meta.url), "utf8"),
  ) as VelaLayers;
  const target = vela.find(({ id }) => id === "vela-nxp");
  const { agreements } = target === undefined ? { agreements: [] } : evaluateVela(layers, target);

  test("is met within 10 % by half of the layers and more, on every accelerator", () => {
    expect(agreements.map(({ accelerator }) => accelerator)).toHaveLength(6);
    for (const { errors, accelerator } of agreements)
      expect([accelerator, quantileOf(errors, 0.5) <= velaBar]).toEqual([accelerator, true]);
  });

  test("pairs nine layers of ten", () => {
    for (const { layers: all, unpaired } of agreements) expect(unpaired / all).toBeLessThan(0.1);
  });

  test("adds up to Vela's cycles of a whole model within a tenth for half of the models", () => {
    for (const { totals, accelerator } of agreements) {
      const off = totals.map(({ ratio }) => Math.abs(ratio - 1)).sort((a, b) => a - b);
      expect([accelerator, quantileOf(off, 0.5) < 0.1]).toEqual([accelerator, true]);
    }
  });
});
