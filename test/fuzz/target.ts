/** What the fuzzer runs: targets make cases out of a random stream; a case may end well, or with one of the errors thrown on purpose. */

import type { Random } from "./mutate.ts";

export interface Case {
  /** What goes in, for a file to look at when the case fails. */
  readonly input: string | Uint8Array;
  run(): void | Promise<void>;
}

export interface Target {
  readonly name: string;
  /** Models have a count of cases of their own: --models, not --count. */
  readonly group?: "models";
  /** Of all cases of its group, this many parts are this target's. */
  readonly share: number;
  /** Bytes that one case may add to the process, where less than all may. */
  readonly memory?: number;
  /** The same random numbers give the same case. */
  make(random: Random): Case;
}

/** A result that is wrong though nothing was thrown: the fuzzer reports it as it does a crash. */
export class Complaint extends Error {
  override readonly name = "Complaint";
}
