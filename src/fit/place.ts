/** Placement: which nodes of a graph a target takes, which it refuses and why, and how what it takes falls into partitions. Pure. */

import { dialectOf, namesOf, vanishing } from "./names.ts";
import { partition } from "./partition.ts";
import type { Answer, Constraint, ModelView, PartitionWay, Precondition, Rule, Target } from "./target.ts";
import type { View } from "./view.ts";

export interface Placed {
  readonly view: View;
  /** What the rules say of the node alone. */
  readonly answer: Answer;
  /** Where it ends up: number of its partition, "cpu", or "melted" into a neighbour. */
  readonly where: number | "cpu" | "melted";
  /** Taken by the rules and yet on the CPU: behind the first refusal, in a partition that was given back. */
  readonly left?: string;
}

export interface Refusal {
  readonly op: string;
  readonly rule: string;
  readonly because: string;
  readonly nodes: readonly number[];
  /** Not refused: the documents do not say. */
  readonly unsure?: true;
}

export interface Prerequisite {
  readonly rule: string;
  readonly says: string;
  readonly met: "yes" | "no" | "unknown";
  readonly else: "refuses" | "warns";
  readonly cure?: string;
}

export interface Placement {
  readonly target: string;
  /** "whole": all operators on the accelerator; "part"; "none"; "unsure": what is not documented decides. */
  readonly fits: "whole" | "part" | "none" | "unsure";
  readonly nodes: readonly Placed[];
  /** Operators of the graph without those that melt. */
  readonly total: number;
  readonly taken: number;
  readonly cpu: number;
  readonly unsure: number;
  /** Node indexes by partition, in execution order. */
  readonly partitions: readonly (readonly number[])[];
  /** Of all MACs, 0 to 1; undefined where they are not known. */
  readonly share: number | undefined;
  /** The same reason of the same operator once, most nodes first. */
  readonly refusals: readonly Refusal[];
  readonly prerequisites: readonly Prerequisite[];
}

/** Where everything goes. Linear in nodes and edges, but for a sort. */
export function place(views: readonly View[], model: ModelView, target: Target): Placement {
  const prerequisites = target.preconditions.map((one) => prerequisiteOf(one, model));
  const broken = prerequisites.find((one) => one.else === "refuses" && one.met === "no");
  const melted = new Set<number>();
  const answers = views.map((view, at) => {
    if (melts(view, model.format, target)) melted.add(at);
    return answerOf(view, target, model.format);
  });
  const parts =
    broken === undefined ? partition(views, answers, melted, target) : { sets: [], open: new Set<number>() };
  const home = new Map<number, number>();
  parts.sets.forEach((set, number) => {
    for (const at of set) home.set(at, number);
  });
  const nodes = views.map((view, at): Placed => {
    const answer = answers[at] ?? UNKNOWN;
    if (melted.has(at)) return { view, answer, where: "melted" };
    const where = home.get(at);
    if (where !== undefined) return { view, answer, where };
    if (answer.takes !== "yes" && broken === undefined) return { view, answer, where: "cpu" };
    return { view, answer, where: "cpu", left: broken?.says ?? leftBehind(target.partition, parts.open.has(at)) };
  });
  const total = views.length - melted.size;
  const taken = home.size;
  const isUnsure = (node: Placed, at: number): boolean =>
    node.where === "cpu" && broken === undefined && (node.answer.takes === "unsure" || parts.open.has(at));
  const unsure = nodes.filter(isUnsure).length;
  const refusals = [...(broken === undefined ? [] : [refusedWhole(broken, nodes)]), ...refusalsOf(nodes)];
  return {
    target: target.id,
    fits: fitsOf(total, taken, unsure),
    nodes,
    total,
    taken,
    cpu: total - taken - unsure,
    unsure,
    partitions: parts.sets.map((set) => set.flatMap((at) => views[at]?.index ?? [])),
    share: shareOf(nodes),
    refusals,
    prerequisites,
  };
}

const UNKNOWN: Answer = { takes: "unsure", rule: "operator", because: "" };

function prerequisiteOf(one: Precondition, model: ModelView): Prerequisite {
  const holds = one.holds(model);
  const found = holds === true ? undefined : one.found?.(model);
  return {
    rule: one.rule,
    says: found === undefined || found === "" ? one.says : `${one.says}: ${found}`,
    met: holds === undefined ? "unknown" : holds ? "yes" : "no",
    else: one.else,
    ...(one.cure === undefined ? {} : { cure: one.cure }),
  };
}

/** What a target's rules say of one node, whatever stands around it. */
export function answerOf(view: View, target: Target, format: string): Answer {
  if (view.broken !== undefined) return { takes: "unsure", rule: "graph", because: view.broken };
  const rule = ruleOf(view, target, format);
  if (rule === undefined) return { takes: target.others, rule: "operator", because: target.otherSays };
  if (rule === "no") return { takes: "no", rule: "operator", because: target.otherSays };
  if (rule === "unsure")
    return {
      takes: "unsure",
      rule: "operator",
      because: `${target.tool}'s documents do not say under which conditions`,
    };
  let open: Constraint | undefined;
  for (const constraints of [target.every, rule]) {
    for (const constraint of constraints) {
      const holds = constraint.holds(view);
      if (holds === false) return { takes: "no", rule: constraint.rule, because: because(constraint, view) };
      if (holds === undefined) open ??= constraint;
    }
  }
  return open === undefined ? YES : { takes: "unsure", rule: open.rule, because: because(open, view) };
}

const YES: Answer = { takes: "yes" };

function because(constraint: Constraint, view: View): string {
  const found = constraint.found?.(view);
  // Some compilers end their sentences with a full stop.
  return found === undefined || found === "" ? constraint.says : `${constraint.says.replace(/\.$/, "")}: ${found}`;
}

function ruleOf(view: View, target: Target, format: string): Rule | undefined {
  for (const name of namesOf(view, target.names, format))
    if (Object.hasOwn(target.operators, name)) return target.operators[name];
  return undefined;
}

/** What is not an operator to anyone, what was computed before, and what the target says melts. */
function melts(view: View, format: string, target: Target): boolean {
  if (view.kind === "graph") return true;
  // What is computed from constants is computed before, but for weights that are dequantised: ONNX Runtime leaves those to its providers.
  if (view.folded && target.names !== "tflite" && (view.spelled !== "DequantizeLinear" || target.names !== "onnx"))
    return true;
  const converted = target.names !== "shared" && dialectOf(format) !== target.names;
  if (converted && vanishing.has(view.op)) return true;
  if (target.melts === undefined) return false;
  return namesOf(view, target.names, format).some((name) => target.melts?.includes(name) === true);
}

function leftBehind(way: PartitionWay, open: boolean): string {
  if (open) return "behind an operator that the documents leave open";
  switch (way.way) {
    case "whole":
      return "the model is taken whole or not at all";
    case "prefix":
      return "behind an operator that is not taken";
    case "runs":
      return "no output depends on it";
    case "subgraphs":
      return "its partition is too small and was given back";
  }
}

function fitsOf(total: number, taken: number, unsure: number): Placement["fits"] {
  const refused = total - taken - unsure;
  if (unsure > 0 && (taken === 0 || refused === 0)) return "unsure";
  if (taken === 0) return "none";
  return taken === total ? "whole" : "part";
}

function shareOf(nodes: readonly Placed[]): number | undefined {
  let [all, taken] = [0, 0];
  for (const { view, where } of nodes) {
    const { macs } = view.work;
    if (macs === undefined) return undefined;
    all += macs;
    if (typeof where === "number") taken += macs;
    else if (where === "melted") all -= macs;
  }
  return all === 0 || !Number.isFinite(all) ? undefined : taken / all;
}

const refusedWhole = ({ rule, says }: Prerequisite, nodes: readonly Placed[]): Refusal => ({
  op: "*",
  rule,
  because: says,
  nodes: nodes.filter(({ where }) => where === "cpu").map(({ view }) => view.index),
});

function refusalsOf(nodes: readonly Placed[]): Refusal[] {
  const rows = new Map<string, { op: string; rule: string; because: string; unsure?: true; nodes: number[] }>();
  for (const { view, answer, where } of nodes) {
    if (answer.takes === "yes" || where === "melted") continue;
    const { rule, because: reason, takes } = answer;
    const key = `${view.spelled}\0${takes}\0${rule}\0${reason}`;
    const held = rows.get(key);
    if (held !== undefined) held.nodes.push(view.index);
    else
      rows.set(key, {
        op: view.spelled,
        rule,
        because: reason,
        ...(takes === "unsure" ? { unsure: true } : {}),
        nodes: [view.index],
      });
  }
  return [...rows.values()].sort((a, b) => b.nodes.length - a.nodes.length);
}
