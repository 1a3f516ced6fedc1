/** Jobs: requests that were accepted, in the lists in which they wait. A job leaves its list from any place, without a search. */

import type { Value } from "../../delegates/value.ts";
import { Refusal, type InferAnswer, type RefusalKind } from "../engine.ts";

/** Who takes the pieces of a text. */
export interface Sink {
  /** Further pieces are of no use. */
  readonly stopped: () => boolean;
  readonly piece: (text: string) => void;
}

export interface JobOwner {
  /** It left its list without having run: it was cancelled, or is late. */
  left(job: Job): void;
  count(outcome: "ok" | RefusalKind): void;
}

export class Job {
  readonly owner: JobOwner;
  inputs: ReadonlyMap<string, Value>;
  readonly wanted: readonly string[] | undefined;
  readonly options: Readonly<Record<string, string>> | undefined;
  readonly priority: number;
  /** Of the first dimension; 0 where the model does not batch. */
  readonly rows: number;
  readonly bytes: number;
  /** performance.now() */
  readonly queued: number;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  sink: Sink | undefined;
  /** Runs of it that took the model's process down. */
  crashes = 0;
  /** It is not to be computed with others: something went wrong with them. */
  alone = false;
  state: "new" | "waiting" | "running" | "over" = "new";
  list: JobList | undefined;
  next: Job | undefined;
  before: Job | undefined;
  #done: (answer: InferAnswer) => void;
  #failed: (refusal: Refusal) => void;
  #listening = false;

  constructor(
    owner: JobOwner,
    given: Pick<
      Job,
      "inputs" | "wanted" | "options" | "priority" | "rows" | "bytes" | "queued" | "deadline" | "signal"
    >,
    done: (answer: InferAnswer) => void,
    failed: (refusal: Refusal) => void,
  ) {
    this.owner = owner;
    this.inputs = given.inputs;
    this.wanted = given.wanted;
    this.options = given.options;
    this.priority = given.priority;
    this.rows = given.rows;
    this.bytes = given.bytes;
    this.queued = given.queued;
    this.deadline = given.deadline;
    this.signal = given.signal;
    this.#done = done;
    this.#failed = failed;
  }

  /** From now on the caller's going takes it out of its list at once. A job that runs at once has no need of it. */
  listen(): void {
    if (this.signal === undefined || this.#listening) return;
    this.#listening = true;
    this.signal.addEventListener("abort", this.#abort, { once: true });
  }

  answer(answer: InferAnswer): void {
    if (this.state === "over") return;
    // Nobody is there to take it.
    if (this.signal?.aborted === true) return this.refuse(cancelled());
    this.#end("ok");
    this.#done(answer);
  }

  refuse(refusal: Refusal): void {
    if (this.state === "over") return;
    const waiting = this.list !== undefined;
    this.#end(refusal.kind);
    if (waiting) this.owner.left(this);
    this.#failed(refusal);
  }

  #end(outcome: "ok" | RefusalKind): void {
    this.state = "over";
    this.list?.remove(this);
    // Whoever holds the job a while longer (deadlines.ts) does not hold its tensors.
    this.inputs = NOTHING;
    if (this.#listening) this.signal?.removeEventListener("abort", this.#abort);
    this.owner.count(outcome);
  }

  readonly #abort = (): void => this.refuse(cancelled());
}

const NOTHING: Job["inputs"] = new Map();

export const cancelled = (): Refusal => new Refusal("cancelled", "the request was cancelled");

/** First in, first out. */
export class JobList {
  first: Job | undefined;
  #last: Job | undefined;

  push(job: Job): void {
    job.list = this;
    job.before = this.#last;
    job.next = undefined;
    if (this.#last === undefined) this.first = job;
    else this.#last.next = job;
    this.#last = job;
  }

  /** Back to where it was taken from. */
  unshift(job: Job): void {
    job.list = this;
    job.before = undefined;
    job.next = this.first;
    if (this.first === undefined) this.#last = job;
    else this.first.before = job;
    this.first = job;
  }

  remove(job: Job): void {
    if (job.list !== this) return;
    if (job.before === undefined) this.first = job.next;
    else job.before.next = job.next;
    if (job.next === undefined) this.#last = job.before;
    else job.next.before = job.before;
    job.list = job.next = job.before = undefined;
  }
}
