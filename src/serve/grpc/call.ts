/**
 * One call of gRPC over a stream of HTTP/2: messages in and out, its ids, deadline and end, its line in the log.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */

import { setMaxListeners } from "node:events";
import type * as zlib from "node:zlib";
import { requireLate } from "../../base/package.ts";
import { lastingController, type Bag, type Placed } from "../bag.ts";
import { Refusal } from "../engine.ts";
import { blockOf } from "../h2/hpack.ts";
import { valueOf, type Stream, type Taker } from "../h2/stream.ts";
import { idOf, traceOf } from "../http/exchange.ts";
import type { Log } from "../http/log.ts";
import type { Context } from "./service.ts";
import { beginning, codes, statusBlock, StatusError, statusOf } from "./status.ts";

export interface Method {
  /** As its proto names it. */
  readonly name: string;
  /** "/package.Service/Method" */
  readonly path: string;
  /** The caller sends any number of messages: they are taken by call.next(). Otherwise there is one. */
  readonly streams: boolean;
  /** Beside what is published: what it costs to ask tells nothing of the models. */
  readonly open: boolean;
  /** Answers, and ends the call. `message`: of a caller that sends one. What it throws is told to the caller. */
  readonly act: (call: Call, message: Buffer) => Promise<void>;
}

/** What calls share. */
export interface Calls {
  readonly limits: { readonly body_bytes: number; readonly bodies_bytes: number; readonly body_seconds: number };
  readonly log: Log;
  /** The server takes nothing new: streams of requests end. */
  readonly draining: boolean;
  /** Calls of which something has to come in time. */
  readonly reading: Bag<Call>;
  /** Controllers that nobody listens to any more: to make one for each call is a tenth of a small one's cost. */
  readonly spare: AbortController[];
  /** Bytes of messages that are held for all calls together. */
  held: number;
  /** An answer, `ms` after its call came; without them: refused at the door. */
  count(method: string, code: number, ms?: number): void;
  over(call: Call): void;
}

/** Before each message: whether it is compressed, and its length. */
const PREFIX = 5;
/** Memory that is taken for a message before any of it came. */
const FIRST_BYTES = 1 << 20;
/** A message that goes out in one piece with all else. */
const SMALL = 16 << 10;
/** Bytes that a message must bring in a second, beyond the time that it has anyway. */
const PACE = 16 << 10;
const SPARE_MOST = 1024;
/** Until a caller for whose message there was no room comes again. */
const AGAIN_S = 1;
/** What a timer of Node can wait. */
const TIMER_MOST = 0x7fff_ffff;
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
const encodings = ["identity", "deflate", "gzip"];
const ACCEPTED = [["grpc-accept-encoding", encodings.join(",")]] as const;
const BEGIN = blockOf(beginning);
const OK = blockOf([["grpc-status", "0"]]);

interface Message {
  readonly bytes: Buffer;
  readonly compressed: boolean;
}

export class Call implements Context, Taker, Placed {
  place = -1;
  readonly method: Method;
  /** performance.now() */
  readonly begun = performance.now();
  deadline: number | undefined;
  readonly #stream: Stream;
  readonly #calls: Calls;
  #id: string | undefined;
  #notes: Record<string, string | number> | undefined;
  #gone: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  /** It is begun to be answered. */
  #headed = false;
  /** The caller's side is done. */
  whole = false;
  // The message that is coming in: its prefix, how long it is to be, what came of it, since when.
  readonly #prefix = { bytes: 0, flag: 0, length: 0 };
  #into: Buffer | undefined;
  #filled = 0;
  #since = this.begun;
  /** Messages that came, and nobody took; bytes of them that are held from the window. */
  readonly #messages: Message[] = [];
  #owed = 0;
  /** Bytes of its messages in memory; of the one that is worked on, where there are several. */
  #held = 0;
  #worked = 0;
  #wake: (() => void) | undefined;
  #drained: (() => void) | undefined;

  constructor(stream: Stream, method: Method, calls: Calls) {
    this.#stream = stream;
    this.method = method;
    this.#calls = calls;
  }

  /** Throws StatusError where the caller asks for what there is not. */
  begin(): void {
    const { head } = this.#stream;
    const encoding = valueOf(head, "grpc-encoding");
    if (encoding !== undefined && !encodings.includes(encoding)) {
      throw new StatusError("unimplemented", "grpc-encoding: identity, deflate and gzip are taken", ACCEPTED);
    }
    const timeout = valueOf(head, "grpc-timeout");
    if (timeout !== undefined) {
      const [, count, unit] = TIMEOUT.exec(timeout) ?? [];
      if (count === undefined || unit === undefined)
        throw new StatusError("invalid", "grpc-timeout is no time of the protocol");
      const ms = Number(count) * (units[unit] ?? NaN);
      if (ms === 0) throw new StatusError("deadline", "the deadline is over");
      this.deadline = this.begun + ms;
      if (ms <= TIMER_MOST) this.#timer = setTimeout(() => this.#late(), Math.ceil(ms));
    }
    this.#calls.reading.add(this);
    if (this.method.streams) void this.#act(none);
  }

  get id(): string {
    return (this.#id ??= idOf(valueOf(this.#stream.head, "x-request-id")));
  }

  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = this.#calls.spare.pop();
      if (this.#gone === undefined) {
        this.#gone = lastingController();
        setMaxListeners(0, this.#gone.signal);
      }
      if (this.#ended) this.#gone.abort();
    }
    return this.#gone.signal;
  }

  note(fields: Readonly<Record<string, string | number>>): void {
    this.#notes = this.#notes === undefined ? { ...fields } : Object.assign(this.#notes, fields);
  }

  /** Nobody waits for more of it. */
  get ended(): boolean {
    return this.#ended;
  }

  // ---- what comes in

  data(bytes: Buffer): void {
    // What is held for later is given back to the window when it is taken.
    if (this.#messages.length === 0) this.#stream.release(bytes.length);
    else this.#owed += bytes.length;
    let at = 0;
    const prefix = this.#prefix;
    while (at < bytes.length && !this.#ended) {
      if (prefix.bytes < PREFIX) {
        at = this.#readPrefix(bytes, at);
        if (prefix.bytes < PREFIX || !this.#announced()) return;
      }
      const length = Math.min(prefix.length - this.#filled, bytes.length - at);
      if (!this.#put(bytes.subarray(at, at + length))) return;
      this.#filled += length;
      at += length;
      if (this.#filled === prefix.length) this.#complete();
    }
  }

  #readPrefix(bytes: Buffer, at: number): number {
    const prefix = this.#prefix;
    if (prefix.bytes === 0 && this.method.streams) this.#since = performance.now();
    for (; prefix.bytes < PREFIX && at < bytes.length; prefix.bytes++) {
      const byte = bytes[at++] ?? 0;
      if (prefix.bytes === 0) [prefix.flag, prefix.length] = [byte, 0];
      else prefix.length = prefix.length * 256 + byte;
    }
    return at;
  }

  /** Whether a message of that prefix is taken. */
  #announced(): boolean {
    const { flag, length } = this.#prefix;
    const { body_bytes } = this.#calls.limits;
    const encoding = flag === 0 ? "" : (valueOf(this.#stream.head, "grpc-encoding") ?? "identity");
    if (flag > 1) this.fail(new StatusError("failed", "a message has a flag that the protocol has not"));
    else if (encoding === "identity") {
      this.fail(new StatusError("failed", "a message is compressed and grpc-encoding does not say how"));
    } else if (length > body_bytes) {
      this.fail(new StatusError("busy", `a message of ${length} bytes is over the ${body_bytes} that are taken`));
    } else if (!this.method.streams && this.#messages.length > 0) {
      this.fail(new StatusError("unimplemented", `${this.method.name} takes one message`));
    }
    if (!this.#ended && length === 0) {
      this.#into = none;
      this.#complete();
      return true;
    }
    return !this.#ended;
  }

  /** A length is announced quickly: memory is taken as bytes come. False: there is no more of it. */
  #put(bytes: Buffer): boolean {
    const { length } = this.#prefix;
    const needed = this.#filled + bytes.length;
    const had = this.#into?.length ?? 0;
    if (had < needed) {
      const size = Math.min(length, Math.max(FIRST_BYTES, 2 * had, needed));
      if (!this.#hold(size - had)) {
        this.fail(noRoom());
        return false;
      }
      if (bytes.length === length) {
        this.#into = bytes;
        return true;
      }
      const larger = Buffer.allocUnsafeSlow(size);
      if (this.#into !== undefined) larger.set(this.#into);
      this.#into = larger;
    }
    this.#into?.set(bytes, this.#filled);
    return true;
  }

  /** Whether there is room for so many more bytes. */
  #hold(bytes: number): boolean {
    const { limits, held } = this.#calls;
    if (this.#ended || held + bytes > limits.bodies_bytes) return false;
    this.#held += bytes;
    this.#calls.held += bytes;
    return true;
  }

  #free(bytes: number): void {
    this.#held -= bytes;
    this.#calls.held -= bytes;
  }

  #complete(): void {
    this.#messages.push({ bytes: this.#into ?? none, compressed: this.#prefix.flag === 1 });
    this.#into = undefined;
    this.#prefix.bytes = this.#filled = 0;
    this.#wake?.();
  }

  end(): void {
    this.whole = true;
    this.#calls.reading.delete(this);
    if (this.#ended) return;
    if (this.#prefix.bytes > 0) this.fail(new StatusError("failed", "the last message is cut off"));
    else if (this.method.streams) this.#wake?.();
    else {
      const message = this.#messages.shift();
      if (message === undefined) this.fail(new StatusError("unimplemented", `${this.method.name} takes one message`));
      else if (message.compressed)
        void this.#inflate(message).then(
          (bytes) => this.#act(bytes),
          (error: unknown) => this.fail(error),
        );
      else void this.#act(message.bytes);
    }
  }

  /** The next message of a caller that sends several; undefined: there is none more, or none more is taken. */
  async next(): Promise<Buffer | undefined> {
    if (!this.#ended) this.#free(this.#worked);
    this.#worked = 0;
    while (this.#messages.length === 0 && !this.whole && !this.#ended && !this.#calls.draining) {
      await new Promise<void>((wake) => (this.#wake = wake));
      this.#wake = undefined;
    }
    if (this.#ended || this.#calls.draining) return undefined;
    const message = this.#messages.shift();
    if (this.#messages.length === 0) {
      this.#stream.release(this.#owed);
      this.#owed = 0;
      // What is there of the next was held up here: its time begins now.
      this.#since = performance.now();
    }
    const bytes = message?.compressed === true ? await this.#inflate(message) : message?.bytes;
    this.#worked = (message?.bytes.length ?? 0) + (message?.compressed === true ? (bytes?.length ?? 0) : 0);
    return bytes;
  }

  /** Draining has begun. */
  stop(): void {
    this.#wake?.();
  }

  #inflate({ bytes }: Message): Promise<Buffer> {
    const { gunzip, inflate } = requireLate("node:zlib") as typeof zlib;
    const undo = valueOf(this.#stream.head, "grpc-encoding") === "gzip" ? gunzip : inflate;
    const { body_bytes } = this.#calls.limits;
    return new Promise((resolve, reject) => {
      undo(bytes, { maxOutputLength: body_bytes }, (error, whole) => {
        if (error === null) {
          if (this.#hold(whole.length)) resolve(whole);
          else reject(noRoom());
        } else if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
          reject(new StatusError("busy", `a message is over the ${body_bytes} bytes that are taken`));
        } else reject(new StatusError("failed", "a message is not what grpc-encoding says"));
      });
    });
  }

  /** Ends the call where the time for its message is over. */
  check(now: number): void {
    // Where others wait before it, it is the server that takes no more of it.
    if (this.method.streams && (this.#prefix.bytes === 0 || this.#messages.length > 0)) return;
    const { body_seconds } = this.#calls.limits;
    if (now - this.#since > (body_seconds + this.#filled / PACE) * 1000) {
      this.fail(new StatusError("deadline", "the message did not come in time"));
    }
  }

  // ---- what goes out

  async #act(message: Buffer): Promise<void> {
    try {
      await this.method.act(this, message);
    } catch (error) {
      this.fail(error);
    }
  }

  /** The one message of an answer, and its end. */
  reply(message: Buffer): void {
    if (this.#ended) return;
    if (message.length <= SMALL) {
      const framed = Buffer.allocUnsafe(PREFIX + message.length);
      framed.set(message, writePrefix(framed, message.length));
      this.#finish(codes.ok);
      this.#stream.answer(BEGIN, framed, OK);
      return;
    }
    this.#write(message);
    this.finish();
  }

  /** One message of several; resolves when the next may be sent. */
  async send(message: Buffer): Promise<void> {
    if (this.#ended || this.#write(message)) return;
    await new Promise<void>((drained) => (this.#drained = drained));
  }

  #write(message: Buffer): boolean {
    if (!this.#headed) this.#stream.begin(BEGIN);
    this.#headed = true;
    const prefix = Buffer.allocUnsafe(PREFIX);
    writePrefix(prefix, message.length);
    this.#stream.write(message.length > SMALL ? prefix : Buffer.concat([prefix, message]));
    return message.length > SMALL ? this.#stream.write(message) : this.#stream.queued === 0;
  }

  /** All went well. */
  finish(): void {
    if (this.#ended) return;
    this.#finish(codes.ok);
    if (this.#headed) this.#stream.end(OK);
    else this.#stream.refuse(statusBlock({ code: codes.ok, details: "", fields: [] }, true));
  }

  /** Tells the caller what may be told of an error; the rest is for the log. */
  fail(error: unknown): void {
    const { log } = this.#calls;
    if (!(error instanceof StatusError)) this.#report(error);
    if (this.#ended) return;
    const status = statusOf(error, this.id);
    if (log.writes("info")) this.note({ error: status.details });
    this.#finish(status.code);
    if (this.#headed) this.#stream.end(statusBlock(status, false));
    else this.#stream.refuse(statusBlock(status, true));
    // Whatever still works on it works for nobody.
    this.#gone?.abort();
  }

  #report(error: unknown): void {
    const { log } = this.#calls;
    const ids = { request_id: this.id, trace_id: this.#trace() };
    if (!(error instanceof Refusal)) {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.line("error", "a bug; please report it with this", { ...ids, stack });
    } else if (error.kind === "failed") {
      const cause = error.cause instanceof Error ? error.cause.message : error.message;
      log.line("warn", error.message, { ...ids, error: cause });
    }
  }

  #late(): void {
    this.fail(new StatusError("deadline", "the deadline is over"));
  }

  drained(): void {
    this.#drained?.();
    this.#drained = undefined;
  }

  gone(): void {
    if (this.#ended) return;
    this.#finish(this.deadline !== undefined && performance.now() >= this.deadline ? codes.deadline : codes.cancelled);
    this.#gone?.abort();
  }

  over(): void {
    this.#calls.reading.delete(this);
    this.drained();
    this.#calls.over(this);
  }

  /** Once: nothing that comes or is computed is of use any more. Writes the line of this call. */
  #finish(code: number): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#messages.length = 0;
    this.#into = undefined;
    const { spare, log, reading } = this.#calls;
    reading.delete(this);
    this.#free(this.#held);
    this.#calls.count(this.method.name, code, performance.now() - this.begun);
    this.#wake?.();
    // The engine took its listeners off when it answered; streams have others too.
    if (code === codes.ok && !this.method.streams && this.#gone !== undefined && spare.length < SPARE_MOST) {
      spare.push(this.#gone);
      this.#gone = undefined;
    }
    if (!log.writes("info")) return;
    log.line("info", `gRPC ${this.method.name} ${code}`, {
      ms: Number((performance.now() - this.begun).toFixed(3)),
      request_id: this.id,
      trace_id: this.#trace(),
      ...this.#notes,
    });
  }

  #trace(): string {
    return traceOf(valueOf(this.#stream.head, "traceparent")).trace_id;
  }
}

const none = Buffer.alloc(0);

const noRoom = (): Refusal =>
  new Refusal("busy", "the messages of all calls together are over the limit", { retry_after_s: AGAIN_S });

function writePrefix(into: Buffer, length: number): number {
  into[0] = 0;
  return into.writeUInt32BE(length, 1);
}
