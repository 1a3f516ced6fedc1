/** Where published figures of known models stand, and rows of them in the units their tables use. */

import type { Published } from "./known.ts";

type Size = readonly [number, number, number];

/** Parameters in millions, operations in billions; `input` where it differs from the model's own. */
type Row = (parameters: number, operations: number, input?: Size) => Published;

const row =
  (source: string, perMac: number): Row =>
  (parameters, operations, input) => ({
    parameters: Math.round(parameters * 1e6),
    macs: Math.round((operations / perMac) * 1e9),
    ...(input === undefined ? {} : { input }),
    source,
  });

const profiled = row(
  "github.com/huggingface/pytorch-image-models@aa4b585 results/benchmark-infer-amp-nchw-pt240-cu124-rtx3090.csv",
  1,
);

/** Multiply-accumulates by a profiler that also counts what normalises and activates. */
export const timm: Row = (parameters, operations, input) => ({
  ...profiled(parameters, operations, input),
  within: { share: 0.05, because: "its profiler counts normalisation and activation as well", of: "macs" },
});

/** Multiplications and additions apart. */
export const hailo = (task: string): Row =>
  row(`github.com/hailo-ai/hailo_model_zoo@c83fc03 docs/public_models/HAILO10H/HAILO10H_${task}.rst`, 2);

/** What a paper or its authors' tables say: multiply-accumulates. */
export const paper = (source: string): Row => row(source, 1);

/** The same with a deviation that is explained. */
export const within = (
  published: Published,
  share: number,
  because: string,
  of?: "parameters" | "macs",
): Published => ({
  ...published,
  within: { share, because, ...(of === undefined ? {} : { of }) },
});

/** What torchvision writes beside its weights (num_params, _ops): multiply-accumulates of convolutions and matrices. */
export const torchvision: Row = row(
  "torchvision 0.29.2 (PyPI), torchvision/models: num_params and _ops of the weights",
  1,
);

/** Sums over the operators of ncnn's benchmark graphs, in units. */
export const ncnn = (model: string, parameters: number, macs: number): Published => ({
  parameters,
  macs,
  source: `github.com/Tencent/ncnn@a4d2ea1 benchmark/models/${model}.param, summed`,
});
