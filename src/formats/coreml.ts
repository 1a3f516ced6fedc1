/**
 * Core ML: .mlmodel, and the model.mlmodel inside an .mlpackage. A protobuf with a description and one model of many kinds: an ML
 * program, a neural network, trees, a pipeline of others. github.com/apple/coremltools/blob/main/mlmodel/format/Model.proto
 */

import {
  model,
  type Attribute,
  type Graph,
  type Integrity,
  type Model,
  type Node,
  type Tensor,
} from "../model/graph.ts";
import { readDescription, type Description } from "./coreml/features.ts";
import { kindOf, systems, type Kind } from "./coreml/kinds.ts";
import { readProgram } from "./coreml/mil.ts";
import { readNetwork } from "./coreml/neural.ts";
import type { Format } from "./format.ts";
import { BYTES, glimpse, protobuf, VARINT, type Message } from "./wire/protobuf.ts";

/** Models inside pipelines inside pipelines. */
const DEPTH_LIMIT = 16;
/** Models of one file. */
const MODEL_LIMIT = 10_000;
/** Specification versions that are one: 10 is the newest, and ONNX files begin alike. */
const VERSION_LIMIT = 1000;
/** Nodes of trees counted. */
const COUNT_LIMIT = 10_000_000;

const format: Format = {
  id: "coreml",
  name: "Core ML",
  vendor: "Apple",
  extensions: [".mlmodel"],
  shows: "full",
  matches(file) {
    if (file.size < 4 || file.head(1)[0] !== 0x08) return 0;
    const seen = glimpse(file, 8);
    const [version, ...rest] = seen?.fields ?? [];
    if (seen === undefined || version?.field !== 1 || version.wire !== VARINT) return 0;
    if (version.value < 1 || version.value > VERSION_LIMIT) return 0;
    const described = rest.some(({ field, wire }) => field === 2 && wire === BYTES);
    const kind =
      rest.find(({ field, wire }) => wire === BYTES && kindOf(field) !== undefined)?.field ?? seen.cutIn ?? 0;
    return described && kindOf(kind) !== undefined ? 2 : 0;
  },
  read(file) {
    const reader = new Reader(file.name);
    const found = reader.model(protobuf(file), 0);
    const { description, kind, version } = found;
    const { userDefined } = description;
    const tool = userDefined["com.github.apple.coremltools.version"];
    const other = found.graph === undefined ? -1 : found.graph;
    return model("coreml", {
      ...(version === 0 ? {} : { version: String(version) }),
      sealed: kind?.sealed === true,
      ...(tool === undefined ? {} : { producer: { name: "coremltools", version: tool } }),
      requires: (systems[version] ?? []).map(([what, least]) => ({ what, relation: "at least", version: least })),
      graphs: reader.graphs,
      ...(other < 0 ? {} : { main: mainOf(reader.graphs, description, other) }),
      inputs: description.inputs,
      outputs: description.outputs,
      metadata: {
        ...(kind === undefined ? {} : { kind: kind.name }),
        ...(description.version === undefined ? {} : { "model version": description.version }),
        ...(found.updatable ? { updatable: "true" } : {}),
        ...(reader.opsets.size === 0 ? {} : { opset: [...reader.opsets].join(", ") }),
        ...(description.states.length === 0
          ? {}
          : {
              states: description.states
                .map(({ name }) => name)
                .join(", ")
                .slice(0, 4096),
            }),
        ...reader.attributes,
        ...userDefined,
      },
      ...(reader.labels.length === 0 ? {} : { labels: reader.labels }),
      ...(description.author === undefined ? {} : { author: description.author }),
      ...(description.licence === undefined ? {} : { licence: description.licence }),
      ...(description.summary === undefined ? {} : { description: description.summary }),
      sections: [{ name: kind?.name ?? "model", kind: "graph", offset: 0, bytes: file.size }],
      integrity: reader.integrity,
      needs: [...reader.needs],
      unseen: reader.unseen,
    });
  },
  sources: [
    "https://github.com/apple/coremltools/blob/main/mlmodel/format/Model.proto",
    "https://apple.github.io/coremltools/mlmodel/index.html",
  ],
  checked: {
    files: 3,
    says: "three published files of version 1, by findings only, and files such as coremltools 9.0 writes: ML programs of float32, float16, 8 bit and tables, loops, neural networks, trees, pipelines",
  },
};
export default format;

interface Found {
  readonly version: number;
  readonly updatable: boolean;
  readonly description: Description;
  readonly kind?: Kind;
  /** Index of the graph that runs. */
  readonly graph?: number;
}

class Reader {
  readonly graphs: Graph[] = [];
  readonly integrity: Integrity[] = [];
  readonly labels: string[] = [];
  readonly needs = new Set<string>();
  readonly opsets = new Set<string>();
  readonly unseen: string[] = [];
  attributes: Readonly<Record<string, string>> = {};
  readonly #path: string;
  #models = 0;

  constructor(path: string) {
    this.#path = path;
  }

  model(message: Message, depth: number): Found {
    if (depth > DEPTH_LIMIT) message.fail(`models nest deeper than ${DEPTH_LIMIT}`);
    if (++this.#models > MODEL_LIMIT) message.fail(`more than ${MODEL_LIMIT} models`);
    let version = 0;
    let updatable = false;
    let description: Description = { inputs: [], outputs: [], states: [], functions: [], userDefined: {} };
    let body: { kind: Kind; message: Message; bytes: number } | undefined;
    while (message.next()) {
      if (message.field === 1) version = message.int();
      else if (message.field === 2) description = readDescription(message.message());
      else if (message.field === 10) updatable = message.bool();
      else {
        const kind = kindOf(message.field);
        if (kind !== undefined) body = { kind, message: message.message(), bytes: message.length };
        else if (message.field >= 200)
          this.integrity.push({
            severity: "warning",
            rule: "model/unknown",
            says: `field ${message.field} is of no kind of model we know`,
            offset: message.at,
          });
      }
    }
    if (body === undefined) {
      this.integrity.push({
        severity: "error",
        rule: "model/empty",
        says: "the file describes a model and holds none",
      });
      return { version, updatable, description };
    }
    const graph = this.#body(body.kind, body.message, description, depth);
    return { version, updatable, description, kind: body.kind, ...(graph === undefined ? {} : { graph }) };
  }

  #body(kind: Kind, message: Message, description: Description, depth: number): number | undefined {
    if (kind.unseen !== undefined && !this.unseen.includes(kind.unseen)) this.unseen.push(kind.unseen);
    switch (kind.layout) {
      case "program": {
        const program = readProgram(message, this.#path);
        for (const need of program.needs) this.needs.add(need);
        for (const opset of program.opsets) this.opsets.add(opset);
        this.attributes = { ...this.attributes, ...program.attributes };
        this.integrity.push(...program.integrity);
        for (const label of program.labels) this.labels.push(label);
        return this.#append(program.graphs);
      }
      case "network": {
        const network = readNetwork(message, description.inputs, description.outputs);
        // A list with a few times ten thousand entries is longer than the arguments of a call may be.
        for (const label of network.labels) this.labels.push(label);
        return this.#append(network.graphs);
      }
      case "pipeline":
        return this.#pipeline(message, description, depth);
      case "wrapped": {
        // PipelineClassifier and PipelineRegressor hold a Pipeline.
        let inner: number | undefined;
        while (message.next()) if (message.field === 1) inner = this.#pipeline(message.message(), description, depth);
        return inner;
      }
      default:
        return this.#single(kind, message, description);
    }
  }

  /** Indexes into graphs move by as many as there were before. */
  #append(graphs: readonly Graph[]): number {
    const base = this.graphs.length;
    for (const graph of graphs)
      this.graphs.push({
        ...graph,
        nodes: graph.nodes.map((node) =>
          node.graphs === undefined ? node : { ...node, graphs: node.graphs.map((index) => index + base) },
        ),
      });
    return base;
  }

  /** Models one after another, joined by the names of their features. */
  #pipeline(message: Message, description: Description, depth: number): number {
    const index = this.graphs.length;
    this.graphs.push({ name: "pipeline", tensors: [], nodes: [], inputs: [], outputs: [] });
    const draft = new Draft(description.inputs);
    const nodes: Node[] = [];
    const names: string[] = [];
    while (message.next()) {
      if (message.field === 2) names.push(message.stringStart(200));
      if (message.field !== 1) continue;
      const { kind, description: own, graph } = this.model(message.message(), depth + 1);
      nodes.push({
        ...(graph === undefined ? {} : { graphs: [graph], op: "Call" }),
        spelled: kind?.name ?? "model",
        inputs: own.inputs.map((input) => draft.find(input)),
        outputs: own.outputs.map((output) => draft.make(output)),
        attributes: {},
      });
    }
    this.graphs[index] = {
      name: "pipeline",
      tensors: draft.tensors,
      nodes: nodes.map((node, at) => (names[at] === undefined ? node : { name: names[at], ...node })),
      inputs: draft.inputs,
      outputs: description.outputs.map((output) => draft.find(output)),
    };
    return index;
  }

  /** Trees, vectors and encoders are one operator. */
  #single(kind: Kind, message: Message, description: Description): number {
    const draft = new Draft(description.inputs);
    const attributes: Record<string, Attribute> = {};
    if (kind.layout === "trees") {
      while (message.next()) if (message.field === 1) Object.assign(attributes, treesOf(message.message()));
    } else if (kind.layout === "custom") {
      while (message.next()) if (message.field === 10) attributes["className"] = message.stringStart(200);
    } else while (message.next()); // every field is looked at, so that a torn one is found
    const node: Node = {
      ...(kind.op === undefined ? {} : { op: kind.op }),
      spelled: kind.name,
      inputs: draft.inputs,
      outputs: description.outputs.map((output) => draft.make(output)),
      attributes,
    };
    return this.#append([
      { name: "", tensors: draft.tensors, nodes: [node], inputs: draft.inputs, outputs: node.outputs },
    ]);
  }
}

/** Tensors by the names of features; a name given twice is the newest. */
class Draft {
  readonly tensors: Tensor[] = [];
  readonly inputs: number[] = [];
  readonly #names = new Map<string, number>();

  constructor(inputs: readonly Tensor[]) {
    for (const input of inputs) this.inputs.push(this.make(input));
  }

  make(tensor: Tensor): number {
    const index = this.tensors.push(tensor) - 1;
    this.#names.set(tensor.name, index);
    return index;
  }

  find(tensor: Tensor): number {
    return this.#names.get(tensor.name) ?? this.make(tensor);
  }
}

/** TreeEnsembleParameters: nodes, each of one tree. */
function treesOf(message: Message): Record<string, Attribute> {
  let nodes = 0;
  let trees = 0;
  while (message.next()) {
    if (message.field !== 1) continue;
    if (++nodes > COUNT_LIMIT) message.fail(`more than ${COUNT_LIMIT} nodes of trees`);
    const node = message.message();
    while (node.next()) if (node.field === 1) trees = Math.max(trees, node.uint() + 1);
  }
  return { nodes, trees: Math.max(trees, nodes > 0 ? 1 : 0) };
}

/** A program of several functions names the one that runs; else it is the first. */
function mainOf(graphs: Model["graphs"], { defaultFunction }: Description, first: number): number {
  const named = defaultFunction === undefined ? -1 : graphs.findIndex(({ name }) => name === defaultFunction);
  const main = graphs.findIndex(({ name }) => name === "main");
  return named >= 0 ? named : main >= 0 ? main : first;
}
