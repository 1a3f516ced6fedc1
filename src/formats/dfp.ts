/**
 * DFP: dataflow programs for MemryX' MX3, by its neural compiler. Version 6: [6 u64][MXPACK dictionary]; 3 to 5: [version u64][length
 * u64][description][program]; before that without the version. A program is [length u64][weights, u32 and bytes][count u8][settings,
 * u32 and bytes each]. https://github.com/memryx/MxAccl, https://github.com/memryx/mx3_driver_pub (MIT and GPL-2.0+; facts only)
 */

import { FileError } from "../base/errors.ts";
import { model, type Integrity, type Model, type Section, type Target } from "../model/graph.ts";
import { isType, KEY, readDict, type Bytes, type Dict, type Value } from "./dfp/mxpack.ts";
import { portsOfList, readPorts, type Port } from "./dfp/ports.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, leftOver, note, plain, warning, word, words } from "./sealed/parts.ts";

/** Where version 6's dictionary begins: version u64, type u8. */
const DICTIONARY = 9;
/** A first number below this is a version, above it the length of the oldest files' description. */
const OLDEST = 50;
/** Description of versions before 6: names, arguments of the compiler, ports. */
const DESCRIPTION_LIMIT = 16 * 1024 * 1024;

const generations: Readonly<Record<number, readonly [says: string, chip?: string]>> = {
  2: ["Barton (generation 2)"],
  3: ["Cascade (generation 3)"],
  4: ["Cascade+ (generation 3.1)", "mx3"],
};

const format: Format = {
  id: "dfp",
  name: "DFP",
  vendor: "MemryX",
  extensions: [".dfp"],
  shows: "sealed",
  matches(file) {
    const first = file.cursor(0, 8).u64();
    if (first === 6n) return isDictionary(file) ? 2 : 0;
    if (first < 3n || (first > 5n && first <= BigInt(OLDEST)) || first > BigInt(file.size)) return 0;
    if (!isDescription(file, first < BigInt(OLDEST) ? 16 : 8)) return 0;
    return file.extension === ".dfp" ? 2 : first < BigInt(OLDEST) ? 1 : 0;
  },
  read(file) {
    const first = file.cursor(0, 8).size64();
    return first === 6 ? readSix(file) : readOlder(file, first);
  },
  sources: [
    "https://github.com/memryx/MxAccl/blob/main/mx_accl/src/dfp.cpp",
    "https://github.com/memryx/mx3_driver_pub",
    "https://developer.memryx.com/tools/neural_compiler.html",
  ],
  checked: { files: 0, says: "from the source of runtime and driver library only" },
};
export default format;

/** The first key, a word padded with NULs, and a type of MXPACK behind it. */
function isDictionary(file: ModelFile): boolean {
  const cursor = file.cursor(8, 1 + 4 + KEY + 1);
  if (cursor.u8() !== 1) return false;
  const keys = cursor.u32();
  const key = cursor.take(KEY);
  const nul = key.indexOf(0);
  return (
    keys > 0 &&
    keys < 4096 &&
    nul > 0 &&
    key.subarray(0, nul).every((byte) => byte > 0x20 && byte < 0x7f) &&
    isType(cursor.u8())
  );
}

/** The date of compilation, as text, and a length behind it that fits. */
function isDescription(file: ModelFile, at: number): boolean {
  const length = file.cursor(at, 1).u8();
  const cursor = file.cursor(at + 1, length + 4);
  const date = cursor.take(length);
  return length >= 8 && date.every((byte) => byte >= 0x20 && byte < 0x7f) && cursor.u32() < file.size;
}

interface Found {
  readonly version: string;
  readonly compiler: string;
  readonly compiled: string;
  readonly arguments?: string;
  readonly generation: number;
  readonly chips: number;
  readonly models: number;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly sections: readonly Section[];
  readonly integrity: readonly Integrity[];
}

function modelOf(found: Found): Model {
  return model("dfp", {
    version: found.version,
    sealed: true,
    producer: {
      name: "MemryX neural compiler",
      ...(found.compiler === "" ? {} : { version: plain(found.compiler, 64) }),
    },
    targets: [targetOf(found.generation)],
    inputs: found.inputs.map(({ tensor }) => tensor),
    outputs: found.outputs.map(({ tensor }) => tensor),
    metadata: words({
      chips: found.chips,
      compiled: found.compiled,
      models: found.models,
      "compiler arguments": found.arguments,
    }),
    sections: found.sections,
    integrity: found.integrity,
    unseen: [
      "operators: settings of the chips' cores",
      "weights as the chips want them",
      "parts that were cut off for the host",
    ],
  });
}

function targetOf(generation: number): Target {
  const [says, chip] = (Object.hasOwn(generations, generation) ? generations[generation] : undefined) ?? [
    `generation ${generation}`,
  ];
  return { family: "memryx", ...(chip === undefined ? {} : { chip }), says };
}

function readSix(file: ModelFile): Model {
  const integrity: Integrity[] = [];
  if (file.cursor(8, 1).u8() !== 1) throw new FileError(file.name, "what follows the version is no dictionary", 8);
  const { dict, end } = readDict(file, DICTIONARY);
  integrity.push(...leftOver(file, end, "the dictionary"));
  for (const key of ["models", "compiler_version", "sim_meta", "inport_info", "outport_info", "hw_dfp"]) {
    if (!dict.has(key)) integrity.push(error("header/missing", `no ${key}, which the runtime asks for`, DICTIONARY));
  }
  const chips = dict.get("sim_meta");
  const about = (name: string): number => numberOf(chips instanceof Map ? (chips as Dict).get(name) : undefined) ?? 0;
  const inputs = portsOfList(dict.get("inport_info"), integrity);
  const outputs = portsOfList(dict.get("outport_info"), integrity);
  for (const [count, ports] of [
    ["num_inports", "inport_info"],
    ["num_outports", "outport_info"],
  ] as const) {
    const [said, list] = [numberOf(dict.get(count)), dict.get(ports)];
    if (Array.isArray(list) && said !== list.length) {
      integrity.push(error("port/count", `${ports} has ${list.length} ports, ${count} says ${said ?? "nothing"}`));
    }
  }
  const indexes = (ports: readonly Port[]): number => Math.max(-1, ...ports.map(({ model }) => model)) + 1;
  if (indexes(inputs) !== indexes(outputs)) {
    integrity.push(
      error(
        "port/models",
        `inputs are of ${indexes(inputs)} models, outputs of ${indexes(outputs)}; the runtime refuses that`,
      ),
    );
  }
  if (dict.has("sim_meta") && about("intgen") !== 4) {
    integrity.push(warning("target/unknown", `generation ${about("intgen")}: the public runtime takes 4 only`));
  }
  const models = dict.get("models");
  const minor = numberOf(dict.get("dfp_sub_version"));
  return modelOf({
    version: minor === undefined ? "6" : `6.${minor}`,
    compiler: textOf(dict.get("compiler_version")),
    compiled: textOf(dict.get("compile_timestamp")),
    generation: about("intgen"),
    chips: about("num_mpus"),
    models: Array.isArray(models) ? models.length : indexes(inputs),
    inputs,
    outputs,
    sections: sectionsOfSix(file, dict.get("hw_dfp"), end, integrity),
    integrity,
  });
}

function sectionsOfSix(file: ModelFile, hardware: Value | undefined, end: number, integrity: Integrity[]): Section[] {
  const extent = hardware as Bytes | undefined;
  if (extent?.offset === undefined) {
    if (hardware !== undefined) integrity.push(error("header/malformed", "hw_dfp is not bytes", DICTIONARY));
    return [{ name: "dictionary", kind: "metadata", offset: 0, bytes: end }];
  }
  const after = extent.offset + extent.bytes;
  return [
    { name: "dictionary", kind: "metadata", offset: 0, bytes: extent.offset },
    ...program(file, extent.offset, after, integrity),
    ...(after < end ? [{ name: "dictionary", kind: "metadata" as const, offset: after, bytes: end - after }] : []),
  ];
}

/** Weights for the chips' memory and what their cores are set to, between two offsets of the file. */
function program(file: ModelFile, at: number, end: number, integrity: Integrity[]): Section[] {
  const sections: Section[] = [];
  const overrun = (name: string, offset: number): Section[] => {
    integrity.push(error("extent/past-end", `${name} would end after ${end}, where the program ends`, offset));
    return sections;
  };
  if (end - at < 8 + 4) return overrun("the program", at);
  if (file.cursor(at, 8).u64() === 0n) {
    integrity.push(error("program/empty", "no program for the chips in it", at));
    return sections;
  }
  let offset = at + 8;
  const weights = file.cursor(offset, 4).u32();
  if (offset + 4 + weights + 1 > end) return overrun("weights", offset);
  sections.push({ name: "weights", kind: "weights", offset: offset + 4, bytes: weights });
  offset += 4 + weights;
  const count = file.cursor(offset, 1).u8();
  if (count === 0) integrity.push(error("program/empty", "no settings for the chips in it", offset));
  offset += 1;
  for (let index = 0; index < count; index++) {
    if (offset + 4 > end) return overrun(`settings ${index}`, offset);
    const bytes = file.cursor(offset, 4).u32();
    if (offset + 4 + bytes > end) return overrun(`settings ${index}`, offset);
    sections.push({ name: `settings ${index}`, kind: "code", offset: offset + 4, bytes });
    offset += 4 + bytes;
  }
  if (offset < end) integrity.push(note("extent/trailing", `${end - offset} bytes after the settings`, offset));
  return sections;
}

function readOlder(file: ModelFile, first: number): Model {
  const integrity: Integrity[] = [];
  const start = first < OLDEST ? 16 : 8;
  if (first < 3 || (first > 5 && first <= OLDEST)) throw new FileError(file.name, `version ${first} is not known`, 0);
  const length = first < OLDEST ? file.cursor(8, 8).size64() : first;
  const cut = cutShort(file, start + length, "the description");
  if (cut.length > 0) throw new FileError(file.name, cut[0]?.says ?? "cut short", file.size);
  const cursor = file.cursor(start, Math.min(length, DESCRIPTION_LIMIT));
  const compiled = word(cursor.take(cursor.u8()));
  cursor.skip(cursor.u32()); // names of the models
  const compiler = word(cursor.take(cursor.u8()));
  const given = word(cursor.take(cursor.u32()));
  const generation = cursor.u8() & 0x0f;
  const chips = cursor.u8();
  cursor.skip(2); // frequency
  const [inports, outports] = [cursor.u8(), cursor.u8()];
  const inputs = readPorts(cursor, inports, "input", integrity);
  const outputs = readPorts(cursor, outports, "output", integrity);
  if (!Object.hasOwn(generations, generation)) {
    integrity.push(error("target/unknown", `generation ${generation} is none of MemryX'`));
  }
  const models = new Set(inputs.map(({ model }) => model)).size;
  if (models !== new Set(outputs.map(({ model }) => model)).size) {
    integrity.push(
      error("port/models", "inputs and outputs are of different numbers of models; the runtime refuses that"),
    );
  }
  return modelOf({
    version: first < OLDEST ? String(first) : "before 3",
    compiler,
    compiled,
    arguments: given,
    generation,
    chips,
    models,
    inputs,
    outputs,
    sections: [
      { name: "description", kind: "metadata", offset: 0, bytes: start + length },
      ...program(file, start + length, file.size, integrity),
    ],
    integrity,
  });
}

const numberOf = (value: Value | undefined): number | undefined => (typeof value === "number" ? value : undefined);
const textOf = (value: Value | undefined): string => (typeof value === "string" ? value : "");
