/**
 * One request and its answer, as parts see it (door.ts). What a request does not need is not made: ids, trace, query and signal come
 * into being when they are asked for.
 */

import { randomFillSync } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { oneLine } from "../../base/words.ts";
import { lastingController, type Bag, type Placed } from "../bag.ts";
import { HttpError, type Exchange } from "../door.ts";
import { announced, BodyReader, decompressed, noRoom, tooLong } from "./body.ts";
import type { HttpFigures } from "./figures.ts";
import type { Limits } from "./limits.ts";
import type { Match } from "./router.ts";
import { atTurnsEnd } from "./turn.ts";

/** What the exchanges of a connection share. */
export interface Connection {
  readonly address: string;
  readonly under: Bag<Live>;
  closed: boolean;
  /** Aborted when it closes. */
  gone: AbortController | undefined;
}

/** What the server does for an exchange. */
export interface Host {
  readonly limits: Limits;
  readonly draining: boolean;
  readonly reading: Bag<BodyReader>;
  readonly figures: HttpFigures;
  /** Called once: it was answered, or nobody waits for an answer. */
  finished(exchange: Live): void;
}

type Headers = Readonly<Record<string, string>>;

export class Live implements Exchange, Placed {
  place = -1;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly started: number;
  readonly connection: Connection;
  match: Match | undefined;
  /** Told in access-control-allow-origin. */
  origin: string | undefined;
  /** The caller waits for "100 Continue" before it sends its body. */
  expects = false;
  answered = false;
  status = 0;
  notes: Readonly<Record<string, string | number>> | undefined;
  readonly #host: Host;
  #query: string;
  #parsed: URLSearchParams | undefined;
  #id: string | undefined;
  #trace: { trace_id: string; span_id: string; parent_id?: string } | undefined;
  #gone: AbortController | undefined;
  #body: Promise<Buffer> | undefined;
  #held = 0;

  constructor(host: Host, connection: Connection, request: IncomingMessage, response: ServerResponse) {
    this.#host = host;
    this.connection = connection;
    this.request = request;
    this.response = response;
    this.started = performance.now();
    const url = request.url ?? "/";
    const question = url.indexOf("?");
    this.path = question < 0 ? url : url.slice(0, question);
    this.#query = question < 0 ? "" : url.slice(question + 1);
  }

  get method(): string {
    return this.request.method ?? "GET";
  }

  get query(): URLSearchParams {
    return (this.#parsed ??= new URLSearchParams(this.#query));
  }

  get params(): Readonly<Record<string, string>> {
    return this.match?.params ?? {};
  }

  get id(): string {
    return (this.#id ??= idOf(this.request.headers["x-request-id"]));
  }

  get trace(): { readonly trace_id: string; readonly span_id: string; readonly parent_id?: string } {
    return (this.#trace ??= traceOf(this.request.headers.traceparent));
  }

  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController();
      if (this.connection.closed || (this.#host.draining && this.match?.route.endless === true)) this.#gone.abort();
    }
    return this.#gone.signal;
  }

  /**
   * One signal for all requests of the connection, since they come one after the other: for those who take their listeners off when they
   * are done. It costs a tenth of what a small request does to make one for each.
   */
  get gone(): AbortSignal {
    const { connection } = this;
    if (connection.gone === undefined) {
      connection.gone = lastingController();
      if (connection.closed) connection.gone.abort();
      // As many may listen as requests were sent ahead (pipelining).
      setMaxListeners(0, connection.gone.signal);
    }
    return connection.gone.signal;
  }

  /** The caller is gone, or an endless answer has to end. */
  abort(): void {
    this.#gone?.abort();
  }

  body(limit_bytes = this.#host.limits.body_bytes): Promise<Buffer> {
    return (this.#body ??= this.#read(limit_bytes));
  }

  #read(limit: number): Promise<Buffer> {
    const length = announced(this.request);
    if (length !== undefined && length > limit) return Promise.reject(tooLong(limit));
    if (this.expects) this.response.writeContinue();
    const { reading } = this.#host;
    const reader = new BodyReader(this.request, length, limit, this.#host.limits.body_seconds, {
      hold: (bytes) => this.#hold(bytes),
      done: (one) => reading.delete(one),
    });
    reading.add(reader);
    const encoding = this.request.headers["content-encoding"];
    if (encoding === undefined || encoding === "identity") return reader.whole;
    return reader.whole
      .then((bytes) => decompressed(bytes, encoding, limit))
      .then((bytes) => {
        if (!this.#hold(bytes.length)) throw noRoom();
        return bytes;
      });
  }

  /** Whether there is room for so many more bytes. */
  #hold(bytes: number): boolean {
    if (this.answered) return false;
    const { figures, limits } = this.#host;
    this.#held += bytes;
    figures.held_bytes += bytes;
    if (figures.held_bytes <= limits.bodies_bytes) return true;
    figures.refused.bodies++;
    return false;
  }

  async json(limit_bytes?: number): Promise<unknown> {
    const bytes = await this.body(limit_bytes);
    try {
      return JSON.parse(bytes.toString("utf8"));
    } catch (error) {
      throw notJson(error);
    }
  }

  send(status: number, body: string | Uint8Array | readonly Uint8Array[], headers?: Headers): void {
    const { response } = this;
    // A socket that broke this very moment: its "close" is still to come.
    if (this.answered || response.destroyed) return;
    const several = typeof body !== "string" && !(body instanceof Uint8Array);
    let length = 0;
    if (several) for (const one of body) length += one.byteLength;
    else length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
    const head = this.#head(headers);
    // Neither has a body, and a length would announce one.
    if (status !== 204 && status !== 304) head.push("content-length", String(length));
    this.#leave();
    response.writeHead(status, head);
    atTurnsEnd(() => this.#write(body));
    this.#finish(status);
  }

  #write(body: string | Uint8Array | readonly Uint8Array[]): void {
    const { response } = this;
    // The caller went in this very turn.
    if (response.destroyed) return;
    if (typeof body === "string" || body instanceof Uint8Array) {
      this.#endWith(body);
      return;
    }
    // Headers and pieces in one writev.
    response.cork();
    for (const one of body) response.write(one);
    response.end();
    response.uncork();
  }

  /**
   * Headers and body in one write of one string. end() alone would add an empty piece behind it, and the kernel would be given a list of
   * two: a tenth of what a small answer costs.
   */
  #endWith(body: string | Uint8Array): void {
    const { response } = this;
    const { socket } = response;
    if (typeof body !== "string" || body === "" || socket === null || response.statusCode === 204) {
      response.end(body);
      return;
    }
    socket.cork();
    response.write(body);
    socket.uncork();
    response.end();
  }

  sendJson(status: number, value: unknown, headers?: Headers): void {
    this.send(status, JSON.stringify(value), { "content-type": "application/json", ...headers });
  }

  events(): { event(data: string, name?: string): Promise<void>; end(): void } {
    const { response } = this;
    const head = this.#head({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // nginx holds answers back otherwise.
      "x-accel-buffering": "no",
    });
    response.writeHead(200, head);
    response.flushHeaders();
    this.status = 200;
    return {
      event: (data, name) => {
        if (this.answered || response.destroyed) return Promise.resolve();
        const lines = data.split(/\r\n|\n|\r/).map((line) => `data: ${line}\n`);
        if (response.write(`${name === undefined ? "" : `event: ${name}\n`}${lines.join("")}\n`))
          return Promise.resolve();
        return new Promise((resolve) => {
          const go = (): void => {
            response.off("drain", go).off("close", go);
            resolve();
          };
          response.on("drain", go).on("close", go);
        });
      },
      end: () => {
        if (this.answered) return;
        response.end();
        this.#finish(200);
      },
    };
  }

  note(fields: Readonly<Record<string, string | number>>): void {
    this.notes = this.notes === undefined ? fields : { ...this.notes, ...fields };
  }

  /** Nobody waits any more, or nothing more can be said. */
  drop(status: number): void {
    if (!this.answered) this.#finish(status);
  }

  #finish(status: number): void {
    this.answered = true;
    this.status = status;
    this.#host.figures.held_bytes -= this.#held;
    this.#held = 0;
    this.#host.finished(this);
  }

  #head(headers: Headers | undefined): string[] {
    const head = ["x-request-id", this.id, "x-content-type-options", "nosniff"];
    if (headers !== undefined) for (const name in headers) head.push(name, headers[name] ?? "");
    if (this.origin !== undefined) {
      head.push("access-control-allow-origin", this.origin, "vary", "origin", "access-control-expose-headers", EXPOSED);
    }
    return head;
  }

  /** What becomes of a body that nobody read: a short one is passed over, for a long one the connection is given up. */
  #leave(): void {
    const { request, response } = this;
    if (request.complete) {
      if (this.#host.draining) response.shouldKeepAlive = false;
      return;
    }
    const left = this.expects
      ? Infinity
      : Number(
          request.headers["content-length"] ?? (request.headers["transfer-encoding"] === undefined ? 0 : Infinity),
        );
    if (this.#host.draining || left > PASSED_OVER) response.shouldKeepAlive = false;
    if (left <= PASSED_OVER) return;
    const { socket } = request;
    // A socket with unread bytes is closed with a reset, which would take the answer with it: the rest is read for a moment.
    socket.destroySoon = () => {
      socket.end();
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    };
    request.resume();
  }
}

/** Bytes of an unwanted body that are read to keep the connection. */
const PASSED_OVER = 64 << 10;
const LINGER_MS = 1000;
const EXPOSED = "x-request-id, inference-header-content-length, retry-after";

/** Node's words hold where, and a piece of the caller's own text. */
export const notJson = (error: unknown): HttpError =>
  new HttpError(400, `the body is no JSON: ${error instanceof Error ? oneLine(error.message) : ""}`);

const HARMLESS = /^[\w.:@/+=-]{1,128}$/;
const start = randomFillSync(Buffer.alloc(6)).toString("hex");
let made = 0;

/** The caller's own where it can stand in a header and a log; else one that no other process makes. */
export const idOf = (given: string | string[] | undefined): string =>
  typeof given === "string" && HARMLESS.test(given) ? given : `${start}-${(made++).toString(36)}`;

const PARENT = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(?:-|$)/;

/** W3C Trace Context: the caller's trace with a span of our own, or a new one. */
export function traceOf(given: string | string[] | undefined): {
  trace_id: string;
  span_id: string;
  parent_id?: string;
} {
  const random = randomFillSync(Buffer.allocUnsafe(24)).toString("hex");
  const span_id = random.slice(32);
  const parts = typeof given === "string" ? PARENT.exec(given) : null;
  const [, trace_id = "", parent_id = ""] = parts ?? [];
  // Zeros are what the specification calls invalid.
  if (/[1-9a-f]/.test(trace_id) && /[1-9a-f]/.test(parent_id) && given?.slice(0, 2) !== "ff")
    return { trace_id, span_id, parent_id };
  return { trace_id: random.slice(0, 32), span_id };
}
