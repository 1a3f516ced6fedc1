/** What is counted of one version of a model, since the engine began: it goes on counting when the version is loaded anew. */

import type { ModelFigures, RefusalKind } from "../engine.ts";
import { Counted } from "./spread.ts";

export class Counters {
  readonly queue_seconds = new Counted();
  readonly run_seconds = new Counted();
  /** Runs, and requests that were computed in them. */
  batches = 0;
  batched = 0;
  /** Of sessions that were closed. */
  restarts = 0;
  readonly #requests: Record<"ok" | RefusalKind, number> = {
    ok: 0,
    invalid: 0,
    "not-found": 0,
    "not-ready": 0,
    busy: 0,
    deadline: 0,
    cancelled: 0,
    failed: 0,
  };

  count(outcome: "ok" | RefusalKind): void {
    this.#requests[outcome]++;
  }

  figures(): Pick<ModelFigures, "requests" | "batches" | "batched" | "queue_seconds" | "run_seconds"> {
    return {
      requests: { ...this.#requests },
      batches: this.batches,
      batched: this.batched,
      queue_seconds: this.queue_seconds.spread(),
      run_seconds: this.run_seconds.spread(),
    };
  }
}
