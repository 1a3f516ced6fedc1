/**
 * PyTorch: what torch.save, torch.jit.save and torch.export.save write. A ZIP of a pickle and one entry for each storage, which is never
 * unpickled, only walked. github.com/pytorch/pytorch/blob/main/torch/serialization.py, docs: pytorch.org/docs/stable/notes/serialization
 */

import { FileError } from "../base/errors.ts";
import { latin1, utf8 } from "../base/bytes.ts";
import { bytesOf, model, type Integrity, type Model, type Section, type Tensor } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { metaOf, readExported } from "./pytorch/exported.ts";
import { checkImports } from "./pytorch/imports.ts";
import { isLegacy, isLegacyTar, readLegacy, tarNames } from "./pytorch/legacy.ts";
import { walkPickle } from "./pytorch/pickle.ts";
import { findTensors, type Found, type Storage } from "./pytorch/tensors.ts";
import { entriesOf, get, isObject, JSON_LIMIT, listOf, parseJson, textOf } from "./wire/json.ts";
import { dataOffset, endOfZip, readZip, startsAsZip, stored, unpack, type ZipEntry } from "./wire/zip.ts";

/** A pickle of names and shapes: 100,000 tensors have some 30 MiB. */
const PICKLE_LIMIT = 40 * 1024 * 1024;
/** Source of a TorchScript module, all files together. */
const CODE_LIMIT = 8 * 1024 * 1024;
const TEXT_LIMIT = 4096;

const format: Format = {
  id: "pytorch",
  name: "PyTorch",
  vendor: "PyTorch Foundation",
  extensions: [".pt", ".pth", ".ptl", ".pt2", ".ckpt", ".bin"],
  shows: "partly",
  matches(file) {
    if (isLegacy(file) || isLegacyTar(file)) return 2;
    if (!startsAsZip(file)) return 0;
    if (firstNames.test(firstName(file))) return 2;
    if (endOfZip(file) === undefined) return 0;
    return layoutOf(readZip(file).entries) === undefined ? 0 : 2;
  },
  read(file) {
    if (isLegacy(file)) return readOld(file);
    if (isLegacyTar(file)) return readTar(file);
    const zip = readZip(file);
    const layout = layoutOf(zip.entries);
    if (layout === undefined) throw new FileError(file.name, "an archive without data.pkl or an exported program", 0);
    const archive = new Archive(file, zip.entries, layout.prefix);
    const found = layout.kind === "pickle" ? readPickled(archive) : readProgram(archive, layout);
    const integrity = [...zip.integrity, ...(found.integrity ?? [])];
    return model("pytorch", { sealed: false, sections: sectionsOf(archive, zip.directory), ...found, integrity });
  },
  sources: [
    "https://github.com/pytorch/pytorch/blob/main/torch/serialization.py",
    "https://github.com/pytorch/pytorch/blob/main/torch/_export/serde/schema.py",
    "https://pytorch.org/docs/stable/notes/serialization.html",
  ],
  checked: {
    files: 65,
    says: "test and example files of burn, candle, ExecuTorch and others, whose elements count as PyTorch 2.15 loads them, and files such as it writes: weights, checkpoints, whole modules, TorchScript, exported programs, the old layout; a tar of 0.1 from documents only",
  },
};
export default format;

/** What the first entry of an archive is called, where its end is missing too. */
const firstNames =
  /^[^/]+\/(?:data\.pkl|data\/\d+|data\/weights\/\w+|\.data\/\w+|byteorder|version|\.format_version|constants\.pkl|bytecode\.pkl|archive_format|code\/.+)$|^serialized_exported_program\.json$/;

function firstName(file: ModelFile): string {
  if (file.size < 30) return "";
  const length = file.cursor(26, 2).u16();
  return latin1(file.slice(30, Math.min(length, 512, file.size - 30)));
}

interface Layout {
  readonly kind: "pickle" | "exported";
  /** The folder everything is in, with its slash. */
  readonly prefix: string;
  /** Of an exported program: the entry its graph is in, and others there are. */
  readonly programs: readonly string[];
}

function layoutOf(entries: readonly ZipEntry[]): Layout | undefined {
  let pickle: string | undefined;
  let prefix: string | undefined;
  const programs: string[] = [];
  for (const { name } of entries) {
    const own =
      /^(.*\/|)models\/[^/]+\.json$/.exec(name)?.[1] ?? /^(.*\/|)serialized_exported_program\.json$/.exec(name)?.[1];
    if (own !== undefined) {
      prefix ??= own;
      programs.push(name);
    }
    pickle ??= /^([^/]*\/|)data\.pkl$/.exec(name)?.[1];
    if (programs.length === 0) prefix ??= /^([^/]*\/)archive_format$/.exec(name)?.[1];
  }
  if (prefix !== undefined) return { kind: "exported", prefix, programs };
  return pickle === undefined ? undefined : { kind: "pickle", prefix: pickle, programs: [] };
}

/** Entries of one archive by their names inside its folder. */
class Archive {
  readonly file: ModelFile;
  readonly entries: readonly ZipEntry[];
  readonly #names: ReadonlyMap<string, ZipEntry>;

  constructor(file: ModelFile, entries: readonly ZipEntry[], prefix: string) {
    this.file = file;
    this.entries = entries;
    this.#names = new Map(
      entries.filter(({ name }) => name.startsWith(prefix)).map((entry) => [entry.name.slice(prefix.length), entry]),
    );
  }

  entry(name: string): ZipEntry | undefined {
    return this.#names.get(name);
  }

  names(): readonly string[] {
    return [...this.#names.keys()];
  }

  bytes(name: string, limit: number): Uint8Array | undefined {
    const entry = this.#names.get(name);
    return entry === undefined ? undefined : unpack(this.file, entry, limit);
  }

  text(name: string): string | undefined {
    const entry = this.#names.get(name);
    return entry === undefined || entry.bytes > TEXT_LIMIT
      ? undefined
      : utf8(unpack(this.file, entry, TEXT_LIMIT)).trim();
  }

  /** Where an entry's bytes lie, if they are not packed. */
  storage(name: string): Storage | undefined {
    const entry = this.#names.get(name);
    if (entry?.method !== stored || entry.encrypted) return undefined;
    return { offset: dataOffset(this.file, entry), bytes: entry.bytes };
  }
}

/** Storages by key, each looked for once. */
function storagesOf(archive: Archive, folder: string): (key: string) => Storage | undefined {
  const held = new Map<string, Storage | undefined>();
  return (key) => {
    if (!held.has(key)) held.set(key, archive.storage(`${folder}${key}`));
    return held.get(key);
  };
}

function readPickled(archive: Archive): Partial<Model> {
  const { file } = archive;
  const script = archive.names().some((name) => name.startsWith("code/"));
  const mobile = archive.entry("bytecode.pkl") !== undefined;
  const bytes = archive.bytes("data.pkl", PICKLE_LIMIT) ?? new Uint8Array(0);
  const base = archive.storage("data.pkl")?.offset ?? 0;
  const pickle = walkPickle(bytes, file.name, base);
  const found = findTensors(pickle.value, storagesOf(archive, "data/"));
  const version = archive.text("version");
  const order = archive.text("byteorder");
  const operators = script ? operatorsOf(archive) : undefined;
  return {
    ...(version === undefined ? {} : { version }),
    graphs: [{ name: "", tensors: found.tensors, nodes: [], inputs: [], outputs: [] }],
    metadata: {
      kind: mobile ? "TorchScript for mobile (lite interpreter)" : script ? "TorchScript" : kindOf(found),
      ...(order === undefined ? {} : { "byte order": order }),
      ...(found.root === undefined ? {} : { class: found.root }),
      ...(operators === undefined ? {} : { "operators named in its code": operators }),
      ...found.facts,
    },
    integrity: [
      ...checkEnd(bytes.length, pickle.end, base),
      ...checkOrder(order),
      ...found.integrity,
      ...checkImports(pickle.globals, "data.pkl"),
      ...unusedStorages(archive, found),
    ],
    unseen: [
      script
        ? "the graph: TorchScript keeps it as code, of which only the names of operators are told"
        : "which operators use the tensors: the file holds weights, and the code that runs them is elsewhere",
    ],
  };
}

const kindOf = (found: Found): string =>
  found.root === undefined ? "weights (state dict or checkpoint)" : "whole object, pickled";

function checkEnd(length: number, end: number, offset: number): readonly Integrity[] {
  return end === length
    ? []
    : [
        {
          severity: "warning",
          rule: "pickle/trailing",
          says: `${length - end} bytes after the end of data.pkl`,
          offset: offset + end,
        },
      ];
}

const checkOrder = (order: string | undefined): readonly Integrity[] =>
  order === undefined || order === "little" || order === "big"
    ? []
    : [
        {
          severity: "error",
          rule: "storage/order",
          says: `byteorder says ${JSON.stringify(order.slice(0, 20))}, neither little nor big`,
        },
      ];

function unusedStorages(archive: Archive, { used }: Found): readonly Integrity[] {
  const left = archive.names().filter((name) => /^data\/\d+$/.test(name) && !used.has(name.slice(5)));
  return left.length === 0
    ? []
    : [
        {
          severity: "note",
          rule: "storage/unused",
          says: `${left.length} storages belong to no tensor that could be found`,
        },
      ];
}

/** Names of operators in TorchScript's source, most frequent first. */
function operatorsOf(archive: Archive): string | undefined {
  const counts = new Map<string, number>();
  let left = CODE_LIMIT;
  for (const name of archive.names()) {
    const size = archive.entry(name)?.bytes ?? 0;
    if (!/^code\/.*\.py$/.test(name) || size > left) continue;
    left -= size;
    for (const [, own = ""] of utf8(archive.bytes(name, CODE_LIMIT) ?? new Uint8Array(0)).matchAll(
      /\b(?:torch|ops\.\w+)\.([a-z_]\w*)\(/g,
    ))
      counts.set(own, (counts.get(own) ?? 0) + 1);
  }
  const rows = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 60);
  return rows.length === 0
    ? undefined
    : rows.map(([own, count]) => (count === 1 ? own : `${own} x${count}`)).join(", ");
}

/** torch.export: the graph in JSON, weights in entries of their own or, before version 2.8, in archives inside. */
function readProgram(archive: Archive, layout: Layout): Partial<Model> {
  const { file } = archive;
  const [first, ...others] = layout.programs;
  const compiled = archive.names().filter((name) => /^data\/aotinductor\/.*\.so$/.test(name));
  const unseen = compiled.map((name) => `${name}: machine code of AOTInductor`).slice(0, 20);
  if (first === undefined) {
    return {
      sealed: compiled.length > 0,
      metadata: { kind: "archive of torch.export without a program" },
      unseen: [...unseen, "the graph: the archive holds no models/*.json"],
    };
  }
  const own = first.slice(layout.prefix.length);
  const root = parseJson(
    archive.bytes(own, JSON_LIMIT) ?? new Uint8Array(0),
    file.name,
    archive.storage(own)?.offset ?? 0,
  );
  const weights = weightsOf(archive, JSON_LIMIT - (archive.entry(own)?.bytes ?? 0));
  const { graphs, integrity } = readExported(root, file.name, weights.tensors);
  const version = get(root, "schema_version");
  const torch = textOf(get(root, "torch_version"));
  const format = archive.text("archive_version") ?? archive.text("version");
  return {
    ...(isObject(version) ? { version: `${String(get(version, "major"))}.${String(get(version, "minor"))}` } : {}),
    ...(torch === undefined ? {} : { producer: { name: "PyTorch", version: torch.slice(0, 80) } }),
    graphs,
    main: 0,
    metadata: {
      kind: "torch.export",
      ...(format === undefined ? {} : { "archive version": format }),
      ...Object.fromEntries(
        entriesOf(get(root, "opset_version"))
          .slice(0, 20)
          .map(([key, value]) => [`opset ${key.slice(0, 40)}`, String(value).slice(0, 40)]),
      ),
      ...(listOf(get(root, "verifiers")).length === 0
        ? {}
        : { dialect: listOf(get(root, "verifiers")).map(String).join(", ").slice(0, 200) }),
      ...(others.length === 0 ? {} : { "other programs": others.join(", ").slice(0, TEXT_LIMIT) }),
    },
    integrity: [...weights.integrity, ...integrity],
    unseen: [...unseen, ...weights.unseen],
  };
}

/** Weights by the names the program has for them, by the tables beside them. */
function weightsOf(
  archive: Archive,
  room: number,
): {
  tensors: ReadonlyMap<string, Tensor>;
  integrity: Integrity[];
  unseen: string[];
} {
  const tensors = new Map<string, Tensor>();
  const integrity: Integrity[] = [];
  const unseen: string[] = [];
  let left = room;
  for (const name of archive.names()) {
    const [, folder] = /^(data\/(?:weights|constants)\/)[^/]+_(?:weights|constants)_config\.json$/.exec(name) ?? [];
    if (folder === undefined) continue;
    // Of the program and all tables together: entries of an archive may lie over each other.
    const { bytes: size = 0, header } = archive.entry(name) ?? {};
    left -= size;
    if (left < 0)
      throw new FileError(
        archive.file.name,
        `a program and tables of weights of more than ${JSON_LIMIT} bytes`,
        header,
      );
    const config = get(parseJson(archive.bytes(name, JSON_LIMIT) ?? new Uint8Array(0), archive.file.name), "config");
    for (const [key, entry] of entriesOf(config)) {
      const path = textOf(get(entry, "path_name")) ?? "";
      const meta = metaOf(get(entry, "tensor_meta"));
      const held = archive.storage(`${folder}${path}`);
      const needed = bytesOf(meta);
      if (held === undefined)
        integrity.push({
          severity: "error",
          rule: "storage/missing",
          says: `${JSON.stringify(key.slice(0, 80))}: no entry ${JSON.stringify(path.slice(0, 80))}`,
        });
      const whole = get(entry, "use_pickle") !== true && held !== undefined && needed === held.bytes;
      if (get(entry, "use_pickle") !== true && held !== undefined && needed !== undefined && needed > held.bytes)
        integrity.push({
          severity: "error",
          rule: "storage/size",
          says: `${JSON.stringify(key.slice(0, 80))} needs ${needed} bytes, its entry has ${held.bytes}`,
          offset: held.offset,
        });
      tensors.set(key, {
        name: key,
        ...meta,
        ...(held === undefined ? {} : { data: whole ? held : { bytes: needed ?? held.bytes } }),
      });
      if (integrity.length > 20) return { tensors, integrity, unseen };
    }
  }
  if (archive.names().some((name) => /^serialized_(?:state_dict|constants)\.(?:pt|json)$/.test(name)))
    unseen.push("where weights lie: they are in an archive inside (serialized_state_dict)");
  return { tensors, integrity, unseen };
}

function sectionsOf(
  archive: Archive,
  directory: { readonly offset: number; readonly bytes: number },
): readonly Section[] {
  const parts = new Map<Section["kind"], { offset: number; end: number }>();
  for (const { name, header, packed } of archive.entries) {
    const kind = /\/data\/(?:\d+|weights\/|constants\/)/.test(name) ? "weights" : "graph";
    const held = parts.get(kind);
    const end = header + 30 + name.length + packed;
    parts.set(kind, { offset: Math.min(held?.offset ?? header, header), end: Math.max(held?.end ?? 0, end) });
  }
  const weights = parts.get("weights");
  return [
    ...(weights === undefined
      ? []
      : [{ name: "storages", kind: "weights" as const, offset: weights.offset, bytes: weights.end - weights.offset }]),
    { name: "archive directory", kind: "metadata", offset: directory.offset, bytes: directory.bytes },
  ];
}

function readOld(file: ModelFile): Model {
  const { object, storages, integrity, data, littleEndian } = readLegacy(file);
  const found = findTensors(object.value, (key) => storages.get(key));
  return model("pytorch", {
    version: "1001",
    sealed: false,
    graphs: [{ name: "", tensors: found.tensors, nodes: [], inputs: [], outputs: [] }],
    metadata: {
      kind: `${kindOf(found)}, layout before PyTorch 1.6`,
      "byte order": littleEndian ? "little" : "big",
      ...(found.root === undefined ? {} : { class: found.root }),
      ...found.facts,
    },
    sections: [
      { name: "pickles", kind: "graph", offset: 0, bytes: data },
      { name: "storages", kind: "weights", offset: data, bytes: file.size - data },
    ],
    integrity: [...integrity, ...found.integrity, ...checkImports(object.globals, "the pickle")],
    unseen: ["which operators use the tensors: the file holds weights, and the code that runs them is elsewhere"],
  });
}

function readTar(file: ModelFile): Model {
  const names = tarNames(file);
  return model("pytorch", {
    sealed: false,
    metadata: { kind: "tar, layout before PyTorch 0.1.10", entries: names.join(", ").slice(0, TEXT_LIMIT) },
    sections: [{ name: "tar", kind: "unknown", offset: 0, bytes: file.size }],
    unseen: ["its tensors: a layout of 2016 that is only named"],
  });
}
