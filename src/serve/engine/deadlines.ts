/** One timer for all requests that wait and have a deadline: a heap of them, the earliest first. */

import { Refusal } from "../engine.ts";
import type { Job } from "./job.ts";

/** Below so many it is not worth to look for those that have ended otherwise. */
const SWEPT_FROM = 256;

export class Deadlines {
  #heap: Job[] = [];
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;
  #swept = SWEPT_FROM;

  add(job: Job): void {
    if (job.deadline === Infinity) return;
    if (this.#heap.length >= this.#swept) this.#sweep();
    this.#heap.push(job);
    this.#up(this.#heap.length - 1);
    this.#arm();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#heap = [];
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || first.deadline >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = first.deadline;
    // Not before it: a timer may fire up to a millisecond early.
    const wait = Math.min(2 ** 31 - 1, Math.max(1, Math.ceil(first.deadline - performance.now())));
    this.#timer = setTimeout(this.#expire, wait);
    this.#timer.unref();
  }

  readonly #expire = (): void => {
    this.#at = Infinity;
    const now = performance.now();
    for (let job = this.#heap[0]; job !== undefined && (job.state !== "waiting" || job.deadline <= now);) {
      this.#pop();
      if (job.state === "waiting") job.refuse(late());
      job = this.#heap[0];
    }
    this.#arm();
  };

  #sweep(): void {
    const left = this.#heap.filter((job) => job.state === "waiting");
    left.sort((a, b) => a.deadline - b.deadline);
    this.#heap = left;
    this.#swept = Math.max(SWEPT_FROM, 2 * left.length);
  }

  #up(from: number): void {
    const heap = this.#heap;
    for (let at = from; at > 0;) {
      const above = (at - 1) >> 1;
      if (this.#deadline(above) <= this.#deadline(at)) return;
      [heap[at], heap[above]] = [heap[above] as Job, heap[at] as Job]; // both are within
      at = above;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (this.#deadline(left) < this.#deadline(least)) least = left;
      if (this.#deadline(right) < this.#deadline(least)) least = right;
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least] as Job, heap[at] as Job]; // both are within
      at = least;
    }
  }

  #deadline(at: number): number {
    return this.#heap[at]?.deadline ?? Infinity;
  }
}

export const late = (): Refusal => new Refusal("deadline", "the deadline of the request passed before it was computed");
