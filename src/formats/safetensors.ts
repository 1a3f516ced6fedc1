/**
 * safetensors: named tensors and nothing else. [header length u64][header, JSON][data]. The smallest whole format: copy it to start
 * another. https://huggingface.co/docs/safetensors/index
 */

import { FileError } from "../base/errors.ts";
import { utf8 } from "../base/bytes.ts";
import { bytesOf, elementsOf, model, type ElementType, type Integrity, type Tensor } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { boundJson } from "./wire/json.ts";
import { cutShort, error, isRecord } from "./sealed/parts.ts";

/** The reference implementation's own limit. */
const HEADER_LIMIT = 100_000_000;
/** Tensors of the largest published models: some 200,000 (sharded over files). */
const TENSOR_LIMIT = 1_000_000;
/** Keys of its metadata that are kept: writers put in a handful. */
const METADATA_LIMIT = 10_000;

const types: Readonly<Record<string, ElementType>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  F8_E4M3: "float8e4m3fn",
  F8_E5M2: "float8e5m2",
  F8_E4M3FNUZ: "float8e4m3fnuz",
  F8_E5M2FNUZ: "float8e5m2fnuz",
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
/** Bits of the types ElementType does not name. */
const spelledBits: Readonly<Record<string, number>> = { F8_E8M0: 8, F6_E2M3: 6, F6_E3M2: 6 };

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
        const texts = typeof entry === "object" && entry !== null && !Array.isArray(entry) ? Object.entries(entry) : [];
        // What nests has no place here, and may nest too deep to be told as text.
        for (const [key, value] of texts.slice(0, METADATA_LIMIT))
          if (typeof value !== "object") metadata[key] = String(value).slice(0, 4096);
        if (typeof entry !== "object" || Array.isArray(entry) || texts.some(([, value]) => typeof value !== "string"))
          integrity.push({
            severity: "error",
            rule: "metadata/type",
            says: "__metadata__ is no map of texts",
            offset: 8,
          });
        continue;
      }
      if (tensors.length >= TENSOR_LIMIT) throw new FileError(file.name, `more than ${TENSOR_LIMIT} tensors`, 8);
      tensors.push(readTensor(file, name, entry, start, integrity));
    }
    integrity.push(...checkExtents(tensors, start, file));
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
  checked: {
    files: 1,
    says: "one published file; every type as safetensors 0.8.0 writes it, and what that package refuses is an error here; sparse files of our own",
  },
};
export default format;

function parseHeader(file: ModelFile, length: number): Record<string, unknown> {
  const bytes = file.slice(8, length);
  boundJson(bytes, file.name, 8);
  let value: unknown;
  try {
    value = JSON.parse(utf8(bytes));
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    throw new FileError(file.name, "the header is no JSON", 8, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FileError(file.name, "the header is no JSON object", 8);
  }
  return value as Record<string, unknown>; // checked just above
}

function readTensor(file: ModelFile, name: string, entry: unknown, start: number, integrity: Integrity[]): Tensor {
  const { dtype, shape, data_offsets: extent }: Readonly<Record<string, unknown>> = isRecord(entry) ? entry : {};
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
  const expected =
    type === "unknown"
      ? bytesAt(shape, Object.hasOwn(spelledBits, spelled) ? spelledBits[spelled] : undefined)
      : bytesOf(tensor);
  if (type === "unknown" && expected === undefined) {
    const says = `${name.slice(0, 80)} is of ${JSON.stringify(spelled.slice(0, 40))}, which safetensors does not have`;
    integrity.push(error("tensor/type", says, 8));
  }
  if (to < from || (expected !== undefined && expected !== to - from)) {
    const says = `${name.slice(0, 80)}: ${spelled} [${shape.join(", ")}] needs ${expected ?? "?"} bytes and has ${to - from}`;
    integrity.push(error("extent/wrong-size", says, start + from));
  }
  return tensor;
}

function bytesAt(shape: readonly number[], bits: number | undefined): number | undefined {
  const elements = elementsOf(shape);
  return elements === undefined || bits === undefined ? undefined : Math.ceil((elements * bits) / 8);
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length <= 64 &&
  value.every((n) => typeof n === "number" && Number.isSafeInteger(n) && n >= 0);

/** Past the end, overlapping, with holes or a rest: the format allows none of these, its own reader refuses them. */
function checkExtents(tensors: readonly Tensor[], start: number, file: ModelFile): Integrity[] {
  const out: Integrity[] = [];
  const sorted = tensors
    .filter((tensor) => (tensor.data?.bytes ?? 0) > 0)
    .sort((a, b) => (a.data?.offset ?? 0) - (b.data?.offset ?? 0));
  let end = start;
  for (const { name, data } of sorted) {
    const offset = data?.offset ?? 0;
    const label = name.slice(0, 80);
    if (offset < end) out.push(error("extent/overlap", `${label} overlaps the tensor before it`, offset));
    else if (offset > end)
      out.push(error("extent/hole", `${offset - end} bytes before ${label} belong to no tensor`, end));
    end = Math.max(end, offset + (data?.bytes ?? 0));
  }
  out.push(...cutShort(file, end, "the last tensor"));
  if (end < file.size) out.push(error("extent/trailing", `${file.size - end} bytes after the last tensor`, end));
  return out;
}
