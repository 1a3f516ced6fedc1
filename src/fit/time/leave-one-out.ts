/**
 * Leave one out: each model predicted by a calibration that has never seen it on any device, under any name or size of input; beside it
 * the power law of operations and the nearest neighbour under the same rule. Intervals are quantiles of the other models' errors.
 */

import { filled, line, type Fill, type PoolCalibration } from "./calibration.ts";
import {
  cholesky,
  covariance,
  gram,
  leaveOut,
  solve,
  solved,
  taught,
  weighted,
  type Kernel,
  type Point,
} from "./gaussian.ts";
import type { Pool } from "./pools.ts";
import { featureNames } from "./traits.ts";
import type { Row } from "./training.ts";

export interface Scaled {
  readonly settings: readonly string[];
  readonly points: readonly Point[];
  readonly values: readonly number[];
  readonly center: number;
  /** What was presumed of each row and taken off its value, beside the center. */
  readonly presumed: readonly number[];
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly groups: readonly string[];
  /** Indexes of rows by setting. */
  readonly bySetting: readonly (readonly number[])[];
  /** 1: eight at once run faster than eight times one, so it is loaded in parts; -1: it is not. */
  readonly regimes?: { readonly labels: readonly number[]; readonly points: readonly Point[] };
}

/** Eight at once gain more than this factor only where a network is loaded in parts. */
const GAIN = 1.13;

/** Rows with features of mean 0 and deviation 1. */
export function standard(rows: readonly Row[], fill: Fill, pool: Pool, roofline: readonly number[] = []): Scaled {
  const settings = [...new Set(rows.map((row) => row.setting))];
  const raw = rows.map((row) => filled(row.features, fill));
  const n = Math.max(1, rows.length);
  const mean = featureNames.map((_, i) => raw.reduce((sum, x) => sum + (x[i] ?? 0), 0) / n);
  const scale = featureNames.map((_, i) => {
    const spread = Math.sqrt(raw.reduce((sum, x) => sum + ((x[i] ?? 0) - (mean[i] ?? 0)) ** 2, 0) / n);
    return spread > 1e-6 ? spread : 1;
  });
  const presumed = rows.map((row) => row.roofline ?? line(row.features, roofline));
  const center = rows.reduce((sum, row, i) => sum + row.y - (presumed[i] ?? 0), 0) / n;
  const points = rows.map((row, r): Point => ({
    setting: settings.indexOf(row.setting),
    x: (raw[r] ?? []).map((value, i) => (value - (mean[i] ?? 0)) / (scale[i] ?? 1)),
    // Of no family that is known: of one of its own, as far from all as families are from each other.
    family: row.family ?? `only ${row.group}`,
    model: row.group,
  }));
  const bySetting = settings.map((_, s) => points.flatMap((point, i) => (point.setting === s ? [i] : [])));
  const labels = rows.map(({ measured: { ms, ms_of_8 } }) => (ms_of_8 !== undefined && ms / ms_of_8 < GAIN ? -1 : 1));
  return {
    settings,
    points,
    values: rows.map((row, i) => row.y - (presumed[i] ?? 0) - center),
    center,
    presumed,
    mean,
    scale,
    groups: rows.map((row) => row.group),
    bySetting,
    ...(pool.regimes
      ? { regimes: { labels, points: points.map((point, i) => ({ ...point, x: [...point.x, labels[i] ?? 0] })) } }
      : {}),
  };
}

const NEAR = 32;

/** How far off the nearest rows leave a point, in the logarithm. */
export function localDeviation(
  kernel: Kernel,
  asked: Point,
  points: readonly Point[],
  except?: string,
  /** Of each point with what is asked, where they were worked out before; and noise of some rows beyond that of all. */
  covariances?: ArrayLike<number>,
  doubts?: ArrayLike<number>,
): number {
  const near = points
    .map((point, i) => ({
      point,
      near: covariances?.[i] ?? covariance(kernel, asked, point),
      doubt: doubts?.[i] ?? 0,
    }))
    .filter(({ point }) => except === undefined || point.model !== except)
    .sort((a, b) => b.near - a.near)
    .slice(0, NEAR);
  const own = covariance(kernel, asked, asked) + kernel.noise;
  const matrix = gram(
    kernel,
    near.map(({ point }) => point),
  );
  near.forEach(({ doubt }, i) => (matrix[i * near.length + i] = (matrix[i * near.length + i] ?? 0) + doubt));
  const lower = cholesky(matrix, near.length);
  if (lower === undefined) return Math.sqrt(own);
  const b = near.map((entry) => entry.near);
  const explained = solve(lower, near.length, b).reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
  return Math.sqrt(Math.max(kernel.noise, own - explained));
}

/** Time and spread within one regime. */
export interface Side {
  readonly mean: number;
  readonly deviation: number;
}

/**
 * Two regimes: the likelier one decides; the less sure that is, the wider the interval. `label` lies near -1 or 1. In doubt whole: a time
 * five times too long is an error of 400 %, one five times too short of 80 %.
 */
export function blend(label: number, whole: Side, parts: Side): Side {
  const share = 1 / (1 + Math.exp(-6 * (label - 0.3)));
  const apart = (parts.mean - whole.mean) ** 2 * share * (1 - share);
  const within = share * parts.deviation ** 2 + (1 - share) * whole.deviation ** 2;
  return { mean: share * parts.mean + (1 - share) * whole.mean, deviation: Math.sqrt(within + apart) };
}

export interface Judged {
  readonly row: Row;
  readonly ms: number;
  readonly low_ms: number;
  readonly high_ms: number;
}

interface Errors {
  readonly median: number;
  readonly p90: number;
}

export interface SettingErrors extends Errors {
  readonly setting: string;
  readonly rows: number;
  /** Share of intervals that held what was measured. */
  readonly held: number;
  readonly low: number;
  readonly high: number;
  /** ln ms = a + b ln operations; with ln parameters; of the nearest row. */
  readonly power: Errors;
  readonly powerParams: Errors;
  readonly nearest: Errors;
}

export function evaluatePool(
  rows: readonly Row[],
  scaled: Scaled,
  kernels: PoolCalibration["kernels"],
  pool: Pool,
): { readonly settings: readonly SettingErrors[]; readonly judged: readonly Judged[] } {
  const { mean, deviation } = predictions(scaled, kernels, pool);
  const errors = rows.map((_, i) => ((scaled.values[i] ?? 0) - (mean[i] ?? 0)) / (deviation[i] ?? 1));
  const judged: Judged[] = [];
  const settings = scaled.bySetting.map((members, s): SettingErrors => {
    // Few rows of its own: the errors of the whole pool say how wide.
    const spread = members.length >= 40 ? members : errors.map((_, i) => i);
    let held = 0;
    for (const i of members) {
      const others = spread.filter((j) => scaled.groups[j] !== scaled.groups[i]).map((j) => errors[j] ?? 0);
      const [low, high] = [quantile(others, 0.1), quantile(others, 0.9)];
      const error = errors[i] ?? 0;
      if (error >= low && error <= high) held++;
      const [row, at, width] = [rows[i], (mean[i] ?? 0) + scaled.center + (scaled.presumed[i] ?? 0), deviation[i] ?? 1];
      if (row)
        judged.push({
          row,
          ms: Math.exp(at),
          low_ms: Math.exp(at + low * width),
          high_ms: Math.exp(at + high * width),
        });
    }
    const all = spread.map((j) => errors[j] ?? 0);
    const relative = members.map((i) => Math.abs(Math.exp((mean[i] ?? 0) - (scaled.values[i] ?? 0)) - 1));
    return {
      setting: scaled.settings[s] ?? "",
      rows: members.length,
      ...errorsOf(relative),
      held: held / Math.max(1, members.length),
      low: quantile(all, 0.1),
      high: quantile(all, 0.9),
      ...baselines(rows, scaled, members),
    };
  });
  return { settings, judged };
}

function predictions(
  scaled: Scaled,
  kernels: PoolCalibration["kernels"],
  pool: Pool,
): { mean: Float64Array; deviation: Float64Array } {
  const n = scaled.points.length;
  const [mean, deviation] = [new Float64Array(n), new Float64Array(n)];
  const { regimes } = scaled;
  if (regimes && kernels.regime && kernels.within) {
    // A label is what it is: rows that are the exception teach as much as others.
    const label = leaveOut(kernels.regime, scaled.points, regimes.labels, scaled.groups, Infinity);
    const within = withoutGroup(kernels.within, scaled.points, regimes.points, scaled.values, scaled.groups);
    within.forEach(([whole, parts], i) => {
      const both = blend(label?.mean[i] ?? 0, whole, parts);
      mean[i] = both.mean;
      deviation[i] = both.deviation;
    });
    return { mean, deviation };
  }
  const blocks = pool.joint ? [scaled.points.map((_, i) => i)] : scaled.bySetting;
  for (const members of blocks) {
    const points = members.flatMap((i) => scaled.points[i] ?? []);
    const groups = members.map((i) => scaled.groups[i] ?? "");
    const system = solved(
      kernels.time,
      points,
      members.map((i) => scaled.values[i] ?? 0),
      groups,
    );
    for (const list of system?.groups ?? []) {
      const rest = system && taught(system, list);
      for (const at of list) {
        const [i, point] = [members[at] ?? 0, points[at]];
        if (point === undefined || rest === undefined) continue;
        mean[i] = weighted(kernels.time, point, points, rest.weights);
        deviation[i] = localDeviation(kernels.time, point, points, groups[at], undefined, rest.doubts);
      }
    }
  }
  return { mean, deviation };
}

/** Time in either regime by the rows of all other models, whatever regime the model itself is in. */
function withoutGroup(
  kernel: Kernel,
  points: readonly Point[],
  labelled: readonly Point[],
  values: readonly number[],
  groups: readonly string[],
): readonly (readonly [Side, Side])[] {
  const none: Side = { mean: 0, deviation: 1 };
  const result: [Side, Side][] = points.map(() => [none, none]);
  const system = solved(kernel, labelled, values, groups);
  if (system === undefined) return result;
  for (const list of system.groups) {
    const rest = taught(system, list);
    if (rest === undefined) return result;
    for (const g of list) {
      const point = points[g];
      if (point === undefined) continue;
      [-1, 1].forEach((side, at) => {
        const asked = { ...point, x: [...point.x, side] };
        const pair = result[g];
        if (pair)
          pair[at] = {
            mean: weighted(kernel, asked, labelled, rest.weights),
            deviation: localDeviation(kernel, asked, labelled, groups[g], undefined, rest.doubts),
          };
      });
    }
  }
  return result;
}

function baselines(
  rows: readonly Row[],
  scaled: Scaled,
  members: readonly number[],
): Pick<SettingErrors, "power" | "powerParams" | "nearest"> {
  const relative = (predict: (i: number, others: readonly number[]) => number): Errors =>
    errorsOf(
      members.map((i) => {
        const others = members.filter((j) => scaled.groups[j] !== scaled.groups[i]);
        return Math.abs(Math.exp(predict(i, others) - (rows[i]?.y ?? 0)) - 1);
      }),
    );
  const straight =
    (terms: (row: Row) => readonly number[]) =>
    (i: number, others: readonly number[]): number => {
      const row = rows[i];
      if (row === undefined || others.length < 3) return NaN;
      const x = others.map((j) => [1, ...terms(rows[j] ?? row)]);
      const n = x[0]?.length ?? 0;
      const [left, right] = [new Float64Array(n * n), new Float64Array(n)];
      x.forEach((own, at) =>
        own.forEach((a, p) => {
          right[p] = (right[p] ?? 0) + a * (rows[others[at] ?? 0]?.y ?? 0);
          own.forEach((b, q) => (left[p * n + q] = (left[p * n + q] ?? 0) + a * b));
        }),
      );
      for (let p = 0; p < n; p++) left[p * n + p] = (left[p * n + p] ?? 0) + 1e-6;
      const lower = cholesky(left, n);
      if (lower === undefined) return NaN;
      const factors = solve(lower, n, right);
      return [1, ...terms(row)].reduce((sum, value, p) => sum + value * (factors[p] ?? 0), 0);
    };
  return {
    power: relative(straight(({ traits }) => [Math.log(traits.ops_g)])),
    powerParams: relative(straight(({ traits }) => [Math.log(traits.ops_g), Math.log(traits.params_m)])),
    nearest: relative((i, others) => {
      const own = scaled.points[i]?.x ?? [];
      let [best, at] = [Infinity, -1];
      for (const j of others) {
        const x = scaled.points[j]?.x ?? [];
        const distance = own.reduce((sum, value, p) => sum + (value - (x[p] ?? 0)) ** 2, 0);
        if (distance < best) [best, at] = [distance, j];
      }
      return rows[at]?.y ?? NaN;
    }),
  };
}

const errorsOf = (relative: readonly number[]): Errors => {
  const told = relative.filter((value) => Number.isFinite(value));
  return { median: quantile(told, 0.5), p90: quantile(told, 0.9) };
};

/** Of unsorted values, between neighbours by a straight line. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low === undefined || high === undefined ? NaN : low + (high - low) * (at - Math.floor(at));
}
