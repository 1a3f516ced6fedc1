/**
 * DLC: the Deep Learning Container of Qualcomm's SNPE and QAIRT. A ZIP with `model`, `model.params` and `dlc.metadata`: FlatBuffers,
 * since container version 2 behind eight bytes that begin with D5 0A and the version. Qualcomm publishes no schema; what is read here
 * is what https://github.com/lutzroeder/netron knows of versions 3 and 4.
 */

import { FileError } from "../base/errors.ts";
import { latin1 } from "../base/bytes.ts";
import { model, type Graph, type Integrity, type Model, type Section, type Tensor } from "../model/graph.ts";
import { modelFileOf, type ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { readGraph3, readGraphs4, readParameters3, type Parameters } from "./sealed/dlc-graph.ts";
import { error, plain, warning, words } from "./sealed/parts.ts";
import { FlatBuffer } from "./wire/flatbuffer.ts";
import { checkCrc, dataOffset, endOfZip, readZip, startsAsZip, stored, unpack, type ZipEntry } from "./wire/zip.ts";

/** A network without its weights; the largest language models have some ten MiB of it. */
const MODEL_LIMIT = 256 * 1024 * 1024;
/** Packed parameters are unpacked up to this; beyond it only their size is told. */
const PACKED_LIMIT = 32 * 1024 * 1024;
const METADATA_LIMIT = 1024 * 1024;
/** Lines of dlc.metadata told; some hold whole command lines. */
const LINE_LIMIT = 32;

interface Signature {
  /** NETD, NETP, NR64; "" where it cannot be told. */
  readonly identifier: string;
  readonly major: number;
  readonly minor: number;
  readonly header: number;
}

const format: Format = {
  id: "dlc",
  name: "SNPE/QAIRT Deep Learning Container",
  vendor: "Qualcomm",
  extensions: [".dlc"],
  shows: "full",
  matches,
  read: (file) => {
    try {
      return readDlc(file);
    } catch (thrown) {
      // Offsets of what was unpacked are none of the file's: told is where the packed entry stands.
      if (!(thrown instanceof FileError) || thrown.path === file.name) throw thrown;
      const at = readZip(file).entries.find(({ name }) => thrown.path.endsWith(name))?.header ?? 0;
      throw new FileError(file.name, `in its packed ${thrown.message.slice(file.name.length + 1)}`, at, {
        cause: thrown,
      });
    }
  },
  sources: [
    "https://github.com/lutzroeder/netron/blob/main/source/dlc.js",
    "https://docs.qualcomm.com/bundle/publicresource/topics/80-63442-2/introduction.html",
  ],
  checked: { files: 0, says: "from netron's reader and Qualcomm's published type numbers only" },
};
export default format;

const isMetadata = (name: string): boolean => /^dlc\.metadata(?!\.history)/.test(name);

function matches(file: ModelFile): 0 | 2 {
  if (!startsAsZip(file)) return signatureOf(file)?.identifier === undefined ? 0 : 2;
  if (endOfZip(file) === undefined) return 0;
  const { entries } = readZip(file);
  if (entries.some(({ name }) => isMetadata(name))) return 2;
  const part = entries.find(({ name }) => name === "model" || name === "model.params");
  if (part?.method !== stored) return 0;
  const at = dataOffset(file, part);
  return signatureOf(file, at, part.bytes) === undefined ? 0 : 2;
}

/** What a part begins with; undefined when it is none of a DLC. */
function signatureOf(file: ModelFile, at = 0, bytes: number = file.size): Signature | undefined {
  if (bytes < 16) return undefined;
  const head = file.slice(at, 16);
  const marked = head[0] === 0xd5 && head[1] === 0x0a && head[3] === 0 && head[5] === 0;
  const [major, minor] = marked ? [head[2] ?? 0, head[4] ?? 0] : [3, 0];
  if (marked && major === 2) return { identifier: "", major, minor, header: 8 };
  const header = marked ? 8 : 0;
  const identifier = latin1(head.subarray(header + 4, header + 8));
  return identifier === "NETD" || identifier === "NETP" || identifier === "NR64"
    ? { identifier, major, minor, header }
    : undefined;
}

/** A part of the container, where it lies or unpacked. */
interface Part {
  readonly file: ModelFile;
  readonly offset: number;
  readonly bytes: number;
  readonly placed: boolean;
  readonly signature: Signature | undefined;
}

function readDlc(file: ModelFile): Model {
  const integrity: Integrity[] = [];
  const sections: Section[] = [];
  if (!startsAsZip(file)) {
    const signature = signatureOf(file);
    const part: Part = { file, offset: 0, bytes: file.size, placed: true, signature };
    const network = signature?.identifier === "NETD" || signature?.major === 2;
    sections.push({
      name: network ? "model" : "model.params",
      kind: network ? "graph" : "weights",
      offset: 0,
      bytes: file.size,
    });
    return describe(network ? part : undefined, network ? undefined : part, new Map(), sections, integrity);
  }
  const zip = readZip(file);
  integrity.push(...zip.integrity);
  for (const entry of zip.entries) {
    const kind = entry.name === "model" ? "graph" : entry.name.startsWith("model.params") ? "weights" : "metadata";
    const known = kind !== "metadata" || entry.name.startsWith("dlc.metadata");
    sections.push({
      name: plain(entry.name),
      kind: known ? kind : "unknown",
      offset: dataOffset(file, entry),
      bytes: entry.packed,
    });
  }
  const named = (test: (name: string) => boolean): ZipEntry | undefined => zip.entries.find(({ name }) => test(name));
  const entry = named((name) => name === "model");
  const network = part(file, entry, MODEL_LIMIT, integrity);
  // The parameters are not read as a rule, so that their checksum is not held either.
  if (entry && network) integrity.push(...checkCrc(entry, network.file.slice(network.offset, network.bytes)));
  const weights = named((name) => name === "model.params");
  const parameters = part(file, weights, PACKED_LIMIT, integrity);
  const text = named(isMetadata);
  const notes = text === undefined ? new Map<string, string>() : readNotes(file, text, integrity);
  if (network === undefined && parameters === undefined) {
    integrity.push(error("graph/empty", "neither a model nor its parameters in it"));
  }
  const others = zip.entries.filter(({ name }) => !/^(?:model(?:\.params.*)?|dlc\.metadata.*)$/.test(name));
  const described = describe(network, parameters, notes, sections, integrity);
  return others.length === 0
    ? described
    : {
        ...described,
        unseen: [
          ...described.unseen,
          `${others.length} further records, such as ${plain(others[0]?.name ?? "", 64)}: prepared for one chip as a rule`,
        ],
      };
}

/** An entry as a part; packed ones are unpacked up to `limit`, and left alone beyond it. */
function part(file: ModelFile, entry: ZipEntry | undefined, limit: number, integrity: Integrity[]): Part | undefined {
  if (entry === undefined) return undefined;
  if (entry.method === stored && !entry.encrypted) {
    const offset = dataOffset(file, entry);
    return { file, offset, bytes: entry.packed, placed: true, signature: signatureOf(file, offset, entry.packed) };
  }
  if (entry.bytes > limit) {
    integrity.push(
      warning(
        "archive/packed",
        `${plain(entry.name)} has ${entry.bytes} bytes and is packed: it was not unpacked`,
        entry.header,
      ),
    );
    return undefined;
  }
  const unpacked = modelFileOf(unpack(file, entry, limit), `${file.name}#${entry.name}`);
  return { file: unpacked, offset: 0, bytes: unpacked.size, placed: false, signature: signatureOf(unpacked) };
}

const bufferOf = ({ file, offset, bytes, signature }: Part): FlatBuffer => {
  const header = signature?.header ?? 0;
  return new FlatBuffer(file, { offset: offset + header, length: bytes - header });
};

function describe(
  network: Part | undefined,
  parameters: Part | undefined,
  notes: ReadonlyMap<string, string>,
  sections: readonly Section[],
  integrity: Integrity[],
): Model {
  const signature = network?.signature ?? parameters?.signature;
  if (signature === undefined) {
    throw new FileError(
      (network ?? parameters)?.file.name ?? "",
      "its model begins with no mark that is known",
      (network ?? parameters)?.offset ?? 0,
    );
  }
  const { major, minor } = signature;
  const held: Parameters | undefined =
    parameters?.signature === undefined || parameters.signature.major === 2
      ? undefined
      : { buffer: bufferOf(parameters), placed: parameters.placed, wide: parameters.signature.identifier === "NR64" };
  const graphs = readGraphs(network, held, major, integrity);
  if (network !== undefined && parameters === undefined && graphs.length > 0) {
    integrity.push(warning("archive/incomplete", "no parameters in it: the weights are elsewhere"));
  }
  const command = notes.get("converter-command") ?? "";
  const converter = plain(command.split(/\s/)[0] ?? "", 64);
  const version = notes.get("converter-version") ?? "";
  const seen = graphs.length > 0;
  return model("dlc", {
    version: `${major}.${minor}`,
    sealed: !seen,
    ...((converter === "" || converter === "N/A") && version === ""
      ? {}
      : {
          producer: {
            name: /^(N\/A)?$/.test(converter) ? "SNPE converter" : converter,
            ...(version === "" ? {} : { version: plain(version, 64) }),
          },
        }),
    requires:
      version === "" ? [] : [{ what: "SNPE or QAIRT runtime", relation: "built by", version: plain(version, 64) }],
    graphs,
    ...(seen ? { main: 0 } : {}),
    ...licenceOf(notes.get("model-copyright")),
    metadata: words(Object.fromEntries([...notes].slice(0, LINE_LIMIT))),
    sections,
    integrity,
    unseen: unseenOf(major, network),
  });
}

function readGraphs(
  network: Part | undefined,
  held: Parameters | undefined,
  major: number,
  integrity: Integrity[],
): Graph[] {
  if (major === 2) return [];
  if (network?.signature?.identifier === "NETD") {
    const buffer = bufferOf(network);
    return major >= 4 ? readGraphs4(buffer, held, integrity) : [readGraph3(buffer, held)];
  }
  if (network !== undefined)
    integrity.push(error("header/mark", "the model is not marked as a network", network.offset));
  if (held === undefined || held.wide || major >= 4) return [];
  const tensors: Tensor[] = [...readParameters3(held).values()].flat();
  return [{ name: "parameters", tensors, nodes: [], inputs: [], outputs: [] }];
}

function unseenOf(major: number, network: Part | undefined): string[] {
  const out = ["on which of the chip's processors it will run: that is chosen when it is loaded"];
  if (major === 2) out.push("the network: nothing is public of container version 2");
  else if (network === undefined) out.push("the network: the file holds parameters only");
  return out;
}

/** Lines "key=value"; some tools write "key: value". */
function readNotes(file: ModelFile, entry: ZipEntry, integrity: Integrity[]): Map<string, string> {
  const bytes = unpack(file, entry, METADATA_LIMIT);
  integrity.push(...checkCrc(entry, bytes));
  const out = new Map<string, string>();
  for (const line of Buffer.from(bytes).toString("utf8").split("\n")) {
    const [, key, value] = /^\s*([A-Za-z][\w.-]{0,63})\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined && !out.has(key)) out.set(key, plain(value));
  }
  return out;
}

const licenceOf = (text: string | undefined): { licence?: string } =>
  text === undefined || text === "" || text === "N/A" ? {} : { licence: plain(text) };
