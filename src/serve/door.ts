/**
 * Door: what the HTTP server hands to each part that answers requests (inference protocol, chat, metrics, the page), and what a part
 * is. server.ts is the one file that listens, checks tokens, bounds bodies and writes the log.
 */

import type { IncomingMessage, ServerResponse } from "node:http";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Without the query, as sent (escaped). */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Unescaped values of the route's `:names`. */
  readonly params: Readonly<Record<string, string>>;
  /** Request id: the caller's x-request-id when it is harmless, else made here; goes back in the answer and into the log. */
  readonly id: string;
  /** W3C trace context: of the caller's traceparent, or made here. 32 and 16 hex digits. */
  readonly trace: { readonly trace_id: string; readonly span_id: string };
  /** Aborted when the caller is gone before it was answered. */
  readonly signal: AbortSignal;
  /** Likewise, the same for all requests of a connection: cheap, for those who take their listeners off when they are done. */
  readonly gone?: AbortSignal;
  /** The whole body; rejects with HttpError 413 past the limit (the server's own when absent), 408 when it does not come in time. */
  body(limit_bytes?: number): Promise<Buffer>;
  /** Body as JSON; HttpError 400 with the offset where it is none. */
  json(limit_bytes?: number): Promise<unknown>;
  /** Answers; content-length is set. Bytes are sent as they are. */
  send(
    status: number,
    body: string | Uint8Array | readonly Uint8Array[],
    headers?: Readonly<Record<string, string>>,
  ): void;
  sendJson(status: number, value: unknown, headers?: Readonly<Record<string, string>>): void;
  /** Server-sent events: headers are written, `event` writes one, waits for a slow reader; the signal ends it. */
  events(): { event(data: string, name?: string): Promise<void>; end(): void };
  /** Goes into the log line of this request. */
  note(fields: Readonly<Record<string, string | number>>): void;
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** "/v2/models/:model/infer"; "/assets/*" takes the rest as params["*"]. */
  readonly path: string;
  /** Answers without a token: liveness only. */
  readonly open?: true;
  /** Its answer goes on until the caller leaves (live figures): a server that stops aborts it rather than wait for its end. */
  readonly endless?: true;
  /** May return before it is answered only if it answers later by itself. Throws HttpError or Refusal; anything else is a 500 without words. */
  readonly answer: (exchange: Exchange) => Promise<void> | void;
}

/** A group of routes with what they hold. */
export interface Part {
  readonly name: string;
  readonly routes: readonly Route[];
  /** Body of an error in this part's protocol; absent: {"error": message}. */
  readonly errorBody?: (status: number, message: string) => unknown;
  readonly close?: () => Promise<void>;
}

export class HttpError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "HttpError";
    this.status = status;
    this.headers = headers;
  }
}
