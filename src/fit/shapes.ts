/**
 * Shapes that an ONNX file leaves out although its inputs are of one size: exporters write none behind a Reshape or an Expand whose sizes
 * are computed. ONNX Runtime and every compiler works them out before it looks at operators; so does this, for operators of the standard
 * whose shape follows from shapes and from small constants. What it does not know stays open.
 */

import type { ElementType, Graph, Model, Node, Tensor } from "../model/graph.ts";

type Shape = readonly number[];

/** Numbers that shapes are computed from are lists of dimensions; longer ones are none. */
const LONGEST = 64;

/** The graph with the shapes and types that follow, in execution order; itself where nothing is left out, or the inputs are open. */
export function withShapes(graph: Graph, order: readonly number[], format: Model["format"]): Graph {
  if (format !== "onnx" || !graph.nodes.some((node) => node.outputs.some((output) => isOpen(graph.tensors[output]))))
    return graph;
  const entering = graph.inputs.map((index) => graph.tensors[index]).filter((tensor) => tensor?.data === undefined);
  if (!entering.every((tensor) => tensor !== undefined && shapeOf(tensor) !== undefined)) return graph;
  return new Shapes(graph).run(order);
}

const shapeOf = ({ shape }: Tensor): Shape | undefined =>
  shape?.every((one): one is number => typeof one === "number") === true ? shape : undefined;

const isOpen = (tensor: Tensor | undefined): boolean => tensor !== undefined && shapeOf(tensor) === undefined;

const alike = new Set(
  "Relu LeakyRelu Elu Selu Celu PRelu ThresholdedRelu Sigmoid HardSigmoid HardSwish Tanh Erf Gelu Mish Softplus Softsign Softmax LogSoftmax Hardmax Exp Log Sqrt Abs Neg Reciprocal Floor Ceil Round Sign Sin Cos Tan Not Clip Cast Identity Dropout LayerNormalization BatchNormalization InstanceNormalization GroupNormalization LpNormalization LRN CumSum QuantizeLinear DequantizeLinear IsNaN IsInf".split(
    " ",
  ),
);
const paired = new Set(
  "Add Sub Mul Div Pow Mod Max Min Sum Mean And Or Xor Equal Greater GreaterOrEqual Less LessOrEqual Where".split(" "),
);
const reducing = /^Reduce[A-Z]/;

class Shapes {
  readonly #graph: Graph;
  readonly #tensors: Tensor[];
  readonly #values = new Map<number, Shape>();
  readonly #makers = new Map<number, Node>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#tensors = [...graph.tensors];
    graph.tensors.forEach(({ data, values }, index) => {
      if (data !== undefined && values !== undefined && values.length <= LONGEST) this.#values.set(index, values);
    });
  }

  run(order: readonly number[]): Graph {
    for (const index of order) {
      const node = this.#graph.nodes[index];
      if (node === undefined || (node.domain !== undefined && node.domain !== "" && node.domain !== "ai.onnx"))
        continue;
      const [output = -1] = node.outputs;
      this.#makers.set(output, node);
      const values = this.#valuesOf(node);
      if (values !== undefined && values.length <= LONGEST) this.#values.set(output, values);
      if (node.outputs.some((one) => isOpen(this.#tensors[one]))) this.#fill(node);
    }
    return { ...this.#graph, tensors: this.#tensors };
  }

  #fill(node: Node): void {
    const shapes = this.#shapesOf(node);
    node.outputs.forEach((output, at) => {
      const [tensor, shape] = [this.#tensors[output], shapes[at]];
      if (tensor === undefined || shape === undefined || !isOpen(tensor) || !shape.every(isSize)) return;
      const type = tensor.type === "unknown" ? this.#typeOf(node) : tensor.type;
      this.#tensors[output] = { ...tensor, shape, type };
    });
  }

  #typeOf({ spelled, inputs }: Node): ElementType {
    if (/^(?:Equal|Greater|Less|Not|And|Or|Xor|IsNaN|IsInf)/.test(spelled)) return "bool";
    if (/^(?:Shape|Size|ArgM)/.test(spelled)) return "int64";
    if (/^(?:Cast|QuantizeLinear|ConstantOfShape)$/.test(spelled)) return "unknown";
    const from = spelled === "Where" || spelled === "DequantizeLinear" ? 1 : 0;
    return this.#tensors[inputs[from] ?? -1]?.type ?? "unknown";
  }

  /** Of each output, those that are known. */
  #shapesOf(node: Node): readonly (Shape | undefined)[] {
    const { spelled, outputs } = node;
    const [first, second] = [this.#shape(node, 0), this.#shape(node, 1)];
    if (alike.has(spelled)) return [first];
    if (paired.has(spelled)) return [this.#broadcast(node.inputs.map((_, at) => this.#shape(node, at)))];
    if (reducing.test(spelled)) return [this.#reduced(node, first)];
    switch (spelled) {
      case "MatMul":
        return [first && second && product(first, second)];
      case "Gemm":
        return [first && second && [at(first, node, "transA", 0), at(second, node, "transB", 1)]];
      case "Reshape":
        return [first && reshaped(first, this.#list(node, "shape", 1))];
      case "Flatten":
        return [first && flattened(first, number(node, "axis", 1))];
      case "Transpose": {
        const order = list(node, "perm") ?? first?.map((_, index) => first.length - 1 - index);
        return [first && order?.map((from) => first[from] ?? Number.NaN)];
      }
      case "Concat":
        return [this.#joined(node)];
      case "Split":
        return this.#split(node, first, outputs.length);
      case "Slice":
        return [first && this.#sliced(node, first)];
      case "Gather":
        return [first && second && spliced(first, number(node, "axis", 0), second)];
      case "Unsqueeze":
        return [first && widened(first, this.#list(node, "axes", 1))];
      case "Squeeze":
        return [first && narrowed(first, this.#list(node, "axes", 1))];
      case "Expand":
        return [this.#broadcast([first, this.#values.get(node.inputs[1] ?? -1)])];
      case "Tile": {
        const times = this.#values.get(node.inputs[1] ?? -1);
        return [first && times && first.map((size, index) => size * (times[index] ?? Number.NaN))];
      }
      case "Pad":
        return [first && this.#padded(node, first)];
      case "Resize":
        return [first && this.#resized(node, first)];
      case "Shape":
        return [first && [first.length]];
      case "ConstantOfShape":
        return [this.#values.get(node.inputs[0] ?? -1)];
      case "GlobalAveragePool":
      case "GlobalMaxPool":
        return [first?.map((size, index) => (index < 2 ? size : 1))];
      case "Conv":
        return [first && second && windowed(node, first, second.slice(2), second[0])];
      case "MaxPool":
      case "AveragePool":
        return [first && windowed(node, first, list(node, "kernel_shape") ?? [], first[1])];
      default:
        return [];
    }
  }

  #shape(node: Node, input: number): Shape | undefined {
    const tensor = this.#tensors[node.inputs[input] ?? -1];
    const shape = tensor === undefined ? undefined : shapeOf(tensor);
    return shape === undefined || shape.length > LONGEST ? undefined : shape;
  }

  /** From an attribute of older opsets or a constant input of newer ones. */
  #list(node: Node, name: string, input: number): Shape | undefined {
    return list(node, name) ?? this.#values.get(node.inputs[input] ?? -1);
  }

  #broadcast(shapes: readonly (Shape | undefined)[]): Shape | undefined {
    const rank = shapes.reduce((most, shape) => Math.max(most, shape?.length ?? 0), 0);
    if (!shapes.every((shape) => shape !== undefined)) return undefined;
    return Array.from({ length: rank }, (_, index) =>
      shapes.reduce((size, shape) => {
        const own = shape[index - rank + shape.length] ?? 1;
        return own === 1 ? size : size === 1 || size === own ? own : Number.NaN;
      }, 1),
    );
  }

  #reduced(node: Node, shape: Shape | undefined): Shape | undefined {
    if (shape === undefined) return undefined;
    const said = this.#list(node, "axes", 1);
    if (said === undefined && (node.inputs[1] ?? -1) >= 0) return undefined;
    const axes = new Set(
      (said ?? shape.map((_, index) => index)).map((axis) => (axis < 0 ? axis + shape.length : axis)),
    );
    return number(node, "keepdims", 1) === 0
      ? shape.filter((_, index) => !axes.has(index))
      : shape.map((size, index) => (axes.has(index) ? 1 : size));
  }

  #joined(node: Node): Shape | undefined {
    const shapes = node.inputs.map((_, index) => this.#shape(node, index));
    const [first] = shapes;
    if (first === undefined || !shapes.every((shape) => shape !== undefined)) return undefined;
    const axis = fromFront(number(node, "axis", 0), first.length);
    return first.map((size, index) =>
      index === axis ? shapes.reduce((sum, shape) => sum + (shape[index] ?? Number.NaN), 0) : size,
    );
  }

  #split(node: Node, shape: Shape | undefined, parts: number): readonly (Shape | undefined)[] {
    if (shape === undefined) return [];
    const axis = fromFront(number(node, "axis", 0), shape.length);
    const sizes = this.#list(node, "split", 1);
    if (sizes === undefined && (node.inputs[1] ?? -1) >= 0) return [];
    const step = Math.ceil((shape[axis] ?? 0) / parts);
    return Array.from({ length: parts }, (_, part) => {
      const own = sizes?.[part] ?? Math.min(step, (shape[axis] ?? 0) - part * step);
      return shape.map((size, index) => (index === axis ? own : size));
    });
  }

  #sliced(node: Node, shape: Shape): Shape | undefined {
    const [starts, ends] = [this.#list(node, "starts", 1), this.#list(node, "ends", 2)];
    const steps = this.#values.get(node.inputs[4] ?? -1);
    const axes = this.#list(node, "axes", 3);
    if (!starts || !ends || (!steps && (node.inputs[4] ?? -1) >= 0) || (!axes && (node.inputs[3] ?? -1) >= 0))
      return undefined;
    const out = [...shape];
    starts.forEach((start, index) => {
      const axis = fromFront(axes?.[index] ?? index, shape.length);
      out[axis] = lengthOf(shape[axis] ?? 0, start, ends[index] ?? 0, steps?.[index] ?? 1);
    });
    return out;
  }

  #padded(node: Node, shape: Shape): Shape | undefined {
    const pads = this.#list(node, "pads", 1);
    if (pads?.length !== 2 * shape.length) return undefined;
    return shape.map((size, index) => size + (pads[index] ?? 0) + (pads[index + shape.length] ?? 0));
  }

  #resized(node: Node, shape: Shape): Shape | undefined {
    const [scales, sizes] = [2, 3].map((input) => this.#values.get(node.inputs[input] ?? -1));
    if (sizes?.length === shape.length) return sizes;
    if (scales?.length !== shape.length) return undefined;
    return shape.map((size, index) => Math.floor(size * (scales[index] ?? Number.NaN)));
  }

  /** PyTorch's -1 of an Expand, "as it is": where a list equals -1, something else is taken. */
  #isKept({ inputs: [condition = -1, , list = -1] }: Node): boolean {
    const maker = this.#makers.get(condition);
    return maker?.spelled === "Equal" && maker.inputs[0] === list;
  }

  /** Numbers of lists of dimensions, as exporters compute them. */
  #valuesOf(node: Node): Shape | undefined {
    const of = (input: number): Shape | undefined => this.#values.get(node.inputs[input] ?? -1);
    const [first, second] = [of(0), of(1)];
    switch (node.spelled) {
      case "Shape": {
        const shape = this.#shape(node, 0);
        return shape?.slice(number(node, "start", 0), number(node, "end", shape.length));
      }
      case "Cast":
      case "Identity":
      case "Unsqueeze":
      case "Squeeze":
      case "Reshape":
        return first;
      case "Gather":
        return first && second?.map((index) => first[index < 0 ? index + first.length : index] ?? Number.NaN);
      case "Concat": {
        if (node.inputs.length > LONGEST) return undefined;
        const parts = node.inputs.map((_, index) => of(index));
        return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
      }
      case "Slice": {
        const [starts, ends, steps] = [this.#list(node, "starts", 1), this.#list(node, "ends", 2), of(4)];
        if (!first || starts?.length !== 1 || ends?.length !== 1 || (steps && steps[0] !== 1)) return undefined;
        return first.slice(starts[0], Math.min(ends[0] ?? 0, LONGEST));
      }
      case "Where": {
        const third = of(2);
        const length = Math.max(first?.length ?? 0, second?.length ?? 0, third?.length ?? 0);
        if (!first && third && this.#isKept(node)) return third.map((size) => (size === -1 ? 1 : size));
        if (!first || !second || !third) return undefined;
        const pick = (values: Shape, index: number): number => values[values.length === 1 ? 0 : index] ?? Number.NaN;
        return Array.from({ length }, (_, index) => pick(pick(first, index) !== 0 ? second : third, index));
      }
      default: {
        const compute = Object.hasOwn(arithmetic, node.spelled) ? arithmetic[node.spelled] : undefined;
        if (compute === undefined || !first || !second) return undefined;
        const length = Math.max(first.length, second.length);
        const pick = (values: Shape, index: number): number => values[values.length === 1 ? 0 : index] ?? Number.NaN;
        return Array.from({ length }, (_, index) => compute(pick(first, index), pick(second, index)));
      }
    }
  }
}

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  // Of whole numbers, as dimensions are.
  Div: (a, b) => Math.trunc(a / b),
  Mod: (a, b) => a - b * Math.floor(a / b),
  Equal: (a, b) => (a === b ? 1 : 0),
  Max: Math.max,
  Min: Math.min,
};

/** A size that memory holds. */
const isSize = (one: number): boolean => Number.isSafeInteger(one) && one >= 0;

const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

function number({ attributes }: Node, name: string, absent: number): number {
  const value = attributes[name];
  return typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : absent;
}

function list({ attributes }: Node, name: string): Shape | undefined {
  const value = attributes[name];
  return Array.isArray(value) && value.every((one): one is number => typeof one === "number") ? value : undefined;
}

/** A matrix's dimension on one side of a product. */
const at = (shape: Shape, node: Node, turned: string, side: 0 | 1): number =>
  shape[number(node, turned, 0) === 0 ? side : 1 - side] ?? Number.NaN;

function product(a: Shape, b: Shape): Shape | undefined {
  if (a.length < 2 || b.length < 2) return undefined;
  const rank = Math.max(a.length, b.length);
  const outer = Array.from({ length: rank - 2 }, (_, index) =>
    Math.max(a[index - rank + a.length] ?? 1, b[index - rank + b.length] ?? 1),
  );
  return [...outer, a.at(-2) ?? Number.NaN, b.at(-1) ?? Number.NaN];
}

function reshaped(from: Shape, to: Shape | undefined): Shape | undefined {
  if (to === undefined) return undefined;
  const sizes = to.map((size, index) => (size === 0 ? (from[index] ?? Number.NaN) : size));
  const all = from.reduce((a, b) => a * b, 1);
  const rest = sizes.reduce((a, b) => (b === -1 ? a : a * b), 1);
  return sizes.map((size) => (size === -1 ? all / rest : size));
}

function flattened(shape: Shape, axis: number): Shape {
  const cut = fromFront(axis, shape.length);
  return [shape.slice(0, cut), shape.slice(cut)].map((part) => part.reduce((a, b) => a * b, 1));
}

function spliced(shape: Shape, axis: number, indices: Shape): Shape {
  const cut = fromFront(axis, shape.length);
  return [...shape.slice(0, cut), ...indices, ...shape.slice(cut + 1)];
}

function widened(shape: Shape, axes: Shape | undefined): Shape | undefined {
  if (axes === undefined) return undefined;
  const rank = shape.length + axes.length;
  const ones = new Set(axes.map((axis) => fromFront(axis, rank)));
  let next = 0;
  return Array.from({ length: rank }, (_, index) => (ones.has(index) ? 1 : (shape[next++] ?? Number.NaN)));
}

function narrowed(shape: Shape, axes: Shape | undefined): Shape {
  const gone = axes && new Set(axes.map((axis) => fromFront(axis, shape.length)));
  return shape.filter((size, index) => (gone === undefined ? size !== 1 : !gone.has(index)));
}

function lengthOf(size: number, start: number, end: number, step: number): number {
  if (step <= 0) return Number.NaN;
  const clamp = (one: number): number => Math.min(Math.max(one < 0 ? one + size : one, 0), size);
  return Math.max(0, Math.ceil((clamp(end) - clamp(start)) / step));
}

function windowed(node: Node, from: Shape, kernel: Shape, channels: number | undefined): Shape | undefined {
  const sides = from.length - 2;
  if (kernel.length !== sides || channels === undefined) return undefined;
  const [strides, dilations, pads] = [list(node, "strides"), list(node, "dilations"), list(node, "pads")];
  const way = node.attributes["auto_pad"] ?? "NOTSET";
  const round = number(node, "ceil_mode", 0) === 0 ? Math.floor : Math.ceil;
  const sizes = from.slice(2).map((size, side) => {
    const stride = strides?.[side] ?? 1;
    if (way === "SAME_UPPER" || way === "SAME_LOWER") return Math.ceil(size / stride);
    const window = ((kernel[side] ?? 1) - 1) * (dilations?.[side] ?? 1) + 1;
    const padding = way === "VALID" ? 0 : (pads?.[side] ?? 0) + (pads?.[side + sides] ?? 0);
    return round((size + padding - window) / stride) + 1;
  });
  return [from[0] ?? Number.NaN, channels, ...sizes];
}
