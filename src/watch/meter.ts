/**
 * Meter: what gives one or several metrics of a device, found once and read at every sample. A meter keeps what it needs from one
 * sample to the next (the last count of a counter) and says of itself whether reading it leaves a sleeping device asleep.
 */

import { chain, map, valueOf, type Reading } from "../base/reading.ts";
import { utf8 } from "../base/bytes.ts";
import type { Root } from "../root/root.ts";
import { treeOf } from "../root/tree.ts";
import type { Metric } from "./sample.ts";
import { metricOf, oneNumber, plausible, unknown, withoutValue } from "./value.ts";

/** What a metric is called and where it comes from, before anything is read. */
export interface Named {
  readonly name: string;
  readonly part?: string;
  readonly from: string;
}

export interface Tick {
  /** Of the sample: rates are made of two that follow each other. */
  readonly sequence: number;
  /** Milliseconds on a clock that never steps. */
  readonly time: () => number;
  /** False on a saved machine: what is read there twice is one moment. */
  readonly moves: boolean;
}

export interface Meter {
  /** Reading it leaves a sleeping device asleep, and what it tells holds then. */
  readonly safe: boolean;
  /** What it gives; told as asleep instead of being read. */
  readonly gives: readonly Named[];
  read(tick: Tick): readonly Metric[];
  /** What it was found by is gone: the device is to be looked at anew. */
  gone?(): boolean;
  /** What it keeps running. */
  close?(): void;
}

/** What follows from a counter: its growth in a second, or what is left of a second ("rest": asleep so long, awake the rest). */
export interface Derived {
  readonly name: string;
  readonly how: "rate" | "rest";
  /** Where the counter begins again at 0. */
  readonly wraps_at?: number;
}

/** A number that is always the same: told without asking anybody. */
export function fixedMeter(metrics: readonly Metric[]): Meter {
  return { safe: true, gives: metrics, read: () => metrics };
}

export interface FileMeterOptions {
  readonly name: string;
  readonly part?: string;
  readonly path: string;
  readonly scale?: number;
  readonly safe?: boolean;
  readonly needs?: string;
  readonly derived?: Derived;
  /** How the text becomes a number; absent: one number. */
  readonly parse?: (text: string, from: string) => Reading<number>;
}

/** One number of one file, and what follows from it. */
export function fileMeter(root: Root, options: FileMeterOptions): Meter {
  const { name, part, path, scale, derived, needs } = options;
  const parse = options.parse ?? ((text: string, from: string) => oneNumber(text, from, scale));
  const rate = derived === undefined ? undefined : new Rate(derived, part, path);
  const own: Named = part === undefined ? { name, from: path } : { name, part, from: path };
  let lost = false;
  return {
    safe: options.safe ?? false,
    gives: rate === undefined ? [own] : [own, rate.named],
    read(tick) {
      const text = withoutValue(attributeText(root, path));
      lost = isGone(text);
      const reading = chain(chain(text, parse), (value, from) => plausible(name, value, from));
      const metric = metricOf(name, part, reading, needs);
      return rate === undefined ? [metric] : [metric, rate.next(tick, reading, metric)];
    },
    gone: () => lost,
  };
}

/** A file that was there and is not: the device left, or its driver was loaded anew. */
export const isGone = (reading: Reading<unknown>): boolean =>
  (reading.state === "absent" && reading.why === undefined) ||
  (reading.state === "malformed" && (reading.why === "ENODEV" || reading.why === "ENXIO"));

/** Growth of a counter between two samples. */
export class Rate {
  readonly named: Named;
  readonly #derived: Derived;
  #before: { readonly sequence: number; readonly at: number; readonly value: number } | undefined;

  constructor(derived: Derived, part: string | undefined, from: string) {
    this.#derived = derived;
    this.named = part === undefined ? { name: derived.name, from } : { name: derived.name, part, from };
  }

  /** `counter` is the metric of the counter itself: where it has no value its reason is the rate's. */
  next({ sequence, time, moves }: Tick, counter: Reading<number>, told?: Metric): Metric {
    const { name, part, from } = this.named;
    if (counter.state !== "read") {
      this.#before = undefined;
      const why = told !== undefined && told.value === null ? told : metricOf(name, part, counter);
      return why.value === null ? unknown(name, part, from, why.why, why.says) : why;
    }
    if (!moves) return unknown(name, part, from, "uncaptured", ONE_MOMENT);
    const before = this.#before;
    const now = time();
    this.#before = { sequence, at: now, value: counter.value };
    // A device that slept in between was not read, and its mean over that time is not what it does now.
    if (before?.sequence !== sequence - 1 || now <= before.at) return unknown(name, part, from, "first", TWO_SAMPLES);
    let more = counter.value - before.value;
    if (more < 0 && this.#derived.wraps_at !== undefined) more += this.#derived.wraps_at;
    if (more < 0) return unknown(name, part, from, "first", ANEW);
    const rate = more / ((now - before.at) / 1000);
    const value = this.#derived.how === "rest" ? 1 - rate : rate;
    // A counter's last step may lie a little before or behind the clock's.
    const bounded = name.endsWith("_ratio") ? Math.min(1, Math.max(0, value)) : value;
    return metricOf(
      name,
      part,
      map(counter, () => bounded),
    );
  }
}

/** An attribute that was looked up before: read without asking first what it is, where it can only be a file. */
export function attributeText(root: Root, path: string): Reading<string> {
  const tree = root.kind === "live" && path.startsWith("/sys/") ? treeOf(root) : undefined;
  return tree === undefined ? root.text(path) : map(tree.read(path, 0, ATTRIBUTE_LIMIT), utf8);
}

/** Attributes of sysfs fill a page at most. */
const ATTRIBUTE_LIMIT = 64 * 1024;

export const ONE_MOMENT = "a saved machine is one moment, and a rate needs two";
const TWO_SAMPLES = "a rate needs two samples";
const ANEW = "the counter began anew: a rate needs two samples";

/** Text of an attribute, trimmed; undefined where there is none. */
export const wordOf = (root: Root, path: string): string | undefined => {
  const text = valueOf(root.text(path))?.slice(0, 200).replaceAll("\0", "").trim();
  return text === "" ? undefined : text;
};
