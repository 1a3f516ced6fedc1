/**
 * A graph that fits a page: above some 150 operators, repeated blocks become one box each ("12 × Conv, Relu, Add"), and what is still
 * too long is gathered into stretches. Operators stand in the order they run, so a box is always a stretch of that order.
 */

import type { Graph, Model, Node } from "../model/graph.ts";
import { opKind, type OpKind } from "../model/ops.ts";

export interface Box {
  /** First line: an operator, or how many blocks. */
  readonly title: string;
  readonly detail: string;
  readonly kind: OpKind | "input" | "output" | "block" | "custom";
  /** Operators in it. */
  readonly operators: number;
}

export interface BoxGraph {
  readonly boxes: readonly Box[];
  /** From box to box, each pair once; `label` is the shape that goes along. */
  readonly edges: readonly { readonly from: number; readonly to: number; readonly label: string }[];
  readonly folded: boolean;
}

/** Boxes that a person can still follow. */
const READABLE = 150;
/** Operators of the longest block looked for: a transformer layer has some 60 in ONNX. */
const PERIOD_LIMIT = 96;
/** Repeats inside repeats: stages of blocks of layers. */
const PASSES = 4;

interface Stretch {
  readonly from: number;
  readonly to: number;
  /** What makes two stretches alike. */
  readonly sign: string;
  readonly title: string;
  readonly repeats: number;
}

export function boxGraph(model: Model): BoxGraph {
  const main = model.graphs[model.main ?? 0];
  if (main === undefined) return { boxes: [], edges: [], folded: false };
  // Constants compute nothing: a line from each to where it is used hides what does.
  const computing = main.nodes.filter(({ op }) => op !== "Constant");
  const graph: Graph = computing.length > 0 ? { ...main, nodes: computing } : main;
  let stretches = graph.nodes.map((node, at): Stretch => {
    const name = node.op ?? node.spelled;
    return { from: at, to: at + 1, sign: name, title: name, repeats: 1 };
  });
  const folded = stretches.length > READABLE;
  for (let pass = 0; pass < PASSES && stretches.length > READABLE; pass++) {
    const next = foldRepeats(stretches);
    if (next.length === stretches.length) break;
    stretches = next;
  }
  if (stretches.length > READABLE) stretches = gather(stretches, graph);
  return connect(graph, stretches, folded);
}

/** From each place the repeat that covers most. */
function foldRepeats(stretches: readonly Stretch[]): Stretch[] {
  const out: Stretch[] = [];
  // Words as numbers: compared often.
  const ids = new Map<string, number>();
  const signs = stretches.map(({ sign }) => {
    const id = ids.get(sign) ?? ids.size;
    ids.set(sign, id);
    return id;
  });
  let at = 0;
  while (at < stretches.length) {
    let best = { period: 0, repeats: 1 };
    for (let period = 1; period <= PERIOD_LIMIT && at + 2 * period <= stretches.length; period++) {
      if (signs[at] !== signs[at + period]) continue;
      let length = period;
      while (at + length < stretches.length && signs[at + length] === signs[at + length - period]) length++;
      const repeats = Math.floor(length / period);
      if (repeats >= 2 && period * (repeats - 1) > best.period * (best.repeats - 1)) best = { period, repeats };
    }
    const first = stretches[at];
    if (first === undefined) break;
    if (best.repeats < 2 || best.period * best.repeats < 3) {
      out.push(first);
      at++;
      continue;
    }
    const block = stretches.slice(at, at + best.period);
    const last = stretches[at + best.period * best.repeats - 1] ?? first;
    const names = block.map(({ title }) => title);
    out.push({
      from: first.from,
      to: last.to,
      sign: `${best.repeats}x(${block.map(({ sign }) => sign).join(",")})`,
      title: names.length === 1 ? (names[0] ?? "") : shorten(names),
      repeats: best.repeats,
    });
    at += best.period * best.repeats;
  }
  return out;
}

function shorten(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(", ");
  return names.length > 4 ? `${shown} ... (${names.length})` : shown;
}

/** Nothing repeats: stretches of equal length, named by what they hold most of. */
function gather(stretches: readonly Stretch[], graph: Graph): Stretch[] {
  const size = Math.ceil(stretches.length / (READABLE / 2));
  const out: Stretch[] = [];
  for (let at = 0; at < stretches.length; at += size) {
    const part = stretches.slice(at, at + size);
    const [first, last] = [part[0], part.at(-1)];
    if (first === undefined || last === undefined) break;
    out.push({
      from: first.from,
      to: last.to,
      sign: "",
      title: mostOf(graph.nodes.slice(first.from, last.to)),
      repeats: 1,
    });
  }
  return out;
}

function mostOf(nodes: readonly Node[]): string {
  const counts = new Map<string, number>();
  for (const node of nodes) counts.set(node.op ?? node.spelled, (counts.get(node.op ?? node.spelled) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return sorted
    .slice(0, 3)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}

function connect(graph: Graph, stretches: readonly Stretch[], folded: boolean): BoxGraph {
  const { tensors, nodes } = graph;
  const shape = (index: number): string => {
    const dimensions = tensors[index]?.shape;
    return dimensions === undefined ? "" : dimensions.map((dimension) => String(dimension ?? "?")).join("×");
  };
  const boxes: Box[] = [];
  const maker = new Map<number, number>();
  for (const index of graph.inputs) {
    const tensor = tensors[index];
    if (tensor === undefined || tensor.data !== undefined) continue;
    maker.set(index, boxes.length);
    boxes.push({ title: tensor.name, detail: `${tensor.type} ${shape(index)}`, kind: "input", operators: 0 });
  }
  const edges = new Map<string, { from: number; to: number; label: string }>();
  const link = (index: number, to: number): void => {
    const from = maker.get(index);
    if (from === undefined || from === to) return;
    const key = `${from}:${to}`;
    if (!edges.has(key)) edges.set(key, { from, to, label: shape(index) });
  };
  for (const { from, to, title, repeats } of stretches) {
    const own = boxes.length;
    const part = nodes.slice(from, to);
    const [only] = part;
    const single = part.length === 1 && only !== undefined;
    boxes.push({
      title: repeats > 1 ? `${repeats} × ${title}` : title,
      detail: single
        ? only.op === undefined || only.op === only.spelled
          ? ""
          : only.spelled
        : `${part.length} operators`,
      kind: single ? (opKind(only.op) ?? "custom") : "block",
      operators: part.length,
    });
    for (const node of part) for (const index of node.inputs) if (index >= 0) link(index, own);
    for (const node of part) for (const index of node.outputs) if (index >= 0) maker.set(index, own);
  }
  for (const index of graph.outputs) {
    const tensor = tensors[index];
    if (tensor === undefined) continue;
    link(index, boxes.length);
    boxes.push({ title: tensor.name, detail: `${tensor.type} ${shape(index)}`, kind: "output", operators: 0 });
  }
  return { boxes, edges: [...edges.values()], folded };
}
