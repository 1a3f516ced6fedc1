/** DETR and RT-DETR: a logit for each class of each query, and centre and size in shares of the input; nothing to suppress. */

import { around, highest } from "./boxes.ts";
import { shapeWords, sigmoid, single, unit, type Box, type Head, type Plain } from "./head.ts";

const head: Head = {
  id: "detr",
  name: "DETR / RT-DETR",
  sources: [
    "https://huggingface.co/docs/transformers/model_doc/detr (DetrObjectDetectionOutput)",
    "https://huggingface.co/docs/transformers/model_doc/rt_detr (post_process_object_detection)",
  ],
  find({ tensors, limits, labels }) {
    const named = (...names: readonly string[]): Plain | undefined => tensors.find(({ name }) => names.includes(name));
    const [logits, places] = [named("logits", "pred_logits", "labels"), named("pred_boxes", "dets")];
    const [queries, classes] = logits === undefined ? [] : (single(logits, 2) ?? []);
    if (logits === undefined || places === undefined || queries === undefined || classes === undefined)
      return undefined;
    const [rows, four] = single(places, 2) ?? [];
    if (rows !== queries || four !== 4 || !unit(places.numbers())) return undefined;
    // DETR has one class more than labels, "no object", and a softmax; its successors have a sigmoid for each class.
    const none = labels !== undefined && labels.length + 1 === classes;
    const least = limits.score ?? 0.5;
    return {
      because: `the outputs ${shapeWords(logits)} and ${shapeWords(places)} are named as those of DETR, and places lie between 0 and 1`,
      sure: true,
      assumed: [
        `boxes from a score of ${least} on (--min-score)`,
        none
          ? 'the last class is "no object", and scores are a softmax'
          : "each class has a score of its own (a sigmoid), as in RT-DETR and Deformable DETR",
      ],
      read: () => {
        const [values, boxes] = [logits.numbers(), places.numbers()];
        const found: Box[] = [];
        for (let query = 0; query < queries; query++) {
          const start = query * classes;
          const best = highest(values, start, none ? classes - 1 : classes, 1);
          const score = none ? share(values, start, classes, best.score) : sigmoid(best.score);
          if (score < least) continue;
          const of = (value: number): number => boxes[query * 4 + value] ?? 0;
          found.push({ ...around(of(0), of(1), of(2), of(3)), score, class: best.index });
        }
        return { boxes: found.sort((a, b) => b.score - a.score).slice(0, limits.boxes) };
      },
    };
  },
};
export default head;

/** Softmax of one value among `count` from `start` on. */
function share(values: ArrayLike<number>, start: number, count: number, value: number): number {
  let sum = 0;
  for (let at = 0; at < count; at++) sum += Math.exp((values[start + at] ?? 0) - value);
  return 1 / sum;
}
