/** What part of time is in sight, and where the crosshair stands: one of each, for all charts. */

import { computed, signal } from "@preact/signals";
import { from, nearest } from "./history.ts";
import { follows, history, paused, state, tick } from "./feed.ts";

/** Seconds, with their words. */
export const ranges = [
  { seconds: 60, word: "1 min" },
  { seconds: 300, word: "5 min" },
  { seconds: 900, word: "15 min" },
  { seconds: 3600, word: "1 h" },
] as const;

/** Seconds that are drawn at least, so that the first samples do not race over the picture. */
const SHORTEST = 60;

/** Infinity: all there is (of a recording). */
export const range = signal<number>(300);
/** A part that was drawn out with the pointer. */
export const zoom = signal<{ readonly from: number; readonly to: number } | undefined>(undefined);
/** Moment of the crosshair. */
export const cursor = signal<number | undefined>(undefined);

/** The newest moment that is drawn: it stands still while paused. */
let end = 0;

export const inSight = computed(() => {
  follows(tick);
  const { times } = history.value;
  const [first = 0] = times;
  if (!paused.value || end === 0) end = times.at(-1) ?? Date.now() / 1000;
  if (zoom.value !== undefined) return zoom.value;
  const whole = state.value.is === "recorded" && range.value === Infinity;
  // A range longer than there is would draw what is there into a corner.
  if (whole) return { from: first, to: Math.max(end, first + 1) };
  const seconds = range.value === Infinity ? 3600 : range.value;
  // What there is fills the picture, from a minute on.
  const there = Math.min(seconds, Math.max(SHORTEST, end - first));
  return { from: end - there, to: end };
});

/** Rows of the history that are in sight, one more at each side so that lines reach the edges. */
export function rowsInSight(): { readonly start: number; readonly stop: number } {
  const { times } = history.value;
  const { from: first, to: last } = inSight.value;
  return { start: Math.max(0, from(times, first) - 1), stop: Math.min(times.length, from(times, last) + 1) };
}

/** The row the legends speak of: under the crosshair, else the newest in sight. */
export function rowShown(): number {
  const { times } = history.value;
  return nearest(times, cursor.value ?? inSight.value.to);
}

/** Moves the crosshair by so many samples. */
export function step(by: number): void {
  const { times } = history.peek();
  const { from: first, to: last } = inSight.peek();
  const row = nearest(times, cursor.peek() ?? last) + (cursor.peek() === undefined && by < 0 ? 0 : by);
  const at = times[Math.max(0, Math.min(times.length - 1, row))];
  if (at !== undefined && at >= first && at <= last) cursor.value = at;
}

const two = (n: number): string => String(n).padStart(2, "0");

export function clockOf(at: number, withSeconds = true): string {
  const date = new Date(at * 1000);
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return withSeconds ? `${minutes}:${two(date.getSeconds())}` : minutes;
}
