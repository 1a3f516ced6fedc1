/** ValueInfoProto and TypeProto: what an ONNX graph says of its values. Schema as in tensor.ts. */

import type { Dimension, ElementType } from "../../model/graph.ts";
import type { Message } from "../wire/protobuf.ts";
import { label, type Context } from "./draft.ts";
import { elementType, RANK_LIMIT } from "./tensor.ts";

/** Types inside types (sequence of map of tensor): nothing published goes past 3. */
const DEPTH_LIMIT = 16;

export interface ValueType {
  readonly type: ElementType;
  readonly spelled?: string;
  readonly shape?: readonly Dimension[];
  readonly sparse?: boolean;
}

/** ValueInfoProto: 1 name, 2 type. */
export function readValueInfo(
  message: Message,
  context: Context,
): { readonly name: string; readonly type?: ValueType } {
  let name = "";
  let type: ValueType | undefined;
  while (message.next()) {
    switch (message.field) {
      case 1:
        name = message.string();
        break;
      case 2:
        type = readType(message.message(), context, 0);
        break;
      case 3:
        break;
      case 4:
        message.skim();
        break;
      default:
        context.findings.add(
          "warning",
          "protobuf/unknown-field",
          `field ${message.field} of a value is not in the schema`,
          message.at,
        );
    }
  }
  for (const dimension of type?.shape ?? []) {
    if (typeof dimension === "number" && !(Number.isSafeInteger(dimension) && dimension >= 0)) {
      context.findings.add("error", "shape/impossible", `${label(name)} has a dimension of ${dimension}`, message.from);
    }
  }
  return type === undefined ? { name } : { name, type };
}

/** TypeProto: 1 tensor, 4 sequence, 5 map, 6 denotation, 7 opaque, 8 sparse tensor, 9 optional. */
export function readType(message: Message, context: Context, depth: number): ValueType | undefined {
  if (depth > DEPTH_LIMIT) message.fail(`types nest deeper than ${DEPTH_LIMIT}`);
  let found: ValueType | undefined;
  while (message.next()) {
    switch (message.field) {
      case 1:
        found = readTensorType(message.message(), context);
        break;
      case 8:
        found = { ...readTensorType(message.message(), context), sparse: true };
        break;
      case 4:
      case 9: {
        const word = message.field === 4 ? "seq" : "optional";
        found = { type: "unknown", spelled: `${word}(${inner(message.message(), context, depth)})` };
        break;
      }
      case 5:
        found = { type: "unknown", spelled: mapType(message.message(), context, depth) };
        break;
      case 7:
        found = { type: "unknown", spelled: "opaque" };
        break;
      case 6:
        break;
      default:
        context.findings.add(
          "warning",
          "protobuf/unknown-field",
          `field ${message.field} of a type is not in the schema`,
          message.at,
        );
    }
  }
  return found;
}

/** Spelled as the ONNX documents do: tensor(float32), seq(tensor(int64)). */
const spell = (type: ValueType | undefined): string => {
  if (type === undefined) return "?";
  if (type.type === "unknown" && type.shape === undefined && type.spelled !== undefined && type.spelled.includes("("))
    return type.spelled;
  return `tensor(${type.type === "unknown" ? (type.spelled ?? "?") : type.type})`;
};

function inner(message: Message, context: Context, depth: number): string {
  let type: ValueType | undefined;
  while (message.next()) if (message.field === 1) type = readType(message.message(), context, depth + 1);
  return spell(type);
}

function mapType(message: Message, context: Context, depth: number): string {
  let key = "?";
  let value: ValueType | undefined;
  while (message.next()) {
    if (message.field === 1) {
      const found = elementType(message.int());
      key = found.spelled ?? found.type;
    } else if (message.field === 2) value = readType(message.message(), context, depth + 1);
  }
  return `map(${key},${spell(value)})`;
}

/** TypeProto.Tensor: 1 elem_type, 2 shape { 1 dim { 1 value | 2 param | 3 denotation } }. */
function readTensorType(message: Message, context: Context): ValueType {
  let type: ReturnType<typeof elementType> | undefined;
  let shape: Dimension[] | undefined;
  while (message.next()) {
    if (message.field === 1) {
      const number = message.int();
      // 0 is "undefined", which some exporters write for "not known"
      type = number === 0 ? { type: "unknown" } : elementType(number);
      if (type.spelled?.startsWith("type ") === true) {
        context.findings.add(
          "error",
          "tensor/type",
          `a value has ${type.spelled}, which ONNX does not have`,
          message.at,
        );
      }
    } else if (message.field === 2) {
      shape = [];
      const dimensions = message.message();
      while (dimensions.next()) {
        if (dimensions.field !== 1) {
          context.findings.add(
            "warning",
            "protobuf/unknown-field",
            `field ${dimensions.field} of a shape is not in the schema`,
            dimensions.at,
          );
          continue;
        }
        if (shape.length >= RANK_LIMIT) dimensions.fail(`more than ${RANK_LIMIT} dimensions`);
        shape.push(readDimension(dimensions.message()));
      }
    } else {
      context.findings.add(
        "warning",
        "protobuf/unknown-field",
        `field ${message.field} of a tensor type is not in the schema`,
        message.at,
      );
    }
  }
  if (type === undefined) {
    context.findings.add("warning", "tensor/no-type", "a value is a tensor of no type that is said", message.from);
    type = { type: "unknown" };
  }
  return shape === undefined ? type : { ...type, shape };
}

function readDimension(message: Message): Dimension {
  let dimension: Dimension = null;
  while (message.next()) {
    if (message.field === 1) dimension = message.int();
    else if (message.field === 2) dimension = message.string() || null;
  }
  // Some exporters write -1 for "open", which the schema has no word for
  return dimension === -1 ? null : dimension;
}
