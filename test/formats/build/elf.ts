/** ELF, 64-bit little-endian, as sealed formats wrap it: a header, the sections' bytes, their names, and the section headers at the end. */

export interface ElfSection {
  readonly name: string;
  readonly data: string | Uint8Array;
  /** SHT_*; 1 is PROGBITS. */
  readonly type?: number;
  /** SHF_*; 6 is allocated and executable. */
  readonly flags?: number;
}

export function elf(
  sections: readonly ElfSection[],
  header: { type?: number; machine?: number; flags?: number } = {},
): Uint8Array {
  const names = ["", ...sections.map(({ name }) => name), ".shstrtab"];
  const strings = Buffer.from(names.map((name) => `${name}\0`).join(""), "latin1");
  const all = [...sections, { name: ".shstrtab", data: strings, type: 3, flags: 0 }];
  const parts: Uint8Array[] = [];
  let at = 64;
  let nameAt = 1;
  const heads = all.map(({ name, data, type = 1, flags = 0 }) => {
    const bytes = Buffer.from(data as string, "latin1");
    const head = Buffer.alloc(64);
    head.writeUInt32LE(nameAt, 0);
    head.writeUInt32LE(type, 4);
    head.writeBigUInt64LE(BigInt(flags), 8);
    head.writeBigUInt64LE(BigInt(at), 24);
    head.writeBigUInt64LE(BigInt(bytes.length), 32);
    head.writeBigUInt64LE(8n, 48);
    nameAt += name.length + 1;
    const padded = Buffer.alloc((bytes.length + 7) & ~7);
    bytes.copy(padded);
    parts.push(padded);
    at += padded.length;
    return head;
  });
  const start = Buffer.alloc(64);
  start.write("\x7fELF\x02\x01\x01", 0, "latin1");
  start.writeUInt16LE(header.type ?? 1, 16);
  start.writeUInt16LE(header.machine ?? 0, 18);
  start.writeUInt32LE(1, 20);
  start.writeBigUInt64LE(BigInt(at), 40);
  start.writeUInt32LE(header.flags ?? 0, 48);
  start.writeUInt16LE(64, 52);
  start.writeUInt16LE(64, 58);
  start.writeUInt16LE(all.length + 1, 60);
  start.writeUInt16LE(all.length, 62);
  return Buffer.concat([start, ...parts, Buffer.alloc(64), ...heads]);
}
