/**
 * Refusals as gRPC says them: a code, words, and of a full queue when to come again, for clients that retry by themselves
 * (grpc-retry-pushback-ms) and for those that read google.rpc.RetryInfo. https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 * https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
 */

import type * as grpcModule from "@grpc/grpc-js";
import { Refusal, type RefusalKind } from "../engine.ts";
import { Writer } from "./wire.ts";

type Grpc = typeof grpcModule;

/** google.rpc.Code */
const numbers: Readonly<Record<RefusalKind | "ok" | "token", number>> = {
  ok: 0,
  cancelled: 1,
  invalid: 3,
  deadline: 4,
  "not-found": 5,
  busy: 8,
  failed: 13,
  "not-ready": 14,
  token: 16,
};
/** The same as the library's enum, which is not loaded for them. */
export const codes = numbers as unknown as Readonly<Record<keyof typeof numbers, grpcModule.status>>;

/** Proxies cut headers off at 8 KiB, and an escaped character takes up to 12 bytes. */
const WORDS_LIMIT = 500;

export interface Status {
  readonly code: grpcModule.status;
  readonly details: string;
  readonly metadata: grpcModule.Metadata;
}

/** Of anything that was thrown; what is no refusal is a bug, and tells the caller nothing. */
export function statusOf(grpc: Grpc, error: unknown, id?: string): Status {
  const metadata = new grpc.Metadata();
  if (id !== undefined) metadata.set("x-request-id", id);
  if (!(error instanceof Refusal))
    return { code: codes.failed, details: "the server failed on this request", metadata };
  const code = codes[error.kind];
  const details = wordsOf(error);
  if (error.retry_after_s !== undefined) {
    const ms = Math.max(1, Math.ceil(error.retry_after_s * 1000));
    metadata.set("grpc-retry-pushback-ms", String(ms));
    metadata.set("retry-after", String(Math.max(1, Math.ceil(error.retry_after_s))));
    metadata.set("grpc-status-details-bin", retryInfo(code, details, ms));
  }
  return { code, details, metadata };
}

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
