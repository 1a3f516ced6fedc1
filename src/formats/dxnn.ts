/**
 * dxnn: networks compiled by DX-COM for DEEPX' NPUs. [DXNN][format version u32][header, JSON][parts]. Versions 6 to 8 pad the header
 * to 8192 bytes; version 9 gives its length and a CRC-32. The header names every part with offset and size after it: per NPU and task
 * commands, weights and a description (JSON), ONNX models for the CPU, the graph of tasks. https://github.com/DEEPX-AI/dx_rt
 */

import type * as Zlib from "node:zlib";
import { FileError } from "../base/errors.ts";
import { requireLate } from "../base/package.ts";
import { model, type Integrity, type Section } from "../model/graph.ts";
import { readPorts, type Ports } from "./dxnn/ports.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, has, isRecord, leftOver, note, plain, words } from "./sealed/parts.ts";
import { parseJson } from "./wire/json.ts";

/** Size of the header up to version 8, with the eight bytes before the JSON. */
const FIXED_HEADER = 8192;
/** DXNN, version, header length u64, CRC-32, flags, reserved: of version 9. */
const PRELUDE = 32;
/** The runtime's own limit of version 9's header. */
const HEADER_LIMIT = 16 * 1024 * 1024;
/** Newest version whose layout is public. */
const NEWEST = 9;
/** Parts of a model: some five per task, and tasks are few. */
const PART_LIMIT = 4096;
/** Largest description parsed; published ones have some kilobytes. */
const DESCRIPTION_LIMIT = 4 * 1024 * 1024;
/** Descriptions parsed of one file, together. */
const DESCRIPTIONS_LIMIT = 16 * 1024 * 1024;

interface Part {
  /** compiled_data, M1A_4K, npu_0, weight. */
  readonly path: readonly string[];
  readonly offset: number;
  readonly bytes: number;
}

/** What the last word of a part's path says it holds. */
const kinds: Readonly<Record<string, Section["kind"]>> = {
  rmap: "code",
  ppu: "code",
  weight: "weights",
  rmap_info: "metadata",
  graph_info: "metadata",
  compile_config: "metadata",
};

const format: Format = {
  id: "dxnn",
  name: "dxnn",
  vendor: "DEEPX",
  extensions: [".dxnn"],
  marks: [{ at: 0, is: "DXNN" }],
  shows: "sealed",
  matches: (file) => (has(file, "DXNN") ? 2 : 0),
  read(file) {
    const integrity: Integrity[] = [];
    const version = file.cursor(4, 4).u32();
    if (version === 0 || version > 1000) throw new FileError(file.name, `format version ${version}`, 4);
    if (version > NEWEST) return unknownVersion(file, version);
    const { header, start } = version < 9 ? fixedHeader(file) : lengthHeader(file, integrity);
    const said = header.version;
    if (typeof said === "number" && said !== version) {
      integrity.push(error("header/version", `version ${version} in one place, ${said} in another`, 4));
    }
    if (version < 9 && header.size !== undefined && header.size !== FIXED_HEADER) {
      integrity.push(
        error("header/size", `a header of ${plain(JSON.stringify(header.size), 32)} bytes; it has ${FIXED_HEADER}`, 8),
      );
    }
    const parts = partsOf(file, header, start);
    if (parts.length === 0) integrity.push(error("header/parts", "the header names no part", 8));
    integrity.push(...checkParts(file, parts, start));
    const described = new Descriptions(file, parts, integrity);
    const config = described.of("compile_config");
    const graph = described.of("graph_info");
    const compiled = parts.filter(({ path }) => path[0] === "compiled_data");
    const npus = [...new Set(compiled.map(({ path }) => path[1] ?? ""))];
    const ports = readPorts(graph, described.all("rmap_info"), integrity);
    const compiler = typeof config?.compile_version === "string" ? config.compile_version : undefined;
    const weights = parts.filter(({ path }) => path.at(-1) === "weight").reduce((sum, { bytes }) => sum + bytes, 0);
    return model("dxnn", {
      version: String(version),
      sealed: true,
      producer: { name: "DX-COM", ...(compiler === undefined ? {} : { version: plain(compiler, 64) }) },
      targets: npus.map((npu) => ({ family: "deepx", says: plain(npu, 64) })),
      // Release 2.0.0 brought version 6; which releases brought the later ones is told nowhere public.
      requires: version === 6 ? [{ what: "DX-RT", relation: "at least", version: "2.0.0" }] : [],
      inputs: ports.inputs,
      outputs: ports.outputs,
      metadata: words({
        tasks: tasksOf(ports, parts),
        "compiled as": ports.mode,
        "optimisation level": ports.level,
        "NPU description": ports.npu,
        "weights, bytes": weights,
      }),
      sections: [
        { name: "header", kind: "metadata", offset: 0, bytes: Math.min(start, file.size) },
        ...parts
          .filter(({ bytes }) => bytes > 0)
          .map(({ path, offset, bytes }) => ({
            name: plain(path.join(" "), 128),
            kind: path[0] === "cpu_models" ? ("graph" as const) : kindOf(path.at(-1) ?? ""),
            offset,
            bytes,
          })),
      ],
      integrity,
      unseen: [
        "operators: commands for the NPU's registers",
        ...(parts.some(({ path, bytes }) => path[0] === "cpu_models" && bytes > 0)
          ? ["what the CPU's tasks do: they are models of their own, which are not opened here"]
          : []),
      ],
    });
  },
  sources: [
    "https://github.com/DEEPX-AI/dx_rt/blob/main/lib/model.cpp",
    "https://github.com/DEEPX-AI/dx_rt/tree/main/lib/parsers",
  ],
  checked: {
    files: 0,
    says: "from the runtime's source; the header against a published print of EfficientNetB0_4.dxnn (version 6)",
  },
};
export default format;

const kindOf = (word: string): Section["kind"] => (Object.hasOwn(kinds, word) ? kinds[word] : undefined) ?? "unknown";

/** A runtime that reads it may be older than this reader's knowledge: the mark and the version are all that is certain. */
function unknownVersion(file: ModelFile, version: number) {
  return model("dxnn", {
    version: String(version),
    sealed: true,
    producer: { name: "DX-COM" },
    targets: [{ family: "deepx", says: "not said" }],
    sections: [{ name: "all of it", kind: "unknown", offset: 0, bytes: file.size }],
    integrity: [
      error("header/version", `version ${version}: layouts up to ${NEWEST} are public, so nothing in it is checked`, 4),
    ],
    unseen: ["all but its version"],
  });
}

interface Header {
  readonly header: Readonly<Record<string, unknown>>;
  /** Where parts are counted from. */
  readonly start: number;
}

function fixedHeader(file: ModelFile): Header {
  const bytes = file.slice(8, FIXED_HEADER - 8);
  const nul = bytes.indexOf(0);
  if (nul >= 0 && bytes.subarray(nul).some((byte) => byte !== 0)) {
    throw new FileError(file.name, "the header goes on after its end", 8 + nul);
  }
  return { header: parse(file, nul < 0 ? bytes : bytes.subarray(0, nul), 8, "the header"), start: FIXED_HEADER };
}

function lengthHeader(file: ModelFile, integrity: Integrity[]): Header {
  const cursor = file.cursor(8, PRELUDE - 8);
  const length = cursor.size64();
  const declared = cursor.u32();
  const flags = cursor.u32();
  if (length > HEADER_LIMIT) throw new FileError(file.name, `header of ${length} bytes, over ${HEADER_LIMIT}`, 8);
  if (flags !== 0) integrity.push(error("header/flags", `flags 0x${flags.toString(16)}; the runtime takes 0 only`, 20));
  if (cursor.take(8).some((byte) => byte !== 0)) {
    integrity.push(error("header/reserved", "reserved bytes are set; the runtime refuses that", 24));
  }
  const bytes = file.slice(PRELUDE, length);
  const { crc32 } = requireLate("node:zlib") as typeof Zlib;
  const found = crc32(bytes);
  if (found !== declared) {
    integrity.push(
      error("checksum/wrong", `CRC-32 ${found.toString(16)} of the header, it says ${declared.toString(16)}`, 16),
    );
  }
  return { header: parse(file, bytes, PRELUDE, "the header"), start: PRELUDE + length };
}

function parse(file: ModelFile, bytes: Uint8Array, at: number, what: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseJson(bytes, file.name, at);
  } catch (cause) {
    throw new FileError(file.name, `${what} is no JSON`, at, { cause });
  }
  if (!isRecord(value)) throw new FileError(file.name, `${what} is no JSON object`, at);
  return value;
}

/** Everything below "data" that has an offset and a size; some compilers write both as text. */
function partsOf(file: ModelFile, header: Readonly<Record<string, unknown>>, start: number): Part[] {
  const parts: Part[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    if (!isRecord(value) || path.length > 6) return;
    const [offset, bytes] = [numberOf(value.offset), numberOf(value.size)];
    if (offset !== undefined && bytes !== undefined) {
      if (parts.length >= PART_LIMIT) throw new FileError(file.name, `more than ${PART_LIMIT} parts`, 8);
      parts.push({ path, offset: start + offset, bytes });
    } else if (value.offset !== undefined || value.size !== undefined) {
      throw new FileError(file.name, `part ${plain(path.join(" "), 80)} has no offset and size that can be`, 8);
    } else for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
  };
  walk(header.data, []);
  return parts;
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** Parts follow each other without holes; what is past the end or over another part is damage. */
function checkParts(file: ModelFile, parts: readonly Part[], start: number): Integrity[] {
  const out: Integrity[] = [];
  const sorted = parts.filter(({ bytes }) => bytes > 0).sort((a, b) => a.offset - b.offset);
  let end = start;
  for (const { path, offset, bytes } of sorted) {
    const name = plain(path.join(" "), 80);
    if (offset < end) out.push(error("extent/overlap", `${name} lies over the part before it`, offset));
    else if (offset > end) out.push(note("extent/hole", `${offset - end} bytes before ${name} are of no part`, end));
    end = Math.max(end, offset + bytes);
  }
  const last = sorted.at(-1);
  return [
    ...out.slice(0, 20),
    ...cutShort(file, end, last?.path.at(-1) ?? "the header"),
    ...leftOver(file, end, "the last part"),
  ];
}

/** The parts that are JSON, parsed when asked for and no more than a bound of them. */
class Descriptions {
  readonly #file: ModelFile;
  readonly #parts: readonly Part[];
  readonly #integrity: Integrity[];
  #spent = 0;

  constructor(file: ModelFile, parts: readonly Part[], integrity: Integrity[]) {
    this.#file = file;
    this.#parts = parts;
    this.#integrity = integrity;
  }

  of(name: string): Readonly<Record<string, unknown>> | undefined {
    return this.all(name)[0]?.value;
  }

  all(name: string): { readonly task: string; readonly value: Readonly<Record<string, unknown>> }[] {
    return this.#parts
      .filter(({ path, bytes }) => path.at(-1) === name && bytes > 0)
      .flatMap((part) => {
        const value = this.#read(part);
        return value === undefined ? [] : [{ task: part.path.at(-2) ?? "", value }];
      });
  }

  #read({ path, offset, bytes }: Part): Readonly<Record<string, unknown>> | undefined {
    const name = path.at(-1) ?? "";
    if (offset + bytes > this.#file.size) return undefined; // told as cut short
    this.#spent += bytes;
    if (bytes > DESCRIPTION_LIMIT || this.#spent > DESCRIPTIONS_LIMIT) {
      this.#integrity.push(note("description/unread", `${name} of ${bytes} bytes is over what is read`, offset));
      return undefined;
    }
    try {
      return parse(this.#file, this.#file.slice(offset, bytes), offset, name);
    } catch (cause) {
      if (!(cause instanceof FileError)) throw cause;
      this.#integrity.push(
        error("description/malformed", `${name} is no JSON object, and the runtime wants one`, offset),
      );
      return undefined;
    }
  }
}

function tasksOf(ports: Ports, parts: readonly Part[]): string {
  const held = parts.filter(({ path }) => path[0] === "compiled_data" || path[0] === "cpu_models");
  const found = held.map(
    ({ path }) =>
      `${(path[0] === "cpu_models" ? path[1] : path[2]) ?? ""} (${path[0] === "cpu_models" ? "CPU" : "NPU"})`,
  );
  const order = ports.order.map((name) => found.find((one) => one.startsWith(`${name} `)) ?? name);
  return [...new Set(order.length > 0 ? order : found)].slice(0, 16).join(", ");
}
