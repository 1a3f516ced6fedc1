/**
 * Gate: what is asked of a call before a byte of its message is read: that it is one of gRPC, the token, that there is such a method, and
 * room for one more. And the clock of calls and connections.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import type { ServedCalls } from "../../export/prometheus.ts";
import { Bag } from "../bag.ts";
import { Refusal } from "../engine.ts";
import { Counted } from "../engine/spread.ts";
import type { Connection, Owner } from "../h2/connection.ts";
import { blockOf } from "../h2/hpack.ts";
import { valueOf, type Stream } from "../h2/stream.ts";
import type { Limits } from "../http/limits.ts";
import type { Log } from "../http/log.ts";
import { Call, type Calls, type Method } from "./call.ts";
import { codeNames, statusBlock, StatusError, statusOf } from "./status.ts";

/** How often the clock is looked at. */
const SWEEP_MS = 500;
/** Until a caller that was told "too many" comes again. */
const AGAIN_S = 1;
/** With a suffix that names the messages' format, or parameters. */
const CONTENT = /^application\/grpc(?:[+;]|$)/;
const NO_POST = blockOf([
  [":status", "405"],
  ["allow", "POST"],
]);
const NO_GRPC = blockOf([[":status", "415"]]);

export class Gate implements Owner, Calls {
  readonly limits: Limits;
  readonly log: Log;
  draining = false;
  readonly connections = new Set<Connection>();
  readonly reading = new Bag<Call>();
  readonly spare: AbortController[] = [];
  held = 0;
  readonly #counts = new Map<string, { readonly answers: Map<number, number>; readonly seconds: Counted }>();
  readonly #calls = new Set<Call>();
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #digest: Buffer | undefined;
  readonly #sweep: NodeJS.Timeout;
  #empty: (() => void) | undefined;

  constructor(methods: ReadonlyMap<string, Method>, token: string | undefined, limits: Limits, log: Log) {
    this.#methods = methods;
    this.#digest = token === undefined ? undefined : digestOf(token);
    this.limits = limits;
    this.log = log;
    const { header_seconds, body_seconds } = limits;
    const every = Math.min(SWEEP_MS, header_seconds * 500, body_seconds * 500);
    this.#sweep = setInterval(() => this.#check(performance.now()), every).unref();
  }

  open(stream: Stream): void {
    const { head } = stream;
    const content = valueOf(head, "content-type");
    if (head.method !== "POST") stream.refuse(NO_POST);
    else if (content === undefined || (content !== "application/grpc" && !CONTENT.test(content)))
      stream.refuse(NO_GRPC);
    else {
      try {
        const call = new Call(stream, this.#admit(stream), this);
        this.#calls.add(call);
        stream.taker = call;
        try {
          call.begin();
        } catch (error) {
          call.fail(error);
        }
      } catch (error) {
        const status = statusOf(error);
        stream.refuse(statusBlock(status, true));
        this.count(this.#methods.get(head.path)?.name ?? "(none)", status.code);
        if (this.log.writes("info")) {
          this.log.line("info", `gRPC ${head.path.slice(0, 200)} ${status.code}`, { error: status.details });
        }
      }
    }
  }

  /** Throws StatusError, Refusal. */
  #admit({ head }: Stream): Method {
    const method = this.#methods.get(head.path);
    // What is served is nobody's business who has no token.
    if (this.#digest !== undefined && method?.open !== true) this.#may(valueOf(head, "authorization"), this.#digest);
    if (method === undefined) throw new StatusError("unimplemented", "there is no such method");
    if (this.#calls.size >= this.limits.requests) {
      throw new Refusal("busy", "too many requests are under way", { retry_after_s: AGAIN_S });
    }
    return method;
  }

  #may(authorization: string | undefined, digest: Buffer): void {
    const token = authorization !== undefined && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : "";
    // Digests are of one length, and tell nothing of how much of a guess was right.
    if (timingSafeEqual(digestOf(token), digest)) return;
    throw new StatusError("token", authorization === undefined ? "a bearer token is needed" : "the token is not right");
  }

  count(method: string, code: number, ms?: number): void {
    let own = this.#counts.get(method);
    if (own === undefined) this.#counts.set(method, (own = { answers: new Map(), seconds: new Counted() }));
    own.answers.set(code, (own.answers.get(code) ?? 0) + 1);
    if (ms !== undefined) own.seconds.add(ms / 1000);
  }

  figures(): readonly ServedCalls[] {
    return Array.from(this.#counts, ([method, { answers, seconds }]) => ({
      method,
      answers: Array.from(answers, ([code, count]) => [codeNames[code] ?? String(code), count] as const),
      seconds: seconds.spread(),
    }));
  }

  over(call: Call): void {
    this.#calls.delete(call);
  }

  closed(connection: Connection): void {
    this.connections.delete(connection);
    if (this.connections.size === 0) this.#empty?.();
  }

  /** Resolves when every connection is gone; those that are left after so many milliseconds are broken off. */
  async drain(within_ms: number): Promise<void> {
    this.draining = true;
    for (const call of this.#calls) call.stop();
    for (const connection of this.connections) connection.drain();
    const force = setTimeout(() => {
      for (const { socket } of this.connections) socket.destroy();
    }, within_ms);
    if (this.connections.size > 0) await new Promise<void>((resolve) => (this.#empty = resolve));
    clearTimeout(force);
    this.close();
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #check(now: number): void {
    for (const call of this.reading.all()) call.check(now);
    for (const connection of this.connections) connection.check(now);
  }
}

const digestOf = (token: string): Buffer => createHash("sha256").update(token).digest();
