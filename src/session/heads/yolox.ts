/** YOLOX, not decoded: a row for each cell, of centre (in cells, from the cell), logarithm of the size, objectness, classes. */

import { around, highest, keptWords, suppress } from "./boxes.ts";
import { cellsOf, gridOf, shapeWords, single, unit, type Box, type Head } from "./head.ts";
import { strideSets, strideWords } from "./yolo-facts.ts";

const head: Head = {
  id: "yolox",
  name: "YOLOX",
  sources: ["https://github.com/Megvii-BaseDetection/YOLOX yolox/utils/demo_utils.py, demo_postprocess"],
  find({ input, tensors, limits, labels, file, model }) {
    if (input === undefined) return undefined;
    for (const tensor of tensors) {
      const [rows, values, ...more] = single(tensor, 2) ?? [];
      if (rows === undefined || values === undefined || more.length > 0 || values < 6) continue;
      const strides = strideSets.find((set) => cellsOf(input, set) === rows);
      if (strides === undefined) continue;
      const numbers = tensor.numbers();
      if (!Array.from({ length: values - 4 }).every((_, at) => unit(numbers, at + 4, values))) continue;
      const raw = Array.from({ length: rows }).some(
        (_, at) => (numbers[at * values + 2] ?? 0) < 0 || (numbers[at * values + 3] ?? 0) < 0,
      );
      const named = /yolox/i.test(`${file} ${model.graphs[0]?.name ?? ""} ${model.description ?? ""}`);
      const keep = { score: limits.score ?? 0.25, overlap: 0.45, boxes: limits.boxes };
      return {
        because:
          `${shapeWords(tensor)} has a row for each of the ${rows} cells that strides ${strideWords(strides)} make of ` +
          `${input.width} x ${input.height}, ` +
          (raw ? "sizes below 0, which are logarithms," : "sizes in pixels") +
          ` and ${values - 4} values between 0 and 1${named ? "; its name says YOLOX" : ""}`,
        sure: raw || named || labels?.length === values - 5,
        assumed: [keptWords(keep)],
        read: () => {
          const grid = gridOf(input, strides);
          const boxes: Box[] = [];
          for (let row = 0; row < rows; row++) {
            const at = row * values;
            const object = numbers[at + 4] ?? 0;
            const { index, score } = highest(numbers, at + 5, values - 5, 1);
            if (object * score < keep.score) continue;
            const [x, y, w, h] = [0, 1, 2, 3].map((value) => numbers[at + value] ?? 0) as [
              number,
              number,
              number,
              number,
            ];
            const stride = grid.stride[row] ?? 1;
            const box = raw
              ? around(
                  (x + (grid.x[row] ?? 0)) * stride,
                  (y + (grid.y[row] ?? 0)) * stride,
                  Math.exp(w) * stride,
                  Math.exp(h) * stride,
                )
              : around(x, y, w, h);
            boxes.push({
              left: box.left / input.width,
              top: box.top / input.height,
              right: box.right / input.width,
              bottom: box.bottom / input.height,
              score: object * score,
              class: index,
            });
          }
          return { boxes: suppress(boxes, keep) };
        },
      };
    }
    return undefined;
  },
};
export default head;
