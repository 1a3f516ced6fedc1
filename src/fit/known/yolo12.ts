/** YOLO12: attention within strips of the picture instead of convolutions at the two coarsest sizes. arXiv 2502.12524. */

import type { BuildOptions, KnownModel, Published } from "../known.ts";
import { Layers } from "../layers.ts";
import type { Model } from "../../model/graph.ts";
import { conv, type Feature } from "../parts/blocks.ts";
import { pan } from "../parts/pan.ts";
import { hailo, rdk, within } from "../parts/published.ts";
import { a2c2f, c2f, c3k2, head, repeats, scaled, type Scale } from "../parts/yolo.ts";

const source = "github.com/ultralytics/ultralytics ultralytics/cfg/models/12/yolo12.yaml; arXiv 2502.12524";

/** The two largest have a residual around each stage and narrower inner layers. */
const scales = {
  n: { depth: 0.5, width: 0.25, most: 1024, csp: false, large: false },
  s: { depth: 0.5, width: 0.5, most: 1024, csp: false, large: false },
  m: { depth: 0.5, width: 1, most: 512, csp: true, large: false },
  l: { depth: 1, width: 1, most: 512, csp: true, large: true },
  x: { depth: 1, width: 1.5, most: 512, csp: true, large: true },
} as const satisfies Record<string, Scale & { readonly csp: boolean; readonly large: boolean }>;

type Size = keyof typeof scales;

function build(size: Size, options: BuildOptions): Model {
  const s = scales[size];
  const net = new Layers(`yolo12${size}`, options);
  const down = (x: Feature, width: number): Feature => conv(net, x, scaled(s, width), 3, 2);
  const csp = (x: Feature, width: number, deep: boolean, share: number): Feature =>
    c2f(net, x, scaled(s, width), repeats(s, 2), c3k2(net, deep || s.csp), share);
  const attention = (x: Feature, width: number, count: number, areas?: number): Feature =>
    a2c2f(net, x, scaled(s, width), repeats(s, count), {
      ...(areas === undefined ? {} : { areas }),
      ratio: s.large ? 1.2 : 2,
      residual: s.large,
    });
  const p1 = down(net.input(options.input ?? [3, 640, 640]), 64);
  const p2 = csp(down(p1, 128), 256, false, 0.25);
  const p3 = csp(down(p2, 256), 512, false, 0.25);
  const p4 = attention(down(p3, 512), 512, 4, 4);
  const p5 = attention(down(p4, 1024), 1024, 4, 1);
  const features = pan(net, [p3, p4, p5], {
    blocks: [
      (x) => attention(x, 512, 2),
      (x) => attention(x, 256, 2),
      (x) => attention(x, 512, 2),
      (x) => csp(x, 1024, true, 0.5),
    ],
    down: [(x) => down(x, 256), (x) => down(x, 512)],
  });
  return net.finish(...head(net, features, { kind: "11", classes: 80 }));
}

const known = (size: Size, published: readonly Published[]): KnownModel => ({
  id: `yolo12${size}`,
  name: `YOLO12${size}`,
  aliases: [`yolov12${size}`],
  family: "YOLO12",
  task: "detection",
  input: [3, 640, 640],
  published,
  source,
  build: (options) => build(size, options),
});

const without = (published: Published): Published => within(published, 0.1, "leaves out the products of attention");

export default [
  known("n", [hailo("object_detection", 7.5, 2.6)]),
  known("s", [without(rdk(21.4, 9.3))]),
  known("m", [without(rdk(67.5, 20.2))]),
  known("l", [without(rdk(88.9, 26.4))]),
  known("x", [without(rdk(199, 59.1))]),
] satisfies readonly KnownModel[];
