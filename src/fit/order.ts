/** Execution order of a graph's nodes: the file's where it holds, else each node as soon as what it takes is there. Linear. */

import type { Graph } from "../model/graph.ts";

export interface Order {
  readonly order: readonly number[];
  /** Nodes in a cycle or behind one; they come last, in the file's order. */
  readonly cyclic: number;
}

export function executionOrder(graph: Graph): Order {
  const producers = producersOf(graph);
  const { nodes } = graph;
  if (isInOrder(graph, producers)) return { order: nodes.map((_, index) => index), cyclic: 0 };
  const waits = new Int32Array(nodes.length);
  const followers = new Map<number, number[]>();
  nodes.forEach((node, index) => {
    for (const input of new Set(node.inputs)) {
      const producer = producers[input];
      if (input < 0 || producer === undefined || producer < 0) continue;
      waits[index] = (waits[index] ?? 0) + 1;
      const list = followers.get(producer);
      if (list === undefined) followers.set(producer, [index]);
      else list.push(index);
    }
  });
  const order: number[] = [];
  nodes.forEach((_, index) => {
    if (waits[index] === 0) order.push(index);
  });
  for (let at = 0; at < order.length; at++) {
    for (const follower of followers.get(order[at] ?? -1) ?? []) {
      const left = (waits[follower] ?? 0) - 1;
      waits[follower] = left;
      if (left === 0) order.push(follower);
    }
  }
  const cyclic = nodes.length - order.length;
  if (cyclic > 0)
    nodes.forEach((_, index) => {
      if ((waits[index] ?? 0) > 0) order.push(index);
    });
  return { order, cyclic };
}

/** Node that gives each tensor; -1: none does. The first one where several do. */
export function producersOf(graph: Graph): Int32Array {
  const producers = new Int32Array(graph.tensors.length).fill(-1);
  graph.nodes.forEach((node, index) => {
    for (const output of node.outputs) if (producers[output] === -1) producers[output] = index;
  });
  return producers;
}

function isInOrder(graph: Graph, producers: Int32Array): boolean {
  return graph.nodes.every((node, index) =>
    node.inputs.every((input) => input < 0 || (producers[input] ?? -1) < index),
  );
}
