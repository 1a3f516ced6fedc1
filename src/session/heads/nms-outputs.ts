/**
 * Boxes, classes and scores as outputs of their own, sorted out already: TFLite_Detection_PostProcess, TensorFlow's Object Detection API,
 * TensorRT's EfficientNMS, torchvision. Which output is which is known from the operator or from the names, which each of them fixes.
 */

import { shapeWords, type Box, type Ends, type Head, type Plain } from "./head.ts";

interface Convention {
  readonly who: string;
  /** Names of the outputs. */
  readonly boxes: string;
  readonly classes: string;
  readonly scores: string;
  readonly count?: string;
  /** Order of a box's sides, in shares of the input or in its pixels. */
  readonly order: "top left bottom right" | "left top right bottom";
  readonly pixels: boolean;
  /** Index of the first class. */
  readonly from: 0 | 1;
}

const conventions: readonly Convention[] = [
  {
    who: "TensorFlow's Object Detection API",
    boxes: "detection_boxes",
    classes: "detection_classes",
    scores: "detection_scores",
    count: "num_detections",
    order: "top left bottom right",
    pixels: false,
    from: 1,
  },
  {
    who: "TensorRT's EfficientNMS",
    boxes: "det_boxes",
    classes: "det_classes",
    scores: "det_scores",
    count: "num_dets",
    order: "left top right bottom",
    pixels: true,
    from: 0,
  },
  {
    who: "torchvision",
    boxes: "boxes",
    classes: "labels",
    scores: "scores",
    order: "left top right bottom",
    pixels: true,
    from: 1,
  },
];

const OPERATOR = "TFLite_Detection_PostProcess";

const head: Head = {
  id: "nms-outputs",
  name: "boxes, classes and scores apart",
  sources: [
    "https://github.com/tensorflow/tensorflow tensorflow/lite/kernels/detection_postprocess.cc",
    "https://github.com/tensorflow/models research/object_detection/g3doc/exporting_models.md",
    "https://github.com/NVIDIA/TensorRT plugin/efficientNMSPlugin/README.md",
    "https://docs.pytorch.org/vision/stable/models/faster_rcnn.html",
  ],
  find(ends) {
    const by = byOperator(ends) ?? byNames(ends);
    if (by === undefined) return undefined;
    const { boxes, classes, scores, count, because, order, pixels, from } = by;
    const rows = boxes.shape.at(-2) ?? 0;
    if (boxes.shape.at(-1) !== 4 || classes.shape.at(-1) !== rows || scores.shape.at(-1) !== rows) return undefined;
    if (pixels && ends.input === undefined) return undefined;
    const least = ends.limits.score ?? 0.5;
    return {
      because,
      sure: true,
      assumed: [`boxes from a score of ${least} on (--min-score)`],
      read: () => {
        const [places, indexes, values] = [boxes.numbers(), classes.numbers(), scores.numbers()];
        const valid = Math.min(rows, count === undefined ? rows : (count.numbers()[0] ?? rows));
        const [width, height] = pixels && ends.input !== undefined ? [ends.input.width, ends.input.height] : [1, 1];
        const found: Box[] = [];
        for (let row = 0; row < valid; row++) {
          const score = values[row] ?? 0;
          if (score < least) continue;
          const side = (at: number): number => places[row * 4 + at] ?? 0;
          const [left, top, right, bottom] =
            order === "top left bottom right"
              ? [side(1), side(0), side(3), side(2)]
              : [side(0), side(1), side(2), side(3)];
          found.push({
            left: left / width,
            top: top / height,
            right: right / width,
            bottom: bottom / height,
            score,
            class: Math.round(indexes[row] ?? 0) - from,
          });
        }
        return { boxes: found.sort((a, b) => b.score - a.score).slice(0, ends.limits.boxes) };
      },
    };
  },
};
export default head;

interface Roles extends Pick<Convention, "order" | "pixels" | "from"> {
  readonly boxes: Plain;
  readonly classes: Plain;
  readonly scores: Plain;
  readonly count?: Plain;
  readonly because: string;
}

/** The operator's outputs are boxes, classes, scores and count, whatever the order in which the model lists them. */
function byOperator({ model, tensors }: Ends): Roles | undefined {
  const graph = model.graphs[model.main ?? 0];
  const node = graph?.nodes.find(({ spelled }) => spelled === OPERATOR);
  if (graph === undefined || node === undefined) return undefined;
  const [boxes, classes, scores, count] = node.outputs.map((index) => {
    const place = graph.outputs.indexOf(index);
    const name = graph.tensors[index]?.name;
    return tensors.find((tensor) => tensor.name === name) ?? tensors[place];
  });
  if (boxes === undefined || classes === undefined || scores === undefined) return undefined;
  const because = `the graph ends in the operator ${OPERATOR}`;
  const rest = { because, order: "top left bottom right", pixels: false, from: 0 } as const;
  return { boxes, classes, scores, ...(count === undefined ? {} : { count }), ...rest };
}

function byNames({ tensors }: Ends): Roles | undefined {
  const named = (name: string): Plain | undefined =>
    tensors.find((tensor) => (tensor.name.replace(/:\d+$/, "").split("/").at(-1) ?? "") === name);
  for (const convention of conventions) {
    const [boxes, classes, scores] = [named(convention.boxes), named(convention.classes), named(convention.scores)];
    if (boxes === undefined || classes === undefined || scores === undefined) continue;
    const count = convention.count === undefined ? undefined : named(convention.count);
    const because = `the outputs ${[boxes, classes, scores].map(shapeWords).join(", ")} are named as those of ${convention.who}`;
    const { order, pixels, from } = convention;
    return { boxes, classes, scores, ...(count === undefined ? {} : { count }), because, order, pixels, from };
  }
  return undefined;
}
