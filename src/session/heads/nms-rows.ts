/**
 * One row a box, sorted out already: left, top, right, bottom, score, class (YOLOv10, YOLO26 and exports with nms=True) in pixels, or
 * OpenVINO's and Caffe's DetectionOutput: picture, class, score, left, top, right, bottom in shares of the input.
 */

import { shapeWords, single, unit, type Box, type Head, type Plain } from "./head.ts";

/** Rows of a sorted list; more are candidates of a head that has not been sorted. */
const ROWS_LIMIT = 1_000;

const head: Head = {
  id: "nms-rows",
  name: "rows of boxes",
  sources: [
    "https://github.com/THU-MIG/yolov10 ultralytics/nn/modules/head.py, class v10Detect",
    "https://docs.ultralytics.com/modes/export/ (nms)",
    "https://docs.openvino.ai/latest/documentation/openvino-ir-format/operation-sets/operation-specs/detection/detectionoutput-8.html",
  ],
  find({ tensors, input, limits }) {
    for (const tensor of tensors) {
      const kind = sixOf(tensor) ?? sevenOf(tensor);
      if (kind === undefined || (kind.pixels && input === undefined)) continue;
      const least = limits.score ?? 0.25;
      return {
        because: `${shapeWords(tensor)} holds ${kind.says}`,
        sure: kind.sure,
        assumed: [`boxes from a score of ${least} on (--min-score)`],
        read: () => {
          const numbers = tensor.numbers();
          const largest = Math.max(...kind.rows.map((at) => numbers[at + kind.box + 2] ?? 0), 0);
          // Exports to TFLite divide by the input's size.
          const [width, height] = kind.pixels && largest > 2 ? [input?.width ?? 1, input?.height ?? 1] : [1, 1];
          const boxes = kind.rows.flatMap((at): Box[] => {
            const of = (value: number): number => numbers[at + value] ?? 0;
            if (of(kind.score) < least) return [];
            return [
              {
                left: of(kind.box) / width,
                top: of(kind.box + 1) / height,
                right: of(kind.box + 2) / width,
                bottom: of(kind.box + 3) / height,
                score: of(kind.score),
                class: Math.round(of(kind.class)),
              },
            ];
          });
          return { boxes: boxes.sort((a, b) => b.score - a.score).slice(0, limits.boxes) };
        },
      };
    }
    return undefined;
  },
};
export default head;

interface Rows {
  readonly says: string;
  readonly sure: boolean;
  readonly pixels: boolean;
  /** Where each row begins, and columns in it. */
  readonly rows: readonly number[];
  readonly box: number;
  readonly score: number;
  readonly class: number;
}

function sixOf(tensor: Plain): Rows | undefined {
  const [rows, columns, ...more] = single(tensor, 2) ?? [];
  if (rows === undefined || columns !== 6 || more.length > 0 || rows > ROWS_LIMIT) return undefined;
  const numbers = tensor.numbers();
  const starts = Array.from({ length: rows }, (_, row) => row * 6);
  const scores = starts.map((at) => numbers[at + 4] ?? 0);
  const right =
    unit(scores) &&
    scores.every((score, row) => row === 0 || score <= (scores[row - 1] ?? 0) + 1e-6) &&
    starts.every((at) => Number.isInteger(numbers[at + 5]) && (numbers[at + 5] ?? -1) >= 0) &&
    starts.every(
      (at) => (numbers[at + 2] ?? 0) >= (numbers[at] ?? 0) && (numbers[at + 3] ?? 0) >= (numbers[at + 1] ?? 0),
    );
  if (!right) return undefined;
  return {
    says: "rows of two corners, a score between 0 and 1 that falls from row to row, and a whole number",
    sure: scores.some((score) => score > 0),
    pixels: true,
    rows: starts,
    box: 0,
    score: 4,
    class: 5,
  };
}

function sevenOf(tensor: Plain): Rows | undefined {
  const shape = tensor.shape;
  if (shape.length !== 4 || shape[0] !== 1 || shape[1] !== 1 || shape[3] !== 7) return undefined;
  const numbers = tensor.numbers();
  const starts: number[] = [];
  for (let at = 0; at < (shape[2] ?? 0) * 7; at += 7) {
    const picture = numbers[at] ?? -1;
    // A picture below 0 ends the list.
    if (picture < 0) break;
    if (!Number.isInteger(picture) || !Number.isInteger(numbers[at + 1]) || !unit(numbers, at + 2, 1, at + 3))
      return undefined;
    if (picture === 0) starts.push(at);
  }
  const says = "rows of picture, class, score and two corners, as DetectionOutput writes them";
  return { says, sure: true, pixels: false, rows: starts, box: 3, score: 2, class: 1 };
}
