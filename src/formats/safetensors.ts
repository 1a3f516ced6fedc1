/**
 * safetensors: named tensors and nothing else. [header length u64][header, JSON][data]. The smallest whole format: copy it to start
 * another. https://huggingface.co/docs/safetensors/index
 */

import { FileError } from "../base/errors.ts";
import { utf8 } from "../base/bytes.ts";
import { bytesOf, model, type ElementType, type Integrity, type Tensor } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";

/** The reference implementation's own limit. */
const HEADER_LIMIT = 100_000_000;
/** Tensors of the largest published models: some 200,000 (sharded over files). */
const TENSOR_LIMIT = 1_000_000;

const types: Readonly<Record<string, ElementType>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  F8_E4M3: "float8e4m3fn",
  F8_E5M2: "float8e5m2",
  F4: "float4e2m1",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U64: "uint64",
  U32: "uint32",
  U16: "uint16",
  U8: "uint8",
  BOOL: "bool",
  C64: "complex64",
};

const format: Format = {
  id: "safetensors",
  name: "safetensors",
  vendor: "Hugging Face",
  extensions: [".safetensors"],
  shows: "full",
  matches(file) {
    if (file.size < 10) return 0;
    const length = file.cursor(0, 8).u64();
    if (length < 2n || length > BigInt(HEADER_LIMIT)) return 0;
    const start = utf8(file.slice(8, Math.min(24, file.size - 8))).trimStart();
    return start.startsWith('{"') || start.startsWith("{}") ? 2 : 0;
  },
  read(file) {
    const length = file.cursor(0, 8).size64();
    if (length > HEADER_LIMIT) throw new FileError(file.name, `header of ${length} bytes, over ${HEADER_LIMIT}`, 0);
    const header = parseHeader(file, length);
    const start = 8 + length;
    const tensors: Tensor[] = [];
    const integrity: Integrity[] = [];
    const metadata: Record<string, string> = {};
    for (const [name, entry] of Object.entries(header)) {
      if (name === "__metadata__") {
        if (typeof entry === "object" && entry !== null) {
          for (const [key, value] of Object.entries(entry)) metadata[key] = String(value).slice(0, 4096);
        }
        continue;
      }
      if (tensors.length >= TENSOR_LIMIT) throw new FileError(file.name, `more than ${TENSOR_LIMIT} tensors`, 8);
      tensors.push(readTensor(file, name, entry, start, integrity));
    }
    integrity.push(...checkExtents(tensors, start, file.size));
    return model("safetensors", {
      sealed: false,
      graphs: [{ name: "", tensors, nodes: [], inputs: [], outputs: [] }],
      metadata,
      sections: [
        { name: "header", kind: "metadata", offset: 0, bytes: Math.min(start, file.size) },
        { name: "data", kind: "weights", offset: start, bytes: Math.max(0, file.size - start) },
      ],
      integrity,
      unseen: ["which operators use the tensors: the format holds weights only"],
    });
  },
  sources: ["https://github.com/huggingface/safetensors/blob/main/README.md"],
  checked: { files: 1, says: "one published file; sparse files of our own" },
};
export default format;

function parseHeader(file: ModelFile, length: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(utf8(file.slice(8, length)));
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(file.name, "the header is no JSON", 8, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FileError(file.name, "the header is no JSON object", 8);
  }
  return value as Record<string, unknown>; // checked just above
}

function readTensor(file: ModelFile, name: string, entry: unknown, start: number, integrity: Integrity[]): Tensor {
  const {
    dtype,
    shape,
    data_offsets: extent,
  } = (typeof entry === "object" && entry !== null ? entry : {}) as {
    dtype?: unknown;
    shape?: unknown;
    data_offsets?: unknown;
  };
  if (!isNumbers(shape) || !isNumbers(extent) || extent.length !== 2) {
    throw new FileError(file.name, `tensor ${JSON.stringify(name.slice(0, 80))} has no shape or data_offsets`, 8);
  }
  const [from = 0, to = 0] = extent;
  const spelled = typeof dtype === "string" ? dtype : "";
  const type = Object.hasOwn(types, spelled) ? (types[spelled] ?? "unknown") : "unknown";
  const tensor: Tensor = {
    name,
    type,
    ...(type === "unknown" ? { spelled } : {}),
    shape,
    data: { offset: start + from, bytes: to - from },
  };
  const expected = bytesOf(tensor);
  if (to < from || (expected !== undefined && expected !== to - from)) {
    integrity.push({
      severity: "error",
      rule: "extent/wrong-size",
      says: `${name.slice(0, 80)}: ${spelled} [${shape.join(", ")}] needs ${expected ?? "?"} bytes and has ${to - from}`,
      offset: start + from,
    });
  }
  return tensor;
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length <= 64 &&
  value.every((n) => typeof n === "number" && Number.isSafeInteger(n) && n >= 0);

/** Past the end, overlapping, or with holes: the format allows none of these. */
function checkExtents(tensors: readonly Tensor[], start: number, size: number): Integrity[] {
  const out: Integrity[] = [];
  const sorted = tensors
    .filter((tensor) => (tensor.data?.bytes ?? 0) > 0)
    .sort((a, b) => (a.data?.offset ?? 0) - (b.data?.offset ?? 0));
  let end = start;
  for (const { name, data } of sorted) {
    const offset = data?.offset ?? 0;
    const label = name.slice(0, 80);
    if (offset < end)
      out.push({ severity: "error", rule: "extent/overlap", says: `${label} overlaps the tensor before it`, offset });
    else if (offset > end)
      out.push({
        severity: "warning",
        rule: "extent/hole",
        says: `${offset - end} bytes before ${label} belong to no tensor`,
        offset: end,
      });
    end = Math.max(end, offset + (data?.bytes ?? 0));
  }
  if (end > size)
    out.push({
      severity: "error",
      rule: "extent/past-end",
      says: `tensors end at ${end}, the file at ${size}: ${end - size} bytes are missing`,
      offset: size,
    });
  else if (end < size)
    out.push({
      severity: "note",
      rule: "extent/trailing",
      says: `${size - end} bytes after the last tensor`,
      offset: end,
    });
  return out;
}
