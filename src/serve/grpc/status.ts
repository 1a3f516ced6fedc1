/**
 * Refusals as gRPC says them: a code, words, and of a full queue when to come again, for clients that retry by themselves
 * (grpc-retry-pushback-ms) and for those that read google.rpc.RetryInfo. https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 * https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
 */

import { Refusal, type RefusalKind } from "../engine.ts";
import { blockOf } from "../h2/hpack.ts";
import { Writer } from "./wire.ts";

/** google.rpc.Code */
export const codes: Readonly<Record<RefusalKind | "ok" | "unimplemented" | "token", number>> = {
  ok: 0,
  cancelled: 1,
  invalid: 3,
  deadline: 4,
  "not-found": 5,
  busy: 8,
  unimplemented: 12,
  failed: 13,
  "not-ready": 14,
  token: 16,
};

/** Their names, for figures. */
export const codeNames: Readonly<Record<number, string>> = {
  0: "OK",
  1: "CANCELLED",
  3: "INVALID_ARGUMENT",
  4: "DEADLINE_EXCEEDED",
  5: "NOT_FOUND",
  8: "RESOURCE_EXHAUSTED",
  12: "UNIMPLEMENTED",
  13: "INTERNAL",
  14: "UNAVAILABLE",
  16: "UNAUTHENTICATED",
};

/** Proxies cut headers off at 8 KiB, and an escaped character takes up to 12 bytes. */
const WORDS_LIMIT = 500;

export interface Status {
  readonly code: number;
  readonly details: string;
  /** Metadata; of a name that ends with -bin, as base64. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** An answer that is no result and comes of no engine: of the protocol itself. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: number;
  readonly fields: Status["fields"];

  constructor(code: keyof typeof codes, message: string, fields: Status["fields"] = []) {
    super(message);
    this.code = codes[code];
    this.fields = fields;
  }
}

/** Of anything that was thrown; what is no refusal is a bug, and tells the caller nothing. */
export function statusOf(error: unknown, id?: string): Status {
  const fields: [string, string][] = id === undefined ? [] : [["x-request-id", id]];
  if (error instanceof StatusError) {
    return { code: error.code, details: error.message, fields: [...fields, ...error.fields] };
  }
  if (!(error instanceof Refusal)) return { code: codes.failed, details: "the server failed on this request", fields };
  const code = codes[error.kind];
  const details = wordsOf(error);
  if (error.retry_after_s !== undefined) {
    const ms = Math.max(1, Math.ceil(error.retry_after_s * 1000));
    fields.push(
      ["grpc-retry-pushback-ms", String(ms)],
      ["retry-after", String(Math.max(1, Math.ceil(error.retry_after_s)))],
      ["grpc-status-details-bin", retryInfo(code, details, ms).toString("base64")],
    );
  }
  return { code, details, fields };
}

/** A status as the last fields of an answer; with those of its beginning where there was none ("Trailers-Only"). */
export function statusBlock({ code, details, fields }: Status, only: boolean): Buffer {
  const words: [string, string][] = details === "" ? [] : [["grpc-message", escaped(details)]];
  return blockOf([...(only ? beginning : []), ["grpc-status", String(code)], ...words, ...fields]);
}

export const beginning: readonly (readonly [string, string])[] = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];

/** UTF-8, percent-encoded but for what is printed in ASCII. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const escaped = (text: string): string =>
  text.replace(/[^ -$&-~]+/g, (piece) =>
    [...Buffer.from(piece)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );

/** The words of a refusal, of a length that goes into a header; whole characters only, or they could not be escaped. */
export const wordsOf = ({ message }: Refusal): string =>
  (message.length > WORDS_LIMIT ? `${message.slice(0, WORDS_LIMIT)}…` : message).replace(/\p{Surrogate}/gu, "\ufffd");

/** A google.rpc.Status with a google.rpc.RetryInfo in it. */
function retryInfo(code: number, details: string, ms: number): Buffer {
  const delay = new Writer(0)
    .int(1, Math.floor(ms / 1000))
    .int(2, (ms % 1000) * 1_000_000)
    .done();
  const any = new Writer(0)
    .text(1, "type.googleapis.com/google.rpc.RetryInfo")
    .payload(2, new Writer(0).payload(1, delay).done())
    .done();
  return new Writer(0).int(1, code).text(2, details).payload(3, any).done();
}
