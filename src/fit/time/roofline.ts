/**
 * Roofline: what arithmetic and memory alone make of a model on hardware of a class, layer by layer: the longer of computing it (where
 * channels do not fill the array, the rest idles) and moving it (weights and activations, when nothing stays on the chip), and what
 * starting a step takes. Only its logarithm against other models' counts: the speed of a device comes from its measurements.
 * Williams, Waterman and Patterson, Roofline, 2009; ../shared/facts/fit/latency-models.md, 0 and 3.
 */

import type { Class } from "./estimate.ts";

/** How hardware of a class computes, where a device says nothing itself. */
export interface Habit {
  /** Channels that are computed at once: a rest of them costs as much as all. */
  readonly lanes: number;
  /** Share of the peak that depthwise convolutions reach. */
  readonly depthwise: number;
  /** MACs in the time of one byte from memory. */
  readonly macsPerByte: number;
  /** MACs in the time that starting one operator takes. */
  readonly macsPerStep: number;
}

export const habits: Readonly<Record<Class, Habit>> = {
  "systolic array": { lanes: 64, depthwise: 1 / 16, macsPerByte: 200, macsPerStep: 2e7 },
  "MAC array": { lanes: 16, depthwise: 1 / 10, macsPerByte: 100, macsPerStep: 2e7 },
  dataflow: { lanes: 8, depthwise: 1 / 3, macsPerByte: 60, macsPerStep: 5e6 },
  "vector DSP": { lanes: 32, depthwise: 1 / 8, macsPerByte: 150, macsPerStep: 3e7 },
  SIMT: { lanes: 8, depthwise: 1 / 4, macsPerByte: 30, macsPerStep: 2e7 },
  CPU: { lanes: 4, depthwise: 1 / 2, macsPerByte: 4, macsPerStep: 1e5 },
};

/** What one operator asks of any hardware. */
export interface Layer {
  readonly macs: number;
  /** Channels in and out of one group. */
  readonly taken: number;
  readonly given: number;
  readonly depthwise: boolean;
  /** Elements: weights that are read, what goes in, what comes out. */
  readonly moved: number;
}

/** Bytes of an element, and MACs of integers in the time of one, when floating point is computed: half the rate, twice the bytes. */
const FLOAT = 2;

const seen = new WeakMap<readonly Layer[], Map<string, number>>();

/** Logarithm of the time, in 10⁹ MACs. */
export function rooflineOf(layers: readonly Layer[], float: boolean, habit: Habit): number {
  let own = seen.get(layers);
  if (own === undefined) seen.set(layers, (own = new Map<string, number>()));
  const key = `${float ? "float" : ""} ${Object.values(habit).join(" ")}`;
  let value = own.get(key);
  if (value === undefined) own.set(key, (value = sum(layers, float, habit)));
  return value;
}

function sum(layers: readonly Layer[], float: boolean, habit: Habit): number {
  const { lanes, depthwise, macsPerByte, macsPerStep } = habit;
  const rest = (width: number): number => (Math.ceil(width / lanes) * lanes) / Math.max(1, width);
  const width = float ? FLOAT : 1;
  let total = 0;
  for (const layer of layers) {
    const idle = layer.depthwise ? 1 / depthwise : rest(layer.taken) * rest(layer.given);
    total += Math.max(layer.macs * idle, layer.moved * macsPerByte) * width + macsPerStep;
  }
  return Math.log(Math.max(total, 1) / 1e9);
}
