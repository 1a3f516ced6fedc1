/** What the page asks about models and is answered, under /api/models. web/src/models takes its types from here. */

import type { FitNode, FitPlacement, FitReport, FitRow, FitTarget } from "../../fit/fit.ts";
import type { Refusal } from "../../fit/place.ts";
import type { Inspection, NoModel } from "../../inspect/inspection.ts";
import type { Attribute, Quantization } from "../../model/graph.ts";
import type { FitState } from "../../print/fit-states.ts";
import type { BoxGraph } from "../../print/graph-fold.ts";
import type { PassedOver } from "../../session/choose.ts";
import type { Parity } from "../../session/parity.ts";
import type { RunResult } from "../../session/result.ts";
import type { ModelState } from "../engine.ts";

/** GET /api/models */
export interface ModelList {
  readonly models: readonly ModelEntry[];
  /** Of the server's engine, where it serves any. */
  readonly served: readonly ModelState[];
  readonly limits: { readonly file_bytes: number; readonly all_bytes: number; readonly input_bytes: number };
  /** Why nothing can be uploaded or run from the page, where that is so. */
  readonly no_upload?: string;
  readonly no_run?: string;
}

export interface ModelEntry {
  readonly id: string;
  /** Of the file that counts: the first, until another turns out to be the model. */
  readonly name: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** It comes with accelctl, and so does a picture for it. */
  readonly demo?: true;
}

/** GET /api/models/:id */
export interface ModelAnswer extends ModelEntry {
  readonly state: "model" | "no-model" | "broken";
  /** Why it is none, or where it is broken. */
  readonly says?: string;
  readonly looks?: NoModel["looks"];
  /** As `accelctl inspect --json` prints it, with `machine`. */
  readonly inspection?: Inspection;
  /** Where it can run here, best first. */
  readonly offers: readonly Offer[];
  /** What else could have run it, and why it does not. */
  readonly passed_over: readonly PassedOver[];
  /** Files it names that were not uploaded. */
  readonly missing: readonly string[];
  /** Milliseconds that reading it took. */
  readonly read_ms: number;
}

/** For RunRequest.on. */
export interface Offer {
  readonly device: string;
  /** Of an accelerator, as the machine's report has it. */
  readonly name?: string;
  readonly delegate: { readonly id: string; readonly name: string };
  readonly route?: string;
  readonly why: string;
}

/** GET /api/models/:id/graph?graph=0&open=4-28,4-8&whole=1 */
export interface GraphAnswer extends BoxGraph {
  /** Which of `graphs`. */
  readonly graph: number;
  readonly graphs: readonly { readonly name: string; readonly operators: number }[];
  readonly whole: boolean;
  /** Few enough operators to be drawn one by one. */
  readonly can_be_whole: boolean;
  readonly width: number;
  readonly height: number;
  readonly box: { readonly width: number; readonly height: number };
  /** Middle of each box: x and y in turn. */
  readonly at: readonly number[];
  /** Points of each edge, x and y in turn. */
  readonly lines: readonly (readonly number[])[];
  /** With ?by=TARGET: what becomes of each box there; null of inputs and outputs. */
  readonly by?: string;
  readonly states?: readonly (FitState | null)[];
}

/** GET /api/models/:id/fit?precision=int8&batch=2&input=320x320 */
export interface FitAnswer {
  readonly model: FitReport["model"];
  readonly findings: readonly string[];
  readonly targets: readonly Omit<FitTarget, "sources">[];
  readonly rows: readonly FitRowAnswer[];
}

export interface FitRowAnswer extends Omit<FitRow, "placements"> {
  readonly placements: readonly FitPlacementAnswer[];
}

/** Counts instead of lists, and the first refusals. */
export interface FitPlacementAnswer extends Omit<FitPlacement, "partitions" | "refusals" | "nodes"> {
  readonly partitions: number;
  readonly refusals: readonly (Refusal & { readonly count: number })[];
  /** Refusals that are left out. */
  readonly more?: number;
}

/** GET /api/models/:id/fit/TARGET */
export interface PlacedAnswer {
  readonly target: string;
  readonly once?: string;
  /** Of the operators in the order they run: a state, and how many share it. */
  readonly stretches: readonly (readonly [FitState, number])[];
}

/** GET /api/models/:id/operators?graph=0&find=conv&from=0&most=200 */
export interface OperatorsAnswer {
  readonly total: number;
  readonly operators: readonly OperatorRow[];
}

export interface OperatorRow {
  readonly node: number;
  readonly name?: string;
  readonly operator: string;
  readonly spelled: string;
  readonly kind: string;
  readonly output?: string;
  readonly macs?: number;
  /** Blocks that have to be opened to see it, outer first. */
  readonly blocks: readonly string[];
}

/** GET /api/models/:id/operators/:node?graph=0 */
export interface OperatorAnswer extends OperatorRow {
  /** With ?by=TARGET: what that compiler or delegate says of it. */
  readonly fit?: FitNode & { readonly target: string };
  readonly domain?: string;
  readonly version?: number;
  readonly attributes: readonly { readonly name: string; readonly value: string; readonly more?: number }[];
  readonly inputs: readonly TensorRow[];
  readonly outputs: readonly TensorRow[];
  /** Graphs that it runs. */
  readonly graphs: readonly { readonly graph: number; readonly name: string }[];
}

export interface TensorRow {
  readonly name: string;
  readonly type: string;
  readonly shape: string;
  readonly quantization?: Pick<Quantization, "axis" | "scheme"> & {
    readonly scale: readonly number[];
    readonly zeroPoint: readonly number[];
    readonly scales: number;
  };
  /** Constant data lies in the file. */
  readonly bytes?: number;
  /** Operators that make or use it: node and word. */
  readonly others: readonly { readonly node: number; readonly operator: string }[];
}

export type { Attribute };

/** POST /api/models/:id/run */
export interface RunRequest {
  /** One, or two that are compared. Absent: the best. */
  readonly on?: readonly { readonly device: string; readonly delegate?: string; readonly route?: string }[];
  /** Of POST /api/models/:id/input: for the input that it suits. */
  readonly input?: string;
  /** By input's name: what was uploaded, or a value. */
  readonly inputs?: Readonly<Record<string, { readonly input: string } | { readonly value: unknown }>>;
  /** Inputs that are given nothing are made from it. */
  readonly seed?: number;
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  readonly threads?: number;
  readonly warmup?: number;
  readonly repeat?: number;
  /** Measure what a run is made of. */
  readonly profile?: boolean;
  readonly head?: string;
}

export interface RunAnswer {
  readonly runs: readonly RunOutcome[];
  /** Of the second against the first, by output; a sentence where they cannot be compared. */
  readonly parity?: readonly (Parity | string)[];
}

export type RunOutcome =
  | {
      /** As `accelctl run --json` prints it. */
      readonly result: RunResult;
      readonly previews: readonly Preview[];
      /** Classes of pixels, for drawing over the picture. */
      readonly map?: MapPreview;
      /** The picture that went in, decoded and upright. */
      readonly picture?: { readonly width: number; readonly height: number };
    }
  | { readonly error: string; readonly device: string };

/** Of one output, in the order of RunResult.outputs. */
export interface Preview {
  readonly output: string;
  readonly elements: number;
  /** The first values, quantisation undone. */
  readonly first: readonly number[];
  /** Least and most of stretches of equal length, of an output that is one long row. */
  readonly wave?: { readonly min: readonly number[]; readonly max: readonly number[] };
  /** Of an output that is laid out as a picture, scaled to 0..255: base64 of height x width x channels bytes. */
  readonly image?: {
    readonly width: number;
    readonly height: number;
    readonly channels: 1 | 3;
    readonly data: string;
    /** What 0 and 255 stand for. */
    readonly from: number;
    readonly to: number;
  };
}

export interface MapPreview {
  readonly width: number;
  readonly height: number;
  /** Base64 of a byte for each pixel: its place in `classes`. */
  readonly data: string;
  /** Of RunResult.read.classes: index of the class. */
  readonly classes: readonly number[];
}
