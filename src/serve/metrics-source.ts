/** What /metrics tells of this machine: a sample for each scrape, a report that is kept for a while, figures of the served models. */

import { openRoot } from "../root/open.ts";
import type { Report } from "../review/report.ts";
import { openWatch, type Watch } from "../watch/watch.ts";
import type { Part } from "./door.ts";
import type { ServedCalls, ServedHttp } from "../export/prometheus.ts";
import type { Engine } from "./engine.ts";
import type { HttpFigures } from "./http/figures.ts";
import { metricsPart } from "./metrics.ts";
import { reviewJson } from "./page/reviewer.ts";

/** Drivers, firmware and packages change by hands, not by seconds. */
const KEPT_MS = 60_000;

export interface OwnMetricsOptions {
  readonly engine?: Engine;
  readonly environments?: readonly string[];
  /** Ask NVIDIA's library. */
  readonly vendor?: boolean;
  /** What the server counts into. */
  readonly http?: HttpFigures;
  /** What the server of gRPC has counted. */
  readonly grpc?: () => readonly ServedCalls[];
}

export function ownMetrics({ engine, environments = [], vendor = false, http, grpc }: OwnMetricsOptions): Part {
  let watch: Watch | undefined;
  let report: Report | undefined;
  let asked = -Infinity;
  /** A scrape never waits for a review: it tells what is known, and the next one tells more. */
  const refresh = (): void => {
    const now = performance.now();
    if (now - asked < KEPT_MS) return;
    asked = now;
    reviewJson({ environments }).then(
      (json) => {
        report = JSON.parse(json.toString("utf8")) as Report; // its own --json
      },
      () => {
        report = undefined; // what is not known has no series
      },
    );
  };
  const part = metricsPart(() => {
    refresh();
    watch ??= openWatch(openRoot(), { vendor });
    return {
      sample: watch.sample(),
      ...(report === undefined ? {} : { report }),
      ...(engine === undefined ? {} : { models: engine.figures() }),
      ...(http === undefined ? {} : { http: servedHttp(http) }),
      ...(grpc === undefined ? {} : { grpc: grpc() }),
    };
  });
  return {
    ...part,
    close: () => {
      watch?.close();
      return Promise.resolve();
    },
  };
}

/** Routes by their patterns. What was asked where nothing is served is one row. */
export const servedHttp = (figures: HttpFigures): ServedHttp => ({
  ...figures,
  routes: Array.from(figures.routes, ([route, { answers, seconds }]) => ({
    method: route?.method ?? "",
    route: route?.path ?? "(none)",
    answers,
    seconds: seconds.spread(),
  })),
});
