/** What metrics were in the last minutes, and small pictures of it. A sample without a value, and one that was missed, is a gap. */

import type { Sample } from "../watch/sample.ts";

/** Samples kept of each metric: ten minutes at one a second, 5 kB. */
export const HISTORY = 600;
/** Metrics of all devices that are followed; beyond it new ones have no picture. 16 devices have some 400. */
const SERIES_LIMIT = 20_000;

export interface Series {
  /** Oldest first; NaN where there is a gap. */
  last(count: number): readonly number[];
}

class Ring implements Series {
  readonly #values = new Float64Array(HISTORY).fill(NaN);
  #written = 0;
  get written(): number {
    return this.#written;
  }
  push(value: number): void {
    this.#values[this.#written % HISTORY] = value;
    this.#written++;
  }
  /** What was sampled before this metric appeared is a gap as well. */
  catchUp(to: number): void {
    const missing = Math.min(to - this.#written, HISTORY);
    for (let i = 0; i < missing; i++) this.push(NaN);
    this.#written = to;
  }
  last(count: number): readonly number[] {
    const wanted = Math.min(count, HISTORY);
    return Array.from({ length: wanted }, (_, i) => {
      const at = this.#written - wanted + i;
      return at < 0 ? NaN : (this.#values[at % HISTORY] ?? NaN);
    });
  }
}

export class History {
  readonly #series = new Map<string, Ring>();
  #samples = 0;

  /** `gaps`: samples that should have come before this one and did not. */
  add(sample: Sample, gaps = 0): void {
    this.#samples += Math.min(gaps, HISTORY);
    for (const device of sample.devices) {
      for (const { name, part, value } of device.metrics) {
        const ring = this.#ring(keyOf(device.id, name, part));
        // One name twice of a device: the first counts.
        if (ring === undefined || ring.written > this.#samples) continue;
        ring.catchUp(this.#samples);
        ring.push(value ?? NaN);
      }
    }
    this.#samples++;
    for (const ring of this.#series.values()) ring.catchUp(this.#samples);
  }

  of(device: string, name: string, part: string | undefined): Series | undefined {
    return this.#series.get(keyOf(device, name, part));
  }

  #ring(key: string): Ring | undefined {
    const known = this.#series.get(key);
    if (known !== undefined || this.#series.size >= SERIES_LIMIT) return known;
    const ring = new Ring();
    this.#series.set(key, ring);
    return ring;
  }
}

const keyOf = (device: string, name: string, part: string | undefined): string => `${device}\0${name}\0${part ?? ""}`;

const blocks = "▁▂▃▄▅▆▇█";
const ascii = "_.:-=+*#";

/** One cell a value, lowest to highest; a gap is a blank. `range` is what the lowest and highest block mean. */
export function sparkline(values: readonly number[], range: readonly [number, number], unicode: boolean): string {
  const levels = unicode ? blocks : ascii;
  const [low, high] = range;
  return values
    .map((value) => {
      if (Number.isNaN(value)) return " ";
      const share = high > low ? (value - low) / (high - low) : 0;
      return levels.charAt(Math.max(0, Math.min(levels.length - 1, Math.floor(share * levels.length))));
    })
    .join("");
}

/** A range for a picture: ratios are of 0 to 1; others go from 0, or from the least where none is near 0. */
export function rangeOf(name: string, values: readonly number[]): readonly [number, number] {
  if (name.endsWith("_ratio")) return [0, 1];
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least > most) return [0, 1];
  // 41 to 43 degrees are a flat line from 0, and a mountain range between themselves: half of the highest is the floor.
  return [least > most / 2 ? Math.max(0, most / 2) : Math.min(0, least), most];
}

/** Dots of a braille cell from the bottom up, left column then right (U+2800, Unicode 24.9). */
const dots = [
  [0x40, 0x04, 0x02, 0x01],
  [0x80, 0x20, 0x10, 0x08],
] as const;

/**
 * A filled curve of `rows` lines: two values and four levels a cell in braille, else one value and one level. The newest stands at the
 * right; gaps are blank columns, and 0 is a line at the bottom.
 */
export function chart(
  series: Series,
  name: string,
  size: { readonly columns: number; readonly rows: number },
  unicode: boolean,
): { readonly lines: readonly string[]; readonly range: readonly [number, number] } {
  const values = series.last(size.columns * (unicode ? 2 : 1));
  const range = rangeOf(name, values);
  const [low, high] = range;
  const most = size.rows * (unicode ? 4 : 1);
  const heights = values.map((value) =>
    Number.isNaN(value)
      ? 0
      : Math.max(1, Math.min(most, Math.round(high > low ? ((value - low) / (high - low)) * most : 0))),
  );
  const lines = Array.from({ length: size.rows }, (_, row) => {
    const floor = (size.rows - 1 - row) * (unicode ? 4 : 1);
    if (!unicode) return heights.map((height) => (height > floor ? "#" : " ")).join("");
    let line = "";
    for (let at = 0; at < heights.length; at += 2) {
      let cell = 0;
      dots.forEach((column, side) => {
        column.forEach((dot, level) => {
          if ((heights[at + side] ?? 0) > floor + level) cell |= dot;
        });
      });
      line += cell === 0 ? " " : String.fromCodePoint(0x2800 + cell);
    }
    return line;
  });
  return { lines, range };
}
