/** Percentiles out of the cumulative counts that the server keeps (Spread of src/serve/engine.ts), as Prometheus has them. */

import type { Spread } from "../../../src/serve/engine.ts";

export interface Percentile {
  readonly seconds: number;
  /** Above the last bound: it is at least so much. */
  readonly over: boolean;
}

/**
 * The value below which a share of all lie, by a straight line within its bucket. `counts` are cumulative, one per bound; what is above
 * the last bound is only in `count`. Undefined where nothing was counted.
 */
export function percentile({ bounds, counts, count }: Spread, share: number): Percentile | undefined {
  if (count <= 0) return undefined;
  const wanted = share * count;
  for (const [i, most] of bounds.entries()) {
    const here = counts[i] ?? 0;
    if (here < wanted) continue;
    const below = i === 0 ? 0 : (counts[i - 1] ?? 0);
    const least = i === 0 ? 0 : (bounds[i - 1] ?? 0);
    return {
      seconds: here === below ? most : least + ((most - least) * (wanted - below)) / (here - below),
      over: false,
    };
  }
  return { seconds: bounds.at(-1) ?? 0, over: true };
}

/** What was counted between two readings; all of it where the server began anew. */
export function between(before: Spread | undefined, now: Spread): Spread {
  if (before === undefined || before.count > now.count || before.bounds.length !== now.bounds.length) return now;
  return {
    bounds: now.bounds,
    counts: now.counts.map((n, i) => n - (before.counts[i] ?? 0)),
    count: now.count - before.count,
    sum: now.sum - before.sum,
  };
}
