/**
 * The timer: samples at a steady pace. It does not drift (each sample is due at a whole multiple of the interval after the first), and
 * where a reader or the machine was late the samples that were missed are left out, not made up for.
 */

import type { Sample } from "./sample.ts";
import type { Watch } from "./watch.ts";

export interface PaceOptions {
  /** 1 when not given. */
  readonly interval_seconds?: number;
  /** Ends after so many. */
  readonly count?: number;
  /** Ends when aborted, also in the middle of waiting. */
  readonly signal?: AbortSignal;
}

/** The longest that setTimeout waits for. */
const LONGEST_MS = 2 ** 31 - 1;

export async function* samplesOf(
  watch: Pick<Watch, "sample">,
  options: PaceOptions = {},
): AsyncGenerator<Sample, void, undefined> {
  const { count = Infinity, signal } = options;
  const ended = (): boolean => signal?.aborted === true;
  const interval = (options.interval_seconds ?? 1) * 1000;
  const begin = performance.now();
  let beat = 0;
  for (let given = 0; given < count && !ended(); given++) {
    if (given > 0) {
      const late = performance.now() - begin;
      // Node's timers may end a little early, which must not give the same beat twice.
      beat = Math.max(beat, Math.floor(late / interval)) + 1;
      await sleep(Math.min(beat * interval - late, LONGEST_MS), signal);
      if (ended()) return;
    }
    yield watch.sample();
  }
}

/** Ends sooner, and without complaint, when aborted. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      done();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}
