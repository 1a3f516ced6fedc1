/** DAMO-YOLO: searched trunks of residual blocks, a heavy neck, a head of two convolutions. arXiv 2211.15444; github.com/tinyvision/DAMO-YOLO. */

import type { KnownModel, Published } from "../known.ts";
import type { Activation } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { act, add, cat, channels, conv, up, type Feature, type Net } from "../parts/blocks.ts";
import { hailo, own, within } from "../parts/published.ts";
import { spp } from "../parts/yolo.ts";

/** Of a stage: channels in the middle and out, blocks, stride. */
type Stage = readonly [middle: number, out: number, count: number, stride: number];

interface Member {
  readonly stem: number;
  readonly stages: readonly Stage[];
  readonly act: Activation;
  /** First kernel of a block. */
  readonly kernel: 1 | 3;
  /** Stages as CSP blocks behind a convolution of stride 2; the fourth and fifth row are one stage. */
  readonly csp?: true;
  readonly neck: { readonly depth: number; readonly ratio: number; readonly out: readonly [number, number, number] };
}

/* prettier-ignore */
const members = {
  t: {
    stem: 24, act: "relu", kernel: 1,
    stages: [[24, 64, 2, 2], [64, 96, 2, 2], [96, 192, 2, 2], [152, 192, 2, 1], [192, 384, 1, 2]],
    neck: { depth: 1, ratio: 1, out: [64, 128, 256] },
  },
  s: {
    stem: 32, act: "relu", kernel: 1,
    stages: [[24, 128, 1, 2], [88, 128, 5, 2], [128, 256, 3, 2], [120, 256, 2, 1], [144, 512, 1, 2]],
    neck: { depth: 1, ratio: 0.75, out: [128, 256, 512] },
  },
  m: {
    stem: 32, act: "silu", kernel: 3, csp: true,
    stages: [[64, 128, 2, 2], [64, 128, 4, 2], [256, 256, 4, 2], [256, 256, 4, 1], [256, 512, 3, 2]],
    neck: { depth: 1.5, ratio: 1, out: [128, 256, 512] },
  },
} as const satisfies Record<string, Member>;

function block(net: Net, m: Member, x: Feature, [middle, out, , stride]: Stage, first: boolean): Feature {
  const step = first ? stride : 1;
  const y = conv(net, conv(net, x, middle, m.kernel, 1, { act: m.act }), out, 3, step, { act: "none" });
  if (step === 2) return act(net, y, m.act);
  const kept = channels(x) === out ? x : conv(net, x, out, 1, 1, { act: "none" });
  return act(net, add(net, y, kept), m.act);
}

function trunk(net: Net, m: Member, input: Feature): Feature[] {
  const option = { act: m.act };
  let x = conv(net, net.spaceToDepth(input, 2), m.stem, 3, 1, option);
  const found: Feature[] = [];
  m.stages.forEach((stage, row) => {
    const [middle, out, count, stride] = stage;
    if (m.csp && stride === 1) return;
    if (m.csp) {
      x = conv(net, x, out, 3, 2, option);
      if (row === m.stages.length - 1) x = spp(net, x, out, option);
      const kept = conv(net, x, out / 2, 1, 1, option);
      let y = conv(net, x, out / 2, 1, 1, option);
      const next = m.stages[row + 1];
      const blocks = count - 1 + (next?.[3] === 1 ? next[2] : 0);
      for (let index = 0; index < blocks; index += 1) y = block(net, m, y, [middle, out / 2, 1, 1], false);
      x = conv(net, cat(net, [y, kept]), out, 1, 1, option);
    } else {
      for (let index = 0; index < count; index += 1) {
        x = block(net, m, x, stage, index === 0);
        if (index === 0 && row === m.stages.length - 1) x = spp(net, x, out, option);
      }
    }
    found.push(x);
  });
  return m.csp ? found.slice(1) : [found[1], found[3], found[4]].filter((one) => one !== undefined);
}

/** Half of the channels go through pairs of 3x3 convolutions, of which every result is kept. */
function merge(net: Net, m: Member, parts: readonly Feature[], out: number): Feature {
  const x = cat(net, parts);
  const half = out / 2;
  const option = { act: m.act };
  const kept = [conv(net, x, half, 1, 1, option)];
  let y = conv(net, x, half, 1, 1, option);
  for (let index = 0; index < Math.floor(3 * m.neck.depth + 0.4); index += 1) {
    y = add(net, y, conv(net, conv(net, y, Math.floor(half * m.neck.ratio), 3, 1, option), half, 3, 1, option));
    kept.push(y);
  }
  return conv(net, cat(net, kept), out, 1, 1, option);
}

function detector(net: Net, m: Member, input: Feature): Feature[] {
  const [fine, middle, coarse] = trunk(net, m, input);
  if (fine === undefined || middle === undefined || coarse === undefined) return [];
  const down = (x: Feature): Feature => conv(net, x, channels(x), 3, 2, { act: m.act });
  const x3 = merge(net, m, [coarse, down(middle)], channels(coarse));
  const x4 = merge(net, m, [middle, down(fine), up(net, x3)], channels(middle));
  const x5 = merge(net, m, [fine, up(net, x4)], m.neck.out[0]);
  const x7 = merge(net, m, [x4, down(x5)], m.neck.out[1]);
  const x6 = merge(net, m, [x3, down(x4), down(x7)], m.neck.out[2]);
  return [x5, x7, x6].flatMap((x) => [
    act(net, conv(net, x, 81, 3, 1, { act: "none" }), "sigmoid"),
    conv(net, x, 68, 3, 1, { act: "none" }),
  ]);
}

const known = (size: keyof typeof members, name: string, published: readonly Published[]): KnownModel =>
  makeKnown({
    id: `damoyolo_${size}`,
    name: `DAMO-YOLO-${size.toUpperCase()}`,
    aliases: [`damoyolo_${name}_${size}`],
    family: "DAMO-YOLO",
    task: "detection",
    input: 640,
    published,
    source: "arXiv 2211.15444; github.com/tinyvision/DAMO-YOLO damo/base_models/backbones/nas_backbones",
    layers: (net, x) => detector(net, members[size], x),
  });

const table = (gops: number, millions: number): Published =>
  own("github.com/tinyvision/DAMO-YOLO README.md", gops, millions);

const unmerged = "its parameters are those of training, before branches are merged";

export default [
  known("t", "tinynasL20", [table(18.1, 8.5), within(hailo("object_detection", 18.02, 11.35), 0.26, unmerged)]),
  known("s", "tinynasL25", [table(37.8, 16.3), hailo("object_detection", 37.64, 16.25)]),
  known("m", "tinynasL35", [table(61.8, 28.2), within(hailo("object_detection", 61.64, 33.98), 0.18, unmerged)]),
] satisfies readonly KnownModel[];
