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
  /** Made anew whenever it is asked for. */
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

/**
 * Where everything goes. Linear in nodes and edges, but for a sort. Of a graph of a million nodes what becomes of each is kept in a few
 * bytes, once for each target, and made into `nodes` when somebody asks.
 */
export function place(views: readonly View[], model: ModelView, target: Target): Placement {
  const prerequisites = target.preconditions.map((one) => prerequisiteOf(one, model));
  const broken = prerequisites.find((one) => one.else === "refuses" && one.met === "no");
  const melted = new Set<number>();
  const same = new Answers();
  const melts = meltingFor(model.format, target);
  const answers = views.map((view, at) => {
    if (melts(view)) melted.add(at);
    return same.of(answerOf(view, target, model.format));
  });
  const parts =
    broken === undefined ? partition(views, answers, melted, target) : { sets: [], open: new Set<number>() };
  const homes = new Int32Array(views.length).fill(ON_CPU);
  for (const at of melted) homes[at] = MELTED;
  let taken = 0;
  parts.sets.forEach((set, number) => {
    for (const at of set) if (homes[at] !== MELTED) homes[at] = number;
    taken += set.length;
  });
  const placedAt = (view: View, at: number): Placed => {
    const answer = answers[at] ?? UNKNOWN;
    const home = homes[at] ?? ON_CPU;
    if (home >= 0) return { view, answer, where: home };
    if (home === MELTED) return { view, answer, where: "melted" };
    if (answer.takes !== "yes" && broken === undefined) return { view, answer, where: "cpu" };
    return { view, answer, where: "cpu", left: broken?.says ?? leftBehind(target.partition, parts.open.has(at)) };
  };
  const isUnsure = (at: number): boolean =>
    homes[at] === ON_CPU && broken === undefined && (answers[at]?.takes === "unsure" || parts.open.has(at));
  const total = views.length - melted.size;
  let unsure = 0;
  for (let at = 0; at < homes.length; at++) if (isUnsure(at)) unsure++;
  const refusals = [
    ...(broken === undefined ? [] : [refusedWhole(broken, views, homes)]),
    ...refusalsOf(views, answers, homes),
  ];
  return {
    target: target.id,
    fits: fitsOf(total, taken, unsure),
    get nodes() {
      return views.map(placedAt);
    },
    total,
    taken,
    cpu: total - taken - unsure,
    unsure,
    partitions: parts.sets.map((set) => set.map((at) => views[at]?.index ?? at)),
    share: shareOf(views, homes),
    refusals,
    prerequisites,
  };
}

/** Where a node is that is in no partition. */
const [ON_CPU, MELTED] = [-1, -2];

/** Answers that say the same are one object: a graph has a million nodes, and few reasons. */
class Answers {
  readonly #held = new Map<string, Answer[]>();

  of(answer: Answer): Answer {
    if (answer.takes === "yes") return answer;
    const alike = this.#held.get(answer.because);
    if (alike === undefined) {
      this.#held.set(answer.because, [answer]);
      return answer;
    }
    const same = alike.find((one) => one.takes === answer.takes && one.rule === answer.rule);
    if (same === undefined) alike.push(answer);
    return same ?? answer;
  }
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
function meltingFor(format: string, { names, melts }: Target): (view: View) => boolean {
  const converted = names !== "shared" && dialectOf(format) !== names;
  return (view) => {
    if (view.kind === "graph") return true;
    // What is computed from constants is computed before, but for weights that are dequantised: ONNX Runtime leaves those to its providers.
    if (view.folded && names !== "tflite" && (view.spelled !== "DequantizeLinear" || names !== "onnx")) return true;
    if (converted && vanishing.has(view.op)) return true;
    return melts !== undefined && namesOf(view, names, format).some((name) => melts.includes(name));
  };
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

function shareOf(views: readonly View[], homes: Int32Array): number | undefined {
  let [all, taken] = [0, 0];
  // By number: the loop runs for each target, over a million views.
  for (let at = 0; at < views.length; at++) {
    const macs = views[at]?.work.macs;
    if (macs === undefined) return undefined;
    const home = homes[at] ?? ON_CPU;
    if (home === MELTED) continue;
    all += macs;
    if (home >= 0) taken += macs;
  }
  return all === 0 || !Number.isFinite(all) ? undefined : taken / all;
}

const refusedWhole = ({ rule, says }: Prerequisite, views: readonly View[], homes: Int32Array): Refusal => ({
  op: "*",
  rule,
  because: says,
  nodes: views.filter((_, at) => homes[at] === ON_CPU).map(({ index }) => index),
});

/** `answers`: those that say the same are one object. */
function refusalsOf(views: readonly View[], answers: readonly Answer[], homes: Int32Array): Refusal[] {
  const rows: Refusal[] = [];
  const nodesOf = new Map<Answer, Map<string, number[]>>();
  for (let at = 0; at < views.length; at++) {
    const view = views[at];
    const answer = answers[at];
    if (view === undefined || answer === undefined || answer.takes === "yes" || homes[at] === MELTED) continue;
    const byName = nodesOf.get(answer) ?? new Map<string, number[]>();
    nodesOf.set(answer, byName);
    const held = byName.get(view.spelled);
    if (held !== undefined) {
      held.push(view.index);
      continue;
    }
    const nodes = [view.index];
    byName.set(view.spelled, nodes);
    const { rule, because: reason, takes } = answer;
    rows.push({ op: view.spelled, rule, because: reason, ...(takes === "unsure" ? { unsure: true } : {}), nodes });
  }
  return rows.sort((a, b) => b.nodes.length - a.nodes.length);
}
