/**
 * Placement held against what compilers and delegates decided: rows of real decisions, each with how many operators of a model were taken
 * and left. The graph is a file of a folder that is given, a skeleton of data/fit/graphs, or a known model's; where there is none and the
 * row lists all operators, their names alone are judged, and the row says so.
 */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { FileError } from "../base/errors.ts";
import { readModel } from "../inspect/describe.ts";
import type { Model } from "../model/graph.ts";
import { sharedOp } from "../model/ops.ts";
import type { Decision } from "./decisions.ts";
import { findKnown, squash } from "./find-known.ts";
import { findSkeleton } from "./graphs.ts";
import { place, type Placement } from "./place.ts";
import { asQuark, quarkName } from "./quark.ts";
import { namesReason } from "./reasons.ts";
import { targetOfRow } from "./row-targets.ts";
import type { Rule, Target } from "./target.ts";
import { viewOf } from "./view.ts";

export { decisionsOf, type Decision } from "./decisions.ts";

export interface Check {
  readonly decision: Decision;
  /** Id of the target that was asked. */
  readonly target?: string;
  /** What was placed: a model's own graph, a known model's, or operator names. */
  readonly evidence?: "graph" | "known" | "histogram";
  readonly taken?: number;
  readonly cpu?: number;
  readonly unsure?: number;
  /** Subgraphs of what was taken, where the row says how many and a graph was placed: whether they are as many. */
  readonly partitions?: { readonly ours: number; readonly theirs: number };
  /** "near": within one operator. "skipped": nothing to judge by, and why. */
  readonly verdict: "exact" | "near" | "wrong" | "unsure" | "skipped";
  readonly why?: string;
  /** Refusals that state a reason, and those of them whose constraint was named. */
  readonly stated: number;
  readonly named: number;
  /** Stated reasons that were not named: "OP: reason". */
  readonly missed: readonly string[];
}

export interface Score {
  readonly tool: string;
  readonly rows: number;
  readonly judged: number;
  readonly exact: number;
  /** Within one operator, exact ones among them. */
  readonly near: number;
  readonly unsure: number;
  readonly stated: number;
  readonly named: number;
  /** Rows that tell partitions and were placed by a graph, and those of them with as many. */
  readonly parted: number;
  readonly partedAlike: number;
  /** Of those judged: by graph, known model, operator names. */
  readonly by: Readonly<Record<"graph" | "known" | "histogram", number>>;
}

export interface PlacementEvaluation {
  readonly checks: readonly Check[];
  readonly scores: readonly Score[];
}

export interface EvaluateOptions {
  readonly targets: readonly Target[];
  /** Folder with model files named as the rows name models. */
  readonly models?: string;
}

export function evaluatePlacement(decisions: readonly Decision[], options: EvaluateOptions): PlacementEvaluation {
  const graphs = new Graphs(options.models);
  const checks = decisions.map((decision) => checkOf(decision, options.targets, graphs));
  return { checks, scores: scoresOf(checks) };
}

const skipped = (decision: Decision, why: string, more: Partial<Check> = {}): Check => ({
  decision,
  verdict: "skipped",
  why,
  stated: 0,
  named: 0,
  missed: [],
  ...more,
});

function checkOf(decision: Decision, targets: readonly Target[], graphs: Graphs): Check {
  const { accel_ops: accel, cpu_ops: cpu, total_ops: total } = decision;
  if (decision.usable === false)
    return skipped(decision, "the row is not usable: aborted, cut off, or an unknown model");
  if (typeof accel !== "number" && typeof cpu !== "number")
    return skipped(decision, "the row does not say how many operators were taken");
  const target = targetOfRow(decision, targets);
  if (target === undefined) return skipped(decision, "no target is of this tool and chip");
  const id = { target: target.id };
  const apart = yearsApart(decision.tool_version, target.version);
  if (apart !== undefined) return skipped(decision, apart, id);
  let model: ReturnType<Graphs["find"]>;
  try {
    model = graphs.find(decision.model, target);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return skipped(decision, error.message, id);
  }
  if (model?.evidence === "graph") return judged(decision, target, placedAll(model.model, target), "graph");
  const counts = histogramOf(decision);
  if (counts !== undefined) return byNames(decision, target, counts);
  if (model !== undefined) return judged(decision, target, placedAll(model.model, target), "known");
  if (typeof total !== "number" && typeof cpu !== "number")
    return skipped(decision, "no graph, and no counts to judge", id);
  return skipped(decision, "no graph of this model is known, and the row does not list its operators", id);
}

/** Rules are of one version: what a tool did years before is not held against them. */
function yearsApart(version: string | null | undefined, rules: string): string | undefined {
  const [theirs, ours] = [version ?? "", rules].map((text) => Number(/\b20[12]\d\b/.exec(text)?.[0] ?? NaN));
  if (theirs === undefined || ours === undefined || !(Math.abs(theirs - ours) >= YEARS)) return undefined;
  return `the row is of ${theirs}, the rules of ${ours}`;
}

const YEARS = 4;

const placed = new WeakMap<Model, Map<string, readonly Placement[]>>();
const seen = new WeakMap<Model, readonly ReturnType<typeof viewOf>[]>();

/** Every graph of a model apart, as compilers take them: bodies of WHILE, what CALL_ONCE calls. Rows come with many of one model. */
function placedAll(model: Model, target: Target): readonly Placement[] {
  const held = placed.get(model) ?? new Map<string, readonly Placement[]>();
  placed.set(model, held);
  const before = held.get(target.id);
  if (before !== undefined) return before;
  const views = seen.get(model) ?? model.graphs.map((_, main) => viewOf({ ...model, main }));
  seen.set(model, views);
  const placements = views.map((one) => place(one.views, one.model, target));
  held.set(target.id, placements);
  return placements;
}

function judged(
  decision: Decision,
  target: Target,
  placements: readonly Placement[],
  evidence: "graph" | "known",
): Check {
  const counted = graphsCounted(decision, placements);
  const sum = (key: "taken" | "cpu" | "unsure"): number => counted.reduce((all, one) => all + one[key], 0);
  const [taken, cpu, unsure] = [sum("taken"), sum("cpu"), sum("unsure")];
  const reasons = evidence === "graph" ? reasonsOf(decision, placements) : { stated: 0, named: 0, missed: [] };
  return {
    decision,
    target: target.id,
    evidence,
    taken,
    cpu,
    unsure,
    ...verdictOf(decision, taken, cpu, unsure, evidence),
    ...partitionsOf(decision, counted, evidence),
    ...reasons,
  };
}

/** Vela counts the operators of all graphs of a file, TFLite's delegates those of the one they were called for: as many as the row has. */
function graphsCounted({ total_ops: total }: Decision, placements: readonly Placement[]): readonly Placement[] {
  const all = placements.reduce((sum, one) => sum + one.total, 0);
  const alone = placements.find((one) => one.total === total);
  return all === total || alone === undefined ? placements : [alone];
}

/**
 * A known model's graph may be written otherwise than the row's, and layers are fewer than operators: what is left to the CPU is compared
 * there, and nothing or all.
 */
function verdictOf(
  { accel_ops: accel, cpu_ops: left, total_ops: total, counts }: Decision,
  taken: number,
  cpu: number,
  unsure: number,
  evidence: "graph" | "known",
): Pick<Check, "verdict" | "why"> {
  if (unsure > 0) return { verdict: "unsure" };
  const other = typeof total === "number" && total !== taken + cpu;
  const why = other ? { why: `the graph at hand has ${taken + cpu} operators, the row's ${total}` } : {};
  if (accel === 0 && taken === 0) return { verdict: "exact", ...why };
  const off =
    (counts === "layers" || typeof accel !== "number" || (evidence === "known" && other)) && typeof left === "number"
      ? Math.abs(cpu - left)
      : Math.max(Math.abs(taken - (accel ?? 0)), typeof left === "number" ? Math.abs(cpu - left) : 0);
  return { verdict: off === 0 ? "exact" : off === 1 ? "near" : "wrong", ...why };
}

/** A known model's graph may be written otherwise, so that it falls apart otherwise. */
function partitionsOf(
  { partitions: theirs, total_ops: total }: Decision,
  placements: readonly Placement[],
  evidence: "graph" | "known",
): Pick<Check, "partitions"> {
  if (typeof theirs !== "number" || theirs < 0) return {};
  const operators = placements.reduce((sum, one) => sum + one.total, 0);
  if (evidence === "known" && operators !== total) return {};
  return { partitions: { theirs, ours: placements.reduce((sum, one) => sum + one.partitions.length, 0) } };
}

function reasonsOf(
  { refused }: Decision,
  placements: readonly Placement[],
): Pick<Check, "stated" | "named" | "missed"> {
  let [stated, named] = [0, 0];
  const missed: string[] = [];
  for (const { op, reason } of refused ?? []) {
    if (typeof reason !== "string" || reason === "" || WHERE.test(reason)) continue;
    stated++;
    if (namesReason(spellingOf(op), reason, placements)) named++;
    else missed.push(`${op}: ${reason}`);
  }
  return { stated, named, missed };
}

/** Says where it ran or that it failed, not why. */
const WHERE = /^(?:failed to add node\.?|taken by the EP but run on CPU|(?:left )?to (?:the )?(?:ORT )?CPU(?: EP)?)$/i;

/** Mesa's names of TFLite's operators, in its lists. */
const shortNames: Readonly<Record<string, string>> = {
  CONV: "CONV_2D",
  DWCONV: "DEPTHWISE_CONV_2D",
  AVGPOOL: "AVERAGE_POOL_2D",
  MAXPOOL: "MAX_POOL_2D",
  FC: "FULLY_CONNECTED",
  QUANT: "QUANTIZE",
  DEQUANT: "DEQUANTIZE",
  RESIZE: "RESIZE_NEAREST_NEIGHBOR",
  CONCAT: "CONCATENATION",
};

const spellingOf = (op: string): string => (Object.hasOwn(shortNames, op) ? (shortNames[op] ?? op) : op);

/** All operators of the row's model by name; undefined where the row does not list them all. */
function histogramOf({
  mapped_ops: mapped,
  refused,
  total_ops: total,
}: Decision): ReadonlyMap<string, number> | undefined {
  if (typeof total !== "number" || total <= 0) return undefined;
  const taken = new Map<string, number>();
  const add = (op: string, count: number): void =>
    void taken.set(spellingOf(op), (taken.get(spellingOf(op)) ?? 0) + count);
  for (const [op, count] of Object.entries(mapped ?? {})) add(op, count);
  const sum = (): number => [...taken.values()].reduce((a, b) => a + b, 0);
  if (sum() !== total) for (const { op, count } of refused ?? []) add(op, count ?? 0);
  // Names in brackets and "unknown" stand for operators of several kinds.
  return sum() === total && ![...taken.keys()].some((op) => /^unknown$|^\(|\*/.test(op)) ? taken : undefined;
}

function byNames(decision: Decision, target: Target, counts: ReadonlyMap<string, number>): Check {
  let [taken, cpu, unsure] = [0, 0, 0];
  for (const [op, count] of counts) {
    const answer = nameTaken(op, target);
    if (answer === "yes") taken += count;
    else if (answer === "no") cpu += count;
    else unsure += count;
  }
  const told = { decision, target: target.id, evidence: "histogram" as const, stated: 0, named: 0, missed: [] };
  if (target.partition.way === "whole" && cpu > 0) [taken, cpu] = [0, taken + cpu];
  // What stands behind a refusal cannot be told from names.
  if (
    target.partition.way === "prefix" &&
    [...counts.keys()].some((op) => nameTaken(op, target) !== "yes" || isConditional(op, target))
  )
    return skipped(decision, "no graph: operators' names do not tell what stands behind a refused one", told);
  return { ...told, taken, cpu, unsure, ...verdictOf(decision, taken, cpu, unsure, "graph") };
}

function ruleOfName(op: string, { operators, names }: Target): Rule | undefined {
  const key = names === "shared" ? (sharedOp("tflite", op) ?? sharedOp("onnx", op) ?? op) : op;
  return Object.hasOwn(operators, key) ? operators[key] : undefined;
}

/** As a node that meets every condition would be answered. */
function nameTaken(op: string, target: Target): "yes" | "no" | "unsure" {
  const rule = ruleOfName(op, target);
  if (rule === undefined) return target.others;
  return typeof rule === "string" ? rule : "yes";
}

function isConditional(op: string, target: Target): boolean {
  const rule = ruleOfName(op, target);
  return typeof rule === "object" && rule.length > 0;
}

/** Files that can be read, by their squashed names; models already placed stay for the next target. */
class Graphs {
  readonly #files = new Map<string, string>();
  readonly #held = new Map<string, { model: Model; evidence: "graph" | "known" } | undefined>();

  constructor(folder: string | undefined) {
    if (folder === undefined || !existsSync(folder)) return;
    for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" }).slice(0, FILES_LIMIT)) {
      const name = entry.slice(Math.max(entry.lastIndexOf("/"), entry.lastIndexOf("\\")) + 1);
      if (/\.(?:tflite|onnx|xml|param)$/.test(name)) this.#files.set(squash(stem(name)), join(folder, entry));
    }
  }

  find(name: string, target: Target): { model: Model; evidence: "graph" | "known" } | undefined {
    const dialect = target.names === "tflite" ? "tflite" : "onnx";
    const key = `${dialect} ${name}`;
    if (!this.#held.has(key)) this.#held.set(key, this.#load(name, dialect));
    return this.#held.get(key);
  }

  /** As the name says it was quantised, or as it is. */
  #load(name: string, dialect: "tflite" | "onnx"): { model: Model; evidence: "graph" | "known" } | undefined {
    const said = dialect === "onnx" ? quarkName(stem(name)) : undefined;
    if (said === undefined || this.#files.has(squash(stem(name)))) return this.#plain(name, dialect);
    const found = this.#plain(said.name, dialect);
    const model = found === undefined ? undefined : asQuark(found.model, said.form);
    return found === undefined || model === undefined ? undefined : { ...found, model };
  }

  #plain(name: string, dialect: "tflite" | "onnx"): { model: Model; evidence: "graph" | "known" } | undefined {
    const file = this.#files.get(squash(stem(name)));
    if (file !== undefined) return { model: readModel(file), evidence: "graph" };
    const skeleton = findSkeleton(stem(name));
    if (skeleton !== undefined) return { model: skeleton, evidence: "graph" };
    const found = findKnown(stem(name));
    if (found === undefined) return undefined;
    const { known, input, precision } = found;
    const options = {
      ...(input === undefined ? {} : { input }),
      ...(precision === undefined ? {} : { precision }),
      dialect,
    };
    return { model: known.build(options), evidence: "known" };
  }
}

/** Folders of models are not whole disks. */
const FILES_LIMIT = 100_000;

const stem = (name: string): string => name.replace(/\.(?:tflite|onnx|xml|param)$/, "");

function scoresOf(checks: readonly Check[]): readonly Score[] {
  const groups = new Map<string, Check[]>();
  for (const check of checks) {
    const tool = groupOf(check);
    const held = groups.get(tool);
    if (held === undefined) groups.set(tool, [check]);
    else held.push(check);
  }
  return [...groups]
    .map(([tool, group]) => scoreOf(tool, group))
    .sort((a, b) => b.judged - a.judged || (a.tool < b.tool ? -1 : 1));
}

/** Rows of one tool in several words ("VitisAI EP bf16") are one group. */
const groupOf = ({ decision: { tool } }: Check): string => tool.replace(/\s*\(.*$/, "").trim();

function scoreOf(tool: string, group: readonly Check[]): Score {
  const of = (...verdicts: readonly Check["verdict"][]): number =>
    group.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const total = (key: "stated" | "named"): number => group.reduce((all, check) => all + check[key], 0);
  const by = (evidence: Check["evidence"]): number =>
    group.filter((check) => check.verdict !== "skipped" && check.evidence === evidence).length;
  return {
    tool,
    rows: group.length,
    judged: of("exact", "near", "wrong", "unsure"),
    exact: of("exact"),
    near: of("exact", "near"),
    unsure: of("unsure"),
    stated: total("stated"),
    named: total("named"),
    parted: group.filter(({ partitions }) => partitions !== undefined).length,
    partedAlike: group.filter(({ partitions }) => partitions !== undefined && partitions.ours === partitions.theirs)
      .length,
    by: { graph: by("graph"), known: by("known"), histogram: by("histogram") },
  };
}
