/**
 * Alerts: a metric beyond a threshold for some time. Written `METRIC[PART] COMPARISON NUMBER [for TIME] [on DEVICE]`:
 * "power_watts > 75 for 10s", "temperature_celsius[edge] >= 90", "busy_ratio < 5% for 1m on intel-npu". Names may be patterns (glob). A gap
 * in a metric is no value: it neither fires an alert nor keeps one going.
 */

import { UsageError } from "../base/errors.ts";
import { globMatches } from "../families/match.ts";
import { isSampleMeant } from "./choose.ts";
import type { DeviceSample, KnownMetric, Metric, Sample } from "./sample.ts";

const COMPARISONS = {
  ">": (value: number, bound: number) => value > bound,
  ">=": (value: number, bound: number) => value >= bound,
  "<": (value: number, bound: number) => value < bound,
  "<=": (value: number, bound: number) => value <= bound,
} as const;
type Comparison = keyof typeof COMPARISONS;

export interface AlertRule {
  /** As it was typed. */
  readonly text: string;
  readonly metric: string;
  readonly part?: string;
  readonly device?: string;
  readonly comparison: Comparison;
  readonly bound: number;
  readonly seconds: number;
}

/** What --alert-exec is given as JSON on its standard input. */
export interface AlertEvent {
  readonly alert: string;
  readonly state: "firing" | "ended";
  readonly device: string;
  readonly name: string;
  readonly metric: string;
  readonly part?: string;
  /** Null of an alert that ended because there was no value any more. */
  readonly value: number | null;
  readonly comparison: string;
  readonly bound: number;
  /** Of the first sample of this stretch that was beyond the bound. */
  readonly since: string;
  readonly at: string;
}

const SCALES: Readonly<Record<string, number>> = {
  "": 1,
  "%": 0.01,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};
const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600 };
const EXAMPLE = `"power_watts > 75 for 10s", "temperature_celsius[edge] >= 90", "busy_ratio < 5% for 1m on intel-npu"`;
/** A week: longer than anybody waits for. */
const LONGEST = 7 * 86_400;
/** Of one alert's text. */
const TEXT_LIMIT = 300;

/** Throws UsageError that shows how one is written. */
export function parseAlert(text: string): AlertRule {
  const wrong = (what: string): UsageError =>
    new UsageError(`--alert "${text.slice(0, TEXT_LIMIT)}": ${what}; it is written like ${EXAMPLE}`);
  if (text.length > TEXT_LIMIT) throw wrong(`longer than ${TEXT_LIMIT} characters`);
  const [, metric = "", part, comparison, rest = ""] =
    /^\s*([a-z_*?][a-z0-9_*?]*)\s*(?:\[([^\]]*)\])?\s*(>=|<=|>|<)\s*(.*)$/.exec(text) ?? [];
  if (!isComparison(comparison)) throw wrong("needs a metric, one of > >= < <=, and a number");
  const [, number = "", scale = "", more = ""] =
    /^(-?\d{1,15}(?:\.\d{1,9})?)\s*(%|[KMGT]i|[kMGT])?(?:B|Hz|W|V|A|C|s)?(?:\s+(.*))?$/.exec(rest.trim()) ?? [];
  if (number === "") throw wrong(`"${rest.trim()}" does not begin with a number`);
  const { seconds, device } = clauses(more, wrong);
  return {
    text: text.trim(),
    metric,
    ...(part === undefined ? {} : { part: part.trim() }),
    ...(device === undefined ? {} : { device }),
    comparison,
    bound: Number(number) * (SCALES[scale] ?? 1),
    seconds,
  };
}

const isComparison = (text: string | undefined): text is Comparison => text !== undefined && text in COMPARISONS;

/** "for 10s" and "on DEVICE" in either order, each at most once. */
function clauses(text: string, wrong: (what: string) => UsageError): { seconds: number; device?: string } {
  const words = text.trim() === "" ? [] : text.trim().split(/\s+/);
  let seconds: number | undefined;
  let device: string | undefined;
  while (words.length > 0) {
    const [word, value] = words.splice(0, 2);
    if (word === "for" && value !== undefined && seconds === undefined) {
      // "10 s" is as good as "10s".
      const whole =
        /^[\d.]+$/.test(value) && words[0] !== undefined && words[0] in SECONDS ? value + (words.shift() ?? "") : value;
      const [, number = "", unit = "s"] = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|min|m|h)?$/.exec(whole) ?? [];
      seconds = Number(number) * (SECONDS[unit] ?? 1);
      if (number === "" || seconds > LONGEST) throw wrong(`"for ${whole}" is no time up to a week`);
    } else if (word === "on" && value !== undefined && device === undefined) {
      device = value;
    } else {
      throw wrong(`"${[word, value].filter((one) => one !== undefined).join(" ")}" is not understood`);
    }
  }
  return { seconds: seconds ?? 0, ...(device === undefined ? {} : { device }) };
}

interface Stretch {
  readonly since: string;
  readonly begun: number;
  firing: boolean;
  last: KnownMetric;
}

/** Follows samples; gives what fired and what ended with each. */
export class Alerts {
  readonly #rules: readonly AlertRule[];
  readonly #stretches = new Map<string, { rule: AlertRule; device: DeviceSample; stretch: Stretch }>();
  #clock = 0;
  #fired = 0;

  constructor(rules: readonly AlertRule[]) {
    this.#rules = rules;
  }

  /** Has any fired so far? */
  get fired(): boolean {
    return this.#fired > 0;
  }

  follow(sample: Sample): readonly AlertEvent[] {
    const events: AlertEvent[] = [];
    // A watch that begins anew knows nothing of the time before: what fired then has ended, as far as anybody can tell.
    if (sample.elapsed_seconds === null) {
      for (const { rule, device, stretch } of this.#stretches.values()) {
        if (stretch.firing) events.push(eventOf(rule, device, stretch.last, stretch, sample.at, "ended", null));
      }
      this.#stretches.clear();
    }
    this.#clock += sample.elapsed_seconds ?? 0;
    const beyond = new Set<string>();
    for (const [at, rule] of this.#rules.entries()) {
      for (const device of sample.devices) {
        if (rule.device !== undefined && !isSampleMeant(device, [rule.device])) continue;
        for (const metric of device.metrics) {
          if (!concerns(rule, metric) || metric.value === null) continue;
          if (!COMPARISONS[rule.comparison](metric.value, rule.bound)) continue;
          const key = `${at}\0${device.id}\0${metric.name}\0${metric.part ?? ""}`;
          beyond.add(key);
          const kept = this.#stretches.get(key);
          const stretch: Stretch = kept?.stretch ?? {
            since: sample.at,
            begun: this.#clock,
            firing: false,
            last: metric,
          };
          stretch.last = metric;
          this.#stretches.set(key, { rule, device, stretch });
          // Sums of intervals carry the dust of floating point.
          if (stretch.firing || this.#clock - stretch.begun < rule.seconds - 1e-6) continue;
          stretch.firing = true;
          this.#fired++;
          events.push(eventOf(rule, device, metric, stretch, sample.at, "firing", metric.value));
        }
      }
    }
    for (const [key, { rule, device, stretch }] of this.#stretches) {
      if (beyond.has(key)) continue;
      this.#stretches.delete(key);
      if (!stretch.firing) continue;
      const now = sample.devices
        .find(({ id }) => id === device.id)
        ?.metrics.find(({ name, part }) => name === stretch.last.name && part === stretch.last.part);
      events.push(eventOf(rule, device, stretch.last, stretch, sample.at, "ended", now?.value ?? null));
    }
    return events;
  }
}

const concerns = (rule: AlertRule, { name, part }: Metric): boolean =>
  globMatches(rule.metric, name) && (rule.part === undefined || globMatches(rule.part, part ?? ""));

function eventOf(
  { text, comparison, bound }: AlertRule,
  { id, name }: DeviceSample,
  metric: KnownMetric,
  { since }: Stretch,
  at: string,
  state: AlertEvent["state"],
  value: number | null,
): AlertEvent {
  return {
    alert: text,
    state,
    device: id,
    name,
    metric: metric.name,
    ...(metric.part === undefined ? {} : { part: metric.part }),
    value,
    comparison,
    bound,
    since,
    at,
  };
}
