/**
 * Engine: runs models for many callers. Doors (REST, gRPC, chat) turn their protocol into InferRequest and back and know nothing of
 * devices, queues and children; the engine knows nothing of protocols.
 */

import type { Port } from "../delegates/delegate.ts";
import type { Value } from "../delegates/value.ts";

export interface InferRequest {
  readonly model: string;
  /** Version as the repository names it ("1"); absent: the one that serves by default. */
  readonly version?: string;
  readonly inputs: ReadonlyMap<string, Value>;
  /** Names of the outputs that are wanted; absent: all. */
  readonly outputs?: readonly string[];
  /** 0 is served first. Absent: the model's own default. */
  readonly priority?: number;
  /** performance.now() after which nobody waits any more. */
  readonly deadline?: number;
  /** The caller is gone. */
  readonly signal?: AbortSignal;
  /** For logs. */
  readonly id: string;
  /** Of this run, as SessionOptions.options: sampling of a language model. */
  readonly options?: Readonly<Record<string, string>>;
}

export interface InferAnswer {
  readonly model: string;
  readonly version: string;
  readonly outputs: ReadonlyMap<string, Value>;
  /** Where it ran: cpu, or a family of the catalogue. */
  readonly device: string;
  readonly delegate: string;
  readonly queue_ms: number;
  readonly run_ms: number;
  /** Requests that were computed together. */
  readonly batch: number;
  readonly figures?: Readonly<Record<string, number>>;
}

export type ModelStatus = "loading" | "ready" | "unloading" | "failed" | "unloaded";

export interface ModelState {
  readonly name: string;
  readonly version: string;
  readonly status: ModelStatus;
  /** Why it failed, or computes nothing while its process is started again; no path of the host in it. */
  readonly reason?: string;
  /** Format id, delegate and device; absent until it was opened. */
  readonly format?: string;
  readonly delegate?: string;
  readonly device?: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Requests with a first dimension of up to so many may be put together; 0: no batching. */
  readonly max_batch: number;
  /** It writes texts piece by piece: stream() works. */
  readonly streams: boolean;
}

/** Counted since the engine began. Times in seconds. */
export interface ModelFigures {
  readonly name: string;
  readonly version: string;
  readonly device: string;
  readonly requests: Readonly<Record<"ok" | RefusalKind, number>>;
  readonly waiting: number;
  readonly running: number;
  readonly restarts: number;
  /** Sessions that compute nothing right now: their process went down and is not up again. */
  readonly down?: number;
  /** Runs, and requests that were computed in them. */
  readonly batches: number;
  readonly batched: number;
  /** Of each request that was computed, and of each run. */
  readonly queue_seconds: Spread;
  readonly run_seconds: Spread;
}

/** Cumulative counts by upper bound, as Prometheus has them; the last bound is Infinity and not written. */
export interface Spread {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

export interface Engine {
  /** Every version that is known, in any status. */
  models(): readonly ModelState[];
  model(name: string, version?: string): ModelState | undefined;
  /** Rejects with Refusal and nothing else, short of a bug. */
  infer(request: InferRequest): Promise<InferAnswer>;
  /** Text piece by piece; ending the iteration cancels. Throws Refusal. */
  stream(request: InferRequest): AsyncGenerator<string, InferAnswer, undefined>;
  /** Resolves when it serves; throws Refusal. */
  load(name: string): Promise<void>;
  /** Requests that wait are answered first. */
  unload(name: string): Promise<void>;
  /** Names in the repository, loaded or not. */
  repository(): readonly ModelState[];
  /** All models that should serve do, and no drain has begun. */
  ready(): boolean;
  figures(): readonly ModelFigures[];
  /** Takes nothing new, answers what was accepted, within so many milliseconds; then closes every session. */
  drain(within_ms: number): Promise<void>;
}

export type RefusalKind =
  /** The request itself: unknown input, wrong shape. */
  | "invalid"
  | "not-found"
  /** Loading, failed or draining. */
  | "not-ready"
  /** The queue is full: `retry_after_s` says when to come again. */
  | "busy"
  | "deadline"
  | "cancelled"
  /** The delegate failed on it. */
  | "failed";

/** Every answer that is no result. The message goes to the caller: no path, no address, nothing of the host in it. */
export class Refusal extends Error {
  readonly kind: RefusalKind;
  readonly retry_after_s: number | undefined;
  constructor(kind: RefusalKind, message: string, options: { retry_after_s?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Refusal";
    this.kind = kind;
    this.retry_after_s = options.retry_after_s;
  }
}
