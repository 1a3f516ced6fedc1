/** The ELF inside an NPU blob: its notes, the platform and the description of the network, as the compiler's serializer lays them out. */

import { elf, type ElfSection } from "./elf.ts";

export interface NpuPort {
  readonly name: string;
  /** OVNodeType: 5 is float32, 14 uint8. */
  readonly type: number;
  readonly shape: readonly number[];
}

export interface NpuParts {
  /** ArchKind: 3 is 37xx, 4 is 40xx. */
  readonly arch: number;
  readonly mapped: readonly [number, number, number];
  readonly inputs?: readonly NpuPort[];
  readonly outputs?: readonly NpuPort[];
}

const note = (type: number, version: readonly number[]): Uint8Array => {
  const out = Buffer.alloc(32);
  [4, 16, type].forEach((word, index) => out.writeUInt32LE(word, index * 4));
  out.write("GNU\0", 12, "latin1");
  version.forEach((word, index) => out.writeUInt32LE(word, 20 + index * 4));
  return out;
};

/** Elements of { count, bytes of all }, each behind its descriptor. */
function serialized(...elements: readonly { readonly count: number; readonly data: Uint8Array }[]): Uint8Array {
  const parts: Buffer[] = [];
  let at = 0;
  elements.forEach(({ count, data }, index) => {
    const descriptor = Buffer.alloc(32);
    const padded = Buffer.alloc((data.length + 7) & ~7);
    padded.set(data);
    const next = at + 32 + padded.length;
    descriptor.writeBigUInt64LE(BigInt(count === 0 ? 0 : at + 32), 0);
    descriptor.writeBigUInt64LE(BigInt(index + 1 < elements.length ? next : 0), 8);
    descriptor.writeBigUInt64LE(BigInt(count), 16);
    descriptor.writeBigUInt64LE(BigInt(count === 0 ? 0 : data.length / count), 24);
    parts.push(descriptor, padded);
    at = next;
  });
  return Buffer.concat(parts);
}

function port({ name, type, shape }: NpuPort): Uint8Array {
  const out = Buffer.alloc(8784);
  out.write("tensor", 0, "latin1");
  shape.forEach((size, index) => out.writeBigUInt64LE(BigInt(size), 8192 + index * 8));
  out.write(name, 8256, "latin1");
  out.write("fed by", 8512, "latin1");
  [type, shape.length, 1].forEach((word, index) => out.writeUInt32LE(word, 8768 + index * 4));
  return out;
}

export function npuElf(
  { arch, mapped, inputs = [], outputs = [] }: NpuParts,
  more: readonly ElfSection[] = [],
): Uint8Array {
  const platform = Buffer.alloc(8);
  platform.writeBigUInt64LE(BigInt(arch));
  const identity = Buffer.alloc(512);
  identity.write("VPUX40XX", 0, "latin1");
  identity.write("net", 256, "latin1");
  const resources = Buffer.alloc(12);
  resources[10] = 2;
  const nothing = { count: 0, data: new Uint8Array(0) };
  const network = serialized(
    { count: 1, data: identity },
    { count: 1, data: resources },
    ...Array.from({ length: 6 }, () => nothing),
    { count: inputs.length, data: Buffer.concat(inputs.map(port)) },
    { count: outputs.length, data: Buffer.concat(outputs.map(port)) },
  );
  return elf([
    { name: ".note.LoaderABIVersion", data: note(1, [1, 2, 3]), type: 7 },
    { name: ".note.MappedInferenceVersion", data: note(0xa000, mapped), type: 7 },
    { name: ".meta.PlatformInfo", data: serialized({ count: 1, data: platform }), type: 0x8aaaaaaf },
    { name: ".meta.Metadata", data: network, type: 0x8aaaaaaa },
    ...more,
  ]);
}
