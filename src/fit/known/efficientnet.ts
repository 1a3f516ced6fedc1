/**
 * EfficientNet and its kin, found by search: B0 to B4 (arXiv 1905.11946 table 1), Lite, EdgeTPU (github.com/tensorflow/tpu
 * models/official/efficientnet), v2 (2104.00298 table 4), MnasNet (1807.11626), ProxylessNAS mobile (1812.00332).
 */

import { classifier, inverted, rounded } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Activation, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, ncnn, timm, torchvision } from "../published.ts";

/** Kernel, expansion, channels, repeats, stride of the first. */
export type Row = readonly [kernel: number, times: number, out: number, repeats: number, stride: number];

export interface Searched {
  readonly stem: number;
  readonly rows: readonly Row[];
  /** Channels of the last 1x1. */
  readonly head: number;
  readonly act: Activation;
  /** Factors of widths and depths. */
  readonly width?: number;
  readonly depth?: number;
  /** Stem and head as they are, the first and the last row once (Lite). */
  readonly fixed?: boolean;
  /** Squeeze-and-excite with a quarter of the channels that come in, from this row on. */
  readonly exciteFrom?: number;
  /** Rows before this one are one 3x3 in place of 1x1 and depthwise. */
  readonly fusedBefore?: number;
  /** Share of a scaled width that rounding must leave; 0: whatever is nearest (v2). */
  readonly least?: number;
}

/** What comes out of the stem and of each block. */
export function searched(net: Layers, x: Value, model: Searched): Value[] {
  const { act, width = 1, depth = 1, fixed = false, exciteFrom = Infinity, fusedBefore = 0, least } = model;
  const taps = [net.conv(x, fixed ? model.stem : rounded(model.stem * width), { kernel: 3, stride: 2, act })];
  model.rows.forEach(([kernel, times, channels, repeats, stride], row) => {
    const ends = fixed && (row === 0 || row === model.rows.length - 1);
    for (let i = 0; i < (ends ? repeats : Math.ceil(repeats * depth)); i++) {
      const before = taps[taps.length - 1] ?? x;
      const from = at(before.shape, 1);
      taps.push(
        inverted(net, before, {
          kernel,
          stride: i === 0 ? stride : 1,
          wide: rounded(from * times),
          out: rounded(channels * width, least),
          act,
          squeezed: row >= exciteFrom ? Math.max(1, Math.round(from / 4)) : undefined,
          fused: row < fusedBefore,
        }),
      );
    }
  });
  return taps;
}

function classified(net: Layers, x: Value, model: Searched): Value {
  const { width = 1, fixed = false, act } = model;
  const last = searched(net, x, model).at(-1) ?? x;
  return classifier(
    net,
    net.conv(last, fixed ? model.head : Math.max(model.head, rounded(model.head * width)), { act }),
  );
}

/* prettier-ignore */
const b0: readonly Row[] = [
  [3, 1, 16, 1, 1], [3, 6, 24, 2, 2], [5, 6, 40, 2, 2], [3, 6, 80, 3, 2], [5, 6, 112, 3, 1], [5, 6, 192, 4, 2], [3, 6, 320, 1, 1],
];

/** Its first row expands what the stem gave by four, into as many channels. */
/* prettier-ignore */
const edge: readonly Row[] = [
  [3, 8, 32, 2, 2], [3, 8, 48, 4, 2], [5, 8, 96, 5, 2], [5, 8, 144, 4, 1], [5, 8, 192, 2, 2],
];

/* prettier-ignore */
const second: readonly Row[] = [
  [3, 1, 16, 1, 1], [3, 4, 32, 2, 2], [3, 4, 48, 2, 2], [3, 4, 96, 3, 2], [3, 6, 112, 5, 1], [3, 6, 192, 8, 2],
];

/* prettier-ignore */
const secondS: readonly Row[] = [
  [3, 1, 24, 2, 1], [3, 4, 48, 4, 2], [3, 4, 64, 4, 2], [3, 4, 128, 6, 2], [3, 6, 160, 9, 1], [3, 6, 256, 15, 2],
];

/* prettier-ignore */
const mnas: readonly Row[] = [
  [3, 1, 16, 1, 1], [3, 3, 24, 3, 2], [5, 3, 40, 3, 2], [5, 6, 80, 3, 2], [3, 6, 96, 2, 1], [5, 6, 192, 4, 2], [3, 6, 320, 1, 1],
];

/** As ncnn's file has it. */
/* prettier-ignore */
const proxyless: readonly Row[] = [
  [3, 1, 32, 1, 1], [5, 1.5, 32, 1, 2], [3, 3, 32, 1, 1], [7, 3, 40, 1, 2], [3, 3, 40, 1, 1], [5, 3, 40, 2, 1],
  [7, 6, 80, 1, 2], [5, 3, 80, 3, 1], [5, 6, 96, 1, 1], [5, 3, 96, 3, 1],
  [7, 6, 192, 1, 2], [7, 6, 192, 1, 1], [7, 3, 192, 2, 1], [7, 6, 320, 1, 1],
];

/** The trunk of EfficientNet-EdgeTPU: what comes out of each block. */
function edgeTrunk(net: Layers, x: Value, width: number, depth: number): Value {
  let y = net.conv(x, rounded(32 * width), { kernel: 3, stride: 2, act: "relu" });
  const first = rounded(24 * width);
  for (let i = 0; i < Math.ceil(depth); i++) y = net.conv(net.conv(y, 4 * first, { kernel: 3, act: "relu" }), first);
  for (const [row, [kernel, times, channels, repeats, stride]] of edge.entries())
    for (let i = 0; i < Math.ceil(repeats * depth); i++) {
      const wide = at(y.shape, 1) * times;
      y = inverted(net, y, {
        kernel,
        stride: i === 0 ? stride : 1,
        wide,
        out: rounded(channels * width),
        act: "relu",
        fused: row < 2,
      });
    }
  return y;
}

const zoo = hailo("classification");
const family = "EfficientNet";

/** Hailo's tables give M and L a fifth more operations than their layers have; what is in them is not written. */
const parameters = (count: number): KnownModel["published"][number] => ({
  parameters: count,
  source: zoo(0, 0).source,
});

const plain = (
  id: number,
  width: number,
  depth: number,
  size: number,
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `efficientnet_b${id}`,
    name: `EfficientNet-B${id}`,
    aliases: [`tf_efficientnet_b${id}`],
    family,
    input: size,
    published,
    source: "arXiv 1905.11946 table 1 and compound scaling",
    layers: (net, x) =>
      classified(net, x, { stem: 32, rows: b0, head: 1280, act: "silu", width, depth, exciteFrom: 0 }),
  });

export const liteScales = [
  [1, 1],
  [1, 1.1],
  [1.1, 1.2],
  [1.2, 1.4],
  [1.4, 1.8],
] as const;

/** The trunk of EfficientNet-Lite, for EfficientDet-Lite. */
export const liteTrunk = (net: Layers, x: Value, size: 0 | 1 | 2 | 3 | 4): Value[] =>
  searched(net, x, {
    stem: 32,
    rows: b0,
    head: 1280,
    act: "relu6",
    width: liteScales[size][0],
    depth: liteScales[size][1],
    fixed: true,
  });

const lite = (size: 0 | 1 | 2 | 3 | 4, pixels: number, published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `efficientnet_lite${size}`,
    name: `EfficientNet-Lite${size}`,
    aliases: [`tf_efficientnet_lite${size}`],
    family,
    input: pixels,
    published,
    source: "github.com/tensorflow/tpu models/official/efficientnet/lite; arXiv 1905.11946 table 1",
    layers: (net, x) => classifier(net, net.conv(liteTrunk(net, x, size).at(-1) ?? x, 1280, { act: "relu6" })),
  });

const edgeModel = (
  size: "s" | "m" | "l",
  width: number,
  depth: number,
  pixels: number,
  aliases: readonly string[],
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `efficientnet_edgetpu_${size}`,
    name: `EfficientNet-EdgeTPU-${size.toUpperCase()}`,
    aliases: [`efficientnet_e${size}`, `efficientnet_${size}`, ...aliases],
    family,
    input: pixels,
    published,
    source: "github.com/tensorflow/tpu models/official/efficientnet/edgetpu; arXiv 2003.02838",
    layers: (net, x) =>
      classifier(net, net.conv(edgeTrunk(net, x, width, depth), rounded(1280 * width), { act: "relu" })),
  });

const v2 = (
  id: string,
  model: Searched,
  pixels: number,
  aliases: readonly string[],
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `efficientnet_v2_${id}`,
    name: `EfficientNetV2-${id.toUpperCase()}`,
    aliases: [`efficientnetv2${id}`, `tf_efficientnetv2_${id}`, ...aliases],
    family,
    input: pixels,
    published,
    source: "arXiv 2104.00298 table 4; github.com/google/automl efficientnetv2",
    layers: (net, x) => classified(net, x, model),
  });

const small: Searched = { stem: 32, rows: second, head: 1280, act: "silu", exciteFrom: 3, fusedBefore: 3, least: 0 };

const mnasnet = (alpha: number, aliases: readonly string[], published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: alpha === 1 ? "mnasnet_1.0" : `mnasnet_${alpha}`,
    name: `MnasNet B1 ${alpha.toFixed(2)}`,
    aliases,
    family: "MnasNet",
    input: 224,
    published,
    source: "arXiv 1807.11626 figure 7",
    layers: (net, x) => classified(net, x, { stem: 32, rows: mnas, head: 1280, act: "relu", width: alpha }),
  });

export default [
  plain(0, 1, 1, 224, [torchvision(5.289, 0.386), ncnn("efficientnet_b0", 5267540, 385814752)]),
  plain(1, 1, 1.1, 240, [torchvision(7.794, 0.687)]),
  plain(2, 1.1, 1.2, 288, [torchvision(9.11, 1.088)]),
  plain(3, 1.2, 1.4, 300, [torchvision(12.233, 1.827)]),
  plain(4, 1.4, 1.8, 380, [torchvision(19.342, 4.394)]),
  plain(5, 1.6, 2.2, 456, [torchvision(30.39, 10.266)]),
  plain(6, 1.8, 2.6, 528, [torchvision(43.041, 19.068)]),
  plain(7, 2, 3.1, 600, [torchvision(66.348, 37.746)]),
  lite(0, 224, [zoo(4.63, 0.78), timm(4.65, 0.4)]),
  lite(1, 240, [zoo(5.39, 1.22), timm(5.42, 0.62)]),
  lite(2, 260, [zoo(6.06, 1.74), timm(6.09, 0.89)]),
  lite(3, 280, [zoo(8.16, 2.8), timm(8.2, 1.65, [3, 300, 300])]),
  lite(4, 300, [timm(13.01, 4.04, [3, 380, 380])]),
  edgeModel("s", 1, 1, 224, [], [timm(5.44, 1.81)]),
  edgeModel("m", 1, 1.1, 240, [], [parameters(6_870_000), timm(6.9, 3.04)]),
  edgeModel("l", 1.2, 1.4, 300, [], [parameters(10_550_000), timm(10.59, 8)]),
  v2(
    "b0",
    small,
    224,
    ["ncnn_efficientnetv2_b0"],
    [ncnn("efficientnetv2_b0", 7107336, 718086176), timm(7.14, 0.54, [3, 192, 192])],
  ),
  v2("b1", { ...small, width: 1, depth: 1.1 }, 240, [], [timm(8.14, 0.76, [3, 192, 192])]),
  v2("b2", { ...small, width: 1.1, depth: 1.2 }, 260, [], [timm(10.1, 1.06, [3, 208, 208])]),
  v2("b3", { ...small, width: 1.2, depth: 1.4 }, 300, [], [timm(14.36, 1.93, [3, 240, 240])]),
  v2("s", { ...small, stem: 24, rows: secondS }, 384, [], [torchvision(21.458, 8.366)]),
  mnasnet(0.5, ["mnasnet05", "mnasnet0_5"], [torchvision(2.219, 0.104)]),
  mnasnet(0.75, ["mnasnet0_75"], [torchvision(3.17, 0.215)]),
  mnasnet(1, ["mnasnet", "mnasnet1_0", "mnasnet_b1"], [torchvision(4.383, 0.314), ncnn("mnasnet", 4364352, 314415872)]),
  makeKnown({
    id: "proxylessnas_mobile",
    name: "ProxylessNAS mobile",
    aliases: ["proxylessnasnet", "proxylessnas"],
    family: "ProxylessNAS",
    input: 224,
    published: [ncnn("proxylessnasnet", 4064560, 336483904)],
    source: "arXiv 1812.00332 figure 4",
    layers: (net, x) => classified(net, x, { stem: 32, rows: proxyless, head: 1280, act: "relu6" }),
  }),
] satisfies readonly KnownModel[];
