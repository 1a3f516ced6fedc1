/** YOLOv5 and YOLOv7, decoded: rows of centre x, y, width, height, objectness, a score for each class; three rows a cell. */

import { around, highest, keptWords, suppress } from "./boxes.ts";
import { cellsOf, shapeWords, single, unit, type Box, type Head } from "./head.ts";
import { strideSets, strideWords, yoloFacts } from "./yolo-facts.ts";

const head: Head = {
  id: "yolov5",
  name: "YOLOv5 / YOLOv7",
  sources: ["https://github.com/ultralytics/yolov5 models/yolo.py, class Detect"],
  find(ends) {
    const { input, tensors, limits } = ends;
    if (input === undefined) return undefined;
    for (const tensor of tensors) {
      const [rows, values, ...more] = single(tensor, 2) ?? [];
      if (rows === undefined || values === undefined || more.length > 0 || values < 6) continue;
      const strides = strideSets.find((set) => 3 * cellsOf(input, set) === rows);
      if (strides === undefined) continue;
      const masks = tensors.some((other) => single(other, 3)?.[0] === 32) && values > 38 ? 32 : 0;
      const named = yoloFacts(ends).classes;
      // Labels of another model do not decide how many columns are classes.
      const classes = named === values - 5 ? named : values - 5 - masks;
      if (!unit(tensor.numbers(), 4, values)) continue;
      const keep = { score: limits.score ?? 0.25, overlap: 0.45, boxes: limits.boxes };
      return {
        because:
          `${shapeWords(tensor)} has three rows for each cell that strides ${strideWords(strides)} make of ` +
          `${input.width} x ${input.height}, and a fifth column between 0 and 1`,
        sure: true,
        assumed: [keptWords(keep)],
        read: () => ({ boxes: suppress(decode(tensor.numbers(), rows, values, classes, input, keep.score), keep) }),
      };
    }
    return undefined;
  },
};
export default head;

function decode(
  numbers: ArrayLike<number>,
  rows: number,
  values: number,
  classes: number,
  input: { readonly width: number; readonly height: number },
  least: number,
): Box[] {
  // Exports to TFLite divide by the input's size; exports to ONNX do not.
  const [width, height] = shares(numbers, rows, values) ? [1, 1] : [input.width, input.height];
  const boxes: Box[] = [];
  for (let at = 0; at < rows * values; at += values) {
    const object = numbers[at + 4] ?? 0;
    if (object < least) continue;
    const { index, score } = highest(numbers, at + 5, classes, 1);
    if (object * score < least) continue;
    const box = around(
      (numbers[at] ?? 0) / width,
      (numbers[at + 1] ?? 0) / height,
      (numbers[at + 2] ?? 0) / width,
      (numbers[at + 3] ?? 0) / height,
    );
    boxes.push({ ...box, score: object * score, class: index });
  }
  return boxes;
}

/** Are x and y shares of the input, not pixels? Cells at the far end would be hundreds of pixels away. */
function shares(numbers: ArrayLike<number>, rows: number, values: number): boolean {
  for (let at = 0; at < rows * values; at += values) {
    if ((numbers[at] ?? 0) > 2 || (numbers[at + 1] ?? 0) > 2) return false;
  }
  return true;
}
