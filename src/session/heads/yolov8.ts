/**
 * YOLOv8, v9, 11, 12, decoded: four rows of centre x, y, width, height, a row for each class, then what the task adds (points of a pose,
 * coefficients of masks, an angle); one column a cell, or all of it transposed.
 */

import { around, highest, keptWords, suppress } from "./boxes.ts";
import { cellsOf, shapeWords, single, unit, type Box, type Ends, type Head, type Match, type Point } from "./head.ts";
import { cocoPoints, strideSets, strideWords, yoloFacts } from "./yolo-facts.ts";

const head: Head = {
  id: "yolov8",
  name: "YOLOv8 / YOLO11",
  sources: [
    "https://github.com/ultralytics/ultralytics ultralytics/nn/modules/head.py, classes Detect, Pose, Segment, OBB",
  ],
  find(ends) {
    const { input, tensors } = ends;
    if (input === undefined) return undefined;
    for (const tensor of tensors) {
      const [first, second, ...more] = single(tensor, 2) ?? [];
      if (first === undefined || second === undefined || more.length > 0) continue;
      const strides = strideSets.find((set) => [first, second].includes(cellsOf(input, set)));
      if (strides === undefined) continue;
      const cells = cellsOf(input, strides);
      const layout: Layout =
        second === cells
          ? { cells, values: first, cell: 1, value: cells }
          : { cells, values: second, cell: second, value: 1 };
      if (layout.values < 5) continue;
      const match = matched(ends, tensor.numbers(), layout, input);
      if (match === undefined) continue;
      return {
        ...match,
        because:
          `${shapeWords(tensor)} has ${second === cells ? "a column" : "a row"} for each of the ${cells} cells that strides ` +
          `${strideWords(strides)} make of ${input.width} x ${input.height}${match.because}`,
      };
    }
    return undefined;
  },
};
export default head;

/** Where the value `v` of cell `c` is: c * cell + v * value. */
interface Layout {
  readonly cells: number;
  readonly values: number;
  readonly cell: number;
  readonly value: number;
}

function matched(
  ends: Ends,
  numbers: ArrayLike<number>,
  layout: Layout,
  input: { readonly width: number; readonly height: number },
): Match | undefined {
  const facts = yoloFacts(ends);
  const masks = facts.task === "segment" || ends.tensors.some((other) => single(other, 3)?.[0] === 32) ? 32 : 0;
  const turned = facts.task === "obb" ? 1 : 0;
  const points = facts.points ?? (facts.task === "pose" ? ([17, 3] as const) : undefined);
  const extra = masks + turned + (points === undefined ? 0 : points[0] * points[1]);
  const classes =
    facts.classes !== undefined && facts.classes + 4 + extra === layout.values
      ? facts.classes
      : layout.values - 4 - extra;
  if (classes < 1) return undefined;
  // Class scores have been through a sigmoid; YOLOX's fifth value has too, and its width and height are logarithms.
  for (let value = 4; value < 4 + classes; value++) {
    const start = value * layout.value;
    if (!unit(numbers, start, layout.cell, start + layout.cells * layout.cell)) return undefined;
  }
  for (let cell = 0; cell < layout.cells; cell++) {
    if ((numbers[cell * layout.cell + 2 * layout.value] ?? 0) < -0.01) return undefined;
  }
  const told = classes === facts.classes || facts.task !== undefined;
  const keep = { score: ends.limits.score ?? 0.25, overlap: 0.45, boxes: ends.limits.boxes };
  return {
    because: `, four values of a box and ${classes} between 0 and 1${told ? "" : " (the file names no classes)"}`,
    // 56 rows are one class with 17 points of 3 values, or 52 classes; rows by cell of 5 + classes may be YOLOX's.
    sure: told || (layout.values !== 56 && layout.cell === 1),
    assumed: [
      keptWords(keep),
      ...(turned === 0 ? [] : ["the angle of boxes is not read"]),
      ...(masks === 0 ? [] : ["masks are not read, boxes are"]),
    ],
    read: () => ({ boxes: suppress(decode(numbers, layout, classes, points, input, keep.score), keep) }),
  };
}

function decode(
  numbers: ArrayLike<number>,
  { cells, cell, value }: Layout,
  classes: number,
  points: readonly [number, number] | undefined,
  input: { readonly width: number; readonly height: number },
  least: number,
): Box[] {
  // Exports to TFLite divide by the input's size; exports to ONNX do not.
  let largest = 0;
  for (let at = 0; at < cells; at++)
    largest = Math.max(largest, numbers[at * cell] ?? 0, numbers[at * cell + value] ?? 0);
  const [width, height] = largest <= 2 ? [1, 1] : [input.width, input.height];
  const boxes: Box[] = [];
  for (let at = 0; at < cells * cell; at += cell) {
    const { index, score } = highest(numbers, at + 4 * value, classes, value);
    if (score < least) continue;
    const of = (v: number): number => numbers[at + v * value] ?? 0;
    boxes.push({
      ...around(of(0) / width, of(1) / height, of(2) / width, of(3) / height),
      score,
      class: index,
      ...(points === undefined ? {} : { points: pointsOf(of, 4 + classes, points, width, height) }),
    });
  }
  return boxes;
}

function pointsOf(
  of: (value: number) => number,
  start: number,
  [count, values]: readonly [number, number],
  width: number,
  height: number,
): Point[] {
  return Array.from({ length: count }, (_, point) => {
    const at = start + point * values;
    const name = count === cocoPoints.length ? cocoPoints[point] : undefined;
    return {
      x: of(at) / width,
      y: of(at + 1) / height,
      ...(values === 3 ? { score: of(at + 2) } : {}),
      ...(name === undefined ? {} : { name }),
    };
  });
}
