/**
 * Values of one execution plan (EValue): tensors with their types, shapes and data, and the scalars and lists that kernels take. The
 * table of values is read once; who uses what is the plan's affair.
 */

import { bytesOf, type Dimension, type ElementType, type Tensor, type TensorData } from "../../model/graph.ts";
import type { Table } from "../wire/flatbuffer.ts";
import type { Stretch } from "./container.ts";
import type { Notes } from "./notes.ts";
import { devices, EXTERNAL, fields, scalarTypes, shapeDynamism, values as kinds } from "./schema.ts";

/** Values of the largest programs, unrolled language models: some 100,000. */
const VALUE_LIMIT = 1_000_000;
/** A list of a kernel's argument: sizes, indexes; the longest are split sizes and table entries. */
const LIST_LIMIT = 1_000_000;
/** Dimensions of a tensor: ExecuTorch's kTensorDimensionLimit. */
const RANK_LIMIT = 16;

/** Where a tensor's memory is planned: an id and an offset in it. */
export interface Planned {
  readonly memory: number;
  readonly offset: number;
}

export interface TensorValue {
  readonly kind: "tensor";
  readonly tensor: Tensor;
  readonly planned: Planned | undefined;
  /** Its bytes lie in a file beside this one, under its name. */
  readonly external: boolean;
  readonly dynamic: boolean;
  readonly channelsLast: boolean;
}

export type Value =
  | TensorValue
  | { readonly kind: "null" }
  | {
      readonly kind: "scalar";
      readonly type: ElementType;
      readonly value: number | boolean;
      readonly at: number | undefined;
    }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "numbers"; readonly values: readonly number[] }
  /** Indexes of values: an int of a list may be made while the program runs. */
  | { readonly kind: "ints"; readonly items: readonly number[] }
  /** Indexes of values; -1 for one left out. */
  | { readonly kind: "tensors"; readonly items: readonly number[] };

/** Where the bytes of constants lie, by the index a tensor gives. */
export interface Constants {
  readonly constants: readonly Stretch[];
  /** Of each mutable data segment. */
  readonly mutable: readonly (readonly Stretch[])[];
}

export function readValues(plan: Table, constants: Constants, notes: Notes): Value[] {
  const f = fields.ExecutionPlan;
  const tables = plan.tables(f.values, VALUE_LIMIT, "values");
  return tables.map((table, index) => {
    const union = table.union(fields.EValue.val);
    if (union === undefined) {
      notes.error("value/none", `value ${index} has no content`, table.at);
      return { kind: "null" };
    }
    return readValue(union.type, union.table, { index, count: tables.length, constants, notes });
  });
}

interface Context {
  readonly index: number;
  readonly count: number;
  readonly constants: Constants;
  readonly notes: Notes;
}

function readValue(type: number, table: Table, context: Context): Value {
  const { index, count, notes } = context;
  const only = fields.value;
  switch (type) {
    case kinds.Null:
      return { kind: "null" };
    case kinds.Int:
      return { kind: "scalar", type: "int64", value: Number(table.i64(only)), at: table.find(only, 8) };
    case kinds.Double:
      return { kind: "scalar", type: "float64", value: table.f64(only), at: table.find(only, 8) };
    case kinds.Bool:
      return { kind: "scalar", type: "bool", value: table.bool(only), at: table.find(only, 1) };
    case kinds.String:
      return { kind: "string", value: table.string(only) ?? "" };
    case kinds.DoubleList:
      return { kind: "numbers", values: doubles(table) };
    case kinds.BoolList:
      return { kind: "numbers", values: bools(table) };
    case kinds.IntList:
      return { kind: "ints", items: indexes(table.i64s(only, LIST_LIMIT, "ints of a list"), 0, table) };
    case kinds.TensorList:
      return { kind: "tensors", items: indexes(table.i32s(only, LIST_LIMIT, "tensors of a list"), 0, table) };
    case kinds.OptionalTensorList:
      return { kind: "tensors", items: indexes(table.i32s(only, LIST_LIMIT, "tensors of a list"), -1, table) };
    case kinds.Tensor:
      return readTensor(table, context);
    default:
      notes.error("value/unknown", `value ${index} is of kind ${type}, which the schema does not know`, table.at);
      return { kind: "null" };
  }

  function indexes(items: readonly number[] | undefined, least: number, { at }: Table): readonly number[] {
    return (items ?? []).map((item) => {
      if (item >= least && item < count) return item;
      notes.error("value/dangling", `value ${index} lists value ${item}, there are ${count}`, at);
      return -1;
    });
  }
}

function doubles(table: Table): number[] {
  const extent = table.vector(fields.value, 8) ?? { at: 0, count: 0 };
  table.buffer.spend(extent.count * 8, extent.at);
  return Array.from({ length: extent.count }, (_, i) => table.buffer.f64(extent.at + i * 8));
}

function bools(table: Table): number[] {
  const extent = table.vector(fields.value, 1) ?? { at: 0, count: 0 };
  table.buffer.spend(extent.count, extent.at);
  return Array.from({ length: extent.count }, (_, i) => table.buffer.u8(extent.at + i));
}

function readTensor(table: Table, { index, constants, notes }: Context): TensorValue {
  const f = fields.Tensor;
  const code = table.i8(f.scalar_type);
  const scalar = scalarTypes[code];
  if (scalar === undefined) {
    notes.error("tensor/type", `value ${index} has the element type ${code}, which the schema does not know`, table.at);
  }
  const sizes = table.i32s(f.sizes, RANK_LIMIT, "sizes of a tensor") ?? [];
  const order = [...(table.blob(f.dim_order) ?? [])];
  checkOrder(index, sizes, order, table, notes);
  if (table.i32(f.storage_offset) !== 0) {
    notes.warning("tensor/storage-offset", `value ${index} begins inside its buffer: no runtime takes that`, table.at);
  }
  const dynamism = table.i8(f.shape_dynamism);
  if (dynamism < 0 || dynamism > shapeDynamism.DYNAMIC_UNBOUND) {
    notes.error("tensor/dynamism", `value ${index} has shape dynamism ${dynamism}, there are 0 to 2`, table.at);
  }
  const shape: Dimension[] = sizes.map((size) => (dynamism === shapeDynamism.DYNAMIC_UNBOUND ? null : size));
  const extra = table.table(f.extra_tensor_info);
  const info = fields.ExtraTensorInfo;
  const device = extra?.i8(info.device_type) ?? 0;
  if (device < 0 || device >= devices.length) {
    notes.error("tensor/device", `value ${index} lies on device type ${device}, which is not known`, table.at);
  }
  const external = extra?.i8(info.location) === EXTERNAL;
  const name = extra?.string(info.fully_qualified_name) ?? "";
  if (external && name === "") {
    notes.error("tensor/unnamed", `value ${index} lies outside the file and has no name to find it by`, table.at);
  }
  const plain: Tensor = {
    name: name === "" ? `value ${index}` : name,
    type: scalar?.type ?? "unknown",
    ...(scalar === undefined || scalar.type === "unknown" ? { spelled: scalar?.name ?? `type ${code}` } : {}),
    shape,
  };
  const planned = readPlanned(table.table(f.allocation_info));
  const which = Number(extra?.u64(info.mutable_data_segments_idx) ?? 0n);
  const data = external
    ? { bytes: bytesOf(plain) ?? 0, file: "*.ptd" }
    : dataOf(plain, table.u32(f.data_buffer_idx), planned === undefined ? undefined : which, constants, index, notes);
  return {
    kind: "tensor",
    tensor: data === undefined ? plain : { ...plain, data },
    planned,
    external,
    dynamic: dynamism !== shapeDynamism.STATIC,
    channelsLast: isChannelsLast(order),
  };
}

function readPlanned(table: Table | undefined): Planned | undefined {
  const f = fields.AllocationDetails;
  if (table === undefined) return undefined;
  return {
    memory: table.u32(f.memory_id),
    offset: table.u32(f.memory_offset_high) * 0x1_0000_0000 + table.u32(f.memory_offset_low),
  };
}

/** A permutation of the dimensions, outermost first; the runtime refuses any other. */
function checkOrder(index: number, sizes: readonly number[], order: readonly number[], at: Table, notes: Notes): void {
  if (order.length !== sizes.length) {
    const says = `value ${index} has ${sizes.length} dimensions and an order of ${order.length}`;
    notes.error("tensor/dim-order", says, at.at);
  } else if (new Set(order).size !== order.length || order.some((d) => d >= sizes.length)) {
    const says = `value ${index} lays its dimensions out as ${order.join(", ")}, which is no order`;
    notes.error("tensor/dim-order", says, at.at);
  }
}

/** 0, 2, 3, 1: channels innermost. */
const isChannelsLast = (order: readonly number[]): boolean =>
  order.length >= 4 &&
  order[order.length - 1] === 1 &&
  order.every((d, i) => i === 0 || i === order.length - 1 || d === i + 1);

/** Index 0 is nobody's. `mutable`: the segment of initial values, for a tensor whose memory is planned. */
function dataOf(
  tensor: Tensor,
  buffer: number,
  mutable: number | undefined,
  { constants, mutable: segments }: Constants,
  index: number,
  notes: Notes,
): TensorData | undefined {
  if (buffer === 0) return undefined;
  const list = mutable === undefined ? constants : segments[mutable];
  const extent = list?.[buffer];
  if (extent === undefined) {
    const where = mutable === undefined ? "constants" : `initial values of segment ${mutable}`;
    notes.error("tensor/no-data", `value ${index} is number ${buffer} of ${list?.length ?? 0} ${where}`);
    return undefined;
  }
  const bytes = bytesOf(tensor);
  if (bytes === undefined) return extent;
  // A buffer may be longer: the next one begins on an aligned offset.
  if (bytes > extent.bytes) {
    const says = `value ${index} (${tensor.type} [${(tensor.shape ?? []).join(", ")}]) needs ${bytes} bytes and has ${extent.bytes}`;
    notes.error("shape/impossible", says, extent.offset);
  }
  return { offset: extent.offset, bytes: Math.min(bytes, extent.bytes) };
}
