/**
 * Calibrate: kernels that predict left-out models best, the weights of all rows under them, and how far off each setting was when a
 * model was left out. tools/fit.mjs writes what comes out of it; nothing here runs at a user's.
 */

import { ALWAYS, featureNames } from "./traits.ts";
import { cholesky, gram, leaveOut, solve, type Kernel, type Point } from "./gaussian.ts";
import { evaluatePool, standard, type Scaled } from "./leave-one-out.ts";
import { pools, type Pool } from "./pools.ts";
import { rowsOf, type Row } from "./training.ts";
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
  relevance: [1, 1, 1, 1, 1, 0.5, 0.5, 0.3, 0.3, 0.1, 0.3, 0.1, 0.3, 0.3, 1],
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

export function calibrateAll(
  before: Calibration | undefined,
  search: number,
  say: (line: string) => void,
): Calibration {
  const gathered = pools.map((pool) => ({ pool, ...rowsOf(pool.id) }));
  const fill = fillOf(gathered.flatMap(({ rows }) => rows));
  const done: [string, PoolCalibration][] = [];
  for (const { pool, rows, left } of gathered) {
    say(`${pool.id}: ${rows.length} rows, ${left.length} without traits`);
    if (rows.length < 8) continue;
    const scaled = standard(rows, fill, pool);
    let kernels: Kernels = before?.pools[pool.id]?.kernels ?? {
      time: start,
      ...(pool.regimes ? { regime: start, within: start } : {}),
    };
    if (search > 0) kernels = searched(kernels, scaled, pool, search, say);
    const { settings } = evaluatePool(rows, scaled, kernels, pool);
    for (const each of settings.filter(({ rows: count }) => count >= 25).slice(0, 14))
      say(
        `  ${each.setting.slice(0, 60).padEnd(60)} ${each.rows} median ${pct(each.median)} p90 ${pct(each.p90)} held ${pct(each.held)} | power ${pct(each.power.median)} ${pct(each.power.p90)} +params ${pct(each.powerParams.median)} near ${pct(each.nearest.median)}`,
      );
    done.push([pool.id, store(rows, scaled, kernels, pool, settings)]);
  }
  return { features: featureNames, fill, pools: Object.fromEntries(done) };
}

const pct = (value: number): string => `${(value * 100).toFixed(1)}%`;

function searched(kernels: Kernels, scaled: Scaled, pool: Pool, steps: number, say: (line: string) => void): Kernels {
  const random = generator(20251125);
  const better = (kernel: Kernel, points: readonly Point[], values: readonly number[], what: string): Kernel => {
    const value = (candidate: Kernel): number => likelihood(candidate, points, values, scaled, pool);
    let [best, reached] = [kernel, value(kernel)];
    const first = reached;
    for (let step = 0; step < steps; step++) {
      const candidate = moved(best, random);
      const now = value(candidate);
      if (now > reached) [best, reached] = [candidate, now];
    }
    say(`  ${what}: ${first.toFixed(1)} -> ${reached.toFixed(1)}`);
    return best;
  };
  return {
    time: better(kernels.time, scaled.points, scaled.values, "time"),
    ...(kernels.regime && scaled.regimes
      ? { regime: better(kernels.regime, scaled.points, scaled.regimes.labels, "regime") }
      : {}),
    ...(kernels.within && scaled.regimes
      ? { within: better(kernels.within, scaled.regimes.points, scaled.values, "within") }
      : {}),
  };
}

function likelihood(
  kernel: Kernel,
  points: readonly Point[],
  values: readonly number[],
  scaled: Scaled,
  pool: Pool,
): number {
  if (pool.joint) return robust(leaveOut(kernel, points, values, scaled.groups), values) - penalty(kernel);
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

/** What stands in for features that only a graph tells: a line through those of models whose graphs are known. */
function fillOf(rows: readonly Row[]): Fill {
  const models = new Map(rows.map((row) => [`${row.measured.model}|${row.measured.input}`, row.features]));
  const whole = [...models.values()].filter((features) => features.every((value) => value !== undefined));
  return featureNames.map((_, feature) => {
    if (feature < ALWAYS || whole.length < 20) return [];
    const n = ALWAYS + 1;
    const [left, right] = [new Float64Array(n * n), new Float64Array(n)];
    for (const features of whole) {
      const x = [1, ...features.slice(0, ALWAYS).map(Number)];
      const y = features[feature] ?? 0;
      x.forEach((a, i) => {
        right[i] = (right[i] ?? 0) + a * y;
        x.forEach((b, j) => (left[i * n + j] = (left[i * n + j] ?? 0) + a * b));
      });
    }
    for (let i = 0; i < n; i++) left[i * n + i] = (left[i * n + i] ?? 0) + 0.1;
    const lower = cholesky(left, n);
    return lower === undefined ? [] : [...solve(lower, n, right)].map(short);
  });
}

const short = (value: number): number => Number(value.toPrecision(6));

function store(
  rows: readonly Row[],
  scaled: Scaled,
  kernels: Kernels,
  pool: Pool,
  settings: ReturnType<typeof evaluatePool>["settings"],
): PoolCalibration {
  const weigh = (kernel: Kernel, points: readonly Point[], values: readonly number[]): Float64Array => {
    const result = new Float64Array(points.length);
    const blocks = pool.joint ? [points.map((_, i) => i)] : scaled.bySetting;
    for (const members of blocks) {
      const own = members.flatMap((i) => points[i] ?? []);
      const lower = cholesky(gram(kernel, own), own.length);
      if (lower === undefined) continue;
      solve(
        lower,
        own.length,
        members.map((i) => values[i] ?? 0),
      ).forEach((weight, at) => (result[members[at] ?? 0] = weight));
    }
    return result;
  };
  const time = weigh(kernels.time, scaled.points, scaled.values);
  const regime =
    kernels.regime && scaled.regimes ? weigh(kernels.regime, scaled.points, scaled.regimes.labels) : undefined;
  const within =
    kernels.within && scaled.regimes ? weigh(kernels.within, scaled.regimes.points, scaled.values) : undefined;
  const models = new Map<string, { at: number; value: PoolCalibration["models"][number] }>();
  const points: StoredPoint[] = rows.map((row, i) => {
    const point = scaled.points[i];
    const x = (point?.x ?? []).map((value) => Number(value.toFixed(4)));
    const key = `${row.measured.model}|${x.join(",")}`;
    let model = models.get(key);
    if (model === undefined) {
      model = { at: models.size, value: [row.measured.model, row.group, row.family ?? "", x] };
      models.set(key, model);
    }
    return [
      point?.setting ?? 0,
      model.at,
      short(row.y),
      short(time[i] ?? 0),
      ...(regime && within && scaled.regimes
        ? [scaled.regimes.labels[i] ?? 0, short(regime[i] ?? 0), short(within[i] ?? 0)]
        : []),
    ];
  });
  const told = new Map(settings.map((setting) => [setting.setting, setting]));
  return {
    kernels,
    center: short(scaled.center),
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
