/** YOLO11: C3k2 blocks, attention on the coarsest feature, a class branch of depthwise convolutions. ultralytics/cfg/models/11/yolo11*.yaml. */

import type { BuildOptions, KnownModel, Published } from "../known.ts";
import { Layers } from "../layers.ts";
import type { Model } from "../../model/graph.ts";
import { conv, type Feature, type Net } from "../parts/blocks.ts";
import { pan } from "../parts/pan.ts";
import { hailo, rdk, ultralytics, within } from "../parts/published.ts";
import { c2f, c2psa, c3k2, classify, head, repeats, scaled, sppf, type Head, type Scale } from "../parts/yolo.ts";

const source = "github.com/ultralytics/ultralytics ultralytics/cfg/models/11/yolo11.yaml";

/** From m on every block is made of small CSP blocks. */
const scales = {
  n: { depth: 0.5, width: 0.25, most: 1024, csp: false },
  s: { depth: 0.5, width: 0.5, most: 1024, csp: false },
  m: { depth: 0.5, width: 1, most: 512, csp: true },
  l: { depth: 1, width: 1, most: 512, csp: true },
  x: { depth: 1, width: 1.5, most: 512, csp: true },
} as const satisfies Record<string, Scale & { readonly csp: boolean }>;

type Size = keyof typeof scales;

function backbone(net: Net, input: Feature, s: (typeof scales)[Size]): [Feature, Feature, Feature] {
  const stage = (x: Feature, down: number, width: number, csp: boolean, share: number): Feature =>
    c2f(net, conv(net, x, scaled(s, down), 3, 2), scaled(s, width), repeats(s, 2), c3k2(net, csp || s.csp), share);
  const p2 = stage(conv(net, input, scaled(s, 64), 3, 2), 128, 256, false, 0.25);
  const p3 = stage(p2, 256, 512, false, 0.25);
  const p4 = stage(p3, 512, 512, true, 0.5);
  return [p3, p4, stage(p4, 1024, 1024, true, 0.5)];
}

function detector(id: string, s: (typeof scales)[Size], how: Head, options: BuildOptions): Model {
  const net = new Layers(id, options);
  const [p3, p4, p5] = backbone(net, net.input(options.input ?? [3, 640, 640]), s);
  const block =
    (width: number, csp = false) =>
    (x: Feature) =>
      c2f(net, x, scaled(s, width), repeats(s, 2), c3k2(net, csp || s.csp));
  const down = (width: number) => (x: Feature) => conv(net, x, scaled(s, width), 3, 2);
  const attended = c2psa(net, sppf(net, p5, scaled(s, 1024)), repeats(s, 2));
  const features = pan(net, [p3, p4, attended], {
    blocks: [block(512), block(256), block(512), block(1024, true)],
    down: [down(256), down(512)],
  });
  return net.finish(...head(net, features, { ...how, prototypes: scaled(s, 256) }));
}

const heads = {
  "": { task: "detection", kind: "11", classes: 80 },
  _seg: { task: "segmentation", kind: "11", classes: 80, masks: true },
  _pose: { task: "pose", kind: "11", classes: 1, extra: 51 },
} as const satisfies Record<string, Head & { readonly task: KnownModel["task"] }>;

/** Qualcomm AI Hub has the smallest of each. */
const hub = {
  "": ["yolov11_det", "YOLOv11-Detection", "yolov11_det / YOLOv11-Detection"],
  _seg: ["yolov11_seg", "YOLOv11-Segmentation", "yolov11_seg / YOLOv11-Segmentation"],
  _pose: [],
} as const satisfies Record<keyof typeof heads, readonly string[]>;

function known(size: Size, kind: keyof typeof heads, published: readonly Published[]): KnownModel {
  const { task, ...how } = heads[kind];
  const id = `yolo11${size}${kind}`;
  return {
    id,
    name: `YOLO11${size}${kind.replace("_", "-")}`,
    aliases: [`yolov11${size}${kind}`, ...(size === "n" ? hub[kind] : [])],
    family: "YOLO11",
    task,
    input: [3, 640, 640],
    published,
    source,
    build: (options) => detector(id, scales[size], how, options),
  };
}

function classifier(size: Size, published: readonly Published[]): KnownModel {
  const id = `yolo11${size}_cls`;
  return {
    id,
    name: `YOLO11${size}-cls`,
    aliases: [`yolov11${size}_cls`],
    family: "YOLO11",
    task: "classification",
    input: [3, 224, 224],
    published,
    source: "github.com/ultralytics/ultralytics ultralytics/cfg/models/11/yolo11-cls.yaml",
    build: (options) => {
      const net = new Layers(id, options);
      const [, , last] = backbone(net, net.input(options.input ?? [3, 224, 224]), scales[size]);
      return net.finish(classify(net, c2psa(net, last, repeats(scales[size], 2))));
    },
  };
}

const at640 = (published: Published, share = 0.02): Published => ({
  ...published,
  input: [3, 640, 640],
  within: { share, because: "counts the last matrix 400 times: operations of a 32x32 picture scaled to 640x640" },
});
const transposed = "counts the 2x2 transposed convolution by its outputs, four times what it computes";

export default [
  known("n", "", [rdk(6.5, 2.6), hailo("object_detection", 6.55, 2.6)]),
  known("s", "", [hailo("object_detection", 21.6, 9.4)]),
  known("m", "", [rdk(68, 20.1), hailo("object_detection", 68.1, 20.1)]),
  known("l", "", [rdk(86.9, 25.3), hailo("object_detection", 87.17, 25.3)]),
  known("x", "", [hailo("object_detection", 195.29, 56.9)]),
  known("n", "_seg", [within(rdk(10.4, 2.9), 0.07, transposed)]),
  known("s", "_seg", [within(rdk(35.5, 10.1), 0.08, transposed)]),
  known("m", "_seg", [within(rdk(123.3, 22.4), 0.09, transposed)]),
  known("l", "_seg", [within(rdk(142.2, 27.6), 0.08, transposed)]),
  known("n", "_pose", [rdk(7.6, 2.9)]),
  known("s", "_pose", [rdk(23.2, 9.9)]),
  known("m", "_pose", [rdk(71.7, 20.9)]),
  known("l", "_pose", [rdk(90.7, 26.2)]),
  known("x", "_pose", [rdk(203.3, 58.8)]),
  classifier("n", [at640(rdk(4.2, 2.8), 0.24)]),
  classifier("s", [
    {
      ...at640(ultralytics("8.3.40", 12.1, 5.5), 0.23),
      within: { share: 0.23, because: "counts 80 classes in place of 1000" },
    },
  ]),
  classifier("m", [at640(rdk(40.3, 11.6), 0.03)]),
  classifier("l", [at640(rdk(50.4, 14.1))]),
  classifier("x", [at640(rdk(111.3, 29.6))]),
] satisfies readonly KnownModel[];
