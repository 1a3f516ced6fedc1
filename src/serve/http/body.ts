/**
 * Bodies: a request's bytes, whole, within bounds of size and time, decompressed where the caller compressed them. What comes in one
 * piece is not copied.
 */

import type { IncomingMessage } from "node:http";
import type * as zlib from "node:zlib";
import { createRequire } from "node:module";
import type { Placed } from "../bag.ts";
import { HttpError } from "../door.ts";

/** Bytes that a body must bring in a second, beyond the time that it has anyway. */
const PACE = 16 << 10;

/** Length that the caller announced; undefined of a chunked body. */
export function announced(request: IncomingMessage): number | undefined {
  const length = request.headers["content-length"];
  if (length !== undefined) return Number(length);
  return request.headers["transfer-encoding"] === undefined ? 0 : undefined;
}

export const tooLong = (limit: number): HttpError =>
  new HttpError(413, `the body is longer than the ${limit} bytes that are taken`);

export const noRoom = (): HttpError => new HttpError(429, "too much is on its way in already", { "retry-after": "1" });

/** What the server does for a body. */
export interface BodyHost {
  /** Counts so many more bytes; false where there is no room for them. */
  hold(bytes: number): boolean;
  /** Called once, however it ends. */
  done(reader: BodyReader): void;
}

/** One body on its way in. */
export class BodyReader implements Placed {
  place = -1;
  readonly whole: Promise<Buffer>;
  readonly #limit: number;
  readonly #expected: number | undefined;
  #first: Buffer | undefined;
  #into: Buffer | undefined;
  #more: Buffer[] | undefined;
  #length = 0;
  #due: number;
  #resolve: (bytes: Buffer) => void = nothing;
  #reject: (error: Error) => void = nothing;
  #over = false;
  readonly #host: BodyHost;

  /** `expected`: of announced(). */
  constructor(request: IncomingMessage, expected: number | undefined, limit: number, seconds: number, host: BodyHost) {
    this.#expected = expected;
    this.#limit = limit;
    this.#due = performance.now() + seconds * 1000;
    this.#host = host;
    this.whole = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    request.on("data", (bytes: Buffer) => this.#take(bytes));
    request.on("end", () => this.#end());
    request.on("error", () => this.fail(new HttpError(499, "the caller is gone")));
  }

  /** Fails it where its time is over. */
  check(now: number): void {
    if (now > this.#due + (this.#length / PACE) * 1000) {
      this.fail(new HttpError(408, "the body did not come in time", { connection: "close" }));
    }
  }

  fail(error: Error): void {
    this.#finish();
    this.#first = this.#into = this.#more = undefined;
    this.#reject(error);
  }

  #take(bytes: Buffer): void {
    // What comes after a refusal is passed over.
    if (this.#over) return;
    const at = this.#length;
    this.#length += bytes.length;
    if (this.#length > this.#limit) {
      this.fail(tooLong(this.#limit));
      return;
    }
    if (!this.#host.hold(bytes.length)) {
      this.fail(noRoom());
      return;
    }
    if (this.#into !== undefined) {
      this.#into.set(bytes, at);
    } else if (this.#more !== undefined) {
      this.#more.push(bytes);
    } else if (this.#first === undefined) {
      this.#first = bytes;
    } else if (this.#expected === undefined) {
      this.#more = [this.#first, bytes];
      this.#first = undefined;
    } else {
      // Not before the second piece: a length is announced quickly, and memory for it is taken when there is something to hold.
      this.#into = Buffer.allocUnsafeSlow(this.#expected);
      this.#into.set(this.#first);
      this.#into.set(bytes, at);
      this.#first = undefined;
    }
  }

  #end(): void {
    this.#finish();
    this.#resolve(
      this.#into ?? this.#first ?? (this.#more === undefined ? none : Buffer.concat(this.#more, this.#length)),
    );
  }

  #finish(): void {
    if (!this.#over) this.#host.done(this);
    this.#over = true;
  }
}

const none = Buffer.alloc(0);
const nothing = (): void => undefined;

/** Undoes content-encoding; a small body that would grow beyond the limit is stopped there. Throws HttpError 413, 415, 400. */
export function decompressed(bytes: Buffer, encoding: string, limit: number): Promise<Buffer> {
  const require = createRequire(import.meta.url);
  const { gunzip, inflate } = require("node:zlib") as typeof zlib;
  const undo = { gzip: gunzip, "x-gzip": gunzip, deflate: inflate }[encoding.trim().toLowerCase()];
  if (undo === undefined) {
    throw new HttpError(415, "content-encoding: gzip, deflate and identity are taken", {
      "accept-encoding": "gzip, deflate",
    });
  }
  return new Promise((resolve, reject) => {
    undo(bytes, { maxOutputLength: limit }, (error, whole) => {
      if (error === null) resolve(whole);
      else if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") reject(tooLong(limit));
      else reject(new HttpError(400, `the body is not what content-encoding says (${encoding})`));
    });
  });
}
