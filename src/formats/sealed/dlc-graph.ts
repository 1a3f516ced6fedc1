/**
 * The FlatBuffers inside a DLC: the network (NETD) and its parameters (NETP, NR64), of container versions 3 and 4. No schema is
 * published; field numbers from https://github.com/lutzroeder/netron source/dlc-schema.js.
 */

import {
  bytesOf,
  type Attribute,
  type Graph,
  type Integrity,
  type Node,
  type Tensor,
  type TensorData,
} from "../../model/graph.ts";
import { sharedOp } from "../../model/ops.ts";
import { FlatBuffer, type Table } from "../wire/flatbuffer.ts";
import { inOrder } from "./order.ts";
import { error, plain } from "./parts.ts";
import { APP_READ, APP_READWRITE, APP_WRITE, qnnType, quantizationOf, STATIC, type Encoding } from "./qnn-types.ts";

const NODE_LIMIT = 200_000;
const TENSOR_LIMIT = 1_000_000;
const GRAPH_LIMIT = 1024;
const PORT_LIMIT = 65_536;
const ATTRIBUTE_LIMIT = 1024;
const RANK_LIMIT = 32;
/** Longest list shown as an attribute: strides, paddings, axes. */
const LIST_LIMIT = 64;
/** Channels of one tensor. */
const CHANNEL_LIMIT = 1_000_000;
/** Lists inside lists: attributes of version 3. */
const DEPTH_LIMIT = 8;

/** The parameters, and whether their place in the file can be told: not where the archive packed them. */
export interface Parameters {
  readonly buffer: FlatBuffer;
  readonly placed: boolean;
  readonly wide: boolean;
}

const dataOf = (at: number, bytes: number, placed: boolean): TensorData => (placed ? { offset: at, bytes } : { bytes });

/** Version 4: graphs with tensors of their own, as QNN has them. */
export function readGraphs4(model: FlatBuffer, parameters: Parameters | undefined, integrity: Integrity[]): Graph[] {
  const held = parameters && !parameters.wide ? readParameters4(parameters) : undefined;
  const graphs = model
    .root()
    .tables(0, GRAPH_LIMIT, "graphs")
    .map((graph) => readGraph4(graph, held, integrity));
  const [only] = graphs;
  return parameters?.wide === true && only && graphs.length === 1 ? [withBuffers(only, parameters)] : graphs;
}

/**
 * NR64 keeps buffers without names, and beside them the names without data. Which is whose only their order says: one that gives every
 * constant the size of its shape is taken, else the constants keep no extent.
 */
function withBuffers(graph: Graph, { buffer, placed }: Parameters): Graph {
  const root = buffer.root();
  const buffers = root.tables(0, TENSOR_LIMIT, "buffers").map((table) => table.vector(0, 1));
  const names = root.vector(1, 1);
  const constants = graph.tensors
    .map((tensor, at) => ({ tensor, at }))
    .filter(({ tensor }) => tensor.data !== undefined);
  const orders = [
    [...constants].sort((a, b) => (a.tensor.name < b.tensor.name ? -1 : 1)),
    names ? namedOrder(new FlatBuffer(buffer.file, { offset: names.at, length: names.count }), constants) : [],
    constants,
  ];
  const fits = orders.find(
    (order) => order.length > 0 && order.every(({ tensor }, i) => buffers[i]?.count === bytesOf(tensor)),
  );
  if (!fits) return graph;
  const tensors = [...graph.tensors];
  for (const [i, { tensor, at }] of fits.entries()) {
    const extent = buffers[i];
    if (extent) tensors[at] = { ...tensor, data: dataOf(extent.at, extent.count, placed) };
  }
  return { ...graph, tensors };
}

interface Constant {
  readonly tensor: Tensor;
  readonly at: number;
}

function namedOrder(buffer: FlatBuffer, constants: readonly Constant[]): Constant[] {
  const byName = new Map(constants.map((one) => [one.tensor.name, one]));
  const [graph] = buffer.root().tables(0, GRAPH_LIMIT, "graphs");
  return (graph?.tables(1, TENSOR_LIMIT, "tensors") ?? [])
    .map((tensor) => byName.get(plain(tensor.string(0) ?? "")))
    .filter((one) => one !== undefined);
}

interface Held {
  readonly tensors: ReadonlyMap<string, TensorData>;
  readonly nodes: readonly ReadonlyMap<string, { readonly data: TensorData; readonly numbers?: readonly number[] }>[];
}

function readParameters4({ buffer, placed }: Parameters): ReadonlyMap<string, Held> {
  const out = new Map<string, Held>();
  for (const graph of buffer.root().tables(0, GRAPH_LIMIT, "graphs")) {
    const tensors = new Map<string, TensorData>();
    for (const tensor of graph.tables(1, TENSOR_LIMIT, "tensors")) {
      const bytes = tensor.vector(1, 1);
      if (bytes) tensors.set(tensor.string(0) ?? "", dataOf(bytes.at, bytes.count, placed));
    }
    const nodes = graph.tables(2, NODE_LIMIT, "operators").map((node) => {
      const own = new Map<string, { data: TensorData; numbers?: readonly number[] }>();
      for (const tensor of node.tables(0, ATTRIBUTE_LIMIT, "attributes")) {
        const bytes = tensor.vector(1, 1);
        if (!bytes) continue;
        const short = bytes.count % 4 === 0 && bytes.count <= LIST_LIMIT * 4;
        const numbers = short
          ? Array.from({ length: bytes.count / 4 }, (_, index) => buffer.i32(bytes.at + index * 4))
          : undefined;
        own.set(tensor.string(0) ?? "", {
          data: dataOf(bytes.at, bytes.count, placed),
          ...(numbers ? { numbers } : {}),
        });
      }
      return own;
    });
    out.set(graph.string(0) ?? "", { tensors, nodes });
  }
  return out;
}

function readGraph4(graph: Table, held: ReadonlyMap<string, Held> | undefined, integrity: Integrity[]): Graph {
  const name = graph.string(0) ?? "";
  const own = held?.get(name);
  const tensors: Tensor[] = [];
  const index = new Map<string, number>();
  const inputs: number[] = [];
  const outputs: number[] = [];
  for (const table of graph.tables(2, TENSOR_LIMIT, "tensors")) {
    const key = table.string(1) ?? "";
    const place = table.i32(2);
    const data = place === STATIC ? own?.tensors.get(key) : undefined;
    if (place === APP_WRITE || place === APP_READWRITE) inputs.push(tensors.length);
    if (place === APP_READ || place === APP_READWRITE) outputs.push(tensors.length);
    if (index.has(key)) integrity.push(error("tensor/duplicate", `two tensors are called ${plain(key, 80)}`));
    index.set(key, tensors.length);
    tensors.push(readTensor4(table, key, place === STATIC ? (data ?? { bytes: 0 }) : undefined));
  }
  const at = (key: string): number => {
    if (key === "") return -1;
    const known = index.get(key);
    if (known !== undefined) return known;
    index.set(key, tensors.length);
    tensors.push({ name: plain(key), type: "unknown" });
    return tensors.length - 1;
  };
  const nodes = graph.tables(1, NODE_LIMIT, "operators").map((node, position): Node => {
    const spelled = plain(node.string(1) ?? "", 96);
    const shared = sharedOp("dlc", spelled);
    return {
      name: plain(node.string(0) ?? ""),
      ...(shared === undefined ? {} : { op: shared }),
      spelled,
      inputs: node.strings(2, PORT_LIMIT, "inputs").map(at),
      outputs: node.strings(3, PORT_LIMIT, "outputs").map(at),
      attributes: readAttributes4(node, own?.nodes[position]),
    };
  });
  return { name: plain(name), tensors, nodes: inOrder(nodes, tensors.length), inputs, outputs };
}

function readTensor4(table: Table, name: string, data: TensorData | undefined): Tensor {
  const { type, spelled } = qnnType(table.i32(6));
  const quantization = readEncoding4(table.table(5));
  const shape = table.i32s(3, RANK_LIMIT, "dimensions");
  const tensor: Tensor = {
    name: plain(name),
    type,
    ...(spelled === undefined ? {} : { spelled }),
    ...(shape ? { shape } : {}),
    ...(quantization ? { quantization } : {}),
  };
  // Without its parameters a constant is still one: how large it is, its shape says.
  if (data === undefined) return tensor;
  // Values of four bits may stand in a byte each.
  const loose = type.endsWith("int4") && data.bytes !== bytesOf(tensor);
  return { ...tensor, data: loose ? { bytes: data.bytes } : data };
}

/** One encoding of the tensor, or one for each channel along an axis. */
function readEncoding4(info: Table | undefined): Tensor["quantization"] {
  if (!info) return undefined;
  const encoding = (table: Table): Encoding => ({
    bits: table.i32(0),
    min: table.f32(1),
    max: table.f32(2),
    scale: table.f32(3),
    offset: table.i32(4),
  });
  const whole = info.table(2);
  if (whole) {
    const one = quantizationOf([encoding(whole)]);
    if (one) return one;
  }
  const axes = info.table(3);
  if (!axes) return undefined;
  return quantizationOf(axes.tables(1, CHANNEL_LIMIT, "channels").map(encoding), axes.i32(0));
}

function readAttributes4(node: Table, held: Held["nodes"][number] | undefined): Record<string, Attribute> {
  const out: Record<string, Attribute> = {};
  for (const attribute of node.tables(4, ATTRIBUTE_LIMIT, "attributes")) {
    const name = plain(attribute.string(0) ?? "", 96);
    if (name === "" || name === "__proto__") continue;
    const value = attribute.table(3);
    const tensor = attribute.table(4);
    if (attribute.i32(1) === 0 && value) {
      const plainValue = scalar4(value);
      if (plainValue !== undefined) out[name] = plainValue;
    } else if (tensor) {
      const { type } = qnnType(tensor.i32(6));
      const numbers = held?.get(tensor.string(1) ?? "")?.numbers;
      if (numbers && (type === "int32" || type === "uint32")) out[name] = numbers;
    }
  }
  return out;
}

function scalar4(value: Table): Attribute | undefined {
  switch (value.i32(0)) {
    case 0x0232:
      return value.f32(2);
    case 0x0508:
      return value.i32(1) !== 0;
    case 0x0608:
    case 0x7fffffff:
      return plain(value.string(3) ?? "");
    default:
      return value.i32(1);
  }
}

/** Version 3: operators name their outputs and note their shapes; parameters lie by operator. */
export function readGraph3(model: FlatBuffer, parameters: Parameters | undefined): Graph {
  const weights = parameters ? readParameters3(parameters) : new Map<string, readonly Tensor[]>();
  const tensors: Tensor[] = [];
  const index = new Map<string, number>();
  const put = (key: string, shape?: readonly number[]): number => {
    const known = index.get(key);
    if (known !== undefined) {
      const held = tensors[known];
      if (shape && held?.shape === undefined) tensors[known] = { name: plain(key), type: "unknown", shape };
      return known;
    }
    index.set(key, tensors.length);
    tensors.push({ name: plain(key), type: "unknown", ...(shape ? { shape } : {}) });
    return tensors.length - 1;
  };
  const nodes: Node[] = [];
  const inputs: number[] = [];
  for (const table of model.root().tables(1, NODE_LIMIT, "operators")) {
    const name = table.string(1) ?? "";
    const spelled = plain(table.string(2) ?? "", 96);
    const { attributes, shapes } = readAttributes3(table);
    const given = table.strings(4, PORT_LIMIT, "outputs").map((key, at) => put(key, shapes[at]));
    if (spelled === "Input") {
      inputs.push(...(given.length > 0 ? given : table.strings(3, PORT_LIMIT, "inputs").map((key) => put(key))));
      continue;
    }
    const taken = table.strings(3, PORT_LIMIT, "inputs").map((key) => put(key));
    for (const tensor of weights.get(name) ?? []) {
      taken.push(tensors.length);
      tensors.push(tensor);
    }
    const shared = sharedOp("dlc", spelled);
    nodes.push({
      name: plain(name),
      ...(shared === undefined ? {} : { op: shared }),
      spelled,
      inputs: taken,
      outputs: given,
      attributes,
    });
  }
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const outputs = nodes.flatMap((node) => node.outputs).filter((at) => !used.has(at));
  return { name: "", tensors, nodes: inOrder(nodes, tensors.length), inputs, outputs };
}

function readAttributes3(node: Table): {
  attributes: Record<string, Attribute>;
  shapes: readonly (number[] | undefined)[];
} {
  const attributes: Record<string, Attribute> = {};
  let shapes: readonly (number[] | undefined)[] = [];
  for (const attribute of node.tables(5, ATTRIBUTE_LIMIT, "attributes")) {
    const name = plain(attribute.string(0) ?? "", 96);
    if (name === "OutputDims" && attribute.u8(1) === 11) {
      shapes = attribute.tables(12, PORT_LIMIT, "shapes").map((shape) => shape.i32s(9, RANK_LIMIT, "dimensions"));
    } else if (name !== "" && name !== "__proto__") {
      const value = attribute3(attribute, 0);
      if (value !== undefined) attributes[name] = value;
    }
  }
  return { attributes, shapes };
}

function attribute3(attribute: Table, depth: number): Attribute | undefined {
  switch (attribute.u8(1)) {
    case 1:
      return attribute.bool(2);
    case 2:
      return attribute.i32(3);
    case 3:
      return attribute.u32(4);
    case 4:
      return attribute.f32(5);
    case 5:
      return plain(attribute.string(6) ?? "");
    case 8:
      return listOf(attribute.vector(9, 4)?.count, () => attribute.i32s(9, LIST_LIMIT, "numbers"));
    case 9:
      return listOf(attribute.vector(10, 4)?.count, () => attribute.f32s(10, LIST_LIMIT, "numbers"));
    case 11: {
      if (depth >= DEPTH_LIMIT) return undefined;
      const inner = attribute.tables(12, ATTRIBUTE_LIMIT, "attributes").map((one) => attribute3(one, depth + 1));
      return inner.length <= LIST_LIMIT && inner.every((one) => typeof one === "number") ? inner : undefined;
    }
    default:
      return undefined;
  }
}

const listOf = (count: number | undefined, read: () => number[] | undefined): number[] | undefined =>
  count !== undefined && count <= LIST_LIMIT ? read() : undefined;

/** Weights by operator, version 3. */
export function readParameters3({ buffer, placed }: Parameters): Map<string, readonly Tensor[]> {
  const out = new Map<string, readonly Tensor[]>();
  for (const node of buffer.root().tables(0, NODE_LIMIT, "operators")) {
    const name = node.string(0) ?? "";
    const tensors = node.tables(1, ATTRIBUTE_LIMIT, "weights").map((table): Tensor => {
      const shape = table.i32s(1, RANK_LIMIT, "dimensions");
      const data = table.table(2);
      const code = data?.u8(0) ?? 0;
      const type = code === 6 ? "uint8" : code === 9 ? "float32" : "unknown";
      const width = code === 9 ? 4 : 1;
      const vector = data?.vector(code === 9 ? 2 : 1, width);
      return {
        name: `${plain(name)}/${plain(table.string(0) ?? "", 96)}`,
        type,
        ...(type === "unknown" ? { spelled: `type ${code}` } : {}),
        ...(shape ? { shape } : {}),
        data: vector ? dataOf(vector.at, vector.count * width, placed) : { bytes: 0 },
      };
    });
    out.set(name, tensors);
  }
  return out;
}
