/**
 * cvimodel: networks compiled by TPU-MLIR (cvi_toolchain before) for Sophgo's CV18xx and SG200x. [CviModel][FlatBuffer size u32][major u8,
 * minor u8][MD5 of all from 0x30 on][chip, 16 bytes][padding][FlatBuffer][sections: weights, commands]. Schema:
 * https://github.com/sophgo/tpu-mlir include/tpu_mlir/Builder/CV18xx/proto/cvimodel.fbs (BSD-2-Clause)
 */

import type * as Crypto from "node:crypto";
import { FileError } from "../base/errors.ts";
import { requireLate } from "../base/package.ts";
import {
  model,
  type ElementType,
  type Integrity,
  type Quantization,
  type Section,
  type Tensor,
} from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, has, hex, leftOver, note, plain, word, words } from "./sealed/parts.ts";
import { FlatBuffer, type Table } from "./wire/flatbuffer.ts";

const HEADER = 48;
/** Up to here the checksum is computed (a tenth of a second at most); beyond, that would read weights for too long. */
const CHECKSUM_LIMIT = 64 * 1024 * 1024;
const TENSOR_LIMIT = 100_000;
const SECTION_LIMIT = 4096;
const PORT_LIMIT = 1024;
const RANK_LIMIT = 16;

/** DType */
const types: readonly ElementType[] = ["float32", "int32", "uint32", "bfloat16", "int16", "uint16", "int8", "uint8"];
/** SectionType */
const sectionKinds: readonly Section["kind"][] = ["weights", "code", "code", "code", "code"];
const sectionNames = ["weights", "commands", "x86 function", "AArch64 function", "DMA commands"];

/** What CVITEK's compiler of before Sophgo called its chips: "mars" stands in files for CV181x. */
const codenames: Readonly<Record<string, string>> = { mars: "cv181x" };

const format: Format = {
  id: "cvimodel",
  name: "cvimodel",
  vendor: "Sophgo",
  extensions: [".cvimodel"],
  marks: [{ at: 0, is: "CviModel" }],
  shows: "sealed",
  matches: (file) => (has(file, "CviModel") ? 2 : 0),
  read(file) {
    const cursor = file.cursor(8, HEADER - 8);
    const size = cursor.u32();
    const version = `${cursor.u8()}.${cursor.u8()}`;
    const declared = hex(cursor.take(16));
    const chip = word(cursor.take(16));
    const start = HEADER + size;
    const integrity: Integrity[] = [];
    const inside = Object.hasOwn(codenames, chip) ? codenames[chip] : undefined;
    if (inside === undefined && !/^(cv|CV|sg|SG|bm|BM)\w+$/.test(chip)) {
      integrity.push(error("target/unknown", `chip ${JSON.stringify(chip)} is none of Sophgo's`, 30));
    }
    const cut = cutShort(file, start, "the description");
    if (cut.length > 0) throw new FileError(file.name, cut[0]?.says ?? "cut short", file.size);
    const root = new FlatBuffer(file, { offset: HEADER, length: size }).root();
    const sections = root.tables(7, SECTION_LIMIT, "sections").map((one) => readSection(one, start));
    const end = Math.max(start, ...sections.map(({ offset, bytes }) => offset + bytes));
    integrity.push(...cutShort(file, end, "the last section"), ...leftOver(file, end, "the last section"));
    if (integrity.every(({ severity }) => severity !== "error")) integrity.push(...checksum(file, declared));
    const program = root.tables(6, 64, "programs")[0];
    if (!program) integrity.push(error("graph/empty", "no program in it", HEADER));
    const ports = program ? readPorts(program, integrity) : { inputs: [], outputs: [] };
    const target = root.string(8);
    if (target !== undefined && target !== "" && target.toLowerCase() !== chip.toLowerCase()) {
      integrity.push(
        error("target/contradiction", `made for ${plain(target, 32)} in one place, ${chip} in another`, 30),
      );
    }
    const compiler = root.string(9);
    return model("cvimodel", {
      version,
      sealed: true,
      producer: { name: "TPU-MLIR", ...(compiler === undefined ? {} : { version: plain(compiler) }) },
      targets: [{ family: "sophgo", chip: "cvitek", says: inside === undefined ? chip : `${chip} (${inside})` }],
      requires: [{ what: "Sophgo chip", relation: "exactly", version: inside ?? chip }],
      ...ports,
      metadata: words({
        name: root.string(1),
        built: root.string(2),
        "weights listed": root.vector(5, 4)?.count,
        routines: program?.vector(5, 4)?.count,
        "shared memory bytes": program?.u32(6),
        "private memory bytes": program?.u32(7),
        encrypted: root.tables(7, SECTION_LIMIT, "sections").some((one) => one.bool(4)) ? "yes" : undefined,
      }),
      sections: [
        { name: "header", kind: "metadata", offset: 0, bytes: HEADER },
        { name: "description", kind: "metadata", offset: HEADER, bytes: size },
        ...sections,
      ],
      integrity,
      unseen: [
        "operators: commands for the TPU",
        "weights as the TPU wants them, which is not how the network had them",
      ],
    });
  },
  sources: ["https://github.com/sophgo/tpu-mlir/blob/master/include/tpu_mlir/Builder/CV18xx/proto/cvimodel.fbs"],
  checked: {
    files: 25,
    says: "version 1.4, cv180x and cv181x, twelve compilers of 2022 to 2026 (Seeed-Studio/sscma-example-sg200x, aisa-it/cvimodelgo, milkv-duo/cvitek-tdl-sdk-sg200x)",
  },
};
export default format;

/** type, name, size, offset from the end of the description, encrypt, compress, decompressed size */
function readSection(table: Table, start: number): Section {
  const type = table.u8(0);
  return {
    name: `${sectionNames[type] ?? `type ${type}`} ${plain(table.string(1) ?? "", 64)}`.trim(),
    kind: sectionKinds[type] ?? "unknown",
    offset: start + table.u32(3),
    bytes: table.u32(2),
  };
}

function checksum(file: ModelFile, declared: string): Integrity[] {
  if (file.size > CHECKSUM_LIMIT) {
    return [note("checksum/unchecked", `the checksum of files over ${CHECKSUM_LIMIT} bytes is not computed`, 14)];
  }
  const { createHash } = requireLate("node:crypto") as typeof Crypto;
  const found = createHash("md5")
    .update(file.slice(HEADER, file.size - HEADER))
    .digest("hex");
  return found === declared
    ? []
    : [error("checksum/wrong", `MD5 ${found}, the header says ${declared}: the file was changed or damaged`, 14)];
}

function readPorts(program: Table, integrity: Integrity[]): { inputs: Tensor[]; outputs: Tensor[] } {
  const wanted = new Map<string, Tensor>();
  const names = [
    program.strings(2, PORT_LIMIT, "inputs of the program"),
    program.strings(3, PORT_LIMIT, "outputs of the program"),
  ] as const;
  const sides = new Map([
    ...names[1].map((name) => [name, "output"] as const),
    ...names[0].map((name) => [name, "input"] as const),
  ]);
  for (const tensor of program.tables(4, TENSOR_LIMIT, "tensors of the program")) {
    const name = tensor.string(1) ?? "";
    const side = sides.get(name);
    if (side !== undefined) wanted.set(name, readTensor(tensor, name, side));
  }
  const pick = (list: readonly string[], side: string): Tensor[] =>
    list.map((name) => {
      const found = wanted.get(name);
      if (!found)
        integrity.push(error("tensor/dangling", `${side} ${JSON.stringify(name.slice(0, 80))} is no tensor of it`));
      else if (found.shape?.some((size) => typeof size === "number" && size < 1)) {
        integrity.push(error("shape/impossible", `${plain(name, 80)}: [${found.shape.join(", ")}]`));
      }
      return found ?? { name: plain(name), type: "unknown" };
    });
  return { inputs: pick(names[0], "input"), outputs: pick(names[1], "output") };
}

function readTensor(table: Table, name: string, side: "input" | "output"): Tensor {
  const code = table.u8(3);
  const type = types[code] ?? "unknown";
  // -1 is a dimension that is open.
  const shape = table
    .table(4)
    ?.i64s(0, RANK_LIMIT, "dimensions")
    ?.map((size) => (size === -1 ? null : size));
  const quantization = readQuantization(table.table(6), side);
  return {
    name: plain(name),
    type,
    ...(type === "unknown" ? { spelled: `type ${code}` } : {}),
    ...(shape ? { shape } : {}),
    ...(quantization ? { quantization } : {}),
  };
}

/** qscale multiplies on the way in and out: integer = real x qscale at inputs, real = integer x qscale at outputs. */
function readQuantization(table: Table | undefined, side: "input" | "output"): Quantization | undefined {
  const type = table?.u8(0) ?? 0;
  if (!table || (type !== 2 && type !== 3)) return undefined;
  const qscale = table.f32(4);
  return {
    scale: [side === "input" ? 1 / qscale : qscale],
    zeroPoint: type === 3 ? [table.f32(3)] : [],
    scheme: `int8 ${type === 3 ? "asymmetric" : "symmetric"}, qscale ${qscale}`,
  };
}
