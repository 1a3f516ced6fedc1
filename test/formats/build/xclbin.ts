/** xclbin in code: header, section headers, sections one behind the other at 8 bytes, a mirror at the end. */

export interface XclbinSection {
  readonly kind: number;
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function buildXclbin(platform: string, sections: readonly XclbinSection[], mirror = true): Buffer {
  const start = 456 + 40 * sections.length;
  const head = Buffer.alloc(start);
  head.write("xclbin2\0", 0, "latin1");
  head.writeInt32LE(-1, 8);
  head.writeUInt16LE(598, 328);
  head.writeUInt8(2, 330);
  head.writeUInt8(11, 331);
  head.write(platform, 352);
  head.fill(7, 416, 432);
  head.writeUInt32LE(sections.length, 448);
  const parts: Buffer[] = [];
  let at = start;
  for (const [index, { kind, name, bytes }] of sections.entries()) {
    const padded = Buffer.alloc(Math.ceil(bytes.length / 8) * 8);
    padded.set(bytes);
    head.writeUInt32LE(kind, 456 + 40 * index);
    head.write(name, 460 + 40 * index);
    head.writeBigUInt64LE(BigInt(at), 480 + 40 * index);
    head.writeBigUInt64LE(BigInt(bytes.length), 488 + 40 * index);
    parts.push(index === sections.length - 1 ? Buffer.from(bytes) : padded);
    at += parts.at(-1)?.length ?? 0;
  }
  if (mirror)
    parts.push(Buffer.from('XCLBIN_MIRROR_DATA_START{"schema_version":{"major":"1"}}\nXCLBIN_MIRROR_DATA_END'));
  const out = Buffer.concat([head, ...parts]);
  out.writeBigUInt64LE(BigInt(out.length), 304);
  return out;
}

/** Blocks of the IP layout by their names. */
export function ipLayout(...names: readonly string[]): Buffer {
  const out = Buffer.alloc(8 + 80 * names.length);
  out.writeUInt32LE(names.length, 0);
  for (const [index, name] of names.entries()) out.write(name, 8 + 80 * index + 16);
  return out;
}
