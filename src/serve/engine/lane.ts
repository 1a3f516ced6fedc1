/**
 * Lane: the requests of one model that wait, by priority. It says which is next and with which others it may be computed, and keeps
 * count of what waits. A request that has waited long is treated as one of a higher priority, so that none waits for ever.
 */

import { Refusal } from "../engine.ts";
import { PRIORITIES } from "./config.ts";
import { JobList, type Job } from "./job.ts";

/** A request gains one priority for so many milliseconds of waiting. */
export const AGE_MS = 1000;
/** Requests that are looked at for others of the same shapes, for each row that is wanted. */
const LOOKED_AT = 4;
/** Seconds that a caller is told to stay away, at least and at most. */
const [SOON, LATER] = [0.05, 60];

export interface LaneOptions {
  readonly name: string;
  readonly weight: number;
  readonly instances: number;
  readonly queue_requests: number;
  readonly queue_bytes: number;
  readonly max_delay_ms: number;
  /** Rows that are computed together, ascending; empty: none are. */
  batches: readonly number[];
}

export class Lane {
  readonly options: LaneOptions;
  waiting = 0;
  bytes = 0;
  rows = 0;
  /** Sessions that are computing, and those that cannot now: their process is being started again. */
  running = 0;
  down = 0;
  /** Device time that was given to it, by its weight. */
  share = 0;
  /** Of one run and of one request, milliseconds; 0 before the first. */
  run_ms = 0;
  request_ms = 0;
  /** The event loop has turned since the first of those that wait came: whoever came with it is here too. */
  gathered = true;
  readonly #lists: readonly JobList[] = Array.from({ length: PRIORITIES }, () => new JobList());

  constructor(options: LaneOptions) {
    this.options = options;
  }

  /** Throws Refusal "busy". */
  admit(bytes: number): void {
    const { queue_requests, queue_bytes } = this.options;
    if (this.waiting === 0) return;
    if (this.waiting >= queue_requests || this.bytes + bytes > queue_bytes) throw this.busy();
  }

  busy(): Refusal {
    return new Refusal("busy", `${this.options.name}: too many requests wait`, { retry_after_s: this.retryAfter() });
  }

  /** When half of what waits will have been computed. */
  retryAfter(): number {
    if (this.request_ms === 0) return 1;
    const seconds = (this.waiting * this.request_ms) / this.options.instances / 2000;
    return Math.min(LATER, Math.max(SOON, seconds));
  }

  push(job: Job): void {
    job.state = "waiting";
    this.#list(job.priority).push(job);
    this.#add(job, 1);
  }

  /** It was taken and could not be computed. */
  pushBack(job: Job): void {
    job.state = "waiting";
    this.#list(job.priority).unshift(job);
    this.#add(job, 1);
  }

  /** It has left its list by itself. */
  left(job: Job): void {
    this.#add(job, -1);
  }

  /** The most urgent job; the earlier of two that are alike. */
  next(now: number): { readonly job: Job; readonly urgency: number } | undefined {
    let best: Job | undefined;
    let urgency = Infinity;
    for (const { first } of this.#lists) {
      if (first === undefined) continue;
      const own = urgencyOf(first, now);
      if (own < urgency || (own === urgency && best !== undefined && first.queued < best.queued)) {
        best = first;
        urgency = own;
      }
    }
    return best === undefined ? undefined : { job: best, urgency };
  }

  /** Milliseconds until it may run with what is there; 0: now. */
  wait(first: Job, now: number): number {
    const { batches, max_delay_ms } = this.options;
    const most = batches.at(-1) ?? 0;
    if (most < 2 || first.alone || this.rows >= most) return 0;
    if (!this.gathered) return Infinity;
    return Math.max(0, first.queued + max_delay_ms - now);
  }

  /** Takes the first and, where that is possible, others to be computed with it: as many rows as a batch of the model's has. */
  take(first: Job): Job[] {
    const { batches } = this.options;
    const most = batches.at(-1) ?? 0;
    this.#take(first);
    if (most < 2 || first.alone || first.rows >= most || this.waiting === 0) return [first];
    const fitting = this.#fitting(first, most);
    // As many as the largest batch that can be filled, so that only a few sizes are seen by the runtime; all, where none comes out even.
    let total = first.rows;
    for (const { rows } of fitting) total += rows;
    const aim = batches.findLast((size) => size <= total) ?? total;
    const even = fill(first, fitting, aim);
    const jobs = even ?? [first, ...fitting];
    for (const job of jobs) if (job !== first) this.#take(job);
    return jobs;
  }

  /** All that wait. */
  *all(): Generator<Job> {
    for (const list of this.#lists) {
      for (let job = list.first; job !== undefined;) {
        const after: Job | undefined = job.next;
        yield job;
        job = after;
      }
    }
  }

  /** What a run took. */
  ran(ms: number, requests: number): void {
    this.run_ms = smooth(this.run_ms, ms);
    this.request_ms = smooth(this.request_ms, ms / requests);
  }

  #fitting(first: Job, most: number): Job[] {
    const fitting: Job[] = [];
    let rows = first.rows;
    let looked = 0;
    for (const list of this.#lists) {
      for (let job = list.first; job !== undefined; job = job.next) {
        if (rows >= most || ++looked > most * LOOKED_AT) return fitting;
        if (job.alone || rows + job.rows > most || !isLike(first, job)) continue;
        fitting.push(job);
        rows += job.rows;
      }
    }
    return fitting;
  }

  #take(job: Job): void {
    job.list?.remove(job);
    job.state = "running";
    this.#add(job, -1);
  }

  #add(job: Job, sign: 1 | -1): void {
    this.waiting += sign;
    this.bytes += sign * job.bytes;
    this.rows += sign * job.rows;
  }

  #list(priority: number): JobList {
    const list = this.#lists[priority];
    if (list === undefined) throw new RangeError(`priority ${priority}`);
    return list;
  }
}

/** The first that come to so many rows; undefined where none do. */
function fill(first: Job, fitting: readonly Job[], aim: number): Job[] | undefined {
  const jobs = [first];
  let rows = first.rows;
  for (const job of fitting) {
    if (rows === aim) break;
    if (rows + job.rows > aim) continue;
    jobs.push(job);
    rows += job.rows;
  }
  return rows === aim ? jobs : undefined;
}

const urgencyOf = ({ priority, queued }: Job, now: number): number =>
  Math.max(0, priority - Math.floor((now - queued) / AGE_MS));

const smooth = (before: number, now: number): number => (before === 0 ? now : before * 0.9 + now * 0.1);

/** Of the same types and shapes but for the first size. */
function isLike(a: Job, b: Job): boolean {
  if (a.inputs.size !== b.inputs.size) return false;
  for (const [name, one] of a.inputs) {
    const other = b.inputs.get(name);
    if (other === undefined || other.type !== one.type || other.shape.length !== one.shape.length) return false;
    for (let at = 1; at < one.shape.length; at++) if (one.shape[at] !== other.shape[at]) return false;
  }
  return true;
}
