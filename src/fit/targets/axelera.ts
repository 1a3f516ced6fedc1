/** Axelera's Metis by the Voyager SDK. What the list lacks is cut off and run on the host by the pipeline. */

import {
  given,
  listOf,
  listOrInput,
  numberOf,
  outputShape,
  padsOf,
  says,
  shapeOf,
  textOf,
  valuesOf,
} from "../onnx-rules.ts";
import { anyOf, constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";

const SOURCE = "github.com/axelera-ai-hub/voyager-sdk@59c4894 docs/reference/onnx-opset14-support.md";

const notSet = says("auto_pad", ["NOTSET"], "NOTSET", 'auto_pad must be "NOTSET"');

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((one, at) => one === b[at]);

/** A vector of channels, [1, C, 1, 1], beside an image; a scalar beside an image of one channel. */
const spread = (image: readonly number[], other: readonly number[]): boolean => {
  if (image.length !== 4) return false;
  if (image[1] === 1) return other.length === 0;
  return same(other, [1, image[1] ?? 0, 1, 1]);
};

const binary: Rule = [
  constraint(
    "broadcast",
    "shapes must be equal, or one an image and the other [1, C, 1, 1]",
    (view) => {
      const [a, b] = [shapeOf(view, 0), shapeOf(view, 1)];
      if (a === undefined || b === undefined) return undefined;
      return same(a, b) || spread(a, b) || spread(b, a);
    },
    (view) => [shapeOf(view, 0), shapeOf(view, 1)].map((shape) => shape?.join("x") ?? "?").join(" and "),
  ),
];

const bounds = (least: number, most: number): Constraint =>
  constraint("bounds", `min ${least} and max ${most}`, (view) => {
    const low = given(view, 1) ? valuesOf(view, 1)?.[0] : numberOf(view, "min", Number.NEGATIVE_INFINITY);
    const high = given(view, 2) ? valuesOf(view, 2)?.[0] : numberOf(view, "max", Number.POSITIVE_INFINITY);
    return low === undefined || high === undefined ? undefined : low === least && high === most;
  });

const near = (name: string, value: number, absent: number): Constraint =>
  constraint(
    name,
    `${name} must be ${value}`,
    (view) => Math.abs((numberOf(view, name, absent) ?? absent) - value) < 1e-3,
    (view) => `${name} is ${numberOf(view, name, absent) ?? absent}`,
  );

const operators: Readonly<Record<string, Rule>> = {
  BatchNormalization: [],
  GlobalAveragePool: [],
  GlobalMaxPool: [],
  LeakyRelu: [],
  Relu: [],
  Sigmoid: [],
  Tanh: [],
  Add: binary,
  Mul: binary,
  Sub: binary,
  AveragePool: [
    notSet,
    constraint("padding", "pads of both sides must be equal and at most half the kernel", (view) => {
      const [pads, kernel] = [padsOf(view), view.kernel];
      if (pads === undefined || kernel === undefined) return undefined;
      const [top, left, bottom, right] = pads;
      return top !== bottom || left !== right || (top <= kernel[0] / 2 && left <= kernel[1] / 2);
    }),
    constraint("count_include_pad", "with padding count_include_pad must be 1", (view) => {
      const pads = padsOf(view);
      return pads && (pads.every((one) => one === 0) || numberOf(view, "count_include_pad", 0) === 1);
    }),
  ],
  Clip: [anyOf("bounds", "min and max must be 0 and 6, or -1 and 1", bounds(0, 6), bounds(-1, 1))],
  Concat: [
    constraint("axis", "axis must be 1, or -3 of four dimensions", (view) => {
      const axis = numberOf(view, "axis", 0);
      return axis === 1 || (axis === -3 && view.inputs.every((tensor) => tensor?.shape?.length === 4));
    }),
  ],
  Conv: [
    notSet,
    constraint(
      "groups",
      "group must be 1, or the channels of input and output",
      ({ groups, inChannels, outChannels }) =>
        groups === undefined ? undefined : groups === 1 || (groups === inChannels && groups === outChannels),
    ),
  ],
  ConvTranspose: [notSet],
  Gemm: [says("transA", [0], 0, "transA must be 0")],
  HardSigmoid: [near("alpha", 0.16666, 0.2), near("beta", 0.5, 0.5)],
  MaxPool: [notSet, says("storage_order", [0], 0, "storage_order must be 0")],
  PRelu: [
    constraint("shape", "slope must be one number, or one for each channel", (view) => {
      const slope = shapeOf(view, 1)?.filter((one) => one !== 1);
      return slope && (slope.length === 0 || (slope.length === 1 && slope[0] === view.inChannels));
    }),
  ],
  Pad: [
    constraint(
      "mode",
      "mode must not be reflect or edge",
      (view) => !["reflect", "edge"].includes(textOf(view, "mode", "constant") ?? ""),
    ),
    constraint("padding", "no padding of batch and channels, and as much at the top as at the left", (view) => {
      const pads = listOrInput(view, "pads", 1);
      return pads && pads[0] === 0 && pads[1] === 0 && pads[2] === pads[3];
    }),
  ],
  Resize: [
    constraint("roi", "roi is not supported", (view) => !given(view, 1) || shapeOf(view, 1)?.[0] === 0),
    says("mode", ["nearest", "linear"], "nearest"),
    constraint("scale", "linear needs an output that is a multiple of the input", (view) => {
      if (textOf(view, "mode", "nearest") === "nearest") return true;
      const [from, to] = [view.inShape, outputShape(view)];
      return from && to && [-1, -2].every((at) => (to.at(at) ?? 0) % (from.at(at) ?? 1) === 0);
    }),
  ],
  Selu: [near("alpha", 1.67326, 1.67326), near("gamma", 1.0507, 1.0507)],
  Slice: [
    constraint("steps", "steps are not supported", (view) => !given(view, 4)),
    constraint("axes", "exactly one axis must be given", (view) => {
      const axes = listOrInput(view, "axes", 3);
      return axes === undefined ? (given(view, 3) ? undefined : false) : axes.length === 1;
    }),
  ],
  Split: [constraint("axis", "axis must be larger than 0", (view) => (numberOf(view, "axis", 0) ?? 0) > 0)],
  Transpose: [
    constraint(
      "permutation",
      "perm must leave the order as it is",
      (view) => listOf(view, "perm")?.every((one, at) => one === at) === true,
    ),
  ],
};

const axelera: Target = {
  id: "axelera",
  name: "Axelera Metis",
  tool: "Voyager SDK",
  version: "1.2 (2025-04)",
  devices: ["axelera/metis"],
  formats: ["onnx"],
  names: "onnx",
  confidence: "documents",
  sources: [SOURCE],
  preconditions: [
    {
      rule: "opset",
      says: "opset 11 to 17; the table is of 14",
      holds: ({ opset }) => (opset === undefined ? undefined : opset >= 11 && opset <= 17),
      else: "warns",
      cure: "Convert the opset with onnx.version_converter.",
      source: SOURCE,
    },
    {
      rule: "dynamic",
      says: "shapes must be static",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "refuses",
      source: SOURCE,
    },
    {
      rule: "quantization",
      says: "the compiler quantises to int8 itself and takes float models",
      holds: ({ scheme }) => (scheme === undefined ? undefined : scheme !== "qdq" && scheme !== "integer operators"),
      else: "warns",
      source: SOURCE,
    },
  ],
  every: [],
  operators,
  others: "no",
  otherSays: "not in the list of supported operators",
  partition: { way: "subgraphs" },
  melts: ["Identity", "Dropout", "Constant", "Flatten"],
};

export default [axelera];
