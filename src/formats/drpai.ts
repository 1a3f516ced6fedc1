/**
 * DRP-AI TVM: the deploy.json of a folder that Renesas' compiler writes, TVM's graph of compiled functions: which of them the DRP-AI
 * computes (compiler mera_drp) and which the CPU, with the tensors between them. Code lies in deploy.so beside it, constants in
 * deploy.params. https://github.com/apache/tvm/blob/v0.8.0/src/runtime/graph_executor/graph_executor.h (Apache-2.0)
 */

import { FileError } from "../base/errors.ts";
import { latin1 } from "../base/bytes.ts";
import {
  bytesOf,
  elementBits,
  model,
  type Attribute,
  type ElementType,
  type Graph,
  type Integrity,
  type Node,
  type Tensor,
} from "../model/graph.ts";
import type { Format } from "./format.ts";
import { error, plain, words } from "./sealed/parts.ts";
import { at, entriesOf, get, JSON_LIMIT, listOf, parseJson, textOf } from "./wire/json.ts";

/** Where a function of the DRP-AI is looked for: the largest published file has 88 kB. */
const LOOKED_AT = 256 * 1024;
/** Published graphs have up to 200 nodes; one function each of the largest networks would be some thousand. */
const NODE_LIMIT = 100_000;
const OUTPUT_LIMIT = 4096;
const FINDINGS = 20;
const COMPILER = "mera_drp";

const format: Format = {
  id: "drpai",
  name: "DRP-AI TVM graph",
  vendor: "Renesas",
  extensions: [".json"],
  shows: "partly",
  matches(file) {
    const start = latin1(file.head(LOOKED_AT));
    return /^\s*\{\s*"nodes"\s*:\s*\[/.test(start) && /"(?:func_name|Compiler)"\s*:\s*"\w*mera_drp/.test(start) ? 2 : 0;
  },
  read(file) {
    if (file.size > JSON_LIMIT) throw new FileError(file.name, `${file.size} bytes of JSON, over ${JSON_LIMIT}`, 0);
    const root = parseJson(file.slice(0, file.size), file.name);
    const nodes = listOf(get(root, "nodes"));
    if (nodes.length > NODE_LIMIT) throw new FileError(file.name, `${nodes.length} nodes, over ${NODE_LIMIT}`, 0);
    const integrity: Integrity[] = [];
    const graph = readGraph(root, nodes, integrity);
    const onDrp = graph.nodes.filter(({ domain }) => domain === COMPILER).length;
    return model("drpai", {
      sealed: true,
      producer: { name: "DRP-AI TVM" },
      targets: [{ family: "renesas-drpai", says: COMPILER }],
      graphs: [graph],
      main: 0,
      metadata: words({ "functions on the DRP-AI": onDrp, "functions on the CPU": graph.nodes.length - onDrp }),
      sections: [{ name: "deploy.json", kind: "graph", offset: 0, bytes: file.size }],
      integrity,
      needs: ["deploy.so", "deploy.params"],
      unseen: [
        "operators within the DRP-AI's functions: compiled, in deploy.so",
        "for which RZ/V chip: the graph does not say it, and their code differs",
      ],
    });
  },
  sources: [
    "https://github.com/apache/tvm/blob/v0.8.0/src/runtime/graph_executor/graph_executor.h",
    "https://github.com/renesas-rz/rzv_drp-ai_tvm",
  ],
  checked: { files: 28, says: "the demos of renesas-rz/rzv_ai_sdk for RZ/V2L, V2H and V2N" },
};
export default format;

/** TVM numbers entries: the outputs of all nodes, one after another; node_row_ptr says where those of a node begin. */
function readGraph(root: unknown, nodes: readonly unknown[], integrity: Integrity[]): Graph {
  const say = (rule: string, says: string): void => {
    if (integrity.length < FINDINGS) integrity.push(error(rule, says));
  };
  const [shapes, types] = [listed(root, "shape"), listed(root, "dltype")];
  const constants = new Set(listOf(get(root, "arg_nodes")).filter((index) => isConstant(nodes[Number(index)])));
  const first: number[] = [];
  const tensors: Tensor[] = [];
  for (const [index, node] of nodes.entries()) {
    first.push(tensors.length);
    const count = outputsOf(node);
    if (count > OUTPUT_LIMIT || tensors.length + count > NODE_LIMIT) {
      say("tensor/count", `node ${index} has ${count} outputs`);
      continue;
    }
    for (let output = 0; output < count; output++) {
      const name = nameOf(node) + (count > 1 ? `:${output}` : "");
      const entry = tensors.length;
      tensors.push(tensorOf(name, shapes[entry], types[entry], constants.has(index)));
    }
  }
  const rows = listOf(get(root, "node_row_ptr"));
  if (rows.some((row, index) => row !== (first[index] ?? tensors.length)) || rows.length !== nodes.length + 1) {
    say("tensor/count", "node_row_ptr does not number the outputs of the nodes");
  }
  for (const [what, list] of [["shapes", shapes] as const, ["types", types] as const]) {
    if (list.length !== tensors.length) say("tensor/count", `${list.length} ${what} of ${tensors.length} tensors`);
  }
  const entryOf = (pair: unknown, of: string): number => {
    const [node, output] = [Number(listOf(pair)[0]), Number(listOf(pair)[1] ?? 0)];
    const start = first[node];
    const end = first[node + 1] ?? tensors.length;
    if (start !== undefined && Number.isInteger(output) && output >= 0 && start + output < end) return start + output;
    say("tensor/dangling", `${of} names output ${output} of node ${node}, which is not there`);
    return -1;
  };
  const functions = nodes.flatMap((node, index): Node[] =>
    textOf(get(node, "op")) === "null" ? [] : [nodeOf(node, index, first, entryOf)],
  );
  const inputs = listOf(get(root, "arg_nodes"))
    .filter((index) => !constants.has(index))
    .map((index) => entryOf([index, 0], "arg_nodes"));
  const outputs = listOf(get(root, "heads")).map((head) => entryOf(head, "heads"));
  const there = (entry: number): boolean => entry >= 0;
  return { name: "", tensors, nodes: functions, inputs: inputs.filter(there), outputs: outputs.filter(there) };
}

function nodeOf(
  node: unknown,
  index: number,
  first: readonly number[],
  entryOf: (pair: unknown, of: string) => number,
): Node {
  const attributes: Record<string, Attribute> = {};
  for (const [key, value] of entriesOf(get(node, "attrs"))) {
    if (kept.has(key) && typeof value === "string") attributes[key] = plain(value, 80);
  }
  const name = nameOf(node);
  const spelled = textOf(at(node, "attrs", "func_name")) ?? name;
  const compiler = textOf(at(node, "attrs", "Compiler")) ?? (spelled.includes(COMPILER) ? COMPILER : undefined);
  const count = Math.min(outputsOf(node), OUTPUT_LIMIT);
  const end = first[index + 1] ?? Number.MAX_SAFE_INTEGER;
  return {
    name,
    spelled: short(spelled),
    ...(compiler === undefined ? {} : { domain: plain(compiler, 80) }),
    inputs: listOf(get(node, "inputs")).map((pair) => entryOf(pair, name)),
    outputs: Array.from({ length: count }, (_, output) => (first[index] ?? 0) + output).filter((entry) => entry < end),
    attributes,
  };
}

const kept: ReadonlySet<string> = new Set(["data_layout", "kernel_layout", "out_layout", "layout", "hash"]);

/** Without what TVM puts before the name of every function. */
const nameOf = (node: unknown): string => short(textOf(get(node, "name")) ?? "");
const short = (name: string): string => plain(name.replace(/^(?:tvmgen_default_)+/, ""));

/** TVM itself calls a network's constants p0, p1 and so on; arguments by other names are the user's. */
const isConstant = (node: unknown): boolean => /^p\d+$/.test(nameOf(node));

function outputsOf(node: unknown): number {
  const count = Number(textOf(at(node, "attrs", "num_outputs")) ?? 1);
  return Number.isInteger(count) && count >= 0 ? count : 1;
}

/** ["list_shape", [...]]: the kind, then the list. */
const listed = (root: unknown, key: string): readonly unknown[] => listOf(listOf(at(root, "attrs", key))[1]);

function tensorOf(name: string, sizes: unknown, type: unknown, constant: boolean): Tensor {
  const word = plain(textOf(type) ?? "", 40);
  const known = Object.hasOwn(elementBits, word) ? (word as ElementType) : undefined;
  const shape =
    Array.isArray(sizes) && sizes.every((size) => Number.isSafeInteger(size)) ? (sizes as number[]) : undefined;
  const tensor: Tensor = {
    name,
    type: known ?? "unknown",
    ...(known === undefined ? { spelled: word === "" ? "not said" : word } : {}),
    ...(shape === undefined ? {} : { shape }),
  };
  return constant ? { ...tensor, data: { bytes: bytesOf(tensor) ?? 0, file: "deploy.params" } } : tensor;
}
