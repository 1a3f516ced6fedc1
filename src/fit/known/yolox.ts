/**
 * YOLOX: CSPDarknet, path aggregation, decoupled head without anchors. arXiv 2107.08430; github.com/Megvii-BaseDetection/YOLOX
 * exps/default. TI's "lite" ones as its compiler lists their layers: two convolutions at the start, ReLU, poolings of 3x3 one after
 * another (github.com/MattMak0402/od-8220-20250423@2266746 artifacts/tempDir/subgraph_0_tidl_net.bin_netLog.txt).
 */

import type { BuildOptions, KnownModel, Published } from "../known.ts";
import { Layers } from "../layers.ts";
import type { Model } from "../../model/graph.ts";
import { act, add, cat, channels, conv, maxPool, type Act, type Feature, type Net } from "../parts/blocks.ts";
import { pan } from "../parts/pan.ts";
import { aiHub, hailo, own, within } from "../parts/published.ts";
import { spp } from "../parts/yolo.ts";

interface Member {
  readonly depth: number;
  readonly width: number;
  readonly act?: Act;
  /** 3x3 convolutions fall into a depthwise and a pointwise one. */
  readonly light?: true;
  /** As TI changes it for its accelerators, outputs without their sigmoid and joined. */
  readonly ti?: true;
  /** People alone, with the 17 points of a body from a branch of their own. */
  readonly pose?: true;
}

const members = {
  yolox_nano: { depth: 0.33, width: 0.25, light: true },
  yolox_tiny: { depth: 0.33, width: 0.375 },
  yolox_s: { depth: 0.33, width: 0.5 },
  yolox_s_leaky: { depth: 0.33, width: 0.5, act: "leaky" },
  yolox_s_wide_leaky: { depth: 0.33, width: 0.75, act: "leaky" },
  yolox_l_leaky: { depth: 1, width: 1, act: "leaky" },
  yolox_m: { depth: 0.67, width: 0.75 },
  yolox_l: { depth: 1, width: 1 },
  yolox_x: { depth: 1.33, width: 1.25 },
  yolox_nano_lite: { depth: 0.33, width: 0.25, act: "relu", ti: true },
  yolox_tiny_lite: { depth: 0.33, width: 0.375, act: "relu", ti: true },
  yolox_s_lite: { depth: 0.33, width: 0.5, act: "relu", ti: true },
  yolox_s_pose_ti_lite: { depth: 0.33, width: 0.5, act: "relu", ti: true, pose: true },
  yolox_m_lite: { depth: 0.67, width: 0.75, act: "relu", ti: true },
} as const satisfies Record<string, Member>;

function build(id: keyof typeof members, side: number, options: BuildOptions): Model {
  const m: Member = members[id];
  const net = new Layers(id, options);
  const option = { act: m.act ?? "silu" } as const;
  const wide = (width: number): number => Math.floor(width * m.width);
  const deep = Math.max(Math.round(3 * m.depth), 1);
  const one = (x: Feature, out: number): Feature => conv(net, x, out, 1, 1, option);
  const three = (x: Feature, out: number, stride = 1): Feature =>
    m.light
      ? one(conv(net, x, channels(x), 3, stride, { ...option, groups: channels(x) }), out)
      : conv(net, x, out, 3, stride, option);
  const csp = (x: Feature, out: number, count: number, shortcut: boolean): Feature => {
    let y = one(x, out >> 1);
    for (let index = 0; index < count; index += 1) {
      const inner = three(one(y, out >> 1), out >> 1);
      y = shortcut ? add(net, inner, y) : inner;
    }
    return one(cat(net, [y, one(x, out >> 1)]), out);
  };
  const picture = net.input(options.input ?? [3, side, side]);
  const quarter = m.ti ? conv(net, picture, 12, 3, 2, { act: "none" }) : net.spaceToDepth(picture, 2);
  const stem = conv(net, quarter, wide(64), 3, 1, option);
  const p2 = csp(three(stem, wide(128), 2), wide(128), deep, true);
  const p3 = csp(three(p2, wide(256), 2), wide(256), 3 * deep, true);
  const p4 = csp(three(p3, wide(512), 2), wide(512), 3 * deep, true);
  const coarse = three(p4, wide(1024), 2);
  const p5 = csp((m.ti ? chained : spp)(net, coarse, wide(1024), option), wide(1024), deep, false);
  const block =
    (width: number) =>
    (x: Feature): Feature =>
      csp(x, wide(width), deep, false);
  const levels = pan(net, [p3, p4, p5], {
    narrow: [(x) => one(x, wide(512)), (x) => one(x, wide(256))],
    blocks: [block(512), block(256), block(512), block(1024)],
    down: [(x) => three(x, wide(256), 2), (x) => three(x, wide(512), 2)],
  });
  return net.finish(...levels.flatMap((x) => heads(net, one(x, wide(256)), three, m)));
}

/** The pyramid of poolings 5, 9 and 13 by 3x3 alone: two, two and two more, one after another. */
function chained(net: Net, x: Feature, out: number, option: { readonly act: Act }): Feature {
  const parts = [conv(net, x, channels(x) >> 1, 1, 1, option)];
  for (let index = 0; index < 3; index += 1) parts.push(maxPool(net, maxPool(net, parts.at(-1) ?? x, 3, 1), 3, 1));
  return conv(net, cat(net, parts), out, 1, 1, option);
}

function heads(net: Net, stem: Feature, three: (x: Feature, out: number) => Feature, m: Member): Feature[] {
  const twice = (): Feature => three(three(stem, channels(stem)), channels(stem));
  const [classes, boxes] = [twice(), twice()];
  const last = (x: Feature, out: number): Feature => conv(net, x, out, 1, 1, { act: "none" });
  if (m.ti) {
    const points = m.pose ? [last(twice(), 51)] : [];
    return [cat(net, [last(boxes, 4), last(boxes, 1), last(classes, m.pose ? 1 : 80), ...points])];
  }
  return [last(boxes, 4), act(net, last(boxes, 1), "sigmoid"), act(net, last(classes, 80), "sigmoid")];
}

const known = (
  id: keyof typeof members,
  name: string,
  side: number,
  published: readonly Published[],
  aliases: readonly string[] = [],
): KnownModel => ({
  id,
  name,
  aliases,
  family: "YOLOX",
  task: "detection",
  input: [3, side, side],
  published,
  source: "arXiv 2107.08430; github.com/Megvii-BaseDetection/YOLOX exps/default",
  build: (options) => build(id, side, options),
});

const table = (gops: number, millions: number): Published =>
  own("github.com/Megvii-BaseDetection/YOLOX README.md", gops, millions);

const zoo = (gmacs: number, task = "detection"): Published =>
  own(
    `github.com/TexasInstruments/edgeai-tensorlab@f272548 edgeai-modelzoo/models/vision/${task}/readme.md`,
    2 * gmacs,
    undefined,
  );

export default [
  known("yolox_nano", "YOLOX-nano", 416, [
    within(table(1.08, 0.91), 0.04, "counts batch normalisations, which are folded"),
  ]),
  known("yolox_tiny", "YOLOX-tiny", 416, [table(6.45, 5.06)]),
  known("yolox_s", "YOLOX-s", 640, [table(26.8, 9), aiHub("yolox", 8.98)], ["YOLOX-Small"]),
  known("yolox_s_leaky", "YOLOX-s leaky", 640, [hailo("object_detection", 26.74, 8.96)]),
  known("yolox_s_wide_leaky", "YOLOX-s wide leaky", 640, [hailo("object_detection", 59.46, 20.12)]),
  known("yolox_l_leaky", "YOLOX-l leaky", 640, [hailo("object_detection", 155.3, 54.17)]),
  known("yolox_m", "YOLOX-m", 640, [table(73.8, 25.3)]),
  known("yolox_l", "YOLOX-l", 640, [table(155.6, 54.2)]),
  known("yolox_x", "YOLOX-x", 640, [table(281.9, 99.1)]),
  known("yolox_nano_lite", "YOLOX-nano-lite (TI)", 416, [zoo(1.476)], ["yolox-nano-lite"]),
  known("yolox_tiny_lite", "YOLOX-tiny-lite (TI)", 416, [zoo(3.24)], ["yolox-tiny-lite"]),
  known("yolox_s_lite", "YOLOX-s-lite (TI)", 640, [zoo(13.43)], ["yolox-s-lite", "yolox_s_ti_lite"]),
  {
    ...known(
      "yolox_s_pose_ti_lite",
      "YOLOX-s-pose-lite (TI)",
      640,
      [zoo(15.88, "keypoint")],
      ["yolox_s_pose_lite", "yolox_s_keypoint"],
    ),
    task: "pose",
  },
  known("yolox_m_lite", "YOLOX-m-lite (TI)", 640, [zoo(36.9)], ["yolox-m-lite"]),
] satisfies readonly KnownModel[];
