/** SCRFD (InsightFace): for each stride a score, four distances and five points in strides, two rows a cell. */

import { keptWords, suppress } from "./boxes.ts";
import { fivePoints } from "./faces.ts";
import { shapeWords, single, unit, type Box, type Head, type Plain } from "./head.ts";

const strides = [8, 16, 32] as const;

const head: Head = {
  id: "scrfd",
  name: "SCRFD",
  sources: ["https://github.com/deepinsight/insightface python-package/insightface/model_zoo/scrfd.py"],
  find({ tensors, input, limits }) {
    if (input === undefined || (tensors.length !== 6 && tensors.length !== 9)) return undefined;
    const levels = strides.map((stride) => {
      const columns = Math.ceil(input.width / stride);
      const rows = columns * Math.ceil(input.height / stride) * 2;
      const of = (values: number): Plain | undefined =>
        tensors.find((tensor) => single(tensor, 2)?.[0] === rows && single(tensor, 2)?.[1] === values);
      return { stride, columns, rows, scores: of(1), sides: of(4), points: of(10) };
    });
    const first = levels[0]?.sides;
    if (first === undefined || !levels.every(({ scores, sides }) => scores !== undefined && sides !== undefined))
      return undefined;
    if (!levels.every(({ scores }) => scores !== undefined && unit(scores.numbers()))) return undefined;
    const keep = { score: limits.score ?? 0.5, overlap: 0.4, boxes: limits.boxes };
    return {
      because:
        `${tensors.length} outputs, ${shapeWords(first)} and its like, have two rows for each cell of strides 8, 16 and 32: scores, sides` +
        (tensors.length === 9 ? ", five points" : ""),
      sure: true,
      assumed: [keptWords(keep)],
      read: () => {
        const boxes: Box[] = [];
        for (const { stride, columns, rows, scores, sides, points } of levels) {
          const [values, far, marks] = [scores?.numbers() ?? [], sides?.numbers() ?? [], points?.numbers()];
          for (let row = 0; row < rows; row++) {
            const score = values[row] ?? 0;
            if (score < keep.score) continue;
            const cell = row >> 1;
            const [x, y] = [cell % columns, Math.floor(cell / columns)];
            const of = (value: number): number => far[row * 4 + value] ?? 0;
            boxes.push({
              left: ((x - of(0)) * stride) / input.width,
              top: ((y - of(1)) * stride) / input.height,
              right: ((x + of(2)) * stride) / input.width,
              bottom: ((y + of(3)) * stride) / input.height,
              score,
              ...(marks === undefined
                ? {}
                : {
                    points: fivePoints((point) => [
                      ((x + (marks[row * 10 + 2 * point] ?? 0)) * stride) / input.width,
                      ((y + (marks[row * 10 + 2 * point + 1] ?? 0)) * stride) / input.height,
                    ]),
                  }),
            });
          }
        }
        return { boxes: suppress(boxes, keep) };
      },
    };
  },
};
export default head;
