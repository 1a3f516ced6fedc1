/**
 * Exposition: metric families as the texts that Prometheus and OpenMetrics scrapers read, written by prom-client.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 */

import type * as PromClient from "prom-client";
import { requireLate } from "../base/package.ts";

export type ExpositionFormat = "prometheus" | "openmetrics";

/** What a scraper is told that it gets. */
export const contentTypes = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const satisfies Record<ExpositionFormat, string>;

/** One metric family. Names of counters end in _total, of everything in its base unit. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly values: readonly Point[];
}

export type Labels = Readonly<Record<string, string>>;

export interface Point {
  /** Of a histogram: _bucket, _sum or _count. */
  readonly suffix?: string;
  readonly labels: Labels;
  readonly value: number;
}

/** Cumulative counts by upper bound; what lies above the last bound is in `count` alone. */
export interface Distribution {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** A label is read by people and held in memory by every scraper; names of hardware and programs are shorter. */
const LABEL_LENGTH = 128;
/** A machine with 64 devices has some 5,000 series. Prometheus drops a whole scrape past its own limit, so ours says what it left out. */
export const SERIES_LIMIT = 20_000;

/** Puts families together point by point: one point for each set of labels, and never too many of them. */
export class Exposition {
  readonly #families = new Map<string, { help: string; type: Family["type"]; points: Map<string, Point> }>();
  #series = 0;
  #leftOut = 0;

  gauge(name: string, help: string, labels: Labels, value: number): void {
    this.#put(name, help, "gauge", [{ labels, value }]);
  }

  /** A count that only grows; anything below 0 is none. */
  counter(name: string, help: string, labels: Labels, value: number): void {
    if (value < 0) this.#leftOut++;
    else this.#put(name, help, "counter", [{ labels, value }]);
  }

  histogram(name: string, help: string, labels: Labels, spread: Distribution): void {
    const buckets = spread.bounds.map((bound, i) => ({
      suffix: "_bucket",
      labels: { ...labels, le: canonical(bound) },
      value: spread.counts[i] ?? spread.count,
    }));
    this.#put(name, help, "histogram", [
      ...buckets,
      { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: spread.count },
      { suffix: "_sum", labels, value: spread.sum },
      { suffix: "_count", labels, value: spread.count },
    ]);
  }

  /** For what cannot be told by a series: it is counted. */
  leaveOut(): void {
    this.#leftOut++;
  }

  get leftOut(): number {
    return this.#leftOut;
  }

  families(): readonly Family[] {
    return Array.from(this.#families, ([name, { help, type, points }]) => ({
      name,
      help,
      type,
      values: [...points.values()],
    }));
  }

  #put(name: string, help: string, type: Family["type"], given: readonly Point[]): void {
    const points = given.map((point) => ({ ...point, labels: clean(point.labels) }));
    const family = this.#families.get(name);
    const seen = points.some((point) => family?.points.has(keyOf(point)));
    const wrong = family !== undefined && family.type !== type;
    if (seen || wrong || this.#series + points.length > SERIES_LIMIT) {
      this.#leftOut++;
      return;
    }
    const into = family ?? { help, type, points: new Map<string, Point>() };
    if (family === undefined) this.#families.set(name, into);
    for (const point of points) into.points.set(keyOf(point), point);
    this.#series += points.length;
  }
}

const keyOf = ({ suffix = "", labels }: Point): string => JSON.stringify([suffix, labels]);

/** Floats with a point: what OpenMetrics asks of `le`, so that a bound is spelled the same in both texts. */
const canonical = (bound: number): string =>
  Number.isInteger(bound) && Math.abs(bound) < 1e21 ? `${bound}.0` : String(bound);

/**
 * Labels without a value are none. Control characters out of a device's or program's name would be carried into terminals and pages;
 * halves of a surrogate pair are no UTF-8.
 */
function clean(labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => [
        name,
        Array.from(value.slice(0, LABEL_LENGTH * 2), (c) => (control.test(c) ? "\ufffd" : c))
          .slice(0, LABEL_LENGTH)
          .join(""),
      ]),
  );
}

const control = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/u;

/** What a registry asks of its metrics. */
interface Told {
  readonly name: string;
  readonly help: string;
  readonly type: Family["type"];
  readonly values: readonly { readonly labels: Labels; readonly value: number; readonly metricName?: string }[];
  readonly get: () => Promise<Told>;
}

/** The whole text; ends in a newline. */
export async function write(families: readonly Family[], format: ExpositionFormat): Promise<string> {
  const { Registry } = requireLate("prom-client") as typeof PromClient; // 30 ms: only when somebody scrapes
  const registry = new Registry<PromClient.RegistryContentType>();
  registry.setContentType(contentTypes[format]);
  for (const { name, help, type, values } of families) {
    const told: Told = {
      name,
      help,
      type,
      values: values.map(({ suffix, labels, value }) => ({
        labels,
        value,
        ...(suffix === undefined ? {} : { metricName: name + suffix }),
      })),
      get: () => Promise.resolve(told),
    };
    // A registry asks its metrics for nothing but a name, a type and get(), and its aggregator registers such objects too. Values that
    // are read from elsewhere (a histogram's above all) cannot be put into prom-client's own classes. A counter is renamed by it, so
    // get() gives the object itself.
    registry.registerMetric(told as unknown as PromClient.Metric);
  }
  return registry.metrics();
}
