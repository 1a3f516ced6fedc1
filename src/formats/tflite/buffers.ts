/**
 * Buffers of a TFLite file: where the bytes of constants and of metadata lie. Three ways: in the flatbuffer; after it, by offset and
 * size (files over 2 GB, and since 2024 by option); in another file, by external buffer groups.
 */

import { FileError } from "../../base/errors.ts";
import type { Integrity, Section, TensorData } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import type { Table } from "../wire/flatbuffer.ts";
import { fields } from "./schema.ts";

/** A buffer for each tensor, and some for metadata. */
const BUFFER_LIMIT = 500_000;
const GROUP_LIMIT = 4096;
/** Bytes between two buffers that are padding or the table of the next one. */
const GAP = 96;

export interface Buffers {
  readonly count: number;
  /** Absolute offset after the last buffer in this file. */
  readonly end: number;
  /** Bytes of a buffer; undefined for an empty one. */
  data(index: number): TensorData | undefined;
  /** Bytes of an external buffer, by its id. */
  external(id: number): TensorData | undefined;
  readonly externalFiles: readonly string[];
  /** Stretches of weights, and the stretches of tables between them. `end`: where what was appended begins. */
  sections(weights: ReadonlySet<number>, end: number): Section[];
  /** Buffers nobody names, and buffers that lie on each other. */
  check(used: ReadonlySet<number>): void;
}

export function readBuffers(file: ModelFile, root: Table, note: (finding: Integrity) => void): Buffers {
  const extents = readExtents(file, root, note);
  const { files, rows } = readExternal(root, note);
  return {
    count: extents.length,
    end: extents.reduce((end, extent) => Math.max(end, (extent?.offset ?? 0) + (extent?.bytes ?? 0)), 0),
    data: (index) => extents[index],
    external: (id) => rows.get(id),
    externalFiles: files,
    sections: (weights, end) => sectionsOf(extents, weights, end),
    check: (used) => checkBuffers(extents, used, note),
  };
}

function readExtents(
  file: ModelFile,
  root: Table,
  note: (finding: Integrity) => void,
): readonly (TensorData | undefined)[] {
  const { buffer } = root;
  const vector = root.vector(fields.Model.buffers, 4);
  if (vector === undefined) return [];
  if (vector.count > BUFFER_LIMIT) buffer.fail(`${vector.count} buffers, over ${BUFFER_LIMIT}`, vector.at - 4);
  const out: (TensorData | undefined)[] = [];
  let lost = 0;
  for (let i = 0; i < vector.count; i++) {
    try {
      out.push(readExtent(file, buffer.table(buffer.follow(vector.at + i * 4)), i, note));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      // Data comes last: of a file cut short, the tables may be whole while buffers are not.
      out.push(undefined);
      lost++;
    }
  }
  if (lost > 0) {
    const says = `${lost} of ${vector.count} buffers lie outside the file or are broken: it is cut short or damaged`;
    note({ severity: "error", rule: "extent/past-end", says, offset: file.size });
  }
  return out;
}

function readExtent(
  file: ModelFile,
  table: Table,
  index: number,
  note: (finding: Integrity) => void,
): TensorData | undefined {
  const at = table.find(fields.Buffer.data, 4);
  let offset: number;
  let bytes: number;
  if (at === undefined) {
    offset = Number(table.u64(fields.Buffer.offset));
    bytes = Number(table.u64(fields.Buffer.size));
    if (offset <= 1) return undefined; // the schema: valid only above 1
  } else {
    offset = table.buffer.follow(at) + 4;
    bytes = table.buffer.u32(offset - 4);
  }
  if (bytes === 0) return undefined;
  if (offset + bytes > file.size) {
    const says = `buffer ${index} ends at ${offset + bytes}, the file at ${file.size}: ${offset + bytes - file.size} bytes are missing`;
    note({ severity: "error", rule: "extent/past-end", says, offset });
  }
  return { offset, bytes };
}

function readExternal(
  root: Table,
  note: (finding: Integrity) => void,
): { files: string[]; rows: Map<number, TensorData> } {
  const g = fields.ExternalBuffer;
  const groups = root
    .tables(fields.Model.external_buffer_groups, GROUP_LIMIT, "external buffer groups")
    .map((group) => group.string(fields.ExternalBufferGroup.name) ?? "");
  const files = new Set<string>();
  for (const group of groups) {
    if (isOutside(group)) {
      const says = `external buffers are in ${JSON.stringify(group.slice(0, 80))}, outside of the model's folder`;
      note({ severity: "error", rule: "external/outside", says });
    } else files.add(group);
  }
  const rows = new Map<number, TensorData>();
  for (const table of root.tables(fields.Model.external_buffers, BUFFER_LIMIT, "external buffers")) {
    const group = groups[table.u32(g.group)];
    if (group === undefined) {
      const says = `an external buffer is of group ${table.u32(g.group)}, there are ${groups.length}`;
      note({ severity: "error", rule: "buffer/dangling", says, offset: table.at });
      continue;
    }
    rows.set(table.u32(g.id), {
      offset: Number(table.u64(g.offset)),
      bytes: Number(table.u64(g.length)),
      file: group,
    });
  }
  return { files: [...files].sort(), rows };
}

/** Not a name in the model's folder or below it. */
const isOutside = (path: string): boolean =>
  path === "" || /^[/\\]|^[A-Za-z]:|\0/.test(path) || path.split(/[/\\]/).includes("..");

function checkBuffers(
  extents: readonly (TensorData | undefined)[],
  used: ReadonlySet<number>,
  note: (finding: Integrity) => void,
): void {
  const unused = extents.flatMap((data, i) => (data === undefined || used.has(i) ? [] : [data]));
  if (unused.length > 0) {
    const bytes = unused.reduce((sum, data) => sum + data.bytes, 0);
    const says = `${unused.length} of ${extents.length} buffers, ${bytes} bytes, are used by no tensor`;
    note({ severity: "note", rule: "buffer/unused", says });
  }
  const sorted = extents
    .flatMap((data, i) =>
      data?.offset === undefined ? [] : [{ i, offset: data.offset, end: data.offset + data.bytes }],
    )
    .sort((a, b) => a.offset - b.offset || a.end - b.end);
  let last = sorted[0];
  for (const next of sorted.slice(1)) {
    // Writers give equal constants one place: the same extent twice is meant.
    const same = last !== undefined && last.offset === next.offset && last.end === next.end;
    if (last !== undefined && next.offset < last.end && !same) {
      const says = `buffers ${last.i} and ${next.i} overlap by ${Math.min(last.end, next.end) - next.offset} bytes`;
      note({ severity: "error", rule: "extent/overlap", says, offset: next.offset });
    }
    if (last === undefined || next.end > last.end) last = next;
  }
}

function sectionsOf(
  extents: readonly (TensorData | undefined)[],
  weights: ReadonlySet<number>,
  fileEnd: number,
): Section[] {
  const sorted = extents
    .flatMap((data, i) =>
      data?.offset === undefined || !weights.has(i) ? [] : [{ offset: data.offset, bytes: data.bytes }],
    )
    .sort((a, b) => a.offset - b.offset);
  const out: Section[] = [];
  let end = 0;
  const until = (to: number): void => {
    if (to > end) out.push({ name: "graph", kind: "graph", offset: end, bytes: to - end });
  };
  for (const data of sorted) {
    const offset = Math.min(data.offset, fileEnd);
    const bytes = Math.min(data.bytes, fileEnd - offset);
    const last = out.at(-1);
    if (last?.kind === "weights" && offset - end < GAP) {
      out[out.length - 1] = { ...last, bytes: Math.max(last.bytes, offset + bytes - last.offset) };
    } else {
      until(offset);
      out.push({ name: "weights", kind: "weights", offset, bytes });
    }
    end = Math.max(end, offset + bytes);
  }
  until(fileEnd);
  return out;
}
