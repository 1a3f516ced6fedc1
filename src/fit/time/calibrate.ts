/**
 * Calibrate: kernels that predict left-out models best, the weights of all rows under them, and how far off each setting was when a
 * model was left out. tools/fit.mjs writes what comes out of it; nothing here runs at a user's.
 */

import { ALWAYS, featureNames } from "./traits.ts";
import { cholesky, leaveOut, solve, solved, taught, type Kernel, type Point } from "./gaussian.ts";
import { evaluatePool, quantile, standard, type Judged, type Scaled } from "./leave-one-out.ts";
import { pools, type Pool } from "./pools.ts";
import { beforehand, rowsOf, type Row } from "./training.ts";
import type { Calibration, Fill, PoolCalibration, StoredPoint } from "./calibration.ts";

/** Where a search begins and what it is held to: a pool of few rows must not talk itself into anything. */
const start: Kernel = {
  linear: 0.1,
  smooth: 0.3,
  family: 0.05,
  familyLinear: 0.02,
  familySmooth: 0.1,
  model: 0.01,
  noise: 0.01,
  length: 2,
  familyLength: 1,
  constantShared: 0.8,
  linearShared: 0.9,
  smoothShared: 0.8,
  familyShared: 0.9,
  relevance: [1, 1, 1, 1, 1, 0.5, 0.5, 0.3, 0.3, 0.1, 0.3, 0.1, 0.3, 0.3, 0.3, 1],
};

/** Prior of the logarithms of variances and lengths (deviation 0.7) and of relevances (0.5): chosen on models that the search had not seen. */
function penalty(kernel: Kernel): number {
  const sizes = [
    "linear",
    "smooth",
    "family",
    "familyLinear",
    "familySmooth",
    "model",
    "noise",
    "length",
    "familyLength",
  ] as const;
  const off = (value: number, from: number, deviation: number): number => (Math.log(value / from) / deviation) ** 2 / 2;
  return (
    sizes.reduce((sum, size) => sum + off(kernel[size], start[size], 0.7), 0) +
    kernel.relevance.reduce((sum, value, i) => sum + off(value, start.relevance[i] ?? 1, 0.5), 0)
  );
}

/** The kernels of a pool: of time; with two regimes also of which one it is, and of time when that is known. */
type Kernels = PoolCalibration["kernels"];

/** Where every search of kernels begins, and the numbers that it draws: the same search every time. */
const SEED = 20251125;

/** Pools of fewer rows are searched three times as long. */
const FEW_ROWS = 250;

export interface Choice {
  /** Steps of the search for kernels; 0: those that are there stay. */
  readonly steps: number;
  /** Choose them on every second model, to see how far off the others are. */
  readonly half?: boolean;
  readonly only?: readonly string[];
}

export function calibrateAll(
  before: Calibration | undefined,
  { steps, half = false, only }: Choice,
  say: (line: string) => void,
): Calibration {
  const gathered = pools.map((pool) => ({ pool, ...rowsOf(pool.id) }));
  const all = gathered.flatMap(({ rows }) => rows);
  const fill = fillOf(all);
  const done: [string, PoolCalibration][] = [];
  for (const { pool, rows, left } of gathered) {
    if (rows.length < 8 || only?.includes(pool.id) === false) continue;
    say(`${pool.id}: ${rows.length} rows, ${left.length} without traits`);
    const roofline = rooflineFill(pool, all);
    const scaled = standard(rows, fill, pool, roofline);
    const first: Kernels = { time: start, ...(pool.regimes ? { regime: start, within: start } : {}) };
    let kernels = before?.pools[pool.id]?.kernels ?? first;
    if (steps > 0) {
      const chosenOn = half ? standard(rows.filter(isChosenOn), fill, pool, roofline) : scaled;
      kernels = searched(first, chosenOn, pool, steps, say);
    }
    const { settings, judged } = evaluatePool(rows, scaled, kernels, pool);
    for (const each of settings.filter(({ rows: count }) => count >= 25).slice(0, 14))
      say(
        `  ${each.setting.slice(0, 60).padEnd(60)} ${each.rows} median ${pct(each.median)} p90 ${pct(each.p90)} held ${pct(each.held)} | power ${pct(each.power.median)} ${pct(each.power.p90)} +params ${pct(each.powerParams.median)} near ${pct(each.nearest.median)}${half ? ` | ${others(judged, each.setting)}` : ""}`,
      );
    done.push([pool.id, store(rows, scaled, kernels, pool, roofline, settings)]);
  }
  const search = steps > 0 ? { steps, seed: SEED } : before?.search;
  return { ...(search ? { search } : {}), features: featureNames, fill, pools: Object.fromEntries(done) };
}

/** Every second model, by its name (FNV-1a). */
function isChosenOn({ group }: Row): boolean {
  let hash = 2166136261;
  for (const letter of group) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619);
  return (hash >>> 0) % 2 === 0;
}

/** Errors of the models that kernels were not chosen on. */
function others(judged: readonly Judged[], setting: string): string {
  const own = judged.filter(({ row }) => row.setting === setting && !isChosenOn(row));
  const errors = own.map(({ row, ms }) => Math.abs(ms / row.measured.ms - 1));
  return `of the other half ${own.length} median ${pct(quantile(errors, 0.5))} p90 ${pct(quantile(errors, 0.9))}`;
}

const pct = (value: number): string => `${(value * 100).toFixed(1)}%`;

function searched(kernels: Kernels, scaled: Scaled, pool: Pool, steps: number, say: (line: string) => void): Kernels {
  const random = generator(SEED);
  const better = (
    kernel: Kernel,
    points: readonly Point[],
    values: readonly number[],
    what: string,
    limit?: number,
  ): Kernel => {
    const value = (candidate: Kernel): number => likelihood(candidate, points, values, scaled, pool, limit);
    let [best, reached] = [kernel, value(kernel)];
    const first = reached;
    // Few rows are quick to ask, and their search is longer to settle.
    const count = points.length < FEW_ROWS ? 3 * steps : steps;
    for (let step = 0; step < count; step++) {
      const candidate = moved(best, random);
      const now = value(candidate);
      if (now > reached) [best, reached] = [candidate, now];
    }
    say(`  ${what}: ${first.toFixed(1)} -> ${reached.toFixed(1)}`);
    return rounded(best);
  };
  return {
    // With two regimes nothing is told from one system of equations over both.
    time: scaled.regimes ? kernels.time : better(kernels.time, scaled.points, scaled.values, "time"),
    ...(kernels.regime && scaled.regimes
      ? { regime: better(kernels.regime, scaled.points, scaled.regimes.labels, "regime", Infinity) }
      : {}),
    ...(kernels.within && scaled.regimes
      ? { within: better(kernels.within, scaled.regimes.points, scaled.values, "within") }
      : {}),
  };
}

/** As it is stored. */
function rounded(kernel: Kernel): Kernel {
  const round = (value: number): number => Number(value.toPrecision(4));
  return Object.fromEntries(
    Object.entries(kernel).map(([name, value]: [string, number | readonly number[]]) => [
      name,
      typeof value === "number" ? round(value) : value.map(round),
    ]),
  ) as unknown as Kernel; // the same names
}

function likelihood(
  kernel: Kernel,
  points: readonly Point[],
  values: readonly number[],
  scaled: Scaled,
  pool: Pool,
  limit?: number,
): number {
  if (pool.joint) return robust(leaveOut(kernel, points, values, scaled.groups, limit), values) - penalty(kernel);
  // Many settings of the same models: a dozen tell the kernel.
  let sum = 0;
  const every = Math.max(1, Math.floor(scaled.bySetting.length / 14));
  scaled.bySetting.forEach((members, at) => {
    if (at % every !== 0 || members.length < 8) return;
    const own = members.map((i) => values[i] ?? 0);
    sum += robust(
      leaveOut(
        kernel,
        members.flatMap((i) => points[i] ?? []),
        own,
        members.map((i) => scaled.groups[i] ?? ""),
      ),
      own,
    );
  });
  return sum / 3 - penalty(kernel);
}

/** Student's t of four degrees instead of the normal law: a few odd rows are not to decide. */
function robust(left: ReturnType<typeof leaveOut>, values: readonly number[]): number {
  if (left === undefined) return -Infinity;
  let sum = 0;
  values.forEach((value, i) => {
    const deviation = left.deviation[i] ?? 1;
    const z = (value - (left.mean[i] ?? 0)) / deviation;
    sum -= 2.5 * Math.log(1 + (z * z) / 4) + Math.log(deviation);
  });
  return Number.isFinite(sum) ? sum : -Infinity;
}

function moved(kernel: Kernel, random: () => number): Kernel {
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const next: Record<string, number | readonly number[]> = { ...kernel };
  const names = Object.keys(kernel).filter((name) => name !== "relevance");
  const count = 1 + Math.floor(random() * 2);
  for (let i = 0; i < count; i++) {
    const name = names[Math.floor(random() * names.length)] ?? "noise";
    const value = next[name];
    if (typeof value !== "number") continue;
    next[name] = name.endsWith("Shared")
      ? Math.min(1, Math.max(0, value + normal() * 0.2))
      : Math.min(50, Math.max(1e-3, value * Math.exp(normal() * 0.6)));
  }
  if (random() < 0.7) {
    const relevance = [...kernel.relevance];
    const at = Math.floor(random() * relevance.length);
    relevance[at] = Math.min(6, Math.max(0.01, (relevance[at] ?? 0.1) * Math.exp(normal() * 0.7)));
    next["relevance"] = relevance;
  }
  return next as unknown as Kernel; // the same names
}

/** Mulberry32: the same search every time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** One row of each model, with the precision it was measured in. */
const modelsOf = (rows: readonly Row[]): readonly Row[] => [
  ...new Map(rows.map((row) => [`${row.measured.model}|${row.measured.input}|${row.measured.float}`, row])).values(),
];

/** What stands in for features that only a graph tells: a line through those of models whose graphs are known. */
function fillOf(rows: readonly Row[]): Fill {
  const whole = modelsOf(rows).filter(({ features }) => features.every((value) => value !== undefined));
  return featureNames.map((_, feature) =>
    feature < ALWAYS ? [] : lineThrough(whole, ({ features }) => features[feature] ?? 0),
  );
}

/** What stands in for the roofline of models whose layers are not known. */
function rooflineFill(pool: Pool, rows: readonly Row[]): readonly number[] {
  if (pool.habit === undefined) return [];
  const whole = modelsOf(rows).filter(({ traits }) => traits.layers !== undefined);
  return lineThrough(whole, ({ traits, measured }) => beforehand(pool, traits, measured.float) ?? 0);
}

/** By the features that every row has: a constant and their factors. */
function lineThrough(rows: readonly Row[], valueOf: (row: Row) => number): readonly number[] {
  if (rows.length < 20) return [];
  const n = ALWAYS + 1;
  const [left, right] = [new Float64Array(n * n), new Float64Array(n)];
  for (const row of rows) {
    const x = [1, ...row.features.slice(0, ALWAYS).map(Number)];
    const y = valueOf(row);
    x.forEach((a, i) => {
      right[i] = (right[i] ?? 0) + a * y;
      x.forEach((b, j) => (left[i * n + j] = (left[i * n + j] ?? 0) + a * b));
    });
  }
  for (let i = 0; i < n; i++) left[i * n + i] = (left[i * n + i] ?? 0) + 0.1;
  const lower = cholesky(left, n);
  return lower === undefined ? [] : [...solve(lower, n, right)].map(short);
}

const short = (value: number): number => Number(value.toPrecision(6));

function store(
  rows: readonly Row[],
  scaled: Scaled,
  kernels: Kernels,
  pool: Pool,
  roofline: readonly number[],
  settings: ReturnType<typeof evaluatePool>["settings"],
): PoolCalibration {
  const teach = (
    kernel: Kernel,
    points: readonly Point[],
    values: readonly number[],
    limit?: number,
  ): (readonly number[])[] => {
    const result: (readonly number[])[] = points.map(() => [0, 0]);
    const blocks = pool.joint ? [points.map((_, i) => i)] : scaled.bySetting;
    for (const members of blocks) {
      const system = solved(
        kernel,
        members.flatMap((i) => points[i] ?? []),
        members.map((i) => values[i] ?? 0),
        members.map((i) => scaled.groups[i] ?? ""),
      );
      const all = system && taught(system, [], limit);
      members.forEach((i, at) => (result[i] = [short(all?.weights[at] ?? 0), short(all?.doubts[at] ?? 0)]));
    }
    return result;
  };
  const time = teach(kernels.time, scaled.points, scaled.values);
  const regime =
    kernels.regime && scaled.regimes
      ? teach(kernels.regime, scaled.points, scaled.regimes.labels, Infinity)
      : undefined;
  const within =
    kernels.within && scaled.regimes ? teach(kernels.within, scaled.regimes.points, scaled.values) : undefined;
  const models = new Map<string, { at: number; value: PoolCalibration["models"][number] }>();
  const points: StoredPoint[] = rows.map((row, i) => {
    const point = scaled.points[i];
    const x = (point?.x ?? []).map((value) => Number(value.toFixed(4)));
    const presumed = short(scaled.presumed[i] ?? 0);
    const key = `${row.measured.model}|${x.join(",")}|${presumed}`;
    let model = models.get(key);
    if (model === undefined) {
      model = { at: models.size, value: [row.measured.model, row.group, row.family ?? "", x, presumed] };
      models.set(key, model);
    }
    return [
      point?.setting ?? 0,
      model.at,
      short(row.y),
      ...(time[i] ?? []),
      ...(regime && within && scaled.regimes
        ? [scaled.regimes.labels[i] ?? 0, ...(regime[i] ?? []), ...(within[i] ?? [])]
        : []),
    ];
  });
  const told = new Map(settings.map((setting) => [setting.setting, setting]));
  return {
    kernels,
    center: short(scaled.center),
    roofline,
    mean: scaled.mean.map(short),
    scale: scaled.scale.map(short),
    settings: scaled.settings.map((name) => {
      const each = told.get(name);
      return {
        name,
        rows: each?.rows ?? 0,
        median: short(each?.median ?? NaN),
        p90: short(each?.p90 ?? NaN),
        held: short(each?.held ?? NaN),
        low: short(each?.low ?? -1.3),
        high: short(each?.high ?? 1.3),
      };
    }),
    models: [...models.values()].map(({ value }) => value),
    points,
  };
}
