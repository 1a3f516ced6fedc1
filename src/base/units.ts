/** Printing quantities. Base units come in; nothing else formats numbers for people. */

function scaled(value: number, base: number, units: readonly string[]): string {
  let scale = 0;
  let left = value;
  while (Math.abs(left) >= base && scale < units.length - 1) {
    left /= base;
    scale++;
  }
  const digits = Number.isInteger(left) || Math.abs(left) >= 100 ? 0 : 1;
  return `${left.toFixed(digits)} ${units[scale] ?? ""}`;
}

export const bytes = (n: number): string => scaled(n, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
export const hertz = (n: number): string => scaled(n, 1000, ["Hz", "kHz", "MHz", "GHz"]);
export const watts = (n: number): string => `${n.toFixed(1)} W`;
export const celsius = (n: number): string => `${n.toFixed(1)} °C`;
/** Counts of things: 1.2 M, 3.4 G. */
export const count = (n: number): string => scaled(n, 1000, ["", "k", "M", "G", "T", "P"]).trimEnd();
export const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

export function seconds(n: number): string {
  if (n === 0) return "0 s";
  if (n < 1e-3) return `${(n * 1e6).toFixed(0)} µs`;
  if (n < 1) return `${(n * 1e3).toFixed(1)} ms`;
  return `${n.toFixed(1)} s`;
}
