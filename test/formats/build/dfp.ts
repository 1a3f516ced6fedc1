/** DFP in code: the dictionary of version 6, the fields of versions 3 to 5 and of what was before them. */

export type Packed =
  | { readonly u8: number }
  | { readonly u16: readonly number[] }
  | { readonly f32: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly bin: Uint8Array }
  | { readonly list: readonly Packed[]; readonly type: number }
  | { readonly dict: Readonly<Record<string, Packed>> };

const u8 = (value: number): Buffer => Buffer.from([value]);
const u16 = (value: number): Buffer => {
  const out = Buffer.alloc(2);
  out.writeUInt16LE(value);
  return out;
};
const u32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
};
const u64 = (value: number): Buffer => {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt(value));
  return out;
};
const f32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeFloatLE(value);
  return out;
};

function body(value: Packed): readonly [type: number, bytes: Buffer] {
  if ("u8" in value) return [0x10, u8(value.u8)];
  if ("bool" in value) return [0x70, u8(value.bool ? 1 : 0)];
  if ("f32" in value) return [0x50, f32(value.f32)];
  if ("text" in value) return [0x60, Buffer.concat([u32(value.text.length), Buffer.from(value.text)])];
  if ("bin" in value) return [0x03, Buffer.concat([u64(value.bin.length), value.bin])];
  if ("u16" in value) return [0x02, Buffer.concat([u8(0x20), u32(value.u16.length), ...value.u16.map(u16)])];
  if ("list" in value) {
    return [0x02, Buffer.concat([u8(value.type), u32(value.list.length), ...value.list.map((one) => body(one)[1])])];
  }
  const entries = Object.entries(value.dict).map(([key, one]) => {
    const name = Buffer.alloc(64);
    name.write(key);
    const [type, bytes] = body(one);
    return Buffer.concat([name, u8(type), bytes]);
  });
  return [0x01, Buffer.concat([u32(entries.length), ...entries])];
}

/** [length][weights][count][settings each] */
export const program = (weights: number, settings: readonly number[]): Buffer => {
  const inner = Buffer.concat([
    u32(weights),
    Buffer.alloc(weights, 7),
    u8(settings.length),
    ...settings.flatMap((bytes) => [u32(bytes), Buffer.alloc(bytes, 9)]),
  ]);
  return Buffer.concat([u64(inner.length), inner]);
};

export const sixth = (dict: Readonly<Record<string, Packed>>): Buffer =>
  Buffer.concat([u64(6), u8(1), body({ dict })[1]]);

export interface OlderPort {
  readonly name: string;
  readonly format: number;
  readonly shape: readonly [number, number, number, number];
  readonly model?: number;
  /** Channels that are none, of an output. */
  readonly dummies?: readonly number[];
}

const shapeOf = ([h, w, z, c]: readonly [number, number, number, number]): Buffer =>
  Buffer.concat([u16(h), u16(w), u16(z), u32(c)]);

/** `version` undefined: the oldest files, which begin with the description's length. */
export function older(
  version: number | undefined,
  about: { readonly generation: number; readonly chips: number },
  inputs: readonly OlderPort[],
  outputs: readonly OlderPort[],
  behind: Uint8Array,
): Buffer {
  const text8 = (text: string): Buffer => Buffer.concat([u8(text.length), Buffer.from(text)]);
  const text32 = (text: string): Buffer => Buffer.concat([u32(text.length), Buffer.from(text)]);
  const start = (port: OlderPort, index: number): Buffer =>
    Buffer.concat([u8(0x80 | index), u8(0), u8(0), u8(port.model ?? 0), u16(port.name.length), Buffer.from(port.name)]);
  const description = Buffer.concat([
    text8("2023-05-04 12:00:00"),
    text32("mobilenet"),
    text8("1.0.1"),
    text32("-m mobilenet.onnx -c 4"),
    u8(about.generation),
    u8(about.chips),
    u16(600),
    u8(inputs.length + 1),
    u8(outputs.length + 1),
    ...inputs.map((port, index) =>
      Buffer.concat([start(port, index), u8(port.format), u8(0), f32(0), f32(1), shapeOf(port.shape)]),
    ),
    u8(inputs.length),
    ...outputs.map((port, index) =>
      Buffer.concat([
        start(port, index),
        u8(port.format),
        shapeOf(port.shape),
        port.dummies === undefined
          ? u8(0)
          : Buffer.concat([u8(1), shapeOf(port.shape), u16(port.dummies.length), ...port.dummies.map(u16)]),
      ]),
    ),
    u8(outputs.length),
  ]);
  return Buffer.concat([
    ...(version === undefined ? [] : [u64(version)]),
    u64(description.length),
    description,
    behind,
  ]);
}
