/**
 * NEFF: what AWS's Neuron compiler makes for Inferentia and Trainium. A header of 1,024 bytes, then a tar archive, packed by gzip as a
 * rule, of JSON, code and weights. Layout: https://awsdocs-neuron.readthedocs-hosted.com/en/latest/neuron-runtime/explore/work-with-neff-files.html
 */

import type * as Zlib from "node:zlib";
import { requireLate } from "../base/package.ts";
import { model, type Integrity, type Model, type Section, type Tensor } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, has, hex, isRecord, leftOver, plain, word, words } from "./sealed/parts.ts";
import { walkTar, type Tar } from "./sealed/tar.ts";

const HEADER = 1024;
/** Packed bytes looked into: descriptions come before weights, and this much unpacks in a tenth of a second. */
const PACKED_LIMIT = 4 * 1024 * 1024;
/** What they may unpack to. */
const UNPACKED_LIMIT = 32 * 1024 * 1024;
/** A definition of a subgraph that is parsed: variables of some thousand tensors. */
const JSON_LIMIT = 4 * 1024 * 1024;
const PORT_LIMIT = 4096;
/** Names of entries told. */
const TOLD = 12;

const format: Format = {
  id: "neff",
  name: "NEFF",
  vendor: "AWS",
  extensions: [".neff"],
  marks: [
    { at: 0, is: "\x01\0\0\0\0\0\0\0" },
    { at: 0, is: "\x02\0\0\0\0\0\0\0" },
  ],
  shows: "sealed",
  matches: (file) => {
    if (file.size < HEADER + 16) return 0;
    const cursor = file.cursor(0, 16);
    const version = cursor.u64();
    if ((version !== 1n && version !== 2n) || cursor.u64() !== BigInt(HEADER)) return 0;
    return has(file, "\x1f\x8b\x08", HEADER) || has(file, "ustar", HEADER + 257) ? 2 : 0;
  },
  read: readNeff,
  sources: [
    "https://awsdocs-neuron.readthedocs-hosted.com/en/latest/neuron-runtime/explore/work-with-neff-files.html",
    "https://awsdocs-neuron.readthedocs-hosted.com/en/latest/tools/neuron-sys-tools/neuron-packager-user-guide.html",
  ],
  checked: { files: 0, says: "from AWS's published header and description of the archive only" },
};
export default format;

function readNeff(file: ModelFile): Model {
  const cursor = file.cursor(0, HEADER);
  const packaging = Number(cursor.u64());
  const bytes = cursor.skip(8).size64();
  const version = `${cursor.u64()}.${cursor.u64()}`;
  const build = word(cursor.take(128));
  const cores = cursor.u32();
  const hash = hex(cursor.take(packaging === 1 ? 32 : 16));
  cursor.seek(204);
  const uuid = hex(cursor.take(16));
  const name = word(cursor.take(256));
  const requested = cursor.u32();
  const perNode = [...cursor.take(64)].filter((count) => count > 0);
  const features = cursor.u64();
  const logical = cursor.u32();
  const end = HEADER + bytes;
  const integrity: Integrity[] = [...cutShort(file, end, "the archive"), ...leftOver(file, end, "the archive")];
  const { tar, read } = open(file, bytes, integrity);
  const ports = portsOf(tar, read, integrity);
  const sections: Section[] = [
    { name: "header", kind: "metadata", offset: 0, bytes: HEADER },
    { name: "archive", kind: "code", offset: HEADER, bytes },
  ];
  const sizes = (test: (name: string) => boolean): number =>
    tar.entries.reduce((sum, entry) => (test(entry.name) ? sum + entry.bytes : sum), 0);
  const subgraphs = new Set(tar.entries.map((entry) => /^(?:.*\/)?(sg\d+)\//.exec(entry.name)?.[1]).filter(Boolean));
  return model("neff", {
    version,
    sealed: true,
    producer: { name: "Neuron compiler", ...(build === "" ? {} : { version: build }) },
    targets: [{ family: "aws-neuron", says: "Inferentia or Trainium, which one the header does not say" }],
    requires: [{ what: "Neuron runtime that reads NEFF", relation: "at least", version }],
    ...ports,
    metadata: words({
      name,
      "packaging version": packaging,
      build,
      uuid: /^0*$/.test(uuid) ? undefined : uuid,
      [packaging === 1 ? "SHA-256 of the archive" : "MD5 of the archive"]: /^0*$/.test(hash) ? undefined : hash,
      "NeuronCores needed": cores,
      "NeuronCores asked for": requested || undefined,
      "NeuronCores of each node": perNode.join(", "),
      "logical core size": logical || undefined,
      "feature bits": features === 0n ? undefined : `0x${features.toString(16)}`,
      subgraphs: subgraphs.size || undefined,
      files: tar.entries.length || undefined,
      "first files": tar.entries
        .slice(0, TOLD)
        .map((entry) => entry.name)
        .join(", "),
      "code bytes (sg*/*.bin), unpacked": sizes((one) => /(?:^|\/)sg\d+\/[^/]*\.bin$/.test(one)) || undefined,
      "weight bytes (.npy), unpacked": sizes((one) => one.endsWith(".npy")) || undefined,
    }),
    sections,
    integrity,
    unseen: [
      "operators: instructions for the engines of NeuronCores",
      "which chip it was compiled for",
      ...(tar.whole ? [] : ["files of the archive after the first: no more of it is unpacked"]),
    ],
  });
}

interface Opened {
  readonly tar: Tar;
  readonly read: (offset: number, length: number) => Uint8Array;
}

/** The archive, as far as it is unpacked. */
function open(file: ModelFile, bytes: number, integrity: Integrity[]): Opened {
  const there = Math.max(0, Math.min(bytes, file.size - HEADER));
  if (!has(file, "\x1f\x8b", HEADER)) {
    const read = (offset: number, length: number): Uint8Array =>
      offset >= there ? new Uint8Array(0) : file.slice(HEADER + offset, Math.min(length, there - offset));
    return { tar: told(walkTar(read), bytes === there, HEADER, integrity), read };
  }
  const unpacked = gunzipStart(file.slice(HEADER, Math.min(there, PACKED_LIMIT)));
  if (unpacked === undefined) {
    integrity.push(error("archive/broken", "the archive cannot be unpacked", HEADER));
    return { tar: { entries: [], whole: false }, read: () => new Uint8Array(0) };
  }
  const read = (offset: number, length: number): Uint8Array => unpacked.bytes.subarray(offset, offset + length);
  return { tar: told(walkTar(read), bytes === there && unpacked.from === there, HEADER, integrity), read };
}

/** What is wrong with the archive; an end that was not reached is wrong only where all of it was unpacked. */
function told(tar: Tar, all: boolean, at: number, integrity: Integrity[]): Tar {
  if (tar.broken) integrity.push(error("archive/broken", `${tar.broken.says}, ${tar.broken.offset} bytes into it`, at));
  else if (all && !tar.whole) integrity.push(error("archive/broken", "the archive has no end", at));
  return tar;
}

/** The beginning of what a gzip stream holds; undefined where it is none. Less goes in where too much would come out. */
function gunzipStart(packed: Uint8Array): { readonly bytes: Uint8Array; readonly from: number } | undefined {
  const zlib = requireLate("node:zlib") as typeof Zlib;
  for (let length = packed.length; length >= 1024 || length === packed.length; length = Math.floor(length / 16)) {
    try {
      const bytes = zlib.gunzipSync(packed.subarray(0, length), {
        finishFlush: zlib.constants.Z_SYNC_FLUSH,
        maxOutputLength: UNPACKED_LIMIT,
      });
      return { bytes, from: length };
    } catch (thrown) {
      const large = thrown instanceof Error && "code" in thrown && thrown.code === "ERR_BUFFER_TOO_LARGE";
      if (!large) return undefined;
    }
    if (length < 16 * 1024) return undefined;
  }
  return undefined;
}

/** Variables that the definitions of subgraphs declare as input or output; their sizes are bytes, shapes are not said there. */
function portsOf(
  tar: Tar,
  read: Opened["read"],
  integrity: Integrity[],
): { inputs?: readonly Tensor[]; outputs?: readonly Tensor[] } {
  const inputs = new Map<string, Tensor>();
  const outputs = new Map<string, Tensor>();
  for (const { name, bytes, offset } of tar.entries) {
    if (!/(?:^|\/)sg\d+\/def\.json$/.test(name) || bytes > JSON_LIMIT) continue;
    const text = read(offset, bytes);
    if (text.length < bytes) continue;
    let parsed: unknown;
    try {
      parsed = JSON.parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("utf8"));
    } catch {
      integrity.push(error("metadata/json", `${plain(name)} is no JSON`, HEADER));
      continue;
    }
    const variables = isRecord(parsed) && isRecord(parsed["var"]) ? parsed["var"] : {};
    for (const [key, variable] of Object.entries(variables)) {
      if (!isRecord(variable)) continue;
      const ports = variable["type"] === "input" ? inputs : variable["type"] === "output" ? outputs : undefined;
      const size = variable["size"];
      if (ports === undefined || ports.size >= PORT_LIMIT) continue;
      const port = plain(key);
      if (ports.has(port)) continue;
      ports.set(port, {
        name: port,
        type: "unknown",
        ...(typeof size === "number" ? { spelled: `${size} bytes` } : {}),
      });
    }
  }
  return {
    ...(inputs.size > 0 ? { inputs: [...inputs.values()] } : {}),
    ...(outputs.size > 0 ? { outputs: [...outputs.values()] } : {}),
  };
}
