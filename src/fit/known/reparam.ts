/**
 * Networks that are trained with branches and run without: RepVGG (arXiv 2101.03697 tables 2 and 3), MobileOne (2206.04040 table 2),
 * FastViT (2303.14189 table 2), RepViT (2307.09283 appendix), RepGhost (2211.06088 table 7), and GhostNet (1911.11907 table 1). All as
 * they run.
 */

import { attend, classifier, headsOf, joined, squeezeExcite } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, timm } from "../published.ts";

export interface RepVgg {
  readonly blocks: readonly [number, number, number, number];
  readonly widths: readonly [number, number, number, number];
  /** Of every other block. */
  readonly groups?: number;
}

const [A, B] = [
  [2, 4, 14, 1],
  [4, 6, 16, 1],
] as const;

export const repvggs = {
  a0: { blocks: A, widths: [48, 96, 192, 1280] },
  a1: { blocks: A, widths: [64, 128, 256, 1280] },
  a2: { blocks: A, widths: [96, 192, 384, 1408] },
  b0: { blocks: B, widths: [64, 128, 256, 1280] },
  b1: { blocks: B, widths: [128, 256, 512, 2048] },
  b1g2: { blocks: B, widths: [128, 256, 512, 2048], groups: 2 },
  b1g4: { blocks: B, widths: [128, 256, 512, 2048], groups: 4 },
  b2: { blocks: B, widths: [160, 320, 640, 2560] },
  b3: { blocks: B, widths: [192, 384, 768, 2560] },
} as const satisfies Readonly<Record<string, RepVgg>>;

/** What comes out of the stem and of the four stages. */
export function repvgg(net: Layers, x: Value, { blocks, widths, groups = 1 }: RepVgg): Value[] {
  const taps = [net.conv(x, Math.min(64, widths[0]), { kernel: 3, stride: 2, act: "relu" })];
  let count = 0;
  blocks.forEach((repeats, stage) => {
    let y = taps[taps.length - 1] ?? x;
    for (let i = 0; i < repeats; i++) {
      count++;
      y = net.conv(y, at(widths, stage), {
        kernel: 3,
        stride: i === 0 ? 2 : 1,
        groups: count % 2 === 0 ? groups : 1,
        act: "relu",
      });
    }
    taps.push(y);
  });
  return taps;
}

function mobileone(net: Layers, x: Value, stem: number, widths: readonly number[]): Value {
  let y = net.conv(x, stem, { kernel: 3, stride: 2, act: "relu" });
  [2, 8, 10, 1].forEach((repeats, stage) => {
    for (let i = 0; i < repeats; i++) {
      y = net.depthwise(y, { stride: i === 0 ? 2 : 1, act: "relu" });
      y = net.conv(y, at(widths, stage), { act: "relu" });
    }
  });
  return y;
}

interface FastVit {
  readonly widths: readonly [number, number, number, number];
  readonly blocks: readonly [number, number, number, number];
  readonly times: number;
  /** The last stage mixes by attention. */
  readonly attends?: boolean;
}

function fastvit(net: Layers, x: Value, { widths, blocks, times, attends = false }: FastVit): Value {
  let y = net.conv(x, widths[0], { kernel: 3, stride: 2, act: "gelu" });
  y = net.conv(net.depthwise(y, { stride: 2, act: "gelu" }), widths[0], { act: "gelu" });
  const feed = (z: Value): Value => {
    const channels = at(z.shape, 1);
    return net.add(z, net.conv(net.conv(net.depthwise(z, { kernel: 7 }), channels * times, { act: "gelu" }), channels));
  };
  widths.forEach((width, stage) => {
    if (stage > 0) {
      const large = net.conv(y, width, { kernel: 7, stride: 2, groups: at(y.shape, 1) });
      y = net.conv(large, width, { act: "gelu" });
    }
    const last = attends && stage === 3;
    if (last) y = net.depthwise(y, { kernel: 7 });
    for (let i = 0; i < at(blocks, stage); i++) y = feed(last ? attended(net, y, 32) : net.depthwise(y));
  });
  const channels = at(y.shape, 1);
  const wide = squeezeExcite(net, net.conv(y, 2 * channels, { kernel: 3, groups: channels }), channels / 8);
  return classifier(net, net.activate(wide, "gelu"));
}

/** Attention over the places of an image, with heads of a given width; what came in is added. */
function attended(net: Layers, x: Value, head: number): Value {
  const heads = at(x.shape, 1) / head;
  const all = net.fc(net.tokens(net.batchNorm(x)), 3 * at(x.shape, 1), { bias: false });
  const [q, k, v] = net.split(all, 3, 2).map((part) => headsOf(net, part, heads));
  const y = net.fc(joined(net, attend(net, q ?? all, k ?? all, v ?? all)), at(x.shape, 1));
  return net.add(x, net.image(y, x.shape.slice(2)));
}

function repvit(net: Layers, x: Value, widths: readonly number[], blocks: readonly number[]): Value {
  const feed = (z: Value): Value => {
    const channels = at(z.shape, 1);
    return net.add(z, net.conv(net.conv(z, 2 * channels, { act: "gelu" }), channels));
  };
  let y = net.conv(x, at(widths, 0) / 2, { kernel: 3, stride: 2, act: "gelu" });
  y = net.conv(y, at(widths, 0), { kernel: 3, stride: 2 });
  widths.forEach((width, stage) => {
    if (stage > 0) y = feed(net.conv(net.depthwise(feed(net.depthwise(y)), { stride: 2 }), width));
    for (let i = 0; i < at(blocks, stage); i++) {
      const mixed = net.depthwise(y);
      y = feed(i % 2 === 0 ? squeezeExcite(net, mixed, Math.max(8, Math.floor((width / 4 + 4) / 8) * 8)) : mixed);
    }
  });
  return classifier(net, y);
}

/** Kernel, channels in the middle, channels out, with squeeze-and-excite, stride: of GhostNet; RepGhost's middle is half as wide. */
type Ghost = readonly [kernel: number, middle: number, out: number, squeezed: 0 | 1, stride: 1 | 2];

/* prettier-ignore */
const ghosts: readonly Ghost[] = [
  [3, 16, 16, 0, 1], [3, 48, 24, 0, 2], [3, 72, 24, 0, 1], [5, 72, 40, 1, 2], [5, 120, 40, 1, 1], [3, 240, 80, 0, 2],
  [3, 200, 80, 0, 1], [3, 184, 80, 0, 1], [3, 184, 80, 0, 1], [3, 480, 112, 1, 1], [3, 672, 112, 1, 1],
  [5, 672, 160, 1, 2], [5, 960, 160, 0, 1], [5, 960, 160, 1, 1], [5, 960, 160, 0, 1], [5, 960, 160, 1, 1],
];

/** RepGhost's differs in two places. */
const repGhosts = ghosts.map((row): Ghost => (row[1] === 184 ? [row[0], 240, row[2], row[3], row[4]] : row));

const by4 = (channels: number): number => {
  const near = Math.max(4, Math.floor((channels + 2) / 4) * 4);
  return near < 0.9 * channels ? near + 4 : near;
};

function ghostnet(net: Layers, x: Value, width: number, rep: boolean): Value {
  const ghost = (z: Value, out: number, act?: "relu"): Value => {
    if (rep) return net.depthwise(net.conv(z, out, { act }), { act });
    const half = Math.ceil(out / 2);
    const first = net.conv(z, half, { act });
    return net.concat([first, net.depthwise(first, { act })]);
  };
  let y = net.conv(x, by4(16 * width), { kernel: 3, stride: 2, act: "relu" });
  for (const [kernel, middle, channels, squeezed, stride] of rep ? repGhosts : ghosts) {
    const [wide, out] = [by4((rep ? middle / 2 : middle) * width), by4(channels * width)];
    let z = ghost(y, wide, "relu");
    if (stride > 1) z = net.depthwise(z, { kernel, stride });
    if (squeezed === 1) z = squeezeExcite(net, z, by4(wide / 4), "relu", "hsigmoid");
    z = ghost(z, out);
    const same = stride === 1 && at(y.shape, 1) === out;
    y = net.add(z, same ? y : net.conv(net.depthwise(y, { kernel, stride }), out));
  }
  y = net.conv(y, by4(960 * width), { act: "relu" });
  return net.fc(net.conv(net.globalPool(y), 1280, { act: "relu" }), 1000);
}

const zoo = hailo("classification");

const repvggModel = (size: keyof typeof repvggs, published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `repvgg_${size}`,
    name: `RepVGG-${size.toUpperCase()}`,
    family: "RepVGG",
    input: 224,
    published,
    source: "arXiv 2101.03697 tables 2 and 3",
    layers: (net, x) => classifier(net, repvgg(net, x, repvggs[size]).at(-1) ?? x),
  });

const one = (size: number, stem: number, widths: readonly number[], published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `mobileone_s${size}`,
    name: `MobileOne-S${size}`,
    family: "MobileOne",
    input: 224,
    published,
    source: "arXiv 2206.04040 table 2",
    layers: (net, x) => classifier(net, mobileone(net, x, stem, widths)),
  });

const fast = (
  size: string,
  model: FastVit,
  aliases: readonly string[],
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `fastvit_${size}`,
    name: `FastViT-${size.toUpperCase()}`,
    aliases,
    family: "FastViT",
    input: 224,
    published,
    source: "arXiv 2303.14189 table 2",
    layers: (net, x) => fastvit(net, x, model),
  });

const repvitModel = (
  size: string,
  widths: readonly number[],
  blocks: readonly number[],
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `repvit_${size}`,
    name: `RepViT-${size.toUpperCase().replace("_", ".")}`,
    family: "RepViT",
    input: 224,
    published,
    source: "arXiv 2307.09283, appendix",
    layers: (net, x) => repvit(net, x, widths, blocks),
  });

const ghostModel = (
  rep: boolean,
  percent: number,
  aliases: readonly string[],
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `${rep ? "rep" : ""}ghostnet_${String(percent).padStart(3, "0")}`,
    name: `${rep ? "Rep" : ""}GhostNet ${percent / 100}x`,
    aliases,
    family: "GhostNet",
    input: 224,
    published,
    source: rep ? "arXiv 2211.06088 table 7" : "arXiv 1911.11907 table 1",
    layers: (net, x) => ghostnet(net, x, percent / 100, rep),
  });

const trained = "counted with the branches of training";
const sizes = { blocks: [2, 2, 6, 2], widths: [64, 128, 256, 512] } as const;

export default [
  repvggModel("a0", [timm(8.31, 1.36)]),
  repvggModel("a1", [timm(12.79, 2.36)]),
  repvggModel("a2", [timm(25.5, 5.12), zoo(25.5, 10.2)]),
  repvggModel("b0", [timm(14.34, 3.06)]),
  repvggModel("b1", [timm(51.83, 11.82)]),
  repvggModel("b1g2", [{ parameters: 41_360_000, source: "arXiv 2101.03697 table 4" }]),
  repvggModel("b1g4", [timm(36.13, 7.31)]),
  repvggModel("b2", [timm(80.32, 18.38)]),
  repvggModel("b3", [timm(110.96, 26.21)]),
  makeKnown({
    id: "repvgg_a0_person_reid_512",
    name: "RepVGG-A0 for person re-identification, 512",
    aliases: ["repvgg_a0_person_reid"],
    family: "RepVGG",
    task: "embedding",
    input: [3, 256, 128],
    published: [hailo("person_reid")(7.68, 1.78)],
    source: "arXiv 2101.03697 table 2",
    layers: (net, x) => classifier(net, repvgg(net, x, repvggs.a0).at(-1) ?? x, 512),
  }),
  one(0, 48, [48, 128, 256, 1024], [timm(2.08, 0.28)]),
  one(1, 64, [96, 192, 512, 1280], [timm(4.76, 0.83)]),
  one(2, 64, [96, 256, 640, 2048], [timm(7.81, 1.3)]),
  one(3, 64, [128, 320, 768, 2048], [timm(10.08, 1.9)]),
  fast("t8", { widths: [48, 96, 192, 384], blocks: [2, 2, 4, 2], times: 3 }, [], [timm(4, 0.69, [3, 256, 256])]),
  fast("t12", { ...sizes, times: 3 }, [], [timm(7.51, 1.39, [3, 256, 256])]),
  fast("s12", { ...sizes, times: 4 }, [], [timm(9.43, 1.8, [3, 256, 256])]),
  fast(
    "sa12",
    { ...sizes, times: 4, attends: true },
    [],
    [
      timm(11.55, 1.94, [3, 256, 256]),
      { parameters: 11_990_000, source: zoo(0, 0).source, within: { share: 0.05, because: trained } },
    ],
  ),
  repvitModel("m0_9", [48, 96, 192, 384], [2, 2, 14, 2], [timm(5.07, 0.82)]),
  repvitModel("m1_0", [56, 112, 224, 448], [2, 2, 14, 2], [timm(6.81, 1.11)]),
  repvitModel("m1_1", [64, 128, 256, 512], [2, 2, 12, 2], [timm(8.24, 1.34)]),
  repvitModel("m1_5", [64, 128, 256, 512], [4, 4, 24, 4], [timm(14.05, 2.27)]),
  ghostModel(false, 100, ["ghostnet", "ghostnet_1.0x"], [timm(5.18, 0.15)]),
  ghostModel(false, 130, ["ghostnet_1.3x"], [timm(7.36, 0.24)]),
  ghostModel(true, 100, ["repghostnet_1.0x", "repghostnet"], [timm(4.06, 0.15)]),
  ghostModel(true, 150, ["repghostnet_1.5x"], [timm(6.55, 0.31)]),
  ghostModel(true, 200, ["repghostnet_2.0x"], [timm(9.77, 0.53)]),
] satisfies readonly KnownModel[];
