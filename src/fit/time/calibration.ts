/** Calibration: what tools/fit.mjs learnt (data/fit/calibration.json), and a prediction from it. */

import { dataOf } from "./data.ts";
import { covariance, solved, taught, type Kernel, type Point, type Solved, type Taught } from "./gaussian.ts";
import { blend, localDeviation, type Side } from "./leave-one-out.ts";
import { poolOf, type PoolId } from "./pools.ts";

/** Of each feature: constant and factors of the features that every row has; [] where it is always there or unknown. */
export type Fill = readonly (readonly number[])[];

/**
 * [setting, model, ln ms, weight, its noise beyond that of all; then with two regimes: label, weight of the label, its noise beyond, weight of
 * the time within it, its noise beyond].
 */
export type StoredPoint = readonly number[];

export interface PoolCalibration {
  readonly kernels: { readonly time: Kernel; readonly regime?: Kernel; readonly within?: Kernel };
  readonly center: number;
  /** As a fill: the roofline of models whose layers are not known. [] where none is presumed. */
  readonly roofline: readonly number[];
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
  /** [name, model it is of, family or "", features scaled, roofline]. */
  readonly models: readonly (readonly [string, string, string, readonly number[], number])[];
  readonly points: readonly StoredPoint[];
}

export interface Calibration {
  /** How kernels were found: `node tools/fit.mjs --search STEPS` finds the same. */
  readonly search?: { readonly steps: number; readonly seed: number };
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
    return line(always, fill[i] ?? []);
  });
}

/** A constant, and factors of the features that are always there. */
export function line(features: readonly (number | undefined)[], [constant = 0, ...factors]: readonly number[]): number {
  return factors.reduce((sum, factor, j) => sum + factor * (features[j] ?? 0), constant);
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
  /** undefined: its layers are not known. */
  readonly roofline: number | undefined;
  readonly family: string | undefined;
  /** The model itself where its name is known: its own rows then count as its own. */
  readonly model: string | undefined;
  /** As if no row of this model had ever been seen: evaluation. */
  readonly without?: string;
}

/** Columns of a stored point. */
const TIME = 3;
const LABEL = 5;
const REGIME = 6;
const WITHIN = 8;

interface Sum {
  readonly total: number;
  readonly covariances: Float64Array;
  readonly doubts: Float64Array;
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
  const asked: Point = {
    setting: at,
    x,
    family: question.family ?? `only ${question.model ?? ""}`,
    model: question.model,
  };
  const { stored, points } = blockOf(pool, at, poolOf(question.pool)?.joint === true);
  const { without } = question;
  const sum = (kernel: Kernel, to: Point, column: number, others: readonly Point[]): Sum => {
    const covariances = Float64Array.from(others, (point) => covariance(kernel, to, point));
    const apart =
      without !== undefined && points.some((point) => point.model === without)
        ? taughtWithout(pool, kernel, others, stored, column, without)
        : undefined;
    const doubts = apart?.doubts ?? Float64Array.from(stored, (point) => point[column + 1] ?? 0);
    let total = 0;
    for (let i = 0; i < covariances.length; i++)
      total += (covariances[i] ?? 0) * ((apart === undefined ? stored[i]?.[column] : apart.weights[i]) ?? 0);
    return { total, covariances, doubts };
  };
  const { kernels } = pool;
  let [mean, deviation] = [0, 1];
  if (kernels.regime && kernels.within) {
    const label = sum(kernels.regime, asked, REGIME, points).total;
    const labelled = labelledOf(pool, points, stored);
    const [whole, parts] = ([-1, 1] as const).map((side): Side => {
      const to = { ...asked, x: [...x, side] };
      const kernel = kernels.within ?? kernels.time;
      const { total, covariances, doubts } = sum(kernel, to, WITHIN, labelled);
      return { mean: total, deviation: localDeviation(kernel, to, labelled, without, covariances, doubts) };
    });
    if (whole && parts) ({ mean, deviation } = blend(label, whole, parts));
  } else {
    const { total, covariances, doubts } = sum(kernels.time, asked, TIME, points);
    mean = total;
    deviation = localDeviation(kernels.time, asked, points, without, covariances, doubts);
  }
  const middle = pool.center + mean + (question.roofline ?? line(question.features, pool.roofline));
  return {
    median_ms: Math.exp(middle),
    low_ms: Math.exp(middle + setting.low * deviation),
    high_ms: Math.exp(middle + setting.high * deviation),
    setting,
  };
}

interface Block {
  readonly stored: readonly StoredPoint[];
  readonly points: readonly Point[];
}

const blocks = new WeakMap<PoolCalibration, Map<number, Block>>();

const bySetting = new WeakMap<PoolCalibration, StoredPoint[][]>();

/** Of one setting: sorted once, since each of a hundred devices asks for its own. */
export function pointsOf(pool: PoolCalibration, setting: number): readonly StoredPoint[] {
  let all = bySetting.get(pool);
  if (all === undefined) {
    bySetting.set(pool, (all = []));
    for (const point of pool.points) (all[point[0] ?? 0] ??= []).push(point);
  }
  return all[setting] ?? [];
}

/** Rows that answer for a setting: all of the pool, or its own. */
function blockOf(pool: PoolCalibration, setting: number, joint: boolean): Block {
  let made = blocks.get(pool);
  if (made === undefined) blocks.set(pool, (made = new Map<number, Block>()));
  const key = joint ? -1 : setting;
  let block = made.get(key);
  if (block === undefined) {
    const stored = joint ? pool.points : pointsOf(pool, setting);
    const points = stored.map((point): Point => {
      const [, model = "", family = "", x = []] = pool.models[point[1] ?? 0] ?? [];
      return { setting: point[0] ?? 0, x, family: family === "" ? `only ${model}` : family, model };
    });
    made.set(key, (block = { stored, points }));
  }
  return block;
}

const labels = new WeakMap<PoolCalibration, readonly Point[]>();

function labelledOf(pool: PoolCalibration, points: readonly Point[], stored: readonly StoredPoint[]): readonly Point[] {
  let made = labels.get(pool);
  if (made === undefined)
    labels.set(pool, (made = points.map((point, i) => ({ ...point, x: [...point.x, stored[i]?.[LABEL] ?? 0] }))));
  return made;
}

const systems = new WeakMap<readonly Point[], Map<Kernel, Solved | undefined>>();
const removed = new WeakMap<readonly Point[], Map<string, Taught | undefined>>();

/** What the rows teach that are not of a model. */
function taughtWithout(
  pool: PoolCalibration,
  kernel: Kernel,
  points: readonly Point[],
  stored: readonly StoredPoint[],
  column: number,
  model: string,
): Taught | undefined {
  let done = removed.get(points);
  if (done === undefined) removed.set(points, (done = new Map<string, Taught | undefined>()));
  const key = `${column} ${model}`;
  if (done.has(key)) return done.get(key);
  let held = systems.get(points);
  if (held === undefined) systems.set(points, (held = new Map<Kernel, Solved | undefined>()));
  if (!held.has(kernel)) {
    const values = stored.map((point) =>
      column === REGIME ? (point[LABEL] ?? 0) : (point[2] ?? 0) - pool.center - (pool.models[point[1] ?? 0]?.[4] ?? 0),
    );
    held.set(
      kernel,
      solved(
        kernel,
        points,
        values,
        points.map((point) => point.model ?? ""),
      ),
    );
  }
  const system = held.get(kernel);
  const result =
    system &&
    taught(
      system,
      points.flatMap((point, i) => (point.model === model ? [i] : [])),
      column === REGIME ? Infinity : undefined,
    );
  done.set(key, result);
  return result;
}
