/**
 * TensorFlow.js: model.json, which holds a graph (converted from TensorFlow) or layers (Keras), and names the shards its weights lie in.
 * github.com/tensorflow/tfjs/blob/master/tfjs-core/src/io/types.ts; tfjs-converter/python/tensorflowjs/write_weights.py
 */

import { FileError } from "../base/errors.ts";
import { latin1 } from "../base/bytes.ts";
import { model, type Graph, type Integrity } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { graphsOfTopology } from "./tensorflow/graph-json.ts";
import { isKerasModel, readKeras } from "./tensorflow/keras.ts";
import { buildGraphs } from "./tensorflow/nodes.ts";
import { readManifest } from "./tensorflow/manifest.ts";
import { at, entriesOf, get, isObject, JSON_LIMIT, listOf, parseJson, textOf } from "./wire/json.ts";

/** Where the keys of a model.json are looked for: weightsManifest may come last. */
const LOOKED_AT = 64 * 1024;
/** Facts of the user kept, and bytes of each. */
const METADATA_KEPT = 40;
const TEXT_KEPT = 4096;

const format: Format = {
  id: "tfjs",
  name: "TensorFlow.js",
  vendor: "Google",
  extensions: [".json"],
  shows: "full",
  matches(file) {
    const start = latin1(file.head(LOOKED_AT))
      .replace(/^\xef\xbb\xbf/, "")
      .trimStart();
    if (start.startsWith("[")) return /^\[\s*\{\s*"(?:paths|weights)"\s*:/.test(start) ? 2 : 0;
    if (!start.startsWith("{")) return 0;
    if (marks.test(start)) return 2;
    return /"format"\s*:\s*"(?:graph|layers)-model"/.test(start) && marks.test(latin1(file.tail(LOOKED_AT))) ? 2 : 0;
  },
  read(file) {
    if (file.size > JSON_LIMIT) throw new FileError(file.name, `${file.size} bytes of JSON, over ${JSON_LIMIT}`, 0);
    const root = parseJson(file.slice(0, file.size), file.name);
    const bare = Array.isArray(root);
    if (!bare && !isObject(root)) throw new FileError(file.name, "is no JSON object", 0);
    const manifest = readManifest(bare ? root : get(root, "weightsManifest"), file.name);
    const topology = get(root, "modelTopology");
    const built = topologyOf(file, root, topology, manifest.tensors);
    const integrity = [...manifest.integrity, ...built.integrity];
    if (built.graphs.length === 0)
      built.graphs.push({ name: "", tensors: manifest.tensors, nodes: [], inputs: [], outputs: [] });
    const version = textOf(get(root, "format"));
    return model("tfjs", {
      ...(version === undefined ? {} : { version: version.slice(0, TEXT_KEPT) }),
      sealed: false,
      ...producerOf(root, topology),
      graphs: built.graphs,
      main: 0,
      metadata: { ...metadataOf(root, topology), ...manifest.metadata },
      ...labelled(root),
      sections: [{ name: "model.json", kind: "graph", offset: 0, bytes: file.size }],
      integrity,
      needs: manifest.needs,
      unseen: [
        ...(manifest.needs.length > 0 ? ["values of constants (axes, paddings, shapes): they lie in the shards"] : []),
        ...(built.graphs.every(({ nodes }) => nodes.length === 0)
          ? ["which operators use the weights: no topology we know is in the file"]
          : []),
      ],
    });
  },
  sources: [
    "https://github.com/tensorflow/tfjs/blob/master/tfjs-core/src/io/types.ts",
    "https://github.com/tensorflow/tfjs/blob/master/tfjs-converter/python/tensorflowjs/write_weights.py",
  ],
  checked: {
    files: 1,
    says: "one published graph model; files such as tensorflowjs 4.22 writes: layers models, graph models of float32, float16 and 8 bit",
  },
};
export default format;

/** A quote before a key of our own is not escaped: text inside a string does not count. */
const marks = /(?<!\\)"(?:modelTopology|weightsManifest)"\s*:/;

interface Topology {
  readonly graphs: Graph[];
  readonly integrity: readonly Integrity[];
}

function topologyOf(file: ModelFile, root: unknown, topology: unknown, tensors: Graph["tensors"]): Topology {
  const keras = [topology, get(topology, "model_config"), get(topology, "modelConfig")].find(isKerasModel);
  if (keras !== undefined) {
    const { graphs, integrity } = readKeras(file.name, keras, tensors);
    return { graphs: [...graphs], integrity };
  }
  if (!Array.isArray(get(topology, "node"))) {
    const lost = topology !== undefined && topology !== null;
    const says = "modelTopology holds neither the nodes of a graph nor the configuration of a Keras model";
    return { graphs: [], integrity: lost ? [{ severity: "error", rule: "graph/unknown", says }] : [] };
  }
  const constants = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const signature = get(root, "signature") ?? at(root, "userDefinedMetadata", "signature");
  const [main, ...functions] = graphsOfTopology(topology, signature, "");
  const start = get(root, "modelInitializer");
  const [initializer] =
    start === undefined ? [] : graphsOfTopology(start, get(root, "initializerSignature"), "initializer");
  const defs = [main, ...functions, initializer].filter((def) => def !== undefined);
  const built = buildGraphs(file.name, "tfjs", defs, constants);
  return { graphs: withLeft(built.graphs, tensors), integrity: built.integrity };
}

/** Weights that no Const of the graph names are still in the shards. */
function withLeft(graphs: readonly Graph[], tensors: Graph["tensors"]): Graph[] {
  const used = new Set(graphs.flatMap((graph) => graph.tensors.map(({ name }) => name)));
  const left = tensors.filter(({ name }) => !used.has(name));
  return graphs.map((graph, index) => (index === 0 ? { ...graph, tensors: [...graph.tensors, ...left] } : graph));
}

function producerOf(root: unknown, topology: unknown): { producer?: { name: string; version?: string } } {
  const [converted, generated] = [textOf(get(root, "convertedBy")), textOf(get(root, "generatedBy"))];
  const keras = textOf(get(topology, "keras_version"));
  const said = converted ?? generated ?? (keras === undefined ? undefined : `Keras ${keras}`);
  if (said === undefined) return {};
  const [, name = said, version] = /^(.*?)\s+v?(\d[\w.+-]*)$/.exec(said.slice(0, 200)) ?? [];
  return { producer: { name, ...(version === undefined ? {} : { version }) } };
}

function metadataOf(root: unknown, topology: unknown): Record<string, string> {
  const out: Record<string, string> = {};
  const keep = (key: string, value: unknown): void => {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return;
    if (Object.keys(out).length < METADATA_KEPT) out[key.slice(0, 80)] = String(value).slice(0, TEXT_KEPT);
  };
  keep("generated by", get(root, "generatedBy"));
  keep("converted by", get(root, "convertedBy"));
  keep("Keras", get(topology, "keras_version") ?? get(topology, "kerasVersion"));
  keep("backend", get(topology, "backend"));
  keep("producer of the graph", at(topology, "versions", "producer"));
  keep("least consumer of the graph", at(topology, "versions", "minConsumer"));
  for (const [key, value] of entriesOf(get(root, "userDefinedMetadata"))) keep(key, value);
  return out;
}

/** Teachable Machine and AutoML keep the names of classes in what the user defines. */
function labelled(root: unknown): { labels?: readonly string[] } {
  const labels = listOf(at(root, "userDefinedMetadata", "labels")).filter((label) => typeof label === "string");
  return labels.length === 0 ? {} : { labels: labels.slice(0, 100_000) };
}
