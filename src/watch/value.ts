/**
 * From what a driver writes to a number in base units, or to why there is none. A number that no such hardware can have (all bits set,
 * 300 percent) is what drivers give when a device does not answer: it is told as nonsense and not as a value.
 */

import { absent, chain, malformed, read, type Reading } from "../base/reading.ts";
import type { KnownMetric, Metric, UnknownMetric } from "./sample.ts";

/** What a number of this unit can be. The first row whose ending fits decides. */
const PLAUSIBLE: readonly { readonly ending: string; readonly least: number; readonly most: number }[] = [
  { ending: "_ratio", least: 0, most: 1 },
  { ending: "_celsius", least: -273.15, most: 1000 },
  // Some meters give what flows back.
  { ending: "_watts", least: -100_000, most: 100_000 },
  { ending: "_amperes", least: -100_000, most: 100_000 },
  { ending: "_volts", least: -1_000, most: 1_000 },
  { ending: "_hertz", least: 0, most: 1e12 },
  { ending: "_rpm", least: 0, most: 1e6 },
];
const MOST_COUNT = Number.MAX_SAFE_INTEGER;

/** A number in base units, if hardware can have it. */
export function plausible(name: string, value: number, from: string): Reading<number> {
  const row = PLAUSIBLE.find(({ ending }) => name.endsWith(ending));
  const [least, most] = row === undefined ? [0, MOST_COUNT] : [row.least, row.most];
  if (!Number.isFinite(value) || value < least || value > most) return malformed(from, `${value} makes no sense`);
  return read(value, from);
}

/** "1234", "-5", "0x1f", "12.5": what sysfs writes as one number, times the scale, without the dust of floating point. */
export function oneNumber(text: string, from: string, scale = 1): Reading<number> {
  const trimmed = text.length > 64 ? text.slice(0, 64).trim() : text.trim();
  if (!/^(?:0x[0-9a-f]{1,16}|-?\d{1,20}(?:\.\d{1,12})?)$/i.test(trimmed)) {
    return malformed(from, trimmed === "" ? "empty" : `not a number: ${JSON.stringify(trimmed.slice(0, 40))}`);
  }
  return read(scaled(Number(trimmed), scale), from);
}

/** Decimal scales are divided by, so that 41250 thousandths are 41.25 and not 41.250000000000001. */
export function scaled(value: number, scale: number): number {
  if (scale === 1) return value;
  const inverse = Math.round(1 / scale);
  return scale < 1 && Math.abs(inverse * scale - 1) < 1e-9 ? value / inverse : value * scale;
}

export function known(name: string, part: string | undefined, from: string, value: number): KnownMetric {
  return part === undefined ? { name, from, value } : { name, part, from, value };
}

export function unknown(
  name: string,
  part: string | undefined,
  from: string,
  why: UnknownMetric["why"],
  says: string,
): UnknownMetric {
  return part === undefined ? { name, from, value: null, why, says } : { name, part, from, value: null, why, says };
}

/** A reading as a metric. `needs`: whom to be where it is denied. */
export function metricOf(name: string, part: string | undefined, reading: Reading<number>, needs = "root"): Metric {
  const sane = chain(reading, (value, from) => plausible(name, value, from));
  if (sane.state === "read") return known(name, part, sane.from, sane.value);
  return unknown(name, part, sane.from, sane.state, saysOf(sane, needs));
}

/** One sentence for people. */
export function saysOf(
  { state, why }: { readonly state: UnknownMetric["why"]; readonly why?: string },
  needs: string,
): string {
  switch (state) {
    case "denied":
      return `only ${needs} may read it`;
    case "absent":
      return why ?? "this driver or kernel does not have it";
    case "uncaptured":
      return why ?? "what was saved of this machine does not hold it";
    default:
      return why === undefined ? "what is there makes no sense" : errorWords(why);
  }
}

/** Errors with which drivers say that they have no such value (amdgpu, hwmon core). */
const NO_VALUE: ReadonlySet<string> = new Set(["EOPNOTSUPP", "ENOTSUP", "ENODATA", "EINVAL"]);

const errorWords = (why: string): string =>
  /^E[A-Z0-9]{2,}$/.test(why) ? `the driver answers with the error ${why}` : why;

/** A driver that has the file and no value in it has none: ENODATA is no nonsense. */
export function withoutValue<T>(reading: Reading<T>): Reading<T> {
  return reading.state === "malformed" && reading.why !== undefined && NO_VALUE.has(reading.why)
    ? absent(reading.from, `the driver has no value for it here (${reading.why})`)
    : reading;
}
