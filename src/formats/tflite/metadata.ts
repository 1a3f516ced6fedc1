/**
 * What a TFLite file says about itself: entries of its metadata list, TFLITE_METADATA (a flatbuffer of its own, and files in a ZIP
 * archive appended to the model: labels), CONVERSION_METADATA, signatures. https://ai.google.dev/edge/litert/models/metadata
 */

import { latin1, utf8, withoutEnd } from "../../base/bytes.ts";
import { FileError } from "../../base/errors.ts";
import type { Expected, Graph, Model, Requirement } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { FlatBuffer, type Table } from "../wire/flatbuffer.ts";
import { endOfZip, readZip, unpack, type Zip } from "../wire/zip.ts";
import { fields as c, modelType } from "./conversion-schema.ts";
import {
  associatedFileType,
  colorSpaceType,
  contentProperties,
  fields as m,
  processUnitOptions,
} from "./metadata-schema.ts";
import { fields } from "./schema.ts";
import type { TfliteFile } from "./read.ts";

/** Entries of the metadata list; a handful in every file seen. */
const ENTRY_LIMIT = 4096;
/** Signatures, and named tensors of one: a model of many heads has some 100. */
const SIGNATURE_LIMIT = 4096;
/** Tensors and files of one subgraph's metadata. */
const LIST_LIMIT = 65_536;
/** A value worth printing; longer ones are data. */
const TEXT_LIMIT = 4096;
/** Label files: the longest seen, of a vocabulary, has 2.5 MB. */
const LABELS_LIMIT = 8 * 1024 * 1024;
const LABEL_LIMIT = 500_000;

/** ModelOptimizationMode by number, in the words of issue trackers rather than of the enum. */
const modes: Readonly<Record<number, string>> = {
  1001: "float16 weights",
  1002: "dynamic range",
  1003: "full integer",
  1004: "int16 activations",
  2000: "quantisation-aware training",
  3001: "random sparsity",
  3002: "block sparsity",
  3003: "structured sparsity",
};

type Found = {
  -readonly [K in "producer" | "labels" | "expects" | "author" | "licence" | "description"]?: Exclude<
    Model[K],
    undefined
  >;
} & {
  readonly metadata: Record<string, string>;
  readonly requires: Requirement[];
  /** Where an appended archive begins, or the end of the file. */
  appended: number;
  readonly used: Set<number>;
};

export function readMetadata(file: ModelFile, tflite: TfliteFile): Found {
  const found: Found = { metadata: {}, requires: [], appended: file.size, used: new Set() };
  const guard = (what: string, read: () => void): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const says = `${what} cannot be read: ${error.message.replace(/^.*?: (offset \w+: )?/, "")}`;
      tflite.note({ severity: "error", rule: "metadata/broken", says, offset: error.offset ?? 0 });
    }
  };
  let archive: Zip | undefined;
  guard("the appended archive", () => {
    if (endOfZip(file) === undefined) return;
    archive = readZip(file);
    found.appended = archive.entries.reduce((least, entry) => Math.min(least, entry.header), archive.directory.offset);
    found.metadata["associated_files"] = clip(archive.entries.map((entry) => entry.name).join(", "));
  });
  for (const entry of tflite.root.tables(fields.Model.metadata, ENTRY_LIMIT, "metadata entries")) {
    const name = entry.string(fields.Metadata.name) ?? "";
    const index = entry.u32(fields.Metadata.buffer);
    if (index >= tflite.buffers.count) {
      const says = `metadata ${JSON.stringify(name.slice(0, 80))} is in buffer ${index}, there are ${tflite.buffers.count}`;
      tflite.note({ severity: "error", rule: "buffer/dangling", says, offset: entry.at });
      continue;
    }
    found.used.add(index);
    const data = tflite.buffers.data(index);
    if (data?.offset === undefined || data.offset + data.bytes > file.size) continue;
    const { offset, bytes } = { offset: data.offset, bytes: data.bytes };
    if (name === "TFLITE_METADATA") {
      guard(name, () =>
        readModelMetadata(new FlatBuffer(file, { offset, length: bytes }), { file, archive, tflite }, found),
      );
    } else if (name === "CONVERSION_METADATA") {
      guard(name, () => readConversion(new FlatBuffer(file, { offset, length: bytes }).root(), found));
    } else readEntry(name, file.slice(offset, Math.min(bytes, TEXT_LIMIT)), bytes, found);
  }
  readSignatures(tflite, found);
  if (found.producer === undefined && tflite.description !== undefined) {
    const name = converters[tflite.description.trim()];
    if (name !== undefined) found.producer = { name };
  }
  if (tflite.description !== undefined && tflite.description !== "") {
    found.metadata["description"] = clip(tflite.description);
  }
  if (archive === undefined) noteCutArchive(file, tflite);
  return found;
}

/** Padding between the flatbuffer and the archive behind it. */
const PADDING = 16;

/** An archive that begins behind the flatbuffer and has no end: its directory, and with it the labels, was cut off. */
function noteCutArchive(file: ModelFile, tflite: TfliteFile): void {
  const from = Math.min(Math.max(tflite.root.buffer.reached, tflite.buffers.end), file.size);
  const at = latin1(file.slice(from, Math.min(PADDING + 4, file.size - from))).indexOf("PK\x03\x04");
  if (at < 0) return;
  const says = `an archive of associated files begins at ${from + at} and has no directory: the file ends early`;
  tflite.note({ severity: "error", rule: "archive/cut-short", says, offset: file.size });
}

/** Descriptions that say which program wrote the file. */
const converters: Readonly<Record<string, string>> = {
  "MLIR Converted.": "TensorFlow Lite converter (MLIR)",
  "TOCO Converted.": "TensorFlow Lite converter (TOCO)",
  "Exported from Subgraph.": "TensorFlow Lite subgraph writer",
};

/** A text padded with NULs, or data of a length worth saying. */
function readEntry(name: string, bytes: Uint8Array, length: number, found: Found): void {
  const text = withoutEnd(utf8(bytes)).trim();
  const plain = /^[\x20-\x7e\t\n]*$/.test(text) && length <= TEXT_LIMIT;
  const key = name === "" ? "unnamed" : name;
  if (text !== "" || found.metadata[key] === undefined) found.metadata[key] = plain ? text : `${length} bytes`;
  // Converters write the version twice when a second tool has changed the file, and "n/a" or nothing when they do not know.
  if (name === "min_runtime_version" && /^\d+\.\d+/.test(text)) {
    found.requires.splice(0, found.requires.length, {
      what: "TensorFlow Lite runtime",
      relation: "at least",
      version: text,
    });
  }
}

function readConversion(root: Table, found: Found): void {
  const environment = root.table(c.ConversionMetadata.environment);
  const options = root.table(c.ConversionMetadata.options);
  const version = environment?.string(c.Environment.tensorflow_version);
  if (environment) {
    found.producer = {
      name: "TensorFlow Lite converter",
      ...(version === undefined ? {} : { version: clip(version) }),
    };
    const type = modelType[environment.i32(c.Environment.model_type)];
    if (type !== undefined && type !== "NONE") found.metadata["converted_from"] = type;
  }
  const list = options?.i32s(c.ConversionOptions.model_optimization_modes, LIST_LIMIT, "optimization modes") ?? [];
  if (list.length > 0)
    found.metadata["optimization"] = clip(list.map((mode) => modes[mode] ?? String(mode)).join(", "));
  if (options?.bool(c.ConversionOptions.allow_custom_ops) === true) found.metadata["allow_custom_ops"] = "true";
  if (options?.bool(c.ConversionOptions.enable_select_tf_ops) === true) found.metadata["select_tf_ops"] = "true";
}

interface Attached {
  readonly file: ModelFile;
  readonly archive: Zip | undefined;
  readonly tflite: TfliteFile;
}

function readModelMetadata(buffer: FlatBuffer, { file, archive, tflite }: Attached, found: Found): void {
  if (buffer.identifier() !== "M001") buffer.fail("metadata without its identifier M001", buffer.start + 4);
  const root = buffer.root();
  const f = m.ModelMetadata;
  const text = (table: Table, field: number): string | undefined => {
    const value = withoutEnd(table.string(field) ?? "");
    return value === "" ? undefined : clip(value);
  };
  const author = text(root, f.author);
  const licence = text(root, f.license);
  const description = text(root, f.description);
  if (author !== undefined) found.author = author;
  if (licence !== undefined) found.licence = licence;
  if (description !== undefined) found.description = description;
  for (const [key, field] of [
    ["name", f.name],
    ["version", f.version],
    ["min_parser_version", f.min_parser_version],
  ] as const) {
    const value = text(root, field);
    if (value !== undefined) found.metadata[key] = value;
  }
  const files: Table[] = root.tables(f.associated_files, LIST_LIMIT, "associated files");
  const s = m.SubGraphMetadata;
  root.tables(f.subgraph_metadata, LIST_LIMIT, "subgraphs' metadata").forEach((graph, index) => {
    files.push(...graph.tables(s.associated_files, LIST_LIMIT, "associated files"));
    for (const [side, field] of [
      ["output", s.output_tensor_metadata],
      ["input", s.input_tensor_metadata],
    ] as const) {
      graph.tables(field, LIST_LIMIT, "tensors' metadata").forEach((tensor, i) => {
        const says = describeTensor(tensor);
        if (says !== "") found.metadata[`${side}.${i}`] = clip(says);
        files.push(...tensor.tables(m.TensorMetadata.associated_files, LIST_LIMIT, "associated files"));
      });
    }
    // The first subgraph is the one that runs.
    if (index === 0) {
      const expects = graph.tables(s.input_tensor_metadata, LIST_LIMIT, "tensors' metadata").map(readExpected);
      if (expects.some((one) => one !== null)) found.expects = expects;
    }
  });
  const names = [...new Set(files.map((table) => table.string(m.AssociatedFile.name) ?? ""))];
  const missing = names.filter((name) => name !== "" && archive?.entries.some((entry) => entry.name === name) !== true);
  if (missing.length > 0) {
    // Cut off at the end of the file, or dropped by a tool that rewrote the model: Vela does.
    const says = `${clip(missing.join(", "))}: named by the metadata and not attached`;
    tflite.note({ severity: "warning", rule: "metadata/file-missing", says, offset: file.size });
  }
  const labels = archive && readLabels(file, archive, files);
  if (labels) found.labels = labels;
}

/** Name, meaning, and how the values are made: "image: RGB 224x224; normalised by mean 127.5, std 127.5". */
function describeTensor(tensor: Table): string {
  const t = m.TensorMetadata;
  const parts = [tensor.string(t.name), tensor.string(t.description)].filter(
    (part) => part !== undefined && part !== "",
  );
  const content = tensor.table(t.content)?.union(m.Content.content_properties_type);
  const kind = content && contentProperties[content.type];
  if (content && kind === "ImageProperties") {
    const colour = colorSpaceType[content.table.i8(m.ImageProperties.color_space)] ?? "UNKNOWN";
    const size = content.table.table(m.ImageProperties.default_size);
    const measures = size && ` ${size.u32(m.ImageSize.width)}x${size.u32(m.ImageSize.height)}`;
    parts.push(`image${colour === "UNKNOWN" ? "" : ` ${colour}`}${measures ?? ""}`);
  } else if (content && kind === "AudioProperties") {
    const a = m.AudioProperties;
    parts.push(`audio ${content.table.u32(a.sample_rate)} Hz, ${content.table.u32(a.channels)} channels`);
  } else if (kind === "BoundingBoxProperties") parts.push("bounding boxes");
  for (const unit of tensor.tables(t.process_units, 256, "process units")) {
    const options = unit.union(m.ProcessUnit.options_type);
    const name = options && processUnitOptions[options.type];
    if (options && name === "NormalizationOptions") {
      const mean = options.table.f32s(m.NormalizationOptions.mean, 4096, "means") ?? [];
      const std = options.table.f32s(m.NormalizationOptions.std, 4096, "deviations") ?? [];
      parts.push(`normalised by mean ${mean.join(" ")}, std ${std.join(" ")}`);
    } else if (name !== undefined && name !== "NONE") parts.push(name.replace(/Options$/, ""));
  }
  return parts.join("; ");
}

const colours: Readonly<Record<string, Expected["color"]>> = { RGB: "rgb", GRAYSCALE: "gray" };

function readExpected(tensor: Table): Expected | null {
  const t = m.TensorMetadata;
  const content = tensor.table(t.content)?.union(m.Content.content_properties_type);
  const kind = content && contentProperties[content.type];
  const normal = tensor
    .tables(t.process_units, 256, "process units")
    .map((unit) => unit.union(m.ProcessUnit.options_type))
    .find((options) => options && processUnitOptions[options.type] === "NormalizationOptions");
  const mean = normal?.table.f32s(m.NormalizationOptions.mean, 4096, "means") ?? [];
  const std = normal?.table.f32s(m.NormalizationOptions.std, 4096, "deviations") ?? [];
  const scaled = {
    ...(mean.length > 0 ? { mean } : {}),
    ...(std.length > 0 && std.every((one) => one !== 0) ? { std } : {}),
  };
  if (content && kind === "ImageProperties") {
    const color = colours[colorSpaceType[content.table.i8(m.ImageProperties.color_space)] ?? ""];
    const size = content.table.table(m.ImageProperties.default_size);
    const [width, height] = [size?.u32(m.ImageSize.width) ?? 0, size?.u32(m.ImageSize.height) ?? 0];
    return {
      kind: "image",
      ...(color === undefined ? {} : { color }),
      ...(width > 0 && height > 0 ? { width, height } : {}),
      ...scaled,
    };
  }
  if (content && kind === "AudioProperties") {
    const a = m.AudioProperties;
    const [rate, channels] = [content.table.u32(a.sample_rate), content.table.u32(a.channels)];
    return { kind: "audio", ...(rate > 0 ? { rate } : {}), ...(channels > 0 ? { channels } : {}), ...scaled };
  }
  return Object.keys(scaled).length > 0 ? { kind: "other", ...scaled } : null;
}

/** Labels of values first, then of an axis; of several languages the one without a locale, else the first. */
function readLabels(file: ModelFile, archive: Zip, tables: readonly Table[]): string[] | undefined {
  const a = m.AssociatedFile;
  const wanted = tables
    .map((table) => ({
      name: table.string(a.name) ?? "",
      type: associatedFileType[table.i8(a.type)] ?? "UNKNOWN",
      locale: table.string(a.locale) ?? "",
    }))
    .filter(({ type }) => type === "TENSOR_VALUE_LABELS" || type === "TENSOR_AXIS_LABELS")
    .sort(
      (x, y) =>
        Number(y.type === "TENSOR_VALUE_LABELS") - Number(x.type === "TENSOR_VALUE_LABELS") ||
        Number(x.locale !== "") - Number(y.locale !== ""),
    );
  for (const { name } of wanted) {
    const entry = archive.entries.find((one) => one.name === name);
    if (entry === undefined) continue;
    const lines = utf8(unpack(file, entry, LABELS_LIMIT)).split(/\r?\n/, LABEL_LIMIT);
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }
  return undefined;
}

function readSignatures(tflite: TfliteFile, found: Found): void {
  const s = fields.SignatureDef;
  for (const table of tflite.root.tables(fields.Model.signature_defs, SIGNATURE_LIMIT, "signatures")) {
    const key = table.string(s.signature_key) ?? "";
    const index = table.u32(s.subgraph_index);
    const graph = tflite.graphs[index];
    if (graph === undefined) {
      const says = `signature ${JSON.stringify(key.slice(0, 80))} names subgraph ${index}, there are ${tflite.graphs.length}`;
      tflite.note({ severity: "error", rule: "graph/dangling", says, offset: table.at });
      continue;
    }
    const inputs = readTensorMap(table, s.inputs, graph, tflite);
    const outputs = readTensorMap(table, s.outputs, graph, tflite);
    found.metadata[`signature.${key}`] = clip(`${inputs} -> ${outputs}`);
  }
}

function readTensorMap(table: Table, field: number, graph: Graph, tflite: TfliteFile): string {
  const f = fields.TensorMap;
  const names = table.tables(field, SIGNATURE_LIMIT, "named tensors").map((row) => {
    const name = row.string(f.name) ?? "";
    const index = row.u32(f.tensor_index);
    const tensor = graph.tensors[index];
    if (tensor === undefined) {
      const says = `a signature names tensor ${index}, there are ${graph.tensors.length}`;
      tflite.note({ severity: "error", rule: "tensor/dangling", says, offset: row.at });
    }
    return tensor === undefined || tensor.name === name ? name : `${name} = ${tensor.name}`;
  });
  return `(${names.join(", ")})`;
}

const clip = (text: string): string => (text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT - 1)}…` : text);

/** Text of a metadata buffer, NUL padding off: for the compilers' own entries. */
export function textOf(bytes: Uint8Array): string {
  return latin1(bytes).replace(/\0.*$/s, "");
}
