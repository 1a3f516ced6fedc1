/** Placement: which nodes of a graph a target takes, which it refuses and why, and how what it takes falls into partitions. Pure. */

import type { Answer, Target, ModelView } from "./target.ts";
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

export declare function place(views: readonly View[], model: ModelView, target: Target): Placement;
