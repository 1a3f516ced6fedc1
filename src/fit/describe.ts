/** What a fit says of the model itself: its name and cost, and what makes every answer about it worth less. */

import { costOf } from "../model/cost.ts";
import type { Model } from "../model/graph.ts";
import { schemeOf } from "../model/quantization.ts";
import type { FitReport } from "./fit.ts";
import type { KnownModel } from "./known.ts";

export const isKnown = (subject: Model | KnownModel): subject is KnownModel => "build" in subject;

export function factsOf(
  model: Model,
  subject: Model | KnownModel,
  name: string | undefined,
): Omit<FitReport["model"], "assumed"> {
  const graph = model.graphs[model.main ?? 0];
  const cost = costOf(model);
  const scheme = schemeOf(model);
  const inputs = graph?.inputs.map((index) => graph.tensors[index]).filter((tensor) => tensor !== undefined);
  return {
    name: name ?? (isKnown(subject) ? subject.id : (graph?.name ?? model.format)),
    from: isKnown(subject) ? "known" : "file",
    ...(isKnown(subject) ? { source: subject.source } : {}),
    input: (inputs ?? model.inputs ?? [])
      .filter((tensor) => tensor.data === undefined)
      .map(({ shape }) => (shape === undefined ? [null] : [...shape])),
    operators: graph?.nodes.length ?? 0,
    ...(cost.macs === undefined ? {} : { macs: cost.macs }),
    ...(cost.parameters === undefined ? {} : { parameters: cost.parameters }),
    ...(scheme === undefined ? {} : { precision: scheme.kind }),
  };
}

/** Operators named in a sentence. */
const NAMED = 5;

/** A sentence each; the reader's own findings first. */
export function doubtsOf(model: Model): string[] {
  const out = model.integrity
    .filter(({ severity }) => severity !== "note")
    .map(({ says, rule }) => `${says} (${rule})`);
  const graph = model.graphs[model.main ?? 0];
  if (graph === undefined || graph.nodes.length === 0) {
    out.push("no graph can be seen in it: what it was compiled from is what can be placed");
    return out;
  }
  if (model.targets.length > 0) {
    const made = [...new Set(model.targets.map(({ says }) => says))].join(", ");
    out.push(`it was compiled for ${made} already: the answers below are of what is left to see in it`);
  }
  const custom = new Map<string, number>();
  let open = 0;
  for (const node of graph.nodes) {
    if (node.op === undefined) custom.set(node.spelled, (custom.get(node.spelled) ?? 0) + 1);
    if (node.outputs.some((index) => graph.tensors[index]?.shape === undefined)) open++;
  }
  if (custom.size > 0) {
    const names = [...custom].map(([name, many]) => (many === 1 ? name : `${many} ${name}`));
    const more = names.length > NAMED ? ` and ${names.length - NAMED} kinds more` : "";
    out.push(`operators of no table, which nobody can see into: ${names.slice(0, NAMED).join(", ")}${more}`);
  }
  if (open > 0) out.push(`${open} of ${graph.nodes.length} operators have outputs of no known shape`);
  const strange = graph.tensors.filter(({ shape }) =>
    shape?.some((size) => typeof size === "number" && (size < -1 || !Number.isSafeInteger(size))),
  ).length;
  if (strange > 0) out.push(`${strange} tensors have sizes that no memory could hold, or that are no sizes`);
  const inside = model.graphs.length - 1;
  if (inside > 0) {
    out.push(
      `${inside} inner ${inside === 1 ? "graph is" : "graphs are"} not placed, only the operators that call them`,
    );
  }
  return out;
}
