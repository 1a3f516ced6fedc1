/**
 * Class work: what a model is to hardware of a class, layer by layer, before its speed is known: the longer of multiplying (channels
 * filled up to the array's width, depthwise layers at the share of the array that they reach) and of moving weights and half of the
 * activations, in the time of so many MACs; and how many operators are started. Roofline (Williams, Waterman, Patterson, 2009) with the
 * figures of ../shared/facts/fit/latency-models.md, sections 0 to 8.
 */

import type { View } from "../view.ts";
import type { Class } from "./estimate.ts";

interface Shape {
  /** Channels that are computed at once: a rest of them costs as much as all. */
  readonly lanes: number;
  /** Share of the peak that depthwise convolutions reach (1 of 16 columns; 7 to 9 % on 256 MACs). */
  readonly depthwise: number;
  /** MACs in the time of one byte from memory. What chips of a class differ in is in the spread, not here: few say their bandwidth. */
  readonly macsPerByte: number;
}

/** Classes of integer accelerators. Graphics chips and processors are measured by what runs on them, and their peaks are not of int8. */
const shapes: Readonly<Partial<Record<Class, Shape>>> = {
  "systolic array": { lanes: 64, depthwise: 1 / 16, macsPerByte: 200 },
  "MAC array": { lanes: 16, depthwise: 1 / 10, macsPerByte: 100 },
  dataflow: { lanes: 8, depthwise: 1 / 3, macsPerByte: 60 },
  "vector DSP": { lanes: 32, depthwise: 1 / 8, macsPerByte: 150 },
};

/** Whether chips of a class are told by it at all. */
export const isTold = (of: Class): boolean => shapes[of] !== undefined;

/** Of activations, what leaves the chip; the rest is taken by the next layer from where it lies. */
const LEAVES = 0.5;
/** An array that is hardly filled is filled otherwise: pixels beside channels. */
const EMPTIEST = 8;
/** Starting an operator, and a run: few microseconds and a tenth of a millisecond (measured floors 0.05 to 0.3 ms). */
const STEP_S = 5e-6;
const RUN_S = 1e-4;

export interface ClassWork {
  /** In MACs of the peak. */
  readonly macs: number;
  readonly operators: number;
}

const held = new WeakMap<readonly View[], Map<Class, ClassWork | undefined>>();

/** undefined: hardware of this class is not told this way, or shapes leave the work open. */
export function classWork(views: readonly View[], of: Class): ClassWork | undefined {
  let own = held.get(views);
  if (own === undefined) held.set(views, (own = new Map<Class, ClassWork | undefined>()));
  if (!own.has(of)) own.set(of, sum(views, of));
  return own.get(of);
}

function sum(views: readonly View[], of: Class): ClassWork | undefined {
  const shape = shapes[of];
  if (shape === undefined) return undefined;
  let [macs, operators] = [0, 0];
  for (const view of views) {
    const { work, kind } = view;
    const own = work.macs ?? 0;
    if (view.folded) continue;
    if (work.macs === undefined && (kind === "convolution" || kind === "matrix")) return undefined;
    if (own === 0 && (kind === "shape" || kind === "quantise" || kind === "graph")) continue;
    const moved = work.weights + LEAVES * ((work.input ?? 0) + (work.output ?? 0));
    macs += Math.max(computed(view, own, shape), moved * shape.macsPerByte);
    operators++;
  }
  return operators > 0 && macs > 0 && Number.isFinite(macs) ? { macs, operators } : undefined;
}

function computed(view: View, macs: number, { lanes, depthwise }: Shape): number {
  if (view.depthwise) return macs / depthwise;
  if (view.kind !== "convolution") return macs;
  const filled = (channels: number): number =>
    channels <= 0 ? 1 : Math.min(EMPTIEST, (Math.ceil(channels / lanes) * lanes) / channels);
  const taken = (view.inChannels ?? lanes) / Math.max(1, view.groups ?? 1);
  return macs * filled(taken) * filled(view.outChannels ?? lanes);
}

/** Milliseconds where all of the peak were reached: less than any device takes. `peak` in MACs per second. */
export const floorOf = ({ macs, operators }: ClassWork, peak: number): number =>
  (macs / peak + operators * STEP_S + RUN_S) * 1000;
