/** Writes small kernel modules: an ELF file of three sections (none, .modinfo, names). System V gABI, chapter 4 */

export interface ModuleShape {
  readonly wide?: boolean;
  readonly bigEndian?: boolean;
}

/** NUL-separated key=value, as a module of that name would carry. */
export function modinfo(name: string): string {
  return [
    `name=${name}`,
    "license=GPL",
    "intree=Y",
    "alias=pci:v00008086d00007D1Dsv*sd*bc*sc*i*",
    "alias=of:N*T*Crockchip,rk3588-rknn-core",
    "firmware=intel/vpu/vpu_37xx_v1.bin",
    "depends=drm,drm-shmem-helper",
    "softdep=pre: x",
    "parm=test_mode:Test mode (int)",
    "parmtype=test_mode:int",
    "import_ns=DMA_BUF",
    "vermagic=7.3.4-fuzz SMP preempt mod_unload ",
    "description=A module\nof two lines",
    "",
  ].join("\0");
}

export function module(info: string, { wide = true, bigEndian = false }: ModuleShape = {}): Buffer {
  const number = (value: number, size: 2 | 4 | 8): Buffer => {
    const bytes = Buffer.alloc(size);
    if (size === 8) bytes[bigEndian ? "writeBigUInt64BE" : "writeBigUInt64LE"](BigInt(value));
    else bytes[bigEndian ? "writeUIntBE" : "writeUIntLE"](value, 0, size);
    return bytes;
  };
  const word = (value: number): Buffer => number(value, wide ? 8 : 4);
  const names = Buffer.from("\0.modinfo\0.shstrtab\0");
  const content = Buffer.from(info);
  const header = wide ? 64 : 52;
  const tableAt = header + content.length + names.length;
  const section = (name: number, type: number, offset: number, size: number): Buffer =>
    Buffer.concat([
      number(name, 4),
      number(type, 4),
      word(0),
      word(0),
      word(offset),
      word(size),
      number(0, 4),
      number(0, 4),
      word(1),
      word(0),
    ]);
  return Buffer.concat([
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, bigEndian ? 2 : 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    number(1, 2),
    number(183, 2),
    number(1, 4),
    word(0),
    word(0),
    word(tableAt),
    number(0, 4),
    ...[header, 0, 0, wide ? 64 : 40, 3, 2].map((value) => number(value, 2)),
    content,
    names,
    section(0, 0, 0, 0),
    section(1, 1, header, content.length),
    section(10, 3, header + content.length, names.length),
  ]);
}
