/** The smallest file the kernel tools take for a module: an ELF header, one .modinfo, the section names. Made by hand, of no program. */

export interface ModuleShape {
  readonly wide?: boolean;
  readonly bigEndian?: boolean;
}

export function makeModule(
  info: Readonly<Record<string, string | readonly string[]>>,
  { wide = true, bigEndian = false }: ModuleShape = {},
): Uint8Array {
  const entries = Object.entries(info).flatMap(([key, value]) =>
    (typeof value === "string" ? [value] : value).map((word) => `${key}=${word}\0`),
  );
  const modinfo = Buffer.from(entries.join(""));
  const names = Buffer.from("\0.modinfo\0.shstrtab\0");
  const header = wide ? 64 : 52;
  const entry = wide ? 64 : 40;
  const modinfoAt = header;
  const namesAt = modinfoAt + modinfo.length;
  const table = namesAt + names.length;
  const file = Buffer.alloc(table + 3 * entry);
  const put = (value: number, offset: number, size: 2 | 4 | 8): void => {
    const low = size === 8 && bigEndian ? offset + 4 : offset;
    if (size === 2) {
      if (bigEndian) file.writeUInt16BE(value, low);
      else file.writeUInt16LE(value, low);
    } else if (bigEndian) file.writeUInt32BE(value, low);
    else file.writeUInt32LE(value, low);
  };
  const word = wide ? 8 : 4;
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, bigEndian ? 2 : 1, 1]);
  put(1, 16, 2); // ET_REL
  put(table, wide ? 0x28 : 0x20, word);
  put(entry, wide ? 0x3a : 0x2e, 2);
  put(3, wide ? 0x3c : 0x30, 2);
  put(2, wide ? 0x3e : 0x32, 2);
  modinfo.copy(file, modinfoAt);
  names.copy(file, namesAt);
  const section = (index: number, name: number, offset: number, size: number): void => {
    const start = table + index * entry;
    put(name, start, 4);
    put(1, start + 4, 4);
    put(offset, start + (wide ? 0x18 : 0x10), word);
    put(size, start + (wide ? 0x20 : 0x14), word);
  };
  section(1, 1, modinfoAt, modinfo.length);
  section(2, 10, namesAt, names.length);
  return file;
}
