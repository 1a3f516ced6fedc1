/** Payloads of ExecuTorch's delegates for fixtures. */

import { blob, value } from "./executorch.ts";
import { flatBuffer, numbers, string, table, u16, u32, u64, u8, vector, f32, type Value } from "./flatbuffer.ts";

const bytesOf = (...words: readonly number[]): Uint8Array => {
  const out = Buffer.alloc(words.length * 4);
  words.forEach((word, i) => out.writeUInt32LE(word >>> 0, i * 4));
  return out;
};

export const bools = (...truths: readonly boolean[]): Value =>
  value(9, table({ 0: numbers(1, ...truths.map(Number)) }));

/** COP1 with its configuration and two commands: product 2 is U85, 2^8 MACs per cycle. */
export const commandStream = (product: number, macs: number): Uint8Array =>
  bytesOf(0x31504f43, 1, ((product << 28) | 0x1000 | macs) >>> 0, 0x20010000, 5, 0x00020002, 0x4025, 0x4026);

/** Blocks from vela_bin_stream to vela_end_stream. */
export function velaStream(commands: Uint8Array, weights: Uint8Array): Uint8Array {
  const port = (size: number): Uint8Array => bytesOf(1, 1, 1, 1, 1, 1, size, 1, 0, 1);
  const block = (name: string, data: Uint8Array): Uint8Array => {
    const out = Buffer.alloc(32 + Math.ceil(data.length / 16) * 16);
    out.write(name, "latin1");
    out.writeUInt32LE(data.length, 16);
    out.set(data, 32);
    return out;
  };
  return Buffer.concat([
    block("vela_bin_stream", new Uint8Array(0)),
    block("cmd_data", commands),
    block("weight_data", weights),
    block("scratch_size", bytesOf(128)),
    block("inputs", port(8)),
    block("outputs", port(4)),
    block("vela_end_stream", new Uint8Array(0)),
  ]);
}

/** QnnExecuTorchOptions: chip and HTP architecture, back end HTP. */
export const qnnOptions = (chip: number, arch: number, backend = 2): Uint8Array =>
  flatBuffer(
    table({ 0: table({ 0: u32(chip), 1: table({ 0: u32(arch), 1: u32(8) }) }), 1: table({ 0: u32(backend) }) }),
  );

/** ExecuTorch's header of 256 bytes and a context that says which build made it. */
export function qnnContext(build: string): Uint8Array {
  const context = Buffer.alloc(512);
  context.write(build, 100, "latin1");
  const out = Buffer.alloc(256 + context.length);
  out.writeUInt32LE(0x5678abcd, 0);
  out.writeBigUInt64LE(BigInt(context.length), 12);
  out.set(context, 256);
  return out;
}

/** XH00 and VH00: offsets and sizes of the flatbuffer and of the constants. */
function behindHeader(mark: string, graph: Uint8Array, constants: Uint8Array): Uint8Array {
  const base = Math.ceil((32 + graph.length) / 16) * 16;
  const out = Buffer.alloc(base + constants.length);
  out.write(mark, 4, "latin1");
  out.writeUInt16LE(30, 8);
  out.writeUInt32LE(32, 10);
  out.writeUInt32LE(graph.length, 14);
  out.writeUInt32LE(base, 18);
  out.writeBigUInt64LE(BigInt(constants.length), 22);
  out.set(graph, 32);
  out.set(constants, base);
  return out;
}

interface XnnValue {
  readonly type: number;
  readonly dims: readonly number[];
  readonly constant?: number;
  /** XNNQuantParams: kind and content. */
  readonly quantization?: readonly [number, Value];
}

const xnnValue = ({ type, dims, constant = 0, quantization }: XnnValue, id: number): Value => {
  const plain = table({ 0: u16(type), 1: u32(dims.length), 2: numbers(4, ...dims), 3: u32(constant), 6: u32(id) });
  const whole = quantization === undefined ? plain : table({ 0: plain, 1: u8(quantization[0]), 2: quantization[1] });
  return table({ 0: u8(quantization === undefined ? 1 : 2), 1: whole });
};

const xnnNode = (
  kind: number,
  fields: Readonly<Record<number, number>>,
  lists: Readonly<Record<number, Value>> = {},
): Value =>
  table({
    0: u8(kind),
    1: table({ ...Object.fromEntries(Object.entries(fields).map(([field, word]) => [field, u32(word)])), ...lists }),
  });

const NONE = 0xffffffff;

/** Depthwise convolution, quantisation, reshape, fully connected layer, sum with itself. */
export function xnnpackGraph(mark: "XN00" | "XN01" = "XN01"): Uint8Array {
  const values: XnnValue[] = [
    { type: 1, dims: [1, 4, 4, 2] },
    { type: 3, dims: [1, 4, 4, 2], quantization: [2, table({ 0: f32(0.5), 1: u32(3) })] },
    { type: 6, dims: [1, 3, 3, 2], constant: 1, quantization: [1, table({ 0: floats(0.5, 0.25), 1: u32(3) })] },
    { type: 3, dims: [1, 2, 2, 2], quantization: [2, table({ 0: f32(0.5), 1: u32(3) })] },
    { type: 1, dims: [1, 8] },
    { type: 1, dims: [12, 8], constant: 2 },
    { type: 1, dims: [1, 12] },
    { type: 1, dims: [1, 12] },
  ];
  const conv = { 0: 0, 4: 3, 5: 3, 6: 1, 7: 1, 8: 1, 9: 1, 12: 2, 15: 1, 16: 2, 17: NONE, 18: 3 };
  const nodes = [
    xnnNode(18, { 0: 0, 1: 1 }),
    xnnNode(13, conv),
    xnnNode(20, { 0: 2, 2: 3, 3: 4 }, { 1: numbers(4, 1, 8) }),
    xnnNode(2, { 0: 4, 1: 5, 2: NONE, 3: 6 }),
    xnnNode(1, { 0: 6, 1: 6, 2: 7 }),
  ];
  const constants = [Buffer.alloc(18, 1), Buffer.alloc(384, 2)] as const;
  const shared = {
    0: string("0"),
    1: vector(...nodes),
    2: vector(...values.map(xnnValue)),
    3: u32(2),
    4: numbers(4, 0),
    5: numbers(4, 7),
  };
  const extent = (offset: number, bytes: number): Value => table({ 0: u64(offset), 1: u64(bytes), 2: string("") });
  if (mark === "XN00") {
    const buffers = [new Uint8Array(0), ...constants].map((bytes) => table({ 0: blob(bytes) }));
    return flatBuffer(table({ ...shared, 6: vector(...buffers) }), mark);
  }
  const graph = flatBuffer(table({ ...shared, 8: vector(extent(0, 0), extent(0, 18), extent(32, 384)) }), mark);
  return behindHeader("XH00", graph, Buffer.concat([constants[0], Buffer.alloc(14), constants[1]]));
}

const floats = (...values: readonly number[]): Value => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((one, i) => bytes.writeFloatLE(one, i * 4));
  return { kind: "numbers", bytes, count: values.length };
};

/** A linear layer and a softmax. */
export function vulkanGraph(): Uint8Array {
  const tensor = (dims: readonly number[], constant: number): Value =>
    value(5, table({ 0: u8(5), 1: numbers(4, ...dims), 2: u32(constant), 3: u32(NONE) }));
  const values = [
    tensor([1, 4], NONE),
    tensor([3, 4], 0),
    value(1, table({})),
    tensor([1, 3], NONE),
    value(2, table({ 0: u64(-1) })),
    value(4, table({ 0: u8(1) })),
    tensor([1, 3], NONE),
    value(9, table({ 0: numbers(4, 6) })),
    value(6, table({ 0: numbers(8, 1, 2) })),
    value(10, table({ 0: string("words") })),
  ];
  const operator = (id: number, name: string, ...args: readonly number[]): Value =>
    table({ 0: u32(id), 1: string(name), 2: numbers(4, ...args) });
  const graph = flatBuffer(
    table({
      0: string("0"),
      1: vector(operator(1, "aten.linear.default", 0, 1, 2, 3), operator(2, "aten._softmax.default", 3, 4, 5, 7)),
      2: vector(...values),
      3: numbers(4, 0),
      4: numbers(4, 6),
      5: vector(table({ 0: u64(0), 1: u64(48), 2: string("") })),
    }),
    "VK00",
  );
  return behindHeader("VH00", graph, Buffer.alloc(48, 3));
}
