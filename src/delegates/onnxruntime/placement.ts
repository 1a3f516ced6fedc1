/**
 * Where ONNX Runtime put the nodes of a model, as the session itself tells (Session_GetEpGraphAssignmentInfo, 1.24 and later): a
 * provider that was appended and took nothing shows here and nowhere else.
 */

import { CannotError } from "../../base/errors.ts";
import type { Partition, Placement } from "../delegate.ts";
import type { Ort, Pointer } from "./api.ts";

/** Of onnxruntime_session_options_config_keys.h; must be set before the session is made. */
export const RECORD = ["session.record_ep_graph_assignment_info", "1"] as const;

/** Throws CannotError where the provider took no node. */
export function readPlacement(ort: Ort, session: Pointer, device: string, provider: string): Placement {
  if (!ort.has("Session_GetEpGraphAssignmentInfo")) {
    const says = `${provider} was asked for and accepted; ONNX Runtime ${ort.version} does not tell which nodes it took (1.24 does)`;
    return { device, says };
  }
  const partitions = readPartitions(ort, session);
  const count = (of: readonly Partition[]): number => of.reduce((all, { nodes }) => all + nodes, 0);
  const own = partitions.filter(({ by }) => by === provider);
  const nodes = { all: count(partitions), taken: count(own) };
  // Of a graph that was folded into constants nothing is left to take.
  if (nodes.taken === 0 && nodes.all > 0) {
    throw new CannotError(`${provider} took none of the model's ${nodes.all} nodes: all would run on the CPU`);
  }
  const others = [...new Set(partitions.map(({ by }) => by))].filter((by) => by !== provider);
  const rest = nodes.taken === nodes.all ? "" : `; the others went to ${others.join(", ")}`;
  const says = `ONNX Runtime gave ${nodes.taken} of ${nodes.all} nodes to ${provider}${rest}`;
  return { device, says, nodes, partitions };
}

/** Neighbours of one provider that takes nodes one by one are one partition here, as are the nodes it fuses. */
function readPartitions(ort: Ort, session: Pointer): readonly Partition[] {
  const partitions: { by: string; fused: boolean; nodes: number; operators: Record<string, number> }[] = [];
  for (const subgraph of ort.pointers("Session_GetEpGraphAssignmentInfo", session)) {
    const by = ort.text("EpAssignedSubgraph_GetEpName", subgraph);
    const nodes = ort.pointers("EpAssignedSubgraph_GetNodes", subgraph);
    const fused = nodes.length > 1;
    let into = partitions.at(-1);
    if (into?.by !== by || into.fused || fused) partitions.push((into = { by, fused, nodes: 0, operators: {} }));
    for (const node of nodes) {
      const operator = ort.text("EpAssignedNode_GetOperatorType", node);
      into.nodes++;
      into.operators[operator] = (into.operators[operator] ?? 0) + 1;
    }
  }
  return partitions.map(({ by, nodes, operators }) => ({ by, nodes, operators }));
}
