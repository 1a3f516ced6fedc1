/**
 * Text in pictures: the recognisers of PP-OCR v4 and v5 mobile (PP-LCNetV3 as deployed, two SVTR layers, CTC). PaddlePaddle/PaddleOCR
 * ppocr/modeling/backbones/rec_lcnetv3.py, necks/rnn.py; arXiv 2109.15099, 2205.00159.
 */

import { attention, squeezeExcite } from "../blocks.ts";
import type { KnownModel, Published } from "../known.ts";
import { at, type Layers, type Size, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, own } from "../parts/published.ts";

/** Kernel, channels out, stride, squeeze-and-excite. */
type Row = readonly [kernel: number, out: number, stride: Size, excite: boolean];

/* prettier-ignore */
const rows: readonly Row[] = [
  [3, 32, 1, false], [3, 64, 1, false], [3, 64, 1, false], [3, 128, [2, 1], false], [3, 128, 1, false], [3, 240, [1, 2], false],
  [5, 240, 1, false], [5, 240, 1, false], [5, 240, 1, false], [5, 240, 1, false],
  [5, 480, [2, 1], true], [5, 480, 1, true], [5, 480, [2, 1], false], [5, 480, 1, false],
];

/** The same trunk three quarters as wide, halving on both sides. */
/* prettier-ignore */
const detectorRows: readonly Row[] = [
  [3, 32, 1, false], [3, 48, 2, false], [3, 48, 1, false], [3, 96, 2, false], [3, 96, 1, false], [3, 192, 2, false],
  [5, 192, 1, false], [5, 192, 1, false], [5, 192, 1, false], [5, 192, 1, false],
  [5, 384, 2, true], [5, 384, 1, true], [5, 384, 1, false], [5, 384, 1, false],
];

/** Depthwise and 1x1, each scaled and shifted by a number before and after its activation. */
function blocks(net: Layers, x: Value, table: readonly Row[]): Value[] {
  let y = net.conv(x, 16, { kernel: 3, stride: 2 });
  return table.map(([kernel, out, stride, excite]) => {
    let z = net.depthwise(y, { kernel, stride, act: "hswish" });
    if (excite) z = squeezeExcite(net, z, at(z.shape, 1) / 4, "relu", "hsigmoid");
    return (y = net.conv(z, out, { act: "hswish" }));
  });
}

const trunk = (net: Layers, x: Value): Value =>
  net.averagePool(blocks(net, x, rows).at(-1) ?? x, { kernel: [3, 2], stride: [3, 2] });

/** A convolution whose result is added to itself, weighed channel by channel. */
function weighed(net: Layers, x: Value, out: number, kernel: number): Value {
  const y = net.conv(x, out, { kernel, bias: false });
  return net.add(y, squeezeExcite(net, y, out / 4, "relu", "hsigmoid"));
}

/** Four sizes are added downwards and put side by side; twice transposed upwards to how likely text is. */
function detector(net: Layers, x: Value): Value {
  const taps = blocks(net, x, detectorRows);
  const levels = [2, 4, 9, 13].map((row, level) =>
    weighed(net, net.conv(taps[row] ?? x, at([12, 18, 42, 360], level)), 96, 1),
  );
  for (let level = 2; level >= 0; level -= 1) {
    const [own, coarse] = [levels[level], levels[level + 1]];
    if (own && coarse) levels[level] = net.add(own, net.upsample(coarse));
  }
  const parts = levels.map((level, index) => {
    const y = weighed(net, level, 24, 3);
    return index === 0 ? y : net.upsample(y, 2 ** index);
  });
  const narrow = net.conv(net.concat(parts.reverse()), 24, { kernel: 3, act: "relu" });
  const larger = net.transposed(narrow, 24, { kernel: 2, stride: 2, act: "relu" });
  return net.activate(net.transposed(larger, 1, { kernel: 2, stride: 2 }), "sigmoid");
}

function encode(net: Layers, x: Value): Value {
  const width = at(x.shape, 1);
  const beside = { kernel: [1, 3], act: "silu" } as const;
  const narrow = net.conv(net.conv(x, width / 8, beside), 120, { act: "silu" });
  let y = net.tokens(narrow);
  for (let layer = 0; layer < 2; layer += 1) {
    y = net.add(y, attention(net, net.layerNorm(y), { heads: 8 }));
    y = net.add(y, net.fc(net.fc(net.layerNorm(y), 240, { act: "silu" }), 120));
  }
  const back = net.conv(net.image(net.layerNorm(y), narrow.shape.slice(2)), width, { act: "silu" });
  return net.conv(net.conv(net.concat([x, back]), width / 8, beside), 120, { act: "silu" });
}

const recogniser = (
  version: "v4" | "v5",
  characters: number,
  published: readonly Published[],
  aliases: readonly string[],
): KnownModel =>
  makeKnown({
    id: `ppocr_${version}_rec`,
    name: `PP-OCR ${version} mobile recognition`,
    aliases,
    family: "PP-OCR",
    task: "text",
    input: [3, 48, 320],
    published,
    source: "github.com/PaddlePaddle/PaddleOCR ppocr/modeling; arXiv 2109.15099, 2205.00159",
    layers: (net, x) => net.softmax(net.fc(net.tokens(encode(net, trunk(net, x))), characters)),
  });

export default [
  makeKnown({
    id: "ppocr_v4_det",
    name: "PP-OCR v4 mobile detection",
    aliases: ["ppocrv4_det"],
    family: "PP-OCR",
    task: "text",
    input: [3, 480, 480],
    published: [own("PaddleX documentation, text detection module: 4.7 MB of float32", undefined, 1.175)],
    source:
      "github.com/PaddlePaddle/PaddleOCR ppocr/modeling/backbones/rec_lcnetv3.py, necks/db_fpn.py, heads/det_db_head.py",
    layers: detector,
  }),
  recogniser("v5", 18_385, [hailo("text_recognition", 1.5, 4.1)], ["paddle_ocr_v5_mobile_recognition"]),
  recogniser(
    "v4",
    6625,
    [own("PaddleX documentation, text recognition module: 10.6 MB of float32", undefined, 2.65)],
    ["ppocrv4_rec"],
  ),
] satisfies readonly KnownModel[];
