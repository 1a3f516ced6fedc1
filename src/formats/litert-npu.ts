/**
 * TFLite that LiteRT compiled ahead of time for a phone's NPU: operators that fit became DISPATCH_OP custom operators, whose options say
 * where the maker's byte code lies in the file, and LiteRtStamp says for which chip. google-ai-edge/LiteRT litert/core/build_stamp.cc,
 * dispatch_op_schema.cc (names, sizes); one file from before those says as metadata where one byte code lies.
 */

import { latin1 } from "../base/bytes.ts";
import { model, type Integrity, type Model, type Node, type Section, type Target } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { contextTarget, contextText } from "./sealed/qnn.ts";
import { readTfliteModel } from "./tflite.ts";
import { flexValues, readFlexMap } from "./tflite/flexbuffer.ts";
import { usesCustomCode, type TfliteFile } from "./tflite/read.ts";
import { fields } from "./tflite/schema.ts";
import { carve } from "./tflite/sections.ts";

const CODE = "DISPATCH_OP";
/** Entries of the metadata list; a handful in every file seen. */
const ENTRY_LIMIT = 4096;
/** The stamp is two texts of 124 bytes, each with its NUL. */
const STAMP_TEXT = 125;

/** A word and two numbers. */
const PLACE_LIMIT = 64;

/** What the compilers' plug-ins call their makers. */
const families: Readonly<Record<string, string>> = {
  Qualcomm: "qualcomm",
  MediaTek: "mediatek",
  IntelOpenVINO: "intel-npu",
};

const format: Format = {
  id: "litert-npu",
  name: "LiteRT-compiled TFLite",
  vendor: "Google",
  extensions: [".tflite"],
  marks: [{ at: 4, is: "TFL3" }],
  shows: "partly",
  matches: (file) => (usesCustomCode(file, [CODE]) ? 3 : 0),
  read: readDispatch,
  sources: [
    "https://github.com/google-ai-edge/LiteRT/blob/main/litert/core/build_stamp.cc",
    "https://github.com/google-ai-edge/LiteRT/blob/main/litert/core/dispatch_op_schema.cc",
  ],
  checked: {
    files: 8,
    says: "test files of LiteRT: for Qualcomm's SM8650 and SM8750, MediaTek's MT6989 and Google's Tensor, and one of the layout before",
  },
};
export default format;

function readDispatch(file: ModelFile): Model {
  const { model: base, tflite } = readTfliteModel(file, format.id, [CODE]);
  const integrity: Integrity[] = [...base.integrity];
  const { stamp, old } = readEntries(file, tflite);
  const code = readCode(file, tflite, old, integrity);
  const nodes = tflite.graphs.flatMap((graph) => graph.nodes);
  const onCpu = nodes.filter((node) => node.spelled !== CODE);
  const [maker = "", chip = ""] = stamp ?? [];
  // Qualcomm's byte code is a QNN context, which names the SDK that wrote it.
  const build = maker === "Qualcomm" ? code.map((part) => contextText(file, part.offset, part.bytes).build) : [];
  const version = build.find((one) => one !== undefined);
  const metadata: Record<string, string> = { ...base.metadata };
  if (stamp !== undefined) metadata["LiteRtStamp"] = `${maker} ${chip}`.trim();
  return model(format.id, {
    ...base,
    sealed: true,
    ...(version === undefined ? {} : { producer: { name: "QNN", version } }),
    targets: [targetOf(maker, chip)],
    metadata: {
      ...metadata,
      byte_code_bytes: String(code.reduce((sum, { bytes }) => sum + bytes, 0)),
      npu_operators: String(nodes.length - onCpu.length),
      cpu_operators: String(onCpu.length),
    },
    sections: carve(base.sections, code),
    integrity,
    unseen: [
      ...base.unseen,
      `which operators run on the NPU: they are byte code of ${maker === "" ? "its maker" : maker} now${onCpu.length > 0 ? `; ${onCpu.length} ${onCpu.length === 1 ? "operator stays" : "operators stay"} on the CPU` : ""}`,
      ...(stamp === undefined ? ["for which chip: the file has no stamp"] : []),
    ],
  });
}

function targetOf(maker: string, chip: string): Target {
  const says = `${maker} ${chip}`.trim();
  if (maker === "Qualcomm" && chip !== "") return contextTarget(chip);
  const family = Object.hasOwn(families, maker) ? families[maker] : undefined;
  return { ...(family === undefined ? {} : { family }), says: says === "" ? "not said" : says };
}

interface Place {
  readonly offset: number;
  readonly bytes: number;
}

/** The stamp's two texts, and where the byte code of old files lies. */
function readEntries(file: ModelFile, tflite: TfliteFile): { stamp?: [string, string]; old?: Place } {
  const out: { stamp?: [string, string]; old?: Place } = {};
  for (const entry of tflite.root.tables(fields.Model.metadata, ENTRY_LIMIT, "metadata entries")) {
    const name = entry.string(fields.Metadata.name);
    const data = tflite.buffers.data(entry.u32(fields.Metadata.buffer));
    if (data?.offset === undefined || data.offset + data.bytes > file.size) continue;
    if (name === "LiteRtStamp" && data.bytes === 2 * STAMP_TEXT) {
      const bytes = file.slice(data.offset, data.bytes);
      out.stamp = [text(bytes.subarray(0, STAMP_TEXT)), text(bytes.subarray(STAMP_TEXT))];
    } else if (name === "NPU_BYTE_CODE") {
      const place = /^<npu_byte_code>(\d{1,15})\0+(\d{1,15})\0*$/.exec(
        latin1(file.slice(data.offset, Math.min(data.bytes, PLACE_LIMIT))),
      );
      if (place !== null) out.old = { offset: Number(place[1]), bytes: Number(place[2]) };
    }
  }
  return out;
}

const text = (bytes: Uint8Array): string => /^[\x20-\x7e]*/.exec(latin1(bytes))?.[0] ?? "";

/** Several operators may be parts of one byte code: it is told once. */
function readCode(
  file: ModelFile,
  tflite: TfliteFile,
  old: Place | undefined,
  integrity: Integrity[],
): readonly Section[] {
  const out = new Map<number, Section>();
  const tell = (rule: string, says: string, offset?: number): void => {
    if (integrity.length < 64)
      integrity.push({ severity: "error", rule, says, ...(offset === undefined ? {} : { offset }) });
  };
  for (const { code, options } of tflite.customs) {
    if (code !== CODE) continue;
    const map = options === undefined ? undefined : readFlexMap(file, options);
    const place = old ?? (map === undefined ? undefined : placeOf(flexValues(map)));
    if (place === undefined) {
      tell("payload/none", "a DISPATCH_OP does not say where its byte code lies", options?.at);
      continue;
    }
    const { offset, bytes } = place;
    if (offset + bytes > file.size) {
      const says = `byte code lies at ${offset} to ${offset + bytes}, the file ends at ${file.size}`;
      tell("extent/past-end", says, file.size);
      continue;
    }
    out.set(offset, { name: "byte code", kind: "code", offset, bytes });
  }
  return [...out.values()];
}

function placeOf({ bytecode_offset: offset, bytecode_size: bytes }: Node["attributes"]): Place | undefined {
  return typeof offset === "number" && typeof bytes === "number" && bytes > 0 ? { offset, bytes } : undefined;
}
