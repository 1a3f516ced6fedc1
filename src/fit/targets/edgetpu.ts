/**
 * Google's Edge TPU by edgetpu_compiler. One subgraph goes to the TPU: the first that TFLite's partitioning makes of what the compiler
 * takes; all else stays on the CPU ("More than one subgraph is not supported"). With -a every such subgraph goes there: edgetpu-multi.
 * The compiler is closed: its table of operators, its log lines in threads, and pairs of plain and compiled files are what is known.
 */

import { elementsOf, type Tensor } from "../../model/graph.ts";
import { constraint, noActivation, only } from "../rules.ts";
import type { Constraint, ModelView, Precondition, Rule, Target } from "../target.ts";
import { attribute, shapeOf, valuesOf, version } from "../tflite-rules.ts";
import type { View } from "../view.ts";

const TABLE = "https://coral.ai/docs/edgetpu/models-intro/#supported-operations";
const PAIRS =
  "github.com/google-coral/test_data@104342d2d3480b3e66203073dac24f4e2dbb4c41, plain and _edgetpu files compared";
const thread = (number: number): string => `https://github.com/google-coral/edgetpu/issues/${number}`;

const UNSPECIFIED = "Operation is otherwise supported, but not mapped due to some unspecified limitation";
const WRONG_TYPE = "Operation is working on an unsupported data type";
const WRONG_VERSION = "Operation version not supported";

/** State of an LSTM is of 16 bits; indexes are constants. All else that varies has 8. */
const isEight = ({ type }: Tensor, view: View): boolean =>
  type === "int8" || type === "uint8" || (type === "int16" && view.spelled === "UNIDIRECTIONAL_SEQUENCE_LSTM");

const ofFloat = (tensor: Tensor | undefined): boolean => tensor?.type === "float32" || tensor?.type === "float16";

/** A QUANTIZE from float is refused too, in other words: by its own rule. */
const wrongType = (view: View): Tensor | undefined =>
  view.spelled === "QUANTIZE" && ofFloat(view.inputs[0])
    ? undefined
    : ([...view.inputs.filter((_, at) => view.constant[at] !== true), ...view.outputs].find(
        (tensor) => tensor !== undefined && !isEight(tensor, view),
      ) ?? view.inputs.find(ofFloat));

const eightBits = constraint(
  "type",
  WRONG_TYPE,
  (view) => wrongType(view) === undefined,
  (view) => wrongType(view)?.type ?? "",
);

/** Dimensions before the last three are 1. */
const flat = ({ shape }: Tensor): boolean | undefined =>
  shape?.slice(0, -3).every((one) => one === 1 || one === null || typeof one === "string");
const wrongRank = (view: View): Tensor | undefined =>
  [...view.inputs.filter((_, at) => view.constant[at] !== true), ...view.outputs].find(
    (tensor) => tensor !== undefined && flat(tensor) === false,
  );

const threeDimensions = constraint(
  "rank",
  "Tensor has unsupported rank (up to 3 innermost dimensions mapped)",
  (view) => wrongRank(view) === undefined,
  (view) => wrongRank(view)?.shape?.join("x") ?? "",
);

/** Elements of the output: taken up to `least`, refused from `most`, not known between, as threads show. */
function size(least: number, most: number, source: string): Constraint {
  const found = ({ outputs }: View): number | undefined => elementsOf(outputs[0]?.shape);
  return constraint(
    "size",
    UNSPECIFIED,
    (view) => {
      const elements = found(view);
      return elements === undefined || elements >= most
        ? elements === undefined && undefined
        : elements <= least || undefined;
    },
    (view) => `${found(view) ?? "?"} elements`,
    source,
  );
}

const conv: Rule = [
  version(1, 5, WRONG_VERSION),
  constraint(
    "dilation",
    "must use the same dilation in x and y dimensions",
    ({ dilation }) => dilation === undefined || dilation[0] === dilation[1],
    ({ dilation }) => dilation?.join("x") ?? "",
    TABLE,
  ),
];

/** Dimensions that a reduction takes away: its constant says, else what became shorter. */
function reduced({ inputs, inShape, outShape, node }: View): readonly number[] | undefined {
  const values = valuesOf(inputs[1]);
  if (values !== undefined) return values.map((one) => (one < 0 ? one + (inShape?.length ?? 0) : one));
  if (node.attributes["keep_dims"] !== true || inShape === undefined || outShape === undefined) return undefined;
  return inShape.flatMap((one, at) => (outShape[at] === one ? [] : [at]));
}

const notBatch = constraint(
  "axis",
  "not supported when there is a reduction in the batch dimension",
  (view) => {
    const axes = reduced(view);
    return axes === undefined || (view.inShape?.length ?? 4) < 4 || !axes.includes(0);
  },
  undefined,
  TABLE,
);

const mean: Rule = [
  notBatch,
  constraint(
    "channels",
    "if reducing in z-dimension, the z-dimension must be multiple of 4",
    (view) => {
      const last = (view.inShape?.length ?? 0) - 1;
      return reduced(view)?.includes(last) !== true || (view.inShape?.[last] ?? 4) % 4 === 0;
    },
    ({ inShape }) => `z is ${inShape?.at(-1) ?? "?"}`,
    TABLE,
  ),
  constraint(
    "size",
    UNSPECIFIED,
    (view) => {
      const window = reduced(view)?.reduce((product, at) => product * (view.inShape?.[at] ?? 1), 1);
      if (window === undefined || window <= 8192) return true;
      return window < 32768 ? undefined : false;
    },
    (view) =>
      `mean over ${
        reduced(view)
          ?.map((at) => view.inShape?.[at])
          .join("x") ?? "?"
      }`,
    thread(461),
  ),
];

/** How much larger the picture becomes. */
const scale = ({ inSize, outSize }: View): number | undefined =>
  inSize === undefined || outSize === undefined ? undefined : Math.max(outSize[0] / inSize[0], outSize[1] / inSize[1]);

/** The largest output that threads show mapped. */
const resize = (largest: number): Rule => [
  version(1, 3, WRONG_VERSION),
  constraint(
    "size",
    UNSPECIFIED,
    (view) => {
      const by = scale(view);
      const elements = elementsOf(view.outputs[0]?.shape);
      if (by === undefined || elements === undefined) return undefined;
      if (by <= 1) return true;
      if (by >= 15 || elements >= 8_388_608) return false;
      return by <= 4 && elements <= largest ? true : undefined;
    },
    ({ inSize, outSize }) => `${inSize?.join("x") ?? "?"} to ${outSize?.join("x") ?? "?"}`,
    `${thread(31)}; ${PAIRS}`,
  ),
];

const pool: Rule = [noActivation("No fused activation function")];

const concatenation: Rule = [
  noActivation("No fused activation function"),
  constraint(
    "constant operand",
    "If any input is a compile-time constant tensor, there must be only 2 inputs, and this constant tensor must be all zeros",
    ({ inputs, constant }) =>
      !constant.some(Boolean) ||
      (inputs.length === 2 ? valuesOf(inputs[constant.indexOf(true)])?.every((one) => one === 0) : false),
    undefined,
    TABLE,
  ),
];

/** An axis that is given as an attribute or as a constant, and that is not the batch of four dimensions or more. */
const axisNotBatch = (place: number | undefined): Constraint =>
  constraint(
    "axis",
    "not supported in the batch dimension",
    (view) => {
      const said = place === undefined ? view.node.attributes["axis"] : valuesOf(view.inputs[place])?.[0];
      const rank = view.inputs[place === 0 ? 1 : 0]?.shape?.length ?? 4;
      if (typeof said !== "number") return true;
      return rank < 4 || (said < 0 ? said + rank : said) !== 0;
    },
    undefined,
    TABLE,
  );

const fullyConnected: Rule = [
  constraint(
    "version",
    WRONG_VERSION,
    ({ node }) => (node.version === undefined || node.version <= 5 ? true : node.version >= 9 ? false : undefined),
    ({ node }) => `version ${node.version ?? "?"}`,
  ),
  attribute(
    "weights_format",
    ["DEFAULT"],
    "DEFAULT",
    "Only the default format is supported for fully-connected weights",
  ),
  constraint(
    "rank",
    "Output tensor is one-dimensional",
    ({ outputs: [out] }) =>
      shapeOf(out)
        ?.slice(0, -1)
        .every((one) => one === 1) !== false,
    ({ outputs: [out] }) => out?.shape?.join("x") ?? "",
    TABLE,
  ),
];

/** Several rows do go: SOFTMAX of YOLO's distributions is mapped, 16 wide. */
const softmax: Rule = [
  constraint(
    "size",
    "Supports only 1-D input tensor with a max of 16,000 elements",
    ({ inputs: [data] }) => (shapeOf(data)?.at(-1) ?? 0) <= 16_000,
    ({ inputs: [data] }) => `${data?.shape?.at(-1) ?? "?"} elements`,
    `${TABLE} https://github.com/dbro/frigate-detector-edgetpu-yolo9`,
  ),
];

const stridedSlice: Rule = [
  constraint(
    "stride",
    "Only Strided-Slice with unitary strides supported",
    ({ inputs }) => valuesOf(inputs[3])?.every((one) => one === 1),
    ({ inputs }) => `strides ${valuesOf(inputs[3])?.join("x") ?? "not constant"}`,
  ),
  attribute("ellipsis_mask", [0], 0, "ellipsis_mask must be 0", "mask"),
  attribute("new_axis_mask", [0], 0, "new_axis_mask must be 0", "mask"),
];

const prelu: Rule = [
  constraint(
    "constant operand",
    "Alpha must be 1-dimensional (only the innermost dimension can be >1 size)",
    ({ inputs: [, alpha] }) =>
      shapeOf(alpha)
        ?.slice(0, -1)
        .every((one) => one === 1) !== false,
    ({ inputs: [, alpha] }) => alpha?.shape?.join("x") ?? "",
    TABLE,
  ),
];

const squeeze: Rule = [
  constraint(
    "shape",
    "Not supported when there are input tensor dimensions that have leading 1s: needs data movement",
    ({ inShape, outShape }) => {
      if (inShape === undefined || outShape === undefined) return undefined;
      return inShape.slice(inShape.length - outShape.length).every((one, at) => one === outShape[at]) || undefined;
    },
    undefined,
    TABLE,
  ),
];

const pad: Rule = [
  constraint(
    "padding",
    "Not supported when there is padding in batch dimension",
    ({ inShape, outShape }) => inShape === undefined || inShape.length < 4 || inShape[0] === outShape?.[0],
    undefined,
    TABLE,
  ),
];

/** A detector's heads, whose channels become rows, go at sizes where others do not (EfficientDet-Lite0 of 90 classes). */
const isHead = ({ inShape, outShape }: View): boolean =>
  inShape?.length === 4 && outShape?.length === 3 && (inShape[3] ?? 0) > (outShape[2] ?? 0);

const reshape: Rule = [only((view) => !isHead(view), size(262_144, 587_520, thread(512)))];

/** Of a picture of one pixel: seen in one compiled file, in no document. */
const tile: Rule = [
  constraint(
    "shape",
    "Operation not supported",
    ({ inSize }) => (inSize?.[0] === 1 && inSize[1] === 1 ? true : undefined),
    ({ inSize }) => inSize?.join("x") ?? "",
    PAIRS,
  ),
];

const operators: Readonly<Record<string, Rule>> = {
  ADD: [],
  AVERAGE_POOL_2D: pool,
  CONCATENATION: concatenation,
  CONV_2D: conv,
  CUSTOM: [constraint("type", WRONG_TYPE, () => false)],
  DEPTHWISE_CONV_2D: [version(1, 6, WRONG_VERSION), ...conv.slice(1)],
  // Its output is float: the rule of every operator refuses it in the compiler's words.
  DEQUANTIZE: [],
  EXPAND_DIMS: [],
  FULLY_CONNECTED: fullyConnected,
  L2_NORMALIZATION: [],
  LOGISTIC: [],
  MAXIMUM: [],
  MAX_POOL_2D: pool,
  MEAN: mean,
  MINIMUM: [],
  MUL: [],
  PACK: [axisNotBatch(undefined)],
  PAD: pad,
  PRELU: prelu,
  QUANTIZE: [constraint("limitation", UNSPECIFIED, ({ inputs: [data] }) => !ofFloat(data), undefined, PAIRS)],
  REDUCE_MAX: [notBatch],
  REDUCE_MIN: [notBatch],
  RELU: [],
  RELU6: [],
  RELU_N1_TO_1: [],
  RESHAPE: reshape,
  RESIZE_BILINEAR: resize(524_288),
  RESIZE_NEAREST_NEIGHBOR: resize(1_048_576),
  RSQRT: [],
  SLICE: [],
  SOFTMAX: softmax,
  SPACE_TO_DEPTH: [],
  // One output is a copy: nothing is split.
  SPLIT: [only(({ outputs }) => outputs.length > 1, axisNotBatch(0))],
  SQUARED_DIFFERENCE: [],
  SQUEEZE: squeeze,
  STRIDED_SLICE: stridedSlice,
  SUB: [],
  SUM: [notBatch],
  TANH: [],
  TILE: tile,
  TRANSPOSE: [size(262_144, 1_000_000, thread(433))],
  TRANSPOSE_CONV: [version(1, 3, WRONG_VERSION)],
  UNIDIRECTIONAL_SEQUENCE_LSTM: [],
};

/** Newest versions that the compiler's own TFLite registers: a newer one anywhere, and it does not read the file. */
const registered: Readonly<Record<string, readonly [newest: number, source: string]>> = {
  CONV_2D: [5, thread(631)],
  EXP: [1, "https://github.com/google-coral/libedgetpu/issues/71"],
  QUANTIZE: [2, thread(879)],
};

const unregistered = ({ views }: ModelView): View | undefined =>
  views.find(({ spelled, node }) => {
    const known = Object.hasOwn(registered, spelled) ? registered[spelled] : undefined;
    return known !== undefined && (node.version ?? 1) > known[0];
  });

const preconditions: readonly Precondition[] = [
  {
    rule: "version",
    says: "Didn't find op for builtin opcode. Model could not be parsed",
    holds: (model) => unregistered(model) === undefined,
    found: (model) => {
      const view = unregistered(model);
      return `${view?.spelled ?? ""} version ${view?.node.version ?? ""}`;
    },
    else: "refuses",
    cure: "convert with TensorFlow 2.8 or older",
    source: Object.values(registered)
      .map(([, source]) => source)
      .join(" "),
  },
  {
    rule: "quantization",
    says: "Model not quantized",
    holds: ({ scheme, format, views }) => {
      if (scheme === undefined) return undefined;
      if (!format.includes("tflite")) return scheme === "qdq" || scheme === "integer operators" ? true : undefined;
      return views.some((view) => view.outType === "int8" || view.outType === "uint8");
    },
    found: ({ scheme }) => scheme ?? "",
    else: "refuses",
    cure: "quantise the whole model to 8-bit integers",
    source: TABLE,
  },
  {
    rule: "dynamic",
    says: "Model contains dynamic-sized tensors",
    holds: ({ dynamic, format }) => (dynamic === undefined ? undefined : !dynamic || format.includes("tflite")),
    else: "refuses",
    cure: "fix every size of the inputs",
    source: TABLE,
  },
];

const edgetpu: Target = {
  id: "edgetpu",
  name: "Google Edge TPU",
  tool: "edgetpu_compiler",
  version: "16.0.384591198",
  devices: ["coral"],
  formats: ["tflite"],
  names: "tflite",
  confidence: "documents",
  sources: [TABLE, PAIRS, thread(31), thread(342), thread(461), thread(490), thread(512)],
  preconditions,
  every: [eightBits, threeDimensions],
  operators,
  others: "no",
  otherSays: "Operation not supported",
  partition: { way: "prefix" },
};

const multi: Target = {
  ...edgetpu,
  id: "edgetpu-multi",
  name: "Google Edge TPU, several subgraphs",
  tool: "edgetpu_compiler -a",
  partition: { way: "subgraphs" },
};

/** Every file in this folder gives a list: one compiler may serve several chips by slightly different rules. */
export default [edgetpu, multi];
