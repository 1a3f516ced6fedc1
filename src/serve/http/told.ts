/** What an error is to the caller: a status and a sentence; what nobody foresaw goes to the log, and the caller gets its number. */

import { HttpError } from "../door.ts";
import { Refusal, type RefusalKind } from "../engine.ts";
import type { Live } from "./exchange.ts";
import type { Log } from "./log.ts";

export interface Told {
  readonly message: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const statusOf: Readonly<Record<RefusalKind, number>> = {
  invalid: 400,
  "not-found": 404,
  "not-ready": 503,
  busy: 429,
  deadline: 504,
  // nginx's word for it: nobody reads the answer.
  cancelled: 499,
  failed: 500,
};

export function toldOf(exchange: Live, error: unknown, log: Log): Told {
  if (error instanceof HttpError) return error;
  if (error instanceof Refusal) {
    if (error.kind === "failed") {
      const fields = {
        request_id: exchange.id,
        trace_id: exchange.trace.trace_id,
        error: wordsOf(error.cause ?? error),
      };
      log.line("warn", error.message, fields);
    }
    const headers =
      error.retry_after_s === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(error.retry_after_s))) };
    return { message: error.message, status: statusOf[error.kind], headers };
  }
  log.line("error", "a bug; please report it with this", {
    request_id: exchange.id,
    trace_id: exchange.trace.trace_id,
    span_id: exchange.trace.span_id,
    path: exchange.path,
    error: wordsOf(error),
  });
  return { message: `internal error; the log has more under request id ${exchange.id}`, status: 500, headers: {} };
}

/** Of a bug, with its stack. */
export const wordsOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
