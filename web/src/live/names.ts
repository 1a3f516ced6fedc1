/** Metrics in words and units. Names end in their unit (docs/metrics.md); what one does not know is shown as it is. */

import { bytes, celsius, count, hertz, percent, seconds, watts } from "../parts/index.ts";

interface Unit {
  readonly ending: string;
  readonly show: (value: number) => string;
  /** Where an axis begins and ends when the values do not say otherwise. */
  readonly least?: number;
  readonly most?: number;
  /** Ticks are at multiples of powers of this. */
  readonly base?: 2;
}

const plain = (unit: string) => (value: number) => `${trimmed(value)} ${unit}`;

/** Longest endings first. */
const units: readonly Unit[] = [
  { ending: "_bytes_per_second", show: (value) => `${bytes(value)}/s`, least: 0, base: 2 },
  { ending: "_transfers_per_second", show: (value) => `${count(value)}T/s`, least: 0 },
  { ending: "_per_second", show: (value) => `${trimmed(value)}/s`, least: 0 },
  { ending: "_ratio", show: fine, least: 0, most: 1 },
  { ending: "_celsius", show: celsius },
  { ending: "_watts", show: watts, least: 0 },
  { ending: "_joules", show: plain("J"), least: 0 },
  { ending: "_volts", show: plain("V"), least: 0 },
  { ending: "_amperes", show: plain("A"), least: 0 },
  { ending: "_hertz", show: hertz, least: 0 },
  { ending: "_rpm", show: plain("rpm"), least: 0 },
  { ending: "_bytes", show: bytes, least: 0, base: 2 },
  { ending: "_seconds", show: seconds, least: 0 },
  { ending: "_tasks", show: trimmed, least: 0 },
  { ending: "_count", show: count, least: 0 },
];

const other: Unit = { ending: "", show: trimmed };

export const unitOf = (name: string): Unit => units.find(({ ending }) => name.endsWith(ending)) ?? other;

/** "memory_used_bytes" is "memory used": the unit stands at the values. */
export function titleOf(name: string): string {
  const words = name.slice(0, name.length - unitOf(name).ending.length).replaceAll("_", " ");
  return words === "" ? name : words;
}

export const show = (name: string, value: number): string => unitOf(name).show(value);

/** Below ten per cent a tenth is worth knowing. */
function fine(ratio: number): string {
  return ratio > 0 && ratio < 0.0995 ? `${(ratio * 100).toFixed(1)} %` : percent(ratio);
}

function trimmed(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
