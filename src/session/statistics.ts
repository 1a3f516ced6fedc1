/** What many times tell: quantiles by nearest rank, and none where there are too few to say. */

export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  /** From 10 values on. */
  readonly p90?: number;
  /** From 100 values on: of fewer, it would be the highest. */
  readonly p99?: number;
  readonly max: number;
  readonly mean: number;
}

/** Undefined of no values. */
export function summarize(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  return {
    count: sorted.length,
    min: quantile(sorted, 0),
    p50: quantile(sorted, 0.5),
    ...(sorted.length >= 10 ? { p90: quantile(sorted, 0.9) } : {}),
    ...(sorted.length >= 100 ? { p99: quantile(sorted, 0.99) } : {}),
    max: quantile(sorted, 1),
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
  };
}

/** Nearest rank: the smallest value that at least this share of all does not exceed. Sorted values; NaN of none. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? NaN;
}

/** Mean of the middle two where there are as many below as above; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

export interface Ratio {
  readonly median: number;
  /** Lowest and highest of the rounds. */
  readonly low: number;
  readonly high: number;
}

/** Round by round, so that what slows the machine for a while slows both; undefined where no round has both. */
export function ratioOf(
  values: readonly (number | undefined)[],
  base: readonly (number | undefined)[],
): Ratio | undefined {
  const ratios = values.flatMap((value, round) => {
    const other = base[round];
    return value === undefined || other === undefined || other <= 0 ? [] : [value / other];
  });
  if (ratios.length === 0) return undefined;
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
}
