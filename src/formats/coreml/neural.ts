/**
 * Core ML's neural networks: layers with their weights inside. Shapes follow the last three dimensions, channel, height, width, that
 * layers of the first versions work on. github.com/apple/coremltools/blob/main/mlmodel/format/NeuralNetwork.proto
 */

import {
  bytesOf,
  type Attribute,
  type Dimension,
  type ElementType,
  type Graph,
  type Node,
  type Quantization,
  type Tensor,
  type TensorData,
} from "../../model/graph.ts";
import type { Message } from "../wire/protobuf.ts";
import { activations, layerRow, pools, unaries, type LayerRow } from "./neural-layers.ts";
import { layerShape } from "./neural-shapes.ts";

/** Layers of one file. */
const LAYER_LIMIT = 200_000;
/** Networks inside layers: Loop in Branch in Loop. */
const DEPTH_LIMIT = 32;
const NAME_LIMIT = 64 * 1024;
const RANK_LIMIT = 64;
/** Numbers of a setting that are kept. */
const LIST_KEPT = 64;
/** Scales of one weight: one for each channel. */
const SCALE_LIMIT = 1_000_000;
/** Labels of a classifier. */
const LABEL_LIMIT = 1_000_000;
const LABELS_KEPT = 100_000;

export interface Network {
  readonly graphs: readonly Graph[];
  readonly labels: readonly string[];
}

/** A network's graphs, its own first. `inputs` are those the model declares. */
export function readNetwork(message: Message, inputs: readonly Tensor[], outputs: readonly Tensor[]): Network {
  const reader = new Reader();
  reader.network(message, inputs, outputs, undefined, 0);
  return { graphs: reader.graphs, labels: reader.labels };
}

/** A tensor as a layer describes it. */
type Typed = Pick<Tensor, "type" | "shape" | "quantization" | "data" | "spelled">;

interface Scope {
  readonly names: Map<string, number>;
  readonly tensors: Tensor[];
  readonly outer?: Scope;
}

class Reader {
  readonly graphs: Graph[] = [];
  readonly labels: string[] = [];
  #layers = 0;

  network(
    message: Message,
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    outer: Scope | undefined,
    depth: number,
  ): number {
    if (depth > DEPTH_LIMIT) message.fail(`networks nest deeper than ${DEPTH_LIMIT}`);
    const index = this.graphs.length;
    this.graphs.push({ name: "", tensors: [], nodes: [], inputs: [], outputs: [] });
    const scope: Scope = { names: new Map(), tensors: [], ...(outer === undefined ? {} : { outer }) };
    const nodes: Node[] = [];
    const given = inputs.map((input) => define(scope, asArray(input)));
    while (message.next()) {
      if (message.field === 1) this.#layer(message.message(), scope, nodes, depth);
      else if (message.field === 100 || message.field === 101) this.#labels(message);
    }
    const made = outputs.flatMap(({ name }) => {
      const found = scope.names.get(name);
      return found === undefined ? [] : [found];
    });
    this.graphs[index] = { name: "", tensors: scope.tensors, nodes, inputs: given, outputs: made };
    return index;
  }

  #labels(message: Message): void {
    const vector = message.message();
    while (vector.next()) {
      if (vector.field !== 1) continue;
      if (message.field === 100) {
        if (this.labels.length < LABELS_KEPT) this.labels.push(vector.stringStart(1024));
      } else {
        const numbers: number[] = [];
        vector.ints(numbers, LABEL_LIMIT);
        for (const number of numbers) if (this.labels.length < LABELS_KEPT) this.labels.push(String(number));
      }
    }
  }

  #layer(message: Message, scope: Scope, nodes: Node[], depth: number): void {
    if (++this.#layers > LAYER_LIMIT) message.fail(`more than ${LAYER_LIMIT} layers`);
    let name = "";
    const inputs: string[] = [];
    const outputs: string[] = [];
    const shapes: (readonly Dimension[] | undefined)[] = [];
    let layer: { row: LayerRow | undefined; field: number; settings: Message } | undefined;
    while (message.next()) {
      if (message.field === 1) name = message.string(NAME_LIMIT);
      else if (message.field === 2) inputs.push(message.string(NAME_LIMIT));
      else if (message.field === 3) outputs.push(message.string(NAME_LIMIT));
      else if (message.field === 5) shapes.push(tensorShape(message.message()));
      else if (message.field >= 100)
        layer = { row: layerRow(message.field), field: message.field, settings: message.message() };
    }
    if (layer === undefined) message.fail(`layer ${JSON.stringify(name.slice(0, 80))} is of no kind`, message.from);
    const attributes: Record<string, Attribute> = {};
    const taken = inputs.map((input) => find(scope, input));
    const { row, field, settings } = layer;
    const weights = new Map<string, Typed>();
    const graphs: number[] = [];
    let [spelled, op] = [row?.name ?? `layer ${field}`, row?.op];
    const note = (key: string, value: Typed): void => void weights.set(key, value);
    if (field === 130) [spelled, op] = activation(settings, attributes, note);
    else if (field === 420 || field === 430) lstm(settings, attributes, note, row);
    else {
      while (settings.next()) {
        const weight = row?.weights.get(settings.field);
        const setting = row?.settings.get(settings.field);
        if (weight !== undefined) note(weight, weightOf(settings.message()));
        else if (setting !== undefined) put(attributes, setting, settings);
        else if ((field === 100 || field === 120) && settings.wire === 2) padding(settings, attributes, field);
        else if (field === 200 && settings.field === 10) attributes["borders"] = borders(settings.message());
        else if (field === 500 && settings.field === 10) spelled = `custom ${settings.stringStart(200)}`;
        else if ((field === 605 || field === 615) && settings.wire === 2 && !(field === 615 && settings.field === 2))
          graphs.push(this.network(settings.message(), [], [], scope, depth + 1));
      }
      if (field === 120 || field === 1465 || field === 1466) op = poolOf(attributes, field) ?? op;
      if (field === 220) op = unaries[Number(attributes["type"] ?? 0)] ?? op;
      if ((field === 100 || field === 1471) && attributes["isDeconvolution"] === true) op = "ConvTranspose";
    }
    const own = [...weights].map(([key, typed]) =>
      define(scope, { ...shaped(key, typed, field, attributes), name: `${name}/${key}` }),
    );
    const inferred = layerShape(
      spelled,
      attributes,
      taken.map((at) => scope.tensors[at]?.shape),
    );
    const made = outputs.map((output, at) => {
      const shape = shapes[at] ?? (at === 0 ? inferred : undefined);
      return define(scope, { name: output, type: "float32", ...(shape === undefined ? {} : { shape }) });
    });
    nodes.push({
      name,
      ...(op === undefined ? {} : { op }),
      spelled,
      inputs: [...taken, ...own],
      outputs: made,
      attributes,
      ...(graphs.length === 0 ? {} : { graphs }),
    });
  }
}

/** An image goes in as its channels. */
function asArray(input: Tensor): Tensor {
  if (input.spelled?.endsWith("image") !== true) return input;
  return {
    name: input.name,
    type: "float32",
    shape: [input.spelled.startsWith("gray") ? 1 : 3, ...(input.shape ?? [])],
  };
}

function define(scope: Scope, tensor: Tensor): number {
  const index = scope.tensors.push(tensor) - 1;
  scope.names.set(tensor.name, index);
  return index;
}

/** Names may come from the network around; of nothing, they are left to be told as dangling. */
function find(scope: Scope, name: string): number {
  const own = scope.names.get(name);
  if (own !== undefined) return own;
  for (let outer = scope.outer; outer !== undefined; outer = outer.outer) {
    const tensor = outer.tensors[outer.names.get(name) ?? -1];
    if (tensor !== undefined) return define(scope, { ...tensor });
  }
  return define(scope, { name, type: "unknown" });
}

function tensorShape(message: Message): readonly Dimension[] | undefined {
  const sizes: number[] = [];
  while (message.next()) if (message.field === 2) message.ints(sizes, RANK_LIMIT);
  return sizes.length === 0 ? undefined : sizes.map((size) => (size < 0 ? null : size));
}

/** A number, a truth, or a list of them; what is a message is none. */
function put(attributes: Record<string, Attribute>, key: string, message: Message): void {
  if (message.wire === 0) {
    const held = attributes[key];
    const value = message.int();
    const before = Array.isArray(held) ? held.filter((one) => typeof one === "number") : undefined;
    if (key === "kernelSize" || key === "stride" || key === "dilationFactor")
      attributes[key] = [...(before ?? []), value].slice(0, LIST_KEPT);
    else attributes[key] = truths.has(key) ? value !== 0 : value;
  } else if (message.wire === 5) attributes[key] = message.float();
  else if (message.wire === 2 && message.length <= LIST_KEPT * 10) {
    const numbers: number[] = [];
    message.ints(numbers, LIST_KEPT * 10);
    attributes[key] = numbers;
  }
}

const truths: ReadonlySet<string> = new Set(
  "isDeconvolution globalPooling transposeA transposeB int8DynamicQuantize keepDims reduceAll squeezeAll sequenceConcat reverseInput".split(
    " ",
  ),
);

/** ValidPadding holds the rows that are added; SamePadding only how. */
function padding(message: Message, attributes: Record<string, Attribute>, field: number): void {
  const same = field === 100 ? 51 : 31;
  const valid = field === 100 ? 50 : 30;
  if (message.field === same) attributes["padding"] = "same";
  else if (message.field === valid || message.field === 32) {
    attributes["padding"] = message.field === 32 ? "include last pixel" : "valid";
    const inner = message.message();
    while (inner.next())
      if (inner.wire === 2 && (inner.field === 1 || inner.field === 10)) {
        const amounts = message.field === 32 ? [] : borders(inner.message());
        if (amounts.length > 0) attributes["borders"] = amounts;
      }
  }
}

/** [top, bottom, left, right]. */
function borders(message: Message): readonly number[] {
  const out: number[] = [];
  while (message.next()) {
    if (message.field !== 10 || message.wire !== 2 || out.length >= RANK_LIMIT) continue;
    const edge = message.message();
    let [start, end] = [0, 0];
    while (edge.next()) {
      if (edge.field === 1) start = edge.uint();
      else if (edge.field === 2) end = edge.uint();
    }
    out.push(start, end);
  }
  return out;
}

function poolOf(attributes: Record<string, Attribute>, field: number): string | undefined {
  const kind = pools[Number(attributes["type"] ?? 0)];
  const global = attributes["globalPooling"] === true || field === 1466;
  return kind === undefined || !global ? kind : `Global${kind}`;
}

type Note = (name: string, weight: Typed) => void;

function activation(
  settings: Message,
  attributes: Record<string, Attribute>,
  note: Note,
): [spelled: string, op: string | undefined] {
  let found: [string, string | undefined] = ["activation", undefined];
  while (settings.next()) {
    const [name, op] = activations[settings.field] ?? [`activation ${settings.field}`, undefined];
    found = [name, op];
    const inner = settings.message();
    while (inner.next()) {
      if (inner.wire === 5 && inner.field === 1) attributes["alpha"] = inner.float();
      else if (inner.wire === 5 && inner.field === 2) attributes["beta"] = inner.float();
      else if (inner.wire === 2 && (inner.field === 1 || inner.field === 2))
        note(inner.field === 1 ? "alpha" : "beta", weightOf(inner.message()));
    }
  }
  return found;
}

const gates: Readonly<Record<number, string>> = { 1: "input", 2: "forget", 3: "block", 4: "output" };

/** Four matrices each, and for both directions where there are two. */
function lstm(settings: Message, attributes: Record<string, Attribute>, note: Note, row: LayerRow | undefined): void {
  let direction = 0;
  while (settings.next()) {
    const setting = row?.settings.get(settings.field);
    if (setting !== undefined) put(attributes, setting, settings);
    else if (settings.field === 15) {
      const params = settings.message();
      while (params.next()) if (params.field === 10) attributes["sequenceOutput"] = params.bool();
    } else if (settings.field === 20) {
      const weights = settings.message();
      const prefix = direction++ === 0 ? "" : "backward/";
      while (weights.next()) {
        const gate = gates[weights.field % 20];
        const kind = ["matrix", "recursion", "bias", "peephole"][Math.floor(weights.field / 20)];
        if (gate !== undefined && kind !== undefined && weights.wire === 2)
          note(`${prefix}${gate}/${kind}`, weightOf(weights.message()));
      }
    }
  }
}

/** WeightParams: floats, halves, or packed integers with what they stand for. */
function weightOf(message: Message): Typed {
  let found: { type: ElementType; data: TensorData } | undefined;
  let raw: TensorData | undefined;
  let quantized: { bits: number; quantization?: Quantization } | undefined;
  while (message.next()) {
    const data = { offset: message.start, bytes: message.length };
    if (message.field === 1) found = message.wire === 2 ? { type: "float32", data } : found;
    else if (message.field === 2 && message.length > 0) found = { type: "float16", data };
    else if (message.field === 30 && message.length > 0) raw = data;
    else if (message.field === 31 && message.length > 0) found = { type: "int8", data };
    else if (message.field === 40) quantized = quantization(message.message());
  }
  if (raw !== undefined && quantized !== undefined) {
    const type = bits[quantized.bits];
    return {
      type: type ?? "block",
      ...(type === undefined ? { spelled: `uint${quantized.bits}` } : {}),
      data: raw,
      ...(quantized.quantization === undefined ? {} : { quantization: quantized.quantization }),
    };
  }
  return found ?? (raw === undefined ? { type: "unknown" } : { type: "uint8", data: raw });
}

const bits: Readonly<Record<number, ElementType>> = { 2: "uint2", 4: "uint4", 8: "uint8" };

/** value = stored x scale + bias, or the stored-th value of a table. */
function quantization(message: Message): { bits: number; quantization?: Quantization } {
  let bits = 0;
  let found: Quantization | undefined;
  while (message.next()) {
    if (message.field === 1) bits = message.uint();
    else if (message.field === 101) {
      const scale: number[] = [];
      const bias: number[] = [];
      const inner = message.message();
      while (inner.next()) {
        if (inner.field === 1) inner.floats(scale, SCALE_LIMIT);
        else if (inner.field === 2) inner.floats(bias, SCALE_LIMIT);
      }
      const zeroPoint = scale.map((one, at) => (one === 0 ? 0 : Math.round(-(bias[at] ?? bias[0] ?? 0) / one)));
      found = { scale, zeroPoint, ...(scale.length > 1 ? { axis: 0 } : {}), scheme: `${bits} bits, linear` };
    } else if (message.field === 102)
      found = { scale: [], zeroPoint: [], scheme: `${bits} bits, by a table of values` };
  }
  return { bits, ...(found === undefined ? {} : { quantization: found }) };
}

/** The shape of a weight follows from the settings of its layer; where they say none, it is a list. */
function shaped(key: string, typed: Typed, field: number, attributes: Readonly<Record<string, Attribute>>): Typed {
  const number = (name: string, otherwise?: number): number | undefined => {
    const value = attributes[name];
    return typeof value === "number" ? value : otherwise;
  };
  const list = (name: string): readonly number[] => {
    const value = attributes[name];
    return Array.isArray(value) ? value.filter((one) => typeof one === "number") : [];
  };
  const shape = ((): readonly (number | undefined)[] | undefined => {
    if (key === "weights" && field === 100) {
      const kernel = list("kernelSize");
      const [out, inner] = [number("outputChannels"), number("kernelChannels")];
      const groups = Math.max(1, number("nGroups", 1) ?? 1);
      const [height, width] = kernel.length === 2 ? kernel : [3, 3];
      return attributes["isDeconvolution"] === true
        ? [inner, out === undefined ? undefined : out / groups, height, width]
        : [out, inner, height, width];
    }
    if (key === "weights" && field === 140) return [number("outputChannels"), number("inputChannels")];
    if (key === "weights" && field === 150) return [number("outputChannels"), number("inputDim")];
    if (key === "weights" && field === 1040) return [number("embeddingSize"), number("vocabSize")];
    if (key === "weights" && field === 1045)
      return [number("weightMatrixFirstDimension"), number("weightMatrixSecondDimension")];
    if (
      /matrix$|Matrix$|weightMatrix/.test(key) &&
      !/[rR]ecursion/.test(key) &&
      (field === 420 || field === 430 || field === 410 || field === 400)
    )
      return [number("outputVectorSize"), number("inputVectorSize")];
    if (/[rR]ecursion/.test(key)) return [number("outputVectorSize"), number("outputVectorSize")];
    if (field === 290 || field === 1070) return list("shape");
    return undefined;
  })();
  const whole = shape?.every((size): size is number => size !== undefined && Number.isSafeInteger(size))
    ? shape
    : undefined;
  const { data } = typed;
  const packed = typed.type === "float32" ? 4 : typed.type === "float16" ? 2 : 1;
  if (whole !== undefined && data !== undefined) {
    // Packed integers of odd sizes have no extent that could be compared.
    return typed.type === "block" || bytesOf({ type: typed.type, shape: whole }) !== undefined
      ? { ...typed, shape: whole }
      : typed;
  }
  return data === undefined ||
    typed.type === "block" ||
    typed.type === "unknown" ||
    data.bytes % packed !== 0 ||
    typed.type === "uint4" ||
    typed.type === "uint2"
    ? typed
    : { ...typed, shape: [data.bytes / packed] };
}
