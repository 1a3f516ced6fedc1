/** MediaPipe's points of a hand, lite: inverted residuals, read off its TFLite file. arXiv 2006.10214. */

import { inverted } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, within } from "../parts/published.ts";

/** Kernel, channels in the middle, channels out, stride. */
/* prettier-ignore */
const rows = [
  [3, 64, 16, 2], [3, 96, 16, 1], [5, 96, 24, 2], [5, 144, 24, 1], [3, 144, 48, 2], [3, 288, 48, 1], [3, 288, 48, 1],
  [5, 288, 64, 1], [5, 384, 64, 1], [5, 384, 64, 1], [5, 384, 112, 2], [5, 672, 112, 1], [5, 672, 112, 1], [5, 672, 112, 1],
] as const;

export default [
  makeKnown({
    id: "hand_landmark_lite",
    name: "MediaPipe hand landmark lite",
    family: "MediaPipe",
    task: "pose",
    input: 224,
    published: [within(hailo("hand_landmark_detection", 0.3, 1.01), 0.04, "operations are told in tenths")],
    source: "hand_landmark_lite.tflite of github.com/google/mediapipe; arXiv 2006.10214",
    layers: (net, x) => {
      const stem = net.conv(x, 24, { kernel: 3, stride: 2, act: "relu6" });
      let y = net.conv(net.depthwise(stem, { act: "relu6" }), 16);
      for (const [kernel, wide, out, stride] of rows) y = inverted(net, y, { kernel, wide, out, stride, act: "relu6" });
      const last = net.depthwise(net.conv(y, 672, { act: "relu6" }), { act: "relu6" });
      const mean = net.flatten(net.globalPool(last));
      return [
        net.fc(mean, 63),
        net.fc(mean, 1, { act: "sigmoid" }),
        net.fc(mean, 1, { act: "sigmoid" }),
        net.fc(mean, 63),
      ];
    },
  }),
] satisfies readonly KnownModel[];
