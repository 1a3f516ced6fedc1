/** The server's end of models-child.ts: one thing at a time, each within its time and memory, or the process is ended and the next gets another. */

import { fork, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CannotError, UsageError } from "../../base/errors.ts";
import { ownFile } from "../../base/package.ts";
import type { FitWish } from "./models-fit.ts";
import type { GraphWish, OperatorsWish } from "./models-graph.ts";
import type { ReadWork } from "./models-read.ts";
import type { RunWork } from "./models-run.ts";

export type Work =
  | ({ readonly ask: "read" } & ReadWork)
  | { readonly ask: "graph"; readonly files: readonly string[]; readonly wish: GraphWish }
  | { readonly ask: "operators"; readonly files: readonly string[]; readonly wish: OperatorsWish }
  | {
      readonly ask: "operator";
      readonly files: readonly string[];
      readonly node: number;
      readonly graph?: number;
      readonly by?: string;
    }
  | { readonly ask: "fit"; readonly files: readonly string[]; readonly wish: FitWish; readonly root?: string }
  | ({ readonly ask: "run" } & RunWork);

export interface Failure {
  /** Of "bug" the message is a stack, for the log. */
  readonly kind: "usage" | "file" | "cannot" | "bug";
  readonly message: string;
}
export type WorkReply = { readonly done: unknown } | { readonly failed: Failure };

/** A file that cannot be read, in its reader's words. */
export class WorkError extends CannotError {
  readonly kind: Failure["kind"];
  constructor({ kind, message }: Failure) {
    super(message);
    this.kind = kind;
  }
}

/** V8's own memory: a graph of a million operators has some 1.5 GB. */
const HEAP_MB = 2048;
/** Of all of it, pictures and tensors included; looked at so often (milliseconds). */
const RESIDENT_BYTES = 3 * 2 ** 30;
const LOOK_MS = 250;
/** Kept for a while after its last work, since it knows the models it has read. */
const IDLE_MS = 5 * 60_000;
/** Waiting for one worker: more are refused, because nobody would wait for them. */
const QUEUE_LIMIT = 64;

interface Job {
  readonly work: Work;
  readonly within: number;
  readonly signal: AbortSignal | undefined;
  readonly done: (value: unknown) => void;
  readonly failed: (error: unknown) => void;
}

export class Worker {
  #child: ChildProcess | undefined;
  readonly #waiting: Job[] = [];
  /** What is being worked on; `over` lets go of it and goes on with the next. */
  #current: { readonly job: Job; readonly id: number; readonly over: (settle: () => void) => void } | undefined;
  #count = 0;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  /** Rejects with WorkError, UsageError, or the signal's reason. Giving up ends the process while it works on this. */
  ask(work: Work, within: number, signal?: AbortSignal): Promise<unknown> {
    if (this.#closed) return Promise.reject(new CannotError("the server is closing"));
    if (this.#waiting.length >= QUEUE_LIMIT) {
      return Promise.reject(
        new WorkError({ kind: "cannot", message: "too much is asked at once; try again in a moment" }),
      );
    }
    return new Promise((done, failed) => {
      this.#waiting.push({ work, within, signal, done, failed });
      this.#next();
    });
  }

  /** Work that has begun or waits is given up. */
  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    const gone = new CannotError("the server is closing");
    for (const { failed } of this.#waiting.splice(0)) failed(gone);
    const child = this.#child;
    this.#fail(gone);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((ended) => {
      child.once("exit", () => ended());
      child.kill("SIGKILL");
    });
  }

  #next(): void {
    if (this.#current !== undefined || this.#closed) return;
    const job = this.#waiting.shift();
    if (job === undefined) return this.#rest();
    clearTimeout(this.#idle);
    if (job.signal?.aborted === true) {
      job.failed(job.signal.reason);
      return this.#next();
    }
    try {
      this.#begin(job);
    } catch (error) {
      this.#current = undefined;
      job.failed(error);
    }
  }

  #begin(job: Job): void {
    const child = (this.#child ??= this.#start());
    const id = ++this.#count;
    const over = (settle: () => void): void => {
      if (this.#current?.id !== id) return;
      this.#current = undefined;
      clearTimeout(late);
      clearInterval(look);
      job.signal?.removeEventListener("abort", abort);
      settle();
      this.#next();
    };
    const kill = (error: unknown): void => {
      this.#drop(child);
      over(() => job.failed(error));
    };
    const abort = (): void => kill(job.signal?.reason);
    const late = setTimeout(() => {
      const says = `it took longer than the ${Math.round(job.within / 1000)} s that are allowed`;
      kill(new WorkError({ kind: "cannot", message: says }));
    }, job.within);
    const look = setInterval(() => {
      if (residentBytes(child.pid) <= RESIDENT_BYTES) return;
      kill(
        new WorkError({
          kind: "cannot",
          message: `it took more memory than the ${RESIDENT_BYTES / 2 ** 30} GiB that are allowed`,
        }),
      );
    }, LOOK_MS);
    job.signal?.addEventListener("abort", abort);
    this.#current = { job, id, over };
    hold(child, true);
    child.send({ id, work: job.work }, (error) => {
      if (error !== null)
        kill(new WorkError({ kind: "cannot", message: "the process that reads models could not be reached" }));
    });
  }

  #start(): ChildProcess {
    const child = fork(childFile(), [String(process.pid)], {
      execArgv: [`--max-old-space-size=${HEAP_MB}`],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env: environment(),
    });
    child.on("message", ({ id, reply }: { readonly id: number; readonly reply: WorkReply }) => {
      const current = this.#current;
      if (current?.id !== id) return;
      if ("done" in reply) current.over(() => current.job.done(reply.done));
      else current.over(() => current.job.failed(errorOf(reply.failed)));
    });
    const gone = (says: string): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#fail(new WorkError({ kind: "cannot", message: says }));
    };
    child.on("error", () => gone("no process could be started for it"));
    child.on("exit", (_, signal) =>
      gone(signal === "SIGABRT" ? "it needs more memory than is allowed" : "the process that worked on it ended"),
    );
    return child;
  }

  #fail(error: Error): void {
    const current = this.#current;
    current?.over(() => current.job.failed(error));
  }

  #drop(child: ChildProcess): void {
    if (this.#child === child) this.#child = undefined;
    child.kill("SIGKILL");
  }

  /** Nothing to do: it keeps nobody's process alive, and ends after a while. */
  #rest(): void {
    const child = this.#child;
    if (child === undefined) return;
    hold(child, false);
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#drop(child), IDLE_MS).unref();
  }
}

function hold(child: ChildProcess, held: boolean): void {
  if (held) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}

function errorOf(failure: Failure): Error {
  return failure.kind === "usage" ? new UsageError(failure.message) : new WorkError(failure);
}

/** A debugger's port and a loader of TypeScript are meant for this process. */
function environment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env["NODE_OPTIONS"];
  return env;
}

function residentBytes(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, "latin1");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0; // ENOENT: it has ended, which is told by itself
  }
}

/** Beside this bundle, or where the build puts it when this runs from its sources. */
function childFile(): string {
  const here = dirname(ownFile());
  const found = ["page-child.js", "../../dist/page-child.js", "../page-child.js"]
    .map((place) => join(here, place))
    .find((path) => existsSync(path));
  if (found === undefined) throw new CannotError("the page's own process is not built; npm run build makes it");
  return found;
}
