/**
 * SSDLite on trunks that were searched for a DSP and for the Edge TPU: inverted bottlenecks, fused ones, and convolutions between two
 * 1x1 (arXiv 2004.14525). github.com/tensorflow/models research/object_detection models/ssd_mobiledet_feature_extractor.py.
 */

import { separable } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { own } from "../parts/published.ts";

/** Outputs, then what they expand to or the two ranks in eighths of the channels, kernel. A block without "+" has no shortcut. */
type Block =
  | readonly [kind: "inverted" | "fused", out: number, by: number, more?: { readonly kernel?: 5; readonly stride?: 2 }]
  | readonly [kind: "tucker", out: number, ranks: readonly [number, number]];

/* prettier-ignore */
const trunks: Readonly<Record<"dsp" | "edgetpu", { readonly first: 24 | 16; readonly fine: readonly Block[]; readonly coarse: readonly Block[] }>> = {
  dsp: {
    first: 24,
    fine: [
      ["fused", 32, 4, { stride: 2 }], ["fused", 32, 4], ["inverted", 32, 4], ["tucker", 32, [0.25, 0.75]],
      ["fused", 64, 8, { stride: 2 }], ["inverted", 64, 4], ["fused", 64, 4], ["fused", 64, 4],
      ["fused", 120, 8, { stride: 2 }], ["inverted", 120, 4], ["inverted", 120, 8], ["inverted", 120, 8],
      ["fused", 144, 8], ["inverted", 144, 8], ["inverted", 144, 8], ["inverted", 144, 8],
    ],
    coarse: [
      ["inverted", 160, 4, { stride: 2 }], ["inverted", 160, 4], ["fused", 160, 4], ["tucker", 160, [0.75, 0.75]],
      ["inverted", 240, 8],
    ],
  },
  edgetpu: {
    first: 16,
    fine: [
      ["fused", 16, 8, { stride: 2 }], ["fused", 16, 4], ["fused", 16, 8], ["fused", 16, 4],
      ["fused", 40, 8, { kernel: 5, stride: 2 }], ["fused", 40, 4], ["fused", 40, 4], ["fused", 40, 4],
      ["inverted", 72, 8, { stride: 2 }], ["inverted", 72, 8], ["fused", 72, 4], ["fused", 72, 4],
      ["inverted", 96, 8, { kernel: 5 }], ["inverted", 96, 8, { kernel: 5 }], ["inverted", 96, 8], ["inverted", 96, 8],
    ],
    coarse: [
      ["inverted", 120, 8, { kernel: 5, stride: 2 }], ["inverted", 120, 8], ["inverted", 120, 4, { kernel: 5 }], ["inverted", 120, 8],
      ["inverted", 384, 8, { kernel: 5 }],
    ],
  },
};

const relu6 = { act: "relu6" } as const;
const eight = (channels: number): number => Math.max(8, Math.floor(channels / 8 + 0.5) * 8);

function block(net: Layers, x: Value, [kind, out, by, more = {}]: Block): Value {
  const { kernel = 3, stride = 1 } = more;
  const width = at(x.shape, 1);
  let y: Value;
  if (kind === "tucker") {
    const narrow = net.conv(x, eight(width * by[0]), relu6);
    y = net.conv(narrow, eight(out * by[1]), { kernel, stride, ...relu6 });
  } else if (kind === "fused") y = net.conv(x, width * by, { kernel, stride, ...relu6 });
  else y = net.depthwise(net.conv(x, width * by, relu6), { kernel, stride, ...relu6 });
  const z = net.conv(y, out);
  return stride === 1 && width === out ? net.add(x, z) : z;
}

function mobileDet(net: Layers, x: Value, which: keyof typeof trunks): Value[] {
  const { first, fine, coarse } = trunks[which];
  const stem = net.conv(x, 32, { kernel: 3, stride: 2, ...relu6 });
  const start =
    which === "dsp" ? net.conv(net.depthwise(stem, relu6), first) : block(net, stem, ["tucker", first, [0.25, 0.75]]);
  const run = (from: Value, blocks: readonly Block[]): Value => blocks.reduce((y, own) => block(net, y, own), from);
  const levels = [run(start, fine)];
  levels.push(run(levels[0] ?? x, coarse));
  for (const out of [512, 256, 256, 128]) {
    const narrow = net.conv(levels.at(-1) ?? x, out / 2, relu6);
    levels.push(separable(net, narrow, out, { stride: 2, ...relu6 }));
  }
  return levels.flatMap((level, index) => {
    const anchors = index === 0 ? 3 : 6;
    const predict = (count: number): Value => net.conv(net.depthwise(level, relu6), count);
    return [predict(anchors * 4), net.activate(predict(anchors * 91), "sigmoid")];
  });
}

const known = (which: keyof typeof trunks, name: string, gmacs: number): KnownModel =>
  makeKnown({
    id: `ssdlite_mobiledet_${which}`,
    name: `SSDLite MobileDet ${name}`,
    aliases: [`ssdlite_mobiledet_${which}_320x320_coco_2020_05_19`, `mobiledet_${which}`],
    family: "MobileDet",
    task: "detection",
    input: 320,
    published: [
      own(
        "github.com/TexasInstruments/edgeai-tensorlab@f272548 edgeai-modelzoo/models/vision/detection/readme.md",
        2 * gmacs,
        undefined,
      ),
    ],
    source:
      "arXiv 2004.14525; github.com/tensorflow/models research/object_detection models/ssd_mobiledet_feature_extractor.py",
    layers: (net, x) => mobileDet(net, x, which),
  });

export default [known("dsp", "DSP", 2.818), known("edgetpu", "Edge TPU", 1.534)] satisfies readonly KnownModel[];
