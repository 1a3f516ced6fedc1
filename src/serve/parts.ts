/**
 * What `accelctl serve` serves over HTTP: one line for each part. A part is loaded when it is wanted, so that a server without a page
 * or without models pays for neither.
 */

import type { Part } from "./door.ts";
import type { Engine } from "./engine.ts";
import type { Limits } from "./http/limits.ts";

export interface PartsOptions {
  /** Absent: no models are served. */
  readonly engine?: Engine;
  readonly limits: Limits;
  readonly page: boolean;
  /** The page may take models and run them. */
  readonly run: boolean;
  readonly metrics: boolean;
  readonly environments?: readonly string[];
}

export async function serveParts(options: PartsOptions): Promise<readonly Part[]> {
  const { engine, limits, page, run, metrics, environments } = options;
  const served = engine === undefined ? {} : { engine };
  const found = environments === undefined ? {} : { environments };
  return [
    ...(engine === undefined ? [] : [(await import("./oip/rest.ts")).oipPart(engine, limits)]),
    ...(engine === undefined ? [] : [(await import("./chat/part.ts")).chatPart(engine)]),
    ...(metrics ? [(await import("./metrics-source.ts")).ownMetrics({ ...served, ...found })] : []),
    ...(page ? (await import("./page/parts.ts")).pageParts({ ...served, ...found, run }) : []),
  ];
}
