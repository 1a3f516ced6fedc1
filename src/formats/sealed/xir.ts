/**
 * serial_v2.Graph of XIR, the intermediate representation of Vitis AI: operators with their tensors, the tree of subgraphs, attributes.
 * Field numbers from https://github.com/lutzroeder/netron source/xmodel-proto.js, held against files of
 * https://github.com/Xilinx/Vitis-AI examples/custom_operator.
 */

import { bytesOf, type Attribute, type ElementType, type Graph, type Node, type Tensor } from "../../model/graph.ts";
import { sharedOp } from "../../model/ops.ts";
import type { Message } from "../wire/protobuf.ts";
import { inOrder } from "./order.ts";
import { plain } from "./parts.ts";

const SUBGRAPH_LIMIT = 100_000;
/** root, device, superlayer: three in every file seen. */
const DEPTH_LIMIT = 32;
const ATTRIBUTE_LIMIT = 64;
const LIST_LIMIT = 64;
const RANK_LIMIT = 16;
const ENTRY_LIMIT = 4096;
/** map_string_2_bytes_value: its bytes stand in a message of their own. */
const BYTES_MAP = 27;

/** DataType of a tensor; the bit width stands beside it. X marks types of which only the width matters to the hardware. */
const kinds: readonly string[] = ["int", "uint", "int", "uint", "float", "bfloat"];

/** What the compiler notes of quantisation, placement and cost; the same is told by the tensors and by the subgraphs. */
const own = /^(?:device|shape|data|data_type|workload.*|quant_.*|shift_.*|hsigmoid_in)$/;

/** One attribute, as far as it can be shown. */
export interface Value {
  readonly plain?: Attribute;
  /** Of bytes and of maps: where they lie. */
  readonly message?: Message;
  readonly kind: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface Subgraph {
  readonly name: string;
  readonly device: string;
  readonly attributes: ReadonlyMap<string, Value>;
  readonly children: readonly Subgraph[];
}

interface Op {
  readonly name: string;
  readonly type: string;
  readonly attributes: Record<string, Attribute>;
  readonly data?: { readonly offset: number; readonly bytes: number };
  readonly inputs: readonly string[];
  readonly tensor: Tensor;
}

export function readOp(message: Message): Op {
  let name = "";
  let type = "";
  const attributes: Record<string, Attribute> = {};
  let data: Op["data"];
  const taken: { name: string; ops: string[] }[] = [];
  let tensor: Tensor = { name: "", type: "unknown" };
  let kept = 0;
  while (message.next()) {
    switch (message.field) {
      case 1:
        name = plain(message.string());
        break;
      case 2:
        type = plain(message.string(), 96);
        break;
      case 3: {
        const [key, value] = readEntry(message);
        if (value === undefined) break;
        if (key === "data") data = dataOf(value);
        else if (value.plain !== undefined && !own.test(key) && key !== "__proto__" && kept++ < ATTRIBUTE_LIMIT)
          attributes[key] = value.plain;
        break;
      }
      case 4:
        taken.push(readArgument(message.message()));
        break;
      case 5:
        tensor = readTensor(message.message());
        break;
    }
  }
  // Data first and filters second, whatever order a map had when it was written.
  const rank = (argument: string): number => ["input", "weights", "bias"].indexOf(argument) >>> 0;
  const inputs = taken.sort((a, b) => rank(a.name) - rank(b.name)).flatMap(({ ops }) => ops);
  return { name, type, attributes, inputs, tensor, ...(data ? { data } : {}) };
}

function readArgument(message: Message): { name: string; ops: string[] } {
  const argument = { name: "", ops: [] as string[] };
  while (message.next()) {
    if (message.field === 1) argument.name = message.string();
    else if (message.field === 2) argument.ops.push(plain(message.string()));
  }
  return argument;
}

function readTensor(message: Message): Tensor {
  let name = "";
  const shape: number[] = [];
  let kind = 0;
  let bits = 0;
  let fixed: number | undefined;
  let symmetric = true;
  while (message.next()) {
    switch (message.field) {
      case 1:
        name = plain(message.string());
        break;
      case 2:
        message.ints(shape, RANK_LIMIT);
        break;
      case 5:
        kind = message.int();
        break;
      case 6:
        bits = message.int();
        break;
      case 10: {
        const [key, value] = readEntry(message);
        if (key === "fix_point" && typeof value?.plain === "number") fixed = value.plain;
        else if (key === "if_signed" && value?.plain === false) symmetric = false;
        break;
      }
    }
  }
  const spelled = `${kinds[kind] ?? `type ${kind} `}${bits}`;
  const type = typeOf(spelled, symmetric);
  // A fixed point of n stands for a scale of 2^-n; more than 1,000 is no number of bits.
  const quantization =
    fixed !== undefined && Math.abs(fixed) < 1000 && type.includes("int")
      ? { scale: [2 ** -fixed], zeroPoint: [], scheme: `fix point ${fixed}` }
      : undefined;
  return { name, type, ...(type === "unknown" ? { spelled } : {}), shape, ...(quantization ? { quantization } : {}) };
}

function typeOf(spelled: string, signed: boolean): ElementType {
  switch (spelled) {
    case "int4":
    case "int8":
    case "int16":
    case "int32":
    case "int64":
      return signed ? spelled : `u${spelled}`;
    case "uint4":
    case "uint8":
    case "uint16":
    case "uint32":
    case "uint64":
    case "float16":
    case "float32":
    case "float64":
    case "bfloat16":
      return spelled;
    default:
      return "unknown";
  }
}

/** An entry of a map<string, AttrValue>. */
export function readEntry(message: Message): readonly [string, Value | undefined] {
  const inner = message.message();
  let key = "";
  let value: Value | undefined;
  while (inner.next()) {
    if (inner.field === 1) key = plain(inner.string(), 96);
    else if (inner.field === 2) value = readValue(inner.message());
  }
  return [key, value];
}

function readValue(message: Message): Value | undefined {
  if (!message.next()) return undefined;
  const { field: kind, start: offset, length: bytes } = message;
  const at = { kind, offset, bytes };
  switch (kind) {
    case 4:
      return { ...at, plain: message.bool() };
    case 5:
    case 6:
    case 7:
      return { ...at, plain: message.int() };
    case 8: {
      const value = message.int64();
      const unsigned = BigInt.asUintN(64, value);
      return { ...at, plain: unsigned > 0x1f_ffff_ffff_ffffn ? unsigned : Number(unsigned) };
    }
    case 9:
      return { ...at, plain: message.float() };
    case 10:
      return { ...at, plain: message.double() };
    case 11:
      return { ...at, plain: plain(message.string()) };
    case 13:
    case 14:
    case 15:
    case 16:
    case 17: {
      const list: number[] = [];
      const inner = message.message();
      while (inner.next()) if (inner.field === 1) inner.ints(list);
      return { ...at, ...(list.length <= LIST_LIMIT ? { plain: list } : {}) };
    }
    case 18: {
      const list: number[] = [];
      const inner = message.message();
      while (inner.next()) if (inner.field === 1) inner.floats(list);
      return { ...at, ...(list.length <= LIST_LIMIT ? { plain: list } : {}) };
    }
    case 20: {
      const list: string[] = [];
      const inner = message.message();
      while (inner.next() && list.length < ENTRY_LIMIT) if (inner.field === 1) list.push(plain(inner.string()));
      return { ...at, plain: list };
    }
    default:
      return { ...at, message: message.message() };
  }
}

/** Bytes inside an attribute: a message with one field. */
export function dataOf({ kind, message }: Value): { offset: number; bytes: number } | undefined {
  if (kind !== 12 || message === undefined) return undefined;
  const again = message.again();
  while (again.next()) if (again.field === 1) return { offset: again.start, bytes: again.length };
  return undefined;
}

/** Entries of a map from strings: to strings, or to bytes, whose extents are given. */
export function mapOf({ kind, message }: Value): [string, { text: string; offset: number; bytes: number }][] {
  const out: [string, { text: string; offset: number; bytes: number }][] = [];
  if (message === undefined) return out;
  const again = message.again();
  while (again.next() && out.length < ENTRY_LIMIT) {
    if (again.field !== 1 || again.wire !== 2) continue;
    const inner = again.message();
    let key = "";
    let value = { text: "", offset: 0, bytes: 0 };
    while (inner.next()) {
      if (inner.field === 1) key = plain(inner.string());
      else if (inner.field === 2 && inner.wire === 2 && kind === BYTES_MAP) {
        const held = inner.message();
        while (held.next()) if (held.field === 1) value = { text: "", offset: held.start, bytes: held.length };
      } else if (inner.field === 2 && inner.wire === 2)
        value = { text: plain(inner.stringStart(256)), offset: inner.start, bytes: inner.length };
    }
    out.push([key, value]);
  }
  return out;
}

export function readSubgraph(message: Message, count = { left: SUBGRAPH_LIMIT }, depth = 0): Subgraph {
  if (--count.left < 0) message.fail(`more than ${SUBGRAPH_LIMIT} subgraphs`);
  if (depth > DEPTH_LIMIT) message.fail(`subgraphs nest deeper than ${DEPTH_LIMIT}`);
  let name = "";
  const attributes = new Map<string, Value>();
  const children: Subgraph[] = [];
  while (message.next()) {
    if (message.field === 1) name = plain(message.string());
    else if (message.field === 5) {
      const [key, value] = readEntry(message);
      if (value !== undefined && attributes.size < ENTRY_LIMIT) attributes.set(key, value);
    } else if (message.field === 10) children.push(readSubgraph(message.message(), count, depth + 1));
  }
  const device = attributes.get("device")?.plain;
  return { name, device: typeof device === "string" ? device : "", attributes, children };
}

/** Operators to nodes: data operators become inputs, constants tensors; what nobody takes is an output. */
export function buildGraph(name: string, ops: readonly Op[], returned: readonly string[]): Graph {
  const index = new Map(ops.map((op, at) => [op.name, at]));
  const tensors: Tensor[] = ops.map((op) => {
    const tensor = { ...op.tensor, name: op.tensor.name === "" ? op.name : op.tensor.name };
    if (!isConstant(op)) return tensor;
    // Compiled files keep constants among the parameters of a subgraph, in the DPU's order.
    const data = op.data !== undefined && op.data.bytes > 0 ? op.data : { bytes: bytesOf(tensor) ?? 0 };
    return { ...tensor, data };
  });
  const taken = new Set<number>();
  const put = (key: string): number => {
    const held = index.get(key);
    if (held !== undefined) {
      taken.add(held);
      return held;
    }
    index.set(key, tensors.length);
    tensors.push({ name: key, type: "unknown" });
    return tensors.length - 1;
  };
  const nodes: Node[] = [];
  const inputs: number[] = [];
  for (const [at, op] of ops.entries()) {
    if (isConstant(op)) continue;
    if (op.inputs.length === 0 && op.type.startsWith("data")) {
      inputs.push(at);
      continue;
    }
    const shared = sharedOp("xmodel", op.type);
    nodes.push({
      name: op.name,
      ...(shared === undefined ? {} : { op: shared }),
      spelled: op.type,
      inputs: op.inputs.map(put),
      outputs: [at],
      attributes: op.attributes,
    });
  }
  const ends = returned.map((key) => index.get(key)).filter((at) => at !== undefined);
  const outputs = ends.length > 0 ? ends : nodes.flatMap((node) => node.outputs).filter((at) => !taken.has(at));
  return { name, tensors, nodes: inOrder(nodes, tensors.length), inputs, outputs };
}

const isConstant = (op: Op): boolean => op.inputs.length === 0 && (op.type === "const" || op.type === "const-fix");
