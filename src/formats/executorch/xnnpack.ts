/**
 * Payload of ExecuTorch's XnnpackBackend: a graph of XNNPACK nodes in a flatbuffer (XN00 with its constants inside, XN01 with them
 * behind), since 2024 behind a header XH00. pytorch/executorch backends/xnnpack/serialization/schema.fbs, runtime_schema.fbs (BSD-3-Clause).
 */

import {
  bytesOf,
  type Attribute,
  type ElementType,
  type Graph,
  type Node,
  type Quantization,
  type Tensor,
} from "../../model/graph.ts";
import { FileError } from "../../base/errors.ts";
import { has } from "../sealed/parts.ts";
import { FlatBuffer, type Table } from "../wire/flatbuffer.ts";
import type { Stretch } from "./container.ts";
import { graphPlace, whole, type Delegate, type DelegateContext, type GraphPlace, type Told } from "./delegate.ts";

/** Of one partition; a language model's has some 10,000. */
const NODE_LIMIT = 250_000;
const VALUE_LIMIT = 250_000;
/** XNN_MAX_TENSOR_DIMS is 6. */
const RANK_LIMIT = 16;
/** Scales per channel kept: a vocabulary's output layer has some 150,000. */
const SCALE_LIMIT = 1_000_000;
/** XNN_INVALID_VALUE_ID: an operand that is left out. */
const NONE = 0xffffffff;
const TRANSPOSED_WEIGHTS = 1;

const graphFields = {
  xnodes: 1,
  xvalues: 2,
  input_ids: 4,
  output_ids: 5,
  constant_buffer: 6,
  constant_data: 8,
} as const;
const valueFields = { datatype: 0, dims: 2, constant_buffer_idx: 3, id_out: 6 } as const;
const constantFields = { offset: 0, size: 1, named_key: 2 } as const;

interface Kind {
  readonly spelled: string;
  readonly op?: string;
  /** Fields of operands and results. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Attributes: name to field, u32 each. */
  readonly attributes?: Readonly<Record<string, number>>;
  readonly lists?: Readonly<Record<string, number>>;
}

const one = (spelled: string, op: string): Kind => ({ spelled, op, inputs: [0], outputs: [1] });
const two = (spelled: string, op: string): Kind => ({ spelled, op, inputs: [0, 1], outputs: [2] });
const convolution = (spelled: string, op: string): Kind => ({
  spelled,
  op,
  inputs: [15, 16, 17],
  outputs: [18],
  attributes: {
    padding_top: 0,
    padding_right: 1,
    padding_bottom: 2,
    padding_left: 3,
    kernel_height: 4,
    kernel_width: 5,
    subsampling_height: 6,
    subsampling_width: 7,
    dilation_height: 8,
    dilation_width: 9,
    groups: 12,
  },
});
const pooling = (spelled: string, op: string): Kind => ({
  spelled,
  op,
  inputs: [10],
  outputs: [11],
  attributes: {
    padding_top: 0,
    padding_right: 1,
    padding_bottom: 2,
    padding_left: 3,
    pooling_height: 4,
    pooling_width: 5,
    stride_height: 6,
    stride_width: 7,
  },
});
const concatenation = (count: number): Kind => ({
  spelled: `XNNConcatenate${count}`,
  op: "Concat",
  inputs: [1, 2, 3, 4, 7].slice(0, count),
  outputs: [5],
  attributes: { axis: 0 },
});

/** XNodeUnion, from 1. */
const kinds: readonly Kind[] = [
  two("XNNAdd", "Add"),
  { spelled: "XNNFullyConnected", op: "FullyConnected", inputs: [0, 1, 2], outputs: [3], attributes: { flags: 4 } },
  one("XNNSoftmax", "Softmax"),
  one("XNNSigmoid", "Sigmoid"),
  { spelled: "XNNStaticTranspose", op: "Transpose", inputs: [2], outputs: [3], lists: { perm: 1 } },
  one("XNNClamp", "Clip"),
  convolution("XNNConv2d", "Conv"),
  two("XNNDiv", "Div"),
  {
    spelled: "XNNStaticResizeBilinear2D",
    op: "Resize",
    inputs: [2],
    outputs: [3],
    attributes: { new_height: 0, new_width: 1 },
  },
  {
    spelled: "XNNStaticConstantPad",
    op: "Pad",
    inputs: [3],
    outputs: [4],
    lists: { pre_paddings: 0, post_paddings: 1 },
  },
  pooling("XNNAvgPooling2d", "AveragePool"),
  two("XNNMinimum", "Min"),
  convolution("XNNDepthwiseConv2d", "DepthwiseConv"),
  pooling("XNNMaxPooling2d", "MaxPool"),
  two("XNNMultiply", "Mul"),
  two("XNNSubtract", "Sub"),
  one("XNNFloor", "Floor"),
  one("XNNConvert", "Cast"),
  one("XNNGlobalAvgPooling2d", "GlobalAveragePool"),
  { spelled: "XNNStaticReshape", op: "Reshape", inputs: [2], outputs: [3], lists: { new_shape: 1 } },
  {
    spelled: "XNNArgMaxPooling2d",
    op: "MaxPool",
    inputs: [6],
    outputs: [7, 8],
    attributes: { pooling_height: 4, pooling_width: 5 },
  },
  one("XNNSquareRoot", "Sqrt"),
  one("XNNCeiling", "Ceil"),
  one("XNNHardswish", "HardSwish"),
  { spelled: "XNNLeakyReLU", op: "LeakyRelu", inputs: [1], outputs: [2] },
  two("XNNMaximum", "Max"),
  one("XNNNegate", "Neg"),
  one("XNNSquare", "Square"),
  { spelled: "XNNELU", op: "Elu", inputs: [1], outputs: [2] },
  one("XNNAbs", "Abs"),
  two("XNNPReLU", "PRelu"),
  concatenation(2),
  concatenation(3),
  concatenation(4),
  { spelled: "XNNStaticSlice", op: "Slice", inputs: [3], outputs: [4], lists: { offsets: 1, sizes: 2 } },
  { spelled: "XNNScaledDotProductAttention", op: "Attention", inputs: [0, 1, 2, 3, 4], outputs: [5] },
  two("XNNBatchMatrixMultiply", "MatMul"),
  concatenation(5),
  convolution("XNNConvTranspose2d", "ConvTranspose"),
  one("XNNReciprocalSquareRoot", "Rsqrt"),
  one("XNNLog", "Log"),
  one("XNNGelu", "Gelu"),
  one("XNNTanh", "Tanh"),
  one("XNNExp", "Exp"),
  one("XNNSin", "Sin"),
  one("XNNCopy", "Identity"),
  one("XNNCos", "Cos"),
];

/** XNNDatatype. */
const types: readonly (readonly [ElementType, string])[] = [
  ["unknown", "invalid"],
  ["float32", "fp32"],
  ["float16", "fp16"],
  ["int8", "qint8"],
  ["uint8", "quint8"],
  ["int32", "qint32"],
  ["int8", "qcint8"],
  ["int32", "qcint32"],
  ["int4", "qcint4"],
  ["int8", "qdint8"],
  ["int4", "qbint4"],
  ["int8", "qpint8"],
  ["int32", "int32"],
  ["float32", "pfp32"],
  ["bfloat16", "bf16"],
];

export function readXnnpack(delegate: Delegate, context: DelegateContext): Told {
  const { payload } = delegate;
  const { notes } = context;
  if (payload === undefined) return { sealed: false };
  try {
    const place = placeOf(payload, context);
    if (place === undefined) {
      notes.error("payload/mark", "the payload of XnnpackBackend is no XNNPACK graph", payload.offset);
      return { sections: whole(delegate), sealed: false };
    }
    const { offset, bytes } = place.flatbuffer;
    const buffer = new FlatBuffer(context.file, { offset, length: bytes });
    const graph = readGraph(buffer.root(), place, payload, context);
    const after = { offset: offset + bytes, bytes: payload.offset + payload.bytes - offset - bytes };
    return {
      graph,
      outputs: graph.outputs.length,
      sections: [
        { name: "XNNPACK graph", kind: "graph", offset: payload.offset, bytes: payload.bytes - after.bytes },
        ...(after.bytes > 0 ? [{ name: "XNNPACK constants", kind: "weights" as const, ...after }] : []),
      ],
      sealed: false,
    };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    notes.error("payload/broken", `the payload of XnnpackBackend is broken: ${error.message}`, payload.offset);
    return { sections: whole(delegate), sealed: false };
  }
}

function placeOf(payload: Stretch, context: DelegateContext): GraphPlace | undefined {
  if (payload.bytes < 30) return undefined;
  if (has(context.file, "XN0", payload.offset + 4)) return { flatbuffer: payload, constants: payload.offset };
  return has(context.file, "XH00", payload.offset + 4) ? graphPlace(payload, context) : undefined;
}

function readGraph(root: Table, place: GraphPlace, payload: Stretch, context: DelegateContext): Graph {
  const { notes } = context;
  const constants = readConstants(root, place, payload, context);
  const ids = new Map<number, number>();
  const tensors = root.tables(graphFields.xvalues, VALUE_LIMIT, "XNNPACK values").map((table, index) => {
    const { id, tensor } = readValue(table, index, constants, context);
    ids.set(id, index);
    return tensor;
  });
  const find = (id: number, what: string, at: number): number => {
    const index = ids.get(id);
    if (index !== undefined) return index;
    if (id !== NONE) notes.error("xnnpack/dangling", `${what} names XNNPACK value ${id}, which is not there`, at);
    return -1;
  };
  const nodes = root.tables(graphFields.xnodes, NODE_LIMIT, "XNNPACK nodes").flatMap((table): Node[] => {
    const union = table.union(0);
    const kind = union === undefined ? undefined : kinds[union.type - 1];
    if (union === undefined || kind === undefined) {
      notes.error(
        "xnnpack/unknown",
        `XNNPACK node of kind ${union?.type ?? 0}, which the schema does not know`,
        table.at,
      );
      return [];
    }
    const named = (fields: readonly number[]): number[] =>
      fields.map((field) => find(union.table.u32(field), kind.spelled, union.table.at));
    const inputs = named(kind.inputs);
    while (inputs.at(-1) === -1) inputs.pop();
    const outputs = named(kind.outputs).filter((index) => index >= 0);
    const node: Node = { spelled: kind.spelled, inputs, outputs, attributes: attributesOf(kind, union.table) };
    const op = opOf(kind, node, tensors);
    return [op === undefined ? node : { ...node, op }];
  });
  const external = (field: number): number[] =>
    (root.u32s(field, VALUE_LIMIT, "XNNPACK inputs and outputs") ?? [])
      .map((id) => find(id, "the graph", root.at))
      .filter((index) => index >= 0);
  return {
    name: "XnnpackBackend",
    tensors,
    nodes,
    inputs: external(graphFields.input_ids),
    outputs: external(graphFields.output_ids),
  };
}

/** XNNConvert is a cast, or quantises; weights of a fully connected node may lie the other way round. */
function opOf(kind: Kind, node: Node, tensors: readonly Tensor[]): string | undefined {
  if (kind.spelled === "XNNFullyConnected" && (Number(node.attributes["flags"]) & TRANSPOSED_WEIGHTS) !== 0) {
    return "MatMul";
  }
  if (kind.spelled !== "XNNConvert") return kind.op;
  const quantized = (index: number | undefined): boolean =>
    /^q/.test(tensors[index ?? -1]?.spelled ?? "") || tensors[index ?? -1]?.quantization !== undefined;
  const [from, to] = [quantized(node.inputs[0]), quantized(node.outputs[0])];
  return from === to ? kind.op : to ? "QuantizeLinear" : "DequantizeLinear";
}

function attributesOf(kind: Kind, table: Table): Record<string, Attribute> {
  const out: Record<string, Attribute> = {};
  for (const [name, field] of Object.entries(kind.attributes ?? {})) out[name] = table.u32(field);
  for (const [name, field] of Object.entries(kind.lists ?? {})) {
    out[name] = table.u32s(field, RANK_LIMIT, "dimensions of an XNNPACK node") ?? [];
  }
  return out;
}

interface Constant extends Stretch {
  /** Name of a blob outside the payload that is not in this program. */
  readonly external?: string;
}

function readConstants(
  root: Table,
  place: GraphPlace,
  payload: Stretch,
  { notes, named }: DelegateContext,
): Constant[] {
  const data = root.tables(graphFields.constant_data, VALUE_LIMIT, "XNNPACK constants");
  if (data.length > 0) {
    return data.map((table) => {
      const key = table.string(constantFields.named_key) ?? "";
      const bytes = Number(table.u64(constantFields.size));
      if (key !== "") {
        const blob = named.get(key);
        return blob === undefined ? { offset: 0, bytes, external: key } : { offset: blob.offset, bytes: blob.bytes };
      }
      const offset = place.constants + Number(table.u64(constantFields.offset));
      if (offset + bytes > payload.offset + payload.bytes) {
        const says = `an XNNPACK constant ends at ${offset + bytes}, its payload at ${payload.offset + payload.bytes}`;
        notes.error("payload/past-end", says, table.at);
      }
      return { offset, bytes };
    });
  }
  return root.tables(graphFields.constant_buffer, VALUE_LIMIT, "XNNPACK buffers").map((table) => {
    const storage = table.vector(0, 1);
    return { offset: storage?.at ?? 0, bytes: storage?.count ?? 0 };
  });
}

function readValue(
  table: Table,
  index: number,
  constants: readonly Constant[],
  { notes }: DelegateContext,
): { id: number; tensor: Tensor } {
  const union = table.union(0);
  const quantized = union?.type === 2 ? union.table : undefined;
  const value = quantized === undefined ? union?.table : quantized.table(0);
  if (union === undefined || value === undefined || union.type > 2) {
    notes.error("xnnpack/value", `XNNPACK value ${index} has no tensor`, table.at);
    return { id: NONE, tensor: { name: `value ${index}`, type: "unknown" } };
  }
  const [type, spelled] = types[value.i16(valueFields.datatype)] ?? ["unknown", "unknown"];
  if (type === "unknown") notes.error("xnnpack/type", `XNNPACK value ${index} has no type that is known`, value.at);
  const id = value.u32(valueFields.id_out);
  const plain: Tensor = {
    name: `xnn ${id}`,
    type,
    ...(spelled.startsWith("q") || type === "unknown" ? { spelled } : {}),
    shape: value.u32s(valueFields.dims, RANK_LIMIT, "dimensions of an XNNPACK value") ?? [],
  };
  const quantization = quantized === undefined ? undefined : readQuantization(quantized);
  const number = value.u32(valueFields.constant_buffer_idx);
  const constant = number === 0 ? undefined : constants[number];
  if (number !== 0 && constant === undefined) {
    notes.error("xnnpack/no-data", `XNNPACK value ${index} is constant ${number} of ${constants.length}`, value.at);
  }
  const expected = bytesOf(plain);
  const tensor = { ...plain, ...(quantization === undefined ? {} : { quantization }) };
  if (constant === undefined) return { id, tensor };
  const { offset, external } = constant;
  if (expected !== undefined && expected > constant.bytes) {
    const says = `XNNPACK value ${id} (${spelled}) needs ${expected} bytes and has ${constant.bytes}`;
    notes.error("shape/impossible", says, offset);
  }
  const bytes = Math.min(expected ?? constant.bytes, constant.bytes);
  return { id, tensor: { ...tensor, data: external === undefined ? { offset, bytes } : { bytes, file: "*.ptd" } } };
}

/** XNNQuantParams: per channel, per tensor, per token (dynamic), per group of channels. */
function readQuantization(table: Table): Quantization | undefined {
  const union = table.union(1);
  if (union === undefined) return undefined;
  const { type, table: params } = union;
  const scales = (): number[] => params.f32s(0, SCALE_LIMIT, "scales") ?? [];
  switch (type) {
    case 1: {
      // Scales of newer files lie among the constants: how many and along which dimension is all that is told.
      const scale = scales();
      return { scale, zeroPoint: [], axis: params.i32(1), ...(scale.length === 0 ? { scheme: "per channel" } : {}) };
    }
    case 2:
      return { scale: [params.f32(0)], zeroPoint: [params.i32(1)] };
    case 3:
      return { scale: [], zeroPoint: [], scheme: "per token, dynamic" };
    case 4:
      return { scale: scales(), zeroPoint: [], axis: params.i32(1), scheme: `groups of ${params.i32(2)}` };
    default:
      return undefined;
  }
}
