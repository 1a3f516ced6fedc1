/** UltraFace (RFB-320, slim-640): corners in shares of the input and two scores, three or two boxes a cell; decoded in the graph. */

import { keptWords, suppress } from "./boxes.ts";
import { shapeWords, single, unit, type Box, type Head } from "./head.ts";

/** Boxes a cell for each stride: min_boxes of its configuration. */
const each: readonly (readonly [number, number])[] = [
  [8, 3],
  [16, 2],
  [32, 2],
  [64, 3],
];

const head: Head = {
  id: "ultraface",
  name: "UltraFace",
  sources: ["https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB vision/ssd/config/fd_config.py"],
  find({ tensors, input, limits }) {
    if (input === undefined) return undefined;
    const rows = each.reduce(
      (sum, [stride, boxes]) => sum + Math.ceil(input.width / stride) * Math.ceil(input.height / stride) * boxes,
      0,
    );
    const [places, scores] = [4, 2].map((values) =>
      tensors.find((tensor) => single(tensor, 2)?.[0] === rows && single(tensor, 2)?.[1] === values),
    );
    if (places === undefined || scores === undefined || tensors.length !== 2 || !unit(scores.numbers()))
      return undefined;
    const keep = { score: limits.score ?? 0.7, overlap: 0.3, boxes: limits.boxes };
    return {
      because:
        `${shapeWords(places)} and ${shapeWords(scores)} have one row for each of the ${rows} boxes that UltraFace lays over ` +
        `${input.width} x ${input.height}, with scores between 0 and 1`,
      sure: true,
      assumed: [keptWords(keep)],
      read: () => {
        const [corners, pairs] = [places.numbers(), scores.numbers()];
        const boxes: Box[] = [];
        for (let row = 0; row < rows; row++) {
          const score = pairs[row * 2 + 1] ?? 0;
          if (score < keep.score) continue;
          const of = (value: number): number => corners[row * 4 + value] ?? 0;
          boxes.push({ left: of(0), top: of(1), right: of(2), bottom: of(3), score });
        }
        return { boxes: suppress(boxes, keep) };
      },
    };
  },
};
export default head;
