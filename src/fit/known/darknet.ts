/** YOLOv3, its tiny form and YOLOv4-tiny, as Darknet's configurations have them. arXiv 1804.02767, 2011.08036; AlexeyAB/darknet cfg/. */

import type { KnownModel } from "../known.ts";
import { Layers } from "../layers.ts";
import { add, cat, channels, conv, maxPool, split, up, type Feature, type Net } from "../parts/blocks.ts";
import { hailo, within } from "../parts/published.ts";

const leaky = (net: Net, x: Feature, out: number, kernel = 3, stride = 1): Feature =>
  conv(net, x, out, kernel, stride, { act: "leaky" });
const predict = (net: Net, x: Feature): Feature => conv(net, x, 255, 1, 1, { act: "none" });

function darknet53(net: Net, input: Feature): Feature[] {
  const found: Feature[] = [];
  let x = leaky(net, input, 32);
  for (const [width, count] of [
    [64, 1],
    [128, 2],
    [256, 8],
    [512, 8],
    [1024, 4],
  ] as const) {
    x = leaky(net, x, width, 3, 2);
    for (let index = 0; index < count; index += 1) x = add(net, x, leaky(net, leaky(net, x, width / 2, 1), width));
    found.push(x);
  }
  return found;
}

function yolov3(net: Net, input: Feature): Feature[] {
  const [, , p3, p4, p5] = darknet53(net, input);
  const outputs: Feature[] = [];
  let carried: Feature | undefined;
  for (const [x, width] of [
    [p5, 512],
    [p4, 256],
    [p3, 128],
  ] as const) {
    if (x === undefined) continue;
    let y = carried === undefined ? x : cat(net, [up(net, leaky(net, carried, width, 1)), x]);
    for (const kernel of [1, 3, 1, 3, 1]) y = leaky(net, y, kernel === 1 ? width : 2 * width, kernel);
    carried = y;
    outputs.push(predict(net, leaky(net, y, 2 * width)));
  }
  return outputs;
}

function tiny3(net: Net, input: Feature): Feature[] {
  let x = input;
  let p4: Feature | undefined;
  for (const width of [16, 32, 64, 128, 256, 512]) {
    x = leaky(net, x, width);
    if (width === 256) p4 = x;
    x = maxPool(net, x, 2, width === 512 ? 1 : 2);
  }
  const coarse = leaky(net, leaky(net, x, 1024), 256, 1);
  const fine = up(net, leaky(net, coarse, 128, 1));
  return [
    predict(net, leaky(net, coarse, 512)),
    predict(net, leaky(net, p4 === undefined ? fine : cat(net, [fine, p4]), 256)),
  ];
}

/** CSP block over the second half of the channels; what its last convolution gives is kept for the finer head. */
function half(net: Net, x: Feature): { joined: Feature; kept: Feature } {
  const width = channels(x);
  const first = leaky(net, x, width);
  const [, second] = split(net, first, [width / 2, width / 2]);
  const one = leaky(net, second ?? first, width / 2);
  const kept = leaky(net, cat(net, [leaky(net, one, width / 2), one]), width, 1);
  return { joined: cat(net, [first, kept]), kept };
}

function tiny4(net: Net, input: Feature): Feature[] {
  let x = leaky(net, leaky(net, input, 32, 3, 2), 64, 3, 2);
  let p4 = x;
  for (let index = 0; index < 3; index += 1) {
    const { joined, kept } = half(net, x);
    p4 = kept;
    x = maxPool(net, joined, 2, 2);
  }
  const coarse = leaky(net, leaky(net, x, 512), 256, 1);
  const fine = cat(net, [up(net, leaky(net, coarse, 128, 1)), p4]);
  return [predict(net, leaky(net, coarse, 512)), predict(net, leaky(net, fine, 256))];
}

/** CSP stage: half of the channels pass by (in the first stage all of them). */
function cspStage(net: Net, x: Feature, width: number, count: number): Feature {
  const mish = (y: Feature, out: number, kernel = 1, stride = 1): Feature =>
    conv(net, y, out, kernel, stride, { act: "leaky" });
  const down = mish(x, width, 3, 2);
  const half = count === 1 ? width : width / 2;
  const kept = mish(down, half);
  let y = mish(down, half);
  for (let index = 0; index < count; index += 1)
    y = add(net, y, mish(mish(y, count === 1 ? width / 2 : half), half, 3));
  return mish(cat(net, [mish(y, half), kept]), width);
}

/** CSPDarknet53, pooling pyramid, path aggregation with five convolutions at each joining; leaky throughout, as Hailo has it. */
function yolov4(net: Net, input: Feature): Feature[] {
  let x = leaky(net, input, 32);
  const taps = (
    [
      [64, 1],
      [128, 2],
      [256, 8],
      [512, 8],
      [1024, 4],
    ] as const
  ).map(([width, count]) => (x = cspStage(net, x, width, count)));
  const five = (y: Feature, width: number): Feature =>
    [1, 3, 1, 3, 1].reduce((z, kernel) => leaky(net, z, kernel === 1 ? width : 2 * width, kernel), y);
  const three = (y: Feature, width: number): Feature =>
    [1, 3, 1].reduce((z, kernel) => leaky(net, z, kernel === 1 ? width : 2 * width, kernel), y);
  const [, , p3, p4, p5] = taps as [Feature, Feature, Feature, Feature, Feature];
  const first = three(p5, 512);
  const pools = [13, 9, 5].map((size) => maxPool(net, first, size, 1));
  const coarse = three(cat(net, [...pools, first]), 512);
  const join = (own: Feature, below: Feature, width: number): Feature =>
    five(cat(net, [leaky(net, own, width, 1), up(net, leaky(net, below, width, 1))]), width);
  const middle = join(p4, coarse, 256);
  const fine = join(p3, middle, 128);
  const again = five(cat(net, [leaky(net, fine, 256, 3, 2), middle]), 256);
  const last = five(cat(net, [leaky(net, again, 512, 3, 2), coarse]), 512);
  return [
    [fine, 256],
    [again, 512],
    [last, 1024],
  ].map(([y, width]) => predict(net, leaky(net, y as Feature, width as number)));
}

const at608 = within(
  { ...hailo("object_detection", 140.7, 68.79), input: [3, 608, 608] },
  0.12,
  "the same table gives 61.92 million for the same layers at 416x416",
);

export default [
  {
    id: "yolov4_leaky",
    name: "YOLOv4 leaky",
    aliases: ["yolov4"],
    family: "YOLOv4",
    task: "detection",
    input: [3, 512, 512],
    published: [hailo("object_detection", 91.04, 64.33)],
    source: "arXiv 2004.10934; github.com/AlexeyAB/darknet cfg/yolov4.cfg",
    build: (options) => {
      const net = new Layers("yolov4_leaky", options);
      return net.finish(...yolov4(net, net.input(options.input ?? [3, 512, 512])));
    },
  },
  {
    id: "yolov3",
    name: "YOLOv3",
    aliases: ["yolov3_gluon"],
    family: "YOLOv3",
    task: "detection",
    input: [3, 416, 416],
    published: [hailo("object_detection", 65.94, 61.92), at608],
    source: "arXiv 1804.02767 Table 1; github.com/AlexeyAB/darknet cfg/yolov3.cfg",
    build: (options) => {
      const net = new Layers("yolov3", options);
      return net.finish(...yolov3(net, net.input(options.input ?? [3, 416, 416])));
    },
  },
  {
    id: "yolov3_tiny",
    name: "YOLOv3-tiny",
    aliases: ["tiny_yolov3"],
    family: "YOLOv3",
    task: "detection",
    input: [3, 416, 416],
    published: [hailo("object_detection", 5.58, 8.85)],
    source: "github.com/AlexeyAB/darknet cfg/yolov3-tiny.cfg",
    build: (options) => {
      const net = new Layers("yolov3_tiny", options);
      return net.finish(...tiny3(net, net.input(options.input ?? [3, 416, 416])));
    },
  },
  {
    id: "yolov4_tiny",
    name: "YOLOv4-tiny",
    aliases: ["tiny_yolov4"],
    family: "YOLOv4",
    task: "detection",
    input: [3, 416, 416],
    published: [hailo("object_detection", 6.92, 6.05)],
    source: "arXiv 2011.08036; github.com/AlexeyAB/darknet cfg/yolov4-tiny.cfg",
    build: (options) => {
      const net = new Layers("yolov4_tiny", options);
      return net.finish(...tiny4(net, net.input(options.input ?? [3, 416, 416])));
    },
  },
] satisfies readonly KnownModel[];
