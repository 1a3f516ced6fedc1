/** dxnn in code: a header that names its parts, the parts behind it, in the layouts of versions 6 to 9. */

import { crc32 } from "node:zlib";

type Json = Readonly<Record<string, unknown>>;

export interface DxnnParts {
  readonly version: number;
  readonly npu?: string;
  readonly compileConfig?: Json;
  readonly graphInfo?: Json;
  readonly cpuModels?: Readonly<Record<string, Uint8Array>>;
  readonly tasks: Readonly<Record<string, Readonly<Record<string, Uint8Array | Json>>>>;
  /** Sizes and offsets as text, as some compilers write them. */
  readonly asText?: boolean;
}

export function buildDxnn(parts: DxnnParts): Buffer {
  const held: Buffer[] = [];
  let at = 0;
  const place = (value: Uint8Array | Json): Json => {
    const bytes = value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(JSON.stringify(value));
    held.push(bytes);
    const [offset, size] = [at, bytes.length];
    at += bytes.length;
    const type = value instanceof Uint8Array ? "bytes" : "str";
    return parts.asText === true ? { type, offset: String(offset), size: String(size) } : { type, offset, size };
  };
  const each = <T, R>(of: Readonly<Record<string, T>>, make: (one: T) => R): Record<string, R> =>
    Object.fromEntries(Object.entries(of).map(([key, one]) => [key, make(one)]));
  const data = {
    merged_model: { type: "bytes", offset: 0, size: 0 },
    cpu_models: each(parts.cpuModels ?? {}, place),
    ...(parts.compileConfig === undefined ? {} : { compile_config: place(parts.compileConfig) }),
    ...(parts.graphInfo === undefined ? {} : { graph_info: place(parts.graphInfo) }),
    compiled_data: { [parts.npu ?? "M1A_4K"]: each(parts.tasks, (task) => each(task, place)) },
  };
  const text = Buffer.from(
    JSON.stringify({
      version: parts.version,
      signature: "DXNN",
      ...(parts.version < 9 ? { size: 8192 } : {}),
      encode_type: "utf-8",
      bytes_order: "little",
      data,
    }),
  );
  if (parts.version < 9) {
    const head = Buffer.alloc(8192);
    head.write("DXNN", 0);
    head.writeUInt32LE(parts.version, 4);
    text.copy(head, 8);
    return Buffer.concat([head, ...held]);
  }
  const head = Buffer.alloc(32);
  head.write("DXNN", 0);
  head.writeUInt32LE(parts.version, 4);
  head.writeBigUInt64LE(BigInt(text.length), 8);
  head.writeUInt32LE(crc32(text), 16);
  return Buffer.concat([head, text, ...held]);
}
