/**
 * How what a target takes falls into partitions. TFLite (tensorflow/lite/graph_info.cc, PartitionGraphIntoIndependentNodeSubsets): as long
 * as some node is ready, the first of them says whether an accelerator's or a CPU's set begins, and the set takes all that is or becomes
 * ready of its kind. ONNX Runtime (core/providers/partitioning_utils.cc): the same, but a CPU set goes first where one can.
 */

import type { Answer, PartitionWay, Target } from "./target.ts";
import { velaRuns } from "./vela-partition.ts";
import type { View } from "./view.ts";

export interface Partitions {
  /** Positions in `views`, each set in execution order. */
  readonly sets: readonly (readonly number[])[];
  /** Positions that would be taken were it not for an operator nobody documents. */
  readonly open: ReadonlySet<number>;
}

export function partition(
  views: readonly View[],
  answers: readonly Answer[],
  melted: ReadonlySet<number>,
  target: Target,
): Partitions {
  const kinds = new Uint8Array(views.length);
  answers.forEach(({ takes }, at) => {
    kinds[at] = takes === "yes" ? TAKEN : takes === "no" ? REFUSED : OPEN;
  });
  for (const at of melted) kinds[at] = MELTED;
  const { partition: way } = target;
  switch (way.way) {
    case "whole":
      return whole(kinds);
    case "prefix":
      return prefix(views, kinds);
    case "runs":
      return {
        sets: velaRuns(
          views,
          (at) => kinds[at] === TAKEN,
          (at) => kinds[at] === MELTED,
        ),
        open: NOTHING,
      };
    case "subgraphs": {
      const sets = subgraphs(views, kinds, target.names === "tflite");
      return { sets: kept(busy(sets, way, views), way, views), open: NOTHING };
    }
  }
}

const [REFUSED, TAKEN, OPEN, MELTED] = [0, 1, 2, 3];
const NOTHING: ReadonlySet<number> = new Set();

function whole(kinds: Uint8Array): Partitions {
  if (kinds.includes(REFUSED)) return { sets: [], open: NOTHING };
  const taken: number[] = [];
  kinds.forEach((kind, at) => {
    if (kind === TAKEN) taken.push(at);
  });
  if (kinds.includes(OPEN)) return { sets: [], open: new Set(taken) };
  return { sets: taken.length === 0 ? [] : [taken], open: NOTHING };
}

/**
 * The first set of what is taken, in TFLite's way: operators at the very front that are refused (a QUANTIZE of a float input) stay on the
 * CPU and do not end it, and what no refused operator goes before is in it wherever it stands. The rest is behind.
 */
function prefix(views: readonly View[], kinds: Uint8Array): Partitions {
  const [first] = subgraphs(views, kinds, true);
  const sets = first === undefined ? [] : [first];
  if (!kinds.includes(OPEN)) return { sets, open: NOTHING };
  const [hoped = []] = subgraphs(
    views,
    kinds.map((kind) => (kind === OPEN ? TAKEN : kind)),
    true,
  );
  const taken = new Set(first);
  return { sets, open: new Set(hoped.filter((at) => kinds[at] === TAKEN && !taken.has(at))) };
}

/** What the documents leave open stays on the CPU here: it is counted apart. */
function subgraphs(views: readonly View[], kinds: Uint8Array, inPlan: boolean): number[][] {
  const { waiting, starts, edges } = edgesOf(views);
  const waits = waiting.slice();
  const ready: [number[], number[]] = [[], []];
  const side = (at: number): 0 | 1 => (kinds[at] === TAKEN ? 1 : 0);
  const release = (at: number): void => {
    if (kinds[at] !== MELTED) {
      ready[side(at)].push(at);
      return;
    }
    // What melts belongs to nobody: it is done as soon as it is ready. A stack, for chains may be long.
    const stack = [at];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (kinds[top] !== MELTED) {
        ready[side(top)].push(top);
        continue;
      }
      for (let edge = starts[top] ?? 0; edge < (starts[top + 1] ?? 0); edge++) {
        const follower = edges[edge] ?? 0;
        if (ripen(follower)) stack.push(follower);
      }
    }
  };
  const ripen = (at: number): boolean => {
    const left = (waits[at] ?? 0) - 1;
    waits[at] = left;
    return left === 0;
  };
  const roots: number[] = [];
  waits.forEach((left, at) => {
    if (left === 0) roots.push(at);
  });
  for (const root of roots) release(root);
  const first = roots.find((at) => kinds[at] !== MELTED) ?? 0;
  let now: 0 | 1 = inPlan ? side(first) : ready[0].length > 0 ? 0 : 1;
  const sets: number[][] = [];
  while (ready[0].length + ready[1].length > 0) {
    const queue = ready[now];
    const set: number[] = [];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      set.push(at);
      for (let edge = starts[at] ?? 0; edge < (starts[at + 1] ?? 0); edge++) {
        const follower = edges[edge] ?? 0;
        if (ripen(follower)) release(follower);
      }
    }
    if (now === 1 && set.length > 0) sets.push(set.sort((a, b) => a - b));
    now = now === 1 ? 0 : 1;
  }
  // Nodes of a cycle never ripen: nobody runs them.
  return sets;
}

interface Edges {
  readonly waiting: Int32Array;
  readonly starts: Int32Array;
  readonly edges: Int32Array;
}

/** All targets are asked about the same views. */
const heldEdges = new WeakMap<readonly View[], Edges>();

/** How many nodes each node waits for; those that wait for node n are edges[starts[n]] to edges[starts[n + 1]]. */
function edgesOf(views: readonly View[]): Edges {
  let held = heldEdges.get(views);
  if (held === undefined) heldEdges.set(views, (held = findEdges(views)));
  return held;
}

function findEdges(views: readonly View[]): Edges {
  const producer = new Map<number, number>();
  views.forEach(({ node }, at) => {
    for (const output of node.outputs) if (output >= 0 && !producer.has(output)) producer.set(output, at);
  });
  const waits = new Int32Array(views.length);
  const counts = new Int32Array(views.length + 1);
  const each = (use: (from: number, to: number) => void): void => {
    views.forEach(({ node }, at) => {
      for (const input of node.inputs) {
        const from = producer.get(input);
        if (from !== undefined) use(from, at);
      }
    });
  };
  each((from, to) => {
    waits[to] = (waits[to] ?? 0) + 1;
    counts[from + 1] = (counts[from + 1] ?? 0) + 1;
  });
  for (let at = 1; at < counts.length; at++) counts[at] = (counts[at] ?? 0) + (counts[at - 1] ?? 0);
  const next = counts.slice();
  const edges = new Int32Array(counts.at(-1) ?? 0);
  each((from, to) => {
    const at = next[from] ?? 0;
    edges[at] = to;
    next[from] = at + 1;
  });
  return { waiting: waits, starts: counts, edges };
}

/** Without sets of operators that compute nothing. */
function busy(
  sets: readonly number[][],
  { idle }: Extract<PartitionWay, { way: "subgraphs" }>,
  views: readonly View[],
): readonly number[][] {
  if (idle === undefined) return sets;
  const rests = (at: number): boolean => {
    const view = views[at];
    return view !== undefined && (idle.includes(view.spelled) || idle.includes(view.op));
  };
  return sets.filter((set) => !set.every(rests));
}

/** Small ones and those beyond the number are given back; of equal size the later ones go first. */
function kept(
  sets: readonly number[][],
  way: Extract<PartitionWay, { way: "subgraphs" }>,
  views: readonly View[],
): readonly number[][] {
  const large = way.atLeast === undefined ? sets : sets.filter((set) => set.length >= (way.atLeast ?? 0));
  if (way.most === undefined || large.length <= way.most) return large;
  const sizeOf = (set: readonly number[]): number =>
    way.by === "work" ? set.reduce((sum, at) => sum + (views[at]?.work.macs ?? 0), 0) : set.length;
  const largest = large
    .map((set, at) => ({ set, at, size: sizeOf(set) }))
    .sort((a, b) => b.size - a.size || b.set.length - a.set.length || a.at - b.at)
    .slice(0, way.most);
  return largest.sort((a, b) => a.at - b.at).map(({ set }) => set);
}
