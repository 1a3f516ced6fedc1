/** YuNet (OpenCV's face detector): cls_8, obj_8, bbox_8, kps_8 and the same for strides 16 and 32; one row a cell. */

import { around, keptWords, suppress } from "./boxes.ts";
import { fivePoints } from "./faces.ts";
import type { Box, Head, Plain } from "./head.ts";

const strides = [8, 16, 32] as const;

const head: Head = {
  id: "yunet",
  name: "YuNet",
  sources: ["https://github.com/opencv/opencv modules/objdetect/src/face_detect.cpp"],
  find({ tensors, input, limits }) {
    if (input === undefined) return undefined;
    const named = (name: string): Plain | undefined => tensors.find((tensor) => tensor.name === name);
    const levels = strides.map((stride) => {
      const columns = Math.ceil(input.width / stride);
      const [classes, objects, boxes, points] = ["cls", "obj", "bbox", "kps"].map((what) => named(`${what}_${stride}`));
      return { stride, columns, rows: columns * Math.ceil(input.height / stride), classes, objects, boxes, points };
    });
    const whole = levels.every(
      ({ rows, classes, objects, boxes, points }) =>
        classes?.shape.at(-2) === rows &&
        objects?.shape.at(-2) === rows &&
        boxes?.shape.at(-1) === 4 &&
        points?.shape.at(-1) === 10,
    );
    if (!whole) return undefined;
    const keep = { score: limits.score ?? 0.6, overlap: 0.3, boxes: limits.boxes };
    return {
      because: `the outputs are named cls_8, obj_8, bbox_8, kps_8 and so on, with one row for each cell of strides 8, 16 and 32`,
      sure: true,
      assumed: [keptWords(keep)],
      read: () => {
        const found: Box[] = [];
        for (const { stride, columns, rows, classes, objects, boxes, points } of levels) {
          const [c, o] = [classes?.numbers() ?? [], objects?.numbers() ?? []];
          const [b, p] = [boxes?.numbers() ?? [], points?.numbers() ?? []];
          for (let row = 0; row < rows; row++) {
            const score = Math.sqrt(within(c[row] ?? 0) * within(o[row] ?? 0));
            if (score < keep.score) continue;
            const [x, y] = [row % columns, Math.floor(row / columns)];
            const [w, h] = [stride / input.width, stride / input.height];
            const of = (value: number): number => b[row * 4 + value] ?? 0;
            found.push({
              ...around((x + of(0)) * w, (y + of(1)) * h, Math.exp(of(2)) * w, Math.exp(of(3)) * h),
              score,
              points: fivePoints((point) => [
                (x + (p[row * 10 + 2 * point] ?? 0)) * w,
                (y + (p[row * 10 + 2 * point + 1] ?? 0)) * h,
              ]),
            });
          }
        }
        return { boxes: suppress(found, keep) };
      },
    };
  },
};
export default head;

const within = (value: number): number => Math.max(0, Math.min(1, value));
