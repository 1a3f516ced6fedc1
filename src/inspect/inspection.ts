/** Inspection: what `inspect` says of a model file, as plain JSON that others rely on (docs/inspection.schema.json). */

import type { Openness } from "../base/finding.ts";
import type { Cost, OperatorCount } from "../model/cost.ts";
import type { Integrity, Model, Quantization, Requirement, Section, Target, TensorData } from "../model/graph.ts";
import type { Scheme } from "../model/quantization.ts";
import type { Looks } from "../formats/other/looks.ts";

export const INSPECTION_SCHEMA = 1;

export interface TensorReport {
  readonly name: string;
  readonly type: string;
  /** null where the rank is not known; a dimension is a number, a symbol, or null. */
  readonly shape: readonly (number | string | null)[] | null;
  readonly quantization?: Quantization;
  readonly data?: TensorData;
  readonly sparse?: boolean;
}

export interface GraphReport {
  readonly name: string;
  readonly operators: number;
  readonly tensors: number;
}

export interface Inspection {
  readonly schema: typeof INSPECTION_SCHEMA;
  readonly file: { readonly name: string; readonly bytes: number };
  readonly format: {
    readonly id: string;
    readonly name: string;
    readonly vendor: string;
    readonly version?: string;
    readonly shows: "full" | "partly" | "sealed";
    /** On how many real files the reader was checked. */
    readonly checked: number;
  };
  /** No operator can be seen: compiled for a chip. */
  readonly sealed: boolean;
  readonly producer?: Model["producer"];
  readonly targets: readonly Target[];
  readonly requires: readonly Requirement[];
  readonly inputs: readonly TensorReport[];
  readonly outputs: readonly TensorReport[];
  readonly graphs: readonly GraphReport[];
  readonly operators: readonly OperatorCount[];
  readonly quantization?: Scheme;
  readonly cost: Cost;
  /** Every tensor of every graph; only when asked for. */
  readonly tensors?: readonly (TensorReport & { readonly graph: number })[];
  readonly labels?: readonly string[];
  readonly author?: string;
  readonly licence?: string;
  readonly description?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly sections: readonly Section[];
  readonly integrity: readonly Integrity[];
  readonly needs: readonly string[];
  readonly unseen: readonly string[];
  readonly machine?: Fit;
}

/** A file that is no model: what it is instead. */
export interface NoModel {
  readonly schema: typeof INSPECTION_SCHEMA;
  readonly file: { readonly name: string; readonly bytes: number };
  readonly format: null;
  readonly looks: Looks;
}

/** This model on a machine. */
export interface Fit {
  readonly devices: readonly DeviceFit[];
  /** The family that was asked for, whether or not a device of it is here. */
  readonly named?: FamilyFit;
  /** Ways to make the model fit a device that is here or was named. */
  readonly conversions: readonly ConversionReport[];
  /** Version locks between the file and what is installed. */
  readonly locks: readonly LockReport[];
}

export interface FamilyFit {
  readonly family: string;
  /** When a chip was named, not its family. */
  readonly chip?: string;
  /** Does a route take this very file? */
  readonly takes: "yes" | "no";
  readonly says: string;
}

export interface DeviceFit {
  readonly device: string;
  readonly name: string;
  readonly family: string;
  readonly chip?: string;
  /** Can this file run on it? "convert": not this file, but one made from it. */
  readonly fits: "yes" | "no" | "unknown" | "convert";
  readonly says: string;
  readonly routes: readonly RouteFit[];
}

export interface RouteFit {
  readonly route: string;
  readonly accepts: boolean;
  /** Does the route work on this machine, as the review judges it? */
  readonly works: "yes" | "no" | "unknown";
  readonly says: string;
}

export interface LockReport {
  /** Id of breakages/locks.ts, or the file's own words. */
  readonly lock: string;
  readonly state: "fits" | "broken" | "unknown";
  readonly needs: string;
  /** Version found, and where. */
  readonly found?: string;
  readonly says: string;
  readonly source?: string;
}

export interface ConversionReport {
  readonly family: string;
  readonly to: string;
  readonly tool: string;
  readonly openness: Openness;
  readonly commands: readonly string[];
  /** What the tool wants of the model, and whether this model has it. */
  readonly needs: readonly { readonly what: string; readonly met: "yes" | "no" | "unknown"; readonly says: string }[];
  readonly sources: readonly string[];
}
