/** A ZIP archive written by hand: stored or deflated entries, 64-bit records when asked for, padding as PyTorch leaves it. */

import { crc32, deflateRawSync } from "node:zlib";

export interface Entry {
  readonly name: string;
  readonly data: Uint8Array | string;
  readonly deflate?: boolean;
  /** Align the data as PyTorch does, by an extra field of the local header. */
  readonly align?: number;
}

export function zip(entries: readonly Entry[], options: { zip64?: boolean; before?: Uint8Array } = {}): Buffer {
  const parts: Uint8Array[] = [options.before ?? new Uint8Array(0)];
  let offset = 0;
  const push = (bytes: Uint8Array): void => {
    parts.push(bytes);
    offset += bytes.length;
  };
  const directory: Uint8Array[] = [];
  for (const { name, data, deflate, align } of entries) {
    const plain = Buffer.from(data);
    const packed = deflate ? deflateRawSync(plain) : plain;
    const pad = align === undefined ? 0 : 4 + ((align - ((offset + 30 + name.length + 4) % align)) % align);
    const extra = Buffer.alloc(pad, "Z");
    if (pad > 0) {
      extra.write("FB", 0, "latin1");
      extra.writeUInt16LE(pad - 4, 2);
    }
    const header = offset;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(deflate ? 8 : 0, 4);
    common.writeUInt32LE(crc32(plain), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(plain.length, 18);
    common.writeUInt16LE(name.length, 22);
    common.writeUInt16LE(pad, 24);
    push(Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, Buffer.from(name), extra, packed]));
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(header, 10);
    const made = Buffer.from([20, 0]);
    common.writeUInt16LE(0, 24);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02", "latin1"), made, common, rest, Buffer.from(name)]));
  }
  const at = offset;
  const bytes = Buffer.concat(directory);
  push(bytes);
  if (options.zip64) {
    const record = Buffer.alloc(56);
    record.write("PK\x06\x06", 0, "latin1");
    record.writeBigUInt64LE(44n, 4);
    record.writeBigUInt64LE(BigInt(entries.length), 24);
    record.writeBigUInt64LE(BigInt(entries.length), 32);
    record.writeBigUInt64LE(BigInt(bytes.length), 40);
    record.writeBigUInt64LE(BigInt(at), 48);
    const locator = Buffer.alloc(20);
    locator.write("PK\x06\x07", 0, "latin1");
    locator.writeBigUInt64LE(BigInt(offset), 8);
    locator.writeUInt32LE(1, 16);
    push(Buffer.concat([record, locator]));
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(options.zip64 ? 0xffff : entries.length, 10);
  end.writeUInt32LE(bytes.length, 12);
  end.writeUInt32LE(options.zip64 ? 0xffffffff : at, 16);
  push(end);
  return Buffer.concat(parts);
}
