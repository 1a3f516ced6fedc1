/**
 * GraphDef in protobuf, as SavedModels and frozen graphs hold it. Values of constants stay where they are, but for the small ones that
 * shapes follow from. tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape,function}.proto
 */

import { elementBits, elementsOf, type Attribute, type Dimension, type ElementType } from "../../model/graph.ts";
import type { Message } from "../wire/protobuf.ts";
import { NODE_LIMIT, type Argument, type GraphDef, type NodeDef, type Shape, type Value } from "./nodes.ts";
import { elementTypeOf } from "./types.ts";

const NAME_LIMIT = 64 * 1024;
/** Text of an attribute that is kept. */
const TEXT_KEPT = 256;
/** Values of a list that are kept. */
const LIST_KEPT = 1024;
/** Dimensions of a tensor: TensorFlow's own limit is 254. */
const RANK_LIMIT = 254;
/** Functions inside attributes of functions. */
const DEPTH_LIMIT = 32;

export interface GraphParts {
  readonly nodes: readonly NodeDef[];
  readonly functions: readonly GraphDef[];
  readonly producer?: number;
  readonly minConsumer?: number;
}

export function readGraphDef(message: Message): GraphParts {
  const nodes: NodeDef[] = [];
  const functions: GraphDef[] = [];
  let versions: { producer?: number; minConsumer?: number } = {};
  let count = 0;
  const check = (inner: Message): void => {
    if (++count > NODE_LIMIT) inner.fail(`more than ${NODE_LIMIT} nodes`);
  };
  while (message.next()) {
    if (message.field === 1) {
      check(message);
      nodes.push(nodeOf(message.message()));
    } else if (message.field === 2) {
      const library = message.message();
      while (library.next()) if (library.field === 1) functions.push(functionOf(library.message(), check));
    } else if (message.field === 4) {
      const inner = message.message();
      while (inner.next()) {
        if (inner.field === 1) versions = { ...versions, producer: inner.int() };
        else if (inner.field === 2) versions = { ...versions, minConsumer: inner.int() };
      }
    }
  }
  return { nodes, functions, ...versions };
}

function functionOf(message: Message, check: (inner: Message) => void): GraphDef {
  let name = "";
  const inputs: Argument[] = [];
  const outputs: Argument[] = [];
  const nodes: NodeDef[] = [];
  const returned = new Map<string, string>();
  const shapes = new Map<number, Shape>();
  while (message.next()) {
    switch (message.field) {
      case 1: {
        const signature = message.message();
        while (signature.next()) {
          if (signature.field === 1) name = signature.string(NAME_LIMIT);
          else if (signature.field === 2) inputs.push(argumentDef(signature.message()));
          else if (signature.field === 3) outputs.push(argumentDef(signature.message()));
        }
        break;
      }
      case 3:
        check(message);
        nodes.push(nodeOf(message.message()));
        break;
      case 4: {
        const [key, value] = pair(message.message());
        if (value !== undefined) returned.set(key, value);
        break;
      }
      case 7: {
        const [index, shape] = argumentAttributes(message.message());
        if (shape !== undefined) shapes.set(index, shape);
        break;
      }
    }
  }
  return {
    name,
    nodes,
    inputs: inputs.map((input, at) => {
      const shape = shapes.get(at);
      return shape === undefined ? input : { ...input, shape };
    }),
    outputs: outputs.map((output) => ({ ...output, from: returned.get(output.name) ?? output.name })),
  };
}

function argumentDef(message: Message): Argument {
  let name = "";
  let type: ElementType | undefined;
  while (message.next()) {
    if (message.field === 1) name = message.string(NAME_LIMIT);
    else if (message.field === 3) type = elementTypeOf(message.int());
  }
  return { name, ...(type === undefined ? {} : { type }) };
}

/** Of one argument, by its number: the attribute _output_shapes. */
function argumentAttributes(message: Message): readonly [number, Shape | undefined] {
  let index = 0;
  let shape: Shape | undefined;
  while (message.next()) {
    if (message.field === 1) index = message.uint();
    else if (message.field === 2) {
      const inner = message.message();
      while (inner.next()) {
        if (inner.field !== 1) continue;
        const [key, value] = entry(inner.message());
        if (key === "_output_shapes" && value !== undefined) shape = attributeOf(value, 0).shapes?.[0];
      }
    }
  }
  return [index, shape];
}

/** A map's entry of two strings. */
function pair(message: Message): readonly [string, string | undefined] {
  let key = "";
  let value: string | undefined;
  while (message.next()) {
    if (message.field === 1) key = message.string(NAME_LIMIT);
    else if (message.field === 2) value = message.string(NAME_LIMIT);
  }
  return [key, value];
}

/** A map's entry whose value is a message. */
export function entry(message: Message): readonly [string, Message | undefined] {
  let key = "";
  let value: Message | undefined;
  while (message.next()) {
    if (message.field === 1) key = message.string(NAME_LIMIT);
    else if (message.field === 2) value = message.message();
  }
  return [key, value];
}

function nodeOf(message: Message): NodeDef {
  let name = "";
  let op = "";
  const inputs: string[] = [];
  const attributes: Record<string, Attribute> = {};
  const types: Record<string, ElementType> = {};
  const functions: string[] = [];
  let [shape, outputShapes, value]: [Shape?, NodeDef["outputShapes"]?, Value?] = [];
  while (message.next()) {
    switch (message.field) {
      case 1:
        name = message.string(NAME_LIMIT);
        break;
      case 2:
        op = message.string(NAME_LIMIT);
        break;
      case 3:
        inputs.push(message.string(NAME_LIMIT));
        break;
      case 5: {
        const [key, inner] = entry(message.message());
        if (inner === undefined) break;
        const found = attributeOf(inner, 0);
        if (found.type !== undefined) types[key] = found.type;
        for (const own of found.functions) functions.push(own);
        if (found.plain !== undefined && !key.startsWith("_")) attributes[key.slice(0, TEXT_KEPT)] = found.plain;
        if (key === "shape") shape = found.shape;
        else if (key === "_output_shapes") outputShapes = found.shapes;
        else if (key === "value") value = found.value;
        break;
      }
    }
  }
  if (op === "") message.fail(`node ${JSON.stringify(name.slice(0, 80))} has no operator`, message.from);
  return {
    name,
    op,
    inputs,
    attributes,
    types,
    ...(shape === undefined ? {} : { shape }),
    ...(outputShapes === undefined ? {} : { outputShapes }),
    ...(value === undefined ? {} : { value }),
    functions,
  };
}

interface Held {
  readonly plain?: Attribute;
  readonly type?: ElementType;
  readonly shape?: Shape;
  readonly shapes?: readonly (Shape | undefined)[];
  readonly value?: Value;
  readonly functions: readonly string[];
}

/** AttrValue. */
function attributeOf(message: Message, depth: number): Held {
  if (depth > DEPTH_LIMIT) message.fail(`attributes nest deeper than ${DEPTH_LIMIT}`);
  let held: Held = { functions: [] };
  while (message.next()) {
    switch (message.field) {
      case 1:
        held = listOf(message.message());
        break;
      case 2:
        held = { plain: message.stringStart(TEXT_KEPT), functions: [] };
        break;
      case 3:
        held = { plain: message.int(), functions: [] };
        break;
      case 4:
        held = { plain: message.float(), functions: [] };
        break;
      case 5:
        held = { plain: message.bool(), functions: [] };
        break;
      case 6: {
        const type = elementTypeOf(message.int());
        held = type === undefined ? held : { type, plain: type, functions: [] };
        break;
      }
      case 7: {
        const shape = shapeOf(message.message());
        held = shape === undefined ? held : { shape, functions: [] };
        break;
      }
      case 8:
        held = { value: tensorOf(message.message()), functions: [] };
        break;
      case 10:
        held = { functions: [functionName(message.message())] };
        break;
    }
  }
  return held;
}

/** AttrValue.ListValue: of one kind. */
function listOf(message: Message): Held {
  const texts: string[] = [];
  const numbers: number[] = [];
  const shapes: (Shape | undefined)[] = [];
  const functions: string[] = [];
  while (message.next()) {
    if (message.field === 2 && texts.length < LIST_KEPT) texts.push(message.stringStart(TEXT_KEPT));
    else if (message.field === 3) message.ints(numbers);
    else if (message.field === 4) message.floats(numbers);
    else if (message.field === 7 && shapes.length < NODE_LIMIT) shapes.push(shapeOf(message.message()));
    else if (message.field === 9) functions.push(functionName(message.message()));
  }
  const plain = texts.length > 0 ? texts : numbers.length > 0 && numbers.length <= LIST_KEPT ? numbers : undefined;
  return { ...(plain === undefined ? {} : { plain }), shapes, functions };
}

function functionName(message: Message): string {
  let name = "";
  while (message.next()) if (message.field === 1) name = message.string(NAME_LIMIT);
  return name;
}

/** TensorShapeProto: -1 is an open size, no size at all 0. */
export function shapeOf(message: Message): Shape | undefined {
  const shape: Dimension[] = [];
  let unknown = false;
  while (message.next()) {
    if (message.field === 2) {
      if (shape.length >= RANK_LIMIT) message.fail(`more than ${RANK_LIMIT} dimensions`);
      const inner = message.message();
      let size = 0;
      while (inner.next()) if (inner.field === 1) size = inner.int();
      if (size < -1 || !Number.isSafeInteger(size)) message.fail(`a dimension of ${size}`);
      shape.push(size < 0 ? null : size);
    } else if (message.field === 3) unknown = message.bool();
  }
  return unknown ? undefined : shape;
}

/** TensorProto: bytes in one piece, or a list of values of which the last stands for all that follow. */
function tensorOf(message: Message): Value {
  let type: ElementType = "unknown";
  let shape: Shape | undefined;
  let content: { offset: number; bytes: number } | undefined;
  let numbers: number[] = [];
  let listed = false;
  while (message.next()) {
    switch (message.field) {
      case 1:
        type = elementTypeOf(message.int()) ?? "unknown";
        break;
      case 2:
        shape = shapeOf(message.message());
        break;
      case 4:
        content = { offset: message.start, bytes: message.length };
        if (message.length <= LIST_KEPT) numbers = numbersIn(message.bytes(LIST_KEPT), type);
        break;
      case 7:
      case 10:
        listed = true;
        if (message.length <= LIST_KEPT * 10) message.ints(numbers);
        break;
      default:
        if (message.field >= 5) listed = true;
    }
  }
  const data = dataOf(type, shape, content, listed);
  const whole = spread(numbers, shape);
  return {
    type,
    ...(shape === undefined ? {} : { shape }),
    ...(data === undefined ? {} : { data }),
    ...(whole === undefined ? {} : { numbers: whole }),
  };
}

function dataOf(
  type: ElementType,
  shape: Shape | undefined,
  content: { offset: number; bytes: number } | undefined,
  listed: boolean,
): Value["data"] {
  if (content !== undefined && content.bytes > 0) return content;
  const elements = elementsOf(shape) ?? 0;
  const bytes = Math.ceil((elements * (elementBits[type] ?? 0)) / 8);
  // Without any value all of them are zero, which is a value too.
  return { bytes: listed || shape !== undefined ? bytes : 0 };
}

/** As many numbers as the shape asks for: one given stands for all. */
function spread(numbers: readonly number[], shape: Shape | undefined): readonly number[] | undefined {
  const count = elementsOf(shape);
  const last = numbers.at(-1);
  if (count === undefined || count > LIST_KEPT || last === undefined) return undefined;
  return numbers.length >= count
    ? numbers.slice(0, count)
    : [...numbers, ...Array<number>(count - numbers.length).fill(last)];
}

function numbersIn(bytes: Uint8Array, type: ElementType): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === "int32") return Array.from({ length: bytes.length >> 2 }, (_, at) => view.getInt32(at * 4, true));
  if (type === "int64")
    return Array.from({ length: bytes.length >> 3 }, (_, at) => Number(view.getBigInt64(at * 8, true)));
  return [];
}
