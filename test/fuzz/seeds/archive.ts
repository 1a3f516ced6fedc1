/** Writes tar archives and Debian packages, and packs bytes in ways that need no packer: stored blocks. tar(5), ar(5), RFC 8878 */

import { crc32, gzipSync } from "node:zlib";

import type { Item } from "./machine.ts";

/** ustar, names over 100 bytes with a GNU long name before them. */
export function tar(items: readonly Item[], prefix = ""): Buffer {
  const parts: Buffer[] = [];
  for (const item of items) {
    const name = `${prefix}${item.path.slice(1)}`;
    if (Buffer.byteLength(name) > 99) {
      const long = Buffer.from(`${name}\0`);
      parts.push(tarHeader("././@LongLink", "L", long.length), padded(long));
    }
    const short = name.slice(0, 99);
    if ("content" in item) {
      const content = Buffer.from(item.content);
      parts.push(tarHeader(short, "0", content.length), padded(content));
    } else if ("target" in item) parts.push(tarHeader(short, "2", 0, { link: item.target }));
    else if ("node" in item) parts.push(tarHeader(short, "3", 0, { numbers: item.numbers }));
    else parts.push(tarHeader(`${short}/`, "5", 0));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

export function tarHeader(
  name: string,
  flag: string,
  size: number,
  more: { readonly link?: string; readonly numbers?: readonly number[] } = {},
): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  };
  block.write(name.slice(0, 100), 0);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write(flag, 156);
  block.write((more.link ?? "").slice(0, 100), 157);
  block.write("ustar\x0000", 257, "latin1");
  octal(more.numbers?.[0] ?? 0, 329, 8);
  octal(more.numbers?.[1] ?? 0, 337, 8);
  return summed(block);
}

/** With the checksum of what stands in it: a changed header that keeps a wrong sum goes no further than that. */
export function summed(block: Buffer): Buffer {
  block.fill(" ", 148, 156);
  let sum = 0;
  for (const byte of block.subarray(0, 512)) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);

export function deb(data: Uint8Array, suffix: string): Buffer {
  const member = (name: string, bytes: Uint8Array): Buffer =>
    Buffer.concat([
      Buffer.from(
        `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(bytes.length).padEnd(10)}\`\n`,
      ),
      bytes,
      Buffer.alloc(bytes.length & 1, "\n"),
    ]);
  return Buffer.concat([
    Buffer.from("!<arch>\n"),
    member("debian-binary", Buffer.from("2.0\n")),
    member("control.tar.gz", gzipSync(tar([{ path: "/control", content: "Package: x\n" }]))),
    member(`data.tar${suffix}`, data),
  ]);
}

/** One zstd frame of stored and repeated-byte blocks. */
export function storedZstd(bytes: Uint8Array): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])];
  for (let at = 0; at === 0 || at < bytes.length; at += 65536) {
    const block = bytes.subarray(at, at + 65536);
    const last = at + 65536 >= bytes.length ? 1 : 0;
    const same = block.length > 0 && block.every((byte) => byte === block[0]);
    const header = Buffer.alloc(3);
    header.writeUIntLE(last | (same ? 2 : 0) | (block.length << 3), 0, 3);
    parts.push(header, Buffer.from(same ? block.subarray(0, 1) : block));
  }
  return Buffer.concat(parts);
}

/** One xz stream of one block of stored LZMA2 chunks, checksums right. */
export function storedXz(bytes: Uint8Array): Buffer {
  const u32 = (value: number): Buffer => {
    const out = Buffer.alloc(4);
    out.writeUInt32LE(value >>> 0);
    return out;
  };
  const checked = (part: Buffer): Buffer => Buffer.concat([part, u32(crc32(part))]);
  const aligned = (part: Buffer): Buffer => Buffer.concat([part, Buffer.alloc((4 - (part.length % 4)) % 4)]);
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
  const flags = Buffer.from([0, 1]);
  const blockHeader = checked(Buffer.from([0x02, 0x00, 0x21, 0x01, 0x16, 0, 0, 0]));
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 65536) {
    const chunk = bytes.subarray(at, at + 65536);
    const size = chunk.length - 1;
    chunks.push(Buffer.from([at === 0 ? 1 : 2, size >> 8, size & 0xff]), Buffer.from(chunk));
  }
  const content = Buffer.concat([...chunks, Buffer.from([0])]);
  const unpadded = blockHeader.length + content.length + 4;
  const index = checked(aligned(Buffer.from([0, 1, ...varint(unpadded), ...varint(bytes.length)])));
  const footer = Buffer.concat([u32(index.length / 4 - 1), flags]);
  return Buffer.concat([
    Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
    checked(flags),
    blockHeader,
    aligned(content),
    u32(crc32(bytes)),
    index,
    u32(crc32(footer)),
    footer,
    Buffer.from("YZ"),
  ]);
}
