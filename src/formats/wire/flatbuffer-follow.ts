/**
 * FlatBuffers followed to their ends: what a reader does not tell of must still be where its offsets say. A shape names the fields of a
 * table that lead somewhere; whoever reads a buffer in part checks the rest with it.
 */

import type { Table } from "./flatbuffer.ts";

/** Tables and elements of one buffer: networks of the largest compiled models have some thousand operators. */
const TABLE_LIMIT = 200_000;

export interface TableShape {
  readonly strings?: readonly number[];
  /** Vectors of numbers: field to bytes of an element. */
  readonly numbers?: Readonly<Record<number, number>>;
  /** Vectors of tables. */
  readonly tables?: Readonly<Record<number, TableShape>>;
  /** One table. */
  readonly single?: Readonly<Record<number, TableShape>>;
}

/** Throws FileError where an offset, a length or a vtable leads out of the buffer. */
export function follow(table: Table, { strings = [], numbers = {}, tables = {}, single = {} }: TableShape): void {
  for (const field of strings) table.string(field);
  for (const [field, width] of Object.entries(numbers)) table.vector(Number(field), width);
  for (const [field, shape] of Object.entries(tables)) {
    for (const inner of table.tables(Number(field), TABLE_LIMIT, "tables")) follow(inner, shape);
  }
  for (const [field, shape] of Object.entries(single)) {
    const inner = table.table(Number(field));
    if (inner !== undefined) follow(inner, shape);
  }
}
