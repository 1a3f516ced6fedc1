/** Why: what each target answers of one operator or one node, with the rule, the value found and where the rule is written. */

import { targetById, type FitNode, type FitRow } from "./fit.ts";
import type { Constraint, Rule, Target } from "./target.ts";

export interface Why {
  readonly target: string;
  /** What the answers hold for: "quantised to int8". */
  readonly once?: string;
  /** Those that say the same once, most nodes first. */
  readonly answers: readonly WhyAnswer[];
}

export interface WhyAnswer {
  readonly op: string;
  readonly nodes: readonly number[];
  readonly takes: FitNode["takes"];
  readonly where: FitNode["where"];
  readonly rule?: string;
  readonly because?: string;
  readonly left?: string;
  readonly source: string;
}

/** A node's index, an operator in the file's or the shared spelling, or a node's name; each target once. `rows` hold nodes. */
export function whyOf(rows: readonly FitRow[], word: string): readonly Why[] {
  const out = new Map<string, Why>();
  for (const { placements } of rows) {
    for (const { target: id, nodes = [], once } of placements) {
      const target = targetById(id);
      if (target === undefined || out.has(id)) continue;
      const answers = answersOf(target, nodesNamed(nodes, word));
      out.set(id, { target: id, ...(once === undefined ? {} : { once }), answers });
    }
  }
  return [...out.values()];
}

function answersOf(target: Target, nodes: readonly FitNode[]): WhyAnswer[] {
  const groups = new Map<string, WhyAnswer & { nodes: number[] }>();
  for (const { node, op, shared = op, takes, where, rule, because, left } of nodes) {
    const key = [op, takes, where, rule, because, left].join("\0");
    const held = groups.get(key);
    if (held !== undefined) held.nodes.push(node);
    else {
      groups.set(key, {
        op,
        nodes: [node],
        takes,
        where,
        ...(rule === undefined ? {} : { rule }),
        ...(because === undefined ? {} : { because }),
        ...(left === undefined ? {} : { left }),
        source: sourceOf(target, [op, shared], rule),
      });
    }
  }
  return [...groups.values()].sort((a, b) => b.nodes.length - a.nodes.length);
}

/** Of the constraint that decided, else the target's own. */
function sourceOf(target: Target, names: readonly string[], rule: string | undefined): string {
  const own: readonly Rule[] = names
    .filter((name) => Object.hasOwn(target.operators, name))
    .map((name) => target.operators[name])
    .filter((one) => one !== undefined);
  const asked: readonly Constraint[] = [...target.every, ...own.flatMap((one) => (typeof one === "string" ? [] : one))];
  return asked.find((one) => one.rule === rule)?.source ?? target.sources[0] ?? "no source is given";
}

function nodesNamed(nodes: readonly FitNode[], word: string): readonly FitNode[] {
  if (/^\d+$/.test(word)) return nodes.filter(({ node }) => node === Number(word));
  const lower = word.toLowerCase();
  const byOperator = nodes.filter(({ op, shared }) => op.toLowerCase() === lower || shared?.toLowerCase() === lower);
  return byOperator.length > 0 ? byOperator : nodes.filter(({ name }) => name === word);
}

/** Kinds named for who asks of one that is not there. */
const NAMED = 12;

export function operatorsOf(rows: readonly FitRow[]): string {
  const nodes = rows[0]?.placements[0]?.nodes ?? [];
  const kinds = [...new Set(nodes.map(({ op }) => op))];
  const more = kinds.length > NAMED ? ` and ${kinds.length - NAMED} kinds more` : "";
  return `${kinds.slice(0, NAMED).join(", ")}${more}`;
}
