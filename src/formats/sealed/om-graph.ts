/**
 * ge.proto.ModelDef of an OM: graphs of operators, their tensors' descriptions, constants inside or in the weights partition. Field
 * numbers: ge_ir.proto of https://github.com/hicann/ge. Newer compilers number attribute names and values in two lists of the model.
 */

import type {
  Attribute,
  Dimension,
  ElementType,
  Graph,
  Integrity,
  Node,
  Quantization,
  Tensor,
} from "../../model/graph.ts";
import { sharedOp } from "../../model/ops.ts";
import type { ModelFile } from "../file.ts";
import { protobuf, type Message } from "../wire/protobuf.ts";
import { attribute, entry, flags, keep, nameOf, strings, type Dictionary } from "./om-attributes.ts";
import { inOrder } from "./order.ts";
import { error, FINDING_LIMIT, plain } from "./parts.ts";

/** Operators of the largest compiled models seen in print: some 20,000. */
const OP_LIMIT = 200_000;
const GRAPH_LIMIT = 10_000;
const RANK_LIMIT = 32;
/** Attributes kept of one operator; compilers add dozens of their own, which begin with an underscore and are left out. */
const ATTRIBUTE_LIMIT = 64;

/** DataType of ge_ir.proto. */
const types: readonly (ElementType | undefined)[] = [
  undefined,
  "float32",
  "float16",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "int64",
  "uint32",
  "uint64",
  "bool",
  "float64",
  "string",
  "int8",
  "uint8",
  "complex64",
  "complex128",
  "int8",
  "int16",
  "int32",
  "uint8",
  "uint16",
  "resource",
  undefined,
  undefined,
  "variant",
  "bfloat16",
  "int4",
  undefined,
  "int2",
  "uint2",
];

const inputTypes: ReadonlySet<string> = new Set(["Data", "AnnData", "AippData", "RefData"]);
const constantTypes: ReadonlySet<string> = new Set(["Const", "Constant"]);

export interface ModelDef {
  readonly graphs: readonly Graph[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputNames: readonly string[];
}

interface Extent {
  readonly offset: number;
  readonly bytes: number;
}

interface Context {
  readonly weights: Extent | undefined;
  readonly dictionary: Dictionary;
  readonly integrity: Integrity[];
}

interface Description {
  readonly type: ElementType;
  readonly spelled?: string;
  readonly shape?: readonly Dimension[];
  /** The tensor lies in the file or on the chip in another order than its shape says. */
  readonly rearranged: boolean;
  readonly weightBytes: number;
  readonly dataOffset: number;
}

interface Op {
  readonly name: string;
  readonly type: string;
  readonly inputs: readonly string[];
  readonly inputShapes: readonly Description[];
  readonly outputs: readonly Description[];
  readonly attributes: Record<string, Attribute>;
  readonly subgraphs: readonly string[];
  readonly constant?: { readonly description: Description; readonly data?: Extent };
}

export function readModelDef(
  file: ModelFile,
  at: Extent,
  weights: Extent | undefined,
  integrity: Integrity[],
): ModelDef {
  const message = protobuf(file, at.offset, Math.min(at.bytes, file.size - at.offset));
  const dictionary: Dictionary = { names: [], values: [], asText: [] };
  const attributes: Record<string, Attribute> = {};
  let outputNames: readonly string[] = [];
  while (message.next()) {
    if (message.field !== 11) continue;
    const { key, value } = entry(message);
    const name = plain(key, 64);
    if (value === undefined) continue;
    if (name === "attr_name_enum") dictionary.names = strings(value);
    else if (name === "attr_value_enum") dictionary.values = strings(value);
    else if (name === "attrs_use_string_value") dictionary.asText = flags(value);
    else if (name === "attr_model_out_nodes_name") outputNames = strings(value).map((one) => plain(lastPart(one), 96));
    else if (name !== "tasks" && !name.startsWith("_")) keep(attributes, name, attribute(value));
  }
  const context: Context = { weights, dictionary, integrity };
  const drafts: { name: string; ops: Op[]; outputs: string[] }[] = [];
  const again = message.again();
  while (again.next()) {
    if (again.field !== 7) continue;
    if (drafts.length >= GRAPH_LIMIT) again.fail(`more than ${GRAPH_LIMIT} graphs`);
    drafts.push(readGraph(again.message(), context));
  }
  const byName = new Map(drafts.map((draft, index) => [draft.name, index]));
  return { graphs: drafts.map((draft) => build(draft, byName)), attributes, outputNames };
}

/** "scope/op:0:logits" ends with what the network called it. */
const lastPart = (text: string): string => text.slice(text.lastIndexOf(":") + 1);

function readGraph(message: Message, context: Context): { name: string; ops: Op[]; outputs: string[] } {
  const graph = { name: "", ops: [] as Op[], outputs: [] as string[] };
  while (message.next()) {
    if (message.field === 1) graph.name = plain(message.string());
    else if (message.field === 5) graph.outputs.push(message.string());
    else if (message.field === 6) {
      if (graph.ops.length >= OP_LIMIT) message.fail(`more than ${OP_LIMIT} operators`);
      graph.ops.push(readOp(message.message(), context));
    }
  }
  return graph;
}

function readOp(message: Message, context: Context): Op {
  const op = {
    name: "",
    type: "",
    inputs: [] as string[],
    inputShapes: [] as Description[],
    outputs: [] as Description[],
    attributes: {} as Record<string, Attribute>,
    subgraphs: [] as string[],
  };
  let constant: Op["constant"];
  let own: Attribute | undefined;
  let kept = 0;
  while (message.next()) {
    switch (message.field) {
      case 1:
        op.name = message.string();
        break;
      case 2:
        op.type = plain(message.string(), 96);
        break;
      case 5:
        op.inputs.push(message.string());
        break;
      case 10: {
        const { key, value } = entry(message);
        if (value === undefined) break;
        const { name, text } = nameOf(key, context.dictionary);
        if (name === "value") constant ??= readConstant(value, context);
        if (name === "_ir_attr_names") own = attribute(value, text ? context.dictionary.values : undefined);
        if (name === "" || name.startsWith("_") || kept >= ATTRIBUTE_LIMIT) break;
        if (keep(op.attributes, name, attribute(value, text ? context.dictionary.values : undefined))) kept++;
        break;
      }
      case 33:
        op.inputShapes.push(readDescription(message.message(), context));
        break;
      case 34:
        op.outputs.push(readDescription(message.message(), context));
        break;
      case 35:
        op.subgraphs.push(plain(message.string()));
        break;
    }
  }
  return {
    ...op,
    attributes: Array.isArray(own) ? ofNames(op.attributes, own) : op.attributes,
    ...(constant && constantTypes.has(op.type) ? { constant } : {}),
  };
}

/** Newer compilers list which attributes are the operator's own; the rest is what they noted for themselves. */
function ofNames(
  attributes: Record<string, Attribute>,
  names: readonly (string | number)[],
): Record<string, Attribute> {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => names.includes(name)));
}

/** TensorDef of a constant: its data inside, or its place in the weights partition. */
function readConstant(value: Message, context: Context): Op["constant"] {
  while (value.next()) {
    if (value.field !== 12) continue;
    const tensor = value.message();
    let description: Description | undefined;
    let data: Extent | undefined;
    while (tensor.next()) {
      if (tensor.field === 1) description = readDescription(tensor.message(), context);
      else if (tensor.field === 2 && tensor.length > 0) data = { offset: tensor.start, bytes: tensor.length };
    }
    if (description === undefined) return undefined;
    const { weights, integrity } = context;
    const { dataOffset, weightBytes } = description;
    if (data === undefined && weights !== undefined && weightBytes > 0) {
      data = { offset: weights.offset + dataOffset, bytes: weightBytes };
      if (dataOffset + weightBytes > weights.bytes && integrity.length < FINDING_LIMIT) {
        const says = `a constant ends at ${dataOffset + weightBytes} of ${weights.bytes} bytes of weights`;
        integrity.push(error("extent/past-end", says, tensor.from));
      }
    }
    return { description, ...(data ? { data } : {}) };
  }
  return undefined;
}

function readDescription(message: Message, { dictionary }: Context): Description {
  let code = 0;
  let shape: number[] = [];
  let origin: Attribute | undefined;
  let originLayout = "";
  let layout = "";
  let weightBytes = 0;
  let dataOffset = 0;
  let merged: number | undefined;
  while (message.next()) {
    switch (message.field) {
      case 2:
        code = message.int();
        break;
      case 3:
        shape = dimensions(message.message());
        break;
      case 4:
        layout = plain(message.string(), 32);
        break;
      case 5: {
        const { key, value } = entry(message);
        if (value === undefined) break;
        const { name, text } = nameOf(key, dictionary);
        if (name === "origin_shape") origin = attribute(value);
        else if (name === "origin_format")
          originLayout = String(attribute(value, text ? dictionary.values : undefined));
        else if (name === "merged_offset") {
          const at = attribute(value);
          if (typeof at === "number") merged = at;
        }
        break;
      }
      case 11:
        weightBytes = message.int();
        break;
      case 18:
        dataOffset = message.int();
        break;
    }
  }
  const given = Array.isArray(origin) && origin.every((size) => typeof size === "number") ? origin : undefined;
  const rearranged = given !== undefined && layout !== originLayout && layout !== "";
  const type = types[code] ?? "unknown";
  const known = channelsSecond(rearranged ? given : shape, rearranged ? originLayout : layout);
  return {
    type,
    ...(type === "unknown" && code !== 0 ? { spelled: `type ${code}` } : {}),
    // -2 stands for a rank that is not known, -1 for a size that is not.
    ...(known.includes(-2) ? {} : { shape: known.map((size) => (size < 0 ? null : size)) }),
    rearranged: rearranged || layout === "HWCN",
    weightBytes: Math.max(0, weightBytes),
    dataOffset: Math.max(0, merged ?? dataOffset),
  };
}

/** Filters in TensorFlow's order are told in the order of all others: output channels first. */
function channelsSecond(shape: readonly number[], layout: string): readonly number[] {
  const [height = 0, width = 0, channels = 0, count = 0] = shape;
  return layout === "HWCN" && shape.length === 4 ? [count, channels, height, width] : shape;
}

function dimensions(message: Message): number[] {
  const out: number[] = [];
  while (message.next()) if (message.field === 1) message.ints(out, RANK_LIMIT);
  return out;
}

/** HiAI's quantised weights keep the type they had before: a byte an element tells them. */
const eightBits: Quantization = { scale: [], zeroPoint: [], scheme: "8 bits, declared float32" };

/** Undefined where a dimension is open, and of one element, whose bytes tell nothing. */
function elementsOf(shape: Description["shape"]): number | undefined {
  const count = shape?.reduce<number>((product, size) => product * (typeof size === "number" ? size : NaN), 1) ?? NaN;
  return count > 1 ? count : undefined;
}

/** Operators to nodes: data operators become inputs, constants tensors, the last one's inputs the graph's outputs. */
function build(
  { name, ops, outputs }: { name: string; ops: readonly Op[]; outputs: readonly string[] },
  graphs: ReadonlyMap<string, number>,
): Graph {
  const tensors: Tensor[] = [];
  const index = new Map<string, number>();
  const inputs: number[] = [];
  const put = (key: string, description: Description | undefined, data?: Extent): number => {
    const held = index.get(key);
    if (held !== undefined) return held;
    const { type = "unknown", spelled, shape, rearranged } = description ?? {};
    const reduced = type === "float32" && data !== undefined && data.bytes === elementsOf(shape);
    index.set(key, tensors.length);
    tensors.push({
      name: plain(key.endsWith(":0") ? key.slice(0, -2) : key),
      type: reduced ? "int8" : type,
      ...(reduced ? { quantization: eightBits } : {}),
      ...(spelled === undefined ? {} : { spelled }),
      ...(shape === undefined ? {} : { shape }),
      ...(data ? { data: rearranged ? { bytes: data.bytes } : data } : {}),
    });
    return tensors.length - 1;
  };
  for (const op of ops) {
    if (op.constant) put(`${op.name}:0`, op.constant.description, op.constant.data ?? { offset: 0, bytes: 0 });
    op.outputs.forEach((description, at) => put(`${op.name}:${at}`, description));
    if (inputTypes.has(op.type)) inputs.push(put(`${op.name}:0`, op.outputs[0]));
  }
  const taken = (op: Op): number[] =>
    op.inputs
      .map((key, at) => ({ key, description: op.inputShapes[at] }))
      .filter(({ key }) => !key.endsWith(":-1")) // an order, not a tensor
      .map(({ key, description }) => (key === "" ? -1 : put(key, description)));
  const nodes: Node[] = [];
  const given: number[] = [];
  for (const op of ops) {
    if (op.constant || inputTypes.has(op.type)) continue;
    const from = taken(op);
    if (op.type === "NetOutput") {
      given.push(...from.filter((at) => at >= 0));
      continue;
    }
    const shared = sharedOp("om", op.type);
    const inner = op.subgraphs.map((one) => graphs.get(one)).filter((one) => one !== undefined);
    nodes.push({
      name: plain(op.name),
      ...(shared === undefined ? {} : { op: shared }),
      spelled: op.type,
      inputs: from,
      outputs: op.outputs.map((_, at) => put(`${op.name}:${at}`, undefined)),
      attributes: op.attributes,
      ...(inner.length > 0 ? { graphs: inner } : {}),
    });
  }
  if (given.length === 0) {
    given.push(...outputs.map((key) => index.get(key)).filter((at) => at !== undefined));
  }
  return { name, tensors, nodes: inOrder(nodes, tensors.length), inputs, outputs: given };
}
