/** YOLOv7 and its tiny form, as deployed. github.com/WongKinYiu/yolov7 cfg/deploy/yolov7*.yaml; arXiv 2207.02696. */

import type { KnownModel, Published } from "../known.ts";
import { Layers } from "../layers.ts";
import { act, cat, channels, conv, maxPool, up, type Act, type Feature, type Net } from "../parts/blocks.ts";
import { aiHub, hailo, own } from "../parts/published.ts";

const predict = (net: Net, x: Feature): Feature => act(net, conv(net, x, 255, 1, 1, { act: "none" }), "sigmoid");

/** Two pointwise branches, then `count` 3x3 convolutions; all that is in `kept` is joined, the latest first. */
function elan(
  net: Net,
  x: Feature,
  how: { wide: number; narrow: number; count: number; kept: (index: number) => boolean; out: number; act: Act },
): Feature {
  const option = { act: how.act };
  const first = conv(net, x, how.wide, 1, 1, option);
  const second = conv(net, x, how.wide, 1, 1, option);
  const parts = [first, second];
  let y = second;
  for (let index = 1; index <= how.count; index += 1) {
    y = conv(net, y, how.narrow, 3, 1, option);
    if (how.kept(index)) parts.unshift(y);
  }
  return conv(net, cat(net, parts), how.out, 1, 1, option);
}

/** Down by two halves, one through a pooling. */
function down(net: Net, x: Feature, width: number): Feature[] {
  const pooled = conv(net, maxPool(net, x, 2, 2), width, 1);
  return [conv(net, conv(net, x, width, 1), width, 3, 2), pooled];
}

interface Member {
  readonly stem: readonly [number, number, number];
  /** 3x3 convolutions in a block of a stage. */
  readonly deep: 4 | 6;
  /** Channels within and out of each stage. */
  readonly stages: readonly (readonly [number, number])[];
  /** Within and out of the neck's blocks; the smaller model keeps every convolution of them, half as wide. */
  readonly neck: readonly (readonly [number, number])[];
  readonly every: boolean;
}

/* prettier-ignore */
const members = {
  yolov7: {
    stem: [32, 64, 128], deep: 4, every: true,
    stages: [[64, 256], [128, 512], [256, 1024], [256, 1024]], neck: [[256, 256], [128, 128], [256, 256], [512, 512]],
  },
  yolov7x: {
    stem: [40, 80, 160], deep: 6, every: false,
    stages: [[64, 320], [128, 640], [256, 1280], [256, 1280]], neck: [[256, 320], [128, 160], [256, 320], [512, 640]],
  },
} as const satisfies Record<string, Member>;

function large(net: Net, input: Feature, m: Member): Feature[] {
  const block = (x: Feature, [wide, out]: readonly [number, number], every: boolean): Feature =>
    elan(net, x, {
      wide,
      narrow: every ? wide / 2 : wide,
      count: every ? 4 : m.deep,
      kept: (index) => every || index % 2 === 0,
      out,
      act: "silu",
    });
  const stage = (x: Feature, index: number): Feature => block(x, m.stages[index] ?? [0, 0], false);
  const join = (x: Feature, index: number): Feature => block(x, m.neck[index] ?? [0, 0], m.every);
  const [first, second, third] = m.stem;
  const stem = conv(net, conv(net, conv(net, input, first, 3), second, 3, 2), second, 3);
  const p2 = stage(conv(net, stem, third, 3, 2), 0);
  const halved = (x: Feature): Feature => cat(net, down(net, x, channels(x) / 2));
  const p3 = stage(halved(p2), 1);
  const p4 = stage(halved(p3), 2);
  const p5 = cspPool(net, stage(halved(p4), 3), channels(p4) / 2);
  const above = (x: Feature, own: Feature): Feature => {
    const width = channels(own) / 4;
    return cat(net, [conv(net, own, width, 1), up(net, conv(net, x, width, 1))]);
  };
  const middle = join(above(p5, p4), 0);
  const fine = join(above(middle, p3), 1);
  const again = join(cat(net, [...down(net, fine, channels(fine)), middle]), 2);
  const coarse = join(cat(net, [...down(net, again, channels(again)), p5]), 3);
  return [fine, again, coarse].map((x) => predict(net, conv(net, x, 2 * channels(x), 3)));
}

function cspPool(net: Net, x: Feature, width: number): Feature {
  const one = conv(net, conv(net, conv(net, x, width, 1), width, 3), width, 1);
  const parts = [one, ...[5, 9, 13].map((size) => maxPool(net, one, size, 1))];
  const pooled = conv(net, conv(net, cat(net, parts), width, 1), width, 3);
  return conv(net, cat(net, [pooled, conv(net, x, width, 1)]), width, 1);
}

function tiny(net: Net, input: Feature): Feature[] {
  const leaky = { act: "leaky" } as const;
  const stage = (x: Feature, width: number, out: number): Feature =>
    elan(net, x, { wide: width, narrow: width, count: 2, kept: () => true, out, act: "leaky" });
  const p2 = stage(conv(net, conv(net, input, 32, 3, 2, leaky), 64, 3, 2, leaky), 32, 64);
  const p3 = stage(maxPool(net, p2, 2, 2), 64, 128);
  const p4 = stage(maxPool(net, p3, 2, 2), 128, 256);
  const last = stage(maxPool(net, p4, 2, 2), 256, 512);
  const one = conv(net, last, 256, 1, 1, leaky);
  const pools = [13, 9, 5].map((size) => maxPool(net, one, size, 1));
  const pooled = conv(net, cat(net, [...pools, one]), 256, 1, 1, leaky);
  const p5 = conv(net, cat(net, [pooled, conv(net, last, 256, 1, 1, leaky)]), 256, 1, 1, leaky);
  const above = (x: Feature, own: Feature, width: number): Feature =>
    cat(net, [conv(net, own, width, 1, 1, leaky), up(net, conv(net, x, width, 1, 1, leaky))]);
  const middle = stage(above(p5, p4, 128), 64, 128);
  const fine = stage(above(middle, p3, 64), 32, 64);
  const again = stage(cat(net, [conv(net, fine, 128, 3, 2, leaky), middle]), 64, 128);
  const coarse = stage(cat(net, [conv(net, again, 256, 3, 2, leaky), p5]), 128, 256);
  return [fine, again, coarse].map((x) => predict(net, conv(net, x, 2 * channels(x), 3, 1, leaky)));
}

const known = (id: keyof typeof members, name: string, published: readonly Published[]): KnownModel => ({
  id,
  name,
  aliases: [],
  family: "YOLOv7",
  task: "detection",
  input: [3, 640, 640],
  published,
  source: `github.com/WongKinYiu/yolov7 cfg/deploy/${id}.yaml`,
  build: (options) => {
    const net = new Layers(id, options);
    return net.finish(...large(net, net.input(options.input ?? [3, 640, 640]), members[id]));
  },
});

export default [
  known("yolov7", "YOLOv7", [
    own("arXiv 2207.02696 table 2, as github.com/ultralytics/ultralytics docs/en/models/yolov7.md has it", 104.7, 36.9),
    hailo("object_detection", 104.51, 36.91),
  ]),
  known("yolov7x", "YOLOv7-X", [hailo("object_detection", 189.68, 71.46)]),
  {
    id: "yolov7_tiny",
    name: "YOLOv7-tiny",
    aliases: [],
    family: "YOLOv7",
    task: "detection",
    input: [3, 640, 640],
    published: [
      aiHub("yolov7", 6.24),
      hailo("object_detection", 13.74, 6.22),
      own("arXiv 2207.02696 Table 2", 13.8, 6.2),
    ],
    source: "github.com/WongKinYiu/yolov7 cfg/deploy/yolov7-tiny.yaml",
    build: (options) => {
      const net = new Layers("yolov7_tiny", options);
      return net.finish(...tiny(net, net.input(options.input ?? [3, 640, 640])));
    },
  },
] satisfies readonly KnownModel[];
