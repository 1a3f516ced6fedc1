/** RetinaFace (biubug6's and Rockchip's): offsets, two scores and five points for each of two boxes a cell whose sizes are published. */

import { around, keptWords, suppress } from "./boxes.ts";
import { fivePoints } from "./faces.ts";
import { cellsOf, shapeWords, single, unit, type Box, type Head } from "./head.ts";

const strides = [8, 16, 32] as const;
/** Sides of the boxes in pixels, two for each stride; the same in its MobileNet and ResNet configurations. */
const sides: Readonly<Record<number, readonly [number, number]>> = { 8: [16, 32], 16: [64, 128], 32: [256, 512] };
const CENTRE = 0.1;
const SIZE = 0.2;

const head: Head = {
  id: "retinaface",
  name: "RetinaFace",
  sources: [
    "https://github.com/biubug6/Pytorch_Retinaface data/config.py, layers/functions/prior_box.py, utils/box_utils.py",
  ],
  find({ tensors, input, limits }) {
    if (input === undefined) return undefined;
    const rows = 2 * cellsOf(input, strides);
    const [places, scores, points] = [4, 2, 10].map((values) =>
      tensors.find((tensor) => single(tensor, 2)?.[0] === rows && single(tensor, 2)?.[1] === values),
    );
    if (places === undefined || scores === undefined || points === undefined) return undefined;
    const keep = { score: limits.score ?? 0.5, overlap: 0.4, boxes: limits.boxes };
    return {
      because:
        `${[places, scores, points].map(shapeWords).join(", ")} have two rows for each cell that strides 8, 16 and 32 make of ` +
        `${input.width} x ${input.height}: offsets, two scores, five points`,
      sure: true,
      assumed: [keptWords(keep), "the sizes of boxes are those of RetinaFace's published configurations"],
      read: () => {
        const [offsets, pairs, marks] = [places.numbers(), scores.numbers(), points.numbers()];
        const done = unit(pairs);
        const boxes: Box[] = [];
        let row = 0;
        for (const stride of strides) {
          const [columns, lines] = [Math.ceil(input.width / stride), Math.ceil(input.height / stride)];
          for (let cell = 0; cell < columns * lines; cell++) {
            for (const side of sides[stride] ?? []) {
              const at = row++;
              const [not, is] = [pairs[at * 2] ?? 0, pairs[at * 2 + 1] ?? 0];
              const score = done ? is : 1 / (1 + Math.exp(not - is));
              if (score < keep.score) continue;
              const x = (((cell % columns) + 0.5) * stride) / input.width;
              const y = ((Math.floor(cell / columns) + 0.5) * stride) / input.height;
              const [width, height] = [side / input.width, side / input.height];
              const of = (value: number): number => offsets[at * 4 + value] ?? 0;
              boxes.push({
                ...around(
                  x + of(0) * CENTRE * width,
                  y + of(1) * CENTRE * height,
                  width * Math.exp(of(2) * SIZE),
                  height * Math.exp(of(3) * SIZE),
                ),
                score,
                points: fivePoints((point) => [
                  x + (marks[at * 10 + 2 * point] ?? 0) * CENTRE * width,
                  y + (marks[at * 10 + 2 * point + 1] ?? 0) * CENTRE * height,
                ]),
              });
            }
          }
        }
        return { boxes: suppress(boxes, keep) };
      },
    };
  },
};
export default head;
