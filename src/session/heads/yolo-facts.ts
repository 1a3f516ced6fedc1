/** What YOLO exports say of themselves. https://docs.ultralytics.com/modes/export/ (metadata: task, names, kpt_shape, imgsz, stride) */

import type { Ends } from "./head.ts";

export interface YoloFacts {
  /** detect, pose, segment, obb, classify; the exporter's word. */
  readonly task?: string;
  readonly classes?: number;
  /** Points of a pose, and values of each (2, or 3 with visibility). */
  readonly points?: readonly [number, number];
}

export function yoloFacts({ model, labels }: Ends): YoloFacts {
  const { task, kpt_shape: points } = model.metadata;
  const pair = /^\s*[[(]\s*(\d{1,3})\s*,\s*([23])\s*[\])]\s*$/.exec(points ?? "");
  return {
    ...(task === undefined ? {} : { task }),
    ...(labels === undefined ? {} : { classes: labels.length }),
    ...(pair === null ? {} : { points: [Number(pair[1]), Number(pair[2])] as const }),
  };
}

/** Sets of strides: the usual three, and the four of the P6 variants. */
export const strideSets: readonly (readonly number[])[] = [
  [8, 16, 32],
  [8, 16, 32, 64],
];

export const strideWords = (strides: readonly number[]): string =>
  `${strides.slice(0, -1).join(", ")} and ${strides.at(-1) ?? ""}`;

/** The 17 points of COCO's people, in the order of YOLO pose and MoveNet. https://cocodataset.org/#keypoints-2020 */
export const cocoPoints = [
  "nose",
  "left eye",
  "right eye",
  "left ear",
  "right ear",
  "left shoulder",
  "right shoulder",
  "left elbow",
  "right elbow",
  "left wrist",
  "right wrist",
  "left hip",
  "right hip",
  "left knee",
  "right knee",
  "left ankle",
  "right ankle",
] as const;

export const cocoBones: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 2],
  [1, 3],
  [2, 4],
  [5, 6],
  [5, 7],
  [7, 9],
  [6, 8],
  [8, 10],
  [5, 11],
  [6, 12],
  [11, 12],
  [11, 13],
  [13, 15],
  [12, 14],
  [14, 16],
];
