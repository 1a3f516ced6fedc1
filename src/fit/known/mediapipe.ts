/**
 * MediaPipe's hands, faces and selfies: palms (BlazePalm), points of a hand, what it says, and the person before a background. arXiv 1907.05047,
 * 2006.10214; github.com/zmurez/MediaPipePyTorch; github.com/quic/ai-hub-models@52c080d, model.py of mediapipe_selfie and
 * mediapipe_hand_gesture.
 */

import type { KnownModel } from "../known.ts";
import { at, type Activation, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, hailo, within } from "../parts/published.ts";

const relu = { act: "relu" } as const;

/** Depthwise and 1x1; what came in is added, pooled and filled up with channels of zeros where it does not fit. */
function blaze(net: Layers, x: Value, out: number, kernel: 3 | 5, stride = 1): Value {
  const y = net.conv(net.depthwise(x, { kernel, stride }), out);
  const around = stride === 2 ? net.maxPool(x, { kernel: 2, stride: 2 }) : x;
  const more = out - at(x.shape, 1);
  return net.add(y, more > 0 ? net.pad(around, 0, more) : around, "relu");
}

/** `count` blocks; the first halves the sizes where `stride` is 2. */
function row(net: Layers, x: Value, out: number, count: number, kernel: 3 | 5, stride = 2): Value {
  let y = x;
  for (let index = 0; index < count; index += 1) y = blaze(net, y, out, kernel, index === 0 ? stride : 1);
  return y;
}

/** Anchors of three sizes: whether it is a palm, its box and seven points. */
function palm(net: Layers, x: Value): Value[] {
  const first = row(net, net.conv(x, 32, { kernel: 3, stride: 2, ...relu }), 32, 7, 3, 1);
  const fine = row(net, row(net, first, 64, 8, 3), 128, 8, 3);
  const middle = row(net, fine, 256, 8, 3);
  const coarse = row(net, middle, 256, 8, 3);
  const two = blaze(net, net.add(middle, net.transposed(coarse, 256, relu)), 256, 3);
  const three = blaze(net, net.add(fine, net.transposed(two, 128, relu)), 128, 3);
  const told = (values: number): Value =>
    net.concat(
      [three, two, coarse].map((level) => {
        const anchors = level === coarse ? 6 : 2;
        const all = net.tokens(net.conv(level, anchors * values));
        return net.reshape(all, [at(all.shape, 0), at(all.shape, 1) * anchors, values]);
      }),
      1,
    );
  return [told(18), told(1)];
}

/** An hourglass, then blocks down to 2x2. */
function points(net: Layers, x: Value): Value[] {
  const whole = row(net, row(net, net.conv(x, 24, { kernel: 3, stride: 2, ...relu }), 24, 2, 5, 1), 48, 1, 5);
  const down = (y: Value, out: number): Value => blaze(net, row(net, y, at(y.shape, 1), 2, 5, 1), out, 5, 2);
  const half = down(whole, 96);
  const quarter = down(half, 96);
  const up = (fine: Value, from: Value): Value => net.add(fine, net.upsample(from, 2, "linear"));
  const seen = blaze(net, up(half, blaze(net, up(quarter, down(quarter, 96)), 96, 5)), 96, 5);
  let y = row(net, up(whole, net.conv(seen, 48)), 48, 4, 5, 1);
  for (const out of [96, 288, 288, 288, 288]) y = row(net, y, out, 5, 5);
  const last = (out: number, act?: Activation): Value => net.conv(y, out, { kernel: 2, pad: "valid", act });
  return [last(1, "sigmoid"), last(1, "sigmoid"), last(63)];
}

/** 468 points of a face, and whether it is one. */
function face(net: Layers, x: Value): Value[] {
  const steep = (y: Value, out: number, stride = 1): Value => {
    const z = net.conv(net.depthwise(y, { stride }), out);
    const around = stride === 2 ? net.maxPool(y, { kernel: 2, stride: 2 }) : y;
    const more = out - at(y.shape, 1);
    return net.activate(net.add(z, more > 0 ? net.pad(around, 0, more) : around), "prelu");
  };
  const down = (y: Value, out: number): Value => steep(steep(steep(y, out, 2), out), out);
  let y = net.conv(x, 16, { kernel: 3, stride: 2, act: "prelu" });
  y = down(down(down(down(steep(steep(y, 16), 16), 32), 64), 128), 128);
  const answer = (z: Value, out: number): Value =>
    net.conv(steep(net.conv(z, 32, { act: "prelu" }), 32), out, { kernel: 3, pad: "valid" });
  return [answer(down(y, 128), 1404), net.activate(answer(steep(y, 128, 2), 1), "sigmoid")];
}

/** Channels weighed by their mean: of `from`, through two layers. */
function weighed(net: Layers, x: Value, from: Value, middle: number): Value {
  const gate = net.conv(net.conv(net.globalPool(from), middle, relu), at(x.shape, 1), { act: "sigmoid" });
  return net.mul(x, gate);
}

/** MobileNet v3's blocks down to a sixteenth: kernel, channels in the middle, out, of the weighing, stride. */
/* prettier-ignore */
const selfieRows = [
  [3, 16, 16, 8, 2], [3, 72, 24, 0, 2], [3, 88, 24, 0, 1], [5, 96, 32, 24, 2], [5, 128, 32, 32, 1], [5, 128, 32, 32, 1], [5, 96, 32, 24, 1],
  [5, 96, 32, 24, 1],
] as const;

function selfie(net: Layers, x: Value): Value {
  const first = net.conv(x, 16, { kernel: 3, stride: 2, act: "hswish" });
  const taps: Value[] = [];
  let y = first;
  selfieRows.forEach(([kernel, wide, out, middle, stride], index) => {
    const act = index < 3 ? "relu" : "hswish";
    const inner = net.depthwise(net.conv(y, wide, { act }), { kernel, stride, act });
    const z = net.conv(middle > 0 ? weighed(net, inner, inner, middle) : inner, out);
    y = stride === 1 ? net.add(z, y) : z;
    taps.push(y);
  });
  const gate = net.conv(net.globalPool(y), 128, { act: "sigmoid" });
  y = net.mul(net.conv(y, 128, relu), gate);
  for (const [fine, out] of [
    [taps[2], 24],
    [taps[0], 16],
    [first, 16],
  ] as const) {
    if (fine === undefined) continue;
    const coarse = net.conv(net.upsample(y, 2, "linear"), out);
    const sum = net.add(coarse, weighed(net, fine, net.add(fine, coarse), out));
    const z = net.conv(sum, out, relu);
    y = net.add(z, net.depthwise(z, relu));
  }
  return net.transposed(y, 1, { kernel: 2, stride: 2, act: "sigmoid" });
}

/** One hand and its mirror image through seven residual layers each, with the same weights. */
function gesture(net: Layers, hand: Value): Value {
  const inner = (points: Value): Value => {
    let y = net.fc(points, 128, { share: "first" });
    for (let index = 0; index < 7; index += 1)
      y = net.add(y, net.fc(net.activate(net.batchNorm(y), "silu"), 128, { share: `layer.${index}` }));
    return y;
  };
  const both = net.add(inner(hand), inner(net.inputOf(hand.shape, "mirrored_hand")));
  const said = net.fc(net.activate(net.batchNorm(both), "silu"), 128);
  return net.softmax(net.fc(net.activate(net.batchNorm(said), "relu"), 8));
}

const hub = (model: string): string => `github.com/quic/ai-hub-models@52c080d qai_hub_models/models/${model}/model.py`;

export default [
  makeKnown({
    id: "mediapipe_palm",
    name: "MediaPipe palm detection",
    aliases: ["palm_detection", "blazepalm", "mediapipe_hand / HandDetector", "mediapipe_hand_gesture / PalmDetector"],
    family: "MediaPipe",
    task: "detection",
    input: 256,
    published: [aiHub("mediapipe_hand", 1.76)],
    source: "arXiv 2006.10214; github.com/zmurez/MediaPipePyTorch blazepalm.py",
    layers: palm,
  }),
  makeKnown({
    id: "mediapipe_hand_landmark",
    name: "MediaPipe hand landmark of 256x256",
    aliases: ["blazehand_landmark", "mediapipe_hand / HandLandmarkDetector"],
    family: "MediaPipe",
    task: "pose",
    input: 256,
    published: [aiHub("mediapipe_hand", 2.01)],
    source: "arXiv 2006.10214; github.com/zmurez/MediaPipePyTorch blazehand_landmark.py",
    layers: points,
  }),
  makeKnown({
    id: "mediapipe_face_landmark",
    name: "MediaPipe face landmark",
    aliases: ["face_landmarks_lite", "blazeface_landmark", "mediapipe_face / FaceLandmarkDetector"],
    family: "MediaPipe",
    task: "face",
    input: 192,
    published: [
      aiHub("mediapipe_face", 0.603),
      within(hailo("facial_landmark_detection", 0.07, 0.6), 0.06, "operations are told in hundredths"),
    ],
    source: "arXiv 1907.06724; github.com/zmurez/MediaPipePyTorch blazeface_landmark.py",
    layers: face,
  }),
  makeKnown({
    id: "mediapipe_selfie",
    name: "MediaPipe selfie segmentation",
    aliases: [
      "selfie_segmentation",
      "mediapipe_selfie / MediaPipe-Selfie-Segmentation",
      "MediaPipe-Selfie-Segmentation",
    ],
    family: "MediaPipe",
    task: "segmentation",
    input: 256,
    published: [aiHub("mediapipe_selfie", 0.106)],
    source: hub("mediapipe_selfie"),
    layers: selfie,
  }),
  makeKnown({
    id: "mediapipe_gesture",
    name: "MediaPipe gestures from points of a hand",
    aliases: ["canned_gesture_classifier", "mediapipe_hand_gesture / CannedGestureClassifier"],
    family: "MediaPipe",
    task: "pose",
    input: [1, 1, 64],
    published: [aiHub("mediapipe_hand_gesture", 0.143)],
    source: hub("mediapipe_hand_gesture"),
    enter: (net, [, , width]) => net.inputOf([net.batch, width], "hand"),
    layers: gesture,
  }),
] satisfies readonly KnownModel[];
