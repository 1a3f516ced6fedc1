/** GraphDef as TensorFlow.js writes it: protobuf's JSON form, 64-bit numbers and byte strings as text. */

import { withoutEnd } from "../../base/bytes.ts";
import type { Attribute, Dimension, ElementType } from "../../model/graph.ts";
import { at, entriesOf, get, listOf, textOf } from "../wire/json.ts";
import type { Argument, GraphDef, NodeDef, Shape, Value } from "./nodes.ts";
import { elementTypeOf } from "./types.ts";

/** Text of an attribute that is kept. */
const TEXT_KEPT = 256;
/** Values of a list attribute that are kept. */
const LIST_KEPT = 1024;
/** Dimensions of a tensor: TensorFlow's own limit is 254. */
const RANK_LIMIT = 254;

/** `modelTopology` of a graph model and its library: the main graph first. */
export function graphsOfTopology(topology: unknown, signature: unknown, name: string): readonly GraphDef[] {
  const main: GraphDef = {
    name,
    nodes: nodesOf(get(topology, "node")),
    inputs: argumentsOf(get(signature, "inputs")),
    outputs: argumentsOf(get(signature, "outputs")).map((argument) => ({ ...argument, from: argument.name })),
  };
  const functions = listOf(at(topology, "library", "function")).map(functionOf);
  return [main, ...functions];
}

function functionOf(value: unknown): GraphDef {
  const returned = get(value, "ret");
  return {
    name: textOf(at(value, "signature", "name")) ?? "",
    nodes: nodesOf(get(value, "nodeDef")),
    inputs: listOf(at(value, "signature", "inputArg")).map((argument, index) => {
      const shapes = at(value, "argAttr", String(index), "attr", "_output_shapes", "list", "shape");
      return argumentOf(textOf(get(argument, "name")) ?? "", get(argument, "type"), listOf(shapes)[0]);
    }),
    outputs: listOf(at(value, "signature", "outputArg")).map((argument) => {
      const name = textOf(get(argument, "name")) ?? "";
      return { ...argumentOf(name, get(argument, "type"), undefined), from: textOf(get(returned, name)) ?? name };
    }),
  };
}

/** TensorInfo by the name callers use; the graph's own name is inside. */
const argumentsOf = (infos: unknown): readonly Argument[] =>
  entriesOf(infos).map(([key, info]) =>
    argumentOf(textOf(get(info, "name")) ?? key, get(info, "dtype"), get(info, "tensorShape")),
  );

function argumentOf(name: string, dtype: unknown, shape: unknown): Argument {
  const type = elementTypeOf(dtype);
  const dimensions = shapeOf(shape);
  return {
    name,
    ...(type === undefined ? {} : { type }),
    ...(dimensions === undefined ? {} : { shape: dimensions }),
  };
}

const nodesOf = (value: unknown): readonly NodeDef[] => listOf(value).map(nodeOf);

function nodeOf(value: unknown): NodeDef {
  const attributes: Record<string, Attribute> = {};
  const types: Record<string, ElementType> = {};
  const functions: string[] = [];
  const attr = get(value, "attr");
  for (const [key, held] of entriesOf(attr)) {
    const type = elementTypeOf(get(held, "type"));
    if (type !== undefined) types[key] = type;
    functions.push(...functionsOf(held));
    const plain = plainOf(held);
    if (plain !== undefined && !key.startsWith("_")) attributes[key] = plain;
  }
  const shape = shapeOf(at(attr, "shape", "shape"));
  const output = get(attr, "_output_shapes");
  const held = valueOf(at(attr, "value", "tensor"));
  return {
    name: textOf(get(value, "name")) ?? "",
    op: textOf(get(value, "op")) ?? "",
    inputs: listOf(get(value, "input")).filter((input) => typeof input === "string"),
    attributes,
    types,
    ...(shape === undefined ? {} : { shape }),
    ...(output === undefined ? {} : { outputShapes: listOf(at(output, "list", "shape")).map(shapeOf) }),
    ...(held === undefined ? {} : { value: held }),
    functions,
  };
}

/** AttrValue.func and AttrValue.list.func. */
const functionsOf = (held: unknown): string[] =>
  [get(held, "func"), ...listOf(at(held, "list", "func"))]
    .map((one) => textOf(get(one, "name")))
    .filter((name) => name !== undefined);

function plainOf(held: unknown): Attribute | undefined {
  for (const [kind, value] of entriesOf(held)) {
    if (kind === "list") return listAttribute(value);
    const one = scalar(kind, value);
    if (one !== undefined) return one;
  }
  return undefined;
}

function listAttribute(value: unknown): Attribute | undefined {
  for (const kind of ["i", "f", "s", "type", "b"]) {
    const items = listOf(get(value, kind));
    if (items.length === 0 || items.length > LIST_KEPT) continue;
    const found = items.map((item) => scalar(kind, item)).filter((item) => item !== undefined);
    const numbers = found.filter((item) => typeof item === "number");
    return numbers.length === found.length ? numbers : found.map(String);
  }
  return undefined;
}

function scalar(kind: string, value: unknown): number | string | boolean | undefined {
  switch (kind) {
    case "i":
    case "f": {
      const number = typeof value === "number" ? value : typeof value === "string" ? Number(value) : undefined;
      return number !== undefined && Number.isFinite(number) ? number : undefined;
    }
    case "s":
      // Bytes of a protobuf are base64 in its JSON form.
      return typeof value === "string"
        ? Buffer.from(value.slice(0, TEXT_KEPT * 2), "base64")
            .toString("utf8")
            .slice(0, TEXT_KEPT)
        : undefined;
    case "b":
      return typeof value === "boolean" ? value : undefined;
    case "type":
      return typeof value === "string" || typeof value === "number" ? String(value).slice(0, TEXT_KEPT) : undefined;
    default:
      return undefined;
  }
}

/** TensorShapeProto: no `dim` is a scalar unless the rank is said to be unknown; -1 is an open size. */
export function shapeOf(value: unknown): Shape | undefined {
  if (value === undefined || value === null || get(value, "unknownRank") === true) return undefined;
  const dimensions = listOf(get(value, "dim"));
  if (dimensions.length > RANK_LIMIT) return undefined;
  return dimensions.map((dimension): Dimension => {
    const size = get(dimension, "size");
    const number = size === undefined ? 0 : Number(size);
    return Number.isSafeInteger(number) && number >= 0 ? number : null;
  });
}

/** TensorProto. Values kept in it are in the text, without an extent that could be named. */
function valueOf(tensor: unknown): Value | undefined {
  if (tensor === undefined) return undefined;
  const type = elementTypeOf(get(tensor, "dtype")) ?? "unknown";
  const shape = shapeOf(get(tensor, "tensorShape"));
  const listed = [...listOf(get(tensor, "intVal")), ...listOf(get(tensor, "int64Val"))].map(Number);
  const content = textOf(get(tensor, "tensorContent"));
  const numbers = listed.length > 0 ? listed : numbersOf(content, type);
  const held = content !== undefined || entriesOf(tensor).some(([key]) => key.endsWith("Val"));
  return {
    type,
    ...(shape === undefined ? {} : { shape }),
    ...(numbers === undefined || numbers.length > LIST_KEPT ? {} : { numbers: spread(numbers, shape) }),
    ...(held ? { data: { bytes: bytesIn(content, listed.length) } } : {}),
  };
}

const bytesIn = (content: string | undefined, listed: number): number =>
  content === undefined ? listed * 4 : Math.floor((withoutEnd(content, "=").length * 3) / 4);

/** One value stands for all of them. */
function spread(numbers: readonly number[], shape: Shape | undefined): readonly number[] {
  const [count] = shape ?? [];
  const [first] = numbers;
  return shape?.length === 1 &&
    typeof count === "number" &&
    numbers.length === 1 &&
    first !== undefined &&
    count <= LIST_KEPT
    ? Array<number>(count).fill(first)
    : numbers;
}

function numbersOf(content: string | undefined, type: ElementType): readonly number[] | undefined {
  if (content === undefined || content.length > LIST_KEPT) return undefined;
  const bytes = Buffer.from(content, "base64");
  if (type === "int32") return Array.from({ length: bytes.length >> 2 }, (_, at) => bytes.readInt32LE(at * 4));
  if (type === "int64")
    return Array.from({ length: bytes.length >> 3 }, (_, at) => Number(bytes.readBigInt64LE(at * 8)));
  return undefined;
}
