/**
 * Networks of 2012 to 2018: AlexNet, VGG (arXiv 1409.1556 table 1), SqueezeNet (1602.07360 table 1), GoogLeNet (1409.4842 table 1),
 * DenseNet (1608.06993 table 1), ShuffleNet v1 (1707.01083) and v2 (1807.11164).
 */

import { classifier } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, ncnn, torchvision, within } from "../published.ts";

/** The two halves of 2012, with their normalisation across channels; or one line without, as torchvision has it. */
function alexnet(net: Layers, x: Value, halves: boolean): Value {
  const groups = halves ? 2 : 1;
  const pool = (y: Value): Value => net.maxPool(y, { kernel: 3, stride: 2 });
  const norm = (y: Value): Value =>
    halves ? (net.other(["LRN", "LOCAL_RESPONSE_NORMALIZATION"], [y], [y.shape], { size: 5 })[0] ?? y) : y;
  const widths = halves ? [96, 256, 384, 384, 256] : [64, 192, 384, 256, 256];
  let y = net.conv(x, at(widths, 0), { kernel: 11, stride: 4, pad: halves ? "valid" : 2, act: "relu" });
  y = pool(norm(y));
  y = pool(norm(net.conv(y, at(widths, 1), { kernel: 5, groups, act: "relu" })));
  y = net.conv(y, at(widths, 2), { kernel: 3, act: "relu" });
  y = net.conv(y, at(widths, 3), { kernel: 3, groups, act: "relu" });
  y = pool(net.conv(y, at(widths, 4), { kernel: 3, groups, act: "relu" }));
  return net.fc(net.fc(net.fc(y, 4096, { act: "relu" }), 4096, { act: "relu" }), 1000);
}

/** Convolutions of each of five stages. */
export function vgg(net: Layers, x: Value, stages: readonly number[]): Value[] {
  const taps: Value[] = [];
  let y = x;
  stages.forEach((count, stage) => {
    for (let i = 0; i < count; i++) y = net.conv(y, Math.min(512, 64 * 2 ** stage), { kernel: 3, act: "relu" });
    taps.push(y);
    y = net.maxPool(y, { kernel: 2 });
  });
  return [...taps, y];
}

function fire(net: Layers, x: Value, squeezed: number, out: number): Value {
  const y = net.conv(x, squeezed, { act: "relu" });
  return net.concat([net.conv(y, out / 2, { act: "relu" }), net.conv(y, out / 2, { kernel: 3, act: "relu" })]);
}

/** [squeezed, out] of eight fire modules. */
const fires = [
  [16, 128],
  [16, 128],
  [32, 256],
  [32, 256],
  [48, 384],
  [48, 384],
  [64, 512],
  [64, 512],
] as const;

/** `framed`: the last 1x1 looks at a frame of zeros as well, as Caffe's file of v1.1 has it. */
function squeezenet(net: Layers, x: Value, version: "1.0" | "1.1", framed = false): Value {
  const pool = (z: Value): Value => net.maxPool(z, { kernel: 3, stride: 2, ceil: true });
  const first = version === "1.0" ? ([96, 7] as const) : ([64, 3] as const);
  let y = pool(net.conv(x, first[0], { kernel: first[1], stride: 2, pad: "valid", act: "relu" }));
  const pooled = version === "1.0" ? [2, 6] : [1, 3];
  fires.forEach(([squeezed, out], i) => {
    y = fire(net, y, squeezed, out);
    if (pooled.includes(i)) y = pool(y);
  });
  return net.flatten(net.globalPool(net.conv(y, 1000, { pad: framed ? 1 : 0, act: "relu" })));
}

/** 1x1; before the 3x3, 3x3; before the 5x5, 5x5; behind the pool. */
/* prettier-ignore */
const inceptions = [
  [64, 96, 128, 16, 32, 32], [128, 128, 192, 32, 96, 64],
  [192, 96, 208, 16, 48, 64], [160, 112, 224, 24, 64, 64], [128, 128, 256, 24, 64, 64], [112, 144, 288, 32, 64, 64],
  [256, 160, 320, 32, 128, 128], [256, 160, 320, 32, 128, 128], [384, 192, 384, 48, 128, 128],
] as const;

/** `wide`: the 5x5 as the paper has it; TensorFlow's and torchvision's is a 3x3. */
function googlenet(net: Layers, x: Value, wide: boolean): Value {
  const norm = (y: Value): Value =>
    wide ? (net.other(["LRN", "LOCAL_RESPONSE_NORMALIZATION"], [y], [y.shape], { size: 5 })[0] ?? y) : y;
  const pool = (z: Value, kernel = 3): Value => net.maxPool(z, { kernel, stride: 2, ceil: true });
  let y = norm(pool(net.conv(x, 64, { kernel: 7, stride: 2, pad: 3, act: "relu" })));
  y = pool(norm(net.conv(net.conv(y, 64, { act: "relu" }), 192, { kernel: 3, act: "relu" })));
  inceptions.forEach(([one, before3, three, before5, five, behind], i) => {
    y = net.concat([
      net.conv(y, one, { act: "relu" }),
      net.conv(net.conv(y, before3, { act: "relu" }), three, { kernel: 3, act: "relu" }),
      net.conv(net.conv(y, before5, { act: "relu" }), five, { kernel: wide ? 5 : 3, act: "relu" }),
      net.conv(net.maxPool(y, { kernel: 3, stride: 1, pad: "same" }), behind, { act: "relu" }),
    ]);
    if (i === 1) y = pool(y);
    if (i === 6) y = pool(y, wide ? 3 : 2);
  });
  return classifier(net, y);
}

/** Each layer adds `grown` channels to all that came before; what is normalised before a convolution stays a scale and a shift. */
function densenet(net: Layers, x: Value, layers: readonly number[], grown: number): Value {
  let y = net.maxPool(net.conv(x, 2 * grown, { kernel: 7, stride: 2, pad: 3, act: "relu" }), {
    kernel: 3,
    stride: 2,
    pad: 1,
  });
  layers.forEach((count, block) => {
    for (let i = 0; i < count; i++) {
      const z = net.conv(net.activate(net.batchNorm(y), "relu"), 4 * grown, { act: "relu" });
      y = net.concat([y, net.conv(z, grown, { kernel: 3, bias: false })]);
    }
    y = net.activate(net.batchNorm(y), "relu");
    if (block < layers.length - 1) y = net.averagePool(net.conv(y, at(y.shape, 1) / 2, { bias: false }), { kernel: 2 });
  });
  return classifier(net, y);
}

function shufflenetV1(net: Layers, x: Value, widths: readonly number[], groups: number): Value {
  let y = net.maxPool(net.conv(x, 24, { kernel: 3, stride: 2, act: "relu" }), { kernel: 3, stride: 2, pad: "same" });
  widths.forEach((width, stage) => {
    for (let i = 0; i < at([4, 8, 4], stage); i++) {
      const stride = i === 0 ? 2 : 1;
      const from = at(y.shape, 1);
      const out = stride === 2 ? width - from : width;
      // The first of all is narrow and does not share among groups.
      const plain = stage === 0 && i === 0;
      let z = net.conv(y, out / 4, { groups: plain ? 1 : groups, act: "relu" });
      if (!plain) z = net.shuffle(z, groups);
      z = net.conv(net.depthwise(z, { stride }), out, { groups });
      const around = stride === 2 ? net.averagePool(y, { kernel: 3, stride: 2, pad: "same" }) : y;
      y = net.activate(stride === 2 ? net.concat([around, z]) : net.add(y, z), "relu");
    }
  });
  return classifier(net, y);
}

/** What comes out of the stem and of the three stages. */
export function shufflenetV2(net: Layers, x: Value, widths: readonly number[]): Value[] {
  const taps = [
    net.maxPool(net.conv(x, 24, { kernel: 3, stride: 2, act: "relu" }), { kernel: 3, stride: 2, pad: "same" }),
  ];
  widths.forEach((width, stage) => {
    let y = taps[taps.length - 1] ?? x;
    const half = width / 2;
    for (let i = 0; i < at([4, 8, 4], stage); i++) {
      const [left, right] =
        i === 0 ? [net.conv(net.depthwise(y, { stride: 2 }), half, { act: "relu" }), y] : net.split(y, 2);
      const z = net.conv(right ?? y, half, { act: "relu" });
      const filtered = net.conv(net.depthwise(z, { stride: i === 0 ? 2 : 1 }), half, { act: "relu" });
      y = net.shuffle(net.concat([left ?? y, filtered]), 2);
    }
    taps.push(y);
  });
  return taps;
}

const vggModel = (layers: number, stages: readonly number[], published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `vgg${layers}`,
    name: `VGG-${layers}`,
    aliases: [`vgg_${layers}`, `vgg${layers}-7`, `vgg${layers}_bn`],
    family: "VGG",
    input: 224,
    published,
    source: "arXiv 1409.1556 table 1",
    layers: (net, x) =>
      net.fc(net.fc(net.fc(vgg(net, x, stages).at(-1) ?? x, 4096, { act: "relu" }), 4096, { act: "relu" }), 1000),
  });

const dense = (
  layers: number,
  blocks: readonly number[],
  grown: number,
  aliases: readonly string[],
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `densenet${layers}`,
    name: `DenseNet-${layers}`,
    aliases,
    family: "DenseNet",
    input: 224,
    published,
    source: "arXiv 1608.06993 table 1",
    layers: (net, x) => densenet(net, x, blocks, grown),
  });

const shuffle2 = (
  width: number,
  widths: readonly number[],
  last: number,
  aliases: readonly string[],
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `shufflenet_v2_x${width.toFixed(1)}`,
    name: `ShuffleNet v2 ${width.toFixed(1)}x`,
    aliases: [`shufflenet_v2_${width.toFixed(1)}x`, ...aliases],
    family: "ShuffleNet",
    input: 224,
    published,
    source: "arXiv 1807.11164 table 5",
    layers: (net, x) => classifier(net, net.conv(shufflenetV2(net, x, widths).at(-1) ?? x, last, { act: "relu" })),
  });

const zoo = hailo("classification");

export default [
  makeKnown({
    id: "alexnet",
    name: "AlexNet",
    aliases: ["alexnet_caffe", "bvlc_alexnet", "ncnn_alexnet"],
    family: "AlexNet",
    input: 227,
    published: [ncnn("alexnet", 60965224, 724406816)],
    source: "Krizhevsky et al. 2012; its two halves as groups",
    layers: (net, x) => alexnet(net, x, true),
  }),
  makeKnown({
    id: "alexnet_torchvision",
    name: "AlexNet without halves",
    aliases: ["alexnet_v2"],
    family: "AlexNet",
    input: 224,
    published: [torchvision(61.101, 0.714)],
    source: "arXiv 1404.5997",
    layers: (net, x) => alexnet(net, x, false),
  }),
  vggModel(11, [1, 1, 2, 2, 2], [torchvision(132.863, 7.609)]),
  vggModel(13, [2, 2, 2, 2, 2], [torchvision(133.048, 11.308)]),
  vggModel(16, [2, 2, 3, 3, 3], [torchvision(138.358, 15.47), ncnn("vgg16", 138357544, 15470264320)]),
  vggModel(19, [2, 2, 4, 4, 4], [torchvision(143.667, 19.632)]),
  makeKnown({
    id: "squeezenet_v1.0",
    name: "SqueezeNet 1.0",
    aliases: ["squeezenet1_0", "squeezenet_1.0"],
    family: "SqueezeNet",
    input: 224,
    published: [torchvision(1.248, 0.819)],
    source: "arXiv 1602.07360 table 1",
    layers: (net, x) => squeezenet(net, x, "1.0"),
  }),
  makeKnown({
    id: "squeezenet_v1.1",
    name: "SqueezeNet 1.1",
    aliases: ["squeezenet1_1", "squeezenet", "squeezenet_1.1"],
    family: "SqueezeNet",
    input: 224,
    published: [
      torchvision(1.235, 0.349),
      within(zoo(1.24, 0.78), 0.11, "the last 1x1 looks at a frame of zeros as well"),
    ],
    source: "arXiv 1602.07360 table 1; github.com/forresti/SqueezeNet v1.1",
    layers: (net, x) => squeezenet(net, x, "1.1"),
  }),
  makeKnown({
    id: "squeezenet_v1.1_227",
    name: "SqueezeNet 1.1 of 227x227",
    aliases: ["ncnn_squeezenet"],
    family: "SqueezeNet",
    input: 227,
    published: [ncnn("squeezenet", 1235496, 418467520)],
    source: "arXiv 1602.07360 table 1; github.com/forresti/SqueezeNet v1.1",
    layers: (net, x) => squeezenet(net, x, "1.1", true),
  }),
  makeKnown({
    id: "googlenet",
    name: "GoogLeNet (Inception v1)",
    aliases: ["ncnn_googlenet", "bvlc_googlenet", "inception_v1_caffe"],
    family: "Inception",
    input: 224,
    published: [ncnn("googlenet", 6998552, 1582671872)],
    source: "arXiv 1409.4842 table 1",
    layers: (net, x) => googlenet(net, x, true),
  }),
  makeKnown({
    id: "inception_v1",
    name: "Inception v1",
    aliases: ["googlenet_torchvision"],
    family: "Inception",
    input: 224,
    published: [torchvision(6.625, 1.498)],
    source: "arXiv 1409.4842 table 1; 3x3 in place of 5x5, as TF-Slim and torchvision have it",
    layers: (net, x) => googlenet(net, x, false),
  }),
  dense(121, [6, 12, 24, 16], 32, ["densenet"], [torchvision(7.979, 2.834)]),
  dense(169, [6, 12, 32, 32], 32, [], [torchvision(14.15, 3.36)]),
  dense(201, [6, 12, 48, 32], 32, [], [torchvision(20.014, 4.291)]),
  makeKnown({
    id: "shufflenet_v1",
    name: "ShuffleNet v1 1x, three groups",
    aliases: ["shufflenet", "shufflenet_v1_g3", "ncnn_shufflenet", "shufflenet-9"],
    family: "ShuffleNet",
    input: 224,
    published: [ncnn("shufflenet", 1802866, 127061304)],
    source: "arXiv 1707.01083 table 1",
    layers: (net, x) => shufflenetV1(net, x, [240, 480, 960], 3),
  }),
  shuffle2(0.5, [48, 96, 192], 1024, [], [torchvision(1.367, 0.04)]),
  shuffle2(
    1,
    [116, 232, 464],
    1024,
    ["shufflenet_v2", "shufflenetv2"],
    [torchvision(2.279, 0.145), ncnn("shufflenet_v2", 2270514, 144907992)],
  ),
  shuffle2(1.5, [176, 352, 704], 1024, [], [torchvision(3.503, 0.296)]),
  shuffle2(2, [244, 488, 976], 2048, [], [torchvision(7.394, 0.583)]),
] satisfies readonly KnownModel[];
