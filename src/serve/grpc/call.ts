/** One call while it is answered: its ids, its end, its line in the log; and the requests of a stream. */

import type * as grpcModule from "@grpc/grpc-js";
import { Refusal, type Engine } from "../engine.ts";
import { idOf, traceOf } from "../http/exchange.ts";
import type { Log } from "../http/log.ts";
import { readAsked, writeStreamed, writeStreamError, type AskedLimits } from "./infer.ts";
import { inferStream, type Context } from "./service.ts";
import { codes, statusOf, wordsOf } from "./status.ts";

type Grpc = typeof grpcModule;
export type Stream = grpcModule.ServerDuplexStream<Buffer, Buffer>;
export type AnyCall = grpcModule.ServerUnaryCall<unknown, unknown> | Stream;

/** One call: what service.ts may know of it, and its line in the log. */
export class Call implements Context {
  readonly #grpc: Grpc;
  readonly #call: AnyCall;
  readonly #method: string;
  readonly #log: Log;
  readonly #begun = performance.now();
  readonly #notes: Record<string, string | number> = {};
  readonly #gone = new AbortController();
  readonly signal = this.#gone.signal;
  readonly deadline: number | undefined;
  #id: string | undefined;
  #ended = false;

  constructor(grpc: Grpc, call: AnyCall, method: string, log: Log) {
    this.#grpc = grpc;
    this.#call = call;
    this.#method = method;
    this.#log = log;
    const until = Number(call.getDeadline());
    this.deadline = until === Infinity ? undefined : performance.now() + (until - Date.now());
    call.on("cancelled", () => {
      // Told after the answer too.
      if (this.#ended) return;
      this.#gone.abort();
      this.end(this.deadline !== undefined && performance.now() >= this.deadline ? codes.deadline : codes.cancelled);
    });
  }

  get id(): string {
    const [given] = this.#call.metadata.get("x-request-id");
    return (this.#id ??= idOf(typeof given === "string" ? given : undefined));
  }

  note(fields: Readonly<Record<string, string | number>>): void {
    Object.assign(this.#notes, fields);
  }

  /** What the client is told of an error; the rest is for the log. */
  failed(error: unknown): ReturnType<typeof statusOf> {
    const status = statusOf(this.#grpc, error, this.id);
    const ids = { request_id: this.id, trace_id: this.#trace() };
    if (!(error instanceof Refusal)) {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#log.line("error", "a bug; please report it with this", { ...ids, stack });
    } else if (error.kind === "failed") {
      const cause = error.cause instanceof Error ? error.cause.message : error.message;
      this.#log.line("warn", error.message, { ...ids, error: cause });
    }
    this.note({ error: status.details });
    this.end(status.code);
    return status;
  }

  /** Writes the line of this call, once. */
  end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#log.writes("info")) return;
    this.#log.line("info", `gRPC ${this.#method} ${code}`, {
      ms: Number((performance.now() - this.#begun).toFixed(3)),
      request_id: this.id,
      trace_id: this.#trace(),
      ...this.#notes,
    });
  }

  #trace(): string {
    const [given] = this.#call.metadata.get("traceparent");
    return traceOf(typeof given === "string" ? given : undefined).trace_id;
  }
}

/** Requests of a stream, one after the other: an answer goes out before the next request is looked at. */
export async function answerStream(
  engine: Engine,
  stream: Stream,
  limits: AskedLimits,
  call: Call,
  draining: AbortSignal,
): Promise<void> {
  const send = async (bytes: Buffer): Promise<void> => {
    if (!stream.write(bytes))
      await new Promise<void>((resolve) => stream.once("drain", resolve).once("close", resolve));
  };
  // A client that waits with its next request keeps no server from closing.
  const stop = (): void => {
    stream.push(null);
  };
  draining.addEventListener("abort", stop, { once: true });
  stream.on("error", () => undefined); // the client is gone: `cancelled` says so
  try {
    // The end of the requests is not that of the answers.
    for await (const bytes of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      let id = "";
      try {
        const asked = readAsked(bytes, limits);
        id = asked.id;
        call.note({ model: asked.model });
        for await (const answer of inferStream(engine, asked, call)) {
          if (call.signal.aborted) break;
          await send(writeStreamed(answer));
        }
      } catch (error) {
        if (call.signal.aborted) break;
        if (!(error instanceof Refusal)) throw error;
        await send(writeStreamError(wordsOf(error), id));
      }
      if (call.signal.aborted || draining.aborted) break;
    }
    if (call.signal.aborted) return;
    if (draining.aborted) throw new Refusal("not-ready", "the server is shutting down");
    call.end(codes.ok);
    stream.end();
  } catch (error) {
    if (call.signal.aborted) return;
    stream.emit("error", call.failed(error));
  } finally {
    draining.removeEventListener("abort", stop);
  }
}
