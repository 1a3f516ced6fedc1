/**
 * NEF: models compiled by Kneron's toolchain, several to a file. A FlatBuffer without an identifier, and the CRC of all of it behind:
 * header (target, compiler), names, and the models' bytes, which since KL730 are a FlatBuffer too. Field numbers: the KneronNEF schema
 * 1.0.1 of Kneron PLUS (kneron_nef_reader.h, nef_reader.c), in public copies
 */

import type * as Zlib from "node:zlib";
import { FileError } from "../base/errors.ts";
import { requireLate } from "../base/package.ts";
import { model, type Integrity, type Section } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { readKne } from "./nef/kne.ts";
import { MODEL_LIMIT, readModels, type Described } from "./nef/models.ts";
import { error, plain, words } from "./sealed/parts.ts";
import { FlatBuffer, type Extent, type Table } from "./wire/flatbuffer.ts";

/** The CRC is taken of files up to this; the largest NEF has some 40 MiB. */
const CHECK_LIMIT = 64 * 1024 * 1024;
const PIECE = 256 * 1024;
const CRC = 4;

/** NPUTarget; from schema 2.2.1 on all stand one further. */
const chips = ["KL520", "KL720", "KL530", "KL730", "KL630", "KL540"];
/** Those of the catalogue. */
const known = new Set(["KL520", "KL530", "KL630", "KL720", "KL730"]);
const encryptions: Readonly<Record<number, string>> = { 1: "with a custom key", 2: "for one device" };

const format: Format = {
  id: "nef",
  name: "Kneron NEF",
  vendor: "Kneron",
  extensions: [".nef"],
  // No mark of its own: the root of the FlatBuffer stands within the first 256 bytes.
  marks: [{ at: 1, is: "\0\0\0" }],
  shows: "sealed",
  matches(file) {
    try {
      return open(file) === undefined ? 0 : 2;
    } catch (cause) {
      if (!(cause instanceof FileError)) throw cause;
      // Cut short, the tables at the end are missing and the root still stands at the beginning.
      return file.extension === ".nef" && file.size > 64 && file.cursor(0, 4).u32() === 16 ? 1 : 0;
    }
  },
  read: readNef,
  sources: [
    "https://github.com/kneron/document_center/blob/main/docs/toolchain/appendix/nef_utils_guide.md",
    "https://github.com/kneron/host_lib",
    "Kneron PLUS 2.3.0: kneron_nef_reader.h, kneron_setup_reader.h, kneron_kne_c_reader.h",
  ],
  checked: {
    files: 3,
    says: "three KL520 files of three compilers; KL720, KL630 (FlatBuffer setup) and KL730 (KNE) from their schemas only",
  },
};
export default format;

interface Opened {
  readonly header: Table;
  readonly schema: Table;
  readonly names: readonly Table[];
  readonly bin: Table;
  readonly info: Extent | undefined;
  readonly all: Extent;
}

/** Root: 0 magic, 1 header, 2 names, 3 models { 0 descriptions, 1 bytes }. Undefined where another FlatBuffer stands. */
function open(file: ModelFile): Opened | undefined {
  if (file.size < 64 || file.cursor(0, 4).u32() > 255 || /^[A-Z][A-Z0-9]{3}/.test(mark(file))) return undefined;
  const root = new FlatBuffer(file, { length: file.size - CRC }).root();
  if (root.fields < 4 || root.fields > 16) return undefined;
  const header = root.table(1);
  const schema = header?.table(7);
  const bin = root.table(3);
  const all = bin?.vector(1, 1);
  if (!header || !schema || !bin || !all || header.fields < 8 || schema.fields > 8) return undefined;
  return { header, schema, names: root.tables(2, MODEL_LIMIT, "model names"), bin, info: bin.vector(0, 1), all };
}

/** Other FlatBuffers have an identifier there: TFL3, TTNN. */
const mark = (file: ModelFile): string => Buffer.from(file.slice(4, 4)).toString("latin1");

function readNef(file: ModelFile) {
  const opened = open(file);
  if (!opened) throw new FileError(file.name, "a FlatBuffer without the header and the models of a NEF", 0);
  const { header, schema, names, bin, info, all } = opened;
  const integrity: Integrity[] = [];
  // Before 1.0 the numbers had defaults, and no file gave them.
  const plainVersion = [schema.u32(0), schema.u32(1), schema.u32(2)];
  const version = plainVersion.every((part) => part === 0) ? "0.9.1" : plainVersion.join(".");
  const code = header.i32(1);
  const chip = chips[code - (isShifted(plainVersion) ? 1 : 0)] ?? `target ${code}`;
  const encryption = header.i32(4);
  const compiler = plain(header.string(5) ?? "", 64);
  const toolchain = plain(header.string(6) ?? "", 64);
  let models: readonly Described[] = [];
  let sections: readonly Section[] = [];
  let kne: string | undefined;
  let cut = false;
  if (all.count === 0) integrity.push(error("graph/empty", "no models in it", 0));
  else if (info !== undefined && info.count > 0) {
    const read = readModels(bin, info, all, chip, encryption !== 0);
    ({ models, sections } = read);
    integrity.push(...read.integrity);
    if (names.length > 0 && models.length > 0 && names.length !== models.length) {
      const says = `${models.length} models described, ${names.length} named`;
      integrity.push(error("graph/count", says, info.at));
    }
  } else if (encryption === 0) {
    try {
      const read = readKne(file, all, chip);
      ({ models, sections, version: kne } = read);
    } catch (cause) {
      if (!(cause instanceof FileError)) throw cause;
      cut = true;
      const why = cause.message.split(": ").at(-1) ?? "";
      integrity.push(error("kne/contents", `its models cannot be followed: ${why}`, cause.offset));
    }
  }
  const crc = checkCrc(file);
  if (crc.wrong !== undefined) integrity.push(error("checksum/mismatch", crc.wrong, file.size - CRC));
  const named = names.map((one) => [one.string(0), one.string(2)].filter(Boolean).join(" ")).join(", ");
  // File names inside say the chip too: ...kdp520...
  const hinted = /kdp(\d{3})/.exec(named)?.[1];
  if (known.has(chip) && hinted !== undefined && chip !== `KL${hinted}`) {
    integrity.push(error("target/contradiction", `made for ${chip}, with models named for the KL${hinted}`, 0));
  }
  const cpu = models.reduce((sum, one) => sum + (one.cpu ?? 0), 0);
  const encrypted = encryption === 0 ? undefined : (encryptions[encryption] ?? `by mode ${encryption}`);
  return model("nef", {
    version: `schema ${version}`,
    sealed: true,
    producer: { name: "Kneron toolchain", ...producerVersion(toolchain, compiler) },
    targets: [{ family: "kneron", ...(known.has(chip) ? { chip: chip.toLowerCase() } : {}), says: chip }],
    inputs: models.flatMap(({ inputs }) => inputs),
    outputs: models.flatMap(({ outputs }) => outputs),
    metadata: words({
      models: models.length || undefined,
      "model ids": models.map(({ id }) => id).join(" "),
      names: named,
      toolchain,
      compiler,
      "models' schema": kne === undefined || kne === "" ? undefined : `KNE ${kne}`,
      "on the CPU": cpu === 0 ? undefined : `${cpu} operators`,
      checksum: crc.says,
      encrypted,
      "KN number": encryption === 2 ? `0x${header.u32(3).toString(16)}` : undefined,
      platform: plain(header.string(0) ?? "", 64),
    }),
    sections: [
      ...(info && info.count > 0
        ? [{ name: "descriptions", kind: "metadata" as const, offset: info.at, bytes: info.count }]
        : []),
      ...(sections.length > 0
        ? sections
        : [{ name: "models", kind: "weights" as const, offset: all.at, bytes: all.count }]),
    ],
    integrity,
    unseen: [
      "operators and weights: commands for the NPU",
      ...(encrypted === undefined ? [] : ["inputs and outputs: the models are encrypted"]),
      ...(cut ? ["inputs and outputs: they stand in the models, which could not be followed"] : []),
    ],
  });
}

const isShifted = ([major = 0, minor = 0, revision = 0]: readonly number[]): boolean =>
  major > 2 || (major === 2 && (minor > 2 || (minor === 2 && revision >= 1)));

/** The toolchain's release where it is told ("kneron/toolchain:v0.20.1"); the compiler's own number is its maker's commit. */
function producerVersion(toolchain: string, compiler: string): { version?: string } {
  const version = /:v?(\d[\w.]*)/.exec(toolchain)?.[1] ?? compiler;
  return version === "" ? {} : { version };
}

/** The last four bytes are the CRC-32 of all before; Kneron PLUS refuses a file where they are not. */
function checkCrc(file: ModelFile): { says: string; wrong?: string } {
  const bytes = file.size - CRC;
  if (bytes > CHECK_LIMIT) return { says: `CRC-32 not checked: over ${CHECK_LIMIT / 1024 / 1024} MiB` };
  const { crc32 } = requireLate("node:zlib") as typeof Zlib;
  let found = 0;
  for (let at = 0; at < bytes; at += PIECE) found = crc32(file.slice(at, Math.min(PIECE, bytes - at)), found);
  const told = file.cursor(bytes, CRC).u32();
  if (found === told) return { says: "CRC-32 of the file fits" };
  const says = `CRC-32 of the file is ${hex(found)}, its end says ${hex(told)}`;
  return { says, wrong: `${says}: bytes were changed or are missing` };
}

const hex = (value: number): string => value.toString(16).padStart(8, "0");
