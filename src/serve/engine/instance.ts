/**
 * Instance: one session of a model. When its process goes down it is started again, at once at first and then after longer and longer
 * pauses, and tried with what the model was tried with, before requests are sent to it.
 */

import { CannotError, MishapError, type Mishap } from "../../base/errors.ts";
import type { Ran } from "../../delegates/delegate.ts";
import type { Values } from "./batching.ts";
import type { Job } from "./job.ts";
import type { ModelSession } from "./opening.ts";

/** Milliseconds before a restart: the second in a row, and at most. */
const [PAUSE, PAUSE_LIMIT] = [100, 10_000];
/** After these the process is gone; after the others the session is as it was. */
const GONE: ReadonlySet<Mishap> = new Set(["crashed", "exited", "killed", "hung", "memory", "flooded"]);

export interface InstanceEvents {
  /** Its process went down and is being started again. */
  down(error: MishapError): void;
  /** Starting it again failed: it is tried again in so many milliseconds. */
  failed(error: unknown, pause: number): void;
  /** It computes again. */
  up(): void;
}

export class Instance {
  readonly session: ModelSession;
  up = true;
  /** Times in a row that it went down or did not come up, with no request answered between. */
  failures = 0;
  restarts = 0;
  /** What it computes, and since when; performance.now(). */
  jobs: readonly Job[] = [];
  since = 0;
  readonly #warm: Values | undefined;
  readonly #events: InstanceEvents;
  #stop = new AbortController();
  readonly #isolated: boolean;
  #pid: number;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(session: ModelSession, warm: Values | undefined, events: InstanceEvents) {
    this.session = session;
    this.#warm = warm;
    this.#events = events;
    this.#pid = pidOf(session);
    this.#isolated = this.#pid !== 0;
  }

  run(values: Values): Promise<Ran> {
    return this.#isolated ? this.#runThere(values) : this.session.run(values);
  }

  async #runThere(values: Values): Promise<Ran> {
    const { signal } = this.#stop;
    try {
      const ran = await this.session.run(values, { signal });
      this.#ran();
      return ran;
    } catch (error) {
      if (signal.aborted) this.#interrupted();
      else this.#failed(error);
      throw error;
    }
  }

  /** Ends the process of the run that is under way, and starts another. */
  interrupt(): void {
    this.#stop.abort(new CannotError("nobody waits for it any more"));
    this.#stop = new AbortController();
  }

  stream(values: Values, options?: Readonly<Record<string, string>>): AsyncGenerator<string, Ran, undefined> {
    const { session } = this;
    if (session.stream === undefined) throw new CannotError("this model writes no text piece by piece");
    return this.#watched(session.stream(values, options));
  }

  /** Does not wait for a run that is under way; of a library in this process it cannot be ended. */
  kill(): void {
    this.#closed = true;
    this.#stop.abort(new CannotError("the server is closing"));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pause);
    await this.session.close();
  }

  async *#watched(pieces: AsyncGenerator<string, Ran, undefined>): AsyncGenerator<string, Ran, undefined> {
    try {
      const ran = yield* pieces;
      this.#ran();
      return ran;
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #ran(): void {
    this.failures = 0;
    this.#count();
  }

  /** After a mishap the session starts another process for its next run, also where the process went down between two. */
  #count(): void {
    const pid = pidOf(this.session);
    if (pid !== this.#pid) this.restarts++;
    this.#pid = pid;
  }

  #failed(error: unknown): void {
    if (this.#closed || !(error instanceof MishapError) || !GONE.has(error.how)) return;
    this.up = false;
    this.#events.down(error);
    this.#restartLater();
  }

  #interrupted(): void {
    if (this.#closed) return;
    this.up = false;
    this.#events.down(new MishapError("a run for which nobody waited was ended", { how: "killed", words: "" }));
    this.#pause = setTimeout(() => void this.#restart(), 0);
  }

  /** In how many milliseconds. */
  #restartLater(): number {
    const pause = this.failures === 0 ? 0 : Math.min(PAUSE_LIMIT, PAUSE * 2 ** (this.failures - 1));
    this.failures++;
    this.#pause = setTimeout(() => void this.#restart(), pause);
    return pause;
  }

  async #restart(): Promise<void> {
    try {
      if (this.#warm !== undefined) await this.session.run(this.#warm, { signal: this.#stop.signal });
    } catch (error) {
      if (this.#closed) return;
      this.#events.failed(error, this.#restartLater());
      return;
    }
    if (this.#closed) return;
    this.#count();
    this.up = true;
    this.#events.up();
  }
}

const pidOf = (session: ModelSession): number =>
  "pid" in session && typeof session.pid === "number" ? session.pid : 0;
