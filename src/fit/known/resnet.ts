/**
 * Residual networks: ResNet v1, v1.5 and v2, wide ones, ResNeXt, and those over video. arXiv 1512.03385 table 1, 1603.05027, 1605.07146,
 * 1611.05431 table 1, 1711.11248 table 1.
 */

import { classifier } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Activation, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, ncnn, timm, torchvision } from "../published.ts";

/** Where a block halves the sizes: v1 in its first 1x1, v1.5 in its 3x3. */
type Halving = "1x1" | "3x3";

export interface Residual {
  readonly depth: 18 | 34 | 50 | 101 | 152;
  readonly halving?: Halving;
  readonly groups?: number;
  /** Channels of the 3x3 over the table's. */
  readonly wide?: number;
  /** The last stage keeps its sizes and looks twice as far; the last two, twice and four times. */
  readonly dilateLast?: boolean | 2;
}

/* prettier-ignore */
const depths: Readonly<Record<Residual["depth"], readonly [number, number, number, number]>> = {
  18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3],
};

/** What comes out of the stem (a quarter of the sizes) and of the four stages. */
export function resnet(net: Layers, x: Value, options: Residual): Value[] {
  const { depth, halving = "3x3", groups = 1, wide = 1, dilateLast = false } = options;
  const stem = net.conv(x, 64, { kernel: 7, stride: 2, pad: 3, act: "relu" });
  const taps = [net.maxPool(stem, { kernel: 3, stride: 2, pad: 1 })];
  depths[depth].forEach((blocks, stage) => {
    let y = taps[taps.length - 1] ?? x;
    const width = 64 * 2 ** stage;
    for (let i = 0; i < blocks; i++) {
      const keeps = (stage === 3 && dilateLast !== false) || (stage === 2 && dilateLast === 2);
      // The first block of a stage still looks as far as the one before.
      const far = dilateLast === 2 ? stage - (i === 0 ? 2 : 1) : 1;
      const dilation = keeps ? 2 ** far : 1;
      const stride = i === 0 && stage > 0 && !keeps ? 2 : 1;
      y =
        depth < 50
          ? basic(net, y, width, stride)
          : bottleneck(net, y, { width, stride, halving, groups, wide, dilation });
    }
    taps.push(y);
  });
  return taps;
}

function basic(net: Layers, x: Value, width: number, stride: number): Value {
  const y = net.conv(net.conv(x, width, { kernel: 3, stride, act: "relu" }), width, { kernel: 3 });
  return net.add(y, stride > 1 || at(x.shape, 1) !== width ? net.conv(x, width, { stride }) : x, "relu");
}

interface Bottleneck {
  readonly width: number;
  readonly stride: number;
  readonly halving: Halving;
  readonly groups: number;
  readonly wide: number;
  readonly dilation: number;
}

function bottleneck(net: Layers, x: Value, { width, stride, halving, groups, wide, dilation }: Bottleneck): Value {
  const [first, second] = halving === "1x1" ? [stride, 1] : [1, stride];
  let y = net.conv(x, width * wide, { stride: first, act: "relu" });
  y = net.conv(y, width * wide, { kernel: 3, stride: second, groups, dilation, act: "relu" });
  y = net.conv(y, width * 4);
  const same = stride === 1 && at(x.shape, 1) === width * 4;
  return net.add(y, same ? x : net.conv(x, width * 4, { stride }), "relu");
}

/** `count` bottlenecks of a stage: the first has the stride. */
export function bottlenecks(
  net: Layers,
  x: Value,
  width: number,
  count: number,
  stride: number,
  halving: Halving,
): Value {
  let y = x;
  for (let index = 0; index < count; index++)
    y = bottleneck(net, y, { width, stride: index === 0 ? stride : 1, halving, groups: 1, wide: 1, dilation: 1 });
  return y;
}

/** TF-Slim's: the last block of a stage halves, and what is added is only thinned out. */
function slim50(net: Layers, x: Value): Value {
  let y = net.maxPool(net.conv(x, 64, { kernel: 7, stride: 2, pad: 3, act: "relu" }), {
    kernel: 3,
    stride: 2,
    pad: "same",
  });
  depths[50].forEach((blocks, stage) => {
    const width = 64 * 2 ** stage;
    for (let i = 0; i < blocks; i++) {
      const stride = i === blocks - 1 && stage < 3 ? 2 : 1;
      const thin = stride > 1 ? net.maxPool(y, { kernel: 1, stride }) : y;
      const added = at(y.shape, 1) === width * 4 ? thin : net.conv(y, width * 4, { stride });
      const z = net.conv(net.conv(y, width, { act: "relu" }), width, { kernel: 3, stride, pad: 1, act: "relu" });
      y = net.add(net.conv(z, width * 4), added, "relu");
    }
  });
  return y;
}

/** Normalised and activated before each convolution. */
function resnetV2(net: Layers, x: Value, depth: Residual["depth"]): Value {
  let y = net.maxPool(net.conv(x, 64, { kernel: 7, stride: 2, pad: 3, bias: false }), { kernel: 3, stride: 2, pad: 1 });
  depths[depth].forEach((blocks, stage) => {
    const width = 64 * 2 ** stage;
    for (let i = 0; i < blocks; i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1;
      const before = net.activate(net.batchNorm(y), "relu");
      const z = net.conv(net.conv(before, width, { act: "relu" }), width, { kernel: 3, stride, act: "relu" });
      y = net.add(
        net.conv(z, width * 4, { bias: false }),
        i === 0 ? net.conv(before, width * 4, { stride, bias: false }) : y,
      );
    }
  });
  return net.activate(net.batchNorm(y), "relu");
}

/** How a stage of a video network looks: at time and image at once, at one after the other, at the image alone. */
type Looking = "3d" | "2+1d" | "2d";

/** Convolution of 3x3x3 in one of these ways; `middle`: channels between the two. */
function look(
  net: Layers,
  x: Value,
  way: Looking,
  out: number,
  middle: number,
  stride: number,
  act?: Activation,
): Value {
  const flat = [1, stride, stride] as const;
  if (way === "3d") return net.conv(x, out, { kernel: 3, stride, act });
  if (way === "2d") return net.conv(x, out, { kernel: [1, 3, 3], stride: flat, act });
  const plane = net.conv(x, middle, { kernel: [1, 3, 3], stride: flat, act: "relu" });
  return net.conv(plane, out, { kernel: [3, 1, 1], stride: [stride, 1, 1], act });
}

/** ResNet-18 over sixteen frames. */
function video(net: Layers, x: Value, first: Looking, later: Looking): Value {
  const kernel = first === "2+1d" ? ([1, 7, 7] as const) : ([3, 7, 7] as const);
  let y = net.conv(x, first === "2+1d" ? 45 : 64, { kernel, stride: [1, 2, 2], act: "relu" });
  if (first === "2+1d") y = net.conv(y, 64, { kernel: [3, 1, 1], act: "relu" });
  for (let stage = 0; stage < 4; stage++) {
    const width = 64 * 2 ** stage;
    const way = stage === 0 ? first : later;
    for (let i = 0; i < 2; i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1;
      const from = at(y.shape, 1);
      // As many weights as one of 3x3x3 would have.
      const middle = Math.floor((from * width * 27) / (from * 9 + 3 * width));
      const z = look(net, look(net, y, way, width, middle, stride, "relu"), way, width, middle, 1);
      const same = stride === 1 && from === width;
      y = net.add(z, same ? y : net.conv(y, width, { stride: way === "2d" ? [1, stride, stride] : stride }), "relu");
    }
  }
  return net.fc(net.globalPool(y), 400);
}

const zoo = hailo("classification");
const family = "ResNet";
const source = "arXiv 1512.03385 table 1";

const plain = (depth: Residual["depth"], aliases: readonly string[], published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `resnet${depth}`,
    name: `ResNet-${depth}`,
    aliases: [`resnet_v1.5_${depth}`, `resnet${depth}_v1.5`, `resnet_${depth}_v1.5`, ...aliases],
    family,
    input: 224,
    published,
    source: depth < 50 ? source : `${source}; the 3x3 halves (v1.5)`,
    layers: (net, x) => classifier(net, resnet(net, x, { depth }).at(-1) ?? x),
  });

const clip = (
  id: string,
  name: string,
  aliases: readonly string[],
  ways: readonly [Looking, Looking],
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id,
    name,
    aliases,
    family: "video ResNet",
    input: 112,
    published,
    source: "arXiv 1711.11248 table 1; sixteen frames",
    enter: (net, [channels, height, width]) => net.input([channels, 16, height, width]),
    layers: (net, x) => video(net, x, ...ways),
  });

export default [
  plain(
    18,
    ["resnet18_v1", "resnet_v1_18", "resnet18_v1-7"],
    [torchvision(11.69, 1.814), zoo(11.68, 3.64), ncnn("resnet18", 11688872, 1826918400)],
  ),
  plain(34, ["resnet34_v1", "resnet_v1_34", "resnet34-v1-7"], [torchvision(21.798, 3.664)]),
  plain(50, ["resnet50-v1-12"], [torchvision(25.557, 4.089)]),
  plain(101, ["resnet_v1_101"], [torchvision(44.549, 7.801)]),
  plain(152, [], [torchvision(60.193, 11.514)]),
  makeKnown({
    id: "resnet50_v1_caffe",
    name: "ResNet-50 v1, the first 1x1 halves",
    aliases: ["ncnn_resnet50", "resnet50_caffe", "resnet50_v1", "resnet50_v1-7"],
    family,
    input: 224,
    published: [ncnn("resnet50", 25530472, 3857973248)],
    source,
    layers: (net, x) => classifier(net, resnet(net, x, { depth: 50, halving: "1x1" }).at(-1) ?? x),
  }),
  makeKnown({
    id: "resnet_v1_50",
    name: "ResNet-50 v1 of TF-Slim",
    aliases: ["resnet_v1_50_slim"],
    family,
    input: 224,
    published: [zoo(25.53, 6.98)],
    source: `${source}; github.com/tensorflow/models research/slim: the last block of a stage halves`,
    layers: (net, x) => classifier(net, slim50(net, x)),
  }),
  makeKnown({
    id: "resnet50_v2",
    name: "ResNet-50 v2",
    aliases: ["resnet50-v2-7", "resnetv2_50", "resnet_v2_50"],
    family,
    input: 224,
    published: [timm(25.55, 4.11)],
    source: "arXiv 1603.05027",
    layers: (net, x) => classifier(net, resnetV2(net, x, 50)),
  }),
  makeKnown({
    id: "wide_resnet50_2",
    name: "Wide ResNet-50-2",
    aliases: ["wideresnet50", "wide_resnet50"],
    family,
    input: 224,
    published: [torchvision(68.883, 11.398)],
    source: "arXiv 1605.07146",
    layers: (net, x) => classifier(net, resnet(net, x, { depth: 50, wide: 2 }).at(-1) ?? x),
  }),
  makeKnown({
    id: "resnext50_32x4d",
    name: "ResNeXt-50 32x4d",
    aliases: ["resnext50"],
    family,
    input: 224,
    published: [torchvision(25.029, 4.23), zoo(24.99, 8.48)],
    source: "arXiv 1611.05431 table 1",
    layers: (net, x) => classifier(net, resnet(net, x, { depth: 50, wide: 2, groups: 32 }).at(-1) ?? x),
  }),
  makeKnown({
    id: "wide_resnet101_2",
    name: "Wide ResNet-101-2",
    aliases: ["wideresnet101", "wide_resnet101"],
    family,
    input: 224,
    published: [torchvision(126.887, 22.753)],
    source: "arXiv 1605.07146",
    layers: (net, x) => classifier(net, resnet(net, x, { depth: 101, wide: 2 }).at(-1) ?? x),
  }),
  makeKnown({
    id: "resnext101_64x4d",
    name: "ResNeXt-101 64x4d",
    family,
    input: 224,
    published: [torchvision(83.455, 15.46)],
    source: "arXiv 1611.05431 table 1",
    layers: (net, x) => classifier(net, resnet(net, x, { depth: 101, wide: 4, groups: 64 }).at(-1) ?? x),
  }),
  makeKnown({
    id: "resnext101_32x8d",
    name: "ResNeXt-101 32x8d",
    aliases: ["resnext101"],
    family,
    input: 224,
    published: [torchvision(88.791, 16.414)],
    source: "arXiv 1611.05431 table 1",
    layers: (net, x) => classifier(net, resnet(net, x, { depth: 101, wide: 4, groups: 32 }).at(-1) ?? x),
  }),
  clip(
    "r3d_18",
    "ResNet 3D 18",
    ["resnet_3d", "r3d18"],
    ["3d", "3d"],
    [torchvision(33.371, 40.697), hailo("video_classification")(33.4, 81.4)],
  ),
  clip(
    "mc3_18",
    "ResNet mixed convolution 18",
    ["resnet_mixed", "resnet_mixed_convolution", "resnet_mixed / ResNet-Mixed-Convolution"],
    ["3d", "2d"],
    [torchvision(11.695, 43.343)],
  ),
  clip("r2plus1d_18", "ResNet (2+1)D 18", ["resnet_2plus1d"], ["2+1d", "2+1d"], [torchvision(31.505, 40.519)]),
] satisfies readonly KnownModel[];
