/**
 * Qualcomm's own detectors of AI Hub, read off their descriptions: faces (face_det_lite), people and feet (foot_track_net), what a face
 * wears (face_attrib_net). github.com/quic/ai-hub-models@52c080d, layers.py and model.py of each.
 */

import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, within } from "../parts/published.ts";

const relu = { act: "relu" } as const;
const three = (net: Layers, x: Value, out: number, stride = 1): Value =>
  net.conv(x, out, { kernel: 3, stride, ...relu });

/** Channels in the middle and out, one 3x3 or two, stride, whether channels are weighed. */
type Row = readonly [wide: number, out: number, convolutions: 1 | 2, stride: 1 | 2, weighed: 0 | 1];

/** MobileNet v3's block with whole 3x3 in place of those of each channel; the last has the stride. */
function block(net: Layers, x: Value, [wide, out, convolutions, stride, weighed]: Row): Value {
  let y = net.conv(x, wide, relu);
  y = convolutions === 1 ? three(net, y, out, stride) : three(net, three(net, y, out), out, stride);
  if (weighed === 1) y = net.mul(y, net.conv(net.conv(net.globalPool(y), out / 4, relu), out, { act: "sigmoid" }));
  if (stride === 2) return y;
  return net.add(y, at(x.shape, 1) === out ? x : net.conv(x, out));
}

/* prettier-ignore */
const faceRows: readonly Row[] = [
  [16, 16, 1, 2, 0], [64, 32, 1, 2, 0], [96, 32, 1, 1, 0], [96, 32, 2, 2, 1], [224, 32, 2, 1, 1], [224, 32, 2, 1, 1], [128, 64, 2, 1, 1],
  [160, 64, 2, 1, 1], [256, 96, 2, 2, 1],
];
/* prettier-ignore */
const footRows: readonly Row[] = [
  [16, 16, 1, 1, 0], [64, 16, 1, 2, 0], [64, 16, 1, 1, 0], [96, 32, 2, 2, 1], [96, 32, 2, 1, 1], [128, 32, 2, 1, 1], [128, 64, 1, 2, 0],
  [128, 64, 1, 1, 0], [160, 64, 1, 1, 0], [160, 64, 1, 1, 0], [256, 64, 1, 1, 1], [320, 64, 1, 1, 1], [320, 64, 2, 1, 1], [320, 96, 2, 2, 1],
  [480, 96, 2, 1, 1],
];

/** Features behind the rows named, and the last; added downwards `wide` channels each; looked at closely and from farther off. */
function seen(net: Layers, x: Value, rows: readonly Row[], kept: readonly number[], wide: number): Value {
  let y = three(net, x, 16, 2);
  const taps: Value[] = [];
  rows.forEach((row, index) => {
    y = block(net, y, row);
    if (kept.includes(index)) taps.push(y);
  });
  y = net.conv(y, wide, relu);
  for (const tap of taps.reverse()) y = net.add(three(net, net.upsample(y), wide), net.conv(tap, wide, relu));
  const context = three(net, y, wide / 4);
  const far = three(net, three(net, context, wide / 4), wide / 4);
  return net.concat([three(net, y, wide / 2), net.concat([three(net, context, wide / 4), far])]);
}

function faces(net: Layers, x: Value): Value[] {
  const y = seen(net, net.scale(net.scale(x, "add")), faceRows, [2, 7], 32);
  return [1, 4, 10].map((out) => net.conv(y, out));
}

function feet(net: Layers, x: Value): Value[] {
  const y = seen(net, net.conv(net.scale(x), 3), footRows, [2, 5, 12], 64);
  const head = (out: number): Value => net.conv(three(net, y, 64), out);
  const [centres, boxes] = [1, 4].map((out) => Array.from({ length: 3 }, () => head(out)));
  const sure = (one: Value): Value => net.activate(one, "sigmoid");
  return [net.concat((centres ?? []).map(sure)), net.concat(boxes ?? []), head(34), sure(head(17))];
}

/** 3x3 in groups of 32 channels and 1x1 behind it. */
function grouped(net: Layers, x: Value, middle: number, out: number, stride: 1 | 2, act?: "prelu"): Value {
  const y = net.conv(x, middle, { kernel: 3, stride, groups: at(x.shape, 1) / 32, bias: false });
  return net.conv(y, out, { act });
}

function attributes(net: Layers, x: Value): Value {
  const first = net.conv(net.scale(net.scale(x, "add")), 64, { kernel: 3, act: "prelu" });
  const branch = grouped(net, grouped(net, first, 64, 64, 2, "prelu"), 64, 64, 1);
  let y = net.activate(net.add(branch, grouped(net, first, 64, 64, 2)), "prelu");
  const taps = [2, 6, 3].map((blocks) => {
    const width = at(y.shape, 1);
    const long = grouped(net, grouped(net, y, 4 * width, 2 * width, 2, "prelu"), 4 * width, 2 * width, 1);
    y = net.activate(net.add(grouped(net, y, 2 * width, 2 * width, 2, "prelu"), long), "prelu");
    for (let index = 1; index < blocks; index += 1) {
      const inner = grouped(net, grouped(net, y, 4 * width, 2 * width, 1, "prelu"), 4 * width, 2 * width, 1);
      y = net.activate(net.add(inner, y), "prelu");
    }
    return y;
  });
  const [, fine = y, last = y] = taps;
  const answers = Array.from({ length: 5 }, () => {
    const joined = net.concat([grouped(net, fine, 128, 128, 2, "prelu"), last]);
    const small = grouped(net, joined, 320, 128, 2, "prelu");
    const size = small.shape.slice(2);
    return net.reshape(net.fc(net.averagePool(small, { kernel: size, stride: 1 }), 2), [at(x.shape, 0), 1, 2]);
  });
  return net.gather(net.softmax(net.concat(answers, 1)), 2);
}

const source = (model: string): string => `github.com/quic/ai-hub-models@52c080d qai_hub_models/models/${model}`;

export default [
  makeKnown({
    id: "face_det_lite",
    name: "Qualcomm lightweight face detection",
    aliases: ["face_det_lite / Lightweight-Face-Detection", "Lightweight-Face-Detection"],
    family: "Qualcomm",
    task: "face",
    input: [1, 480, 640],
    published: [aiHub("face_det_lite", 0.878)],
    source: source("face_det_lite"),
    layers: faces,
  }),
  makeKnown({
    id: "foot_track_net",
    name: "Qualcomm person and foot detection",
    aliases: ["foot_track_net / Person-Foot-Detection", "Person-Foot-Detection"],
    family: "Qualcomm",
    task: "detection",
    input: [3, 480, 640],
    published: [aiHub("foot_track_net", 2.53)],
    source: source("foot_track_net"),
    layers: feet,
  }),
  makeKnown({
    id: "face_attrib_net",
    name: "Qualcomm facial attributes",
    aliases: ["face_attrib_net / Facial-Attribute-Detection", "Facial-Attribute-Detection"],
    family: "Qualcomm",
    task: "face",
    input: 128,
    published: [
      within(
        aiHub("face_attrib_net", 12.1),
        0.16,
        "of the checkpoint that knows faces again as well (multitask_FR), which the layers that are exported leave out",
      ),
    ],
    source: source("face_attrib_net"),
    layers: attributes,
  }),
] satisfies readonly KnownModel[];
