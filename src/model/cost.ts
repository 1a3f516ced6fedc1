/**
 * What a model costs: multiply-accumulates, parameters, bytes of weights, peak memory of activations. From shapes alone; where the file
 * leaves shapes open the answer is undefined and says how much is open.
 */

import { bytesOf, elementBits, elementsOf, type Graph, type Model, type Node, type Tensor } from "./graph.ts";
import { layoutOf, macsOfGraph, type Layout } from "./macs.ts";
import { opKind } from "./ops.ts";

export interface Cost {
  /** What MACs and memory hold for, where the file leaves no more open than the batch. */
  readonly assumes?: "batch of 1";
  /** In all, of one run of the main graph. Undefined when an operator's cannot be told. */
  readonly macs?: number;
  /** Of those operators that can be told, where not all can. */
  readonly macs_at_least?: number;
  /** Operators whose MACs the shapes leave open, and operators that nobody can see into. */
  readonly open: number;
  readonly custom: number;
  /** Elements of weights; undefined when no weights can be seen. */
  readonly parameters?: number;
  readonly weight_bytes?: number;
  /** Bytes of weights by element type, largest first; the format's own spelling for block types. */
  readonly weights: readonly { readonly type: string; readonly tensors: number; readonly bytes: number }[];
  /** Most bytes of activations alive at once when operators run in the file's order. */
  readonly peak_activation_bytes?: number;
}

export interface OperatorCount {
  readonly op?: string;
  readonly spelled: string;
  readonly domain?: string;
  readonly count: number;
  /** Of all of them together; undefined when one of them is open. */
  readonly macs?: number;
}

/** Graphs inside graphs: deeper nesting than this is no program a person wrote. */
const DEPTH_LIMIT = 16;

export function costOf(given: Model): Cost {
  const open = isOpenInBatch(given);
  const cost = costOfClosed(open ? withBatchOfOne(given) : given);
  return open &&
    (cost.macs !== undefined || cost.macs_at_least !== undefined || cost.peak_activation_bytes !== undefined)
    ? { assumes: "batch of 1", ...cost }
    : cost;
}

/** Models are made for any number of inputs at once: the first dimension of each is open, and nothing else is. */
function isOpenInBatch({ graphs, main = 0 }: Model): boolean {
  const graph = graphs[main];
  const shapes = graph?.inputs.map((index) => graph.tensors[index]?.shape).filter((shape) => shape !== undefined) ?? [];
  const open = shapes.filter((shape) => shape.some((dimension) => typeof dimension !== "number"));
  return open.length > 0 && open.every((shape) => shape.slice(1).every((dimension) => typeof dimension === "number"));
}

function withBatchOfOne(model: Model): Model {
  const closed = (tensor: Tensor): Tensor =>
    tensor.data !== undefined ||
    tensor.shape === undefined ||
    typeof tensor.shape[0] === "number" ||
    tensor.shape.length === 0
      ? tensor
      : { ...tensor, shape: [1, ...tensor.shape.slice(1)] };
  return { ...model, graphs: model.graphs.map((graph) => ({ ...graph, tensors: graph.tensors.map(closed) })) };
}

function costOfClosed(model: Model): Cost {
  const { main, nodes, macs } = macsOfModel(model);
  let known = 0;
  let open = 0;
  let custom = 0;
  nodes.forEach((node, at) => {
    const value = macs[at];
    if (value !== undefined) known += value;
    else if (node.op === undefined) custom++;
    else open++;
  });
  const weights = weightsOf(model);
  const sealed = model.sealed || nodes.length === 0 || model.targets.length > 0;
  const told = open === 0 && !(custom > 0 && model.targets.length > 0);
  const peak = main === undefined || nodes.length === 0 ? undefined : peakOf(main);
  return {
    ...(told && !sealed ? { macs: known } : {}),
    ...(told && !sealed ? {} : known > 0 ? { macs_at_least: known } : {}),
    open,
    custom,
    ...(weights.tensors > 0 ? { parameters: weights.parameters, weight_bytes: weights.bytes } : {}),
    weights: weights.types,
    ...(peak === undefined ? {} : { peak_activation_bytes: peak }),
  };
}

/** How often each operator occurs in all graphs, most frequent first. */
export function countOperators(model: Model): readonly OperatorCount[] {
  const rows = new Map<string, { node: Node; count: number; macs: number | undefined }>();
  const layout = layoutOf(model.format);
  for (const graph of model.graphs) {
    const all = macsOfGraph(graph, layout);
    for (const [at, node] of graph.nodes.entries()) {
      const key = node.domain === undefined ? node.spelled : `${node.domain}\0${node.spelled}`;
      const macs = all[at];
      const held = rows.get(key);
      if (held === undefined) rows.set(key, { node, count: 1, macs });
      else {
        held.count++;
        held.macs = held.macs === undefined || macs === undefined ? undefined : held.macs + macs;
      }
    }
  }
  return [...rows.values()]
    .sort((a, b) => b.count - a.count || (a.node.spelled < b.node.spelled ? -1 : 1))
    .map(({ node, count, macs }) => ({
      ...(node.op === undefined ? {} : { op: node.op }),
      spelled: node.spelled,
      ...(node.domain === undefined || node.domain === "" ? {} : { domain: node.domain }),
      count,
      ...(macs === undefined || macs === 0 ? {} : { macs }),
    }));
}

interface Counted {
  readonly main: Graph | undefined;
  readonly nodes: readonly Node[];
  readonly macs: readonly (number | undefined)[];
}

function macsOfModel(model: Model): Counted {
  const main = model.graphs[model.main ?? 0];
  const nodes = main?.nodes ?? [];
  const layout = layoutOf(model.format);
  return {
    main,
    nodes,
    macs: main === undefined ? [] : macsOfNodes(model, main, layout, 0),
  };
}

function macsOfNodes(model: Model, graph: Graph, layout: Layout, depth: number): (number | undefined)[] {
  const own = macsOfGraph(graph, layout);
  return graph.nodes.map((node, at) =>
    node.graphs === undefined || node.graphs.length === 0 ? own[at] : macsInside(model, graph, node, layout, depth),
  );
}

/** One of the branches runs: the dearest counts. How often a loop runs is not written in the file. */
function macsInside(model: Model, graph: Graph, node: Node, layout: Layout, depth: number): number | undefined {
  if (depth >= DEPTH_LIMIT) return undefined;
  let most = 0;
  for (const index of node.graphs ?? []) {
    const inner = model.graphs[index];
    if (inner === undefined || inner === graph) return undefined;
    let total = 0;
    for (const macs of macsOfNodes(model, inner, layout, depth + 1)) {
      if (macs === undefined) return undefined;
      total += macs;
    }
    most = Math.max(most, total);
  }
  return (node.op === "Loop" || node.op === "Scan") && most > 0 ? undefined : most;
}

interface Weights {
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly types: Cost["weights"];
}

/** Constants that are weights: shapes, axes, scales and zero points are not. A buffer that several tensors share counts once. */
function weightsOf(model: Model): Weights {
  const seen = new Map<string, Map<number, number>>();
  const types = new Map<string, { tensors: number; bytes: number }>();
  let tensors = 0;
  let parameters = 0;
  let bytes = 0;
  for (const graph of model.graphs) {
    const roles = rolesOf(graph);
    graph.tensors.forEach((tensor, index) => {
      if (tensor.data === undefined || !isWeight(tensor, roles[index] ?? 0, graph.nodes.length > 0)) return;
      const { offset, file, bytes: size } = tensor.data;
      if (offset !== undefined && size > 0) {
        let extents = seen.get(file ?? "");
        if (extents === undefined) seen.set(file ?? "", (extents = new Map<number, number>()));
        if (extents.get(offset) === size) return;
        extents.set(offset, size);
      }
      tensors++;
      bytes += size;
      parameters += elementsOf(tensor.shape) ?? 0;
      const type = tensor.type === "block" || tensor.type === "unknown" ? (tensor.spelled ?? tensor.type) : tensor.type;
      let row = types.get(type);
      if (row === undefined) types.set(type, (row = { tensors: 0, bytes: 0 }));
      row.tensors++;
      row.bytes += size;
    });
  }
  const rows = [...types]
    .map(([type, row]) => ({ type, ...row }))
    .sort((a, b) => b.bytes - a.bytes || (a.type < b.type ? -1 : 1));
  return { tensors, parameters, bytes, types: rows };
}

const USED = 1;
const OPERAND = 2;
const PARAMETER_OF_QUANTISATION = 4;

/** How each tensor is used: as an operand of something that multiplies, as a scale, at all. */
function rolesOf(graph: Graph): Uint8Array {
  const roles = new Uint8Array(graph.tensors.length);
  for (const { op, inputs } of graph.nodes) {
    const kind = opKind(op);
    const role = kind === "convolution" || kind === "matrix" || kind === "recurrent" ? OPERAND | USED : USED;
    const scale = op === "QuantizeLinear" || op === "DequantizeLinear" ? PARAMETER_OF_QUANTISATION | role : role;
    for (let at = 0; at < inputs.length; at++) {
      const index = inputs[at] ?? -1;
      if (index >= 0 && index < roles.length) roles[index] = (roles[index] ?? 0) | (at > 0 ? scale : role);
    }
  }
  return roles;
}

function isWeight(tensor: Tensor, role: number, graph: boolean): boolean {
  if ((role & PARAMETER_OF_QUANTISATION) !== 0) return false;
  if (!graph) return true;
  switch (tensor.type) {
    case "int32":
    case "int64":
    case "int16":
      return (tensor.quantization?.scale.length ?? 0) > 0 || (role & OPERAND) !== 0;
    case "string":
    case "bool":
    case "resource":
    case "variant":
    case "uint32":
    case "uint64":
      return false;
    default:
      return true;
  }
}

/** Walks the operators in order: a tensor lives from the one that makes it to the last that uses it. */
function peakOf(graph: Graph): number | undefined {
  const { tensors, nodes } = graph;
  // Where it is not told which operation feeds which, neither is how long a tensor lives.
  if (nodes.every(({ inputs, outputs }) => inputs.length + outputs.length === 0)) return undefined;
  const last = new Int32Array(tensors.length).fill(-1);
  const first = new Int32Array(tensors.length).fill(-1);
  nodes.forEach((node, at) => {
    for (const index of node.inputs) if (index >= 0 && index < last.length) last[index] = at;
    for (const index of node.outputs) {
      if (index < 0 || index >= last.length) continue;
      if (first[index] === -1) first[index] = at;
      if ((last[index] ?? 0) < at) last[index] = at;
    }
  });
  for (const index of graph.inputs) if (index >= 0 && index < first.length) first[index] = 0;
  for (const index of graph.outputs) if (index >= 0 && index < last.length) last[index] = nodes.length - 1;
  const change = new Float64Array(nodes.length + 1);
  for (let index = 0; index < tensors.length; index++) {
    const tensor = tensors[index];
    const from = first[index] ?? -1;
    const to = last[index] ?? -1;
    if (tensor === undefined || tensor.data !== undefined || from < 0 || to < from) continue;
    if (tensor.type === "resource" || tensor.type === "variant" || tensor.type === "string") continue;
    const size = bytesOf(tensor);
    if (size === undefined || elementBits[tensor.type] === undefined) return undefined;
    change[from] = (change[from] ?? 0) + size;
    change[to + 1] = (change[to + 1] ?? 0) - size;
  }
  let live = 0;
  let peak = 0;
  for (const step of change) {
    live += step;
    if (live > peak) peak = live;
  }
  return peak;
}
