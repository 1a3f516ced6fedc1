/** MediaPipe's landmark models: points of a hand, a face or a body in pixels of the input, x, y, z (and more) in turn. */

import { shapeWords, sigmoid, type Head } from "./head.ts";

interface Kind {
  readonly what: string;
  readonly side: number;
  readonly count: number;
  /** Numbers of one point. */
  readonly values: number;
  /** Which of them is the logit of its visibility. */
  readonly visible?: number;
  readonly names: readonly string[];
  readonly bones: readonly (readonly [number, number])[];
}

const fingers = ["thumb", "index", "middle", "ring", "little"];
const hand = [
  "wrist",
  ...fingers.flatMap((finger) => ["base", "first joint", "second joint", "tip"].map((joint) => `${finger} ${joint}`)),
];
const handBones = [1, 5, 9, 13, 17].flatMap((base): (readonly [number, number])[] => [
  [0, base],
  [base, base + 1],
  [base + 1, base + 2],
  [base + 2, base + 3],
]);

const kinds: readonly Kind[] = [
  { what: "a hand", side: 224, count: 21, values: 3, names: hand, bones: handBones },
  { what: "a face", side: 192, count: 468, values: 3, names: [], bones: [] },
  { what: "a body", side: 256, count: 39, values: 5, visible: 3, names: [], bones: [] },
];

const head: Head = {
  id: "landmarks",
  name: "MediaPipe landmarks",
  sources: [
    "https://github.com/google-ai-edge/mediapipe mediapipe/modules/hand_landmark, face_landmark, pose_landmark (*.pbtxt)",
  ],
  find({ tensors, input }) {
    for (const { what, side, count, values, visible, names, bones } of kinds) {
      if (input?.width !== side || input.height !== side) continue;
      const tensor = tensors.find(({ shape }) => shape.filter((size) => size !== 1).join() === String(count * values));
      if (tensor === undefined) continue;
      return {
        because:
          `${shapeWords(tensor)} is ${count} points of ${values} numbers, as MediaPipe's landmarks of ${what} ` +
          `for an input of ${side} x ${side}`,
        sure: tensors.length > 1,
        assumed: [`the picture shows ${what} and little else, as these models want it`],
        read: () => {
          const numbers = tensor.numbers();
          const points = Array.from({ length: count }, (_, point) => {
            const at = point * values;
            return {
              x: (numbers[at] ?? 0) / side,
              y: (numbers[at + 1] ?? 0) / side,
              ...(visible === undefined ? {} : { score: sigmoid(numbers[at + visible] ?? 0) }),
              ...(names[point] === undefined ? {} : { name: names[point] }),
            };
          });
          return { poses: [{ points, bones }] };
        },
      };
    }
    return undefined;
  },
};
export default head;
