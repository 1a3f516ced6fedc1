/** Operators in an order in which they can run: files whose readers link them by name need not keep one. */

import type { Node } from "../../model/graph.ts";

/** The same nodes, each after those whose outputs it takes; as they are where that already holds or a cycle forbids it. */
export function inOrder(nodes: readonly Node[], tensors: number): readonly Node[] {
  const makers = new Int32Array(tensors).fill(-1);
  nodes.forEach((node, at) => {
    for (const index of node.outputs) if (index >= 0 && index < tensors) makers[index] = at;
  });
  const makerOf = (index: number): number => (index >= 0 && index < tensors ? (makers[index] ?? -1) : -1);
  if (nodes.every((node, at) => node.inputs.every((index) => makerOf(index) < at))) return nodes;
  const waits = new Int32Array(nodes.length);
  const users = nodes.map((): number[] => []);
  nodes.forEach((node, at) => {
    for (const maker of new Set(node.inputs.map(makerOf))) {
      if (maker < 0) continue;
      waits[at] = (waits[at] ?? 0) + 1;
      users[maker]?.push(at);
    }
  });
  const ready = nodes.map((_, at) => at).filter((at) => waits[at] === 0);
  const out: Node[] = [];
  for (let next = 0; next < ready.length; next++) {
    const at = ready[next] ?? 0;
    const node = nodes[at];
    if (node) out.push(node);
    for (const user of users[at] ?? []) {
      waits[user] = (waits[user] ?? 0) - 1;
      if (waits[user] === 0) ready.push(user);
    }
  }
  return out.length === nodes.length ? out : nodes;
}
