/** A GGUF file written by hand, in any version and byte order. */

export type GgufValue =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly bool: number }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly u32s: readonly number[] };

export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly offset: number;
}

export interface GgufOptions {
  readonly version?: number;
  readonly bigEndian?: boolean;
  readonly values?: Readonly<Record<string, GgufValue>>;
  readonly tensors?: readonly GgufTensor[];
  readonly alignment?: number;
  /** Bytes of data after the aligned head. */
  readonly data?: number;
}

export function gguf(options: GgufOptions): Buffer {
  const { version = 3, bigEndian = false, values = {}, tensors = [], alignment = 32, data = 0 } = options;
  const parts: Buffer[] = [];
  const u32 = (value: number): void => {
    const bytes = Buffer.alloc(4);
    if (bigEndian) bytes.writeUInt32BE(value);
    else bytes.writeUInt32LE(value);
    parts.push(bytes);
  };
  const u64 = (value: number): void => {
    const bytes = Buffer.alloc(8);
    if (bigEndian) bytes.writeBigUInt64BE(BigInt(value));
    else bytes.writeBigUInt64LE(BigInt(value));
    parts.push(bytes);
  };
  const length = version === 1 ? u32 : u64;
  const text = (value: string): void => {
    length(Buffer.byteLength(value));
    parts.push(Buffer.from(value));
  };
  parts.push(Buffer.from("GGUF"));
  u32(version);
  length(tensors.length);
  length(Object.keys(values).length);
  for (const [key, value] of Object.entries(values)) {
    text(key);
    if ("u32" in value) {
      u32(4);
      u32(value.u32);
    } else if ("f32" in value) {
      u32(6);
      const bytes = Buffer.alloc(4);
      if (bigEndian) bytes.writeFloatBE(value.f32);
      else bytes.writeFloatLE(value.f32);
      parts.push(bytes);
    } else if ("bool" in value) {
      u32(7);
      parts.push(Buffer.from([value.bool]));
    } else if ("text" in value) {
      u32(8);
      text(value.text);
    } else if ("texts" in value) {
      u32(9);
      u32(8);
      length(value.texts.length);
      value.texts.forEach(text);
    } else {
      u32(9);
      u32(4);
      length(value.u32s.length);
      value.u32s.forEach(u32);
    }
  }
  for (const { name, shape, type, offset } of tensors) {
    text(name);
    u32(shape.length);
    shape.forEach(length);
    u32(type);
    u64(offset);
  }
  const head = Buffer.concat(parts);
  const padding = (alignment - (head.length % alignment)) % alignment;
  return Buffer.concat([head, Buffer.alloc(padding + data)]);
}
