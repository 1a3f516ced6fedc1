/** MoveNet: 17 points of one person as y, x, score; or six people of 17 points, a box and a score each. */

import { shapeWords, type Box, type Head, type Point } from "./head.ts";
import { cocoBones, cocoPoints } from "./yolo-facts.ts";

const PEOPLE = 6;
const VALUES = 56;

const head: Head = {
  id: "movenet",
  name: "MoveNet",
  sources: ["https://www.kaggle.com/models/google/movenet (SinglePose, MultiPose: model card)"],
  find({ tensors, limits }) {
    const one = tensors.find(({ shape }) => shape.join() === "1,1,17,3");
    const many = tensors.find(({ shape }) => shape.join() === `1,${PEOPLE},${VALUES}`);
    const least = limits.score ?? 0.3;
    if (one !== undefined && tensors.length === 1) {
      return {
        because: `${shapeWords(one)} is 17 points of y, x and score, as MoveNet alone gives them`,
        sure: true,
        assumed: [],
        read: () => ({ poses: [{ points: pointsOf(one.numbers(), 0), bones: cocoBones }] }),
      };
    }
    if (many !== undefined && tensors.length === 1) {
      return {
        because: `${shapeWords(many)} is six people of 17 points, a box and a score, as MoveNet MultiPose gives them`,
        sure: true,
        assumed: [`people from a score of ${least} on (--min-score)`],
        read: () => {
          const numbers = many.numbers();
          const boxes: Box[] = [];
          for (let at = 0; at < PEOPLE * VALUES; at += VALUES) {
            const [top = 0, left = 0, bottom = 0, right = 0, score = 0] = Array.from(
              { length: 5 },
              (_, value) => numbers[at + 51 + value] ?? 0,
            );
            if (score >= least) boxes.push({ top, left, bottom, right, score, points: pointsOf(numbers, at) });
          }
          return { boxes: boxes.sort((a, b) => b.score - a.score) };
        },
      };
    }
    return undefined;
  },
};
export default head;

const pointsOf = (numbers: ArrayLike<number>, start: number): Point[] =>
  cocoPoints.map((name, point) => {
    const at = start + point * 3;
    return { name, x: numbers[at + 1] ?? 0, y: numbers[at] ?? 0, score: numbers[at + 2] ?? 0 };
  });
