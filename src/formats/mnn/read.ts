/** An MNN file as graphs: operators with their parameters, tensors with the shapes that follow from the inputs, subgraphs by name. */

import type { Attribute, Dimension, Graph, Integrity, Node, Quantization, Tensor } from "../../model/graph.ts";
import { sharedOp } from "../../model/ops.ts";
import type { FlatBuffer, Table } from "../wire/flatbuffer.ts";
import { attributesOf, idOf, wordOf } from "./fields.ts";
import { opParameters, opTypeRuns } from "./schema.ts";
import { outputOf, type DataFormat, type Flow } from "./shapes.ts";
import { blobOf, convolutionWeights, dataTypes, innerProductWeights, type Constant } from "./weights.ts";

/** Operators of a graph, and tensors: unrolled networks and language models have some 10,000. */
const OPERATOR_LIMIT = 250_000;
const TENSOR_LIMIT = 500_000;
/** A loop or a branch has two. */
const GRAPH_LIMIT = 4096;
/** Inputs of one operator. */
const ARITY_LIMIT = 65_536;
const RANK_LIMIT = 64;
/** Findings of one kind that are told one by one. */
const TOLD = 8;

let names: ReadonlyMap<number, string> | undefined;

/** OpType by number; undefined for one the schema does not have. */
export function opType(number: number): string | undefined {
  if (names === undefined) {
    const found = new Map<number, string>();
    for (const run of opTypeRuns) {
      const [first = "0", ...words] = run.split(" ");
      words.forEach((word, i) => found.set(Number(first) + i, word));
    }
    names = found;
  }
  return names.get(number);
}

export interface MnnGraphs {
  readonly graphs: readonly Graph[];
  readonly integrity: readonly Integrity[];
  /** Operators whose meaning only their plug-in knows. */
  readonly custom: readonly string[];
  /** The file beside the model is needed. */
  readonly outside: readonly string[];
}

interface Whole {
  readonly buffer: FlatBuffer;
  readonly weightFile: string;
  readonly graphNames: readonly string[];
  readonly custom: Set<string>;
  readonly outside: Set<string>;
  readonly note: (severity: Integrity["severity"], rule: string, says: string, offset?: number) => void;
}

export function readGraphs(root: Table, weightFile: string): MnnGraphs {
  const integrity: Integrity[] = [];
  const told = new Map<string, number>();
  const net = (name: string): number => idOf("Net", name);
  const sub = (name: string): number => idOf("SubGraphProto", name);
  const subgraphs = root.tables(net("subgraphs"), GRAPH_LIMIT, "subgraphs");
  const whole: Whole = {
    buffer: root.buffer,
    weightFile,
    graphNames: ["", ...subgraphs.map((table) => table.string(sub("name")) ?? "")],
    custom: new Set(),
    outside: new Set(),
    note(severity, rule, says, offset) {
      const count = (told.get(rule) ?? 0) + 1;
      told.set(rule, count);
      if (count <= TOLD) integrity.push({ severity, rule, says, ...(offset === undefined ? {} : { offset }) });
    },
  };
  const main = new GraphReader(whole, {
    name: "",
    tensors: root.strings(net("tensorName"), TENSOR_LIMIT, "tensors"),
    operators: root.tables(net("oplists"), OPERATOR_LIMIT, "operators"),
    described: root.tables(net("extraTensorDescribe"), TENSOR_LIMIT, "tensors that are described"),
  }).read(root.strings(net("outputName"), ARITY_LIMIT, "outputs"));
  const others = subgraphs.map((table) =>
    new GraphReader(whole, {
      name: table.string(sub("name")) ?? "",
      tensors: table.strings(sub("tensors"), TENSOR_LIMIT, "tensors"),
      operators: table.tables(sub("nodes"), OPERATOR_LIMIT, "operators"),
      described: table.tables(sub("extraTensorDescribe"), TENSOR_LIMIT, "tensors that are described"),
    }).read(
      [],
      table.i32s(sub("inputs"), ARITY_LIMIT, "inputs") ?? [],
      table.i32s(sub("outputs"), ARITY_LIMIT, "outputs") ?? [],
    ),
  );
  return { graphs: [main, ...others], integrity, custom: [...whole.custom].sort(), outside: [...whole.outside].sort() };
}

interface Parts {
  readonly name: string;
  readonly tensors: readonly string[];
  readonly operators: readonly Table[];
  readonly described: readonly Table[];
}

class GraphReader {
  readonly #whole: Whole;
  readonly #parts: Parts;
  readonly #tensors: Tensor[];
  readonly #flows: (Flow | undefined)[];
  readonly #fixed = new Set<number>();
  readonly #declared: number;

  constructor(whole: Whole, parts: Parts) {
    this.#whole = whole;
    this.#parts = parts;
    this.#declared = parts.tensors.length;
    this.#tensors = parts.tensors.map((name) => ({ name, type: "unknown" }));
    this.#flows = parts.tensors.map(() => undefined);
    for (const table of parts.described) this.#describe(table);
  }

  read(outputNames: readonly string[], given: readonly number[] = [], taken: readonly number[] = []): Graph {
    const inputs: number[] = [...this.#indexes(given, "inputs of the graph", undefined)];
    const nodes = this.#parts.operators.map((table) => this.#operator(table, inputs));
    const used = new Set(nodes.flatMap((node) => node.inputs));
    const outputs = [...this.#indexes(taken, "outputs of the graph", undefined)];
    const index = new Map(this.#parts.tensors.map((name, at) => [name, at]));
    for (const name of outputNames) {
      const at = index.get(name);
      if (at !== undefined) outputs.push(at);
      else
        this.#whole.note(
          "error",
          "tensor/dangling",
          `the output ${JSON.stringify(name.slice(0, 80))} is no tensor of the graph`,
        );
    }
    // Without names, what nobody takes is what the graph gives.
    if (outputs.length === 0)
      for (const node of nodes)
        for (const at of node.outputs) if (!used.has(at) && node.op !== "Constant") outputs.push(at);
    return { name: this.#parts.name, tensors: this.#tensors, nodes, inputs, outputs };
  }

  /** Shape and quantisation that the file keeps of a tensor: of models quantised or fixed in their sizes. */
  #describe(table: Table): void {
    const id = (name: string): number => idOf("TensorDescribe", name);
    const index = table.i32(id("index"));
    const held = this.#tensors[index];
    if (held === undefined) {
      this.#whole.note(
        "error",
        "tensor/dangling",
        `tensor ${index} is described, there are ${this.#declared}`,
        table.at,
      );
      return;
    }
    const blob = table.table(id("blob"));
    const dims = blob?.i32s(idOf("Blob", "dims"), RANK_LIMIT, "dimensions");
    const quant = table.table(id("quantInfo"));
    const word = blob === undefined ? "" : wordOf(blob, "Blob", "dataType");
    const stored = quant?.has(idOf("TensorQuantInfo", "type")) ? wordOf(quant, "TensorQuantInfo", "type") : word;
    const type = Object.hasOwn(dataTypes, stored) ? dataTypes[stored] : undefined;
    const scale = quant?.f32(idOf("TensorQuantInfo", "scale")) ?? 0;
    const zero = quant?.f32(idOf("TensorQuantInfo", "zero")) ?? 0;
    const quantization: Quantization | undefined =
      quant === undefined || scale === 0 ? undefined : { scale: [scale], zeroPoint: zero === 0 ? [] : [zero] };
    const shape = dims?.map((d) => (d < 0 ? null : d));
    this.#tensors[index] = {
      ...held,
      ...(type === undefined ? {} : { type }),
      ...(shape === undefined ? {} : { shape }),
      ...(quantization === undefined ? {} : { quantization }),
    };
    if (shape !== undefined) {
      const format = blob !== undefined && wordOf(blob, "Blob", "dataFormat").startsWith("NHWC") ? "NHWC" : "NCHW";
      this.#flows[index] = { shape, format, ...(type === undefined ? {} : { type }) };
      this.#fixed.add(index);
    }
  }

  #operator(table: Table, inputs: number[]): Node {
    const id = (name: string): number => idOf("Op", name);
    const number = table.i32(id("type"));
    const type = opType(number);
    if (type === undefined)
      this.#whole.note("warning", "operator/unknown", `operator type ${number} is not in the schema`, table.at);
    const name = table.string(id("name")) ?? "";
    const spelled = type ?? `OpType ${number}`;
    const takes = this.#indexes(
      table.i32s(id("inputIndexes"), ARITY_LIMIT, "inputs") ?? [],
      `inputs of ${spelled}`,
      table.at,
    );
    const gives = this.#indexes(
      table.i32s(id("outputIndexes"), ARITY_LIMIT, "outputs") ?? [],
      `outputs of ${spelled}`,
      table.at,
    );
    const main = table.union(id("main_type"));
    const kind = main && opParameters[main.type];
    if (main && kind === undefined)
      this.#whole.note(
        "warning",
        "operator/unknown-options",
        `${spelled} has parameters of type ${main.type}, which is not in the schema`,
        table.at,
      );
    const parameters: Record<string, Attribute> = main && kind !== undefined ? attributesOf(kind, main.table) : {};
    if (table.string(id("externalPath")) !== undefined) this.#whole.outside.add(table.string(id("externalPath")) ?? "");
    const graphs = this.#called(parameters, table);
    this.#outputs(spelled, kind, main?.table, takes, gives, parameters, inputs);
    const constants =
      main && kind !== undefined ? this.#weights(spelled, kind, main.table, parameters, name, takes) : [];
    const custom = spelled === "Extra" || spelled === "Plugin" ? parameters["type"] : undefined;
    if (typeof custom === "string") this.#whole.custom.add(custom);
    const op = custom === undefined ? sharedName(spelled, parameters) : undefined;
    return {
      ...(name === "" ? {} : { name }),
      ...(op === undefined ? {} : { op }),
      spelled: typeof custom === "string" ? custom : spelled,
      ...(custom === undefined ? {} : { domain: spelled }),
      inputs:
        takes.length === 0 || constants.length === 0
          ? [...takes, ...constants]
          : [takes[0] ?? -1, ...constants, ...takes.slice(1)],
      outputs: gives,
      attributes: attributesFor(parameters),
      ...(graphs.length > 0 ? { graphs } : {}),
    };
  }

  /** What the outputs are: as the file says of inputs and constants, else as it follows. */
  #outputs(
    spelled: string,
    kind: string | undefined,
    main: Table | undefined,
    takes: readonly number[],
    gives: readonly number[],
    parameters: Readonly<Record<string, Attribute>>,
    inputs: number[],
  ): void {
    const [first] = gives;
    if (first === undefined || first < 0) return;
    const held = this.#tensors[first];
    if (held === undefined) return;
    if (kind === "Blob" && main !== undefined) {
      const { values, wrong, ...constant } = blobOf(main, this.#whole.weightFile);
      if (constant.data?.file !== undefined) this.#whole.outside.add(constant.data.file);
      if (wrong !== undefined)
        this.#whole.note("error", "shape/impossible", `${held.name.slice(0, 80)}: ${wrong}`, main.at);
      this.#tensors[first] = { ...constant, name: held.name };
      const format: DataFormat = wordOf(main, "Blob", "dataFormat").startsWith("NHWC") ? "NHWC" : "NCHW";
      this.#flows[first] = { ...constant, format, ...(values === undefined ? {} : { values }) };
      return;
    }
    if (spelled === "Input") {
      const word = String(parameters["dtype"] ?? "DT_FLOAT");
      const type = Object.hasOwn(dataTypes, word) ? (dataTypes[word] ?? "unknown") : "unknown";
      const dims = Array.isArray(parameters["dims"]) ? parameters["dims"] : undefined;
      const shape = dims?.map((d): Dimension => (typeof d === "number" && d >= 0 ? d : null));
      const format: DataFormat = String(parameters["dformat"] ?? "").startsWith("NHWC") ? "NHWC" : "NCHW";
      const { quantization } = held;
      this.#tensors[first] = {
        name: held.name,
        type,
        ...(type === "unknown" ? { spelled: word } : {}),
        ...(shape === undefined ? {} : { shape }),
        ...(quantization === undefined ? {} : { quantization }),
      };
      const packed = !/^N[CH]/.test(String(parameters["dformat"])) || String(parameters["dformat"]).startsWith("NC4");
      this.#flows[first] = { format, type, packed, ...(shape === undefined ? {} : { shape }) };
      inputs.push(first);
      return;
    }
    if (this.#fixed.has(first)) return;
    const flows = takes.filter((at) => at >= 0).map((at): Flow => this.#flows[at] ?? { format: "NCHW" });
    const flow = outputOf(spelled, flows, parameters);
    if (flow === undefined) return;
    this.#flows[first] = flow;
    this.#tensors[first] = {
      ...held,
      ...(held.type === "unknown" && flow.type !== undefined ? { type: flow.type } : {}),
      ...(flow.shape === undefined ? {} : { shape: flow.shape }),
    };
  }

  /** Weights inside of an operator stand in the graph as constants it takes, behind its first input. */
  #weights(
    spelled: string,
    kind: string,
    main: Table,
    parameters: Readonly<Record<string, Attribute>>,
    name: string,
    takes: readonly number[],
  ): number[] {
    const { weightFile, outside, note } = this.#whole;
    const found =
      kind === "Convolution2D" && takes.length < 2
        ? convolutionWeights(
            main,
            parameters,
            spelled.startsWith("Deconvolution"),
            weightFile,
            this.#channels(takes[0]),
          )
        : kind === "InnerProduct"
          ? innerProductWeights(main, parameters)
          : {};
    const out: number[] = [];
    for (const [part, constant] of Object.entries(found) as [string, Constant][]) {
      const { wrong, ...tensor } = constant;
      const label = `${name}.${part}`;
      if (wrong !== undefined) note("error", "shape/impossible", `${label.slice(0, 100)}: ${wrong}`, main.at);
      if (tensor.data?.file !== undefined) outside.add(tensor.data.file);
      if (this.#tensors.length >= TENSOR_LIMIT * 2) main.buffer.fail(`more than ${TENSOR_LIMIT * 2} tensors`, main.at);
      out.push(this.#tensors.push({ ...tensor, name: label }) - 1);
    }
    return out;
  }

  #channels(index = -1): number | undefined {
    const { shape, format } = this.#flows[index] ?? {};
    const size = shape?.length === 4 ? shape[format === "NHWC" ? 3 : 1] : undefined;
    return typeof size === "number" ? size : undefined;
  }

  #called(parameters: Readonly<Record<string, Attribute>>, table: Table): number[] {
    const out: number[] = [];
    for (const key of ["cond_graph", "body_graph", "then_graph", "else_graph"]) {
      const name = parameters[key];
      if (typeof name !== "string" || name === "") continue;
      const at = this.#whole.graphNames.indexOf(name, 1);
      if (at > 0) out.push(at);
      else
        this.#whole.note(
          "error",
          "graph/dangling",
          `the subgraph ${JSON.stringify(name.slice(0, 80))} is not in the file`,
          table.at,
        );
    }
    return out;
  }

  #indexes(list: readonly number[], what: string, offset: number | undefined): number[] {
    return list.map((value) => {
      if (value >= 0 && value < this.#declared) return value;
      // Optional inputs are -1.
      if (value !== -1)
        this.#whole.note("error", "tensor/dangling", `${what}: tensor ${value}, there are ${this.#declared}`, offset);
      return -1;
    });
  }
}

/** BinaryOp, UnaryOp, Reduction, Pooling and Eltwise say in their parameters what they compute. */
function sharedName(spelled: string, parameters: Readonly<Record<string, Attribute>>): string | undefined {
  const word =
    spelled === "Reduction"
      ? parameters["operation"]
      : spelled === "Pooling" || spelled === "Eltwise"
        ? parameters["type"]
        : parameters["opType"];
  const global = spelled === "Pooling" && parameters["isGlobal"] === true ? "Global" : "";
  const told = typeof word === "string" ? sharedOp("mnn", `${spelled}.${global}${word}`) : undefined;
  return told ?? sharedOp("mnn", spelled);
}

/** Names that multiply-accumulates are counted by. */
const shared: Readonly<Record<string, string>> = {
  transposeA: "transpose_a",
  transposeB: "transpose_b",
  adjX: "adj_x",
  adjY: "adj_y",
};

const attributesFor = (parameters: Readonly<Record<string, Attribute>>): Record<string, Attribute> =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [shared[name] ?? name, value]));
