/**
 * Convolutions first, attention later: LeViT (arXiv 2104.01136 table 2), EfficientFormer (2206.01191, appendix), MobileViT (2110.02178
 * table 4), EfficientViT of linear attention (2205.14756).
 */

import { headsOf, inverted, joined } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Activation, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, timm, within } from "../published.ts";

type Three = readonly [number, number, number];
type Four = readonly [number, number, number, number];

interface Attending {
  readonly heads: number;
  readonly keys: number;
  readonly values: number;
  readonly out: number;
  readonly act?: Activation;
  /** Queries of every other place only. */
  readonly halves?: boolean;
}

/** Attention with an offset for each pair of places; keys are narrower than values. `side`: places in a row. */
function offsetAttention(
  net: Layers,
  x: Value,
  side: number,
  { heads, keys, values, out, act, halves = false }: Attending,
): Value {
  const [n, width] = [at(x.shape, 0), at(x.shape, 2)];
  const kv = net.fc(x, heads * ((halves ? 1 : 2) * keys + values));
  const parts = net.split(
    kv,
    halves ? [heads * keys, heads * values] : [heads * keys, heads * keys, heads * values],
    2,
  );
  const some = Math.ceil(side / 2);
  let q = parts[0] ?? x;
  if (halves) {
    const grid = net.reshape(x, [n, side, side, width]);
    const thin = net.slice(net.slice(grid, 1, 0, some, 2), 2, 0, some, 2);
    q = net.fc(net.reshape(thin, [n, some * some, width]), heads * keys);
  }
  const k = halves ? parts[0] : parts[1];
  const v = parts[parts.length - 1];
  let scores = net.scale(net.matmul(headsOf(net, q, heads), headsOf(net, k ?? x, heads), { transposeB: true }));
  scores = net.add(scores, net.weight([1, ...scores.shape.slice(1)], "offset"));
  const mixed = joined(net, net.matmul(net.softmax(scores), headsOf(net, v ?? x, heads)));
  return net.fc(net.activate(mixed, act), out);
}

function levit(net: Layers, x: Value, widths: Three, keys: number, heads: Three, blocks: Three): Value {
  const act = "hswish";
  let y = x;
  for (const part of [8, 4, 2, 1])
    y = net.conv(y, widths[0] / part, { kernel: 3, stride: 2, act: part === 1 ? undefined : act });
  let side = at(y.shape, 2);
  let tokens = net.tokens(y);
  const feed = (z: Value): Value => {
    const width = at(z.shape, 2);
    return net.add(z, net.fc(net.fc(z, 2 * width, { act }), width));
  };
  widths.forEach((width, stage) => {
    if (stage > 0) {
      const from = at(tokens.shape, 2);
      tokens = feed(
        offsetAttention(net, tokens, side, {
          heads: from / keys,
          keys,
          values: 4 * keys,
          out: width,
          act,
          halves: true,
        }),
      );
      side = Math.ceil(side / 2);
    }
    for (let i = 0; i < at(blocks, stage); i++)
      tokens = feed(
        net.add(
          tokens,
          offsetAttention(net, tokens, side, { heads: at(heads, stage), keys, values: 2 * keys, out: width, act }),
        ),
      );
  });
  const whole = net.reduce(tokens, [1], { keep: false });
  return net.scale(net.add(net.fc(whole, 1000), net.fc(whole, 1000)));
}

function efficientformer(net: Layers, x: Value, widths: Four, blocks: Four, attending: number): Value {
  let y = net.conv(x, widths[0] / 2, { kernel: 3, stride: 2, act: "relu" });
  y = net.conv(y, widths[0], { kernel: 3, stride: 2, act: "relu" });
  widths.forEach((width, stage) => {
    if (stage > 0) y = net.conv(y, width, { kernel: 3, stride: 2 });
    const plain = at(blocks, stage) - (stage === 3 ? attending : 0);
    for (let i = 0; i < plain; i++) {
      y = net.add(y, net.sub(net.averagePool(y, { kernel: 3, stride: 1, pad: "same" }), y));
      y = net.add(y, net.conv(net.conv(y, 4 * width, { act: "gelu" }), width));
    }
  });
  const [side, width] = [at(y.shape, 2), widths[3]];
  let tokens = net.tokens(y);
  for (let i = 0; i < attending; i++) {
    tokens = net.add(
      tokens,
      offsetAttention(net, net.layerNorm(tokens), side, { heads: 8, keys: 32, values: 128, out: width }),
    );
    tokens = net.add(tokens, net.fc(net.fc(net.layerNorm(tokens), 4 * width, { act: "gelu" }), width));
  }
  const whole = net.reduce(net.layerNorm(tokens), [1], { keep: false });
  return net.scale(net.add(net.fc(whole, 1000), net.fc(whole, 1000)));
}

interface MobileVit {
  readonly stem: number;
  readonly widths: readonly [number, number, number, number, number];
  readonly inner: Three;
  readonly times: number;
  readonly head: number;
}

/** Places of one kind in every 2x2 attend to one another. */
function mobileVitBlock(net: Layers, x: Value, inner: number, layers: number): Value {
  const [n, channels, height, width] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)];
  let y = net.conv(net.conv(x, channels, { kernel: 3, act: "silu" }), inner, { bias: false });
  const [h, w] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const odd = height % 2 === 1 || width % 2 === 1;
  if (odd) y = net.resize(y, [2 * h, 2 * w], "linear");
  // [n * c * h, 2, w, 2] to [n * c * h, w, 2, 2] to [n, 4, h * w, c]: never more than four dimensions, as in Apple's code.
  const planes = net.reshape(net.planes(y), [n * inner * h, 2, w, 2]);
  const patches = net.reshape(net.transpose(planes, [0, 2, 1, 3]), [n, inner, h * w, 4]);
  let z = net.reshape(net.transpose(patches, [0, 3, 2, 1]), [n * 4, h * w, inner]);
  for (let i = 0; i < layers; i++) {
    const all = net.fc(net.layerNorm(z), 3 * inner);
    const [q, k, v] = net.split(all, 3, 2).map((part) => headsOf(net, part, 4));
    const scores = net.softmax(net.scale(net.matmul(q ?? all, k ?? all, { transposeB: true })));
    z = net.add(z, net.fc(joined(net, net.matmul(scores, v ?? all)), inner));
    z = net.add(z, net.fc(net.fc(net.layerNorm(z), 2 * inner, { act: "silu" }), inner));
  }
  z = net.transpose(net.reshape(net.layerNorm(z), [n, 4, h * w, inner]), [0, 3, 2, 1]);
  z = net.transpose(net.reshape(z, [n * inner * h, w, 2, 2]), [0, 2, 1, 3]);
  y = net.imageOf(z, [n, inner, 2 * h, 2 * w]);
  if (odd) y = net.resize(y, [height, width], "linear");
  return net.conv(net.concat([x, net.conv(y, channels, { act: "silu" })]), channels, { kernel: 3, act: "silu" });
}

function mobilevit(net: Layers, x: Value, { stem, widths, inner, times, head }: MobileVit): Value {
  let y = net.conv(x, stem, { kernel: 3, stride: 2, act: "silu" });
  const block = (out: number, stride: number): Value =>
    inverted(net, y, { wide: at(y.shape, 1) * times, out, stride, act: "silu" });
  y = block(widths[0], 1);
  for (let i = 0; i < 3; i++) y = block(widths[1], i === 0 ? 2 : 1);
  for (const [i, layers] of [2, 4, 3].entries()) {
    y = block(at(widths, i + 2), 2);
    y = mobileVitBlock(net, y, at(inner, i), layers);
  }
  return net.fc(net.globalPool(net.conv(y, head, { act: "silu" })), 1000);
}

/** Attention without a softmax, at two scales: first keys by values, then queries by what came of it. */
function linearAttention(net: Layers, x: Value, head: number): Value {
  const [n, channels, h, w] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)];
  const heads = channels / head;
  const all = net.conv(x, 3 * channels, { bias: false });
  const wider = net.conv(net.depthwise(all, { kernel: 5, bias: false }), 3 * channels, {
    groups: 3 * heads,
    bias: false,
  });
  const tokens = net.tokens(net.concat([all, wider]));
  const each = net.transpose(net.reshape(tokens, [n, h * w, 2 * heads, 3 * head]), [0, 2, 1, 3]);
  const [q, k, v] = net.split(each, 3, 3);
  const ones = net.concat([v ?? each, net.weight([n, 2 * heads, h * w, 1], "ones")], 3);
  const keys = net.transpose(net.activate(k ?? each, "relu"), [0, 1, 3, 2]);
  const both = net.matmul(net.activate(q ?? each, "relu"), net.matmul(keys, ones));
  const [sum, by] = net.split(both, [head, 1], 3);
  const mixed = joined(net, net.div(sum ?? both, net.scale(by ?? both, "add")));
  return net.add(x, net.conv(net.image(mixed, [h, w]), channels));
}

interface EfficientVit {
  readonly widths: readonly [number, number, number, number, number];
  readonly blocks: readonly [number, number, number, number, number];
  readonly head: readonly [number, number];
  /** Full convolutions at first, more of them at every halving (L). */
  readonly large: boolean;
}

function efficientvit(net: Layers, x: Value, { widths, blocks, head, large }: EfficientVit): Value {
  const act = large ? "gelu" : "hswish";
  let y = net.conv(x, widths[0], { kernel: 3, stride: 2, act });
  for (let i = 0; i < blocks[0]; i++) {
    const z = large ? net.conv(y, widths[0], { kernel: 3, act }) : net.depthwise(y, { act });
    y = net.add(y, net.conv(z, widths[0], { kernel: large ? 3 : 1 }));
  }
  for (let stage = 1; stage < 5; stage++) {
    const width = at(widths, stage);
    const attends = stage >= (large ? 4 : 3);
    const fused = large && stage < 3;
    const block = (times: number, stride: number): Value => {
      const wide = at(y.shape, 1) * times;
      return inverted(net, y, { wide, out: width, stride, act, fused });
    };
    y = block(large ? (attends ? 24 : 16) : 4, 2);
    const repeats = at(blocks, stage) - (large || attends ? 0 : 1);
    for (let i = 0; i < repeats; i++) {
      if (attends) y = linearAttention(net, y, 32);
      y = block(large && attends ? 6 : 4, 1);
    }
  }
  const whole = net.flatten(net.globalPool(net.conv(y, head[0], { act })));
  return net.fc(net.activate(net.layerNorm(net.fc(whole, head[1], { bias: false })), act), 1000);
}

const zoo = hailo("classification");
const offsets = "offsets of pairs of places are constants here, gathered from small tables there";

const levitModel = (
  size: string,
  widths: Three,
  keys: number,
  heads: Three,
  blocks: Three,
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `levit${size}`,
    name: `LeViT-${size.toUpperCase()}`,
    aliases: size === "128s" ? ["levit"] : [],
    family: "LeViT",
    input: 224,
    published,
    source: "arXiv 2104.01136 table 2",
    layers: (net, x) => levit(net, x, widths, keys, heads, blocks),
  });

const former = (
  size: string,
  widths: Four,
  blocks: Four,
  attending: number,
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `efficientformer_${size}`,
    name: `EfficientFormer-${size.toUpperCase()}`,
    family: "EfficientFormer",
    input: 224,
    published,
    source: "arXiv 2206.01191, appendix",
    layers: (net, x) => efficientformer(net, x, widths, blocks, attending),
  });

const linear = (size: string, model: EfficientVit, published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `efficientvit_${size}`,
    name: `EfficientViT-${size.toUpperCase()}`,
    aliases: [`efficientvit_${size}_cls`],
    family: "EfficientViT",
    input: 224,
    published,
    source: "arXiv 2205.14756; sizes as published with it",
    layers: (net, x) => efficientvit(net, x, model),
  });

export default [
  levitModel("128s", [128, 256, 384], 16, [4, 6, 8], [2, 3, 4], [within(timm(7.76, 0.3), 0.06, offsets)]),
  levitModel(
    "128",
    [128, 256, 384],
    16,
    [4, 8, 12],
    [4, 4, 4],
    [within(timm(9.19, 0.41), 0.09, offsets), within(zoo(9.2, 0.8), 0.09, offsets, "parameters")],
  ),
  levitModel(
    "192",
    [192, 288, 384],
    32,
    [3, 5, 6],
    [4, 4, 4],
    [within(timm(10.92, 0.66), 0.08, offsets), within(zoo(10.9, 1.3), 0.08, offsets, "parameters")],
  ),
  levitModel(
    "256",
    [256, 384, 512],
    32,
    [4, 6, 8],
    [4, 4, 4],
    [within(timm(18.86, 1.13), 0.06, offsets), within(zoo(18.9, 2.3), 0.06, offsets, "parameters")],
  ),
  levitModel(
    "384",
    [384, 512, 768],
    32,
    [6, 9, 12],
    [4, 4, 4],
    [within(timm(39.07, 2.35), 0.05, offsets), within(zoo(39.1, 4.7), 0.05, offsets, "parameters")],
  ),
  former("l1", [48, 96, 224, 448], [3, 2, 6, 4], 1, [timm(12.29, 1.3)]),
  former("l3", [64, 128, 320, 512], [4, 4, 12, 6], 4, [timm(31.41, 3.93)]),
  makeKnown({
    id: "mobilevit_s",
    name: "MobileViT-S",
    aliases: ["mobile_vit", "mobilevit", "mobilevit_small"],
    family: "MobileViT",
    input: 224,
    published: [timm(5.58, 2.03, [3, 256, 256])],
    source: "arXiv 2110.02178 table 4",
    layers: (net, x) =>
      mobilevit(net, x, { stem: 16, widths: [32, 64, 96, 128, 160], inner: [144, 192, 240], times: 4, head: 640 }),
  }),
  makeKnown({
    id: "mobilevit_xs",
    name: "MobileViT-XS",
    family: "MobileViT",
    input: 224,
    published: [timm(2.32, 1.05, [3, 256, 256])],
    source: "arXiv 2110.02178 table 4",
    layers: (net, x) =>
      mobilevit(net, x, { stem: 16, widths: [32, 48, 64, 80, 96], inner: [96, 120, 144], times: 4, head: 384 }),
  }),
  linear("b1", { widths: [16, 32, 64, 128, 256], blocks: [1, 2, 3, 3, 4], head: [1536, 1600], large: false }, [
    timm(9.1, 0.53),
  ]),
  linear("b2", { widths: [24, 48, 96, 192, 384], blocks: [1, 3, 4, 4, 6], head: [2304, 2560], large: false }, [
    timm(24.33, 1.6),
  ]),
  linear("l2", { widths: [32, 64, 128, 256, 512], blocks: [1, 2, 2, 8, 8], head: [3072, 3200], large: true }, [
    timm(63.71, 6.97),
  ]),
] satisfies readonly KnownModel[];
