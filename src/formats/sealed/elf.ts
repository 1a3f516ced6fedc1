/** ELF as sealed formats use it: header, sections with their names, the compiler's .comment. System V ABI; 64-bit little-endian only. */

import { FileError } from "../../base/errors.ts";
import type { Integrity, Section } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { error, FINDING_LIMIT, word } from "./parts.ts";

/** Kernels have some ten; NPU blobs some hundred. */
const SECTION_LIMIT = 65_535;
/** Of .shstrtab: names of that many sections. */
const NAMES_LIMIT = 4 * 1024 * 1024;
const SHT_NOBITS = 8;
const SHF_EXECINSTR = 4n;
const SHF_ALLOC = 2n;

export interface Elf {
  readonly type: number;
  readonly machine: number;
  readonly entry: bigint;
  readonly flags: number;
  readonly sections: readonly (Section & { readonly type: number })[];
  readonly programs: number;
  readonly comment: string;
  /** Where the last of its headers and sections ends. */
  readonly end: number;
  readonly integrity: readonly Integrity[];
}

/** `end`: where the ELF's bytes end in the file. Throws FileError when the header is not whole or not this kind. */
export function readElf(file: ModelFile, end: number): Elf {
  const cursor = file.cursor(0, 64);
  if (cursor.u32() !== 0x464c457f) cursor.fail("no ELF mark", 0);
  if (cursor.u8() !== 2 || cursor.u8() !== 1) cursor.fail("no little-endian 64-bit ELF", 4);
  cursor.seek(16);
  const [type, machine] = [cursor.u16(), cursor.u16()];
  const entry = cursor.skip(4).u64();
  const [programAt, sectionAt] = [cursor.size64(), cursor.size64()];
  const flags = cursor.u32();
  const [, programSize, programs, sectionSize, count, names] = [
    cursor.u16(),
    cursor.u16(),
    cursor.u16(),
    cursor.u16(),
    cursor.u16(),
    cursor.u16(),
  ];
  const integrity: Integrity[] = [];
  let last = 64;
  const missing = (what: string, to: number): void => {
    last = Math.max(last, to);
    if (to > end && integrity.length < FINDING_LIMIT) {
      integrity.push(error("extent/past-end", `cut short: ${what} ends at ${to}, the ELF at ${end}`, end));
    }
  };
  if (programs > 0) missing("the program header table", programAt + programs * programSize);
  if (programs > 0 && programSize >= 56 && programAt + programs * programSize <= end) {
    const table = file.cursor(programAt, programs * programSize);
    for (let index = 0; index < programs; index++) {
      const offset = table.seek(index * programSize + 8).size64();
      const held = table.skip(16).size64();
      if (held > 0) missing(`segment ${index}`, offset + held);
    }
  }
  const sections: (Section & { type: number })[] = [];
  let comment = "";
  if (count > 0) {
    if (sectionSize < 64) throw new FileError(file.name, `section headers of ${sectionSize} bytes`, 58);
    missing("the section header table", sectionAt + count * sectionSize);
    if (sectionAt + count * sectionSize <= end && count <= SECTION_LIMIT) {
      const table = file.cursor(sectionAt, count * sectionSize);
      const heads = Array.from({ length: count }, (_, index) => {
        table.seek(index * sectionSize);
        const [name, kind] = [table.u32(), table.u32()];
        const attributes = table.u64();
        return { name, kind, attributes, offset: table.skip(8).size64(), bytes: table.size64() };
      });
      const strings = heads[names];
      const text =
        strings && strings.bytes <= NAMES_LIMIT && strings.offset + strings.bytes <= end
          ? file.slice(strings.offset, strings.bytes)
          : undefined;
      for (const { name, kind, attributes, offset, bytes } of heads.slice(1)) {
        const label = text && name < text.length ? word(text.subarray(name, name + 256)) : "";
        const held = kind === SHT_NOBITS ? 0 : bytes;
        if (held > 0) missing(`section ${label}`, offset + held);
        if (label === ".comment" && offset + held <= end) comment = word(file.slice(offset, Math.min(held, 256)));
        sections.push({
          name: label,
          type: kind,
          kind: (attributes & SHF_EXECINSTR) !== 0n ? "code" : (attributes & SHF_ALLOC) !== 0n ? "weights" : "metadata",
          offset: held > 0 ? offset : Math.min(offset, end),
          bytes: held,
        });
      }
    }
  }
  return { type, machine, entry, flags, sections, programs, comment, end: last, integrity };
}
