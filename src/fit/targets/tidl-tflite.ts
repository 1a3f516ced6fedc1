/** TI's C7x with MMA by TIDL, a TFLite delegate. */

import { given, valuesOf } from "../onnx-rules.ts";
import { axis, constraint } from "../rules.ts";
import type { Rule, Target } from "../target.ts";
import {
  convolution,
  deconvolution,
  dimensions,
  elementwise,
  everyLayer,
  globalPooling,
  pooling,
  reshape,
  TIDL_DOCUMENT,
  TIDL_IMPORT,
  transpose,
} from "../tidl-rules.ts";

const six: Rule = [dimensions(6)];

/** Height, width and channels of [batch, height, width, channels] as TIDL counts them from the back. */
const image = (at: number, rank: number): boolean => at > 0 || rank < 4;

const layers: Readonly<Record<string, Rule>> = {
  AVERAGE_POOL_2D: [
    // A pool over the whole image is a global one.
    ...pooling("average").map((one) => ({
      ...one,
      holds: (view: Parameters<typeof one.holds>[0]) =>
        view.kernel !== undefined && view.kernel.join() === view.inSize?.join() ? true : one.holds(view),
    })),
    ...globalPooling.slice(1, 2).map((one) => ({
      ...one,
      holds: (view: Parameters<typeof one.holds>[0]) =>
        view.kernel !== undefined && view.kernel.join() === view.inSize?.join() ? one.holds(view) : true,
    })),
  ],
  MAX_POOL_2D: pooling("max"),
  MEAN: [
    constraint("axis", "Mean is supported as global average pooling: along height and width", (view) => {
      const axes = given(view, 1) ? valuesOf(view, 1) : undefined;
      const rank = view.inShape?.length;
      if (axes === undefined || rank === undefined) return undefined;
      const sorted = axes.map((one) => (one < 0 ? one + rank : one)).sort((a, b) => a - b);
      return rank === 4 && sorted.join() === "1,2";
    }),
    ...globalPooling.slice(1, 2),
  ],
  RELU: six,
  RELU6: six,
  PRELU: six,
  MUL: elementwise,
  SUB: elementwise,
  ADD: elementwise,
  DIV: elementwise,
  FULLY_CONNECTED: [
    dimensions(4),
    constraint("rank", "Filter tensor input should have atleast 2 dimensions", ({ inputs }) =>
      inputs[1]?.shape === undefined ? undefined : inputs[1].shape.length >= 2,
    ),
    constraint(
      "bias",
      "Bias tensor input should be a vector of [1, N] or [N] where N should match output dimension",
      (view) => {
        const [bias, out] = [view.inputs[2]?.shape, view.outShape?.at(-1)];
        return bias === undefined || (out === undefined ? undefined : bias.at(-1) === out);
      },
    ),
  ],
  SOFTMAX: six,
  TRANSPOSE_CONV: deconvolution,
  CONCATENATION: [axis(image, "Only supported across the width, height or channel axis"), dimensions(6)],
  STRIDED_SLICE: [
    constraint(
      "inputs",
      "Must have 4 inputs",
      ({ node }) => node.inputs.length === 4,
      ({ node }) => `${node.inputs.length} inputs`,
    ),
    constraint("constant input", "Should have 3 constant inputs", ({ constant }) =>
      constant.slice(1, 4).every(Boolean),
    ),
    constraint(
      "rank",
      "Number of dimensions for variable inputs must be 4",
      ({ inShape }) => inShape && inShape.length === 4,
      ({ inShape }) => `rank ${inShape?.length ?? ""}`,
    ),
    constraint("values", "Constant inputs must have 4 values", ({ inputs }) =>
      inputs.slice(1, 4).every((tensor) => tensor?.shape?.[0] === 4),
    ),
    constraint(
      "rank",
      "Number of dimensions for output tensor must be 4",
      ({ outShape }) => outShape && outShape.length === 4,
      ({ outShape }) => `rank ${outShape?.length ?? ""}`,
    ),
    constraint(
      "batch",
      "Only batch size = 1 is supported",
      ({ batch }) => (batch === undefined ? undefined : batch === 1),
      ({ batch }) => `batch ${batch ?? ""}`,
    ),
    constraint("steps", "Non-singular stride are not supported individually", (view) =>
      valuesOf(view, 3)?.every((one) => one === 1),
    ),
  ],
  ARG_MAX: [
    constraint("axis", "Only axis = -3 is supported", (view) => {
      // TIDL's channels, which TFLite has last.
      const [at, rank] = [valuesOf(view, 1)?.[0], view.inShape?.length];
      return at === undefined || rank === undefined ? undefined : (at < 0 ? at + rank : at) === rank - 1;
    }),
    dimensions(4),
  ],
  RESIZE_BILINEAR: [dimensions(4)],
  RESIZE_NEAREST_NEIGHBOR: [dimensions(4)],
  DEPTH_TO_SPACE: block(
    (size, { inChannels }) => (inChannels === undefined ? undefined : inChannels % (size * size) === 0),
    "Input depth (channel dimension) should be multiple of (blocksize * blocksize)",
  ),
  SPACE_TO_DEPTH: block(
    (size, { inSize }) => inSize?.every((one) => one % size === 0),
    "Input height and width should be multiple of blocksize",
  ),
  LOGISTIC: six,
  PAD: [
    constraint(
      "rank",
      "Maximum number of input dimension supported is 6",
      ({ inShape }) => inShape && inShape.length <= 6,
    ),
    constraint("values", "Pad layer is expected to provide 8 pad values", (view) =>
      valuesOf(view, 1) === undefined ? undefined : valuesOf(view, 1)?.length === 8,
    ),
    constraint("axis", "Padding is only supported for width/height axes", (view) =>
      valuesOf(view, 1)?.every((pad, at) => pad === 0 || (at >= 2 && at < 6)),
    ),
  ],
  QUANTIZE: [],
  DEQUANTIZE: [],
  SQUEEZE: [],
  TANH: six,
  ELU: six,
  RESHAPE: reshape,
  TRANSPOSE: transpose((view) => valuesOf(view, 1)),
  LEAKY_RELU: six,
  BATCH_TO_SPACE_ND: [],
  SPACE_TO_BATCH_ND: [],
  PACK: [],
  CAST: [],
};

function block(
  fits: (size: number, view: Parameters<(typeof everyLayer)[0]["holds"]>[0]) => boolean | undefined,
  words: string,
): Rule {
  return [
    constraint("rank", "Input should be four-dimensional (4D)", ({ inShape }) => inShape && inShape.length === 4),
    constraint("size", words, (view) => {
      const size = view.node.attributes["block_size"];
      return typeof size === "number" ? fits(size, view) : undefined;
    }),
  ];
}

const base = {
  tool: "TIDL (TFLite delegate)",
  version: "11, TensorFlow 2.12",
  formats: ["tflite"],
  names: "tflite",
  confidence: "source",
  sources: [TIDL_DOCUMENT, TIDL_IMPORT],
  preconditions: [],
  every: everyLayer,
  others: "no",
  otherSays: "Layer type not supported by TIDL",
  partition: { way: "subgraphs", most: 16, by: "work" },
} as const satisfies Partial<Target>;

const targets: readonly Target[] = [
  {
    ...base,
    id: "tidl-tflite",
    name: "TI C7x with MMA: TDA4VM, AM68A, AM69A",
    devices: ["ti-tidl/j721e", "ti-tidl/j721s2"],
    operators: { ...layers, CONV_2D: convolution("j7"), DEPTHWISE_CONV_2D: convolution("j7") },
  },
  {
    ...base,
    id: "tidl-tflite-am62a",
    name: "TI C7x with MMA: AM62A, AM67A",
    devices: ["ti-tidl/am62a"],
    operators: { ...layers, CONV_2D: convolution("am62a"), DEPTHWISE_CONV_2D: convolution("am62a") },
  },
];

export default targets;
