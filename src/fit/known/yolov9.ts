/** YOLOv9 in the form that is deployed: GELAN, without the branch that only training has. github.com/WongKinYiu/yolov9 models/detect. */

import type { BuildOptions, KnownModel, Published } from "../known.ts";
import { Layers } from "../layers.ts";
import type { Model } from "../../model/graph.ts";
import { conv, split, type Feature, type Net } from "../parts/blocks.ts";
import { pan } from "../parts/pan.ts";
import { hailo, rdk, within } from "../parts/published.ts";
import { aConv, aDown, elan1, elan4, fuse, head, sppElan, type Block, type Head } from "../parts/yolo.ts";

const source = "github.com/WongKinYiu/yolov9@5b1ea9a models/detect/gelan-*.yaml; arXiv 2402.13616";

/** Of a CSP ELAN block: channels out, of its first convolution, of its branches. */
type Elan = readonly [out: number, wide: number, narrow: number];

interface Member {
  readonly stem: readonly [number, number];
  readonly stages: readonly [Elan, Elan, Elan, Elan];
  /** Repeats within a block. */
  readonly count: number;
  /** Stage 2 has single convolutions. */
  readonly simple?: true;
  readonly down: Block;
  readonly downs: readonly [number, number, number];
  readonly pool: readonly [out: number, width: number];
  readonly neck: readonly [middle: Elan, fine: Elan, again: Elan, coarse: Elan];
  readonly neckDowns: readonly [number, number];
}

const small = (unit: number): Member => {
  const elan = (times: number): Elan => [times * unit, times * unit, (times * unit) / 2];
  return {
    stem: [unit / 2, unit],
    stages: [elan(1), elan(2), elan(3), elan(4)],
    count: 3,
    simple: true,
    down: aConv,
    downs: [2 * unit, 3 * unit, 4 * unit],
    pool: [4 * unit, 2 * unit],
    neck: [elan(3), elan(2), elan(3), elan(4)],
    neckDowns: [1.5 * unit, 2 * unit],
  };
};

const members = {
  t: small(32),
  s: small(64),
  m: {
    stem: [32, 64],
    stages: [
      [128, 128, 64],
      [240, 240, 120],
      [360, 360, 180],
      [480, 480, 240],
    ],
    count: 1,
    down: aConv,
    downs: [240, 360, 480],
    pool: [480, 240],
    neck: [
      [360, 360, 180],
      [240, 240, 120],
      [360, 360, 180],
      [480, 480, 240],
    ],
    neckDowns: [180, 240],
  },
  c: {
    stem: [64, 128],
    stages: [
      [256, 128, 64],
      [512, 256, 128],
      [512, 512, 256],
      [512, 512, 256],
    ],
    count: 1,
    down: aDown,
    downs: [256, 512, 512],
    pool: [512, 256],
    neck: [
      [512, 512, 256],
      [256, 256, 128],
      [512, 512, 256],
      [512, 512, 256],
    ],
    neckDowns: [256, 512],
  },
  e: {
    stem: [64, 128],
    stages: [
      [256, 128, 64],
      [512, 256, 128],
      [1024, 512, 256],
      [1024, 512, 256],
    ],
    count: 2,
    down: aDown,
    downs: [256, 512, 1024],
    pool: [512, 256],
    neck: [
      [512, 512, 256],
      [256, 256, 128],
      [512, 512, 256],
      [512, 1024, 512],
    ],
    neckDowns: [256, 512],
  },
} as const satisfies Record<string, Member>;

type Size = keyof typeof members;

/** Stages of a backbone, the first at a quarter of the picture. `join` changes what a stage gets. */
function stages(
  net: Net,
  m: Member,
  stem: Feature,
  join: (x: Feature, stage: number) => Feature = (x) => x,
): Feature[] {
  const found: Feature[] = [];
  let x = join(conv(net, stem, m.stem[1], 3, 2), 0);
  for (const [index, [out, wide, narrow]] of m.stages.entries()) {
    if (index > 0) x = join(m.down(net, x, m.downs[index - 1] ?? out), index);
    x = index === 0 && m.simple ? elan1(net, x, out, wide, narrow) : elan4(net, x, out, wide, narrow, m.count);
    found.push(x);
  }
  return found;
}

/** The second backbone of v9-e: at each size, the first one's features of that size and of all coarser ones are added. */
function twice(net: Net, m: Member, input: Feature): Feature[] {
  const stem = conv(net, input, m.stem[0], 3, 2);
  const widths = [64, 128, 256, 512, 1024];
  const lent = [stem, ...stages(net, m, stem)].map((x, index) => {
    const parts = widths.slice(0, index + 1);
    const mixed = conv(
      net,
      x,
      parts.reduce((a, b) => a + b, 0),
      1,
      1,
      { act: "none" },
    );
    return parts.length === 1 ? [mixed] : split(net, mixed, parts);
  });
  const at = (level: number): Feature[] => lent.map((parts) => parts[level]).filter((x) => x !== undefined);
  const second = fuse(net, at(0), conv(net, input, m.stem[0], 3, 2));
  return stages(net, m, second, (x, stage) => fuse(net, at(stage + 1), x));
}

function build(id: string, size: Size, how: Head, options: BuildOptions): Model {
  const m: Member = members[size];
  const net = new Layers(id, options);
  const input = net.input(options.input ?? [3, 640, 640]);
  const [, p3, p4, p5] = size === "e" ? twice(net, m, input) : stages(net, m, conv(net, input, m.stem[0], 3, 2));
  if (p3 === undefined || p4 === undefined || p5 === undefined) return net.finish();
  const [middle, fine, again, coarse] = m.neck.map(
    ([out, wide, narrow]) =>
      (x: Feature) =>
        elan4(net, x, out, wide, narrow, m.count),
  ) as [(x: Feature) => Feature, (x: Feature) => Feature, (x: Feature) => Feature, (x: Feature) => Feature];
  const features = pan(net, [p3, p4, sppElan(net, p5, ...m.pool)], {
    blocks: [middle, fine, again, coarse],
    down: [(x) => m.down(net, x, m.neckDowns[0]), (x) => m.down(net, x, m.neckDowns[1])],
  });
  return net.finish(...head(net, features, how));
}

function known(
  size: Size,
  published: readonly Published[],
  option: { readonly aliases?: readonly string[]; readonly masks?: true } = {},
): KnownModel {
  const { aliases = [], masks } = option;
  const id = `yolov9${size}${masks ? "_seg" : ""}`;
  const how: Head = { kind: "v8", classes: 80, ...(masks ? { masks } : {}) };
  return {
    id,
    name: `YOLOv9${size}${masks ? "-seg" : ""}`,
    aliases,
    family: "YOLOv9",
    task: masks ? "segmentation" : "detection",
    input: [3, 640, 640],
    published,
    source,
    build: (options) => build(id, size, how, options),
  };
}

const transposed = "counts the 2x2 transposed convolution by its outputs, four times what it computes";

export default [
  known("t", [rdk(8.2, 2.1)], { aliases: ["yolov9-tiny"] }),
  known("s", [rdk(26.9, 7.2)]),
  known("m", [rdk(76.8, 20.1)]),
  known("c", [rdk(102.7, 25.3), hailo("object_detection", 102.1, 25.3)]),
  known("e", [rdk(189.5, 57.4)]),
  known("c", [within(rdk(158, 27.7), 0.07, transposed)], { masks: true }),
  known("e", [within(rdk(244.8, 59.7), 0.05, transposed)], { masks: true }),
] satisfies readonly KnownModel[];
