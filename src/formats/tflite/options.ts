/**
 * Options of a TFLite operator as attributes. Fields keep their names of the schema, except for those that other formats have too:
 *
 *     strides_h strides_w strides_d        stride_h ...              dilations_h dilations_w dilations_d   dilation_h_factor ...
 *     kernel_h kernel_w                    filter_height ...         activation                            fused_activation_function
 *
 * Enums are words ("SAME", "RELU6", "INT32"); an activation of NONE and a bias type that is not set are left out.
 */

import type { Extent, Table } from "../wire/flatbuffer.ts";
import type { Attribute } from "../../model/graph.ts";
import { optionEnums, optionFields, tensorTypes } from "./schema.ts";

/** Longest list an option holds: boundaries of BUCKETIZE, of a learned table. */
const LIST_LIMIT = 1 << 16;

const shared: Readonly<Record<string, string>> = {
  stride_d: "strides_d",
  stride_h: "strides_h",
  stride_w: "strides_w",
  dilation_d_factor: "dilations_d",
  dilation_h_factor: "dilations_h",
  dilation_w_factor: "dilations_w",
  filter_height: "kernel_h",
  filter_width: "kernel_w",
  fused_activation_function: "activation",
};

interface Field {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly absent: string | undefined;
}
const parsed = new Map<string, readonly Field[]>();

/** Attributes of one options table; `graphs` collects the subgraphs it calls. */
export function readOptions(type: string, table: Table, graphs: number[]): Record<string, Attribute> {
  const attributes: Record<string, Attribute> = {};
  for (const field of fieldsOf(type)) {
    const value = readField(table, field);
    if (value === undefined) continue;
    attributes[shared[field.name] ?? field.name] = value;
    if (/subgraph(_index|_indices)?$|^called_computations$/.test(field.name)) {
      if (typeof value === "number") graphs.push(value);
      else if (Array.isArray(value)) for (const one of value) if (typeof one === "number") graphs.push(one);
    }
  }
  return attributes;
}

function fieldsOf(type: string): readonly Field[] {
  const known = parsed.get(type);
  if (known) return known;
  const row = Object.hasOwn(optionFields, type) ? (optionFields[type] ?? "") : "";
  const fields = row.split(" ").flatMap((text, id) => {
    const [, name, kind, absent] = /^(\w+):([\w[\]]+)(?:=(.*))?$/.exec(text) ?? [];
    return name === undefined || kind === undefined ? [] : [{ id, name, type: kind, absent }];
  });
  parsed.set(type, fields);
  return fields;
}

function readField(table: Table, { id, name, type, absent }: Field): Attribute | undefined {
  switch (type) {
    case "bool":
      return table.bool(id, absent === "true");
    case "int":
    case "int32":
      return table.i32(id, Number(absent ?? 0));
    case "uint":
      return table.u32(id, Number(absent ?? 0));
    case "long": {
      const value = table.i64(id, BigInt(absent ?? 0));
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    case "float":
      return table.f32(id, Number(absent ?? 0));
    case "string":
      return table.string(id);
    case "[int]":
      return table.i32s(id, LIST_LIMIT, name);
    case "[long]":
      return table.i64s(id, LIST_LIMIT, name);
    case "[float]":
      return table.f32s(id, LIST_LIMIT, name);
    case "[bool]": {
      const vector = limited(table, id, 1, name);
      return vector && [...table.buffer.bytes(vector.at, vector.count)];
    }
    case "[ubyte]": {
      // A format of its own, FlexBuffers mostly: its size is told
      const vector = table.vector(id, 1);
      return vector && `${vector.count} bytes`;
    }
    case "TensorType": {
      if (name === "quantized_bias_type" && !table.has(id)) return undefined;
      const value = table.i8(id, absent === undefined ? 0 : tensorTypes.indexOf(absent));
      return tensorTypes[value] ?? value;
    }
    default: {
      const one = /^\[(\w+)\]$/.exec(type)?.[1];
      // Lists of enums: there is one, of words of 4 bytes
      if (one !== undefined)
        return table.u32s(id, LIST_LIMIT, name)?.map((value) => optionEnums[one]?.split(" ")[value] ?? String(value));
      if (!Object.hasOwn(optionEnums, type)) return undefined;
      // Enums are bytes, but for the few that say uint: those have small numbers too, so their first byte tells.
      const value = table.u8(id, 0);
      const word = optionEnums[type]?.split(" ")[value];
      return word === "NONE" ? undefined : (word ?? value);
    }
  }
}

function limited(table: Table, id: number, width: number, name: string): Extent | undefined {
  const vector = table.vector(id, width);
  if (vector && vector.count > LIST_LIMIT) table.buffer.fail(`${vector.count} ${name}, over ${LIST_LIMIT}`, vector.at);
  return vector;
}
