/**
 * Live: samples and serving figures for the page. One sampler serves all viewers: it starts with the first and stops after the last.
 * GET /api/samples[?interval=S] streams (server-sent events), GET /api/samples/recent[?since=AT] gives what was kept, GET /api/serving
 * tells the models that are served and how.
 */

import type { Sample } from "../../watch/sample.ts";
import { HttpError, type Exchange, type Part } from "../door.ts";
import type { Engine } from "../engine.ts";
import type { Serving } from "./answers.ts";
import { SampleRing } from "./ring.ts";

/** What is sampled; src/watch opens one. */
export interface Sampler {
  sample(): Sample;
  close(): void;
}

export interface LiveOptions {
  /** Opens a sampler; called when somebody looks, and again after the last one left and another came. */
  readonly open: () => Sampler;
  /** Absent: no models are served here. */
  readonly engine?: Pick<Engine, "models" | "figures">;
  /** A recording that is shown instead of a machine: no sampler runs, and the stream says nothing. */
  readonly recorded?: Iterable<Sample>;
  /** The machine was saved: it is sampled once, for the first who asks. */
  readonly saved?: boolean;
  /** Of the recording or the saved machine, as the page shows it. */
  readonly name?: string;
  /** For tests. */
  readonly linger_ms?: number;
}

/** Seconds between samples. Below a quarter reading the machine would show up in what is measured. */
export const INTERVAL = { least: 0.25, most: 60, usual: 1 } as const;
/** A tab holds a connection each; more than this are no people. */
const VIEWERS = 32;
/** Somebody who reloads the page finds the sampler still there, and its rates without a first sample. */
const LINGER_MS = 5_000;
/** A reader that takes nothing for so long is cut off; it comes again by itself if somebody still looks. */
const SLOW_MS = 30_000;

const fresh: Readonly<Record<string, string>> = { "cache-control": "no-store" };

export function livePart(options: LiveOptions): Part {
  const feed = new Feed(options);
  return {
    name: "live",
    routes: [
      {
        method: "GET",
        path: "/api/samples",
        endless: true,
        answer: (exchange) => follow(feed, exchange, intervalOf(exchange)),
      },
      {
        method: "GET",
        path: "/api/samples/recent",
        answer(exchange) {
          const since = Date.parse(exchange.query.get("since") ?? "");
          if (options.saved === true) {
            try {
              feed.once();
            } catch (error) {
              // Its sentence may name paths of this machine: it goes into the log.
              exchange.note({ saved: String(error) });
              throw new HttpError(500, "the saved machine cannot be read; accelctl review says why");
            }
          }
          const samples = feed.ring.texts(Number.isNaN(since) ? -Infinity : since);
          // Samples are kept as text: parsing an hour of them to write them again would hold up the server.
          const told = { recorded: options.recorded !== undefined, saved: options.saved === true, name: options.name };
          const body = `${JSON.stringify(told).slice(0, -1)},"samples":[${samples.join(",")}]}`;
          exchange.send(200, body, { ...fresh, "content-type": "application/json" });
        },
      },
      {
        method: "GET",
        path: "/api/serving",
        answer(exchange) {
          const { engine } = options;
          const serving: Serving = {
            serves: engine !== undefined,
            models: engine?.models() ?? [],
            figures: engine?.figures() ?? [],
          };
          exchange.sendJson(200, serving, fresh);
        },
      },
    ],
    close() {
      feed.close();
      return Promise.resolve();
    },
  };
}

function intervalOf({ query }: Exchange): number {
  const text = query.get("interval");
  if (text === null) return INTERVAL.usual;
  const seconds = Number(text);
  if (text.trim() === "" || !(seconds >= INTERVAL.least && seconds <= INTERVAL.most)) {
    throw new HttpError(400, `interval is seconds, from ${INTERVAL.least} to ${INTERVAL.most}`);
  }
  return seconds;
}

/** One viewer, until it leaves: each gets the newest sample at its own pace, and misses what it is too slow for. */
async function follow(feed: Feed, exchange: Exchange, interval: number): Promise<void> {
  const viewer = feed.join(interval);
  const { signal } = exchange;
  const leave = (): void => viewer.leave();
  signal.addEventListener("abort", leave);
  const stream = exchange.events();
  try {
    if (signal.aborted) return;
    for await (const text of viewer.samples()) {
      if (!(await within(SLOW_MS, stream.event(text, "sample")))) {
        exchange.response.destroy();
        return;
      }
    }
    if (feed.failed) await within(SLOW_MS, stream.event("the machine cannot be sampled any more", "failed"));
  } finally {
    signal.removeEventListener("abort", leave);
    viewer.leave();
    stream.end();
  }
}

/** Did it settle in time? */
async function within(ms: number, what: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([what.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Viewer {
  readonly interval_ms: number;
  /** When it was last given one. */
  given: number;
  wake: (text: string | undefined) => void;
}

/** The sampler with its clock, those who look, and what was seen. */
class Feed {
  readonly ring: SampleRing;
  failed = false;
  readonly #options: LiveOptions;
  readonly #viewers = new Set<Viewer>();
  #sampler: Sampler | undefined;
  #timer: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;
  /** performance.now() of the last sample. */
  #last = -Infinity;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.ring = new SampleRing(options.recorded !== undefined);
    for (const sample of options.recorded ?? []) this.ring.push(sample);
  }

  /** One sample, if there is none yet. */
  once(): void {
    if (this.#last !== -Infinity || this.#options.recorded !== undefined) return;
    let sampler: Sampler | undefined;
    try {
      sampler = this.#options.open();
      this.ring.push(sampler.sample());
      this.#last = performance.now();
    } finally {
      sampler?.close();
    }
  }

  join(interval: number): { samples(): AsyncGenerator<string, void, undefined>; leave(): void } {
    if (this.#viewers.size >= VIEWERS) {
      throw new HttpError(429, "too many are looking at this machine", { "retry-after": "10" });
    }
    // Whoever comes anew is a new try.
    this.failed = false;
    let waiting: string | undefined;
    let gone = false;
    let go: (() => void) | undefined;
    const viewer: Viewer = {
      interval_ms: interval * 1000,
      given: -Infinity,
      wake: (text) => {
        if (text === undefined) gone = true;
        else waiting = text;
        go?.();
      },
    };
    this.#viewers.add(viewer);
    this.#tune();
    return {
      async *samples() {
        for (;;) {
          if (waiting !== undefined) {
            const text = waiting;
            waiting = undefined;
            yield text;
          } else if (gone) return;
          else {
            await new Promise<void>((resolve) => (go = resolve));
            go = undefined;
          }
        }
      },
      leave: () => {
        if (!this.#viewers.delete(viewer)) return;
        viewer.wake(undefined);
        this.#tune();
      },
    };
  }

  /** The pace is that of whoever wants it quickest; without viewers there is none. */
  #tune(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#linger);
    if (this.#options.recorded !== undefined || this.failed) return;
    if (this.#viewers.size === 0) {
      this.#linger = setTimeout(() => this.#stop(), this.#options.linger_ms ?? LINGER_MS);
      this.#linger.unref();
      return;
    }
    const due = Math.max(0, this.#last + this.#pace() - performance.now());
    this.#timer = setTimeout(() => this.#tick(), due);
    this.#timer.unref();
  }

  #pace(): number {
    return Math.min(...[...this.#viewers].map(({ interval_ms }) => interval_ms));
  }

  #tick(): void {
    const now = performance.now();
    this.#last = now;
    let text: string;
    try {
      this.#sampler ??= this.#options.open();
      text = this.ring.push(this.#sampler.sample());
    } catch {
      // A bug of ours, or a machine that went away: told to those who look, and not tried again.
      this.failed = true;
      this.#stop();
      for (const viewer of [...this.#viewers]) viewer.wake(undefined);
      return;
    }
    for (const viewer of this.#viewers) {
      // Half a pace of tolerance: timers are early or late by some milliseconds.
      if (now - viewer.given < viewer.interval_ms - this.#pace() / 2) continue;
      viewer.given = now;
      viewer.wake(text);
    }
    this.#tune();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#sampler?.close();
    this.#sampler = undefined;
  }

  close(): void {
    for (const viewer of [...this.#viewers]) viewer.wake(undefined);
    this.#viewers.clear();
    clearTimeout(this.#linger);
    this.#stop();
  }
}
