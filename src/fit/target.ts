/**
 * Target: one compiler or delegate in one version, as data: which operators it takes and under which conditions, each with its source.
 * Files in targets/ are targets; the index is generated. Add one: copy targets/edgetpu.ts, `npm run generate`, `npm test -- fit`.
 * The same contract as a delegate's supports(): what is true, or the reason in the compiler's own words.
 */

import type { View } from "./view.ts";

/** Where a rule is written: "github.com/OWNER/REPO@COMMIT path", a page's address, or how it was seen ("Vela 3.10.0, run on 25 models"). */
export type RuleSource = string;

/** How well a target's rules are known, best first. */
export type Confidence = "run" | "source" | "documents" | "inferred";

export type Answer =
  | { readonly takes: "yes" }
  /** `rule`: stable word for the constraint that failed (Constraint.rule); `because`: in the compiler's terms, with the value found. */
  | { readonly takes: "no" | "unsure"; readonly rule: string; readonly because: string };

/** What is asked of a node. `holds`: true it does, false it does not, undefined the file or the document leaves it open. */
export interface Constraint {
  /** Stable, short: "dilation", "per-channel", "stride", "rank", "activation", "type", "batch", "constant weights". */
  readonly rule: string;
  /** The compiler's own words where it has some: told to the user unchanged, followed by what was found. */
  readonly says: string;
  readonly holds: (view: View) => boolean | undefined;
  /** What the node has instead, for the sentence: "dilation 2x2". */
  readonly found?: (view: View) => string;
  readonly source?: RuleSource;
}

/** Constraints of one operator; [] takes it as it comes; "no" refuses it; "unsure": the documents do not say. */
export type Rule = readonly Constraint[] | "no" | "unsure";

export type PartitionWay =
  /** The first subgraph of what is taken, as TFLite partitions; what stands behind a refused operator runs on the CPU (Edge TPU). */
  | { readonly way: "prefix" }
  /** Every maximal set of taken operators that can be one step without a cycle (TFLite, ONNX Runtime, Vela, TIDL). */
  | {
      readonly way: "subgraphs";
      /** Largest number of partitions that is kept; the smallest are given back first, by their operators or by what these compute. */
      readonly most?: number;
      readonly by?: "work";
      /** Partitions of fewer nodes are given back. */
      readonly atLeast?: number;
      /** Operators that compute nothing (in the file's or the shared spelling): partitions of nothing else are given back. */
      readonly idle?: readonly string[];
    }
  /** Every run of neighbours in the list that Vela 3 sorts operators into (vela-partition.ts). */
  | { readonly way: "runs" }
  /** All or nothing: one refused operator refuses the model. */
  | { readonly way: "whole" };

/** Of a whole model, before any operator is looked at: quantisation, static shapes, opset, batch. */
export interface Precondition {
  readonly rule: string;
  readonly says: string;
  readonly holds: (model: ModelView) => boolean | undefined;
  readonly found?: (model: ModelView) => string;
  /** Without it: nothing of the model is taken ("refuses"), or it runs elsewhere or is slow ("warns"). */
  readonly else: "refuses" | "warns";
  /** What to do to the model first, in a sentence: commands come from the conversions of inspect. */
  readonly cure?: string;
  readonly source?: RuleSource;
}

/** What preconditions see. Made once for a model (view.ts). */
export interface ModelView {
  readonly format: string;
  /** kind of model/quantization.ts; undefined where it cannot be told. */
  readonly scheme: string | undefined;
  readonly granularity: string | undefined;
  readonly views: readonly View[];
  /** undefined: shapes are not known; true: some dimension is open. */
  readonly dynamic: boolean | undefined;
  readonly opset: number | undefined;
  readonly batch: number | undefined;
  /** What makes an answer worth less: cycles. A sentence each. */
  readonly findings?: readonly string[];
}

export interface Target {
  /** File name: edgetpu, vela-u55, teflon-rocket. */
  readonly id: string;
  readonly name: string;
  /** Compiler or delegate, and its version that the rules are of. */
  readonly tool: string;
  readonly version: string;
  /** Families of the catalogue it serves, and, where it does not serve all of them, chips: "rockchip-npu", "rockchip-npu/rk3588". */
  readonly devices: readonly string[];
  /** Ids of model formats it reads. */
  readonly formats: readonly string[];
  /** What `operators` is keyed by: the file's spelling ("tflite": CONV_2D, "onnx": Conv) or the shared table's names ("shared"). */
  readonly names: "tflite" | "onnx" | "shared";
  readonly confidence: Confidence;
  readonly sources: readonly RuleSource[];
  readonly preconditions: readonly Precondition[];
  /** Asked of every node that has an operator rule, before its own. */
  readonly every: readonly Constraint[];
  readonly operators: Readonly<Record<string, Rule>>;
  /** Of operators that are not named. Weakly documented targets: "unsure". */
  readonly others: "no" | "unsure";
  /** In the compiler's words, for operators that are not named: "Operation not supported". */
  readonly otherSays: string;
  readonly partition: PartitionWay;
  /** In which of AMD Quark's forms it wants a float model quantised (quark.ts). */
  readonly quark?: "XINT8" | "A8W8" | "A16W8";
  /**
   * Operators that vanish or melt into neighbours before anything is placed: they count where their neighbour goes (Q/DQ pairs, constant
   * folding, RESHAPE between two taken operators).
   */
  readonly melts?: readonly string[];
  /** Id of a delegate that can be asked instead where it is installed (`--check`). */
  readonly delegate?: string;
}
