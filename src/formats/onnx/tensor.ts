/**
 * TensorProto: constant data of an ONNX graph. Where its bytes lie is noted, what they are is read only for small ones (scales, shapes,
 * axes). Field numbers and types of onnx.proto, onnx 1.23.2, Apache-2.0 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 */

import { elementBits, elementsOf, type ElementType, type TensorData } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { BYTES, type Message } from "../wire/protobuf.ts";
import { label, type Context } from "./draft.ts";
import { rawValues, typedValues } from "./tensor-values.ts";

/** TensorProto.DataType by number, and ONNX Runtime's ONNXTensorElementDataType; those without an ElementType are spelled. */
export const dataTypes: readonly (ElementType | "float8e8m0" | "float6e2m3" | "float6e3m2" | undefined)[] = [
  undefined,
  "float32",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "int32",
  "int64",
  "string",
  "bool",
  "float16",
  "float64",
  "uint32",
  "uint64",
  "complex64",
  "complex128",
  "bfloat16",
  "float8e4m3fn",
  "float8e4m3fnuz",
  "float8e5m2",
  "float8e5m2fnuz",
  "uint4",
  "int4",
  "float4e2m1",
  "float8e8m0",
  "uint2",
  "int2",
  "float6e2m3",
  "float6e3m2",
];
const elementTypes = dataTypes.map((found): { readonly type: ElementType; readonly spelled?: string } | undefined =>
  found === "float8e8m0" || found === "float6e2m3" || found === "float6e3m2"
    ? { type: "unknown", spelled: found }
    : found && { type: found },
);
/** Bits of the types that ElementType does not name. */
const spelledBits: Readonly<Record<string, number>> = { float8e8m0: 8, float6e2m3: 6, float6e3m2: 6 };
/** The standard has no such limit; no published tensor comes near it. */
export const RANK_LIMIT = 64;
/** Values of a scale, a shape or axes that are read: channels of the widest layers. */
export const VALUES_LIMIT = 65_536;
/** Varints are counted up to this many bytes, to hold their number against the shape; beyond, only what is possible is checked. */
const COUNT_LIMIT = 4096;

/** Constant data and how to get at it. */
export interface Constant {
  readonly name: string;
  readonly type: ElementType;
  readonly spelled?: string;
  readonly shape: readonly number[];
  readonly data?: TensorData;
  /** Only what is not zero is written. */
  readonly sparse?: boolean;
  /** Up to `limit` values, undefined when there are more or they are not numbers. */
  values(limit?: number): readonly number[] | undefined;
}

/** A TensorProto.DataType as type and, where needed, spelling. */
export function elementType(number: number): { readonly type: ElementType; readonly spelled?: string } {
  return elementTypes[number] ?? { type: "unknown", spelled: number === 0 ? "undefined" : `type ${number}` };
}

/** In words of ONNX's text form: float32[1,3,224,224]. */
export const summary = ({ type, spelled, shape }: Pick<Constant, "type" | "spelled" | "shape">): string =>
  `${type === "unknown" ? (spelled ?? type) : type}[${shape.join(",")}]`;

/** Read a TensorProto. Contradictions go to the context's findings, with the tensor's name. */
export function readTensor(message: Message, context: Context): Constant {
  const dims: number[] = [];
  let dataType = 0;
  let name = "";
  let raw: { readonly offset: number; readonly bytes: number } | undefined;
  let external: Record<string, string> | undefined;
  let location = 0;
  let segmented = false;
  const at = message.from;
  let typed: Map<number, { bytes: number; offset: number; count: number; runs: number }> | undefined;
  while (message.next()) {
    switch (message.field) {
      case 1:
        message.ints(dims, RANK_LIMIT);
        break;
      case 2:
        dataType = message.int();
        break;
      case 3:
        segmented = true;
        break;
      case 8:
        name = message.string();
        break;
      case 9:
        if (message.wire !== BYTES) message.fail("raw_data is no bytes");
        raw = { offset: message.start, bytes: message.length };
        break;
      case 4:
      case 5:
      case 6:
      case 7:
      case 10:
      case 11: {
        typed ??= new Map();
        let run = typed.get(message.field);
        if (run === undefined) {
          run = { bytes: 0, offset: message.start, count: 0, runs: 0 };
          typed.set(message.field, run);
        }
        run.bytes += message.length;
        run.count += message.wire === BYTES && message.field !== 6 ? packedCount(message) : 1;
        run.runs += 1;
        break;
      }
      case 13:
        external ??= {};
        readEntry(message.message(), external);
        break;
      case 14:
        location = message.int();
        break;
      case 12:
        break;
      case 16:
        message.skim();
        break;
      default:
        context.findings.add(
          "warning",
          "protobuf/unknown-field",
          `field ${message.field} of a tensor is not in the schema`,
          message.at,
        );
    }
  }
  const type = elementType(dataType);
  const shape = dims.slice(); // exactly as long as it is: see readNode
  const found = type.spelled === undefined ? { name, type: type.type, shape } : { name, ...type, shape };
  if (segmented)
    context.findings.add(
      "warning",
      "tensor/segment",
      `${label(name)} is a segment of a tensor, which nothing reads`,
      at,
    );
  if (type.type === "unknown" && type.spelled !== undefined && !Object.hasOwn(spelledBits, type.spelled)) {
    context.findings.add(
      "error",
      "tensor/type",
      `${label(name)} has data of ${type.spelled}, which ONNX does not have`,
      at,
    );
  }
  if (location !== 0 && location !== 1)
    context.findings.add(
      "error",
      "tensor/location",
      `${label(name)} has data at place ${location}, which ONNX does not have`,
      at,
    );
  const elements = elementsOf(shape);
  if (elements === undefined) {
    context.findings.add("error", "shape/impossible", `${label(name)} has the shape [${shape.join(", ")}]`, at);
  }
  const needed = bytesNeeded(found, elements);
  if (location === 1) {
    return { ...found, data: readExternal(name, external ?? {}, needed, at, context), values: () => undefined };
  }
  if ((raw ? 1 : 0) + (typed?.size ?? 0) > 1) {
    context.findings.add("error", "tensor/data-twice", `${label(name)} has its data more than once`, at);
  }
  if (raw) {
    const { offset, bytes } = raw;
    if (needed !== undefined && needed !== bytes) wrongSize(context, found, needed, bytes, offset);
    return new RawConstant(found, raw, context.file);
  }
  const [only] = typed ?? [];
  if (only === undefined) {
    if (elements !== undefined && elements > 0) {
      context.findings.add("error", "tensor/no-data", `${label(name)} is ${summary(found)} and has no data`, at);
    }
    return { ...found, data: { bytes: 0 }, values: () => (elements === 0 ? [] : undefined) };
  }
  const [field, run] = only;
  checkCount(context, found, field, run, elements);
  return {
    ...found,
    // Varints and strings have no extent to compare with the shape; only floats and doubles lie as they are.
    data: run.runs === 1 && isFixed(field) ? { offset: run.offset, bytes: run.bytes } : { bytes: run.bytes },
    values: (limit = VALUES_LIMIT) => typedValues(message, found, field, limit),
  };
}

/** Most constants of most files: a class, because a closure for each of 10,000 initializers is felt. */
class RawConstant implements Constant {
  readonly name: string;
  readonly type: ElementType;
  declare readonly spelled?: string;
  readonly shape: readonly number[];
  readonly data: { readonly offset: number; readonly bytes: number };
  readonly #file: ModelFile;

  constructor(
    { name, type, spelled, shape }: Pick<Constant, "name" | "type" | "spelled" | "shape">,
    data: { readonly offset: number; readonly bytes: number },
    file: ModelFile,
  ) {
    this.name = name;
    this.type = type;
    if (spelled !== undefined) this.spelled = spelled;
    this.shape = shape;
    this.data = data;
    this.#file = file;
  }

  values(limit: number = VALUES_LIMIT): readonly number[] | undefined {
    return rawValues(this.#file, this, this.data.offset, this.data.bytes, limit);
  }
}

/** How many numbers a packed field holds; NaN where only counting them would tell. */
function packedCount(message: Message): number {
  if (message.field === 4) return message.length / 4;
  if (message.field === 10) return message.length / 8;
  if (message.length > COUNT_LIMIT) return Number.NaN;
  let count = 0;
  for (const byte of message.bytes(COUNT_LIMIT)) if (byte < 0x80) count++;
  return count;
}

function bytesNeeded(found: Pick<Constant, "type" | "spelled">, elements: number | undefined): number | undefined {
  const bits = elementBits[found.type] ?? spelledBits[found.spelled ?? ""];
  return elements === undefined || bits === undefined ? undefined : Math.ceil((elements * bits) / 8);
}

function wrongSize(
  context: Context,
  found: Pick<Constant, "name" | "type" | "spelled" | "shape">,
  needed: number,
  has: number,
  offset?: number,
): void {
  context.findings.add(
    "error",
    "extent/wrong-size",
    `${label(found.name)}: ${summary(found)} needs ${needed} bytes and has ${has}`,
    offset,
  );
}

/** Which typed field holds which types is laid down in onnx.proto; a wrong one, or a wrong number of values, is a contradiction. */
const fieldOf: Readonly<Partial<Record<string, number>>> = {
  float32: 4,
  complex64: 4,
  float64: 10,
  complex128: 10,
  int64: 7,
  uint64: 11,
  uint32: 11,
  string: 6,
};

function checkCount(
  context: Context,
  found: Pick<Constant, "name" | "type" | "spelled" | "shape">,
  field: number,
  run: { readonly bytes: number; readonly offset: number; readonly count: number },
  elements: number | undefined,
): void {
  const right = fieldOf[found.type] ?? 5;
  if (right !== field) {
    context.findings.add(
      "error",
      "tensor/data-field",
      `${label(found.name)}: ${summary(found)} has its data in field ${field}, not ${right}`,
      run.offset,
    );
    return;
  }
  if (elements === undefined) return;
  const bits = elementBits[found.type] ?? 8;
  const values = found.type.startsWith("complex")
    ? elements * 2
    : field === 5 && bits < 8
      ? Math.ceil((elements * bits) / 8)
      : elements;
  const { count, bytes } = run;
  const fits = Number.isNaN(count) ? bytes >= values && bytes <= values * 10 : count === values;
  if (!fits) {
    const has = Number.isNaN(count) ? `${bytes} bytes` : `${count}`;
    context.findings.add(
      "error",
      "extent/wrong-size",
      `${label(found.name)}: ${summary(found)} needs ${values} values and has ${has}`,
      run.offset,
    );
  }
}

/** Where data outside of the file lies. The path is told, never opened; one that leaves the model's folder is an error. */
function readExternal(
  name: string,
  entries: Record<string, string>,
  needed: number | undefined,
  at: number,
  context: Context,
): TensorData {
  const file = (entries["location"] ?? "").replace(/^(?:\.\/)+/, "");
  const offset = entries["offset"] === undefined ? 0 : Number(entries["offset"]);
  const length = entries["length"] === undefined ? needed : Number(entries["length"]);
  if (file === "") {
    context.findings.add("error", "external/no-location", `${label(name)} has external data and no file`, at);
  } else if (
    file.startsWith("/") ||
    /^[A-Za-z]:|^\\/.test(file) ||
    file.split(/[/\\]/).includes("..") ||
    file.includes("\0")
  ) {
    context.findings.add(
      "error",
      "external/outside",
      `${label(name)} names ${label(file)}, outside of the model's folder`,
      at,
    );
  } else context.needs.add(file);
  const right = (value: number | undefined): value is number =>
    value !== undefined && Number.isSafeInteger(value) && value >= 0;
  if (!right(offset) || (length !== undefined && !right(length))) {
    context.findings.add(
      "error",
      "external/extent",
      `${label(name)} has external data at ${label(String(entries["offset"]))}, ${label(String(entries["length"]))} bytes`,
      at,
    );
    return { bytes: needed ?? 0, file };
  }
  if (needed !== undefined && length !== undefined && length !== needed) {
    context.findings.add(
      "error",
      "extent/wrong-size",
      `${label(name)} needs ${needed} bytes and has ${length} in ${label(file)}`,
      at,
    );
  }
  return { offset, bytes: length ?? 0, file };
}

/** StringStringEntryProto: 1 key, 2 value. */
export function readEntry(message: Message, into: Record<string, string>, limit = 4096): void {
  let key = "";
  let value = "";
  while (message.next()) {
    if (message.field === 1) key = message.stringStart(limit);
    else if (message.field === 2) value = message.stringStart(limit);
  }
  if (key !== "__proto__") into[key] = value;
}

/** float_data and double_data of TensorProto. */
const isFixed = (field: string | number): boolean => Number(field) === 4 || Number(field) === 10;
