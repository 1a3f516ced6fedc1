/**
 * Constants of MNN's operators: weights stand in the operator's parameters, as floats, as 8-bit integers, packed (IDST), or in the file
 * beside the model. Nothing of them is read but scales.
 */

import {
  bytesOf,
  elementsOf,
  type Dimension,
  type ElementType,
  type Quantization,
  type Tensor,
  type TensorData,
} from "../../model/graph.ts";
import type { Table } from "../wire/flatbuffer.ts";
import { attributesOf, extentOf, idOf, wordOf } from "./fields.ts";
import type { Parameters } from "./shapes.ts";

/** Channels, or blocks of channels, of the widest layers. */
const SCALE_LIMIT = 4_000_000;
/** Values of a constant that are looked at: shapes, axes, permutations. */
const VALUES_LIMIT = 32;
const RANK_LIMIT = 64;

/* prettier-ignore */
export const dataTypes: Readonly<Record<string, ElementType>> = {
  DT_FLOAT: "float32", DT_DOUBLE: "float64", DT_INT32: "int32", DT_UINT8: "uint8", DT_INT16: "int16", DT_INT8: "int8", DT_STRING: "string",
  DT_COMPLEX64: "complex64", DT_INT64: "int64", DT_BOOL: "bool", DT_QINT8: "int8", DT_QUINT8: "uint8", DT_QINT32: "int32",
  DT_BFLOAT16: "bfloat16", DT_QINT16: "int16", DT_QUINT16: "uint16", DT_UINT16: "uint16", DT_COMPLEX128: "complex128", DT_HALF: "float16",
  DT_RESOURCE: "resource", DT_VARIANT: "variant",
};

export interface Constant extends Omit<Tensor, "name"> {
  /** Of a short one, so that shapes can follow from it. */
  readonly values?: readonly number[];
  /** What is wrong with it. */
  readonly wrong?: string;
}

/** A Blob: constants of their own. */
export function blobOf(blob: Table, weightFile: string): Constant {
  const dims = blob.i32s(idOf("Blob", "dims"), RANK_LIMIT, "dimensions") ?? [];
  const word = wordOf(blob, "Blob", "dataType");
  const type = Object.hasOwn(dataTypes, word) ? (dataTypes[word] ?? "unknown") : "unknown";
  const base = { type, ...(type === "unknown" ? { spelled: word } : {}), shape: dims };
  const away = outside(blob, "Blob", weightFile);
  const expected = bytesOf(base);
  if (away[0] !== undefined) return { ...base, data: fitting(away[0], expected) };
  const elements = elementsOf(dims);
  for (const [name, width] of [
    ["float32s", 4],
    ["int32s", 4],
    ["uint8s", 1],
    ["int8s", 1],
    ["int64s", 8],
  ] as const) {
    const extent = extentOf(blob, "Blob", name);
    if (extent === undefined || (extent.count === 0 && elements !== 0)) continue;
    const bytes = extent.count * width;
    const data = fitting({ offset: extent.at, bytes }, expected);
    // Narrow types stand in wider ones; bytes hold any type.
    const fits = elements === undefined || extent.count === elements || bytes === expected;
    const wrong = fits ? undefined : `${extent.count} values for [${dims.join(", ")}]`;
    const short = extent.count <= VALUES_LIMIT && name === "int32s";
    const values = short ? blob.i32s(idOf("Blob", name), VALUES_LIMIT, name) : undefined;
    return { ...base, data, ...(values === undefined ? {} : { values }), ...(wrong === undefined ? {} : { wrong }) };
  }
  const strings = type === "string" ? blob.strings(idOf("Blob", "strings"), SCALE_LIMIT, "strings") : [];
  return { ...base, data: { bytes: strings.reduce((sum, text) => sum + text.length, 0) } };
}

/** An extent is told only where it is as long as the type says: packed and compressed ones are not. */
const fitting = (data: TensorData & { readonly offset: number }, expected: number | undefined): TensorData => {
  if (expected === undefined || expected === data.bytes) return data;
  return { bytes: data.bytes, ...(data.file === undefined ? {} : { file: data.file }) };
};

/** [offset, bytes, bytes, ...] of the file beside the model: weights, bias, scales one after the other. */
function outside(table: Table, type: string, file: string): (TensorData & { readonly offset: number })[] {
  const [offset, ...sizes] = table.i64s(idOf(type, "external"), 64, "external extents") ?? [];
  if (offset === undefined) return [];
  let at = offset;
  return sizes.map((bytes) => {
    const one = { offset: at, bytes, file };
    at += bytes;
    return one;
  });
}

interface Weighted {
  readonly weights?: Constant;
  readonly bias?: Constant;
}

/**
 * Weights and bias of Convolution2D, in the order that counts: [out, in / groups, height, width]. `channels` are those of its input,
 * where they are known; models for measuring speed have no weights, only their sizes.
 */
export function convolutionWeights(
  table: Table,
  p: Parameters,
  transposed: boolean,
  weightFile: string,
  channels: number | undefined,
): Weighted {
  const quan = table.table(idOf("Convolution2D", "quanParameter"));
  const symmetric = table.table(idOf("Convolution2D", "symmetricQuan"));
  const away = outside(table, "Convolution2D", weightFile);
  const plain = extentOf(table, "Convolution2D", "weight");
  const [kh, kw, out] = [number(p["kernelY"], 1), number(p["kernelX"], 1), number(p["outputCount"])];
  const group = Math.max(1, number(p["group"], 1));
  const given = number(p["inputCount"]);
  const each = out > 0 && plain !== undefined && plain.count > 0 ? plain.count / (out * kh * kw) : undefined;
  // Writers give channels of the input, or of a group of it, or none: the number of weights tells.
  const depthwise = group > 1 && (group === out || given === group);
  const ofInput = channels !== undefined && channels % group === 0 ? channels / group : null;
  const counted = each !== undefined && Number.isInteger(each) ? each : depthwise ? 1 : ofInput;
  const inner = counted ?? (given > 0 ? given : null);
  const shape: Dimension[] = transposed
    ? [inner === null ? null : inner * group, out > 0 ? out / group : null, kh, kw]
    : [out > 0 ? out : null, inner, kh, kw];
  return {
    weights: kernelOf(shape, plain, quan, symmetric, away[0]) ?? { type: "float32", shape },
    ...optional("bias", biasOf(table, symmetric, out, away[1])),
  };
}

export function innerProductWeights(table: Table, p: Parameters): Weighted {
  const out = number(p["outputCount"]);
  const size = number(p["weightSize"]);
  const shape: Dimension[] = [out > 0 ? out : null, out > 0 && size > 0 && size % out === 0 ? size / out : null];
  const quan = table.table(idOf("InnerProduct", "quanParameter"));
  const bias = extentOf(table, "InnerProduct", "bias");
  return {
    ...optional("weights", kernelOf(shape, extentOf(table, "InnerProduct", "weight"), quan, undefined, undefined)),
    ...optional(
      "bias",
      bias && { type: "float32", shape: [bias.count], data: { offset: bias.at, bytes: bias.count * 4 } },
    ),
  };
}

const optional = <K extends string>(key: K, value: Constant | undefined): Partial<Record<K, Constant>> =>
  value === undefined ? {} : ({ [key]: value } as Record<K, Constant>); // the key is the one given

function kernelOf(
  shape: readonly Dimension[],
  plain: { readonly at: number; readonly count: number } | undefined,
  quan: Table | undefined,
  symmetric: Table | undefined,
  away: (TensorData & { readonly offset: number }) | undefined,
): Constant | undefined {
  const out = shape[0];
  const stored = extentOf(symmetric, "QuantizedFloatParam", "weight");
  if (symmetric !== undefined && stored !== undefined && stored.count > 0) {
    const scale = symmetric.f32s(idOf("QuantizedFloatParam", "scale"), SCALE_LIMIT, "scales") ?? [];
    const quantization: Quantization = { scale, zeroPoint: [], ...(scale.length > 1 ? { axis: 0 } : {}) };
    return checked({ type: "int8", shape, quantization }, { offset: stored.at, bytes: stored.count });
  }
  if (quan !== undefined) return packed(shape, out, quan, away);
  if (away !== undefined) return { type: "float32", shape, data: fitting(away, bytesOf({ type: "float32", shape })) };
  if (plain === undefined || plain.count === 0) return undefined;
  return checked({ type: "float32", shape }, { offset: plain.at, bytes: plain.count * 4 });
}

function checked(base: Omit<Constant, "data">, data: TensorData & { readonly offset: number }): Constant {
  const expected = bytesOf(base);
  if (expected === undefined || expected === data.bytes) return { ...base, data };
  const shape = (base.shape ?? []).join(", ");
  return { ...base, data: { bytes: data.bytes }, wrong: `${data.bytes} bytes of weights for ${base.type} [${shape}]` };
}

/** IDSTQuan: type 3 is float16; others hold a table of values and indexes into it, or integers, behind a header of their own. */
function packed(
  shape: readonly Dimension[],
  out: Dimension | undefined,
  quan: Table,
  away: (TensorData & { readonly offset: number }) | undefined,
): Constant {
  const p = attributesOf("IDSTQuan", quan);
  const buffer = extentOf(quan, "IDSTQuan", "buffer");
  const kind = number(p["type"]);
  const bits = number(p["aMaxOrBits"]);
  const alpha = quan.f32s(idOf("IDSTQuan", "alpha"), SCALE_LIMIT, "scales") ?? [];
  const type: ElementType =
    kind === 3 ? "float16" : bits === 4 && kind !== 4 ? "int4" : bits === 2 && kind !== 4 ? "int2" : "int8";
  const data = buffer === undefined ? away : { offset: buffer.at, bytes: buffer.count };
  const base = { type, shape };
  const placed = data === undefined ? { bytes: 0 } : fitting(data, bytesOf(base));
  if (kind === 3) return { ...base, data: placed };
  // A scale each, or a least value and a scale each where the zero is elsewhere.
  const asymmetric = number(p["readType"]) !== 0;
  const scale = asymmetric ? alpha.filter((_, at) => at % 2 === 1) : alpha;
  const blocks = typeof out === "number" && out > 0 ? scale.length / out : 1;
  const words = [asymmetric ? "asymmetric" : "", blocks > 1 ? `${blocks} blocks for each channel` : ""].filter(
    (w) => w !== "",
  );
  const quantization: Quantization = {
    scale,
    zeroPoint: [],
    ...(scale.length > 1 && blocks === 1 ? { axis: 0 } : {}),
    ...(words.length > 0 ? { scheme: words.join(", ") } : {}),
  };
  return { ...base, quantization, data: placed };
}

function biasOf(
  table: Table,
  symmetric: Table | undefined,
  out: number,
  away: (TensorData & { readonly offset: number }) | undefined,
): Constant | undefined {
  const integers = extentOf(symmetric, "QuantizedFloatParam", "bias");
  if (integers !== undefined && integers.count > 0)
    return { type: "int32", shape: [integers.count], data: { offset: integers.at, bytes: integers.count * 4 } };
  if (away !== undefined && away.bytes > 0) return { type: "float32", shape: [out], data: fitting(away, out * 4) };
  const floats = extentOf(table, "Convolution2D", "bias");
  if (floats === undefined || floats.count === 0) return undefined;
  return { type: "float32", shape: [floats.count], data: { offset: floats.at, bytes: floats.count * 4 } };
}

const number = (value: unknown, absent = 0): number => (typeof value === "number" ? value : absent);
