/**
 * What `accelctl serve` serves over HTTP: one line for each part. A part is loaded when it is wanted, so that a server without a page
 * or without models pays for neither.
 */

import type { Part } from "./door.ts";
import type { Engine } from "./engine.ts";
import type { HttpFigures } from "./http/figures.ts";
import type { OwnMetricsOptions } from "./metrics-source.ts";
import type { Limits } from "./http/limits.ts";

export interface PartsOptions {
  /** Absent: no models are served. */
  readonly engine?: Engine;
  readonly limits: Limits;
  readonly page: boolean;
  /** The page may take models and run them. */
  readonly run: boolean;
  readonly metrics: boolean;
  /** What the server counts into; /metrics tells it. */
  readonly http?: HttpFigures;
  /** What the server of gRPC has counted. */
  readonly grpc?: OwnMetricsOptions["grpc"];
  readonly environments?: readonly string[];
  /** Ask NVIDIA's library for metrics. */
  readonly vendor?: boolean;
}

export async function serveParts(options: PartsOptions): Promise<readonly Part[]> {
  const { engine, limits, page, run, metrics, environments, vendor = false, http, grpc } = options;
  const served = engine === undefined ? {} : { engine };
  const counted = { ...(http === undefined ? {} : { http }), ...(grpc === undefined ? {} : { grpc }) };
  const found = { vendor, ...(environments === undefined ? {} : { environments }) };
  return [
    ...(engine === undefined ? [] : [(await import("./oip/rest.ts")).oipPart(engine, limits)]),
    ...(engine === undefined ? [] : [(await import("./chat/part.ts")).chatPart(engine)]),
    ...(metrics ? [(await import("./metrics-source.ts")).ownMetrics({ ...served, ...found, ...counted })] : []),
    ...(page ? (await import("./page/parts.ts")).pageParts({ ...served, ...found, run }) : []),
  ];
}
