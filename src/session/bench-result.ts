/** What a bench gives, as --json prints it. */

import type { Bench } from "./bench.ts";
import type { Contestant } from "./contestant.ts";
import type { Entry } from "./history.ts";

export const BENCH_SCHEMA = 1;

export interface BenchResult extends Omit<Bench, "contestants"> {
  readonly schema: typeof BENCH_SCHEMA;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly machine: { readonly host: string; readonly cpu: string; readonly cores: number };
  readonly settings: { readonly seconds?: number; readonly runs?: number; readonly concurrency: number };
  readonly contestants: readonly (Contestant & {
    /** The last bench of the same model, device, delegate and version on this machine, and the ratio of the medians. */
    readonly last?: Entry & { readonly ratio: number };
  })[];
  /** Why this one is not kept. */
  readonly history?: string;
}
