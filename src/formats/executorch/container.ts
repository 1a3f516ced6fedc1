/**
 * What holds an ExecuTorch program (ET12) and its tensor data (FT01) together: a flatbuffer, an extended header put in behind its
 * identifier, and segments after it. pytorch/executorch schema/extended_header.h, extension/flat_tensor/serialize/flat_tensor_header.h.
 */

import type { Section } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { has } from "../sealed/parts.ts";
import { FlatBuffer, type Table } from "../wire/flatbuffer.ts";
import type { Notes } from "./notes.ts";
import { fields } from "./schema.ts";

/** One for the constants, one for each delegate and each named blob: the largest models have some hundreds. */
const SEGMENT_LIMIT = 262_144;

/** A stretch of the file. */
export interface Stretch {
  readonly offset: number;
  readonly bytes: number;
}

export interface Container {
  readonly file: ModelFile;
  readonly root: Table;
  /** Identifier, header and flatbuffer. */
  readonly program: Stretch;
  /** Undefined: no extended header. */
  readonly header: { readonly length: number; readonly base: number; readonly declared: number } | undefined;
}

/** Offsets of the header's fields after its mark: they differ between the two kinds. */
export interface HeaderLayout {
  /** At 8: "eh00", "FH01". */
  readonly mark: string;
  /** Least length of the header. */
  readonly least: number;
  /** Where the flatbuffer's size, the segments' base and their size stand, relative to the mark. */
  readonly size: number;
  readonly base: number;
  readonly total: number;
  /** The size counts from here instead of from 0 of the file. */
  readonly start?: number;
}

const MARK_AT = 8;

export function readContainer(file: ModelFile, layout: HeaderLayout, notes: Notes): Container {
  const header = readHeader(file, layout, notes);
  const end = header === undefined ? file.size : Math.min(header.end, file.size);
  const buffer = new FlatBuffer(file, { length: end });
  return { file, root: buffer.root(), program: { offset: 0, bytes: end }, header };
}

function readHeader(
  file: ModelFile,
  layout: HeaderLayout,
  notes: Notes,
): (NonNullable<Container["header"]> & { end: number }) | undefined {
  if (!has(file, layout.mark, MARK_AT)) return undefined;
  const length = file.cursor(MARK_AT + 4, 4).u32();
  const u64 = (at: number): number => file.cursor(MARK_AT + at, 8).size64();
  if (length < layout.least) {
    notes.error("header/length", `extended header of ${length} bytes, less than ${layout.least}`, MARK_AT + 4);
  }
  const end = u64(layout.size) + (layout.start === undefined ? 0 : u64(layout.start));
  const base = u64(layout.base);
  // Headers of before 2025 end before this field.
  const declared = length >= layout.total + 8 ? u64(layout.total) : 0;
  if (end > file.size) {
    const says = `cut short: the flatbuffer ends at ${end}, the file at ${file.size}`;
    notes.error("extent/past-end", says, file.size);
  }
  if (base !== 0 && base < end) {
    const says = `segments begin at ${base}, inside the flatbuffer that ends at ${end}`;
    notes.error("extent/overlap", says, MARK_AT + layout.base);
  }
  return { length, base, declared, end };
}

/** Segments by their index, absolute. Those past the end are told and kept: who uses them is still of interest. */
export function readSegments(container: Container, vector: number, notes: Notes): Stretch[] {
  const { root, header, file, program } = container;
  const tables = root.tables(vector, SEGMENT_LIMIT, "segments");
  const homeless = header === undefined || header.base === 0;
  // Without any data there is no header: the segment of constants is there and empty.
  if (homeless && tables.some((table) => table.u64(fields.DataSegment.size) > 0n)) {
    notes.error("header/no-segments", "the program has segments, and no extended header says where they begin");
    return [];
  }
  const base = header?.base ?? 0;
  const segments = tables.map((table, index) => {
    const offset = Number(table.u64(fields.DataSegment.offset));
    const bytes = Number(table.u64(fields.DataSegment.size));
    if (!Number.isSafeInteger(offset + bytes) || base + offset + bytes > file.size) {
      const says = `cut short: segment ${index} ends at ${base + offset + bytes}, the file at ${file.size}`;
      notes.error("extent/past-end", says, table.at);
    }
    return { offset: base + offset, bytes };
  });
  const sorted = [...segments].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = base;
  for (const { offset, bytes } of sorted) {
    if (offset < end && bytes > 0) notes.error("extent/overlap", `two segments share bytes from ${offset}`, offset);
    end = Math.max(end, offset + bytes);
  }
  if (header !== undefined && header.declared !== 0 && header.declared !== end - base) {
    const says = `the header declares ${header.declared} bytes of segments, they have ${end - base}`;
    notes.error("extent/wrong-size", says, MARK_AT);
  }
  const last = segments.length > 0 ? end : program.bytes;
  if (header !== undefined && header.base !== 0 && last < file.size) {
    notes.note("extent/trailing", `${file.size - last} bytes after the last segment`, last);
  }
  return segments;
}

/** The whole file in order: the flatbuffer, what `named` tells of the segments, and what lies between. */
export function sectionsOf(container: Container, named: readonly Section[]): Section[] {
  const { file, program } = container;
  const out: Section[] = [{ name: "program", kind: "graph", offset: 0, bytes: program.bytes }];
  let end = program.bytes;
  for (const section of [...named].sort((a, b) => a.offset - b.offset)) {
    const offset = Math.min(section.offset, file.size);
    const bytes = Math.min(section.bytes, file.size - offset);
    if (offset < end || bytes <= 0) continue;
    if (offset > end) out.push({ name: "padding", kind: "padding", offset: end, bytes: offset - end });
    out.push({ ...section, offset, bytes });
    end = offset + bytes;
  }
  return out;
}
