/** MediaPipe's points of a hand, lite and full: inverted residuals, read off its TFLite files. arXiv 2006.10214. */

import { inverted } from "../blocks.ts";
import type { KnownModel, Published } from "../known.ts";
import type { Layers, Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, hailo, within } from "../parts/published.ts";

/** Kernel, channels in the middle, channels out, stride. */
type Row = readonly [kernel: 3 | 5, wide: number, out: number, stride: 1 | 2];

/* prettier-ignore */
const lite: readonly Row[] = [
  [3, 64, 16, 2], [3, 96, 16, 1], [5, 96, 24, 2], [5, 144, 24, 1], [3, 144, 48, 2], [3, 288, 48, 1], [3, 288, 48, 1],
  [5, 288, 64, 1], [5, 384, 64, 1], [5, 384, 64, 1], [5, 384, 112, 2], [5, 672, 112, 1], [5, 672, 112, 1], [5, 672, 112, 1],
];
/* prettier-ignore */
const full: readonly Row[] = [
  [3, 64, 24, 2], [3, 144, 24, 1], [5, 144, 40, 2], [5, 240, 40, 1], [3, 240, 80, 2], [3, 480, 80, 1], [3, 480, 80, 1],
  [5, 480, 112, 1], [5, 672, 112, 1], [5, 672, 112, 1], [5, 672, 192, 2], [5, 1152, 192, 1], [5, 1152, 192, 1], [5, 1152, 192, 1],
];

function points(net: Layers, x: Value, rows: readonly Row[], last: number): Value[] {
  const act = { act: "relu6" } as const;
  let y = net.conv(net.depthwise(net.conv(x, 24, { kernel: 3, stride: 2, ...act }), act), 16);
  for (const [kernel, wide, out, stride] of rows) y = inverted(net, y, { kernel, wide, out, stride, ...act });
  const mean = net.flatten(net.globalPool(net.depthwise(net.conv(y, last, act), act)));
  return [net.fc(mean, 63), net.fc(mean, 1, { act: "sigmoid" }), net.fc(mean, 1, { act: "sigmoid" }), net.fc(mean, 63)];
}

const known = (
  size: "lite" | "full",
  rows: readonly Row[],
  last: number,
  published: readonly Published[],
  source: string,
  aliases: readonly string[] = [],
): KnownModel =>
  makeKnown({
    id: `hand_landmark_${size}`,
    name: `MediaPipe hand landmark ${size}`,
    aliases,
    family: "MediaPipe",
    task: "pose",
    input: 224,
    published,
    source: `${source}; arXiv 2006.10214`,
    layers: (net, x) => points(net, x, rows, last),
  });

export default [
  known(
    "lite",
    lite,
    672,
    [within(hailo("hand_landmark_detection", 0.3, 1.01), 0.04, "operations are told in tenths")],
    "hand_landmark_lite.tflite of github.com/google/mediapipe",
  ),
  known(
    "full",
    full,
    1152,
    [aiHub("mediapipe_hand_gesture", 2.72)],
    "github.com/quic/ai-hub-models@52c080d qai_hub_models/models/mediapipe_hand_gesture/model.py",
    ["mediapipe_hand_gesture / HandLandmarkDetector"],
  ),
] satisfies readonly KnownModel[];
