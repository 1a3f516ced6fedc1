/** What the page is told live, as types the page itself can import: nothing of Node here. */

import type { Sample } from "../../watch/sample.ts";
import type { ModelFigures, ModelState } from "../engine.ts";

/** GET /api/samples/recent */
export interface Recent {
  /** A recording: it is all there is, and the stream says nothing. */
  readonly recorded: boolean;
  /** A machine that was saved: its one sample is all there is, and nothing of it changes. */
  readonly saved?: boolean;
  /** Of the recording or the saved machine: a file's name, no path. */
  readonly name?: string;
  /** Oldest first. */
  readonly samples: readonly Sample[];
}

/** GET /api/serving */
export interface Serving {
  /** False: this server serves no models, it only shows. */
  readonly serves: boolean;
  readonly models: readonly ModelState[];
  readonly figures: readonly ModelFigures[];
}
