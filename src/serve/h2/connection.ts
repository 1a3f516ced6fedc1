/**
 * A connection of HTTP/2, the server's side (RFC 9113): frames in and out, windows, settings, an orderly end. Made for gRPC, where the
 * library's objects of a request cost more than the request: no push, no priorities, no tunnels. docs/decisions/062-grpc.md
 */

import type { Socket } from "node:net";
import { atTurnsEnd } from "../http/turn.ts";
import { Bag } from "../bag.ts";
import { Allowance } from "./allowance.ts";
import {
  ACK,
  CONTINUATION,
  DATA,
  ENABLE_PUSH,
  END_HEADERS,
  END_STREAM,
  errors,
  frame,
  FRAME_BYTES,
  frameOf,
  GOAWAY,
  goawayFrame,
  HEAD_BYTES,
  HEADERS,
  INITIAL_WINDOW,
  MAX_FRAME,
  MAX_HEADER_LIST,
  MAX_STREAMS,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  settingsFrame,
  TABLE_SIZE,
  WINDOW_BYTES,
  WINDOW_MOST,
  WINDOW_UPDATE,
  WITH_PRIORITY,
  writeHead,
} from "./frames.ts";
import { FieldReader, HpackError, TABLE_BYTES } from "./hpack.ts";
import { RequestFields, type FieldLimits } from "./request.ts";
import { Stream } from "./stream.ts";

export interface ConnectionLimits extends FieldLimits {
  readonly header_count: number;
  readonly header_seconds: number;
  readonly idle_seconds: number;
  readonly stall_seconds: number;
}

export interface Owner {
  readonly limits: ConnectionLimits;
  /** A request begins: answers it at once, or sets stream.taker. */
  open(stream: Stream): void;
  closed(connection: Connection): void;
}

/** Requests of one connection at once: more wait at the client. */
export const STREAMS = 256;
/** What a request may send before it is looked at; what all of them may. */
const STREAM_WINDOW = 1 << 20;
const CONNECTION_WINDOW = 4 << 20;
/** Bytes that wait in the socket before no more is cut off an answer. */
const CONGESTED = 256 << 10;
/** Answers to pings and settings that nobody reads. */
const UNREAD = CONGESTED + (1 << 20);
/** An answer's bytes that are copied into one piece with its fields. */
const COPIED = 16 << 10;
/** Pieces of a block of fields: the longest that is taken needs one or two. */
const PIECES = 16;
/** Entries of one SETTINGS frame: there are eight that mean anything. */
const SETTINGS_MOST = 32;
/** A peer that is gone without a word is found out by a ping: a stream of answers may be silent for long. */
const [PING_MS, PONG_MS] = [60_000, 20_000];
/** For the last words to be read. */
const LINGER_MS = 1000;
const [ALIVE, LEAVING] = ["accelctl", "goodbye!"].map((text) => Buffer.from(text, "latin1")) as [Buffer, Buffer];
/** A table that was made smaller is told to be empty: nothing is ever put into it. */
const EMPTY_TABLE = Buffer.of(0x20);

export class Connection {
  readonly socket: Socket;
  readonly streams = new Bag<Stream>();
  readonly #owner: Owner;
  readonly #fields = new FieldReader();
  /** What the peer may do that costs it less than us: abandon requests, and send frames that bring nothing. */
  readonly #abandons = new Allowance(1000, 33);
  readonly #trifles = new Allowance(2000, 200);
  #preface = 0;
  #settled = false;
  #rest: Buffer | undefined;
  /** Of the DATA frame that is coming in. */
  #left = 0;
  #padding = 0;
  #ends = false;
  #into: Stream | undefined;
  /** Of a block of fields that comes in pieces. */
  #block: Buffer[] | undefined;
  #blockBytes = 0;
  #blockId = 0;
  #blockEnds = false;
  #last = 0;
  #window = CONNECTION_WINDOW;
  #sendWindow = WINDOW_BYTES;
  #peerWindow = WINDOW_BYTES;
  #peerFrame = FRAME_BYTES;
  #resizes = false;
  /** Streams with bytes that wait, the longest waiting first. */
  readonly #waiting: Stream[] = [];
  /** performance.now() of the last byte, of the last end of a request, of what has to be whole soon, and of a ping. */
  #heard: number;
  #idle: number;
  #pinged = 0;
  #partial: number;
  #leaving: "no" | "told" | "going" = "no";
  #told = 0;
  /** The last streams that ended here before the peer was done with them. */
  readonly #cut = new Set<number>();
  #over = false;
  #gone = false;
  /** Corked until the turn ends. */
  #gathers = false;

  constructor(socket: Socket, owner: Owner, now: number) {
    this.socket = socket;
    this.#owner = owner;
    this.#heard = this.#idle = this.#partial = now;
    socket.on("data", (bytes) => this.#take(bytes));
    socket.on("drain", () => this.#pump());
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#closed());
    const { header_bytes } = owner.limits;
    socket.write(
      Buffer.concat([
        settingsFrame([
          [MAX_STREAMS, STREAMS],
          [INITIAL_WINDOW, STREAM_WINDOW],
          [MAX_HEADER_LIST, header_bytes],
        ]),
        frameOf(WINDOW_UPDATE, 0, CONNECTION_WINDOW - WINDOW_BYTES),
      ]),
    );
  }

  /** Looks at the clock, every so often. */
  check(now: number): void {
    const { header_seconds, idle_seconds, stall_seconds } = this.#owner.limits;
    if (this.#over) return;
    if (this.#partial > 0 && now - this.#partial > header_seconds * 1000) {
      // Before its first words, or amid a frame.
      if (!this.#settled) this.socket.destroy();
      else this.#fail(errors.calm, "a frame did not come whole in time");
      return;
    }
    for (const stream of [...this.#waiting]) {
      if (now - stream.since > stall_seconds * 1000) this.reset(stream, errors.cancel);
    }
    if (this.#leaving === "told" && now - this.#told > LINGER_MS) this.#leave();
    if (this.streams.size === 0) {
      if (now - this.#idle > idle_seconds * 1000) this.#fail(errors.none, "idle");
    } else if (this.#pinged > 0) {
      if (now - this.#pinged > PONG_MS) this.socket.destroy();
    } else if (now - this.#heard > PING_MS) {
      this.#pinged = now;
      this.#reply(frame(PING, 0, 0, ALIVE));
    }
  }

  /** Takes nothing new once the peer knows of it, answers what is under way, ends. */
  drain(): void {
    if (this.#leaving !== "no" || this.#over) return;
    this.#leaving = "told";
    this.#told = performance.now();
    // What is on its way here is still answered: after the answer to the ping nothing comes that was sent unknowing.
    this.#reply(Buffer.concat([goawayFrame(WINDOW_MOST, errors.none, ""), frame(PING, 0, 0, LEAVING)]));
  }

  #leave(): void {
    this.#leaving = "going";
    this.#reply(goawayFrame(this.#last, errors.none, ""));
    this.#finish();
  }

  #finish(): void {
    if ((this.#leaving === "going" || this.#over) && this.streams.size === 0) this.#hangUp();
  }

  #hangUp(): void {
    this.#over = true;
    this.socket.end();
    setTimeout(() => this.socket.destroy(), LINGER_MS).unref();
  }

  #closed(): void {
    this.#over = this.#gone = true;
    for (const stream of this.streams.all()) this.#drop(stream);
    this.#owner.closed(this);
  }

  /** The connection is of no use any more. */
  #fail(code: number, words: string): void {
    if (this.#over) return;
    this.#reply(goawayFrame(this.#last, code, words));
    this.#hangUp();
    for (const stream of this.streams.all()) this.#drop(stream);
  }

  #reply(bytes: Buffer): void {
    if (this.#gone) return;
    this.socket.write(bytes);
    if (this.socket.writableLength > UNREAD) this.socket.destroy();
  }

  // ---- what comes in

  #take(chunk: Buffer): void {
    if (this.#over) return;
    this.#heard = performance.now();
    this.#pinged = 0;
    let bytes = chunk;
    let at = 0;
    if (this.#preface < PREFACE.length) {
      at = Math.min(PREFACE.length - this.#preface, bytes.length);
      if (PREFACE.compare(bytes, 0, at, this.#preface, this.#preface + at) !== 0) {
        this.socket.destroy(); // no HTTP/2: nothing that it could read
        return;
      }
      this.#preface += at;
    } else if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk]);
      this.#rest = undefined;
    }
    const [begun, broken] = [at, this.#block !== undefined];
    at = this.#frames(bytes, at);
    if (at < 0) return;
    if (at < bytes.length) this.#rest = at === 0 ? bytes : bytes.subarray(at);
    // A frame that is not whole, or a block of fields: but bytes of messages, which have their own pace.
    if (at === bytes.length && this.#settled && this.#block === undefined) this.#partial = 0;
    else if (this.#partial === 0 || (this.#settled && at > begun && !broken)) this.#partial = this.#heard;
  }

  /** Frames that are whole; gives where the first begins that is not, or -1: the connection is over. */
  #frames(bytes: Buffer, at: number): number {
    const end = bytes.length;
    while (!this.#over) {
      if (this.#left > 0 || this.#padding > 0) {
        if (at === end) return at;
        at = this.#payload(bytes, at);
        continue;
      }
      if (end - at < HEAD_BYTES) return at;
      const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
      const type = bytes[at + 3] ?? 0;
      const flags = bytes[at + 4] ?? 0;
      const id = bytes.readUInt32BE(at + 5) & WINDOW_MOST;
      const from = at + HEAD_BYTES;
      if (length > FRAME_BYTES) {
        this.#fail(errors.size, "a frame is longer than was agreed");
        return -1;
      }
      if (!this.#settled && type !== SETTINGS) {
        this.#fail(errors.protocol, "the first frame is SETTINGS");
        return -1;
      }
      if (this.#block !== undefined && (type !== CONTINUATION || id !== this.#blockId)) {
        this.#fail(errors.protocol, "a block of fields is broken off");
        return -1;
      }
      if (type === DATA) {
        const padded = (flags & PADDED) !== 0 ? 1 : 0;
        if (end - from < padded) return at;
        at = from + padded;
        this.#beginData(id, flags, length, padded === 1 ? (bytes[from] ?? 0) : undefined);
        continue;
      }
      if (end - from < length) return at;
      at = from + length;
      this.#frame(type, flags, id, bytes, from, at);
    }
    return -1;
  }

  #frame(type: number, flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (type === HEADERS) this.#headers(flags, id, bytes, from, to);
    else if (type === WINDOW_UPDATE) this.#windowUpdate(id, bytes, from, to);
    else if (type === RST_STREAM) this.#rstStream(id, to - from);
    else if (type === CONTINUATION) this.#continuation(flags, id, bytes, from, to);
    else if (type === PUSH_PROMISE) this.#fail(errors.protocol, "clients push nothing");
    else if (type !== GOAWAY && !this.#trifles.take()) this.#fail(errors.calm, "too many frames that bring nothing");
    else if (type === SETTINGS) this.#settings(flags, id, bytes, from, to);
    else if (type === PING) this.#ping(flags, id, bytes, from, to);
    else if (type === GOAWAY) {
      if (id !== 0) this.#fail(errors.protocol, "GOAWAY is of the connection");
    } else if (type === PRIORITY) {
      if (id === 0) this.#fail(errors.protocol, "PRIORITY is of a stream");
      else if (to - from !== 5) this.#refuse(id, errors.size);
      else if ((bytes.readUInt32BE(from) & WINDOW_MOST) === id) this.#refuse(id, errors.protocol); // depends on itself
    }
  }

  #beginData(id: number, flags: number, length: number, padding: number | undefined): void {
    if (id === 0 || id % 2 === 0 || id > this.#last) {
      this.#fail(errors.protocol, "DATA of a stream that is not open");
      return;
    }
    const pad = padding ?? 0;
    const left = length - (padding === undefined ? 0 : 1) - pad;
    if (left < 0) {
      this.#fail(errors.protocol, "more padding than frame");
      return;
    }
    this.#window -= length;
    if (this.#window < 0) {
      this.#fail(errors.flow, "more bytes than the window had");
      return;
    }
    if (this.#window < CONNECTION_WINDOW / 2) {
      this.#reply(frameOf(WINDOW_UPDATE, 0, CONNECTION_WINDOW - this.#window));
      this.#window = CONNECTION_WINDOW;
    }
    const ends = (flags & END_STREAM) !== 0;
    if (left === 0 && !ends && !this.#trifles.take()) {
      this.#fail(errors.calm, "too many frames that bring nothing");
      return;
    }
    let stream = this.#streamOf(id);
    if (stream === undefined || stream.ended) {
      // One that waits for its answer, and whose request was whole, is lost by it.
      if (!this.#cut.has(id)) this.#refuse(id, errors.closed);
      stream = undefined;
    } else {
      stream.window -= length;
      if (stream.window < 0) {
        this.reset(stream, errors.flow);
        stream = undefined;
      } else if (length > left) this.release(stream, length - left); // what fills up is held by nobody
    }
    this.#into = stream;
    this.#left = left;
    this.#padding = pad;
    this.#ends = ends;
    if (left === 0 && pad === 0) this.#endData();
  }

  #payload(bytes: Buffer, at: number): number {
    if (this.#left > 0) {
      const to = Math.min(bytes.length, at + this.#left);
      this.#left -= to - at;
      const stream = this.#into;
      if (stream !== undefined && !stream.closed) {
        stream.received += to - at;
        stream.taker?.data(bytes.subarray(at, to));
      }
      at = to;
    }
    const skipped = Math.min(bytes.length - at, this.#padding);
    if (this.#left === 0) {
      this.#padding -= skipped;
      at += skipped;
      if (this.#padding === 0) this.#endData();
    }
    return at;
  }

  #endData(): void {
    const stream = this.#into;
    this.#into = undefined;
    if (this.#ends && stream !== undefined && !stream.closed) this.#endOf(stream);
  }

  #endOf(stream: Stream): void {
    if (stream.expected !== undefined && stream.expected !== stream.received) {
      this.reset(stream, errors.protocol);
      return;
    }
    stream.ended = true;
    stream.taker?.end();
  }

  #headers(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (id % 2 === 0) {
      this.#fail(errors.protocol, "clients open streams of odd numbers");
      return;
    }
    let [begin, end] = [from, to];
    if ((flags & PADDED) !== 0) {
      end -= from < to ? (bytes[from] ?? 0) : 0;
      begin++;
    }
    const dependency = begin;
    if ((flags & WITH_PRIORITY) !== 0) begin += 5;
    if (begin > end) {
      this.#fail(errors.protocol, "more padding than frame");
      return;
    }
    if ((flags & WITH_PRIORITY) !== 0 && (bytes.readUInt32BE(dependency) & WINDOW_MOST) === id) {
      this.#fail(errors.protocol, "a stream depends on itself");
      return;
    }
    const ends = (flags & END_STREAM) !== 0;
    if ((flags & END_HEADERS) !== 0) {
      this.#fieldsOf(id, ends, bytes, begin, end);
      return;
    }
    this.#block = [bytes.subarray(begin, end)];
    this.#blockBytes = end - begin;
    this.#blockId = id;
    this.#blockEnds = ends;
  }

  #continuation(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    const pieces = this.#block;
    if (pieces === undefined) {
      this.#fail(errors.protocol, "CONTINUATION of nothing");
      return;
    }
    pieces.push(bytes.subarray(from, to));
    this.#blockBytes += to - from;
    if (pieces.length > PIECES || this.#blockBytes > Math.max(this.#owner.limits.header_bytes, 2 * FRAME_BYTES)) {
      this.#fail(errors.calm, "the fields are too long");
      return;
    }
    if ((flags & END_HEADERS) === 0) return;
    this.#block = undefined;
    this.#fieldsOf(id, this.#blockEnds, Buffer.concat(pieces), 0, this.#blockBytes);
  }

  #fieldsOf(id: number, ends: boolean, bytes: Buffer, from: number, to: number): void {
    const request = new RequestFields(this.#owner.limits);
    try {
      this.#fields.read(bytes, from, to, request.take);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      this.#fail(errors.compression, error.message);
      return;
    }
    const known = this.#streamOf(id);
    if (known !== undefined) this.#trailersOf(known, ends, request);
    else if (id <= this.#last) {
      if (!this.#cut.has(id)) this.#fail(errors.closed, "HEADERS of a stream that is closed");
    } else {
      const { limits } = this.#owner;
      this.#last = id;
      // Streams beyond the last that was told are nobody's, and asked again elsewhere.
      if (this.#leaving === "going") return;
      if (!request.whole) this.#refuse(id, errors.protocol);
      else if (request.bytes > limits.header_bytes || request.fields.length > limits.header_count) {
        this.#refuse(id, errors.calm);
      } else if (this.streams.size >= STREAMS) this.#refuse(id, errors.refused);
      else this.#open(id, ends, request);
    }
  }

  #open(id: number, ends: boolean, request: RequestFields): void {
    const stream = new Stream(this, id, request, this.#peerWindow, STREAM_WINDOW);
    stream.expected = request.length;
    this.streams.add(stream);
    this.#trifles.give(4);
    this.#owner.open(stream);
    if (ends && !stream.closed) this.#endOf(stream);
  }

  #trailersOf(stream: Stream, ends: boolean, request: RequestFields): void {
    if (stream.ended) this.reset(stream, errors.closed);
    else if (!ends || request.lines > 0 || request.wrong) this.reset(stream, errors.protocol);
    else this.#endOf(stream);
  }

  #rstStream(id: number, length: number): void {
    if (length !== 4) this.#fail(errors.size, "RST_STREAM has four bytes");
    else if (id === 0 || id % 2 === 0 || id > this.#last) this.#fail(errors.protocol, "RST_STREAM of an idle stream");
    else {
      const stream = this.#streamOf(id);
      const may = stream === undefined ? this.#trifles.take() : this.#abandons.take();
      if (!may) this.#fail(errors.calm, "too many requests are abandoned");
      else if (stream !== undefined) this.#drop(stream);
    }
  }

  #settings(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (id !== 0) this.#fail(errors.protocol, "SETTINGS are of the connection");
    else if ((flags & ACK) !== 0) {
      if (to > from) this.#fail(errors.size, "an acknowledgement has no settings");
      else if (!this.#settled) this.#fail(errors.protocol, "the first frame is SETTINGS");
    } else if ((to - from) % 6 !== 0) this.#fail(errors.size, "settings have six bytes each");
    else if (to - from > 6 * SETTINGS_MOST) this.#fail(errors.calm, "too many settings");
    else {
      this.#settled = true;
      for (let at = from; at < to && !this.#over; at += 6) {
        this.#setting(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2));
      }
      if (this.#over) return;
      this.#reply(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
      this.#pump();
    }
  }

  #setting(number: number, value: number): void {
    if (number === TABLE_SIZE) this.#resizes ||= value < TABLE_BYTES;
    else if (number === ENABLE_PUSH) {
      if (value > 1) this.#fail(errors.protocol, "ENABLE_PUSH is 0 or 1");
    } else if (number === INITIAL_WINDOW) {
      if (value > WINDOW_MOST) {
        this.#fail(errors.flow, "a window is too large");
        return;
      }
      const more = value - this.#peerWindow;
      this.#peerWindow = value;
      for (const stream of this.streams.all()) {
        stream.sendWindow += more;
        if (stream.sendWindow > WINDOW_MOST) this.#fail(errors.flow, "a window is too large");
      }
    } else if (number === MAX_FRAME) {
      if (value < FRAME_BYTES || value > 0xff_ffff) this.#fail(errors.protocol, "no size of frames");
      else this.#peerFrame = Math.min(value, CONGESTED);
    }
  }

  #ping(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (id !== 0) this.#fail(errors.protocol, "PING is of the connection");
    else if (to - from !== 8) this.#fail(errors.size, "PING has eight bytes");
    else if ((flags & ACK) === 0) this.#reply(frame(PING, ACK, 0, bytes.subarray(from, to)));
    else if (this.#leaving === "told" && LEAVING.compare(bytes, from, to) === 0) this.#leave();
  }

  #windowUpdate(id: number, bytes: Buffer, from: number, to: number): void {
    if (to - from !== 4) {
      this.#fail(errors.size, "WINDOW_UPDATE has four bytes");
      return;
    }
    const more = bytes.readUInt32BE(from) & WINDOW_MOST;
    const stream = this.#streamOf(id);
    if (id === 0) {
      this.#sendWindow += more;
      if (more === 0) this.#fail(errors.protocol, "a window that grows by nothing");
      else if (this.#sendWindow > WINDOW_MOST) this.#fail(errors.flow, "a window is too large");
      else this.#pump();
    } else if (id % 2 === 0 || id > this.#last) this.#fail(errors.protocol, "WINDOW_UPDATE of an idle stream");
    else if (stream !== undefined) {
      stream.sendWindow += more;
      if (more === 0) this.reset(stream, errors.protocol);
      else if (stream.sendWindow > WINDOW_MOST) this.reset(stream, errors.flow);
      else if (stream.waits) this.#pump();
    } else if (more === 0) this.#fail(errors.protocol, "a window that grows by nothing");
  }

  /** Gives so many bytes back to a stream's window, when there are enough to tell of. */
  release(stream: Stream, bytes: number): void {
    stream.taken += bytes;
    if (stream.ended || stream.closed || stream.taken < STREAM_WINDOW / 2) return;
    stream.window += stream.taken;
    this.#reply(frameOf(WINDOW_UPDATE, stream.id, stream.taken));
    stream.taken = 0;
  }

  // ---- ends of streams

  /** A frame of a stream that is none, or that may not be: the stream is over, if there was one. */
  #refuse(id: number, code: number): void {
    const stream = this.#streamOf(id);
    this.#cutOff(id);
    if (this.#abandons.take()) this.#reply(frameOf(RST_STREAM, id, code));
    else this.#fail(errors.calm, "too many requests are refused");
    if (stream !== undefined) this.#drop(stream);
  }

  reset(stream: Stream, code: number): void {
    if (!stream.closed) this.#refuse(stream.id, code);
  }

  /** What is on its way of it is no mistake. */
  #cutOff(id: number): void {
    this.#cut.add(id);
    const [oldest] = this.#cut;
    if (this.#cut.size > STREAMS && oldest !== undefined) this.#cut.delete(oldest);
  }

  #waitsNot(stream: Stream): void {
    if (!stream.waits) return;
    stream.waits = false;
    this.#waiting.splice(this.#waiting.indexOf(stream), 1);
  }

  #streamOf(id: number): Stream | undefined {
    return this.streams.find((stream) => stream.id === id);
  }

  /** Nothing more of it is wanted. */
  #drop(stream: Stream): void {
    if (stream.closed) return;
    this.#forget(stream);
    stream.taker?.gone();
    stream.taker?.over();
  }

  #forget(stream: Stream): void {
    stream.closed = true;
    stream.queue.length = stream.queued = 0;
    this.#waitsNot(stream);
    this.streams.delete(stream);
    if (this.streams.size > 0) return;
    this.#idle = performance.now();
    this.#finish();
  }

  /** Its answer went out whole. */
  #answered(stream: Stream): void {
    if (!stream.ended && !this.#gone) {
      this.socket.write(frameOf(RST_STREAM, stream.id, errors.none));
      this.#cutOff(stream.id);
    }
    this.#abandons.give(1);
    this.#forget(stream);
    stream.taker?.over();
  }

  // ---- what goes out

  answer(stream: Stream, head: Buffer, data: Buffer, trailers: Buffer): void {
    if (stream.closed) return;
    const { length } = data;
    if (
      length > COPIED ||
      length > stream.sendWindow ||
      length > this.#sendWindow ||
      this.#resizes ||
      this.#waiting.length > 0 ||
      this.socket.writableLength > CONGESTED
    ) {
      this.headers(stream, head, false);
      this.data(stream, data);
      this.end(stream, trailers);
      return;
    }
    stream.sendWindow -= length;
    this.#sendWindow -= length;
    const { id } = stream;
    const bytes = Buffer.allocUnsafe(3 * HEAD_BYTES + head.length + length + trailers.length);
    let at = writeHead(bytes, 0, head.length, HEADERS, END_HEADERS, id);
    bytes.set(head, at);
    at = writeHead(bytes, at + head.length, length, DATA, 0, id);
    bytes.set(data, at);
    at = writeHead(bytes, at + length, trailers.length, HEADERS, END_HEADERS | END_STREAM, id);
    bytes.set(trailers, at);
    this.#gather();
    this.socket.write(bytes);
    this.#answered(stream);
  }

  /** What a turn of the event loop writes goes out at its end, together: the answers to several calls in one write (docs/decisions/065). */
  #gather(): void {
    if (this.#gathers) return;
    this.#gathers = true;
    this.socket.cork();
    atTurnsEnd(() => {
      this.#gathers = false;
      this.socket.uncork();
    });
  }

  headers(stream: Stream, block: Buffer, ends: boolean): void {
    if (stream.closed) return;
    const whole = this.#resizes ? Buffer.concat([EMPTY_TABLE, block]) : block;
    this.#resizes = false;
    stream.headed = true;
    // Answers of fields alone wait for no window: who reads none of them is cut off.
    this.#reply(frame(HEADERS, END_HEADERS | (ends ? END_STREAM : 0), stream.id, whole));
    if (ends) this.#answered(stream);
  }

  data(stream: Stream, data: Buffer): boolean {
    if (stream.closed) return true;
    if (data.length > 0) {
      stream.queue.push(data);
      stream.queued += data.length;
      this.#await(stream);
    }
    return stream.queued === 0;
  }

  end(stream: Stream, trailers: Buffer): void {
    if (stream.closed) return;
    stream.trailers = trailers;
    this.#await(stream);
  }

  #await(stream: Stream): void {
    if (!stream.waits) {
      stream.since = performance.now();
      stream.waits = true;
      this.#waiting.push(stream);
    }
    this.#pump();
  }

  /** Sends of what waits as much as windows and the socket take, of each stream a frame in turn. */
  #pump(): void {
    if (this.#waiting.length === 0 || this.#gone) return;
    const now = performance.now();
    this.#gather();
    for (let going = true; going;) {
      going = false;
      for (const stream of [...this.#waiting]) {
        if (this.socket.writableLength > CONGESTED) break;
        if (stream.waits && this.#send(stream, now)) going = true;
      }
    }
  }

  /** One frame of a stream; false where nothing can be sent. */
  #send(stream: Stream, now: number): boolean {
    const [first] = stream.queue;
    if (first === undefined) {
      this.#waitsNot(stream);
      const { trailers } = stream;
      if (trailers !== undefined) this.headers(stream, trailers, true);
      else stream.taker?.drained?.();
      return false;
    }
    const length = Math.min(first.length, stream.sendWindow, this.#sendWindow, this.#peerFrame);
    if (length <= 0) return false;
    stream.sendWindow -= length;
    this.#sendWindow -= length;
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    writeHead(head, 0, length, DATA, 0, stream.id);
    this.socket.write(head);
    this.socket.write(length === first.length ? first : first.subarray(0, length));
    if (length === first.length) stream.queue.shift();
    else stream.queue[0] = first.subarray(length);
    stream.queued -= length;
    stream.since = now;
    this.#trifles.give(2);
    return true;
  }
}
