/** What becomes of a node or a folded block, as one word: what graphs and ribbons are coloured by. */

import type { FitNode } from "../fit/fit.ts";

/** Partitions with a colour of their own; further ones take turns. */
export const HUES = 6;

/** "p0" to "p5": in a partition. "mixed": a block whose operators part. */
export type FitState = `p${number}` | "cpu" | "no" | "unsure" | "melted" | "mixed";

export function stateOf(node: FitNode | undefined): FitState | undefined {
  if (node === undefined) return undefined;
  if (typeof node.where === "number") return `p${node.where % HUES}`;
  if (node.where === "melted") return "melted";
  return node.takes === "no" ? "no" : node.takes === "unsure" ? "unsure" : "cpu";
}

/** Of a box that holds the operators from `start` on: what all of them are; what melts goes with the others. */
export function boxState(
  box: { readonly start?: number; readonly operators: number },
  numbers: readonly number[],
  byNode: ReadonlyMap<number, FitNode>,
): FitState | undefined {
  if (box.start === undefined) return undefined;
  const states = new Set<FitState>();
  for (let at = box.start; at < box.start + box.operators; at++) {
    const state = stateOf(byNode.get(numbers[at] ?? -1));
    if (state !== undefined) states.add(state);
  }
  if (states.size > 1) states.delete("melted");
  const [only] = states;
  return states.size > 1 ? "mixed" : only;
}

/** Stretches of operators in the order they run that share a state. */
export function stretches(nodes: readonly FitNode[]): readonly (readonly [FitState, number])[] {
  const out: [FitState, number][] = [];
  for (const node of nodes) {
    const state = stateOf(node) ?? "cpu";
    const last = out.at(-1);
    if (last?.[0] === state) last[1]++;
    else out.push([state, 1]);
  }
  return out;
}
