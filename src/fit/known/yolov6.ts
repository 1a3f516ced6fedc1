/** YOLOv6: plain re-parameterised convolutions, as deployed. github.com/meituan/YOLOv6 configs/ (release 0.4, and 0.1 for n). arXiv 2209.02976. */

import type { BuildOptions, KnownModel, Published } from "../known.ts";
import { Layers } from "../layers.ts";
import type { Model } from "../../model/graph.ts";
import { act, add, cat, conv, deconv, maxPool, type Feature, type Net } from "../parts/blocks.ts";
import { aiHub, hailo, own } from "../parts/published.ts";
import { by8, sppf } from "../parts/yolo.ts";

interface Member {
  readonly depth: number;
  readonly width: number;
  /** Share of a stage that its CSP block has; plain stacks without. */
  readonly csp?: number;
  /** Distances as 17 bins. */
  readonly bins?: true;
  /** The neck of release 0.1 takes two features where later ones take three, and its head tells objectness. */
  readonly first?: true;
}

const members = {
  yolov6n: { depth: 0.33, width: 0.25 },
  yolov6s: { depth: 0.33, width: 0.5 },
  yolov6m: { depth: 0.6, width: 0.75, csp: 2 / 3, bins: true },
  yolov6n_v1: { depth: 0.33, width: 0.25, first: true },
} as const satisfies Record<string, Member>;

const relu = { act: "relu" } as const;

function stack(net: Net, m: Member, x: Feature, out: number, count: number): Feature {
  let y = x;
  if (m.csp === undefined) {
    for (let index = 0; index < count; index += 1) y = conv(net, y, out, 3, 1, relu);
    return y;
  }
  const inner = Math.floor(out * m.csp);
  y = conv(net, x, inner, 1, 1, relu);
  for (let index = 0; index < count >> 1; index += 1)
    y = add(net, conv(net, conv(net, y, inner, 3, 1, relu), inner, 3, 1, relu), y);
  return conv(net, cat(net, [y, conv(net, x, inner, 1, 1, relu)]), out, 1, 1, relu);
}

/** Pooling pyramid within a CSP block. */
function cspPool(net: Net, x: Feature, out: number): Feature {
  const half = out >> 1;
  const one = conv(net, conv(net, conv(net, x, half, 1, 1, relu), half, 3, 1, relu), half, 1, 1, relu);
  const parts = [one];
  for (let index = 0; index < 3; index += 1) parts.push(maxPool(net, parts.at(-1) ?? one, 5, 1));
  const pooled = conv(net, conv(net, cat(net, parts), half, 1, 1, relu), half, 3, 1, relu);
  return conv(net, cat(net, [conv(net, x, half, 1, 1, relu), pooled]), out, 1, 1, relu);
}

function build(id: keyof typeof members, options: BuildOptions): Model {
  const m: Member = members[id];
  const net = new Layers(id, options);
  const wide = (width: number): number => by8(width * m.width);
  const deep = (count: number): number => Math.max(Math.round(count * m.depth), 1);
  const stage = (x: Feature, width: number, count: number): Feature =>
    stack(net, m, conv(net, x, wide(width), 3, 2, relu), wide(width), deep(count));
  const p2 = stage(conv(net, net.input(options.input ?? [3, 640, 640]), wide(64), 3, 2, relu), 128, 6);
  const p3 = stage(p2, 256, 12);
  const p4 = stage(p3, 512, 18);
  const last = stage(p4, 1024, 6);
  const p5 = m.csp === undefined && !m.first ? cspPool(net, last, wide(1024)) : sppf(net, last, wide(1024), relu);

  const join = (coarse: Feature, own: Feature, finer: Feature, width: number): Feature => {
    const larger = deconv(net, coarse, width, 2, 2, { act: "none" });
    if (m.first) return cat(net, [larger, own]);
    const down = conv(net, conv(net, finer, width, 1, 1, relu), width, 3, 2, relu);
    return conv(net, cat(net, [larger, conv(net, own, width, 1, 1, relu), down]), width, 1, 1, relu);
  };
  const coarse = conv(net, p5, wide(256), 1, 1, relu);
  const middle = stack(net, m, join(coarse, p4, p3, wide(256)), wide(256), deep(12));
  const narrow = conv(net, middle, wide(128), 1, 1, relu);
  const fine = stack(net, m, join(narrow, p3, p2, wide(128)), wide(128), deep(12));
  const again = stack(net, m, cat(net, [conv(net, fine, wide(128), 3, 2, relu), narrow]), wide(256), deep(12));
  const last5 = stack(net, m, cat(net, [conv(net, again, wide(256), 3, 2, relu), coarse]), wide(512), deep(12));
  return net.finish(
    ...[fine, again, last5].flatMap((x, level) => heads(net, m, x, wide([128, 256, 512][level] ?? 512))),
  );
}

function heads(net: Net, m: Member, x: Feature, width: number): Feature[] {
  const stem = conv(net, x, width, 1);
  const classes = conv(net, conv(net, stem, width, 3), 80, 1, 1, { act: "none" });
  const boxes = conv(net, stem, width, 3);
  const objects = m.first ? [act(net, conv(net, boxes, 1, 1, 1, { act: "none" }), "sigmoid")] : [];
  return [act(net, classes, "sigmoid"), conv(net, boxes, m.bins ? 68 : 4, 1, 1, { act: "none" }), ...objects];
}

const known = (id: keyof typeof members, name: string, published: readonly Published[]): KnownModel => ({
  id,
  name,
  aliases: id === "yolov6n_v1" ? ["yolov6n_0.2.1", "yolov6n_0.2.1_nms_core"] : [],
  family: "YOLOv6",
  task: "detection",
  input: [3, 640, 640],
  published,
  source: "github.com/meituan/YOLOv6 configs/; arXiv 2209.02976",
  build: (options) => build(id, options),
});

const table = (gops: number, millions: number): Published =>
  own("github.com/meituan/YOLOv6 0.4.0 README.md", gops, millions);

export default [
  known("yolov6n", "YOLOv6n", [table(11.4, 4.7), aiHub("yolov6", 4.68)]),
  known("yolov6s", "YOLOv6s", [table(45.3, 18.5)]),
  known("yolov6m", "YOLOv6m", [table(85.8, 34.9)]),
  known("yolov6n_v1", "YOLOv6n release 0.1", [hailo("object_detection", 11.12, 4.32)]),
] satisfies readonly KnownModel[];
