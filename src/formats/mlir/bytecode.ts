/**
 * MLIR bytecode: [ML\xefR][version][producer][sections]. Strings, dialects with the names of their operators, attributes and types, the
 * program, resources. StableHLO's portable form (VHLO) is this with its own attributes and types, and its version as the producer.
 * Constants stay where they are. https://mlir.llvm.org/docs/BytecodeFormat/, stablehlo/dialect/VhloBytecode.cpp (Apache-2.0)
 */

import { utf8 } from "../../base/bytes.ts";
import type { Integrity, Requirement, Section } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import type { Draft } from "./draft.ts";
import { Entries } from "./entries.ts";
import { readProgram } from "./program.ts";
import { BytecodeReader } from "./reader.ts";

/** mlir/Bytecode/Encoding.h: 6 since 2023. A later one may differ anywhere. */
const NEWEST = 6;
/** Strings of the largest programs: a name for each operator's place in the source. */
const STRING_LIMIT = 4_000_000;
/** Dialects one tool registers: some 50. */
const DIALECT_LIMIT = 1024;
const NAME_LIMIT = 1024 * 1024;
const OPERATOR_NAME_LIMIT = 65_536;
/** Bytes of one producer, of one string. */
const PRODUCER_LIMIT = 1024;

const sectionNames = [
  "strings",
  "dialects",
  "attributes and types",
  "offsets of attributes and types",
  "program",
  "resources",
  "offsets of resources",
  "versions of dialects",
  "properties",
] as const;
/** Without these there is no program. */
const needed = [0, 1, 2, 3, 4];

export interface Dialect {
  readonly name: string;
  /** Of a dialect that writes one, as its bytes say it. */
  readonly version: string | undefined;
}

export interface OperatorName {
  /** With its dialect. */
  readonly name: string;
  readonly registered: boolean;
}

/** What the sections hold together. */
export interface Tables {
  readonly file: ModelFile;
  readonly version: number;
  readonly strings: readonly string[];
  readonly dialects: readonly Dialect[];
  readonly operators: readonly OperatorName[];
  readonly entries: Entries;
  /** Where each operator's properties lie. */
  readonly properties: readonly { readonly at: number; readonly end: number }[];
}

export interface Bytecode {
  readonly version: number;
  readonly producer: { readonly name: string; readonly version?: string };
  readonly draft: Draft;
  readonly module: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly sections: readonly Section[];
  readonly integrity: readonly Integrity[];
  readonly requires: readonly Requirement[];
  readonly unseen: readonly string[];
}

export const isBytecode = (file: ModelFile): boolean => file.size >= 8 && file.cursor(0, 4).u32() === 0x52ef4c4d;

export function readBytecode(file: ModelFile): Bytecode {
  const reader: BytecodeReader = new BytecodeReader(file, 4, file.size);
  const version = reader.varint();
  if (version > NEWEST) reader.fail(`bytecode version ${version}; versions to ${NEWEST} are known`, 4);
  const producer = reader.cstring(PRODUCER_LIMIT);
  const sections: Section[] = [];
  const found = new Map<number, { at: number; end: number }>();
  while (reader.left > 0) {
    const from = reader.at;
    const { id, at, end } = reader.section();
    const name = sectionNames[id];
    if (name === undefined) reader.fail(`a section of kind ${id}`, from);
    if (found.has(id)) reader.fail(`two sections of ${name}`, from);
    found.set(id, { at, end });
    sections.push({
      name,
      kind: id === 4 ? "code" : id === 2 || id === 5 ? "weights" : "metadata",
      offset: from,
      bytes: end - from,
    });
  }
  for (const id of needed) if (!found.has(id)) reader.fail(`no section of ${sectionNames[id] ?? ""}`, file.size);
  const section = (id: number): BytecodeReader => {
    const { at, end } = found.get(id) ?? { at: file.size, end: file.size };
    return new BytecodeReader(file, at, end);
  };
  const strings = readStrings(section(0));
  const { dialects, operators } = readDialects(section(1), version, strings);
  const integrity: Integrity[] = [];
  const entries = new Entries(file, section(2), section(3), strings, dialects, integrity);
  const tables: Tables = {
    file,
    version,
    strings,
    dialects,
    operators,
    entries,
    properties: found.has(8) ? readProperties(section(8)) : [],
  };
  const program = readProgram(tables, section(4));
  const [, release] = /^StableHLO_v(.+)$/.exec(producer) ?? [];
  return {
    version,
    producer:
      release === undefined ? { name: producer === "" ? "MLIR" : producer } : { name: "StableHLO", version: release },
    draft: program.draft,
    module: program.module,
    metadata: {
      dialects: [...program.dialects].map(([name, count]) => `${name} ${count}`).join(", "),
      ...Object.fromEntries(
        dialects
          .filter(({ version: said }) => said !== undefined)
          .slice(0, 32)
          .map(({ name, version: said }) => [`version of ${name}`, said ?? ""]),
      ),
      ...program.metadata,
    },
    sections,
    integrity: [...integrity, ...program.integrity],
    requires: release === undefined ? [] : [{ what: "StableHLO", relation: "at least", version: release }],
    unseen: entries.unseen,
  };
}

function readStrings(reader: BytecodeReader): string[] {
  const count = reader.count(STRING_LIMIT, "strings");
  const lengths: number[] = [];
  for (let i = 0; i < count; i++) lengths.push(reader.varint());
  // Lengths stand in reverse, each with its NUL.
  const out: string[] = [];
  for (const length of lengths.reverse()) {
    if (length === 0) reader.fail("a string without its NUL");
    const at = reader.skip(length);
    const bytes = reader.file.slice(at, length);
    if (bytes[length - 1] !== 0) reader.fail("a string without its NUL", at + length - 1);
    // Constants of an older kind stand here as text: only their head is of use.
    out.push(utf8(bytes.subarray(0, Math.min(length - 1, NAME_LIMIT))));
  }
  if (reader.left > 0) reader.fail(`${reader.left} bytes after the last string`);
  return out;
}

function readDialects(
  reader: BytecodeReader,
  version: number,
  strings: readonly string[],
): { dialects: Dialect[]; operators: OperatorName[] } {
  const text = (index: number): string => strings[index] ?? reader.fail(`string ${index}, there are ${strings.length}`);
  const dialects: Dialect[] = [];
  const count = reader.count(DIALECT_LIMIT, "dialects");
  for (let i = 0; i < count; i++) {
    if (version < 1) {
      dialects.push({ name: text(reader.varint()), version: undefined });
      continue;
    }
    const { value, flag } = reader.flagged();
    const name = text(value);
    let said: string | undefined;
    if (flag) {
      const inner = reader.section();
      if (inner.id !== 7) reader.fail(`a section of kind ${inner.id} where a dialect's version must be`, inner.at);
      said = versionOf(new BytecodeReader(reader.file, inner.at, inner.end));
    }
    dialects.push({ name, version: said });
  }
  const operators: OperatorName[] = [];
  if (version >= 4) reader.count(OPERATOR_NAME_LIMIT, "operator names");
  while (reader.left > 0) {
    const index = reader.varint();
    const dialect = dialects[index] ?? reader.fail(`dialect ${index}, there are ${dialects.length}`);
    const names = reader.count(OPERATOR_NAME_LIMIT, "operator names");
    for (let i = 0; i < names; i++) {
      const { value, flag } = version >= 5 ? reader.flagged() : { value: reader.varint(), flag: true };
      operators.push({ name: `${dialect.name}.${text(value)}`, registered: flag });
    }
  }
  return { dialects, operators };
}

/** VHLO writes three numbers; of others the numbers that are there. */
function versionOf(reader: BytecodeReader): string {
  const numbers: string[] = [];
  while (reader.left > 0 && numbers.length < 8) numbers.push(String(reader.bigVarint()));
  return numbers.join(".");
}

function readProperties(reader: BytecodeReader): { at: number; end: number }[] {
  const count = reader.count(STRING_LIMIT, "properties");
  const out: { at: number; end: number }[] = [];
  for (let i = 0; i < count; i++) {
    const bytes = reader.varint();
    const at = reader.skip(bytes);
    out.push({ at, end: at + bytes });
  }
  if (reader.left > 0) reader.fail(`${reader.left} bytes after the last properties`);
  return out;
}
