/** One tensor of a TFLite file: shape, type, quantisation, where its constant lies; and what of it contradicts itself. */

import { withoutEnd } from "../../base/bytes.ts";
import {
  bytesOf,
  elementsOf,
  SMALL,
  type Dimension,
  type ElementType,
  type Integrity,
  type Quantization,
  type Tensor,
} from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import type { Table } from "../wire/flatbuffer.ts";
import type { Buffers } from "./buffers.ts";
import { fields, quantizationDetails, tensorTypes } from "./schema.ts";
import { storedElements } from "./sparsity.ts";

/** TFLite kernels take up to 8 dimensions; the schema names no limit. */
const RANK_LIMIT = 64;
/** Channels of the widest layers: vocabularies of some 260,000 words. */
const CHANNEL_LIMIT = 4_000_000;

const types: Readonly<Record<string, ElementType>> = {
  FLOAT32: "float32",
  FLOAT16: "float16",
  INT32: "int32",
  UINT8: "uint8",
  INT64: "int64",
  STRING: "string",
  BOOL: "bool",
  INT16: "int16",
  COMPLEX64: "complex64",
  INT8: "int8",
  FLOAT64: "float64",
  COMPLEX128: "complex128",
  UINT64: "uint64",
  RESOURCE: "resource",
  VARIANT: "variant",
  UINT32: "uint32",
  UINT16: "uint16",
  INT4: "int4",
  BFLOAT16: "bfloat16",
  INT2: "int2",
  UINT4: "uint4",
  FLOAT8_E4M3FN: "float8e4m3fn",
  FLOAT8_E5M2: "float8e5m2",
};

/** The schema has 23 types and grows by one or two a year: a newer one is no damage, one far beyond is. */
const FURTHEST = 63;

/** Output channels of depthwise filters. */
const FILTER_AXIS = 3;

export interface TensorContext {
  readonly file: ModelFile;
  readonly buffers: Buffers;
  /** Buffers that a tensor names. */
  readonly used: Set<number>;
  /** The file's writer sets has_rank. */
  readonly ranked: boolean;
  readonly note: (finding: Integrity) => void;
}

export function readTensor(table: Table, context: TensorContext): Tensor {
  const f = fields.Tensor;
  const name = withoutEnd(table.string(f.name) ?? "");
  const label = `tensor ${name === "" ? `at ${table.at}` : JSON.stringify(name.slice(0, 80))}`;
  const tell = (severity: Integrity["severity"], rule: string, says: string): void =>
    context.note({ severity, rule, says: `${label}: ${says}`, offset: table.at });
  const number = table.i8(f.type);
  const spelled = tensorTypes[number] ?? `TensorType ${number}`;
  const type = types[spelled] ?? "unknown";
  if (type === "unknown")
    tell(number < 0 || number > FURTHEST ? "error" : "warning", "type/unknown", `${spelled} is not in the schema`);
  const shape = readShape(table, context, tell);
  const quantization = readQuantization(table, shape, tell);
  const data = readData(table, context, tell);
  const sparsity = table.table(f.sparsity);
  const sparse = sparsity !== undefined;
  const values = sparse ? undefined : smallValues(context.file, type, shape, data);
  const tensor: Tensor = {
    name,
    type,
    ...(type === "unknown" ? { spelled } : {}),
    ...(shape === undefined ? {} : { shape }),
    ...(quantization === undefined ? {} : { quantization }),
    ...(data === undefined ? {} : { data }),
    ...(values === undefined ? {} : { values }),
    ...(sparse ? { sparse } : {}),
  };
  const stored = sparsity && storedElements(sparsity, shape, (says) => tell("error", "tensor/sparse", says));
  const expected = stored === undefined ? bytesOf(tensor) : bytesOf({ type, shape: [stored] });
  if (data !== undefined && (!sparse || stored !== undefined) && expected !== undefined && expected !== data.bytes) {
    const what = stored === undefined ? "" : `with ${stored} elements stored `;
    const says = `${spelled} [${shape?.join(", ") ?? ""}] ${what}needs ${expected} bytes and has ${data.bytes}`;
    tell("error", "extent/wrong-size", says);
  }
  return tensor;
}

type Tell = (severity: Integrity["severity"], rule: string, says: string) => void;

function readShape(table: Table, { ranked }: TensorContext, tell: Tell): Dimension[] | undefined {
  const f = fields.Tensor;
  const shape = table.i32s(f.shape, RANK_LIMIT, "dimensions") ?? [];
  const signature = table.i32s(f.shape_signature, RANK_LIMIT, "dimensions") ?? [];
  if (shape.length === 0 && signature.length === 0 && ranked && !table.bool(f.has_rank)) return undefined;
  if (signature.length > 0 && signature.length !== shape.length) {
    tell("error", "shape/impossible", `shape has ${shape.length} dimensions, its signature ${signature.length}`);
  }
  if (shape.some((d) => d < -1) || signature.some((d) => d < -1)) {
    tell("error", "shape/impossible", `shape [${shape.join(", ")}]`);
  }
  // The shape holds 1 where the signature leaves a dimension open.
  const dimensions = shape.map((d, i) => (d < 0 || (signature[i] ?? 0) < 0 ? null : d));
  if (dimensions.reduce<number>((product, d) => product * (d ?? 1), 1) > Number.MAX_SAFE_INTEGER) {
    tell("error", "shape/impossible", `shape [${shape.join(", ")}] has more elements than any memory`);
  }
  return dimensions;
}

function readQuantization(table: Table, shape: readonly Dimension[] | undefined, tell: Tell): Quantization | undefined {
  const q = table.table(fields.Tensor.quantization);
  if (q === undefined) return undefined;
  const f = fields.QuantizationParameters;
  const scale = q.f32s(f.scale, CHANNEL_LIMIT, "scales") ?? [];
  const zeroPoint = q.i64s(f.zero_point, CHANNEL_LIMIT, "zero points") ?? [];
  let axis = q.i32(f.quantized_dimension);
  // Converters of 2019 gave a bias the dimension of its filter; kernels take a bias along the only one it has.
  if (axis === FILTER_AXIS && shape?.length === 1) axis = 0;
  const details = q.union(f.details_type);
  if (scale.some((value) => !Number.isFinite(value)))
    tell("error", "quantization/nan-scale", "a scale is not a number");
  else if (scale.some((value) => value < 0)) tell("error", "quantization/negative-scale", "a scale is negative");
  if (zeroPoint.length > 1 && zeroPoint.length !== scale.length) {
    tell("error", "quantization/wrong-count", `${zeroPoint.length} zero points for ${scale.length} scales`);
  }
  if (scale.length > 1) {
    const channels = shape?.[axis];
    if (shape !== undefined && channels === undefined) {
      tell("error", "quantization/wrong-axis", `quantised along dimension ${axis} of ${shape.length}`);
    } else if (typeof channels === "number" && channels !== scale.length) {
      tell("error", "quantization/wrong-count", `${scale.length} scales for ${channels} channels`);
    }
  }
  const scheme = details && schemeOf(details.type, details.table);
  if (scale.length === 0 && scheme === undefined) return undefined; // min and max of training, no quantisation
  return { scale, zeroPoint, ...(scale.length > 1 ? { axis } : {}), ...scheme };
}

/** Block and multi-axis quantisation keep their scales in tensors of their own. */
function schemeOf(type: number, table: Table): Pick<Quantization, "scheme" | "stored"> {
  const name = quantizationDetails[type] ?? `details ${type}`;
  if (name === "BlockwiseQuantization") {
    const b = fields.BlockwiseQuantization;
    return {
      scheme: `blocks of ${table.i32(b.block_size)}, scales in tensor ${table.i32(b.scales)}`,
      stored: [table.i32(b.scales), table.i32(b.zero_points)],
    };
  }
  if (name === "MultiAxisQuantization") {
    const m = fields.MultiAxisQuantization;
    const axes = table.i32s(m.quantized_dimensions, RANK_LIMIT, "quantized dimensions") ?? [];
    const block = table.i32(m.block_size);
    return {
      scheme: `along dimensions ${axes.join(", ")}${block > 0 ? `, blocks of ${block}` : ""}, scales in tensor ${table.i32(m.scales)}`,
      stored: [table.i32(m.scales), table.i32(m.zero_points)],
    };
  }
  return { scheme: name };
}

function readData(table: Table, { buffers, used }: TensorContext, tell: Tell): Tensor["data"] {
  const f = fields.Tensor;
  const external = table.u32(f.external_buffer);
  if (external !== 0) {
    const data = buffers.external(external);
    if (data === undefined) tell("error", "buffer/dangling", `external buffer ${external} is not in the file's list`);
    return data;
  }
  const index = table.u32(f.buffer);
  if (index !== 0 && index >= buffers.count) {
    tell("error", "buffer/dangling", `buffer ${index}, there are ${buffers.count}`);
  }
  used.add(index);
  return buffers.data(index);
}

/** What operators are judged by: axes, shapes, pads (int32, int64), bounds (float32). Filters have more dimensions. */
function smallValues(
  file: ModelFile,
  type: ElementType,
  shape: readonly Dimension[] | undefined,
  data: Tensor["data"],
): readonly number[] | undefined {
  if (data?.offset === undefined || data.file !== undefined || data.bytes === 0 || data.bytes > SMALL * 8)
    return undefined;
  if (type !== "int32" && type !== "int64" && type !== "float32") return undefined;
  const elements = elementsOf(shape);
  const size = type === "int64" ? 8 : 4;
  if (elements === undefined || elements > SMALL || elements * size !== data.bytes) return undefined;
  if ((shape?.length ?? 0) > 2 || data.offset + data.bytes > file.size) return undefined;
  const slice = file.slice(data.offset, data.bytes);
  const view = new DataView(slice.buffer, slice.byteOffset, slice.byteLength);
  return Array.from({ length: elements }, (_, index) => {
    const at = index * size;
    if (type === "float32") return view.getFloat32(at, true);
    return type === "int32" ? view.getInt32(at, true) : Number(view.getBigInt64(at, true));
  });
}
