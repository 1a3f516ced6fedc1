/** Pools: devices of one shape that are calibrated together, so that each learns from its sisters' rows. */

import { habits, type Habit } from "./roofline.ts";
import type { MeasuredFile } from "./measured.ts";

export type PoolId = "hailo" | "d-robotics" | "rknn" | "coral" | "ti" | "others" | "ai-hub" | "ncnn-cpu" | "ncnn-gpu";

export interface Pool {
  readonly id: PoolId;
  readonly file: MeasuredFile;
  /** All settings in one system of equations; false: each for itself, with the kernel of all (many settings of the same models). */
  readonly joint: boolean;
  /** A network that fits into the chip whole runs many times as fast as one that is loaded part by part: two regimes (dataflow). */
  readonly regimes: boolean;
  /** What arithmetic and memory make of a model is known beforehand; only what it takes longer or shorter is learnt. */
  readonly habit?: Habit;
}

export const pools: readonly Pool[] = [
  { id: "hailo", file: "measured.json", joint: true, regimes: true, habit: habits["dataflow"] },
  { id: "d-robotics", file: "measured.json", joint: true, regimes: false, habit: habits["MAC array"] },
  { id: "rknn", file: "measured.json", joint: true, regimes: false, habit: habits["MAC array"] },
  { id: "coral", file: "measured.json", joint: true, regimes: false },
  { id: "ti", file: "measured-ti.json", joint: true, regimes: false },
  { id: "others", file: "measured.json", joint: true, regimes: false },
  { id: "ai-hub", file: "measured-ai-hub.json", joint: false, regimes: false, habit: habits["vector DSP"] },
  { id: "ncnn-cpu", file: "measured-ncnn.json", joint: false, regimes: false, habit: habits["CPU"] },
  { id: "ncnn-gpu", file: "measured-ncnn.json", joint: false, regimes: false },
];

export const poolOf = (id: PoolId): Pool | undefined => pools.find((pool) => pool.id === id);
