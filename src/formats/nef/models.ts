/**
 * The models of a NEF in its first two generations: fw_info says where each lies, and the model's setup block what goes in and out, as
 * a row of structs (KL520, early KL720) or as a FlatBuffer. Layouts: Kneron PLUS, setup_reader.c and the KneronSetup schema 1.2.35 of
 * kneron_setup_reader.h, in public copies
 */

import { FileError } from "../../base/errors.ts";
import type { ElementType, Integrity, Quantization, Section, Tensor } from "../../model/graph.ts";
import { error } from "../sealed/parts.ts";
import { FlatBuffer, type Extent, type Table } from "../wire/flatbuffer.ts";

export const MODEL_LIMIT = 256;
export const PORT_LIMIT = 4096;
const RANK_LIMIT = 16;
/** Nodes of a setup block of structs; a few dozen in what was seen. */
const NODE_LIMIT = 65_536;
const SETUP_LIMIT = 16 * 1024 * 1024;
/** 14 words, after their count and before four words about all models. */
const DESCRIPTION = 14 * 4;
const LEGACY = 0x8eb5a462;

export interface Described {
  readonly id: number;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Operators that run on the chip's CPU. */
  readonly cpu?: number;
}

export interface Models {
  readonly models: readonly Described[];
  readonly sections: readonly Section[];
  readonly integrity: readonly Integrity[];
}

/** The layouts end in 8B or 16B: bits of an element. Numbers differ by chip. */
const layouts: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  KL520: { 16: "4W4C8B", 8: "16W1C8B" },
  KL720: { 0: "1W16C8B", 4: "4W4C8B", 5: "16W1C8B", 6: "8W1C16B" },
  later: { 0: "1W16C8B", 2: "4W4C8B", 4: "16W1C8B", 6: "8W1C16B" },
};

export function typeOf(format: number, chip: string): { type: ElementType; spelled?: string } {
  const layout = (layouts[chip] ?? layouts["later"])?.[format];
  if (layout?.endsWith("16B") === true) return { type: "int16" };
  return layout === undefined ? { type: "unknown", spelled: `layout ${format}` } : { type: "int8" };
}

/** A number is kept as number * scale * 2^radix. */
export function scaleOf(pairs: readonly (readonly [scale: number, radix: number])[]): Quantization | undefined {
  const scale = pairs.map(([factor, radix]) => 1 / (factor * 2 ** radix));
  if (scale.length === 0) return undefined;
  const same = scale.every((one) => one === scale[0]);
  return same ? { scale: scale.slice(0, 1), zeroPoint: [] } : { scale, zeroPoint: [], axis: 1 };
}

/** `encrypted`: only the descriptions can be read. */
export function readModels(bin: Table, info: Extent, all: Extent, chip: string, encrypted: boolean): Models {
  const { buffer } = bin;
  const integrity: Integrity[] = [];
  const sections: Section[] = [];
  const count = info.count >= 4 ? buffer.u32(info.at) : 0;
  if (count === 0 || count > MODEL_LIMIT || 4 + count * DESCRIPTION > info.count) {
    return {
      models: [],
      sections: [{ name: "models", kind: "weights", offset: all.at, bytes: all.count }],
      integrity: [error("graph/count", `${count} models described in ${info.count} bytes`, info.at)],
    };
  }
  const words = (index: number, word: number): number => buffer.u32(info.at + 4 + index * DESCRIPTION + word * 4);
  // Addresses are the chip's; the first model's commands lie first in the file.
  const base = words(0, 8);
  const models = Array.from({ length: count }, (_, index): Described => {
    const id = words(index, 0);
    const part = (name: string, kind: Section["kind"], word: number): Section => {
      const section = {
        name: `${name} of model ${id}`,
        kind,
        offset: all.at + words(index, word) - base,
        bytes: words(index, word + 1),
      };
      const from = section.offset - all.at;
      if (from < 0 || from + section.bytes > all.count) {
        integrity.push(
          error("extent/past-end", `${section.name} lies at ${from}, ${section.bytes} bytes, of ${all.count}`, info.at),
        );
        return { ...section, offset: all.at, bytes: 0 };
      }
      if (section.bytes > 0) sections.push(section);
      return section;
    };
    part("commands", "code", 8);
    part("weights", "weights", 10);
    const setup = part("setup", "metadata", 12);
    const nothing = { id, inputs: [], outputs: [] };
    if (encrypted || setup.bytes < 8) return nothing;
    if (setup.bytes > SETUP_LIMIT) {
      integrity.push(error("setup/size", `a setup of ${setup.bytes} bytes, over ${SETUP_LIMIT}`, setup.offset));
      return nothing;
    }
    try {
      return { id, ...readSetup(buffer, setup, chip, id) };
    } catch (cause) {
      if (!(cause instanceof FileError)) throw cause;
      const why = cause.message.split(": ").at(-1) ?? "";
      integrity.push(error("setup/contents", `setup of model ${id}: ${why}`, cause.offset));
      return nothing;
    }
  });
  return { models, sections, integrity };
}

type Ports = Omit<Described, "id">;

function readSetup(buffer: FlatBuffer, { offset, bytes }: Section, chip: string, id: number): Ports {
  if (buffer.u32(offset) !== LEGACY) {
    return readFlat(new FlatBuffer(buffer.file, { offset, length: bytes }).root(), chip);
  }
  return readRow(buffer, offset, bytes, chip, id);
}

/** KneronSetup.INFContent */
function readFlat(root: Table, chip: string): Ports {
  if (root.u32(0, 19840308) !== 19840308) root.buffer.fail("no setup begins here", root.at);
  const tensors = (field: number): Tensor[] =>
    root.tables(field, PORT_LIMIT, "ports").map((one) => tensorOf(one, chip));
  const cpu = root.vector(4, 4)?.count ?? 0;
  return { inputs: tensors(2), outputs: tensors(3), ...(cpu === 0 ? {} : { cpu }) };
}

function tensorOf(table: Table, chip: string): Tensor {
  // As in the ONNX it was made from; else as the chip wants it.
  const own = table.i32s(3, RANK_LIMIT, "dimensions");
  const shape = own !== undefined && own.length > 0 ? own : table.i32s(2, RANK_LIMIT, "dimensions");
  const pairs = table
    .table(4)
    ?.tables(0, 65_536, "scales")
    .map((one): [number, number] => [one.f32(0), one.i32(1)]);
  const quantization = pairs && scaleOf(pairs);
  return {
    name: table.string(0) ?? "",
    ...typeOf(table.u32(1), chip),
    ...(shape ? { shape } : {}),
    ...(quantization ? { quantization } : {}),
  };
}

/** Bytes of each kind of node: 0 start, 1 CPU, 2 output, 3 data, 4 data of several cores, 5 input. */
const nodes: Readonly<Record<string, readonly (number | undefined)[]>> = {
  KL520: [8, 60 + 2 * (44 + 32), 48, 44, 32, undefined],
  KL720: [8, 60, 48, 44, 32, 36],
};

function readRow(buffer: FlatBuffer, offset: number, bytes: number, chip: string, id: number): Ports {
  const sizes = nodes[chip];
  const head = chip === "KL520" ? 18 : 15;
  if (sizes === undefined) buffer.fail(`a setup of structs for a ${chip}`, offset);
  if (bytes < head * 4) buffer.fail(`a setup of ${bytes} bytes`, offset);
  const word = (at: number, index: number): number => buffer.u32(at + index * 4);
  // Where the third word is a size, nodes end there.
  const told = word(offset, 2);
  const end = offset + (told >= head * 4 && told <= bytes ? told : bytes);
  const inputs: (Tensor | undefined)[] = [];
  const outputs: (Tensor | undefined)[] = [];
  const put = (
    list: (Tensor | undefined)[],
    index: number,
    what: string,
    format: number,
    shape: number[],
    scale: number,
    radix: number,
  ) => {
    if (index >= PORT_LIMIT) buffer.fail(`${what} number ${index}, over ${PORT_LIMIT}`, offset);
    const quantization = scaleOf([[scale, radix]]);
    list[index] = {
      name: `${what} ${index} of model ${id}`,
      ...typeOf(format, chip),
      shape,
      ...(quantization ? { quantization } : {}),
    };
  };
  if (chip === "KL520") {
    const shape = [1, word(offset, 9), word(offset, 7), word(offset, 8)];
    put(inputs, 0, "input", 16, shape, 1, word(offset, 16) | 0);
  }
  let at = offset + head * 4;
  for (let seen = 0; at < end; seen++) {
    const kind = word(at, 0);
    const size = sizes[kind];
    if (size === undefined || seen >= NODE_LIMIT) buffer.fail(`node ${kind} of no known kind`, at);
    if (at + size > end) buffer.fail(`node ${kind} needs ${size} bytes, ${end - at} are left`, at);
    if (kind === 2) {
      const shape = [1, word(at, 8), word(at, 6), word(at, 7)];
      put(outputs, word(at, 9), "output", word(at, 2), shape, buffer.f32(at + 44), word(at, 10) | 0);
    } else if (kind === 5) {
      const shape = [1, word(at, 5), word(at, 3), word(at, 4)];
      put(inputs, word(at, 1), "input", word(at, 2), shape, 1, word(at, 8) | 0);
    }
    at += size;
  }
  const expected = chip === "KL520" ? word(offset, 17) : word(offset, 14);
  const found = outputs.filter((one) => one !== undefined);
  if (found.length !== expected) buffer.fail(`${expected} outputs declared, ${found.length} described`, offset);
  return { inputs: inputs.filter((one) => one !== undefined), outputs: found };
}
