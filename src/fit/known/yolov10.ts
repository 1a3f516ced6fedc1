/** YOLOv10: C2f, compact inverted blocks where a stage has rank to spare, attention, one head of one box per object. arXiv 2405.14458. */

import type { BuildOptions, KnownModel, Published } from "../known.ts";
import { Layers } from "../layers.ts";
import type { Model } from "../../model/graph.ts";
import { conv, type Feature } from "../parts/blocks.ts";
import { pan } from "../parts/pan.ts";
import { hailo, rdk, within, yolov13 } from "../parts/published.ts";
import { c2f, c2psa, cib, head, plain, repeats, scaled, scDown, sppf, type Scale } from "../parts/yolo.ts";

const source = "github.com/ultralytics/ultralytics ultralytics/cfg/models/v10/yolov10*.yaml; arXiv 2405.14458";

/** Which blocks are compact inverted ones: "large" with the 7x7 kernel. p4, p5 of the backbone; middle, middle again, coarsest of the neck. */
type Compact = "large" | "small" | undefined;

interface Member extends Scale {
  readonly compact: readonly [p4: Compact, p5: Compact, middle: Compact, again: Compact, coarsest: Compact];
}

const scales = {
  n: { depth: 0.33, width: 0.25, most: 1024, compact: [undefined, undefined, undefined, undefined, "large"] },
  s: { depth: 0.33, width: 0.5, most: 1024, compact: [undefined, "large", undefined, undefined, "large"] },
  m: { depth: 0.67, width: 0.75, most: 768, compact: [undefined, "small", undefined, "small", "small"] },
  b: { depth: 0.67, width: 1, most: 512, compact: [undefined, "small", "small", "small", "small"] },
  l: { depth: 1, width: 1, most: 512, compact: [undefined, "small", "small", "small", "small"] },
  x: { depth: 1, width: 1.25, most: 512, compact: ["small", "small", "small", "small", "small"] },
} as const satisfies Record<string, Member>;

type Size = keyof typeof scales;

function build(size: Size, options: BuildOptions): Model {
  const s: Member = scales[size];
  const net = new Layers(`yolov10${size}`, options);
  const block = (x: Feature, width: number, count: number, shortcut: boolean, compact: Compact): Feature =>
    c2f(
      net,
      x,
      scaled(s, width),
      repeats(s, count),
      compact === undefined ? plain(net, shortcut) : cib(net, compact === "large"),
    );
  const down = (x: Feature, width: number): Feature => conv(net, x, scaled(s, width), 3, 2);
  const p1 = down(net.input(options.input ?? [3, 640, 640]), 64);
  const p2 = block(down(p1, 128), 128, 3, true, undefined);
  const p3 = block(down(p2, 256), 256, 6, true, undefined);
  const p4 = block(scDown(net, p3, scaled(s, 512)), 512, 6, true, s.compact[0]);
  const p5 = block(scDown(net, p4, scaled(s, 1024)), 1024, 3, true, s.compact[1]);
  const attended = c2psa(net, sppf(net, p5, scaled(s, 1024)), 1);
  const features = pan(net, [p3, p4, attended], {
    blocks: [
      (x) => block(x, 512, 3, false, s.compact[2]),
      (x) => block(x, 256, 3, false, undefined),
      (x) => block(x, 512, 3, false, s.compact[3]),
      (x) => block(x, 1024, 3, false, s.compact[4]),
    ],
    down: [(x) => down(x, 256), (x) => scDown(net, x, scaled(s, 512))],
  });
  return net.finish(...head(net, features, { kind: "11", classes: 80 }));
}

const known = (size: Size, published: readonly Published[]): KnownModel => ({
  id: `yolov10${size}`,
  name: `YOLOv10${size}`,
  aliases: size === "n" ? ["yolov10_det", "YOLOv10-Detection", "yolov10_det / YOLOv10-Detection"] : [], // what Qualcomm AI Hub has
  family: "YOLOv10",
  task: "detection",
  input: [3, 640, 640],
  published,
  source,
  build: (options) => build(size, options),
});

const training = "its parameters are those of training, with the second head";

export default [
  known("n", [rdk(6.7, 2.3), hailo("object_detection", 6.8, 2.3)]),
  known("s", [rdk(21.6, 7.2)]),
  known("m", [rdk(59.1, 15.4)]),
  known("b", [within(hailo("object_detection", 92.09, 20.15), 0.06, training)]),
  known("l", [yolov13(120.3, 24.4)]),
  known("x", [rdk(160.4, 29.5), within(hailo("object_detection", 160.56, 31.72), 0.08, training)]),
] satisfies readonly KnownModel[];
