/**
 * MediaPipe's detectors (BlazeFace, BlazePalm, BlazePose): offsets from anchors that are not in the file, but follow from the options
 * MediaPipe publishes with each model: a grid for each stride, in each cell as many anchors of size 1 as the options make.
 */

import { around, suppress } from "./boxes.ts";
import { shapeWords, sigmoid, single, type Box, type Head, type Point } from "./head.ts";

interface Options {
  readonly what: string;
  /** Side of the square input, and what offsets are divided by. */
  readonly side: number;
  /** SsdAnchorsCalculatorOptions.strides; two anchors for each, or one without interpolated_scale_aspect_ratio. */
  readonly strides: readonly number[];
  readonly each: 1 | 2;
  /** Names of points, in order. */
  readonly points: readonly string[];
  readonly score: number;
}

const face = ["right eye", "left eye", "nose tip", "mouth", "right ear tragion", "left ear tragion"];
const palm = ["wrist", "index base", "middle base", "ring base", "little base", "thumb root", "thumb base"];
const pose = ["hip centre", "full body scale", "shoulder centre", "upper body scale"];

const models: readonly Options[] = [
  { what: "face, short range", side: 128, strides: [8, 16, 16, 16], each: 2, points: face, score: 0.5 },
  { what: "face, full range", side: 192, strides: [4], each: 1, points: face, score: 0.6 },
  { what: "palm", side: 192, strides: [8, 16, 16, 16], each: 2, points: palm, score: 0.5 },
  { what: "palm, first version", side: 256, strides: [8, 16, 32, 32, 32], each: 2, points: palm, score: 0.5 },
  { what: "pose", side: 224, strides: [8, 16, 32, 32, 32], each: 2, points: pose, score: 0.5 },
  { what: "pose, first version", side: 128, strides: [8, 16, 16, 16], each: 2, points: pose, score: 0.5 },
];

/** Scores are clipped before the sigmoid: TensorsToDetectionsCalculatorOptions.score_clipping_thresh. */
const CLIP = 100;

const head: Head = {
  id: "mediapipe",
  name: "MediaPipe detector",
  sources: [
    "https://github.com/google-ai-edge/mediapipe mediapipe/calculators/tflite/ssd_anchors_calculator.cc",
    "https://github.com/google-ai-edge/mediapipe mediapipe/modules/face_detection, palm_detection, pose_detection (*.pbtxt)",
  ],
  find({ tensors, input, limits }) {
    if (input === undefined || input.width !== input.height) return undefined;
    for (const options of models) {
      const { what, side, points, strides } = options;
      if (side !== input.width) continue;
      const anchors = anchorsOf(options);
      const values = 4 + 2 * points.length;
      const boxes = tensors.find((tensor) => fits(single(tensor, 2), anchors.length, values));
      const scores = tensors.find((tensor) => fits(single(tensor, 2), anchors.length, 1));
      if (boxes === undefined || scores === undefined) continue;
      const least = limits.score ?? options.score;
      return {
        because:
          `${shapeWords(boxes)} and ${shapeWords(scores)} have one row for each of the ${anchors.length} anchors that MediaPipe's ` +
          `options for ${what} make of ${side} x ${side} with strides ${strides.join(", ")}`,
        sure: true,
        assumed: [
          `boxes from a score of ${least} on (--min-score), and of those that overlap by 0.3 or more the highest`,
        ],
        read: () => {
          const [places, logits] = [boxes.numbers(), scores.numbers()];
          const found: Box[] = [];
          anchors.forEach(([x, y], row) => {
            const score = sigmoid(Math.max(-CLIP, Math.min(CLIP, logits[row] ?? -CLIP)));
            if (score < least) return;
            const of = (value: number): number => (places[row * values + value] ?? 0) / side;
            found.push({
              ...around(x + of(0), y + of(1), of(2), of(3)),
              score,
              points: points.map((name, at): Point => ({ name, x: x + of(4 + 2 * at), y: y + of(5 + 2 * at) })),
            });
          });
          return { boxes: suppress(found, { score: least, overlap: 0.3, boxes: limits.boxes }) };
        },
      };
    }
    return undefined;
  },
};
export default head;

const fits = (shape: readonly number[] | undefined, rows: number, values: number): boolean =>
  shape?.[0] === rows && shape[1] === values;

/** Centres in shares of the input. Layers of one stride share its grid, and their anchors lie side by side in each cell. */
function anchorsOf({ side, strides, each }: Options): (readonly [number, number])[] {
  const anchors: (readonly [number, number])[] = [];
  for (const stride of new Set(strides)) {
    const layers = strides.filter((other) => other === stride).length;
    const cells = Math.ceil(side / stride);
    for (let y = 0; y < cells; y++) {
      for (let x = 0; x < cells; x++) {
        for (let anchor = 0; anchor < layers * each; anchor++) anchors.push([(x + 0.5) / cells, (y + 0.5) / cells]);
      }
    }
  }
  return anchors;
}
