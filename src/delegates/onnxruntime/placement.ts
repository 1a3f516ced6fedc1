/**
 * Where ONNX Runtime put the nodes of a model, as the session itself tells (Session_GetEpGraphAssignmentInfo, 1.24 and later): a
 * provider that was appended and took nothing shows here and nowhere else. Versions before do not tell, but can be told to refuse a
 * session that needs the CPU provider.
 */

import { CannotError } from "../../base/errors.ts";
import type { Partition, Placement } from "../delegate.ts";
import type { Ort, Pointer } from "./api.ts";

/** Keys of onnxruntime_session_options_config_keys.h; they must be set before the session is made. */
const RECORD = "session.record_ep_graph_assignment_info";
const NO_CPU = "session.disable_cpu_ep_fallback";

/** `given`: what the user set. True where a session that needs the CPU provider will be refused. */
export function askForPlacement(ort: Ort, options: Pointer, given: Readonly<Record<string, string>>): boolean {
  const [key, tells] = ort.has("Session_GetEpGraphAssignmentInfo") ? [RECORD, true] : [NO_CPU, false];
  const value = given[key] ?? "1";
  ort.call("AddSessionConfigEntry", options, key, value);
  return given[NO_CPU] === "1" || (!tells && value === "1");
}

/** What to say when it was refused, behind the library's words. */
export const REFUSED = /fallback to CPU EP has been explicitly disabled/;
export const allowing = `the option ${NO_CPU}=0 lets the CPU take them`;

/** What was added to the session's options. */
export interface Added {
  readonly provider: string;
  /** A session that needs the CPU provider is refused. */
  readonly alone: boolean;
}

/** Throws CannotError where the provider took no node. */
export function readPlacement(ort: Ort, session: Pointer, device: string, added: Added): Placement {
  const { provider, alone } = added;
  if (!ort.has("Session_GetEpGraphAssignmentInfo")) {
    const all = `ONNX Runtime gave all nodes to ${provider}: it was told to refuse a session that needs the CPU`;
    const unknown = `${provider} was asked for and accepted; ONNX Runtime ${ort.version} does not tell which nodes it took (1.24 does)`;
    return { device, says: alone ? all : unknown };
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
