/** Detectors of points and plain heads: CenterNet on ResNets (arXiv 1904.07850, as gluoncv has it), NanoDet on RepVGG (RangiLyu/nanodet). */

import type { KnownModel, Published } from "../known.ts";
import type { Layers, Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, within } from "../parts/published.ts";
import { resnet } from "./resnet.ts";

/** Three times a 3x3 and a transposed 4x4 convolution, to a quarter of the picture. */
function centernet(net: Layers, x: Value, depth: 18 | 50): Value[] {
  let y = resnet(net, x, { depth }).at(-1) ?? x;
  for (const width of [256, 128, 64]) {
    y = net.conv(y, width, { kernel: 3, act: "relu" });
    y = net.transposed(y, width, { kernel: 4, stride: 2, pad: 1, act: "relu" });
  }
  const branch = (out: number): Value => net.conv(net.conv(y, 64, { kernel: 3, act: "relu" }), out);
  return [net.activate(branch(80), "sigmoid"), branch(2), branch(2)];
}

/** RepVGG as deployed, its last stage narrowed; features are added up and down; two convolutions for each size. */
function nanodet(net: Layers, x: Value, width: number): Value[] {
  const relu = { kernel: 3, act: "relu" } as const;
  let y = net.conv(x, width, { ...relu, stride: 2 });
  const taps: Value[] = [];
  for (const [out, count] of [
    [width, 2],
    [2 * width, 4],
    [4 * width, 14],
    [512, 1],
  ] as const) {
    for (let index = 0; index < count; index += 1) y = net.conv(y, out, { ...relu, stride: index === 0 ? 2 : 1 });
    taps.push(y);
  }
  const levels = taps.slice(1).map((tap) => net.conv(tap, 128));
  const like = (from: Value, to: Value): Value => net.resize(from, to.shape.slice(2), "linear");
  for (let level = 1; level >= 0; level -= 1) {
    const [own, coarse] = [levels[level], levels[level + 1]];
    if (own && coarse) levels[level] = net.add(own, like(coarse, own));
  }
  for (let level = 1; level < 3; level += 1) {
    const [fine, own] = [levels[level - 1], levels[level]];
    if (own && fine) levels[level] = net.add(own, like(fine, own));
  }
  return levels.map((level) => net.conv(net.conv(net.conv(level, 128, relu), 128, relu), 80 + 44));
}

const center = (depth: 18 | 50, published: readonly Published[]): KnownModel =>
  makeKnown({
    id: `centernet_resnet${depth}`,
    name: `CenterNet ResNet-${depth}`,
    aliases: [`centernet_resnet_v1_${depth}_postprocess`, `centernet_resnet_v1_${depth}`],
    family: "CenterNet",
    task: "detection",
    input: 512,
    published,
    source: "arXiv 1904.07850; gluoncv center_net_resnet (deconv 256, 128, 64)",
    layers: (net, x) => centernet(net, x, depth),
  });

const nano = (id: string, name: string, width: number, side: number, published: readonly Published[]): KnownModel =>
  makeKnown({
    id,
    name,
    family: "NanoDet",
    task: "detection",
    input: side,
    published,
    source: "github.com/RangiLyu/nanodet config/legacy_v0.x_configs/RepVGG/nanodet-RepVGG-A0_416.yml",
    layers: (net, x) => nanodet(net, x, width),
  });

const transposed = "counts transposed convolutions by their outputs, four times what they compute";

export default [
  center(18, [within(hailo("object_detection", 31.21, 14.22), 0.17, transposed)]),
  center(50, [within(hailo("object_detection", 56.92, 30.07), 0.1, transposed)]),
  nano("nanodet_repvgg", "NanoDet RepVGG-A0", 48, 416, [hailo("object_detection", 11.28, 6.74)]),
  nano("nanodet_repvgg_a1_640", "NanoDet RepVGG-A1", 64, 640, [hailo("object_detection", 42.8, 10.79)]),
] satisfies readonly KnownModel[];
