/** GraphProto, NodeProto, AttributeProto, FunctionProto: the operators of an ONNX file. Schema as in tensor.ts. */

import { SMALL, type Attribute } from "../../model/graph.ts";
import type { Message } from "../wire/protobuf.ts";
import { readAttribute } from "./attribute.ts";
import {
  DECLARED,
  INITIALIZER,
  INPUT,
  label,
  OUTPUT,
  PRODUCED,
  USED,
  type Context,
  type Draft,
  type DraftNode,
} from "./draft.ts";
import { readSparse } from "./sparse.ts";
import { readEntry, readTensor, summary, type Constant } from "./tensor.ts";
import { readValueInfo, type ValueType } from "./types.ts";

/** Inputs and outputs of one node: a Concat of all of a detector's anchors has some hundred. */
const ENDS_LIMIT = 65_536;
/** GraphProto: 1 node, 2 name, 5 initializer, 10 doc, 11 input, 12 output, 13 value_info, 14 annotation, 15 sparse, 16 metadata. */
export function readGraph(message: Message, draft: Draft, context: Context): void {
  const top = context.drafts[0] === draft;
  const values: { readonly field: number; readonly info: ReturnType<typeof readValueInfo> }[] = [];
  while (message.next()) {
    switch (message.field) {
      case 1:
        draft.places.push(message.start);
        draft.nodes.push(readNode(message.message(), draft, context));
        break;
      case 2:
        draft.name = message.stringStart(1024);
        break;
      case 5:
        if (top) weigh(context, message);
        addInitializer(draft, readTensor(message.message(), context), message, context);
        break;
      case 15:
        if (top) weigh(context, message);
        addSparse(draft, readSparse(message.message(), context));
        break;
      case 11:
      case 12:
      case 13:
        values.push({ field: message.field, info: readValueInfo(message.message(), context) });
        break;
      case 14:
        draft.annotations.push(readAnnotation(message.message()));
        break;
      case 10:
        break;
      case 16:
        message.skim();
        break;
      default:
        unknownField(context, message, "graph");
    }
  }
  // Inputs may stand before or after the initializers that give them a default
  for (const { field, info } of values) addValue(draft, field, info, context);
}

/** FunctionProto: 1 name, 4 input, 5 output, 6 attribute, 7 node, 9 opsets, 10 domain, 11 attribute with default, 12 value_info, 13 overload. */
export function readFunction(message: Message, draft: Draft, context: Context): string {
  let name = "";
  let domain = "";
  let overload = "";
  const opsets = new Map<string, number>();
  while (message.next()) {
    switch (message.field) {
      case 1:
        name = message.string();
        break;
      case 4:
      case 5: {
        const tensor = draft.intern(message.string());
        draft.flag(tensor, message.field === 4 ? INPUT : OUTPUT | USED);
        (message.field === 4 ? draft.inputs : draft.outputs).push(tensor);
        break;
      }
      case 7:
        draft.places.push(message.start);
        draft.nodes.push(readNode(message.message(), draft, context));
        break;
      case 9:
        readOpset(message.message(), opsets);
        break;
      case 10:
        domain = message.string();
        break;
      case 12:
        addValue(draft, 13, readValueInfo(message.message(), context), context);
        break;
      case 13:
        overload = message.string();
        break;
      case 6:
      case 8:
        break;
      case 11:
      case 14:
        message.skim();
        break;
      default:
        unknownField(context, message, "function");
    }
  }
  draft.opsets = opsets;
  draft.name = functionKey(domain, name, overload);
  return draft.name;
}

/** What a node's operator is matched by. */
export const functionKey = (domain: string, name: string, overload: string): string =>
  `${domain === "ai.onnx" ? "" : domain}::${name}${overload === "" ? "" : `:${overload}`}`;

/** OperatorSetIdProto: 1 domain, 2 version. */
export function readOpset(message: Message, into: Map<string, number>): void {
  let domain = "";
  let version = 0;
  while (message.next()) {
    if (message.field === 1) domain = message.stringStart(1024);
    else if (message.field === 2) version = message.int();
  }
  into.set(domain === "ai.onnx" ? "" : domain, version);
}

function unknownField(context: Context, message: Message, of: string): void {
  context.findings.add(
    "warning",
    "protobuf/unknown-field",
    `field ${message.field} of a ${of} is not in the schema`,
    message.at,
  );
}

function weigh(context: Context, message: Message): void {
  const last = context.weights.at(-1);
  const to = message.start + message.length;
  if (last?.to === message.at) last.to = to;
  else context.weights.push({ from: message.at, to });
}

/** Put what a constant says of itself into its tensor. */
function fill(draft: Draft, index: number, constant: Constant): void {
  const tensor = draft.tensors[index];
  if (!tensor) return;
  tensor.type = constant.type;
  if (constant.spelled !== undefined) tensor.spelled = constant.spelled;
  tensor.shape = constant.shape;
  if (constant.data) tensor.data = constant.data;
  if (constant.sparse === true) tensor.sparse = true;
  else if (isSmall(constant)) {
    const values = constant.values(SMALL);
    if (values !== undefined) tensor.values = values;
  }
  draft.constants.set(index, constant);
}

/** One dimension at most: filters of 1x1 are weights and not read. */
const isSmall = ({ shape }: Constant): boolean =>
  shape.length === 0 || (shape.length === 1 && (shape[0] ?? 0) <= SMALL);

function addInitializer(draft: Draft, constant: Constant, message: Message, context: Context): void {
  if (constant.name === "") {
    context.findings.add("error", "tensor/no-name", `an initializer ${summary(constant)} has no name`, message.at);
  }
  const index = draft.intern(constant.name);
  if (draft.is(index, INITIALIZER)) {
    context.findings.add(
      "error",
      "tensor/defined-twice",
      `two initializers are called ${label(constant.name)}`,
      message.at,
    );
  }
  draft.flag(index, INITIALIZER);
  fill(draft, index, constant);
}

function addSparse(draft: Draft, constant: Constant | undefined): void {
  if (!constant) return;
  const index = draft.intern(constant.name);
  draft.flag(index, INITIALIZER);
  fill(draft, index, constant);
}

function addValue(
  draft: Draft,
  field: number,
  { name, type }: { readonly name: string; readonly type?: ValueType },
  context: Context,
): void {
  if (name === "") {
    context.findings.add(
      "error",
      "tensor/no-name",
      field === 13 ? "a value has no name" : `an ${field === 11 ? "input" : "output"} has no name`,
    );
    return;
  }
  const index = draft.intern(name);
  if (field === 11) {
    if (draft.is(index, INPUT))
      context.findings.add("error", "tensor/defined-twice", `two inputs are called ${label(name)}`);
    draft.flag(index, INPUT);
    // IR version 3 lists initializers among the inputs: they are defaults, not what a caller gives
    if (!draft.is(index, INITIALIZER)) draft.inputs.push(index);
  } else if (field === 12) {
    draft.flag(index, OUTPUT | USED);
    draft.outputs.push(index);
  }
  const tensor = draft.tensors[index];
  if (!type || !tensor) return;
  draft.flag(index, DECLARED);
  if (draft.is(index, INITIALIZER) && type.type !== "unknown") {
    const shape = type.shape;
    const other =
      shape &&
      tensor.shape &&
      (shape.length !== tensor.shape.length ||
        shape.some((d, at) => typeof d === "number" && d !== tensor.shape?.[at]));
    if (type.type !== tensor.type || other === true) {
      context.findings.add(
        "error",
        "tensor/declared-otherwise",
        `${label(name)} is declared ${type.type}[${shape?.join(",") ?? ""}], its data is ${tensor.type}[${tensor.shape?.join(",") ?? ""}]`,
      );
    }
    return;
  }
  tensor.type = type.type;
  if (type.spelled !== undefined) tensor.spelled = type.spelled;
  if (type.shape !== undefined) tensor.shape = type.shape;
  if (type.sparse !== undefined) tensor.sparse = type.sparse;
}

/** TensorAnnotation: 1 tensor_name, 2 entries SCALE_TENSOR and ZERO_POINT_TENSOR. */
function readAnnotation(message: Message): Draft["annotations"][number] {
  let tensor = "";
  const entries: Record<string, string> = {};
  while (message.next()) {
    if (message.field === 1) tensor = message.string();
    else if (message.field === 2) readEntry(message.message(), entries);
  }
  const scale = entries["SCALE_TENSOR"];
  const zeroPoint = entries["ZERO_POINT_TENSOR"];
  return { tensor, ...(scale === undefined ? {} : { scale }), ...(zeroPoint === undefined ? {} : { zeroPoint }) };
}

/** NodeProto: 1 input, 2 output, 3 name, 4 op_type, 5 attribute, 6 doc, 7 domain, 8 overload, 9 metadata, 10 devices. */
function readNode(message: Message, draft: Draft, context: Context): DraftNode {
  context.node();
  const node: DraftNode = { spelled: "", inputs: [], outputs: [], attributes: {} };
  let overload = "";
  let constant: Constant | undefined;
  while (message.next()) {
    switch (message.field) {
      case 1: {
        const name = message.string();
        if (node.inputs.length >= ENDS_LIMIT) message.fail(`more than ${ENDS_LIMIT} inputs of one node`);
        if (name === "") node.inputs.push(-1);
        else {
          const tensor = draft.intern(name);
          draft.flag(tensor, USED);
          node.inputs.push(tensor);
        }
        break;
      }
      case 2: {
        const name = message.string();
        if (node.outputs.length >= ENDS_LIMIT) message.fail(`more than ${ENDS_LIMIT} outputs of one node`);
        if (name === "") node.outputs.push(-1);
        else {
          const tensor = draft.intern(name);
          if (draft.is(tensor, PRODUCED)) {
            context.findings.add("error", "tensor/defined-twice", `two nodes give ${label(name)}`, message.at);
          }
          draft.flag(tensor, PRODUCED);
          node.outputs.push(tensor);
        }
        break;
      }
      case 3: {
        const name = message.string();
        if (name !== "") node.name = name;
        break;
      }
      case 4:
        node.spelled = message.string();
        break;
      case 5:
        constant = readAttribute(message.message(), node, draft, context, readGraph) ?? constant;
        break;
      case 7: {
        const domain = message.string();
        if (domain !== "" && domain !== "ai.onnx") node.domain = domain;
        break;
      }
      case 8:
        overload = message.string();
        break;
      case 6:
        break;
      case 9:
      case 10:
        message.skim();
        break;
      default:
        unknownField(context, message, "node");
    }
  }
  // An array that grew by push keeps room for 17: of 20,000 nodes that is felt by the collector.
  node.inputs = node.inputs.slice();
  node.outputs = node.outputs.slice();
  if (node.spelled === "")
    context.findings.add("error", "node/no-operator", `node ${label(node.name ?? "")} names no operator`, message.from);
  const op = context.op(node.domain ?? "", node.spelled);
  if (op !== undefined) node.op = op;
  if (overload !== "") node.attributes["overload"] = overload;
  if (node.spelled === "Constant" && node.domain === undefined) addConstant(node, draft, constant);
  return node;
}

/** The value of a Constant node is constant data like an initializer's. */
function addConstant(node: DraftNode, draft: Draft, constant: Constant | undefined): void {
  const [output = -1] = node.outputs;
  if (output < 0) return;
  if (constant) {
    fill(draft, output, constant);
    return;
  }
  const { value_float: float, value_int: int, value_floats: floats, value_ints: ints } = node.attributes;
  const listed = isNumbers(floats) ? floats : isNumbers(ints) ? ints : undefined;
  const one = typeof float === "number" ? float : typeof int === "number" ? int : undefined;
  const values = listed ?? (one === undefined ? undefined : [one]);
  if (values === undefined) return;
  const type = floats !== undefined || float !== undefined ? "float32" : "int64";
  fill(draft, output, {
    name: "",
    type,
    shape: listed === undefined ? [] : [listed.length],
    values: (limit = values.length) => (values.length > limit ? undefined : values),
  });
}

const isNumbers = (value: Attribute | undefined): value is readonly number[] =>
  Array.isArray(value) && value.every((one) => typeof one === "number");
