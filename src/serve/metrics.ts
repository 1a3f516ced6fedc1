/**
 * GET /metrics: Prometheus text, or OpenMetrics for a scraper that asks for it.
 * https://prometheus.io/docs/instrumenting/content_negotiation/
 */

import type * as Zlib from "node:zlib";
import { requireLate } from "../base/package.ts";
import { contentTypes, type ExpositionFormat } from "../export/exposition.ts";
import { renderPrometheus, type Exposed } from "../export/prometheus.ts";
import type { Part } from "./door.ts";

/** What is told of each scrape. Scrapers come by seconds: a source keeps a report for a while instead of reviewing each time. */
export type MetricsSource = () => Sourced | Promise<Sourced>;
type Sourced = Pick<Exposed, "sample" | "report" | "models" | "http" | "grpc">;

/** Smaller ones gain nothing by it. */
const COMPRESS_BYTES = 1400;

export function metricsPart(source: MetricsSource, options: { readonly processes?: boolean } = {}): Part {
  return {
    name: "metrics",
    routes: [
      {
        method: "GET",
        path: "/metrics",
        answer: async (exchange) => {
          const { headers: asked } = exchange.request;
          const begun = performance.now();
          const exposed = await source();
          const scrape_seconds = (performance.now() - begun) / 1000;
          const format = wantedFormat(asked.accept);
          const text = await renderPrometheus({ ...exposed, ...options, scrape_seconds }, format);
          const headers = {
            "content-type": contentTypes[format],
            vary: "accept, accept-encoding",
            "cache-control": "no-store",
          };
          if (text.length < COMPRESS_BYTES || !takesGzip(asked["accept-encoding"])) {
            exchange.send(200, text, headers);
            return;
          }
          const { gzipSync } = requireLate("node:zlib") as typeof Zlib;
          exchange.send(200, gzipSync(text, { level: 1 }), { ...headers, "content-encoding": "gzip" });
        },
      },
    ],
  };
}

/** OpenMetrics when it is preferred; Prometheus text otherwise, also where neither is asked for: a person's browser. */
export function wantedFormat(accept: string | undefined): ExpositionFormat {
  let [open, plain] = [0, 0];
  for (const { name, q, version } of ranges(accept)) {
    if (name === "application/openmetrics-text" && (version === undefined || version === "1.0.0"))
      open = Math.max(open, q);
    if (name === "text/plain" || name === "text/*" || name === "*/*") plain = Math.max(plain, q);
  }
  return open > 0 && open >= plain ? "openmetrics" : "prometheus";
}

function takesGzip(accept: string | string[] | undefined): boolean {
  return ranges(String(accept ?? "")).some(({ name, q }) => (name === "gzip" || name === "*") && q > 0);
}

/** Ranges of an Accept header; those that are none are passed over. RFC 9110, 12.5. */
function ranges(header = ""): { name: string; q: number; version?: string }[] {
  // Longer than any that scrapers send (Prometheus 3: 400 characters).
  return header
    .slice(0, 2000)
    .split(",")
    .map((range) => {
      const [name = "", ...parameters] = range.split(";").map((text) => text.trim().toLowerCase());
      const value = (key: string): string | undefined =>
        parameters
          .find((text) => text.startsWith(`${key}=`))
          ?.slice(key.length + 1)
          .replace(/^"(.*)"$/, "$1");
      const q = Number(value("q") ?? 1);
      const version = value("version");
      return { name, q: q >= 0 && q <= 1 ? q : 0, ...(version === undefined ? {} : { version }) };
    });
}
