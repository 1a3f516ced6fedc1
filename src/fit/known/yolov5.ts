/**
 * YOLOv5 of release 7 (C3, SPPF, anchors), its masks, the "u" models with the head of YOLOv8, and release 2 (Focus, BottleneckCSP),
 * which Hailo's zoo has. github.com/ultralytics/yolov5 models/*.yaml of those releases.
 */

import type { BuildOptions, KnownModel, Published } from "../known.ts";
import { Layers } from "../layers.ts";
import type { Model } from "../../model/graph.ts";
import { act, cat, conv, up, type Act, type Feature, type Net } from "../parts/blocks.ts";
import { pan } from "../parts/pan.ts";
import { aiHub, hailo, own, rdk, within } from "../parts/published.ts";
import { bottleneck, c3, head, repeats, scaled, spp, sppf, type Scale } from "../parts/yolo.ts";

const scales = {
  n: { depth: 0.33, width: 0.25, most: 1024 },
  s: { depth: 0.33, width: 0.5, most: 1024 },
  m: { depth: 0.67, width: 0.75, most: 1024 },
  l: { depth: 1, width: 1, most: 1024 },
  x: { depth: 1.33, width: 1.25, most: 1024 },
} as const satisfies Record<string, Scale>;

type Size = keyof typeof scales;

/** What the releases differ in. */
interface Release {
  readonly stem: (x: Feature, out: number) => Feature;
  readonly block: (x: Feature, out: number, count: number, shortcut: boolean) => Feature;
  /** The coarsest stage after its convolution of stride 2. */
  readonly last: (x: Feature, out: number, count: number) => Feature;
  readonly act: Act;
  /** Repeats of the second stage beyond six. */
  readonly extra: number;
}

function features(net: Net, input: Feature, s: Scale, r: Release): [Feature, Feature, Feature] {
  const down =
    (width: number) =>
    (x: Feature): Feature =>
      conv(net, x, scaled(s, width), 3, 2, { act: r.act });
  const stage = (x: Feature, width: number, count: number): Feature =>
    r.block(down(width)(x), scaled(s, width), repeats(s, count), true);
  const p3 = stage(stage(r.stem(input, scaled(s, 64)), 128, 3), 256, 6 + r.extra);
  const p4 = stage(p3, 512, 9);
  const p5 = r.last(down(1024)(p4), scaled(s, 1024), repeats(s, 3));
  const block =
    (width: number) =>
    (x: Feature): Feature =>
      r.block(x, scaled(s, width), repeats(s, 3), false);
  const narrow =
    (width: number) =>
    (x: Feature): Feature =>
      conv(net, x, scaled(s, width), 1, 1, { act: r.act });
  return pan(net, [p3, p4, p5], {
    narrow: [narrow(512), narrow(256)],
    blocks: [block(512), block(256), block(512), block(1024)],
    down: [down(256), down(512)],
  });
}

const release7 = (net: Net): Release => ({
  stem: (x, out) => conv(net, x, out, 6, 2, { pad: 2 }),
  block: (x, out, count, shortcut) => c3(net, x, out, count, shortcut),
  last: (x, out, count) => sppf(net, c3(net, x, out, count, true), out),
  act: "silu",
  extra: 0,
});

/** Focus: the four pixels of each 2x2 square side by side in the channels. */
const release2 = (net: Net): Release => {
  const leaky = { act: "leaky" } as const;
  const csp = (x: Feature, out: number, count: number, shortcut: boolean): Feature => {
    const half = out >> 1;
    let deep = conv(net, x, half, 1, 1, leaky);
    for (let index = 0; index < count; index += 1)
      deep = bottleneck(net, deep, half, { kernels: [1, 3], middle: 1, shortcut, ...leaky });
    const joined = cat(net, [conv(net, deep, half, 1, 1, { act: "none" }), conv(net, x, half, 1, 1, { act: "none" })]);
    return conv(net, act(net, joined, "leaky"), out, 1, 1, leaky);
  };
  return {
    stem: (x, out) => conv(net, net.spaceToDepth(x, 2), out, 3, 1, leaky),
    block: csp,
    last: (x, out, count) => csp(spp(net, x, out, leaky), out, count, false),
    act: "leaky",
    extra: 3,
  };
};

/** Three anchors at each position: box, objectness, classes and, of masks, 32 coefficients. */
const anchored = (net: Net, levels: readonly Feature[], more: number): Feature[] =>
  levels.map((x) => act(net, conv(net, x, 3 * (85 + more), 1, 1, { act: "none" }), "sigmoid"));

function masked(net: Net, levels: readonly [Feature, Feature, Feature], s: Scale): Feature[] {
  const width = scaled(s, 256);
  const larger = up(net, conv(net, levels[0], width, 3));
  return [...anchored(net, levels, 32), conv(net, conv(net, larger, width, 3), 32, 1)];
}

/** Release 6 with a fourth size: one more stage, and one more step down and up. */
function features6(net: Net, input: Feature, s: Scale): Feature[] {
  const r = release7(net);
  const down = (x: Feature, width: number): Feature => conv(net, x, scaled(s, width), 3, 2);
  const stage = (x: Feature, width: number, count: number): Feature =>
    r.block(down(x, width), scaled(s, width), repeats(s, count), true);
  const p3 = stage(stage(r.stem(input, scaled(s, 64)), 128, 3), 256, 6);
  const p4 = stage(p3, 512, 9);
  const p5 = stage(p4, 768, 3);
  const p6 = r.last(down(p5, 1024), scaled(s, 1024), repeats(s, 3));
  const block = (x: Feature, width: number): Feature => r.block(x, scaled(s, width), repeats(s, 3), false);
  const kept: Feature[] = [];
  let y = p6;
  for (const [own, width] of [
    [p5, 768],
    [p4, 512],
    [p3, 256],
  ] as const) {
    const narrow = conv(net, y, scaled(s, width), 1);
    kept.unshift(narrow);
    y = block(cat(net, [up(net, narrow), own]), width);
  }
  const levels = [y];
  for (const [index, width] of [512, 768, 1024].entries()) {
    const own = kept[index] ?? y;
    y = block(cat(net, [down(y, [256, 512, 768][index] ?? 256), own]), width);
    levels.push(y);
  }
  return levels;
}

type Kind = "" | "_seg" | "u" | "_v2";

function build(id: string, size: Size, kind: Kind, options: BuildOptions): Model {
  const s = scales[size];
  const net = new Layers(id, options);
  const release = kind === "_v2" ? release2(net) : release7(net);
  const levels = features(net, net.input(options.input ?? [3, 640, 640]), s, release);
  if (kind === "u") return net.finish(...head(net, levels, { kind: "v8", classes: 80 }));
  return net.finish(...(kind === "_seg" ? masked(net, levels, s) : anchored(net, levels, 0)));
}

const words: Readonly<Record<Kind, string>> = { "": "", _seg: "-seg", u: "u", _v2: " release 2" };

function known(size: Size, kind: Kind, published: readonly Published[], aliases: readonly string[] = []): KnownModel {
  const id = `yolov5${size}${kind}`;
  return {
    id,
    name: `YOLOv5${size}${words[kind]}`,
    aliases,
    family: "YOLOv5",
    task: kind === "_seg" ? "segmentation" : "detection",
    input: [3, 640, 640],
    published,
    source: `github.com/ultralytics/yolov5 ${kind === "_v2" ? "v2.0" : "v7.0"} models/yolov5${size}.yaml`,
    build: (options) => build(id, size, kind, options),
  };
}

const table = (gops: number, millions: number): Published =>
  own("github.com/ultralytics/yolov5@0026ac6 README.md", gops, millions);
const seg = (gops: number, millions: number): Published => hailo("instance_segmentation", gops, millions);

export default [
  known("n", "", [table(4.5, 1.9)]),
  known("s", "", [table(16.5, 7.2)]),
  known("m", "", [table(49, 21.2), aiHub("yolov5", 21.2), hailo("object_detection", 48.96, 21.17)], ["yolov5m_6.1"]),
  known("l", "", [table(109.1, 46.5)]),
  known("x", "", [table(205.7, 86.7)]),
  known("n", "_seg", [seg(7.1, 1.99)]),
  known("s", "_seg", [seg(26.42, 7.61)]),
  known("m", "_seg", [table(70.8, 22), within(seg(70.94, 32.6), 0.34, "22.0 million by the authors' own table")]),
  known("l", "_seg", [seg(147.88, 47.89)]),
  known("n", "u", [rdk(7.7, 2.6)]),
  known("s", "u", [rdk(24, 9.1)]),
  known("m", "u", [rdk(64.2, 25.1)]),
  known("l", "u", [rdk(135, 53.2)]),
  known("x", "u", [rdk(246.4, 97.2)]),
  known("s", "_v2", [hailo("object_detection", 17.44, 7.46)], ["yolov5s_bbox_decoding_only", "yolov5s spp"]),
  known("m", "_v2", [hailo("object_detection", 52.17, 21.78)], ["yolov5m spp"]),
  {
    id: "yolov5m6",
    name: "YOLOv5m6",
    aliases: ["yolov5m6_6.1"],
    family: "YOLOv5",
    task: "detection",
    input: [3, 1280, 1280],
    published: [hailo("object_detection", 200.04, 35.7)],
    source: "github.com/ultralytics/yolov5 v7.0 models/hub/yolov5m6.yaml",
    build: (options) => {
      const net = new Layers("yolov5m6", options);
      return net.finish(...anchored(net, features6(net, net.input(options.input ?? [3, 1280, 1280]), scales.m), 0));
    },
  },
] satisfies readonly KnownModel[];
