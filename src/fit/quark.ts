/**
 * A float ONNX graph as AMD's Quark would quantise it: Q and DQ around every operator, as its 0.10 wrote them for networks of torchvision
 * and as ONNX Runtime hands them on, one DQ for each that takes a value. XINT8 has scales of powers of two, and constant factors where an
 * operator's own are none; A8W8 and A16W8 have scales of any size.
 */

import { elementsOf, type ElementType, type Graph, type Model, type Node, type Tensor } from "../model/graph.ts";
import type { Target } from "./target.ts";

export type QuarkForm = NonNullable<Target["quark"]>;

const forms: readonly QuarkForm[] = ["XINT8", "A8W8", "A16W8"];

/** "resnet18 XINT8" apart, as AMD's examples name files; "XINT8_Quant" is the same once more. */
export function quarkName(name: string): { readonly name: string; readonly form: QuarkForm } | undefined {
  const [, before, word] = /^(.{1,150})[ _-](XINT8|A8W8|A16W8)(?:_Quant)?$/i.exec(name) ?? [];
  const form = forms.find((one) => one === word?.toUpperCase());
  return before === undefined || form === undefined ? undefined : { name: before, form };
}

/** Undefined where the graph is no float one of ONNX. */
export function asQuark(model: Model, form: QuarkForm): Model | undefined {
  const graph = model.graphs[model.main ?? 0];
  if (model.format !== "onnx" || graph === undefined || graph.nodes.length === 0) return undefined;
  if (graph.nodes.some(({ spelled }) => spelled === "QuantizeLinear" || spelled === "DequantizeLinear"))
    return undefined;
  const quantised = new Quark(graph, form).run();
  return { ...model, graphs: model.graphs.map((one, at) => (at === (model.main ?? 0) ? quantised : one)) };
}

/** An average over more pixels than this is taken in two steps. */
const POOLED = 512;

/** What an activation melts into, so that nothing is quantised in between. */
const FUSING: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul", "Add"]);
const FUSED: ReadonlySet<string> = new Set(["Relu", "Clip"]);

const floats: ReadonlySet<ElementType> = new Set(["float32", "float16"]);

class Quark {
  readonly #form: QuarkForm;
  readonly #tensors: Tensor[];
  readonly #nodes: Node[] = [];
  readonly #graph: Graph;
  readonly #activations: ElementType;
  #made = 0;

  constructor(graph: Graph, form: QuarkForm) {
    this.#form = form;
    this.#graph = graph;
    this.#tensors = [...graph.tensors];
    this.#activations = form === "A16W8" ? "int16" : "int8";
  }

  run(): Graph {
    const plain = this.#straightened().flatMap((node) => this.#rewritten(node));
    const takers = new Map<number, Node[]>();
    for (const node of plain) for (const input of node.inputs) if (input >= 0) push(takers, input, node);
    const outputs = new Set(this.#graph.outputs);
    // What goes on without being quantised: into the activation behind, into the factor of XINT8.
    const melts = (tensor: number, by: Node): boolean => {
      const [taker, ...others] = takers.get(tensor) ?? [];
      if (taker === undefined || others.length > 0 || outputs.has(tensor)) return false;
      return (FUSING.has(by.spelled) && FUSED.has(taker.spelled)) || taker.name === FACTOR;
    };
    const quantised = new Map<number, number>();
    const quantise = (tensor: number): void => {
      const about = this.#tensors[tensor];
      if (about === undefined || !floats.has(about.type)) return;
      quantised.set(tensor, this.#quantise(tensor));
    };
    for (const input of this.#graph.inputs) if (this.#tensors[input]?.data === undefined) quantise(input);
    for (const node of plain) {
      const inputs = node.inputs.map((input, at) => {
        const held = quantised.get(input);
        if (held !== undefined) return this.#dequantise(held, input);
        return this.#isWeight(node, at) ? this.#stored(input, at) : input;
      });
      this.#nodes.push({ ...node, inputs });
      // A Flatten that ends the model stays as it is.
      const ends = node.spelled === "Flatten" && node.outputs.every((output) => outputs.has(output));
      for (const output of node.outputs) if (output >= 0 && !ends && !melts(output, node)) quantise(output);
    }
    const given = this.#graph.outputs.map((output) => {
      const held = quantised.get(output);
      return held === undefined ? output : this.#dequantise(held, output);
    });
    return { ...this.#graph, tensors: this.#tensors, nodes: this.#nodes, outputs: given };
  }

  /** Without the concatenations of one part. */
  #straightened(): readonly Node[] {
    const passed = new Map<number, number>();
    return this.#graph.nodes.flatMap((node) => {
      const inputs = node.inputs.map((input) => passed.get(input) ?? input);
      const [input, ...others] = inputs;
      const [output = -1] = node.outputs;
      if (node.spelled !== "Concat" || input === undefined || others.length > 0) return [{ ...node, inputs }];
      if (this.#graph.outputs.includes(output)) return [{ ...node, inputs }];
      passed.set(output, input);
      return [];
    });
  }

  /** What Quark puts in an operator's place. */
  #rewritten(node: Node): readonly Node[] {
    const power = this.#form === "XINT8";
    switch (node.spelled) {
      case "GlobalAveragePool":
        return this.#pooled(node);
      case "ReduceMean":
        return power ? this.#scaled(node) : [node];
      case "HardSigmoid":
        return power ? this.#scaled(node) : [node];
      case "Sigmoid":
        return power ? this.#scaled({ ...node, spelled: "HardSigmoid", op: "HardSigmoid" }) : [node];
      case "BatchNormalization":
        return power ? [this.#asConv(node)] : [node];
      case "Reshape":
        return [
          this.#isFlatten(node)
            ? { ...node, spelled: "Flatten", op: "Reshape", inputs: node.inputs.slice(0, 1) }
            : node,
        ];
      default:
        return [node];
    }
  }

  /** A large image is first averaged in squares. */
  #pooled(node: Node): readonly Node[] {
    const [input = -1] = node.inputs;
    const shape = this.#tensors[input]?.shape;
    const [height, width] = [Number(shape?.[2]), Number(shape?.[3])];
    const last = this.#form === "XINT8" ? (one: Node): readonly Node[] => this.#scaled(one) : (one: Node) => [one];
    if (!(height * width > POOLED)) return last(node);
    const side = largestSide(height, width);
    if (side === undefined) return last(node);
    const small = this.#like(input, [shape?.[0] ?? 1, shape?.[1] ?? 1, height / side, width / side]);
    const attributes = { kernel_shape: [side, side], strides: [side, side] };
    return [
      { spelled: "AveragePool", op: "AveragePool", inputs: [input], outputs: [small], attributes },
      ...last({ ...node, inputs: [small] }),
    ];
  }

  /** Behind it the factor that a power of two does not hold. */
  #scaled(node: Node): readonly Node[] {
    const [output = -1] = node.outputs;
    const before = this.#like(output, this.#tensors[output]?.shape);
    const factor = this.#add({ name: "factor", type: "float32", shape: [], data: { bytes: 4 } });
    return [
      { ...node, outputs: [before] },
      { name: FACTOR, spelled: "Mul", op: "Mul", inputs: [before, factor], outputs: [output], attributes: {} },
    ];
  }

  /** A normalisation that stands alone is a convolution of each channel by itself. */
  #asConv(node: Node): Node {
    const channels = elementsOf(this.#tensors[node.inputs[1] ?? -1]?.shape) ?? 1;
    const weights = this.#add({
      name: "weights",
      type: "float32",
      shape: [channels, 1, 1, 1],
      data: { bytes: 4 * channels },
    });
    const bias = this.#add({ name: "bias", type: "float32", shape: [channels], data: { bytes: 4 * channels } });
    const attributes = { kernel_shape: [1, 1], group: channels, strides: [1, 1] };
    return { ...node, spelled: "Conv", op: "Conv", inputs: [node.inputs[0] ?? -1, weights, bias], attributes };
  }

  #isFlatten({ inputs, outputs }: Node): boolean {
    const [from, to] = [this.#tensors[inputs[0] ?? -1]?.shape, this.#tensors[outputs[0] ?? -1]?.shape];
    return from?.length === 4 && to?.length === 2 && from[0] === to[0];
  }

  #isWeight(node: Node, at: number): boolean {
    const tensor = this.#tensors[node.inputs[at] ?? -1];
    if (tensor?.data === undefined || !floats.has(tensor.type) || node.name === FACTOR) return false;
    return FUSING.has(node.spelled) || node.spelled === "Mul" || node.spelled === "Sub";
  }

  #quantise(tensor: number): number {
    const to = this.#add({ name: "quantised", type: this.#activations, ...shapeOf(this.#tensors[tensor]) });
    const inputs = [tensor, this.#scale(), this.#zero(this.#activations)];
    this.#nodes.push({ spelled: "QuantizeLinear", op: "QuantizeLinear", inputs, outputs: [to], attributes: {} });
    return to;
  }

  #dequantise(held: number, tensor: number): number {
    const to = this.#like(tensor, this.#tensors[tensor]?.shape);
    const inputs = [held, this.#scale(), this.#zero(this.#tensors[held]?.type ?? "int8")];
    this.#nodes.push({ spelled: "DequantizeLinear", op: "DequantizeLinear", inputs, outputs: [to], attributes: {} });
    return to;
  }

  /** Weights, and the bias in their place: int8 in XINT8, int32 else. */
  #stored(tensor: number, at: number): number {
    const type = at === 2 && this.#form !== "XINT8" ? "int32" : "int8";
    const bytes = (elementsOf(this.#tensors[tensor]?.shape) ?? 0) * (type === "int8" ? 1 : 4);
    const held = this.#add({ name: "stored", type, ...shapeOf(this.#tensors[tensor]), data: { bytes } });
    return this.#dequantise(held, tensor);
  }

  #scale(): number {
    return this.#add({ name: "scale", type: "float32", shape: [], data: { bytes: 4 } });
  }

  #zero(type: ElementType): number {
    return this.#add({ name: "zero", type, shape: [], data: { bytes: 1 } });
  }

  #like(tensor: number, shape: Tensor["shape"]): number {
    const { type = "float32" } = this.#tensors[tensor] ?? {};
    return this.#add({ name: "value", type, ...(shape === undefined ? {} : { shape }) });
  }

  #add(tensor: Tensor): number {
    this.#made++;
    return this.#tensors.push({ ...tensor, name: `quark ${tensor.name} ${this.#made}` }) - 1;
  }
}

/** Name of the factor's product. */
const FACTOR = "quark factor";

const shapeOf = (tensor: Tensor | undefined): Pick<Tensor, "shape"> | Record<string, never> =>
  tensor?.shape === undefined ? {} : { shape: tensor.shape };

/** Largest square that divides the image and is no larger than what is averaged at once. */
function largestSide(height: number, width: number): number | undefined {
  for (let side = Math.floor(Math.sqrt(POOLED)); side > 1; side--)
    if (height % side === 0 && width % side === 0) return side;
  return undefined;
}

function push<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const held = map.get(key);
  if (held === undefined) map.set(key, [value]);
  else held.push(value);
}
