/**
 * xclbin: what configures AMD's FPGAs and NPUs: [xclbin2][signature][header at 304][section headers at 456][sections][mirror, JSON]. An
 * NPU's overlay has a partition of AI engine columns with its programs (PDI), an Alveo's a bitstream; neither holds a network.
 * https://github.com/Xilinx/XRT xrt/detail/xclbin.h (Apache-2.0)
 */

import { utf8, withoutEnd } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import { model, type Integrity, type Section, type Target } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, has, hex, isRecord, leftOver, note, plain, word, words } from "./sealed/parts.ts";

const HEADER = 304;
const SECTIONS = 456;
const SECTION = 40;
/** A dozen in an NPU's overlay, some thirty in an Alveo's. */
const SECTION_LIMIT = 1024;
/** Descriptions of AI engines; the largest seen has 13 KB. */
const DESCRIPTION_LIMIT = 4 * 1024 * 1024;
/** Names of kernels shown; each column's program is one. */
const NAMES = 16;
const IP = 80;
const IP_LIMIT = 4096;
const MIRROR = "XCLBIN_MIRROR_DATA_START";

/** axlf_section_kind */
const kinds: Readonly<Record<number, readonly [name: string, kind: Section["kind"]]>> = {
  0: ["bitstream", "code"],
  1: ["clearing bitstream", "code"],
  2: ["embedded metadata", "metadata"],
  3: ["firmware", "code"],
  4: ["debug data", "metadata"],
  5: ["scheduler firmware", "code"],
  6: ["memory topology", "metadata"],
  7: ["connectivity", "metadata"],
  8: ["IP layout", "metadata"],
  9: ["debug IP layout", "metadata"],
  10: ["design check point", "unknown"],
  11: ["clocks", "metadata"],
  12: ["MCS", "code"],
  13: ["BMC", "code"],
  14: ["build metadata", "metadata"],
  15: ["key values", "metadata"],
  16: ["user metadata", "metadata"],
  17: ["certificate", "metadata"],
  18: ["PDI", "code"],
  19: ["partial PDI", "code"],
  20: ["partition metadata", "metadata"],
  21: ["emulation data", "unknown"],
  22: ["system metadata", "metadata"],
  23: ["soft kernel", "code"],
  24: ["flash", "code"],
  25: ["AI engine metadata", "metadata"],
  26: ["group topology", "metadata"],
  27: ["group connectivity", "metadata"],
  32: ["AI engine partition", "code"],
};
const IP_LAYOUT = 8;
const AIE_METADATA = 25;
const AIE_PARTITION = 32;

/** hw_gen of AI engine metadata, as overlays for the one and the other processor have it. */
const generations: Readonly<Record<string, readonly [says: string, chip?: string]>> = {
  "3": ["AIE2 (generation 3)", "npu1"],
  "4": ["AIE2P (generation 4)"],
};
/** Chips of the catalogue whose name stands in the platform's. */
const boards = ["u200", "u250", "u280", "u50", "u55c", "vck5000", "v70"];

interface Held extends Section {
  readonly code: number;
}

const format: Format = {
  id: "xclbin",
  name: "xclbin",
  vendor: "AMD",
  extensions: [".xclbin"],
  marks: [{ at: 0, is: "xclbin2\0" }],
  shows: "sealed",
  matches: (file) => (has(file, "xclbin2\0") ? 2 : 0),
  read(file) {
    const cursor = file.cursor(HEADER, SECTIONS - HEADER);
    const length = cursor.size64();
    cursor.skip(16); // times
    const patch = cursor.u16();
    const version = `${cursor.u8()}.${cursor.u8()}.${patch}`;
    const platform = word(file.slice(352, 64));
    const count = cursor.seek(448 - HEADER).u32();
    if (count > SECTION_LIMIT) throw new FileError(file.name, `${count} sections, over ${SECTION_LIMIT}`, 448);
    const integrity: Integrity[] = [
      ...cutShort(file, length, "the file by its header"),
      ...leftOver(file, length, "its end by its header"),
    ];
    const held = readSections(file, count, integrity);
    const end = Math.max(SECTIONS + count * SECTION, ...held.map(({ offset, bytes }) => offset + bytes));
    const mirror = has(file, MIRROR, end);
    if (!mirror && end < Math.min(length, file.size)) {
      integrity.push(
        note("extent/trailing", `${Math.min(length, file.size) - end} bytes behind the last section`, end),
      );
    }
    const partition = held.find(({ code }) => code === AIE_PARTITION);
    const engines = description(
      file,
      held.find(({ code }) => code === AIE_METADATA),
      integrity,
    );
    const kernels = kernelsOf(
      file,
      held.find(({ code }) => code === IP_LAYOUT),
      integrity,
    );
    return model("xclbin", {
      version,
      sealed: true,
      producer: { name: "XRT (xclbinutil)", version },
      targets: [targetOf(platform, engines)],
      metadata: words({
        platform,
        uuid: hex(file.slice(416, 16)),
        "AI engine columns": engines?.num_columns,
        "columns of a partition": engines?.partition_num_cols ?? columnsOf(file, partition),
        kernels: kernels.length > NAMES ? `${kernels.slice(0, NAMES).join(", ")} and more` : kernels.join(", "),
      }),
      sections: [
        { name: "header", kind: "metadata", offset: 0, bytes: SECTIONS + count * SECTION },
        ...held
          .filter(({ bytes }) => bytes > 0)
          .map(({ name, kind, offset, bytes }) => ({ name, kind, offset, bytes })),
        ...(mirror
          ? [{ name: "mirror of the header", kind: "metadata" as const, offset: end, bytes: file.size - end }]
          : []),
      ],
      integrity,
      unseen: ["a network: it configures the device, and the runtime brings the network", "what its programs do"],
    });
  },
  sources: ["https://github.com/Xilinx/XRT/blob/master/src/runtime_src/core/include/xrt/detail/xclbin.h"],
  checked: { files: 12, says: "overlays of AMD's RyzenAI-SW for Phoenix (hw_gen 3) and Strix (hw_gen 4)" },
};
export default format;

function readSections(file: ModelFile, count: number, integrity: Integrity[]): Held[] {
  const cursor = file.cursor(SECTIONS, count * SECTION);
  const held: Held[] = [];
  for (let index = 0; index < count; index++) {
    const code = cursor.u32();
    const label = word(cursor.take(16));
    cursor.skip(4);
    const [offset, bytes] = [cursor.size64(), cursor.size64()];
    const [name, kind] = (Object.hasOwn(kinds, code) ? kinds[code] : undefined) ?? [`kind ${code}`, "unknown"];
    held.push({ code, name: `${name} ${label}`.trim(), kind, offset, bytes });
  }
  let end = SECTIONS + count * SECTION;
  const sorted = held.filter(({ bytes }) => bytes > 0).sort((a, b) => a.offset - b.offset);
  for (const { name, offset, bytes } of sorted) {
    if (offset < end && integrity.length < 20) {
      integrity.push(error("extent/overlap", `section ${name} lies over what is before it`, offset));
    }
    end = Math.max(end, offset + bytes);
  }
  integrity.push(...cutShort(file, end, "the last section"));
  return held;
}

/** driver_config of the AI engine's metadata: numbers written as text. */
function description(
  file: ModelFile,
  held: Held | undefined,
  integrity: Integrity[],
): Readonly<Record<string, string>> | undefined {
  if (held === undefined || held.bytes > DESCRIPTION_LIMIT || held.offset + held.bytes > file.size) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(withoutEnd(utf8(file.slice(held.offset, held.bytes))));
  } catch {
    integrity.push(error("description/malformed", "the AI engine's metadata is no JSON", held.offset));
    return undefined;
  }
  const inner = isRecord(value) && isRecord(value.aie_metadata) ? value.aie_metadata.driver_config : undefined;
  if (!isRecord(inner)) return undefined;
  return Object.fromEntries(
    Object.entries(inner).flatMap(([key, one]) => (typeof one === "string" ? [[key, plain(one, 32)]] : [])),
  );
}

function columnsOf(file: ModelFile, held: Held | undefined): string | undefined {
  if (held === undefined || held.bytes < 34 || held.offset + 34 > file.size) return undefined;
  return String(file.cursor(held.offset + 32, 2).u16());
}

/** Count, then per block type, properties, base address and a name of 64 bytes. */
function kernelsOf(file: ModelFile, held: Held | undefined, integrity: Integrity[]): string[] {
  if (held === undefined || held.bytes < 8 || held.offset + held.bytes > file.size) return [];
  const count = file.cursor(held.offset, 4).u32();
  if (8 + count * IP > held.bytes || count > IP_LIMIT) {
    integrity.push(error("extent/past-end", `${count} blocks declared in ${held.bytes} bytes`, held.offset));
    return [];
  }
  const cursor = file.cursor(held.offset + 8, count * IP);
  const names = Array.from({ length: count }, () => word(cursor.skip(16).take(64)));
  return [...new Set(names.filter((name) => name !== ""))];
}

function targetOf(platform: string, engines: Readonly<Record<string, string>> | undefined): Target {
  if (/(?:^|_)ipu(?:_|$)/.test(platform)) {
    const key = engines?.hw_gen ?? "";
    const [says, chip] = (Object.hasOwn(generations, key) ? generations[key] : undefined) ?? [platform];
    return { family: "amd-xdna", ...(chip === undefined ? {} : { chip }), says };
  }
  const chip = boards.find((board) => platform.split("_").includes(board));
  return {
    family: "xilinx-dpu",
    ...(chip === undefined ? {} : { chip }),
    says: platform === "" ? "not said" : platform,
  };
}
