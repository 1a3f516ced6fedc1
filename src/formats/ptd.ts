/**
 * ExecuTorch tensor data (.ptd): tensors and blobs by name, for a program that keeps its weights outside. A flatbuffer FT01 behind a
 * header, and a segment for each. https://github.com/pytorch/executorch/blob/main/extension/flat_tensor/serialize/flat_tensor.fbs
 */

import { bytesOf, model, type Model, type Section, type Tensor } from "../model/graph.ts";
import { readContainer, readSegments, sectionsOf, type HeaderLayout, type Stretch } from "./executorch/container.ts";
import { Notes } from "./executorch/notes.ts";
import { fields, scalarTypes } from "./executorch/schema.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { has } from "./sealed/parts.ts";
import type { Table } from "./wire/flatbuffer.ts";

/** "FH01": offset and size of the flatbuffer, base and size of the segments. */
const header: HeaderLayout = { mark: "FH01", least: 40, start: 8, size: 16, base: 24, total: 32 };

/** Tensors of the largest models: some 10,000; data sets of adapters more. */
const TENSOR_LIMIT = 1_000_000;
const RANK_LIMIT = 16;

/** Of files before June 2025: tensors in segments they share, blobs apart. */
const before = {
  FlatTensor: { tensors: 2, segments: 3, named_data: 4 },
  TensorMetadata: { fully_qualified_name: 0, scalar_type: 1, sizes: 2, segment_index: 4, offset: 5 },
} as const;

const format: Format = {
  id: "ptd",
  name: "ExecuTorch tensor data",
  vendor: "PyTorch",
  extensions: [".ptd"],
  marks: [{ at: 4, is: "FT01" }],
  shows: "full",
  matches: (file) => (file.size >= 16 && has(file, "FT01", 4) ? 2 : 0),
  read: readTensorData,
  sources: ["https://github.com/pytorch/executorch/blob/main/extension/flat_tensor/serialize/flat_tensor.fbs"],
  checked: {
    files: 2,
    says: "files that ExecuTorch 1.5.1 wrote, held against its own reader; the layout of before June 2025 from its schema only",
  },
};
export default format;

interface Context {
  readonly segments: readonly Stretch[];
  readonly notes: Notes;
}

function readTensorData(file: ModelFile): Model {
  const notes = new Notes();
  const container = readContainer(file, header, notes);
  const { root } = container;
  if (container.header === undefined) notes.error("header/none", "the file has no header FH01", 8);
  const f = before.FlatTensor;
  // The newest layout has three fields; the one before it has its segments in the fourth.
  const old = root.find(f.segments, 4) !== undefined;
  const segments = readSegments(container, old ? f.segments : fields.FlatTensor.segments, notes);
  const context = { segments, notes };
  const named = root.tables(old ? f.named_data : fields.FlatTensor.named_data, TENSOR_LIMIT, "named blobs");
  const tensors = [
    ...(old ? root.tables(f.tensors, TENSOR_LIMIT, "tensors").map((table) => readOld(table, context)) : []),
    ...named.map((table) => readNamed(table, context)),
  ];
  const data = segments.map((segment): Section => ({ name: "data", kind: "weights", ...segment }));
  const sections = sectionsOf(container, data).map((section) =>
    section.name === "program" ? { ...section, name: "names", kind: "metadata" as const } : section,
  );
  return model("ptd", {
    sealed: false,
    version: String(root.u32(fields.FlatTensor.version)),
    producer: { name: "ExecuTorch" },
    graphs: [{ name: "", tensors, nodes: [], inputs: [], outputs: [] }],
    sections,
    integrity: notes.integrity,
    unseen: ["which operators use the tensors: the program stands in a .pte file"],
  });
}

/** A blob, and the layout of the tensor it is, where it is one. */
function readNamed(table: Table, context: Context): Tensor {
  const f = fields.NamedData;
  const name = table.string(f.key) ?? "";
  const segment = segmentOf(table, table.u32(f.segment_index), name, context);
  const layout = table.table(f.tensor_layout);
  if (layout === undefined) {
    return { name, type: "unknown", spelled: "blob", ...(segment === undefined ? {} : { data: segment }) };
  }
  const l = fields.TensorLayout;
  return withData(name, layout.i8(l.scalar_type), sizesOf(layout, l.sizes), segment, table.at, context);
}

function readOld(table: Table, context: Context): Tensor {
  const f = before.TensorMetadata;
  const name = table.string(f.fully_qualified_name) ?? "";
  const segment = segmentOf(table, table.u32(f.segment_index), name, context);
  const offset = Number(table.u64(f.offset));
  const rest = segment && { offset: segment.offset + offset, bytes: Math.max(0, segment.bytes - offset) };
  return withData(name, table.i8(f.scalar_type), sizesOf(table, f.sizes), rest, table.at, context);
}

const sizesOf = (table: Table, field: number): readonly number[] =>
  table.i32s(field, RANK_LIMIT, "sizes of a tensor") ?? [];

function segmentOf({ at }: Table, index: number, name: string, { segments, notes }: Context): Stretch | undefined {
  const segment = segments[index];
  if (segment === undefined) {
    const says = `${name.slice(0, 80)} lies in segment ${index}, there are ${segments.length}`;
    notes.error("tensor/no-data", says, at);
  }
  return segment;
}

/** The tensor with as many bytes of its place as it needs; what is behind them is padding or the next one. */
function withData(
  name: string,
  code: number,
  shape: readonly number[],
  place: Stretch | undefined,
  at: number,
  { notes }: Context,
): Tensor {
  const scalar = scalarTypes[code];
  const label = name.slice(0, 80);
  if (scalar === undefined) notes.error("tensor/type", `${label} has element type ${code}, which is not known`, at);
  const type = scalar?.type ?? "unknown";
  const plain: Tensor = {
    name,
    type,
    ...(type === "unknown" ? { spelled: scalar?.name ?? `type ${code}` } : {}),
    shape,
  };
  if (place === undefined) return plain;
  const expected = bytesOf(plain) ?? place.bytes;
  if (expected > place.bytes) {
    const says = `${label}: ${type} [${shape.join(", ")}] needs ${expected} bytes and has ${place.bytes}`;
    notes.error("extent/wrong-size", says, place.offset);
  }
  return { ...plain, data: { offset: place.offset, bytes: Math.min(expected, place.bytes) } };
}
