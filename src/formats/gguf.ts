/**
 * GGUF: weights of language models and all that is needed to load them, versions 1 to 3, either byte order. [magic, version][counts]
 * [metadata][tensor infos][data, aligned]. Dimensions are told as the file has them: the contiguous one first.
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

import { FileError } from "../base/errors.ts";
import { elementsOf, model, type Integrity, type Tensor } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { fileTypes, ggmlTypes } from "./gguf/types.ts";
import { Walk, type Value } from "./gguf/walk.ts";

/** Published models carry some 20 to 80 values; a limit that only a broken count reaches. */
const VALUE_LIMIT = 65_536;
/** Tensors of the largest published models: some 2,000 in a file. */
const TENSOR_LIMIT = 1_000_000;
/** GGML_MAX_DIMS. */
const DIMENSION_LIMIT = 4;
/** Metadata told, and contradictions told: more of either says nothing new. */
const METADATA_KEPT = 256;
const FINDING_LIMIT = 50;
/** Parts of a model split over files. */
const SPLIT_LIMIT = 1000;
const defaultAlignment = 32;

const format: Format = {
  id: "gguf",
  name: "GGUF",
  vendor: "ggml",
  extensions: [".gguf"],
  marks: [{ at: 0, is: "GGUF" }],
  shows: "full",
  matches(file) {
    return file.size >= 8 && file.cursor(0, 4).u32() === 0x46554747 ? 2 : 0;
  },
  read(file) {
    const { version, littleEndian } = readVersion(file);
    const walk = new Walk(file, 8, littleEndian, version >= 2);
    const tensorCount = walk.length();
    const valueCount = walk.length();
    if (tensorCount > TENSOR_LIMIT) throw new FileError(file.name, `${tensorCount} tensors, over ${TENSOR_LIMIT}`, 8);
    if (valueCount > VALUE_LIMIT) throw new FileError(file.name, `${valueCount} values, over ${VALUE_LIMIT}`, 8);
    const integrity: Integrity[] = [];
    const values = readValues(walk, valueCount, integrity);
    const infoStart = walk.at;
    const alignment = readAlignment(file, values);
    const infos: Info[] = [];
    for (let index = 0; index < tensorCount; index++) infos.push(readInfo(walk));
    const start = Math.ceil(walk.at / alignment) * alignment;
    const tensors = infos.map((info) => describe(info, start));
    integrity.push(...checkTensors(tensors, infos, start, alignment, file.size));
    return model("gguf", {
      version: littleEndian ? String(version) : `${version}, big-endian`,
      sealed: false,
      graphs: [{ name: values.get("general.name")?.text ?? "", tensors, nodes: [], inputs: [], outputs: [] }],
      metadata: summary(values, tensors),
      ...words(values),
      sections: [
        { name: "metadata", kind: "metadata", offset: 0, bytes: infoStart },
        { name: "tensor infos", kind: "graph", offset: infoStart, bytes: walk.at - infoStart },
        // A file of a vocabulary alone ends with its metadata, before the data would be aligned to begin.
        ...(start < file.size
          ? [{ name: "data", kind: "weights" as const, offset: start, bytes: file.size - start }]
          : []),
      ],
      integrity: integrity.slice(0, FINDING_LIMIT),
      needs: otherParts(file, values),
      unseen: ["which operators use the tensors: they are in the program that runs the architecture"],
    });
  },
  sources: [
    "https://github.com/ggml-org/ggml/blob/master/docs/gguf.md",
    "https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py",
  ],
  checked: {
    files: 17,
    says: "12 vocabularies of llama.cpp and 5 test files of IREE (which name one key twice, as llama.cpp refuses), and files such as gguf-py 0.19.0 writes, of every type that has a size, every kind of value, both byte orders: types, shapes and places are what it reads back",
  },
};
export default format;

function readVersion(file: ModelFile): { version: number; littleEndian: boolean } {
  const little = file.cursor(4, 4).u32();
  const bigEndian = (little & 0xffff) === 0;
  const version = bigEndian ? file.cursor(4, 4, false).u32() : little;
  if (version < 1 || version > 3) {
    throw new FileError(file.name, `GGUF version ${little}; versions 1 to 3 are known`, 4);
  }
  return { version, littleEndian: !bigEndian };
}

function readValues(walk: Walk, count: number, integrity: Integrity[]): Map<string, Value> {
  const values = new Map<string, Value>();
  for (let index = 0; index < count; index++) {
    const offset = walk.at;
    const key = walk.name();
    const value = walk.value(walk.u32());
    if (values.has(key)) {
      const says = `two values are called ${JSON.stringify(key.slice(0, 80))}`;
      integrity.push({ severity: "error", rule: "metadata/duplicate", says, offset });
    } else values.set(key, value);
  }
  return values;
}

function readAlignment(file: ModelFile, values: ReadonlyMap<string, Value>): number {
  const value = values.get("general.alignment");
  if (value === undefined) return defaultAlignment;
  const alignment = value.number ?? 0;
  // A power of two, as ggml's own reader demands; a page of 64 KiB is the most anyone aligns to.
  if (alignment < 1 || alignment > 65_536 || (alignment & (alignment - 1)) !== 0) {
    throw new FileError(file.name, `general.alignment is ${value.text}, no power of two up to 65536`, 8);
  }
  return alignment;
}

interface Info {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  /** From the start of the data. */
  readonly offset: number;
  /** Where this info stands. */
  readonly at: number;
}

function readInfo(walk: Walk): Info {
  const at = walk.at;
  const name = walk.name();
  const rank = walk.u32();
  if (rank > DIMENSION_LIMIT) walk.fail(`${quoted(name)} has ${rank} dimensions, over ${DIMENSION_LIMIT}`, at);
  const shape: number[] = [];
  for (let index = 0; index < rank; index++) shape.push(walk.length());
  return { name, shape, type: walk.u32(), offset: walk.u64(), at };
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 80));

function describe({ name, shape, type: number, offset }: Info, start: number): Tensor {
  const kind = ggmlTypes[number];
  if (kind?.block === undefined || kind.bytes === undefined) {
    return { name, type: "unknown", spelled: kind?.name ?? `type ${number}`, shape };
  }
  const elements = elementsOf(shape);
  const bytes = elements === undefined ? undefined : Math.ceil(elements / kind.block) * kind.bytes;
  return {
    name,
    type: kind.type,
    shape,
    ...(kind.type === "block"
      ? {
          spelled: kind.name,
          quantization: {
            scale: [],
            zeroPoint: [],
            scheme: `${kind.name}, block ${kind.block} in ${kind.bytes} bytes`,
          },
        }
      : {}),
    ...(bytes === undefined ? {} : { data: { offset: start + offset, bytes } }),
  };
}

/** Names once, known types, whole blocks, aligned, apart from each other and inside the file. */
function checkTensors(
  tensors: readonly Tensor[],
  infos: readonly Info[],
  start: number,
  alignment: number,
  size: number,
): Integrity[] {
  const out: Integrity[] = [];
  const tell = (severity: Integrity["severity"], rule: string, says: string, offset: number): void => {
    if (out.length < FINDING_LIMIT) out.push({ severity, rule, says, offset });
  };
  const names = new Set<string>();
  for (const [index, { name, shape, type, offset, at }] of infos.entries()) {
    const kind = ggmlTypes[type];
    if (names.has(name)) tell("error", "tensor/duplicate", `two tensors are called ${quoted(name)}`, at);
    names.add(name);
    if (kind?.block === undefined) {
      const says = kind === undefined ? `unknown type ${type}` : `type ${kind.name}, which ggml no longer reads`;
      tell("error", "tensor/type", `${quoted(name)} has ${says}`, at);
    } else if (elementsOf(shape) === undefined) {
      tell("error", "shape/impossible", `${quoted(name)} has the shape [${shape.join(", ")}], beyond any file`, at);
    } else if ((shape[0] ?? 1) % kind.block !== 0) {
      const says = `${quoted(name)} has rows of ${shape[0] ?? 1}, no whole blocks of ${kind.block} (${kind.name})`;
      tell("error", "shape/impossible", says, at);
    }
    if (offset % alignment !== 0) {
      tell("error", "extent/misaligned", `${quoted(name)} begins at ${offset}, not aligned to ${alignment}`, at);
    }
    const end = (tensors[index]?.data?.offset ?? 0) + (tensors[index]?.data?.bytes ?? 0);
    if (!Number.isSafeInteger(end)) tell("error", "extent/past-end", `${quoted(name)} ends beyond any file`, at);
  }
  const placed = tensors.filter(({ data }) => data !== undefined && data.bytes > 0);
  placed.sort((a, b) => (a.data?.offset ?? 0) - (b.data?.offset ?? 0));
  let end = start;
  for (const { name, data } of placed) {
    const offset = data?.offset ?? 0;
    if (offset < end) tell("error", "extent/overlap", `${quoted(name)} overlaps the tensor before it`, offset);
    else if (offset - end >= alignment) {
      tell("warning", "extent/hole", `${offset - end} bytes before ${quoted(name)} belong to no tensor`, end);
    }
    end = Math.max(end, offset + (data?.bytes ?? 0));
  }
  if (end > size && placed.length > 0) {
    // The first, so that it is told however many others there are.
    const says = `tensors end at ${end}, the file at ${size}: ${end - size} bytes are missing`;
    out.unshift({ severity: "error", rule: "extent/past-end", says, offset: size });
  } else if (size - end >= alignment) {
    tell("note", "extent/trailing", `${size - end} bytes after the last tensor`, end);
  }
  return out;
}

function summary(values: ReadonlyMap<string, Value>, tensors: readonly Tensor[]): Record<string, string> {
  const architecture = values.get("general.architecture")?.text;
  const context = architecture === undefined ? undefined : values.get(`${architecture}.context_length`)?.text;
  const fileType = values.get("general.file_type");
  const parameters = tensors.reduce((sum, { shape }) => sum + (elementsOf(shape) ?? 0), 0);
  const rest = [...values]
    .filter(([key]) => !key.startsWith("tokenizer.chat_template"))
    .slice(0, METADATA_KEPT)
    .map(([key, { text }]) => [key.slice(0, 128), text] as const);
  return Object.fromEntries([
    ...(architecture === undefined ? [] : [["architecture", architecture] as const]),
    ["parameters", String(parameters)] as const,
    ...(context === undefined ? [] : [["context length", context] as const]),
    ...(fileType?.number === undefined
      ? []
      : [["file type", fileTypes[fileType.number] ?? `type ${fileType.number}`] as const]),
    ...tokenizer(values),
    ...rest,
  ]);
}

function tokenizer(values: ReadonlyMap<string, Value>): (readonly [string, string])[] {
  const kind = values.get("tokenizer.ggml.model")?.text;
  const tokens = values.get("tokenizer.ggml.tokens")?.count;
  const merges = values.get("tokenizer.ggml.merges")?.count;
  const template = [...values.keys()].some((key) => key.startsWith("tokenizer.chat_template"));
  if (kind === undefined && tokens === undefined) return [];
  const parts = [
    kind ?? "of no named kind",
    ...(tokens === undefined ? [] : [`${tokens} tokens`]),
    ...(merges === undefined ? [] : [`${merges} merges`]),
    template ? "with a chat template" : "no chat template",
  ];
  return [["tokenizer", parts.join(", ")]];
}

function words(values: ReadonlyMap<string, Value>): {
  author?: string;
  licence?: string;
  description?: string;
  producer?: { name: string };
} {
  const text = (...keys: string[]): string | undefined =>
    keys.map((key) => values.get(key)?.text).find((value) => value !== undefined && value !== "");
  const author = text("general.author", "general.organization");
  const licence = text("general.license.name", "general.license");
  const description = text("general.description", "general.name");
  const producer = text("general.quantized_by");
  return {
    ...(author === undefined ? {} : { author }),
    ...(licence === undefined ? {} : { licence }),
    ...(description === undefined ? {} : { description }),
    ...(producer === undefined ? {} : { producer: { name: producer } }),
  };
}

/** The other files of a split model, which their names tell: base-00002-of-00009.gguf. */
function otherParts(file: ModelFile, values: ReadonlyMap<string, Value>): string[] {
  const count = values.get("split.count")?.number ?? 0;
  const own = /([^/]*)-(\d{5})-of-(\d{5})\.gguf$/i.exec(file.name);
  if (count < 2 || count > SPLIT_LIMIT || own === null || Number(own[3]) !== count) return [];
  const names: string[] = [];
  for (let part = 1; part <= count; part++) {
    if (part !== Number(own[2])) names.push(`${own[1] ?? ""}-${String(part).padStart(5, "0")}-of-${own[3] ?? ""}.gguf`);
  }
  return names;
}
