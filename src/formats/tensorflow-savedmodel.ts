/**
 * TensorFlow: saved_model.pb of a SavedModel, whose variables lie beside it, and a frozen GraphDef (.pb), which holds everything.
 * tensorflow/core/protobuf/{saved_model,meta_graph}.proto; tensorflow.org/guide/saved_model
 */

import { bytesOf, model, type Integrity, type Model, type Tensor } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { entry, readGraphDef, shapeOf, type GraphParts } from "./tensorflow/graph-proto.ts";
import { buildGraphs, neededFor, type Argument, type GraphDef, type Shape } from "./tensorflow/nodes.ts";
import { elementTypeOf } from "./tensorflow/types.ts";
import { BYTES, glimpse, protobuf, VARINT, type Glimpse, type Message } from "./wire/protobuf.ts";

const NAME_LIMIT = 64 * 1024;
/** Graphs of one SavedModel: one for each set of tags. */
const META_LIMIT = 1000;

const format: Format = {
  id: "tensorflow-savedmodel",
  name: "TensorFlow",
  vendor: "Google",
  extensions: [".pb"],
  shows: "full",
  matches(file) {
    if (file.size < 8) return 0;
    const [first] = file.head(1);
    return (first === 0x08 && isSavedModel(file)) || (first === 0x0a && isGraphDef(file)) ? 2 : 0;
  },
  read(file) {
    return file.head(1)[0] === 0x08 ? readSavedModel(file) : readFrozen(file);
  },
  sources: [
    "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/saved_model.proto",
    "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/graph.proto",
  ],
  checked: {
    files: 20,
    says: "published SavedModels and frozen graphs (MediaPipe, model_server, mlcommons/tiny, tract), by findings and costs only, and files such as TensorFlow 2.21 writes: SavedModels of Keras 3, Keras 2, functions with loops, version 1; frozen graphs",
  },
};
export default format;

/** schema version, then graphs and nothing else; the first graph begins with what made it. */
function isSavedModel(file: ModelFile): boolean {
  const seen = glimpse(file, 3);
  const [version, ...graphs] = seen?.fields ?? [];
  if (seen === undefined || version?.field !== 1 || version.wire !== VARINT || version.value > 10) return false;
  if (graphs.some(({ field, wire }) => field !== 2 || wire !== BYTES)) return false;
  if (graphs.length === 0 && seen.cutIn !== 2) return false;
  // A graph that was cut short begins after its tag and its length.
  const start = graphs[0]?.start ?? startOfCut(file);
  const info = glimpse(file, 2, start)?.fields[0];
  if (info?.field !== 1 || info.wire !== BYTES) return false;
  const inside = within(file, info);
  return inside.some(({ field, wire }) => (field === 4 || field === 5) && wire === BYTES);
}

function startOfCut(file: ModelFile): number {
  const head = file.head(16);
  let at = 3;
  while (at < head.length && (head[at] ?? 0) >= 0x80) at++;
  return at + 1;
}

/** Fields of a message that lies whole in the file. */
function within(file: ModelFile, outer: Glimpse): readonly Glimpse[] {
  if (outer.start + outer.length > file.size) return [];
  const out: Glimpse[] = [];
  const seen = glimpse(file, 64, outer.start);
  for (const one of seen?.fields ?? []) if (one.start + one.length <= outer.start + outer.length) out.push(one);
  return out;
}

/** The first field is a node: a name, and an operator as TensorFlow spells them. */
function isGraphDef(file: ModelFile): boolean {
  const node = glimpse(file, 1)?.fields[0];
  if (node?.field !== 1 || node.wire !== BYTES) return false;
  const [name, op] = within(file, node);
  if (name?.field !== 1 || name.wire !== BYTES || op?.field !== 2 || op.wire !== BYTES) return false;
  if (name.length === 0 || name.length > NAME_LIMIT || op.length === 0 || op.length > 200) return false;
  const text = (glimpsed: Glimpse): string =>
    Buffer.from(file.slice(glimpsed.start, glimpsed.length)).toString("latin1");
  return /^[\w.][\w.\\/>-]*$/.test(text(name)) && /^[A-Z_][A-Za-z0-9_>]*$/.test(text(op));
}

interface Meta {
  readonly parts: GraphParts;
  readonly tags: readonly string[];
  readonly version?: string;
  readonly signatures: ReadonlyMap<string, Signature>;
  /** Bytes of its graph in the file. */
  readonly extent: { readonly offset: number; readonly bytes: number };
}

interface Signature {
  readonly inputs: readonly Argument[];
  readonly outputs: readonly (Argument & { readonly from: string })[];
  readonly method?: string;
}

function readSavedModel(file: ModelFile): Model {
  const message: Message = protobuf(file);
  const metas: Meta[] = [];
  let version = 0;
  while (message.next()) {
    if (message.field === 1) version = message.int();
    else if (message.field === 2) {
      if (metas.length >= META_LIMIT) message.fail(`more than ${META_LIMIT} graphs`);
      metas.push(readMeta(message.message()));
    }
  }
  const chosen = metas.find(({ tags }) => tags.includes("serve")) ?? metas[0];
  if (chosen === undefined) message.fail("a SavedModel without a graph", 0);
  const { signatures } = chosen;
  const [name, signature] =
    [...signatures].find(([key]) => key === "serving_default") ??
    [...signatures].find(([key]) => key !== "__saved_model_init_op") ??
    [];
  const defs = neededFor(defsOf(chosen.parts, signature));
  const variables = variablesOf(defs);
  const graphs = buildGraphs(file.name, "tensorflow-savedmodel", defs, variables);
  return model("tensorflow-savedmodel", {
    version: String(version),
    sealed: false,
    ...(chosen.version === undefined ? {} : { producer: { name: "TensorFlow", version: chosen.version } }),
    graphs: graphs.graphs,
    main: 0,
    metadata: {
      kind: "SavedModel",
      ...(chosen.tags.length === 0 ? {} : { tags: chosen.tags.join(", ").slice(0, 1000) }),
      ...(name === undefined ? {} : { signature: name.slice(0, 200) }),
      ...(signatures.size > 1 ? { signatures: [...signatures.keys()].join(", ").slice(0, 1000) } : {}),
      ...(metas.length > 1 ? { graphs: String(metas.length) } : {}),
      ...versionsOf(chosen.parts),
      ...(variables.size === 0 ? {} : { variables: String(variables.size) }),
    },
    sections: [{ name: "graph", kind: "graph", ...chosen.extent }],
    integrity: graphs.integrity,
    needs: variables.size === 0 ? [] : ["variables/variables.index"],
    unseen: [
      ...(variables.size === 0 ? [] : ["values of variables: they lie in variables/variables.data-*"]),
      ...(signature === undefined ? [] : ["what is no part of the signature: saving, restoring, other signatures"]),
    ],
  });
}

function readMeta(message: Message): Meta {
  const tags: string[] = [];
  const signatures = new Map<string, Signature>();
  let version: string | undefined;
  let parts: GraphParts = { nodes: [], functions: [] };
  let extent = { offset: message.from, bytes: 0 };
  while (message.next()) {
    if (message.field === 1) {
      const info = message.message();
      while (info.next()) {
        if (info.field === 4 && tags.length < 100) tags.push(info.stringStart(200));
        else if (info.field === 5) version = info.stringStart(200);
      }
    } else if (message.field === 2) {
      extent = { offset: message.start, bytes: message.length };
      parts = readGraphDef(message.message());
    } else if (message.field === 5) {
      const [key, value] = entry(message.message());
      if (value !== undefined) signatures.set(key, signatureOf(value));
    }
  }
  return { parts, tags, signatures, extent, ...(version === undefined || version === "" ? {} : { version }) };
}

function signatureOf(message: Message): Signature {
  const inputs: Argument[] = [];
  const outputs: (Argument & { from: string })[] = [];
  let method: string | undefined;
  while (message.next()) {
    if (message.field === 3) method = message.stringStart(200);
    if (message.field !== 1 && message.field !== 2) continue;
    const [key, value] = entry(message.message());
    if (value === undefined) continue;
    const info = tensorInfo(value, key);
    if (message.field === 1) inputs.push(info);
    else outputs.push({ ...info, from: info.name });
  }
  return { inputs, outputs, ...(method === undefined ? {} : { method }) };
}

function tensorInfo(message: Message, key: string): Argument {
  let name = key;
  let type: Argument["type"];
  let shape: Shape | undefined;
  while (message.next()) {
    if (message.field === 1) name = message.string(NAME_LIMIT);
    else if (message.field === 2) type = elementTypeOf(message.int());
    else if (message.field === 3) shape = shapeOf(message.message());
  }
  return { name, ...(type === undefined ? {} : { type }), ...(shape === undefined ? {} : { shape }) };
}

function readFrozen(file: ModelFile): Model {
  const parts = readGraphDef(protobuf(file));
  const { graphs, integrity } = buildGraphs(file.name, "tensorflow-savedmodel", defsOf(parts, undefined));
  const empty: readonly Integrity[] =
    parts.nodes.length === 0 ? [{ severity: "error", rule: "graph/empty", says: "the graph has no nodes" }] : [];
  return model("tensorflow-savedmodel", {
    sealed: false,
    graphs,
    main: 0,
    metadata: { kind: "frozen GraphDef", ...versionsOf(parts) },
    sections: [{ name: "graph", kind: "graph", offset: 0, bytes: file.size }],
    integrity: [...empty, ...integrity],
  });
}

const defsOf = (parts: GraphParts, signature: Signature | undefined): readonly GraphDef[] => [
  { name: "", nodes: parts.nodes, inputs: signature?.inputs ?? [], outputs: signature?.outputs ?? [] },
  ...parts.functions,
];

const versionsOf = ({ producer, minConsumer }: GraphParts): Record<string, string> => ({
  ...(producer === undefined ? {} : { "producer of the graph": String(producer) }),
  ...(minConsumer === undefined ? {} : { "least consumer of the graph": String(minConsumer) }),
});

/** Variables by their names, as constants of files beside this one. */
function variablesOf(defs: readonly GraphDef[]): ReadonlyMap<string, Tensor> {
  const out = new Map<string, Tensor>();
  for (const { name, op, shape, types } of defs.flatMap(({ nodes }) => nodes)) {
    if (op !== "VarHandleOp" || shape === undefined) continue;
    const type = types["dtype"] ?? "unknown";
    out.set(name, {
      name,
      type,
      shape,
      data: { bytes: bytesOf({ type, shape }) ?? 0, file: "variables/variables.data" },
    });
  }
  return out;
}
