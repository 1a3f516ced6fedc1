/**
 * Served: one version of a model that is open. It takes requests, computes what its lane hands out, and gives each its answer: the
 * request during which a process went down is tried once more, alone; what takes it down twice is refused.
 */

import { CannotError, MishapError, UsageError, type Mishap } from "../../base/errors.ts";
import type { Ran } from "../../delegates/delegate.ts";
import type { Value } from "../../delegates/value.ts";
import { defaultLimits } from "../../host/process.ts";
import { Refusal, type InferAnswer, type InferRequest, type RefusalKind } from "../engine.ts";
import { combine, split, type Values } from "./batching.ts";
import { DEFAULT_PRIORITY, DEFAULT_QUEUE, type ModelConfig } from "./config.ts";
import { late, type Deadlines } from "./deadlines.ts";
import type { Device, Runner } from "./device.ts";
import type { Counters } from "./figures.ts";
import { Instance } from "./instance.ts";
import { cancelled, Job, type JobOwner, type Sink } from "./job.ts";
import { Lane } from "./lane.ts";
import type { OpenedModel } from "./opening.ts";
import type { Watch } from "./watch.ts";
import { measure } from "./request.ts";
import { publicWords } from "./words.ts";

/** Of a run: it says nothing of the request that it was for, which is tried again. */
const RETRIED: ReadonlySet<Mishap> = new Set(["crashed", "exited", "killed"]);
const UNANSWERED = "the model gave no answer in time";
/** Restarts in a row that failed after which the model does not count as ready. */
const BROKEN = 3;
const NONE: readonly Job[] = [];
/** When to look again, seconds: about as long as a pause before the next restart. */
const RETRY_S = 5;

export interface ServedOptions {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  readonly config: ModelConfig;
  readonly opened: OpenedModel;
  readonly device: Device;
  readonly deadlines: Deadlines;
  readonly counters: Counters;
  readonly watch: Watch;
  readonly tell: (kind: "down" | "restarting" | "up" | "unbatched", says: string, error?: unknown) => void;
}

export class Served implements Runner, JobOwner {
  readonly lane: Lane;
  readonly opened: OpenedModel;
  readonly options: ServedOptions;
  /** Takes nothing new. */
  closing = false;
  readonly #instances: readonly Instance[];
  readonly #idle: Instance[];
  readonly #counters: Counters;
  readonly #deadlines: Deadlines;
  readonly #device: Device;
  /** Why no instance computes right now. */
  #says = "";
  /** Who waits until nothing waits or runs. */
  readonly #drains: (() => void)[] = [];

  constructor(options: ServedOptions) {
    const { config, opened } = options;
    this.options = options;
    this.opened = opened;
    this.#counters = options.counters;
    this.#deadlines = options.deadlines;
    this.#device = options.device;
    this.lane = new Lane({
      name: options.name,
      weight: config.weight ?? 1,
      instances: opened.sessions.length,
      queue_requests: config.queue_requests ?? DEFAULT_QUEUE.requests,
      queue_bytes: config.queue_bytes ?? DEFAULT_QUEUE.bytes,
      max_delay_ms: config.max_delay_ms ?? 0,
      batches: opened.batches,
    });
    this.#instances = opened.sessions.map((session) => {
      const instance: Instance = new Instance(session, opened.warm, {
        down: (error) => {
          this.lane.down++;
          this.#says = publicWords(error);
          options.tell("down", this.#says, error);
        },
        failed: (error, pause) => {
          this.#says = publicWords(error, options.path);
          options.tell("restarting", `${this.#says}; it is tried again in ${pause} ms`, error);
        },
        up: () => {
          this.lane.down--;
          options.tell("up", "it computes again");
          this.#idle.push(instance);
          this.#device.pump();
        },
      });
      return instance;
    });
    this.#idle = [...this.#instances];
    this.#device.add(this);
  }

  get running(): number {
    return this.#instances.filter(({ jobs }) => jobs.length > 0).length;
  }
  get restarts(): number {
    return this.#instances.reduce((sum, one) => sum + one.restarts, 0);
  }
  /** Why nothing is computed right now; undefined where something is. */
  get restarting(): string | undefined {
    return this.lane.down === this.#instances.length ? this.#says : undefined;
  }
  get broken(): boolean {
    return this.lane.down === this.#instances.length && this.#instances.every(({ failures }) => failures > BROKEN);
  }

  free(): boolean {
    return this.#idle.length > 0;
  }

  /** `sink`: pieces of the text as they come. Rejects with Refusal. */
  infer(request: InferRequest, sink?: Sink): Promise<InferAnswer> {
    return new Promise((done, failed) => {
      const now = performance.now();
      let job: Job;
      try {
        job = this.#accept(request, now, done, failed);
      } catch (error) {
        if (error instanceof Refusal) this.#counters.count(error.kind);
        throw error; // which rejects
      }
      job.sink = sink;
      this.#device.push(this, job, now);
      // It runs already, or is over, unless it has to wait: only then somebody has to look at it.
      if (job.state === "waiting") {
        job.listen();
        this.#deadlines.add(job);
      }
    });
  }

  /** Throws Refusal. */
  #accept(
    request: InferRequest,
    now: number,
    done: (answer: InferAnswer) => void,
    failed: (refusal: Refusal) => void,
  ): Job {
    const { config, opened } = this.options;
    const { rows, bytes } = measure(request, opened);
    if (request.options !== undefined && !opened.streams && Object.keys(request.options).length > 0) {
      throw new Refusal("invalid", "this model takes no options");
    }
    if (request.signal?.aborted === true) throw cancelled();
    const own = config.timeout_ms === undefined ? Infinity : now + config.timeout_ms;
    const deadline = Math.min(request.deadline ?? Infinity, own);
    if (deadline <= now) throw late();
    if (this.lane.down > 0 && this.broken) {
      throw new Refusal("not-ready", `the model does not come up again: ${this.#says}`, { retry_after_s: RETRY_S });
    }
    this.lane.admit(bytes);
    const { inputs, outputs: wanted, options, priority = config.priority ?? DEFAULT_PRIORITY, signal } = request;
    const batched = opened.batches.length > 0 ? rows : 0;
    const given = { inputs, wanted, options, priority, rows: batched, bytes, queued: now, deadline, signal };
    return new Job(this, given, done, failed);
  }

  async run(taken: readonly Job[], now: number): Promise<number> {
    const jobs = taken.filter((job) => this.#isWanted(job, now));
    const [first] = jobs;
    const instance = first === undefined ? undefined : this.#idle.pop();
    if (first === undefined || instance === undefined) {
      this.#settle();
      return now;
    }
    for (const job of jobs) this.#counters.queue_seconds.add((now - job.queued) / 1000);
    instance.jobs = jobs;
    instance.since = now;
    this.options.watch.begin();
    if (this.options.config.interrupt === true) for (const job of jobs) job.listen();
    try {
      if (this.opened.streams) return await this.#text(instance, first, now);
      if (jobs.length > 1) return await this.#together(instance, jobs, now);
      const ran = await instance.run(first.inputs);
      const end = this.#took(now, 1);
      this.#answer(first, ran, ran.outputs, now, end, 1);
      return end;
    } catch (error) {
      this.#failed(error, jobs);
      return performance.now();
    } finally {
      instance.jobs = NONE;
      if (instance.up) this.#idle.push(instance);
      this.#settle();
    }
  }

  left(job: Job): void {
    this.lane.left(job);
    this.#settle();
  }

  count(outcome: "ok" | RefusalKind): void {
    this.#counters.count(outcome);
  }

  /** Resolves when nothing waits or runs. */
  drained(): Promise<void> {
    return new Promise((done) => {
      this.#drains.push(done);
      this.#settle();
    });
  }

  /** Looks at what runs; false where nothing does. */
  look(now: number): boolean {
    const { interrupt, run_ms = defaultLimits().run_ms } = this.options.config;
    for (const instance of this.#instances) {
      const { jobs, since } = instance;
      if (jobs.length === 0) continue;
      if (!this.opened.isolated) {
        // It computes on and cannot be ended: only whoever waits is told.
        if (now - since > run_ms) for (const job of jobs) job.refuse(new Refusal("failed", UNANSWERED));
      } else if (interrupt === true && !this.opened.streams) {
        if (jobs.filter((job) => this.#isWanted(job, now)).length === 0) instance.interrupt();
      }
    }
    return this.running > 0;
  }

  /** Refuses whatever waits or runs. */
  abandon(refusal: Refusal): void {
    for (const job of this.lane.all()) job.refuse(refusal);
    for (const instance of this.#instances) {
      for (const job of instance.jobs) job.refuse(refusal);
      instance.kill();
    }
  }

  /** Nothing may wait. Resolves when what the sessions hold is free. */
  async close(): Promise<void> {
    this.closing = true;
    this.#device.remove(this);
    await Promise.all(this.#instances.map((instance) => instance.close()));
    this.opened.release();
  }

  #settle(): void {
    if (this.#drains.length === 0 || this.lane.waiting > 0 || this.running > 0) return;
    for (const done of this.#drains.splice(0)) done();
  }

  /** Refuses what nobody waits for any more. */
  #isWanted(job: Job, now: number): boolean {
    if (job.signal?.aborted === true) job.refuse(cancelled());
    else if (job.deadline <= now) job.refuse(late());
    return job.state !== "over";
  }

  async #together(instance: Instance, jobs: readonly Job[], start: number): Promise<number> {
    const ran = await instance.run(combine(jobs.map(({ inputs }) => inputs)));
    let parts: Values[];
    try {
      parts = split(
        ran.outputs,
        jobs.map(({ rows }) => rows),
      );
    } catch (error) {
      if (!(error instanceof CannotError)) throw error;
      // Its shapes follow from the numbers, which the trial did not show.
      this.lane.options.batches = [];
      this.options.tell("unbatched", `its requests are computed one by one from now on: ${error.message}`);
      this.#again(jobs);
      return performance.now();
    }
    const end = this.#took(start, jobs.length);
    jobs.forEach((job, at) => this.#answer(job, ran, parts[at] ?? ran.outputs, start, end, jobs.length));
    return end;
  }

  async #text(instance: Instance, job: Job, start: number): Promise<number> {
    const pieces = instance.stream(job.inputs, job.options);
    let said = false;
    try {
      for (;;) {
        const step = await pieces.next();
        if (step.done === true) {
          const end = this.#took(start, 1);
          this.#answer(job, step.value, step.value.outputs, start, end, 1);
          return end;
        }
        const now = performance.now();
        if (!this.#isWanted(job, now) || job.sink?.stopped() === true) {
          job.refuse(cancelled());
          return now;
        }
        if (job.sink !== undefined) {
          job.sink.piece(step.value);
          said = true;
        }
      }
    } catch (error) {
      // What was said cannot be taken back, and might not be said again.
      if (said) job.crashes = Infinity;
      throw error;
    } finally {
      await pieces.return(undefined as never); // what it returns is not looked at
    }
  }

  /** A run has ended; when. */
  #took(start: number, requests: number): number {
    const end = performance.now();
    const ms = end - start;
    this.lane.ran(ms, requests);
    this.#counters.run_seconds.add(ms / 1000);
    this.#counters.batches++;
    this.#counters.batched += requests;
    return end;
  }

  #answer(job: Job, { figures }: Ran, outputs: Values, start: number, end: number, batch: number): void {
    const { name, version, opened } = this.options;
    const answer = {
      model: name,
      version,
      outputs: job.wanted === undefined ? outputs : chosen(outputs, job.wanted),
      device: opened.device,
      delegate: opened.delegate,
      queue_ms: start - job.queued,
      run_ms: end - start,
      batch,
    };
    job.answer(figures === undefined ? answer : { ...answer, figures });
  }

  #failed(error: unknown, jobs: readonly Job[]): void {
    const crashed = error instanceof MishapError && RETRIED.has(error.how);
    // Whichever of them it was: alone it will show.
    const again = jobs.filter((job) => {
      if (crashed && jobs.length === 1) job.crashes++;
      return jobs.length > 1 || (crashed && job.crashes < 2);
    });
    for (const job of jobs) if (!again.includes(job)) job.refuse(this.#refusalOf(error, job));
    this.#again(again);
  }

  #refusalOf(error: unknown, { crashes }: Job): Refusal {
    if (error instanceof Refusal) return error;
    const kind = error instanceof UsageError ? "invalid" : "failed";
    const words = publicWords(error, this.options.path);
    const twice = crashes === 2 ? `${words}, twice on this request` : words;
    return new Refusal(kind, twice, { cause: error });
  }

  /** To the front, in their order. */
  #again(jobs: readonly Job[]): void {
    for (const job of jobs.toReversed()) {
      if (job.state === "over") continue;
      job.alone = true;
      this.lane.pushBack(job);
      job.listen();
      this.#deadlines.add(job);
    }
  }
}

function chosen(outputs: Values, wanted: readonly string[]): Values {
  const some = new Map<string, Value>();
  for (const [name, value] of outputs) if (wanted.includes(name)) some.set(name, value);
  return some;
}
