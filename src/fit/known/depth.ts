/** How far pixels are: SC-Depth v3 (arXiv 2211.03660), Depth Anything (2401.10891, 2406.09414), MiDaS v2.1 small (1907.01341). */

import { attention } from "../blocks.ts";
import type { KnownModel, Published } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, hailo, within } from "../parts/published.ts";
import { liteTrunk } from "./efficientnet.ts";

const like = (net: Layers, x: Value, to: readonly number[]): Value => net.resize(x, to, "linear");

/** The stages of ResNet-18: what its stem gives before pooling is looked at as well, which the trunk elsewhere does not tell. */
function stages18(net: Layers, x: Value): Value[] {
  let y = x;
  return [64, 128, 256, 512].map((width) => {
    for (let block = 0; block < 2; block += 1) {
      const stride = block === 0 && width > 64 ? 2 : 1;
      const deep = net.conv(net.conv(y, width, { kernel: 3, stride, act: "relu" }), width, { kernel: 3 });
      y = net.add(deep, stride === 2 ? net.conv(y, width, { stride }) : y, "relu");
    }
    return y;
  });
}

/** ResNet-18 and five steps upwards, each joined with what the trunk had at that size. */
function scDepth(net: Layers, x: Value): Value {
  const stem = net.conv(x, 64, { kernel: 7, stride: 2, pad: 3, act: "relu" });
  const taps = stages18(net, net.maxPool(stem, { kernel: 3, stride: 2, pad: 1 }));
  const skips = [undefined, stem, taps[0], taps[1], taps[2]];
  let y = taps[3] ?? x;
  for (const [level, width] of [
    [4, 256],
    [3, 128],
    [2, 64],
    [1, 32],
    [0, 16],
  ] as const) {
    const larger = net.upsample(net.conv(y, width, { kernel: 3, act: "elu" }));
    const skip = skips[level];
    y = net.conv(skip ? net.concat([larger, skip]) : larger, width, { kernel: 3, act: "elu" });
  }
  return net.conv(y, 1, { kernel: 3, act: "sigmoid" });
}

/** Pre-normalised layers, each scaled before it is added (DINOv2). */
function dinoLayer(net: Layers, x: Value): Value {
  const width = at(x.shape, 2);
  const scaled = (y: Value): Value => net.mul(y, net.weight([width], "gamma"));
  const y = net.add(x, scaled(attention(net, net.layerNorm(x), { heads: 6 })));
  return net.add(y, scaled(net.fc(net.fc(net.layerNorm(y), 4 * width, { act: "gelu" }), width)));
}

const three = (
  net: Layers,
  x: Value,
  out: number,
  option: { stride?: number; bias?: boolean; act?: "relu" } = {},
): Value => net.conv(x, out, { kernel: 3, ...option });

const residual = (net: Layers, x: Value): Value =>
  net.add(x, three(net, three(net, net.activate(x, "relu"), at(x.shape, 1), { act: "relu" }), at(x.shape, 1)));

/** What comes from below is added to its own, refined, brought to the next size and mixed. */
function fuse(net: Layers, own: Value, below: Value | undefined, size: readonly number[], out: number): Value {
  const sum = below === undefined ? own : net.add(below, residual(net, own));
  return net.conv(like(net, residual(net, sum), size), out);
}

/** DINOv2-S and a dense prediction head of 64 channels. */
function depthAnything(net: Layers, x: Value): Value {
  const patches = net.conv(x, 384, { kernel: 14, stride: 14, pad: "valid" });
  const size = patches.shape.slice(2);
  let y = net.concat([net.weight([at(x.shape, 0), 1, 384], "class"), net.tokens(patches)], 1);
  y = net.add(y, net.weight([1, at(y.shape, 1), 384], "positions"));
  const taps: Value[] = [];
  for (let layer = 0; layer < 12; layer += 1) {
    y = dinoLayer(net, y);
    if (layer % 3 === 2) taps.push(net.layerNorm(y));
  }
  const images = taps.map((tap, level) => {
    const image = net.image(net.slice(tap, 1, 1, at(tap.shape, 1) - 1), size);
    const width = at([48, 96, 192, 384], level);
    const narrow = net.conv(image, width);
    if (level === 3) return three(net, narrow, width, { stride: 2 });
    return level === 2
      ? narrow
      : net.transposed(narrow, width, { kernel: level === 0 ? 4 : 2, stride: level === 0 ? 4 : 2 });
  });
  const levels = images.map((image) => three(net, image, 64, { bias: false }));
  let fused: Value | undefined;
  for (let level = 3; level >= 0; level -= 1) {
    const own = levels[level] ?? x;
    const next = levels[level - 1]?.shape.slice(2) ?? own.shape.slice(2).map((one) => one * 2);
    fused = fuse(net, own, fused, next, 64);
  }
  const small = three(net, fused ?? y, 32);
  const whole = like(net, small, x.shape.slice(2));
  return net.conv(three(net, whole, 32, { act: "relu" }), 1, { act: "relu" });
}

/** EfficientNet-Lite3 and fusions that halve their channels upwards. */
function midasSmall(net: Layers, x: Value): Value {
  const taps = liteTrunk(net, x, 3);
  const of = (by: number): Value =>
    taps.filter((tap) => at(tap.shape, 2) === Math.ceil(at(x.shape, 2) / by)).at(-1) ?? x;
  const levels = [4, 8, 16, 32].map((by, level) => three(net, of(by), 64 * 2 ** level, { bias: false }));
  let fused: Value | undefined;
  for (let level = 3; level >= 0; level -= 1) {
    const own = levels[level] ?? x;
    fused = fuse(
      net,
      own,
      fused,
      own.shape.slice(2).map((one) => one * 2),
      Math.max(64, at(own.shape, 1) / 2),
    );
  }
  const whole = net.upsample(three(net, fused ?? x, 32), 2, "linear");
  return net.conv(three(net, whole, 32, { act: "relu" }), 1, { act: "relu" });
}

const known = (
  id: string,
  name: string,
  input: KnownModel["input"],
  published: readonly Published[],
  source: string,
  layers: (net: Layers, x: Value) => Value,
  aliases: readonly string[] = [],
): KnownModel => makeKnown({ id, name, aliases, family: name, task: "depth", input, published, source, layers });

const anything = within(
  hailo("zero_shot_depth_estimation", 16.7, 24.2),
  0.03,
  "counts transposed convolutions by their outputs",
);

export default [
  known(
    "scdepthv3",
    "SC-Depth v3",
    [3, 256, 320],
    [within(hailo("depth_estimation", 10.7, 14.8), 0.04, "holds the trunk's classifier, which is not used")],
    "arXiv 2211.03660; github.com/JiawangBian/sc_depth_pl models/DepthNet.py",
    scDepth,
  ),
  known(
    "depth_anything_vits",
    "Depth Anything ViT-S",
    [3, 224, 224],
    [anything],
    "arXiv 2401.10891; dense prediction head of 2103.13413",
    depthAnything,
    ["depth_anything_v2_vits", "Depth-Anything-V2", "depth_anything_v2"],
  ),
  known(
    "midas_v2_small",
    "MiDaS v2.1 small",
    [3, 256, 256],
    [aiHub("midas", 16.6)],
    "github.com/isl-org/MiDaS midas/midas_net_custom.py",
    midasSmall,
    ["midas", "MiDaS small", "Midas-V2", "midas / Midas-V2"],
  ),
] satisfies readonly KnownModel[];
