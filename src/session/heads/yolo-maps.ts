/**
 * YOLOv8 and YOLO11 before decoding, as toolkits of NPUs cut them: for each stride a map of 64 values (four sides, each a distribution over
 * 16 distances) and one value a class, in one tensor or in two.
 */

import { highest, keptWords, suppress } from "./boxes.ts";
import { sigmoid, shapeWords, single, unit, type Box, type Ends, type Head, type Plain } from "./head.ts";

/** Distances in the distribution of a side: reg_max of every released model. */
const BINS = 16;

const head: Head = {
  id: "yolo-maps",
  name: "YOLOv8 / YOLO11, not decoded",
  sources: [
    "https://github.com/ultralytics/ultralytics ultralytics/nn/modules/head.py, class Detect, and block.py, class DFL",
    "https://github.com/airockchip/rknn_model_zoo examples/yolov8",
  ],
  find(ends) {
    const { input, tensors, limits, labels, file, model } = ends;
    if (input === undefined) return undefined;
    const levels = [8, 16, 32].map((stride) => levelOf(tensors, input, stride));
    const [first] = levels;
    if (first === undefined || !levels.every((level) => level?.classes === first.classes)) return undefined;
    const named = /yolo(?:v8|v9|v?1[01])/i.test(
      `${file} ${model.description ?? ""} ${model.metadata["description"] ?? ""}`,
    );
    const keep = { score: limits.score ?? 0.25, overlap: 0.45, boxes: limits.boxes };
    return {
      because:
        `${levels.map((level) => (level === undefined ? "" : shapeWords(level.sides.tensor))).join(", ")} are grids of strides 8, 16 and 32 ` +
        `with 64 values for four sides${first.sides.tensor === first.scores.tensor ? ` and ${first.classes} for classes` : ", and others have the classes"}` +
        (named ? "; its name says so too" : ""),
      // 64 + classes can be three times 5 + classes of an older head with anchors.
      sure: named || labels?.length === first.classes || first.sides.tensor !== first.scores.tensor,
      assumed: [keptWords(keep)],
      read: () => ({
        boxes: suppress(
          levels.flatMap((level) => (level === undefined ? [] : decode(level, input, keep.score))),
          keep,
        ),
      }),
    };
  },
};
export default head;

interface Level {
  readonly stride: number;
  readonly columns: number;
  readonly rows: number;
  readonly classes: number;
  readonly sides: Channels;
  readonly scores: Channels;
}

/** Channels of a map from `start` on; the value of channel c at cell i is at i * cell + (start + c) * channel. */
interface Channels {
  readonly tensor: Plain;
  readonly start: number;
  readonly cell: number;
  readonly channel: number;
}

function levelOf(
  tensors: Ends["tensors"],
  input: { width: number; height: number },
  stride: number,
): Level | undefined {
  const [columns, rows] = [Math.ceil(input.width / stride), Math.ceil(input.height / stride)];
  const maps = tensors.flatMap((tensor) => {
    const shape = single(tensor, 3) ?? [];
    if (shape[0] === rows && shape[1] === columns)
      return [{ tensor, channels: shape[2] ?? 0, cell: shape[2] ?? 0, channel: 1 }];
    if (shape[1] === rows && shape[2] === columns)
      return [{ tensor, channels: shape[0] ?? 0, cell: 1, channel: rows * columns }];
    return [];
  });
  const level = { stride, columns, rows };
  const whole = maps.find(({ channels }) => channels > 4 * BINS);
  const [sides] = maps.filter(({ channels }) => channels === 4 * BINS);
  // Rockchip's cut has a third map of one channel, the sum of the classes, which only saves time.
  const scores = maps.find((map) => map !== sides && map.channels >= 1);
  if (sides !== undefined && scores !== undefined)
    return { ...level, classes: scores.channels, sides: { ...sides, start: 0 }, scores: { ...scores, start: 0 } };
  if (whole === undefined) return undefined;
  return {
    ...level,
    classes: whole.channels - 4 * BINS,
    sides: { ...whole, start: 0 },
    scores: { ...whole, start: 4 * BINS },
  };
}

function decode(
  { stride, columns, rows, classes, sides, scores }: Level,
  input: { width: number; height: number },
  least: number,
): Box[] {
  const [far, near] = [sides.tensor.numbers(), scores.tensor.numbers()];
  const done = sides.tensor !== scores.tensor && unit(near);
  const boxes: Box[] = [];
  for (let cell = 0; cell < rows * columns; cell++) {
    const best = highest(near, cell * scores.cell + scores.start * scores.channel, classes, scores.channel);
    const score = done ? best.score : sigmoid(best.score);
    if (score < least) continue;
    const [x, y] = [(cell % columns) + 0.5, Math.floor(cell / columns) + 0.5];
    const side = (at: number): number => expected(far, cell * sides.cell + at * BINS * sides.channel, sides.channel);
    boxes.push({
      left: ((x - side(0)) * stride) / input.width,
      top: ((y - side(1)) * stride) / input.height,
      right: ((x + side(2)) * stride) / input.width,
      bottom: ((y + side(3)) * stride) / input.height,
      score,
      class: best.index,
    });
  }
  return boxes;
}

/** Mean of 0 to 15 under the softmax of 16 values. */
function expected(numbers: ArrayLike<number>, start: number, step: number): number {
  const { score: most } = highest(numbers, start, BINS, step);
  let [sum, mean] = [0, 0];
  for (let bin = 0; bin < BINS; bin++) {
    const weight = Math.exp((numbers[start + bin * step] ?? 0) - most);
    sum += weight;
    mean += weight * bin;
  }
  return mean / sum;
}
