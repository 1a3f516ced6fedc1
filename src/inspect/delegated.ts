/**
 * ExecuTorch programs hold calls of back ends: each runs where its back ends are. What a route takes by its format it may still refuse
 * for what stands in the file.
 */

import type { Family } from "../families/family.ts";
import type { Model } from "../model/graph.ts";

/** Back ends that run on any CPU, and come with ExecuTorch. */
const ON_CPU: ReadonlySet<string> = new Set(["XnnpackBackend"]);

/** Why a device of this family does not run it; undefined where nothing in the file speaks against it. */
export function refusedByDelegates(model: Model, family: Family): string | undefined {
  if (model.format !== "pte") return undefined;
  if (model.targets.some((target) => target.family === family.id)) return undefined;
  const says = model.targets.map((target) => target.says).join(", ");
  if (says !== "") return `made for ${says}, not for ${family.name}`;
  if (family.id !== "cpu") {
    return `no part of it was made for ${family.name}; its PyTorch model would have to be exported again`;
  }
  const calls = model.graphs.flatMap(({ nodes }) => nodes).filter(({ spelled }) => spelled === "DelegateCall");
  const others = [...new Set(calls.map(({ domain = "?" }) => domain))].filter((id) => !ON_CPU.has(id)).sort();
  return others.length === 0 ? undefined : `calls ${others.join(", ")}, which ExecuTorch on a CPU does not have`;
}
