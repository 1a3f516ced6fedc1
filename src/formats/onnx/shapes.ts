/**
 * Shapes that an ONNX file leaves out, worked out from operators and constants (onnx/docs/Operators.md): enough to count what
 * convolutional and transformer networks cost. What a file does declare is held against it. Nothing is executed; small integer vectors
 * (Shape, Gather, Concat before a Reshape) are followed as values.
 */

import type { Attribute, Dimension, ElementType } from "../../model/graph.ts";
import { label, type Context, type Draft, type DraftNode } from "./draft.ts";
import { attentionRules } from "./shapes-attention.ts";
import { windowRules } from "./shapes-window.ts";
import { layoutRules } from "./shapes-layout.ts";
import { arithmetic, valueRules } from "./shapes-values.ts";

export type Shape = readonly Dimension[];

/** Values followed: a shape's dimensions, axes, pads. */
const VALUES_FOLLOWED = 256;
/** Elements beyond which a dimension is no result but an overflow. */
const DIMENSION_LIMIT = 2 ** 48;

export type Rule = (step: Step) => void;

/** One node, seen from its rule. */
export class Step {
  readonly node: DraftNode;
  readonly #draft: Draft;
  readonly #context: Context;
  readonly #values: Map<number, Shape>;
  readonly #at: number | undefined;

  constructor(node: DraftNode, draft: Draft, context: Context, values: Map<number, Shape>, at: number | undefined) {
    this.node = node;
    this.#draft = draft;
    this.#context = context;
    this.#values = values;
    this.#at = at;
  }

  /** Opset version of the node's domain; a new one where the file names none. */
  get version(): number {
    return this.node.version ?? 24;
  }

  has(input: number): boolean {
    return (this.node.inputs[input] ?? -1) >= 0;
  }

  shape(input: number): Shape | undefined {
    return this.#draft.tensors[this.node.inputs[input] ?? -1]?.shape;
  }

  type(input: number): ElementType {
    return this.#draft.tensors[this.node.inputs[input] ?? -1]?.type ?? "unknown";
  }

  /** Values of an input: constant ones, or followed ones, whose dimensions may be open. */
  values(input: number): Shape | undefined {
    const index = this.node.inputs[input] ?? -1;
    return this.#values.get(index) ?? this.#draft.constants.get(index)?.values(VALUES_FOLLOWED);
  }

  /** Values of an input where all are known numbers. */
  numbers(input: number): readonly number[] | undefined {
    const values = this.values(input);
    return values?.every((value) => typeof value === "number") === true ? values : undefined;
  }

  attribute(name: string): Attribute | undefined {
    return this.node.attributes[name];
  }

  int(name: string, otherwise: number): number {
    const value = this.node.attributes[name];
    return typeof value === "number" ? value : otherwise;
  }

  ints(name: string): readonly number[] | undefined {
    const value = this.node.attributes[name];
    return Array.isArray(value) && value.every((one) => typeof one === "number") ? value : undefined;
  }

  /** An axis counted from the start; undefined when there is none. */
  axis(axis: number, rank: number): number | undefined {
    const at = axis < 0 ? axis + rank : axis;
    if (at >= 0 && at < rank) return at;
    this.contradicts(`has the axis ${axis}, its input has ${rank} dimensions`);
    return undefined;
  }

  /** Say the shape and type of an output; a declared one is compared and stays. */
  set(output: number, shape: Shape | undefined, type: ElementType = this.type(0)): void {
    const tensor = this.#draft.tensors[this.node.outputs[output] ?? -1];
    if (!tensor) return;
    if (tensor.type === "unknown" && tensor.spelled === undefined) tensor.type = type;
    if (shape === undefined) return;
    if (shape.some((one) => typeof one === "number" && (one < 0 || one > DIMENSION_LIMIT))) {
      this.contradicts(`would give [${shape.join(", ")}]`);
      return;
    }
    const declared = tensor.shape;
    if (declared === undefined) {
      tensor.shape = shape;
      return;
    }
    const differs =
      declared.length !== shape.length ||
      declared.some((one, at) => typeof one === "number" && typeof shape[at] === "number" && one !== shape[at]);
    if (differs) {
      this.contradicts(`gives [${words(shape)}], and ${label(tensor.name)} is declared [${words(declared)}]`);
    } else if (declared.includes(null)) tensor.shape = declared.map((one, at) => one ?? shape[at] ?? null);
  }

  /** Say the values of an output, which has rank 0 or 1. */
  follow(output: number, values: Shape | undefined): void {
    const index = this.node.outputs[output] ?? -1;
    if (index >= 0 && values !== undefined && values.length <= VALUES_FOLLOWED) this.#values.set(index, values);
  }

  contradicts(says: string): void {
    const { name, spelled } = this.node;
    this.#context.findings.add("warning", "shape/contradiction", `${spelled} ${label(name ?? "")} ${says}`, this.#at);
  }
}

const words = (shape: Shape): string => shape.map((one) => one ?? "?").join(", ");

/** Give shapes and types to the values of a graph that have none; `inner` is given each body as its operator is met. */
export function inferShapes(draft: Draft, context: Context, inner: (body: Draft) => void): void {
  const values = new Map<number, Shape>();
  for (let at = 0; at < draft.nodes.length; at++) {
    const node = draft.nodes[at];
    const bodies = (node?.graphs ?? []).flatMap((index) => {
      const body = context.drafts[index];
      return body?.parent === draft ? [body] : [];
    });
    bodies.forEach(inner);
    if (!node || (node.domain !== undefined && node.domain !== "com.microsoft")) continue;
    if (node.spelled === "If" && bodies.length === 2)
      merge(new Step(node, draft, context, values, draft.places[at]), bodies);
    const rule = rules().get(node.spelled);
    if (rule) rule(new Step(node, draft, context, values, draft.places[at]));
  }
}

/** What both branches of an If agree on. */
function merge(step: Step, [one, other]: readonly Draft[]): void {
  step.node.outputs.forEach((_, at) => {
    const [left, right] = [one?.tensors[one.outputs[at] ?? -1], other?.tensors[other.outputs[at] ?? -1]];
    if (left === undefined || right?.type !== left.type) return;
    const [a, b] = [left.shape, right.shape];
    step.set(
      at,
      a?.length === b?.length ? a?.map((size, axis) => (size === b?.[axis] ? size : null)) : undefined,
      left.type,
    );
  });
}

let table: ReadonlyMap<string, Rule> | undefined;

function rules(): ReadonlyMap<string, Rule> {
  table ??= new Map([...attentionRules(), ...elementwiseRules(), ...windowRules(), ...layoutRules(), ...valueRules()]);
  return table;
}

/** Output as the first input. */
const same: Rule = (step) => step.set(0, step.shape(0));

/** Operators whose output is as their first input. */
const likeFirst =
  "Relu LeakyRelu PRelu Elu Selu Celu ThresholdedRelu Sigmoid HardSigmoid HardSwish Swish Mish Gelu FastGelu BiasGelu QuickGelu Tanh " +
  "Softplus Softsign Softmax LogSoftmax Hardmax Shrink Clip Abs Neg Sign Exp Log Sqrt Reciprocal Sin Cos Tan Asin Acos Atan Sinh Cosh " +
  "Asinh Acosh Atanh Erf Round BitwiseNot InstanceNormalization GroupNormalization RMSNormalization " +
  "SimplifiedLayerNormalization SkipLayerNormalization SkipSimplifiedLayerNormalization MeanVarianceNormalization LRN LpNormalization " +
  "CumSum CumProd RandomUniformLike RandomNormalLike TensorScatter Trilu ScatterElements ScatterND Scatter ReverseSequence Bernoulli QLinearSigmoid QLinearLeakyRelu QLinearSoftmax RotaryEmbedding";
const broadcasting = "Pow Max Min Sum Mean Mod BitShift BitwiseAnd BitwiseOr BitwiseXor";
const comparing = "And Or Xor Equal Greater GreaterOrEqual Less LessOrEqual";

function elementwiseRules(): [string, Rule][] {
  const each = (names: string, rule: Rule): [string, Rule][] => names.split(" ").map((name) => [name, rule]);
  return [
    ...each(likeFirst, same),
    ...each(broadcasting, (step) =>
      broadcastAll(
        step,
        step.node.inputs.map((_, at) => at),
      ),
    ),
    ...each(comparing, (step) => broadcastAll(step, [0, 1], "bool")),
    ...each("Add Sub Mul Div", (step) => {
      broadcastAll(step, [0, 1]);
      arithmetic(step);
    }),
    ...each("QLinearAdd QLinearMul", (step) => broadcastAll(step, [0, 3])),
    ...each("Not IsNaN IsInf", (step) => step.set(0, step.shape(0), "bool")),
    ["BatchNormalization", batchNormalization],
    ["LayerNormalization", layerNormalization],
    ["Dropout", (step) => (step.set(0, step.shape(0)), step.set(1, step.shape(0), "bool"))],
    ["Where", (step) => broadcastAll(step, [0, 1, 2], step.type(1))],
    [
      "QuantizeLinear",
      (step) =>
        step.set(
          0,
          step.shape(0),
          step.has(2) ? step.type(2) : step.int("output_dtype", 0) === 0 ? "uint8" : "unknown",
        ),
    ],
    ["DequantizeLinear", (step) => step.set(0, step.shape(0), step.type(1))],
    [
      "DynamicQuantizeLinear",
      (step) => {
        step.set(0, step.shape(0), "uint8");
        step.set(1, [], "float32");
        step.set(2, [], "uint8");
      },
    ],
    ...each("LSTM GRU RNN", recurrent),
  ];
}

function batchNormalization(step: Step): void {
  step.set(0, step.shape(0));
  const channels = step.shape(0)?.[1] ?? null;
  for (let output = 1; output < step.node.outputs.length; output++) step.set(output, [channels], step.type(3));
}

/** Mean and inverse deviation too: 1 from the axis on. */
function layerNormalization(step: Step): void {
  const shape = step.shape(0);
  step.set(0, shape);
  if (shape === undefined || step.node.outputs.length < 2) return;
  const axis = step.axis(step.int("axis", -1), shape.length);
  if (axis === undefined) return;
  const kept = shape.map((size, at) => (at < axis ? size : 1));
  for (const output of [1, 2]) step.set(output, kept, "float32");
}

function broadcastAll(step: Step, inputs: readonly number[], type?: ElementType): void {
  // Until opset 7 the second operand was fitted to the first by attributes
  if (step.version < 7 && step.node.domain === undefined) {
    step.set(0, step.shape(inputs[0] ?? 0), type);
    return;
  }
  let shape: Shape | undefined = step.shape(inputs[0] ?? 0);
  for (const input of inputs.slice(1)) {
    const other = step.shape(input);
    if (shape === undefined || other === undefined) {
      step.set(0, undefined, type);
      return;
    }
    const result = broadcast(shape, other);
    if (!result) {
      step.contradicts(`joins [${words(shape)}] with [${words(other)}]`);
      return;
    }
    shape = result;
  }
  step.set(0, shape, type);
}

/** NumPy's rule; undefined where the shapes do not fit. An open dimension beside a number above 1 is that number. */
export function broadcast(one: Shape, other: Shape): Shape | undefined {
  const rank = Math.max(one.length, other.length);
  const out: Dimension[] = [];
  for (let at = 0; at < rank; at++) {
    const left = at < rank - one.length ? 1 : (one[at - rank + one.length] ?? null);
    const right = at < rank - other.length ? 1 : (other[at - rank + other.length] ?? null);
    if (left === right || right === 1) out.push(left);
    else if (left === 1) out.push(right);
    else if (typeof left === "number" && typeof right === "number") return undefined;
    else if (typeof left === "number") out.push(left);
    else out.push(typeof right === "number" ? right : null);
  }
  return out;
}

/** X [length, batch, input] (layout 0); Y [length, directions, batch, hidden], Y_h and Y_c [directions, batch, hidden]. */
function recurrent(step: Step): void {
  const shape = step.shape(0);
  const hidden = step.int("hidden_size", -1) >= 0 ? step.int("hidden_size", -1) : (step.shape(2)?.[2] ?? null);
  const directions = step.attribute("direction") === "bidirectional" ? 2 : 1;
  if (shape?.length !== 3) return;
  const batchFirst = step.int("layout", 0) === 1;
  const [length = null, batch = null] = batchFirst ? [shape[1], shape[0]] : shape;
  step.set(0, batchFirst ? [batch, length, directions, hidden] : [length, directions, batch, hidden]);
  const last = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  step.set(1, last);
  if (step.node.spelled === "LSTM") step.set(2, last);
}
