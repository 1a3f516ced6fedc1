/**
 * Sparse constants of TFLite: which elements are stored, dimension by dimension (SparsityParameters of schema.fbs). Each dimension is
 * dense, or lists for each element of the one before where its segment of indices ends, as compressed rows do.
 */

import type { Dimension } from "../../model/graph.ts";
import type { Table } from "../wire/flatbuffer.ts";
import { fields, sparseIndexVectors } from "./schema.ts";

/** Dimensions of a tensor and of its blocks; TFLite takes 8 of each at most. */
const RANK_LIMIT = 128;
/** Indices read to hold them against the dimension: of longer lists only the number is checked. */
const INDICES_READ = 65_536;
const SPARSE_CSR = 1;

type Wrong = (says: string) => void;

/** Elements that are stored; undefined where the parameters contradict themselves or the shape, which `wrong` is told. */
export function storedElements(
  sparsity: Table,
  shape: readonly Dimension[] | undefined,
  wrong: Wrong,
): number | undefined {
  const f = fields.SparsityParameters;
  const order = sparsity.i32s(f.traversal_order, RANK_LIMIT, "traversal order") ?? [];
  const blocks = sparsity.i32s(f.block_map, RANK_LIMIT, "block map") ?? [];
  const dimensions = sparsity.tables(f.dim_metadata, RANK_LIMIT, "sparse dimensions");
  const rank = shape?.length ?? order.length - blocks.length;
  if (order.length !== rank + blocks.length || dimensions.length !== order.length) {
    wrong(`${dimensions.length} sparse dimensions in an order of ${order.length}, it has ${rank} and ${blocks.length}`);
    return undefined;
  }
  if (new Set(order).size !== order.length || order.some((one) => one < 0 || one >= order.length)) {
    wrong(`the order [${order.join(", ")}] of its sparse dimensions names one twice`);
    return undefined;
  }
  if (blocks.some((one) => one < 0 || one >= rank)) {
    wrong(`blocks along [${blocks.join(", ")}], it has ${rank} dimensions`);
    return undefined;
  }
  let count = 1;
  for (const [position, dimension] of dimensions.entries()) {
    const size = sizeOf(order[position] ?? 0, { shape, rank, blocks, order, dimensions });
    const found = elementsAlong(dimension, count, size, wrong);
    if (found === undefined) return undefined;
    count = found;
  }
  return count;
}

interface Whole {
  readonly shape: readonly Dimension[] | undefined;
  readonly rank: number;
  readonly blocks: readonly number[];
  readonly order: readonly number[];
  readonly dimensions: readonly Table[];
}

const denseSize = (dimension: Table | undefined): number => dimension?.i32(fields.DimensionMetadata.dense_size) ?? 0;

/** Along a dimension of the tensor, or of a block (which is dense): a dimension that blocks lie along has as many elements as blocks. */
function sizeOf(one: number, { shape, rank, blocks, order, dimensions }: Whole): number | undefined {
  if (one >= rank) return denseSize(dimensions[order.indexOf(one)]);
  const size = shape?.[one];
  if (typeof size !== "number") return undefined;
  let block = 1;
  blocks.forEach((along, at) => {
    if (along === one) block *= denseSize(dimensions[order.indexOf(rank + at)]);
  });
  return block > 0 ? size / block : undefined;
}

function elementsAlong(dimension: Table, before: number, size: number | undefined, wrong: Wrong): number | undefined {
  const f = fields.DimensionMetadata;
  if (dimension.i8(f.format) !== SPARSE_CSR) {
    const dense = denseSize(dimension);
    if (dense < 0 || (size !== undefined && dense !== size)) {
      wrong(`a dense dimension of ${dense}, the shape has ${size ?? "none"}`);
      return undefined;
    }
    return before * dense;
  }
  const segments = numbers(dimension, f.array_segments_type, "segments");
  const indices = numbers(dimension, f.array_indices_type, "indices");
  if (segments.count !== before + 1) {
    wrong(`${segments.count} segments of a sparse dimension, ${before + 1} are needed`);
    return undefined;
  }
  const ends = segments.count <= INDICES_READ ? segments.read() : [];
  if (segments.last !== indices.count || ends.some((end, at) => end < (ends[at - 1] ?? 0)) || (ends[0] ?? 0) !== 0) {
    wrong(`segments of a sparse dimension end at ${segments.last}, it has ${indices.count} indices`);
    return undefined;
  }
  const past = (indices.count <= INDICES_READ ? indices.read() : []).find(
    (index) => index < 0 || (size !== undefined && index >= size),
  );
  if (past !== undefined) {
    wrong(`index ${past} of a sparse dimension of ${size ?? "any size"}`);
    return undefined;
  }
  return indices.count;
}

const width: Readonly<Record<string, number>> = { Int32Vector: 4, Uint16Vector: 2, Uint8Vector: 1 };

/** A SparseIndexVector: its numbers are read when asked for. */
function numbers(
  table: Table,
  field: number,
  what: string,
): { readonly count: number; readonly last: number; readonly read: () => number[] } {
  const union = table.union(field);
  const bytes = width[sparseIndexVectors[union?.type ?? 0] ?? ""];
  const vector = bytes === undefined ? undefined : union?.table.vector(0, bytes);
  if (bytes === undefined || vector === undefined) return { count: 0, last: 0, read: () => [] };
  const { buffer } = table;
  buffer.check(vector.at, vector.count * bytes, what);
  const one = (index: number): number => {
    const at = vector.at + index * bytes;
    return bytes === 4 ? buffer.i32(at) : bytes === 2 ? buffer.u16(at) : buffer.u8(at);
  };
  return {
    count: vector.count,
    last: vector.count === 0 ? 0 : one(vector.count - 1),
    read: () => {
      buffer.spend(vector.count * bytes, vector.at);
      return Array.from({ length: vector.count }, (_, index) => one(index));
    },
  };
}
