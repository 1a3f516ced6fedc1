/**
 * xmodel: an XIR graph of Vitis AI, quantised or compiled for a DPU. One protobuf message without a mark: operators, the tree of
 * subgraphs with their device, code and parameters. Names of DPUs by fingerprint: https://github.com/Xilinx/Vitis-AI
 * src/vai_runtime/target_factory (Apache-2.0).
 */

import { FileError } from "../base/errors.ts";
import { model, type Integrity, type Model, type Requirement, type Section, type Target } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { error, words } from "./sealed/parts.ts";
import { buildGraph, dataOf, mapOf, readEntry, readOp, readSubgraph, type Subgraph, type Value } from "./sealed/xir.ts";
import { BYTES, glimpse, protobuf } from "./wire/protobuf.ts";

/** The largest models of the zoo have some thousands. */
const OP_LIMIT = 200_000;
/** Subgraphs told in metadata. */
const TOLD = 16;

/** Highest byte of a fingerprint; the byte after it is the version of the instruction set. */
const dpus: readonly (string | undefined)[] = [
  undefined,
  "DPUCZDX8G",
  "DPUCAHX8H",
  "DPUCAHX8L",
  "DPUCZDI4G",
  "DPUCVDX8H",
  "DPUCVDX8G",
  "DPUCADF8H",
  "IPU_PHX",
  "DPUCV2DX8G",
];

/** DPUs that exist for one chip of the catalogue only. */
const chips: Readonly<Record<string, string>> = { DPUCZDX8G: "zynq", DPUCVDX8H: "vck5000" };

const format: Format = {
  id: "xmodel",
  name: "Vitis AI xmodel",
  vendor: "AMD",
  extensions: [".xmodel"],
  shows: "partly",
  matches,
  read: readXmodel,
  sources: [
    "https://github.com/lutzroeder/netron/blob/main/source/xmodel-proto.js",
    "https://github.com/Xilinx/Vitis-AI/tree/master/src/vai_runtime/target_factory",
  ],
  checked: {
    files: 10,
    says: "published files: of xcompiler 3.5.0 for DPUCV2DX8G (Xilinx/Vitis-AI, examples/custom_operator), DPUCZDX8G (LogicTronix/Vitis-AI-Reference-Tutorials, HelithaNimnaka/Vitis-AI_Model_Compilation) and DPUCVDX8G, with the quantised model that one came from (xiaobao-bit/vitis-ai-lenet: both give the same MACs), and of 1.4.1 (mukeshnarayana24/zcu104-vitis-ai-dpu-digit-recognition)",
  },
};
export default format;

/** No mark: the fields of the message, and of its first operator, must be XIR's and no other's. */
function matches(file: ModelFile): 0 | 2 {
  const seen = glimpse(file, 4);
  const known = new Set([1, 5, 10, 11, 101]);
  if (!seen || seen.fields.some(({ field, wire }) => wire !== BYTES || !known.has(field))) return 0;
  const op = seen.fields.find(({ field }) => field === 5);
  if (op === undefined || op.start + op.length > file.size) return 0;
  try {
    const { name, type, tensor } = readOp(protobuf(file, op.start, op.length));
    return name !== "" && /^[A-Za-z][\w.-]*$/.test(type) && tensor.name !== "" && tensor.shape !== undefined ? 2 : 0;
  } catch (thrown) {
    if (thrown instanceof FileError) return 0;
    throw thrown;
  }
}

function readXmodel(file: ModelFile): Model {
  const message = protobuf(file);
  let name = "";
  let root: Subgraph | undefined;
  let defined = 0;
  const ops: ReturnType<typeof readOp>[] = [];
  const attributes = new Map<string, Value>();
  while (message.next()) {
    switch (message.field) {
      case 1:
        name = message.string();
        break;
      case 5:
        if (ops.length >= OP_LIMIT) message.fail(`more than ${OP_LIMIT} operators`);
        ops.push(readOp(message.message()));
        break;
      case 10:
        root = readSubgraph(message.message());
        break;
      case 11: {
        const [key, value] = readEntry(message);
        if (value !== undefined) attributes.set(key, value);
        break;
      }
      case 101:
        message.skim();
        defined++;
        break;
      default:
        message.fail(`field ${message.field} is none of an XIR graph`);
    }
  }
  const integrity: Integrity[] = [];
  if (ops.length === 0) integrity.push(error("graph/empty", "no operator in it", 0));
  if (root === undefined)
    integrity.push(error("graph/empty", "no tree of subgraphs: the end of the file is missing", file.size));
  if (defined === 0)
    integrity.push(error("header/incomplete", "no definition of operators: the end of the file is missing", file.size));
  const returned = attributes.get("return_ops")?.plain;
  const graph = buildGraph(name, ops, Array.isArray(returned) ? returned.map(String) : []);
  const parts = root ? leaves(root) : [];
  const compiled = parts.filter(({ device }) => device === "DPU" || device === "IPU");
  const sections = compiled.flatMap(sectionsOf);
  const sealed = sections.some(({ kind }) => kind === "code");
  const built = attributes.get("libs_info");
  const compiler = built === undefined ? undefined : versionOf(built, "xcompiler");
  const origin = attributes.get("origin")?.plain;
  return model("xmodel", {
    version: "serial_v2",
    sealed,
    producer: {
      name: compiler === undefined ? "Vitis AI" : "xcompiler",
      ...(compiler === undefined ? {} : { version: compiler }),
    },
    targets: targetsOf(compiled),
    requires: requirements(compiled, compiler),
    graphs: [graph],
    main: 0,
    metadata: words({
      name,
      origin: typeof origin === "string" ? origin : undefined,
      devices: countDevices(parts),
      subgraphs: compiled
        .slice(0, TOLD)
        .map((part) => part.name)
        .join(", "),
      "operations (workload)": sum(compiled, "workload"),
      "operations on the DPU (workload_on_arch)": sum(compiled, "workload_on_arch"),
      libraries: built === undefined ? undefined : librariesOf(built),
    }),
    sections,
    integrity,
    unseen: sealed
      ? [
          "how the DPU runs its subgraphs: instructions for one fingerprint",
          "constants of compiled subgraphs in the network's order: they lie as the DPU wants them",
        ]
      : ["for which DPU it will be compiled"],
  });
}

/** Subgraphs that are given to a device: children of the root. */
const leaves = (root: Subgraph): readonly Subgraph[] =>
  root.device !== "" || root.children.length === 0 ? [root] : root.children;

function sectionsOf(part: Subgraph): Section[] {
  const out: Section[] = [];
  for (const [key, value] of part.attributes) {
    if (key === "mc_code" || key === "mc_code_preload") {
      const code = dataOf(value);
      if (code !== undefined && code.bytes > 0) out.push({ name: `${part.name} ${key}`, kind: "code", ...code });
    } else if (key.startsWith("reg_id_to_parameter")) {
      for (const [register, { offset, bytes }] of mapOf(value)) {
        if (bytes > 0) out.push({ name: `${part.name} ${register}`, kind: "weights", offset, bytes });
      }
    }
  }
  return out;
}

/** As the runtime prints it: sixteen digits. */
function fingerprintOf(part: Subgraph): string | undefined {
  const value = part.attributes.get("dpu_fingerprint")?.plain;
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  return `0x${value.toString(16).padStart(16, "0")}`;
}

function nameOf(part: Subgraph): string | undefined {
  const word = part.attributes.get("dpu_name")?.plain ?? part.attributes.get("kernel")?.plain;
  if (typeof word === "string" && word !== "") return word;
  const fingerprint = fingerprintOf(part);
  const type = fingerprint === undefined ? undefined : dpus[Number.parseInt(fingerprint.slice(2, 4), 16)];
  return type === undefined ? undefined : `${type}_ISA${Number.parseInt(fingerprint?.slice(4, 6) ?? "", 16)}`;
}

function targetsOf(parts: readonly Subgraph[]): Target[] {
  const names = new Set(parts.map(nameOf).filter((one) => one !== undefined));
  return [...names].map((says): Target => {
    const type = says.split("_ISA")[0] ?? says;
    const chip = Object.hasOwn(chips, type) ? chips[type] : undefined;
    const family = type.startsWith("IPU") ? "amd-xdna" : "xilinx-dpu";
    return { family, ...(chip === undefined ? {} : { chip }), says };
  });
}

function requirements(parts: readonly Subgraph[], compiler: string | undefined): Requirement[] {
  const prints = new Set(parts.map(fingerprintOf).filter((one) => one !== undefined));
  return [
    ...[...prints].map((version): Requirement => ({ what: "DPU fingerprint", relation: "exactly", version })),
    ...(compiler === undefined ? [] : [{ what: "Vitis AI", relation: "built by", version: compiler } as const]),
  ];
}

/** libs_info: "xcompiler.3.5.0 : xir.3.5.0" to commits. */
const librariesOf = (value: Value): string =>
  mapOf(value)
    .map(([key]) => key)
    .join(", ");

function versionOf(value: Value, library: string): string | undefined {
  for (const [key] of mapOf(value)) {
    const found = new RegExp(`(?:^|[ :])${library}\\.(\\d+(?:\\.\\d+)+)`).exec(key)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

function countDevices(parts: readonly Subgraph[]): string {
  const counts = new Map<string, number>();
  for (const { device } of parts) if (device !== "") counts.set(device, (counts.get(device) ?? 0) + 1);
  return [...counts].map(([device, count]) => `${device} ${count}`).join(", ");
}

function sum(parts: readonly Subgraph[], key: string): number | undefined {
  let total = 0;
  for (const { attributes } of parts) {
    const value = attributes.get(key)?.plain;
    if (typeof value === "number") total += value;
  }
  return total > 0 ? total : undefined;
}
