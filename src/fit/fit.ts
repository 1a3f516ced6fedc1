/** Fit: one model on many devices, as plain JSON that others rely on (docs/fit.schema.json). Made by fitOn(); printed by `accelctl fit`. */

import type { Placement } from "./place.ts";
import type { Estimate } from "./time/estimate.ts";

export const FIT_SCHEMA = 1;

export interface FitRow {
  /** Id of time/devices; its family and chip of the catalogue. */
  readonly device: string;
  readonly name: string;
  readonly family: string;
  readonly chip?: string;
  /** The device is in the machine that was looked at. */
  readonly here: boolean;
  /** Placement by each target of it, the best first; without nodes unless asked for. */
  readonly placements: readonly (Omit<Placement, "nodes"> & { readonly nodes?: Placement["nodes"] })[];
  readonly estimate: Estimate;
}

export interface FitReport {
  readonly schema: typeof FIT_SCHEMA;
  readonly model: {
    readonly name: string;
    /** "file", or "known": its layers from the paper. */
    readonly from: "file" | "known";
    readonly input: readonly (readonly (number | string | null)[])[];
    readonly operators: number;
    readonly macs?: number;
    readonly parameters?: number;
    readonly precision?: string;
    /** What was asked to be otherwise: --precision, --batch, --input, --link. */
    readonly assumed: readonly string[];
  };
  readonly rows: readonly FitRow[];
  /** Cycles, absurd shapes, unknown operators: what makes an answer worth less, a sentence each. */
  readonly findings: readonly string[];
}
