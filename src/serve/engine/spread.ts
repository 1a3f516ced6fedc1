/** Counts by upper bound, as a histogram of Prometheus has them. */

import type { Spread } from "../engine.ts";

/** Seconds: from 100 µs, which a small model takes, to a minute. */
const BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

export class Counted {
  readonly #counts = new Float64Array(BOUNDS.length);
  #count = 0;
  #sum = 0;

  add(seconds: number): void {
    this.#count++;
    this.#sum += seconds;
    let at = 0;
    while (at < BOUNDS.length && seconds > (BOUNDS[at] ?? 0)) at++;
    if (at < BOUNDS.length) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  spread(): Spread {
    let below = 0;
    const counts = Array.from(this.#counts, (count) => (below += count));
    return { bounds: BOUNDS, counts, count: this.#count, sum: this.#sum };
  }
}
