/**
 * A graph that fits a page: above some 150 operators, repeated blocks become one box each ("12 × Conv, Relu, Add"), and what is still
 * too long is gathered into stretches (graph-tree.ts). Blocks can be opened one by one, or all of them.
 */

import type { Dimension, Graph, Model, Node } from "../model/graph.ts";
import { opKind, type OpKind } from "../model/ops.ts";
import { commonPath, foldTree, READABLE, stretchId, titleOf, type Stretch } from "./graph-tree.ts";

export interface Box {
  /** First line: an operator, or how many blocks. */
  readonly title: string;
  readonly detail: string;
  readonly kind: OpKind | "input" | "output" | "block" | "custom";
  /** Operators in it. */
  readonly operators: number;
  /** Of a block: for FoldOptions.open. */
  readonly block?: string;
  /** Of an operator: its index among the graph's nodes. */
  readonly node?: number;
  /** Of a block and an operator: how many operators (constants left out) run before it. */
  readonly start?: number;
  /** Of an input or output: its index among the graph's tensors. */
  readonly tensor?: number;
  /** The block that was opened and shows it. */
  readonly within?: string;
  /** Where the names of a block's operators lead. */
  readonly path?: string;
}

export interface BoxGraph {
  readonly boxes: readonly Box[];
  /** From box to box, each pair once; `label` is the shape that goes along. */
  readonly edges: readonly { readonly from: number; readonly to: number; readonly label: string }[];
  readonly folded: boolean;
  /** Blocks that were opened, outer before inner. */
  readonly opened: readonly { readonly block: string; readonly title: string }[];
}

export interface FoldOptions {
  /** Index into the model's graphs; its main one. */
  readonly graph?: number;
  /** Blocks to open. */
  readonly open?: ReadonlySet<string>;
  /** Every operator is a box. */
  readonly whole?: boolean;
}

/** A graph whose blocks are known: found once, drawn often. */
export interface Foldable {
  readonly graph: Graph;
  /** Of each of its nodes the index among all of the model's graph. */
  readonly numbers: readonly number[];
  readonly tree: readonly Stretch[];
}

export function boxGraph(model: Model, options: FoldOptions = {}): BoxGraph {
  const main = model.graphs[options.graph ?? model.main ?? 0];
  return main === undefined
    ? { boxes: [], edges: [], folded: false, opened: [] }
    : boxesOf(foldable(main, options), options);
}

export function foldable(main: Graph, { whole = false }: Pick<FoldOptions, "whole"> = {}): Foldable {
  // Constants compute nothing: a line from each to where it is used hides what does.
  const all = main.nodes.map((_, index) => index);
  const computing = all.filter((index) => main.nodes[index]?.op !== "Constant");
  const numbers = computing.length > 0 ? computing : all;
  const nodes = numbers.map((index) => main.nodes[index]).filter((node) => node !== undefined);
  return { graph: { ...main, nodes }, numbers, tree: whole ? [] : foldTree(nodes) };
}

export function boxesOf({ graph, numbers, tree }: Foldable, { open, whole = false }: FoldOptions): BoxGraph {
  if (whole) return connect(graph, numbers, graph.nodes.map(operatorAt), []);
  const shown: Shown[] = [];
  const opened: { block: string; title: string }[] = [];
  const show = (stretches: readonly Stretch[], within: string | undefined): void => {
    for (const stretch of stretches) {
      const block = stretchId(stretch);
      if (stretch.children.length > 0 && open?.has(block) === true) {
        opened.push({ block, title: titleOf(stretch) });
        show(stretch.children, block);
      } else shown.push({ ...stretch, ...(within === undefined ? {} : { within }) });
    }
  };
  show(tree, undefined);
  return connect(graph, numbers, shown, opened);
}

type Shown = Pick<Stretch, "from" | "to" | "title" | "repeats"> & {
  readonly children?: readonly Stretch[];
  readonly within?: string;
};

const operatorAt = (node: Node, at: number): Shown => ({
  from: at,
  to: at + 1,
  title: node.op ?? node.spelled,
  repeats: 1,
});

export const shapeOf = (dimensions: readonly Dimension[] | undefined): string =>
  dimensions === undefined ? "" : dimensions.map((dimension) => String(dimension ?? "?")).join("×");

function connect(
  graph: Graph,
  numbers: readonly number[],
  stretches: readonly Shown[],
  opened: BoxGraph["opened"],
): BoxGraph {
  const { tensors, nodes } = graph;
  const shape = (index: number): string => shapeOf(tensors[index]?.shape);
  const boxes: Box[] = [];
  const maker = new Map<number, number>();
  for (const index of graph.inputs) {
    const tensor = tensors[index];
    if (tensor === undefined || tensor.data !== undefined) continue;
    maker.set(index, boxes.length);
    const detail = `${tensor.type} ${shape(index)}`;
    boxes.push({ title: tensor.name, detail, kind: "input", operators: 0, tensor: index });
  }
  const edges = new Map<string, { from: number; to: number; label: string }>();
  const link = (index: number, to: number): void => {
    const from = maker.get(index);
    if (from === undefined || from === to) return;
    const key = `${from}:${to}`;
    if (!edges.has(key)) edges.set(key, { from, to, label: shape(index) });
  };
  for (const stretch of stretches) {
    const own = boxes.length;
    const part = nodes.slice(stretch.from, stretch.to);
    boxes.push(boxOf(stretch, part, numbers));
    for (const node of part) for (const index of node.inputs) if (index >= 0) link(index, own);
    for (const node of part) for (const index of node.outputs) if (index >= 0) maker.set(index, own);
  }
  for (const index of graph.outputs) {
    const tensor = tensors[index];
    if (tensor === undefined) continue;
    link(index, boxes.length);
    const detail = `${tensor.type} ${shape(index)}`;
    boxes.push({ title: tensor.name, detail, kind: "output", operators: 0, tensor: index });
  }
  return { boxes, edges: [...edges.values()], folded: nodes.length > READABLE, opened };
}

function boxOf(stretch: Shown, part: readonly Node[], numbers: readonly number[]): Box {
  const { from, to, within } = stretch;
  const [only] = part;
  const inside = within === undefined ? {} : { within };
  if (part.length === 1 && only !== undefined) {
    return {
      title: stretch.title,
      detail: only.op === undefined || only.op === only.spelled ? "" : only.spelled,
      kind: opKind(only.op) ?? "custom",
      operators: 1,
      node: numbers[from] ?? from,
      start: from,
      ...inside,
    };
  }
  const path = commonPath(part);
  return {
    title: titleOf({ sign: "", children: [], ...stretch }),
    detail: `${part.length} operators`,
    kind: "block",
    operators: part.length,
    block: stretchId({ sign: "", children: [], ...stretch, from, to }),
    start: from,
    ...(path === undefined || path === "" ? {} : { path }),
    ...inside,
  };
}
