/**
 * Estimate: how long one inference takes on a device, as a median and an interval that holds for eight models of ten. Of two kinds:
 * what the maker would publish, and what others would measure (1.0 to 1.6 times as long); which is meant stands beside it.
 */

import type { Placement } from "../place.ts";
import type { View } from "../view.ts";
import type { ModelView } from "../target.ts";
import type { PoolId } from "./pools.ts";

/** A class of hardware that one form of model describes. */
export type Class = "systolic array" | "MAC array" | "dataflow" | "vector DSP" | "SIMT" | "CPU";

/** What is known of a device to estimate with. One file per device in time/devices/ or a row of a table there. */
export interface Device {
  /** Of the benchmarks and of --for: "hailo-8", "rk3588-1core", "coral-usb3". */
  readonly id: string;
  readonly name: string;
  /** Family and chip of the catalogue. */
  readonly family: string;
  readonly chip?: string;
  readonly class: Class;
  /** Targets (targets/) by which it is reached, the best first. */
  readonly targets: readonly string[];
  /** MACs per second at the precision it computes in; undefined where nobody says. */
  readonly macs?: { readonly value: number; readonly precision: string; readonly source: string };
  readonly bandwidth?: { readonly bytes_per_s: number; readonly source: string };
  readonly onchip?: { readonly bytes: number; readonly source: string };
  readonly link?: {
    readonly kind: "usb2" | "usb3" | "pcie" | "shared memory";
    readonly bytes_per_s: number;
    readonly source: string;
  };
  readonly watts?: { readonly value: number; readonly source: string };
  /** Spellings of published rows; "NAME | RUNTIME" where the runtime tells it from another device of that name. */
  readonly aliases?: readonly string[];
  /** Devices that are calibrated together (pools.ts); absent: no rows. */
  readonly pool?: PoolId;
  /** How it is meant where it was measured in several ways, as rows have it: "qnn_dlc", "4 threads". */
  readonly how?: string;
  /** It computes in floating point unless the model is quantised, or always. Absent: integers, whatever the model's types. */
  readonly float?: "unless quantized" | "always";
}

export interface Nearest {
  readonly model: string;
  readonly device: string;
  readonly ms: number;
  readonly says: string;
  readonly source: string;
}

export interface Estimate {
  readonly device: string;
  /** "fitted": from this device's published rows; "class": from its class and its peak; "none": nothing carries a number. */
  readonly from: "fitted" | "class" | "none";
  readonly kind: "maker" | "independent";
  readonly median_ms?: number;
  /** Holds for 80 of 100 models. */
  readonly low_ms?: number;
  readonly high_ms?: number;
  readonly bound?: "compute" | "memory" | "link" | "cpu" | "overhead";
  readonly millijoules?: { readonly low: number; readonly high: number; readonly source: string };
  /** Nodes that cost most, at most three, with their share of the median. */
  readonly costly: readonly { readonly node: number; readonly op: string; readonly share: number }[];
  /** Rows it was fitted to, and its error when each model was left out. */
  readonly basis?: {
    readonly rows: number;
    readonly median_error: number;
    readonly p90_error: number;
    readonly held: number;
  };
  readonly nearest: readonly Nearest[];
  /** What is not in it, what was assumed, why there is none. */
  readonly says: readonly string[];
}

/** Until a device's measurements are at hand nothing carries a number. */
export const estimate = (
  ...[, , { id }]: readonly [readonly View[], ModelView, Device, Placement | undefined]
): Estimate => ({
  device: id,
  from: "none",
  kind: "maker",
  costly: [],
  nearest: [],
  says: ["nothing carries an estimate for it yet"],
});
