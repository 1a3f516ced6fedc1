/**
 * Layers and edges of an OpenVINO IR as a graph: `<layer>` with ports, `<edge>` from port to port, bodies of If, Loop and TensorIterator as
 * graphs of their own. https://docs.openvino.ai/2025/documentation/openvino-ir-format.html
 */

import type { Attribute, Dimension, ElementType, Graph, Integrity, Node, Tensor } from "../../model/graph.ts";
import { sharedOp } from "../../model/ops.ts";
import type { Xml, XmlOpen } from "../wire/xml.ts";

/** Language models have some 5,000 layers, unrolled recurrent networks 50,000. */
const LAYER_LIMIT = 500_000;
const PORT_LIMIT = 65_536;
const RANK_LIMIT = 64;
const FINDING_LIMIT = 20;
/** An attribute longer than this is data, not a setting. */
const ATTRIBUTE_KEPT = 512;

/** Spellings of `precision` (IR up to 10) and of `element_type` (since), in lower case. */
const types: Readonly<Record<string, ElementType>> = {
  fp64: "float64",
  f64: "float64",
  fp32: "float32",
  f32: "float32",
  fp16: "float16",
  f16: "float16",
  bf16: "bfloat16",
  f8e4m3: "float8e4m3fn",
  f8e5m2: "float8e5m2",
  f4e2m1: "float4e2m1",
  i64: "int64",
  i32: "int32",
  i16: "int16",
  i8: "int8",
  i4: "int4",
  u64: "uint64",
  u32: "uint32",
  u16: "uint16",
  u8: "uint8",
  u4: "uint4",
  u2: "uint2",
  bool: "bool",
  boolean: "bool",
  string: "string",
};

export function elementType(spelled: string): Pick<Tensor, "type" | "spelled"> {
  const type = types[spelled.toLowerCase()];
  return type === undefined ? { type: "unknown", ...(spelled === "" ? {} : { spelled }) } : { type };
}

interface Port {
  readonly id: string;
  readonly precision: string;
  readonly names: string;
  readonly shape: readonly Dimension[];
}

interface Blob {
  readonly name: string;
  readonly precision: string;
  readonly offset: number;
  readonly bytes: number;
}

interface Layer {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly precision: string;
  readonly data: Readonly<Record<string, string>>;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly blobs: readonly Blob[];
  readonly bodies: readonly number[];
}

export class IrGraphs {
  readonly graphs: Graph[] = [];
  readonly integrity: Integrity[] = [];
  readonly #xml: Xml;
  readonly #bin: string;
  #layers = 0;

  constructor(xml: Xml, bin: string) {
    this.#xml = xml;
    this.#bin = bin;
  }

  /**
   * Reads layers and edges inside the element that was opened last, up to its end; `other` is given what else is there, and must read or
   * skip it. Gives the graph's index: 0 for the outermost.
   */
  read(name: string, other: (open: XmlOpen) => void): number {
    const index = this.graphs.length;
    this.graphs.push({ name, tensors: [], nodes: [], inputs: [], outputs: [] });
    let layers: Layer[] = [];
    let edges: Edge[] = [];
    this.#children((open) => {
      if (open.name === "layers") layers = this.#readLayers();
      else if (open.name === "edges") edges = this.#readEdges();
      else other(open);
    });
    this.graphs[index] = this.#connect(name, layers, edges);
    return index;
  }

  /** Every element right inside the one that was opened last; `read` must pass the whole of it. */
  #children(read: (open: XmlOpen) => void): void {
    for (let event = this.#xml.next(); event !== undefined && event.kind !== "close"; event = this.#xml.next()) {
      if (event.kind === "open") read(event);
    }
  }

  #readLayers(): Layer[] {
    const layers: Layer[] = [];
    this.#children((open) => {
      if (open.name !== "layer") return this.#xml.skip();
      if (++this.#layers > LAYER_LIMIT) this.#xml.fail(`more than ${LAYER_LIMIT} layers`);
      layers.push(this.#readLayer(open));
    });
    return layers;
  }

  #readLayer({ attributes }: XmlOpen): Layer {
    let data: Readonly<Record<string, string>> = {};
    let inputs: Port[] = [];
    let outputs: Port[] = [];
    const blobs: Blob[] = [];
    const bodies: number[] = [];
    const name = attributes["name"] ?? "";
    const precision = attributes["precision"] ?? "";
    this.#children((open) => {
      if (open.name === "data") {
        data = open.attributes;
        this.#xml.skip();
      } else if (open.name === "input") inputs = this.#readPorts();
      else if (open.name === "output") outputs = this.#readPorts();
      else if (open.name === "blobs") this.#children((blob) => blobs.push(this.#readBlob(blob, precision)));
      else if (open.name === "weights" || open.name === "biases") blobs.push(this.#readBlob(open, precision));
      else if (/^(?:then_|else_)?body$/.test(open.name)) {
        bodies.push(this.read(`${name}/${open.name}`, () => this.#xml.skip()));
      } else this.#xml.skip();
    });
    const { id = "", type = "", version = "" } = attributes;
    return { id, name, type, version, precision, data, inputs, outputs, blobs, bodies };
  }

  #readPorts(): Port[] {
    const ports: Port[] = [];
    this.#children((open) => {
      if (open.name !== "port") return this.#xml.skip();
      if (ports.length >= PORT_LIMIT) this.#xml.fail(`more than ${PORT_LIMIT} ports`);
      const shape: Dimension[] = [];
      this.#children((inner) => {
        if (inner.name !== "dim") return this.#xml.skip();
        if (shape.length >= RANK_LIMIT) this.#xml.fail(`more than ${RANK_LIMIT} dimensions`);
        const event = this.#xml.next();
        if (event?.kind !== "text") return this.#xml.fail("a dimension without a number");
        shape.push(dimension(event.text));
        this.#xml.skip();
      });
      const { id = "", precision = "", names = "" } = open.attributes;
      ports.push({ id, precision, names, shape });
    });
    return ports;
  }

  #readBlob(open: XmlOpen, precision: string): Blob {
    const { offset = "", size = "", precision: own = precision } = open.attributes;
    this.#xml.skip();
    return { name: open.name, precision: own, offset: this.#extent(offset), bytes: this.#extent(size) };
  }

  #readEdges(): Edge[] {
    const edges: Edge[] = [];
    this.#children((open) => {
      const { "from-layer": from, "from-port": fromPort, "to-layer": to, "to-port": toPort } = open.attributes;
      if (open.name === "edge" && from !== undefined && to !== undefined) {
        edges.push({ from: `${from}:${fromPort ?? ""}`, to: `${to}:${toPort ?? ""}`, offset: open.offset });
      }
      this.#xml.skip();
    });
    return edges;
  }

  #extent(text: string): number {
    return /^\d{1,15}$/.test(text)
      ? Number(text)
      : this.#xml.fail(`no offset or size: ${JSON.stringify(text.slice(0, 40))}`);
  }

  #tell(severity: Integrity["severity"], rule: string, says: string, offset?: () => number): void {
    if (this.integrity.length < FINDING_LIMIT) {
      this.integrity.push({ severity, rule, says, ...(offset === undefined ? {} : { offset: offset() }) });
    }
  }

  #connect(name: string, layers: readonly Layer[], edges: readonly Edge[]): Graph {
    const tensors: Tensor[] = [];
    const made = new Map<string, number>();
    const ids = new Set<string>();
    const outputsOf = layers.map((layer) => {
      if (ids.has(layer.id)) this.#tell("error", "graph/duplicate", `two layers have the id ${layer.id.slice(0, 40)}`);
      ids.add(layer.id);
      return layer.outputs.map((port) => {
        made.set(`${layer.id}:${port.id}`, tensors.length);
        return tensors.push(this.#tensor(layer, port)) - 1;
      });
    });
    const inputPorts = new Set(layers.flatMap(({ id, inputs }) => inputs.map((port) => `${id}:${port.id}`)));
    const sources = new Map<string, number>();
    for (const { from, to, offset } of edges) {
      const index = made.get(from);
      if (index === undefined || !inputPorts.has(to)) {
        this.#tell(
          "error",
          "edge/dangling",
          `an edge from ${from.slice(0, 40)} to ${to.slice(0, 40)}: no such port`,
          offset,
        );
      } else if (sources.has(to)) {
        this.#tell("error", "edge/duplicate", `two edges lead to ${to.slice(0, 40)}`, offset);
      } else sources.set(to, index);
    }
    const inputs: number[] = [];
    const outputs: number[] = [];
    const nodes = layers.map((layer, at): Node => {
      const taken = layer.inputs.map((port) => {
        const index = sources.get(`${layer.id}:${port.id}`);
        if (index === undefined) {
          this.#tell("error", "tensor/dangling", `nothing leads to input ${port.id} of ${layer.name.slice(0, 80)}`);
        }
        return index ?? -1;
      });
      const given = outputsOf[at] ?? [];
      if (layer.type === "Parameter" || layer.type === "Input") inputs.push(...given);
      if (layer.type === "Result") outputs.push(...taken.filter((index) => index >= 0));
      for (const blob of layer.blobs.filter(() => layer.type !== "Const")) {
        const type = elementType(blob.precision);
        const data = { file: this.#bin, offset: blob.offset, bytes: blob.bytes };
        taken.push(tensors.push({ name: `${layer.name}/${blob.name}`, ...type, data }) - 1);
      }
      return node(layer, taken, given);
    });
    // Up to version 7 there was no Result: what nothing takes is an output.
    if (outputs.length === 0) {
      const used = new Set(sources.values());
      outputs.push(...outputsOf.flat().filter((index) => !used.has(index)));
    }
    const ordered = this.#inOrder(nodes, tensors.length);
    forgetRanks(ordered, tensors);
    return { name, tensors, nodes: ordered, inputs, outputs };
  }

  #tensor(layer: Layer, port: Port): Tensor {
    const { type, data, name, blobs } = layer;
    const spelled = data["element_type"] !== undefined && (type === "Const" || type === "Parameter");
    const many = layer.outputs.length > 1;
    // Names of a port are separated by commas; a comma in a name is escaped.
    const named = /^(?:\\.|[^,\\])+/.exec(port.names)?.[0].replace(/\\(.)/g, "$1");
    const tensor: Tensor = {
      name: named ?? (many ? `${name}:${port.id}` : name),
      ...elementType(spelled ? (data["element_type"] ?? "") : port.precision || layer.precision),
      ...shaped(type === "Parameter" && data["shape"] !== undefined ? shapeOf(data["shape"]) : port.shape),
    };
    if (type !== "Const") return tensor;
    const [blob] = blobs;
    const { offset, size } = data;
    if (offset !== undefined && size !== undefined) {
      // Of a constant without elements OpenVINO writes one byte
      const bytes = tensor.shape?.includes(0) === true ? 0 : this.#extent(size);
      return { ...tensor, data: { file: this.#bin, offset: this.#extent(offset), bytes } };
    }
    if (blob === undefined) return tensor;
    return {
      ...tensor,
      ...elementType(blob.precision),
      data: { file: this.#bin, offset: blob.offset, bytes: blob.bytes },
    };
  }

  /** Layers in an order in which each finds its inputs made: the file's own where it is one, as it nearly always is. */
  #inOrder(nodes: readonly Node[], tensors: number): readonly Node[] {
    const maker = new Int32Array(tensors).fill(-1);
    nodes.forEach(({ outputs }, at) => outputs.forEach((index) => (maker[index] = at)));
    const needs = (node: Node): number[] => node.inputs.map((index) => maker[index] ?? -1).filter((at) => at >= 0);
    if (nodes.every((node, at) => needs(node).every((from) => from < at))) return nodes;
    const missing = nodes.map((node) => needs(node).length);
    const users: number[][] = nodes.map(() => []);
    nodes.forEach((node, at) => needs(node).forEach((from) => users[from]?.push(at)));
    const ready = missing.flatMap((count, at) => (count === 0 ? [at] : []));
    const sorted: Node[] = [];
    for (let next = 0; next < ready.length; next++) {
      const at = ready[next] ?? 0;
      const ofThis = nodes[at];
      if (ofThis) sorted.push(ofThis);
      for (const user of users[at] ?? []) if (--(missing[user] as number) === 0) ready.push(user);
    }
    if (sorted.length === nodes.length) return sorted;
    this.#tell("error", "graph/cycle", `${nodes.length - sorted.length} layers wait for each other`);
    return nodes;
  }
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly offset: () => number;
}

function node({ name, type, version, data, bodies }: Layer, inputs: number[], outputs: number[]): Node {
  const op = sharedOp("openvino-ir", type);
  const attributes = Object.entries(data)
    .filter(([key, text]) => text.length <= ATTRIBUTE_KEPT && !(type === "Const" && /^(?:offset|size)$/.test(key)))
    .map(([key, text]) => [key, attribute(text)] as const);
  return {
    name,
    spelled: type,
    ...(op === undefined ? {} : { op }),
    ...(version === "" ? {} : { domain: version }),
    inputs,
    outputs,
    attributes: Object.fromEntries(attributes),
    ...(bodies.length > 0 ? { graphs: bodies } : {}),
  };
}

/** "1, 1" are numbers, "true" is a truth value, all else stays text. */
function attribute(text: string): Attribute {
  if (text === "true" || text === "false") return text === "true";
  const words = text.split(",").map((word) => word.trim());
  if (!words.every((word) => word !== "" && Number.isFinite(Number(word)))) return text;
  return words.length === 1 ? Number(text) : words.map(Number);
}

/** A number; -1 and ? are open; 1..8 is a range, told as it is written. */
function dimension(text: string): Dimension {
  const word = text.trim();
  if (/^\d{1,15}$/.test(word)) return Number(word);
  return word === "-1" || word === "?" ? null : word.slice(0, 40);
}

/** "..." is any number of dimensions. */
const shapeOf = (text: string): Dimension[] | undefined =>
  text.trim() === "..." ? undefined : text.trim() === "" ? [] : text.split(",").slice(0, RANK_LIMIT).map(dimension);

const shaped = (shape: readonly Dimension[] | undefined): { shape?: readonly Dimension[] } =>
  shape === undefined ? {} : { shape };

/** Operators whose second input, when it is no constant, decides how many dimensions come out. */
const ranksByValue = /^(?:Reshape|Squeeze|Unsqueeze|Broadcast|Reduce\w+)$/;

/** A port without dimensions is a scalar, or of a rank that is not known: the file writes both alike. Tell them by what they are made of. */
function forgetRanks(nodes: readonly Node[], tensors: Tensor[]): void {
  const constants = new Set(nodes.filter(({ op }) => op === "Constant").flatMap(({ outputs }) => outputs));
  for (const { spelled, inputs, outputs } of nodes) {
    const second = inputs[1] ?? -1;
    const open =
      inputs.some((index) => index >= 0 && tensors[index] !== undefined && tensors[index].shape === undefined) ||
      (ranksByValue.test(spelled) && second >= 0 && !constants.has(second));
    if (!open) continue;
    for (const index of outputs) {
      const tensor = tensors[index];
      if (tensor === undefined) continue;
      const { shape, ...rest } = tensor;
      if (shape?.length === 0) tensors[index] = rest;
    }
  }
}
