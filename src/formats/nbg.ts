/**
 * NBG: VeriSilicon's network binary graph, compiled by ACUITY for one configuration of a VIP core. Fixed header, then a directory of
 * tables; inputs, outputs and layer names can be read, commands and weights cannot. Layout: the MIT-licensed reader
 * https://github.com/VeriSilicon/TIM-VX src/tim/utils/nbg_parser/nbg_parser.c
 */

import {
  model,
  type ElementType,
  type Integrity,
  type Model,
  type Quantization,
  type Section,
  type Tensor,
} from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { FINDING_LIMIT, WORD_LIMIT, cutShort, error, has, leftOver, word, words } from "./sealed/parts.ts";

/** Networks have a handful; YOLO-like ones some ten outputs. */
const PORT_LIMIT = 1024;
/** Names of layers are listed up to this many in metadata. */
const LAYER_LIMIT = 65_536;
/** 27 in the newest file seen. */
const TABLE_LIMIT = 64;
const HEADER = 92;

/** nbg_buffer_format_e */
const types: readonly (ElementType | undefined)[] = [
  "float32",
  "float16",
  "uint8",
  "int8",
  "uint16",
  "int16",
  undefined,
  "bfloat16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "float64",
];

/** In file order; `from` is the format version a table came with. */
const tables: readonly { name: string; kind: Section["kind"]; from?: number }[] = [
  { name: "inputs", kind: "metadata" },
  { name: "outputs", kind: "metadata" },
  { name: "layers", kind: "metadata" },
  { name: "operations", kind: "graph" },
  { name: "loading data table", kind: "graph" },
  { name: "loading data (states, commands and weights)", kind: "weights" },
  { name: "NN operations", kind: "code" },
  { name: "TP operations", kind: "code" },
  { name: "shader operations", kind: "code" },
  { name: "patches", kind: "graph" },
  { name: "layer parameters", kind: "graph" },
  { name: "software operations", kind: "code" },
  { name: "hardware start operations", kind: "code", from: 0x1000c },
  { name: "start data table", kind: "graph", from: 0x1000c },
  { name: "start data", kind: "code", from: 0x1000c },
  { name: "shader parameters", kind: "graph", from: 0x1000e },
];

/**
 * Target ids (customer id of the core) for which a file or a maker's file name leads to a chip of the catalogue: 0x82 and 0xb5 are in
 * .rknn files that name RK1808 and RV1109/RV1126; 0x88 and 0x99 are Khadas's suffixes for A311D and S905D3, the next five stand beside
 * them in Amlogic's conversion scripts; the last three are those of Allwinner's (ai-sdk, pegasus_setup.sh).
 */
const targets: Readonly<Record<number, { chip: string; says: string }>> = {
  0x82: { chip: "rk1808", says: "RK1808" },
  0xb5: { chip: "rk1808", says: "RV1109/RV1126" },
  0x88: { chip: "amlogic", says: "A311D" },
  0x99: { chip: "amlogic", says: "S905D3" },
  0x7d: { chip: "amlogic", says: "an Amlogic SoC" },
  0xa1: { chip: "amlogic", says: "an Amlogic SoC" },
  0xb9: { chip: "amlogic", says: "an Amlogic SoC" },
  0xbe: { chip: "amlogic", says: "an Amlogic SoC" },
  0xe8: { chip: "amlogic", says: "an Amlogic SoC" },
  0xee: { chip: "allwinner", says: "V85x/R853" },
  0x10000016: { chip: "allwinner", says: "T527/MR527" },
  0x1000003b: { chip: "allwinner", says: "A733/T736/T536" },
};

const format: Format = {
  id: "nbg",
  name: "VeriSilicon network binary graph",
  vendor: "VeriSilicon",
  extensions: [".nb", ".nbg"],
  marks: [{ at: 0, is: "VPMN" }],
  shows: "sealed",
  matches: (file) => (has(file, "VPMN") ? 2 : 0),
  read: readNbg,
  sources: [
    "https://github.com/VeriSilicon/TIM-VX/blob/main/src/tim/utils/nbg_parser/nbg_parser.c",
    "https://github.com/lutzroeder/netron/blob/main/source/rknn.js",
  ],
  checked: {
    files: 14,
    says: "six files of their own (format 0x1001e of TIM-VX; 0x10009 for Amlogic's SoCs: dim-dol/vim3-201110, liujiaxing7's ALIKE_a311d, Superpoint_a311d, ZeroDCE_a311d), eight inside .rknn files (0x1000b, 0x1000e)",
  },
};
export default format;

/** Also of the NBG inside an .rknn of toolkit 1. */
export function readNbg(file: ModelFile): Model {
  const cursor = file.cursor(0, HEADER);
  const version = cursor.skip(4).u32();
  const id = cursor.u32();
  const name = word(cursor.take(64));
  const [layers, operations, inputCount, outputCount] = [cursor.u32(), cursor.u32(), cursor.u32(), cursor.u32()];
  const integrity: Integrity[] = [];
  if (version >> 16 !== 1) {
    integrity.push(error("header/version", `format 0x${version.toString(16)} is none that is known`, 4));
  }
  const features = version >= 0x10003 ? file.cursor(HEADER, 12) : undefined;
  features?.skip(4);
  const pipes = features?.u32();
  const cores = features?.u8();
  // The feature database has 256 bytes from format 3 on; then pool (12), AXI SRAM (8), and from format 8 on VIP SRAM (8).
  const pool = HEADER + (features ? 256 : 0);
  const memory = file.cursor(pool, version >= 0x10008 ? 28 : 20);
  const poolBytes = memory.u32();
  const axi = memory.skip(12).u32();
  const vip = version >= 0x10008 ? memory.skip(4).u32() : undefined;
  const directory = pool + memory.length;
  const { sections, ends } = readDirectory(file, version, directory, integrity);
  // Amlogic's tool writes the names of inputs and outputs behind it: "tensorname:data,0:prob,1:".
  const names = has(file, "tensorname:", ends) ? file.size - ends : 0;
  integrity.push(...cutShort(file, ends, "the last table"));
  if (names === 0) integrity.push(...leftOver(file, ends, "the last table"));
  else if (!has(file, ":", file.size - 1)) {
    integrity.push(error("extent/past-end", "cut short: the names of its tensors end without their colon", file.size));
  }
  const layerBytes = sections[2]?.bytes ?? 0;
  if (layerBytes > 0 && layerBytes !== layers * layerWidth(version)) {
    const says = `${layers} layers of ${layerWidth(version)} bytes, their table has ${layerBytes}`;
    integrity.push(error("extent/wrong-size", says, sections[2]?.offset));
  }

  const ports = (section: Section | undefined, count: number, what: string): Tensor[] =>
    readPorts(file, version, section, count, what, integrity);
  const target = targets[id];
  const hexId = `0x${id.toString(16)}`;
  const layerTable = sections[2];
  return model("nbg", {
    version: `0x${version.toString(16)}`,
    sealed: true,
    producer: { name: "ACUITY" },
    targets: [
      {
        family: "verisilicon",
        ...(target ? { chip: target.chip } : {}),
        says: target ? `target id ${hexId} (${target.says})` : `target id ${hexId}`,
      },
    ],
    requires: [{ what: "VIP core with target id", relation: "exactly", version: hexId }],
    inputs: ports(sections[0], inputCount, "inputs"),
    outputs: ports(sections[1], outputCount, "outputs"),
    metadata: words({
      name,
      layers,
      operations,
      "VIP cores": cores,
      "pixel pipes": pipes,
      "memory pool bytes": poolBytes,
      "AXI SRAM bytes": axi,
      "VIP SRAM bytes": vip,
      "tensor names": names > 0 ? word(file.slice(ends + 11, Math.min(names - 11, WORD_LIMIT))) : undefined,
      "layer types": layerTable && layerTypes(file, version, layerTable),
      "shape order": "innermost first",
    }),
    sections: [
      ...sections.filter((section) => section.bytes > 0),
      ...(names > 0 ? [{ name: "tensor names", kind: "metadata" as const, offset: ends, bytes: names }] : []),
    ],
    integrity,
    unseen: [
      "operators and weights: commands for one core configuration, compressed by the compiler",
      "which release of galcore and its libraries it needs: the file names no driver",
    ],
  });
}

function readDirectory(
  file: ModelFile,
  version: number,
  at: number,
  integrity: Integrity[],
): { sections: Section[]; ends: number } {
  const present: { name: string; kind: Section["kind"] }[] = tables.filter((table) => version >= (table.from ?? 0));
  // The first table begins where the directory ends: newer formats (27 tables in 0x1001e) have some that are not documented.
  const count = (file.cursor(at, 8).u32() - at) / 8;
  if (!Number.isInteger(count) || count < present.length || count > TABLE_LIMIT) {
    integrity.push(error("header/directory", "the first table does not begin where the directory ends", at));
  } else {
    for (let index = present.length; index < count; index++) {
      present.push({ name: `table ${index} (not documented)`, kind: "unknown" });
    }
  }
  const cursor = file.cursor(at, present.length * 8);
  let ends = at + present.length * 8;
  const sections = present.map(({ name, kind }) => {
    const [offset, bytes] = [cursor.u32(), cursor.u32()];
    if (bytes > 0) {
      if (offset < at && integrity.length < FINDING_LIMIT) {
        integrity.push(error("extent/overlap", `${name} begins at ${offset}, inside the header`, at));
      }
      ends = Math.max(ends, offset + bytes);
    }
    return { name, kind, offset, bytes };
  });
  const sorted = sections.filter(({ bytes }) => bytes > 0).sort((a, b) => a.offset - b.offset);
  for (const [i, { name, offset, bytes }] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next && offset + bytes > next.offset) {
      integrity.push(error("extent/overlap", `${name} runs into ${next.name}`, next.offset));
    }
  }
  return { sections, ends };
}

function readPorts(
  file: ModelFile,
  version: number,
  section: Section | undefined,
  count: number,
  what: string,
  integrity: Integrity[],
): Tensor[] {
  if (!section || section.offset + section.bytes > file.size) return [];
  const dimensions = version >= 0x1000b ? 6 : 4;
  const named = version >= 0x10004;
  const width = 28 + dimensions * 4 + (named ? 64 : 0);
  if (section.bytes !== count * width) {
    integrity.push(
      error(
        "extent/wrong-size",
        `${count} ${what} of ${width} bytes, their table has ${section.bytes}`,
        section.offset,
      ),
    );
  }
  const held = Math.min(Math.floor(section.bytes / width), PORT_LIMIT);
  return Array.from({ length: held }, (_, index) => {
    const at = section.offset + index * width;
    const cursor = file.cursor(at, width);
    const rank = cursor.u32();
    const sizes = Array.from({ length: dimensions }, () => cursor.u32());
    const code = cursor.u32();
    const kind = cursor.skip(4).u32();
    const fixed = cursor.u32() | 0;
    const view = new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset, cursor.bytes.byteLength);
    const scale = view.getFloat32(cursor.offset, true);
    const zero = view.getInt32(cursor.offset + 4, true);
    cursor.skip(8);
    const name = named ? word(cursor.take(64)) : "";
    if (rank > dimensions) {
      integrity.push(error("shape/impossible", `${what}: ${rank} dimensions, the format has ${dimensions}`, at));
    }
    const type = types[code] ?? "unknown";
    const quantization = quantizationOf(kind, fixed, scale, zero);
    if (kind === 2 && !(Number.isFinite(scale) && scale > 0)) {
      integrity.push(error("quantization/nan-scale", `${name || what}: its scale is ${scale}`, at));
    }
    return {
      name: name || `${what} ${index}`,
      type,
      ...(type === "unknown" ? { spelled: `format ${code}` } : {}),
      shape: sizes.slice(0, Math.min(rank, dimensions)),
      ...(quantization ? { quantization } : {}),
    };
  });
}

/** nbg_buffer_quantize_format_e: 1 dynamic fixed point, 2 affine. */
function quantizationOf(kind: number, fixed: number, scale: number, zero: number): Quantization | undefined {
  if (kind === 1) return { scale: [2 ** -fixed], zeroPoint: [], scheme: `dynamic fixed point ${fixed}` };
  if (kind === 2) return { scale: [scale], zeroPoint: [zero] };
  return undefined;
}

const layerWidth = (version: number): number => (version >= 0x10008 ? 76 : 72);

/** The names of the layers, which are the compiler's operator names, each once. */
function layerTypes(file: ModelFile, version: number, { offset, bytes }: Section): string {
  const width = layerWidth(version);
  if (offset + bytes > file.size) return "";
  const seen = new Set<string>();
  const count = Math.min(Math.floor(bytes / width), LAYER_LIMIT);
  for (let index = 0; index < count && seen.size < 32; index++) {
    seen.add(word(file.slice(offset + index * width, 64)));
  }
  seen.delete("");
  return [...seen].join(", ");
}
