/**
 * Traits: what a model is like to a device, a dozen figures that no device enters. From its graph, or, of a row that only tells a name,
 * parameters and operations, from those. What neither tells is undefined; the calibration fills it in from the others and says so.
 */

import type { View } from "../view.ts";
import { characterOf, plainName } from "./architecture.ts";
import type { Layer } from "./roofline.ts";

export interface Traits {
  /** Operations in thousands of millions, two for each MAC. */
  readonly ops_g: number;
  readonly params_m: number;
  /** Of these, in millions, what one inference reads: of a table that is looked up in, the rows that are looked up. */
  readonly read_m?: number;
  /** Positions of the input: pixels of an image, tokens of a text. */
  readonly positions: number;
  /** Shares and count of architecture.ts. */
  readonly attention: number;
  readonly depthwise: number;
  readonly depth: number;
  /** Millions of elements that all operators give, and that the largest one gives. */
  readonly activations_m?: number;
  readonly peak_m?: number;
  /** Operators that neither convolve nor multiply matrices, for each layer with weights. */
  readonly others?: number;
  /** Share of the MACs in 1x1 convolutions. */
  readonly pointwise?: number;
  /** Activations that are no comparison (SiLU, GELU, sigmoid, hard swish, softmax), for each layer with weights. */
  readonly curved?: number;
  /** Share of the MACs in layers whose channels are fewer than 16 on either side. */
  readonly thin?: number;
  /** Largest share of the MACs that one layer has. */
  readonly steepest?: number;
  /** Normalisations by what passes at the moment (of layers, groups, instances), for each layer with weights: no weights take them in. */
  readonly normalised?: number;
  /** All operators that compute or move something. */
  readonly layers?: readonly Layer[];
}

const curves: ReadonlySet<string> = new Set([
  "Sigmoid",
  "HardSigmoid",
  "HardSwish",
  "Swish",
  "Mish",
  "Gelu",
  "Tanh",
  "Softplus",
  "Softmax",
  "Elu",
  "Erf",
  "Exp",
]);

/** Operators that read of a table what is asked for. */
const lookups: ReadonlySet<string> = new Set([
  "Gather",
  "GatherND",
  "GatherElements",
  "EmbeddingLookup",
  "HashtableLookup",
]);

const free: ReadonlySet<string> = new Set(["shape", "quantise", "graph"]);

/** Of a graph; undefined where its shapes leave the work open or there is none. */
export function traitsOf(views: readonly View[]): Traits | undefined {
  let traits = held.get(views);
  if (traits === undefined) held.set(views, (traits = count(views) ?? "none"));
  return traits === "none" ? undefined : traits;
}

/** Asked again for each device. */
const held = new WeakMap<readonly View[], Traits | "none">();

function count(views: readonly View[]): Traits | undefined {
  let read = 0;
  const layers: Layer[] = [];
  let [macs, weights, depth, convolutions, depthwise, attended, activations, peak] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [others, curved, normalised, pointwise, thin, steepest] = [0, 0, 0, 0, 0, 0];
  let positions: number | undefined;
  for (const view of views) {
    if (view.folded) continue;
    const { work, kind } = view;
    weights += work.weights;
    const weightsRead = lookups.has(view.op) ? Math.min(work.weights, work.output ?? Infinity) : work.weights;
    read += weightsRead;
    if (positions === undefined && view.inShape !== undefined) positions = positionsOf(view);
    const output = work.output;
    if (kind === undefined || !free.has(kind)) {
      layers.push(layerOf(view, weightsRead));
      if (output !== undefined) {
        activations += output;
        peak = Math.max(peak, output);
      }
    }
    const own = work.macs;
    if (own === undefined) {
      if (kind === "convolution" || kind === "matrix") return undefined;
      continue;
    }
    if (own > 0) {
      macs += own;
      steepest = Math.max(steepest, own);
      depth++;
      if (kind === "convolution") {
        convolutions++;
        if (view.depthwise) depthwise++;
        else if (view.kernel?.every((size) => size === 1)) pointwise += own;
        if (Math.min(view.inChannels ?? 16, view.outChannels ?? 16) < 16) thin += own;
      } else if ((view.outShape?.length ?? 0) >= 3 || kind === "attention") attended += own;
    } else if (kind !== undefined && !free.has(kind)) others++;
    if (curves.has(view.op)) curved++;
    if (kind === "normalise" && !/^Batch/.test(view.op)) normalised++;
  }
  if (macs === 0 || weights === 0 || ![macs, weights, activations].every(Number.isFinite)) return undefined;
  return {
    ops_g: (2 * macs) / 1e9,
    params_m: weights / 1e6,
    read_m: read / 1e6,
    positions: positions ?? 224 * 224,
    attention: attended / macs,
    depthwise: convolutions === 0 ? 0 : Math.min(1, (2 * depthwise) / convolutions),
    depth,
    activations_m: activations / 1e6,
    peak_m: peak / 1e6,
    others: others / depth,
    pointwise: pointwise / macs,
    curved: curved / depth,
    thin: thin / macs,
    steepest: steepest / macs,
    normalised: normalised / depth,
    layers,
  };
}

function layerOf({ kind, depthwise, work, ...view }: View, weights: number): Layer {
  const image = kind === "convolution";
  const groups = view.groups ?? 1;
  return {
    macs: work.macs ?? 0,
    taken: image ? (view.inChannels ?? groups) / groups : (view.inShape?.at(-1) ?? 1),
    given: image ? (view.outChannels ?? groups) / groups : (view.outShape?.at(-1) ?? 1),
    depthwise,
    moved: weights + (work.input ?? 0) + (work.output ?? 0),
  };
}

function positionsOf(view: View): number {
  if (view.inSize !== undefined) return view.inSize[0] * view.inSize[1];
  const shape = view.inShape ?? [];
  return Math.max(1, ...shape.slice(1, 2));
}

/** What a published row tells of its model. */
export interface Sheet {
  readonly model: string;
  readonly params_m?: number;
  readonly ops_g?: number;
  readonly input?: string | undefined;
}

/** Of a row without a graph; undefined: parameters or operations are not told, and nothing stands in for them. */
export function traitsOfSheet({ model, params_m, ops_g, input }: Sheet): Traits | undefined {
  if (params_m === undefined || ops_g === undefined || !(params_m > 0) || !(ops_g > 0)) return undefined;
  const { attention, depthwise, depth } = characterOf(model) ?? { attention: 0, depthwise: 0, depth: 60 };
  return { ops_g, params_m, positions: positionsOfInput(input, model), attention, depthwise, depth };
}

/** "640x640x3 nv12", "[1, 3, 224, 224]", "1x77x512" of a text. */
function positionsOfInput(input: string | undefined, model: string): number {
  const sizes = (input?.match(/\d+/g) ?? []).map(Number).filter((size) => size > 0);
  const text = /textencoder|cliptext|bert/.test(plainName(model));
  if (text) return sizes.find((size) => size > 1) ?? 77;
  const large = sizes.filter((size) => size > 4);
  const [height, width] = large;
  if (height === undefined) return 224 * 224;
  return height * (width ?? height);
}

/** Names of the features, in the order of featuresOf. The first seven are there for every row. */
export const featureNames = [
  "operations",
  "parameters",
  "positions",
  "attention",
  "depthwise",
  "depth",
  "float",
  "activations",
  "peak",
  "others",
  "pointwise",
  "curved",
  "thin",
  "steepest",
  "normalised",
] as const;

export const ALWAYS = 7;

/** Numbers to compare models by: logarithms of sizes, shares as they are. */
export function featuresOf(traits: Traits, float: boolean): readonly (number | undefined)[] {
  const log = (value: number | undefined): number | undefined =>
    value === undefined ? undefined : Math.log(Math.max(value, 1e-6));
  return [
    Math.log(traits.ops_g),
    Math.log(Math.max(traits.read_m ?? traits.params_m, 1e-6)),
    Math.log(traits.positions),
    traits.attention,
    traits.depthwise,
    Math.log(traits.depth),
    float ? 1 : 0,
    log(traits.activations_m),
    log(traits.peak_m),
    traits.others,
    traits.pointwise,
    traits.curved,
    traits.thin,
    log(traits.steepest),
    traits.normalised,
  ];
}
