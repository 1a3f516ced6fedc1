/**
 * Multiply-accumulates of one operator, from shapes alone. One rule per kind of operator; what a rule needs and the file leaves open
 * makes the answer undefined, never 0. Layouts: TFLite keeps channels last and weights as [out, height, width, in], ONNX and OpenVINO
 * channels second and weights as [out, in / groups, height, width]. StableHLO writes its layouts beside each operator.
 */

import { einsum } from "./einsum.ts";
import { elementsOf, type Graph, type Node, type Tensor } from "./graph.ts";

/** `layout` of the format the graph is of. */
export type Layout = "channels last" | "channels second";

const channelsLast: ReadonlySet<string> = new Set([
  "tflite",
  "edgetpu-tflite",
  "vela-tflite",
  "tfjs",
  "tensorflow-savedmodel",
  "keras",
  "dlc",
  "xmodel",
]);

export const layoutOf = (format: string): Layout => (channelsLast.has(format) ? "channels last" : "channels second");

interface Operands {
  readonly node: Node;
  readonly layout: Layout;
  /** Tensor of an input, undefined when it is not given. */
  readonly input: (index: number) => Tensor | undefined;
  readonly output: Tensor | undefined;
}

type Rule = (operands: Operands) => number | undefined;

/** Shared operator name to its rule. What is not here multiplies no matrices and counts as 0. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>(
  Object.entries({
    Conv: convolution,
    DepthwiseConv: convolution,
    ConvTranspose: transposed,
    DeformConv: convolution,
    FullyConnected: fullyConnected,
    Gemm: product,
    MatMul: product,
    Einsum: summed,
    Cholesky: () => undefined,
    TriangularSolve: () => undefined,
    LSTM: recurrent,
    GRU: recurrent,
    RNN: recurrent,
    SVDF: svdf,
    Attention: attention,
  }),
);

/** MACs of a node; 0 where it has none, undefined where they cannot be told. */
export function macsOf(node: Node, graph: Graph, layout: Layout): number | undefined {
  if (node.op === undefined) return undefined;
  const rule = rules.get(node.op);
  if (rule === undefined) return 0;
  const macs = rule({
    node,
    layout,
    input: (index) => graph.tensors[node.inputs[index] ?? -1],
    output: graph.tensors[node.outputs[0] ?? -1],
  });
  return macs !== undefined && Number.isSafeInteger(macs) && macs >= 0 ? macs : undefined;
}

const counted = new WeakMap<Graph, readonly (number | undefined)[]>();

/** macsOf of every node of a graph, in order; counted once, though cost and histogram both ask. */
export function macsOfGraph(graph: Graph, layout: Layout): readonly (number | undefined)[] {
  let held = counted.get(graph);
  if (held === undefined) {
    held = graph.nodes.map((node) => macsOf(node, graph, layout));
    counted.set(graph, held);
  }
  return held;
}

const elements = (tensor: Tensor | undefined): number | undefined =>
  tensor === undefined ? undefined : elementsOf(tensor.shape);

const dimension = (tensor: Tensor | undefined, index: number): number | undefined => {
  const { shape } = tensor ?? {};
  const value = shape?.[index < 0 ? index + shape.length : index];
  return typeof value === "number" ? value : undefined;
};

const times = (...factors: readonly (number | undefined)[]): number | undefined => {
  let result = 1;
  for (const factor of factors) {
    if (factor === undefined) return undefined;
    result *= factor;
  }
  return result;
};

const over = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined || b === 0 ? undefined : a / b;

/** Operators that carry scale and zero point of each operand between the operands. */
const interleaved: ReadonlySet<string> = new Set(["QLinearConv", "QLinearMatMul", "QGemm"]);
const secondOperand = (node: Node): number => (interleaved.has(node.spelled) ? 3 : firstOperand(node) + 1);
/** PyTorch's addmm takes what is added first. */
const firstOperand = (node: Node): number => (/^aten(?:::|\.)(?:addmm|baddbmm)\b/.test(node.spelled) ? 1 : 0);

/** Convolutions that keep the channels of their filters last, whatever layout their format has: XNNPACK, CMSIS-NN (cortex_m). */
const channelsOfFilterLast =
  /^(?:XNNDepthwiseConv2d|XNNConvTranspose2d|cortex_m::quantized_(?:depthwise|transpose)_conv2d)/;

/** TensorFlow's, Keras' and QNN's order ends with the output channels; where channels come second nobody has that order. */
const outputLast: ReadonlySet<string> = new Set([
  "Conv1D",
  "Conv2D",
  "Conv3D",
  "Convolution2D",
  "TimeDistributed",
  "CONV_3D",
  "_FusedConv2D",
  "Conv1d",
  "Conv2d",
  "Conv3d",
  "Convolutional",
]);

/** Each output element is a sum over one filter. */
function convolution({ node, layout, input, output }: Operands): number | undefined {
  if (node.spelled.startsWith("SeparableConv")) return separable({ node, layout, input, output });
  const features = node.attributes["kernel_output_feature_dimension"];
  if (typeof features === "number") return convolutionByDimensions(node, features, input, output);
  const apart = keptApart(node, output);
  if (apart !== "no") return apart;
  const weights = input(node.spelled === "DeformableConvolution" ? 2 : secondOperand(node));
  if (weights === undefined) return undefined;
  const filters =
    node.op === "DepthwiseConv" && (layout === "channels last" || node.spelled === "tosa.depthwise_conv2d")
      ? depthwiseFilters(node, weights)
      : channelsOfFilterLast.test(node.spelled) || (layout === "channels last" && outputLast.has(node.spelled))
        ? dimension(weights, -1)
        : node.spelled === "GroupConvolution"
          ? times(dimension(weights, 0), dimension(weights, 1))
          : dimension(weights, 0);
  return times(elements(output), over(elements(weights), filters));
}

/** ncnn keeps weights in another file, and says how many they are: each position of the output meets all of them. */
function keptApart({ attributes }: Node, output: Tensor | undefined): number | undefined | "no" {
  const weights = numberOf(attributes["weight_data_size"]);
  return weights === undefined || weights === 0
    ? "no"
    : times(over(elements(output), numberOf(attributes["num_output"])), weights);
}

/** Keras' layer of two: each position meets every weight of both. */
function separable({ input, output }: Operands): number | undefined {
  const weights = [input(1), input(2)].filter((tensor) => tensor !== undefined);
  return times(over(elements(output), dimension(output, -1)), weights.length === 2 ? sum(weights) : undefined);
}

/** StableHLO names the dimensions. An input that is spread out (lhs_dilation) is a transposed convolution: each element meets one filter. */
function convolutionByDimensions(
  { attributes }: Node,
  features: number,
  input: Operands["input"],
  output: Tensor | undefined,
): number | undefined {
  const [data, weights] = [input(0), input(1)];
  const spread = attributes["lhs_dilation"];
  if (!Array.isArray(spread) || spread.every((step) => step === 1))
    return times(elements(output), over(elements(weights), dimension(weights, features)));
  const channels = attributes["kernel_input_feature_dimension"];
  const groups = numberOf(attributes["feature_group_count"]) ?? 1;
  if (typeof channels !== "number") return undefined;
  return over(times(elements(data), over(elements(weights), dimension(weights, channels))), groups);
}

/** TFLite [1, h, w, out]; TensorFlow [h, w, in, multiplier]; QNN [h, w, 1, out]; XIR [multiplier, h, w, in]. */
const depthwiseFilters = (node: Node, weights: Tensor): number | undefined =>
  node.spelled === "DEPTHWISE_CONV_2D"
    ? dimension(weights, -1)
    : times(dimension(weights, -1), dimension(weights, node.spelled.startsWith("depthwise-") ? 0 : -2));

/** TensorFlow's transposed convolutions take the output's sizes before filter and data; Keras' and the compilers' do not. */
const sizesFirst: ReadonlySet<string> = new Set([
  "TRANSPOSE_CONV",
  "CONV_3D_TRANSPOSE",
  "Conv2DBackpropInput",
  "Conv3DBackpropInput",
  "Conv3DBackpropInputV2",
]);

/** Each input element meets one filter. */
function transposed({ node, layout, input }: Operands): number | undefined {
  const [data, weights] = sizesFirst.has(node.spelled) ? [input(2), input(1)] : [input(0), input(1)];
  const apart = numberOf(node.attributes["weight_data_size"]);
  if (apart !== undefined && apart > 0) return times(over(elements(data), dimension(data, 0)), apart);
  const channels = node.spelled.startsWith("TransposeConv")
    ? dimension(weights, -2)
    : layout === "channels last" || node.spelled === "tosa.transpose_conv2d" || channelsOfFilterLast.test(node.spelled)
      ? dimension(weights, -1)
      : node.spelled === "GroupConvolutionBackpropData"
        ? times(dimension(weights, 0), dimension(weights, 1))
        : dimension(weights, 0);
  return times(elements(data), over(elements(weights), channels));
}

function fullyConnected({ node, input, output }: Operands): number | undefined {
  const apart = keptApart(node, output);
  if (apart !== "no") return apart;
  // Keras keeps the matrix the other way round.
  return times(
    elements(output),
    node.spelled === "Dense" || node.spelled === "TimeDistributed" ? dimension(input(0), -1) : dimension(input(1), -1),
  );
}

const truthy = (value: unknown): boolean =>
  value === true || value === 1 || value === 1n || value === "true" || value === "1";

/** Output elements times the length of what is summed. */
function product({ node, input, output }: Operands): number | undefined {
  const { attributes } = node;
  // addmm and baddbmm take what is added first.
  if (/^aten::b?addb?mm\b/.test(node.spelled)) return times(elements(output), dimension(input(1), -1));
  const contracted = attributes["lhs_contracting_dimensions"];
  if (Array.isArray(contracted))
    return times(elements(output), ...contracted.map((index) => dimension(input(0), Number(index))));
  const flipped = [
    attributes["transA"],
    attributes["adj_x"],
    attributes["transpose_a"],
    attributes["transpose_x"],
  ].some(truthy);
  const summed =
    node.spelled === "MatMulNBits"
      ? numberOf(attributes["K"])
      : dimension(input(firstOperand(node)), flipped ? -2 : -1);
  if (summed !== undefined) return times(elements(output), summed);
  const flippedRight = [
    attributes["transB"],
    attributes["adj_y"],
    attributes["transpose_b"],
    attributes["transpose_y"],
  ].some(truthy);
  const right = input(secondOperand(node));
  const fromRight = (right?.shape?.length ?? 0) < 2 ? undefined : dimension(right, flippedRight ? -1 : -2);
  return times(elements(output), fromRight);
}

function summed({ node, input }: Operands): number | undefined {
  const { equation } = node.attributes;
  if (typeof equation !== "string") return undefined;
  return einsum(
    equation,
    node.inputs.map((_, index) => input(index)?.shape),
  )?.macs;
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : undefined;

/** Every weight is used once per time step and batch. */
function recurrent({ node, layout, input }: Operands): number | undefined {
  const data = input(0);
  if (node.spelled.startsWith("aten::")) return times(dimension(data, 0), dimension(data, 1), atenWeights(node, input));
  const steps = data?.shape?.length === 2 ? dimension(data, 0) : times(dimension(data, 0), dimension(data, 1));
  return times(
    steps,
    sum(
      recurrentWeights(node, layout)
        .map((index) => input(index))
        .filter((tensor) => tensor !== undefined),
    ),
  );
}

/** Matrices among what comes after the input and its states, which have three dimensions. */
function atenWeights(node: Node, input: Operands["input"]): number | undefined {
  return sum(
    node.inputs
      .map((_, index) => input(index))
      .filter((tensor) => tensor?.shape?.length === 2)
      .filter((tensor) => tensor !== undefined),
  );
}

function recurrentWeights(node: Node, layout: Layout): readonly number[] {
  switch (node.spelled) {
    case "UNIDIRECTIONAL_SEQUENCE_LSTM":
    case "LSTM":
      // Four matrices over the input, four over the state, the projection (tensorflow/lite/kernels/lstm_shared.h).
      // Keras' layer has the same name and one matrix of each.
      return layout === "channels last" && node.inputs.length > 8 ? [1, 2, 3, 4, 5, 6, 7, 8, 16] : [1, 2];
    case "BIDIRECTIONAL_SEQUENCE_LSTM":
      return [1, 2, 3, 4, 5, 6, 7, 8, 16, 18, 19, 20, 21, 22, 23, 24, 25, 33];
    case "Bidirectional":
      return [1, 2, 4, 5];
    case "BIDIRECTIONAL_SEQUENCE_RNN":
      return [1, 2, 5, 6];
    case "LSTMSequence":
      return [4, 5];
    case "LSTMCell":
    case "GRUSequence":
    case "RNNSequence":
      return [3, 4];
    case "GRUCell":
    case "RNNCell":
      return [2, 3];
    default:
      return [1, 2];
  }
}

function sum(tensors: readonly Tensor[]): number | undefined {
  let total = 0;
  for (const tensor of tensors) {
    const count = elements(tensor);
    if (count === undefined) return undefined;
    total += count;
  }
  return tensors.length === 0 ? undefined : total;
}

function svdf({ input }: Operands): number | undefined {
  return times(dimension(input(0), 0), sum([input(1), input(2)].filter((tensor) => tensor !== undefined)));
}

/** Of attention in which more goes on than its inputs show (projections, a cache by pages), or whose layout is another. */
const opaqueAttention: ReadonlySet<string> = new Set([
  "DecoderMaskedMultiHeadAttention",
  "DecoderMaskedSelfAttention",
  "LongformerAttention",
  "PackedAttention",
  "PackedMultiHeadAttention",
  "PagedAttentionExtension",
  "SparseAttention",
  "custom_sdpa",
  "sdpa_with_kv_cache",
]);

/** Scores and their use: queries x keys x width, twice. The fused form of onnxruntime also projects. */
function attention({ node, input, output }: Operands): number | undefined {
  const [query, key, value] = [input(0), input(1), input(2)];
  const runtime = node.domain === "com.microsoft";
  if (opaqueAttention.has(node.spelled.replace(/^.*::|\..*$/g, ""))) return undefined;
  if (node.spelled === "MultiHeadAttention" && !runtime) return undefined; // Keras' and ncnn's: weights among them
  if (truthy(node.attributes["kv_cache"])) return undefined;
  if ((node.spelled === "Attention" && runtime) || node.spelled === "QAttention") {
    const steps = times(dimension(query, 0), dimension(query, 1));
    const scores = times(2, elements(output), dimension(query, 1));
    const projected = times(steps, elements(key));
    return scores === undefined || projected === undefined ? undefined : scores + projected;
  }
  const keys = keysSeen(node, key, input);
  // Heads side by side in one dimension: several of the queries' share one of the values'.
  const [heads, shared] = [
    numberOf(node.attributes["q_num_heads"] ?? node.attributes["num_heads"]),
    numberOf(node.attributes["kv_num_heads"]),
  ];
  const sharing = query?.shape?.length === 3 && heads !== undefined && shared !== undefined ? over(heads, shared) : 1;
  const scores = times(elements(query), keys);
  const used = times(over(elements(query), dimension(query, -1)), keys, dimension(value, -1), sharing);
  return scores === undefined || used === undefined ? undefined : scores + used;
}

/** Where keys of the steps before stand among the inputs. */
const pastKeys: Readonly<Record<string, number>> = { Attention: 4, GroupQueryAttention: 3, MultiHeadAttention: 6 };

function keysSeen(node: Node, key: Tensor | undefined, input: Operands["input"]): number | undefined {
  const place = node.domain === undefined || node.domain === "com.microsoft" ? pastKeys[node.spelled] : undefined;
  const past = place === undefined ? undefined : input(place);
  const now = dimension(key, -2);
  if (past === undefined || now === undefined) return now;
  const before = dimension(past, -2);
  return before === undefined ? undefined : now + before;
}
