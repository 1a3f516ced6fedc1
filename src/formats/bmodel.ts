/**
 * bmodel: networks compiled by TPU-MLIR for Sophgo's BM168x and CV186X. [0xFF55AAEE, header size, FlatBuffer size, binary size u64][to 64]
 * [FlatBuffer][binary]. Schema: https://github.com/sophgo/tpu-mlir include/tpu_mlir/Builder/BM168x/bmodel.fbs (BSD-2-Clause)
 */

import { FileError } from "../base/errors.ts";
import {
  model,
  type ElementType,
  type Integrity,
  type Quantization,
  type Section,
  type Target,
  type Tensor,
} from "../model/graph.ts";
import type { Format } from "./format.ts";
import { cutShort, error, FINDING_LIMIT, has, leftOver, plain, words } from "./sealed/parts.ts";
import { FlatBuffer, type Table } from "./wire/flatbuffer.ts";

const HEADER = 64;
const NET_LIMIT = 1024;
/** Stages: one a static shape. */
const STAGE_LIMIT = 1024;
const PORT_LIMIT = 4096;
const RANK_LIMIT = 16;

/** bm_data_type_t */
const types: readonly ElementType[] = [
  "float32",
  "float16",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "bfloat16",
  "int4",
  "uint4",
];

const chips: Readonly<Record<string, string>> = {
  BM1682: "bm1682",
  BM1684: "bm1684",
  BM1684X: "bm1684x",
  BM1688: "cvitek",
};

const format: Format = {
  id: "bmodel",
  name: "bmodel",
  vendor: "Sophgo",
  extensions: [".bmodel"],
  marks: [{ at: 0, is: "\xee\xaa\x55\xff" }],
  shows: "sealed",
  matches: (file) => (has(file, "\xee\xaa\x55\xff") ? 2 : 0),
  read(file) {
    const cursor = file.cursor(4, 16);
    const [header, description] = [cursor.u32(), cursor.u32()];
    const binary = cursor.size64();
    if (header < 20 || header > 4096)
      throw new FileError(file.name, `header of ${header} bytes; ${HEADER} are known`, 4);
    const start = header + description;
    const integrity: Integrity[] = [];
    if (start > file.size)
      throw new FileError(file.name, cutShort(file, start, "the description")[0]?.says ?? "", file.size);
    integrity.push(...cutShort(file, start + binary, "the binary"), ...leftOver(file, start + binary, "the binary"));
    const root = new FlatBuffer(file, { offset: header, length: description }).root();
    const chip = plain(root.string(3) ?? "", 32);
    const nets = root.tables(4, NET_LIMIT, "nets");
    if (nets.length === 0) integrity.push(error("graph/empty", "no net in it", header));
    const sections: Section[] = [];
    const keep = (name: string, kind: Section["kind"], table: Table, field: number): void => {
      const at = table.find(field, 16);
      if (at === undefined) return;
      const [from, bytes] = [Number(table.buffer.u64(at)), Number(table.buffer.u64(at + 8))];
      if (from + bytes > binary && integrity.length < FINDING_LIMIT) {
        integrity.push(error("extent/past-end", `${name} ends at ${from + bytes} of ${binary} bytes of binary`, at));
      }
      sections.push({ name, kind, offset: start + from, bytes });
    };
    const ports: { inputs: Tensor[]; outputs: Tensor[] } = { inputs: [], outputs: [] };
    for (const net of nets) {
      const name = plain(net.string(0) ?? "", 64);
      const stages = net.tables(3, STAGE_LIMIT, "stages");
      for (const [index, stage] of stages.entries()) {
        const coefficients = stage.table(4);
        if (coefficients) keep(`${name} weights`, "weights", coefficients, 2);
        keep(`${name} dynamic code`, "code", stage, 11);
        for (const group of stage.tables(8, PORT_LIMIT, "command groups")) {
          keep(`${name} TPU commands`, "code", group, 2);
          keep(`${name} DMA commands`, "code", group, 3);
        }
        if (index > 0 || net !== nets[0]) continue;
        ports.inputs.push(...stage.tables(0, PORT_LIMIT, "inputs").map(readTensor));
        ports.outputs.push(...stage.tables(1, PORT_LIMIT, "outputs").map(readTensor));
      }
    }
    const compiler = plain(root.string(1) ?? "");
    return model("bmodel", {
      version: plain(root.string(0) ?? "", 32),
      sealed: true,
      producer: { name: "TPU-MLIR", ...(compiler === "" ? {} : { version: compiler }) },
      targets: [targetOf(chip)],
      requires: [
        { what: "Sophgo chip", relation: "exactly", version: chip },
        ...(compiler === "" ? [] : [{ what: "sophgo-sdk", relation: "built by" as const, version: compiler }]),
      ],
      ...ports,
      metadata: words({
        built: root.string(2),
        nets: nets.map((net) => net.string(0) ?? "").join(", "),
        "stages of the first net": nets[0]?.vector(3, 4)?.count,
        "neuron memory bytes": String(root.u64(5)),
        devices: root.u32(7) || undefined,
      }),
      sections: [
        { name: "header", kind: "metadata", offset: 0, bytes: header },
        { name: "description", kind: "metadata", offset: header, bytes: description },
        ...sections,
      ],
      integrity,
      unseen: [
        "operators: commands for the TPU",
        "weights as the TPU wants them, which is not how the network had them",
      ],
    });
  },
  sources: [
    "https://github.com/sophgo/tpu-mlir/blob/master/include/tpu_mlir/Builder/BM168x/bmodel.fbs",
    "https://github.com/sophgo/libsophon",
  ],
  checked: { files: 0, says: "from the published schema only" },
};
export default format;

function targetOf(chip: string): Target {
  const known = Object.hasOwn(chips, chip.toUpperCase()) ? chips[chip.toUpperCase()] : undefined;
  return { family: "sophgo", ...(known === undefined ? {} : { chip: known }), says: chip === "" ? "not said" : chip };
}

function readTensor(table: Table): Tensor {
  const code = table.u32(1);
  const type = types[code] ?? "unknown";
  const shape = table.tables(5, STAGE_LIMIT, "shapes")[0]?.i64s(0, RANK_LIMIT, "dimensions");
  const scale = table.f32(7, 1);
  const zero = table.i32(10);
  const integer = type.includes("int");
  const quantization: Quantization | undefined =
    integer && (scale !== 1 || zero !== 0) ? { scale: [scale], zeroPoint: zero === 0 ? [] : [zero] } : undefined;
  return {
    name: plain(table.string(0) ?? ""),
    type,
    ...(type === "unknown" ? { spelled: `type ${code}` } : {}),
    ...(shape ? { shape } : {}),
    ...(quantization ? { quantization } : {}),
  };
}
