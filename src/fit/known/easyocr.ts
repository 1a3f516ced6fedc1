/**
 * EasyOCR: where text stands (CRAFT on VGG-16, arXiv 1904.01941) and what it says (VGG and two-way memories, 1507.05717).
 * github.com/JaidedAI/EasyOCR easyocr/craft.py, easyocr/model/vgg_model.py.
 */

import type { KnownModel } from "../known.ts";
import type { Layers, Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub } from "../parts/published.ts";

const relu = { act: "relu" } as const;
const three = (net: Layers, x: Value, out: number): Value => net.conv(x, out, { kernel: 3, ...relu });

function craft(net: Layers, x: Value): Value {
  let y = x;
  // The second layer of a pair, or the third; and the last two of the next stage, before it is activated there.
  const taps = [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512],
  ].map((widths, stage) => {
    if (stage > 0) y = net.maxPool(y, { kernel: 2 });
    for (const width of widths) y = three(net, y, width);
    return y;
  });
  const pooled = net.maxPool(y, { kernel: 3, stride: 1, pad: 1 });
  const wide = net.conv(net.conv(pooled, 1024, { kernel: 3, dilation: 6 }), 1024);
  let up = net.concat([wide, y]);
  for (const [middle, out, tap] of [
    [512, 256, taps[3]],
    [256, 128, taps[2]],
    [128, 64, taps[1]],
  ] as const) {
    if (tap === undefined) continue;
    up = net.resize(three(net, net.conv(up, middle, relu), out), tap.shape.slice(2), "linear");
    up = net.concat([up, tap]);
  }
  up = three(net, net.conv(up, 64, relu), 32);
  up = three(net, three(net, three(net, up, 32), 32), 16);
  return net.conv(net.conv(up, 16, relu), 2);
}

/** Columns of a line, each looked at with what stands before and behind it. */
function recognised(net: Layers, x: Value, classes: number): Value {
  let y = net.maxPool(three(net, x, 32), { kernel: 2 });
  y = net.maxPool(three(net, y, 64), { kernel: 2 });
  y = net.maxPool(three(net, three(net, y, 128), 128), { kernel: [2, 1] });
  y = net.maxPool(three(net, three(net, y, 256), 256), { kernel: [2, 1] });
  y = net.conv(y, 256, { kernel: 2, pad: "valid", ...relu });
  let z = net.tokens(net.averagePool(y, { kernel: [y.shape[2] ?? 1, 1], stride: 1 }));
  for (let layer = 0; layer < 2; layer += 1) z = net.fc(net.lstm(z, 256, true), 256);
  return net.fc(z, classes);
}

export default [
  makeKnown({
    id: "craft",
    name: "CRAFT text detector",
    aliases: ["easyocr_detector", "easyocr / EasyOCRDetector"],
    family: "EasyOCR",
    task: "detection",
    input: [3, 608, 800],
    published: [aiHub("easyocr", 20.8)],
    source: "arXiv 1904.01941 figure 2; github.com/JaidedAI/EasyOCR easyocr/craft.py",
    layers: craft,
  }),
  makeKnown({
    id: "easyocr_recognizer",
    name: "EasyOCR recogniser of Latin letters",
    aliases: ["easyocr / EasyOCRRecognizer"],
    family: "EasyOCR",
    task: "text",
    input: [1, 64, 800],
    published: [aiHub("easyocr", 3.84)],
    source: "arXiv 1507.05717; github.com/JaidedAI/EasyOCR easyocr/model/vgg_model.py",
    layers: (net, x) => recognised(net, x, 97),
  }),
] satisfies readonly KnownModel[];
