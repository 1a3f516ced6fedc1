/**
 * Convolutions after transformers: ConvNeXt (arXiv 2201.03545 table 9; atto to nano as timm has them), FasterNet (2303.03667 table 10),
 * PoolFormer (2111.11418 table 1), EdgeNeXt (2206.10589 table 1), HarDNet (1909.00948 appendix), ResMLP (2105.03404).
 */

import { classifier, headsOf, joined } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Activation, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, timm, torchvision, within } from "../published.ts";

type Four = readonly [number, number, number, number];

/** Normalised over the channels at each place, widened, narrowed, added. */
function nextBlock(net: Layers, x: Value, kernel: number): Value {
  const channels = at(x.shape, 1);
  const y = net.layerNorm(net.depthwise(x, { kernel }));
  return net.add(x, net.conv(net.conv(y, 4 * channels, { act: "gelu" }), channels));
}

/** What comes out of the four stages. */
export function convnext(net: Layers, x: Value, widths: Four, blocks: Four): Value[] {
  const taps: Value[] = [];
  let y = net.layerNorm(net.conv(x, widths[0], { kernel: 4, stride: 4, pad: "valid" }));
  widths.forEach((width, stage) => {
    if (stage > 0) y = net.conv(net.layerNorm(y), width, { kernel: 2, stride: 2, pad: "valid" });
    for (let i = 0; i < at(blocks, stage); i++) y = nextBlock(net, y, 7);
    taps.push(y);
  });
  return taps;
}

/** A quarter of the channels is filtered, the others pass. */
function fasternet(net: Layers, x: Value, width: number, blocks: Four, act: Activation): Value {
  let y = net.conv(x, width, { kernel: 4, stride: 4, pad: "valid" });
  blocks.forEach((count, stage) => {
    const channels = width * 2 ** stage;
    if (stage > 0) y = net.conv(y, channels, { kernel: 2, stride: 2, pad: "valid" });
    for (let i = 0; i < count; i++) {
      const [some, others] = net.split(y, [channels / 4, (channels * 3) / 4]);
      const mixed = net.concat([net.conv(some ?? y, channels / 4, { kernel: 3, bias: false }), others ?? y]);
      y = net.add(y, net.conv(net.conv(mixed, 2 * channels, { act }), channels, { bias: false }));
    }
  });
  return net.fc(net.conv(net.globalPool(y), 1280, { bias: false, act }), 1000);
}

/** Means of neighbours less oneself in place of attention. */
function poolformer(net: Layers, x: Value, widths: Four, blocks: Four): Value {
  let y = net.conv(x, widths[0], { kernel: 7, stride: 4, pad: 2 });
  widths.forEach((width, stage) => {
    if (stage > 0) y = net.conv(y, width, { kernel: 3, stride: 2, pad: 1 });
    for (let i = 0; i < at(blocks, stage); i++) {
      const z = net.batchNorm(y);
      y = net.add(y, net.sub(net.averagePool(z, { kernel: 3, stride: 1, pad: "same" }), z));
      y = net.add(y, net.conv(net.conv(net.batchNorm(y), 4 * width, { act: "gelu" }), width));
    }
  });
  return net.fc(net.layerNorm(net.reshape(net.globalPool(y), [at(x.shape, 0), widths[3]])), 1000);
}

/** Convolutions of growing size; the last block of all stages but the first lets channels attend to one another. */
function edgenext(net: Layers, x: Value, widths: Four, blocks: Four, heads: number): Value {
  let y = net.layerNorm(net.conv(x, widths[0], { kernel: 4, stride: 4, pad: "valid" }));
  widths.forEach((width, stage) => {
    if (stage > 0) y = net.conv(net.layerNorm(y), width, { kernel: 2, stride: 2, pad: "valid" });
    for (let i = 0; i < at(blocks, stage); i++)
      y =
        stage > 0 && i === at(blocks, stage) - 1
          ? splitTranspose(net, y, stage + 1, heads, stage === 1)
          : nextBlock(net, y, 3 + 2 * stage);
  });
  return net.fc(net.layerNorm(net.reshape(net.globalPool(y), [at(x.shape, 0), widths[3]])), 1000);
}

function splitTranspose(net: Layers, x: Value, scales: number, heads: number, placed: boolean): Value {
  const channels = at(x.shape, 1);
  const width = Math.ceil(channels / scales);
  const parts = net.split(x, [...Array.from({ length: scales - 1 }, () => width), channels - width * (scales - 1)]);
  const filtered: Value[] = [];
  let before: Value | undefined;
  for (const part of parts.slice(0, Math.max(1, scales - 1))) {
    before = net.depthwise(before ? net.add(before, part) : part);
    filtered.push(before);
  }
  let y = net.tokens(net.concat([...filtered, parts[parts.length - 1] ?? x]));
  if (placed) {
    const places = net.conv(net.weight([1, 64, ...x.shape.slice(2)], "fourier", true), channels);
    y = net.add(y, net.tokens(places));
  }
  const all = net.fc(net.layerNorm(y), 3 * channels);
  // [n, heads, width of a head, places]: a map of channels by channels.
  const [q, k, v] = net.split(all, 3, 2).map((part) => net.transpose(headsOf(net, part, heads), [0, 1, 3, 2]));
  const unit = (z: Value): Value =>
    net.other(["LpNormalization", "L2_NORMALIZATION"], [z], [z.shape], { axis: -1, p: 2 })[0] ?? z;
  const scores = net.softmax(net.scale(net.matmul(unit(q ?? all), unit(k ?? all), { transposeB: true })));
  const mixed = joined(net, net.transpose(net.matmul(scores, v ?? all), [0, 1, 3, 2]));
  y = net.add(y, net.fc(mixed, channels));
  y = net.fc(net.fc(net.layerNorm(y), 4 * channels, { act: "gelu" }), channels);
  return net.add(x, net.image(y, x.shape.slice(2)));
}

interface HarD {
  readonly first: readonly [number, number];
  readonly apart: boolean;
  readonly pool: boolean;
  readonly ratio: number;
  readonly grown: readonly number[];
  readonly layers: readonly number[];
  readonly widths: readonly number[];
  readonly halved: readonly (0 | 1)[];
}

/** Layer `i` takes from those a power of two before it; layers of even number are wider the more powers divide them. */
function linked(layer: number, base: number, grown: number, ratio: number): { out: number; from: number[] } {
  if (layer === 0) return { out: base, from: [] };
  let out = grown;
  const from: number[] = [];
  for (let i = 0; i < 10; i++) {
    const step = 2 ** i;
    if (layer % step !== 0) continue;
    from.push(layer - step);
    if (i > 0) out *= ratio;
  }
  return { out: Math.floor(Math.floor(out + 1) / 2) * 2, from };
}

function hardnet(net: Layers, x: Value, model: HarD): Value {
  const { apart, ratio } = model;
  const act = "relu6";
  let y = net.conv(x, model.first[0], { kernel: 3, stride: 2, act });
  y = net.conv(y, model.first[1], { kernel: apart ? 1 : 3, act: apart ? undefined : act });
  y = model.pool ? net.maxPool(y, { kernel: 3, stride: 2, pad: 1 }) : net.depthwise(y, { stride: 2 });
  model.layers.forEach((count, block) => {
    const base = at(y.shape, 1);
    const made = [y];
    for (let layer = 1; layer <= count; layer++) {
      const { out, from } = linked(layer, base, at(model.grown, block), ratio);
      const taken = from.map((index) => made[index] ?? y);
      const z = taken.length > 1 ? net.concat(taken) : (taken[0] ?? y);
      made.push(apart ? net.depthwise(net.conv(z, out, { act })) : net.conv(z, out, { kernel: 3, act }));
    }
    // What is odd, and the last, goes on.
    y = net.concat(made.filter((_, i) => i === count || i % 2 === 1));
    y = net.conv(y, at(model.widths, block), { act });
    if (at(model.halved, block) === 1) y = model.pool ? net.maxPool(y, { kernel: 2 }) : net.depthwise(y, { stride: 2 });
  });
  return classifier(net, y);
}

/** Matrices over places and over channels, by turns. */
function resmlp(net: Layers, x: Value, layers: number, width: number, act: Activation): Value {
  let y = net.tokens(net.conv(x, width, { kernel: 16, stride: 16, pad: "valid" }));
  const places = at(y.shape, 1);
  for (let i = 0; i < layers; i++) {
    const turned = net.transpose(net.batchNorm(y), [0, 2, 1]);
    y = net.add(y, net.transpose(net.fc(turned, places), [0, 2, 1]));
    y = net.add(y, net.fc(net.fc(net.batchNorm(y), 4 * width, { act }), width));
  }
  return net.fc(net.reduce(net.batchNorm(y), [1], { keep: false }), 1000);
}

const zoo = hailo("classification");

const next = (size: string, widths: Four, blocks: Four, published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `convnext_${size}`,
    name: `ConvNeXt ${size}`,
    family: "ConvNeXt",
    input: 224,
    published,
    source: "arXiv 2201.03545 table 9",
    layers: (net, x) => {
      const last = convnext(net, x, widths, blocks).at(-1) ?? x;
      return net.fc(net.layerNorm(net.reshape(net.globalPool(last), [at(x.shape, 0), widths[3]])), 1000);
    },
  });

const faster = (
  size: string,
  width: number,
  blocks: Four,
  act: Activation,
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `fasternet_${size}`,
    name: `FasterNet-${size.toUpperCase()}`,
    family: "FasterNet",
    input: 224,
    published,
    source: "arXiv 2303.03667 table 10",
    layers: (net, x) => fasternet(net, x, width, blocks, act),
  });

const pool = (size: string, blocks: Four, published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `poolformer_${size}`,
    name: `PoolFormer-${size.toUpperCase()}`,
    family: "PoolFormer",
    input: 224,
    published,
    source: "arXiv 2111.11418 table 1",
    layers: (net, x) => poolformer(net, x, [64, 128, 320, 512], blocks),
  });

const edge = (size: string, widths: Four, heads: number, published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `edgenext_${size}`,
    name: `EdgeNeXt ${size.replace("_", " ")}`,
    family: "EdgeNeXt",
    input: 224,
    published,
    source: "arXiv 2206.10589 table 1",
    layers: (net, x) => edgenext(net, x, widths, [3, 3, 9, 3], heads),
  });

const hard = (id: string, model: HarD, published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `hardnet${id}`,
    name: `HarDNet-${id.toUpperCase()}`,
    family: "HarDNet",
    input: 224,
    published,
    source: "arXiv 1909.00948, appendix",
    layers: (net, x) => hardnet(net, x, model),
  });

const mlp = (id: string, name: string, act: Activation, aliases: readonly string[]): KnownModel =>
  makeKnown({
    id,
    name,
    aliases,
    family: "ResMLP",
    input: 224,
    published: [timm(15.35, 3.01), within(zoo(15.77, 6.04), 0.03, "counts scales and shifts that fold")],
    source: "arXiv 2105.03404",
    layers: (net, x) => resmlp(net, x, 12, 384, act),
  });

const few: Four = [2, 2, 6, 2];

export default [
  next("atto", [40, 80, 160, 320], few, [timm(3.7, 0.55)]),
  next("femto", [48, 96, 192, 384], few, [timm(5.22, 0.79)]),
  next("pico", [64, 128, 256, 512], few, [timm(9.05, 1.37)]),
  next("nano", [80, 160, 320, 640], [2, 2, 8, 2], [timm(15.59, 2.46)]),
  next("tiny", [96, 192, 384, 768], [3, 3, 9, 3], [timm(28.59, 4.47)]),
  next("small", [96, 192, 384, 768], [3, 3, 27, 3], [timm(50.22, 8.71)]),
  next("base", [128, 256, 512, 1024], [3, 3, 27, 3], [timm(88.59, 15.38)]),
  next("large", [192, 384, 768, 1536], [3, 3, 27, 3], [torchvision(197.767, 34.361)]),
  faster("t0", 40, [1, 2, 8, 2], "gelu", [timm(3.91, 0.34)]),
  faster("t1", 64, [1, 2, 8, 2], "gelu", [timm(7.6, 0.85)]),
  faster("t2", 96, [1, 2, 8, 2], "relu", [timm(14.98, 1.91)]),
  faster("s", 128, [1, 2, 13, 2], "relu", [timm(31.18, 4.56)]),
  pool("s12", few, [timm(11.92, 1.82), zoo(11.93, 3.67)]),
  pool("s24", [4, 4, 12, 4], [timm(21.39, 3.41)]),
  edge("x_small", [32, 64, 100, 192], 4, [
    {
      ...timm(2.34, 0.54, [3, 256, 256]),
      within: { share: 0.05, because: "sines of places are constants here and computed there" },
    },
  ]),
  edge("small", [48, 96, 160, 304], 8, [timm(5.59, 1.26, [3, 256, 256])]),
  edge("base", [80, 160, 288, 584], 8, [timm(18.51, 3.85, [3, 256, 256])]),
  hard(
    "39ds",
    {
      first: [24, 48],
      apart: true,
      pool: false,
      ratio: 1.6,
      grown: [16, 20, 64, 160],
      layers: [4, 16, 8, 4],
      widths: [96, 320, 640, 1024],
      halved: [1, 1, 1, 0],
    },
    [zoo(3.48, 0.86)],
  ),
  hard(
    "68",
    {
      first: [32, 64],
      apart: false,
      pool: true,
      ratio: 1.7,
      grown: [14, 16, 20, 40, 160],
      layers: [8, 16, 16, 16, 4],
      widths: [128, 256, 320, 640, 1024],
      halved: [1, 0, 1, 1, 0],
    },
    [zoo(17.56, 8.5)],
  ),
  mlp("resmlp12", "ResMLP-S12", "gelu", ["resmlp_12", "resmlp_s12", "resmlp_12_224"]),
  mlp("resmlp12_relu", "ResMLP-S12 with ReLU", "relu", []),
] satisfies readonly KnownModel[];
