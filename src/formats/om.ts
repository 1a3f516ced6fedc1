/**
 * OM: models of Huawei's DaVinci compilers, ATC for Ascend and HiAI DDK for Kirin phones. [header of 256 bytes][partition table]
 * [partitions: ge.proto.ModelDef, weights, tasks, kernels ...], once per model. The SVP compiler's .om ("PICO") is another layout.
 * Header and table: https://github.com/mindspore-ai/graphengine inc/framework/common/types.h and the HiAI DDK's of the same name
 * (Apache-2.0); fields of ModelDef: ge_ir.proto of both.
 */

import { FileError } from "../base/errors.ts";
import { model, type Integrity, type Model, type Requirement, type Section, type Target } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { readModelDef, type ModelDef } from "./sealed/om-graph.ts";
import { cutShort, error, has, leftOver, plain, release, word, words } from "./sealed/parts.ts";
import { readSvp } from "./sealed/svp.ts";

const HEADER = 256;
/** A flow model may have 4,096 partitions (om_file_helper.cc); others up to some thirty. */
const PARTITION_LIMIT = 4096;
/** Models of one file: one a static shape. */
const MODEL_LIMIT = 256;

interface Kind {
  readonly name: string;
  readonly kind: Section["kind"];
}

/** ModelPartitionType: the first three are shared, the rest differ between Ascend and HiAI. */
const shared: readonly Kind[] = [
  { name: "model definition", kind: "graph" },
  { name: "weights", kind: "weights" },
  { name: "tasks", kind: "code" },
];
const ascend: Readonly<Record<number, Kind>> = {
  3: { name: "TBE kernels", kind: "code" },
  4: { name: "custom AI CPU kernels", kind: "code" },
  5: { name: "libraries (SO_BINS)", kind: "code" },
  6: { name: "flow model", kind: "graph" },
  7: { name: "flow submodel", kind: "graph" },
  8: { name: "inputs and outputs", kind: "metadata" },
  9: { name: "static task descriptions", kind: "code" },
  10: { name: "dynamic task descriptions", kind: "code" },
  11: { name: "task parameters", kind: "code" },
  12: { name: "tiling data", kind: "code" },
  20: { name: "preloaded model description", kind: "metadata" },
  21: { name: "preloaded queue entries", kind: "code" },
  22: { name: "preloaded kernel arguments", kind: "code" },
  23: { name: "preloaded model description, extended", kind: "metadata" },
  24: { name: "bundle", kind: "metadata" },
};
const hiai: Readonly<Record<number, Kind>> = {
  3: { name: "task graph", kind: "graph" },
  4: { name: "signature", kind: "metadata" },
  5: { name: "model configuration", kind: "metadata" },
  6: { name: "image preprocessing (AIPP)", kind: "metadata" },
  7: { name: "encryption", kind: "metadata" },
  8: { name: "weight description", kind: "metadata" },
};

const ascendTypes = ["IR model", "standard model", "tiny model", "flow model", "lite model", "bundle"];
const hiaiTypes = [
  "IR graph, compiled",
  "standard model",
  "tiny model (IGS)",
  "standard IR graph",
  "partitions for several processors (HCS)",
  "ISPNN model",
  "third-party model",
  "IR graph without header",
  "micro model",
  "several shapes",
  "enumerated shapes",
  "single processor",
  "several shapes, single processor",
];

/** soc_version of ATC to the catalogue's chips. 310B is a chip of its own, which the catalogue does not have. */
const chips: readonly (readonly [RegExp, string])[] = [
  [/^Ascend310P/i, "310p"],
  [/^Ascend310$/i, "310"],
  [/^Ascend910_93/i, "910c"],
  [/^Ascend910B\d/i, "910b"],
  [/^Ascend910(?:A|B|ProA|ProB|PremiumA)?$/i, "910"],
];

const format: Format = {
  id: "om",
  name: "DaVinci OM",
  vendor: "Huawei",
  extensions: [".om"],
  marks: [
    { at: 0, is: "IMOD" },
    { at: 0, is: "PICO" },
  ],
  shows: "partly",
  matches: (file) => {
    if (has(file, "IMOD")) return file.size >= HEADER && file.cursor(4, 4).u32() === HEADER ? 2 : 0;
    return has(file, "PICO") && file.size >= 32 ? 2 : 0;
  },
  read: (file) => (has(file, "PICO") ? readSvp(file) : readOm(file)),
  sources: [
    "https://github.com/mindspore-ai/graphengine (inc/framework/common/types.h, om_file_helper.cc)",
    "https://github.com/hicann/ge (graph_metadef/proto/ge_ir.proto)",
    "https://github.com/lutzroeder/netron/blob/main/source/om.js (SVP)",
  ],
  checked: {
    files: 18,
    says: "published files: one that ATC of CANN 8.0 wrote for Ascend310B4 (a-ircle/atlas200i-line-tracking-car), 17 of the HiAI DDK's tests, two of them quantised (946166920/hiai_ddk); the SVP layout from netron's reader only",
  },
};
export default format;

interface Header {
  readonly version: number;
  readonly encrypted: boolean;
  readonly type: number;
  readonly name: string;
  readonly irVersion: number;
  readonly platform: string;
  readonly models: number;
  /** Where the header says that the last model ends. */
  readonly end: number;
  /** Partition tables have 64-bit fields. */
  readonly wide: boolean;
  readonly dynamic: boolean;
}

interface Partition {
  readonly type: number;
  readonly offset: number;
  readonly bytes: number;
}

function readOm(file: ModelFile): Model {
  const header = readHeader(file);
  const integrity: Integrity[] = [
    ...cutShort(file, header.end, "the model"),
    ...leftOver(file, header.end, "the model"),
  ];
  const base = model("om", {
    version: `0x${header.version.toString(16)}`,
    sealed: true,
    targets: [{ says: "a DaVinci NPU" }],
    metadata: words({ name: header.name, "platform version": header.platform }),
    sections: [{ name: "header", kind: "metadata", offset: 0, bytes: HEADER }],
    integrity,
  });
  if (header.encrypted) {
    const rest = Math.max(0, Math.min(file.size, header.end) - HEADER);
    const body: Section = { name: "encrypted model", kind: "unknown", offset: HEADER, bytes: rest };
    return { ...base, sections: [...base.sections, body], unseen: ["all but the header: the model is encrypted"] };
  }
  const partitions = readPartitions(file, header, integrity);
  const definitions = partitions.filter(({ type, bytes }) => type === 0 && bytes > 0);
  if (definitions.length === 0) integrity.push(error("graph/empty", "no model definition in it", HEADER));
  const defined = definitions.map((at) => {
    const weights = partitions.find((one) => one.type === 1 && one.offset > at.offset && one.offset <= file.size);
    return readModelDef(file, at, weights, integrity);
  });
  return { ...base, ...describe(header, partitions, defined), integrity };
}

function readHeader(file: ModelFile): Header {
  const cursor = file.cursor(8, HEADER - 8);
  const version = cursor.u32();
  const length = cursor.skip(64).u32();
  const encrypted = cursor.u8() === 1;
  const type = cursor.skip(1).u8();
  const name = word(cursor.skip(1).take(32));
  const irVersion = cursor.skip(36).u32();
  // HiAI, and nothing else, has the platform version where Ascend counts models: it begins with a digit, "3.51.z.0".
  const counted = file.slice(156, 4);
  const hasCount = version >= 0x20000000 || (counted[1] === 0 && counted[2] === 0 && counted[3] === 0);
  const models = hasCount ? Math.max(1, file.cursor(156, 4).u32()) : 1;
  if (models > MODEL_LIMIT) throw new FileError(file.name, `${models} models, over ${MODEL_LIMIT}`, 156);
  const platform = word(file.slice(hasCount ? 160 : 156, 20));
  const long = hasCount ? file.cursor(184, 8).size64() : 0;
  return {
    version,
    encrypted,
    type,
    name,
    irVersion,
    platform,
    models,
    end: HEADER + (long === 0 ? length : long),
    wide: long !== 0 || (hasCount && type === 3),
    dynamic: hasCount && file.slice(193, 1)[0] === 1,
  };
}

/** Tables and their partitions follow each other, model by model. */
function readPartitions(file: ModelFile, header: Header, integrity: Integrity[]): Partition[] {
  const out: Partition[] = [];
  const width = header.wide ? 24 : 12;
  let at = HEADER;
  for (let index = 0; index < header.models; index++) {
    const count = file.cursor(at, 4).u32();
    if (count > PARTITION_LIMIT) throw new FileError(file.name, `${count} partitions, over ${PARTITION_LIMIT}`, at);
    const start = at + (header.wide ? 8 : 4);
    const cursor = file.cursor(start, count * width);
    const data = start + count * width;
    let end = data;
    for (let entry = 0; entry < count; entry++) {
      const type = cursor.u32();
      if (header.wide) cursor.skip(4);
      const offset = data + (header.wide ? cursor.size64() : cursor.u32());
      const bytes = header.wide ? cursor.size64() : cursor.u32();
      if (offset < end)
        integrity.push(error("extent/overlap", `partition ${entry} begins before the one before it ends`, offset));
      integrity.push(...cutShort(file, offset + bytes, `partition ${entry}`));
      end = Math.max(end, offset + bytes);
      out.push({ type, offset, bytes });
    }
    at = end;
    if (at > file.size) return out;
  }
  if (at !== header.end) {
    integrity.push(error("extent/wrong-size", `its partitions end at ${at}, the header says ${header.end}`, HEADER));
  }
  return out;
}

function describe(header: Header, partitions: readonly Partition[], defined: readonly ModelDef[]): Partial<Model> {
  const attributes = defined[0]?.attributes ?? {};
  const text = (key: string): string => {
    const value = attributes[key];
    return typeof value === "string" ? plain(value) : "";
  };
  const soc = text("soc_version");
  const atc = text("atc_version");
  const phone = soc === "" && atc === "" && header.version < 0x20000000 && text("target_type") !== "MINI";
  const kinds = phone ? hiai : ascend;
  const compiled = partitions.some(({ type, bytes }) => bytes > 0 && (type === 2 || (!phone && type === 3)));
  const chip = chips.find(([pattern]) => pattern.test(soc))?.[1];
  const target: Target = phone
    ? { says: "a HiSilicon Kirin NPU (HiAI)" }
    : { family: "ascend", ...(chip === undefined ? {} : { chip }), says: soc === "" ? "Ascend, chip not said" : soc };
  const requires: Requirement[] = [];
  if (soc !== "") requires.push({ what: "Ascend chip", relation: "exactly", version: soc });
  if (atc !== "") requires.push({ what: "CANN (ATC)", relation: "built by", version: atc });
  if (phone && header.platform !== "") {
    requires.push({ what: "HiAI platform", relation: "built by", version: header.platform });
  }
  const types = phone ? hiaiTypes : ascendTypes;
  return {
    version: `${header.version >>> 28}.0`,
    sealed: compiled,
    producer: {
      name: phone ? "HiAI DDK" : "ATC",
      ...(release(atc) === undefined ? {} : { version: release(atc) ?? atc }),
    },
    targets: [target],
    requires,
    graphs: defined.flatMap((one) => one.graphs),
    ...(defined.some((one) => one.graphs.length > 0) ? { main: 0 } : {}),
    metadata: words({
      name: header.name,
      "model type": types[header.type] ?? String(header.type),
      "platform version": header.platform,
      "IR version": header.irVersion,
      models: header.models > 1 ? header.models : undefined,
      shapes: header.dynamic ? "dynamic" : undefined,
      "target type": text("target_type"),
      framework: text("framework_type"),
      "operator package (opp)": text("opp_version"),
      command: text("atc_cmdline"),
      "output names": defined[0]?.outputNames.join(", "),
      "memory bytes": numberOf(attributes["memory_size"]),
      "weight bytes": numberOf(attributes["weight_size"]),
    }),
    sections: [
      { name: "header", kind: "metadata", offset: 0, bytes: HEADER },
      ...partitions
        .filter(({ bytes }) => bytes > 0)
        .map(({ type, offset, bytes }): Section => {
          const { name, kind } = shared[type] ?? kinds[type] ?? { name: `partition ${type}`, kind: "unknown" };
          return { name, kind, offset, bytes };
        }),
    ],
    unseen: unseen(compiled, phone),
  };
}

function unseen(compiled: boolean, phone: boolean): string[] {
  if (!compiled) return ["which processor of the phone each operator runs on: that is decided when it is loaded"];
  return [
    "how operators were fused and scheduled: tasks and kernels for the chip",
    phone
      ? "which Kirin chips run it: the file names none"
      : "which release of driver and firmware the file needs: CANN's release notes say which fit",
  ];
}

const numberOf = (value: unknown): number | undefined => (typeof value === "number" && value > 0 ? value : undefined);
