/** YOLOv8: C2f blocks, path aggregation, decoupled head. ultralytics/cfg/models/v8/yolov8*.yaml in github.com/ultralytics/ultralytics. */

import type { BuildOptions, KnownModel, Published } from "../known.ts";
import { Layers } from "../layers.ts";
import type { Model } from "../../model/graph.ts";
import { conv, type Feature, type Net } from "../parts/blocks.ts";
import { pan } from "../parts/pan.ts";
import { aiHub, hailo, rdk, ultralytics, within } from "../parts/published.ts";
import { c2f, classify, head, plain, repeats, scaled, sppf, type Head, type Scale } from "../parts/yolo.ts";

const source = "github.com/ultralytics/ultralytics ultralytics/cfg/models/v8/yolov8.yaml";

const scales = {
  n: { depth: 0.33, width: 0.25, most: 1024 },
  s: { depth: 0.33, width: 0.5, most: 1024 },
  m: { depth: 0.67, width: 0.75, most: 768 },
  l: { depth: 1, width: 1, most: 512 },
  x: { depth: 1, width: 1.25, most: 512 },
} as const satisfies Record<string, Scale>;

type Size = keyof typeof scales;

/** Four stages; the last three are what heads look at. */
function backbone(net: Net, input: Feature, s: Scale): [Feature, Feature, Feature] {
  const stage = (x: Feature, width: number, count: number): Feature =>
    c2f(net, conv(net, x, scaled(s, width), 3, 2), scaled(s, width), repeats(s, count), plain(net, true));
  const p2 = stage(conv(net, input, scaled(s, 64), 3, 2), 128, 3);
  const p3 = stage(p2, 256, 6);
  const p4 = stage(p3, 512, 6);
  return [p3, p4, stage(p4, 1024, 3)];
}

function detector(id: string, s: Scale, how: Head, options: BuildOptions): Model {
  const net = new Layers(id, options);
  const [p3, p4, p5] = backbone(net, net.input(options.input ?? [3, 640, 640]), s);
  const block = (width: number) => (x: Feature) => c2f(net, x, scaled(s, width), repeats(s, 3), plain(net, false));
  const down = (width: number) => (x: Feature) => conv(net, x, scaled(s, width), 3, 2);
  const features = pan(net, [p3, p4, sppf(net, p5, scaled(s, 1024))], {
    blocks: [block(512), block(256), block(512), block(1024)],
    down: [down(256), down(512)],
  });
  return net.finish(...head(net, features, { ...how, prototypes: scaled(s, 256) }));
}

const heads = {
  "": { task: "detection", kind: "v8", classes: 80 },
  _seg: { task: "segmentation", kind: "v8", classes: 80, masks: true },
  _pose: { task: "pose", kind: "v8", classes: 1, extra: 51 },
  _obb: { task: "detection", kind: "v8", classes: 15, extra: 1 },
} as const satisfies Record<string, Head & { readonly task: KnownModel["task"] }>;

function known(
  size: Size,
  kind: keyof typeof heads,
  published: readonly Published[],
  aliases: readonly string[] = [],
): KnownModel {
  const { task, ...how } = heads[kind];
  const id = `yolov8${size}${kind}`;
  return {
    id,
    name: `YOLOv8${size}${kind.replace("_", "-")}`,
    aliases,
    family: "YOLOv8",
    task,
    input: [3, 640, 640],
    published,
    source,
    build: (options) => detector(id, scales[size], how, options),
  };
}

function classifier(size: Size, published: readonly Published[]): KnownModel {
  const id = `yolov8${size}_cls`;
  const scale: Scale = { ...scales[size], most: 1024 };
  return {
    id,
    name: `YOLOv8${size}-cls`,
    aliases: [],
    family: "YOLOv8",
    task: "classification",
    input: [3, 224, 224],
    published,
    source: "github.com/ultralytics/ultralytics ultralytics/cfg/models/v8/yolov8-cls.yaml",
    build: (options) => {
      const net = new Layers(id, options);
      const [, , last] = backbone(net, net.input(options.input ?? [3, 224, 224]), scale);
      return net.finish(classify(net, last));
    },
  };
}

/** The table gives operations at 640x640 with the classifier's matrix scaled along: 400 times what it is. */
const at640 = (published: Published, share = 0.02): Published => ({
  ...published,
  input: [3, 640, 640],
  within: { share, because: "counts the last matrix 400 times: operations of a 32x32 picture scaled to 640x640" },
});
const transposed = "counts the 2x2 transposed convolution by its outputs, four times what it computes";

export default [
  known("n", "", [ultralytics("8.2.92", 8.7, 3.2), aiHub("yolov8_det", 3.18)], ["YoloV8n 640"]),
  known("s", "", [rdk(28.6, 11.2), hailo("object_detection", 28.6, 11.2)], ["yolov8s_bbox_decoding_only"]),
  known("m", "", [rdk(78.9, 25.9), hailo("object_detection", 78.93, 25.9)]),
  known("l", "", [hailo("object_detection", 165.3, 43.7)]),
  known("x", "", [rdk(257.8, 68.2), hailo("object_detection", 258, 68.2)]),
  known(
    "n",
    "_seg",
    [hailo("instance_segmentation", 12.04, 3.4)],
    ["yolov8_seg", "YOLOv8-Segmentation", "yolov8_seg / YOLOv8-Segmentation"],
  ),
  known("m", "_seg", [within(hailo("instance_segmentation", 110.2, 27.3), 0.06, transposed)]),
  known("l", "_seg", [within(rdk(220.5, 46), 0.06, transposed)]),
  known("n", "_pose", [rdk(9.2, 3.3)]),
  known("s", "_pose", [rdk(30.2, 11.6), hailo("pose_estimation", 30.2, 11.6)]),
  known("m", "_pose", [rdk(81, 26.4), hailo("pose_estimation", 81.02, 26.4)]),
  known("l", "_pose", [rdk(168.6, 44.4)]),
  known("x", "_pose", [ultralytics("8.2.92", 263.2, 69.4)]),
  known("s", "_seg", [within(ultralytics("8.2.92", 42.6, 11.8), 0.07, transposed)], ["fast_sam_s", "FastSAM-S"]),
  known(
    "x",
    "_seg",
    [within(ultralytics("8.2.92", 344.1, 71.8), 0.06, transposed), aiHub("fastsam_x", 72.2)],
    ["FastSam-X"],
  ),
  known("n", "_obb", [ultralytics("8.2.92", undefined, 3.1)]),
  classifier("n", [at640(rdk(4.3, 2.7), 0.24)]),
  classifier("s", [at640(rdk(13.5, 6.4), 0.08)]),
  classifier("m", [at640(rdk(42.7, 17), 0.03)]),
  classifier("l", [at640(rdk(99.7, 37.5))]),
  classifier("x", [at640(rdk(154.8, 57.4))]),
] satisfies readonly KnownModel[];
