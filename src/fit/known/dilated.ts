/**
 * Classes of each pixel on ResNets that keep their sizes (FCN, DeepLab v3), and SSD on VGG-16, as torchvision has them. arXiv 1411.4038,
 * 1706.05587, 1512.02325.
 */

import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { torchvision, within } from "../published.ts";
import { resnet } from "./resnet.ts";

const relu = { act: "relu" } as const;
const CLASSES = 21;
const like = (net: Layers, x: Value, to: Value): Value => net.resize(x, to.shape.slice(2), "linear");

function fcn(net: Layers, x: Value, depth: 50 | 101): Value {
  const y = resnet(net, x, { depth, dilateLast: 2 }).at(-1) ?? x;
  return like(net, net.conv(net.conv(y, at(y.shape, 1) / 4, { kernel: 3, ...relu }), CLASSES), x);
}

function deeplab(net: Layers, x: Value, depth: 50 | 101): Value {
  const y = resnet(net, x, { depth, dilateLast: 2 }).at(-1) ?? x;
  const branches = [12, 24, 36].map((dilation) => net.conv(y, 256, { kernel: 3, dilation, ...relu }));
  const pooled = like(net, net.conv(net.globalPool(y), 256, relu), y);
  const mixed = net.conv(net.concat([net.conv(y, 256, relu), ...branches, pooled]), 256, relu);
  return like(net, net.conv(net.conv(mixed, 256, { kernel: 3, ...relu }), CLASSES), x);
}

/** Six sizes of VGG-16 and what stands behind it; four anchors or six on each, 91 classes. */
function ssdVgg(net: Layers, x: Value): Value[] {
  let y = x;
  const stage = (width: number, count: number): void => {
    for (let index = 0; index < count; index += 1) y = net.conv(y, width, { kernel: 3, ...relu });
  };
  const pool = (ceil = false): void => {
    y = net.maxPool(y, { kernel: 2, ceil });
  };
  stage(64, 2);
  pool();
  stage(128, 2);
  pool();
  stage(256, 3);
  pool(true);
  stage(512, 3);
  const width = at(y.shape, 1);
  // Each place is divided by its length; the channels are scaled anew.
  const length = net.unary(net.reduce(net.mul(y, y), [1], { by: "sum" }), "sqrt");
  const taps = [net.mul(net.div(y, length), net.weight([1, width, 1, 1], "scale", true))];
  pool();
  stage(512, 3);
  y = net.maxPool(y, { kernel: 3, stride: 1, pad: 1 });
  taps.push((y = net.conv(net.conv(y, 1024, { kernel: 3, dilation: 6, ...relu }), 1024, relu)));
  for (const [narrow, out, stride, pad] of [
    [256, 512, 2, 1],
    [128, 256, 2, 1],
    [128, 256, 1, 0],
    [128, 256, 1, 0],
  ] as const)
    taps.push((y = net.conv(net.conv(y, narrow, relu), out, { kernel: 3, stride, pad, ...relu })));
  const anchors = [4, 6, 6, 6, 4, 4];
  return taps.flatMap((tap, level) => [91, 4].map((each) => net.conv(tap, at(anchors, level) * each, { kernel: 3 })));
}

const training = "holds a second answer that is used in training alone";

const segmented = (
  kind: "fcn" | "deeplabv3",
  depth: 50 | 101,
  parameters: number,
  operations: number,
  share: number,
): KnownModel =>
  makeKnown({
    id: `${kind}_resnet${depth}`,
    name: `${kind === "fcn" ? "FCN" : "DeepLab v3"} ResNet-${depth}`,
    family: kind === "fcn" ? "FCN" : "DeepLab",
    task: "segmentation",
    input: 520,
    published: [within(torchvision(parameters, operations), share, training)],
    source: kind === "fcn" ? "arXiv 1411.4038; 1706.05587 section 3.1" : "arXiv 1706.05587 section 3.3",
    layers: (net, x) => (kind === "fcn" ? fcn : deeplab)(net, x, depth),
  });

export default [
  segmented("fcn", 50, 35.322, 152.717, 0.075),
  segmented("fcn", 101, 54.314, 232.738, 0.05),
  segmented("deeplabv3", 50, 42.004, 178.722, 0.07),
  segmented("deeplabv3", 101, 60.996, 258.743, 0.05),
  makeKnown({
    id: "ssd300_vgg16",
    name: "SSD300 VGG-16",
    aliases: ["ssd_vgg16", "ssd300"],
    family: "SSD",
    task: "detection",
    input: 300,
    published: [torchvision(35.642, 34.858)],
    source: "arXiv 1512.02325 figure 2",
    layers: ssdVgg,
  }),
] satisfies readonly KnownModel[];
