/**
 * Gate: what is asked of a call before a byte of its message is read: the token, that there is room for one more, and that the message
 * comes in time. An interceptor of @grpc/grpc-js. https://github.com/grpc/proposal/blob/master/L112-node-server-interceptors.md
 */

import type * as grpcModule from "@grpc/grpc-js";
import { createHash, timingSafeEqual } from "node:crypto";
import { Refusal } from "../engine.ts";
import { codes, statusOf } from "./status.ts";

type Grpc = typeof grpcModule;

export interface GateLimits {
  readonly requests: number;
  readonly body_seconds: number;
  readonly body_bytes: number;
}

/** How often messages on their way are looked at. */
const SWEEP_MS = 500;
/** A message may be as slow as this, and then some: its bytes cannot be counted while it comes. */
const SLOWEST_BYTES_A_SECOND = 1 << 20;
/** Until a caller that was told "too many" comes again. */
const AGAIN_S = 1;

export class Gate {
  /** Calls under way. */
  calls = 0;
  readonly #grpc: Grpc;
  readonly #digest: Buffer | undefined;
  readonly #open: ReadonlySet<string>;
  readonly #limits: GateLimits;
  readonly #refused: (path: string, code: number, details: string) => void;
  /** Calls whose message is on its way, by when it has to be there; the oldest first. */
  readonly #reading = new Map<grpcModule.ServerInterceptingCallInterface, number>();
  readonly #sweep: NodeJS.Timeout;

  /** `open`: paths that need no token. `refused` hears of what is turned away here. */
  constructor(
    grpc: Grpc,
    token: string | undefined,
    open: readonly string[],
    limits: GateLimits,
    refused: (path: string, code: number, details: string) => void,
  ) {
    this.#grpc = grpc;
    this.#digest = token === undefined ? undefined : digestOf(token);
    this.#open = new Set(open);
    this.#limits = limits;
    this.#refused = refused;
    this.#sweep = setInterval(() => this.#late(), SWEEP_MS).unref();
  }

  readonly interceptor: grpcModule.ServerInterceptor = ({ path, requestStream }, call) => {
    const { body_seconds, body_bytes } = this.#limits;
    this.calls++;
    let ended = false;
    const refuse = (status: ReturnType<typeof statusOf>): void => {
      this.#refused(path, status.code, status.details);
      call.sendStatus(status);
    };
    return new this.#grpc.ServerInterceptingCall(call, {
      start: (next) => {
        if (!requestStream) {
          this.#reading.set(call, performance.now() + (body_seconds + body_bytes / SLOWEST_BYTES_A_SECOND) * 1000);
        }
        next({
          onReceiveMetadata: (metadata, pass) => {
            if (!this.#open.has(path) && !this.#may(metadata)) {
              const details =
                metadata.get("authorization").length === 0 ? "a bearer token is needed" : "the token is not right";
              refuse({ code: codes.token, details, metadata: new this.#grpc.Metadata() });
            } else if (this.calls > this.#limits.requests) {
              refuse(
                statusOf(
                  this.#grpc,
                  new Refusal("busy", "too many requests are under way", { retry_after_s: AGAIN_S }),
                ),
              );
            } else pass(metadata);
          },
          onReceiveHalfClose: (pass) => {
            this.#reading.delete(call);
            pass();
          },
          // Told at the end of every call, whatever its end.
          onCancel: () => {
            this.#reading.delete(call);
            if (!ended) this.calls--;
            ended = true;
          },
        });
      },
    });
  };

  close(): void {
    clearInterval(this.#sweep);
  }

  #may(metadata: grpcModule.Metadata): boolean {
    if (this.#digest === undefined) return true;
    const [given] = metadata.get("authorization");
    const token = typeof given === "string" && /^bearer /i.test(given) ? given.slice(7).trim() : "";
    // Digests are of one length, and tell nothing of how much of a guess was right.
    return timingSafeEqual(digestOf(token), this.#digest);
  }

  #late(): void {
    const now = performance.now();
    for (const [call, until] of this.#reading) {
      if (until > now) return;
      this.#reading.delete(call);
      call.sendStatus({ code: codes.deadline, details: "the message did not come in time" });
    }
  }
}

const digestOf = (token: string): Buffer => createHash("sha256").update(token).digest();
