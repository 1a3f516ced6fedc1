/**
 * Device: who of the models that share one computes next. The most urgent request goes first; among models whose requests are equally
 * urgent, the one that has had least of the device's time for its weight (start-time fair queueing, Goyal et al. 1996), where what
 * a run will take is guessed before it and set right after it.
 */

import type { Job } from "./job.ts";
import type { Lane } from "./lane.ts";

/** What a lane does with its jobs. Times are performance.now(), which is asked once for each thing that happens. */
export interface Runner {
  readonly lane: Lane;
  /** A session is free. */
  free(): boolean;
  /** Resolves, and never rejects, when the session is free again, with the time. */
  run(jobs: readonly Job[], now: number): Promise<number>;
}

export class Device {
  readonly name: string;
  readonly #least: number;
  #parallel: number;
  readonly #runners = new Set<Runner>();
  #running = 0;
  #share = 0;
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;
  #turning = false;

  /** `parallel`: runs at once, where no model has more sessions than that. */
  constructor(name: string, parallel: number) {
    this.name = name;
    this.#least = this.#parallel = parallel;
  }

  add(runner: Runner): void {
    this.#runners.add(runner);
    this.#count();
  }

  remove(runner: Runner): void {
    this.#runners.delete(runner);
    this.#count();
  }

  push(runner: Runner, job: Job, now: number): void {
    const { lane } = runner;
    // Who was away has no claim on what it did not use.
    if (lane.waiting === 0 && lane.running === 0) lane.share = Math.max(lane.share, this.#share);
    const batched = lane.options.batches.length > 0 && !job.alone;
    // Whatever else waits on a device that has room does so for its session or for others of its kind.
    if (!batched && lane.waiting === 0 && this.#running < this.#parallel && runner.free()) {
      job.state = "running";
      this.#start(runner, [job], now);
      return;
    }
    lane.push(job);
    if (batched) {
      if (lane.waiting === 1) lane.gathered = false;
      if (!lane.gathered) this.#turn();
    }
    this.pump(now);
  }

  /** Gives what waits to whoever is free. */
  pump(now = performance.now()): void {
    while (this.#running < this.#parallel) {
      let best: { runner: Runner; job: Job; urgency: number } | undefined;
      let soonest = Infinity;
      for (const runner of this.#runners) {
        const { lane } = runner;
        if (lane.waiting === 0 || !runner.free()) continue;
        const next = lane.next(now);
        if (next === undefined) continue;
        const wait = lane.wait(next.job, now);
        if (wait > 0) soonest = Math.min(soonest, now + wait);
        else if (best === undefined || isBefore(next.urgency, lane, best.urgency, best.runner.lane)) {
          best = { runner, ...next };
        }
      }
      if (soonest < Infinity) this.#wake(soonest, now);
      if (best === undefined) return;
      this.#start(best.runner, best.runner.lane.take(best.job), now);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #count(): void {
    this.#parallel = this.#least;
    for (const { lane } of this.#runners) this.#parallel = Math.max(this.#parallel, lane.options.instances);
  }

  #start(runner: Runner, jobs: readonly Job[], now: number): void {
    const { lane } = runner;
    this.#share = lane.share;
    const { weight } = lane.options;
    const guess = lane.run_ms;
    lane.share += guess / weight;
    this.#running++;
    lane.running++;
    void runner.run(jobs, now).then((end) => {
      lane.share += (end - now - guess) / weight;
      this.#running--;
      lane.running--;
      this.pump(end);
    });
  }

  /** After whatever else comes in this turn of the event loop. */
  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => {
      this.#turning = false;
      for (const { lane } of this.#runners) lane.gathered = true;
      this.pump();
    });
  }

  #wake(at: number, now: number): void {
    if (at >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(
      () => {
        this.#at = Infinity;
        this.pump();
      },
      Math.max(1, Math.ceil(at - now)),
    );
  }
}

const isBefore = (urgency: number, lane: Lane, other: number, against: Lane): boolean =>
  urgency < other || (urgency === other && lane.share < against.share);
