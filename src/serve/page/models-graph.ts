/** The graph of a model for the page: boxes with their places, lists of operators, and one operator with all that is known of it. */

import { layoutOf, macsOfGraph } from "../../model/macs.ts";
import { bytesOf, type Attribute, type Graph, type Model, type Node, type Tensor } from "../../model/graph.ts";
import { opKind } from "../../model/ops.ts";
import { boxState } from "../../print/fit-states.ts";
import { boxesOf, foldable, shapeOf, type Foldable } from "../../print/graph-fold.ts";
import { BOX, layOut, type Placed } from "../../print/graph-layout.ts";
import { openAtFirst, stretchId, type Stretch } from "../../print/graph-tree.ts";
import { placedBy } from "./models-fit.ts";
import type { GraphAnswer, OperatorAnswer, OperatorRow, OperatorsAnswer, TensorRow } from "./models-types.ts";

/** Operators that are drawn one by one: more than a browser draws smoothly nobody can read. */
export const WHOLE_LIMIT = 4000;
/** Blocks of one graph that are open at once, so that an address stays one. */
const OPEN_LIMIT = 200;
export const ROWS_LIMIT = 500;
/** Of an attribute, an operand's list and a name: what a person reads of it. */
const TEXT_LIMIT = 400;
const VALUES_LIMIT = 32;
const OPERANDS_LIMIT = 200;
const OTHERS_LIMIT = 50;

export interface GraphWish {
  readonly graph?: number;
  /** Absent: as many as make it tell something. */
  readonly open?: readonly string[];
  readonly whole?: boolean;
  /** Target by which boxes are coloured. */
  readonly by?: string;
}

/** Found once for each graph of a model that is kept. */
const folded = new WeakMap<Graph, Foldable>();
const users = new WeakMap<Graph, Users>();

interface Users {
  readonly makers: ReadonlyMap<number, number>;
  readonly takers: ReadonlyMap<number, readonly number[]>;
}

/** Undefined where the model has no such graph, or none that can be seen. */
export function graphAnswer(model: Model, wish: GraphWish): GraphAnswer | undefined {
  const index = wish.graph ?? model.main ?? 0;
  const graph = model.graphs[index];
  if (graph === undefined || graph.nodes.length === 0) return undefined;
  const known = foldableOf(graph);
  const canBeWhole = known.graph.nodes.length <= WHOLE_LIMIT;
  const whole = wish.whole === true && canBeWhole;
  const open = wish.open === undefined ? openAtFirst(known.tree) : new Set(wish.open.slice(0, OPEN_LIMIT));
  const drawn = boxesOf(known, { whole, open });
  const layout = layOut(drawn);
  // Only the main graph is placed.
  const placed =
    wish.by === undefined || index !== (model.main ?? 0) ? undefined : placedBy(model, { target: wish.by });
  return {
    ...drawn,
    boxes: drawn.boxes.map((box) => ({ ...box, title: cut(box.title), detail: cut(box.detail) })),
    graph: index,
    graphs: model.graphs.map(({ name, nodes }) => ({ name: cut(name), operators: nodes.length })),
    whole,
    can_be_whole: canBeWhole,
    width: Math.ceil(layout.width),
    height: Math.ceil(layout.height),
    box: BOX,
    at: flat(layout.boxes),
    lines: layout.edges.map(flat),
    ...(placed === undefined
      ? {}
      : {
          by: placed.placement.target,
          states: drawn.boxes.map((box) => boxState(box, known.numbers, placed.byNode) ?? null),
        }),
  };
}

function foldableOf(graph: Graph): Foldable {
  let known = folded.get(graph);
  if (known === undefined) {
    known = foldable(graph);
    folded.set(graph, known);
  }
  return known;
}

const flat = (points: readonly Placed[]): number[] =>
  points.flatMap(({ x, y }) => [Math.round(x * 10) / 10, Math.round(y * 10) / 10]);

export interface OperatorsWish {
  readonly graph?: number;
  /** In name, operator, spelling or output; no case. */
  readonly find?: string;
  readonly from?: number;
  readonly most?: number;
}

export function operatorsAnswer(model: Model, wish: OperatorsWish): OperatorsAnswer | undefined {
  const graph = model.graphs[wish.graph ?? model.main ?? 0];
  if (graph === undefined) return undefined;
  const words = (wish.find ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const found: number[] = [];
  graph.nodes.forEach((node, index) => {
    if (words.length === 0) return void found.push(index);
    const output = graph.tensors[node.outputs[0] ?? -1]?.name ?? "";
    const text = `${node.name ?? ""} ${node.op ?? ""} ${node.spelled} ${output}`.toLowerCase();
    if (words.every((word) => text.includes(word))) found.push(index);
  });
  const from = wish.from ?? 0;
  const most = Math.min(ROWS_LIMIT, wish.most ?? ROWS_LIMIT);
  return {
    total: found.length,
    operators: found.slice(from, from + most).flatMap((index) => rowOf(model, graph, index) ?? []),
  };
}

function rowOf(model: Model, graph: Graph, index: number): OperatorRow | undefined {
  const node = graph.nodes[index];
  if (node === undefined) return undefined;
  const output = graph.tensors[node.outputs[0] ?? -1];
  const macs = macsOfGraph(graph, layoutOf(model.format))[index];
  return {
    node: index,
    ...(node.name === undefined || node.name === "" ? {} : { name: cut(node.name) }),
    operator: cut(node.op ?? node.spelled),
    spelled: cut(node.spelled),
    kind: opKind(node.op) ?? "custom",
    ...(output === undefined ? {} : { output: cut(shapeOf(output.shape)) }),
    ...(macs === undefined || macs === 0 ? {} : { macs }),
    blocks: blocksAround(foldableOf(graph), index),
  };
}

/** Blocks that hold a node, outer first. */
function blocksAround({ numbers, tree }: Foldable, index: number): string[] {
  const at = placeOf(numbers, index);
  const blocks: string[] = [];
  let level: readonly Stretch[] = tree;
  while (at >= 0) {
    const inside = level.find(({ from, to }) => from <= at && at < to);
    if (inside === undefined || inside.children.length === 0) break;
    blocks.push(stretchId(inside));
    level = inside.children;
  }
  return blocks;
}

/** Numbers rise. */
function placeOf(numbers: readonly number[], index: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const value = numbers[middle] ?? 0;
    if (value === index) return middle;
    if (value < index) low = middle + 1;
    else high = middle - 1;
  }
  return -1; // a constant: it is in no box
}

export function operatorAnswer(model: Model, index: number, which?: number, by?: string): OperatorAnswer | undefined {
  const graph = model.graphs[which ?? model.main ?? 0];
  const node = graph?.nodes[index];
  const row = graph && rowOf(model, graph, index);
  if (graph === undefined || node === undefined || row === undefined) return undefined;
  const { makers, takers } = usersOf(graph);
  const placed =
    by === undefined || graph !== model.graphs[model.main ?? 0] ? undefined : placedBy(model, { target: by });
  const fit = placed?.byNode.get(index);
  const named = (nodes: readonly number[]): TensorRow["others"] =>
    nodes.slice(0, OTHERS_LIMIT).map((other) => ({ node: other, operator: wordOf(graph.nodes[other]) }));
  const rows = (tensors: readonly number[], others: (tensor: number) => readonly number[]): TensorRow[] =>
    tensors.slice(0, OPERANDS_LIMIT).flatMap((tensor) => {
      const known = graph.tensors[tensor];
      return known === undefined ? [] : [tensorRow(known, named(others(tensor)))];
    });
  return {
    ...row,
    ...(node.domain === undefined || node.domain === "" ? {} : { domain: cut(node.domain) }),
    ...(node.version === undefined ? {} : { version: node.version }),
    ...(fit === undefined || placed === undefined ? {} : { fit: { ...fit, target: placed.placement.target } }),
    attributes: Object.entries(node.attributes)
      .slice(0, OPERANDS_LIMIT)
      .map(([name, value]) => ({ name: cut(name), ...attributeText(value) })),
    inputs: rows(node.inputs, (tensor) => {
      const maker = makers.get(tensor);
      return maker === undefined ? [] : [maker];
    }),
    outputs: rows(node.outputs, (tensor) => takers.get(tensor) ?? []),
    graphs: (node.graphs ?? []).map((inner) => ({ graph: inner, name: cut(model.graphs[inner]?.name ?? "") })),
  };
}

function usersOf(graph: Graph): Users {
  let known = users.get(graph);
  if (known === undefined) {
    const makers = new Map<number, number>();
    const takers = new Map<number, number[]>();
    graph.nodes.forEach((node, index) => {
      for (const tensor of node.outputs) makers.set(tensor, index);
      for (const tensor of node.inputs) {
        const list = takers.get(tensor);
        if (list === undefined) takers.set(tensor, [index]);
        else if (list.length < OTHERS_LIMIT && list.at(-1) !== index) list.push(index);
      }
    });
    known = { makers, takers };
    users.set(graph, known);
  }
  return known;
}

const wordOf = (node: Node | undefined): string => cut(node?.op ?? node?.spelled ?? "");

function tensorRow(tensor: Tensor, others: TensorRow["others"]): TensorRow {
  const { name, type, spelled, shape, quantization, data } = tensor;
  return {
    name: cut(name),
    type: type === "unknown" || type === "block" ? cut(spelled ?? "type not told") : type,
    shape: cut(shapeOf(shape)),
    ...(quantization === undefined
      ? {}
      : {
          quantization: {
            scale: quantization.scale.slice(0, VALUES_LIMIT),
            zeroPoint: quantization.zeroPoint.slice(0, VALUES_LIMIT),
            scales: quantization.scale.length,
            ...(quantization.axis === undefined ? {} : { axis: quantization.axis }),
            ...(quantization.scheme === undefined ? {} : { scheme: quantization.scheme }),
          },
        }),
    ...(data === undefined ? {} : { bytes: data.bytes || (bytesOf(tensor) ?? 0) }),
    others,
  };
}

function attributeText(value: Attribute): { readonly value: string; readonly more?: number } {
  if (typeof value !== "object") return { value: cut(String(value)) };
  const shown = value.slice(0, VALUES_LIMIT).map(String).join(", ");
  return { value: cut(shown), ...(value.length > VALUES_LIMIT ? { more: value.length - VALUES_LIMIT } : {}) };
}

const cut = (text: string): string => (text.length <= TEXT_LIMIT ? text : `${text.slice(0, TEXT_LIMIT - 1)}…`);
