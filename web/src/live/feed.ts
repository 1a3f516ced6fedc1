/** Where the samples come from: the server's stream, which is taken up again when it breaks, or a recording. */

import { effect, signal } from "@preact/signals";
import type { Recent } from "../../../src/serve/page/answers.ts";
import type { Sample } from "../../../src/watch/sample.ts";
import { ApiError, ask, events } from "../api.ts";
import { announce } from "../parts/index.ts";
import { History, isSample, RECORDED } from "./history.ts";

export type State =
  | { readonly is: "connecting" }
  | { readonly is: "live" }
  /** `until`: when it is tried again, performance.now(). */
  | { readonly is: "lost"; readonly says: string; readonly until: number }
  /** `home`: the server shows it, and nothing else. */
  | { readonly is: "recorded"; readonly name: string; readonly home: boolean }
  /** A machine that was saved: its one sample stays as it is. */
  | { readonly is: "saved"; readonly name: string | undefined }
  /** There is no server: this page was exported. */
  | { readonly is: "none" };

export const state = signal<State>({ is: "connecting" });
export const history = signal(new History());
/** Counts samples; charts draw when it changes. */
export const tick = signal(0);
/** A component that calls it is drawn again when one of these changes. */
export function follows(...signals: readonly { readonly value: unknown }[]): void {
  signals.forEach(({ value }) => value);
}
/** Seconds between samples that are asked for. */
export const interval = signal(1);
/** Held back while the picture stands still. */
export const paused = signal(false);

/** First wait after a break; each further one is twice as long. */
const WAIT_MS = 1_000;
const WAIT_MOST_MS = 15_000;
/** A stream that is silent for so many intervals is broken, whatever the socket says. */
const SILENT = 5;

/** Says that there is something new to draw. */
function drawn(): void {
  tick.value = tick.peek() + 1;
}

// What came while the picture stood still is drawn when it goes on.
effect(() => {
  if (!paused.value) drawn();
});

function take(sample: Sample): void {
  history.peek().push(sample, interval.peek());
  if (!paused.peek()) drawn();
}

/** Follows the server until the signal says stop. */
export async function follow(stop: AbortSignal): Promise<void> {
  let wait = WAIT_MS;
  let lost = state.peek().is === "lost";
  if (history.peek().last === undefined) state.value = { is: "connecting" };
  const stopped = (): boolean => stop.aborted; // asked anew after each wait
  while (!stopped()) {
    // Not AbortSignal.any, which the oldest browsers this page is built for lack.
    const over = new AbortController();
    const end = (): void => over.abort();
    stop.addEventListener("abort", end);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const listen = (): void => {
      clearTimeout(timer);
      timer = setTimeout(end, Math.max(5_000, SILENT * interval.peek() * 1000));
    };
    let says = "the stream ended";
    try {
      listen();
      const still = await catchUp();
      if (still !== undefined) {
        state.value = still;
        return;
      }
      const query = `interval=${interval.peek()}`;
      for await (const { name, data } of events(`api/samples?${query}`, over.signal)) {
        listen();
        if (name === "failed") says = data;
        if (name !== "sample") continue;
        const sample: unknown = JSON.parse(data);
        if (!isSample(sample)) continue;
        take(sample);
        if (state.peek().is !== "live") {
          state.value = { is: "live" };
          if (lost) announce("Connected again");
          lost = false;
          wait = WAIT_MS;
        }
      }
    } catch (error) {
      if (stopped()) return;
      // Asked for by the frame; when it was given the view begins anew.
      if (error instanceof ApiError && error.status === 401) return;
      says = error instanceof ApiError ? error.message : "the server does not answer; is accelctl still running?";
    } finally {
      clearTimeout(timer);
      stop.removeEventListener("abort", end);
    }
    if (stopped()) return;
    if (!lost) announce(`Connection lost: ${says}`);
    lost = true;
    state.value = { is: "lost", says, until: performance.now() + wait };
    await pause(wait, stop);
    wait = Math.min(2 * wait, WAIT_MOST_MS);
  }
}

/** What the server kept, from where this page's own history ends. Gives a state where that is all there will be. */
async function catchUp(): Promise<State | undefined> {
  const known = history.peek().last?.at;
  const recent = await ask<Recent>(
    `api/samples/recent${known === undefined ? "" : `?since=${encodeURIComponent(known)}`}`,
  );
  if (recent.recorded) history.value = new History(RECORDED);
  for (const sample of recent.samples) if (isSample(sample)) history.peek().push(sample, interval.peek());
  drawn();
  if (recent.recorded) return { is: "recorded", name: recent.name ?? "a recording", home: true };
  return recent.saved === true ? { is: "saved", name: recent.name } : undefined;
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(go, ms);
    stop.addEventListener("abort", go, { once: true });
    retry = go;
    function go(): void {
      clearTimeout(timer);
      resolve();
    }
  });
}

let retry: (() => void) | undefined;
/** Does not wait any longer. */
export const retryNow = (): void => retry?.();

/** Shows a recording in the place of what the server says. */
export function showRecording(name: string, samples: readonly Sample[]): void {
  const made = new History(RECORDED);
  const shown = samples.slice(-RECORDED.rows);
  // The pace of a recording is that of most of its samples.
  const steps = shown.slice(1).map(({ at }, i) => Date.parse(at) - Date.parse(shown[i]?.at ?? at));
  const usual = (steps.sort((a, b) => a - b)[steps.length >> 1] ?? 1000) / 1000;
  for (const sample of shown) made.push(sample, usual);
  history.value = made;
  paused.value = false;
  state.value = { is: "recorded", name, home: false };
  drawn();
}

/** Back to the server. */
export function forget(): void {
  history.value = new History();
  state.value = { is: "connecting" };
  drawn();
}
