/** The words everything else uses: layers of a route, evidence, findings. */

export const layerNames = ["silicon", "driver", "firmware", "node", "runtime", "delegate", "model"] as const;
export type LayerName = (typeof layerNames)[number];

/**
 * What a statement rests on: either something this machine (or its capture) said, or something known from a source.
 * `seen` is a path or request of the machine; `says` is what stood there.
 */
export type Evidence =
  { readonly seen: string; readonly says: string } | { readonly known: string; readonly source: string };

/**
 * `ok` works as far as can be told; `missing` is known not to be there; `faulty` is there and does not work;
 * `unknown` could not be looked at. `unneeded` marks a layer this route does without (firmware of an open NPU).
 */
export type LayerStatus = "ok" | "missing" | "faulty" | "unknown" | "unneeded";
export type Openness = "open" | "closed" | "mixed" | "none" | "unknown";

export interface Layer {
  readonly name: LayerName;
  readonly status: LayerStatus;
  readonly openness: Openness;
  /** What it is, in the owner's words: `intel_vpu`, `/dev/accel/accel0`, `libteflon.so`. */
  readonly is: string;
  /** Of the driver layer: which of the five states the kernel's driver is in. */
  readonly kernelState?: KernelState;
  readonly evidence: readonly Evidence[];
}

/** The five states of "the kernel has the driver", and the two of a kernel that cannot be looked at or is not asked. */
export type KernelState =
  | "not in this kernel"
  | "configured off"
  | "shipped as a module"
  | "built in"
  | "loaded"
  | "bound"
  | "unknown"
  | "not needed";

export interface Route {
  readonly name: string;
  readonly works: "yes" | "no" | "unknown";
  /** True when every layer the route needs is open. */
  readonly open: boolean;
  readonly layers: readonly Layer[];
}

export type Severity = "error" | "warning" | "note";
export const severities: readonly Severity[] = ["error", "warning", "note"];

/** What to do about a finding: words for people, commands to type (never run by us), and where that is written. */
export interface Remedy {
  readonly says: string;
  readonly commands?: readonly string[];
  readonly links?: readonly string[];
}

export interface Finding {
  /** Stable id, `<layer>/<what>`: tools filter on it. */
  readonly rule: `${LayerName | "machine"}/${string}`;
  readonly severity: Severity;
  /** Device id, or "machine". */
  readonly device: string;
  readonly route?: string;
  readonly says: string;
  readonly evidence: readonly Evidence[];
  readonly remedy?: Remedy;
}
