/**
 * A kernel module cut down to what it says about itself: an ELF file that holds its .modinfo section and nothing else, 40 KiB of
 * amdgpu's 18 MiB. gABI chapter 4; include/linux/module.h (MODULE_INFO)
 */

import { latin1 } from "../base/bytes.ts";

const NAME = ".modinfo";
const HEADER = 64;
const SECTION_HEADER = 64;
const SHT_PROGBITS = 1;
const SHT_STRTAB = 3;
const SHT_NOBITS = 8;

/** Undefined when the bytes are no module that can be cut: then the file stays as it is. */
export function onlyModinfo(bytes: Uint8Array): Uint8Array | undefined {
  const found = findModinfo(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (found === undefined) return undefined;
  const names = Buffer.from(`\0${NAME}\0.shstrtab\0`);
  const table = align(HEADER + found.modinfo.length + names.length);
  const file = Buffer.alloc(table + 3 * SECTION_HEADER);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // 64 bit, little endian, version 1
  file.writeUInt16LE(1, 16); // ET_REL
  file.writeUInt16LE(found.machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(table), 0x28);
  file.writeUInt16LE(HEADER, 0x34);
  file.writeUInt16LE(SECTION_HEADER, 0x3a);
  file.writeUInt16LE(3, 0x3c);
  file.writeUInt16LE(2, 0x3e);
  file.set(found.modinfo, HEADER);
  file.set(names, HEADER + found.modinfo.length);
  writeSection(file, table + SECTION_HEADER, 1, SHT_PROGBITS, HEADER, found.modinfo.length);
  writeSection(
    file,
    table + 2 * SECTION_HEADER,
    NAME.length + 2,
    SHT_STRTAB,
    HEADER + found.modinfo.length,
    names.length,
  );
  return file;
}

function align(n: number): number {
  return (n + 7) & ~7;
}

function writeSection(file: Buffer, at: number, name: number, type: number, offset: number, size: number): void {
  file.writeUInt32LE(name, at);
  file.writeUInt32LE(type, at + 4);
  file.writeBigUInt64LE(BigInt(offset), at + 24);
  file.writeBigUInt64LE(BigInt(size), at + 32);
  file.writeBigUInt64LE(1n, at + 48); // alignment
}

function findModinfo(file: Buffer): { modinfo: Uint8Array; machine: number } | undefined {
  if (file.length < HEADER || latin1(file.subarray(0, 4)) !== "\x7fELF") return undefined;
  const wide = file[4] === 2;
  const little = file[5] !== 2;
  const u16 = (at: number): number => (little ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const u32 = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const word = (at: number): number =>
    wide ? Number(little ? file.readBigUInt64LE(at) : file.readBigUInt64BE(at)) : u32(at);
  const table = word(wide ? 0x28 : 0x20);
  const size = u16(wide ? 0x3a : 0x2e);
  const count = u16(wide ? 0x3c : 0x30);
  const names = u16(wide ? 0x3e : 0x32);
  if (size < (wide ? 64 : 40) || names >= count || table + count * size > file.length) return undefined;
  const section = (index: number) => {
    const at = table + index * size;
    return { name: u32(at), type: u32(at + 4), offset: word(at + (wide ? 24 : 16)), size: word(at + (wide ? 32 : 20)) };
  };
  const strings = section(names).offset;
  for (let index = 1; index < count; index++) {
    const { name, type, offset, size: length } = section(index);
    if (type === SHT_NOBITS || strings + name + NAME.length + 1 > file.length) continue;
    if (latin1(file.subarray(strings + name, strings + name + NAME.length + 1)) !== `${NAME}\0`) continue;
    return offset + length > file.length
      ? undefined
      : { modinfo: file.subarray(offset, offset + length), machine: u16(18) };
  }
  return undefined;
}
