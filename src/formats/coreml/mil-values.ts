/**
 * Types and values of ML programs, as their operations and settings name them: ValueType, TensorType, Value of MIL.proto (see mil.ts).
 */

import { float16 } from "../../base/float16.ts";
import { bytesOf, type Attribute, type Dimension, type ElementType, type TensorData } from "../../model/graph.ts";
import type { Message } from "../wire/protobuf.ts";

/** Blocks inside operations: While in If in While; and types inside types. */
export const DEPTH_LIMIT = 32;
const RANK_LIMIT = 64;
export const NAME_LIMIT = 64 * 1024;
/** Values of a setting that are kept. */
export const LIST_KEPT = 64;
export const TEXT_KEPT = 256;
/** Classes of one classifier. */
const LABELS_KEPT = 100_000;

const types: Readonly<Record<number, ElementType>> = {
  1: "bool",
  2: "string",
  10: "float16",
  11: "float32",
  12: "float64",
  13: "bfloat16",
  21: "int8",
  22: "int16",
  23: "int32",
  24: "int64",
  25: "int4",
  31: "uint8",
  32: "uint16",
  33: "uint32",
  34: "uint64",
  35: "uint4",
  36: "uint2",
  40: "float8e4m3fn",
  41: "float8e5m2",
};
const spelled: Readonly<Record<number, string>> = { 37: "uint1", 38: "uint6", 39: "uint3" };

/** A tensor type, or the words for what is none. */
export interface Typed {
  readonly type: ElementType;
  readonly spelled?: string;
  readonly shape?: readonly Dimension[];
}

export interface Value extends Typed {
  readonly data?: TensorData;
  /** Of values small enough to be a setting. */
  readonly plain?: Attribute;
  /** All of a list of strings. */
  readonly strings?: readonly string[];
}

/** One entry of a map: its key, and its value as a message. */
export function entry(message: Message): readonly [string, Message | undefined] {
  let key = "";
  let value: Message | undefined;
  while (message.next()) {
    if (message.field === 1) key = message.string(NAME_LIMIT);
    else if (message.field === 2) value = message.message();
  }
  return [key, value];
}

/** A NamedValueType: a name and its type. */
export function named(message: Message): Typed & { name: string } {
  let name = "";
  let typed: Typed = { type: "unknown" };
  while (message.next()) {
    if (message.field === 1) name = message.string(NAME_LIMIT);
    else if (message.field === 2) typed = typeOf(message.message(), 0);
  }
  return { ...typed, name };
}

/** A ValueType; what is no tensor is spelled. */
export function typeOf(message: Message, depth: number): Typed {
  let typed: Typed = { type: "unknown" };
  while (message.next()) {
    switch (message.field) {
      case 1:
        typed = tensorType(message.message());
        break;
      case 2:
        typed = { type: "variant", spelled: "list" };
        break;
      case 3:
        typed = { type: "unknown", spelled: "tuple" };
        break;
      case 4:
        typed = { type: "unknown", spelled: "dictionary" };
        break;
      case 5: {
        // A state wraps the type of what it keeps.
        const inner = message.message();
        if (depth > DEPTH_LIMIT) message.fail(`types nest deeper than ${DEPTH_LIMIT}`);
        while (inner.next()) if (inner.field === 1) typed = typeOf(inner.message(), depth + 1);
        break;
      }
    }
  }
  return typed;
}

function tensorType(message: Message): Typed {
  let type = 0;
  let rank = 0;
  const shape: Dimension[] = [];
  while (message.next()) {
    if (message.field === 1) type = message.int();
    else if (message.field === 2) rank = message.int();
    else if (message.field === 3) {
      if (shape.length >= RANK_LIMIT) message.fail(`more than ${RANK_LIMIT} dimensions`);
      shape.push(dimension(message.message()));
    }
  }
  if (rank >= 0 && rank !== shape.length) message.fail(`rank ${rank} with ${shape.length} dimensions`, message.from);
  const known = types[type];
  return {
    type: known ?? "unknown",
    ...(known === undefined ? { spelled: spelled[type] ?? `type ${type}` } : {}),
    ...(rank < 0 ? {} : { shape }),
  };
}

function dimension(message: Message): Dimension {
  let size: Dimension = null;
  while (message.next()) {
    const inner = message.message();
    if (message.field !== 1) continue;
    size = 0;
    while (inner.next()) if (inner.field === 1) size = inner.uint();
  }
  if (size !== null && !Number.isSafeInteger(size)) message.fail("a dimension beyond any tensor", message.from);
  return size;
}

/** Values written in the model itself. Floats and bytes lie in one piece, varints do not. */
export function immediateValue(message: Message, typed: Typed): Pick<Value, "data" | "plain" | "strings"> {
  let found: Pick<Value, "data" | "plain" | "strings"> = { data: { bytes: bytesOf(typed) ?? 0 } };
  while (message.next()) {
    if (message.field === 3 && typed.spelled === "list") found = { ...found, strings: stringsOf(message.message()) };
    if (message.field !== 1) continue;
    const tensor = message.message();
    while (tensor.next()) found = listed(tensor, typed);
  }
  return found;
}

function listed(tensor: Message, typed: Typed): Pick<Value, "data" | "plain" | "strings"> {
  const kind = tensor.field;
  const list = tensor.message();
  const values: (number | string | boolean)[] = [];
  const strings: string[] = [];
  let data: TensorData | undefined;
  while (list.next()) {
    if (list.field !== 1) continue;
    if (kind === 7) {
      data = { offset: list.start, bytes: list.length };
      if (list.length <= LIST_KEPT * 2) values.push(...halves(list, typed.type));
    } else if (kind === 4) {
      if (strings.length < LABELS_KEPT) strings.push(list.stringStart(TEXT_KEPT));
      if (values.length <= LIST_KEPT) values.push(list.stringStart(TEXT_KEPT));
    } else if (kind === 1 || kind === 6) {
      if (list.wire === 2) data = { offset: list.start, bytes: list.length };
      if (list.length <= LIST_KEPT * 8) {
        const numbers: number[] = [];
        if (kind === 1) list.floats(numbers);
        else list.doubles(numbers);
        values.push(...numbers);
      }
    } else if (values.length <= LIST_KEPT && list.length <= LIST_KEPT * 10) {
      const numbers: number[] = [];
      list.ints(numbers);
      values.push(...(kind === 3 ? numbers.map((one) => one !== 0) : numbers));
    }
  }
  const scalar = typed.shape?.length === 0;
  return {
    data: data ?? { bytes: bytesOf(typed) ?? 0 },
    ...(values.length === 0 || values.length > LIST_KEPT ? {} : { plain: plainOf(values, scalar) }),
    ...(strings.length > 1 ? { strings } : {}),
  };
}

/** A list of values that are strings: how classes are kept. */
function stringsOf(message: Message): readonly string[] {
  const out: string[] = [];
  while (message.next()) {
    if (message.field !== 1) continue;
    const value = message.message();
    while (value.next()) {
      if (value.field !== 3) continue;
      const { plain } = immediateValue(value.message(), { type: "string", shape: [] });
      if (typeof plain === "string" && out.length < LABELS_KEPT) out.push(plain);
    }
  }
  return out;
}

/** Small float16 and int8 values, as settings are written in programs of float16. */
function halves(list: Message, type: ElementType): readonly number[] {
  const bytes = list.bytes(LIST_KEPT * 2);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === "float16")
    return Array.from({ length: bytes.length >> 1 }, (_, at) => float16(view.getUint16(at * 2, true)));
  if (type === "int8") return Array.from({ length: bytes.length }, (_, at) => view.getInt8(at));
  if (type === "uint8") return [...bytes];
  if (type === "int16") return Array.from({ length: bytes.length >> 1 }, (_, at) => view.getInt16(at * 2, true));
  if (type === "uint16") return Array.from({ length: bytes.length >> 1 }, (_, at) => view.getUint16(at * 2, true));
  return [];
}

function plainOf(values: readonly (number | string | boolean)[], scalar: boolean): Attribute {
  const [first] = values;
  if (scalar && first !== undefined) return first;
  const numbers = values.filter((one) => typeof one === "number");
  return numbers.length === values.length ? numbers : values.map(String);
}
