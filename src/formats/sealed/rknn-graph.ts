/**
 * What an .rknn of toolkit 1 has where it was not compiled: the network in the JSON (nodes, connections), its constants in front of it;
 * and behind the JSON the operators of one's own, with their kernels. Spellings are ovxlib's. Facts from files of toolkits 1.2 to 1.7.
 */

import { utf8 } from "../../base/bytes.ts";
import type { Attribute, Graph, Integrity, Node, Section, Tensor } from "../../model/graph.ts";
import { sharedOp } from "../../model/ops.ts";
import type { ModelFile } from "../file.ts";
import { inOrder } from "./order.ts";
import { error, FINDING_LIMIT, has, isRecord, plain, warning } from "./parts.ts";

/** The largest detectors have some thousand. */
const NODE_LIMIT = 65_536;
const CONNECTION_LIMIT = 8 * NODE_LIMIT;
/** Parameters of one operator; ovxlib's have some ten. */
const ATTRIBUTE_LIMIT = 64;
/** Descriptions of operators of one's own have some hundred bytes. */
const OPERATORS_LIMIT = 1024 * 1024;

type Json = Readonly<Record<string, unknown>>;

/** Operators that stand for a compiled network, whatever else the JSON says. */
const compiled = new Set(["VSI_NN_OP_NBG", "RKNN_OP_NNBG"]);

/** The network, where it is there to be seen. `at` is where its constants begin, `bytes` what they have. */
export function readVsiGraph(
  json: Json,
  { offset: at, bytes }: { offset: number; bytes: number },
  tensor: (entry: Json) => Tensor,
  integrity: Integrity[],
): Graph | undefined {
  const listed = records(json["nodes"], NODE_LIMIT);
  if (json["ovxlib_version"] === undefined || listed.length === 0) return undefined;
  if (listed.some((node) => typeof node["op"] !== "string" || compiled.has(node["op"]))) return undefined;
  const tell = (one: Integrity): void => {
    if (integrity.length < FINDING_LIMIT) integrity.push(one);
  };
  const tensors: Tensor[] = [];
  const put = (one: Tensor): number => tensors.push(one) - 1;
  const norm = records(json["norm_tensor"], NODE_LIMIT).map((one) => put(tensor(one)));
  const constants = records(json["const_tensor"], NODE_LIMIT).map((one, index) => {
    const [from, length] = [size(one["offset"]), size(one["len"])];
    if (from + length > bytes) {
      tell(error("extent/past-end", `constant ${index} ends at ${from + length} of ${bytes} bytes`, at));
    }
    return put({ ...tensor(one), name: `constant ${index}`, data: { offset: at + from, bytes: length } });
  });
  const nodes = listed.map((node) => ({
    name: typeof node["name"] === "string" ? plain(node["name"]) : "",
    spelled: plain(String(node["op"]), 96),
    inputs: [] as number[],
    outputs: [] as number[],
    attributes: attributesOf(node["nn"]),
  }));
  const types = new Map(
    records(json["virtual_tensor"], NODE_LIMIT).map((one) => [
      `${size(one["node_id"])}:${size(one["output_port"])}`,
      one,
    ]),
  );
  const between = new Map<string, number>();
  const given = (node: number, output: number): number => {
    const key = `${node}:${output}`;
    const held =
      between.get(key) ?? put(withoutShape(tensor(types.get(key) ?? {}), `${nodes[node]?.name ?? ""}:${output}`));
    between.set(key, held);
    const list = nodes[node]?.outputs;
    if (list !== undefined && !list.includes(held)) list[output] = held;
    return held;
  };
  for (const link of records(json["connection"], CONNECTION_LIMIT)) {
    const node = nodes[size(link["node_id"])];
    const place = size(link["left_tensor_id"]);
    const [one, other] = [link["right_tensor"], link["right_node"]];
    let index: number | undefined;
    if (isRecord(one)) {
      const list = one["type"] === "norm_tensor" ? norm : one["type"] === "const_tensor" ? constants : [];
      index = list[size(one["tensor_id"])];
    } else if (isRecord(other) && size(other["node_id"]) < nodes.length && size(other["tensor_id"]) < ATTRIBUTE_LIMIT) {
      index = given(size(other["node_id"]), size(other["tensor_id"]));
    }
    if (node === undefined || index === undefined || place >= NODE_LIMIT) {
      tell(warning("tensor/dangling", "a connection leads from or to nothing", at));
      continue;
    }
    const list = link["left"] === "output" ? node.outputs : node.inputs;
    if (place < list.length + NODE_LIMIT / 16) list[place] = index;
  }
  const dense = (list: readonly number[]): number[] => Array.from(list, (one: number | undefined) => one ?? -1);
  const sides = (side: string): number[] =>
    records(json["graph"], NODE_LIMIT)
      .filter((edge) => edge["left"] === side && edge["right"] === "norm_tensor")
      .map((edge) => norm[size(edge["right_tensor_id"])] ?? -1)
      .filter((index) => index >= 0);
  const made = nodes.map((node): Node => {
    const op = sharedOp("rknn", node.spelled.replace(/^VSI_NN_OP_/, ""));
    return { ...node, ...(op === undefined ? {} : { op }), inputs: dense(node.inputs), outputs: dense(node.outputs) };
  });
  return {
    name: typeof json["name"] === "string" ? plain(json["name"], 64) : "",
    tensors,
    nodes: inOrder(made, tensors.length),
    inputs: sides("input"),
    outputs: sides("output"),
  };
}

/** [length u64][JSON: a list of operators][length u64][kernels and libraries], behind the network's JSON. Undefined where it is none. */
export function readCustomOperators(
  file: ModelFile,
  at: number,
): { names: string[]; sections: Section[]; end: number } | undefined {
  if (at + 16 > file.size || !has(file, "[", at + 8)) return undefined;
  const bytes = file.cursor(at, 8).size64();
  if (bytes > OPERATORS_LIMIT || at + 16 + bytes > file.size) return undefined;
  let listed: unknown;
  try {
    listed = JSON.parse(utf8(file.slice(at + 8, bytes)));
  } catch {
    return undefined;
  }
  const start = at + 8 + bytes;
  const kernels = file.cursor(start, 8).size64();
  return {
    names: records(listed, NODE_LIMIT).flatMap((one) =>
      typeof one["name"] === "string" ? [plain(one["name"], 64)] : [],
    ),
    sections: [
      { name: "operators of one's own", kind: "metadata", offset: at + 8, bytes },
      { name: "their kernels and libraries", kind: "code", offset: start + 8, bytes: kernels },
    ],
    end: start + 8 + kernels,
  };
}

/** nn: { conv2d: { ksize: [3, 3], ... } }: the parameters without the name around them. */
function attributesOf(found: unknown): Record<string, Attribute> {
  const out: Record<string, Attribute> = {};
  const inner = isRecord(found) ? Object.values(found)[0] : undefined;
  for (const [key, value] of Object.entries(isRecord(inner) ? inner : {}).slice(0, ATTRIBUTE_LIMIT)) {
    if (typeof value === "number" || typeof value === "boolean") out[plain(key, 64)] = value;
    else if (typeof value === "string") out[plain(key, 64)] = plain(value, 96);
    else if (Array.isArray(value) && value.length <= ATTRIBUTE_LIMIT) {
      const numbers = value.filter((one): one is number => typeof one === "number");
      if (numbers.length === value.length) out[plain(key, 64)] = numbers;
    }
  }
  return out;
}

function withoutShape({ type, spelled, quantization }: Tensor, name: string): Tensor {
  return {
    name,
    type,
    ...(spelled === undefined ? {} : { spelled }),
    ...(quantization === undefined ? {} : { quantization }),
  };
}

const records = (value: unknown, limit: number): Json[] =>
  Array.isArray(value) ? value.slice(0, limit).filter(isRecord) : [];
/** A count or an index; what is none is past every list. */
const size = (value: unknown): number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : Number.MAX_SAFE_INTEGER;
