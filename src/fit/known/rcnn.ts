/**
 * Faster R-CNN on ResNet-50 up to its fourth stage: what may be something, and what each of it is. arXiv 1506.01497, 1703.06870 section
 * 3.1; github.com/facebookresearch/detectron2 configs/COCO-Detection/faster_rcnn_R_50_C4_1x.yaml.
 */

import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, within } from "../parts/published.ts";
import { bottlenecks } from "./resnet.ts";

const ANCHORS = 15;
const PROPOSALS = 200;
const CLASSES = 80;

/** Features of a sixteenth of the sizes. */
function trunk(net: Layers, x: Value): Value {
  const stem = net.conv(x, 64, { kernel: 7, stride: 2, pad: 3, act: "relu" });
  const pooled = net.maxPool(stem, { kernel: 3, stride: 2, pad: 1 });
  return [3, 4, 6].reduce(
    (y, count, stage) => bottlenecks(net, y, 64 * 2 ** stage, count, stage > 0 ? 2 : 1, "1x1"),
    pooled,
  );
}

/** Whether and where at each anchor; boxes from differences: a few operators over all of them. */
function proposed(net: Layers, features: Value): Value[] {
  const n = at(features.shape, 0);
  const y = net.conv(features, 1024, { kernel: 3, act: "relu" });
  const all = ANCHORS * at(y.shape, 2) * at(y.shape, 3);
  const scores = net.reshape(net.tokens(net.conv(y, ANCHORS)), [n, all]);
  const told = net.reshape(net.tokens(net.conv(y, 4 * ANCHORS)), [n, all, 4]);
  const [moved, grown] = net.split(told, 2, 2) as [Value, Value];
  const centre = net.add(net.mul(moved, net.weight([1, all, 2], "sizes")), net.weight([1, all, 2], "centres"));
  const half = net.scale(net.mul(net.unary(grown, "exp"), net.weight([1, all, 2], "sizes")));
  return [net.concat([net.sub(centre, half), net.add(centre, half)], 2), scores];
}

/** 14x14 of each box through the last stage: its class, and where it is of each class. */
function judged(net: Layers, features: Value, boxes: Value): Value[] {
  const width = at(features.shape, 1);
  const shape = [PROPOSALS, width, 14, 14];
  // TFLite has no operator for it: one place of each bin stands for all.
  const [looked = features] = net.other(
    ["RoiAlign", "GATHER"],
    [features, boxes, ...(net.dialect === "tflite" ? [] : [net.weight([PROPOSALS], "batch_indices")])],
    [shape],
    {},
    true,
  );
  const mean = net.flatten(net.globalPool(bottlenecks(net, looked, 512, 3, 2, "1x1")));
  return [net.softmax(net.fc(mean, CLASSES + 1)), net.fc(mean, 4 * CLASSES)];
}

const config = "github.com/facebookresearch/detectron2 configs/COCO-Detection/faster_rcnn_R_50_C4_1x.yaml";
const part = (what: string, share: number): KnownModel["published"] => [
  within(aiHub("detectron2_detection", 33.8), share, `of both parts; here ${what}`),
];
const boxesOf = (net: Layers): Value => net.inputOf([PROPOSALS, 4], "proposals_boxes");

export default [
  makeKnown({
    id: "faster_rcnn_r50_c4",
    name: "Faster R-CNN R50-C4, proposals and boxes",
    aliases: ["faster_rcnn_R_50_C4_1x", "detectron2_detection"],
    family: "Faster R-CNN",
    task: "detection",
    input: 800,
    published: [aiHub("detectron2_detection", 33.8)],
    source: `arXiv 1506.01497, 1703.06870; ${config}`,
    layers: (net, x) => {
      const features = trunk(net, x);
      return [...proposed(net, features), ...judged(net, features, boxesOf(net))];
    },
  }),
  makeKnown({
    id: "faster_rcnn_r50_c4_proposals",
    name: "Faster R-CNN R50-C4, proposals",
    aliases: ["detectron2_detection / Detectron2ProposalGenerator"],
    family: "Faster R-CNN",
    task: "detection",
    input: 800,
    published: part("trunk and proposals", 0.48),
    source: `arXiv 1506.01497; ${config}`,
    layers: (net, x) => proposed(net, trunk(net, x)),
  }),
  makeKnown({
    id: "faster_rcnn_r50_c4_boxes",
    name: "Faster R-CNN R50-C4, boxes of two hundred proposals",
    aliases: ["detectron2_detection / Detectron2ROIHead"],
    family: "Faster R-CNN",
    task: "detection",
    input: [1024, 50, 50],
    published: part("the last stage and its answers", 0.55),
    source: `arXiv 1703.06870 section 3.1; ${config}`,
    layers: (net, x) => judged(net, x, boxesOf(net)),
  }),
] satisfies readonly KnownModel[];
