/** Meters of files that hold more than one bare number: what each form of the catalogue's (MetricSpec.form) becomes. */

import { absent, chain, malformed, read, type Reading } from "../base/reading.ts";
import type { MetricSpec } from "../families/family.ts";
import type { Root } from "../root/root.ts";
import { attributeText, isGone, Rate, type Meter } from "./meter.ts";
import type { Metric } from "./sample.ts";
import { metricOf, oneNumber, plausible, scaled, withoutValue } from "./value.ts";

export type Form = Exclude<NonNullable<MetricSpec["form"]>, "word">;

interface Found {
  readonly part?: string;
  readonly value: number;
}

type Parse = (text: string, from: string, line: string | undefined) => Reading<readonly Found[]>;

/** Far more than any of these files holds. */
const TEXT_LIMIT = 4096;
/** More cores, or counters, than any such chip has are none. */
const FOUND_LIMIT = 64;

const FORMS: Readonly<Record<Form, Parse>> = { percents, counts, current, measure, usage, watched, hexadecimal };

export function formMeter(
  root: Root,
  { name, scale = 1, safe, line, derived }: MetricSpec,
  form: Form,
  part: string | undefined,
  path: string,
  needs: string,
): Meter {
  let lost = false;
  const own = part === undefined ? { name, from: path } : { name, part, from: path };
  const rates = new Map<string, Rate>();
  return {
    safe: safe ?? false,
    gives: derived === undefined ? [own] : [own, { ...own, name: derived.name }],
    read(tick): readonly Metric[] {
      const text = withoutValue(attributeText(root, path));
      lost = isGone(text);
      const found = chain(text, (all, from) => FORMS[form](all.slice(0, TEXT_LIMIT), from, line));
      if (found.state !== "read") return [metricOf(name, part, found, needs)];
      return found.value.flatMap((one) => {
        const words = [part, one.part].filter((word) => word !== undefined).join(" ");
        const whole = words === "" ? undefined : words;
        const reading = plausible(name, scaled(one.value, scale), path);
        const metric = metricOf(name, whole, reading, needs);
        if (derived === undefined) return [metric];
        const rate = rates.get(words) ?? new Rate(derived, whole, path);
        rates.set(words, rate);
        return [metric, rate.next(tick, reading, metric)];
      });
    },
    gone: () => lost,
  };
}

const notA = (what: string, text: string, from: string): Reading<never> =>
  malformed(from, `not ${what}: ${JSON.stringify(text.trim().slice(0, 40))}`);

/**
 * "NPU load:  Core0: 12%, Core1:  0%," by core, "NPU load: 12%" as a whole (drivers/rknpu/rknpu_debugger.c of Rockchip's kernel);
 * "chip0(group0):12% " by chip, of those that have work to do (memx_fs_proc.c).
 */
export function percents(text: string, from: string): Reading<readonly Found[]> {
  const loads = [...text.matchAll(/(?:(core|chip)\s*(\d{1,2})(?:\(\w{1,16}\))?:\s*)?(\d{1,3})\s*%/gi)].map(
    ([, word, index, percent = ""]): Found => ({
      ...(word === undefined || index === undefined ? {} : { part: `${word.toLowerCase()} ${Number(index)}` }),
      value: Number(percent),
    }),
  );
  if (loads.length === 0 && text.trim() === "") return absent(from, "the driver tells none at the moment");
  return loads.length === 0 || loads.length > FOUND_LIMIT ? notA("a load", text, from) : read(loads, from);
}

/** Lines "AXI Post Error: 0". */
export function counts(text: string, from: string, line?: string): Reading<readonly Found[]> {
  const all = [...text.matchAll(/^[ \t]*([\w][\w \-/]{0,40}?):[ \t]*(\d{1,16})[ \t]*$/gm)].map(
    ([, part = "", count]) => ({
      part,
      value: Number(count),
    }),
  );
  if (all.length === 0 || all.length > FOUND_LIMIT) return notA("a list of counts", text, from);
  if (line === undefined) return read(all, from);
  const named = all.find(({ part }) => part === line);
  return named === undefined ? absent(from, `no line ${line} in it`) : read([{ value: named.value }], from);
}

/** "0: 500Mhz", "1: 2500Mhz *"; "S: 19Mhz *" asleep deeply. Documentation/gpu/amdgpu/thermal.rst (pp_dpm_sclk) */
export function current(text: string, from: string): Reading<readonly Found[]> {
  const mega = /^\s*\w{1,4}:\s*(\d{1,6})\s*Mhz\s*\*\s*$/im.exec(text)?.[1];
  if (mega !== undefined) return read([{ value: Number(mega) }], from);
  return /^\s*\w{1,4}:\s*\d{1,6}\s*Mhz/im.test(text) || text.trim() === ""
    ? absent(from, "the driver marks no level as the one at the moment")
    : notA("a list of clocks", text, from);
}

/** "41 C", "1000 MHz", "12 MB"; "N/A" where the board has no such sensor. */
export function measure(text: string, from: string): Reading<readonly Found[]> {
  const trimmed = text.trim();
  if (trimmed === "N/A") return absent(from, "this board has no sensor for it (N/A)");
  const [, number, unit] = /^(-?\d{1,15})\s?([A-Za-z]{1,4})$/.exec(trimmed) ?? [];
  if (number === undefined || unit === undefined) return notA("a number with its unit", text, from);
  const value = oneNumber(number, from);
  return value.state === "read" ? read([{ value: value.value }], from) : value;
}

/** "usage:12 avusage:3": the last window and the mean since the start (bm_attr.c). */
export function usage(text: string, from: string): Reading<readonly Found[]> {
  const percent = /^usage:(\d{1,3}) avusage:/.exec(text.trim())?.[1];
  if (percent !== undefined) return read([{ value: Number(percent) }], from);
  return /Usage enable/.test(text)
    ? absent(from, "its driver does not measure it at the moment: npu_usage_enable is 0")
    : notA("a load", text, from);
}

/** "POWER_STATUS_VALID,1700000000,10.00,30.25,20.50": least, most and mean percent of the power it may draw (neuron_power.c). */
export function watched(text: string, from: string): Reading<readonly Found[]> {
  const [status = "", time, least, most, mean, ...more] = text.trim().split(",");
  if (time === undefined || least === undefined || most === undefined || mean === undefined || more.length > 0) {
    return notA("a status with numbers", text, from);
  }
  if (!/^POWER_STATUS_VALID$/.test(status)) {
    return absent(from, `its driver has no value: ${JSON.stringify(status.slice(0, 32))}`);
  }
  return chainAll([
    { part: "least", value: oneNumber(least, from) },
    { part: "mean", value: oneNumber(mean, from) },
    { part: "most", value: oneNumber(most, from) },
  ]);
}

/** "7c0000" */
export function hexadecimal(text: string, from: string): Reading<readonly Found[]> {
  const digits = /^\s*([0-9a-f]{1,13})\s*$/i.exec(text)?.[1];
  return digits === undefined
    ? notA("a hexadecimal number", text, from)
    : read([{ value: parseInt(digits, 16) }], from);
}

function chainAll(
  all: readonly { readonly part: string; readonly value: Reading<number> }[],
): Reading<readonly Found[]> {
  const found: Found[] = [];
  for (const { part, value } of all) {
    if (value.state !== "read") return value;
    found.push({ part, value: value.value });
  }
  return read(found, all[0]?.value.from ?? "");
}
