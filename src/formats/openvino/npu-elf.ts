/**
 * What the ELF inside an NPU blob says: for which generation it was compiled, which versions of the loader and of the firmware it was
 * made for, and what goes in and out. Layouts: https://github.com/openvinotoolkit/npu_plugin_elf vpux_elf (Apache-2.0):
 * types/vpu_extensions.hpp, section_header.hpp, vpux_headers/platform.hpp, serial_struct_base.hpp, metadata_primitives.hpp, VERSIONING.md
 */

import { FileError } from "../../base/errors.ts";
import type { Cursor } from "../../base/bytes.ts";
import type { ElementType, Integrity, Requirement, Target, Tensor } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import type { Elf } from "../sealed/elf.ts";
import { error, word } from "../sealed/parts.ts";

const SHT_NOTE = 7;
const SHT_NETDESC = 0x8aaaaaaa;
const SHT_PLATFORM_INFO = 0x8aaaaaaf;
const NT_ABI = 1;
const NT_MAPPED_INFERENCE = 0xa000;
/** A note: two sizes, the type, four bytes of name, and four words: system, major, minor, patch. */
const NOTE = 32;
/** The loader takes up to 32 inputs and outputs; each costs 8,784 bytes. */
const PORT_LIMIT = 32;
const NETDESC_LIMIT = 1024 * 1024;
const NODE = 8784;
const DIMENSIONS = 8;

/** ArchKind: the generation by the names of its firmware, and the catalogue's chips of it. */
const archs: Readonly<Record<number, { name: string; chips: readonly string[] }>> = {
  3: { name: "37xx", chips: ["mtl", "arl"] },
  4: { name: "40xx", chips: ["lnl"] },
};

/** OVNodeType */
const types: readonly (ElementType | undefined)[] = [
  undefined,
  undefined,
  "bool",
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "int4",
  "int8",
  "int16",
  "int32",
  "int64",
  undefined,
  "uint4",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "float8e4m3fn",
  "float8e5m2",
];

export interface NpuElf {
  readonly targets: readonly Target[];
  readonly requires: readonly Requirement[];
  readonly metadata: Readonly<Record<string, string | number | undefined>>;
  readonly inputs?: readonly Tensor[];
  readonly outputs?: readonly Tensor[];
  readonly integrity: readonly Integrity[];
}

/** `end`: where the ELF ends in the file. */
export function describeNpuElf(file: ModelFile, elf: Elf, end: number): NpuElf {
  const integrity: Integrity[] = [];
  const sections = elf.sections.filter(({ offset, bytes }) => offset + bytes <= end);
  const attempt = <T>(what: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (cause) {
      if (!(cause instanceof FileError)) throw cause;
      integrity.push(
        error("section/contents", `its ${what} cannot be read: ${cause.message.split(": ").at(-1) ?? ""}`),
      );
      return undefined;
    }
  };
  const platform = sections.find(({ type }) => type === SHT_PLATFORM_INFO);
  const kind = platform && attempt("platform", () => readPlatform(file.cursor(platform.offset, platform.bytes)));
  const arch = kind === undefined ? undefined : archs[kind];
  const notes = new Map<number, string>();
  for (const { type, offset, bytes } of sections) {
    if (type !== SHT_NOTE || bytes !== NOTE) continue;
    const cursor = file.cursor(offset, NOTE).skip(8);
    const which = cursor.u32();
    const [major, minor, patch] = [cursor.skip(8).u32(), cursor.u32(), cursor.u32()];
    notes.set(which, `${major}.${minor}.${patch}`);
  }
  const description = sections.find(({ type, bytes }) => type === SHT_NETDESC && bytes <= NETDESC_LIMIT);
  const net =
    description && attempt("description", () => readNetwork(file.cursor(description.offset, description.bytes)));
  const mapped = notes.get(NT_MAPPED_INFERENCE);
  const says = arch?.name ?? (kind === undefined ? undefined : `architecture ${kind}`);
  return {
    targets:
      arch === undefined
        ? [{ family: "intel-npu", says: says === undefined ? "Intel NPU" : `Intel NPU, ${says}` }]
        : arch.chips.map((chip) => ({ family: "intel-npu", chip, says: `Intel NPU ${arch.name}` })),
    requires: arch === undefined || mapped === undefined ? [] : mappedInference(arch.name, mapped),
    metadata: {
      network: net?.name,
      "compiled for": net?.arch,
      tiles: net?.tiles,
      "mapped inference": mapped,
      "ELF of the loader": notes.get(NT_ABI),
    },
    ...(net === undefined ? {} : { inputs: net.inputs, outputs: net.outputs }),
    integrity,
  };
}

/** The firmware's has the same first number, and a second one that is not smaller. */
function mappedInference(generation: string, version: string): Requirement[] {
  const [major = "", minor = ""] = version.split(".");
  const what = `mapped inference of ${generation} firmware`;
  return [
    { what, relation: "series", version: major },
    { what, relation: "at least", version: `${major}.${minor}` },
  ];
}

/** Elements one after another: where its data is, where the next one stands, how many, and of which size. */
function elements(cursor: Cursor, most: number): { at: number; count: number; size: number }[] {
  const found: { at: number; count: number; size: number }[] = [];
  let next = 0;
  while (found.length < most) {
    cursor.seek(next);
    const [at, following, count, size] = [cursor.size64(), cursor.size64(), cursor.size64(), cursor.size64()];
    if (count > 0 && at + count * size > cursor.length)
      cursor.fail(`element ${found.length} lies outside its section`, next);
    found.push({ at, count, size });
    if (following === 0) break;
    if (following <= next) cursor.fail("elements lead backwards", next);
    next = following;
  }
  return found;
}

function readPlatform(cursor: Cursor): number {
  const [first] = elements(cursor, 1);
  if (first === undefined || first.count !== 1 || first.size !== 8) cursor.fail("no platform of 8 bytes", 0);
  return Number(cursor.seek(first.at).u64());
}

/** 0 identification, 1 resources, 8 and 9 the network's own parameters and results (2 to 7: what the driver makes of them). */
function readNetwork(cursor: Cursor): {
  arch: string;
  name: string;
  tiles: number | undefined;
  inputs: Tensor[];
  outputs: Tensor[];
} {
  const all = elements(cursor, 10);
  const [identity, resources] = all;
  if (identity?.count !== 1 || identity.size < 512) cursor.fail("no identification", 0);
  cursor.seek(identity.at);
  const [arch, name] = [word(cursor.take(256)), word(cursor.take(256))];
  const ports = (index: number): Tensor[] => {
    const element = all[index];
    if (element === undefined || element.count === 0) return [];
    if (element.count > PORT_LIMIT || element.size !== NODE)
      cursor.fail(`${element.count} ports of ${element.size} bytes`, 0);
    return Array.from({ length: element.count }, (_, port) => readNode(cursor, element.at + port * NODE));
  };
  const tiles = resources?.count === 1 && resources.size === 12 ? cursor.seek(resources.at + 10).u8() : undefined;
  return { arch, name, tiles, inputs: ports(8), outputs: ports(9) };
}

/** 32 names of 256 bytes, 8 dimensions, its own name, the name of what feeds it, type, rank. */
function readNode(cursor: Cursor, at: number): Tensor {
  cursor.seek(at + PORT_LIMIT * 256);
  const dimensions = Array.from({ length: DIMENSIONS }, () => cursor.size64());
  const [own, fed] = [word(cursor.take(256)), word(cursor.take(256))];
  const [code, rank] = [cursor.u32(), cursor.u32()];
  if (rank > DIMENSIONS) cursor.fail(`a port of ${rank} dimensions`, at);
  const type = types[code];
  return {
    name: own === "" ? fed : own,
    ...(type === undefined ? { type: "unknown", spelled: `type ${code}` } : { type }),
    shape: dimensions.slice(0, rank),
  };
}
