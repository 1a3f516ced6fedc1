/**
 * Tables of an MNN file by their names in the schema: plain fields as attributes, every string and vector checked to lie in the buffer,
 * long ones passed over.
 */

import type { Attribute } from "../../model/graph.ts";
import type { Extent, Table } from "../wire/flatbuffer.ts";
import { tableEnums, tableFields } from "./schema.ts";

/** Numbers of a list that become an attribute: pads, axes, permutations. */
const LIST_LIMIT = 64;
/** Tables inside tables: an operator's parameters hold loops of operators at most. */
const DEPTH_LIMIT = 8;
/** Tables of one vector. */
const TABLE_LIMIT = 65_536;

export interface Field {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly absent: string | undefined;
}

const parsed = new Map<string, ReadonlyMap<string, Field>>();

export function fieldsOf(type: string): ReadonlyMap<string, Field> {
  const known = parsed.get(type);
  if (known) return known;
  const row = Object.hasOwn(tableFields, type) ? (tableFields[type] ?? "") : "";
  const fields = new Map<string, Field>();
  row.split(" ").forEach((text, id) => {
    const [, name, kind, absent] = /^(\w+):([\w[\]]+)(?:=(.*))?$/.exec(text) ?? [];
    if (name !== undefined && kind !== undefined) fields.set(name, { id, name, type: kind, absent });
  });
  parsed.set(type, fields);
  return fields;
}

/** Id of a field; the tables and names are the schema's, so a missing one is a mistake of ours. */
export function idOf(type: string, name: string): number {
  const id = fieldsOf(type).get(name)?.id;
  if (id === undefined) throw new TypeError(`${type}.${name} is not in MNN's schema`);
  return id;
}

/** Words of an enum; undefined for what is none. */
const words = new Map<string, readonly string[]>();
function enumOf(type: string): readonly string[] | undefined {
  if (!Object.hasOwn(tableEnums, type)) return undefined;
  let list = words.get(type);
  if (list === undefined) words.set(type, (list = (tableEnums[type] ?? "").split(" ")));
  return list;
}

/** Number of an enum field as its word. */
export function wordOf(table: Table, type: string, name: string): string {
  const field = fieldsOf(type).get(name);
  return field === undefined ? "" : String(enumWord(table, field));
}

const widths: Readonly<Record<string, number>> = {
  byte: 1,
  ubyte: 1,
  int8: 1,
  bool: 1,
  short: 2,
  ushort: 2,
  int: 4,
  int32: 4,
  uint32: 4,
  float: 4,
  int64: 8,
  long: 8,
};

/** Plain fields of a table and of those inside it, names of the inner ones behind a dot; `common` of convolutions is flat. */
export function attributesOf(type: string, table: Table, depth = 0): Record<string, Attribute> {
  const out: Record<string, Attribute> = {};
  if (depth > DEPTH_LIMIT) table.buffer.fail(`more than ${DEPTH_LIMIT} tables inside each other`, table.at);
  for (const field of fieldsOf(type).values()) {
    const inner = /^\[(\w+)\]$/.exec(field.type)?.[1];
    if (inner === undefined && Object.hasOwn(tableFields, field.type)) {
      const nested = table.table(field.id);
      if (nested === undefined) continue;
      const prefix = field.name === "common" ? "" : `${field.name}.`;
      for (const [name, value] of Object.entries(attributesOf(field.type, nested, depth + 1)))
        if (depth === 0) out[`${prefix}${name}`] = value;
      continue;
    }
    if (inner === "Op" || field.type === "OpParameter") continue; // operators of loops are described by what runs them
    const value = inner === undefined ? scalarOf(table, field) : listOf(table, field, inner, depth);
    if (value !== undefined) out[field.name] = value;
  }
  return out;
}

function scalarOf(table: Table, field: Field): Attribute | undefined {
  const { id, type, absent } = field;
  switch (type) {
    case "bool":
      return table.bool(id, absent === "true");
    case "byte":
    case "int8":
      return table.i8(id, Number(absent ?? 0));
    case "ubyte":
      return table.u8(id, Number(absent ?? 0));
    case "int":
    case "int32":
      return table.i32(id, Number(absent ?? 0));
    case "uint32":
      return table.u32(id, Number(absent ?? 0));
    case "float":
      return table.f32(id, Number(absent ?? 0));
    case "string":
      return table.string(id)?.slice(0, 240);
    default:
      return enumOf(type) === undefined ? undefined : enumWord(table, field);
  }
}

function enumWord(table: Table, { id, type, absent }: Field): string | number {
  const list = enumOf(type) ?? ["byte"];
  const start = absent === undefined ? 0 : Math.max(0, list.indexOf(absent) - 1);
  const number = list[0] === "int" ? table.i32(id, start) : table.i8(id, start);
  return number >= 0 ? (list[number + 1] ?? number) : number;
}

function listOf(table: Table, { id, name }: Field, inner: string, depth: number): Attribute | undefined {
  if (inner === "string") return table.strings(id, TABLE_LIMIT, name).slice(0, LIST_LIMIT);
  if (Object.hasOwn(tableFields, inner)) {
    for (const one of table.tables(id, TABLE_LIMIT, name)) attributesOf(inner, one, depth + 1);
    return undefined;
  }
  const width = widths[inner] ?? (enumOf(inner)?.[0] === "int" ? 4 : 1);
  const extent = table.vector(id, width);
  if (extent === undefined || extent.count > LIST_LIMIT) return undefined;
  if (inner === "int" || inner === "int32") return table.i32s(id, LIST_LIMIT, name);
  if (inner === "float") return table.f32s(id, LIST_LIMIT, name);
  if (inner === "int64" || inner === "long") return table.i64s(id, LIST_LIMIT, name);
  return undefined;
}

/** Where a vector of the schema lies; its elements' width is the schema's. */
export function extentOf(table: Table | undefined, type: string, name: string): Extent | undefined {
  const field = fieldsOf(type).get(name);
  const inner = /^\[(\w+)\]$/.exec(field?.type ?? "")?.[1] ?? "";
  return field === undefined ? undefined : table?.vector(field.id, widths[inner] ?? 4);
}
