/** A class for each pixel: a map of indexes (DeepLab with its ArgMax), or a score for each class and pixel, of which the highest counts. */

import { shapeWords, single, type Ends, type Head, type Plain } from "./head.ts";

/** Classes of a map; more channels are features. ADE20K has 150, Open Images 350. */
const CLASS_LIMIT = 512;

const head: Head = {
  id: "segmentation",
  name: "segmentation",
  sources: [
    "https://www.tensorflow.org/lite/examples/segmentation/overview",
    "https://docs.pytorch.org/vision/stable/models/deeplabv3.html",
  ],
  find(ends) {
    const { input, tensors, labels } = ends;
    if (input === undefined) return undefined;
    const told = /deeplab|segment|segformer|u-?net|pspnet|bisenet|fcn|lraspp/i.test(
      `${ends.file} ${ends.model.description ?? ""}`,
    );
    for (const tensor of tensors) {
      const indexes = indexMap(ends, tensor);
      if (indexes !== undefined) return indexes;
      const planes = planesOf(tensor, input);
      if (planes === undefined) continue;
      const { width, height, classes, cell, channel } = planes;
      const fits = labels !== undefined && (labels.length === classes || labels.length === classes - 1);
      return {
        because:
          `${shapeWords(tensor)} has ${classes} values for each pixel of ${width} x ${height}, in the proportions of the input` +
          (fits ? ", as many as there are labels" : told ? "; the name says segmentation" : ""),
        sure: (fits || told) && tensors.length <= 2,
        assumed: ["the highest of a pixel's values is its class"],
        read: () => {
          const numbers = tensor.numbers();
          const map = new Uint16Array(width * height);
          for (let pixel = 0; pixel < map.length; pixel++) {
            let most = -Infinity;
            for (let index = 0; index < classes; index++) {
              const value = numbers[pixel * cell + index * channel] ?? 0;
              if (value > most) {
                most = value;
                map[pixel] = index;
              }
            }
          }
          return { map: { width, height, classes: map } };
        },
      };
    }
    return undefined;
  },
};
export default head;

/** Whole numbers of an integer type, one a pixel of the input. */
function indexMap({ input, model }: Ends, tensor: Plain): ReturnType<Head["find"]> {
  const shape = tensor.shape.filter((size) => size !== 1);
  if (input === undefined || shape.length !== 2 || shape[0] !== input.height || shape[1] !== input.width)
    return undefined;
  const graph = model.graphs[model.main ?? 0];
  const made = graph?.nodes.find(({ outputs }) => outputs.some((at) => graph.tensors[at]?.name === tensor.name));
  const argmax = made?.op === "ArgMax" || /arg_?max/i.test(tensor.name);
  if (!/^u?int(?:8|16|32|64)$/.test(tensor.type) || (!argmax && !/^u?int(?:32|64)$/.test(tensor.type)))
    return undefined;
  return {
    because:
      `${shapeWords(tensor)} of ${tensor.type} has one whole number for each pixel of the input` +
      (argmax ? ", and an ArgMax makes it" : ""),
    sure: true,
    assumed: [],
    read: () => ({ map: { width: input.width, height: input.height, classes: tensor.numbers() } }),
  };
}

interface Planes {
  readonly width: number;
  readonly height: number;
  readonly classes: number;
  /** The value of class c at pixel p is at p * cell + c * channel. */
  readonly cell: number;
  readonly channel: number;
}

function planesOf(tensor: Plain, input: { readonly width: number; readonly height: number }): Planes | undefined {
  const [a = 0, b = 0, c = 0, ...more] = single(tensor, 3) ?? [];
  if (more.length > 0 || a * b * c === 0) return undefined;
  // An eighth of the input is the coarsest that is called a map; coarser ones are grids of a detector.
  const likeInput = (height: number, width: number): boolean =>
    Math.abs(height * input.width - width * input.height) <= Math.max(input.width, input.height) &&
    width * 8 >= input.width &&
    width <= input.width;
  const last = likeInput(a, b) && c >= 2 && c <= CLASS_LIMIT;
  const first = likeInput(b, c) && a >= 2 && a <= CLASS_LIMIT;
  if (last) return { width: b, height: a, classes: c, cell: c, channel: 1 };
  if (first) return { width: c, height: b, classes: a, cell: 1, channel: b * c };
  return undefined;
}
