/** Calibration: what tools/fit.mjs learnt (data/fit/calibration.json), and a prediction from it. */

import { dataOf } from "./data.ts";
import { covariance, type Kernel, type Point } from "./gaussian.ts";
import { blend, localDeviation } from "./leave-one-out.ts";
import { poolOf, type PoolId } from "./pools.ts";

/** Of each feature: constant and factors of the features that every row has; [] where it is always there or unknown. */
export type Fill = readonly (readonly number[])[];

/** [setting, model, ln ms, weight, then with two regimes: label, weight of the label, weight of the time within it]. */
export type StoredPoint = readonly number[];

export interface PoolCalibration {
  readonly kernels: { readonly time: Kernel; readonly regime?: Kernel; readonly within?: Kernel };
  readonly center: number;
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly settings: readonly {
    readonly name: string;
    readonly rows: number;
    readonly median: number;
    readonly p90: number;
    readonly held: number;
    /** Tenth and ninetieth of a hundred errors, in deviations. */
    readonly low: number;
    readonly high: number;
  }[];
  /** [name, model it is of, family or "", features scaled]. */
  readonly models: readonly (readonly [string, string, string, readonly number[]])[];
  readonly points: readonly StoredPoint[];
}

export interface Calibration {
  readonly features: readonly string[];
  readonly fill: Fill;
  readonly pools: Readonly<Partial<Record<PoolId, PoolCalibration>>>;
}

export const calibrationOf = (): Calibration => dataOf<Calibration>("calibration.json");

/** Features without gaps. */
export function filled(features: readonly (number | undefined)[], fill: Fill): readonly number[] {
  const always = features.map((value) => value ?? 0);
  return features.map((value, i) => {
    if (value !== undefined) return value;
    const [constant = 0, ...factors] = fill[i] ?? [];
    return factors.reduce((sum, factor, j) => sum + factor * (always[j] ?? 0), constant);
  });
}

export interface Prediction {
  readonly median_ms: number;
  readonly low_ms: number;
  readonly high_ms: number;
  readonly setting: PoolCalibration["settings"][number];
}

export interface Question {
  readonly pool: PoolId;
  readonly setting: string;
  readonly features: readonly (number | undefined)[];
  readonly family: string | undefined;
  /** The model itself where its name is known: its own rows then count as its own. */
  readonly model: string | undefined;
}

/** Of a setting that has rows; undefined: it has none. */
export function predict(calibration: Calibration, question: Question): Prediction | undefined {
  const pool = calibration.pools[question.pool];
  const at = pool?.settings.findIndex(({ name }) => name === question.setting) ?? -1;
  const setting = pool?.settings[at];
  if (pool === undefined || setting === undefined) return undefined;
  const x = filled(question.features, calibration.fill).map(
    (value, i) => (value - (pool.mean[i] ?? 0)) / (pool.scale[i] ?? 1),
  );
  const asked: Point = { setting: at, x, family: question.family, model: question.model };
  const joint = poolOf(question.pool)?.joint === true;
  const stored = pool.points.filter((point) => joint || point[0] === at);
  const points = stored.map((point): Point => {
    const [, model = "", family = "", own = []] = pool.models[point[1] ?? 0] ?? [];
    return { setting: point[0] ?? 0, x: own, family: family === "" ? undefined : family, model };
  });
  const sum = (kernel: Kernel, to: Point, column: number, others: readonly Point[]): number =>
    others.reduce((total, point, i) => total + covariance(kernel, to, point) * (stored[i]?.[column] ?? 0), 0);
  const { kernels } = pool;
  let mean = sum(kernels.time, asked, 3, points);
  let deviation = localDeviation(kernels.time, asked, points);
  if (kernels.regime && kernels.within) {
    const label = sum(kernels.regime, asked, 5, points);
    const labelled = points.map((point, i) => ({ ...point, x: [...point.x, stored[i]?.[4] ?? 0] }));
    const within = [-1, 1].map((side) => sum(kernels.within ?? kernels.time, { ...asked, x: [...x, side] }, 6, labelled));
    ({ mean, deviation } = blend(mean, deviation, label, within[0] ?? mean, within[1] ?? mean));
  }
  const middle = pool.center + mean;
  return {
    median_ms: Math.exp(middle),
    low_ms: Math.exp(middle + setting.low * deviation),
    high_ms: Math.exp(middle + setting.high * deviation),
    setting,
  };
}
