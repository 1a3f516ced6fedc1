/** Where events of one lane stand, so that no label covers another: rows are filled from the top, labels go to the side with room. */

import type { AtlasEvent } from "../../../src/export/atlas.ts";

export interface Placed {
  readonly event: AtlasEvent;
  /** Pixels. */
  readonly at: number;
  readonly row: number;
  /** Empty where there is no room in any row: the picture's tip and the list have it. */
  readonly label: string;
  readonly side: "left" | "right";
  readonly labelAt: number;
}

/** Years as numbers: a date says how exact it is by its length. */
export function spanOf(date: string): { readonly from: number; readonly to: number } {
  const [year = 0, month, day] = date.split("-").map(Number);
  if (month === undefined) return { from: year, to: year + 1 };
  if (day === undefined) return { from: year + (month - 1) / 12, to: year + month / 12 };
  const at =
    year + (Date.UTC(year, month - 1, day) - Date.UTC(year, 0, 1)) / (Date.UTC(year + 1, 0, 1) - Date.UTC(year, 0, 1));
  return { from: at, to: at };
}

/** Pixels of a letter at the labels' size, on the wide side. */
const LETTER = 5.9;
const SYMBOL = 9;
const GAP = 8;
const ROWS = 5;
/** Letters of a label. */
const MOST = 64;

export function arrangeLane(
  events: readonly AtlasEvent[],
  x: (year: number) => number,
  bounds: { readonly left: number; readonly right: number },
): { readonly placed: readonly Placed[]; readonly rows: number } {
  const taken: (readonly [number, number])[][] = [];
  const free = (row: number, from: number, to: number): boolean =>
    (taken[row] ?? []).every(([start, end]) => to + GAP <= start || end + GAP <= from);
  const placed: Placed[] = [];
  const ordered = events
    .map((event) => {
      const { from, to } = spanOf(event.date);
      const at = x((from + to) / 2);
      // A year that is all that is known is drawn as long as it is: no label stands on it.
      return { event, at, start: Math.min(x(from), at - SYMBOL), end: Math.max(x(to), at + SYMBOL) };
    })
    .sort((a, b) => a.at - b.at);
  for (const { event, at, start, end } of ordered) {
    const label = event.what.length <= MOST ? event.what : `${event.what.slice(0, MOST - 1)}…`;
    const wide = 4 + label.length * LETTER;
    const place = (): Placed => {
      for (let row = 0; row < ROWS; row++) {
        if (end + wide <= bounds.right && free(row, start, end + wide)) {
          taken[row] = [...(taken[row] ?? []), [start, end + wide]];
          return { event, at, row, label, side: "right", labelAt: end + 3 };
        }
        if (start - wide >= bounds.left && free(row, start - wide, end)) {
          taken[row] = [...(taken[row] ?? []), [start - wide, end]];
          return { event, at, row, label, side: "left", labelAt: start - 3 };
        }
      }
      for (let row = 0; row < ROWS; row++) {
        if (!free(row, start, end)) continue;
        taken[row] = [...(taken[row] ?? []), [start, end]];
        return { event, at, row, label: "", side: "right", labelAt: end };
      }
      return { event, at, row: 0, label: "", side: "right", labelAt: end };
    };
    placed.push(place());
  }
  return { placed, rows: Math.max(1, ...placed.map(({ row }) => row + 1)) };
}
