/**
 * View: what rules and estimates look at in a node, worked out once and the same for every layout: kernel, stride, dilation, padding,
 * groups, channels, types, quantisation, activation, work. Unknown is undefined, never 0.
 */

import {
  bytesOf,
  elementBits,
  elementsOf,
  type ElementType,
  type Graph,
  type Model,
  type Node,
  type Tensor,
} from "../model/graph.ts";
import { layoutOf, macsOfGraph, type Layout } from "../model/macs.ts";
import { opKind, type OpKind } from "../model/ops.ts";
import { schemeOf } from "../model/quantization.ts";
import { executionOrder } from "./order.ts";
import { withShapes } from "./shapes.ts";
import type { ModelView } from "./target.ts";
import { imageOf, windowOf, type Pair } from "./window.ts";

export type { Pair } from "./window.ts";

export interface View {
  readonly index: number;
  readonly node: Node;
  /** Shared name (model/ops.ts); the file's spelling where it has none. */
  readonly op: string;
  readonly spelled: string;
  readonly kind: OpKind | undefined;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly (Tensor | undefined)[];
  /** Constant operand of a convolution, a matrix product or an elementwise operator. */
  readonly weights: Tensor | undefined;
  readonly bias: Tensor | undefined;
  /** Of the first variable input and the first output: types and full shapes (batch first, in the file's layout). */
  readonly inType: ElementType | undefined;
  readonly outType: ElementType | undefined;
  readonly inShape: readonly number[] | undefined;
  readonly outShape: readonly number[] | undefined;
  readonly batch: number | undefined;
  /** Of images, whatever the layout: channels, height, width. */
  readonly inChannels: number | undefined;
  readonly outChannels: number | undefined;
  readonly inSize: Pair | undefined;
  readonly outSize: Pair | undefined;
  readonly kernel: Pair | undefined;
  readonly stride: Pair | undefined;
  readonly dilation: Pair | undefined;
  readonly padding: "same" | "valid" | "explicit" | undefined;
  readonly groups: number | undefined;
  /** Groups = input channels. */
  readonly depthwise: boolean;
  /** Fused activation as TFLite spells it, NONE without; undefined in formats that have none. */
  readonly activation: string | undefined;
  /** The weights have a scale for each channel. */
  readonly perChannel: boolean | undefined;
  readonly quantized: boolean;
  /** Some dimension of what it takes or gives is open, the batch apart. */
  readonly dynamic: boolean;
  /** Which inputs are constant: of the file, or made of constants alone. */
  readonly constant: readonly boolean[];
  /** Everything it takes is constant: what folds constants computes it once, before anything runs. */
  readonly folded: boolean;
  /** Why nothing certain can be said of it: it waits for itself, takes what does not exist, has a shape that no memory holds. */
  readonly broken?: string;
  readonly work: Work;
  /** Who stands before and behind it. */
  readonly around?: Around;
}

/** Neighbours of the nodes of one graph, found when someone asks: few rules do. */
export interface Around {
  /** All of them, in execution order. */
  readonly all: () => readonly View[];
  /** Who takes what a node gives. */
  readonly users: (view: View) => readonly View[];
  /** Who makes the input at a position. */
  readonly maker: (view: View, input: number) => View | undefined;
}

/** What a node costs, in units that no device enters: what it computes and what it moves. undefined: shapes leave it open. */
export interface Work {
  readonly macs: number | undefined;
  /** Elements. */
  readonly weights: number;
  readonly input: number | undefined;
  readonly output: number | undefined;
  /** Bytes as the file stores them. */
  readonly weightBytes: number;
  readonly inputBytes: number | undefined;
  readonly outputBytes: number | undefined;
}

/** From TFLite: its inputs stand where TFLite has them, and its versions are TFLite's. */
export const isTflite = ({ activation }: View): boolean => activation !== undefined;

/** Views of the main graph's nodes in execution order, and the model's own view. */
export function viewOf(given: Model): {
  readonly graph: Graph;
  readonly views: readonly View[];
  readonly model: ModelView;
} {
  const whole = given.graphs[given.main ?? 0] ?? { name: "", tensors: [], nodes: [], inputs: [], outputs: [] };
  const shut = closed(whole, given.format);
  const { order, cyclic } = executionOrder(shut.graph);
  const graph = withShapes(shut.graph, order, given.format);
  const open = graph === shut.graph ? shut.open : stillOpen(shut.open, graph);
  const stuck = new Set(cyclic === 0 ? [] : order.slice(-cyclic));
  const known = constantsOf(graph, order, given.format);
  const layout = layoutOf(given.format);
  const macs = macsOfGraph(graph, layout);
  const tellsActivation = given.format.includes("tflite");
  const unbatched = given.format === "ncnn";
  const around = aroundOf(() => views);
  const context: Context = { graph, layout, open, stuck, tellsActivation, unbatched, around, ...known };
  const views: readonly View[] = order.map((index) => viewOfNode(index, macs[index], context));
  const scheme = schemeOf(given);
  const inputs = graph.inputs.map((index) => graph.tensors[index]).filter((tensor) => tensor?.data === undefined);
  const model: ModelView = {
    format: given.format,
    scheme: scheme?.kind,
    granularity: scheme?.granularity,
    views,
    dynamic: views.some((view) => view.dynamic)
      ? true
      : inputs.some((tensor) => tensor?.shape === undefined)
        ? undefined
        : false,
    opset: opsetOf(given),
    batch: batchOf(whole, given.format),
    ...findingsOf(views),
  };
  return { graph, views, model };
}

function aroundOf(all: () => readonly View[]): Around {
  let makers: ReadonlyMap<number, View> | undefined;
  let users: ReadonlyMap<number, readonly View[]> | undefined;
  return {
    all,
    users: ({ node }) => {
      users ??= usersOf(all());
      return node.outputs.flatMap((output) => users?.get(output) ?? []);
    },
    maker: ({ node }, input) => {
      makers ??= new Map(all().flatMap((view) => view.node.outputs.map((output): [number, View] => [output, view])));
      return makers.get(node.inputs[input] ?? -1);
    },
  };
}

function usersOf(views: readonly View[]): ReadonlyMap<number, readonly View[]> {
  const users = new Map<number, View[]>();
  for (const view of views) {
    for (const input of new Set(view.node.inputs)) {
      const held = users.get(input);
      if (held === undefined) users.set(input, [view]);
      else held.push(view);
    }
  }
  users.delete(-1);
  return users;
}

interface Context {
  readonly graph: Graph;
  readonly around: Around;
  readonly layout: Layout;
  /** Tensors with an open dimension beyond the batch. */
  readonly open: ReadonlySet<number>;
  /** Nodes in a cycle or behind one. */
  readonly stuck: ReadonlySet<number>;
  readonly tellsActivation: boolean;
  /** Shapes begin with what follows the batch (ncnn). */
  readonly unbatched: boolean;
  /** Tensor to the constant it is made of: itself, or what is dequantised, cast or reshaped into it. */
  readonly constants: ReadonlyMap<number, number>;
  readonly folded: ReadonlySet<number>;
  /** Tensors that a DequantizeLinear gives and a QuantizeLinear takes. */
  readonly dequantized: ReadonlySet<number>;
}

/**
 * The graph with every open batch as 1. TFLite's converter writes 1 wherever the signature leaves a dimension open, and its interpreter
 * starts with that: there all of them are 1.
 */
function closed(graph: Graph, format: string): { graph: Graph; open: ReadonlySet<number> } {
  const open = new Set<number>();
  const everywhere = format.includes("tflite");
  const tensors = graph.tensors.map((tensor, index) => {
    const { shape, data } = tensor;
    if (data !== undefined) return tensor;
    if (shape === undefined) {
      open.add(index);
      return tensor;
    }
    if (shape.every((dimension) => typeof dimension === "number")) return tensor;
    if (shape.slice(1).some((dimension) => typeof dimension !== "number")) {
      open.add(index);
      if (!everywhere) return tensor;
    }
    return {
      ...tensor,
      shape: shape.map((dimension, at) => (typeof dimension === "number" || (at > 0 && !everywhere) ? dimension : 1)),
    };
  });
  return { graph: tensors.some((tensor, at) => tensor !== graph.tensors[at]) ? { ...graph, tensors } : graph, open };
}

const stillOpen = (open: ReadonlySet<number>, { tensors }: Graph): ReadonlySet<number> =>
  new Set([...open].filter((index) => tensors[index]?.shape?.every((one) => typeof one === "number") !== true));

/** What passes a constant on as it is, for whoever asks what a node's weights are. */
const passing: ReadonlySet<string> = new Set([
  "DequantizeLinear",
  "QuantizeLinear",
  "Cast",
  "Identity",
  "Reshape",
  "Transpose",
  "Unsqueeze",
  "Squeeze",
  "FakeQuantize",
]);

/** Which tensors are constant, by themselves or because all that goes in is; and what quantised values stand between Q and DQ. */
function constantsOf(
  graph: Graph,
  order: readonly number[],
  format: string,
): Pick<Context, "constants" | "folded" | "dequantized"> {
  const constants = new Map<number, number>();
  const folded = new Set<number>();
  const dequantized = new Set<number>();
  graph.tensors.forEach((tensor, index) => {
    if (tensor.data !== undefined) constants.set(index, index);
  });
  const foldsShapes = !format.includes("tflite");
  for (const index of order) {
    const node = graph.nodes[index];
    if (node === undefined) continue;
    if (node.op === "DequantizeLinear") for (const output of node.outputs) dequantized.add(output);
    const kind = opKind(node.op);
    if (kind === "random" || kind === "control" || kind === "state") continue;
    const inputs = node.inputs.filter((input) => input >= 0);
    const shape = foldsShapes && (node.op === "Shape" || node.op === "Size");
    const known = shape
      ? inputs.every((input) => elementsOf(graph.tensors[input]?.shape) !== undefined)
      : kind === "graph"
        ? node.op === "Constant"
        : inputs.length > 0 && inputs.every((input) => constants.has(input));
    if (!known) continue;
    folded.add(index);
    const source = passing.has(node.op ?? "") ? constants.get(inputs[0] ?? -1) : undefined;
    for (const output of node.outputs)
      if (output >= 0) constants.set(output, source ?? constants.get(output) ?? output);
  }
  return { constants, folded, dequantized };
}

/** Kinds of operators whose constant operand is called weights. */
const weighted: ReadonlySet<string> = new Set([
  "convolution",
  "matrix",
  "recurrent",
  "elementwise",
  "normalise",
  "activation",
]);

function viewOfNode(index: number, macs: number | undefined, context: Context): View {
  const { graph, layout, constants, open, dequantized, tellsActivation, unbatched } = context;
  const node = graph.nodes[index] ?? NO_NODE;
  const inputs = node.inputs.map((input) => (input < 0 ? undefined : graph.tensors[input]));
  const outputs = node.outputs.map((output) => (output < 0 ? undefined : graph.tensors[output]));
  const kind = opKind(node.op);
  const variable = node.inputs.find(
    (input) => input >= 0 && graph.tensors[input] !== undefined && !constants.has(input),
  );
  const data = graph.tensors[variable ?? node.inputs.find((input) => input >= 0) ?? -1];
  const result = outputs[0];
  const fixed = node.inputs
    .filter((input) => input >= 0)
    .flatMap((input) => {
      const source = constants.get(input);
      const tensor = source === undefined ? undefined : graph.tensors[source];
      if (tensor === undefined) return [];
      return [source === input ? tensor : { ...tensor, ...shapeFrom(graph.tensors[input]) }];
    });
  const { weights, bias } = kind !== undefined && weighted.has(kind) ? operandsOf(node, fixed) : NONE;
  const inShape = numbers(data?.shape);
  const outShape = numbers(result?.shape);
  const from = imageOf(data?.shape, layout, unbatched);
  const to = imageOf(result?.shape, layout, unbatched);
  const window = windowOf(node, weights, layout, from.channels, kind);
  const folded = context.folded.has(index);
  const isOpen = (tensor: number): boolean => tensor >= 0 && open.has(tensor) && !constants.has(tensor);
  const activation = node.attributes["activation"];
  return {
    index,
    node,
    op: node.op ?? node.spelled,
    spelled: node.spelled,
    kind,
    inputs,
    outputs,
    weights,
    bias,
    inType: data?.type,
    outType: result?.type,
    inShape,
    outShape,
    batch: unbatched ? 1 : firstOf(data?.shape),
    inChannels: from.channels,
    outChannels: to.channels,
    inSize: from.size,
    outSize: to.size,
    ...window,
    activation: tellsActivation ? (typeof activation === "string" ? activation : "NONE") : undefined,
    perChannel: perChannel(weights),
    quantized: isQuantized(node, data, result, variable !== undefined && dequantized.has(variable)),
    dynamic: node.inputs.some(isOpen) || node.outputs.some(isOpen),
    constant: node.inputs.map((input) => constants.has(input)),
    folded,
    ...brokenOf(index, inputs, outputs, context),
    around: context.around,
    work: folded ? NO_WORK : workOf(node, macs, fixed, data, inputs, outputs, constants),
  };
}

function brokenOf(
  index: number,
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly (Tensor | undefined)[],
  { graph, stuck }: Context,
): Pick<View, "broken"> {
  if (stuck.has(index)) return { broken: "it waits for its own result: the graph has a cycle" };
  const node = graph.nodes[index] ?? NO_NODE;
  const missing = [...node.inputs, ...node.outputs].find((tensor) => tensor >= graph.tensors.length);
  if (missing !== undefined) return { broken: `tensor ${missing} does not exist` };
  for (const tensor of [...inputs, ...outputs]) {
    const shape = numbers(tensor?.shape);
    if (shape !== undefined && elementsOf(shape) === undefined)
      return { broken: `no memory holds a tensor of ${shape.slice(0, RANK_SHOWN).join("x")}` };
  }
  return {};
}

/** Dimensions of an absurd shape that a sentence repeats. */
const RANK_SHOWN = 8;

/** The same of several nodes is one finding. */
function findingsOf(views: readonly View[]): Pick<ModelView, "findings"> {
  const counts = new Map<string, number>();
  for (const { broken } of views) {
    const says = broken?.replace(/^(tensor \d+|no memory).*$/, (_, what: string) =>
      what === "no memory" ? "tensors are larger than any memory" : "tensors do not exist",
    );
    if (says !== undefined) counts.set(says, (counts.get(says) ?? 0) + 1);
  }
  if (counts.size === 0) return {};
  return {
    findings: [...counts].map(([says, count]) => `${count} ${count === 1 ? "operator" : "operators"}: ${says}`),
  };
}

const NO_NODE: Node = { spelled: "", inputs: [], outputs: [], attributes: {} };
const NONE = { weights: undefined, bias: undefined };
const NO_WORK: Work = { macs: 0, weights: 0, input: 0, output: 0, weightBytes: 0, inputBytes: 0, outputBytes: 0 };

const shapeFrom = (tensor: Tensor | undefined): Pick<Tensor, "shape"> =>
  tensor?.shape === undefined ? {} : { shape: tensor.shape };

function operandsOf(
  node: Node,
  constant: readonly Tensor[],
): { weights: Tensor | undefined; bias: Tensor | undefined } {
  // Scales and zero points of QLinear operators and of QNN-like ones are scalars or vectors: the largest constant is what is meant.
  const kind = opKind(node.op);
  if (kind === "elementwise" || kind === "activation" || kind === "normalise")
    return { weights: constant[0], bias: undefined };
  const sized = constant.map((tensor, at) => ({ tensor, at, rank: tensor.shape?.length ?? 0 }));
  const weights = sized.find(({ rank }) => rank >= 2) ?? sized[0];
  const bias = sized.find(
    ({ at, rank, tensor }) => at > (weights?.at ?? -1) && rank === 1 && !/scale|zero_point/.test(tensor.name),
  );
  return { weights: weights?.tensor, bias: bias?.tensor };
}

const numbers = (shape: Tensor["shape"]): readonly number[] | undefined =>
  shape?.every((dimension): dimension is number => typeof dimension === "number") === true ? shape : undefined;

const firstOf = (shape: Tensor["shape"]): number | undefined => (typeof shape?.[0] === "number" ? shape[0] : undefined);

function perChannel(weights: Tensor | undefined): boolean | undefined {
  if (weights?.quantization === undefined) return undefined;
  return (
    weights.quantization.scale.length > 1 ||
    (weights.quantization.scale.length === 0 && weights.quantization.axis !== undefined)
  );
}

const integers: ReadonlySet<ElementType> = new Set(["int8", "uint8", "int16", "uint16", "int4", "uint4"]);

function isQuantized(node: Node, data: Tensor | undefined, result: Tensor | undefined, dequantized: boolean): boolean {
  if (/^(?:QLinear|QGemm|QAttention)/.test(node.spelled) || dequantized) return true;
  const integer = (tensor: Tensor | undefined): boolean => tensor !== undefined && integers.has(tensor.type);
  return integer(data) && (integer(result) || data?.quantization !== undefined);
}

function workOf(
  node: Node,
  macs: number | undefined,
  constant: readonly Tensor[],
  data: Tensor | undefined,
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly (Tensor | undefined)[],
  constants: ReadonlyMap<number, number>,
): Work {
  // ncnn keeps weights in another file and says how many they are.
  const apart = node.attributes["weight_data_size"];
  const elsewhere = typeof apart === "number" && apart > 0 ? apart : 0;
  const moved = inputs.filter((_, at) => !constants.has(node.inputs[at] ?? -1));
  return {
    macs,
    weights: (sum(constant.map((tensor) => elementsOf(tensor.shape))) ?? 0) + elsewhere,
    input: sum(moved.map((tensor) => elementsOf(tensor?.shape))),
    output: sum(outputs.map((tensor) => elementsOf(tensor?.shape))),
    weightBytes:
      (sum(constant.map((tensor) => tensor.data?.bytes ?? bytesOf(tensor))) ?? 0) +
      (elsewhere * (elementBits[data?.type ?? "float32"] ?? 32)) / 8,
    inputBytes: sum(moved.map((tensor) => tensor && bytesOf(tensor))),
    outputBytes: sum(outputs.map((tensor) => tensor && bytesOf(tensor))),
  };
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  let total = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    total += value;
  }
  return Number.isSafeInteger(Math.ceil(total)) ? total : undefined;
}

function opsetOf({ metadata, format }: Model): number | undefined {
  const said = metadata["opset ai.onnx"] ?? (format === "onnx" ? metadata["opset"] : undefined);
  const opset = Number(said);
  return said === undefined || !Number.isInteger(opset) ? undefined : opset;
}

/** First dimension of the first input that has more than one; an open one is nobody's number. */
function batchOf(graph: Graph, format: string): number | undefined {
  if (format === "ncnn") return 1;
  for (const index of graph.inputs) {
    const shape = graph.tensors[index]?.shape;
    const [first] = shape ?? [];
    if (shape !== undefined && shape.length > 1) return typeof first === "number" ? first : undefined;
  }
  return undefined;
}
