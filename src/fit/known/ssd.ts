/**
 * Single-shot detectors on small trunks: SSD and SSDLite on MobileNets as TensorFlow's detection API builds them (arXiv 1512.02325,
 * 1801.04381 section 6.2), EfficientDet-Lite (1911.09070; google/automl efficientdet).
 */

import { separable } from "../blocks.ts";
import type { KnownModel, Published } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo } from "../parts/published.ts";
import { expanded } from "../parts/mobilenet-v2.ts";
import { liteTrunk } from "./efficientnet.ts";
import { mobilenetV1 } from "./mobilenet.ts";

interface Ssd {
  /** Channels of the four layers behind the trunk, before narrowing by their 1x1 to half. */
  readonly extra: readonly number[];
  /** Depthwise and 1x1 in place of 3x3 behind the trunk and in the predictors. */
  readonly lite: boolean;
  /** Kernel of the predictors that are not lite; 1 when absent. */
  readonly kernel?: 3;
}

/** Six sizes: two of the trunk, four behind it; three anchors on the finest, six on the others, 91 classes. */
function ssd(net: Layers, trunk: readonly [Value, Value], how: Ssd): Value[] {
  const levels: Value[] = [...trunk];
  for (const out of how.extra) {
    const narrow = net.conv(levels.at(-1) ?? trunk[1], out / 2, { act: "relu6" });
    levels.push(
      how.lite
        ? separable(net, narrow, out, { stride: 2, act: "relu6" })
        : net.conv(narrow, out, { kernel: 3, stride: 2, act: "relu6" }),
    );
  }
  const predict = (x: Value, out: number): Value =>
    net.conv(how.lite ? net.depthwise(x, { act: "relu6" }) : x, out, { kernel: how.kernel ?? 1 });
  return levels.flatMap((x, level) => {
    const anchors = level === 0 ? 3 : 6;
    return [predict(x, anchors * 4), net.activate(predict(x, anchors * 91), "sigmoid")];
  });
}

const tail = [512, 256, 256, 128] as const;

/** What the block that halves to 10x10 expands to, and the last 1x1. */
function second(net: Layers, x: Value): readonly [Value, Value] {
  const { inner, outputs } = expanded(net, x, { alpha: 1, stride: 32 });
  return [inner[13] ?? x, net.conv(outputs[16] ?? x, 1280, { act: "relu6" })];
}

/** Weighted sum without weights, activated, filtered: a node of the feature network. */
function node(net: Layers, parts: readonly Value[], width: number): Value {
  const [first, ...others] = parts;
  const sum = others.reduce((all, part) => net.add(all, part), first as Value);
  return separable(net, net.activate(sum, "relu6"), width, {});
}

interface Lite {
  readonly trunk: 0 | 1 | 2;
  readonly width: number;
  readonly cells: number;
  readonly deep: number;
}

/** Features of five sizes go down and up again `cells` times; the first time the trunk's are narrowed for each use apart. */
function bifpn(net: Layers, trunk: readonly [Value, Value, Value], how: Lite): Value[] {
  const narrow = (x: Value): Value => (at(x.shape, 1) === how.width ? x : net.conv(x, how.width));
  const halve = (x: Value): Value => net.maxPool(x, { kernel: 3, stride: 2, pad: "same" });
  const p6 = halve(narrow(trunk[2]));
  let levels: Value[] = [...trunk, p6, halve(p6)];
  for (let cell = 0; cell < how.cells; cell += 1) {
    const down = [levels[4] as Value];
    for (let level = 3; level >= 0; level -= 1) {
      const own = narrow(levels[level] as Value);
      down.unshift(node(net, [own, net.resize(down[0] as Value, own.shape.slice(2))], how.width));
    }
    const out = [down[0] as Value];
    for (let level = 1; level <= 4; level += 1) {
      const before = halve(out.at(-1) as Value);
      const own = narrow(levels[level] as Value);
      out.push(node(net, level === 4 ? [own, before] : [own, down[level] as Value, before], how.width));
    }
    levels = out;
  }
  return levels;
}

/** Depthwise and 1x1 throughout, for 90 classes and nine anchors. What is trained as one for all sizes is normalised apart, and so apart. */
function liteHeads(net: Layers, levels: readonly Value[], how: Lite): Value[] {
  const run = (x: Value, out: number): Value => {
    let y = x;
    for (let index = 0; index < how.deep; index += 1) y = net.conv(net.depthwise(y), how.width, { act: "relu6" });
    return net.conv(net.depthwise(y), out);
  };
  return levels.flatMap((x) => [run(x, 36), net.activate(run(x, 810), "sigmoid")]);
}

const efficientDet = (how: Lite, side: number, published: Published): KnownModel =>
  makeKnown({
    id: `efficientdet_lite${how.trunk}`,
    name: `EfficientDet-Lite${how.trunk}`,
    family: "EfficientDet",
    task: "detection",
    input: side,
    published: [published],
    source: "arXiv 1911.09070 table 1; github.com/google/automl efficientdet README",
    layers: (net, x) => {
      const taps = liteTrunk(net, x, how.trunk);
      // The last of each size, finer than 1/8 apart.
      const sizes = [8, 16, 32].map(
        (by) => taps.filter((tap) => at(tap.shape, 2) === Math.ceil(at(x.shape, 2) / by)).at(-1) ?? x,
      );
      return liteHeads(net, bifpn(net, sizes as [Value, Value, Value], how), how);
    },
  });

const ssd1 = (alpha: number, published: readonly Published[], aliases: readonly string[]): KnownModel =>
  makeKnown({
    id: `ssd_mobilenet_v1${alpha === 1 ? "" : `_${alpha}`}`,
    name: `SSD MobileNet v1${alpha === 1 ? "" : ` ${alpha}`}`,
    aliases,
    family: "SSD",
    task: "detection",
    input: 300,
    published,
    source:
      "arXiv 1512.02325; github.com/tensorflow/models research/object_detection models/ssd_mobilenet_v1_feature_extractor.py",
    layers: (net, x) => {
      const taps = mobilenetV1(net, x, alpha);
      return ssd(net, [taps[11] ?? x, taps[13] ?? x], { extra: tail, lite: false });
    },
  });

export default [
  ssd1(1, [hailo("object_detection", 2.5, 6.79)], ["ssd mobilenet"]),
  makeKnown({
    id: "ssd_mobilenet_v2_quantized",
    name: "SSD MobileNet v2 quantized",
    aliases: ["MobileNet v2 SSD", "ssd_mobilenet_v2_coco_quant_postprocess"],
    family: "SSD",
    task: "detection",
    input: 300,
    published: [
      {
        parameters: 6_969_600,
        source:
          "github.com/google-coral/test_data@104342d pipeline/ssd_mobilenet_v2_coco_quant_postprocess_segment_{0,1}_of_2_edgetpu.tflite, bytes",
        within: { share: 0.15, because: "bytes of two compiled files, with instructions" },
      },
    ],
    source:
      "github.com/tensorflow/models research/object_detection models/ssd_mobilenet_v2_feature_extractor.py, predictors of 1x1",
    layers: (net, x) => ssd(net, second(net, x), { extra: tail, lite: false }),
  }),
  makeKnown({
    id: "ssd_mobilenet_v2_300",
    name: "SSD MobileNet v2 300 (MLPerf Mobile)",
    aliases: ["ssd_mobilenet_v2_300_float", "ssd_mobilenet_v2_coco_2018_03_29"],
    family: "SSD",
    task: "detection",
    input: 300,
    published: [
      {
        macs: 1.875e9,
        source:
          "github.com/TexasInstruments/edgeai-tensorlab@f272548 edgeai-modelzoo/models/vision/detection/readme.md",
      },
    ],
    source:
      "github.com/tensorflow/models research/object_detection models/ssd_mobilenet_v2_feature_extractor.py, predictors of 3x3",
    layers: (net, x) => ssd(net, second(net, x), { extra: tail, lite: false, kernel: 3 }),
  }),
  makeKnown({
    id: "ssd_mobilenet_v2",
    name: "SSD MobileNet v2",
    aliases: ["ssdlite mobilenet v2"],
    family: "SSD",
    task: "detection",
    input: 300,
    published: [hailo("object_detection", 1.52, 4.46)],
    source:
      "arXiv 1801.04381 section 6.2; github.com/tensorflow/models research/object_detection models/ssd_mobilenet_v2_feature_extractor.py",
    layers: (net, x) => ssd(net, second(net, x), { extra: tail, lite: true }),
  }),
  efficientDet({ trunk: 0, width: 64, cells: 3, deep: 3 }, 320, hailo("object_detection", 1.94, 3.56)),
  efficientDet({ trunk: 1, width: 88, cells: 4, deep: 3 }, 384, hailo("object_detection", 4, 4.73)),
  efficientDet({ trunk: 2, width: 112, cells: 5, deep: 3 }, 448, hailo("object_detection", 6.84, 5.93)),
] satisfies readonly KnownModel[];
