/**
 * RKNN: Rockchip's compiled models. [RKNN, 4 zeros][container version u64][size u64][40 zeros from version 2 on][compiled graph][length
 * u64][JSON]. The JSON says target, toolkit, inputs and outputs; the graph is an NBG (toolkit 1), a FlatBuffer (toolkit 2) or a bare
 * structure (RV1103, RV1106). https://github.com/lutzroeder/netron/blob/main/source/rknn.js; checked against files of ten toolkits.
 */

import { FileError } from "../base/errors.ts";
import { utf8, withoutEnd } from "../base/bytes.ts";
import {
  model,
  type ElementType,
  type Integrity,
  type Model,
  type Quantization,
  type Requirement,
  type Section,
  type Target,
  type Tensor,
} from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { readNbg } from "./nbg.ts";
import { cutShort, error, has, inside, isRecord, leftOver, plain, release, words } from "./sealed/parts.ts";
import { readCustomOperators, readVsiGraph } from "./sealed/rknn-graph.ts";
import { FlatBuffer } from "./wire/flatbuffer.ts";
import { follow, type TableShape } from "./wire/flatbuffer-follow.ts";

/** The trailers seen have up to 5 KB; toolkit 1 lists every constant of an uncompiled model, some hundred KB. */
const JSON_LIMIT = 16 * 1024 * 1024;
/** Inputs and outputs of the largest detectors: some twenty; a network that is not compiled has some hundred more. */
const TENSOR_LIMIT = 4096;

const versions = new Set([1, 2, 3, 4, 5, 6, 0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006]);

/** Chip of the catalogue by the word of target_platform, lower case. Toolkit 1's chips carry a VeriSilicon core. */
const chips: Readonly<Record<string, { family: string; chip: string }>> = {
  rk3588: { family: "rockchip", chip: "rk3588" },
  rk3576: { family: "rockchip", chip: "rk3576" },
  rk3568: { family: "rockchip", chip: "rk3568" },
  rk3566: { family: "rockchip", chip: "rk3568" },
  rk3562: { family: "rockchip", chip: "rk3562" },
  rv1103: { family: "rockchip", chip: "rv1106" },
  rv1106: { family: "rockchip", chip: "rv1106" },
  rv1126b: { family: "rockchip", chip: "rv1126b" },
  rk1808: { family: "verisilicon", chip: "rk1808" },
  rk3399pro: { family: "verisilicon", chip: "rk1808" },
  rv1109: { family: "verisilicon", chip: "rk1808" },
  rv1126: { family: "verisilicon", chip: "rk1808" },
};

const types: Readonly<Record<string, ElementType>> = {
  int4: "int4",
  int8: "int8",
  uint8: "uint8",
  int16: "int16",
  uint16: "uint16",
  int32: "int32",
  uint32: "uint32",
  int64: "int64",
  uint64: "uint64",
  float16: "float16",
  float32: "float32",
  float64: "float64",
  bfloat16: "bfloat16",
  bool: "bool",
  bool8: "bool",
};

const format: Format = {
  id: "rknn",
  name: "RKNN",
  vendor: "Rockchip",
  extensions: [".rknn"],
  marks: [
    { at: 0, is: "RKNN" },
    { at: 4, is: "RKNN" },
  ],
  shows: "sealed",
  // At 4 stands the mark of a FlatBuffer; an encrypted file's CYPTRKNN has it there too.
  matches: (file) => (has(file, "RKNN\0\0\0\0") || (has(file, "RKNN", 4) && !has(file, "CYPT")) ? 2 : 0),
  read(file) {
    return has(file, "RKNN", 0) ? readContainer(file) : readBare(file);
  },
  sources: [
    "https://github.com/lutzroeder/netron/blob/main/source/rknn.js",
    "https://github.com/airockchip/rknn-toolkit2",
  ],
  checked: {
    files: 83,
    says: "container versions 1, 2, 6 and 4100; toolkit 1 (also what it did not compile, VeriSilicon/TIM-VX, and operators of one's own, rockchip-linux/rknn-toolkit) and 2; eleven chips; the other examples of airockchip's, rockchip-linux's and LuckfoxTECH's repositories, and 46 files of six users",
  },
};
export default format;

function readContainer(file: ModelFile): Model {
  const header = file.cursor(8, 16);
  const version = header.size64();
  const size = header.size64();
  const start = (version & 0xff) > 1 && size > 0 ? 64 : 24;
  const end = start + size;
  const integrity: Integrity[] = [];
  if (!versions.has(version)) {
    integrity.push(error("header/version", `container version ${version} is none that is known`, 8));
  }
  const trailer = readTrailer(file, end, integrity);
  const json = trailer.json ?? {};
  const section: Section = { name: "compiled graph", kind: "unknown", offset: start, bytes: size };
  const graph = readVsiGraph(json, section, (entry) => readTensor(entry, integrity, end), integrity);
  const payload = graph ? constantsOf(section) : readPayload(file, section, integrity);
  const target = readTargets(json);
  const toolkit = typeof json["version"] === "string" ? plain(json["version"]) : undefined;
  const first =
    payload.kind === "nbg" ||
    json["ovxlib_version"] !== undefined ||
    target.some(({ family }) => family === "verisilicon");
  if (payload.kind === "nbg" && target.some(({ family }) => family === "rockchip")) {
    integrity.push(error("target/contradiction", "an NBG inside, and a target that has no VeriSilicon core", start));
  }
  if (!graph && payload.kind !== "nbg" && size > 0 && target.some(({ family }) => family === "verisilicon")) {
    integrity.push(
      error("target/contradiction", "the target has a VeriSilicon core, and there is no NBG inside", start),
    );
  }
  const unknown = graph?.nodes.find(({ spelled }) => !spelled.startsWith("VSI_NN_OP_"));
  if (unknown && !trailer.own) {
    const says = `${unknown.spelled} is an operator of one's own, and its kernels are not behind the JSON`;
    integrity.push(error("trailer/operators", says, end));
  }
  const { inputs, outputs } = readPorts(json, integrity, end);
  return model("rknn", {
    version: String(version),
    sealed: true,
    ...(toolkit === undefined
      ? {}
      : { producer: { name: first ? "rknn-toolkit" : "rknn-toolkit2", version: toolkit } }),
    targets: target,
    requires: [...containerRequirement(first, version), ...requirements(first, toolkit, payload.requires)],
    inputs,
    outputs,
    ...(graph ? { graphs: [graph], main: 0 } : {}),
    metadata: {
      ...readWords(graph ? { ...json, nodes: [] } : json),
      payload: payload.says,
      ...payload.metadata,
      ...words({ "operators of one's own": trailer.own?.names.join(", ") }),
    },
    sections: [
      { name: "header", kind: "metadata", offset: 0, bytes: start },
      ...payload.sections,
      ...(trailer.bytes > 0
        ? [{ name: "JSON", kind: "metadata" as const, offset: end + 8, bytes: trailer.bytes }]
        : []),
      ...(trailer.own?.sections ?? []),
    ],
    integrity,
    unseen: [
      ...(trailer.json ? [] : ["target, toolkit, inputs and outputs: the JSON that says them is not in the file"]),
      graph
        ? "shapes between the operators: the runtime works them out when it compiles the network on the device"
        : "operators and weights: compiled for the chip; the layout is not published",
    ],
  });
}

/** A network that toolkit 1 did not compile: the container has its constants where the compiled graph would be. */
function constantsOf({ offset, bytes }: Section): Payload {
  return {
    kind: "none",
    says: "constants of a network that is compiled on the device",
    sections: bytes > 0 ? [{ name: "constants", kind: "weights", offset, bytes }] : [],
    requires: [],
    metadata: {},
  };
}

/** A FlatBuffer without the container: what toolkit 2 keeps inside. */
function readBare(file: ModelFile): Model {
  const integrity: Integrity[] = [];
  const graph: Section = { name: "compiled graph", kind: "unknown", offset: 0, bytes: file.size };
  const payload = readPayload(file, graph, integrity);
  const says = payload.metadata["runtime"];
  return model("rknn", {
    version: "FlatBuffer without container",
    sealed: true,
    targets: [{ family: "rockchip", says: says ?? "not said" }],
    metadata: { payload: payload.says, ...payload.metadata },
    sections: payload.sections,
    integrity,
    unseen: [
      "target, inputs and outputs: they stand in the container's JSON",
      "operators and weights",
      "whether it is whole: without its container no size is declared",
    ],
  });
}

function readTrailer(
  file: ModelFile,
  end: number,
  integrity: Integrity[],
): { json?: Readonly<Record<string, unknown>>; bytes: number; own?: ReturnType<typeof readCustomOperators> } {
  const cut = cutShort(file, end + 8, "the compiled graph with the length of its JSON");
  if (cut.length > 0) {
    integrity.push(...cut);
    return { bytes: 0 };
  }
  const bytes = file.cursor(end, 8).size64();
  const missing = cutShort(file, end + 8 + bytes, "the JSON");
  if (missing.length > 0) {
    integrity.push(...missing);
    return { bytes: 0 };
  }
  const own = readCustomOperators(file, end + 8 + bytes);
  if (own) integrity.push(...cutShort(file, own.end, "the kernels of operators of one's own"));
  integrity.push(...leftOver(file, own?.end ?? end + 8 + bytes, "the JSON, which ends every file seen"));
  if (bytes > JSON_LIMIT) throw new FileError(file.name, `JSON of ${bytes} bytes, over ${JSON_LIMIT}`, end);
  let json: unknown;
  try {
    json = JSON.parse(withoutEnd(utf8(file.slice(end + 8, bytes))));
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    integrity.push(error("trailer/not-json", "what should be JSON is none", end + 8));
    return { bytes };
  }
  if (!isRecord(json)) {
    integrity.push(error("trailer/not-json", "the JSON is no object", end + 8));
    return { bytes };
  }
  return { json, bytes, own };
}

interface Payload {
  readonly kind: "nbg" | "flatbuffer" | "encrypted" | "bare" | "none";
  readonly says: string;
  readonly sections: readonly Section[];
  readonly requires: readonly Requirement[];
  readonly metadata: Readonly<Record<string, string>>;
}

function readPayload(file: ModelFile, graph: Section, integrity: Integrity[]): Payload {
  const { offset, bytes } = graph;
  const plainly = (kind: Payload["kind"], says: string): Payload => ({
    kind,
    says,
    sections: [graph],
    requires: [],
    metadata: {},
  });
  if (bytes === 0) {
    integrity.push(error("graph/empty", "the header declares no compiled graph", 16));
    return { ...plainly("none", "none"), sections: [] };
  }
  const whole = offset + bytes <= file.size;
  if (has(file, "VPMN", offset)) {
    if (!whole) return plainly("nbg", "VeriSilicon NBG");
    const nbg = readNbg(inside(file, offset, bytes));
    integrity.push(...nbg.integrity.map((one) => ({ ...one, offset: offset + (one.offset ?? 0) })));
    return {
      kind: "nbg",
      says: "VeriSilicon NBG",
      sections: nbg.sections.map((one) => ({ ...one, name: `NBG ${one.name}`, offset: offset + one.offset })),
      requires: nbg.requires,
      metadata: words({
        "NBG version": nbg.version,
        "NBG target": nbg.targets[0]?.says,
        "NBG layers": nbg.metadata["layers"],
        "NBG operations": nbg.metadata["operations"],
        "NBG layer types": nbg.metadata["layer types"],
      }),
    };
  }
  if (has(file, "RKNN", offset + 4)) {
    const metadata = whole ? readFlatBuffer(file, graph, integrity) : {};
    return { ...plainly("flatbuffer", "FlatBuffer"), metadata };
  }
  if (has(file, "CYPTRKNN", offset)) return plainly("encrypted", "encrypted");
  return plainly("bare", "structure of the small runtime");
}

/** What the compiled graph holds: tensors (name, and what is said of them), nodes, and how they are ordered. Field numbers are netron's finding. */
const compiledShape: TableShape = {
  strings: [1, 12, 13],
  tables: {
    2: {
      tables: {
        0: { strings: [5, 7], numbers: { 3: 4, 4: 4, 6: 1, 8: 1, 9: 1, 10: 1, 11: 1 } },
        1: { strings: [1, 2], numbers: { 4: 4, 5: 4 } },
        4: { numbers: { 0: 4, 1: 4, 2: 4 } },
      },
      numbers: { 2: 4, 3: 4 },
    },
    4: {},
  },
};

/** Build strings of the compiled graph. */
function readFlatBuffer(file: ModelFile, { offset, bytes }: Section, integrity: Integrity[]): Record<string, string> {
  try {
    const root = new FlatBuffer(file, { offset, length: bytes }).root();
    const found = words({
      generator: root.string(3),
      compiler: root.string(7),
      runtime: root.string(8),
      source: root.string(9),
    });
    follow(root, compiledShape);
    return found;
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause;
    const says = `the compiled graph leads nowhere: ${cause.message.split(": ").at(-1) ?? ""}`;
    integrity.push(error("graph/contents", says, cause.offset));
    return {};
  }
}

function readTargets(json: Readonly<Record<string, unknown>>): Target[] {
  const platforms = json["target_platform"];
  const list = Array.isArray(platforms) ? platforms : typeof platforms === "string" ? [platforms] : [];
  return list
    .filter((one): one is string => typeof one === "string")
    .slice(0, 16)
    .map((one) => {
      const key = one.toLowerCase();
      const known = Object.hasOwn(chips, key) ? chips[key] : undefined;
      return { ...(known ?? { family: "rockchip" }), says: plain(one, 64) };
    });
}

/** Version 1 is taken by every runtime; of those of RV1103 and RV1106 (0x1000 and up) it is not known which runtime takes which. */
function containerRequirement(first: boolean, version: number): Requirement[] {
  if (first || version < 2 || version > 6) return [];
  return [{ what: "RKNN model version", relation: "at least", version: String(version) }];
}

/** Toolkit 1's models go to another library than toolkit 2's, and say nothing of its release but their own. */
function requirements(first: boolean, toolkit: string | undefined, nested: readonly Requirement[]): Requirement[] {
  const version = toolkit === undefined ? undefined : release(toolkit);
  if (version === undefined) return [...nested];
  return first
    ? [{ what: "RKNN runtime of toolkit 1", relation: "at least", version }, ...nested]
    : [{ what: "rknn-model-runtime", relation: "at least", version }];
}

function readPorts(
  json: Readonly<Record<string, unknown>>,
  integrity: Integrity[],
  at: number,
): { inputs: Tensor[]; outputs: Tensor[] } {
  const tensors = list(json["norm_tensor"]).filter(isRecord);
  if (tensors.length > TENSOR_LIMIT) return { inputs: [], outputs: [] };
  const declared = number(json["norm_tensor_num"]);
  if (declared !== undefined && declared !== tensors.length) {
    integrity.push(error("tensor/count", `${declared} tensors declared, ${tensors.length} listed`, at));
  }
  const byId = new Map(tensors.map((one, index) => [number(one["tensor_id"]) ?? index, one]));
  const pick = (side: "input" | "output"): Tensor[] => {
    const found: { order: number; tensor: Tensor }[] = [];
    for (const edge of list(json["graph"]).slice(0, TENSOR_LIMIT)) {
      if (!isRecord(edge) || edge["left"] !== side) continue;
      const id = number(edge["right_tensor_id"]);
      const entry = edge["right"] === "norm_tensor" && id !== undefined ? byId.get(id) : undefined;
      if (entry) found.push({ order: number(edge["left_tensor_id"]) ?? 0, tensor: readTensor(entry, integrity, at) });
      else integrity.push(error("tensor/dangling", `an ${side} is tensor ${id ?? "?"}, which is not listed`, at));
    }
    const count = number(json[`${side}_num`]);
    if (count !== undefined && count !== found.length) {
      integrity.push(error("tensor/count", `${count} ${side}s declared, ${found.length} listed`, at));
    }
    return found.sort((a, b) => a.order - b.order).map(({ tensor }) => tensor);
  };
  return { inputs: pick("input"), outputs: pick("output") };
}

function readTensor(entry: Readonly<Record<string, unknown>>, integrity: Integrity[], at: number): Tensor {
  const name = typeof entry["url"] === "string" ? plain(entry["url"]) : "";
  const sizes = list(entry["size"]);
  const shape = sizes.filter((one): one is number => typeof one === "number" && Number.isSafeInteger(one) && one > 0);
  const rank = number(entry["dim_num"]);
  if (shape.length !== sizes.length || (rank !== undefined && rank !== sizes.length)) {
    integrity.push(error("shape/impossible", `${name}: ${JSON.stringify(sizes).slice(0, 80)} is no shape`, at));
  }
  const dtype = isRecord(entry["dtype"]) ? entry["dtype"] : {};
  const spelled = typeof dtype["vx_type"] === "string" ? plain(dtype["vx_type"], 64) : "";
  const key = spelled.replace(/^VSI_NN_TYPE_/, "").toLowerCase();
  const type = Object.hasOwn(types, key) ? (types[key] ?? "unknown") : "unknown";
  const quantization = quantizationOf(dtype);
  return {
    name,
    type,
    ...(type === "unknown" ? { spelled: spelled === "" ? "not said" : spelled } : {}),
    shape,
    ...(quantization ? { quantization } : {}),
  };
}

function quantizationOf(dtype: Readonly<Record<string, unknown>>): Quantization | undefined {
  const scale = number(dtype["scale"]);
  const zero = number(dtype["zero_point"]);
  const fixed = number(dtype["fl"]);
  if (scale !== undefined) return { scale: [scale], zeroPoint: zero === undefined ? [] : [zero] };
  if (fixed !== undefined) return { scale: [2 ** -fixed], zeroPoint: [], scheme: `dynamic fixed point ${fixed}` };
  // Toolkit 2 says the type and per layer or channel; scales stay inside the compiled graph.
  const method = dtype["qnt_method"];
  return typeof method === "string" && method !== "" && dtype["qnt_type"] !== ""
    ? { scale: [], zeroPoint: [], scheme: `per ${plain(method, 32)}, scale inside the compiled graph` }
    : undefined;
}

function readWords(json: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (key: string): string | undefined => {
    const value = json[key];
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
  const nodes = list(json["nodes"]).filter(isRecord);
  return words({
    name: text("name"),
    "source framework": text("ori_network_platform"),
    "network platform": text("network_platform"),
    "node operators": nodes
      .slice(0, 16)
      .map((node) => (typeof node["op"] === "string" ? node["op"] : ""))
      .join(" "),
    "ovxlib version": text("ovxlib_version"),
    "pre-compiled": text("pre_compile"),
    "mean values": short(json["mean_value"]),
    "std values": short(json["std_value"]),
    ...(text("ovxlib_version") === undefined ? {} : { "shape order": "innermost first" }),
  });
}

const short = (value: unknown): string | undefined =>
  Array.isArray(value) && value.length > 0 ? JSON.stringify(value.slice(0, 16)).slice(0, 200) : undefined;
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const number = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;
