/**
 * Payload of ExecuTorch's VulkanBackend: a graph of operators in a flatbuffer VK00 behind a header VH00, constants after it. It runs on
 * any GPU with Vulkan. pytorch/executorch backends/vulkan/serialization/schema.fbs (BSD-3-Clause).
 */

import { FileError } from "../../base/errors.ts";
import { bytesOf, type Attribute, type ElementType, type Graph, type Node, type Tensor } from "../../model/graph.ts";
import { sharedOp } from "../../model/ops.ts";
import { has } from "../sealed/parts.ts";
import { FlatBuffer, type Table } from "../wire/flatbuffer.ts";
import type { Stretch } from "./container.ts";
import { argumentNames } from "./arguments.ts";
import { graphPlace, whole, type Delegate, type DelegateContext, type GraphPlace, type Told } from "./delegate.ts";

/** Of one partition. */
const CALL_LIMIT = 250_000;
const VALUE_LIMIT = 500_000;
const LIST_LIMIT = 65_536;
const RANK_LIMIT = 16;

const graphFields = { chain: 1, values: 2, input_ids: 3, output_ids: 4, constants: 5 } as const;
const TENSOR = 5;
const LIST = 9;
const KINDS = 11;

/** VkDataType. */
const types: Readonly<Record<number, ElementType>> = {
  0: "bool",
  1: "uint8",
  2: "int8",
  3: "int32",
  4: "float16",
  5: "float32",
  6: "float64",
  7: "int64",
};

export function readVulkan(delegate: Delegate, context: DelegateContext): Told {
  const { payload } = delegate;
  const { file, notes } = context;
  if (payload === undefined) return { sealed: false };
  try {
    const place =
      payload.bytes >= 30 && has(file, "VH00", payload.offset + 4) ? graphPlace(payload, context) : undefined;
    if (place === undefined) {
      notes.error("payload/mark", "the payload of VulkanBackend is no graph", payload.offset);
      return { sections: whole(delegate), sealed: false };
    }
    const { offset, bytes } = place.flatbuffer;
    const graph = readGraph(new FlatBuffer(file, { offset, length: bytes }).root(), place, payload, context);
    const after = { offset: offset + bytes, bytes: payload.offset + payload.bytes - offset - bytes };
    return {
      graph,
      outputs: graph.outputs.length,
      sections: [
        { name: "Vulkan graph", kind: "graph", offset: payload.offset, bytes: payload.bytes - after.bytes },
        ...(after.bytes > 0 ? [{ name: "Vulkan constants", kind: "weights" as const, ...after }] : []),
      ],
      sealed: false,
    };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    notes.error("payload/broken", `the payload of VulkanBackend is broken: ${error.message}`, payload.offset);
    return { sections: whole(delegate), sealed: false };
  }
}

type Value =
  { readonly tensor: number } | { readonly list: readonly number[] } | { readonly attribute: Attribute } | undefined;

/** Numbers of a list kept as an attribute. */
const LIST_KEPT = 256;

/** GraphTypes that are no tensors: what an operator takes besides. */
function readAttribute(type: number, table: Table): Attribute | undefined {
  if (type === 2) return Number(table.i64(0));
  if (type === 3) return table.f64(0);
  if (type === 4) return table.bool(0);
  if (type === 6) return table.i64s(0, LIST_LIMIT, "ints of a list")?.slice(0, LIST_KEPT) ?? [];
  return type === 10 ? (table.string(0)?.slice(0, 1024) ?? "") : undefined;
}

function readGraph(root: Table, place: GraphPlace, payload: Stretch, context: DelegateContext): Graph {
  const { notes } = context;
  const constants = readConstants(root, place, payload, context);
  const tensors: Tensor[] = [];
  const values = root.tables(graphFields.values, VALUE_LIMIT, "Vulkan values").map((table, index): Value => {
    const union = table.union(0);
    if (union === undefined || union.type > KINDS) {
      notes.error("vulkan/value", `Vulkan value ${index} has no content that is known`, table.at);
      return undefined;
    }
    if (union.type === LIST) return { list: union.table.i32s(0, LIST_LIMIT, "values of a list") ?? [] };
    if (union.type !== TENSOR) {
      const attribute = readAttribute(union.type, union.table);
      return attribute === undefined ? undefined : { attribute };
    }
    tensors.push(readTensor(union.table, index, constants, context));
    return { tensor: tensors.length - 1 };
  });
  const tensorsOf = (ids: readonly number[], what: string, at: number): number[] =>
    ids.flatMap((id) => {
      if (id < 0 || id >= values.length) {
        notes.error("vulkan/dangling", `${what} names Vulkan value ${id}, there are ${values.length}`, at);
        return [];
      }
      const value = values[id];
      if (value === undefined || "attribute" in value) return [];
      if ("tensor" in value) return [value.tensor];
      return value.list.flatMap((item) => {
        const one = values[item];
        return one !== undefined && "tensor" in one ? [one.tensor] : [];
      });
    });
  const nodes = root.tables(graphFields.chain, CALL_LIMIT, "Vulkan operators").map((table): Node => {
    const spelled = table.string(1) ?? "";
    const args = table.i32s(2, LIST_LIMIT, "arguments") ?? [];
    for (const id of args) {
      const value = values[id];
      if (value !== undefined && "list" in value) table.buffer.spend(value.list.length * 8, table.at);
    }
    const [namespace = "", name = "", overload = ""] = spelled.split(".");
    const names = argumentNames(`${namespace}::${name}`, overload);
    const attributes: Record<string, Attribute> = {};
    args.slice(0, -1).forEach((id, at) => {
      const value = values[id];
      if (value !== undefined && "attribute" in value) attributes[names[at] ?? `argument ${at}`] = value.attribute;
    });
    const shared = sharedOp("pte", `${namespace}::${name}`);
    const op = shared === "Conv" && attributes["transposed"] === true ? "ConvTranspose" : shared;
    return {
      ...(op === undefined ? {} : { op }),
      spelled,
      inputs: tensorsOf(args.slice(0, -1), spelled, table.at),
      outputs: tensorsOf(args.slice(-1), spelled, table.at),
      attributes,
    };
  });
  const external = (field: number): number[] =>
    tensorsOf(root.u32s(field, VALUE_LIMIT, "Vulkan inputs and outputs") ?? [], "the graph", root.at);
  return {
    name: "VulkanBackend",
    tensors,
    nodes,
    inputs: external(graphFields.input_ids),
    outputs: external(graphFields.output_ids),
  };
}

function readConstants(
  root: Table,
  place: GraphPlace,
  payload: Stretch,
  { notes, named }: DelegateContext,
): (Stretch & { external?: true })[] {
  return root.tables(graphFields.constants, VALUE_LIMIT, "Vulkan constants").map((table) => {
    const bytes = Number(table.u64(1));
    const key = table.string(2) ?? "";
    if (key !== "") {
      const blob = named.get(key);
      return blob === undefined ? { offset: 0, bytes, external: true } : { offset: blob.offset, bytes: blob.bytes };
    }
    const offset = place.constants + Number(table.u64(0));
    if (offset + bytes > payload.offset + payload.bytes) {
      notes.error("payload/past-end", `a Vulkan constant of ${bytes} bytes runs past its payload`, table.at);
    }
    return { offset, bytes };
  });
}

function readTensor(
  table: Table,
  index: number,
  constants: readonly (Stretch & { external?: true })[],
  { notes }: DelegateContext,
): Tensor {
  const code = table.i8(0);
  const type = types[code];
  if (type === undefined) notes.error("vulkan/type", `Vulkan value ${index} has element type ${code}`, table.at);
  const plain: Tensor = {
    name: `vk ${index}`,
    type: type ?? "unknown",
    shape: table.u32s(1, RANK_LIMIT, "dimensions of a Vulkan value") ?? [],
  };
  const number = table.i32(2);
  if (number < 0) return plain;
  const constant = constants[number];
  if (constant === undefined) {
    notes.error("vulkan/no-data", `Vulkan value ${index} is constant ${number} of ${constants.length}`, table.at);
    return plain;
  }
  const expected = bytesOf(plain) ?? constant.bytes;
  if (expected > constant.bytes) {
    const says = `Vulkan value ${index} needs ${expected} bytes and has ${constant.bytes}`;
    notes.error("shape/impossible", says, constant.offset);
  }
  const bytes = Math.min(expected, constant.bytes);
  const data = constant.external === true ? { bytes, file: "*.ptd" } : { offset: constant.offset, bytes };
  return { ...plain, data };
}
